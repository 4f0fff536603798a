/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that the loop makes by itself, against a peer that says word for word what a test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "http_client.h"

#define OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"

/* What the peer answers to its requests, one after the other; after the last it closes what it has. */
struct script {
    const char *answers[8];
    bool close[8];    /* after that answer */
    bool bytewise;    /* one byte a packet */
    bool only_closes; /* each connection, at once */
};

static struct script script;
static int listener, conversations;
static atomic_int accepted, requests;
static char heard[4096]; /* the last request's head */
static char url[64], socket_path[64];
static pthread_t thread;

static struct http_loop *loop;
static int done, wanted, pieces;
static struct http_result last;
static struct http_exchange *running;
static bool copies;
static int copy;

/* --- the peer --- */

static bool hear(int fd)
{
    size_t length = 0;
    while (length < sizeof heard - 1) {
        ssize_t got = recv(fd, heard + length, sizeof heard - 1 - length, 0);
        if (got <= 0)
            return false;
        length += (size_t)got;
        heard[length] = '\0';
        if (strstr(heard, "\r\n\r\n"))
            return true;
    }
    return false;
}

static void say(int fd, const char *text)
{
    size_t length = strlen(text), step = script.bytewise ? 1 : length;
    for (size_t at = 0; at < length; at += step) {
        if (script.bytewise)
            usleep(500);
        if (send(fd, text + at, step, MSG_NOSIGNAL) < 0)
            return;
    }
}

static void *serve(void *data)
{
    int fd;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        atomic_fetch_add(&accepted, 1);
        while (!script.only_closes && hear(fd)) {
            int number = atomic_fetch_add(&requests, 1);
            if (!script.answers[number])
                break;
            say(fd, script.answers[number]);
            if (script.close[number])
                break;
        }
        close(fd);
    }
    return data;
}

static int listen_at(struct sockaddr *address, socklen_t length)
{
    listener = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, address, length), 0);
    assert_int_equal(listen(listener, 16), 0);
    return pthread_create(&thread, NULL, serve, NULL);
}

static int set_up(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    memset(&script, 0, sizeof script);
    memset(&last, 0, sizeof last);
    copies = false;
    copy = -1;
    accepted = requests = done = wanted = pieces = conversations = 0;
    listen_at((struct sockaddr *)&address, sizeof address);
    getsockname(listener, (struct sockaddr *)&address, &length);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/x?y=z", ntohs(address.sin_port));
    return http_loop_new(&loop);
}

static int tear_down(void **state)
{
    http_loop_free(loop);
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
    http_result_clear(&last);
    return 0;
}

/* --- who asks --- */

static const char *method_of_next;

static void start(void);

/* Another one of the client's only connection, as a process that is about to be started has it. */
static int copy_of_connection(void)
{
    struct sockaddr_in peer, own;
    socklen_t length = sizeof own;
    getsockname(listener, (struct sockaddr *)&own, &length);
    for (int fd = 3; fd < 256; fd++) {
        length = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0 && peer.sin_port == own.sin_port)
            return dup(fd);
    }
    return -1;
}

static void note_done(void *data, struct http_result *result)
{
    if (copies && copy < 0)
        copy = copy_of_connection();
    http_result_clear(&last);
    last = *result;
    result->body = NULL;
    if (++done < wanted)
        start();
    else
        http_loop_stop(loop);
}

static void start(void)
{
    struct http_call call = {.method = method_of_next, .url = url, .timeout_ms = 60000};
    running = http_loop_start(loop, &call, NULL, note_done, NULL);
    assert_non_null(running);
}

/* That many calls, one after the other. */
static void ask(int times, const char *method)
{
    method_of_next = method;
    wanted = times;
    start();
    http_loop_run(loop);
    assert_int_equal(done, times);
}

static void assert_answer(int status, const char *body)
{
    assert_string_equal(last.error, "");
    assert_int_equal(last.failure, HTTP_OK);
    assert_int_equal(last.status, status);
    assert_string_equal(last.body, body);
}

static void assert_broken(const char *why)
{
    assert_int_equal(last.failure, HTTP_BROKEN);
    assert_string_equal(last.error, why);
}

static void test_request_is_plain(void **state)
{
    script.answers[0] = OK_2 "OK";
    ask(1, NULL);
    assert_answer(200, "OK");
    assert_string_equal(last.peer_ip, "127.0.0.1");
    assert_memory_equal(heard, "GET /x?y=z HTTP/1.1\r\nHost: 127.0.0.1:", 37);
}

static void test_answer_comes_byte_by_byte(void **state)
{
    script.bytewise = true;
    script.answers[0] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nAPI-Version: 1.41\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n";
    script.answers[1] = OK_2 "OK";
    ask(2, NULL);
    assert_answer(200, "OK");
    assert_int_equal(accepted, 1);
}

static void test_chunks_are_put_together(void **state)
{
    script.answers[0] = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nApi-Version: 1.41\r\n\r\n"
                        "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
    ask(1, NULL);
    assert_answer(404, "abcdefg");
    assert_string_equal(last.api_version, "1.41");
}

static void test_body_may_last_until_the_end(void **state)
{
    script.answers[0] = "HTTP/1.0 200 OK\r\n\r\nall of it";
    script.close[0] = true;
    ask(1, NULL);
    assert_answer(200, "all of it");
}

static void test_head_has_no_body(void **state)
{
    script.answers[0] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
    script.answers[1] = "HTTP/1.1 204 No Content\r\n\r\n";
    ask(2, "HEAD");
    assert_answer(204, "");
    assert_int_equal(accepted, 1);
}

static void test_closed_connection_is_replaced(void **state)
{
    for (int i = 0; i < 4; i++) {
        script.answers[i] = OK_2 "OK";
        script.close[i] = true;
    }
    ask(4, NULL);
    assert_answer(200, "OK");
    assert_int_equal(accepted, 4);
    assert_int_equal(requests, 4);
}

/* A second connection that fails, too, is a failure. */
static void test_new_connection_is_not_replaced(void **state)
{
    script.only_closes = true;
    ask(1, NULL);
    assert_int_equal(last.failure, HTTP_BROKEN);
    assert_int_equal(accepted, 1);
}

static void test_what_changes_something_goes_over_a_new_connection(void **state)
{
    script.answers[0] = script.answers[1] = script.answers[2] = OK_2 "OK";
    ask(1, NULL);
    http_loop_free(loop);
    http_loop_new(&loop);
    done = 0;
    ask(1, "POST");
    assert_answer(200, "OK");
    assert_non_null(strstr(heard, "\r\nContent-Length: 0\r\n"));
    assert_int_equal(accepted, 2);
}

static void test_connection_with_more_than_its_answer_is_closed(void **state)
{
    script.answers[0] = OK_2 "OKHTTP/1.1 200 OK\r\n";
    script.answers[1] = OK_2 "ok";
    ask(2, NULL);
    assert_answer(200, "ok");
    assert_int_equal(accepted, 2);
}

static void test_connection_close_is_heeded(void **state)
{
    script.answers[0] = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nOK";
    script.answers[1] = OK_2 "ok";
    ask(2, NULL);
    assert_answer(200, "ok");
    assert_int_equal(accepted, 2);
}

static void test_answer_that_ends_early_is_broken(void **state)
{
    script.answers[0] = OK_2 "O";
    script.close[0] = true;
    ask(1, NULL);
    assert_broken("the connection was closed in the middle of the answer");
}

static void test_no_answer_is_broken(void **state)
{
    ask(1, NULL);
    assert_broken("the connection was closed without an answer");
}

static void test_what_is_no_http_is_broken(void **state)
{
    script.answers[0] = "I am no web server.\r\n\r\n";
    ask(1, NULL);
    assert_broken("malformed HTTP answer: the first line has no HTTP version");
}

static void test_bad_chunks_are_broken(void **state)
{
    script.answers[0] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n";
    ask(1, NULL);
    assert_broken("malformed HTTP answer: its body is not framed as its head says");
}

static void test_too_long_is_broken(void **state)
{
    struct http_call call = {.url = url, .max_response = 1};
    script.answers[0] = OK_2 "OK";
    wanted = 1;
    assert_non_null(http_loop_start(loop, &call, NULL, note_done, NULL));
    http_loop_run(loop);
    assert_broken("the answer is longer than 1 bytes");
}

static void test_socket_with_a_path(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct http_call call = {.url = "http://localhost/z", .unix_path = socket_path};
    tear_down(NULL);
    snprintf(socket_path, sizeof socket_path, "/tmp/test_http_wire.%d", (int)getpid());
    memcpy(address.sun_path, socket_path, sizeof socket_path);
    listen_at((struct sockaddr *)&address, sizeof address);
    http_loop_new(&loop);
    script.answers[0] = OK_2 "OK";
    wanted = 1;
    assert_non_null(http_loop_start(loop, &call, NULL, note_done, NULL));
    http_loop_run(loop);
    unlink(socket_path);
    assert_answer(200, "OK");
    assert_memory_equal(heard, "GET /z HTTP/1.1\r\nHost: localhost\r\n", 34);
}

static int later(void *data, const char *bytes, size_t length)
{
    (void)data;
    pieces++;
    return pieces == 1 ? HTTP_LATER : bytes[0] == 'l' && length == 4 ? 0 : 1;
}

static void resume(void *data)
{
    http_exchange_resume(running);
    http_exchange_resume(running);
}

/* The peer closes while nobody reads: what it had said is not lost. */
static void test_paused_answer_outlives_its_peer(void **state)
{
    struct http_call call = {.url = url};
    script.answers[0] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate";
    script.close[0] = true;
    wanted = 1;
    running = http_loop_start(loop, &call, later, note_done, NULL);
    http_loop_timer(loop, 100, resume, NULL);
    http_loop_run(loop);
    assert_answer(200, "");
    assert_int_equal(pieces, 2);
}

static void stop(void *data)
{
    http_loop_stop(loop);
}

static void cancel(void *data)
{
    http_exchange_resume(running);
    http_exchange_cancel(running);
    http_loop_timer(loop, 50, stop, NULL);
}

static void test_paused_answer_may_be_cancelled(void **state)
{
    struct http_call call = {.url = url};
    script.answers[0] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate";
    running = http_loop_start(loop, &call, later, note_done, NULL);
    http_loop_timer(loop, 50, cancel, NULL);
    http_loop_run(loop);
    assert_int_equal(done, 0);
}

static void test_closed_connection_of_which_there_is_a_copy_is_not_heard_of(void **state)
{
    script.answers[0] = script.answers[2] = OK_2 "OK";
    script.answers[1] = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    script.close[1] = script.bytewise = true;
    copies = true;
    ask(3, NULL);
    assert_answer(200, "OK");
    assert_int_equal(accepted, 2);
    assert_true(copy >= 0);
    close(copy);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_request_is_plain),
        STORY(test_answer_comes_byte_by_byte),
        STORY(test_chunks_are_put_together),
        STORY(test_body_may_last_until_the_end),
        STORY(test_head_has_no_body),
        STORY(test_closed_connection_is_replaced),
        STORY(test_new_connection_is_not_replaced),
        STORY(test_what_changes_something_goes_over_a_new_connection),
        STORY(test_connection_with_more_than_its_answer_is_closed),
        STORY(test_connection_close_is_heeded),
        STORY(test_answer_that_ends_early_is_broken),
        STORY(test_no_answer_is_broken),
        STORY(test_what_is_no_http_is_broken),
        STORY(test_bad_chunks_are_broken),
        STORY(test_too_long_is_broken),
        STORY(test_socket_with_a_path),
        STORY(test_paused_answer_outlives_its_peer),
        STORY(test_paused_answer_may_be_cancelled),
        STORY(test_closed_connection_of_which_there_is_a_copy_is_not_heard_of),
    };
    http_client_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
