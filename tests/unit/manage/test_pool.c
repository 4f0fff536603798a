/* SPDX-License-Identifier: Apache-2.0 */
/* Engines as nodes of the pool, and what they offer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "canned.h"
#include "manager.h"
#include "natural_order.h"
#include "pool_fixture.h"
#include "pool_private.h"

static void test_address_is_taken_once(void **state)
{
    struct failure failure = {0};

    added("192.0.2.1:2375");
    assert_null(pool_add_engine(manager.pool, "192.0.2.1:2375", &failure));
    assert_non_null(strstr(failure.message, "192.0.2.1:2375"));
    failure_clear(&failure);
}

static void test_malformed_address_is_named(void **state)
{
    struct failure failure = {0};

    assert_null(pool_add_engine(manager.pool, "no-port", &failure));
    assert_non_null(strstr(failure.message, "no-port"));
    failure_clear(&failure);
}

static void test_engines_are_in_natural_order(void **state)
{
    node("192.0.2.1:1", "A", "node-10");
    node("192.0.2.1:2", "B", "node-9");
    assert_string_equal(manager.pool->engines[0]->name, "node-9");
}

/* Numbers that seem to be in no order, each once. */
static void test_many_engines_stay_in_order(void **state)
{
    struct engine *engines[97];
    char address[64], id[16], name[16];

    for (int i = 0; i < 97; i++) {
        snprintf(address, sizeof(address), "192.0.2.%d:2375", i * 31 % 97);
        engines[i] = added(address);
    }
    for (int i = 0; i < 97; i += 2) {
        struct failure failure = {0};

        snprintf(id, sizeof(id), "id-%d", i);
        snprintf(name, sizeof(name), "node-%d", i * 57 % 97);
        assert_int_equal(apply_info(engines[i], canned_info(id, name), &failure), 0);
    }
    for (int i = 0; i < 97; i += 3)
        pool_remove_engine(manager.pool, engines[i]);
    assert_int_equal(manager.pool->engine_count, 64);
    for (size_t i = 1; i < manager.pool->engine_count; i++) {
        const struct engine *before = manager.pool->engines[i - 1], *after = manager.pool->engines[i];

        assert_true(
            natural_compare(before->name ? before->name : "(unknown)", after->name ? after->name : "(unknown)") <= 0);
        assert_true(strcmp(manager.pool->by_address[i - 1]->address, manager.pool->by_address[i]->address) < 0);
    }
    for (int i = 0; i < 97; i++) {
        struct engine *found;

        snprintf(address, sizeof(address), "192.0.2.%d:2375", i * 31 % 97);
        found = pool_find_engine_by_address(manager.pool, address);
        assert_ptr_equal(found, i % 3 ? engines[i] : NULL);
        engine_unref(found);
    }
}

static void test_pending_engine_is_no_node(void **state)
{
    struct engine **engines;
    size_t count;

    added("192.0.2.1:2375");
    engines = pool_engines(manager.pool, false, &count);
    assert_int_equal(count, 0);
    free(engines);
}

static void test_removal_spares_who_holds_a_reference(void **state)
{
    struct engine *engine = engine_ref(node("192.0.2.1:1", "A", "node-1"));

    apply(engine, pool_ticket(manager.pool), "web");
    pool_remove_engine(manager.pool, engine);
    assert_int_equal(engine->state, ENGINE_DISCONNECTED);
    assert_string_equal(engine->address, "192.0.2.1:1");
    assert_int_equal(swarm_cluster_container_count(manager.pool->cluster), 0);
    /* answers that come late change nothing */
    apply(engine, pool_ticket(manager.pool), "web");
    assert_int_equal(swarm_cluster_container_count(manager.pool->cluster), 0);
    engine_unref(engine);
}

/* --- what an engine says of itself --- */

static void test_specs_make_a_node(void **state)
{
    struct engine *engine = node("192.0.2.1:2375", "SLJ2:RM7B", "node-1");

    assert_ptr_equal(swarm_cluster_find_node(manager.pool->cluster, "SLJ2:RM7B"), engine->node);
    assert_string_equal(swarm_node_name(engine->node), "node-1");
    assert_string_equal(swarm_node_address(engine->node), "192.0.2.1:2375");
    assert_string_equal(engine->ip, "192.0.2.1");
    assert_string_equal(engine->server_version, "20.10.24+dfsg1");
    assert_int_equal(engine->cpus, 2);
    assert_int_equal(engine->clock_delta_ms, 0);
}

static void test_overcommit_is_added_to_the_capacity(void **state)
{
    struct engine *engine = node("192.0.2.1:2375", "A", "node-1");

    assert_in_range(swarm_node_total_memory(engine->node), engine->memory + engine->memory / 20 - 1,
                    engine->memory + engine->memory / 20 + 1);
}

static void test_stopped_containers_count_as_the_options_say(void **state)
{
    static const int flags[] = {0, SWARM_COUNT_PORTS, SWARM_COUNT_ALL};

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        pool_free(manager.pool);
        manager.options.stopped_counts = flags[i];
        assert_int_equal(pool_new(&manager.pool, &manager), 0);
        assert_int_equal(swarm_cluster_stopped_counts(manager.pool->cluster), flags[i]);
    }
}

static void test_facts_win_over_labels_of_the_engine(void **state)
{
    struct engine *engine = node("192.0.2.1:2375", "A", "node-1");

    assert_string_equal(swarm_node_label(engine->node, "storagedriver"), "overlay2");
    assert_string_equal(swarm_node_label(engine->node, "zone"), "eu");
    assert_string_equal(swarm_node_label(engine->node, "ostype"), "linux");
    assert_null(swarm_node_label(engine->node, "node"));
}

static void test_label_without_value_fails(void **state)
{
    struct engine *engine = added("192.0.2.1:2375");
    json_t *info = canned_info("A", "node-1");
    struct failure failure = {0};

    json_array_append_new(json_object_get(info, "Labels"), json_string("novalue"));
    assert_int_equal(apply_info(engine, info, &failure), -1);
    assert_string_equal(failure.message, "Engine (ID: A, Addr: 192.0.2.1:2375) contains an invalid label (novalue) not "
                                         "formatted as \"key=value\".");
    assert_string_equal(engine->error, failure.message);
    assert_null(engine->node);
    failure_clear(&failure);
}

static void test_manager_is_no_engine(void **state)
{
    struct engine *engine = added("192.0.2.1:2375");
    json_t *info = canned_info("A", "node-1");
    struct failure failure = {0};

    json_object_set_new(info, "NCPU", json_integer(0));
    assert_int_equal(apply_info(engine, info, &failure), -1);
    assert_string_equal(failure.message, "cannot get resources for this engine, make sure 192.0.2.1:2375 is a Docker "
                                         "Engine, not a Swarm manager");
    failure_clear(&failure);
}

static void test_second_engine_with_an_id_stays_pending(void **state)
{
    struct engine *first = node("192.0.2.1:1", "A", "node-1"), *second = added("192.0.2.1:2");
    struct failure failure = {0};

    apply(first, pool_ticket(manager.pool), "web");
    assert_int_equal(apply_info(second, canned_info("A", "node-1"), &failure), -1);
    assert_string_equal(second->error, "ID duplicated. A shared by this node 192.0.2.1:2 and another node 192.0.2.1:1");
    assert_int_equal(second->state, ENGINE_PENDING);
    assert_null(second->node);
    assert_true(has(first, WEB));
    failure_clear(&failure);
}

/* Says what containers it has, then what it is. */
static int apply_twin(struct engine *engine, const char *container)
{
    json_t *list = json_pack("[{s:s}]", "Id", container);
    struct failure failure = {0};
    int result;

    assert_true(pool_has_twin(manager.pool, engine, "A"));
    pool_compare_twin(manager.pool, engine, "A", list);
    result = apply_info(engine, canned_info("A", "node-1"), &failure);
    failure_clear(&failure);
    json_decref(list);
    return result;
}

static void lose(struct engine *engine)
{
    pool_set_state(manager.pool, engine, ENGINE_UNHEALTHY, 1, "gone");
    engine->lost = true; /* as the watchdog notes it */
}

static void test_engine_at_another_address_is_the_same_node(void **state)
{
    struct engine *first = node("192.0.2.1:1", "A", "node-1"), *second = added("192.0.2.1:2");

    apply(first, pool_ticket(manager.pool), "web");
    assert_int_equal(apply_twin(second, WEB), -1);
    lose(first);
    assert_int_equal(apply_twin(second, WEB), 0);
    assert_non_null(second->node);
    assert_int_equal(manager.pool->engine_count, 1);
}

static void test_clone_does_not_become_the_node_that_is_lost(void **state)
{
    struct engine *first = node("192.0.2.1:1", "A", "node-1"), *second = added("192.0.2.1:2");
    struct failure failure = {0};

    apply(first, pool_ticket(manager.pool), "web");
    assert_int_equal(apply_twin(second, DB), -1);
    assert_string_equal(second->error, "ID duplicated. A shared by this node 192.0.2.1:2 and another node 192.0.2.1:1, "
                                       "which has other containers: two machines have one ID");
    lose(first);
    assert_int_equal(apply_twin(second, DB), -1);
    assert_true(has(first, WEB));
    pool_write_lock(manager.pool); /* moved, and so nothing is left to compare with */
    pool_drop_container(manager.pool, swarm_cluster_find_container(manager.pool->cluster, first->node, WEB));
    pool_unlock(manager.pool);
    assert_false(pool_has_twin(manager.pool, second, "A"));
    assert_int_equal(apply_info(second, canned_info("A", "node-1"), &failure), -1);
    failure_clear(&failure);
    pool_remove_engine(manager.pool, first);
    assert_int_equal(apply_info(second, canned_info("A", "node-1"), &failure), 0);
}

static void test_second_engine_gets_the_id_when_the_first_has_left(void **state)
{
    struct engine *first = node("192.0.2.1:1", "A", "node-1"), *second = added("192.0.2.1:2");
    struct failure failure = {0};

    assert_int_equal(apply_info(second, canned_info("A", "node-1"), &failure), -1);
    pool_remove_engine(manager.pool, first);
    assert_int_equal(apply_info(second, canned_info("A", "node-1"), &failure), 0);
    assert_non_null(second->node);
    failure_clear(&failure);
}

static void test_changed_id_is_an_error_until_it_is_back(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");
    struct failure failure = {0};

    assert_int_equal(apply_info(engine, canned_info("B", "node-1"), &failure), -1);
    assert_string_equal(engine->error, "Engine (ID: A, Addr: 192.0.2.1:1) shows up with another ID:B. Please remove it "
                                       "from cluster, it can be added back.");
    assert_int_equal(engine->state, ENGINE_PENDING);
    assert_int_equal(swarm_node_health(engine->node), 0);
    assert_int_equal(apply_info(engine, canned_info("A", "node-1"), &failure), 0);
    pool_set_state(manager.pool, engine, ENGINE_HEALTHY, 0, NULL);
    assert_int_equal(swarm_node_health(engine->node), 100);
    assert_null(engine->error);
    failure_clear(&failure);
}

static void test_wrong_clock_is_measured(void **state)
{
    struct engine *engine = added("192.0.2.1:1");
    json_t *info = canned_info("A", "node-1");
    struct failure failure = {0};

    json_object_set_new(info, "SystemTime", json_string("2001-01-01T00:00:00Z"));
    assert_int_equal(apply_info(engine, info, &failure), 0);
    assert_true(engine->clock_delta_ms > INT64_C(20) * 365 * 86400 * 1000);
}

/* Neither what it says late, nor how late our question came to it, is its clock's. */
static void test_answer_that_took_long_is_no_clock(void **state)
{
    struct engine *engine = added("192.0.2.1:1");
    struct failure failure = {0};
    json_t *info = canned_info("A", "node-1");
    time_t now = time(NULL), said = now - 5;
    char text[40];

    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime(&said));
    json_object_set_new(info, "SystemTime", json_string(text));
    atomic_store(&engine->specs_asked_ns, (now - 9) * INT64_C(1000000000));
    assert_int_equal(apply_info(engine, json_incref(info), &failure), 0);
    assert_int_equal(engine->clock_delta_ms, 0);
    atomic_store(&engine->specs_asked_ns, (now - 1) * INT64_C(1000000000));
    assert_int_equal(apply_info(engine, info, &failure), 0);
    assert_int_equal(engine->clock_delta_ms, 4000);
}

static void test_health_follows_failures(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");

    pool_set_state(manager.pool, engine, ENGINE_HEALTHY, 1, "refused");
    assert_int_equal(swarm_node_health(engine->node), 67);
    pool_set_state(manager.pool, engine, ENGINE_UNHEALTHY, 3, "refused");
    assert_int_equal(swarm_node_health(engine->node), 0);
    assert_string_equal(engine->error, "refused");
}

static void test_advertised_version_is_the_lowest(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");
    char version[16];

    pool_api_version(manager.pool, version);
    assert_string_equal(version, "1.41");
    pool_set_state(manager.pool, engine, ENGINE_UNHEALTHY, 3, NULL);
    pool_api_version(manager.pool, version);
    assert_string_equal(version, API_VERSION_MAX);
}

static void assert_offered(const char *option, const char *wanted)
{
    char version[16];

    manager.options.api_version = option;
    pool_api_version(manager.pool, version);
    manager.options.api_version = NULL;
    assert_string_equal(version, wanted);
}

static void test_offered_version_is_as_configured(void **state)
{
    struct engine *first = node("192.0.2.1:1", "A", "node-1");
    struct engine *second = node("192.0.2.2:1", "B", "node-2");
    struct engine *third = node("192.0.2.3:1", "C", "node-3");

    first->api_max = (struct api_version){1, 41};
    second->api_max = (struct api_version){1, 48};
    third->api_max = (struct api_version){1, 54};
    assert_offered("auto", "1.41");
    assert_offered("auto-max", API_VERSION_MAX);
    assert_offered("1.44", "1.44");
    pool_set_state(manager.pool, third, ENGINE_UNHEALTHY, 3, NULL);
    assert_offered("auto-max", "1.48");
    pool_set_state(manager.pool, first, ENGINE_UNHEALTHY, 3, NULL);
    assert_offered("auto", "1.48");
    pool_set_state(manager.pool, second, ENGINE_UNHEALTHY, 3, NULL);
    assert_offered("auto", API_VERSION_MAX);
    assert_offered("auto-max", API_VERSION_MAX);
    second->api_max = (struct api_version){1, 20};
    pool_set_state(manager.pool, second, ENGINE_HEALTHY, 0, NULL);
    assert_offered("auto-max", API_VERSION_MIN);
}

static void test_version_is_clamped_to_the_engine(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");
    char prefix[24];

    engine_version_prefix(engine, "1.50", prefix, sizeof(prefix));
    assert_string_equal(prefix, "v1.41");
    engine_version_prefix(engine, "1.30", prefix, sizeof(prefix));
    assert_string_equal(prefix, "v1.30");
    engine_version_prefix(engine, NULL, prefix, sizeof(prefix));
    assert_string_equal(prefix, "v1.41");
}

static void test_version_is_left_out_before_the_first_contact(void **state)
{
    struct engine *engine = added("192.0.2.1:1");
    char prefix[24] = "x";

    engine_version_prefix(engine, "1.50", prefix, sizeof(prefix));
    assert_string_equal(prefix, "");
}

static void test_images_are_known_to_the_scheduler(void **state)
{
    struct engine *first = node("192.0.2.1:1", "A", "node-1"), *second = node("192.0.2.1:2", "B", "node-2");
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    struct swarm_decision *decision = NULL;
    struct swarm_request *request;
    json_t *images = canned_json("images");

    pool_apply_images(manager.pool, second, pool_ticket(manager.pool), images);
    assert_int_equal(swarm_request_new(&request, NULL), 0);
    options.extra_affinity = "image==httpd";
    assert_int_equal(swarm_scheduler_plan(manager.scheduler, manager.pool->cluster, request, &options, &decision, NULL),
                     0);
    assert_ptr_equal(swarm_node_data(swarm_decision_node(decision)), second);
    assert_ptr_not_equal(first, second);
    swarm_decision_free(decision);
    swarm_request_unref(request);
    json_decref(images);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(test_address_is_taken_once),
        POOL_TEST(test_malformed_address_is_named),
        POOL_TEST(test_engines_are_in_natural_order),
        POOL_TEST(test_many_engines_stay_in_order),
        POOL_TEST(test_pending_engine_is_no_node),
        POOL_TEST(test_removal_spares_who_holds_a_reference),
        POOL_TEST(test_specs_make_a_node),
        POOL_TEST(test_overcommit_is_added_to_the_capacity),
        POOL_TEST(test_stopped_containers_count_as_the_options_say),
        POOL_TEST(test_facts_win_over_labels_of_the_engine),
        POOL_TEST(test_label_without_value_fails),
        POOL_TEST(test_manager_is_no_engine),
        POOL_TEST(test_second_engine_with_an_id_stays_pending),
        POOL_TEST(test_engine_at_another_address_is_the_same_node),
        POOL_TEST(test_clone_does_not_become_the_node_that_is_lost),
        POOL_TEST(test_second_engine_gets_the_id_when_the_first_has_left),
        POOL_TEST(test_changed_id_is_an_error_until_it_is_back),
        POOL_TEST(test_wrong_clock_is_measured),
        POOL_TEST(test_answer_that_took_long_is_no_clock),
        POOL_TEST(test_health_follows_failures),
        POOL_TEST(test_advertised_version_is_the_lowest),
        POOL_TEST(test_offered_version_is_as_configured),
        POOL_TEST(test_version_is_clamped_to_the_engine),
        POOL_TEST(test_version_is_left_out_before_the_first_contact),
        POOL_TEST(test_images_are_known_to_the_scheduler),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
