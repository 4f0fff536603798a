/* SPDX-License-Identifier: Apache-2.0 */
/* What the records say: JSON objects of one version by key.
 *
 *   node/<node id>                   {"v":1, "name", "address", "ip", "cpus", "memory", "lost"}
 *   container/<node id>/<container>  {"v":1, "swarm_id", "name", "entry": {…}, "inspect": {…}}
 *   state/<node id>/<container>      {"v":1, "wanted": "running"|"stopped", "stop_asked", "term"}
 *   copy/<container>                 {"v":1, "node", "by", "judged"}
 *   claim/<swarm id>                 {"v":1, "container", "name", "node", "to", "start", "term", "at"}
 *
 * node: one that is in the pool; "lost" (0 where it is missing): it was away, or is back and not all that ran there has
 * been started again. container: one with a reschedule policy, as its engine's list and inspect have it but for what
 * changes by itself: what a create body is made of. state: whether it is to run, and when a client asked for its end
 * last (ns, Unix time; 0: never, or it has ended for another reason). copy: a container that was moved, and may show up
 * again on its old node: "by" is the id of its stand-in, "" where that was removed. claim: a move from "node" to "to"
 * that is under way, or whose end nobody saw. Terms are those of leadership, 0 without. A node id has no end of its
 * own: containers' ids, which are the last part of a key, have no slash. */
#ifndef MANAGE_RECORD_H
#define MANAGE_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json_scan.h"

#define RECORD_VERSION 1

enum record_kind { RECORD_NODE, RECORD_CONTAINER, RECORD_STATE, RECORD_COPY, RECORD_CLAIM, RECORD_KINDS };

/* Where keys of that kind begin and end, and all keys end. */
#define RECORD_CONTAINERS_FIRST "container/"
#define RECORD_CONTAINERS_END "container0"
#define RECORD_KEYS_END "\x7f"

/* "container/<rest>"; new text, NULL for lack of memory. */
char *record_key(enum record_kind kind, const char *rest);
/* The rest of a key, and its kind; NULL for none of ours. */
const char *record_key_read(const char *key, enum record_kind *ret_kind);

/* A record as text; the object is released. NULL for lack of memory. */
char *record_write(json_t *object, size_t *ret_length);
/* New reference; NULL with *reterr (constant text) where it cannot be read, is of a newer version, or lacks what its
 * kind has. */
json_t *record_read(enum record_kind kind, const char *value, size_t length, const char **reterr);

/* container: of an engine's list entry and its inspect answer; new, NULL for lack of memory. */
json_t *record_container(const json_t *entry, const json_t *inspect);
/* The two in a record as they are written there. -1 with *reterr as above. */
struct record_spans {
    struct json_span entry, inspect;
};
int record_container_read(struct record_spans *ret, const char *value, size_t length, const char **reterr);
/* The two again, each new text, with a state that says whether it runs. -1 for lack of memory. */
int record_container_restore(const struct record_spans *record, bool runs, char **ret_entry, char **ret_inspect);

/* To tell whether a record is another one than the last. */
uint64_t record_hash(const char *value, size_t length);

#endif
