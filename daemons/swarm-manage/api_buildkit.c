/* SPDX-License-Identifier: Apache-2.0 */
/* BuildKit's own connections: sessions, through which an engine asks the client for files and secrets, and /grpc, over
 * which clients speak to BuildKit itself. From the switch of protocols on they are bytes. Nothing in them names a node
 * or a build that we could see, so all connections of a client's go to one engine. */
#include <string.h>

#include "api_build.h"
#include "build_node.h"
#include "http_client.h"
#include "http_server.h"
#include "proxy.h"
#include "replica.h"

#define SESSION_TIMEOUT_MS 3000 /* for the build that names a session */

/* A connection to be made, and what keeps it where it is. */
struct tunnel {
    enum pin_kind kind;
    const char *key;
    const char *path;
    const char *switched; /* relay.h */
};

/* The engine of the client's connections: where those that are open go, else where its builds were last, else by who it
 * is. A reference; NULL with the failure. */
static struct engine *engine_of_client(struct call *call, struct failure *failure)
{
    const char *name = http_request_header(call->request, "X-Swarm-Node");
    const char *client = replica_client(call);
    struct pool *pool = call->manager->pool;
    struct engine *engine;

    if (name != NULL)
        return build_node_named(pool, name, failure);
    engine = pin_find(call->manager->pins, PIN_CLIENT, client, monotonic_ms());
    if (engine != NULL && build_node_is_healthy(pool, engine))
        return engine;
    engine_unref(engine);
    return build_node_for_client(pool, client, failure);
}

/* Connect and let bytes pass until both ends have closed; answers. */
static int pass(struct call *call, struct engine *engine, const struct tunnel *tunnel)
{
    struct pin_table *pins = call->manager->pins;
    struct proxy_order order = {
        .engine = engine,
        .method = "POST",
        .version = call->version,
        .path = tunnel->path,
        .query = http_request_query_string(call->request),
        .may_hijack = true,
        .without_body = true,
        .switched = tunnel->switched,
    };
    struct failure failure = {0};
    int status, r;

    if (pin_set(pins, tunnel->kind, tunnel->key, engine, monotonic_ms()) < 0)
        return http_reply_error(call->reply, 500, "out of memory");
    pin_hold(pins, tunnel->kind, tunnel->key);
    r = proxy_request(call->manager, call->request, call->reply, &order, &status, &failure);
    pin_release(pins, tunnel->kind, tunnel->key, monotonic_ms());
    return r == 0 ? 0 : api_reply_failure(call, &failure);
}

static int pass_client(struct call *call, const char *switched)
{
    struct tunnel tunnel = {.kind = PIN_CLIENT, .key = replica_client(call), .path = "/grpc", .switched = switched};
    struct failure failure = {0};
    struct engine *engine = engine_of_client(call, &failure);
    int r;

    if (engine == NULL)
        return api_reply_failure(call, &failure);
    r = pass(call, engine, &tunnel);
    engine_unref(engine);
    return r;
}

int api_grpc(struct call *call)
{
    return pass_client(call, NULL);
}

int api_http2(struct call *call)
{
    return pass_client(call, "h2c");
}

/* The engine that a session has to go to, as far as that is decided. A reference, NULL: it is not, or with a failure.
 */
static struct engine *engine_of_session(struct call *call, const char *id, struct failure *failure)
{
    struct pin_table *pins = call->manager->pins;
    struct engine *engine = pin_find(pins, PIN_SESSION, id, monotonic_ms());

    if (engine == NULL && (pin_is_held(pins, PIN_CLIENT, replica_client(call)) ||
                           http_request_header(call->request, "X-Swarm-Node") != NULL))
        engine = engine_of_client(call, failure);
    return engine;
}

/* Wait for the build, which says what its node must be like. A session that no build names goes where its client's
 * other connections would. */
static struct engine *await_engine(struct call *call, const char *id, struct failure *failure)
{
    struct engine *engine = build_await(call, PIN_SESSION, id, SESSION_TIMEOUT_MS, failure), *chosen;

    if (engine != NULL || failure->status == 0)
        return engine;
    failure_clear(failure);
    chosen = engine_of_client(call, failure);
    if (chosen == NULL)
        return NULL;
    engine = pin_claim(call->manager->pins, PIN_SESSION, id, chosen, monotonic_ms());
    engine_unref(chosen);
    if (engine == NULL)
        failure_set(failure, 500, "out of memory");
    return engine;
}

/* The build that a session is for often comes behind it, and by its arguments decides where both go. But clients may
 * wait for the session before they send the build: so the client has its answer first, and the engine is asked when it
 * is known. */
int api_session(struct call *call)
{
    const char *id = http_request_header(call->request, "X-Docker-Expose-Session-Uuid");
    struct tunnel tunnel = {.kind = PIN_SESSION, .key = id, .path = "/session"};
    struct slice upgrade = http_request_head(call->request)->upgrade;
    struct failure failure = {0};
    struct engine *engine;
    int r;

    if (id == NULL || id[0] == '\0')
        return http_reply_error(call->reply, 400, "no session ID provided");
    if (strlen(id) > PIN_KEY_MAX)
        return http_reply_error(call->reply, 400, "the session ID is longer than %d bytes", PIN_KEY_MAX);
    engine = engine_of_session(call, id, &failure);
    if (engine == NULL && failure.status == 0 && !slice_is_nocase(upgrade, "h2c"))
        engine = engine_of_client(call, &failure); /* it has its own words for that */
    if (engine == NULL && failure.status == 0) {
        tunnel.switched = "h2c";
        if (http_reply_switch(call->reply, tunnel.switched) < 0)
            return -1;
        engine = await_engine(call, id, &failure);
    }
    if (engine == NULL)
        return api_reply_failure(call, &failure);
    r = pass(call, engine, &tunnel);
    engine_unref(engine);
    return r;
}
