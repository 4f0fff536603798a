/* SPDX-License-Identifier: Apache-2.0 */
/* Several requests at once: in order, each counting for the next; all or none; and without effect. */
#include <stdio.h>
#include <stdlib.h>

#include "cluster_fixture.h"
#include "heap.h"
#include "request.h"

#define MOST 8

static struct swarm_scheduler *scheduler;
static struct swarm_request *requests[MOST];
static struct swarm_reservation *places[MOST];
static struct swarm_error *errors[MOST];
static struct swarm_node *homes[MOST];
static size_t count;

static int set_up(void **state)
{
    set_up_cluster(state);
    add_sized_node(cluster, "a", 4, 4);
    add_sized_node(cluster, "b", 4, 4);
    scheduler = new_scheduler("spread", NULL);
    count = 0;
    memset(places, 0, sizeof(places));
    memset(errors, 0, sizeof(errors));
    memset(homes, 0, sizeof(homes));
    return 0;
}

static void forget(void)
{
    for (size_t i = 0; i < count; i++) {
        swarm_reservation_abort(places[i]);
        swarm_error_free(errors[i]);
        places[i] = NULL;
        errors[i] = NULL;
    }
}

static int tear_down(void **state)
{
    heap_restore();
    forget();
    for (size_t i = 0; i < count; i++)
        swarm_request_unref(requests[i]);
    swarm_scheduler_free(scheduler);
    return tear_down_cluster(state);
}

static void ask(const char *words)
{
    requests[count++] = request_of(words);
}

static int place(int all_or_none, uint64_t seed, struct swarm_error **reterr)
{
    struct swarm_batch_options options = SWARM_BATCH_OPTIONS_INIT;
    options.all_or_none = all_or_none;
    options.seed = seed;
    return swarm_scheduler_place_batch(scheduler, cluster, requests, count, &options, places, errors, reterr);
}

/* "a b -": the nodes of the places, '-' where there is none. */
static void check_places(const char *expected)
{
    char got[128] = "";
    for (size_t i = 0; i < count; i++) {
        const char *id = swarm_node_id(swarm_reservation_node(places[i]));
        sprintf(got + strlen(got), "%s%s", i ? " " : "", id ? id : "-");
    }
    assert_string_equal(got, expected);
}

/* The state but for the generation, which a batch that is undone may raise. */
static char *lasting_state(void)
{
    char *text = state_of(cluster);
    memmove(text, strchr(text, '\n'), strlen(strchr(text, '\n')) + 1);
    return text;
}

static void test_each_counts_for_the_next(void **state)
{
    add_container(swarm_cluster_find_node(cluster, "a"), "c1", "cpus=1");
    ask("cpus=2");
    ask("cpus=2");
    ask("cpus=2");
    ask("cpus=1");
    assert_int_equal(place(0, 7, NULL), 0);
    check_places("b a b a");
    for (size_t i = 0; i < count; i++)
        assert_null(errors[i]);
}

static void test_refusals_do_not_end_it(void **state)
{
    ask("cpus=4");
    ask("cpus=5");
    ask("cpus=4 name=web");
    ask("cpus=1");
    ask("name=web");
    ask("kept=zone=x");
    ask("");
    assert_int_equal(place(0, 1, NULL), 0);
    assert_non_null(places[0]);
    assert_non_null(places[2]);
    assert_non_null(places[6]);
    static const struct {
        size_t index;
        int code;
    } refused[] = {{1, SWARM_ERR_NO_NODE}, {3, SWARM_ERR_NO_NODE}, {4, SWARM_ERR_NAME_TAKEN}, {5, SWARM_ERR_PARSE}};
    for (size_t i = 0; i < COUNT(refused); i++) {
        assert_null(places[refused[i].index]);
        assert_int_equal(swarm_error_code(errors[refused[i].index]), refused[i].code);
    }
    assert_string_equal(swarm_error_message(errors[1]), "no resources available to schedule container");
}

static void test_errors_are_optional(void **state)
{
    ask("cpus=5");
    ask("cpus=1");
    assert_int_equal(swarm_scheduler_place_batch(scheduler, cluster, requests, count, NULL, places, NULL, NULL), 0);
    assert_null(places[0]);
    assert_non_null(places[1]);
}

static void test_all_or_none_undoes_all(void **state)
{
    struct swarm_error *error = NULL;
    add_container(swarm_cluster_find_node(cluster, "b"), "c1", "name=taken");
    ask("cpus=4 name=web port=80 label=app=x resource=gpu:0");
    ask("cpus=3 name=db");
    ask("name=taken");
    ask("");
    char *before = lasting_state();
    struct swarm_reservation *const untouched = (void *)scheduler;
    places[0] = places[3] = untouched;
    assert_int_equal(place(1, 1, &error), SWARM_ERR_NAME_TAKEN);
    assert_ptr_equal(places[0], untouched);
    assert_ptr_equal(places[3], untouched);
    places[0] = places[3] = NULL;
    assert_string_equal(swarm_error_message(error),
                        "request 2: Conflict: The name taken is already assigned. You have to delete (or rename) that "
                        "container to be able to assign taken to a container again.");
    char *after = lasting_state();
    assert_string_equal(before, after);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(swarm_request_set_cpus_milli(requests[i], 1000, NULL), 0); /* none is shared */
    swarm_error_free(error);
    free(before);
    free(after);
}

static void test_all_or_none_places_all(void **state)
{
    ask("cpus=4");
    ask("cpus=4");
    assert_int_equal(place(1, 1, NULL), 0);
    assert_non_null(places[0]);
    assert_non_null(places[1]);
    assert_int_equal(swarm_request_set_cpus_milli(requests[0], 1000, NULL), SWARM_ERR_STATE);
}

static void test_a_request_that_was_shared_stays_so(void **state)
{
    ask("cpus=1");
    struct swarm_container *container = NULL;
    assert_int_equal(swarm_cluster_add_container(cluster, swarm_cluster_find_node(cluster, "a"), "c1", requests[0],
                                                 &container, NULL),
                     0);
    ask("cpus=9");
    assert_int_equal(place(1, 1, NULL), SWARM_ERR_NO_NODE);
    assert_int_equal(swarm_request_set_cpus_milli(requests[0], 1000, NULL), SWARM_ERR_STATE);
    assert_int_equal(swarm_request_set_cpus_milli(requests[1], 1000, NULL), 0);
}

static void test_one_request_many_times(void **state)
{
    ask("cpus=1");
    for (int i = 0; i < 3; i++) {
        requests[count] = swarm_request_ref(requests[0]);
        count++;
    }
    assert_int_equal(place(1, 1, NULL), 0);
    assert_int_equal(swarm_node_slots_used(swarm_cluster_find_node(cluster, "a")), 2);
    assert_int_equal(swarm_node_slots_used(swarm_cluster_find_node(cluster, "b")), 2);
    forget();
    for (int i = 0; i < 4; i++) {
        requests[count] = swarm_request_ref(requests[0]);
        count++;
    }
    assert_int_equal(place(1, 1, NULL), 0); /* 8 CPUs are there */
    assert_int_equal(swarm_node_used_cpus_milli(swarm_cluster_find_node(cluster, "a")), 4000);
}

static void test_undone_is_changeable_again_where_it_is_there_many_times(void **state)
{
    ask("cpus=4");
    for (int i = 0; i < 2; i++) {
        requests[count] = swarm_request_ref(requests[0]);
        count++;
    }
    assert_int_equal(place(1, 1, NULL), SWARM_ERR_NO_NODE);
    assert_int_equal(swarm_request_set_cpus_milli(requests[0], 1000, NULL), 0);
}

static void test_same_as_single_placements(void **state)
{
    static const char *const words[] = {"cpus=1", "",       "memory=1", "cpus=1 memory=2",
                                        "",       "cpus=9", "",         "constraint=node==b"};
    for (uint64_t seed = 0; seed < 16; seed++) {
        struct swarm_reservation *singly[MOST] = {NULL};
        const char *chosen[MOST];
        count = 0;
        for (size_t i = 0; i < COUNT(words); i++)
            ask(words[i]);
        for (size_t i = 0; i < count; i++) {
            struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
            options.seed = seed + i;
            swarm_scheduler_place(scheduler, cluster, requests[i], &options, &singly[i], NULL);
            chosen[i] = swarm_node_id(swarm_reservation_node(singly[i]));
        }
        for (size_t i = 0; i < count; i++)
            swarm_reservation_abort(singly[i]);
        assert_int_equal(place(0, seed, NULL), 0);
        for (size_t i = 0; i < count; i++)
            assert_ptr_equal(swarm_node_id(swarm_reservation_node(places[i])), chosen[i]);
        forget();
        for (size_t i = 0; i < count; i++)
            swarm_request_unref(requests[i]);
    }
    count = 0;
}

static void test_random_does_not_put_all_in_one_place(void **state)
{
    swarm_scheduler_free(scheduler);
    scheduler = new_scheduler("random", NULL);
    for (int i = 0; i < MOST; i++)
        ask("");
    bool both = false;
    for (uint64_t seed = 0; seed < 64 && !both; seed += MOST) {
        assert_int_equal(place(0, seed, NULL), 0);
        for (size_t i = 1; i < count; i++)
            both = both || swarm_reservation_node(places[i]) != swarm_reservation_node(places[0]);
        forget();
    }
    assert_true(both);
}

static void test_plan_has_no_effect(void **state)
{
    ask("cpus=4 name=web resource=gpu:1");
    ask("cpus=3 name=db");
    ask("cpus=4");
    ask("cpus=2");
    ask("name=db");
    assert_int_equal(swarm_node_set_resource(swarm_cluster_find_node(cluster, "b"), "gpu", 1, NULL), 0);
    char *before = lasting_state();
    assert_int_equal(swarm_scheduler_plan_batch(scheduler, cluster, requests, count, NULL, homes, errors, NULL), 0);
    char *after = lasting_state();
    assert_string_equal(before, after);
    assert_string_equal(swarm_node_id(homes[0]), "b");
    assert_string_equal(swarm_node_id(homes[1]), "a");
    assert_null(homes[2]);
    assert_null(homes[3]);
    assert_null(homes[4]);
    assert_int_equal(swarm_error_code(errors[3]), SWARM_ERR_NO_NODE);
    assert_int_equal(swarm_error_code(errors[4]), SWARM_ERR_NAME_TAKEN);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(swarm_request_set_image(requests[i], "app", NULL), 0); /* none is shared */
    free(before);
    free(after);
}

static void test_plan_says_what_placing_does(void **state)
{
    for (int i = 0; i < MOST; i++)
        ask(i % 3 ? "cpus=1" : "memory=1");
    assert_int_equal(swarm_scheduler_plan_batch(scheduler, cluster, requests, count, NULL, homes, NULL, NULL), 0);
    assert_int_equal(place(0, 0, NULL), 0);
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(homes[i], swarm_reservation_node(places[i]));
}

static void test_plan_of_all_or_none(void **state)
{
    struct swarm_batch_options options = SWARM_BATCH_OPTIONS_INIT;
    struct swarm_error *error = NULL;
    options.all_or_none = 1;
    ask("cpus=4");
    ask("cpus=5");
    assert_int_equal(swarm_scheduler_plan_batch(scheduler, cluster, requests, count, &options, homes, NULL, &error),
                     SWARM_ERR_NO_NODE);
    assert_string_equal(swarm_error_message(error), "request 1: no resources available to schedule container");
    assert_null(homes[0]);
    swarm_error_free(error);
}

static void test_nothing_to_place(void **state)
{
    assert_int_equal(swarm_scheduler_place_batch(scheduler, cluster, NULL, 0, NULL, NULL, NULL, NULL), 0);
    assert_int_equal(swarm_scheduler_plan_batch(scheduler, cluster, NULL, 0, NULL, NULL, NULL, NULL), 0);
}

static void check_invalid(int code, struct swarm_error *error, const char *text)
{
    assert_int_equal(code, SWARM_ERR_INVALID);
    assert_string_equal(swarm_error_message(error), text);
    swarm_error_free(error);
}

static void test_bad_arguments_are_named(void **state)
{
    static const char needed[] = "batch: a scheduler, a cluster, requests and room for what comes of them are needed";
    struct swarm_batch_options options = SWARM_BATCH_OPTIONS_INIT;
    struct swarm_error *error = NULL;
    int code;
    ask("");
    ask("");
    code = swarm_scheduler_place_batch(NULL, cluster, requests, count, NULL, places, NULL, &error);
    check_invalid(code, error, needed);
    code = swarm_scheduler_place_batch(scheduler, NULL, requests, count, NULL, places, NULL, &error);
    check_invalid(code, error, needed);
    code = swarm_scheduler_place_batch(scheduler, cluster, NULL, count, NULL, places, NULL, &error);
    check_invalid(code, error, needed);
    code = swarm_scheduler_place_batch(scheduler, cluster, requests, count, NULL, NULL, NULL, &error);
    check_invalid(code, error, needed);
    code = swarm_scheduler_plan_batch(scheduler, cluster, requests, count, NULL, NULL, NULL, &error);
    check_invalid(code, error, needed);
    struct swarm_request *with_none[] = {requests[0], NULL};
    code = swarm_scheduler_place_batch(scheduler, cluster, with_none, 2, NULL, places, NULL, &error);
    check_invalid(code, error, "batch: request 1 is NULL");
    options.size = 4;
    code = swarm_scheduler_place_batch(scheduler, cluster, requests, count, &options, places, NULL, &error);
    check_invalid(code, error, "batch options: size 4: start with SWARM_BATCH_OPTIONS_INIT");
    assert_null(places[0]);
    assert_int_equal(swarm_request_set_cpus_milli(requests[0], 1, NULL), 0);
}

/* Each allocation failing in turn, once or for good: nothing is placed, nothing else has changed. */
static void walk(int all_or_none, bool plan, bool once)
{
    for (size_t n = 0; n < 2000; n++) {
        struct swarm_batch_options options = SWARM_BATCH_OPTIONS_INIT;
        struct swarm_error *error = NULL;
        options.all_or_none = all_or_none;
        char *before = lasting_state();
        heap_fail(n, once);
        int code =
            plan ? swarm_scheduler_plan_batch(scheduler, cluster, requests, count, &options, homes, errors, &error)
                 : place(all_or_none, 0, &error);
        bool failed = heap_failed();
        heap_restore();
        char *after = lasting_state();
        if (code != 0) {
            assert_int_equal(code, SWARM_ERR_NOMEM);
            assert_int_equal(swarm_error_code(error), SWARM_ERR_NOMEM);
            assert_int_equal(swarm_request_set_cpus_milli(requests[0], 1000, NULL), 0); /* not shared */
        }
        assert_int_equal(strcmp(before, after) == 0, code != 0 || plan);
        forget();
        swarm_error_free(error);
        free(before);
        free(after);
        if (!failed) {
            assert_int_equal(code, 0);
            assert_true(n > 0);
            return;
        }
        if (code == 0) { /* placed all the same, and given back: the requests are shared now */
            struct swarm_request *copy = NULL;
            assert_int_equal(swarm_request_copy(&copy, requests[0], NULL), 0);
            swarm_request_unref(requests[0]);
            requests[0] = copy;
        }
    }
    fail_msg("it never gets through");
}

static void test_out_of_memory_places_none(void **state)
{
    for (int i = 0; i < 8; i++) {
        forget();
        for (size_t k = 0; k < count; k++)
            swarm_request_unref(requests[k]);
        count = 0;
        ask("cpus=1 name=web label=a=b port=80 resource=gpu:1");
        assert_int_equal(swarm_node_set_resource(swarm_cluster_find_node(cluster, "a"), "gpu", 1, NULL), 0);
        ask("cpus=1 name=db constraint=node!=/x/");
        if (i & 4)
            ask("cpus=2");
        else
            ask("cpus=2 affinity=container==web");
        walk(i & 1, i & 2, i & 4);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_each_counts_for_the_next),  TEST(test_refusals_do_not_end_it),
        TEST(test_errors_are_optional),       TEST(test_all_or_none_undoes_all),
        TEST(test_all_or_none_places_all),    TEST(test_a_request_that_was_shared_stays_so),
        TEST(test_one_request_many_times),    TEST(test_undone_is_changeable_again_where_it_is_there_many_times),
        TEST(test_same_as_single_placements), TEST(test_random_does_not_put_all_in_one_place),
        TEST(test_plan_has_no_effect),        TEST(test_plan_says_what_placing_does),
        TEST(test_plan_of_all_or_none),       TEST(test_nothing_to_place),
        TEST(test_bad_arguments_are_named),   TEST(test_out_of_memory_places_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
