/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster.h"
#include "error.h"
#include "rescheduler.h"

/* ---- what is told ---- */

static void tell(const struct swarm_rescheduler *r, const struct swarm_report *report)
{
    if (r->report != NULL)
        r->report(r->report_data, report);
}

void swarm__report_given_up(const struct swarm_rescheduler *r, const struct swarm__task *task)
{
    struct swarm_report report = {
        .size = sizeof(report), .kind = SWARM_REPORT_GIVEN_UP, .container = task->container, .reason = task->reason};
    tell(r, &report);
}

void swarm_rescheduler_set_report(struct swarm_rescheduler *r, swarm_report_fn fn, void *data)
{
    if (r == NULL)
        return;
    r->report = fn;
    r->report_data = data;
}

/* ---- those that count ---- */

static void count(struct swarm_rescheduler *r, struct swarm__site *site)
{
    struct swarm__guard *guard = &r->guard;
    site->counted = true;
    site->following = NULL;
    site->previous = guard->last;
    if (guard->last != NULL)
        guard->last->following = site;
    else
        guard->first = site;
    guard->last = site;
    guard->counted++;
}

static void discount(struct swarm_rescheduler *r, struct swarm__site *site)
{
    struct swarm__guard *guard = &r->guard;
    if (!site->counted)
        return;
    site->counted = false;
    if (site->previous != NULL)
        site->previous->following = site->following;
    else
        guard->first = site->following;
    if (site->following != NULL)
        site->following->previous = site->previous;
    else
        guard->last = site->previous;
    guard->counted--;
}

/** Kept for the guard only, it is not needed any more. */
static void discount_for_good(struct swarm_rescheduler *r, struct swarm__site *site)
{
    discount(r, site);
    if (site->node == NULL)
        swarm__site_free(r, site);
}

size_t swarm__guard_total(const struct swarm_rescheduler *r)
{
    return r->cluster->node_count - r->lost_nodes + r->guard.counted;
}

static bool too_many(const struct swarm_rescheduler *r)
{
    size_t total = swarm__guard_total(r);
    return total >= (size_t)r->options.mass_min_nodes &&
           r->guard.counted * 100 > total * (size_t)r->options.mass_share_percent;
}

/** Hold or release, as the numbers have it. */
static void decide(struct swarm_rescheduler *r)
{
    bool on = too_many(r);
    if (on == r->guard.on)
        return;
    r->guard.on = on;
    r->guard.since_ms = r->now_ms;
    r->guard.settle_ms = INT64_MAX;
    struct swarm_report report = {.size = sizeof(report),
                                  .kind = on ? SWARM_REPORT_HELD : SWARM_REPORT_RELEASED,
                                  .nodes_lost = r->guard.counted,
                                  .nodes_counted = swarm__guard_total(r)};
    tell(r, &report);
}

void swarm__guard_lost(struct swarm_rescheduler *r, struct swarm__site *site)
{
    if (site->counted)
        return;
    site->lost_ms = r->now_ms;
    count(r, site);
    decide(r);
}

void swarm__guard_back(struct swarm_rescheduler *r, struct swarm__site *site)
{
    if (site != NULL)
        discount(r, site);
    decide(r);
    swarm__guard_expire(r);
}

void swarm__guard_expire(struct swarm_rescheduler *r)
{
    /* What it holds for counts until that is settled. */
    while (!r->guard.on && r->guard.first != NULL && r->guard.first->lost_ms < r->now_ms - r->options.mass_window_ms)
        discount_for_good(r, r->guard.first);
}

int swarm_rescheduler_release(struct swarm_rescheduler *r, int64_t now_ms, struct swarm_error **reterr)
{
    if (r == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "rescheduler is NULL");
    swarm__set_clock(r, now_ms);
    while (r->guard.first != NULL)
        discount_for_good(r, r->guard.first);
    decide(r);
    swarm__retry_failed(r, false);
    swarm__task_release_held(r);
    return 0;
}
