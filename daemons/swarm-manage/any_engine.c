/* SPDX-License-Identifier: Apache-2.0 */
#include "any_engine.h"

#include "fanout.h"
#include "http_server.h"
#include "proxy.h"

int any_engine_of(struct call *call, struct engine *const *engines, size_t count, const char *path)
{
    struct failure failure = {0};
    int status, r = -1;

    if (count == 0)
        failure_set(&failure, 500, "No healthy node available in the cluster");
    for (size_t i = 0; i < count; i++) {
        struct proxy_order order = {
            .engine = engines[i],
            .version = call->version,
            .path = path,
            .query = http_request_query_string(call->request),
        };

        failure_clear(&failure);
        r = proxy_request(call->manager, call->request, call->reply, &order, &status, &failure);
        if (r == 0 || failure.status == 0 || !http_request_is_intact(call->request))
            break;
    }
    return r == 0 ? 0 : api_reply_failure(call, &failure);
}

int any_engine(struct call *call, const char *path)
{
    size_t count = 0;
    struct engine **engines = pool_engines(call->manager->pool, true, &count);
    int r = any_engine_of(call, engines, count, path);

    fanout_release(engines, count);
    return r;
}
