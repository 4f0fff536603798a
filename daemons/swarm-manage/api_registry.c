/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to registries, which any engine can put: search, log in, what a reference stands for. And commit, as the
 * one way to an image that belongs to a container. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "any_engine.h"
#include "api.h"
#include "by_container.h"
#include "bytes.h"
#include "http_server.h"
#include "proxy.h"
#include "uri.h"

int api_image_search(struct call *call)
{
    return any_engine(call, "/images/search");
}

int api_image_viz(struct call *call)
{
    return http_reply_error(call->reply, 501, "Not supported in clustering mode.");
}

int api_auth(struct call *call)
{
    const char *body, *why;
    size_t length;
    int status = http_request_read_all(call->request, &body, &length, &why); /* it may have to be sent again */

    return status == 0 ? any_engine(call, "/auth") : http_reply_error(call->reply, status, "%s", why);
}

int api_distribution(struct call *call)
{
    char *name = uri_escape_name(call->name), *path = NULL;
    int r;

    if (name == NULL || asprintf(&path, "/distribution/%s/json", name) < 0) {
        free(name);
        return http_reply_error(call->reply, 500, "out of memory");
    }
    r = any_engine(call, path);
    free(path);
    free(name);
    return r;
}

/* --- commit --- */

/* The client's query with the parameter "container" as @p id, all else as it was sent. New text, NULL for lack of
 * memory. */
static char *query_for(const char *query, const char *id)
{
    struct bytes text = {0};
    int r = bytes_printf(&text, "container=%s", id);

    for (const char *at = query; r == 0 && *at != '\0';) {
        size_t length = strcspn(at, "&");

        if (length > 0 && strncmp(at, "container=", strlen("container=")) != 0)
            r = bytes_printf(&text, "&%.*s", (int)length, at);
        at += length + (at[length] == '&');
    }
    if (r == 0)
        r = bytes_append(&text, "", 1);
    if (r < 0) {
        bytes_free(&text);
        return NULL;
    }
    return text.data; /* begin is 0: nothing was consumed */
}

int api_commit(struct call *call)
{
    const char *name = http_request_query(call->request, "container");
    struct failure failure = {0};
    struct target target = {0};
    char *query;
    int status = 0, r;

    if (by_container_find(call, name == NULL ? "" : name, 0, &target, &failure) < 0)
        return api_reply_failure(call, &failure);
    query = query_for(http_request_query_string(call->request), target.id);
    if (query == NULL) {
        r = failure_set(&failure, 500, "out of memory");
    } else {
        struct proxy_order order = {
            .engine = target.engine,
            .version = call->version,
            .path = "/commit",
            .query = query,
            .refresh = target.id,
            .refresh_images = true,
        };

        r = proxy_request(call->manager, call->request, call->reply, &order, &status, &failure);
    }
    free(query);
    target_clear(&target);
    return r == 0 ? 0 : api_reply_failure(call, &failure);
}
