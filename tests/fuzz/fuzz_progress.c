/* SPDX-License-Identifier: Apache-2.0 */
/* What engines say while they pull or load: streams of objects, cut into pieces, and what becomes of them. However it
 * is cut, the same objects come out; whatever they hold, merging them and comparing their names holds together, and
 * what is held back has at least one node, each once.
 *
 * Input: a byte that chooses the pieces, then the stream; the engines take turns. */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_name.h"
#include "json_objects.h"
#include "json_read.h"
#include "progress_merge.h"

#define NODES 3
#define OBJECT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define check(condition) check_at((condition), #condition, __LINE__)

static void check_at(bool holds, const char *condition, int line)
{
    if (holds)
        return;
    fprintf(stderr, "line %d: does not hold: %s\n", line, condition);
    abort();
}

struct story {
    struct progress_merge merge;
    size_t objects, held;
    uint64_t hash;
};

static int take(void *data, const char *text, size_t length)
{
    static const char *const names[NODES] = {"n1", "n2", "n3"};
    struct story *story = data;
    size_t node = story->objects++ % NODES;
    json_t *object;

    for (size_t i = 0; i < length; i++)
        story->hash = (story->hash ^ (unsigned char)text[i]) * 1099511628211u;
    object = json_read(text, length, JSON_ALLOW_NUL, NULL);
    if (json_is_object(object)) {
        const char *reference = json_string_value(json_object_get(object, "status"));

        story->held += progress_merge_take(&story->merge, node, names[node], object) == PROGRESS_HOLD;
        if (story->objects % 16 == 0)
            progress_merge_leave(&story->merge, node);
        if (reference != NULL) {
            char *shown = image_name_shown(reference);

            check(shown != NULL && image_name_repository(reference) <= strlen(reference));
            image_names_meant(object, reference, true);
            image_id_meant(object, reference);
            free(shown);
        }
    }
    json_decref(object);
    return 0;
}

static void check_held(struct story *story)
{
    json_t *held = progress_merge_held(&story->merge);
    json_t *object;
    size_t i, nodes = 0;

    json_array_foreach (held, i, object) {
        size_t count = json_array_size(json_object_get(object, "nodes"));

        check(count > 0 && count <= NODES);
        nodes += count;
    }
    check(nodes <= story->held);
    json_decref(held);
}

/* The result of the whole stream: 0, or -1 where it is none. */
static int tell(struct story *story, const char *text, size_t length, unsigned piece)
{
    struct json_objects objects;
    int r = 0;

    memset(story, 0, sizeof(*story));
    check(progress_merge_init(&story->merge, NODES) == 0);
    json_objects_init(&objects, OBJECT_MAX);
    for (size_t at = 0; r == 0 && at < length;) {
        size_t part = piece < length - at ? piece : length - at;
        char *copy = malloc(part); /* allocated to size, so that a byte too far is noticed */

        check(copy != NULL);
        memcpy(copy, text + at, part);
        r = json_objects_feed(&objects, copy, part, take, story);
        free(copy);
        at += part;
    }
    json_objects_finish(&objects);
    check_held(story);
    progress_merge_finish(&story->merge);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct story whole, pieces;
    const char *text = (const char *)data + 1;

    if (size < 2)
        return 0;
    /* An object beyond the limit is noticed at its end where it comes in one piece. */
    if (tell(&whole, text, size - 1, (unsigned)size) == tell(&pieces, text, size - 1, data[0] % 37 + 1))
        check(whole.objects == pieces.objects && whole.hash == pieces.hash);
    else
        check(size > OBJECT_MAX);
    return 0;
}
