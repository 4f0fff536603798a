/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include <stdio.h>
#include <string.h>

#include "candidates.h"
#include "fixture.h"
#include "lack.h"
#include "request.h"
#include "strategy.h"

/* All of it against wide integers, for each variant that this machine can run. */

#define BLOCKS 4
#define SLOTS (BLOCKS * SWARM__SCAN_SLOTS)

static struct swarm__slot slots[SLOTS];
static struct swarm__scan scans[BLOCKS];
static uint64_t words[BLOCKS];
static uint64_t active[BLOCKS];
static struct swarm_cluster cluster = {.slots = slots,
                                       .slot_count = SLOTS,
                                       .slot_capacity = SLOTS,
                                       .scans = scans,
                                       .scan_capacity = BLOCKS,
                                       .active = {active, BLOCKS},
                                       .nodes = {active, BLOCKS}};
static struct swarm_candidates candidates = {.cluster = &cluster, .set = {words, BLOCKS}};

static uint64_t random_state = 0x5eed;

static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

/* As many bits as chance has it, so that every magnitude is as likely. */
static int64_t random_amount(void)
{
    return (int64_t)(random_bits() >> (1 + random_bits() % 63));
}

static int64_t below(uint64_t limit)
{
    return (int64_t)(random_bits() % limit);
}

/* The share as the manual has it, -1 where there is no room. */
static int64_t share_of(int64_t used, int64_t asked, int64_t total)
{
    if (asked == 0)
        return 100;
    if (total < asked)
        return -1;
    swarm__wide percent = ((swarm__wide)used + (swarm__wide)asked) * 100 / (swarm__wide)total;
    return percent > 100 ? -1 : (int64_t)percent;
}

/* What the scan makes of the share of CPUs on slot 0. */
static int64_t scanned(size_t variant, const struct swarm_request *request)
{
    struct swarm_ranking ranking = {.candidates = &candidates, .room = 1};
    swarm__scan_rank_by(variant, &cluster, request, SWARM__SCAN_FULLEST, &ranking);
    return ranking.count == 0 ? -1 : (ranking.best >> 32) - 100;
}

static void check_share(int64_t used, int64_t asked, int64_t total)
{
    int64_t expected = share_of(used, asked, total);
    int percent;
    bool room = swarm__strategy_share(used, asked, total, &percent);
    assert_int_equal(room ? percent : -1, expected);
    slots[0] = (struct swarm__slot){.used_cpus = used, .total_cpus = total};
    swarm__scan_put(&cluster, 0);
    struct swarm_request request = {.cpus_milli = asked};
    for (size_t i = 0; i < swarm__scan_variants(); i++) {
        bool lacks = swarm__scan_lack_by(i, &cluster, 0, SWARM__SCAN_CPUS, asked, false) & 1;
        assert_int_equal(lacks, expected < 0);
        assert_int_equal(lacks, swarm__lack(used, total, asked) > 0);
        lacks = swarm__scan_lack_by(i, &cluster, 0, SWARM__SCAN_CPUS, asked, true) & 1;
        assert_int_equal(lacks, share_of(0, asked, total) < 0);
        int64_t got = scanned(i, &request);
        if (got != expected)
            fail_msg("variant %zu: (%lld + %lld) * 100 / %lld: %lld instead of %lld", i, (long long)used,
                     (long long)asked, (long long)total, (long long)got, (long long)expected);
    }
}

static int only_slot_0(void **state)
{
    memset(words, 0, sizeof(words));
    words[0] = 1;
    memset(active, 0xff, sizeof(active));
    return 0;
}

static void test_shares_of_all_small_numbers(void **state)
{
    for (int64_t total = 0; total <= 40; total++)
        for (int64_t asked = 0; asked <= total + 2; asked++)
            for (int64_t used = 0; used <= total + 2; used++)
                check_share(used, asked, total);
}

/* Where the share is next to a whole number, at every magnitude. */
static void test_shares_next_to_whole_numbers(void **state)
{
    print_message("seed %llx\n", (unsigned long long)random_state);
    for (int i = 0; i < 200000; i++) {
        int64_t total = random_amount();
        swarm__wide sum = (swarm__wide)total * (uint64_t)below(104) / 100 + (swarm__wide)below(3);
        sum = sum > 0 ? sum - 1 : 0;
        if (sum > INT64_MAX)
            continue;
        int64_t whole = (int64_t)sum;
        int64_t asked = whole > 0 ? 1 + below((uint64_t)whole) : below(3);
        check_share(whole > asked ? whole - asked : 0, asked, total);
    }
}

static void test_shares_of_any_numbers(void **state)
{
    print_message("seed %llx\n", (unsigned long long)random_state);
    for (int i = 0; i < 100000; i++)
        check_share(random_amount(), random_amount(), random_amount());
}

/* Where doubles end and integers take over, and where what is asked for is just in it or just not. */
static void test_shares_at_the_edges(void **state)
{
    static const int64_t edges[] = {1,
                                    2,
                                    99,
                                    100,
                                    101,
                                    INT64_C(1) << 31,
                                    INT64_C(1) << 43,
                                    INT64_C(1) << 44,
                                    INT64_C(1) << 46,
                                    INT64_C(1) << 53,
                                    INT64_MAX / 100,
                                    INT64_MAX - 2};
    for (size_t i = 0; i < COUNT(edges); i++)
        for (size_t j = 0; j < COUNT(edges); j++)
            for (size_t k = 0; k < COUNT(edges); k++)
                for (int64_t add = -1; add <= 1; add++) {
                    check_share(edges[i], edges[j], edges[k] + add);
                    check_share(edges[i] + add, edges[j], edges[k]);
                    check_share(0, edges[j] + add, edges[k]);
                    check_share(edges[i] - 1, edges[j] + add, edges[k]);
                }
}

static void check_ranking(const struct swarm_ranking *got, const struct swarm_ranking *expected)
{
    assert_int_equal(got->count > 0, expected->count > 0);
    if (expected->count == 0)
        return;
    assert_int_equal(got->best, expected->best);
    assert_int_equal(got->chosen, expected->chosen);
    if (!got->ties)
        return;
    assert_int_equal(got->count, expected->count);
    assert_memory_equal(got->ties, expected->ties, expected->count * sizeof(expected->ties[0]));
}

/* Slot by slot. */
static void rank_plainly(const struct swarm_request *request, int order, struct swarm_ranking *ranking)
{
    for (size_t slot = swarm__nodeset_next(&candidates.set, 0); slot != SWARM__NODESET_END;
         slot = swarm__nodeset_next(&candidates.set, slot + 1)) {
        const struct swarm__slot *at = &slots[slot];
        int64_t cpus = share_of(at->used_cpus, request->cpus_milli, at->total_cpus);
        int64_t memory = share_of(at->used_memory, request->memory, at->total_memory);
        if (cpus < 0 || memory < 0)
            continue;
        int64_t score = ((10 * (int64_t)at->health + order * (cpus + memory)) * (INT64_C(1) << 32)) +
                        order * (int64_t)at->containers;
        if (ranking->count > 0 && score < ranking->best)
            continue;
        if (ranking->count == 0 || score > ranking->best)
            *ranking = (struct swarm_ranking){.best = score,
                                              .least = UINT64_MAX,
                                              .seed = ranking->seed,
                                              .ties = ranking->ties,
                                              .chosen = (uint32_t)slot};
        ranking->ties[ranking->count++] = (uint32_t)slot;
        uint64_t drawn = swarm__tie_draw(ranking->seed, at->hash);
        if (drawn < ranking->least) {
            ranking->least = drawn;
            ranking->chosen = (uint32_t)slot;
        }
    }
}

static uint64_t sizes, loads, healths;

static void random_node(uint32_t slot)
{
    slots[slot] = (struct swarm__slot){.total_cpus = 1000 * below(sizes),
                                       .total_memory = below(sizes) << 30,
                                       .used_cpus = 100 * below(loads),
                                       .used_memory = below(loads) << 28,
                                       .containers = (uint32_t)below(loads),
                                       .health = (uint16_t)(100 - below(healths)),
                                       .hash = random_bits() % 50 == 0 ? UINT64_MAX : random_bits()};
    if (random_bits() % 40 == 0)
        slots[slot].total_memory = INT64_C(1) << 50;
    swarm__nodeset_put(&cluster.active, slot, random_bits() % 20 != 0);
    swarm__scan_put(&cluster, slot);
}

static void random_nodes(void)
{
    sizes = 1 + random_bits() % 6;
    loads = 1 + random_bits() % 8;
    healths = 1 + random_bits() % 3;
    for (uint32_t i = 0; i < SLOTS; i++)
        random_node(i);
}

/* From all to none of those that are active. */
static void random_candidates(void)
{
    uint64_t density = random_bits() % 4;
    for (size_t i = 0; i < BLOCKS; i++)
        words[i] = active[i] & (density == 0   ? random_bits()
                                : density == 1 ? UINT64_MAX
                                : density == 2 ? random_bits() & random_bits() & random_bits() & random_bits()
                                               : 0);
}

static void compare_rankings(const struct swarm_request *request, enum swarm__scan_order order, uint64_t seed)
{
    uint32_t expected_ties[SLOTS], ties[SLOTS];
    struct swarm_ranking expected = {.ties = expected_ties, .seed = seed};
    rank_plainly(request, order, &expected);
    for (size_t i = 0; i < swarm__scan_variants(); i++) {
        struct swarm_ranking one = {.candidates = &candidates, .seed = seed, .room = SLOTS};
        swarm__scan_rank_by(i, &cluster, request, order, &one);
        check_ranking(&one, &expected);
        struct swarm_ranking all = {.candidates = &candidates, .seed = seed, .room = SLOTS, .ties = ties};
        swarm__scan_rank_by(i, &cluster, request, order, &all);
        check_ranking(&all, &expected);
    }
}

static void test_scanning_ranks_as_slot_by_slot(void **state)
{
    print_message("seed %llx\n", (unsigned long long)random_state);
    for (int i = 0; i < 5000; i++) {
        random_nodes();
        random_candidates();
        struct swarm_request request = {.cpus_milli = 500 * below(3), .memory = below(3) << 29};
        uint64_t seed = random_bits();
        compare_rankings(&request, SWARM__SCAN_EMPTIEST, seed);
        compare_rankings(&request, SWARM__SCAN_FULLEST, seed);
    }
}

/* More shapes than are remembered, few changes between them, now and then somebody who only reads. */
static void test_what_is_remembered_stays_true(void **state)
{
    print_message("seed %llx\n", (unsigned long long)random_state);
    for (int i = 0; i < 200; i++) {
        random_nodes();
        for (int j = 0; j < 100; j++) {
            random_node((uint32_t)below(SLOTS));
            random_candidates();
            candidates.learning = random_bits() % 4 ? &cluster : NULL;
            struct swarm_request request = {.cpus_milli = 250 * below(5), .memory = below(3) << 29};
            compare_rankings(&request, below(2) ? SWARM__SCAN_EMPTIEST : SWARM__SCAN_FULLEST, random_bits());
        }
    }
    candidates.learning = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_shares_of_all_small_numbers, only_slot_0),
        cmocka_unit_test_setup(test_shares_next_to_whole_numbers, only_slot_0),
        cmocka_unit_test_setup(test_shares_of_any_numbers, only_slot_0),
        cmocka_unit_test_setup(test_shares_at_the_edges, only_slot_0),
        cmocka_unit_test(test_scanning_ranks_as_slot_by_slot),
        cmocka_unit_test(test_what_is_remembered_stays_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
