/* SPDX-License-Identifier: Apache-2.0 */
/* Leaving, lapsing and failing of a pool's members, one at a time and all at once. */
#include "fixture.h"

#define NEVER (-1)

static struct swarm_membership *pool;
static struct swarm_member *members[5];

static int set_up(void **state)
{
    struct swarm_membership_options options = SWARM_MEMBERSHIP_OPTIONS_INIT;
    options.keep_ms = 10000;
    options.settle_ms = 100;
    options.mass_settle_ms = 1000;
    assert_int_equal(swarm_membership_new(&pool, &options, NULL), 0);
    for (size_t i = 0; i < COUNT(members); i++) {
        assert_int_equal(swarm_member_new(&members[i], pool, 0, NULL), 0);
        swarm_member_set_answers(members[i], 0, 1);
    }
    return 0;
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < COUNT(members); i++) {
        swarm_member_free(members[i], 0);
        members[i] = NULL;
    }
    swarm_membership_free(pool);
    return 0;
}

/* The pool has @p count members only. */
static void keep(size_t count)
{
    for (size_t i = count; i < COUNT(members); i++) {
        swarm_member_free(members[i], 0);
        members[i] = NULL;
    }
}

static void expect(size_t i, int64_t now_ms, int standing, int64_t again_ms)
{
    int64_t again = 77;
    assert_int_equal(swarm_member_standing(members[i], now_ms, &again), standing);
    assert_int_equal(again, again_ms);
}

static void test_announced_node_is_a_member_whether_it_answers_or_not(void **state)
{
    expect(0, 5, SWARM_STANDING_MEMBER, NEVER);
    swarm_member_set_answers(members[0], 5, 0);
    expect(0, 1000000, SWARM_STANDING_MEMBER, NEVER);
}

static void test_node_that_leaves_is_gone_at_once(void **state)
{
    swarm_member_set_left(members[0], 5);
    expect(0, 5, SWARM_STANDING_GONE, NEVER);
    swarm_member_set_lapsed(members[0], 6); /* the word that it left is forgotten where it was said */
    expect(0, 6, SWARM_STANDING_GONE, NEVER);
    swarm_member_set_announced(members[0], 7);
    expect(0, 7, SWARM_STANDING_MEMBER, NEVER);
    swarm_member_set_lapsed(members[0], 8);
    expect(0, 8, SWARM_STANDING_UNANNOUNCED, 10008);
    swarm_member_set_left(members[0], 9);
    expect(0, 9, SWARM_STANDING_GONE, NEVER);
}

static void test_all_nodes_may_leave(void **state)
{
    for (size_t i = 0; i < COUNT(members); i++) {
        swarm_member_set_left(members[i], 5);
        expect(i, 5, SWARM_STANDING_GONE, NEVER);
    }
    assert_false(swarm_membership_held(pool));
}

static void test_lapsed_node_that_answers_is_kept_for_some_time(void **state)
{
    swarm_member_set_lapsed(members[0], 5);
    expect(0, 5, SWARM_STANDING_UNANNOUNCED, 10005);
    swarm_member_set_lapsed(members[0], 500); /* that is no news */
    expect(0, 10004, SWARM_STANDING_UNANNOUNCED, 10005);
    expect(0, 10005, SWARM_STANDING_GONE, NEVER);
    swarm_member_set_announced(members[0], 10006);
    expect(0, 10006, SWARM_STANDING_MEMBER, NEVER);
    expect(1, 10006, SWARM_STANDING_MEMBER, NEVER);
}

static void test_lapsed_node_that_does_not_answer_goes(void **state)
{
    swarm_member_set_answers(members[0], 5, 0);
    swarm_member_set_lapsed(members[0], 1000);
    expect(0, 1000, SWARM_STANDING_UNANNOUNCED, 1100);
    expect(0, 1100, SWARM_STANDING_GONE, NEVER);
    /* one that fails later */
    swarm_member_set_lapsed(members[1], 2000);
    swarm_member_set_answers(members[1], 5000, 0);
    swarm_member_set_answers(members[1], 5050, 0); /* that is no news */
    expect(1, 5050, SWARM_STANDING_UNANNOUNCED, 5100);
    swarm_member_set_answers(members[1], 5060, 1);
    expect(1, 5060, SWARM_STANDING_UNANNOUNCED, 12000);
    /* one that never answered */
    swarm_member_set_announced(members[0], 5500);
    swarm_member_free(members[2], 6000);
    assert_int_equal(swarm_member_new(&members[2], pool, 6000, NULL), 0);
    swarm_member_set_lapsed(members[2], 6000);
    expect(2, 6000, SWARM_STANDING_UNANNOUNCED, 6100);
    expect(2, 6100, SWARM_STANDING_GONE, NEVER);
}

static void test_nobody_goes_while_all_have_lapsed(void **state)
{
    swarm_member_set_answers(members[0], 5, 0);
    for (size_t i = 0; i < COUNT(members); i++)
        swarm_member_set_lapsed(members[i], 1000);
    assert_true(swarm_membership_held(pool));
    for (size_t i = 0; i < COUNT(members); i++)
        expect(i, 1000000, SWARM_STANDING_UNANNOUNCED, NEVER);
    /* Times begin anew with the first that comes back. */
    swarm_member_set_announced(members[4], 2000000);
    assert_false(swarm_membership_held(pool));
    expect(4, 2000000, SWARM_STANDING_MEMBER, NEVER);
    expect(0, 2000000, SWARM_STANDING_UNANNOUNCED, 2001000);
    expect(1, 2000000, SWARM_STANDING_UNANNOUNCED, 2010000);
    for (size_t i = 2; i < 4; i++)
        swarm_member_set_announced(members[i], 2000500);
    /* It lapsed with the others, so it has the longer time still. */
    expect(0, 2000999, SWARM_STANDING_UNANNOUNCED, 2001000);
    expect(0, 2001000, SWARM_STANDING_GONE, NEVER);
    swarm_member_set_announced(members[0], 2001000);
    swarm_member_set_lapsed(members[0], 2002000); /* by itself, later */
    expect(0, 2002000, SWARM_STANDING_UNANNOUNCED, 2002100);
}

static void test_those_that_left_do_not_count_with_those_that_lapsed(void **state)
{
    keep(3);
    swarm_member_set_left(members[0], 5);
    swarm_member_set_lapsed(members[1], 5);
    swarm_member_set_lapsed(members[2], 5);
    assert_true(swarm_membership_held(pool));
    expect(0, 5, SWARM_STANDING_GONE, NEVER);
    expect(1, 5, SWARM_STANDING_UNANNOUNCED, NEVER);
}

static void test_one_by_itself_is_never_many(void **state)
{
    keep(1);
    swarm_member_set_lapsed(members[0], 5);
    assert_false(swarm_membership_held(pool));
    expect(0, 5, SWARM_STANDING_UNANNOUNCED, 10005);
    swarm_member_set_answers(members[0], 6, 0);
    expect(0, 106, SWARM_STANDING_GONE, NEVER);
}

static void test_more_than_half_at_once_have_longer(void **state)
{
    for (size_t i = 0; i < 3; i++) {
        swarm_member_set_answers(members[i], 5, 0);
        swarm_member_set_lapsed(members[i], 1000 + (int64_t)i);
    }
    expect(0, 1050, SWARM_STANDING_UNANNOUNCED, 2000);
    expect(0, 2000, SWARM_STANDING_GONE, NEVER);
    expect(2, 2000, SWARM_STANDING_UNANNOUNCED, 2002);
    swarm_member_free(members[0], 2000); /* two of four are left: no more than half */
    members[0] = NULL;
    expect(2, 2001, SWARM_STANDING_UNANNOUNCED, 2002);
}

static void test_half_is_not_more_than_half(void **state)
{
    keep(4);
    for (size_t i = 0; i < 2; i++) {
        swarm_member_set_answers(members[i], 5, 0);
        swarm_member_set_lapsed(members[i], 1000);
    }
    expect(0, 1000, SWARM_STANDING_UNANNOUNCED, 1100);
    expect(1, 1100, SWARM_STANDING_GONE, NEVER);
}

static void test_time_does_not_run_backwards_nor_over(void **state)
{
    struct swarm_membership_options options = SWARM_MEMBERSHIP_OPTIONS_INIT;
    struct swarm_membership *other;
    struct swarm_member *member;
    options.keep_ms = INT64_MAX;
    assert_int_equal(swarm_membership_new(&other, &options, NULL), 0);
    assert_int_equal(swarm_member_new(&member, other, 100, NULL), 0);
    swarm_member_set_answers(member, 100, 1);
    swarm_member_set_lapsed(member, 50); /* counts as 100 */
    int64_t again;
    assert_int_equal(swarm_member_standing(member, 50, &again), SWARM_STANDING_UNANNOUNCED);
    assert_int_equal(again, NEVER);
    swarm_member_set_answers(member, 50, 0);
    assert_int_equal(swarm_member_standing(member, 60, &again), SWARM_STANDING_UNANNOUNCED);
    assert_int_equal(again, 600);
    assert_int_equal(swarm_member_standing(member, 600, NULL), SWARM_STANDING_GONE);
    swarm_member_free(member, 700);
    swarm_membership_free(other);
}

static void test_what_is_missing_or_wrong_is_refused(void **state)
{
    struct swarm_membership_options options = SWARM_MEMBERSHIP_OPTIONS_INIT;
    struct swarm_membership *other = NULL;
    struct swarm_member *member = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_membership_new(NULL, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_member_new(NULL, pool, 0, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_member_new(&member, NULL, 0, NULL), SWARM_ERR_INVALID);
    options.settle_ms = -1;
    assert_int_equal(swarm_membership_new(&other, &options, &error), SWARM_ERR_INVALID);
    assert_string_equal(swarm_error_message(error), "membership: settle_ms -1: 0 or more is expected");
    swarm_error_free(error);
    options.size = 1;
    assert_int_equal(swarm_membership_new(&other, &options, NULL), SWARM_ERR_INVALID);
    assert_null(other);
    assert_null(member);
    swarm_membership_free(NULL);
    swarm_member_free(NULL, 0);
    swarm_member_set_announced(NULL, 0);
    swarm_member_set_left(NULL, 0);
    swarm_member_set_lapsed(NULL, 0);
    swarm_member_set_answers(NULL, 0, 1);
    assert_int_equal(swarm_member_standing(NULL, 0, NULL), SWARM_STANDING_GONE);
    assert_int_equal(swarm_membership_held(NULL), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_announced_node_is_a_member_whether_it_answers_or_not),
        TEST(test_node_that_leaves_is_gone_at_once),
        TEST(test_all_nodes_may_leave),
        TEST(test_lapsed_node_that_answers_is_kept_for_some_time),
        TEST(test_lapsed_node_that_does_not_answer_goes),
        TEST(test_nobody_goes_while_all_have_lapsed),
        TEST(test_those_that_left_do_not_count_with_those_that_lapsed),
        TEST(test_one_by_itself_is_never_many),
        TEST(test_more_than_half_at_once_have_longer),
        TEST(test_half_is_not_more_than_half),
        TEST(test_time_does_not_run_backwards_nor_over),
        TEST(test_what_is_missing_or_wrong_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
