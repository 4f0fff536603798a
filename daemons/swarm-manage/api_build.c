/* SPDX-License-Identifier: Apache-2.0 */
/* Builds. One by the classic builder is one request, passed on to the node that was chosen for it. One by BuildKit
 * comes in parts: a session, the build that names it and perhaps an upload that names the build, in any order. What the
 * engine says goes to the client as it is. */
#include "api_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_node.h"
#include "build_query.h"
#include "deadline.h"
#include "http_client.h"
#include "http_server.h"
#include "image_find.h"
#include "proxy.h"
#include "replica.h"

#define PART_TIMEOUT_MS 5000

/* Until something is decided. A session's client has its 101 already: that it ended its direction says nothing, which
 * the engine is to be told. 1, 0 on timeout, -1 where the client is gone. */
static int wait_for_pin(struct call *call, enum pin_kind kind, int fd, int timeout_ms)
{
    int events;

    if (kind != PIN_SESSION)
        return http_reply_wait(call->reply, fd, timeout_ms);
    events = http_reply_wait_any(call->reply, fd, HTTP_WAIT_FD, timeout_ms);
    return (events & HTTP_WAIT_GONE) != 0 ? -1 : events != 0;
}

struct engine *build_await(struct call *call, enum pin_kind kind, const char *key, int timeout_ms,
                           struct failure *failure)
{
    struct pin_table *pins = call->manager->pins;
    struct deadline deadline = deadline_after(timeout_ms);
    struct engine *engine = NULL;
    struct pin_wait wait;
    uint64_t count;
    int r = 1;

    if (pin_wait_begin(pins, &wait) < 0) {
        failure_set(failure, 500, "cannot wait for the build: %s", strerror(errno));
        return NULL;
    }
    while ((engine = pin_find(pins, kind, key, monotonic_ms())) == NULL && r > 0) {
        r = wait_for_pin(call, kind, wait.fd, deadline_left(deadline));
        if (r > 0 && read(wait.fd, &count, sizeof(count)) < 0)
            r = -1;
    }
    pin_wait_end(pins, &wait);
    if (engine == NULL && r == 0)
        failure_set(failure, 500, "timeout waiting for build to start");
    return engine;
}

void build_remember_client(struct call *call, struct engine *engine)
{
    struct pin_table *pins = call->manager->pins;
    const char *client = replica_client(call);

    if (!pin_is_held(pins, PIN_CLIENT, client))
        (void)pin_set(pins, PIN_CLIENT, client, engine, monotonic_ms());
}

/* Pass the request on; answers. */
static int pass(struct call *call, struct engine *engine, const char *path, const char *query, bool refresh_images)
{
    struct proxy_order order = {
        .engine = engine, .version = call->version, .path = path, .query = query, .refresh_images = refresh_images};
    struct failure failure = {0};
    int status;

    if (proxy_request(call->manager, call->request, call->reply, &order, &status, &failure) == 0)
        return 0;
    return api_reply_failure(call, &failure);
}

/* A whole number; 0 for anything else. */
static int64_t number_of(struct call *call, const char *key)
{
    const char *text = http_request_query(call->request, key);
    char *end;
    long long number;

    if (text == NULL)
        return 0;
    errno = 0;
    number = strtoll(text, &end, 10);
    return errno != 0 || end == text || *end != '\0' ? 0 : number;
}

static const char *text_of(struct call *call, const char *key)
{
    const char *text = http_request_query(call->request, key);

    return text == NULL || text[0] == '\0' ? NULL : text;
}

/* Where the image is that the build is to take the place of, so that no node is left with an older one of that name. Of
 * several nodes the client's own. A reference, NULL: none. */
static struct engine *engine_of_tag(struct call *call, const struct engine *clients)
{
    const char *tag = text_of(call, "t");
    struct image_holders holders = {0};
    struct failure failure = {0};
    struct engine *engine = NULL;

    if (tag != NULL && image_find(call->manager->pool, tag, &holders, &failure) == 0) {
        for (size_t i = 0; i < holders.healthy; i++) {
            if (engine == NULL || holders.list[i].engine == clients)
                engine = holders.list[i].engine;
        }
        if (engine != NULL)
            engine_ref(engine);
        image_holders_clear(&holders);
    }
    failure_clear(&failure);
    return engine;
}

/* The engine of the image's name, else of what the client did last. A reference, NULL: none. */
static struct engine *preferred_engine(struct call *call)
{
    struct engine *clients = pin_find(call->manager->pins, PIN_CLIENT, replica_client(call), monotonic_ms());
    struct engine *tagged = engine_of_tag(call, clients);

    if (tagged == NULL)
        return clients;
    engine_unref(clients);
    return tagged;
}

/* Choose with what is known of the session and of the client. Once the node is known its session has to be there as
 * well: if it went elsewhere meanwhile, the build follows it. */
static int choose(struct call *call, json_t *expressions, struct engine **ret, struct failure *failure)
{
    struct build_wish wish = {
        .expressions = expressions,
        .memory = number_of(call, "memory"),
        .cpu_shares = number_of(call, "cpushares"),
        .platform = text_of(call, "platform"),
        .node = http_request_header(call->request, "X-Swarm-Node"),
    };
    struct pin_table *pins = call->manager->pins;
    const char *session = text_of(call, "session");
    struct engine *bound = session == NULL ? NULL : pin_find(pins, PIN_SESSION, session, monotonic_ms());
    struct engine *preferred = preferred_engine(call);
    struct engine *engine = NULL;
    int r = build_node_choose(call->manager, &wish, bound, preferred, &engine, failure);

    if (r == 0 && session != NULL && bound == NULL) {
        bound = pin_claim(pins, PIN_SESSION, session, engine, monotonic_ms());
        if (bound == NULL)
            r = failure_set(failure, 500, "out of memory");
        else if (bound != engine) {
            engine_unref(engine);
            engine = NULL;
            r = build_node_choose(call->manager, &wish, bound, NULL, &engine, failure);
        }
        if (r < 0)
            engine_unref(engine);
    }
    engine_unref(preferred);
    engine_unref(bound);
    if (r == 0)
        *ret = engine;
    return r;
}

static int build_on(struct call *call, struct engine *engine, const char *query)
{
    const char *id = text_of(call, "buildid");

    if (id != NULL && pin_set(call->manager->pins, PIN_BUILD, id, engine, monotonic_ms()) < 0)
        return http_reply_error(call->reply, 500, "out of memory");
    build_remember_client(call, engine);
    return pass(call, engine, "/build", query, true);
}

/* The context of a build that runs already, or is about to. */
static int upload(struct call *call, const char *id)
{
    struct failure failure = {0};
    struct engine *engine = build_await(call, PIN_BUILD, id, PART_TIMEOUT_MS, &failure);
    int r;

    if (engine == NULL)
        return api_reply_failure(call, &failure);
    r = pass(call, engine, "/build", http_request_query_string(call->request), false);
    engine_unref(engine);
    return r;
}

/* They are remembered. */
static const char *find_long_id(struct call *call)
{
    static const char *const keys[] = {"session", "buildid"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *id = text_of(call, keys[i]);

        if (id != NULL && strlen(id) > PIN_KEY_MAX)
            return keys[i];
    }
    return NULL;
}

int api_build(struct call *call)
{
    static const char prefix[] = "upload-request:";
    const char *id = text_of(call, "buildid"), *too_long = find_long_id(call);
    struct failure failure = {0};
    struct engine *engine = NULL;
    json_t *expressions;
    char *query;
    int r;

    if (too_long != NULL)
        return http_reply_error(call->reply, 400, "the parameter %s is longer than %d bytes", too_long, PIN_KEY_MAX);
    if (id != NULL && strncmp(id, prefix, strlen(prefix)) == 0)
        return upload(call, id + strlen(prefix));
    if (build_query_split(http_request_query_string(call->request), http_request_query(call->request, "buildargs"),
                          &query, &expressions) < 0)
        return http_reply_error(call->reply, 500, "out of memory");
    r = choose(call, expressions, &engine, &failure);
    r = r == 0 ? build_on(call, engine, query) : api_reply_failure(call, &failure);
    engine_unref(engine);
    json_decref(expressions);
    free(query);
    return r;
}

int api_build_cancel(struct call *call)
{
    const char *id = text_of(call, "id");
    struct failure failure = {0};
    struct engine *engine;
    int r;

    if (id == NULL)
        return http_reply_error(call->reply, 400, "build ID not provided");
    engine = build_await(call, PIN_BUILD, id, PART_TIMEOUT_MS, &failure);
    if (engine == NULL)
        return api_reply_failure(call, &failure);
    r = pass(call, engine, "/build/cancel", http_request_query_string(call->request), false);
    engine_unref(engine);
    return r;
}
