/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as Docker's API words them: {"message": "…"}. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_internal.h"
#include "log.h"

/* Bytes of the UTF-8 sequence that NUL-ended @p text begins with, 0 where it is none (RFC 3629, 4). */
static size_t utf8_length(const unsigned char *text)
{
    unsigned char lead = text[0], low = 0x80, high = 0xbf;
    size_t length;
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        length = 2;
    else if (lead >= 0xe0 && lead <= 0xef)
        length = 3;
    else if (lead >= 0xf0 && lead <= 0xf4)
        length = 4;
    else
        return 0;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    if (text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* The content of a JSON string; what is not UTF-8 becomes U+FFFD. */
static int append_json_text(struct bytes *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        size_t length = utf8_length(at);
        int result;
        if (length == 0)
            result = bytes_append_text(out, "\\ufffd");
        else if (*at == '"' || *at == '\\')
            result = bytes_printf(out, "\\%c", *at);
        else if (*at == '\n')
            result = bytes_append_text(out, "\\n");
        else if (*at < 0x20)
            result = bytes_printf(out, "\\u%04x", *at);
        else
            result = bytes_append(out, at, length);
        if (result < 0)
            return -1;
        at += length ? length : 1;
    }
    return 0;
}

/* Our own failures are errors; what clients did wrong, 505 and the like included, and refusals are not. */
static void log_failure(const struct http_reply *reply, int status, const char *message)
{
    const struct http_request *request = reply->request;
    char number[16];
    snprintf(number, sizeof number, "%d", status);
    const struct log_field fields[] = {{"status", number},
                                       {"method", request->method ? request->method : ""},
                                       {"path", request->path ? request->path : ""},
                                       {NULL, NULL}};
    if (status >= 500 && request->method && !reply->connection->refused)
        log_error_with(fields, "HTTP error: %s", message);
    else
        log_debug_with(fields, "HTTP error: %s", message);
}

int http_reply_error(struct http_reply *reply, int status, const char *format, ...)
{
    static const char fallback[] = "{\"message\":\"out of memory\"}\n";
    struct bytes body = {0};
    char *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&message, format, arguments);
    va_end(arguments);
    if (length < 0)
        message = NULL;
    log_failure(reply, status, message ? message : "out of memory");
    bool whole = message && bytes_append_text(&body, "{\"message\":\"") == 0 && append_json_text(&body, message) == 0 &&
                 bytes_append_text(&body, "\"}\n") == 0;
    int result = http_reply_send(reply, status, "application/json", whole ? bytes_at(&body) : fallback,
                                 whole ? bytes_length(&body) : sizeof fallback - 1);
    bytes_free(&body);
    free(message);
    return result;
}
