/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_CODEC_H
#define SWARM_SRC_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <swarm/codec.h>

#include "request.h"

/*
 * The codec's own parts; nothing outside codec*.c includes this or jansson.
 * Errors of type are SWARM_ERR_PARSE and name the field with the path it has in Docker's API.
 */

struct swarm_create_body {
    json_t *root;
    bool weight; /**< CpuShares are an engine's, not whole CPUs: they are passed on as they are. */
    struct swarm_request *request;
};

/** How CpuShares are to be read. */
struct swarm__shares {
    int engine_cpus;              /**< 0: they are whole CPUs; else an engine's with that many CPUs. */
    enum swarm_cpu_shares unsaid; /**< What they mean where no label says it: CPUs or a weight. */
};

static const struct swarm__shares swarm__whole_cpus = {0, SWARM_CPU_SHARES_CPUS};

/** Make a body of a tree; a reference to @p root is taken. */
int swarm__create_body_new(struct swarm_create_body **ret_body, json_t *root, bool strict, struct swarm__shares shares,
                           struct swarm_error **reterr);

/* ---- codec.c: the request's change is made in a copy, so that either both change or neither ---- */

/** Take what changed over; cannot fail. @p changed is taken. */
void swarm__create_body_end_edit(struct swarm_create_body *body, struct swarm_request *changed);
/** Set a label in both. */
int swarm__create_body_put_label(struct swarm_create_body *body, struct swarm_request *changed, const char *label,
                                 const char *text, struct swarm_error **reterr);

/* ---- codec_parse.c ---- */

/** Parse any JSON text. Depth is limited, so that no input exhausts a small stack. @param ret_value  New. */
int swarm__json_load(const char *json, size_t length, json_t **ret_value, struct swarm_error **reterr);
/** The same, but a member that is there twice is an error; of such ones, swarm__json_load() takes the last. */
int swarm__json_load_unique(const char *json, size_t length, json_t **ret_value, struct swarm_error **reterr);

/** Members that are kept of an object; ended by one without a name. */
struct swarm__json_wanted {
    const char *name;
    const struct swarm__json_wanted *inside; /**< Of its value, where that is an object; NULL: all of it. */
};

/** As swarm__json_load(), but of the outermost object only what is @p wanted is kept; the rest is checked. */
int swarm__json_load_some(const char *json, size_t length, const struct swarm__json_wanted *wanted, json_t **ret_value,
                          struct swarm_error **reterr);

/* ---- codec_json.c ---- */

/** Parse a body, which is a JSON object. @param ret_root  New. */
int swarm__json_parse(const char *json, size_t length, json_t **ret_root, struct swarm_error **reterr);
/** The same of what is @p wanted; NULL: all of it. */
int swarm__json_parse_some(const char *json, size_t length, const struct swarm__json_wanted *wanted, json_t **ret_root,
                           struct swarm_error **reterr);

/**
 * The member @p name of @p object.
 *
 * @param path       What stands before the name in errors: "HostConfig." or "".
 * @param ret_value  Borrowed; NULL where the member is absent or null.
 */
int swarm__json_member(const json_t *object, const char *path, const char *name, json_type type, json_t **ret_value,
                       struct swarm_error **reterr);

/** As swarm__json_member() for a list of strings, whose elements are checked too. */
int swarm__json_strings(const json_t *object, const char *path, const char *name, json_t **ret_list,
                        struct swarm_error **reterr);

/** As swarm__json_member() for an object whose values are strings (or null, for an empty one). */
int swarm__json_string_map(const json_t *object, const char *name, json_t **ret_map, struct swarm_error **reterr);

/** A text member, "" where it is absent, null or no text. Borrowed. */
const char *swarm__json_text(const json_t *object, const char *name);

/** Set root[object][key], making the object where there is none. @p value is taken. @return 0 or SWARM_ERR_NOMEM. */
int swarm__json_put(json_t *root, const char *object, const char *key, json_t *value);

/** @param ret_text  New, as compact JSON; release with swarm__free(). */
int swarm__json_dump(const json_t *value, char **ret_text, size_t *ret_length);

/* ---- codec_labels.c: expressions and policies, which live as lists in labels ---- */

/** Which list; the order of the tables in codec_labels.c. */
enum swarm__list_kind {
    SWARM__LIST_CONSTRAINTS,
    SWARM__LIST_AFFINITIES,
    SWARM__LIST_WHITELISTS,
    SWARM__LIST_POLICIES,
    SWARM__LIST_KINDS,
};

/** "com.docker.swarm.constraints" and so on. */
const char *swarm__list_label(enum swarm__list_kind kind);

/** Move the expressions in config's Env to its Labels. */
int swarm__codec_move_expressions(json_t *config, bool strict, struct swarm_error **reterr);

/**
 * Read the lists in config's Labels into the request.
 *
 * @param strict  Refuse a label that is no list, and a bad or second policy; otherwise they count as not there.
 */
int swarm__codec_read_lists(struct swarm_request *request, const json_t *labels, bool strict,
                            struct swarm_error **reterr);

/** The list in a label with one more entry, as text. @param ret_text  New, release with swarm__free(). */
int swarm__codec_extended_list(const json_t *config, enum swarm__list_kind kind, const char *entry, char **ret_text);

/* ---- codec_request.c ---- */

/**
 * Read everything that placing needs.
 *
 * @param config       Config of an inspect answer, or a whole create body.
 * @param host_config  May be NULL.
 * @param ret_request  New reference.
 */
int swarm__codec_read_request(json_t *config, const json_t *host_config, struct swarm__shares shares, bool strict,
                              struct swarm_request **ret_request, struct swarm_error **reterr);

/** As swarm__codec_read_request() for a create body, lenient or strict in expressions too. */
int swarm__codec_read_create(json_t *root, bool strict, struct swarm__shares shares, struct swarm_request **ret_request,
                             struct swarm_error **reterr);

/** Both CpuShares and NanoCpus say how much CPU is wanted, a weight does not: the larger one is reserved. */
int swarm__codec_read_cpus(struct swarm_request *request, const json_t *host_config, int engine_cpus, bool weight,
                           struct swarm_error **reterr);

/** What a label in config says of CpuShares; @p unsaid where none does. */
enum swarm_cpu_shares swarm__cpu_shares_said(const json_t *config, enum swarm_cpu_shares unsaid);

/** CpuShares of an engine as whole CPUs, and back. Both saturate. */
int64_t swarm__cpus_from_shares(int64_t shares, int engine_cpus);
int64_t swarm__shares_from_cpus(int64_t cpus, int engine_cpus);

#endif
