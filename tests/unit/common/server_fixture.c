/* SPDX-License-Identifier: Apache-2.0 */
#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "relay.h"

static int answer_echo(struct http_request *request, struct http_reply *reply)
{
    const char *body, *why;
    size_t length;
    int status = http_request_read_all(request, &body, &length, &why);
    if (status != 0)
        return http_reply_error(reply, status, "%s", why);
    return http_reply_send(reply, 200, "text/plain", body, length);
}

static int answer_stream(struct http_reply *reply)
{
    static char large[40000];
    memset(large, 'L', sizeof large);
    if (http_reply_begin(reply, 200, "text/plain") < 0 || http_reply_write(reply, "one", 3) < 0 ||
        http_reply_write(reply, "", 0) < 0 || http_reply_write(reply, large, sizeof large) < 0 ||
        http_reply_write(reply, "two", 3) < 0)
        return -1;
    return http_reply_end(reply);
}

static int answer_broken_stream(struct http_reply *reply)
{
    if (http_reply_begin(reply, 200, NULL) == 0)
        http_reply_write(reply, "some", 4);
    return -1;
}

static int answer_headers(struct http_reply *reply)
{
    http_reply_header(reply, "X-Twice", "one");
    http_reply_header(reply, "x-twice", "two");
    http_reply_header(reply, "Server", "mine");
    http_reply_header(reply, "Content-Length", "77");
    http_reply_header(reply, "Date", "never");
    http_reply_header(reply, "X-Split", "a\r\nX-Injected: b");
    return http_reply_send(reply, 201, "text/plain", "x", 1);
}

static int answer_query(struct http_request *request, struct http_reply *reply)
{
    const char *value = http_request_query(request, "a b");
    return http_reply_error(reply, 400, "%s|%s|%s|%s|%d", http_request_method(request), http_request_path(request),
                            http_request_query_string(request), value ? value : "(none)",
                            http_request_query_bool(request, "flag"));
}

static int answer_wait(struct fixture *fixture, struct http_reply *reply)
{
    http_reply_begin(reply, 200, "text/plain");
    fixture->entered++;
    fixture->wait_result = http_reply_wait(reply, fixture->event, KIT_TIMEOUT_MS);
    fixture->left++;
    return fixture->wait_result == 1 ? http_reply_end(reply) : -1;
}

/* Relayed to an engine that switches protocols, says "bye" and closes both ways. */
static int answer_hijack(struct http_request *request, struct http_reply *reply)
{
    static const char answer[] = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nbye";
    const struct relay_options options = {.target = "/", .host = "engine", .may_hijack = true};
    struct relay_outcome outcome;
    struct stream *near, *far;
    assert_int_equal(stream_pair(&near, &far), 0);
    assert_int_equal(stream_send_all(far, answer, sizeof answer - 1, KIT_TIMEOUT_MS), 0);
    stream_close(far);
    int result = relay_exchange(request, reply, near, &options, &outcome);
    stream_close(near);
    return result;
}

/* Busy until released, deaf to everything. */
static int answer_block(struct fixture *fixture, struct http_reply *reply)
{
    fixture->entered++;
    while (!fixture->release)
        kit_sleep_ms(1);
    fixture->left++;
    return http_reply_send(reply, 200, "text/plain", "done", 4);
}

static int handle(struct http_request *request, struct http_reply *reply, void *data)
{
    const char *path = http_request_path(request);
    if (strcmp(path, "/echo") == 0)
        return answer_echo(request, reply);
    if (strcmp(path, "/stream") == 0)
        return answer_stream(reply);
    if (strcmp(path, "/broken") == 0)
        return answer_broken_stream(reply);
    if (strcmp(path, "/headers") == 0)
        return answer_headers(reply);
    if (strcmp(path, "/query") == 0)
        return answer_query(request, reply);
    if (strcmp(path, "/wait") == 0)
        return answer_wait(data, reply);
    if (strcmp(path, "/block") == 0)
        return answer_block(data, reply);
    if (strcmp(path, "/hijack") == 0)
        return answer_hijack(request, reply);
    if (strcmp(path, "/fail") == 0)
        return -1;
    if (strcmp(path, "/nothing") == 0)
        return 0;
    if (strcmp(path, "/peer") == 0)
        return http_reply_send(reply, 200, "text/plain", http_request_peer(request),
                               strlen(http_request_peer(request)));
    if (strcmp(path, "/empty") == 0)
        return http_reply_send(reply, 204, NULL, NULL, 0);
    return http_reply_send(reply, 200, "text/plain", "hello", 5);
}

void fixture_start_at(struct fixture *fixture, const char *url, const struct tls *tls,
                      struct http_server_options options)
{
    char *error = NULL;
    memset(fixture, 0, sizeof *fixture);
    fixture->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    options.handler = handle;
    options.data = fixture;
    options.headers[0][0] = "Server";
    options.headers[0][1] = "test";
    assert_int_equal(http_server_new(&fixture->server, &options, &error), 0);
    if (http_server_listen(fixture->server, url, tls, &fixture->url, &error) < 0)
        fail_msg("%s", error);
}

void fixture_start(struct fixture *fixture)
{
    fixture_start_at(fixture, "tcp://127.0.0.1:0", NULL, (struct http_server_options){0});
}

void fixture_stop(struct fixture *fixture)
{
    http_server_stop(fixture->server, KIT_TIMEOUT_MS);
    http_server_free(fixture->server);
    close(fixture->event);
    free(fixture->url);
}

struct stream *fixture_dial(struct fixture *fixture)
{
    return kit_dial(fixture->url, NULL);
}

void fixture_check_reply(struct stream *stream, const char *begin, const char *end)
{
    char *reply = kit_read_reply(stream);
    size_t length = strlen(reply);
    if (strncmp(reply, begin, strlen(begin)) != 0 || length < strlen(end) ||
        strcmp(reply + length - strlen(end), end) != 0)
        fail_msg("expected \"%s … %s\", got \"%s\"", begin, end, reply);
    free(reply);
}

void fixture_check_exchange(struct fixture *fixture, const char *request, const char *begin, const char *end)
{
    struct stream *stream = fixture_dial(fixture);
    kit_send(stream, request);
    fixture_check_reply(stream, begin, end);
    stream_close(stream);
}

void fixture_check_refusal(struct fixture *fixture, const char *request, const char *status_line)
{
    struct stream *stream = fixture_dial(fixture);
    kit_send(stream, request);
    char *reply = kit_read_reply(stream);
    if (strncmp(reply, status_line, strlen(status_line)) != 0)
        fail_msg("%s: got %s", request, reply);
    assert_non_null(strstr(reply, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(reply, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(reply, "\r\n\r\n{\"message\":\""));
    free(reply);
    assert_true(kit_is_closed(stream));
    stream_close(stream);
}
