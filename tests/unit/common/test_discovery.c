/* SPDX-License-Identifier: Apache-2.0 */
/* The parts that need no store: URLs and settings, nodes://, file://. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>

#include "discovery.h"
#include "discovery_kv.h"
#include "http_client.h"
#include "log.h"

/* What a watch on its own thread told, in order: "entries: a:1 b:2\n", "error: …\n". */
struct story {
    struct discovery *discovery;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t said;
    char text[4096];
};

static char directory[] = "/tmp/test_discoveryXXXXXX";
static char file[64], url[80];

static int make_directory(void **state)
{
    if (!mkdtemp(directory))
        return -1;
    snprintf(file, sizeof file, "%s/nodes", directory);
    snprintf(url, sizeof url, "file://%s", file);
    log_init(stdout, LOG_LEVEL_ERROR);
    return 0;
}

static int remove_directory(void **state)
{
    unlink(file);
    return rmdir(directory);
}

static void add(struct story *story, const char *text)
{
    pthread_mutex_lock(&story->lock);
    strncat(story->text, text, sizeof story->text - strlen(story->text) - 1);
    pthread_cond_signal(&story->said);
    pthread_mutex_unlock(&story->lock);
}

static void on_entries(void *data, const struct discovery_list *list)
{
    char text[1024] = "entries:";
    for (size_t i = 0; i < list->count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), " %s", list->addresses[i]);
    for (size_t i = 0; i < list->left_count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s %s", i == 0 ? ", left:" : "", list->left[i]);
    strcat(text, "\n");
    add(data, text);
}

static void on_error(void *data, const char *message)
{
    char text[1024];
    snprintf(text, sizeof text, "error: %s\n", message);
    add(data, text);
}

static void *watch(void *data)
{
    static const struct discovery_events events = {on_entries, on_error};
    struct story *story = data;
    discovery_watch(story->discovery, &events, story);
    return NULL;
}

static struct discovery *open_discovery(const char *of, int heartbeat_ms)
{
    struct discovery_options options = {.url = of, .heartbeat_ms = heartbeat_ms};
    struct discovery *discovery = NULL;
    char *error = NULL;
    assert_int_equal(discovery_new(&discovery, &options, &error), 0);
    return discovery;
}

static struct story *begin(const char *of, int heartbeat_ms)
{
    struct story *story = calloc(1, sizeof *story);
    assert_non_null(story);
    pthread_mutex_init(&story->lock, NULL);
    pthread_cond_init(&story->said, NULL);
    story->discovery = open_discovery(of, heartbeat_ms);
    assert_int_equal(pthread_create(&story->thread, NULL, watch, story), 0);
    return story;
}

/* Wait until the story ends with @p text, then it is forgotten. A test that waits in vain is ended by the runner. */
static void expect(struct story *story, const char *text)
{
    pthread_mutex_lock(&story->lock);
    while (strlen(story->text) < strlen(text))
        pthread_cond_wait(&story->said, &story->lock);
    assert_string_equal(story->text, text);
    *story->text = '\0';
    pthread_mutex_unlock(&story->lock);
}

static void end(struct story *story)
{
    discovery_stop(story->discovery);
    pthread_join(story->thread, NULL);
    assert_string_equal(story->text, "");
    discovery_free(story->discovery);
    free(story);
}

static void write_file(const char *text)
{
    FILE *to = fopen(file, "w");
    assert_non_null(to);
    fputs(text, to);
    fclose(to);
}

static void refused(const char *of, const char *setting, const char *expected)
{
    const char *settings[] = {setting, NULL};
    struct discovery_options options = {.url = of, .settings = settings, .heartbeat_ms = 1000};
    struct discovery *discovery = NULL;
    char *error = NULL;
    assert_int_equal(discovery_new(&discovery, &options, &error), -1);
    assert_null(discovery);
    assert_string_equal(error, expected);
    free(error);
}

static void test_unknown_scheme_is_refused(void **state)
{
    refused("foo://a:1", NULL,
            "discovery service not supported: \"foo://\" is none of consul://, etcd://, file://, nodes://, token://, "
            "zk://");
    refused(
        "://a:1", NULL,
        "discovery service not supported: \"://\" is none of consul://, etcd://, file://, nodes://, token://, zk://");
}

static void test_setting_without_equals_is_refused(void **state)
{
    refused("nodes://a:1", "kv.path", "--discovery-opt must contain key=value strings");
}

static void test_bad_node_refuses_the_list(void **state)
{
    refused(
        "nodes://a:1,b", NULL,
        "address b: missing port in address, please check you are using the correct discovery (missing token:// ?)");
}

static void test_file_without_path_is_refused(void **state)
{
    refused("file://", NULL, "file:// names no file; file://path/to/file or file:///path/to/file is expected");
}

static void test_bad_etcd_urls_are_refused(void **state)
{
    refused("etcd://", NULL, "\"\" is no address of a store; host:port[,host:port…][/path] is expected");
    refused("etcd://a:1,,b:2", NULL, "\"\" is no address of a store; host:port[,host:port…][/path] is expected");
    refused("etcd://a:x/y", NULL, "\"a:x\" is no address of a store; host:port[,host:port…][/path] is expected");
}

static void test_several_consuls_are_refused(void **state)
{
    refused("consul://a:1,b:2", NULL, "consul does not support multiple endpoints");
}

static void test_bad_etcd_api_is_refused(void **state)
{
    refused("etcd://a", "kv.api=4", "--discovery-opt kv.api: \"4\" is no API of etcd; 2 or 3 is expected");
}

static void test_missing_certificates_are_refused(void **state)
{
    const char *settings[] = {"kv.cacertfile=/nonexistent/ca", "kv.certfile=/nonexistent/c",
                              "kv.keyfile=/nonexistent/k", NULL};
    struct discovery_options options = {.url = "etcd://a", .settings = settings, .heartbeat_ms = 1000};
    struct discovery *discovery = NULL;
    char *error = NULL;
    assert_int_equal(discovery_new(&discovery, &options, &error), -1);
    assert_non_null(strstr(error, "/nonexistent/c"));
    free(error);
}

static void test_backends_have_names(void **state)
{
    static const char *const urls[][2] = {{"nodes://a:1", "nodes"},
                                          {"a:1,b:2", "nodes"},
                                          {"file:///x", "file"},
                                          {"etcd://a,[::1]:2379/x", "etcd"},
                                          {"consul://a/x", "consul"}};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct discovery *discovery = open_discovery(urls[i][0], 1000);
        assert_string_equal(discovery_backend(discovery), urls[i][1]);
        discovery_free(discovery);
    }
}

static void test_nodes_are_reported_once(void **state)
{
    struct story *story = begin("nodes://b:1,,a:[1:2]", 10);
    expect(story, "entries: b:1 a:1 a:2\n");
    end(story);
}

static void test_bare_list_is_nodes(void **state)
{
    struct story *story = begin("a:1,b:2", 10);
    expect(story, "entries: a:1 b:2\n");
    end(story);
}

static void test_bare_list_may_hold_sockets_and_ssh(void **state)
{
    struct story *story = begin("unix:///a,b:1", 10);
    expect(story, "entries: unix:///a b:1\n");
    end(story);
    story = begin("b:1,ssh://u@h", 10);
    expect(story, "entries: b:1 ssh://u@h\n");
    end(story);
}

static void test_key_of_a_node_is_one_part(void **state)
{
    static const char *const cases[][2] = {
        {"1.2.3.4:5", "d/n/1.2.3.4:5"}, {"[::1]:5", "d/n/[::1]:5"}, {"ssh://u@h:22/run/x", "d/n/ssh:++u@h:22+run+x"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *key = kv_node_key("d/n", cases[i][0]);
        char *address = kv_node_address(strrchr(cases[i][1], '/') + 1);
        assert_string_equal(key, cases[i][1]);
        assert_string_equal(address, cases[i][0]);
        free(address);
        free(key);
    }
}

static void test_stop_before_watch_ends_it(void **state)
{
    struct discovery *discovery = open_discovery("nodes://", 10);
    struct story story = {.discovery = discovery, .lock = PTHREAD_MUTEX_INITIALIZER, .said = PTHREAD_COND_INITIALIZER};
    discovery_stop(discovery);
    watch(&story);
    assert_string_equal(story.text, "entries:\n");
    discovery_free(discovery);
}

static void test_register_is_not_implemented_for_nodes_and_files(void **state)
{
    static const char *const urls[] = {"nodes://a:1", "file:///x"};
    for (size_t i = 0; i < 2; i++) {
        struct discovery *discovery = open_discovery(urls[i], 1000);
        char *error = NULL;
        assert_int_equal(discovery_register(discovery, "a:1", &error), -1);
        assert_string_equal(error, "not implemented in this discovery service");
        free(error);
        assert_int_equal(discovery_leave(discovery, "a:1", &error), 0);
        discovery_free(discovery);
    }
}

static void test_file_lines_are_trimmed_and_expanded(void **state)
{
    write_file("# nodes\n\n  a:1\t\r\n#b:1\nc:[1:2] # two\n\t# no\nd:1");
    struct story *story = begin(url, 3600000);
    expect(story, "entries: a:1 c:1 c:2 d:1\n");
    end(story);
}

static void test_bad_line_is_told_and_skipped(void **state)
{
    char expected[256];
    write_file("a:1\nb\nc:3\n");
    struct story *story = begin(url, 3600000);
    snprintf(expected, sizeof expected, "entries: a:1 c:3\nerror: '%s' line 2: address b: missing port in address\n",
             file);
    expect(story, expected);
    end(story);
}

/* A file that holds no addresses must not make a text that grows with each line. */
static void test_of_many_bad_lines_the_first_are_told(void **state)
{
    char lines[64] = "a:1\n", expected[2048] = "entries: a:1\nerror: ";
    for (int i = 0; i < 12; i++)
        strcat(lines, "x\n");
    for (int i = 0; i < 10; i++)
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected),
                 "'%s' line %d: address x: missing port in address; ", file, i + 2);
    strcat(expected, "and 2 more\n");
    write_file(lines);
    struct story *story = begin(url, 3600000);
    expect(story, expected);
    end(story);
}

/* The file gets a second line: that is seen though the heartbeat is an hour. */
static void see_change(void)
{
    write_file("a:1\n");
    struct story *story = begin(url, 3600000);
    expect(story, "entries: a:1\n");
    write_file("a:1\nb:2\n");
    pthread_mutex_lock(&story->lock); /* a reader may come between truncating and writing */
    while (!strstr(story->text, "entries: a:1 b:2\n"))
        pthread_cond_wait(&story->said, &story->lock);
    *story->text = '\0';
    pthread_mutex_unlock(&story->lock);
    end(story);
}

static void test_change_is_seen_at_once(void **state)
{
    see_change();
}

int __real_inotify_init1(int flags);
int __wrap_inotify_init1(int flags);
static bool no_inotify;

int __wrap_inotify_init1(int flags)
{
    errno = EMFILE;
    return no_inotify ? -1 : __real_inotify_init1(flags);
}

static void test_change_is_seen_where_the_kernel_does_not_tell(void **state)
{
    no_inotify = true;
    see_change();
    no_inotify = false;
}

static void test_file_moved_into_place_is_seen_at_once(void **state)
{
    char other[80];
    write_file("a:1\n");
    struct story *story = begin(url, 3600000);
    expect(story, "entries: a:1\n");
    snprintf(other, sizeof other, "%s.new", file);
    FILE *to = fopen(other, "w");
    fputs("c:3\n", to);
    fclose(to);
    assert_int_equal(rename(other, file), 0);
    expect(story, "entries: c:3, left: a:1\n");
    end(story);
}

/* In one step: a reader must not come between truncating and writing. */
static void replace_file(const char *text)
{
    char other[80];
    snprintf(other, sizeof other, "%s.new", file);
    FILE *to = fopen(other, "w");
    assert_non_null(to);
    fputs(text, to);
    fclose(to);
    assert_int_equal(rename(other, file), 0);
}

static void test_line_taken_out_of_a_file_is_one_that_left(void **state)
{
    write_file("a:1\nb:2\nc:3\n");
    struct story *story = begin(url, 3600000);
    expect(story, "entries: a:1 b:2 c:3\n");
    replace_file("a:1\n");
    expect(story, "entries: a:1, left: b:2 c:3\n");
    replace_file("a:1\nb:2\n");
    expect(story, "entries: a:1 b:2\n");
    end(story);
}

static void test_file_without_any_address_says_nothing_of_those_that_were_there(void **state)
{
    write_file("a:1\nb:2\n");
    struct story *story = begin(url, 3600000);
    expect(story, "entries: a:1 b:2\n");
    replace_file("");
    expect(story, "entries:\n");
    end(story);
}

static void test_missing_file_is_told_once_and_its_return_is_seen(void **state)
{
    char expected[256];
    unlink(file);
    struct story *story = begin(url, 20);
    snprintf(expected, sizeof expected, "error: failed to read '%s': No such file or directory\n", file);
    expect(story, expected);
    usleep(200000); /* many heartbeats */
    expect(story, "");
    snprintf(expected, sizeof expected, "%s.new", file);
    FILE *to = fopen(expected, "w");
    fputs("a:1\n", to);
    fclose(to);
    rename(expected, file);
    expect(story, "entries: a:1\n");
    end(story);
}

static void test_list_stays_in_force_while_the_file_is_away(void **state)
{
    char expected[256];
    write_file("a:1\n");
    struct story *story = begin(url, 20);
    expect(story, "entries: a:1\n");
    unlink(file);
    snprintf(expected, sizeof expected, "error: failed to read '%s': No such file or directory\n", file);
    expect(story, expected);
    end(story);
}

static void test_unchanged_list_is_not_told_again(void **state)
{
    write_file("a:1\n");
    struct story *story = begin(url, 10);
    expect(story, "entries: a:1\n");
    usleep(200000);
    end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_scheme_is_refused),
        cmocka_unit_test(test_setting_without_equals_is_refused),
        cmocka_unit_test(test_bad_node_refuses_the_list),
        cmocka_unit_test(test_file_without_path_is_refused),
        cmocka_unit_test(test_bad_etcd_urls_are_refused),
        cmocka_unit_test(test_several_consuls_are_refused),
        cmocka_unit_test(test_bad_etcd_api_is_refused),
        cmocka_unit_test(test_missing_certificates_are_refused),
        cmocka_unit_test(test_backends_have_names),
        cmocka_unit_test(test_nodes_are_reported_once),
        cmocka_unit_test(test_bare_list_is_nodes),
        cmocka_unit_test(test_bare_list_may_hold_sockets_and_ssh),
        cmocka_unit_test(test_key_of_a_node_is_one_part),
        cmocka_unit_test(test_stop_before_watch_ends_it),
        cmocka_unit_test(test_register_is_not_implemented_for_nodes_and_files),
        cmocka_unit_test(test_file_lines_are_trimmed_and_expanded),
        cmocka_unit_test(test_bad_line_is_told_and_skipped),
        cmocka_unit_test(test_of_many_bad_lines_the_first_are_told),
        cmocka_unit_test(test_change_is_seen_at_once),
        cmocka_unit_test(test_change_is_seen_where_the_kernel_does_not_tell),
        cmocka_unit_test(test_file_moved_into_place_is_seen_at_once),
        cmocka_unit_test(test_line_taken_out_of_a_file_is_one_that_left),
        cmocka_unit_test(test_file_without_any_address_says_nothing_of_those_that_were_there),
        cmocka_unit_test(test_missing_file_is_told_once_and_its_return_is_seen),
        cmocka_unit_test(test_list_stays_in_force_while_the_file_is_away),
        cmocka_unit_test(test_unchanged_list_is_not_told_again),
    };
    http_client_global_init();
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
