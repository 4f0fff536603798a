/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine's events ask the monitor to do, and their way to the hub: an event is published after the refresh it
 * caused, in the order in which the engine sent it, so that who sees an event finds the lists up to date. */
#include "events.h"

#include <stdlib.h>
#include <string.h>

#include "json_scan.h"
#include "monitor_private.h"

/* --- the queue --- */

static void event_free(struct watched *w, struct queued_event *event)
{
    if (event->job)
        job_unreference(w, event->job);
    free(event);
}

static struct json_span span_of(const struct queued_event *event)
{
    return json_span_of(event->text, event->length);
}

static struct queued_event *pop(struct watched *w)
{
    struct queued_event *event = w->events;

    if (w->held == event)
        w->held = event->next;
    w->events = event->next;
    if (!w->events)
        w->events_end = &w->events;
    w->event_count--;
    return event;
}

static void publish_first(struct watched *w)
{
    struct queued_event *event = pop(w);

    events_publish_engine(w->monitor->manager->events, w->engine, span_of(event));
    event_free(w, event);
}

int events_append(struct watched *w, const char *text, size_t length, int64_t time_ns)
{
    struct queued_event *event = calloc(1, sizeof(*event) + length);

    if (!event)
        return -1;
    if (w->event_count >= EVENT_QUEUE_MAX)
        publish_first(w);
    event->time_ns = time_ns;
    event->length = length;
    memcpy(event->text, text, length);
    event->stage = EVENT_HELD;
    *w->events_end = event;
    w->events_end = &event->next;
    w->event_count++;
    if (!w->held)
        w->held = event;
    return 0;
}

void events_mark_ready(struct watched *w)
{
    for (struct queued_event *event = w->events; event; event = event->next) {
        struct job *job = event->job;

        event->stage = EVENT_READY;
        event->job = NULL;
        if (job)
            job_unreference(w, job);
    }
    w->held = NULL;
}

void events_flush(struct watched *w)
{
    while (w->events)
        publish_first(w);
}

void events_discard(struct watched *w)
{
    while (w->events)
        event_free(w, pop(w));
}

/* --- what they ask for --- */

/* Nothing of what lists and inspects show changes with these. They come with more after a colon too
 * ("exec_create: sh"). */
static bool changes_nothing(const char *action)
{
    static const char *const actions[] = {"top",         "resize",       "export",        "exec_create", "exec_start",
                                          "exec_detach", "exec_die",     "attach",        "detach",      "copy",
                                          "prune",       "archive-path", "extract-to-dir"};
    size_t length = strcspn(action, ":");

    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strlen(actions[i]) == length && strncmp(action, actions[i], length) == 0)
            return true;
    }
    return false;
}

/* It becomes part of a path. */
static bool is_container_id(const char *id)
{
    size_t length = strspn(id, "0123456789abcdef");

    return length > 0 && length <= CONTAINER_ID_MAX && !id[length];
}

static void wait_for(struct watched *w, struct queued_event *event, struct job *job)
{
    if (!job)
        return;
    job_reference(job);
    event->job = job;
    event->stage = EVENT_WAITING;
    event->deadline_ms = monotonic_ms() + EVENT_WAIT_MS;
    event->round = job->started + 1;
    job_want(w, job);
}

/* --- what requests look at for themselves --- */

static bool comes_with_a_request(const char *action)
{
    return strcmp(action, "create") == 0 || strcmp(action, "start") == 0 || strcmp(action, "connect") == 0;
}

static void review_parked(struct watched *w);

/* Let it wait while a request of ours may be what caused it: that looks at its container before it answers. */
static bool park(struct watched *w, struct queued_event *event)
{
    int64_t now_ms = monotonic_ms();

    if (!event->deadline_ms)
        event->deadline_ms = now_ms + EVENT_PARK_MS;
    if (atomic_load(&w->engine->changes) == 0 || now_ms >= event->deadline_ms)
        return false;
    event->stage = EVENT_PARKED;
    if (!w->timers[TIMER_PARKED].timer)
        watch_timer_set(w, TIMER_PARKED, EVENT_PARK_STEP_MS, review_parked);
    return true;
}

static void look_at(struct watched *w, struct queued_event *event, const char *id, const char *action)
{
    if (comes_with_a_request(action)) {
        if (!job_is_under_way(w, id) &&
            pool_shows_event(w->monitor->manager->pool, w->engine, id, action, event->time_ns))
            return;
        if (park(w, event))
            return;
    }
    wait_for(w, event, job_for_container(w, id));
}

/* --- by type --- */

static void react_to_container(struct watched *w, struct queued_event *event, const char *id, const char *action)
{
    struct pool *pool = w->monitor->manager->pool;

    if (changes_nothing(action))
        return;
    if (strcmp(action, "commit") == 0)
        wait_for(w, event, &w->object_jobs[OBJECT_IMAGES]);
    else if (!is_container_id(id))
        return;
    else if (strcmp(action, "destroy") == 0)
        pool_apply_removal(pool, w->engine, pool_ticket(pool), id);
    else {
        if (strcmp(action, "kill") == 0)
            pool_note_kill(pool, w->engine, id);
        look_at(w, event, id, action);
    }
}

static void react_to_network(struct watched *w, struct queued_event *event, struct json_span actor, const char *action)
{
    char container[CONTAINER_ID_MAX + 2];

    json_span_text(json_span_get(json_span_get(actor, "Attributes"), "container"), container, sizeof(container));
    if (is_container_id(container)) /* connect, disconnect: the container shows it */
        look_at(w, event, container, action);
    else if (!changes_nothing(action))
        wait_for(w, event, &w->object_jobs[OBJECT_NETWORKS]);
}

static void react(struct watched *w, struct queued_event *event)
{
    struct json_span object = span_of(event), actor = json_span_get(object, "Actor");
    /* Longer ones are cut, and none that is asked for here. */
    char type[16], action[32], id[CONTAINER_ID_MAX + 2];

    json_span_text(json_span_get(object, "Type"), type, sizeof(type));
    json_span_text(json_span_get(object, "Action"), action, sizeof(action));
    json_span_text(json_span_get(actor, "ID"), id, sizeof(id));
    if (!*id)
        json_span_text(json_span_get(object, "id"), id, sizeof(id));
    event->stage = EVENT_READY;
    if (strcmp(type, "container") == 0) {
        react_to_container(w, event, id, action);
    } else if (strcmp(type, "image") == 0) {
        if (strcmp(action, "save") != 0 && strcmp(action, "push") != 0)
            wait_for(w, event, &w->object_jobs[OBJECT_IMAGES]);
    } else if (strcmp(type, "network") == 0) {
        react_to_network(w, event, actor, action);
    } else if (strcmp(type, "volume") == 0) { /* mount, unmount: containers show who has it */
        if (strcmp(action, "create") == 0 || strcmp(action, "destroy") == 0)
            wait_for(w, event, &w->object_jobs[OBJECT_VOLUMES]);
    } else if (strcmp(type, "daemon") == 0 && strcmp(action, "reload") == 0) {
        wait_for(w, event, &w->specs_job);
    }
}

void events_react(struct watched *w)
{
    if (w->state != ENGINE_HEALTHY || w->syncing)
        return; /* the end of the sync comes back to it */
    while (w->held) {
        struct queued_event *event = w->held;

        w->held = event->next;
        react(w, event);
    }
    events_release(w);
}

static void review_parked(struct watched *w)
{
    for (struct queued_event *event = w->events; event != w->held; event = event->next) {
        if (event->stage == EVENT_PARKED)
            react(w, event);
    }
    events_release(w);
}

/* --- publishing --- */

static bool may_go(const struct queued_event *event)
{
    switch (event->stage) {
    case EVENT_HELD:
    case EVENT_PARKED:
        return false;
    case EVENT_WAITING:
        return (int)(event->job->finished - event->round) >= 0 || monotonic_ms() >= event->deadline_ms;
    case EVENT_READY:
        break;
    }
    return true;
}

void events_release(struct watched *w)
{
    while (w->events && may_go(w->events))
        publish_first(w);
    if (w->events && w->events->stage == EVENT_WAITING && !w->timers[TIMER_RELEASE].timer)
        watch_timer_set(w, TIMER_RELEASE, w->events->deadline_ms - monotonic_ms() + 1, events_release);
}
