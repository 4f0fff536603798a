/* SPDX-License-Identifier: Apache-2.0 */
/* What handlers ask of a request. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_internal.h"

const char *http_request_method(const struct http_request *request)
{
    return request->method;
}

const char *http_request_path(const struct http_request *request)
{
    return request->path;
}

const char *http_request_query_string(const struct http_request *request)
{
    return request->query;
}

const char *http_request_header(struct http_request *request, const char *name)
{
    const struct http_header *header = http_head_find(&request->head, name);
    return header ? header->value.at : NULL;
}

const struct http_head *http_request_head(const struct http_request *request)
{
    return &request->head;
}

const char *http_request_peer(const struct http_request *request)
{
    return stream_peer(request->connection->stream);
}

bool http_request_is_of_server(const struct http_request *request)
{
    return stream_peer_is_server(request->connection->stream);
}

bool http_request_stopping(const struct http_request *request)
{
    return atomic_load(&request->connection->server->stopping);
}

bool http_request_is_intact(const struct http_request *request)
{
    return request->whole_read || !request->body_touched;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* @p form: '+' is a blank, as in queries. */
static char *decode(const char *text, size_t length, bool form)
{
    char *decoded = malloc(length + 1);
    size_t end = 0;
    if (!decoded)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        char c = form && text[i] == '+' ? ' ' : text[i];
        if (c == '%') {
            int high = i + 2 < length ? hex_value(text[i + 1]) : -1;
            int low = high >= 0 ? hex_value(text[i + 2]) : -1;
            c = low >= 0 ? (char)(high * 16 + low) : '\0';
            i += 2;
        }
        if (c == '\0') {
            free(decoded);
            return NULL;
        }
        decoded[end++] = c;
    }
    decoded[end] = '\0';
    return decoded;
}

char *http_decode(const char *text, size_t length)
{
    return decode(text, length, false);
}

/* "key=value" or "key". A parameter that cannot be decoded is passed over. */
static void read_parameter(struct http_parameter ***end, const char *text, size_t length)
{
    const char *equals = memchr(text, '=', length);
    size_t key_length = equals ? (size_t)(equals - text) : length;
    struct http_parameter *parameter = calloc(1, sizeof *parameter);
    if (!parameter)
        return;
    parameter->key = decode(text, key_length, true);
    parameter->value = equals ? decode(equals + 1, length - key_length - 1, true) : strdup("");
    if (!parameter->key || !parameter->value) {
        free(parameter->key);
        free(parameter->value);
        free(parameter);
        return;
    }
    **end = parameter;
    *end = &parameter->next;
}

const char *http_request_query(struct http_request *request, const char *key)
{
    return http_request_query_at(request, key, 0);
}

const char *http_request_query_at(struct http_request *request, const char *key, size_t index)
{
    if (!request->parameters_read) {
        struct http_parameter **end = &request->parameters;
        request->parameters_read = true;
        for (const char *at = request->query; *at;) {
            size_t length = strcspn(at, "&");
            if (length > 0)
                read_parameter(&end, at, length);
            at += length + (at[length] == '&');
        }
    }
    for (const struct http_parameter *at = request->parameters; at; at = at->next)
        if (strcmp(at->key, key) == 0 && index-- == 0)
            return at->value;
    return NULL;
}

bool http_request_query_bool(struct http_request *request, const char *key)
{
    static const char *const no[] = {"", "0", "no", "false", "none"};
    const char *value = http_request_query(request, key);
    if (!value)
        return false;
    value += strspn(value, " \t\r\n");
    size_t length = strlen(value);
    while (length > 0 && strchr(" \t\r\n", value[length - 1]))
        length--;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (strlen(no[i]) == length && strncasecmp(value, no[i], length) == 0)
            return false;
    return true;
}

static int read_whole(struct http_request *request, const char **ret_why)
{
    const struct http_server_options *options = &request->connection->server->options;
    size_t limit = (size_t)options->max_body;
    if (request->body.framing == HTTP_BODY_LENGTH && request->body.left > limit) {
        *ret_why = "the request's body is too large";
        return 413;
    }
    struct deadline deadline = deadline_after(options->body_timeout_ms);
    for (;;) {
        const char *data;
        ssize_t got = http_request_read(request, deadline_left(deadline), &data, ret_why);
        if (got < 0)
            return (int)-got;
        if (got == 0)
            break;
        if ((size_t)got > limit - bytes_length(&request->whole)) {
            *ret_why = "the request's body is too large";
            return 413;
        }
        if (bytes_append(&request->whole, data, (size_t)got) < 0) {
            *ret_why = "out of memory";
            return 500;
        }
    }
    if (bytes_reserve(&request->whole, 1) < 0) {
        *ret_why = "out of memory";
        return 500;
    }
    request->whole.data[request->whole.end] = '\0';
    request->whole_read = true;
    return 0;
}

int http_request_read_all(struct http_request *request, const char **ret_body, size_t *ret_length, const char **ret_why)
{
    int status = request->whole_read ? 0 : read_whole(request, ret_why);
    if (status != 0)
        return status;
    *ret_body = bytes_at(&request->whole);
    *ret_length = bytes_length(&request->whole);
    return 0;
}
