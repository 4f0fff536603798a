/* SPDX-License-Identifier: Apache-2.0 */
/* /swarm/reschedule: what waits to be moved, or to be removed as the copy that is to go, and why. */
#include "api.h"
#include "engine.h"
#include "http_server.h"
#include "manager.h"
#include "watchdog.h"

static const char *wait_word(int wait)
{
    switch (wait) {
    case SWARM_WAIT_TURN:
        return "turn";
    case SWARM_WAIT_GUARD:
        return "held";
    case SWARM_WAIT_GIVEN_UP:
        return "given-up";
    case SWARM_WAIT_END:
        return "under-way";
    default:
        return "time";
    }
}

json_t *api_waiting_json(const struct swarm_waiting *waiting)
{
    const struct swarm_container *container = waiting->container;
    const char *name = swarm_container_name(container);
    int64_t in_ms = waiting->next_ms - monotonic_ms();

    return json_pack("{s:s, s:o, s:s, s:s, s:I, s:o, s:o}", "id", swarm_container_id(container), "name",
                     *name ? json_string(name) : json_null(), "kind",
                     waiting->kind == SWARM_ACTION_REMOVE ? "remove" : "move", "wait", wait_word(waiting->wait),
                     "attempts", (json_int_t)waiting->attempts, "next_try_ms",
                     waiting->next_ms < 0 ? json_null() : json_integer(in_ms > 0 ? in_ms : 0), "error",
                     waiting->reason ? json_string(waiting->reason) : json_null());
}

static void add_waiting(void *data, const struct swarm_waiting *waiting)
{
    json_t *one = api_waiting_json(waiting);

    json_object_set_new(one, "node", json_string(swarm_node_name(swarm_container_node(waiting->container))));
    if (!*swarm_container_name(waiting->container)) /* as these always were here */
        json_object_set_new(one, "name", json_string(""));
    if (!waiting->reason)
        json_object_set_new(one, "error", json_string(""));
    json_array_append_new(data, one);
}

static int reply_state(struct call *call)
{
    struct swarm_rescheduler_status status = SWARM_RESCHEDULER_STATUS_INIT;
    struct pool *pool = call->manager->pool;
    json_t *waiting = json_array();

    pool_read_lock(pool);
    if (call->manager->watchdog) {
        const struct swarm_rescheduler *rescheduler = watchdog_rescheduler(call->manager->watchdog);

        swarm_rescheduler_status(rescheduler, &status);
        for (size_t i = 0; i < pool->engine_count; i++)
            swarm_rescheduler_each_waiting(rescheduler, pool->engines[i]->node, add_waiting, waiting);
    }
    pool_unlock(pool);
    return api_reply_json(call, 200,
                          json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:o}", "held", status.held, "engines_lost",
                                    (json_int_t)status.nodes_lost, "engines_counted", (json_int_t)status.nodes_counted,
                                    "moves", (json_int_t)status.moves, "given_up", (json_int_t)status.moves_given_up,
                                    "removals", (json_int_t)status.removals, "waiting", waiting));
}

int api_reschedule(struct call *call)
{
    return reply_state(call);
}

int api_reschedule_release(struct call *call)
{
    if (call->manager->watchdog)
        watchdog_release(call->manager->watchdog);
    return reply_state(call);
}
