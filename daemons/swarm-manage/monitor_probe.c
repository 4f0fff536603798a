/* SPDX-License-Identifier: Apache-2.0 */
/* Is it alive? A ping now and then while nothing else is heard of an engine, and quick pings once there is doubt. */
#include <string.h>

#include "events.h"
#include "log.h"
#include "metrics.h"
#include "monitor_private.h"
#include "watchdog.h"

static void probe_step(struct watched *w);

static const struct manager_options *options_of(const struct watched *w)
{
    return &w->monitor->manager->options;
}

static int64_t pause_ms(const struct watched *w)
{
    return detection_pause_ms(&options_of(w)->detection, options_of(w)->failure_retry);
}

/* --- the verdict --- */

/* Where nobody listens any more it has stopped (a first connection may have been cut, or timed out, while it did);
 * else it may still run. */
static int loss_of(const struct probe *probe)
{
    return probe->refused >= 2 || probe->refused == probe->tries ? SWARM_NODE_STOPPED : SWARM_NODE_SILENT;
}

static void lost(struct watched *w)
{
    struct manager *manager = w->monitor->manager;
    struct trouble trouble = w->probe.trouble;

    w->failures = w->probe.tries;
    w->loss = loss_of(&w->probe);
    watch_quiesce(w);
    w->state = ENGINE_UNHEALTHY;
    flap_note_loss(w);
    metrics_count(METRIC_ENGINES_LOST);
    w->backoff_ms = 0;
    pool_set_state(manager->pool, w->engine, ENGINE_UNHEALTHY, w->failures, trouble.text);
    log_error_with(LOG_FIELDS({"id", w->engine->id}, {"name", w->engine->name}),
                   "Flagging engine as unhealthy. Connect failed %d times", w->failures);
    events_publish_swarm(manager->events, w->engine, "engine_disconnect");
    watchdog_engine_lost(manager->watchdog, w->engine, w->loss);
    if (w->leaving) {
        leave_lost(w);
    } else {
        watch_timer_set(w, TIMER_RETRY, 1000, sync_start);
        leave_review(w);
    }
}

static void alive(struct watched *w)
{
    int tries = w->probe.tries;

    probe_cancel(w);
    if (tries)
        pool_set_state(w->monitor->manager->pool, w->engine, ENGINE_HEALTHY, 0, NULL);
    if (w->leaving)
        leave_alive(w);
    else if (!w->stream && !w->syncing)
        sync_soon(w);
}

/* --- quick pings --- */

static void count(struct watched *w, const struct trouble *trouble)
{
    struct probe *probe = &w->probe;

    probe->trouble = *trouble;
    probe->tries++;
    probe->refused = trouble->refused ? probe->refused + 1 : 0;
    pool_set_state(w->monitor->manager->pool, w->engine, ENGINE_HEALTHY, probe->tries, trouble->text);
}

static void probed(struct watched *w, void *data, struct http_result *result)
{
    struct trouble trouble;

    if (!w->probe.active)
        return;
    if (result->failure == HTTP_OK) { /* whatever it says, it speaks */
        alive(w);
        return;
    }
    trouble_from_result(&trouble, w, result);
    if (!trouble_is_connection(&trouble)) { /* our own: nothing was asked */
        watch_timer_set(w, TIMER_PROBE, NO_SOCKET_MS, probe_step);
        return;
    }
    count(w, &trouble);
    watch_timer_set(w, TIMER_PROBE, w->probe.tries < options_of(w)->failure_retry ? pause_ms(w) : 0, probe_step);
}

static void probe_step(struct watched *w)
{
    int deadline_ms = (int)detection_ping_ms(&options_of(w)->detection, options_of(w)->failure_retry);
    /* One that serves only those who came before is of no use: nothing can be asked of it any more. */
    const struct call_order ping = {"/_ping", false, deadline_ms, deadline_ms, .fresh = true};

    if (!w->probe.active)
        return;
    if (w->probe.tries && w->probe.tries >= options_of(w)->failure_retry)
        lost(w);
    else if (watch_call(w, &ping, probed, NULL) != 0)
        watch_timer_set(w, TIMER_PROBE, pause_ms(w), probe_step);
}

void probe_start(struct watched *w, const struct trouble *first)
{
    if (w->state != ENGINE_HEALTHY || w->probe.active)
        return;
    memset(&w->probe, 0, sizeof(w->probe));
    w->probe.active = true;
    if (first)
        count(w, first);
    /* From a timer: who is in doubt goes on with what it does before anything is decided. */
    watch_timer_set(w, TIMER_PROBE, 0, probe_step);
}

void probe_cancel(struct watched *w)
{
    memset(&w->probe, 0, sizeof(w->probe));
    watch_timer_clear(w, TIMER_PROBE);
}

/* --- heartbeat --- */

static void heartbeat_after(struct watched *w, int64_t after_ms);

static void heartbeat_answered(struct watched *w, void *data, struct http_result *result)
{
    struct trouble trouble;

    heartbeat_schedule(w);
    if (trouble_from_result(&trouble, w, result) && trouble_is_connection(&trouble))
        probe_start(w, &trouble);
}

static void heartbeat(struct watched *w)
{
    const struct detection *detection = &options_of(w)->detection;
    int64_t quiet_ms = monotonic_ms() - w->heard_ms, wait_ms = detection_heartbeat_ms(detection) - quiet_ms;
    int deadline_ms = (int)detection_answer_ms(detection);
    const struct call_order ping = {"/_ping", false, deadline_ms, deadline_ms, .once = !w->kept};

    if (w->state != ENGINE_HEALTHY)
        return;
    if (!watch_is_in_pool(w)) {
        watch_forget(w);
        return;
    }
    if (wait_ms > 0)
        heartbeat_after(w, wait_ms);
    else if (w->probe.active || watch_call(w, &ping, heartbeat_answered, NULL) != 0)
        heartbeat_schedule(w);
}

/* A thread that is woken up for one engine costs as much as the ping itself: those due soon come with it. */
static void heartbeat_after(struct watched *w, int64_t after_ms)
{
    int64_t step_ms = detection_step_ms(&options_of(w)->detection), due_ms = monotonic_ms() + after_ms;

    watch_timer_set(w, TIMER_HEARTBEAT, after_ms + (step_ms - due_ms % step_ms) % step_ms, heartbeat);
}

void heartbeat_schedule(struct watched *w)
{
    heartbeat_after(w, detection_heartbeat_ms(&options_of(w)->detection));
}
