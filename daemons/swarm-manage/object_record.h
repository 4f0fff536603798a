/* SPDX-License-Identifier: Apache-2.0 */
/* Networks and volumes of an engine, as it listed them: what filters and look-ups need, and the list entry as JSON that
 * is rendered once, when the engine reports. */
#ifndef MANAGE_OBJECT_RECORD_H
#define MANAGE_OBJECT_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct object_record {
    char *id; /* of a network; NULL: a volume, which its name tells from others */
    char *name;
    char *driver;
    char *scope;
    char *mountpoint; /* of a volume, else "" */
    json_t *labels;   /* object, NULL: none */
    bool local;       /* it belongs to its node alone: lists show "node/name" */
    int64_t used_ms;  /* of a volume: monotonic time when its last user went (volume_use.h); 0: not known */
    /* The entry as JSON, cut where its name goes (quotes are on neither side), and where more may go: members of a
     * network's Containers, members of a volume's entry. */
    char *head, *middle, *tail;
};

/* Times of use that are none: nobody has used it; or somebody had before the manager began. */
#define VOLUME_UNUSED (-1)
#define VOLUME_USED_BEFORE 1

/* Sorted by name, then id. All zero: empty. */
struct object_table {
    struct object_record *at;
    size_t count;
    uint64_t ticket; /* of the answer that is in force (pool.h) */
};

/* From an entry of GET /networks or of the member Volumes of GET /volumes, or of an answer about one of them. 0, or -1
 * for an entry that names nothing or for lack of memory. */
int object_record_from_network(struct object_record *record, json_t *entry);
int object_record_from_volume(struct object_record *record, json_t *entry);
void object_record_clear(struct object_record *record);
/* Write the entry with @p name, and @p more at the second cut ("": nothing). */
void object_record_write(FILE *out, const struct object_record *record, const char *name, const char *more);
/* A network that every engine has from the start: none, host, bridge, nat. */
bool network_is_predefined(const char *name);

/* What an engine lists. Entries that name nothing are left out. -1 for lack of memory. */
int object_table_read(struct object_table *table, json_t *list,
                      int (*read)(struct object_record *record, json_t *entry));
void object_table_clear(struct object_table *table);
/* The first of that name; NULL: none. */
struct object_record *object_table_find(const struct object_table *table, const char *name);
/* Add one (taken over) in place of another of its name and id. -1 for lack of memory; then nothing was taken. */
int object_table_put(struct object_table *table, struct object_record *record);
/* Take all of that name, or that id, out. */
void object_table_drop(struct object_table *table, const char *reference);

#endif
