/* SPDX-License-Identifier: Apache-2.0 */
/* What several engines say of the progress of one thing (a pull, a load), as one engine would say it: of each layer the
 * state of the engine that is furthest behind, and what else they say alike said once. */
#ifndef MANAGE_PROGRESS_MERGE_H
#define MANAGE_PROGRESS_MERGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum progress_verdict {
    PROGRESS_SEND, /* as it is */
    PROGRESS_DROP, /* it has been said, or another engine is further behind */
    PROGRESS_HOLD, /* it was taken over: it is said once all have had their say */
};

struct progress_layer;
struct progress_merge {
    size_t nodes;
    json_t *places; /* of the layers in the array by their id */
    struct progress_layer *layers;
    size_t layer_count, layer_capacity;
    json_t *said; /* other lines with an id, as keys */
    json_t *held; /* array of {"object": …, "nodes": [names], "numbers": [theirs, rising]} */
    bool *left;
};

/* -1 for lack of memory. */
int progress_merge_init(struct progress_merge *merge, size_t nodes);
void progress_merge_finish(struct progress_merge *merge);
/* An object of the engine of that number, called @p name. Lack of memory has it sent as it is. */
enum progress_verdict progress_merge_take(struct progress_merge *merge, size_t node, const char *name, json_t *object);
/* Nothing more is expected of that one: nobody is shown as behind because of it. */
void progress_merge_leave(struct progress_merge *merge, size_t node);
/* What was held back, each with the names of those that said it as "nodes", in the order of its first coming. New
 * array. */
json_t *progress_merge_held(struct progress_merge *merge);

#endif
