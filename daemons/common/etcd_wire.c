/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of both languages. */
#include "etcd_wire.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int etcd_v2_error(const struct http_result *result)
{
    json_t *root = result->failure == HTTP_OK && result->body ? json_loads(result->body, 0, NULL) : NULL;
    int code = (int)json_integer_value(json_object_get(root, "errorCode"));
    json_decref(root);
    return code;
}

bool etcd_api_missing(const struct http_result *result)
{
    if (result->failure != HTTP_OK || result->status != 404)
        return false;
    json_t *root = result->body ? json_loads(result->body, 0, NULL) : NULL;
    bool answered = json_object_get(root, "errorCode") || json_object_get(root, "error");
    json_decref(root);
    return !answered;
}

/* v2: {"errorCode":…,"message":…,"cause":…}; v3: {"error":"…","code":…}, in streams {"error":{"message":…}}. */
static bool describe_json(char *buffer, size_t size, const json_t *root)
{
    const char *message = json_string_value(json_object_get(root, "message"));
    const char *cause = json_string_value(json_object_get(root, "cause"));
    const json_t *error = json_object_get(root, "error");
    const char *text = json_string_value(json_is_object(error) ? json_object_get(error, "message") : error);
    if (!text && !message)
        return false;
    snprintf(buffer, size, "%.200s%s%.100s", text ? text : message, !text && cause ? ": " : "",
             !text && cause ? cause : "");
    return true;
}

void etcd_describe(char *buffer, size_t size, const struct http_result *result)
{
    if (result->failure != HTTP_OK) {
        snprintf(buffer, size, "%s", result->error);
        return;
    }
    json_t *root = result->body ? json_loads(result->body, 0, NULL) : NULL;
    if (!describe_json(buffer, size, root))
        snprintf(buffer, size, result->status == 200 ? "an answer that is not etcd's" : "HTTP status %d",
                 result->status);
    json_decref(root);
}
