/* SPDX-License-Identifier: Apache-2.0 */
/* An engine that discovery names no longer. Where its membership has merely lapsed it stays, unannounced: nothing is
 * placed on it, nothing of it is moved. One that said so, or is to go for another reason, leaves the pool: at once
 * where it answers; else it is lost, and stays until its containers have been dealt with, or it answers after all. What
 * is to become of it libswarm decides (swarm/membership.h). */
#include <stdio.h>

#include "events.h"
#include "log.h"
#include "monitor_private.h"
#include "options.h"
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

/* Named again, or kept after all, before it was gone. Whether it is there still. */
static bool stay(struct watched *w)
{
    set_leaving(w, false);
    watch_timer_clear(w, TIMER_LEAVE);
    if (watch_is_in_pool(w))
        return true;
    watch_forget(w); /* too late: it is added anew */
    return false;
}

void leave_alive(struct watched *w)
{
    int64_t again_ms;

    if (watch_standing(w, true, &again_ms) == SWARM_STANDING_GONE)
        leave(w);
    else if (stay(w))
        sync_start(w);
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

/* --- it does not leave --- */

static void say(const struct watched *w, bool unannounced, int64_t drop_ms)
{
    const struct log_field *fields = LOG_FIELDS({"id", w->engine->id}, {"name", w->engine->name});
    char when[64];

    if (!unannounced) {
        log_info_with(fields, "Engine is announced again");
    } else if (drop_ms < 0) {
        log_warn_with(fields, "Engine is not announced any more, nor is any other: it stays, and nothing is moved");
    } else {
        duration_format(when, sizeof(when), (drop_ms - monotonic_ms()) / 1000 * 1000000000);
        log_warn_with(fields, "Engine is not announced any more: it takes no new containers, and leaves in %s", when);
    }
}

static void set_unannounced(struct watched *w, bool unannounced, int64_t drop_ms)
{
    if (w->unannounced == unannounced && (!unannounced || w->drop_ms == drop_ms))
        return;
    if (w->unannounced != unannounced && w->state == ENGINE_HEALTHY)
        say(w, unannounced, drop_ms);
    w->unannounced = unannounced;
    w->drop_ms = drop_ms;
    pool_set_unannounced(w->monitor->manager->pool, w->engine, unannounced, drop_ms);
}

static void keep(struct watched *w, int64_t again_ms)
{
    int64_t due_ms = again_ms - monotonic_ms();
    bool news = !w->unannounced;

    set_unannounced(w, true, again_ms);
    if (again_ms < 0)
        watch_timer_clear(w, TIMER_LEAVE);
    else
        watch_timer_set(w, TIMER_LEAVE, due_ms > 0 ? due_ms : 0, leave_review);
    if (news) /* a machine that is gone is known sooner by that */
        probe_start(w, NULL);
}

/* --- */

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
        if (w->connected_once || w->absent) /* another one answers at its address, or nobody has yet */
            leave_lost(w);
        else
            leave(w);
        break;
    case ENGINE_DISCONNECTED:
        leave(w);
        break;
    }
}

/* Known from the records, and not in the list, which changes by hand only: that is the word of whoever wrote it. */
static void forget_absent(struct watched *w)
{
    log_info("Node %s at %s is not in the list of nodes any more: it is forgotten", w->engine->name,
             w->engine->address);
    leave(w);
}

void leave_review(struct watched *w)
{
    int64_t again_ms;
    int standing = watch_standing(w, w->state == ENGINE_HEALTHY, &again_ms);

    if (w->absent && standing != SWARM_STANDING_MEMBER && w->monitor->manager->options.fixed_list) {
        forget_absent(w);
        return;
    }

    if (standing == SWARM_STANDING_GONE) {
        if (!w->leaving)
            go(w);
        return;
    }
    if (w->leaving) {
        if (!stay(w))
            return;
        sync_start(w);
        if (w->forgotten) /* it left the pool just now */
            return;
    }
    if (standing == SWARM_STANDING_MEMBER)
        set_unannounced(w, false, -1);
    else
        keep(w, again_ms);
}
