/* SPDX-License-Identifier: Apache-2.0 */
#include "progress_merge.h"

#include <stdlib.h>
#include <string.h>

/* Beyond these, objects are passed on as they are. */
#define LAYERS_MAX 10000
#define SAID_MAX 10000
#define HELD_MAX 1000

struct state {
    signed char stage; /* -1: it said nothing yet */
    json_int_t current;
};

struct progress_layer {
    struct state *states; /* a node each */
    struct state shown;
};

/* How far a layer is; -1 for what is no layer's state. */
static signed char stage_of(const char *status)
{
    static const struct {
        const char *status;
        signed char stage;
    } stages[] = {
        {"Pulling fs layer", 0},   {"Preparing", 0},         {"Waiting", 1},    {"Downloading", 2},
        {"Verifying Checksum", 3}, {"Download complete", 4}, {"Extracting", 5}, {"Loading layer", 5},
        {"Pull complete", 6},      {"Already exists", 6},
    };

    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        if (strcmp(stages[i].status, status) == 0)
            return stages[i].stage;
    }
    return -1;
}

int progress_merge_init(struct progress_merge *merge, size_t nodes)
{
    memset(merge, 0, sizeof(*merge));
    merge->nodes = nodes;
    merge->places = json_object();
    merge->said = json_object();
    merge->held = json_array();
    merge->left = calloc(nodes + 1, sizeof(merge->left[0]));
    if (merge->places == NULL || merge->said == NULL || merge->held == NULL || merge->left == NULL) {
        progress_merge_finish(merge);
        return -1;
    }
    return 0;
}

void progress_merge_finish(struct progress_merge *merge)
{
    for (size_t i = 0; i < merge->layer_count; i++)
        free(merge->layers[i].states);
    free(merge->layers);
    free(merge->left);
    json_decref(merge->places);
    json_decref(merge->said);
    json_decref(merge->held);
    memset(merge, 0, sizeof(*merge));
}

void progress_merge_leave(struct progress_merge *merge, size_t node)
{
    merge->left[node] = true;
}

/* --- layers --- */

static struct progress_layer *add_layer(struct progress_merge *merge, const char *id)
{
    struct progress_layer *layer;

    if (merge->layer_count == LAYERS_MAX)
        return NULL;
    if (merge->layer_count == merge->layer_capacity) {
        size_t capacity = merge->layer_capacity * 2 + 16;
        struct progress_layer *layers = realloc(merge->layers, capacity * sizeof(layers[0]));

        if (layers == NULL)
            return NULL;
        merge->layers = layers;
        merge->layer_capacity = capacity;
    }
    layer = &merge->layers[merge->layer_count];
    layer->states = malloc(merge->nodes * sizeof(layer->states[0]));
    if (layer->states == NULL)
        return NULL;
    if (json_object_set_new(merge->places, id, json_integer((json_int_t)merge->layer_count)) < 0) {
        free(layer->states);
        return NULL;
    }
    for (size_t i = 0; i < merge->nodes; i++)
        layer->states[i] = (struct state){-1, 0};
    layer->shown = (struct state){-1, 0};
    merge->layer_count++;
    return layer;
}

static struct progress_layer *find_layer(struct progress_merge *merge, const char *id)
{
    json_t *place = json_object_get(merge->places, id);

    return place == NULL ? add_layer(merge, id) : &merge->layers[json_integer_value(place)];
}

static bool is_behind(const struct state *a, const struct state *b)
{
    return a->stage != b->stage ? a->stage < b->stage : a->current < b->current;
}

static enum progress_verdict take_layer(struct progress_merge *merge, size_t node, struct progress_layer *layer,
                                        struct state state)
{
    layer->states[node] = state;
    for (size_t i = 0; i < merge->nodes; i++) {
        if (i != node && !merge->left[i] && layer->states[i].stage >= 0 && is_behind(&layer->states[i], &state))
            return PROGRESS_DROP;
    }
    /* Who begins later does not take back what was shown: it is waited for. */
    if (!is_behind(&layer->shown, &state))
        return PROGRESS_DROP;
    layer->shown = state;
    return PROGRESS_SEND;
}

/* --- what else is said --- */

static enum progress_verdict take_line(struct progress_merge *merge, const json_t *object)
{
    enum progress_verdict verdict = PROGRESS_SEND;
    char *text = json_object_size(merge->said) < SAID_MAX ? json_dumps(object, JSON_COMPACT) : NULL;

    if (text != NULL && json_object_get(merge->said, text) != NULL)
        verdict = PROGRESS_DROP;
    else if (text != NULL)
        json_object_set_new(merge->said, text, json_true());
    free(text);
    return verdict;
}

/* That node said it, too: its name goes where its number belongs. */
static void add_node(json_t *entry, size_t node, const char *name)
{
    json_t *numbers = json_object_get(entry, "numbers");
    size_t at = 0;

    while (at < json_array_size(numbers) && json_integer_value(json_array_get(numbers, at)) < (json_int_t)node)
        at++;
    if (at < json_array_size(numbers) && json_integer_value(json_array_get(numbers, at)) == (json_int_t)node)
        return;
    json_array_insert_new(numbers, at, json_integer((json_int_t)node));
    json_array_insert_new(json_object_get(entry, "nodes"), at, json_string(name));
}

static enum progress_verdict hold(struct progress_merge *merge, size_t node, const char *name, json_t *object)
{
    json_t *entry;
    size_t i;

    json_array_foreach (merge->held, i, entry) {
        if (json_equal(json_object_get(entry, "object"), object)) {
            add_node(entry, node, name);
            return PROGRESS_HOLD;
        }
    }
    if (json_array_size(merge->held) == HELD_MAX)
        return PROGRESS_SEND;
    entry = json_pack("{s:O, s:[s], s:[I]}", "object", object, "nodes", name, "numbers", (json_int_t)node);
    return json_array_append_new(merge->held, entry) < 0 ? PROGRESS_SEND : PROGRESS_HOLD;
}

enum progress_verdict progress_merge_take(struct progress_merge *merge, size_t node, const char *name, json_t *object)
{
    const char *id = json_string_value(json_object_get(object, "id"));
    const char *status = json_string_value(json_object_get(object, "status"));
    json_int_t current = json_integer_value(json_object_get(json_object_get(object, "progressDetail"), "current"));
    signed char stage = status == NULL ? -1 : stage_of(status);
    struct progress_layer *layer;

    if (id == NULL)
        return hold(merge, node, name, object);
    if (stage < 0)
        return take_line(merge, object);
    layer = find_layer(merge, id);
    return layer == NULL ? PROGRESS_SEND : take_layer(merge, node, layer, (struct state){stage, current});
}

json_t *progress_merge_held(struct progress_merge *merge)
{
    json_t *list = json_array();
    json_t *entry;
    size_t i;

    json_array_foreach (merge->held, i, entry) {
        json_t *object = json_object_get(entry, "object");

        json_object_set(object, "nodes", json_object_get(entry, "nodes"));
        json_array_append(list, object);
    }
    json_array_clear(merge->held);
    return list;
}
