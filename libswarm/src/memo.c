/* SPDX-License-Identifier: Apache-2.0 */
#include "memo.h"

#include <string.h>

#include "map.h"
#include "mem.h"

#define LEAST_SUBJECTS 16u

static uint32_t bit_of(const struct swarm__memo_entry *entry)
{
    return UINT32_C(1) << entry->bit;
}

static void entry_free(struct swarm__memo_entry *entry)
{
    swarm__nodeset_finish(&entry->nodes);
    swarm__nodeset_finish(&entry->several);
    swarm__free(entry->counts);
    swarm__free(entry->prefix);
    swarm__expr_finish(&entry->pattern);
    swarm__free(entry);
}

/* Make room for slots in an entry. What has grown already may stay so. */
static int entry_resize(struct swarm__memo_entry *entry, size_t slots)
{
    size_t before = entry->nodes.length;
    if (slots <= before * SWARM__NODESET_WORD)
        return 0;
    size_t words = (slots + SWARM__NODESET_WORD - 1) / SWARM__NODESET_WORD;
    uint32_t *counts = swarm__realloc(entry->counts, words * SWARM__NODESET_WORD * sizeof(*counts));
    if (!counts)
        return -1;
    entry->counts = counts;
    if (swarm__nodeset_resize(&entry->several, slots) != 0 || swarm__nodeset_resize(&entry->nodes, slots) != 0)
        return -1;
    memset(counts + before * SWARM__NODESET_WORD, 0, (words - before) * SWARM__NODESET_WORD * sizeof(*counts));
    return 0;
}

static void count_up(struct swarm__memo_entry *entry, uint32_t slot)
{
    entry->counts[slot]++;
    if (entry->counts[slot] == 1)
        swarm__nodeset_add(&entry->nodes, slot);
    else
        swarm__nodeset_add(&entry->several, slot);
}

static void count_down(struct swarm__memo_entry *entry, uint32_t slot)
{
    entry->counts[slot]--;
    if (entry->counts[slot] == 0)
        swarm__nodeset_remove(&entry->nodes, slot);
    else if (entry->counts[slot] == 1)
        swarm__nodeset_remove(&entry->several, slot);
}

/* The bit of the entry in subjects stays, and means nothing from now on. */
static void forget(struct swarm__memo_entry *entry)
{
    struct swarm__memo *memo = entry->memo;
    struct swarm__memo_pool *pool = memo->pool;
    pool->entries[entry->pooled] = pool->entries[--pool->count];
    pool->entries[entry->pooled]->pooled = entry->pooled;
    memo->entries[entry->bit] = NULL;
    memo->live &= ~bit_of(entry);
    entry_free(entry);
}

void swarm__memo_sleep(struct swarm__memo *memo)
{
    for (uint32_t live = memo->live; live; live &= live - 1)
        forget(memo->entries[__builtin_ctz(live)]);
    swarm__free(memo->subjects);
    memo->subjects = NULL;
    memo->count = memo->capacity = memo->holes = 0;
}

void swarm__memo_free(struct swarm__memo *memo)
{
    if (memo)
        swarm__memo_sleep(memo);
    swarm__free(memo);
}

static void forget_and_doze(struct swarm__memo_entry *entry)
{
    struct swarm__memo *memo = entry->memo;
    forget(entry);
    if (!memo->live)
        swarm__memo_sleep(memo);
}

int swarm__memo_wake(struct swarm__memo *memo, const struct swarm__memo_kind *kind, struct swarm__memo_pool *pool,
                     size_t expected)
{
    size_t capacity = expected + expected / 4 + LEAST_SUBJECTS;
    if (capacity >= UINT32_MAX)
        return -1;
    memo->subjects = swarm__malloc(capacity * sizeof(*memo->subjects));
    if (!memo->subjects)
        return -1;
    memo->capacity = (uint32_t)capacity;
    memo->kind = kind;
    memo->pool = pool;
    return 0;
}

/* Where the subjects begin that an entry has not seen, once the holes are closed. */
static void translate_seen(const struct swarm__memo *memo, const uint32_t *moved)
{
    for (uint32_t live = memo->live; live; live &= live - 1) {
        uint32_t bit = (uint32_t)__builtin_ctz(live);
        memo->entries[bit]->seen = moved[bit];
    }
}

static void close_holes(struct swarm__memo *memo)
{
    uint32_t moved[SWARM__MEMO_MOST] = {0}, waiting = memo->live, to = 0;
    uint32_t next = 0; /* no waiting entry has seen less */
    for (uint32_t from = 0; from <= memo->count; from++) {
        if (from == next) {
            next = UINT32_MAX;
            for (uint32_t live = waiting; live; live &= live - 1) {
                uint32_t bit = (uint32_t)__builtin_ctz(live), seen = memo->entries[bit]->seen;
                if (seen == from) {
                    moved[bit] = to;
                    waiting &= ~(UINT32_C(1) << bit);
                } else if (seen < next) {
                    next = seen;
                }
            }
        }
        if (from < memo->count && memo->subjects[from]) {
            memo->subjects[to] = memo->subjects[from];
            memo->subjects[to]->position = to;
            to++;
        }
    }
    translate_seen(memo, moved);
    memo->count = to;
    memo->holes = 0;
}

static int make_room(struct swarm__memo *memo)
{
    if (memo->count < memo->capacity)
        return 0;
    if (memo->holes > memo->capacity / 4) {
        close_holes(memo);
        return 0;
    }
    if (memo->capacity > UINT32_MAX / 2)
        return -1;
    uint32_t capacity = memo->capacity + memo->capacity / 2;
    struct swarm__subject **subjects = swarm__realloc(memo->subjects, capacity * sizeof(struct swarm__subject *));
    if (!subjects)
        return -1;
    memo->subjects = subjects;
    memo->capacity = capacity;
    return 0;
}

void swarm__memo_born(struct swarm__memo *memo, struct swarm__subject *subject)
{
    if (!memo || !swarm__memo_awake(memo))
        return;
    if (make_room(memo) != 0) {
        swarm__memo_sleep(memo);
        return;
    }
    *subject = (struct swarm__subject){memo->count, 0};
    memo->subjects[memo->count++] = subject;
}

void swarm__memo_gone(struct swarm__memo *memo, const struct swarm__subject *subject)
{
    if (!memo || !swarm__memo_awake(memo))
        return;
    memo->subjects[subject->position] = NULL;
    memo->holes++;
    if (memo->count < LEAST_SUBJECTS || memo->holes < memo->count - memo->count / 4)
        return;
    close_holes(memo);
    uint32_t capacity = memo->count * 2 + LEAST_SUBJECTS;
    struct swarm__subject **less =
        capacity < memo->capacity ? swarm__realloc(memo->subjects, capacity * sizeof(struct swarm__subject *)) : NULL;
    if (less) {
        memo->subjects = less;
        memo->capacity = capacity;
    }
}

void swarm__memo_on(struct swarm__memo *memo, const struct swarm__subject *subject, uint32_t slot)
{
    for (uint32_t hit = memo ? memo->live & subject->matched : 0; hit; hit &= hit - 1) {
        struct swarm__memo_entry *entry = memo->entries[__builtin_ctz(hit)];
        size_t room = entry->nodes.length * SWARM__NODESET_WORD;
        if (slot >= room && entry_resize(entry, (size_t)slot + slot / 2 + 1) != 0)
            forget_and_doze(entry);
        else
            count_up(entry, slot);
    }
}

void swarm__memo_off(struct swarm__memo *memo, const struct swarm__subject *subject, uint32_t slot)
{
    for (uint32_t hit = memo ? memo->live & subject->matched : 0; hit; hit &= hit - 1)
        count_down(memo->entries[__builtin_ctz(hit)], slot);
}

static uint64_t hash_of(const struct swarm__question *question)
{
    return swarm__hash(question->text, strlen(question->text)) ^ (question->pattern ? 1 : 0) ^
           (question->of_swarm_id ? 2 : 0);
}

static struct swarm__memo_entry *find(const struct swarm__memo *memo, const struct swarm__question *question)
{
    uint64_t hash = hash_of(question);
    for (uint32_t live = memo->live; live; live &= live - 1) {
        struct swarm__memo_entry *entry = memo->entries[__builtin_ctz(live)];
        if (entry->hash == hash && !entry->question.pattern == !question->pattern &&
            entry->question.of_swarm_id == question->of_swarm_id && strcmp(entry->question.text, question->text) == 0)
            return entry;
    }
    return NULL;
}

const struct swarm__memo_entry *swarm__memo_find(const struct swarm__memo *memo, const struct swarm__question *question)
{
    return memo ? find(memo, question) : NULL;
}

static int copy_question(struct swarm__memo_entry *entry, const struct swarm__question *question,
                         struct swarm__matcher *matcher)
{
    entry->hash = hash_of(question);
    if (!question->pattern) {
        entry->prefix = swarm__strdup(question->text);
        entry->question.text = entry->prefix;
        return entry->prefix ? 0 : -1;
    }
    if (swarm__expr_copy(&entry->pattern, question->pattern) != 0)
        return -1;
    entry->question = swarm__question_of(&entry->pattern);
    entry->question.of_swarm_id = question->of_swarm_id;
    int matched = swarm__expr_match(&entry->pattern, matcher, "", 0);
    entry->matches_nothing = matched > 0;
    return matched < 0 ? -1 : 0;
}

/* Match what has come since. Whatever has been seen is counted, also where this ends early. */
static int catch_up(struct swarm__memo_entry *entry, struct swarm__matcher *matcher)
{
    struct swarm__memo *memo = entry->memo;
    for (; entry->seen < memo->count; entry->seen++) {
        struct swarm__subject *subject = memo->subjects[entry->seen];
        if (!subject)
            continue;
        int matched = memo->kind->match(subject, &entry->question, matcher);
        if (matched < 0)
            return -1;
        subject->matched &= ~bit_of(entry); /* of a pattern forgotten */
        if (!matched)
            continue;
        subject->matched |= bit_of(entry);
        struct swarm__posting one;
        const struct swarm__posting *nodes = memo->kind->nodes(subject, &one);
        struct swarm__tally tally;
        for (uint32_t at = 0; swarm__posting_next(nodes, &at, &tally);)
            count_up(entry, tally.slot);
    }
    return 0;
}

static struct swarm__memo_entry *least_used(struct swarm__memo_entry *const *entries, uint32_t count)
{
    struct swarm__memo_entry *least = entries[0];
    for (uint32_t i = 1; i < count; i++)
        if (entries[i]->used < least->used)
            least = entries[i];
    return least;
}

/* A free bit in the memo and a free place in the pool. */
static uint32_t claim_bit(struct swarm__memo *memo)
{
    struct swarm__memo_pool *pool = memo->pool;
    if (memo->live == UINT32_MAX)
        forget(least_used(memo->entries, SWARM__MEMO_MOST));
    if (pool->count == SWARM__MEMO_POOL_MOST) {
        struct swarm__memo_entry *least = least_used(pool->entries, pool->count);
        if (least->memo == memo)
            forget(least);
        else
            forget_and_doze(least);
    }
    return (uint32_t)__builtin_ctz(~memo->live);
}

static struct swarm__memo_entry *entry_new(struct swarm__memo *memo, const struct swarm__question *question,
                                           struct swarm__matcher *matcher, size_t slots)
{
    struct swarm__memo_entry *entry = swarm__calloc(1, sizeof(*entry));
    if (!entry)
        return NULL;
    entry->memo = memo;
    if (copy_question(entry, question, matcher) != 0 || entry_resize(entry, slots) != 0) {
        entry_free(entry);
        return NULL;
    }
    entry->bit = claim_bit(memo);
    if (catch_up(entry, matcher) != 0) {
        entry_free(entry);
        return NULL;
    }
    struct swarm__memo_pool *pool = memo->pool;
    memo->entries[entry->bit] = entry;
    memo->live |= bit_of(entry);
    entry->pooled = pool->count;
    pool->entries[pool->count++] = entry;
    return entry;
}

const struct swarm__memo_entry *swarm__memo_learn(struct swarm__memo *memo, const struct swarm__question *question,
                                                  struct swarm__matcher *matcher, size_t slots)
{
    struct swarm__memo_entry *entry = find(memo, question);
    if (!entry)
        entry = entry_new(memo, question, matcher, slots);
    else if (entry_resize(entry, slots) != 0 || catch_up(entry, matcher) != 0)
        return NULL;
    if (entry)
        entry->used = ++memo->pool->clock;
    else if (!memo->live)
        swarm__memo_sleep(memo);
    return entry;
}

static void mark_nodes(const struct swarm__posting *at, struct swarm__nodeset *nodes, struct swarm__nodeset *several)
{
    if (!several) {
        swarm__posting_mark(at, nodes);
        return;
    }
    struct swarm__tally tally;
    for (uint32_t next = 0; swarm__posting_next(at, &next, &tally);) {
        if (swarm__nodeset_has(nodes, tally.slot))
            swarm__nodeset_add(several, tally.slot);
        swarm__nodeset_add(nodes, tally.slot);
    }
}

int swarm__memo_mark(const struct swarm__memo_entry *entry, struct swarm__matcher *matcher,
                     struct swarm__nodeset *nodes, struct swarm__nodeset *several)
{
    const struct swarm__memo *memo = entry->memo;
    swarm__nodeset_or(nodes, &entry->nodes);
    if (several)
        swarm__nodeset_or(several, &entry->several);
    for (uint32_t i = entry->seen; i < memo->count; i++) {
        if (!memo->subjects[i])
            continue;
        int matched = memo->kind->match(memo->subjects[i], &entry->question, matcher);
        if (matched < 0)
            return matched;
        struct swarm__posting one;
        if (matched)
            mark_nodes(memo->kind->nodes(memo->subjects[i], &one), nodes, several);
    }
    return 0;
}
