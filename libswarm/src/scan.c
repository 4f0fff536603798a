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
#define ROOM 101.0        /* a share below it is 100 at most */

/* What a request comes to. */
struct ask {
    int64_t cpus_milli;
    int64_t memory;
    double order;    /* -1: the emptiest first */
    double constant; /* for resources that are not asked for */
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

/* The scores before resources: exact, as all of them are whole numbers below 2^44. */
BLOCK void start(const struct swarm__scan *scan, double order, double constant, double *restrict scores)
{
    for (size_t i = 0; i < SLOTS; i++)
        scores[i] = scan->health[i] + order * scan->containers[i] + constant;
}

/*
 * Add shares of a resource. It is not enough that the share is 100 at most, which it may be where a little more is
 * asked for than there is in all: asked / total must be 1 at most. As above, it is 1 + 2^-44 or more where it is not,
 * far from where rounding can bring what is.
 */
BLOCK void add_shares(const struct swarm__scan_resource *resource, int64_t asked, double unit, double *restrict scores)
{
    const double hundredfold = (double)asked * 100.0;
    const double most = 100.0 + 100.0 * 0x1p-46;
    for (size_t i = 0; i < SLOTS; i++) {
        double share = (resource->used[i] + hundredfold) * resource->inverse[i];
        double of_total = hundredfold * resource->inverse[i];
        uint64_t refused = -(uint64_t)(share >= ROOM) | -(uint64_t)(of_total > most);
        double cut = (double)(int32_t)real_of(bits_of(share) & ~refused);
        scores[i] = worst_if(refused, scores[i] + cut * unit);
    }
}

BLOCK void weigh(const struct swarm__scan *scan, const struct ask *ask, double *restrict scores)
{
    start(scan, ask->order, ask->constant, scores);
    if (ask->cpus_milli != 0)
        add_shares(&scan->cpus, ask->cpus_milli, ask->order * UNIT, scores);
    if (ask->memory != 0)
        add_shares(&scan->memory, ask->memory, ask->order * UNIT, scores);
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

/* The least that a slot with the best score draws. */
BLOCK uint64_t least_draw(const uint64_t *hashes, const double *scores, double best, uint64_t seed)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < SLOTS; i++) {
        uint64_t drawn = swarm__tie_draw(seed, hashes[i]) | -(uint64_t)(scores[i] != best);
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

/* Slots with the best score, as bits. */
static uint64_t equal_to(const double *scores, double best)
{
    uint64_t equal = 0;
    for (size_t i = 0; i < SLOTS; i++)
        equal |= (uint64_t)(scores[i] == best) << i;
    return equal;
}

BLOCK void rank(const struct swarm_cluster *cluster, const struct ask *ask, struct swarm_ranking *ranking)
{
    const struct swarm__nodeset *set = &ranking->candidates->set;
    double best = -INFINITY;
    uint64_t least = UINT64_MAX;
    double scores[SLOTS];
    for (size_t word = 0; word < set->length; word++) {
        uint64_t candidates = set->words[word];
        if (candidates == 0)
            continue;
        const struct swarm__scan *scan = &cluster->scans[word];
        weigh(scan, ask, scores);
        if (candidates & scan->wide)
            weigh_wide(&cluster->slots[word * SLOTS], candidates & scan->wide, ask, scores);
        leave_out(scores, candidates);
        double here = greatest(scores);
        if (here == -INFINITY || here < best)
            continue;
        uint64_t drawn = least_draw(scan->hash, scores, here, ranking->seed);
        if (here == best && drawn >= least && !ranking->ties)
            continue;
        least = here == best && least < drawn ? least : drawn;
        best = here;
        swarm__ranking_offer(ranking, word, equal_to(scores, best), (int64_t)best);
    }
}

typedef void rank_fn(const struct swarm_cluster *cluster, const struct ask *ask, struct swarm_ranking *ranking);

static void rank_anywhere(const struct swarm_cluster *cluster, const struct ask *ask, struct swarm_ranking *ranking)
{
    rank(cluster, ask, ranking);
}
#if defined(__x86_64__)
__attribute__((target("avx2"))) static void rank_avx2(const struct swarm_cluster *cluster, const struct ask *ask,
                                                      struct swarm_ranking *ranking)
{
    rank(cluster, ask, ranking);
}

__attribute__((target("avx512f,avx512dq,avx512vl"))) static void
rank_avx512(const struct swarm_cluster *cluster, const struct ask *ask, struct swarm_ranking *ranking)
{
    rank(cluster, ask, ranking);
}
#endif

/* From the least to the most demanding. */
static rank_fn *const variants[] = {
    rank_anywhere,
#if defined(__x86_64__)
    rank_avx2,
    rank_avx512,
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

void swarm__scan_rank_by(size_t variant, const struct swarm_cluster *cluster, const struct swarm_request *request,
                         enum swarm__scan_order order, struct swarm_ranking *ranking)
{
    int not_asked = (request->cpus_milli == 0) + (request->memory == 0);
    struct ask ask = {request->cpus_milli, request->memory, order,
                      order * UNIT * SWARM__STRATEGY_NOT_ASKED * not_asked};
    variants[variant](cluster, &ask, ranking);
}

void swarm__scan_rank(const struct swarm_cluster *cluster, const struct swarm_request *request,
                      enum swarm__scan_order order, struct swarm_ranking *ranking)
{
    swarm__scan_rank_by(swarm__scan_variants() - 1, cluster, request, order, ranking);
}
