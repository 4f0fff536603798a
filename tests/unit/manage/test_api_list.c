/* SPDX-License-Identifier: Apache-2.0 */
/* /containers/json over a pool of two nodes: node-1, healthy, with web, db (alias of app), app, done and fresh; node-2,
 * which does not answer any more, with a container that is called web too. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api_kit.h"
#include "canned.h"
#include "container_list.h"
#include "info_cache.h"
#include "uri.h"

#define OTHER_WEB "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct engine *add_node(const char *address, const char *id, const char *name)
{
    struct failure failure = {0};
    struct engine *engine = pool_add_engine(api_manager.pool, address, &failure);
    json_t *info = canned_info(id, name), *version = canned_json("version");

    assert_non_null(engine);
    assert_int_equal(pool_apply_specs(api_manager.pool, engine, info, version, "1", &failure), 0);
    pool_set_state(api_manager.pool, engine, ENGINE_HEALTHY, 0, NULL);
    json_decref(info);
    json_decref(version);
    return engine;
}

/* @p id: another than the canned one; NULL: that one. */
static void add_container(struct engine *engine, const char *name, const char *id)
{
    json_t *entry = canned_entry(name);
    char file[64], *text;
    size_t length;

    if (id != NULL)
        json_object_set_new(entry, "Id", json_string(id));
    snprintf(file, sizeof(file), "inspect_%s", name);
    text = canned_text(file, &length);
    assert_int_equal(pool_apply_container(api_manager.pool, engine, pool_ticket(api_manager.pool), entry, text, length),
                     0);
    free(text);
    json_decref(entry);
}

static int set_up(void **state)
{
    static const char *const names[] = {"web", "db", "app", "done", "fresh"};
    struct engine *node1, *node2;

    if (api_set_up(state) != 0)
        return -1;
    node1 = add_node("192.0.2.1:2375", "ID1", "node-1");
    node2 = add_node("192.0.2.2:2375", "ID2", "node-2");
    for (size_t i = 0; i < 5; i++)
        add_container(node1, names[i], NULL);
    add_container(node2, "web", OTHER_WEB);
    pool_set_state(api_manager.pool, node2, ENGINE_UNHEALTHY, 3, "gone");
    return 0;
}

/* The names that a list shows, in its order. */
static void assert_list(const char *parameters, const char *filters, const char *expected)
{
    char path[600], names[400] = "";
    char *escaped = uri_escape(filters);
    json_t *list, *entry;
    size_t i;

    snprintf(path, sizeof(path), "/containers/json?%s&filters=%s", parameters, escaped);
    free(escaped);
    list = api_get(path);
    json_array_foreach (list, i, entry) {
        const char *name = json_string_value(json_array_get(json_object_get(entry, "Names"), 0));

        assert_non_null(name);
        strcat(names, i == 0 ? "" : " ");
        strcat(names, name);
    }
    json_decref(list);
    assert_string_equal(names, expected);
}

static void test_default_shows_what_runs_on_healthy_nodes(void **state)
{
    assert_list("", "", "/node-1/app /node-1/app/database /node-1/web");
}

static void test_all_shows_everything_newest_first(void **state)
{
    assert_list("all=1", "", "/node-1/fresh /node-1/done /node-1/app /node-1/app/database /node-1/web /node-2/web");
}

static void test_limit_counts_stopped_ones_too(void **state)
{
    assert_list("limit=2", "", "/node-1/fresh /node-1/done");
    assert_list("limit=0", "", "/node-1/app /node-1/app/database /node-1/web");
}

static void test_name_is_matched_without_its_node(void **state)
{
    assert_list("all=1", "{\"name\":[\"^web$\"]}", "/node-1/web /node-2/web");
    assert_list("all=1", "{\"name\":[\"^/web$\"]}", "/node-1/web /node-2/web");
    assert_list("all=1", "{\"name\":[\"node\"]}", "");
}

static void test_node_is_a_filter(void **state)
{
    assert_list("all=1", "{\"node\":[\"node-2\"]}", "/node-2/web");
    assert_list("", "{\"node\":[\"node-2\"]}", "");
}

static void test_status_other_than_running_implies_all(void **state)
{
    assert_list("", "{\"status\":[\"exited\"]}", "/node-1/done");
    assert_list("", "{\"status\":[\"created\",\"exited\"]}", "/node-1/fresh /node-1/done");
    assert_list("", "{\"status\":[\"running\"]}", "/node-1/app /node-1/app/database /node-1/web");
}

static void test_exit_code_is_a_filter(void **state)
{
    assert_list("all=1", "{\"exited\":[\"3\"]}", "/node-1/done");
    assert_list("all=1", "{\"exited\":[\"0\"]}", "");
}

static void test_labels_are_a_filter(void **state)
{
    assert_list("", "{\"label\":[\"com.docker.swarm.reschedule-policies\"]}", "/node-1/web");
    assert_list("", "{\"label\":[\"com.docker.swarm.reschedule-policies=off\"]}", "");
}

static void test_network_is_a_filter(void **state)
{
    assert_list("", "{\"network\":[\"bridge\"]}", "/node-1/app /node-1/app/database /node-1/web");
    assert_list("all=1", "{\"network\":[\"other\"]}", "");
}

static void test_volume_is_a_filter(void **state)
{
    assert_list("all=1", "{\"volume\":[\"data\"]}", "");
}

static void test_span_between_containers(void **state)
{
    assert_list("all=1", "{\"since\":[\"app\"]}", "/node-1/fresh /node-1/done");
    assert_list("all=1", "{\"before\":[\"done\"],\"since\":[\"node-1/web\"]}", "/node-1/app /node-1/app/database");
    assert_list("before=fresh", "", "/node-1/done /node-1/app /node-1/app/database /node-1/web /node-2/web");
}

static void test_id_is_a_filter(void **state)
{
    assert_list("all=1", "{\"id\":[\"^4d4c9abeb86f\"]}", "/node-1/done");
}

static json_t *entry_of(const char *filters)
{
    char path[300];
    char *escaped = uri_escape(filters);
    json_t *list, *entry;

    snprintf(path, sizeof(path), "/containers/json?all=1&filters=%s", escaped);
    free(escaped);
    list = api_get(path);
    assert_int_equal(json_array_size(list), 1);
    entry = json_incref(json_array_get(list, 0));
    json_decref(list);
    return entry;
}

static void assert_status(const char *filters, const char *beginning)
{
    json_t *entry = entry_of(filters);
    const char *status = json_string_value(json_object_get(entry, "Status"));

    assert_non_null(status);
    assert_memory_equal(status, beginning, strlen(beginning));
    json_decref(entry);
}

/* What the entry of "young" has of these for a client of that version. */
static void assert_fields(const char *version, const char *extra, bool annotations, bool manifest)
{
    char path[100];
    json_t *list, *entry, *host;

    snprintf(path, sizeof(path), "/v%s/containers/json?%s&filters=%%7B%%22name%%22%%3A%%5B%%22young%%22%%5D%%7D",
             version, extra);
    list = api_get(path);
    entry = json_array_get(list, 0);
    host = json_object_get(entry, "HostConfig");
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(json_object_get(host, "Annotations") != NULL, annotations);
    assert_non_null(json_object_get(host, "NetworkMode"));
    assert_int_equal(json_object_get(entry, "ImageManifestDescriptor") != NULL, manifest);
    assert_string_equal(json_string_value(json_object_get(entry, "Unknown")), "kept");
    assert_int_equal(strncmp(json_string_value(json_object_get(entry, "Status")), "Up ", 3), 0);
    json_decref(list);
}

static void test_entries_are_shaped_to_the_clients_version(void **state)
{
    static const char id[] = "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0";
    struct engine *engine = pool_find_engine_by_name(api_manager.pool, "node-1");
    json_t *entry = canned_entry("web");
    size_t length;
    char *text = canned_text("inspect_web", &length);

    json_object_set_new(entry, "Id", json_string(id));
    json_object_set_new(entry, "Names", json_pack("[s]", "/young"));
    json_object_set_new(entry, "Unknown", json_string("kept"));
    json_object_set_new(entry, "ImageManifestDescriptor", json_pack("{s:s}", "digest", "sha256:1"));
    json_object_set_new(json_object_get(entry, "HostConfig"), "Annotations", json_pack("{s:s}", "a", "b"));
    assert_int_equal(pool_apply_container(api_manager.pool, engine, pool_ticket(api_manager.pool), entry, text, length),
                     0);
    assert_fields("1.24", "", false, false);
    assert_fields("1.45", "size=1", false, false);
    assert_fields("1.46", "", true, false);
    assert_fields("1.47", "", true, false);
    assert_fields("1.48", "", true, true);
    assert_fields("1.51", "", true, true);
    pool_apply_removal(api_manager.pool, engine, pool_ticket(api_manager.pool), id);
    free(text);
    json_decref(entry);
    engine_unref(engine);
}

static void test_status_is_told_at_the_time_of_the_request(void **state)
{
    assert_status("{\"name\":[\"^app$\"]}", "Up ");
    assert_status("{\"name\":[\"^done$\"]}", "Exited (3) ");
    assert_status("{\"name\":[\"^fresh$\"]}", "Created");
}

static void test_container_of_a_silent_node_is_down_but_keeps_its_state(void **state)
{
    json_t *entry = entry_of("{\"node\":[\"node-2\"]}");

    assert_string_equal(json_string_value(json_object_get(entry, "Status")), "Host Down");
    assert_string_equal(json_string_value(json_object_get(entry, "State")), "running");
    json_decref(entry);
}

static void test_ports_show_the_address_of_the_node(void **state)
{
    json_t *entry = entry_of("{\"name\":[\"^web$\"],\"node\":[\"node-1\"]}");
    json_t *ports = json_object_get(entry, "Ports");

    assert_int_equal(json_array_size(ports), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(ports, 0), "IP")), "192.0.2.1");
    json_decref(entry);
}

static void test_request_for_a_container_of_a_silent_node_is_refused(void **state)
{
    api_assert_refused("GET", "/containers/node-2%2Fweb/json", NULL, 500,
                       "Container node-2/web running on unhealthy node node-2");
    api_assert_refused("POST", "/containers/node-2/web/stop", NULL, 500,
                       "Container node-2/web running on unhealthy node node-2");
}

static void test_ambiguous_name_tells_the_nodes(void **state)
{
    api_assert_refused("GET", "/containers/web/json", NULL, 404,
                       "Container name web is ambiguous: it exists on nodes node-1, node-2; use node-1/web");
}

static void test_rename_to_a_name_that_is_taken_is_a_conflict(void **state)
{
    api_assert_refused("POST", "/containers/done/rename?name=app", NULL, 409,
                       "Conflict: The name app is already assigned. You have to delete (or rename) that container to "
                       "be able to assign app to a container again.");
    api_assert_refused("POST", "/containers/done/rename?name=a%2Fb", NULL, 400,
                       "invalid container name (a/b): a name has no slash; the container stays on its node");
    api_assert_refused("POST", "/containers/done/rename", NULL, 400,
                       "the parameter name is missing: the container's new name");
}

static void test_info_counts_containers_and_nodes(void **state)
{
    json_t *info = api_get("/info");

    assert_int_equal(json_integer_value(json_object_get(info, "Containers")), 6);
    assert_int_equal(json_integer_value(json_object_get(info, "ContainersRunning")), 4);
    assert_string_equal(json_string_value(json_array_get(json_array_get(json_object_get(info, "SystemStatus"), 3), 1)),
                        "2");
    json_decref(info);
}

/* /info without what changes by itself. */
static json_t *lasting_info(void)
{
    json_t *info = api_get("/info");

    json_object_del(info, "SystemTime");
    return info;
}

/* What was kept of the last answer is as good as new. */
static void assert_info_is_current(const char *after)
{
    json_t *kept = lasting_info(), *fresh;
    struct pool *pool = api_manager.pool;

    pool_write_lock(pool);
    for (size_t i = 0; i < pool->engine_count; i++) {
        info_block_free(pool->engines[i]->info_block);
        pool->engines[i]->info_block = NULL;
    }
    pool_unlock(pool);
    fresh = lasting_info();
    if (!json_equal(kept, fresh))
        fail_msg("after %s /info is stale", after);
    json_decref(kept);
    json_decref(fresh);
}

static void test_info_is_current_after_any_change(void **state)
{
    struct pool *pool = api_manager.pool;
    struct engine *engine = pool_find_engine_by_name(pool, "node-1");
    json_t *info = canned_info(engine->id, engine->name), *images = json_loads("[{\"Id\":\"sha256:1\"}]", 0, NULL);
    json_t *version = canned_json("version");
    struct failure failure = {0};

    assert_info_is_current("nothing");
    pool_set_state(pool, engine, ENGINE_HEALTHY, 1, "slow");
    assert_info_is_current("an error");
    pool_set_state(pool, engine, ENGINE_HEALTHY, 1, "deaf");
    assert_info_is_current("another error");
    pool_set_state(pool, engine, ENGINE_UNHEALTHY, 3, "gone");
    assert_info_is_current("a loss");
    pool_set_state(pool, engine, ENGINE_HEALTHY, 0, NULL);
    assert_info_is_current("its return");
    pool_apply_images(pool, engine, pool_ticket(pool), images);
    assert_info_is_current("another list of images");
    json_object_set_new(info, "Labels", json_pack("[s]", "a=b"));
    json_object_set_new(info, "CgroupDriver", json_string("other"));
    json_object_set_new(info, "Warnings", json_pack("[s]", "beware"));
    assert_int_equal(pool_apply_specs(pool, engine, info, version, "2", &failure), 0);
    assert_info_is_current("other specs");
    pool_apply_removal(pool, engine, pool_ticket(pool),
                       swarm_container_id(swarm_node_next_container(engine->node, NULL)));
    assert_info_is_current("a removal");
    pool_write_lock(pool);
    engine->unannounced = true;
    engine->drop_ms = -1;
    pool_unlock(pool);
    assert_info_is_current("its end of membership");
    pool_write_lock(pool);
    engine->unannounced = false;
    pool_unlock(pool);
    assert_info_is_current("its membership");
    engine_unref(engine);
    json_decref(images);
    json_decref(info);
    json_decref(version);
}

static struct bytes written;

static int next_piece(struct container_list *list, size_t size)
{
    size_t before = bytes_length(&written);
    int more = container_list_write(list, &written, before + size);

    assert_true(more >= 0);
    assert_true(bytes_length(&written) > before);
    return more;
}

/* What it shows was settled when it began. */
static void test_list_goes_on_when_its_containers_go(void **state)
{
    struct container_query query = {
        .all = true, .plain = true, .minor = 51, .before_ns = INT64_MAX, .since_ns = INT64_MIN};
    struct pool *pool = api_manager.pool;
    struct engine *one = pool_find_engine_by_name(pool, "node-1"), *two = pool_find_engine_by_name(pool, "node-2");
    struct container_list *list;
    json_t *before = api_get("/containers/json?all=1"), *shown;

    while (atomic_load(&pool->lists) > 0) /* of requests that were answered a moment ago */
        poll(NULL, 0, 1);
    assert_int_equal(container_list_new(&list, pool, &query), 0);
    assert_int_equal(next_piece(list, 2), 1);
    pool_remove_engine(pool, one);
    pool_remove_engine(pool, two);
    engine_unref(one);
    engine_unref(two);
    assert_non_null(pool->ended);
    while (next_piece(list, 2) > 0)
        ;
    container_list_free(list);
    assert_null(pool->ended);
    shown = json_loadb(bytes_at(&written), bytes_length(&written), 0, NULL);
    assert_int_equal(json_array_size(shown), 5);
    assert_true(json_equal(shown, before));
    json_decref(shown);
    json_decref(before);
    bytes_free(&written);
    api_assert_text("GET", "/containers/json?all=1", 200, "[]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_shows_what_runs_on_healthy_nodes),
        cmocka_unit_test(test_all_shows_everything_newest_first),
        cmocka_unit_test(test_limit_counts_stopped_ones_too),
        cmocka_unit_test(test_name_is_matched_without_its_node),
        cmocka_unit_test(test_node_is_a_filter),
        cmocka_unit_test(test_status_other_than_running_implies_all),
        cmocka_unit_test(test_exit_code_is_a_filter),
        cmocka_unit_test(test_labels_are_a_filter),
        cmocka_unit_test(test_network_is_a_filter),
        cmocka_unit_test(test_volume_is_a_filter),
        cmocka_unit_test(test_span_between_containers),
        cmocka_unit_test(test_id_is_a_filter),
        cmocka_unit_test(test_entries_are_shaped_to_the_clients_version),
        cmocka_unit_test(test_status_is_told_at_the_time_of_the_request),
        cmocka_unit_test(test_container_of_a_silent_node_is_down_but_keeps_its_state),
        cmocka_unit_test(test_ports_show_the_address_of_the_node),
        cmocka_unit_test(test_request_for_a_container_of_a_silent_node_is_refused),
        cmocka_unit_test(test_ambiguous_name_tells_the_nodes),
        cmocka_unit_test(test_rename_to_a_name_that_is_taken_is_a_conflict),
        cmocka_unit_test(test_info_counts_containers_and_nodes),
        cmocka_unit_test(test_info_is_current_after_any_change),
        cmocka_unit_test(test_list_goes_on_when_its_containers_go), /* last: there are none after it */
    };

    return cmocka_run_group_tests(tests, set_up, api_tear_down);
}
