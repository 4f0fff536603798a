/* SPDX-License-Identifier: Apache-2.0 */
/* An engine that discovery no longer names. While it answers, its membership merely lapsed or was withdrawn: it leaves
 * the pool and nothing of it is moved. Where it does not, it is lost, and stays until its containers have been dealt
 * with, or it answers after all. */
#include "events.h"
#include "log.h"
#include "monitor_private.h"
#include "watchdog.h"

#define LEAVE_MS 500  /* between looks whether the watchdog has let it go */
#define ALIVE_MS 1000 /* between looks whether it answers after all */

static void set_leaving(struct watched *w, bool leaving)
{
    struct pool *pool = w->monitor->manager->pool;

    w->leaving = leaving;
    pool_write_lock(pool);
    w->engine->leaving = leaving;
    pool_unlock(pool);
}

/* Out of the pool, with nothing to be moved. */
static void leave(struct watched *w)
{
    struct manager *manager = w->monitor->manager;
    const char *name = w->engine->name ? w->engine->name : w->engine->address;

    watch_quiesce(w);
    pool_remove_engine(manager->pool, w->engine);
    log_info("Removed Engine %s", name);
    if (w->connected_once)
        events_publish_swarm(manager->events, w->engine, "engine_disconnect");
    watch_forget(w);
}

void leave_alive(struct watched *w)
{
    leave(w);
}

static void look_if_gone(struct watched *w)
{
    if (watch_is_in_pool(w))
        watch_timer_set(w, TIMER_LEAVE, LEAVE_MS, look_if_gone);
    else
        watch_forget(w);
}

static void look_if_alive(struct watched *w);

/* Asked what it is, so that another engine at its address is not taken for it. */
static void asked(struct watched *w, const struct trouble *trouble)
{
    if (trouble)
        watch_timer_set(w, TIMER_RETRY, ALIVE_MS, look_if_alive);
    else
        leave_alive(w);
}

static void look_if_alive(struct watched *w)
{
    specs_fetch(w, asked);
}

void leave_lost(struct watched *w)
{
    watch_quiesce(w);
    watchdog_engine_leaving(w->monitor->manager->watchdog, w->engine);
    watch_timer_set(w, TIMER_RETRY, ALIVE_MS, look_if_alive);
    look_if_gone(w);
}

/* Discovery names it again before it was gone. */
static void stay(struct watched *w)
{
    set_leaving(w, false);
    watch_timer_clear(w, TIMER_LEAVE);
    if (!watch_is_in_pool(w))
        watch_forget(w); /* too late: it is added anew */
    else
        sync_start(w);
}

static void go(struct watched *w)
{
    set_leaving(w, true);
    switch (w->state) {
    case ENGINE_UNHEALTHY:
        leave_lost(w);
        break;
    case ENGINE_HEALTHY:
        watch_quiesce(w);
        probe_start(w, NULL);
        break;
    case ENGINE_PENDING:
        if (w->connected_once) /* another one answers at its address */
            leave_lost(w);
        else
            leave(w);
        break;
    case ENGINE_DISCONNECTED:
        leave(w);
        break;
    }
}

void leave_review(struct watched *w)
{
    bool listed = watch_is_listed(w);

    if (listed && w->leaving)
        stay(w);
    else if (!listed && !w->leaving)
        go(w);
}
