/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_CODEC_STATE_H
#define SWARM_SRC_CODEC_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include <swarm/state.h>

#include "error.h"

/*
 * Parts of the codec of recorded states: codec_state_path.c (where in the text something is, errors that say so, typed
 * members), codec_state_request.c (requests), codec_state_read.c and codec_state_write.c (clusters).
 *
 * Functions answer 0 or a code, with an error where @p reterr is not NULL.
 */

#define SWARM__STATE_VERSION_MEMBER "swarm_state"

/** Words of the text by enum swarm_container_state, enum swarm_availability, the bits of enum swarm_count; NULL-ended.
 *  In codec_state_read.c. */
extern const char *const swarm__state_words[];
extern const char *const swarm__availability_words[];
extern const char *const swarm__count_words[];

/** A place in the text, linked to the one that it is in: on the stack of those who walk down. */
struct swarm__at {
    const struct swarm__at *up;
    const char *key; /**< A member's name, a map's key, the root's name; NULL: the element @c index of a list. */
    size_t index;
    bool quoted; /**< A key that anybody may have chosen: ["key"]. */
};

#define SWARM__AT_MEMBER(up, key)                                                                                      \
    &(const struct swarm__at)                                                                                          \
    {                                                                                                                  \
        up, key, 0, false                                                                                              \
    }
#define SWARM__AT_ENTRY(up, key)                                                                                       \
    &(const struct swarm__at)                                                                                          \
    {                                                                                                                  \
        up, key, 0, true                                                                                               \
    }
#define SWARM__AT_ELEMENT(up, index)                                                                                   \
    &(const struct swarm__at)                                                                                          \
    {                                                                                                                  \
        up, NULL, index, false                                                                                         \
    }

/** An error "state: nodes[3].health: <message>". @return @p code, or SWARM_ERR_NOMEM. */
int swarm__state_error(struct swarm_error **reterr, int code, const struct swarm__at *at, const char *format, ...)
    SWARM_PRINTF(4, 5);
/** What a setter said of a value read: SWARM_ERR_PARSE with the place in front, or SWARM_ERR_NOMEM. @p error is taken
 *  and may be NULL. */
int swarm__state_refused(struct swarm_error **reterr, int code, const struct swarm__at *at, struct swarm_error *error);

/* ---- reading ---- */

/** Load the text, an object. @param ret_root  New. */
int swarm__state_load(const char *json, size_t length, const struct swarm__at *at, json_t **ret_root,
                      struct swarm_error **reterr);
/** That @p value is an object with no other members than these. @param names  NULL-ended. */
int swarm__state_object(const json_t *value, const struct swarm__at *at, const char *const *names,
                        struct swarm_error **reterr);
/** A list or map that may be absent: then *ret is NULL. */
int swarm__state_value(const json_t *object, const struct swarm__at *at, const char *key, json_type type, json_t **ret,
                       struct swarm_error **reterr);
/** A text; *ret stays where it is absent. Borrowed. */
int swarm__state_text(const json_t *object, const struct swarm__at *at, const char *key, const char **ret,
                      struct swarm_error **reterr);
int swarm__state_integer(const json_t *object, const struct swarm__at *at, const char *key, int64_t *ret,
                         struct swarm_error **reterr);
/** One of some words; *ret is its index and stays where it is absent. @param words  NULL-ended. */
int swarm__state_word(const json_t *object, const struct swarm__at *at, const char *key, const char *const *words,
                      int *ret, struct swarm_error **reterr);
/** A list of some words; *ret has the bits of their indexes and stays where it is absent. */
int swarm__state_words_set(const json_t *object, const struct swarm__at *at, const char *key, const char *const *words,
                           int *ret, struct swarm_error **reterr);
/** That it is a list of texts, NULL where it is absent. */
int swarm__state_texts(const json_t *object, const struct swarm__at *at, const char *key, json_t **ret,
                       struct swarm_error **reterr);
/** That it is a map of texts, NULL where it is absent. */
int swarm__state_map(const json_t *object, const struct swarm__at *at, const char *key, json_t **ret,
                     struct swarm_error **reterr);

/** Sets one amount of a thing: swarm_node_set_resource() and the like. */
typedef int (*swarm__state_amount_fn)(void *of, const char *name, int64_t amount, struct swarm_error **reterr);
/** A map of integers, each given to @p set; nothing where it is absent. */
int swarm__state_amounts(const json_t *object, const struct swarm__at *at, const char *key, swarm__state_amount_fn set,
                         void *of, struct swarm_error **reterr);

/** @param ret_request  New reference. */
int swarm__state_read_request(const json_t *value, const struct swarm__at *at, struct swarm_request **ret_request,
                              struct swarm_error **reterr);

/* ---- writing ---- */

/** Put a value into an object under a name of ours. @p value is taken; NULL means that there was no memory for it. */
int swarm__state_put(json_t *object, const char *key, json_t *value, struct swarm_error **reterr);
/** A text; nothing is put where it is NULL. */
int swarm__state_put_text(json_t *object, const struct swarm__at *at, const char *key, const char *text,
                          struct swarm_error **reterr);
/** A text under a key that anybody may have chosen. */
int swarm__state_put_entry(json_t *map, const struct swarm__at *at, const char *key, const char *text,
                           struct swarm_error **reterr);
/** A text that loses one slash in front when it is set: one that has such a slash is written with another. */
int swarm__state_put_name(json_t *object, const struct swarm__at *at, const char *key, const char *name,
                          struct swarm_error **reterr);
/** @p value is taken; NULL means that there was no memory for it. */
int swarm__state_append(json_t *list, json_t *value, struct swarm_error **reterr);
/** An integer under a key that anybody may have chosen. */
int swarm__state_put_amount(json_t *map, const struct swarm__at *at, const char *key, int64_t amount,
                            struct swarm_error **reterr);
int swarm__state_append_text(json_t *list, const struct swarm__at *at, const char *text, struct swarm_error **reterr);
/** As swarm__state_put_name(). */
int swarm__state_append_name(json_t *list, const struct swarm__at *at, const char *name, struct swarm_error **reterr);
/** Put a list or a map where it is not empty. @p value is taken. @p code  How filling it went: not 0, then that is the
 * answer. */
int swarm__state_put_filled(json_t *object, const char *key, json_t *value, int code, struct swarm_error **reterr);

/** @param ret_value  New. */
int swarm__state_write_request(const struct swarm_request *request, const struct swarm__at *at, json_t **ret_value,
                               struct swarm_error **reterr);
/** As text. @p root is taken. */
int swarm__state_dump(json_t *root, char **ret_json, size_t *ret_length, struct swarm_error **reterr);

#endif
