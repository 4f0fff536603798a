/* SPDX-License-Identifier: Apache-2.0 */
/* Networks of a pool of two nodes, from the client's end and from the engines'. */
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

/* Entries as engines list them. */
#define ENTRY(id, name, driver, scope, more)                                                                           \
    "{\"Name\":\"" name "\",\"Id\":\"" id "\",\"Scope\":\"" scope "\",\"Driver\":\"" driver                            \
    "\",\"Containers\":{},\"Options\":{}" more "}"
#define NET(id, name) ENTRY(id, name, "bridge", "local", "")
#define NONE1 ENTRY("11110000000000000000", "none", "null", "local", "")
#define NONE2 ENTRY("22220000000000000000", "none", "null", "local", "")
#define FRONT NET("abc000000000111111", "front")
#define BACK ENTRY("abc111000000111111", "back", "macvlan", "local", ",\"Labels\":{\"tier\":\"db\",\"new\":\"field\"}")
#define WIDE ENTRY("fff000000000111111", "wide", "overlay", "swarm", "")

/* An endpoint in a container's list entry. */
#define ON(id, endpoint)                                                                                               \
    "{\"x\":{\"NetworkID\":\"" id "\",\"EndpointID\":\"" endpoint                                                      \
    "\",\"MacAddress\":\"02:42\",\"IPAddress\":\"10.1.0.2\",\"IPPrefixLen\":16}}"
#define SHOWN(container, name)                                                                                         \
    "\"" container "\":{\"Name\":\"" name                                                                              \
    "\",\"EndpointID\":\"e1\",\"MacAddress\":\"02:42\",\"IPv4Address\":\"10.1.0.2/16\",\"IPv6Address\":\"\"}"

static int set_up(void **state)
{
    api_nodes_reset();
    api_node_set_networks(0, "[" NONE1 "," FRONT "," WIDE "]");
    api_node_set_networks(1, "[" BACK "," NONE2 "," WIDE "]");
    return 0;
}

/* The names that a list shows, in its order, with blanks between. */
static void assert_listed(const char *filters, const char *names)
{
    char path[512], got[512] = "";
    json_t *list, *entry;
    size_t i;

    snprintf(path, sizeof(path), "/networks?filters=%s", filters);
    list = api_get(path);
    json_array_foreach (list, i, entry) {
        strcat(got, i > 0 ? " " : "");
        strcat(got, json_string_value(json_object_get(entry, "Name")));
    }
    assert_string_equal(got, names);
    json_decref(list);
}

/* --- list --- */

static void test_local_networks_are_listed_with_their_node(void **state)
{
    assert_listed("", "n1/front n1/none n2/back n2/none wide");
}

static void test_entries_are_as_the_engine_gave_them(void **state)
{
    api_assert_text("GET", "/networks?filters={\"driver\":[\"macvlan\"]}", 200,
                    "[" ENTRY("abc111000000111111", "n2/back", "macvlan", "local",
                              ",\"Labels\":{\"tier\":\"db\",\"new\":\"field\"}") "]\n");
}

static void test_entry_without_containers_gets_them(void **state)
{
    api_node_set_networks(0, "[{\"Id\":\"abc1\",\"Containers\":{\"stale\":{}},\"Name\":\"a\",\"Scope\":\"local\"}]");
    api_assert_text("GET", "/networks?filters={\"node\":[\"n1\"]}", 200,
                    "[{\"Id\":\"abc1\",\"Name\":\"n1/a\",\"Scope\":\"local\",\"Containers\":{}}]\n");
}

static void test_running_containers_are_shown_in_their_networks(void **state)
{
    api_node_add_container(0, "c1", "web", ON("abc000000000111111", "e1"), "[]");
    api_node_add_container(0, "c2", "ended", ON("abc000000000111111", ""), "[]");
    api_assert_text("GET", "/networks?filters={\"name\":[\"n1/front\"]}", 200,
                    "[{\"Name\":\"n1/front\",\"Id\":\"abc000000000111111\",\"Scope\":\"local\",\"Driver\":\"bridge\","
                    "\"Containers\":{" SHOWN("c1", "web") "},\"Options\":{}}]\n");
}

static void test_network_of_several_nodes_has_the_containers_of_all(void **state)
{
    json_t *list;

    api_node_add_container(0, "c1", "web", ON("fff000000000111111", "e1"), "[]");
    api_node_add_container(1, "c2", "db", ON("fff000000000111111", "e2"), "[]");
    list = api_get("/networks?filters={\"scope\":[\"swarm\"]}");
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(json_object_size(json_object_get(json_array_get(list, 0), "Containers")), 2);
    json_decref(list);
}

static void test_only_one_of_a_name_is_listed_by_it(void **state)
{
    assert_listed("{\"name\":[\"front\"]}", "front");
    assert_listed("{\"name\":[\"ron\"]}", "n1/front");
    assert_listed("{\"name\":[\"front\",\"a\"]}", "front n2/back");
    assert_listed("{\"name\":[\"none\"]}", "n1/none n2/none");
    assert_listed("{\"name\":[\"n2/none\"]}", "n2/none");
    assert_listed("{\"name\":[\"^back$\"]}", "n2/back");
}

static void test_names_are_shown_as_the_option_says(void **state)
{
    api_manager.options.node_prefix = NODE_PREFIX_ALWAYS;
    assert_listed("{\"name\":[\"front\"]}", "n1/front");
    api_manager.options.node_prefix = NODE_PREFIX_NEVER;
    assert_listed("", "back front none none wide");
    assert_listed("{\"name\":[\"n2/none\"]}", "none");
    api_node_answer(0, 200, "{\"NetworksDeleted\":[\"front\"]}");
    api_node_answer(1, 200, "{\"NetworksDeleted\":[\"front\",\"back\"]}");
    api_assert_text("POST", "/networks/prune", 200, "{\"NetworksDeleted\":[\"front\",\"back\"]}");
    api_manager.options.node_prefix = NODE_PREFIX_AUTO;
}

static void test_filters(void **state)
{
    assert_listed("{\"id\":[\"abc1\"]}", "n2/back");
    assert_listed("{\"id\":[\"bc1\"]}", "");
    assert_listed("{\"node\":[\"n2\"]}", "n2/back n2/none wide");
    assert_listed("{\"type\":[\"builtin\"]}", "n1/none n2/none");
    assert_listed("{\"type\":[\"custom\"]}", "n1/front n2/back wide");
    assert_listed("{\"scope\":[\"swarm\"]}", "wide");
    assert_listed("{\"label\":[\"tier=db\"]}", "n2/back");
    assert_listed("{\"label\":[\"tier=web\"]}", "");
    assert_listed("{\"driver\":[\"bridge\",\"overlay\"]}", "n1/front wide");
}

static void test_dangling_ones_have_no_running_container(void **state)
{
    api_node_add_container(0, "c1", "web", ON("abc000000000111111", "e1"), "[]");
    assert_listed("{\"dangling\":[\"true\"]}", "n2/back wide");
    assert_listed("{\"dangling\":[\"false\"]}", "n1/front n1/none n2/none");
}

static void test_bad_filters_are_named(void **state)
{
    api_assert_refused("GET", "/networks?filters={\"bogus\":[\"1\"]}", NULL, 400, "invalid filter 'bogus'");
    api_assert_refused("GET", "/networks?filters={\"type\":[\"x\"]}", NULL, 400, "Invalid filter: 'type'='x'");
    api_assert_refused("GET", "/networks?filters={\"dangling\":[\"x\"]}", NULL, 400, "invalid filter 'dangling=x'");
}

static void test_answer_asked_for_earlier_changes_nothing(void **state)
{
    uint64_t ticket = pool_ticket(api_manager.pool);
    json_t *none = json_array();

    api_node_set_networks(0, "[" FRONT "]");
    pool_apply_networks(api_manager.pool, api_nodes[0].engine, ticket, none);
    json_decref(none);
    assert_listed("{\"node\":[\"n1\"]}", "n1/front");
}

/* --- inspect --- */

static void test_inspect_asks_the_networks_engine(void **state)
{
    api_assert_text("GET", "/v1.40/networks/front?verbose=1", 200, "{}");
    api_node_last(0, "GET /v1.40/networks/abc000000000111111?verbose=1 HTTP");
    api_assert_text("GET", "/networks/n2/back", 200, "{}");
    api_node_last(1, "GET /v1.41/networks/abc111000000111111 HTTP");
    api_assert_text("GET", "/networks/abc1110", 200, "{}");
    api_assert_text("GET", "/networks/ID2/none", 200, "{}");
    api_node_last(1, "GET /v1.41/networks/22220000000000000000 HTTP");
}

static void test_what_every_node_has_is_that_of_the_first(void **state)
{
    int before = api_node_asked(1, "/networks/none");

    api_assert_text("GET", "/networks/none", 200, "{}");
    api_node_last(0, "GET /v1.41/networks/none HTTP");
    http_peer_kill(api_nodes[0].peer);
    api_assert_text("GET", "/networks/none", 200, "{}");
    http_peer_revive(api_nodes[0].peer);
    assert_int_equal(api_node_asked(1, "/networks/none"), before + 1);
    pool_set_state(api_manager.pool, api_nodes[0].engine, ENGINE_UNHEALTHY, 1, "down");
    api_assert_text("GET", "/networks/none", 200, "{}");
    assert_int_equal(api_node_asked(1, "/networks/none"), before + 2);
}

static void test_unknown_and_ambiguous_are_told_apart(void **state)
{
    api_node_set_networks(1, "[" NET("cc0000", "front") "]");
    api_assert_refused("GET", "/networks/nothing", NULL, 404, "No such network: nothing");
    api_assert_refused("DELETE", "/networks/nothing", NULL, 404, "No such network nothing");
    api_assert_refused("GET", "/networks/front", NULL, 400,
                       "Network name front is ambiguous: it exists on nodes n1, n2; use n1/front");
}

static void test_network_of_a_lost_node_is_told_as_it_was(void **state)
{
    pool_set_state(api_manager.pool, api_nodes[0].engine, ENGINE_UNHEALTHY, 1, "down");
    api_assert_text("GET", "/networks/front", 200, FRONT);
}

static void test_inspect_of_a_wide_one_has_all_containers(void **state)
{
    json_t *network;

    api_node_answer(0, 200, "{\"Name\":\"wide\",\"Containers\":{\"c1\":{\"Name\":\"live\"}}}");
    api_node_add_container(0, "c1", "web", ON("fff000000000111111", "e1"), "[]");
    api_node_add_container(1, "c2", "db", ON("fff000000000111111", "e2"), "[]");
    network = api_get("/networks/wide");
    assert_int_equal(json_object_size(json_object_get(network, "Containers")), 2);
    json_decref(network);
}

/* --- create --- */

static void post(const char *path, const char *body, int status)
{
    struct http_result result;

    api_ask("POST", path, body, &result);
    if (result.status != status)
        fail_msg("%s: %d %s", path, result.status, result.body);
    http_result_clear(&result);
}

static void test_without_a_driver_it_is_a_bridge_on_one_node(void **state)
{
    int before = api_node_asked(0, "/networks/create") + api_node_asked(1, "/networks/create");

    api_node_answer(0, 201, "{\"Id\":\"new\",\"Warning\":\"\"}");
    api_node_answer(1, 201, "{\"Id\":\"new\",\"Warning\":\"\"}");
    post("/networks/create", "{\"Name\":\"mine\",\"Driver\":null,\"New\":1}", 201);
    assert_int_equal(api_node_asked(0, "/networks/create") + api_node_asked(1, "/networks/create"), before + 1);
}

static void test_node_may_be_named(void **state)
{
    const char *request;

    api_node_answer(1, 201, "{\"Id\":\"new\"}");
    post("/v1.40/networks/create", "{\"Name\":\"n2/front\",\"CheckDuplicate\":true,\"New\":1}", 201);
    request = api_node_last(1, "POST /v1.40/networks/create HTTP");
    assert_non_null(strstr(request, "{\"Name\":\"front\",\"CheckDuplicate\":true,\"New\":1,\"Driver\":\"bridge\"}"));
}

static void test_created_network_is_known_at_once(void **state)
{
    api_node_answer(1, 201, "{\"Id\":\"dd0000\"}");
    http_peer_lock(api_nodes[1].peer);
    api_nodes[1].networks = "[" NET("dd0000", "mine") "]";
    http_peer_unlock(api_nodes[1].peer);
    post("/networks/create", "{\"Name\":\"n2/mine\",\"Driver\":\"bridge\"}", 201);
    assert_listed("{\"name\":[\"mine\"]}", "mine");
}

static void test_node_that_does_not_answer_is_passed_over(void **state)
{
    int before = api_node_asked(0, "/networks/create");
    char refusal[200];

    api_node_answer(0, 201, "{\"Id\":\"new\"}");
    api_node_answer(1, 201, "{\"Id\":\"new\"}");
    api_node_set_networks(1, "[" NONE2 "]");
    http_peer_kill(api_nodes[1].peer);
    for (int i = 1; i <= 4; i++) { /* whichever node is chosen first */
        char body[64];

        snprintf(body, sizeof(body), "{\"Name\":\"mine%d\",\"Driver\":\"bridge\"}", i);
        post("/networks/create", body, 201);
    }
    assert_int_equal(api_node_asked(0, "/networks/create"), before + 4);
    snprintf(refusal, sizeof(refusal), "Cannot connect to the Docker daemon at tcp://%s. Is the docker daemon running?",
             http_peer_address(api_nodes[1].peer));
    api_assert_refused("POST", "/networks/create", "{\"Name\":\"n2/x\"}", 500, refusal);
    http_peer_revive(api_nodes[1].peer);
}

static void test_settings_are_those_of_a_network_of_its_node(void **state)
{
    const char *request;

    api_node_answer(1, 201, "{\"Id\":\"new\"}");
    for (int i = 1; i <= 4; i++)
        post("/networks/create", "{\"Name\":\"mine\",\"ConfigFrom\":{\"Network\":\"n2/back\"}}", 201);
    request = api_node_last(1, "POST /v1.41/networks/create HTTP");
    assert_non_null(strstr(request, "{\"Name\":\"mine\",\"ConfigFrom\":{\"Network\":\"back\"},\"Driver\":\"bridge\"}"));
    api_node_answer(0, 404, "{\"message\":\"configuration network nothing does not exist\"}");
    api_assert_refused("POST", "/networks/create", "{\"Name\":\"n1/x\",\"ConfigFrom\":{\"Network\":\"nothing\"}}", 404,
                       "configuration network nothing does not exist");
}

#define OF_PROJECT "\"Labels\":{\"com.docker.compose.project\":\"shop\"}"

/* What was in a volume before the manager began tells that it was used there. */
static void test_network_of_a_project_goes_to_its_volumes_data(void **state)
{
    static const char volumes[] = "{\"Volumes\":[{\"Name\":\"data\",\"Driver\":\"local\"," OF_PROJECT "}]}";
    int looked = api_node_asked(0, "/system/df"), before = api_node_asked(1, "/networks/create");

    api_node_set_volumes(0, volumes);
    api_node_set_volumes(1, volumes);
    api_node_answer(0, 200, "{\"Volumes\":[{\"Name\":\"data\",\"UsageData\":{\"Size\":0}}]}");
    api_node_answer(1, 200, "{\"Volumes\":[{\"Name\":\"data\",\"UsageData\":{\"Size\":7}}]}");
    for (int i = 0; i < 4; i++) {
        char body[160];

        snprintf(body, sizeof(body), "{\"Name\":\"shop-%d\",\"Driver\":\"bridge\"," OF_PROJECT "}", i);
        post("/networks/create", body, 200);
        api_node_set_volumes(1, volumes);
    }
    assert_int_equal(api_node_asked(1, "/networks/create"), before + 4);
    assert_int_equal(api_node_asked(0, "/system/df"), looked + 1);
}

static void test_name_is_taken_on_any_node(void **state)
{
    api_assert_refused("POST", "/networks/create", "{\"Name\":\"front\"}", 409,
                       "network with name front already exists");
    api_assert_refused("POST", "/networks/create", "{\"Name\":\"back\"}", 409, "network with name back already exists");
}

static void test_engines_refusal_is_passed_on(void **state)
{
    api_node_answer(0, 403, "{\"message\":\"no more subnets\"}");
    api_assert_refused("POST", "/networks/create", "{\"Name\":\"n1/x\"}", 403, "no more subnets");
    api_assert_refused("POST", "/networks/create", "[]", 400,
                       "invalid JSON: an object is expected as the request's body");
}

/* A member of what it says of itself. */
static void set_info(int number, const char *key, const char *value)
{
    struct failure failure = {0};
    char id[8], name[8];
    json_t *info, *version = canned_json("version");

    snprintf(id, sizeof(id), "ID%d", number + 1);
    snprintf(name, sizeof(name), "n%d", number + 1);
    info = canned_info(id, name);
    json_object_set_new(info, "Swarm", json_object());
    json_object_set_new(info, key, json_loads(value, 0, NULL));
    assert_int_equal(pool_apply_specs(api_manager.pool, api_nodes[number].engine, info, version, "1", &failure), 0);
    json_decref(info);
    json_decref(version);
}

static void test_without_a_driver_it_is_an_overlay_where_that_is_possible(void **state)
{
    set_info(1, "Swarm", "{\"LocalNodeState\":\"active\",\"ControlAvailable\":true}");
    api_node_answer(1, 201, "{\"Id\":\"new\"}");
    post("/networks/create", "{\"Name\":\"spanning\"}", 201);
    set_info(1, "Swarm", "{}");
    assert_non_null(strstr(api_node_last(1, "POST /v1.41/networks/create HTTP"),
                           "{\"Name\":\"spanning\",\"Driver\":\"overlay\",\"Attachable\":true}"));
}

static void test_driver_that_one_node_has_goes_there(void **state)
{
    int before = api_node_asked(1, "/networks/create");

    set_info(1, "Plugins", "{\"Network\":[\"bridge\",\"special\"]}");
    api_node_answer(1, 201, "{\"Id\":\"new\"}");
    for (int i = 1; i <= 4; i++)
        post("/networks/create", "{\"Name\":\"driven\",\"Driver\":\"special\"}", 201);
    assert_int_equal(api_node_asked(1, "/networks/create"), before + 4);
    api_node_answer(0, 404, "{\"message\":\"plugin not found\"}");
    api_node_answer(1, 404, "{\"message\":\"plugin not found\"}");
    api_assert_refused("POST", "/networks/create", "{\"Name\":\"driven\",\"Driver\":\"other\"}", 404,
                       "plugin not found");
    set_info(1, "Swarm", "{}");
}

/* --- remove --- */

static void test_removed_network_is_gone_at_once(void **state)
{
    api_node_answer(0, 204, "");
    api_assert_text("DELETE", "/networks/front", 204, "");
    api_node_last(0, "DELETE /v1.41/networks/abc000000000111111 HTTP");
    assert_listed("{\"node\":[\"n1\"]}", "n1/none wide");
}

static void test_refusal_of_a_removal_is_passed_on(void **state)
{
    api_node_answer(0, 403, "{\"message\":\"it has active endpoints\"}");
    api_assert_refused("DELETE", "/networks/front", NULL, 403, "it has active endpoints");
    assert_listed("{\"name\":[\"front\"]}", "front");
    pool_set_state(api_manager.pool, api_nodes[0].engine, ENGINE_UNHEALTHY, 1, "down");
    api_assert_refused("DELETE", "/networks/front", NULL, 500, "Network front is on node n1, which is not healthy");
}

/* --- connect, disconnect --- */

static void test_container_is_named_by_its_id(void **state)
{
    api_node_add_container(1, "c2c2", "db", "{}", "[]");
    post("/v1.40/networks/back/connect", "{\"Container\":\"n2/db\",\"EndpointConfig\":{\"Aliases\":[\"x\"]}}", 200);
    assert_non_null(strstr(api_node_last(1, "POST /v1.40/networks/abc111000000111111/connect HTTP"),
                           "{\"Container\":\"c2c2\",\"EndpointConfig\":{\"Aliases\":[\"x\"]}}"));
}

static void test_name_that_is_ambiguous_is_that_of_the_containers_node(void **state)
{
    api_node_add_container(1, "c2c2", "db", "{}", "[]");
    post("/networks/none/disconnect", "{\"Container\":\"db\"}", 200);
    api_node_last(1, "POST /v1.41/networks/22220000000000000000/disconnect HTTP");
}

static void test_network_of_another_node_is_refused(void **state)
{
    api_node_add_container(1, "c2c2", "db", "{}", "[]");
    api_assert_refused("POST", "/networks/front/connect", "{\"Container\":\"db\"}", 409,
                       "network front is on node n1, container db is on node n2");
    api_assert_refused("POST", "/networks/nothing/connect", "{\"Container\":\"db\"}", 404, "No such network: nothing");
    api_assert_refused("POST", "/networks/back/connect", "{\"Container\":\"no\"}", 404, "No such container: no");
    api_assert_refused("POST", "/networks/back/connect", "garbage", 404, "Container is not specified");
}

static void test_forced_disconnect_of_a_container_that_is_gone(void **state)
{
    post("/networks/back/disconnect", "{\"Container\":\"gone\",\"Force\":true}", 200);
    assert_non_null(strstr(api_node_last(1, "POST /v1.41/networks/abc111000000111111/disconnect HTTP"),
                           "{\"Container\":\"gone\",\"Force\":true}"));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_local_networks_are_listed_with_their_node),
        TEST(test_entries_are_as_the_engine_gave_them),
        TEST(test_entry_without_containers_gets_them),
        TEST(test_running_containers_are_shown_in_their_networks),
        TEST(test_network_of_several_nodes_has_the_containers_of_all),
        TEST(test_only_one_of_a_name_is_listed_by_it),
        TEST(test_names_are_shown_as_the_option_says),
        TEST(test_filters),
        TEST(test_dangling_ones_have_no_running_container),
        TEST(test_bad_filters_are_named),
        TEST(test_answer_asked_for_earlier_changes_nothing),
        TEST(test_inspect_asks_the_networks_engine),
        TEST(test_what_every_node_has_is_that_of_the_first),
        TEST(test_unknown_and_ambiguous_are_told_apart),
        TEST(test_network_of_a_lost_node_is_told_as_it_was),
        TEST(test_inspect_of_a_wide_one_has_all_containers),
        TEST(test_without_a_driver_it_is_a_bridge_on_one_node),
        TEST(test_node_may_be_named),
        TEST(test_created_network_is_known_at_once),
        TEST(test_node_that_does_not_answer_is_passed_over),
        TEST(test_settings_are_those_of_a_network_of_its_node),
        TEST(test_network_of_a_project_goes_to_its_volumes_data),
        TEST(test_name_is_taken_on_any_node),
        TEST(test_engines_refusal_is_passed_on),
        TEST(test_without_a_driver_it_is_an_overlay_where_that_is_possible),
        TEST(test_driver_that_one_node_has_goes_there),
        TEST(test_removed_network_is_gone_at_once),
        TEST(test_refusal_of_a_removal_is_passed_on),
        TEST(test_container_is_named_by_its_id),
        TEST(test_name_that_is_ambiguous_is_that_of_the_containers_node),
        TEST(test_network_of_another_node_is_refused),
        TEST(test_forced_disconnect_of_a_container_that_is_gone),
    };

    return cmocka_run_group_tests(tests, api_nodes_set_up, api_nodes_tear_down);
}
