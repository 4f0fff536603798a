/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_PREFIX_H
#define SWARM_SRC_PREFIX_H

/*
 * Ordered index from text to objects, for look-ups by exact key and by prefix: a crit-bit tree (D. J. Bernstein), whose
 * inner nodes say at which bit two keys first differ. Objects embed an entry; those with equal keys hang together. The
 * index owns neither. Finding does not write: many threads may do it at once.
 */

struct swarm__prefix_entry {
    const char *key;                  /**< Stays as it is while the entry is in an index. */
    struct swarm__prefix_entry *same; /**< Next one with an equal key. */
};

/** Zeroed memory is an empty index. */
struct swarm__prefix {
    void *root;
    void *spare; /**< An inner node kept by the last removal, so that an entry just removed can always be put back. */
};

/** The index must be empty. */
void swarm__prefix_finish(struct swarm__prefix *prefix);

/** @return 0, or -1 where there is no memory: never for an entry that was removed just before. Set entry->key first. */
int swarm__prefix_add(struct swarm__prefix *prefix, struct swarm__prefix_entry *entry);
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
