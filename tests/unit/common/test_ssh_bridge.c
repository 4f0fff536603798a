/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge over a stand-in for ssh: a script that does as it is told by the files beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <poll.h>
#include <sys/stat.h>

#include "log.h"
#include "ssh_bridge.h"
#include "stream.h"

enum { LIMIT_MS = 30000 };

static char folder[] = "/tmp/test-ssh.XXXXXX";
static struct ssh_bridges *bridges;
static struct ssh_bridge *bridge;

static void write_file(const char *name, const char *text, mode_t mode)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

/* As the connection to the host it runs "master", with the path of the control socket; as a session "session". */
static const char script[] = "#!/bin/sh\n"
                             "here=${0%/*} master= control=\n"
                             "echo \"$*\" >>\"$here/arguments\"\n"
                             "for a; do\n"
                             "  case $a in -N) master=yes ;; ControlPath=*) control=${a#*=} ;; esac\n"
                             "done\n"
                             "[ -n \"$master\" ] || . \"$here/session\"\n"
                             ". \"$here/master\"\n";

static int set_up(void **state)
{
    static const char *const options[] = {"IdentityFile=/key", NULL};
    char path[256];
    log_init(stderr, LOG_LEVEL_FATAL);
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s:/usr/bin:/bin", folder);
    setenv("PATH", path, 1);
    setenv("TMPDIR", folder, 1);
    unsetenv("RUNTIME_DIRECTORY");
    unsetenv("XDG_RUNTIME_DIR");
    write_file("ssh", script, 0755);
    write_file("master", ": >\"$control\"; exec sleep 1000\n", 0644);
    write_file("session", "exec cat\n", 0644);
    bridges = ssh_bridges_new(options);
    assert_non_null(bridges);
    return 0;
}

static int tear_down(void **state)
{
    char command[64];
    ssh_bridge_close(bridge);
    bridge = NULL;
    ssh_bridges_free(bridges);
    snprintf(command, sizeof command, "ls -d %s/swarm-ssh.* 2>/dev/null", folder);
    assert_int_not_equal(system(command), 0); /* nothing is left of its directory */
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    return 0;
}

static struct stream *dial(void)
{
    struct address address = {.is_unix = true};
    struct stream *stream = NULL;
    char *error = NULL;
    if (!bridge)
        assert_int_equal(ssh_bridge_open(&bridge, bridges, "ssh://u@h:22/run/x.sock", &error), 0);
    snprintf(address.path, sizeof address.path, "%s", ssh_bridge_socket(bridge));
    assert_int_equal(stream_dial(&stream, &address, NULL, LIMIT_MS, &error), 0);
    return stream;
}

/* What comes next, 0 for the end. */
static ssize_t receive(struct stream *stream, char *buffer, size_t size)
{
    ssize_t got;
    while ((got = stream_recv(stream, buffer, size)) == STREAM_AGAIN) {
        struct pollfd fd = {.fd = stream_fd(stream), .events = POLLIN};
        assert_int_equal(poll(&fd, 1, LIMIT_MS), 1);
    }
    return got;
}

/* Connect, see the end, and look what was said. */
static enum ssh_trouble failed_with(const char *words)
{
    char said[256] = "", byte;
    struct stream *stream = dial();
    assert_true(receive(stream, &byte, 1) <= 0);
    stream_close(stream);
    enum ssh_trouble trouble = ssh_bridge_trouble(bridge, said, sizeof said);
    assert_string_equal(said, words);
    return trouble;
}

static void test_bytes_go_both_ways_and_the_end_too(void **state)
{
    char buffer[16] = "";
    struct stream *stream = dial();
    assert_int_equal(stream_send(stream, "hello", 5), 5);
    assert_int_equal(receive(stream, buffer, sizeof buffer), 5);
    assert_string_equal(buffer, "hello");
    assert_int_equal(stream_shutdown_write(stream), 0);
    assert_int_equal(receive(stream, buffer, sizeof buffer), 0);
    stream_close(stream);
    assert_int_equal(ssh_bridge_trouble(bridge, buffer, sizeof buffer), SSH_NO_TROUBLE);
}

static void test_ssh_is_told_what_to_do(void **state)
{
    char path[64], line[2048], byte;
    write_file("session", "exit 0\n", 0644);
    struct stream *stream = dial();
    assert_int_equal(receive(stream, &byte, 1), 0);
    stream_close(stream);
    snprintf(path, sizeof path, "%s/arguments", folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    assert_non_null(strstr(line, "-o ControlMaster=yes -o BatchMode=yes "));
    assert_non_null(strstr(line, " -o IdentityFile=/key "));
    assert_non_null(strstr(line, " -l u -p 22 -N -- h\n"));
    assert_non_null(fgets(line, sizeof line, file));
    assert_non_null(strstr(line, "-o ControlMaster=no "));
    assert_non_null(strstr(line, " -l u -p 22 -- h docker --host unix:///run/x.sock system dial-stdio\n"));
    assert_null(fgets(line, sizeof line, file));
    fclose(file);
}

/* How many connections to hosts were made: lines of ssh's arguments with -N. */
static int connections_made(void)
{
    char path[64], line[2048];
    int count = 0;
    snprintf(path, sizeof path, "%s/arguments", folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        count += strstr(line, " -N -- ") != NULL;
    fclose(file);
    return count;
}

/* Whether what is sent through it comes back. */
static void assert_echoes(struct ssh_bridge *through)
{
    struct address address = {.is_unix = true};
    struct stream *stream = NULL;
    char *error = NULL, buffer[8] = "";
    snprintf(address.path, sizeof address.path, "%s", ssh_bridge_socket(through));
    assert_int_equal(stream_dial(&stream, &address, NULL, LIMIT_MS, &error), 0);
    assert_int_equal(stream_send(stream, "x", 1), 1);
    assert_int_equal(receive(stream, buffer, sizeof buffer), 1);
    stream_close(stream);
}

static void test_engines_of_one_host_share_its_connection(void **state)
{
    static const char *const addresses[] = {"ssh://u@h:22/run/x.sock", "ssh://u@h:22/run/y.sock", "ssh://u@h:22",
                                            "ssh://v@h:22", "ssh://u@h"};
    enum { COUNT = sizeof addresses / sizeof *addresses };
    struct ssh_bridge *opened[COUNT];
    char *error = NULL;
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(ssh_bridge_open(&opened[i], bridges, addresses[i], &error), 0);
    for (size_t i = 0; i < COUNT; i++)
        assert_echoes(opened[i]);
    assert_int_equal(connections_made(), 3); /* of u@h:22, v@h:22 and u@h */
    ssh_bridge_close(opened[0]);             /* the others go on */
    assert_echoes(opened[1]);
    assert_int_equal(connections_made(), 3);
    for (size_t i = 1; i < COUNT; i++)
        ssh_bridge_close(opened[i]);
}

static void test_each_engine_of_a_host_is_told_why_it_is_not_reached(void **state)
{
    char said[64] = "";
    struct ssh_bridge *other = NULL;
    char *error = NULL;
    write_file("master", "echo no way >&2; exit 255\n", 0644);
    assert_int_equal(ssh_bridge_open(&other, bridges, "ssh://u@h:22/run/y.sock", &error), 0);
    for (int left = LIMIT_MS / 50; left > 0; left--) { /* the thread may not know of it yet */
        assert_int_equal(failed_with("no way"), SSH_TROUBLE);
        if (ssh_bridge_trouble(other, said, sizeof said) == SSH_TROUBLE)
            break;
        poll(NULL, 0, 50);
    }
    assert_string_equal(said, "no way");
    ssh_bridge_close(other);
}

static void test_host_that_refuses_is_told_in_its_words(void **state)
{
    write_file("master", "echo Welcome >&2; printf 'u@h: Permission denied (publickey).\\r\\n' >&2; exit 255\n", 0644);
    assert_int_equal(failed_with("Welcome u@h: Permission denied (publickey)."), SSH_TROUBLE);
}

static void test_of_many_words_the_last_are_told(void **state)
{
    write_file("master", "seq 1 1000 >&2; printf 'a\\033b\\n\\n' >&2; exit 255\n", 0644);
    assert_int_equal(failed_with("1000 a?b"), SSH_TROUBLE);
}

static void test_host_that_says_nothing(void **state)
{
    write_file("master", "exit 255\n", 0644);
    assert_int_equal(failed_with("ssh ended with status 255 and said nothing"), SSH_TROUBLE);
}

static void test_command_that_is_not_there(void **state)
{
    write_file("session", "echo 'sh: 1: docker: not found' >&2; exit 127\n", 0644);
    assert_int_equal(failed_with("sh: 1: docker: not found"), SSH_TROUBLE);
}

static void test_engine_that_does_not_listen(void **state)
{
    write_file("session", "echo 'dial unix /x: connect: connection refused' >&2; exit 1\n", 0644);
    assert_int_equal(failed_with("dial unix /x: connect: connection refused"), SSH_ENGINE_DOWN);
}

/* What vfork() shares, the thread sanitizer's does not: there a program that cannot be run is one that says nothing. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VFORK_IS_FORK 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define VFORK_IS_FORK 1
#endif

static void test_ssh_that_is_not_there(void **state)
{
#ifdef VFORK_IS_FORK
    skip();
#endif
    setenv("PATH", "/none", 1);
    enum ssh_trouble trouble = failed_with("ssh cannot be run: no such file or directory");
    setenv("PATH", "/usr/bin:/bin", 1);
    assert_int_equal(trouble, SSH_TROUBLE);
}

static void test_connection_is_made_again(void **state)
{
    write_file("master", "echo first >&2; exit 255\n", 0644);
    assert_int_equal(failed_with("first"), SSH_TROUBLE);
    write_file("master", ": >\"$control\"; exec sleep 1000\n", 0644);
    char buffer[8] = "";
    struct stream *stream = dial();
    assert_int_equal(stream_send(stream, "x", 1), 1);
    assert_int_equal(receive(stream, buffer, sizeof buffer), 1);
    stream_close(stream);
}

static void test_close_ends_what_hangs(void **state)
{
    char byte;
    write_file("master", "exec sleep 1000\n", 0644); /* never ready */
    struct stream *stream = dial();
    ssh_bridge_close(bridge);
    bridge = NULL;
    assert_true(receive(stream, &byte, 1) <= 0);
    stream_close(stream);
}

static void test_session_that_nobody_waits_for_is_ended(void **state)
{
    char path[64];
    write_file("session", "echo $$ >\"$here/pid\"; trap '' TERM; while :; do sleep 0.1; done\n", 0644);
    struct stream *stream = dial();
    snprintf(path, sizeof path, "%s/pid", folder);
    long pid = 0;
    for (int left = LIMIT_MS / 50; pid == 0 && left > 0; left--) {
        FILE *file = fopen(path, "r");
        if (file && fscanf(file, "%ld", &pid) != 1)
            pid = 0;
        if (file)
            fclose(file);
        poll(NULL, 0, 50);
    }
    assert_true(pid > 0);
    stream_close(stream);
    snprintf(path, sizeof path, "/proc/%ld", pid);
    for (int left = LIMIT_MS / 50; access(path, F_OK) == 0 && left > 0; left--)
        poll(NULL, 0, 50);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void test_too_many_connections_are_refused(void **state)
{
    struct stream *streams[300];
    size_t count = 0;
    char said[256] = "", byte;
    bool refused = false;
    write_file("session", "exec sleep 1000\n", 0644);
    write_file("master", "exec sleep 1000\n", 0644); /* not ready: they only wait */
    while (!refused && count < sizeof streams / sizeof *streams) {
        streams[count++] = dial();
        if (count > 256)
            refused = receive(streams[count - 1], &byte, 1) <= 0;
    }
    assert_true(refused);
    assert_int_equal(count, 257);
    assert_int_equal(ssh_bridge_trouble(bridge, said, sizeof said), SSH_TROUBLE);
    assert_string_equal(said, "all of 256 connections to this engine are in use");
    while (count > 0)
        stream_close(streams[--count]);
}

static void test_bad_address_is_refused(void **state)
{
    char *error = NULL;
    assert_int_equal(ssh_bridge_open(&bridge, bridges, "ssh://-x", &error), -1);
    assert_string_equal(error, "address ssh://-x: unexpected byte in its host, or too long");
    free(error);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_bytes_go_both_ways_and_the_end_too),
        TEST(test_ssh_is_told_what_to_do),
        TEST(test_engines_of_one_host_share_its_connection),
        TEST(test_each_engine_of_a_host_is_told_why_it_is_not_reached),
        TEST(test_host_that_refuses_is_told_in_its_words),
        TEST(test_of_many_words_the_last_are_told),
        TEST(test_host_that_says_nothing),
        TEST(test_command_that_is_not_there),
        TEST(test_engine_that_does_not_listen),
        TEST(test_ssh_that_is_not_there),
        TEST(test_connection_is_made_again),
        TEST(test_close_ends_what_hangs),
        TEST(test_session_that_nobody_waits_for_is_ended),
        TEST(test_too_many_connections_are_refused),
        TEST(test_bad_address_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
