/* SPDX-License-Identifier: Apache-2.0 */
/* Where a create's image comes from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canned.h"
#include "create.h"
#include "create_fixture.h"
#include "pool.h"
#include "pull.h"

static void test_missing_image_is_pulled_on_that_engine(void **state)
{
    struct create_order order = {.name = "web", .auth = "c2VjcmV0", .platform = "linux/arm64"};
    struct failure failure = {0};
    json_t *answer = NULL;

    engine_peer_break(create_pool.engines[0], (struct engine_faults){.image_missing = true});
    engine_peer_break(create_pool.engines[1], (struct engine_faults){.image_missing = true});
    assert_int_equal(
        create_try("{\"Image\":\"reg:5000/busybox\",\"Env\":[\"constraint:node==node-0\"]}", order, &answer, &failure),
        0);
    assert_int_equal(http_peer_count(create_pool.engines[0]->http, "/images/create"), 1);
    assert_int_equal(http_peer_count(create_pool.engines[1]->http, "/images/create"), 0);
    create_asked(0, "/images/create", "?fromImage=reg%3A5000%2Fbusybox&tag=latest&platform=linux%2Farm64 HTTP/1.1\r\n");
    create_asked(0, "/images/create", "\r\nX-Registry-Auth: c2VjcmV0\r\n");
    json_decref(answer);
}

static void test_error_of_a_pull_is_told(void **state)
{
    for (int i = 0; i < 2; i++) {
        engine_peer_break(create_pool.engines[i],
                          (struct engine_faults){.image_missing = true, .pull_error = "no space left on device"});
    }
    create_refused("{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":67108864}}", (struct create_order){.name = "web"},
                   500, "no space left on device");
    create_nothing_reserved();
}

static void test_pull_without_credentials_is_no_such_image(void **state)
{
    for (int i = 0; i < 2; i++) {
        engine_peer_break(
            create_pool.engines[i],
            (struct engine_faults){
                .image_missing = true,
                .pull_error =
                    "pull access denied for private, repository does not exist or may require 'docker login'"});
    }
    create_refused("{\"Image\":\"private:1\"}", (struct create_order){.name = "web"}, 404, "No such image: private:1");
    create_refused("{\"Image\":\"private:1\"}", (struct create_order){.name = "web", .auth = "eA=="}, 404,
                   "pull access denied");
}

static void test_pull_of_what_no_registry_has_is_no_such_image(void **state)
{
    for (int i = 0; i < 2; i++) {
        engine_peer_break(
            create_pool.engines[i],
            (struct engine_faults){.image_missing = true, .pull_error = "manifest unknown: manifest unknown"});
    }
    create_refused("{\"Image\":\"absent:1\"}", (struct create_order){.name = "web"}, 404, "No such image: absent:1");
}

static void test_pull_that_cannot_begin_is_no_such_image(void **state)
{
    for (int i = 0; i < 2; i++) {
        engine_peer_break(create_pool.engines[i], (struct engine_faults){.image_missing = true,
                                                                         .pull_status = 500,
                                                                         .pull_error = "dial tcp: connection refused"});
    }
    create_refused("{\"Image\":\"far:1\"}", (struct create_order){.name = "web"}, 404,
                   "No such image: far:1: dial tcp: connection refused");
    create_nothing_reserved();
}

static void test_image_that_is_elsewhere_is_used_there(void **state)
{
    engine_peer_break(
        create_pool.engines[0],
        (struct engine_faults){.image_missing = true, .pull_error = "dial tcp: lookup registry: no such host"});
    fake_pool_set_pulled(&create_pool, 1, "busybox:latest", "busybox@sha256:1f2e");
    for (int i = 0; i < 4; i++) { /* wherever a tie sends them first */
        char name[16];

        snprintf(name, sizeof(name), "c%d", i);
        create_made("{\"Image\":\"busybox\"}", name);
    }
    assert_int_equal(engine_peer_count(create_pool.engines[1]), 4);
    assert_true(http_peer_count(create_pool.engines[0]->http, "/containers/create") > 0);
}

static void test_image_that_is_only_elsewhere_is_not_pulled(void **state)
{
    engine_peer_break(create_pool.engines[0], (struct engine_faults){.image_missing = true});
    fake_pool_set_images(&create_pool, 1, "app:1");
    for (int i = 0; i < 4; i++) {
        char name[16];

        snprintf(name, sizeof(name), "c%d", i);
        create_made("{\"Image\":\"docker.io/library/app:1\"}", name);
    }
    assert_int_equal(engine_peer_count(create_pool.engines[1]), 4);
    assert_int_equal(http_peer_count(create_pool.engines[0]->http, "/containers/create"), 0);
    assert_int_equal(http_peer_count(create_pool.engines[0]->http, "/images/create"), 0);
}

static void test_image_that_a_registry_has_is_pulled_where_it_is_wanted(void **state)
{
    engine_peer_break(create_pool.engines[0], (struct engine_faults){.image_missing = true});
    fake_pool_set_pulled(&create_pool, 1, "busybox:latest", "busybox@sha256:1f2e");
    create_made("{\"Image\":\"busybox\"}", "a");
    create_made("{\"Image\":\"busybox\"}", "b");
    assert_int_equal(engine_peer_count(create_pool.engines[0]), 1);
    assert_int_equal(http_peer_count(create_pool.engines[0]->http, "/images/create"), 1);
}

static void test_image_comes_to_the_place_that_is_demanded(void **state)
{
    json_t *body;

    engine_peer_break(create_pool.engines[0], (struct engine_faults){.image_missing = true});
    fake_pool_set_images(&create_pool, 1, "app:1");
    create_made("{\"Image\":\"app:1\",\"Cmd\":[\"x\"],\"Env\":[\"constraint:node==node-0\"]}", "web");
    assert_int_equal(http_peer_count(create_pool.engines[0]->http, "/images/create"), 0);
    create_asked(1, "/images/get", "/images/get?names=sha256%3A0a6d HTTP/1.1\r\n");
    assert_int_equal(http_peer_count(create_pool.engines[0]->http, "/images/load"), 1);
    body = engine_peer_body(create_pool.engines[0], "web");
    assert_non_null(body);
    assert_string_equal(json_string_value(json_object_get(body, "Image")), "sha256:0a6d");
    assert_int_equal(json_array_size(json_object_get(body, "Cmd")), 1);
    json_decref(body);
}

static void test_image_that_cannot_be_taken_over_is_told_of(void **state)
{
    engine_peer_break(create_pool.engines[0],
                      (struct engine_faults){.image_missing = true, .load_error = "no space left"});
    fake_pool_set_images(&create_pool, 1, "app:1");
    create_refused("{\"Image\":\"app:1\",\"Env\":[\"constraint:node==node-0\"]}", (struct create_order){.name = "web"},
                   500, ": no space left");
    create_nothing_reserved();
}

static void test_dry_run_tells_where_the_image_is(void **state)
{
    static const char json[] = "{\"Image\":\"app:1\"}";
    struct create_order order = {.name = "web"};
    struct failure failure = {0};
    char *text;
    size_t length;

    fake_pool_set_images(&create_pool, 1, "app:1");
    for (int i = 0; i < 4; i++) { /* however a tie is broken */
        assert_int_equal(swarm_create_body_parse(&order.body, json, strlen(json), NULL), 0);
        assert_int_equal(create_dry_run(&create_pool.manager, &order, &text, &length, &failure), 0);
        assert_non_null(strstr(text, "node-1"));
        assert_null(strstr(text, "\"node\":\"node-0\""));
        swarm_free(text);
        swarm_create_body_free(order.body);
    }
}

static void test_image_of_another_system_goes_where_it_fits(void **state)
{
    struct failure failure = {0};
    struct target target = {0};

    fake_pool_set_os(&create_pool, 1, "windows");
    engine_peer_break(
        create_pool.engines[0],
        (struct engine_faults){.create_status = 400,
                               .create_message = "image operating system \"windows\" cannot be used on this platform"});
    for (int i = 0; i < 3; i++) {
        char name[16];

        snprintf(name, sizeof(name), "c%d", i);
        create_made("{\"Image\":\"nanoserver\"}", name);
        assert_int_equal(pool_find_container(create_pool.manager.pool, name, &target, &failure), 0);
        assert_string_equal(target.node_name, "node-1");
        target_clear(&target);
    }
    assert_true(http_peer_count(create_pool.engines[0]->http, "/containers/create") > 0);
}

/* --- pull.h --- */

static void assert_split(const char *image, const char *repository, const char *tag)
{
    char *got_repository, *got_tag;

    assert_int_equal(pull_split_reference(image, &got_repository, &got_tag), 0);
    assert_string_equal(got_repository, repository);
    assert_string_equal(got_tag, tag);
    free(got_repository);
    free(got_tag);
}

static void test_references_are_split(void **state)
{
    assert_split("busybox", "busybox", "latest");
    assert_split("busybox:1.36", "busybox", "1.36");
    assert_split("reg:5000/a/b", "reg:5000/a/b", "latest");
    assert_split("reg:5000/a/b:2", "reg:5000/a/b", "2");
    assert_split("a@sha256:0123", "a", "sha256:0123");
}

static void test_ids_are_not_pulled(void **state)
{
    assert_false(pull_is_possible("sha256:0a6d38280ac4"));
    assert_false(pull_is_possible("0a6d38280ac493bb073d42743c9e3820b43e065c89f4ee8fb30286ccd57bb499"));
    assert_true(pull_is_possible("busybox"));
}

static void test_stream_without_error(void **state)
{
    static const char stream[] = "{\"status\":\"a\"}\r\n{\"status\":\"b\"}\r\n";

    assert_null(pull_stream_error(stream, strlen(stream)));
    assert_null(pull_stream_error("", 0));
}

static void test_error_at_the_end_of_a_stream(void **state)
{
    static const char stream[] = "{\"status\":\"a\"}\r\n{\"error\":\"plain\",\"errorDetail\":{\"message\":\"full\"}}";
    char *error = pull_stream_error(stream, strlen(stream));

    assert_string_equal(error, "full");
    free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CREATE_TEST(test_missing_image_is_pulled_on_that_engine),
        CREATE_TEST(test_error_of_a_pull_is_told),
        CREATE_TEST(test_pull_without_credentials_is_no_such_image),
        CREATE_TEST(test_pull_of_what_no_registry_has_is_no_such_image),
        CREATE_TEST(test_pull_that_cannot_begin_is_no_such_image),
        CREATE_TEST(test_image_that_is_elsewhere_is_used_there),
        CREATE_TEST(test_image_that_is_only_elsewhere_is_not_pulled),
        CREATE_TEST(test_image_that_a_registry_has_is_pulled_where_it_is_wanted),
        CREATE_TEST(test_image_comes_to_the_place_that_is_demanded),
        CREATE_TEST(test_image_that_cannot_be_taken_over_is_told_of),
        CREATE_TEST(test_dry_run_tells_where_the_image_is),
        CREATE_TEST(test_image_of_another_system_goes_where_it_fits),
        cmocka_unit_test(test_references_are_split),
        cmocka_unit_test(test_ids_are_not_pulled),
        cmocka_unit_test(test_stream_without_error),
        cmocka_unit_test(test_error_at_the_end_of_a_stream),
    };

    fake_pool_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
