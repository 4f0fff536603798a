/* SPDX-License-Identifier: Apache-2.0 */
#include "failure.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "http_client.h"
#include "http_server.h"
#include "json_read.h"

int failure_set(struct failure *failure, int status, const char *format, ...)
{
    char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&message, format, arguments) < 0) {
        message = NULL;
    }
    va_end(arguments);
    free(failure->message);
    failure->status = status;
    failure->message = message;
    return -1;
}

/* The engine's own words: the JSON member "message", else the body as text. New text, NULL where there is none. */
static char *engine_message(const struct http_result *result)
{
    char *message = NULL;
    json_t *root = result->body ? json_read(result->body, result->length, 0, NULL) : NULL;
    const char *text = json_string_value(json_object_get(root, "message"));
    size_t length;

    if (text) {
        length = strlen(text);
    } else {
        text = result->body ? result->body : "";
        length = strlen(text);
    }
    while (length && isspace((unsigned char)text[length - 1])) {
        length--;
    }
    if (length) {
        message = strndup(text, length);
    }
    json_decref(root);
    return message;
}

int failure_from_engine(struct failure *failure, const struct engine *engine, const struct http_result *result)
{
    char *message;

    switch (result->failure) {
    case HTTP_OK:
        message = engine_message(result);
        if (message) {
            failure_set(failure, result->status, "%s", message);
        } else {
            failure_set(failure, result->status, "engine %s answered with status %d and no message", engine->address,
                        result->status);
        }
        free(message);
        return -1;
    case HTTP_REFUSED:
        if (result->os_error == EACCES && engine->dial.is_unix) {
            return failure_set(failure, 500,
                               "permission denied while connecting to the engine at %s: the manager must be allowed to "
                               "read and write that socket",
                               engine->shown);
        }
        return failure_set(failure, 500, "Cannot connect to the Docker daemon at %s. Is the docker daemon running?",
                           engine->shown);
    case HTTP_TIMEOUT:
        return failure_set(failure, 500, "engine %s did not answer in time: %s", engine->address, result->error);
    case HTTP_NO_SOCKET:
        return failure_set(failure, 503, "the manager has no connection left for engine %s: %s", engine->address,
                           result->error);
    case HTTP_BROKEN:
    case HTTP_CANCELLED:
        break;
    }
    return failure_set(failure, 500, "error during connect to engine %s: %s", engine->address, result->error);
}

void failure_clear(struct failure *failure)
{
    free(failure->message);
    failure->message = NULL;
    failure->status = 0;
}

int failure_reply(const struct failure *failure, struct http_reply *reply)
{
    return http_reply_error(reply, failure->status ? failure->status : 500, "%s",
                            failure->message ? failure->message : "out of memory");
}
