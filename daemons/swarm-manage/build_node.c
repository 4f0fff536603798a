/* SPDX-License-Identifier: Apache-2.0 */
#include "build_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choose.h"
#include "fanout.h"
#include "pool.h"
#include "random.h"

static int fail_with(struct failure *failure, int result, struct swarm_error *error)
{
    int status = result == SWARM_ERR_PARSE || result == SWARM_ERR_INVALID ? 400 : 500;

    failure_set(failure, status, "%s", error == NULL ? swarm_strerror(result) : swarm_error_message(error));
    swarm_error_free(error);
    return -1;
}

static int64_t amount(int64_t value)
{
    return value < 0 ? 0 : value; /* the engine has its own words for it */
}

/* A build is placed as a container would be that asks for the same. */
static int make_body(const struct build_wish *wish, struct swarm_create_body **ret, struct swarm_error **reterr)
{
    json_t *body = json_pack("{s:O?, s:{s:I, s:I}}", "Env", wish->expressions, "HostConfig", "Memory",
                             (json_int_t)amount(wish->memory), "CpuShares", (json_int_t)amount(wish->cpu_shares));
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    int r = text == NULL ? SWARM_ERR_NOMEM : swarm_create_body_parse(ret, text, strlen(text), reterr);

    free(text);
    json_decref(body);
    return r;
}

static int constrain(struct swarm_create_body *body, const char *key, const char *value, size_t length,
                     struct swarm_error **reterr)
{
    char *constraint;
    int r;

    if (asprintf(&constraint, "%s==%.*s", key, (int)length, value) < 0)
        return SWARM_ERR_NOMEM;
    r = swarm_create_body_add_constraint(body, constraint, reterr);
    free(constraint);
    return r;
}

/* Of "linux/arm64" the system, which nodes are known by. */
static int constrain_system(struct swarm_create_body *body, const char *platform, struct swarm_error **reterr)
{
    static const char *const systems[] = {"linux", "windows"};
    size_t length = platform == NULL ? 0 : strcspn(platform, "/");

    for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++) {
        if (length == strlen(systems[i]) && strncmp(platform, systems[i], length) == 0)
            return constrain(body, "ostype", platform, length, reterr);
    }
    return 0;
}

/* @p only: no other node will do; NULL: any. */
static int make_request(struct pool *pool, const struct build_wish *wish, struct engine *only,
                        struct swarm_create_body **ret, struct swarm_error **reterr)
{
    char *id = NULL;
    int r = make_body(wish, ret, reterr);

    if (r < 0)
        return r;
    if (only != NULL) {
        pool_read_lock(pool);
        id = strdup(only->id == NULL ? "" : only->id);
        pool_unlock(pool);
        r = id == NULL ? SWARM_ERR_NOMEM : constrain(*ret, "node", id, strlen(id), reterr);
        free(id);
    }
    if (r == 0 && wish->node != NULL)
        r = constrain(*ret, "node", wish->node, strlen(wish->node), reterr);
    if (r == 0)
        r = constrain_system(*ret, wish->platform, reterr);
    if (r < 0)
        swarm_create_body_free(*ret);
    return r;
}

static int plan(struct manager *manager, const struct build_wish *wish, struct engine *only, struct engine **ret,
                struct failure *failure)
{
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    struct swarm_create_body *body = NULL;
    struct swarm_decision *decision = NULL;
    struct swarm_error *error = NULL;
    struct engine **engines = NULL;
    size_t count = 0;
    int r = make_request(manager->pool, wish, only, &body, &error);

    if (r < 0)
        return fail_with(failure, r, error);
    options.seed = random_seed();
    pool_read_lock(manager->pool);
    r = swarm_create_body_settle_cpu_shares(body, manager->pool->cluster, manager->options.cpu_shares, &error);
    if (r == 0)
        r = swarm_scheduler_plan(manager->scheduler, manager->pool->cluster, swarm_create_body_request(body), &options,
                                 &decision, &error);
    if (r == 0)
        r = choose_take(decision, &engines, &count);
    pool_unlock(manager->pool);
    if (r == 0)
        *ret = engine_ref(choose_answering(engines, count));
    fanout_release(engines, count);
    swarm_decision_free(decision);
    swarm_create_body_free(body);
    return r < 0 ? fail_with(failure, r, error) : 0;
}

static bool says_where(const struct build_wish *wish)
{
    return wish->node != NULL || json_array_size(wish->expressions) > 0;
}

int build_node_choose(struct manager *manager, const struct build_wish *wish, struct engine *bound,
                      struct engine *preferred, struct engine **ret, struct failure *failure)
{
    struct failure why = {0};
    int r;

    if (bound != NULL) {
        if (plan(manager, wish, bound, ret, &why) == 0)
            return 0;
        failure_set(failure, why.status, "the session of this build is on the engine at %s already: %s", bound->address,
                    why.message == NULL ? "out of memory" : why.message);
        failure_clear(&why);
        return -1;
    }
    if (preferred != NULL && !says_where(wish) && engine_is_answering(preferred)) {
        r = plan(manager, wish, preferred, ret, &why);
        failure_clear(&why);
        if (r == 0)
            return 0;
    }
    return plan(manager, wish, NULL, ret, failure);
}

bool build_node_is_healthy(struct pool *pool, const struct engine *engine)
{
    bool healthy;

    pool_read_lock(pool);
    healthy = engine->state == ENGINE_HEALTHY && engine->node != NULL;
    pool_unlock(pool);
    return healthy;
}

struct engine *build_node_named(struct pool *pool, const char *name, struct failure *failure)
{
    struct engine *engine = pool_find_engine_by_name(pool, name);

    if (engine != NULL && build_node_is_healthy(pool, engine))
        return engine;
    failure_set(failure, engine == NULL ? 404 : 500,
                engine == NULL ? "X-Swarm-Node: there is no node %s" : "X-Swarm-Node: node %s is not healthy", name);
    engine_unref(engine);
    return NULL;
}

/* FNV-1a, then SplitMix64's last steps, since FNV's high bits hardly know of the last bytes. */
static uint64_t weight(const char *client, const char *node)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *client != '\0'; client++)
        hash = (hash ^ (unsigned char)*client) * UINT64_C(1099511628211);
    hash = (hash ^ '|') * UINT64_C(1099511628211);
    for (; *node != '\0'; node++)
        hash = (hash ^ (unsigned char)*node) * UINT64_C(1099511628211);
    hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
    return hash ^ (hash >> 31);
}

static bool runs_buildkit(const struct engine *engine)
{
    const char *system = json_string_value(json_object_get(engine->info, "OSType"));

    return engine->state == ENGINE_HEALTHY && engine->id != NULL && (system == NULL || strcmp(system, "windows") != 0);
}

struct engine *build_node_for_client(struct pool *pool, const char *client, struct failure *failure)
{
    struct engine *best = NULL;
    uint64_t most = 0;

    pool_read_lock(pool);
    for (size_t i = 0; i < pool->engine_count; i++) {
        struct engine *engine = pool->engines[i];
        uint64_t now = runs_buildkit(engine) ? weight(client, engine->id) : 0;

        if (now > most) {
            most = now;
            best = engine;
        }
    }
    if (best != NULL)
        engine_ref(best);
    pool_unlock(pool);
    if (best == NULL)
        failure_set(failure, 500, "No healthy node available in the cluster");
    return best;
}
