/* SPDX-License-Identifier: Apache-2.0 */
#include "api.h"

#include <stdlib.h>
#include <string.h>

#include "http_server.h"
#include "json_read.h"

int api_reply_json(struct call *call, int status, json_t *json)
{
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY);
    int r;

    json_decref(json);
    if (text == NULL)
        return http_reply_error(call->reply, 500, "out of memory");
    r = http_reply_send(call->reply, status, "application/json", text, strlen(text));
    free(text);
    return r;
}

int api_reply_failure(struct call *call, struct failure *failure)
{
    int r = failure->status == 0 ? -1 : failure_reply(failure, call->reply);

    failure_clear(failure);
    return r;
}

json_t *api_load_json(const char *text, size_t length)
{
    return json_read(text, length, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
}

struct api_version api_client_version(const struct call *call)
{
    struct api_version version = {0, 0};

    if (api_version_parse(&version, call->version) < 0)
        (void)api_version_parse(&version, API_VERSION_MAX);
    return version;
}
