/* SPDX-License-Identifier: Apache-2.0 */
/* /containers/{name}/json: the engine's own answer, with the node in it. Everything else stays: fields that nobody here
 * knows, their order, numbers of 64 bits. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "by_container.h"
#include "bytes.h"
#include "http_server.h"
#include "inspect_edit.h"
#include "json_write.h"

/* {"key":"value",…} */
static int write_labels(struct bytes *out, const struct swarm_node *node)
{
    const char *key, *value;
    int r = bytes_append_text(out, "{");

    for (size_t i = 0; r == 0 && node != NULL && swarm_node_label_at(node, i, &key, &value); i++) {
        if ((i > 0 && bytes_append_text(out, ",") < 0) || json_write_string(out, key) < 0 ||
            bytes_append_text(out, ":") < 0 || json_write_string(out, value) < 0)
            r = -1;
    }
    return r == 0 ? bytes_append_text(out, "}") : -1;
}

/* The value of Node, NUL-ended. With the pool locked. */
static int write_node(struct bytes *out, const struct engine *engine)
{
    const struct {
        const char *before, *value;
    } texts[] = {{"{\"ID\":", engine->id},
                 {",\"IP\":", engine->ip},
                 {",\"Addr\":", engine->address},
                 {",\"Name\":", engine->name}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (bytes_append_text(out, texts[i].before) < 0 || json_write_string(out, texts[i].value) < 0)
            return -1;
    }
    if (bytes_printf(out, ",\"Cpus\":%d,\"Memory\":%" PRId64 ",\"Labels\":", engine->cpus, engine->memory) < 0 ||
        write_labels(out, engine->node) < 0)
        return -1;
    return bytes_append(out, "}", 2);
}

static int reply_edited(struct call *call, const struct engine *engine, const char *body, size_t length)
{
    struct pool *pool = call->manager->pool;
    struct bytes node = {0}, answer = {0};
    char ip[sizeof(engine->ip)];
    bool no_memory = true;
    int r;

    pool_read_lock(pool);
    memcpy(ip, engine->ip, sizeof(ip));
    r = write_node(&node, engine);
    pool_unlock(pool);
    if (r == 0)
        r = inspect_edit(body, length, bytes_at(&node), ip, &answer, &no_memory);
    if (r == 0)
        r = http_reply_send(call->reply, 200, "application/json", bytes_at(&answer), bytes_length(&answer));
    else if (no_memory)
        r = http_reply_error(call->reply, 500, "out of memory");
    else
        r = http_reply_error(call->reply, 500,
                             "The engine at %s answered an inspect with something that is "
                             "no JSON object",
                             engine->shown);
    bytes_free(&node);
    bytes_free(&answer);
    return r;
}

static int reply_inspect(struct call *call, const struct engine *engine, int status, const char *body, size_t length)
{
    if (status != 200)
        return http_reply_send(call->reply, status, "application/json", body == NULL ? "" : body, length);
    return reply_edited(call, engine, body, length);
}

int api_container_inspect(struct call *call)
{
    struct failure failure = {0};
    struct target target = {0};
    char *path, *body = NULL;
    size_t length = 0;
    int status = 0, r;

    if (by_container_find(call, call->name, 0, &target, &failure) < 0)
        return api_reply_failure(call, &failure);
    path = by_container_path(&target, call->rest);
    r = by_container_capture(call, target.engine, "GET", path, &body, &length, &status, &failure);
    free(path);
    r = r == 0 ? reply_inspect(call, target.engine, status, body, length) : api_reply_failure(call, &failure);
    free(body);
    target_clear(&target);
    return r;
}
