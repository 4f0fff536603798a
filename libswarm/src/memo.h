/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_MEMO_H
#define SWARM_SRC_MEMO_H

#include "expr.h"
#include "posting.h"

/*
 * Remembered answers to "on which nodes is something that this pattern matches?".
 *
 * What is matched are subjects: the values of a label, image references, containers, nodes. Each is matched once a
 * pattern; from then on nodes are counted as subjects come to them and go, so that a decision finds its answer ready,
 * however many subjects there are. Patterns that nobody asks about any more make room for others.
 *
 * Whoever has the cluster for himself learns (and may forget); all others only read, many of them at once. Learning
 * needs memory; where there is none, nothing is remembered and everybody matches for himself: no call that changes the
 * cluster fails for it. A memo without patterns is asleep: it costs nothing and does not follow its subjects.
 */

/** Patterns a memo remembers, one bit each. */
#define SWARM__MEMO_MOST 32
/** Patterns that all memos of a cluster remember together. */
#define SWARM__MEMO_POOL_MOST 256

/** Embedded in whatever is matched; means something only while its memo is awake. */
struct swarm__subject {
    uint32_t position; /**< In the memo's list. */
    uint32_t matched;  /**< By which of its patterns. */
};

/** What is asked about subjects. */
struct swarm__question {
    const struct swarm__expr *pattern; /**< NULL: whether an id starts with the text. */
    const char *text;                  /**< The pattern's value, or the beginning of an id. */
    bool of_swarm_id;                  /**< The pattern is asked of swarm ids instead of what containers are called. */
};

static inline struct swarm__question swarm__question_of(const struct swarm__expr *expr)
{
    return (struct swarm__question){expr, expr->value, false};
}

/** What a memo has to know of its subjects. */
struct swarm__memo_kind {
    /** Whether the answer is yes: 1, 0 or SWARM_ERR_NOMEM. */
    int (*match)(const struct swarm__subject *subject, const struct swarm__question *question,
                 struct swarm__matcher *matcher);
    /** The nodes that it is on; @p one is there to be filled where it knows only one. */
    const struct swarm__posting *(*nodes)(const struct swarm__subject *subject, struct swarm__posting *one);
};

/** One pattern with its answer. */
struct swarm__memo_entry {
    struct swarm__memo *memo;
    uint32_t bit;                    /**< Its number in the memo. */
    uint32_t pooled;                 /**< Where it is in the pool. */
    uint32_t seen;                   /**< Subjects before this position have been matched. */
    bool matches_nothing;            /**< Whether it matches "" (never asked of the beginning of an id). */
    uint64_t used;                   /**< The pool's clock then. */
    uint64_t hash;                   /**< Of the text. */
    struct swarm__question question; /**< Its pattern and text are the entry's own. */
    struct swarm__expr pattern;
    char *prefix;
    struct swarm__nodeset nodes;   /**< With a matching subject. */
    struct swarm__nodeset several; /**< With more than one. */
    uint32_t *counts;              /**< Matching subjects of each slot that @c nodes has room for. */
};

/** All patterns of a cluster: what is to be forgotten first. Zeroed memory is an empty one. */
struct swarm__memo_pool {
    struct swarm__memo_entry *entries[SWARM__MEMO_POOL_MOST];
    uint32_t count;
    uint64_t clock;
};

/** Zeroed memory is one that is asleep. */
struct swarm__memo {
    const struct swarm__memo_kind *kind;
    struct swarm__memo_pool *pool;
    struct swarm__subject **subjects; /**< In the order they came; NULL where one has gone. */
    uint32_t count;
    uint32_t capacity; /**< 0: asleep. */
    uint32_t holes;
    uint32_t live; /**< Which entries there are; bits of others in subjects mean nothing. */
    struct swarm__memo_entry *entries[SWARM__MEMO_MOST];
};

static inline bool swarm__memo_awake(const struct swarm__memo *memo)
{
    return memo->capacity > 0;
}

/** Put it to sleep: it forgets everything. */
void swarm__memo_sleep(struct swarm__memo *memo);
/** Release one that was allocated by itself; NULL is allowed. */
void swarm__memo_free(struct swarm__memo *memo);
/**
 * Wake it; swarm__memo_born() of all subjects must follow, then swarm__memo_learn().
 *
 * @param expected  How many subjects those will be.
 * @return 0, or -1 where there is no memory.
 */
int swarm__memo_wake(struct swarm__memo *memo, const struct swarm__memo_kind *kind, struct swarm__memo_pool *pool,
                     size_t expected);
/** A subject came, with the nodes it may be on. */
void swarm__memo_born(struct swarm__memo *memo, struct swarm__subject *subject);
/** A subject goes; it must have left its nodes (swarm__memo_off()). */
void swarm__memo_gone(struct swarm__memo *memo, const struct swarm__subject *subject);
/** A subject is on one more node, or not any more. */
void swarm__memo_on(struct swarm__memo *memo, const struct swarm__subject *subject, uint32_t slot);
void swarm__memo_off(struct swarm__memo *memo, const struct swarm__subject *subject, uint32_t slot);

/**
 * Remember the answer and bring it up to date. The memo must be awake; without anything to remember it falls asleep.
 *
 * @param slots  That nodes may have.
 * @return NULL where there is no memory.
 */
const struct swarm__memo_entry *swarm__memo_learn(struct swarm__memo *memo, const struct swarm__question *question,
                                                  struct swarm__matcher *matcher, size_t slots);
/** What is remembered, if it is; it need not be up to date. */
const struct swarm__memo_entry *swarm__memo_find(const struct swarm__memo *memo,
                                                 const struct swarm__question *question);
/**
 * Add the nodes of an entry, and those of subjects that came after it was last brought up to date: these are matched.
 *
 * @param several  NULL, or where to add those with more than one matching subject; @p nodes must be empty then.
 * @return 0, or SWARM_ERR_NOMEM.
 */
int swarm__memo_mark(const struct swarm__memo_entry *entry, struct swarm__matcher *matcher,
                     struct swarm__nodeset *nodes, struct swarm__nodeset *several);

#endif
