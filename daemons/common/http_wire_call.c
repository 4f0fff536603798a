/* SPDX-License-Identifier: Apache-2.0 */
/* What goes over a connection of the wire: a request as text, and its answer taken apart as it comes. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_wire_internal.h"

/* --- the request --- */

/* "http://authority/path" taken apart; false for any other. */
static bool split(const char *url, struct slice *ret_authority, const char **ret_path)
{
    if (strncmp(url, "http://", 7) != 0)
        return false;
    const char *authority = url + 7;
    size_t length = strcspn(authority, "/");
    const char *path = authority[length] ? authority + length : "/";
    *ret_authority = (struct slice){authority, length};
    *ret_path = path;
    for (const char *at = url; *at; at++)
        if (*at <= ' ' || *at >= 0x7f || *at == '#')
            return false;
    return length > 0 && !memchr(authority, '@', length) && !memchr(authority, '?', length);
}

static bool parse_port(const char *text, size_t length, in_port_t *ret)
{
    unsigned port = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || port > 65535)
            return false;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    *ret = htons((in_port_t)port);
    return length > 0 && port > 0 && port <= 65535;
}

/* "192.0.2.1:80" or "[2001:db8::1]:80". */
static bool parse_authority(struct slice authority, struct wire_address *ret)
{
    char host[INET6_ADDRSTRLEN];
    const char *end = authority.at + authority.length, *colon = memrchr(authority.at, ':', authority.length);
    bool v6 = *authority.at == '[';
    const char *begin = authority.at + v6, *host_end = colon ? colon - v6 : NULL;
    in_port_t port;
    if (!colon || host_end <= begin || (size_t)(host_end - begin) >= sizeof host || (v6 && *host_end != ']') ||
        !parse_port(colon + 1, (size_t)(end - colon - 1), &port))
        return false;
    memcpy(host, begin, (size_t)(host_end - begin));
    host[host_end - begin] = '\0';
    memset(ret, 0, sizeof *ret);
    if (v6) {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = port;
        ret->length = sizeof ret->v6;
        return inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1;
    }
    ret->v4.sin_family = AF_INET;
    ret->v4.sin_port = port;
    ret->length = sizeof ret->v4;
    return inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1;
}

static bool find_address(const struct http_call *call, struct slice authority, struct wire_address *ret)
{
    if (!call->unix_path)
        return parse_authority(authority, ret);
    size_t length = strlen(call->unix_path);
    memset(ret, 0, sizeof *ret);
    if (length == 0 || length >= sizeof ret->path.sun_path)
        return false;
    ret->path.sun_family = AF_UNIX;
    memcpy(ret->path.sun_path, call->unix_path, length);
    ret->length = sizeof ret->path;
    return true;
}

bool wire_takes(const struct http_call *call)
{
    struct wire_address address;
    struct slice authority;
    const char *path;
    return !call->read && split(call->url, &authority, &path) && find_address(call, authority, &address);
}

static int write_request(struct wire_call *call, const struct http_call *from, const char *method)
{
    struct bytes *request = &call->request;
    struct slice authority;
    const char *path;
    (void)split(from->url, &authority, &path);
    int failed = bytes_append_text(request, method) | bytes_append_text(request, " ") |
                 bytes_append_text(request, path) | bytes_append_text(request, " HTTP/1.1\r\nHost: ") |
                 bytes_append(request, authority.at, authority.length) |
                 bytes_append_text(request, "\r\nAccept: */*\r\n");
    for (const char *const *line = from->headers; line && *line; line++)
        failed |= bytes_append_text(request, *line) | bytes_append_text(request, "\r\n");
    if (from->body || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0)
        failed |= bytes_printf(request, "Content-Length: %zu\r\n", from->body_length);
    failed |= bytes_append_text(request, "\r\n");
    if (from->body)
        failed |= bytes_append(request, from->body, from->body_length);
    return failed;
}

int wire_call_prepare(struct wire_call *call, struct wire *wire, const struct http_call *from,
                      struct http_answer *answer, void (*done)(struct wire_call *call))
{
    const char *method = from->method ? from->method : "GET", *path;
    struct slice authority;
    call->wire = wire;
    call->answer = answer;
    call->done = done;
    call->fresh = from->fresh;
    call->once = from->once;
    call->to_head = strcmp(method, "HEAD") == 0;
    call->repeatable = call->to_head || strcmp(method, "GET") == 0;
    if (!split(from->url, &authority, &path) || !find_address(from, authority, &call->address))
        return -1;
    return write_request(call, from, method);
}

/* --- the answer --- */

static enum wire_progress broken(struct wire_call *call, const char *text)
{
    http_answer_fail(call->answer, HTTP_BROKEN, 0, text);
    return WIRE_BROKEN;
}

static void take_value(const struct http_head *head, const char *name, char *value, size_t size)
{
    const struct http_header *header = http_head_find(head, name);
    if (header && header->value.length < size) {
        memcpy(value, header->value.at, header->value.length);
        value[header->value.length] = '\0';
    }
}

static void take_head(struct wire_call *call, const struct http_head *head)
{
    struct http_result *result = &call->answer->result;
    result->status = head->status;
    take_value(head, "Api-Version", result->api_version, sizeof result->api_version);
    take_value(head, "Builder-Version", result->builder_version, sizeof result->builder_version);
    take_value(head, "X-Etcd-Index", result->index, sizeof result->index);
    take_value(head, "X-Consul-Index", result->index, sizeof result->index);
    http_body_init_response(&call->framing, head, call->to_head);
    call->keep = head->keep_alive && call->framing.framing != HTTP_BODY_UNTIL_CLOSE && !call->once;
    call->body = true;
}

/* The head, and interim ones before it. */
static enum wire_progress take_heads(struct wire_call *call, const char *bytes, size_t length, size_t *used)
{
    struct http_head head;
    const char *why = "";
    while (!call->body) {
        size_t consumed = 0;
        int result = http_head_parse_response(&head, bytes + *used, length - *used, &consumed, &why);
        if (result == HTTP_HEAD_MORE)
            return WIRE_MORE;
        if (result != 0) {
            char text[200];
            snprintf(text, sizeof text, "malformed HTTP answer: %s", why);
            return broken(call, text);
        }
        *used += consumed;
        if (head.status >= 200 || head.status == 101)
            take_head(call, &head);
    }
    return WIRE_WHOLE;
}

static enum wire_progress take_body(struct wire_call *call, const char *bytes, size_t length, size_t *used)
{
    while (!call->framing.done) {
        struct http_body before = call->framing;
        size_t consumed, size;
        const char *data;
        if (http_body_next(&call->framing, bytes + *used, length - *used, &consumed, &data, &size) != 0)
            return broken(call, "malformed HTTP answer: its body is not framed as its head says");
        if (consumed == 0)
            return WIRE_MORE;
        int result = size == 0 ? 0 : http_answer_take(call->answer, call->answer->result.status, data, size);
        if (result == HTTP_LATER) {
            call->framing = before;
            return WIRE_PAUSED;
        }
        if (result != 0)
            return broken(call, "");
        *used += consumed;
    }
    return WIRE_WHOLE;
}

static enum wire_progress take(struct wire_call *call, const char *bytes, size_t length, size_t *used)
{
    *used = 0;
    enum wire_progress progress = call->body ? WIRE_WHOLE : take_heads(call, bytes, length, used);
    return progress == WIRE_WHOLE ? take_body(call, bytes, length, used) : progress;
}

static bool keep_rest(struct wire_call *call, const char *bytes, size_t length)
{
    if (bytes_append(&call->rest, bytes, length) == 0)
        return true;
    call->answer->no_memory = true;
    (void)broken(call, "");
    return false;
}

enum wire_progress wire_call_take(struct wire_call *call, const char *bytes, size_t length, size_t *ret_used)
{
    size_t used;
    enum wire_progress progress;
    bool waiting = bytes_length(&call->rest) > 0;
    if (waiting && length > 0 && !keep_rest(call, bytes, length))
        return WIRE_BROKEN;
    progress = waiting ? take(call, bytes_at(&call->rest), bytes_length(&call->rest), &used)
                       : take(call, bytes, length, &used);
    if (waiting)
        bytes_consume(&call->rest, used);
    else if (progress != WIRE_WHOLE && progress != WIRE_BROKEN && used < length &&
             !keep_rest(call, bytes + used, length - used))
        progress = WIRE_BROKEN;
    *ret_used = waiting ? length - bytes_length(&call->rest) : used;
    if (bytes_length(&call->rest) == 0)
        bytes_free(&call->rest);
    return progress;
}

enum wire_progress wire_call_closed(struct wire_call *call)
{
    if (!call->begun)
        return broken(call, "the connection was closed without an answer");
    if (!call->body || http_body_closed(&call->framing) != 0)
        return broken(call, "the connection was closed in the middle of the answer");
    return WIRE_WHOLE;
}
