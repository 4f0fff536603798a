/* SPDX-License-Identifier: Apache-2.0 */
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

struct api_node api_nodes[API_NODES];

static void answer(void *data, const struct peer_request *request, struct peer_answer *answer)
{
    const struct api_node *node = data;
    bool get = strcmp(request->method, "GET") == 0;

    answer->headers = "Content-Type: application/json\r\n";
    if (get && strcmp(request->path, "/v1.41/networks") == 0) {
        answer->body = strdup(node->networks);
    } else if (get && strcmp(request->path, "/v1.41/volumes") == 0 && request->query[0] == '\0') {
        answer->body = strdup(node->volumes);
    } else {
        answer->status = node->status;
        answer->body = strdup(node->body);
    }
}

static void add_node(int number)
{
    struct failure failure = {0};
    struct api_node *node = &api_nodes[number];
    char id[8], name[8];
    json_t *info, *version = canned_json("version");

    snprintf(id, sizeof(id), "ID%d", number + 1);
    snprintf(name, sizeof(name), "n%d", number + 1);
    info = canned_info(id, name);
    json_object_set_new(info, "Swarm", json_object());
    node->networks = "[]";
    node->volumes = "{\"Volumes\":[]}";
    node->peer = http_peer_new(answer, node);
    node->engine = pool_add_engine(api_manager.pool, http_peer_address(node->peer), &failure);
    assert_non_null(node->engine);
    assert_int_equal(pool_apply_specs(api_manager.pool, node->engine, info, version, "1", &failure), 0);
    json_decref(info);
    json_decref(version);
}

int api_nodes_set_up(void **state)
{
    if (api_set_up(state) != 0)
        return -1;
    for (int i = 0; i < API_NODES; i++)
        add_node(i);
    return 0;
}

int api_nodes_tear_down(void **state)
{
    api_tear_down(state);
    for (int i = 0; i < API_NODES; i++)
        http_peer_free(api_nodes[i].peer);
    return 0;
}

static void remove_containers(int number)
{
    struct listed_container *wanted;
    size_t count;

    assert_int_equal(pool_apply_listed(api_manager.pool, api_nodes[number].engine, pool_ticket(api_manager.pool),
                                       json_span_of("[]", 2), false, &wanted, &count),
                     0);
    free(wanted);
}

void api_nodes_reset(void)
{
    for (int i = 0; i < API_NODES; i++) {
        pool_set_state(api_manager.pool, api_nodes[i].engine, ENGINE_HEALTHY, 0, NULL);
        api_node_answer(i, 200, "{}");
        api_node_set_networks(i, "[]");
        api_node_set_volumes(i, "{\"Volumes\":null}");
        remove_containers(i);
    }
}

static json_t *take(int number, const char **member, const char *list)
{
    json_t *json = json_loads(list, 0, NULL);

    assert_non_null(json);
    http_peer_lock(api_nodes[number].peer);
    *member = list;
    http_peer_unlock(api_nodes[number].peer);
    return json;
}

void api_node_set_networks(int number, const char *list)
{
    struct api_node *node = &api_nodes[number];
    json_t *json = take(number, &node->networks, list);

    pool_apply_networks(api_manager.pool, node->engine, pool_ticket(api_manager.pool), json);
    json_decref(json);
}

void api_node_set_volumes(int number, const char *list)
{
    struct api_node *node = &api_nodes[number];
    json_t *json = take(number, &node->volumes, list);

    pool_apply_volumes(api_manager.pool, node->engine, pool_ticket(api_manager.pool), json);
    json_decref(json);
}

void api_node_answer(int number, int status, const char *body)
{
    http_peer_lock(api_nodes[number].peer);
    api_nodes[number].status = status;
    api_nodes[number].body = body;
    http_peer_unlock(api_nodes[number].peer);
}

void api_node_add_container(int number, const char *id, const char *name, const char *networks, const char *mounts)
{
    json_t *entry = canned_entry("web"), *settings = json_loads(networks, 0, NULL),
           *inspect = canned_json("inspect_web");
    char *text;

    assert_non_null(settings);
    json_object_set_new(inspect, "Id", json_string(id));
    json_object_set_new(inspect, "Name", json_sprintf("/%s", name));
    text = json_dumps(inspect, 0);
    json_object_set_new(entry, "Id", json_string(id));
    json_object_set_new(entry, "Names", json_pack("[o]", json_sprintf("/%s", name)));
    json_object_set_new(entry, "NetworkSettings", json_pack("{s:o}", "Networks", settings));
    json_object_set_new(entry, "Mounts", json_loads(mounts, 0, NULL));
    assert_int_equal(pool_apply_container(api_manager.pool, api_nodes[number].engine, pool_ticket(api_manager.pool),
                                          entry, text, strlen(text)),
                     0);
    free(text);
    json_decref(inspect);
    json_decref(entry);
}

int api_node_asked(int number, const char *part)
{
    return http_peer_count(api_nodes[number].peer, part);
}

const char *api_node_last(int number, const char *line)
{
    const char *request = http_peer_last(api_nodes[number].peer, line);

    if (request == NULL)
        fail_msg("node %d was not asked: %s", number + 1, line);
    return request;
}
