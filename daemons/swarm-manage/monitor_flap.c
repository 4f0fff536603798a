/* SPDX-License-Identifier: Apache-2.0 */
/* An engine that was lost again and again is held back when it answers: it is pinged each second, and got to know anew
 * only after it has answered for some time without a break. */
#include <stdio.h>

#include "log.h"
#include "monitor_private.h"

#define HELD_PING_MS 1000

void flap_note_loss(struct watched *w)
{
    flaps_add(&w->flaps, monotonic_ms());
    w->answers_since_ms = 0;
}

void flap_note_failure(struct watched *w)
{
    w->answers_since_ms = 0;
}

static void say_why(struct watched *w, const struct detection *detection, int64_t hold_ms)
{
    struct manager *manager = w->monitor->manager;
    int times = flaps_within(&w->flaps, detection, monotonic_ms());
    char text[200];

    snprintf(text, sizeof(text),
             "it answers, and is held back until it has for %lld s without a break: it was lost %d times within %d s",
             (long long)(hold_ms + 999) / 1000, times, detection->flap_window_ms / 1000);
    pool_hold_back(manager->pool, w->engine, w->failures, text);
    log_warn_with(LOG_FIELDS({"id", w->engine->id}, {"name", w->engine->name}), "Engine flaps: %s", text);
}

bool flap_holds_back(struct watched *w)
{
    const struct detection *detection = &w->monitor->manager->options.detection;
    int64_t now_ms = monotonic_ms();

    if (w->state != ENGINE_UNHEALTHY)
        return false;
    if (!w->answers_since_ms) {
        w->answers_since_ms = now_ms;
        w->hold_ms = flaps_hold_ms(&w->flaps, detection, now_ms);
        if (w->hold_ms > 0)
            say_why(w, detection, w->hold_ms);
    }
    if (now_ms - w->answers_since_ms >= w->hold_ms)
        return false;
    watch_timer_set(w, TIMER_RETRY, HELD_PING_MS, sync_start);
    return true;
}
