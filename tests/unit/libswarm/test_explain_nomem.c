/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations when memory runs out, at any allocation, once and for good, jansson's included. */
#include <jansson.h>
#include <stdlib.h>

#include "heap.h"
#include "mem.h"

#include "explain_fixture.h"

static struct swarm_scheduler *scheduler;
static struct swarm_request *request;
static struct swarm_decision *decision;

static int set_up(void **state)
{
    set_up_nodes(state);
    for (size_t i = 0; i < COUNT(nodes); i++)
        assert_int_equal(swarm_node_set_capacity(nodes[i], 4000, 4 * GIB, NULL), 0);
    label_node(nodes[0], "zone=a");
    label_node(nodes[1], "zone=a containerslots=0");
    add_container(nodes[0], "c0", "name=web port=80 cpus=1");
    swarm_node_set_availability(add_node(cluster, "n3", "w\xff"), SWARM_AVAILABILITY_PAUSED, NULL);
    scheduler = new_scheduler("spread", NULL);
    return 0;
}

static int tear_down(void **state)
{
    heap_restore();
    swarm_scheduler_free(scheduler);
    return tear_down_cluster(state);
}

typedef int (*step_fn)(struct swarm_error **reterr);

static void walk_once(step_fn step, bool once, bool wants_error)
{
    for (size_t n = 0;; n++) {
        char *before = state_of(cluster);
        struct swarm_error *error = NULL;
        heap_fail(n, once);
        int code = step(wants_error ? &error : NULL);
        bool failed = heap_failed();
        heap_restore();
        char *after = state_of(cluster);
        assert_string_equal(before, after);
        free(before);
        free(after);
        assert_int_equal(code, failed ? SWARM_ERR_NOMEM : 0);
        assert_int_equal(swarm_error_code(error), wants_error ? code : 0);
        swarm_error_free(error);
        if (!failed) {
            assert_true(n > 0);
            return;
        }
        assert_true(n < 1000);
    }
}

static void walk(step_fn step)
{
    for (int i = 0; i < 4; i++)
        walk_once(step, i & 1, i & 2);
}

static int explain_it(struct swarm_error **reterr)
{
    struct swarm_decision *made = NULL;
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    options.extra_affinity = "app==~nothing";
    int code = swarm_scheduler_explain(scheduler, cluster, request, &options, &made, reterr);
    assert_true((code == 0) == (made != NULL));
    swarm_decision_free(made);
    return code;
}

static int ask_for_ever(struct swarm_error **reterr)
{
    struct swarm_decision *made = NULL;
    int code = swarm_scheduler_would_fit(scheduler, cluster, request, &made, reterr);
    assert_true((code == 0) == (made != NULL));
    swarm_decision_free(made);
    return code;
}

static int tell(struct swarm_error **reterr)
{
    char *text = NULL;
    int code = swarm_decision_text(decision, &text, reterr);
    assert_true((code == 0) == (text != NULL));
    swarm_free(text);
    return code;
}

static int tell_programs(struct swarm_error **reterr)
{
    char *text = NULL;
    int code = swarm_decision_json(decision, &text, NULL, reterr);
    assert_true((code == 0) == (text != NULL));
    swarm_free(text);
    return code;
}

static void walk_words(const char *words)
{
    request = request_of(words);
    walk(explain_it);
    walk(ask_for_ever);
    assert_int_equal(swarm_scheduler_explain(scheduler, cluster, request, NULL, &decision, NULL), 0);
    walk(tell);
    walk(tell_programs);
    swarm_decision_free(decision);
    swarm_request_unref(request);
}

static void test_granted(void **state)
{
    walk_words("cpus=1 constraint=zone==~q constraint=node!=n2");
}

static void test_refused_by_filters(void **state)
{
    walk_words("port=80 constraint=zone==/b/ affinity=image==~x");
}

static void test_refused_for_lack_of_room(void **state)
{
    walk_words("cpus=4 memory=4 constraint=node!=n2 port=81");
    walk_words("cpus=3 memory=5");
}

static void test_refused_for_the_name(void **state)
{
    walk_words("name=web");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_granted),
        TEST(test_refused_by_filters),
        TEST(test_refused_for_lack_of_room),
        TEST(test_refused_for_the_name),
    };
    json_set_alloc_funcs(swarm__malloc, swarm__free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
