/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "fixture.h"
#include "heap.h"
#include "mem.h"
#include "request.h"

/* Recorded states: what is written, what is read, what is refused. */

static char *written(const struct swarm_cluster *cluster)
{
    char *json = NULL;
    size_t length = 0;
    assert_int_equal(swarm_cluster_write(cluster, &json, &length, NULL), 0);
    assert_int_equal(length, strlen(json));
    return json;
}

static struct swarm_cluster *read_back(const char *json)
{
    struct swarm_cluster *cluster = NULL;
    struct swarm_error *error = NULL;
    if (swarm_cluster_read(&cluster, json, strlen(json), &error) != 0)
        fail_msg("%s", swarm_error_message(error));
    return cluster;
}

/* Everything but the generation, which is the first word's. */
static void assert_same_state(const struct swarm_cluster *a, const struct swarm_cluster *b)
{
    char *of_a = state_of(a), *of_b = state_of(b);
    assert_string_equal(strstr(of_a, " nodes "), strstr(of_b, " nodes "));
    free(of_a);
    free(of_b);
}

static void assert_round_trip(const struct swarm_cluster *cluster)
{
    char *json = written(cluster);
    struct swarm_cluster *copy = read_back(json);
    char *again = written(copy);
    assert_string_equal(again, json);
    assert_same_state(cluster, copy);
    swarm_cluster_free(copy);
    swarm_free(json);
    swarm_free(again);
}

#define FULL_REQUEST                                                                                                   \
    "name=web cpus=1 memory=1 resource=gpu:2 resource=disk:3 label=app=web label=com.docker.swarm.id=s1 "              \
    "port=127.0.0.1:80 port=8000-8010 "                                                                                \
    "expose=443/tcp net=host volumes=db:ro link=db:alias constraint=zone==~eu* kept=node=x affinity=image==app "       \
    "whitelist=node==a|b"

static struct swarm_cluster *full_cluster(void)
{
    struct swarm_cluster *cluster = new_cluster();
    struct swarm_node *node = add_sized_node(cluster, "a", 4, 8), *other = add_node(cluster, "b", "");
    label_node(node, "zone=eu containerslots=5");
    add_image_to(node, "sha256:1", "app:1 app:2");
    assert_int_equal(swarm_node_set_address(node, "10.0.0.1:2375", NULL), 0);
    assert_int_equal(swarm_node_set_overcommit(node, 0.05, NULL), 0);
    assert_int_equal(swarm_node_set_resource(node, "gpu", 4, NULL), 0);
    assert_int_equal(swarm_node_set_resource(node, "a licence", 1, NULL), 0);
    assert_int_equal(swarm_node_set_health(node, 50, NULL), 0);
    assert_int_equal(swarm_node_set_availability(other, SWARM_AVAILABILITY_DRAINING, NULL), 0);
    struct swarm_container *container = add_container(node, "c1", FULL_REQUEST);
    static const struct swarm_bound_port bound[] = {{"", "80"}, {"10.0.0.1", "8001"}};
    assert_int_equal(swarm_container_set_bound_ports(container, bound, 2, NULL), 0);
    assert_int_equal(swarm_container_set_names(container, (const char *[]){"web", "db/alias"}, 2, NULL), 0);
    assert_int_equal(swarm_container_set_state(container, SWARM_CONTAINER_EXITED, NULL), 0);
    assert_int_equal(swarm_container_set_running_since(container, 1234567890123, NULL), 0);
    add_container(other, "c2", "");
    take_place(node, "name=soon cpus=1");
    assert_int_equal(swarm_cluster_hold_name(cluster, "later", NULL), 0);
    assert_int_equal(swarm_cluster_hold_name(cluster, "kept", NULL), 0);
    return cluster;
}

/* The text is published: it changes together with SWARM_STATE_VERSION, or only by members that may be left out. */
static const char full_text[] =
    "{\"swarm_state\":1,\"held_names\":[\"kept\",\"later\"],\"nodes\":[{\"id\":\"a\",\"name\":\"a\",\"address\":\"10."
    "0.0.1:2375\",\"cpus_milli\":4000,\"memory\":8589934592,\"overcommit\":0.050000000000000003,\"health\":50,"
    "\"availability\":\"activ"
    "e\",\"resources\":{\"a licence\":1,\"gpu\":4},\"labels\":{\"containerslots\":\"5\",\"zone\":\"eu\"},\"images\":["
    "\"sha256:1\",\"app:1\",\"app\",\"app:2\",\"app\"],\"containers\":[{\"id\":\"c1\",\"state\":\"exited\",\"running_"
    "since_ms\":1234567890123,\"names\":[\"web\",\"db/alias\"],\"bound_ports\":[{\"host_ip\":\"\",\"host_port\":\"80"
    "\"},{\"host_ip\":\"10.0.0.1\",\"host_port\":\"8001\"}],\"request\":{\"name\":\"web\",\"cpus_milli\":1000,\"memor"
    "y\":1073741824,\"resources\":{\"gpu\":2,\"disk\":3},\"labels\":{\"app\":\"web\",\"com.docker.swarm.id\":\"s1\"},"
    "\"network_mode\":\"host\",\"constraints\":[\"zone==~eu*\",\"node=x\"],\"affinities\":[\"image==app\"],\"whitelis"
    "ts\":[\"node==a|b\"],\"ports\":[{\"container_port\":\"80/tcp\",\"host_ip\":\"127.0.0.1\",\"host_port\":\"80\"},{"
    "\"container_port\":\"80/tcp\",\"host_ip\":\"\",\"host_port\":\"8000-8010\"}],\"exposed_ports\":[\"443/tcp\"],\"v"
    "olumes_from\":[\"db:ro\"],\"links\":[\"db:alias\"]}}],\"reservations\":[{\"request\":{\"name\":\"soon\",\"cpus_m"
    "illi\":1000}}]},{\"id\":\"b\",\"name\":\"\",\"address\":\"\",\"cpus_milli\":0,\"memory\":0,\"overcommit\":0.0,\""
    "health\":100,\"availability\":\"draining\",\"containers\":[{\"id\":\"c2\",\"state\":\"created\",\"names\":[],\"r"
    "equest\":{}}]}]}";

static void test_all_of_it_is_written(void **state)
{
    struct swarm_cluster *cluster = full_cluster();
    char *json = written(cluster);
    assert_string_equal(json, full_text);
    swarm_free(json);
    swarm_cluster_free(cluster);
}

static void test_all_of_it_is_read(void **state)
{
    struct swarm_cluster *cluster = full_cluster();
    assert_round_trip(cluster);
    swarm_cluster_free(cluster);
    cluster = new_cluster();
    assert_round_trip(cluster);
    swarm_cluster_free(cluster);
}

static void test_only_ids_are_needed(void **state)
{
    static const char json[] = " {\"nodes\": [{\"id\": \"a\", \"overcommit\": 1, \"containers\": [{\"id\": \"c\"}, "
                               "{\"id\": \"d\", \"request\": {\"name\": \"web\"}}], \"reservations\": [{}]}], "
                               "\"swarm_state\": 1}\n";
    struct swarm_cluster *cluster = read_back(json);
    struct swarm_node *node = swarm_cluster_find_node(cluster, "a");
    assert_string_equal(swarm_node_name(node), "");
    assert_int_equal(swarm_node_health(node), 100);
    assert_int_equal(swarm_node_availability(node), SWARM_AVAILABILITY_ACTIVE);
    assert_int_equal(swarm_node_container_count(node), 2);
    assert_string_equal(swarm_container_name(swarm_cluster_find_container(cluster, node, "d")), "web");
    assert_non_null(swarm_cluster_next_reservation(cluster, NULL));
    swarm_cluster_free(cluster);
    swarm_cluster_free(read_back("{\"swarm_state\":1}"));
}

/* Setters cut one slash off a name; it is none of the name's own. */
static void test_names_with_slashes_stay(void **state)
{
    struct swarm_cluster *cluster = new_cluster();
    struct swarm_node *node = add_node(cluster, "a", "/a");
    struct swarm_request *request = request_of("");
    assert_int_equal(swarm_request_set_name(request, "//web", NULL), 0);
    struct swarm_container *container = NULL;
    assert_int_equal(swarm_cluster_add_container(cluster, node, "c", request, &container, NULL), 0);
    swarm_request_unref(request);
    assert_string_equal(swarm_container_name(container), "web"); /* it is a setter, too */
    assert_round_trip(cluster);
    assert_int_equal(swarm_container_set_names(container, (const char *[]){"///x", "", "/"}, 3, NULL), 0);
    assert_int_equal(swarm_cluster_hold_name(cluster, "//held", NULL), 0);
    assert_round_trip(cluster);
    swarm_cluster_free(cluster);
}

/* A container that came to be while its name was held, and a place with the swarm id of a container on the same node.
 */
static void test_states_that_setters_would_refuse_or_merge(void **state)
{
    struct swarm_cluster *cluster = new_cluster();
    struct swarm_node *node = add_node(cluster, "a", "a");
    assert_int_equal(swarm_cluster_hold_name(cluster, "web", NULL), 0);
    add_container(node, "c", "name=web swarmid=s");
    take_place(node, "name=web swarmid=s");
    assert_round_trip(cluster);
    char *json = written(cluster);
    struct swarm_cluster *copy = read_back(json);
    assert_int_equal(swarm_cluster_container_count(copy), 1);
    swarm_free(json);
    swarm_cluster_free(copy);
    swarm_cluster_free(cluster);
}

/* What a container carries that no setter would take. */
static void test_flawed_parts_are_kept(void **state)
{
    static const char body[] = "{\"Image\":\"i\",\"Labels\":{\"com.docker.swarm.constraints\":\"[\\\"node=x\\\"]\"},"
                               "\"ExposedPorts\":{\"web\":{}},\"HostConfig\":{\"Links\":[\"\"],\"VolumesFrom\":[\":\"],"
                               "\"PortBindings\":{\"x\":[{\"HostPort\":\"http\"}]}}}";
    struct swarm_cluster *cluster = new_cluster();
    struct swarm_node *node = add_node(cluster, "a", "a");
    struct swarm_request *request = NULL;
    assert_int_equal(swarm_request_from_create(&request, body, strlen(body), NULL), 0);
    assert_int_equal(request->port_count + request->exposed_count + request->extras->constraints.count, 3);
    assert_int_equal(swarm_cluster_add_container(cluster, node, "c", request, NULL, NULL), 0);
    assert_round_trip(cluster);
    swarm_request_unref(request);
    swarm_cluster_free(cluster);
}

static void test_reservations_go_on(void **state)
{
    struct swarm_cluster *cluster = new_cluster();
    struct swarm_node *node = add_sized_node(cluster, "a", 4, 4);
    take_place(node, "name=one cpus=1");
    take_place(node, "name=two cpus=2");
    char *json = written(cluster);
    struct swarm_cluster *copy = read_back(json);
    struct swarm_node *there = swarm_cluster_find_node(copy, "a");
    assert_int_equal(swarm_node_used_cpus_milli(there), 3000);
    struct swarm_reservation *place = swarm_cluster_next_reservation(copy, NULL);
    struct swarm_reservation *next = swarm_cluster_next_reservation(copy, place);
    assert_ptr_not_equal(place, next);
    assert_null(swarm_cluster_next_reservation(copy, next));
    assert_ptr_equal(swarm_reservation_node(place), there);
    if (strcmp(swarm_request_name(swarm_reservation_request(place)), "one") != 0) {
        struct swarm_reservation *other = place;
        place = next;
        next = other;
    }
    assert_int_equal(swarm_reservation_commit(place, "c1", NULL, NULL), 0);
    swarm_reservation_abort(next);
    assert_int_equal(swarm_node_used_cpus_milli(there), 1000);
    assert_null(swarm_cluster_next_reservation(copy, NULL));
    assert_null(swarm_cluster_next_reservation(NULL, NULL));
    swarm_free(json);
    swarm_cluster_free(copy);
    swarm_cluster_free(cluster);
}

static void test_what_stopped_containers_count_for(void **state)
{
    for (int flags = 0; flags <= SWARM_COUNT_ALL; flags++) {
        struct swarm_cluster *cluster = full_cluster();
        assert_int_equal(swarm_cluster_set_stopped_counts(cluster, flags, NULL), 0);
        assert_round_trip(cluster);
        char *json = written(cluster);
        struct swarm_cluster *copy = read_back(json);
        assert_int_equal(swarm_cluster_stopped_counts(copy), flags);
        assert_int_equal(swarm_node_used_cpus_milli(swarm_cluster_find_node(copy, "a")),
                         flags & SWARM_COUNT_RESOURCES ? 2000 : 1000);
        swarm_free(json);
        swarm_cluster_free(copy);
        swarm_cluster_free(cluster);
    }
}

/* ---- what is refused ---- */

static void expect(const char *json, const char *message)
{
    struct swarm_cluster *cluster = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_cluster_read(&cluster, json, strlen(json), &error), SWARM_ERR_PARSE);
    assert_null(cluster);
    assert_int_equal(swarm_error_code(error), SWARM_ERR_PARSE);
    assert_string_equal(swarm_error_message(error), message);
    swarm_error_free(error);
    assert_int_equal(swarm_cluster_read(&cluster, json, strlen(json), NULL), SWARM_ERR_PARSE);
}

/* What is wrong within nodes[0]. */
static void expect_in_node(const char *members, const char *message)
{
    char json[1000], whole[1000];
    snprintf(json, sizeof(json), "{\"swarm_state\":1,\"nodes\":[{\"id\":\"a\",%s}]}", members);
    snprintf(whole, sizeof(whole), "state: nodes[0]%s", message);
    expect(json, whole);
}

static void test_other_versions_are_refused(void **state)
{
    static const char what[] = "state: a recorded state is expected: an object with \"swarm_state\": 1";
    expect("{\"swarm_state\":2,\"anything\":[]}",
           "state: swarm_state: version 2 is not known: this library reads version 1");
    expect("{}", what);
    expect("[]", what);
    expect("{\"swarm_state\":\"1\"}", what);
    expect("{\"swarm_state\":1", "state: invalid JSON: line 1, column 17: the text ends too early");
    expect("", "state: invalid JSON: line 1, column 1: the text ends too early");
    expect("{\"swarm_state\":1,\"swarm_state\":1}",
           "state: invalid JSON: line 1, column 32: the member before is there twice");
}

static void test_bad_nodes_are_named(void **state)
{
    expect("{\"swarm_state\":1,\"node\":[]}", "state: [\"node\"]: no such member is known");
    expect("{\"swarm_state\":1,\"nodes\":{}}", "state: nodes: a list is expected");
    expect("{\"swarm_state\":1,\"nodes\":[7]}", "state: nodes[0]: an object is expected");
    expect("{\"swarm_state\":1,\"nodes\":[{}]}", "state: nodes[0].id: an id is needed");
    expect("{\"swarm_state\":1,\"nodes\":[{\"id\":\"a\"},{\"id\":\"a\"}]}",
           "state: nodes[1].id: node a exists already");
    expect("{\"swarm_state\":1,\"stopped_counts\":[\"ports\",\"names\"]}",
           "state: stopped_counts[1]: 'names': one of ports, slots, resources is expected");
    expect("{\"swarm_state\":1,\"held_names\":[\"a\",7]}", "state: held_names[1]: a string is expected");
    expect("{\"swarm_state\":1,\"held_names\":[\"a\",\"\"]}",
           "state: held_names[1]: hold: a cluster and a name are needed");
    expect_in_node("\"colour\":1", "[\"colour\"]: no such member is known");
    expect_in_node("\"name\":null", ".name: a string is expected");
    expect_in_node("\"health\":101", ".health: 101: 0 to 100 is expected");
    expect_in_node("\"health\":5.5", ".health: an integer is expected");
    expect_in_node("\"memory\":-1", ": node a: capacity of 0 milli-CPU and -1 bytes: 0 or more is expected");
    expect_in_node("\"overcommit\":\"5%\"", ".overcommit: a number is expected");
    expect_in_node("\"overcommit\":-1",
                   ".overcommit: node a: overcommit -1: more than -1 and less than 1000000 is expected");
    expect_in_node("\"availability\":\"idle\"",
                   ".availability: 'idle': one of active, paused, draining, unannounced is expected");
    expect_in_node("\"labels\":{\"a.b\":1}", ".labels[\"a.b\"]: a string is expected");
    expect_in_node("\"resources\":{\"gpu\":\"1\"}", ".resources[\"gpu\"]: an integer is expected");
    expect_in_node("\"resources\":{\"gpu\":-1}", ".resources[\"gpu\"]: node a: -1 of gpu: 0 or more is expected");
    expect_in_node("\"images\":[\"x\",{}]", ".images[1]: a string is expected");
}

static void test_bad_containers_are_named(void **state)
{
    expect_in_node("\"containers\":[[]]", ".containers[0]: an object is expected");
    expect_in_node("\"containers\":[{\"id\":\"\"}]", ".containers[0].id: an id is needed");
    expect_in_node("\"containers\":[{\"id\":\"c\"},{\"id\":\"c\"}]",
                   ".containers[1]: node a has a container c already");
    expect_in_node("\"containers\":[{\"id\":\"c\",\"state\":\"gone\"}]",
                   ".containers[0].state: 'gone': one of created, running, paused, restarting, exited, dead is "
                   "expected");
    expect_in_node("\"containers\":[{\"id\":\"c\",\"running_since_ms\":\"now\"}]",
                   ".containers[0].running_since_ms: an integer is expected");
    expect_in_node("\"containers\":[{\"id\":\"c\",\"names\":\"web\"}]", ".containers[0].names: a list is expected");
    expect_in_node("\"containers\":[{\"id\":\"c\",\"bound_ports\":[{},80]}]",
                   ".containers[0].bound_ports[1]: an object is expected");
    expect_in_node("\"containers\":[{\"id\":\"c\",\"bound_ports\":[{\"port\":\"80\"}]}]",
                   ".containers[0].bound_ports[0][\"port\"]: no such member is known");
    expect_in_node("\"containers\":[{\"id\":\"c\",\"request\":{\"cpus_milli\":\"1\"}}]",
                   ".containers[0].request.cpus_milli: an integer is expected");
    expect_in_node("\"reservations\":[{\"id\":\"c\"}]", ".reservations[0][\"id\"]: no such member is known");
    expect_in_node("\"containers\":[{\"id\":\"c\",\"request\":{\"memory\":9223372036854775807}},"
                   "{\"id\":\"d\",\"request\":{\"memory\":1}}]",
                   ".containers[1]: memory used on node a would pass the greatest number");
    expect("{\"swarm_state\":9223372036854775808}", "state: invalid JSON: line 1, column 35: the number is too great");
}

static void expect_request(const char *json, const char *message)
{
    struct swarm_request *request = NULL;
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_request_read(&request, json, strlen(json), &error), SWARM_ERR_PARSE);
    assert_null(request);
    assert_string_equal(swarm_error_message(error), message);
    swarm_error_free(error);
}

static void test_bad_requests_are_named(void **state)
{
    expect_request("[]", "request: an object is expected");
    expect_request("{\"cpus\":1}", "request: [\"cpus\"]: no such member is known");
    expect_request("{\"memory\":-1}", "request: memory: memory: -1: 0 or more bytes are expected");
    expect_request("{\"memory_limit\":1,\"memory\":2}",
                   "request: memory_limit: memory: the reservation of 2 bytes is more than the limit of 1");
    expect_request("{\"image\":7}", "request: image: a string is expected");
    expect_request("{\"resources\":{\"gpu\":-1}}",
                   "request: resources[\"gpu\"]: resource gpu: -1: 0 or more is expected");
    expect_request("{\"labels\":[]}", "request: labels: an object is expected");
    expect_request("{\"constraints\":[\"a==b\",null]}", "request: constraints[1]: a string is expected");
    expect_request("{\"ports\":[{\"container_port\":80}]}", "request: ports[0].container_port: a string is expected");
    expect_request("{\"exposed_ports\":[80]}", "request: exposed_ports[0]: a string is expected");
    expect_request("{\"reschedule\":\"sometimes\"}",
                   "request: reschedule: 'sometimes': one of off, on-node-failure is expected");
}

static void test_a_request_of_its_own(void **state)
{
    struct swarm_request *request = request_of(FULL_REQUEST), *copy = NULL;
    assert_int_equal(swarm_request_set_image(request, "app:1", NULL), 0);
    assert_int_equal(swarm_request_set_cpus_limit_milli(request, 2500, NULL), 0);
    assert_int_equal(swarm_request_set_memory_limit(request, INT64_MAX, NULL), 0);
    assert_int_equal(swarm_request_set_network_mode(request, "container:n", NULL), 0);
    assert_int_equal(swarm_request_set_pid_mode(request, "container:p", NULL), 0);
    assert_int_equal(swarm_request_set_ipc_mode(request, "container:i", NULL), 0);
    assert_int_equal(swarm_request_set_reschedule_policy(request, SWARM_RESCHEDULE_ON_NODE_FAILURE, NULL), 0);
    /* As only an engine could report them. */
    assert_int_equal(swarm__request_keep_port(request, "x", NULL, "y", NULL), 0);
    assert_int_equal(swarm__request_keep_exposed_port(request, "", NULL), 0);
    assert_int_equal(swarm__request_keep_volumes_from(request, ":ro", NULL), 0);
    assert_int_equal(swarm__request_keep_link(request, "", NULL), 0);
    char *json = NULL, *again = NULL;
    size_t length;
    assert_int_equal(swarm_request_write(request, &json, &length, NULL), 0);
    assert_int_equal(swarm_request_read(&copy, json, length, NULL), 0);
    assert_int_equal(swarm_request_write(copy, &again, NULL, NULL), 0);
    assert_string_equal(again, json);
    assert_int_equal(swarm_request_cpus_limit_milli(copy), 2500);
    assert_true(swarm_request_memory_limit(copy) == INT64_MAX);
    assert_string_equal(copy->extras->pid_mode, "container:p");
    assert_string_equal(copy->extras->ipc_mode, "container:i");
    assert_int_equal(swarm_request_check(copy, NULL), SWARM_ERR_PARSE); /* "node=x" is kept */
    swarm_free(json);
    swarm_free(again);
    swarm_request_unref(copy);
    swarm_request_unref(request);
}

static void test_texts_that_are_not_utf8_are_named(void **state)
{
    static const char *const bad[] = {"\xff", "a\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct swarm_cluster *cluster = new_cluster();
        struct swarm_node *node = add_node(cluster, "\xe2\x82\xac \xf0\x9f\x90\xb3 \xc3\xa4", "a");
        char *json = written(cluster); /* these are UTF-8 */
        swarm_free(json);
        json = NULL;
        struct swarm_error *error = NULL;
        assert_int_equal(swarm_node_set_labels(node, (const char *[]){"k"}, &bad[i], 1, NULL), 0);
        assert_int_equal(swarm_cluster_write(cluster, &json, NULL, &error), SWARM_ERR_INVALID);
        assert_null(json);
        assert_string_equal(swarm_error_message(error),
                            "state: nodes[0].labels[\"k\"]: a text that is not UTF-8 cannot be written");
        swarm_error_free(error);
        assert_int_equal(swarm_node_set_labels(node, &bad[i], (const char *[]){"v"}, 1, NULL), 0);
        assert_int_equal(swarm_cluster_write(cluster, &json, NULL, &error), SWARM_ERR_INVALID);
        assert_string_equal(swarm_error_message(error),
                            "state: nodes[0].labels: a text that is not UTF-8 cannot be written");
        swarm_error_free(error);
        swarm_cluster_free(cluster);
    }
}

static void test_null_arguments(void **state)
{
    struct swarm_cluster *cluster = new_cluster();
    struct swarm_request *request = request_of("");
    char *json;
    assert_int_equal(swarm_cluster_write(NULL, &json, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_cluster_write(cluster, NULL, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_cluster_read(NULL, "{}", 2, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_cluster_read(&cluster, NULL, 0, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_request_write(NULL, &json, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_request_write(request, NULL, NULL, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_request_read(NULL, "{}", 2, NULL), SWARM_ERR_INVALID);
    assert_int_equal(swarm_request_read(&request, NULL, 0, NULL), SWARM_ERR_INVALID);
    swarm_request_unref(request);
    swarm_cluster_free(cluster);
}

/* ---- lack of memory ---- */

static void test_writing_runs_out_of_memory(void **state)
{
    struct swarm_cluster *cluster = full_cluster();
    for (int once = 0; once < 2; once++) {
        bool failed = true;
        for (size_t n = 0; failed; n++) {
            char *json = NULL;
            struct swarm_error *error = NULL;
            heap_fail(n, once);
            int code = swarm_cluster_write(cluster, &json, NULL, &error);
            failed = heap_failed();
            heap_restore();
            assert_int_equal(code, failed ? SWARM_ERR_NOMEM : 0);
            assert_int_equal(swarm_error_code(error), code);
            assert_int_equal(json == NULL, failed);
            swarm_error_free(error);
            swarm_free(json);
        }
    }
    swarm_cluster_free(cluster);
}

static void test_reading_runs_out_of_memory(void **state)
{
    for (int once = 0; once < 2; once++) {
        bool failed = true;
        for (size_t n = 0; failed; n++) {
            struct swarm_cluster *cluster = NULL;
            struct swarm_error *error = NULL;
            heap_fail(n, once);
            int code = swarm_cluster_read(&cluster, full_text, strlen(full_text), &error);
            failed = heap_failed();
            heap_restore();
            assert_int_equal(code, failed ? SWARM_ERR_NOMEM : 0);
            assert_int_equal(swarm_error_code(error), code);
            assert_int_equal(cluster == NULL, failed);
            swarm_error_free(error);
            swarm_cluster_free(cluster);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_of_it_is_written),
        cmocka_unit_test(test_all_of_it_is_read),
        cmocka_unit_test(test_only_ids_are_needed),
        cmocka_unit_test(test_names_with_slashes_stay),
        cmocka_unit_test(test_states_that_setters_would_refuse_or_merge),
        cmocka_unit_test(test_flawed_parts_are_kept),
        cmocka_unit_test(test_reservations_go_on),
        cmocka_unit_test(test_what_stopped_containers_count_for),
        cmocka_unit_test(test_other_versions_are_refused),
        cmocka_unit_test(test_bad_nodes_are_named),
        cmocka_unit_test(test_bad_containers_are_named),
        cmocka_unit_test(test_bad_requests_are_named),
        cmocka_unit_test(test_a_request_of_its_own),
        cmocka_unit_test(test_texts_that_are_not_utf8_are_named),
        cmocka_unit_test(test_null_arguments),
        cmocka_unit_test(test_writing_runs_out_of_memory),
        cmocka_unit_test(test_reading_runs_out_of_memory),
    };
    json_set_alloc_funcs(swarm__malloc, swarm__free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
