/* SPDX-License-Identifier: Apache-2.0 */
/* The labels that constraints see of a node: four facts of the engine, then its own labels. */
#ifndef MANAGE_ENGINE_LABELS_H
#define MANAGE_ENGINE_LABELS_H

#include <jansson.h>
#include <stddef.h>

#include "failure.h"

struct engine_labels {
    const char **keys;
    const char **values;
    size_t count;
    char *storage; /* of the engine's own labels, split */
};

/* From the engine's /info, which must outlive them. -1 with failure for a label that is not "key=value". */
int engine_labels_take(struct engine_labels *labels, const json_t *info, const char *address, struct failure *failure);
/* Log those of the engine's labels that do not count: key "node", or a key that was there already. */
void engine_labels_warn(const struct engine_labels *labels, const json_t *info, const char *id, const char *address);
void engine_labels_clear(struct engine_labels *labels);

#endif
