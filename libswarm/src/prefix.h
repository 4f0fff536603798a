/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_PREFIX_H
#define SWARM_SRC_PREFIX_H

#include <stdint.h>

/*
 * Ordered index from text to objects, for look-ups by exact key and by prefix: a crit-bit tree (D. J. Bernstein), whose
 * inner nodes, the forks, say at which bit two keys first differ. Objects embed an entry; those with equal keys hang
 * together. The index owns neither, and needs no memory: a new key needs one fork, which its entry brings along.
 * Finding does not write: many threads may do it at once.
 */

struct swarm__prefix_fork {
    void *child[2]; /**< An entry (even pointer) or a fork (pointer with its lowest bit set). */
    uint64_t place; /**< Byte where keys below the children first differ, and in the lowest 8 bits all but that bit. */
};

struct swarm__prefix_entry {
    const char *key;                  /**< Stays as it is while the entry is in an index. */
    struct swarm__prefix_entry *same; /**< Next one with an equal key. */
    struct swarm__prefix_fork fork;   /**< Not in use, or some fork above the entry. */
};

/** Zeroed memory is an empty index. */
struct swarm__prefix {
    void *root;
};

/** Set entry->key first. */
void swarm__prefix_add(struct swarm__prefix *prefix, struct swarm__prefix_entry *entry);
/** @p entry must be in the index. */
void swarm__prefix_remove(struct swarm__prefix *prefix, struct swarm__prefix_entry *entry);
/** First of the entries with that key; go on with its @c same. */
struct swarm__prefix_entry *swarm__prefix_find(const struct swarm__prefix *prefix, const char *key);
/** First of the entries with the least key that starts with @p text. */
struct swarm__prefix_entry *swarm__prefix_first(const struct swarm__prefix *prefix, const char *text);
/** First of the entries with the next greater key that starts with @p text, NULL at the end. */
struct swarm__prefix_entry *swarm__prefix_next(const struct swarm__prefix *prefix,
                                               const struct swarm__prefix_entry *entry, const char *text);

#endif
