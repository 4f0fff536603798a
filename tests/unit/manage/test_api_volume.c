/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of a pool of two nodes, what takes space there, and what is removed that is not in use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api_nodes.h"
#include "canned.h"

#define VOLUME(name, driver, more)                                                                                     \
    "{\"Driver\":\"" driver "\",\"Mountpoint\":\"/v/" name "\",\"Name\":\"" name "\"" more "}"
#define DATA VOLUME("data", "local", ",\"Labels\":{\"tier\":\"db\"},\"Scope\":\"local\"")
#define LOGS VOLUME("logs", "local", ",\"Labels\":null")
#define SHARED VOLUME("shared", "nfs", ",\"Status\":{\"new\":\"field\"}")
#define ANONYMOUS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MOUNT(name) "[{\"Type\":\"volume\",\"Name\":\"" name "\",\"Destination\":\"/d\"}]"

static int set_up(void **state)
{
    api_nodes_reset();
    api_node_set_volumes(0, "{\"Volumes\":[" SHARED "," DATA "]}");
    api_node_set_volumes(1, "{\"Volumes\":[" LOGS "," DATA "," SHARED "],\"Warnings\":null}");
    return 0;
}

static void assert_listed(const char *filters, const char *names)
{
    char path[512], got[512] = "";
    json_t *answer, *entry;
    size_t i;

    snprintf(path, sizeof(path), "/volumes?filters=%s", filters);
    answer = api_get(path);
    json_array_foreach (json_object_get(answer, "Volumes"), i, entry) {
        strcat(got, i > 0 ? " " : "");
        strcat(got, json_string_value(json_object_get(entry, "Name")));
    }
    assert_string_equal(got, names);
    json_decref(answer);
}

/* The JSON that is answered with that status; new. */
static json_t *ask(const char *method, const char *path, const char *body, int status)
{
    struct http_result result;
    json_t *json;

    api_ask(method, path, body, &result);
    if (result.status != status)
        fail_msg("%s: %d %s", path, result.status, result.body);
    json = json_loadb(result.body, result.length, 0, NULL);
    http_result_clear(&result);
    return json;
}

static void assert_answered(const char *method, const char *path, const char *wanted)
{
    json_t *got = ask(method, path, NULL, 200), *json = json_loads(wanted, 0, NULL);
    char *text = json_dumps(got, 0);

    assert_non_null(json);
    if (!json_equal(got, json))
        fail_msg("%s: %s", path, text);
    free(text);
    json_decref(got);
    json_decref(json);
}

/* --- list, inspect --- */

static void test_local_volumes_are_listed_with_their_node(void **state)
{
    assert_listed("", "n1/data n2/data n2/logs shared");
}

static void test_list_without_volumes_is_empty(void **state)
{
    api_node_set_volumes(0, "{\"Volumes\":null}");
    api_node_set_volumes(1, "{\"Volumes\":[]}");
    api_assert_text("GET", "/volumes", 200, "{\"Volumes\":[],\"Warnings\":null}\n");
}

static void test_name_that_is_asked_for_is_one_volume(void **state)
{
    api_assert_text("GET", "/volumes?filters={\"name\":[\"data\"]}", 200,
                    "{\"Volumes\":[{\"Driver\":\"local\",\"Mountpoint\":\"/v/data\",\"Name\":\"data\","
                    "\"Labels\":{\"tier\":\"db\"},\"Scope\":\"local\",\"Nodes\":[{\"Name\":\"n1\",\"Mountpoint\":"
                    "\"/v/data\"},{\"Name\":\"n2\",\"Mountpoint\":\"/v/data\"}]}],\"Warnings\":null}\n");
    assert_listed("{\"name\":[\"logs\"]}", "logs");
    assert_listed("{\"name\":[\"dat\"]}", "n1/data n2/data");
    assert_listed("{\"name\":[\"n2/data\"]}", "n2/data");
}

static void test_names_are_shown_as_the_option_says(void **state)
{
    api_manager.options.node_prefix = NODE_PREFIX_ALWAYS;
    assert_listed("{\"name\":[\"data\"]}", "n1/data n2/data");
    api_manager.options.node_prefix = NODE_PREFIX_NEVER;
    assert_listed("", "data logs shared");
    assert_listed("{\"node\":[\"n2\"]}", "data logs shared");
    api_node_answer(0, 200, "{\"Containers\":[{\"Names\":[\"/web\"]}],\"Volumes\":[" DATA "]}");
    assert_answered("GET", "/v1.42/system/df?type=container&type=volume",
                    "{\"LayersSize\":0,\"Containers\":[{\"Names\":[\"/web\"]}],\"Volumes\":[" DATA "]}");
    api_manager.options.node_prefix = NODE_PREFIX_AUTO;
}

static void test_filters(void **state)
{
    assert_listed("{\"driver\":[\"nfs\"]}", "shared");
    assert_listed("{\"node\":[\"n1\"]}", "n1/data shared");
    assert_listed("{\"label\":[\"tier=db\"]}", "n1/data n2/data");
    api_assert_refused("GET", "/volumes?filters={\"bogus\":[\"1\"]}", NULL, 400, "invalid filter 'bogus'");
}

static void test_dangling_ones_have_no_container(void **state)
{
    api_node_add_container(0, "c1", "db", "{}", MOUNT("data"));
    assert_listed("{\"dangling\":[\"true\"]}", "n2/data n2/logs shared");
    assert_listed("{\"dangling\":[\"1\"],\"name\":[\"data\"]}", "");
    assert_listed("{\"dangling\":[\"false\"]}", "n1/data");
}

static void test_inspect_of_a_plain_name(void **state)
{
    json_t *volume = api_get("/volumes/data");

    assert_string_equal(json_string_value(json_object_get(volume, "Name")), "data");
    assert_int_equal(json_array_size(json_object_get(volume, "Nodes")), 2);
    json_decref(volume);
    api_assert_text("GET", "/volumes/logs", 200, LOGS);
    api_assert_text("GET", "/volumes/n2/data", 200, DATA);
    api_assert_refused("GET", "/volumes/nothing", NULL, 404, "No such volume: nothing");
}

/* --- create, remove, update --- */

static void test_volume_is_made_on_all_nodes(void **state)
{
    json_t *volume;

    api_node_answer(0, 201, VOLUME("made", "local", ",\"New\":1"));
    api_node_answer(1, 201, VOLUME("made", "local", ",\"New\":2"));
    volume = ask("POST", "/v1.40/volumes/create", "{\"Name\":\"made\",\"DriverOpts\":{\"o\":\"1\"}}", 201);
    assert_int_equal(json_integer_value(json_object_get(volume, "New")), 1);
    json_decref(volume);
    assert_non_null(strstr(api_node_last(1, "POST /v1.40/volumes/create HTTP"),
                           "{\"Name\":\"made\",\"DriverOpts\":{\"o\":\"1\"}}"));
    assert_listed("{\"name\":[\"^made\"]}", "n1/made n2/made");
}

static void test_one_node_that_made_it_is_enough(void **state)
{
    api_node_answer(0, 500, "{\"message\":\"disk full\"}");
    api_node_answer(1, 201, VOLUME("made", "local", ""));
    json_decref(ask("POST", "/volumes/create", "{\"Name\":\"made\"}", 201));
    assert_listed("{\"name\":[\"^made\"]}", "n2/made");
    api_node_answer(1, 409, "{\"message\":\"no such driver\"}");
    api_assert_refused("POST", "/volumes/create", "{\"Name\":\"made\"}", 500, "n1: disk full\nn2: no such driver");
    api_node_answer(0, 409, "{\"message\":\"no such driver\"}");
    api_assert_refused("POST", "/volumes/create", "{\"Name\":\"made\"}", 409, "no such driver");
}

static void test_without_a_name_all_get_the_same(void **state)
{
    const char *one, *two;

    api_node_answer(0, 201, VOLUME("x", "local", ""));
    api_node_answer(1, 201, VOLUME("x", "local", ""));
    json_decref(ask("POST", "/volumes/create", NULL, 201));
    one = strstr(api_node_last(0, "POST /v1.41/volumes/create"), "{\"Name\":");
    two = strstr(api_node_last(1, "POST /v1.41/volumes/create"), "{\"Name\":");
    assert_non_null(one);
    assert_int_equal(strlen(one), strlen("{\"Name\":\"\"}") + 64);
    assert_string_equal(one, two);
}

static void test_node_may_be_named(void **state)
{
    int before = api_node_asked(0, "/volumes/create");

    api_node_answer(1, 201, VOLUME("made", "local", ""));
    json_decref(ask("POST", "/volumes/create", "{\"Name\":\"n2/made\"}", 201));
    assert_non_null(strstr(api_node_last(1, "POST /v1.41/volumes/create"), "{\"Name\":\"made\"}"));
    assert_int_equal(api_node_asked(0, "/volumes/create"), before);
}

static void test_whitelist_says_which_nodes(void **state)
{
    int before = api_node_asked(0, "/volumes/create");

    api_node_answer(1, 201, VOLUME("made", "local", ""));
    json_decref(ask("POST", "/volumes/create",
                    "{\"Name\":\"made\",\"Labels\":{\"com.docker.swarm.whitelists\":\"[\\\"node==n2|n9\\\"]\"}}", 201));
    api_node_last(1, "POST /v1.41/volumes/create");
    assert_int_equal(api_node_asked(0, "/volumes/create"), before);
}

static void test_volume_is_removed_where_it_is(void **state)
{
    api_node_answer(0, 204, "");
    api_node_answer(1, 204, "");
    api_assert_text("DELETE", "/volumes/data?force=1", 204, "");
    api_node_last(0, "DELETE /v1.41/volumes/data?force=1 HTTP");
    api_node_last(1, "DELETE /v1.41/volumes/data?force=1 HTTP");
    assert_listed("", "n2/logs shared");
    api_assert_text("DELETE", "/volumes/n2/logs", 204, "");
    assert_listed("", "shared");
}

static void test_one_that_has_gone_meanwhile_is_no_failure(void **state)
{
    api_node_answer(0, 404, "{\"message\":\"get data: no such volume\"}");
    api_node_answer(1, 204, "");
    api_assert_text("DELETE", "/volumes/data", 204, "");
    assert_listed("", "n2/logs shared");
}

static void test_volume_in_use_stays(void **state)
{
    api_node_answer(0, 409, "{\"message\":\"volume is in use\"}");
    api_node_answer(1, 204, "");
    api_assert_refused("DELETE", "/volumes/data", NULL, 409, "n1: volume is in use");
    assert_listed("", "n1/data n2/logs shared");
}

static void test_unknown_volume(void **state)
{
    for (int i = 0; i < API_NODES; i++)
        api_node_answer(i, 404, "{\"message\":\"get nothing: no such volume\"}");
    api_assert_refused("DELETE", "/volumes/nothing", NULL, 404, "No such volume nothing");
    for (int i = 0; i < API_NODES; i++)
        api_node_answer(i, 204, ""); /* as engines say with force */
    api_assert_text("DELETE", "/volumes/nothing?force=1", 204, "");
}

static void test_update_is_passed_to_one_that_has_it(void **state)
{
    api_node_answer(1, 503, "{\"message\":\"This node is not a swarm manager.\"}");
    api_assert_refused("PUT", "/volumes/logs?version=1", "{}", 503, "This node is not a swarm manager.");
    api_node_last(1, "PUT /v1.41/volumes/logs?version=1 HTTP");
    api_assert_refused("PUT", "/volumes/nothing", "{}", 404, "No such volume: nothing");
}

/* --- prune, disk usage --- */

static void test_volume_prune_tells_nodes(void **state)
{
    api_node_answer(0, 200, "{\"VolumesDeleted\":[\"data\"],\"SpaceReclaimed\":10}");
    api_node_answer(1, 200, "{\"VolumesDeleted\":[\"data\",\"shared\"],\"SpaceReclaimed\":5000000000}");
    assert_answered("POST", "/v1.41/volumes/prune?filters={}",
                    "{\"VolumesDeleted\":[\"n1/data\",\"n2/data\",\"shared\"],\"SpaceReclaimed\":5000000010}");
    api_node_last(0, "POST /v1.41/volumes/prune?filters={} HTTP");
    assert_listed("", "n2/logs shared");
}

/* Engines of API 1.41 would remove volumes with names, too, which clients from 1.42 on do not ask for. */
static void test_old_engine_does_not_prune_more_than_is_asked_for(void **state)
{
    int before = api_node_asked(0, "/volumes/prune"), named = api_node_asked(0, "DELETE /v1.41/volumes/data HTTP");

    for (int i = 0; i < API_NODES; i++)
        api_node_answer(i, 200, "{\"Volumes\":[" DATA "," VOLUME(ANONYMOUS, "local", "") "]}");
    assert_answered("POST", "/v1.44/volumes/prune",
                    "{\"VolumesDeleted\":[\"n1/" ANONYMOUS "\",\"n2/" ANONYMOUS "\"],\"SpaceReclaimed\":0}");
    api_node_last(0, "DELETE /v1.41/volumes/" ANONYMOUS " HTTP");
    assert_int_equal(api_node_asked(0, "DELETE /v1.41/volumes/data HTTP"), named);
    assert_int_equal(api_node_asked(0, "/volumes/prune"), before);

    assert_answered("POST", "/v1.44/volumes/prune?filters={\"label\":[\"tier=db\"]}",
                    "{\"VolumesDeleted\":[],\"SpaceReclaimed\":0}");
    assert_int_equal(api_node_asked(0, "/volumes/prune"), before);
}

static void test_old_engine_prunes_all_where_that_is_asked_for(void **state)
{
    api_node_answer(0, 200, "{\"VolumesDeleted\":[\"data\"],\"SpaceReclaimed\":10}");
    assert_answered("POST", "/v1.44/volumes/prune?filters={\"all\":[\"true\"],\"label\":[\"a\"]}",
                    "{\"VolumesDeleted\":[\"n1/data\"],\"SpaceReclaimed\":10}");
    api_node_last(0, "POST /v1.41/volumes/prune?filters=%7B%22label%22%3A%5B%22a%22%5D%7D HTTP");
}

/* What the node says of its API versions. */
static void set_versions(int number, const char *min, const char *max)
{
    struct failure failure = {0};
    char id[8], name[8];
    json_t *info, *version = canned_json("version");

    snprintf(id, sizeof(id), "ID%d", number + 1);
    snprintf(name, sizeof(name), "n%d", number + 1);
    info = canned_info(id, name);
    json_object_set_new(version, "MinAPIVersion", json_string(min));
    json_object_set_new(version, "ApiVersion", json_string(max));
    assert_int_equal(pool_apply_specs(api_manager.pool, api_nodes[number].engine, info, version, "1", &failure), 0);
    json_decref(info);
    json_decref(version);
}

static void test_old_client_has_named_volumes_pruned_by_new_engines(void **state)
{
    int before = api_node_asked(0, "/volumes/prune");

    set_versions(1, "1.44", "1.51");
    api_node_answer(0, 200, "{\"VolumesDeleted\":[\"data\"],\"SpaceReclaimed\":10}");
    api_node_answer(1, 200, "{\"VolumesDeleted\":[\"data\"],\"SpaceReclaimed\":1}");
    assert_answered("POST", "/v1.41/volumes/prune?filters={\"label\":[\"a\"]}",
                    "{\"VolumesDeleted\":[\"n1/data\",\"n2/data\"],\"SpaceReclaimed\":11}");
    api_node_last(0, "POST /v1.41/volumes/prune?filters={\"label\":[\"a\"]} HTTP");
    api_node_last(
        1, "POST /v1.44/volumes/prune?filters=%7B%22label%22%3A%5B%22a%22%5D%2C%22all%22%3A%5B%22true%22%5D%7D HTTP");
    assert_int_equal(api_node_asked(0, "/volumes/prune"), before + 1);
    set_versions(1, "1.12", "1.41");
}

static void test_prune_with_an_unknown_filter(void **state)
{
    api_assert_refused("POST", "/v1.44/volumes/prune?filters={\"until\":[\"1h\"]}", NULL, 400,
                       "invalid filter 'until'");
    api_assert_refused("POST", "/v1.44/volumes/prune?filters=x", NULL, 400,
                       "invalid filters: '[' or '{' expected near 'x'");
}

static void test_prunes_where_nobody_is_well(void **state)
{
    for (int i = 0; i < API_NODES; i++)
        pool_set_state(api_manager.pool, api_nodes[i].engine, ENGINE_UNHEALTHY, 1, "down");
    api_assert_refused("POST", "/v1.44/volumes/prune", NULL, 500, "No healthy node available in the cluster");
    api_assert_refused("POST", "/v1.48/build/prune?max-used-space=1", NULL, 500,
                       "No healthy node available in the cluster");
}

static void test_old_engine_keeps_of_builds_what_is_to_be_kept(void **state)
{
    int before = api_node_asked(0, "/build/prune");

    set_versions(1, "1.44", "1.51");
    api_node_answer(0, 200, "{\"CachesDeleted\":[\"x\"],\"SpaceReclaimed\":1}");
    api_node_answer(1, 200, "{\"CachesDeleted\":[\"y\"],\"SpaceReclaimed\":2}");
    assert_answered("POST", "/v1.48/build/prune?reserved-space=5&max-used-space=7",
                    "{\"CachesDeleted\":[\"y\",\"x\"],\"SpaceReclaimed\":3}");
    api_node_last(0, "POST /v1.41/build/prune?reserved-space=5&max-used-space=7&keep-storage=7 HTTP");
    api_node_last(1, "POST /v1.48/build/prune?reserved-space=5&max-used-space=7 HTTP");
    assert_answered("POST", "/v1.48/build/prune?min-free-space=9", "{\"CachesDeleted\":[\"y\"],\"SpaceReclaimed\":2}");
    assert_int_equal(api_node_asked(0, "/build/prune"), before + 1);
    assert_answered("POST", "/v1.48/build/prune?all=1", "{\"CachesDeleted\":[\"x\",\"y\"],\"SpaceReclaimed\":3}");
    set_versions(1, "1.12", "1.41");
}

static void test_container_prune_is_known_at_once(void **state)
{
    json_t *list;

    api_node_add_container(0, "c1", "one", "{}", "[]");
    api_node_add_container(1, "c2", "two", "{}", "[]");
    api_node_answer(0, 200, "{\"ContainersDeleted\":[\"c1\"],\"SpaceReclaimed\":1}");
    api_node_answer(1, 200, "{\"ContainersDeleted\":null,\"SpaceReclaimed\":0}");
    assert_answered("POST", "/containers/prune", "{\"ContainersDeleted\":[\"c1\"],\"SpaceReclaimed\":1}");
    list = api_get("/containers/json?all=1");
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
}

static void test_network_and_build_prune(void **state)
{
    api_node_set_networks(0, "[{\"Id\":\"abc\",\"Name\":\"front\",\"Scope\":\"local\"}]");
    api_node_answer(0, 200, "{\"NetworksDeleted\":[\"front\"]}");
    assert_answered("POST", "/networks/prune", "{\"NetworksDeleted\":[\"n1/front\"]}");
    assert_answered("GET", "/networks", "[]");
    api_node_answer(0, 200, "{\"CachesDeleted\":[\"x\"],\"SpaceReclaimed\":1}");
    api_node_answer(1, 200, "{\"CachesDeleted\":[\"x\"],\"SpaceReclaimed\":2}");
    assert_answered("POST", "/build/prune?all=1", "{\"CachesDeleted\":[\"x\",\"x\"],\"SpaceReclaimed\":3}");
    api_node_last(1, "POST /v1.41/build/prune?all=1 HTTP");
}

static void test_failed_prune_tells_what_was_done_elsewhere(void **state)
{
    api_node_answer(0, 409, "{\"message\":\"a prune operation is already running\"}");
    api_node_answer(1, 200, "{\"ContainersDeleted\":[\"c1\"],\"SpaceReclaimed\":7}");
    api_assert_refused("POST", "/containers/prune", NULL, 409,
                       "n1: a prune operation is already running; reclaimed 7 bytes on other nodes");
}

static void test_prune_leaves_out_a_node_that_is_lost(void **state)
{
    pool_set_state(api_manager.pool, api_nodes[0].engine, ENGINE_UNHEALTHY, 1, "down");
    api_node_answer(1, 200, "{\"ContainersDeleted\":[\"c1\"],\"SpaceReclaimed\":7}");
    assert_answered("POST", "/containers/prune", "{\"ContainersDeleted\":[\"c1\"],\"SpaceReclaimed\":7}");
    pool_set_state(api_manager.pool, api_nodes[1].engine, ENGINE_UNHEALTHY, 1, "down");
    api_assert_refused("POST", "/containers/prune", NULL, 500,
                       "node n1 is not healthy: down\nnode n2 is not healthy: down");
}

#define USAGE                                                                                                          \
    "{\"LayersSize\":5,\"Images\":[{\"Id\":\"i\"}],\"Containers\":[{\"Names\":[\"/web\"]}],\"Volumes\":[" DATA         \
    "," SHARED "],\"BuildCache\":null,\"BuilderSize\":2}"

static void test_disk_usage_of_all_nodes(void **state)
{
    api_node_answer(0, 200, USAGE);
    api_node_answer(1, 200, "{\"LayersSize\":6,\"Images\":[{\"Id\":\"i\"}],\"BuildCache\":[{\"ID\":\"b\"}]}");
    assert_answered(
        "GET", "/v1.41/system/df",
        "{\"LayersSize\":11,\"Images\":[{\"Id\":\"i\"},{\"Id\":\"i\"}],\"Containers\":[{\"Names\":[\"/n1/web\"]}],"
        "\"Volumes\":[{\"Driver\":\"local\",\"Mountpoint\":\"/v/data\",\"Name\":\"n1/data\",\"Labels\":{\"tier\":"
        "\"db\"},\"Scope\":\"local\"}," SHARED "],\"BuildCache\":[{\"ID\":\"b\"}],\"BuilderSize\":2}");
}

static void test_disk_usage_of_one_kind(void **state)
{
    api_node_answer(0, 200, USAGE);
    api_node_answer(1, 500, "{\"message\":\"broken\"}"); /* is left out */
    assert_answered("GET", "/v1.42/system/df?type=container",
                    "{\"LayersSize\":0,\"Containers\":[{\"Names\":[\"/n1/web\"]}]}");
    api_node_answer(0, 500, "{\"message\":\"broken\"}");
    api_assert_refused("GET", "/system/df", NULL, 500, "broken");
    api_assert_refused("GET", "/v1.42/system/df?type=image&type=x", NULL, 400, "unknown object type: x");
}

static void test_images_of_disk_usage_are_those_of_the_clients_version(void **state)
{
    api_node_answer(0, 200, "{\"Images\":[{\"Size\":5}]}");
    api_node_answer(1, 200, "{\"Images\":[{\"Size\":5,\"VirtualSize\":5}]}");
    assert_answered("GET", "/v1.43/system/df?type=image",
                    "{\"LayersSize\":0,\"Images\":[{\"Size\":5,\"VirtualSize\":5},{\"Size\":5,\"VirtualSize\":5}]}");
    assert_answered("GET", "/v1.44/system/df?type=image", "{\"LayersSize\":0,\"Images\":[{\"Size\":5},{\"Size\":5}]}");
}

/* --- what there is not --- */

static void test_swarm_mode_is_refused(void **state)
{
    static const char *const paths[] = {"/services", "/nodes/x", "/v1.41/secrets", "/swarm", "/tasks?filters={}"};
    struct http_result result;

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        api_ask("GET", paths[i], NULL, &result);
        assert_int_equal(result.status, 503);
        assert_non_null(strstr(result.body, "Use \\\"docker info\\\" to list the nodes"));
        http_result_clear(&result);
    }
    api_ask("POST", "/swarm/init", "{}", &result);
    assert_int_equal(result.status, 501);
    http_result_clear(&result);
}

static void test_plugins_of_all_nodes(void **state)
{
    api_node_answer(0, 200, "[{\"Name\":\"a\",\"Id\":1},{\"Name\":\"b\"}]");
    api_node_answer(1, 200, "[{\"Name\":\"a\",\"Id\":2},{\"Name\":\"c\"}]");
    assert_answered("GET", "/plugins", "[{\"Name\":\"a\",\"Id\":1},{\"Name\":\"b\"},{\"Name\":\"c\"}]");
    api_assert_refused("POST", "/plugins/pull", NULL, 501,
                       "plugins are managed per engine; talk to the engine directly");
}

static void test_one_plugin(void **state)
{
    static const char *const names[] = {"a:latest", "a", "b", "1f"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[64];

        api_node_answer(0, 200, "[]");
        api_node_answer(1, 200, "[{\"Name\":\"a:latest\",\"Id\":\"1f2e\"},{\"Name\":\"b\",\"Id\":\"1f3e\"}]");
        snprintf(path, sizeof(path), "/plugins/%s/json", names[i]);
        assert_answered("GET", path,
                        i == 2 ? "{\"Name\":\"b\",\"Id\":\"1f3e\"}" : "{\"Name\":\"a:latest\",\"Id\":\"1f2e\"}");
    }
}

static void test_unknown_plugin(void **state)
{
    api_node_answer(0, 200, "[{\"Name\":\"ab:latest\",\"Id\":\"1f2e\"},7]");
    api_node_answer(1, 200, "[{\"Name\":\"b:other\"}]");
    api_assert_refused("GET", "/plugins/a/json", NULL, 404, "plugin \"a\" not found");
    api_node_answer(0, 200, "[{\"Name\":\"ab:latest\",\"Id\":\"1f2e\"},7]");
    api_node_answer(1, 200, "[{\"Name\":\"b:other\"}]");
    api_assert_refused("GET", "/plugins/b/json", NULL, 404, "plugin \"b\" not found");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_local_volumes_are_listed_with_their_node),
        TEST(test_list_without_volumes_is_empty),
        TEST(test_name_that_is_asked_for_is_one_volume),
        TEST(test_names_are_shown_as_the_option_says),
        TEST(test_filters),
        TEST(test_dangling_ones_have_no_container),
        TEST(test_inspect_of_a_plain_name),
        TEST(test_volume_is_made_on_all_nodes),
        TEST(test_one_node_that_made_it_is_enough),
        TEST(test_without_a_name_all_get_the_same),
        TEST(test_node_may_be_named),
        TEST(test_whitelist_says_which_nodes),
        TEST(test_volume_is_removed_where_it_is),
        TEST(test_one_that_has_gone_meanwhile_is_no_failure),
        TEST(test_volume_in_use_stays),
        TEST(test_unknown_volume),
        TEST(test_update_is_passed_to_one_that_has_it),
        TEST(test_volume_prune_tells_nodes),
        TEST(test_old_engine_does_not_prune_more_than_is_asked_for),
        TEST(test_old_engine_prunes_all_where_that_is_asked_for),
        TEST(test_old_client_has_named_volumes_pruned_by_new_engines),
        TEST(test_prune_with_an_unknown_filter),
        TEST(test_prunes_where_nobody_is_well),
        TEST(test_old_engine_keeps_of_builds_what_is_to_be_kept),
        TEST(test_container_prune_is_known_at_once),
        TEST(test_network_and_build_prune),
        TEST(test_failed_prune_tells_what_was_done_elsewhere),
        TEST(test_prune_leaves_out_a_node_that_is_lost),
        TEST(test_disk_usage_of_all_nodes),
        TEST(test_disk_usage_of_one_kind),
        TEST(test_images_of_disk_usage_are_those_of_the_clients_version),
        TEST(test_swarm_mode_is_refused),
        TEST(test_plugins_of_all_nodes),
        TEST(test_one_plugin),
        TEST(test_unknown_plugin),
    };

    return cmocka_run_group_tests(tests, api_nodes_set_up, api_nodes_tear_down);
}
