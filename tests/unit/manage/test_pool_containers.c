/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that engines list and tell of: how they are found, and which of two answers holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canned.h"
#include "manager.h"
#include "pool_fixture.h"
#include "pool_private.h"

/* Apply the list and give back how many containers are to be inspected. */
static size_t apply_list(struct engine *engine, uint64_t ticket, json_t *list, bool full)
{
    char *text = json_dumps(list, JSON_COMPACT);
    struct listed_container *wanted = NULL;
    size_t count = 0;

    assert_int_equal(
        pool_apply_listed(manager.pool, engine, ticket, json_span_of(text, strlen(text)), full, &wanted, &count), 0);
    for (size_t i = 0; i < count; i++) {
        free(wanted[i].id);
    }
    free(wanted);
    free(text);
    json_decref(list);
    return count;
}

static json_t *list_of(const char *container)
{
    json_t *list = json_array();

    json_array_append_new(list, canned_entry(container));
    return list;
}

/* --- containers --- */

static void test_container_is_found_by_names_and_ids(void **state)
{
    static const char *const references[] = {
        WEB,   "e76937adc4d1", "e7693",
        "web", "node-1/web",   "5b1bd7cf6a0cd7a8f0a0e9a13cbbd31cd1a5a4e7a4c1b0ad0e1b7cbb0d5b4a11"};
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");
    struct failure failure = {0};

    apply(engine, pool_ticket(manager.pool), "web");
    for (size_t i = 0; i < sizeof(references) / sizeof(*references); i++) {
        struct target target = {0};

        assert_int_equal(pool_find_container(manager.pool, references[i], &target, &failure), 0);
        assert_string_equal(target.id, WEB);
        assert_string_equal(target.name, "web");
        assert_string_equal(target.node_name, "node-1");
        assert_true(target.healthy);
        target_clear(&target);
    }
}

static void test_unknown_container_is_404(void **state)
{
    struct failure failure = {0};
    struct target target = {0};

    assert_int_equal(pool_find_container(manager.pool, "nope", &target, &failure), -1);
    assert_int_equal(failure.status, 404);
    assert_string_equal(failure.message, "No such container: nope");
    failure_clear(&failure);
}

static void test_same_name_on_two_nodes_is_ambiguous(void **state)
{
    struct engine *first = node("192.0.2.1:1", "A", "node-1"), *second = node("192.0.2.1:2", "B", "node-2");
    struct failure failure = {0};
    struct target target = {0};
    json_t *entry = canned_entry("db");
    size_t length;
    char *text = canned_text("inspect_db", &length);

    memcpy(strstr(text, DB), "aaaaaaaaaaaaaaaa", 16);
    json_object_set_new(entry, "Id", json_string("aaaaaaaaaaaaaaaac2de7d7c5ccd509ee489a45d04e23d1ad0b9f763f86aa66bd3"));
    apply(first, pool_ticket(manager.pool), "db");
    assert_int_equal(pool_apply_container(manager.pool, second, pool_ticket(manager.pool), entry, text, length), 0);
    assert_int_equal(pool_find_container(manager.pool, "db", &target, &failure), -1);
    assert_int_equal(failure.status, 404);
    assert_non_null(strstr(failure.message, "ambiguous"));
    failure_clear(&failure);
    free(text);
    json_decref(entry);
}

static void test_list_asks_for_unknown_containers(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");

    assert_int_equal(apply_list(engine, pool_ticket(manager.pool), canned_json("list"), false), 5);
    apply(engine, pool_ticket(manager.pool), "web");
    assert_int_equal(apply_list(engine, pool_ticket(manager.pool), canned_json("list"), false), 4);
    assert_int_equal(apply_list(engine, pool_ticket(manager.pool), canned_json("list"), true), 5);
}

static void test_list_asks_again_where_the_state_differs(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");
    json_t *list = list_of("web");

    apply(engine, pool_ticket(manager.pool), "web");
    json_object_set_new(json_array_get(list, 0), "State", json_string("exited"));
    assert_int_equal(apply_list(engine, pool_ticket(manager.pool), list, false), 1);
}

static void test_list_removes_what_it_lacks(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");

    apply(engine, pool_ticket(manager.pool), "web");
    apply(engine, pool_ticket(manager.pool), "db");
    apply_list(engine, pool_ticket(manager.pool), list_of("web"), false);
    assert_true(has(engine, WEB));
    assert_false(has(engine, DB));
}

static void test_list_renews_names(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");
    struct failure failure = {0};
    struct target target = {0};
    json_t *list = list_of("web");

    apply(engine, pool_ticket(manager.pool), "web");
    json_object_set_new(json_array_get(list, 0), "Names", json_pack("[s]", "/renamed"));
    apply_list(engine, pool_ticket(manager.pool), list, false);
    assert_int_equal(pool_find_container(manager.pool, "renamed", &target, &failure), 0);
    target_clear(&target);
    assert_non_null(
        strstr(container_record(swarm_cluster_find_container(manager.pool->cluster, engine->node, WEB))->entry->text,
               "\"/node-1/renamed\""));
}

static void test_old_list_does_not_remove_a_newer_container(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");
    uint64_t ticket = pool_ticket(manager.pool);

    apply(engine, pool_ticket(manager.pool), "web");
    apply_list(engine, ticket, json_array(), false);
    assert_true(has(engine, WEB));
}

static void test_stale_answer_does_not_bring_a_container_back(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");
    uint64_t ticket = pool_ticket(manager.pool);

    apply(engine, ticket, "web");
    pool_apply_removal(manager.pool, engine, pool_ticket(manager.pool), WEB);
    apply(engine, ticket, "web");
    assert_false(has(engine, WEB));
    assert_int_equal(apply_list(engine, ticket, list_of("web"), false), 0);
}

static void test_answer_before_it_was_known_to_be_removed_is_stale(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");
    uint64_t ticket = pool_ticket(manager.pool);

    pool_apply_removal(manager.pool, engine, pool_ticket(manager.pool), WEB);
    apply(engine, ticket, "web");
    assert_false(has(engine, WEB));
}

static void test_removal_of_one_does_not_refuse_another(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");
    uint64_t ticket = pool_ticket(manager.pool);

    pool_apply_removal(manager.pool, engine, pool_ticket(manager.pool), DB);
    apply(engine, ticket, "web");
    assert_true(has(engine, WEB));
}

static void test_forgotten_removals_refuse_old_answers(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");
    uint64_t ticket = pool_ticket(manager.pool);

    for (int i = 0; i <= ENGINE_REMOVALS_MAX; i++) {
        char id[65];

        snprintf(id, sizeof(id), "%064x", i);
        pool_apply_removal(manager.pool, engine, pool_ticket(manager.pool), id);
    }
    apply(engine, ticket, "web");
    assert_false(has(engine, WEB));
    apply(engine, pool_ticket(manager.pool), "web");
    assert_true(has(engine, WEB));
}

static void test_new_answer_brings_a_container_back(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");

    apply(engine, pool_ticket(manager.pool), "web");
    pool_apply_removal(manager.pool, engine, pool_ticket(manager.pool), WEB);
    apply(engine, pool_ticket(manager.pool), "web");
    assert_true(has(engine, WEB));
}

static void test_older_answer_does_not_undo_a_newer_one(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");
    uint64_t ticket = pool_ticket(manager.pool);
    json_t *entry = canned_entry("web");
    size_t length;
    char *text = canned_text("inspect_web", &length);

    apply(engine, pool_ticket(manager.pool), "web");
    memcpy(strstr(text, "\"Running\":true"), "\"Running\":null", 14);
    assert_int_equal(pool_apply_container(manager.pool, engine, ticket, entry, text, length), 0);
    assert_true(container_record(swarm_cluster_find_container(manager.pool->cluster, engine->node, WEB))->running);
    free(text);
    json_decref(entry);
}

static void test_list_asked_later_does_not_outdate_an_inspect(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");
    json_t *entry = canned_entry("web");
    size_t length;
    char *text = canned_text("inspect_web", &length);
    const struct container_record *record;
    uint64_t inspect, list;

    apply(engine, pool_ticket(manager.pool), "web");
    record = container_record(swarm_cluster_find_container(manager.pool->cluster, engine->node, WEB));
    inspect = pool_ticket(manager.pool);
    list = pool_ticket(manager.pool);
    /* The same state for the list, which is why nobody asks again; the inspect knows of a new exit code. */
    assert_int_equal(apply_list(engine, list, list_of("web"), false), 0);
    memcpy(strstr(text, "\"ExitCode\":0"), "\"ExitCode\":7", 12);
    assert_int_equal(pool_apply_container(manager.pool, engine, inspect, entry, text, length), 0);
    assert_int_equal(record->exit_code, 7);
    /* Nor does it count as unknown to a list that was asked before. */
    pool_apply_removal(manager.pool, engine, inspect, WEB);
    assert_true(has(engine, WEB));
    free(text);
    json_decref(entry);
}

static void test_resources_of_containers_are_counted(void **state)
{
    struct engine *engine = node("192.0.2.1:1", "A", "node-1");

    apply(engine, pool_ticket(manager.pool), "web");
    apply(engine, pool_ticket(manager.pool), "web");
    assert_int_equal(swarm_node_used_memory(engine->node), 67108864);
    pool_apply_removal(manager.pool, engine, pool_ticket(manager.pool), WEB);
    assert_int_equal(swarm_node_used_memory(engine->node), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(test_container_is_found_by_names_and_ids),
        POOL_TEST(test_unknown_container_is_404),
        POOL_TEST(test_same_name_on_two_nodes_is_ambiguous),
        POOL_TEST(test_list_asks_for_unknown_containers),
        POOL_TEST(test_list_asks_again_where_the_state_differs),
        POOL_TEST(test_list_removes_what_it_lacks),
        POOL_TEST(test_list_renews_names),
        POOL_TEST(test_old_list_does_not_remove_a_newer_container),
        POOL_TEST(test_stale_answer_does_not_bring_a_container_back),
        POOL_TEST(test_answer_before_it_was_known_to_be_removed_is_stale),
        POOL_TEST(test_removal_of_one_does_not_refuse_another),
        POOL_TEST(test_forgotten_removals_refuse_old_answers),
        POOL_TEST(test_new_answer_brings_a_container_back),
        POOL_TEST(test_older_answer_does_not_undo_a_newer_one),
        POOL_TEST(test_list_asked_later_does_not_outdate_an_inspect),
        POOL_TEST(test_resources_of_containers_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
