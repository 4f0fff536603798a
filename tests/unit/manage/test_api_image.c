/* SPDX-License-Identifier: Apache-2.0 */
/* Images of a pool of two nodes, from the client's end and from the engines'. */
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
#include "http_peer.h"

#define NODES 2

/* An engine: what it lists as its images, and what it answers to all else. */
struct node {
    struct http_peer *peer;
    struct engine *engine; /* borrowed from the pool */
    const char *images;
    int status;
    const char *body;
    size_t length; /* of a body with NULs; 0: of its text */
};
static struct node nodes[NODES];

#define BUSYBOX "{\"Id\":\"sha256:aaaa1111\",\"RepoTags\":[\"busybox:latest\",\"host:5000/box:1\"],\"RepoDigests\":[]}"
#define TOOL                                                                                                           \
    "{\"Id\":\"sha256:aaaa2222\",\"RepoTags\":[\"host:5000/box:2\"],\"RepoDigests\":[\"host:5000/box@sha256:01\"]}"

static void answer(void *data, const struct peer_request *request, struct peer_answer *answer)
{
    const struct node *node = data;

    answer->headers = "Content-Type: application/json\r\n";
    if (strcmp(request->path, "/v1.41/images/json") == 0) {
        answer->body = strdup(node->images);
    } else if (node->length > 0) {
        answer->body = malloc(node->length);
        answer->body_length = node->length;
        memcpy(answer->body, node->body, node->length);
    } else {
        answer->status = node->status;
        answer->body = strdup(node->body);
    }
}

static void set_images(int number, const char *images)
{
    json_t *list = json_loads(images, 0, NULL);

    nodes[number].images = images;
    pool_apply_images(api_manager.pool, nodes[number].engine, pool_ticket(api_manager.pool), list);
    json_decref(list);
}

static void add_node(int number)
{
    struct failure failure = {0};
    struct node *node = &nodes[number];
    char id[8], name[8];
    json_t *info, *version = canned_json("version");

    snprintf(id, sizeof(id), "ID%d", number + 1);
    snprintf(name, sizeof(name), "n%d", number + 1);
    info = canned_info(id, name);
    node->peer = http_peer_new(answer, node);
    node->engine = pool_add_engine(api_manager.pool, http_peer_address(node->peer), &failure);
    assert_non_null(node->engine);
    assert_int_equal(pool_apply_specs(api_manager.pool, node->engine, info, version, "1", &failure), 0);
    json_decref(info);
    json_decref(version);
}

static int set_up_all(void **state)
{
    if (api_set_up(state) != 0)
        return -1;
    for (int i = 0; i < NODES; i++)
        add_node(i);
    return 0;
}

static int tear_down_all(void **state)
{
    api_tear_down(state);
    for (int i = 0; i < NODES; i++)
        http_peer_free(nodes[i].peer);
    return 0;
}

static void set_answer(int number, int status, const char *body)
{
    http_peer_lock(nodes[number].peer);
    nodes[number].status = status;
    nodes[number].body = body;
    nodes[number].length = 0;
    http_peer_unlock(nodes[number].peer);
}

/* Before each: both are well, both have busybox, the second has the tool. */
static int set_up(void **state)
{
    for (int i = 0; i < NODES; i++) {
        pool_set_state(api_manager.pool, nodes[i].engine, ENGINE_HEALTHY, 0, NULL);
        set_answer(i, 200, "{}");
    }
    set_images(0, "[" BUSYBOX "]");
    set_images(1, "[" BUSYBOX "," TOOL "]");
    return 0;
}

static int count(int number, const char *part)
{
    return http_peer_count(nodes[number].peer, part);
}

static void assert_last(int number, const char *line)
{
    const char *request = http_peer_last(nodes[number].peer, line);

    if (request == NULL)
        fail_msg("node %d was not asked: %s", number + 1, line);
}

/* --- one of them --- */

static void test_names_of_all_kinds_are_passed_on(void **state)
{
    api_assert_text("GET", "/images/host:5000/box:2/json", 200, "{}");
    assert_last(1, "GET /v1.41/images/host:5000/box:2/json HTTP");
    api_assert_text("GET", "/v1.40/images/host:5000%2Fbox@sha256:01/history", 200, "{}");
    assert_last(1, "GET /v1.40/images/host:5000/box@sha256:01/history HTTP");
    api_assert_text("GET", "/images/aaaa2/json?platform=x", 200, "{}");
    assert_last(1, "GET /v1.41/images/aaaa2/json?platform=x HTTP");
    api_assert_text("GET", "/images/sha256:aaaa2222/json", 200, "{}");
    assert_last(1, "GET /v1.41/images/sha256:aaaa2222/json HTTP");
    api_assert_text("GET", "/images/docker.io/library/busybox/json", 200, "{}");
    assert_last(0, "GET /v1.41/images/docker.io/library/busybox/json HTTP");
}

static void test_image_is_described_in_the_clients_version(void **state)
{
    set_answer(0, 200, "{\"Id\":\"x\",\"ContainerConfig\":{},\"Size\":5,\"New\":1.5}");
    api_assert_text("GET", "/v1.43/images/busybox/json", 200,
                    "{\"Id\":\"x\",\"ContainerConfig\":{},\"Size\":5,\"New\":1.5,\"VirtualSize\":5}");
    set_answer(0, 200, "{\"Id\":\"x\",\"ContainerConfig\":{},\"Size\":5,\"VirtualSize\":5}");
    api_assert_text("GET", "/v1.44/images/busybox/json", 200, "{\"Id\":\"x\",\"ContainerConfig\":{},\"Size\":5}");
    api_assert_text("GET", "/v1.45/images/busybox/json", 200, "{\"Id\":\"x\",\"Size\":5}");
    set_answer(0, 404, "{\"message\":\"it has gone\"}");
    api_assert_refused("GET", "/images/busybox/json", NULL, 404, "it has gone");
    api_assert_text("HEAD", "/images/host:5000/box:2/json", 200, "");
}

static void test_beginning_of_two_ids_is_ambiguous(void **state)
{
    api_assert_refused("GET", "/images/aaaa/json", NULL, 404, "No such image: aaaa: several ids begin with it");
}

static void test_node_that_cannot_be_reached_is_passed_over(void **state)
{
    int before = count(1, "/images/busybox/json");

    http_peer_kill(nodes[0].peer);
    api_assert_text("GET", "/images/busybox/json", 200, "{}");
    assert_int_equal(count(1, "/images/busybox/json"), before + 1);
    http_peer_revive(nodes[0].peer);
    pool_set_state(api_manager.pool, nodes[0].engine, ENGINE_UNHEALTHY, 3, "no pings");
    api_assert_text("GET", "/images/busybox/json", 200, "{}");
    assert_int_equal(count(1, "/images/busybox/json"), before + 2);
}

static void test_image_of_a_lost_node_is_said_to_be_there(void **state)
{
    pool_set_state(api_manager.pool, nodes[1].engine, ENGINE_UNHEALTHY, 3, "no pings");
    api_assert_refused("GET", "/images/host:5000/box:2/json", NULL, 500,
                       "Image host:5000/box:2 is on node n2 only, which is not healthy");
    api_assert_refused("POST", "/images/host:5000/box:2/tag?repo=x", NULL, 500, "node n2 is not healthy: no pings");
}

static void test_what_nobody_has_an_engine_denies(void **state)
{
    set_answer(0, 404, "{\"message\":\"No such image: none:latest\"}");
    api_assert_refused("GET", "/images/none/json", NULL, 404, "No such image: none:latest");
    api_assert_refused("DELETE", "/images/none?force=1", NULL, 404, "No such image: none:latest");
    assert_last(0, "DELETE /v1.41/images/none?force=1 HTTP");
    for (int i = 0; i < NODES; i++)
        pool_set_state(api_manager.pool, nodes[i].engine, ENGINE_UNHEALTHY, 3, "no pings");
    api_assert_refused("GET", "/images/none/json", NULL, 404, "No such image: none:latest");
}

static void test_push_goes_to_the_node_with_that_tag(void **state)
{
    int before = count(0, "/push");

    api_assert_text("POST", "/images/host:5000/box/push?tag=2", 200, "{}");
    assert_last(1, "POST /v1.41/images/host:5000/box/push?tag=2 HTTP");
    api_assert_text("POST", "/images/host:5000/box/push", 200, "{}"); /* all tags: the second has more of them */
    assert_last(1, "POST /v1.41/images/host:5000/box/push HTTP");
    assert_int_equal(count(0, "/push"), before);
}

static void test_archive_comes_from_who_has_all(void **state)
{
    api_assert_text("GET", "/images/get?names=busybox&names=host:5000/box:2", 200, "{}");
    assert_last(1, "GET /v1.41/images/get?names=busybox&names=host:5000/box:2 HTTP");
    api_assert_refused("GET", "/images/get?names=busybox&names=none", NULL, 404,
                       "Unable to find a healthy engine containing all images: [busybox none]");
    api_assert_refused("GET", "/images/get", NULL, 400, "no image is named: the parameter names is missing");
    api_assert_text("GET", "/images/host:5000/box/get", 200, "{}");
    assert_last(1, "GET /v1.41/images/host:5000/box/get HTTP");
}

static void put_file(char *at, const char *name, const char *text)
{
    unsigned sum = 0;

    strcpy(at, name);
    sprintf(at + 124, "%011zo", strlen(text));
    memset(at + 148, ' ', 8);
    for (int i = 0; i < 512; i++)
        sum += (unsigned char)at[i];
    sprintf(at + 148, "%06o", sum);
    strcpy(at + 512, text);
}

/* The node saves an archive of one image. */
static void set_archive(int number)
{
    static char archive[512 * 6];

    memset(archive, 0, sizeof(archive));
    put_file(archive, "1.json", "content");
    put_file(archive + 1024, "manifest.json", "[{\"Config\":\"1.json\"}]");
    set_answer(number, 200, archive);
    http_peer_lock(nodes[number].peer);
    nodes[number].length = sizeof(archive);
    http_peer_unlock(nodes[number].peer);
}

/* Each of the nodes has another tag. */
static void set_spread(void)
{
    set_images(0, "[{\"Id\":\"sha256:bbbb1111\",\"RepoTags\":[\"tool:1\",\"tool:2\"],\"RepoDigests\":null}]");
    set_images(
        1, "[{\"Id\":\"sha256:bbbb2222\",\"RepoTags\":[\"tool:2\",\"tool:3\"],\"RepoDigests\":[\"tool@sha256:1\"]}]");
}

static void test_archive_of_several_nodes(void **state)
{
    struct http_result result;

    set_spread();
    for (int i = 0; i < NODES; i++)
        set_archive(i);
    api_ask("GET", "/images/get?names=tool&platform=linux", NULL, &result);
    assert_int_equal(result.status, 200);
    assert_last(0, "GET /v1.41/images/get?names=tool%3A1&names=tool%3A2&platform=linux HTTP");
    assert_last(1, "GET /v1.41/images/get?names=tool%3A3&platform=linux HTTP");
    /* The file, which both have, once, the list, the end. */
    assert_int_equal(result.length, 512 * (2 + 2 + 2));
    assert_string_equal(result.body, "1.json");
    assert_string_equal(result.body + 1024, "manifest.json");
    assert_string_equal(result.body + 1536, "[{\"Config\":\"1.json\"}]");
    http_result_clear(&result);
    api_ask("GET", "/images/tool/get", NULL, &result);
    assert_int_equal(result.length, 512 * (2 + 2 + 2));
    http_result_clear(&result);
    api_ask("GET", "/images/get?names=bbbb1&names=bbbb2", NULL, &result);
    assert_int_equal(result.status, 200);
    assert_last(1, "GET /v1.41/images/get?names=bbbb2 HTTP");
    http_result_clear(&result);
    api_ask("GET", "/images/get?names=tool:2&names=tool:1", NULL, &result); /* one has it all */
    assert_int_equal(result.length, 512 * 6);
    assert_last(0, "GET /v1.41/images/get?names=tool:2&names=tool:1 HTTP");
    http_result_clear(&result);
}

static void test_archive_that_fails(void **state)
{
    char why[200];

    set_spread();
    set_answer(0, 404, "{\"message\":\"it has gone\"}");
    api_assert_refused("GET", "/images/get?names=tool", NULL, 404, "it has gone");
    set_answer(0, 200, "garbage");
    snprintf(why, sizeof(why), "the archive of the engine at %s: the archive ended too early",
             http_peer_address(nodes[0].peer));
    api_assert_refused("GET", "/images/get?names=tool", NULL, 500, why);
    set_archive(0); /* then it has begun, and all that can be done is to cut it */
    set_answer(1, 404, "{\"message\":\"it has gone\"}");
    api_assert_cut("GET", "/images/get?names=tool");
}

static void test_all_tags_are_pushed_from_where_they_are(void **state)
{
    int before = count(0, "/push");

    set_spread();
    api_assert_text("POST", "/images/tool/push?platform=x", 200, "{}{}");
    assert_last(0, "POST /v1.41/images/tool/push?tag=&platform=x HTTP");
    assert_last(1, "POST /v1.41/images/tool/push?tag=3&platform=x HTTP");
    assert_int_equal(count(0, "/push"), before + 1);
    set_answer(1, 500, "{\"message\":\"broken\"}");
    api_assert_text("POST", "/images/tool/push", 200,
                    "{}{\"errorDetail\":{\"message\":\"broken\"},\"error\":\"broken\"}");
    set_answer(0, 400, "{\"message\":\"bad auth\"}");
    api_assert_refused("POST", "/images/tool/push", NULL, 400, "bad auth");
}

static void test_any_node_asks_the_registry(void **state)
{
    int before = count(1, "/auth");

    api_assert_text("GET", "/images/search?term=x", 200, "{}");
    assert_last(0, "GET /v1.41/images/search?term=x HTTP");
    api_assert_text("GET", "/distribution/host:5000/a/b:1/json", 200, "{}");
    assert_last(0, "GET /v1.41/distribution/host:5000/a/b:1/json HTTP");
    api_assert_refused("GET", "/images/viz", NULL, 501, "Not supported in clustering mode.");
    http_peer_kill(nodes[0].peer);
    {
        struct http_result result;

        api_ask("POST", "/auth", "{\"username\":\"me\"}", &result);
        assert_int_equal(result.status, 200);
        http_result_clear(&result);
    }
    assert_int_equal(count(1, "/auth"), before + 1);
    assert_non_null(strstr(http_peer_last(nodes[1].peer, "/auth"), "{\"username\":\"me\"}"));
    http_peer_revive(nodes[0].peer);
}

/* --- all of them --- */

static void test_tag_goes_to_all_that_have_it(void **state)
{
    int before = count(0, "/tag");

    set_answer(0, 201, "");
    set_answer(1, 201, "");
    api_assert_text("POST", "/images/busybox/tag?repo=new&tag=1", 201, "");
    assert_last(0, "POST /v1.41/images/busybox/tag?repo=new&tag=1 HTTP");
    assert_last(1, "POST /v1.41/images/busybox/tag?repo=new&tag=1 HTTP");
    api_assert_text("POST", "/images/host:5000/box:2/tag?repo=new&tag=2", 201, "");
    assert_int_equal(count(0, "/tag"), before + 1);
}

static void test_removal_is_told_once(void **state)
{
    set_answer(0, 200, "[{\"Untagged\":\"busybox:latest\"},{\"Deleted\":\"sha256:aaaa1111\"}]");
    set_answer(1, 200, "[{\"Untagged\":\"busybox:latest\"}]");
    nodes[0].images = nodes[1].images = "[]";
    api_assert_text("DELETE", "/images/busybox?noprune=1", 200,
                    "[{\"Untagged\":\"busybox:latest\"},{\"Deleted\":\"sha256:aaaa1111\"}]");
    assert_last(1, "DELETE /v1.41/images/busybox?noprune=1 HTTP");
    api_assert_text("GET", "/images/json", 200, "[]"); /* known at once */
}

static void test_refusal_has_the_engines_status_and_the_node(void **state)
{
    set_answer(0, 200, "[]");
    set_answer(1, 409, "{\"message\":\"conflict: it is used\"}");
    api_assert_refused("DELETE", "/images/busybox", NULL, 409, "n2: conflict: it is used");
    api_assert_refused("DELETE", "/images/host:5000/box:2", NULL, 409, "conflict: it is used");
    set_answer(0, 409, "{\"message\":\"conflict: it is used\"}");
    api_assert_refused("DELETE", "/images/busybox", NULL, 409, "conflict: it is used");
}

static void test_dead_node_does_not_make_it_a_failure(void **state)
{
    set_answer(1, 200, "[{\"Untagged\":\"busybox:latest\"}]");
    http_peer_kill(nodes[0].peer);
    api_assert_text("DELETE", "/images/busybox", 200, "[{\"Untagged\":\"busybox:latest\"}]");
    http_peer_revive(nodes[0].peer);
}

static void test_prune_adds_up(void **state)
{
    set_answer(0, 200, "{\"ImagesDeleted\":null,\"SpaceReclaimed\":0}");
    set_answer(1, 200, "{\"ImagesDeleted\":[{\"Deleted\":\"sha256:x\"}],\"SpaceReclaimed\":5000000000}");
    api_assert_text("POST", "/images/prune?filters=%7B%7D", 200,
                    "{\"ImagesDeleted\":[{\"Deleted\":\"sha256:x\"}],\"SpaceReclaimed\":5000000000}");
    assert_last(0, "POST /v1.41/images/prune?filters=%7B%7D HTTP");
    set_answer(0, 500, "{\"message\":\"broken\"}");
    api_assert_refused("POST", "/images/prune", NULL, 500, "n1: broken; reclaimed 5000000000 bytes on other nodes");
}

static void test_sizes_are_asked_for(void **state)
{
    json_t *list;
    int before = count(1, "/images/json");

    nodes[0].images =
        "[{\"Id\":\"sha256:aaaa1111\",\"RepoTags\":[\"busybox:latest\"],\"RepoDigests\":[],\"SharedSize\":7}]";
    pool_set_state(api_manager.pool, nodes[1].engine, ENGINE_UNHEALTHY, 3, "no pings");
    list = api_get("/images/json?shared-size=1");
    assert_last(0, "GET /v1.41/images/json?all=1&shared-size=1 HTTP");
    assert_int_equal(count(1, "/images/json"), before); /* what is known of it is shown */
    assert_int_equal(json_array_size(list), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "SharedSize")), 7);
    json_decref(list);
}

/* --- streams --- */

static void test_pull_is_told_as_of_one_engine(void **state)
{
    set_answer(0, 200, "{\"status\":\"Pulling from box\",\"id\":\"1\"}\r\n{\"status\":\"Digest: x\"}\r\n");
    set_answer(1, 200, "{\"status\":\"Pulling from box\",\"id\":\"1\"}\r\n{\"status\":\"Digest: x\"}\r\n");
    pool_set_state(api_manager.pool, nodes[1].engine, ENGINE_UNHEALTHY, 3, "no pings");
    api_assert_text("POST", "/images/create?fromImage=box&tag=1", 200,
                    "{\"status\":\"Pulling from box\",\"id\":\"1\",\"node\":\"n1\"}\r\n"
                    "{\"status\":\"Digest: x\",\"node\":\"n1\"}\r\n"
                    "{\"status\":\"Skipped: node n2 is not healthy: no pings\",\"node\":\"n2\"}\r\n");
    pool_set_state(api_manager.pool, nodes[1].engine, ENGINE_HEALTHY, 0, NULL);
    set_answer(1, 200, "{\"status\":\"Digest: x\"}");
    api_assert_text("POST", "/images/create?fromImage=box&tag=1&platform=p", 200,
                    "{\"status\":\"Pulling from box\",\"id\":\"1\",\"node\":\"n1\"}\r\n"
                    "{\"status\":\"Digest: x\",\"nodes\":[\"n1\",\"n2\"]}\r\n");
    assert_last(1, "POST /v1.41/images/create?fromImage=box&tag=1&platform=p HTTP");
}

static void test_pull_that_all_refuse_has_their_status(void **state)
{
    set_answer(0, 404, "{\"message\":\"manifest unknown\"}");
    set_answer(1, 404, "{\"message\":\"manifest unknown\"}");
    api_assert_refused("POST", "/images/create?fromImage=box&tag=1", NULL, 404, "manifest unknown");
}

static void test_error_of_one_node_comes_last(void **state)
{
    set_answer(0, 200, "{\"errorDetail\":{\"message\":\"no space left\"},\"error\":\"no space left\"}");
    set_answer(1, 200, "{\"status\":\"Digest: x\"}");
    api_assert_text(
        "POST", "/images/create?fromImage=box&tag=1", 200,
        "{\"status\":\"Digest: x\",\"nodes\":[\"n2\"]}\r\n"
        "{\"errorDetail\":{\"code\":1,\"message\":\"n1: no space left\"},\"error\":\"n1: no space left\"}\r\n");
    set_answer(0, 200, "{\"error\":\"cannot load linux image on windows\"}");
    api_assert_text("POST", "/images/load", 200,
                    "{\"status\":\"Skipped: cannot load linux image on windows\",\"node\":\"n1\"}\r\n"
                    "{\"status\":\"Digest: x\",\"nodes\":[\"n2\"]}\r\n");
}

static void test_error_that_all_tell_in_their_streams_is_told_so(void **state)
{
    for (int i = 0; i < 2; i++)
        set_answer(i, 200, "{\"errorDetail\":{\"message\":\"unexpected EOF\"},\"error\":\"unexpected EOF\"}");
    api_assert_text("POST", "/images/load", 200,
                    "{\"errorDetail\":{\"code\":1,\"message\":\"unexpected EOF\"},\"error\":\"unexpected EOF\"}\r\n");
}

static void test_load_passes_its_body_on(void **state)
{
    struct http_result result;

    set_answer(0, 200, "{\"stream\":\"Loaded image: x\\n\"}\r\n");
    set_answer(1, 200, "{\"stream\":\"Loaded image: x\\n\"}\r\n");
    api_ask("POST", "/images/load?quiet=1", "an archive", &result);
    assert_string_equal(result.body, "{\"stream\":\"Loaded image: x\\n\",\"nodes\":[\"n1\",\"n2\"]}\r\n");
    http_result_clear(&result);
    for (int i = 0; i < NODES; i++) {
        assert_last(i, "POST /v1.41/images/load?quiet=1 HTTP");
        assert_non_null(strstr(http_peer_last(nodes[i].peer, "/images/load"), "\r\n\r\nan archive"));
    }
}

static void test_import_is_made_once_and_given_to_the_others(void **state)
{
    struct http_result result;
    int before = count(1, "/images/create");

    set_answer(0, 200,
               "{\"status\":\"Importing\",\"progressDetail\":{\"current\":1}}\r\n{\"status\":\"sha256:new\"}\r\n");
    set_answer(1, 200, "{\"stream\":\"Loaded image: made:1\\n\"}");
    api_ask("POST", "/images/create?fromSrc=-&repo=made&tag=1&message=m", "a tree", &result);
    assert_string_equal(result.body, "{\"status\":\"Importing\",\"progressDetail\":{\"current\":1},\"node\":\"n1\"}\r\n"
                                     "{\"status\":\"sha256:new\"}\r\n");
    http_result_clear(&result);
    assert_last(0, "POST /v1.41/images/create?fromSrc=-&repo=made&tag=1&message=m HTTP");
    assert_last(0, "GET /v1.41/images/get?names=made%3A1 HTTP");
    assert_last(1, "POST /v1.41/images/load?quiet=1 HTTP");
    assert_int_equal(count(1, "/images/create"), before);
}

static void test_import_that_fails_is_given_to_nobody(void **state)
{
    int before = count(1, "/images/load");

    set_answer(0, 500, "{\"message\":\"no tar\"}");
    api_assert_refused("POST", "/images/create?fromSrc=-&repo=made", "nothing", 500, "no tar");
    assert_int_equal(count(1, "/images/load"), before);
}

static void test_import_tells_who_could_not_take_it(void **state)
{
    struct http_result result;

    set_answer(0, 200, "{\"status\":\"sha256:new\"}\r\n");
    set_answer(1, 500, "{\"message\":\"no space left\"}");
    api_ask("POST", "/images/create?fromSrc=http%3A%2F%2Fx", NULL, &result);
    assert_string_equal(result.body, "{\"status\":\"sha256:new\"}\r\n{\"errorDetail\":{\"code\":1,\"message\":\"no "
                                     "space left\"},\"error\":\"no space left\"}\r\n");
    http_result_clear(&result);
    assert_last(0, "GET /v1.41/images/get?names=sha256%3Anew HTTP");
}

static void test_nothing_is_pulled_without_a_node(void **state)
{
    for (int i = 0; i < NODES; i++)
        pool_set_state(api_manager.pool, nodes[i].engine, ENGINE_UNHEALTHY, 3, "no pings");
    api_assert_refused("POST", "/images/create?fromImage=x", NULL, 500,
                       "node n1 is not healthy: no pings\nnode n2 is not healthy: no pings");
    api_assert_refused("POST", "/images/create?fromSrc=-", "x", 500, "No healthy node available in the cluster");
    api_assert_refused("GET", "/images/search?term=x", NULL, 500, "No healthy node available in the cluster");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names_of_all_kinds_are_passed_on),
        TEST(test_image_is_described_in_the_clients_version),
        TEST(test_beginning_of_two_ids_is_ambiguous),
        TEST(test_node_that_cannot_be_reached_is_passed_over),
        TEST(test_image_of_a_lost_node_is_said_to_be_there),
        TEST(test_what_nobody_has_an_engine_denies),
        TEST(test_push_goes_to_the_node_with_that_tag),
        TEST(test_archive_comes_from_who_has_all),
        TEST(test_archive_of_several_nodes),
        TEST(test_archive_that_fails),
        TEST(test_all_tags_are_pushed_from_where_they_are),
        TEST(test_any_node_asks_the_registry),
        TEST(test_tag_goes_to_all_that_have_it),
        TEST(test_removal_is_told_once),
        TEST(test_refusal_has_the_engines_status_and_the_node),
        TEST(test_dead_node_does_not_make_it_a_failure),
        TEST(test_prune_adds_up),
        TEST(test_sizes_are_asked_for),
        TEST(test_pull_is_told_as_of_one_engine),
        TEST(test_pull_that_all_refuse_has_their_status),
        TEST(test_error_of_one_node_comes_last),
        TEST(test_error_that_all_tell_in_their_streams_is_told_so),
        TEST(test_load_passes_its_body_on),
        TEST(test_import_is_made_once_and_given_to_the_others),
        TEST(test_import_that_fails_is_given_to_nobody),
        TEST(test_import_tells_who_could_not_take_it),
        TEST(test_nothing_is_pulled_without_a_node),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
