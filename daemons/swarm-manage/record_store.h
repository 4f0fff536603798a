/* SPDX-License-Identifier: Apache-2.0 */
/* Where records are kept that outlive the manager: texts by key, in one place that survives it: the store of discovery,
 * or a file. What they say is record.h's business.
 *
 * One thread at a time, unless it says otherwise. */
#ifndef MANAGE_RECORD_STORE_H
#define MANAGE_RECORD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct discovery;

/* The version of all that is kept. A store of a newer one is set aside, never read. */
#define RECORD_STORE_VERSION 1

/* One thing to write. */
struct record_change {
    const char *key;
    const char *value; /* NULL: remove it; one that is not there is no failure */
    size_t length;
};

/* Borrowed until it returns. Not 0: stop. */
typedef int (*record_fn)(void *data, const char *key, const char *value, size_t length);

/* Somebody else is the one who writes there; *reterr new text. */
#define RECORD_STORE_LOST 1

struct record_store {
    /* Become the one who writes, and the only one from then on. @p fence: the number that the store has for our term
     * as leader, 0 without. 0, RECORD_STORE_LOST, or -1 with *reterr new text. NULL: whoever opened it is. */
    int (*begin)(struct record_store *store, uint64_t fence, char **reterr);
    /* Each record whose key is not before @p from, and before @p to. -1 with *reterr new text. */
    int (*load)(struct record_store *store, const char *from, const char *to, record_fn fn, void *data, char **reterr);
    /* All of them or none (in a store of discovery: of each hundred), and on disk when it returns. 0,
     * RECORD_STORE_LOST, or -1 with *reterr new text: they may be written again. */
    int (*apply)(struct record_store *store, const struct record_change *changes, size_t count, char **reterr);
    /* Keep a record that cannot be read where nobody reads it again. -1 as above. */
    int (*set_aside)(struct record_store *store, const char *key, const char *why, char **reterr);
    void (*close)(struct record_store *store);
};

/* An SQLite file, made where there is none, and its folder. One that is damaged, of a newer version or none of ours is
 * renamed to <path>.<why>-<time>, which *ret_set_aside then says (new text, else NULL), and a new one is made. -1 with
 * *reterr new text where it cannot be written, or another manager has it open. */
int record_sqlite_open(struct record_store **ret, const char *path, char **ret_set_aside, char **reterr);

/* The store of discovery (kv_store.h), whose limits hold: one record that is larger is not kept, which the log says.
 * @p may_write: asked before each write where the store itself cannot refuse it to a writer that was replaced. Any
 * thread may call it, one at a time gets its turn. @p discovery is borrowed. -1 with *reterr new text. */
int record_kv_open(struct record_store **ret, struct discovery *discovery, bool (*may_write)(void *data), void *data,
                   char **reterr);

#endif
