/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_labels.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"

/* Members of /info that count as labels, and win over the engine's own of the same key. */
static const char *const facts[][2] = {
    {"storagedriver", "Driver"},
    {"kernelversion", "KernelVersion"},
    {"operatingsystem", "OperatingSystem"},
    {"ostype", "OSType"},
};
#define FACT_COUNT (sizeof(facts) / sizeof(*facts))

static const char *label_value(const struct engine_labels *labels, const char *key, size_t length)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (!strncmp(labels->keys[i], key, length) && !labels->keys[i][length]) {
            return labels->values[i];
        }
    }
    return NULL;
}

static void add(struct engine_labels *labels, const char *key, const char *value)
{
    labels->keys[labels->count] = key;
    labels->values[labels->count++] = value;
}

static size_t stored_size(const json_t *own)
{
    size_t index, size = 1;
    json_t *item;

    json_array_foreach (own, index, item) {
        size += json_string_length(item) + 1;
    }
    return size;
}

static int allocate(struct engine_labels *labels, const json_t *own)
{
    size_t capacity = FACT_COUNT + json_array_size(own);

    labels->keys = calloc(capacity, sizeof(*labels->keys));
    labels->values = calloc(capacity, sizeof(*labels->values));
    labels->storage = malloc(stored_size(own));
    return labels->keys && labels->values && labels->storage ? 0 : -1;
}

static int take_own(struct engine_labels *labels, const json_t *own, const char *id, const char *address,
                    struct failure *failure)
{
    char *at = labels->storage;
    size_t index;
    json_t *item;

    json_array_foreach (own, index, item) {
        const char *text = json_string_value(item) ? json_string_value(item) : "";
        const char *equals = strchr(text, '=');
        size_t length = equals ? (size_t)(equals - text) : 0;

        if (!equals) {
            return failure_set(
                failure, 500,
                "Engine (ID: %s, Addr: %s) contains an invalid label (%s) not formatted as \"key=value\".", id, address,
                text);
        }
        if ((length == 4 && !strncmp(text, "node", 4)) || label_value(labels, text, length)) {
            continue;
        }
        strcpy(at, text);
        at[length] = '\0';
        add(labels, at, at + length + 1);
        at += strlen(text) + 1;
    }
    return 0;
}

int engine_labels_take(struct engine_labels *labels, const json_t *info, const char *address, struct failure *failure)
{
    const json_t *own = json_object_get(info, "Labels");
    const char *id = json_string_value(json_object_get(info, "ID"));

    memset(labels, 0, sizeof(*labels));
    if (allocate(labels, own)) {
        engine_labels_clear(labels);
        return failure_set(failure, 500, "out of memory");
    }
    for (size_t i = 0; i < FACT_COUNT; i++) {
        const char *value = json_string_value(json_object_get(info, facts[i][1]));

        if (value && *value) {
            add(labels, facts[i][0], value);
        }
    }
    if (take_own(labels, own, id ? id : "", address, failure)) {
        engine_labels_clear(labels);
        return -1;
    }
    return 0;
}

void engine_labels_warn(const struct engine_labels *labels, const json_t *info, const char *id, const char *address)
{
    const json_t *own = json_object_get(info, "Labels");
    size_t index;
    json_t *item;

    json_array_foreach (own, index, item) {
        const char *text = json_string_value(item);
        size_t length = strcspn(text, "=");
        const char *first = label_value(labels, text, length);

        if (length == 4 && !strncmp(text, "node", 4)) {
            log_warn("Engine (ID: %s, Addr: %s) contains a label (%s) with key of \"node\" which cannot be used in "
                     "Swarm.",
                     id, address, text);
        } else if (first && strcmp(first, text + length + 1)) {
            log_warn("Node (ID: %s, Addr: %s) already contains a label (%s) with key (%.*s), and Engine's label (%s) "
                     "cannot override it.",
                     id, address, first, (int)length, text, text + length + 1);
        }
    }
}

void engine_labels_clear(struct engine_labels *labels)
{
    free(labels->keys);
    free(labels->values);
    free(labels->storage);
    memset(labels, 0, sizeof(*labels));
}
