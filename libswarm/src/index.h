/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_INDEX_H
#define SWARM_SRC_INDEX_H

#include "expr.h"
#include "map.h"
#include "memo.h"
#include "posting.h"

/*
 * Inverted index: key → value → nodes that have it, counted (so that several containers of a node may share a value).
 * Entries come with their first node and go with their last. A pattern is matched once a distinct value, and a key
 * remembers (memo.h) which nodes it has found.
 */

/** A value with the nodes that have it. */
struct swarm__index_value {
    struct swarm__map_item item;
    struct swarm__posting nodes;
    struct swarm__subject subject;
    char text[];
};

/** A key with its values and the nodes that have any of them. */
struct swarm__index_key {
    struct swarm__map_item item;
    struct swarm__posting nodes;
    struct swarm__map values;
    struct swarm__memo *memo; /**< NULL until a pattern is remembered. */
    char text[];
};

/** Zeroed memory is an empty index. */
struct swarm__index {
    struct swarm__map keys;
};

void swarm__index_finish(struct swarm__index *index);
/** @return 0, or -1 where there is no memory (nothing is changed). */
int swarm__index_add(struct swarm__index *index, const char *key, const char *value, uint32_t slot);
/** Undo one swarm__index_add(). The texts may be the index's own. */
void swarm__index_remove(struct swarm__index *index, const char *key, const char *value, uint32_t slot);
const struct swarm__index_key *swarm__index_find(const struct swarm__index *index, const char *key);
/** Nodes with exactly that value; NULL where there are none. */
const struct swarm__posting *swarm__index_value(const struct swarm__index_key *key, const char *value);

/** The index's own copy of a value that is in it; it lives as long as some node has the value. */
const char *swarm__index_text(const struct swarm__index_key *key, const char *value);

/**
 * Bring what the key remembers of the expression's pattern up to date, and remember it first where it is new. Where
 * there is no memory for that, it stays unremembered.
 *
 * @param slots  That nodes may have.
 */
void swarm__index_learn(struct swarm__index *index, const char *key, const struct swarm__expr *expr,
                        struct swarm__matcher *matcher, struct swarm__memo_pool *pool, size_t slots);

/**
 * Add the nodes with a value that the expression's value matches (its operator is not applied).
 *
 * @param key  NULL: no node has the key.
 * @return Whether it matches "" as well, which is what is meant by no value: 1 or 0; or SWARM_ERR_NOMEM.
 */
int swarm__index_mark(const struct swarm__index_key *key, const struct swarm__expr *expr,
                      struct swarm__matcher *matcher, struct swarm__nodeset *set);

#endif
