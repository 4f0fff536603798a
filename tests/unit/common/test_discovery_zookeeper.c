/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no server: URLs and settings, and servers that are not there or are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "discovery.h"
#include "http_client.h"
#include "log.h"

/* A watch on its own thread, and the first thing that it told. */
struct story {
    struct discovery *discovery;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t said;
    char text[1024];
    int errors;
};

static struct discovery *open_discovery(const char *url, int ttl_ms)
{
    struct discovery_options options = {.url = url, .heartbeat_ms = 1000, .ttl_ms = ttl_ms};
    struct discovery *discovery = NULL;
    char *error = NULL;
    assert_int_equal(discovery_new(&discovery, &options, &error), 0);
    return discovery;
}

static void refused(const char *url, const char *const *settings, const char *expected)
{
    struct discovery_options options = {.url = url, .settings = settings, .heartbeat_ms = 1000};
    struct discovery *discovery = NULL;
    char *error = NULL;
    assert_int_equal(discovery_new(&discovery, &options, &error), -1);
    assert_null(discovery);
    assert_string_equal(error, expected);
    free(error);
}

static void on_entries(void *data, const struct discovery_list *list)
{
    fail_msg("%zu entries came from nowhere", list->count);
}

static void on_error(void *data, const char *message)
{
    struct story *story = data;
    pthread_mutex_lock(&story->lock);
    snprintf(story->text, sizeof story->text, "%s", message);
    story->errors++;
    pthread_cond_signal(&story->said);
    pthread_mutex_unlock(&story->lock);
}

static void *watch(void *data)
{
    static const struct discovery_events events = {on_entries, on_error};
    struct story *story = data;
    discovery_watch(story->discovery, &events, story);
    return NULL;
}

static void begin(struct story *story, const char *url)
{
    *story = (struct story){.lock = PTHREAD_MUTEX_INITIALIZER, .said = PTHREAD_COND_INITIALIZER};
    story->discovery = open_discovery(url, 0);
    assert_int_equal(pthread_create(&story->thread, NULL, watch, story), 0);
}

/* The runner ends a test that waits in vain. */
static void wait_for_error(struct story *story)
{
    pthread_mutex_lock(&story->lock);
    while (story->errors == 0)
        pthread_cond_wait(&story->said, &story->lock);
    pthread_mutex_unlock(&story->lock);
}

static void end(struct story *story)
{
    discovery_stop(story->discovery);
    pthread_join(story->thread, NULL);
    discovery_free(story->discovery);
}

/* A loopback socket that listens and lets everybody wait; its port. */
static int listen_silently(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* A loopback port where nobody listens, as long as the descriptor is open. */
static int take_dead_port(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void test_urls_are_taken(void **state)
{
    static const char *const urls[] = {"zk://a", "zk://a:2181", "zk://a,b:2182,[::1]:2183,[::2]/x/y", "zk://a/"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct discovery *discovery = open_discovery(urls[i], 0);
        assert_string_equal(discovery_backend(discovery), "zk");
        discovery_free(discovery);
    }
}

static void test_bad_urls_are_refused(void **state)
{
    refused("zk://", NULL, "\"\" is no address of a store; host:port[,host:port…][/path] is expected");
    refused("zk://a:1,,b:2", NULL, "\"\" is no address of a store; host:port[,host:port…][/path] is expected");
    refused("zk://a:x/y", NULL, "\"a:x\" is no address of a store; host:port[,host:port…][/path] is expected");
}

static void test_a_path_that_leaves_no_directory_is_refused(void **state)
{
    static const char *const settings[] = {"kv.path=..", NULL};
    refused("zk://a/x", settings, "--discovery-opt kv.path: \"..\" leaves no directory for the nodes");
}

static void test_dead_servers_are_all_told_in_order(void **state)
{
    struct story story;
    int first, second;
    int fds[] = {take_dead_port(&first), take_dead_port(&second)};
    char url[128], expected[256];
    snprintf(url, sizeof url, "zk://127.0.0.1:%d,127.0.0.1:%d/x", first, second);
    snprintf(expected, sizeof expected, "zk: 127.0.0.1:%d: connection refused; 127.0.0.1:%d: connection refused", first,
             second);
    begin(&story, url);
    wait_for_error(&story);
    usleep(2500000); /* two more tries at least */
    end(&story);
    assert_string_equal(story.text, expected);
    assert_int_equal(story.errors, 1);
    close(fds[0]);
    close(fds[1]);
}

static void test_a_server_that_says_nothing_is_told(void **state)
{
    struct story story;
    int port, fd = listen_silently(&port);
    char url[64], expected[128];
    snprintf(url, sizeof url, "zk://127.0.0.1:%d", port);
    snprintf(expected, sizeof expected, "zk: 127.0.0.1:%d: connected, but it grants no session", port);
    begin(&story, url);
    wait_for_error(&story);
    end(&story);
    assert_string_equal(story.text, expected);
    close(fd);
}

static void test_stop_ends_a_watch_that_waits_for_a_server(void **state)
{
    struct story story;
    int port, fd = listen_silently(&port);
    char url[64];
    snprintf(url, sizeof url, "zk://127.0.0.1:%d", port);
    begin(&story, url);
    int client = accept(fd, NULL, NULL);
    end(&story);
    assert_int_equal(story.errors, 0);
    close(client);
    close(fd);
}

static void test_stop_before_watch_ends_it(void **state)
{
    struct story story;
    begin(&story, "zk://127.0.0.1:1");
    discovery_stop(story.discovery);
    end(&story);
    assert_true(story.errors <= 1);
}

static void test_register_tells_a_dead_server_and_leave_is_quiet(void **state)
{
    int port, fd = take_dead_port(&port);
    char url[64], expected[128], *error = NULL;
    snprintf(url, sizeof url, "zk://127.0.0.1:%d", port);
    snprintf(expected, sizeof expected, "zk: 127.0.0.1:%d: connection refused", port);
    struct discovery *discovery = open_discovery(url, 4000);
    assert_int_equal(discovery_register(discovery, "a:1", &error), -1);
    assert_string_equal(error, expected);
    free(error);
    assert_int_equal(discovery_leave(discovery, "a:1", &error), 0);
    discovery_free(discovery);
    close(fd);
}

static void test_leave_without_register_is_nothing(void **state)
{
    struct discovery *discovery = open_discovery("zk://127.0.0.1:1", 4000);
    char *error = NULL;
    assert_int_equal(discovery_leave(discovery, "a:1", &error), 0);
    discovery_free(discovery);
}

static void test_one_discovery_announces_one_address(void **state)
{
    int port, fd = take_dead_port(&port);
    char url[64], *error = NULL;
    snprintf(url, sizeof url, "zk://127.0.0.1:%d", port);
    struct discovery *discovery = open_discovery(url, 4000);
    assert_int_equal(discovery_register(discovery, "a:1", &error), -1);
    free(error);
    assert_int_equal(discovery_register(discovery, "b:2", &error), -1);
    assert_string_equal(error, "zk: a:1 is announced, so that b:2 cannot be");
    free(error);
    discovery_free(discovery);
    close(fd);
}

static int quiet(void **state)
{
    log_init(stdout, LOG_LEVEL_ERROR);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls_are_taken),
        cmocka_unit_test(test_bad_urls_are_refused),
        cmocka_unit_test(test_a_path_that_leaves_no_directory_is_refused),
        cmocka_unit_test(test_dead_servers_are_all_told_in_order),
        cmocka_unit_test(test_a_server_that_says_nothing_is_told),
        cmocka_unit_test(test_stop_ends_a_watch_that_waits_for_a_server),
        cmocka_unit_test(test_stop_before_watch_ends_it),
        cmocka_unit_test(test_register_tells_a_dead_server_and_leave_is_quiet),
        cmocka_unit_test(test_leave_without_register_is_nothing),
        cmocka_unit_test(test_one_discovery_announces_one_address),
    };
    http_client_global_init();
    return cmocka_run_group_tests(tests, quiet, NULL);
}
