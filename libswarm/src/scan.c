/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "candidates.h"
#include "request.h"
#include "strategy.h"

#define SLOTS SWARM__SCAN_SLOTS
#define UNIT 4294967296.0 /* of the part of a score that decides before the number of containers: 2^32 */
#define FEW 8             /* slots: it takes less to draw for each than for the whole block */
#define ROOM 101.0        /* a share below it is 100 at most */

/* What a request comes to. */
struct ask {
    int64_t cpus_milli;
    int64_t memory;
    double hundred_cpus; /* a hundred times as much */
    double hundred_memory;
    double order;                   /* -1: the emptiest first */
    unsigned shape;                 /* among those remembered; SWARM__SCAN_SHAPES: it is not */
    struct swarm_cluster *learning; /* the cluster where it may remember; NULL: it is only read */
};

static bool put_resource(struct swarm__scan_resource *resource, size_t at, int64_t used, int64_t total)
{
    resource->used[at] = (double)used * 100.0 + 0.5;
    resource->inverse[at] = 1.0 / (double)total;
    return total >= SWARM__SCAN_TOTAL_LIMIT;
}

void swarm__scan_put(struct swarm_cluster *cluster, uint32_t slot)
{
    const struct swarm__slot *record = &cluster->slots[slot];
    struct swarm__scan *scan = &cluster->scans[slot / SLOTS];
    size_t at = slot % SLOTS;
    uint64_t bit = UINT64_C(1) << at;
    scan->health[at] = SWARM__STRATEGY_HEALTH * UNIT * record->health;
    scan->containers[at] = record->containers;
    scan->hash[at] = record->hash;
    bool wide_cpus = put_resource(&scan->cpus, at, record->used_cpus, record->total_cpus);
    bool wide_memory = put_resource(&scan->memory, at, record->used_memory, record->total_memory);
    scan->remembered = 0;
    scan->wide = wide_cpus || wide_memory ? scan->wide | bit : scan->wide & ~bit;
}

/*
 * Loops over a block have no branches and a fixed length, so that compilers turn them into vector instructions: they
 * are compiled for several instruction sets, see the end of this file.
 */
#define BLOCK static inline __attribute__((always_inline))

BLOCK uint64_t bits_of(double real)
{
    uint64_t bits;
    memcpy(&bits, &real, sizeof(bits));
    return bits;
}

BLOCK double real_of(uint64_t bits)
{
    double real;
    memcpy(&real, &bits, sizeof(real));
    return real;
}

/* The score of what cannot be chosen where all bits of @p condition are set; else the score. */
BLOCK double worst_if(uint64_t condition, double score)
{
    return real_of((condition & bits_of(-INFINITY)) | (~condition & bits_of(score)));
}

/*
 * All bits where a slot has no room. It is not enough that the share is 100 at most, which it may be where a little
 * more is asked for than there is in all: asked / total must be 1 at most. As above, it is 1 + 2^-44 or more where it
 * is not, far from where rounding can bring what is.
 */
BLOCK uint64_t no_room(double used, double inverse, double hundredfold)
{
    return -(uint64_t)((used + hundredfold) * inverse >= ROOM) |
           -(uint64_t)(hundredfold * inverse > 100.0 + 100.0 * 0x1p-46);
}

/* As that, and the share where there is room. */
BLOCK uint64_t weigh_resource(const struct swarm__scan_resource *resource, size_t at, double hundredfold,
                              double *ret_share)
{
    double share = (resource->used[at] + hundredfold) * resource->inverse[at];
    uint64_t refused = no_room(resource->used[at], resource->inverse[at], hundredfold);
    *ret_share = (double)(int32_t)real_of(bits_of(share) & ~refused);
    return refused;
}

/* Scores are exact: all that is added up are whole numbers below 2^44. */
BLOCK void weigh_any(const struct swarm__scan *scan, const struct ask *ask, bool cpus, bool memory,
                     double *restrict scores)
{
    for (size_t i = 0; i < SLOTS; i++) {
        uint64_t refused = 0;
        double cpu_share = SWARM__STRATEGY_NOT_ASKED, memory_share = SWARM__STRATEGY_NOT_ASKED;
        if (cpus)
            refused |= weigh_resource(&scan->cpus, i, ask->hundred_cpus, &cpu_share);
        if (memory)
            refused |= weigh_resource(&scan->memory, i, ask->hundred_memory, &memory_share);
        double weight = (cpu_share + memory_share) * UNIT + scan->containers[i];
        scores[i] = worst_if(refused, scan->health[i] + ask->order * weight);
    }
}

/* A loop of its own for each kind of request, so that none looks at what is not asked for. */
BLOCK void weigh(const struct swarm__scan *scan, const struct ask *ask, double *restrict scores)
{
    if (ask->cpus_milli != 0 && ask->memory != 0)
        weigh_any(scan, ask, true, true, scores);
    else if (ask->cpus_milli != 0)
        weigh_any(scan, ask, true, false, scores);
    else if (ask->memory != 0)
        weigh_any(scan, ask, false, true, scores);
    else
        weigh_any(scan, ask, false, false, scores);
}

/* What is no candidate cannot win. */
BLOCK void leave_out(double *scores, uint64_t candidates)
{
    if (candidates != UINT64_MAX)
        for (size_t i = 0; i < SLOTS; i++)
            scores[i] = worst_if((candidates >> i & 1) - 1, scores[i]);
}

BLOCK double greatest(const double *scores)
{
    double best[SLOTS / 2];
    for (size_t i = 0; i < SLOTS / 2; i++)
        best[i] = scores[i] > scores[i + SLOTS / 2] ? scores[i] : scores[i + SLOTS / 2];
    for (size_t count = SLOTS / 4; count > 0; count /= 2)
        for (size_t i = 0; i < count; i++)
            best[i] = best[i] > best[i + count] ? best[i] : best[i + count];
    return best[0];
}

/* Slots with that score, as bits. */
BLOCK uint64_t equal_to(const double *scores, double score)
{
    uint64_t equal = 0;
    for (size_t i = 0; i < SLOTS; i++)
        equal |= (uint64_t)(scores[i] == score) << i;
    return equal;
}

BLOCK struct swarm__scan_top top_of(const double *scores)
{
    double score = greatest(scores);
    return (struct swarm__scan_top){score, score == -INFINITY ? 0 : equal_to(scores, score)};
}

/* The least that one of the slots draws. */
BLOCK uint64_t least_draw(const uint64_t *hashes, uint64_t slots, uint64_t seed)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < SLOTS; i++) {
        uint64_t drawn = swarm__tie_draw(seed, hashes[i]) | ((slots >> i & 1) - 1);
        least = drawn < least ? drawn : least;
    }
    return least;
}

/* The same where there are few of them. */
static uint64_t least_draw_of_few(const uint64_t *hashes, uint64_t slots, uint64_t seed)
{
    uint64_t least = UINT64_MAX;
    for (; slots; slots &= slots - 1) {
        uint64_t drawn = swarm__tie_draw(seed, hashes[__builtin_ctzll(slots)]);
        least = drawn < least ? drawn : least;
    }
    return least;
}

/* Weigh in integers what doubles do not hold. */
static void weigh_wide(const struct swarm__slot *slots, uint64_t wide, const struct ask *ask, double *scores)
{
    for (; wide; wide &= wide - 1) {
        size_t at = (size_t)__builtin_ctzll(wide);
        const struct swarm__slot *slot = &slots[at];
        int weight;
        scores[at] =
            swarm__strategy_weigh(slot, ask->cpus_milli, ask->memory, &weight)
                ? SWARM__STRATEGY_HEALTH * UNIT * slot->health + ask->order * (slot->containers + weight * UNIT)
                : -INFINITY;
    }
}

/* The best of a block's candidates, by weighing. */
BLOCK struct swarm__scan_top weigh_block(const struct swarm_cluster *cluster, const struct ask *ask, size_t word,
                                         uint64_t candidates)
{
    const struct swarm__scan *scan = &cluster->scans[word];
    uint64_t active = cluster->active.words[word];
    double scores[SLOTS];
    weigh(scan, ask, scores);
    if (active & scan->wide)
        weigh_wide(&cluster->slots[word * SLOTS], active & scan->wide, ask, scores);
    leave_out(scores, active);
    struct swarm__scan_top top = top_of(scores);
    if (ask->learning) {
        ask->learning->scans[word].tops[ask->shape] = top;
        ask->learning->scans[word].remembered |= UINT64_C(1) << ask->shape;
    }
    if ((top.slots & candidates) || top.score == -INFINITY)
        return (struct swarm__scan_top){top.score, top.slots & candidates};
    leave_out(scores, candidates);
    return top_of(scores);
}

/* The same, from memory where it is there. What is worse than @p best may come without slots. */
BLOCK struct swarm__scan_top best_of_block(const struct swarm_cluster *cluster, const struct ask *ask, size_t word,
                                           uint64_t candidates, double best)
{
    const struct swarm__scan *scan = &cluster->scans[word];
    if (ask->shape < SWARM__SCAN_SHAPES && (scan->remembered >> ask->shape & 1)) {
        struct swarm__scan_top top = scan->tops[ask->shape];
        top.slots &= candidates;
        if (top.slots || top.score < best || top.score == -INFINITY)
            return top;
    }
    return weigh_block(cluster, ask, word, candidates);
}

BLOCK void rank(const struct swarm_cluster *cluster, const struct ask *ask, struct swarm_ranking *ranking)
{
    const struct swarm__nodeset *set = &ranking->candidates->set;
    double best = -INFINITY;
    uint64_t least = UINT64_MAX;
    for (size_t word = 0; word < set->length; word++) {
        if (set->words[word] == 0)
            continue;
        struct swarm__scan_top top = best_of_block(cluster, ask, word, set->words[word], best);
        if (top.score == -INFINITY || top.score < best)
            continue;
        const uint64_t *hashes = cluster->scans[word].hash;
        bool few = __builtin_popcountll(top.slots) <= FEW;
        uint64_t drawn =
            few ? least_draw_of_few(hashes, top.slots, ranking->seed) : least_draw(hashes, top.slots, ranking->seed);
        if (top.score == best && drawn >= least && !ranking->ties)
            continue;
        least = top.score == best && least < drawn ? least : drawn;
        best = top.score;
        swarm__ranking_offer(ranking, word, top.slots, (int64_t)best);
    }
}

BLOCK uint64_t lack(const struct swarm__scan_resource *resource, int64_t asked, bool lasting)
{
    double hundredfold = (double)asked * 100.0;
    uint64_t lacking = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        double used = lasting ? 0.5 : resource->used[i];
        lacking |= (no_room(used, resource->inverse[i], hundredfold) & 1) << i;
    }
    return lacking;
}

/* The same for several instruction sets. */
struct variant {
    void (*rank)(const struct swarm_cluster *cluster, const struct ask *ask, struct swarm_ranking *ranking);
    uint64_t (*lack)(const struct swarm__scan_resource *resource, int64_t asked, bool lasting);
};
#define VARIANT(name, attributes)                                                                                      \
    attributes static void rank_##name(const struct swarm_cluster *cluster, const struct ask *ask,                     \
                                       struct swarm_ranking *ranking)                                                  \
    {                                                                                                                  \
        rank(cluster, ask, ranking);                                                                                   \
    }                                                                                                                  \
    attributes static uint64_t lack_##name(const struct swarm__scan_resource *resource, int64_t asked, bool lasting)   \
    {                                                                                                                  \
        return lack(resource, asked, lasting);                                                                         \
    }

VARIANT(anywhere, )
#if defined(__x86_64__)
VARIANT(avx2, __attribute__((target("avx2"))))
VARIANT(avx512, __attribute__((target("avx512f,avx512dq,avx512vl"))))
#endif

/* From the least to the most demanding. */
static const struct variant variants[] = {
    {rank_anywhere, lack_anywhere},
#if defined(__x86_64__)
    {rank_avx2, lack_avx2},
    {rank_avx512, lack_avx512},
#endif
};

size_t swarm__scan_variants(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return 3;
    if (__builtin_cpu_supports("avx2"))
        return 2;
#endif
    return 1;
}

static unsigned find_shape(const struct swarm__scan_shapes *shapes, const struct swarm__scan_shape *wanted)
{
    unsigned i = 0;
    while (i < SWARM__SCAN_SHAPES &&
           (shapes->items[i].cpus_milli != wanted->cpus_milli || shapes->items[i].memory != wanted->memory ||
            shapes->items[i].order != wanted->order))
        i++;
    return i;
}

/* Put it into the place of the one that was not asked for the longest. */
static unsigned add_shape(struct swarm_cluster *cluster, const struct swarm__scan_shape *shape)
{
    struct swarm__scan_shape *items = cluster->shapes.items;
    unsigned oldest = 0;
    for (unsigned i = 1; i < SWARM__SCAN_SHAPES; i++)
        if (items[i].asked < items[oldest].asked)
            oldest = i;
    items[oldest] = *shape;
    for (size_t i = 0; i < cluster->scan_capacity; i++)
        cluster->scans[i].remembered &= ~(UINT64_C(1) << oldest);
    return oldest;
}

static unsigned remembered_shape(const struct swarm_cluster *cluster, struct swarm_cluster *learning,
                                 const struct swarm_request *request, int order)
{
    struct swarm__scan_shape wanted = {request->cpus_milli, request->memory, order, 0};
    unsigned shape = find_shape(&cluster->shapes, &wanted);
    if (!learning)
        return shape;
    if (shape == SWARM__SCAN_SHAPES)
        shape = add_shape(learning, &wanted);
    learning->shapes.items[shape].asked = ++learning->shapes.now;
    return shape;
}

void swarm__scan_rank_by(size_t variant, const struct swarm_cluster *cluster, const struct swarm_request *request,
                         enum swarm__scan_order order, struct swarm_ranking *ranking)
{
    struct swarm_cluster *learning = ranking->candidates->learning;
    struct ask ask = {.cpus_milli = request->cpus_milli,
                      .memory = request->memory,
                      .hundred_cpus = (double)request->cpus_milli * 100.0,
                      .hundred_memory = (double)request->memory * 100.0,
                      .order = order,
                      .shape = remembered_shape(cluster, learning, request, order),
                      .learning = learning};
    variants[variant].rank(cluster, &ask, ranking);
}

void swarm__scan_rank(const struct swarm_cluster *cluster, const struct swarm_request *request,
                      enum swarm__scan_order order, struct swarm_ranking *ranking)
{
    swarm__scan_rank_by(swarm__scan_variants() - 1, cluster, request, order, ranking);
}

uint64_t swarm__scan_lack_by(size_t variant, const struct swarm_cluster *cluster, size_t word,
                             enum swarm__scan_resources which, int64_t asked, bool lasting)
{
    if (asked == 0)
        return 0;
    const struct swarm__scan *scan = &cluster->scans[word];
    bool cpus = which == SWARM__SCAN_CPUS;
    uint64_t lacking = variants[variant].lack(cpus ? &scan->cpus : &scan->memory, asked, lasting);
    for (uint64_t wide = cluster->nodes.words[word] & scan->wide; wide; wide &= wide - 1) {
        const struct swarm__slot *slot = &cluster->slots[word * SLOTS + (size_t)__builtin_ctzll(wide)];
        int64_t used = lasting ? 0 : cpus ? slot->used_cpus : slot->used_memory;
        int share;
        uint64_t bit = wide & -wide;
        bool room = swarm__strategy_share(used, asked, cpus ? slot->total_cpus : slot->total_memory, &share);
        lacking = room ? lacking & ~bit : lacking | bit;
    }
    return lacking;
}

uint64_t swarm__scan_lack(const struct swarm_cluster *cluster, size_t word, enum swarm__scan_resources which,
                          int64_t asked, bool lasting)
{
    return swarm__scan_lack_by(swarm__scan_variants() - 1, cluster, word, which, asked, lasting);
}
