/* SPDX-License-Identifier: Apache-2.0 */
#include "answer_by_path.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define BIG_BODY 1000000

__attribute__((format(printf, 1, 2))) static char *text(const char *format, ...)
{
    va_list arguments;
    char *made;

    va_start(arguments, format);
    kit_check(vasprintf(&made, format, arguments) >= 0);
    va_end(arguments);
    return made;
}

static char *big_body(void)
{
    char *body = malloc(BIG_BODY + 1);

    kit_check(body != NULL);
    memset(body, 'x', BIG_BODY);
    body[BIG_BODY] = '\0';
    return body;
}

static void tick(struct peer_answer *answer, int repeat_ms)
{
    answer->stream = true;
    answer->headers = "Transfer-Encoding: chunked\r\n";
    answer->body = text("5\r\ntick\n\r\n");
    answer->repeat_ms = repeat_ms;
}

void answer_by_path(void *data, const struct peer_request *request, struct peer_answer *answer)
{
    const char *path = request->path;

    if (strcmp(path, "/echo") == 0) {
        answer->body = text("%s %s\n%s", request->method, request->body, request->text);
    } else if (strcmp(path, "/headers") == 0) {
        answer->headers = "api-version: 1.54\r\nBuilder-Version:2\r\nX-Etcd-Index: 17 \r\n";
        answer->body = text("OK");
    } else if (strcmp(path, "/teapot") == 0) {
        answer->status = 418;
        answer->body = text("short and stout");
    } else if (strcmp(path, "/empty") == 0) {
        answer->body = text("%s", "");
    } else if (strcmp(path, "/big") == 0) {
        answer->body = big_body();
    } else if (strcmp(path, "/silent") == 0) {
        answer->none = true;
    } else if (strcmp(path, "/stream") == 0) {
        tick(answer, 20);
    } else if (strcmp(path, "/mute") == 0) {
        tick(answer, 0);
    } else {
        answer->status = 404;
        answer->body = text("no answer for %s", path);
    }
}
