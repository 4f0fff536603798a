/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "event_filter.h"
#include "event_shape.h"
#include "filters.h"
#include "json_read.h"
#include "manager.h"
#include "metrics.h"
#include "pool.h"
#include "timestamp.h"

#define QUEUE_MAX 10000 /* events that a listener may lag behind */
#define HISTORY_MAX 10000
#define HISTORY_BYTES_MAX (16u * 1024 * 1024)

/* What a struct event handed out is part of. */
struct shared_event {
    struct event event;
    atomic_int references;
    char line[];
};

/* Events in order, oldest first; each entry is a reference. */
struct event_ring {
    const struct event **slots;
    size_t capacity, first, count;
};

struct event_listener {
    struct event_hub *hub;
    struct event_listener *next, **link; /* guarded by the hub's lock */
    struct event_query query;
    unsigned filter_id; /* the same for all that ask for the same */
    int fd;

    /* The listener's own: what happened before it came, not filtered yet. Taken first. */
    struct event_ring past;

    pthread_mutex_t lock; /* guards what follows; taken after the hub's */
    struct event_ring queue;
    bool cut_off;
};

struct event_hub {
    pthread_mutex_t lock;
    struct event_listener *listeners;
    size_t listener_count;
    unsigned filter_ids; /* given so far; 0 is that of no filter at all */
    struct event_ring history;
    size_t history_bytes;
};

/* --- one event --- */

static struct shared_event *shared_of(const struct event *event)
{
    /* Only the reference count behind a const event ever changes. */
    return (struct shared_event *)(uintptr_t)event;
}

static const struct event *event_ref(const struct event *event)
{
    atomic_fetch_add_explicit(&shared_of(event)->references, 1, memory_order_relaxed);
    return event;
}

void event_unref(const struct event *event)
{
    struct shared_event *shared = shared_of(event);

    if (!event || atomic_fetch_sub_explicit(&shared->references, 1, memory_order_acq_rel) > 1)
        return;
    free(shared);
}

/* A new one with that line; NULL for lack of memory. */
static const struct event *event_new(const struct bytes *line, int64_t time_ns)
{
    struct shared_event *shared = malloc(sizeof(*shared) + bytes_length(line) + 1);

    if (!shared)
        return NULL;
    memcpy(shared->line, bytes_at(line), bytes_length(line));
    shared->line[bytes_length(line)] = '\0';
    atomic_init(&shared->references, 1);
    shared->event = (struct event){time_ns, shared->line, bytes_length(line)};
    return &shared->event;
}

/* --- ring --- */

/* Room for one more. -1 for lack of memory. */
static int ring_reserve(struct event_ring *ring)
{
    size_t capacity = ring->capacity ? ring->capacity * 2 : 16;
    const struct event **slots;

    if (ring->count < ring->capacity)
        return 0;
    slots = malloc(capacity * sizeof(*slots));
    if (!slots)
        return -1;
    for (size_t i = 0; i < ring->count; i++)
        slots[i] = ring->slots[(ring->first + i) % ring->capacity];
    free(ring->slots);
    ring->slots = slots;
    ring->capacity = capacity;
    ring->first = 0;
    return 0;
}

/* Take a reference of the event's at the end. */
static int ring_push(struct event_ring *ring, const struct event *event)
{
    if (ring_reserve(ring) != 0)
        return -1;
    ring->slots[(ring->first + ring->count++) % ring->capacity] = event_ref(event);
    return 0;
}

/* The oldest with its reference; NULL where there is none. */
static const struct event *ring_pop(struct event_ring *ring)
{
    const struct event *event;

    if (!ring->count)
        return NULL;
    event = ring->slots[ring->first];
    ring->first = (ring->first + 1) % ring->capacity;
    ring->count--;
    return event;
}

static void ring_clear(struct event_ring *ring)
{
    while (ring->count)
        event_unref(ring_pop(ring));
    free(ring->slots);
    memset(ring, 0, sizeof(*ring));
}

/* --- hub --- */

int event_hub_new(struct event_hub **ret)
{
    struct event_hub *hub = calloc(1, sizeof(*hub));

    if (!hub)
        return -1;
    pthread_mutex_init(&hub->lock, NULL);
    *ret = hub;
    return 0;
}

void event_hub_free(struct event_hub *hub)
{
    if (!hub)
        return;
    ring_clear(&hub->history);
    pthread_mutex_destroy(&hub->lock);
    free(hub);
}

size_t event_hub_listeners(struct event_hub *hub)
{
    size_t count;

    pthread_mutex_lock(&hub->lock);
    count = hub->listener_count;
    pthread_mutex_unlock(&hub->lock);
    return count;
}

static void history_add(struct event_hub *hub, const struct event *event)
{
    if (ring_push(&hub->history, event) != 0)
        return; /* `since` will miss it; listeners still get it */
    hub->history_bytes += event->length;
    while (hub->history.count > HISTORY_MAX || (hub->history_bytes > HISTORY_BYTES_MAX && hub->history.count > 1)) {
        const struct event *oldest = ring_pop(&hub->history);

        hub->history_bytes -= oldest->length;
        event_unref(oldest);
    }
}

static void signal_fd(int fd)
{
    const uint64_t one = 1;

    while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

static bool in_time(const struct event_query *query, const struct event *event)
{
    return (query->since_ns < 0 || event->time_ns >= query->since_ns) &&
           (query->until_ns < 0 || event->time_ns <= query->until_ns);
}

void event_hub_cut(struct event_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    for (struct event_listener *listener = hub->listeners; listener; listener = listener->next) {
        pthread_mutex_lock(&listener->lock);
        listener->cut_off = true;
        signal_fd(listener->fd);
        pthread_mutex_unlock(&listener->lock);
    }
    pthread_mutex_unlock(&hub->lock);
}

static void listener_offer(struct event_listener *listener, const struct event *event)
{
    pthread_mutex_lock(&listener->lock);
    if (!listener->cut_off) {
        if (listener->queue.count >= QUEUE_MAX || ring_push(&listener->queue, event) != 0) {
            metrics_count(METRIC_LISTENERS_CUT_OFF);
            listener->cut_off = true;
            ring_clear(&listener->queue);
            signal_fd(listener->fd);
        } else if (listener->queue.count == 1) {
            signal_fd(listener->fd);
        }
    }
    pthread_mutex_unlock(&listener->lock);
}

/* What an event was found to be for the filters that it was last compared with. */
struct verdicts {
    const struct event *event;
    json_t *object; /* the event, read where there are filters */
    struct {
        unsigned filter_id;
        bool passes;
    } of[16];
};

static bool passes(struct verdicts *verdicts, const struct event_listener *listener)
{
    unsigned id = listener->filter_id, at = id % (sizeof(verdicts->of) / sizeof(verdicts->of[0]));

    if (id == 0)
        return true;
    if (!verdicts->object)
        verdicts->object = json_read(verdicts->event->line, verdicts->event->length, JSON_ALLOW_NUL, NULL);
    if (verdicts->of[at].filter_id != id) {
        verdicts->of[at].filter_id = id;
        verdicts->of[at].passes = verdicts->object && event_filter_passes(listener->query.filters, verdicts->object);
    }
    return verdicts->of[at].passes;
}

/* To history and every listener that asked for such events. */
static void publish(struct event_hub *hub, const struct event *event)
{
    struct verdicts verdicts = {.event = event};

    pthread_mutex_lock(&hub->lock);
    history_add(hub, event);
    for (struct event_listener *listener = hub->listeners; listener; listener = listener->next) {
        if (in_time(&listener->query, event) && passes(&verdicts, listener))
            listener_offer(listener, event);
    }
    pthread_mutex_unlock(&hub->lock);
    json_decref(verdicts.object);
}

/* Put it into words once, for all. @p action: the manager's own, instead of an engine's. */
static void shape_and_publish(struct event_hub *hub, struct engine *engine, struct json_span told, const char *action)
{
    int64_t time_ns = action ? timestamp_now_ns() : event_time_ns(told);
    const struct event *event = NULL;
    struct bytes line = {0};
    struct event_origin origin;
    int r;

    pool_read_lock(engine->manager->pool); /* the engine's identity changes under it */
    origin = (struct event_origin){engine->name, engine->id, engine->address, engine->ip};
    r = action ? event_shape_swarm(&line, action, time_ns, &origin) : event_shape(&line, told, &origin);
    pool_unlock(engine->manager->pool);
    if (r == 0)
        event = event_new(&line, time_ns);
    bytes_free(&line);
    if (event)
        publish(hub, event);
    event_unref(event);
}

void events_publish_engine(struct event_hub *hub, struct engine *engine, struct json_span event)
{
    metrics_count(METRIC_EVENTS_RECEIVED);
    shape_and_publish(hub, engine, event, NULL);
}

void events_publish_swarm(struct event_hub *hub, struct engine *engine, const char *action)
{
    shape_and_publish(hub, engine, (struct json_span){"{}", 2}, action);
}

/* --- listeners --- */

int event_query_check(const struct event_query *query, struct failure *failure)
{
    return query->filters ? filters_check(query->filters, event_filter_keys, failure) : 0;
}

/* What the history has of the time asked for; with the hub locked. */
static int listener_look_back(struct event_listener *listener)
{
    const struct event_ring *history = &listener->hub->history;

    if (listener->query.since_ns < 0)
        return 0;
    for (size_t i = 0; i < history->count; i++) {
        const struct event *event = history->slots[(history->first + i) % history->capacity];

        if (in_time(&listener->query, event) && ring_push(&listener->past, event) != 0)
            return -1;
    }
    if (listener->past.count)
        signal_fd(listener->fd);
    return 0;
}

static void listener_destroy(struct event_listener *listener)
{
    ring_clear(&listener->past);
    ring_clear(&listener->queue);
    pthread_mutex_destroy(&listener->lock);
    if (listener->fd >= 0)
        close(listener->fd);
    free(listener);
}

/* Clients of one kind ask for the same: each event is compared with that once. With the hub locked. */
static unsigned filter_id_of(struct event_hub *hub, const json_t *filters)
{
    if (json_object_size(filters) == 0)
        return 0;
    for (const struct event_listener *other = hub->listeners; other; other = other->next) {
        if (json_equal(other->query.filters, filters))
            return other->filter_id;
    }
    if (++hub->filter_ids == 0)
        hub->filter_ids = 1;
    return hub->filter_ids;
}

int event_listener_new(struct event_listener **ret, struct event_hub *hub, const struct event_query *query)
{
    struct event_listener *listener = calloc(1, sizeof(*listener));
    int r = -1;

    if (!listener)
        return -1;
    listener->hub = hub;
    listener->query = *query;
    pthread_mutex_init(&listener->lock, NULL);
    listener->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (listener->fd >= 0) {
        pthread_mutex_lock(&hub->lock);
        r = listener_look_back(listener);
        listener->filter_id = filter_id_of(hub, query->filters);
        if (r == 0) {
            listener->next = hub->listeners;
            listener->link = &hub->listeners;
            if (listener->next)
                listener->next->link = &listener->next;
            hub->listeners = listener;
            hub->listener_count++;
        }
        pthread_mutex_unlock(&hub->lock);
    }
    if (r != 0) {
        listener_destroy(listener);
        return -1;
    }
    *ret = listener;
    return 0;
}

void event_listener_free(struct event_listener *listener)
{
    struct event_hub *hub;

    if (!listener)
        return;
    hub = listener->hub;
    pthread_mutex_lock(&hub->lock);
    *listener->link = listener->next;
    if (listener->next)
        listener->next->link = listener->link;
    hub->listener_count--;
    pthread_mutex_unlock(&hub->lock);
    listener_destroy(listener);
}

int event_listener_fd(const struct event_listener *listener)
{
    return listener->fd;
}

/* History is kept as text: only who asks for the past pays for reading it again. */
static bool line_passes(const struct event_query *query, const struct event *event)
{
    json_t *object;
    bool passes;

    if (json_object_size(query->filters) == 0)
        return true;
    object = json_read(event->line, event->length, JSON_ALLOW_NUL, NULL);
    passes = object && event_filter_passes(query->filters, object);
    json_decref(object);
    return passes;
}

static const struct event *next_past(struct event_listener *listener)
{
    const struct event *event;

    while ((event = ring_pop(&listener->past))) {
        if (line_passes(&listener->query, event))
            return event;
        event_unref(event);
    }
    return NULL;
}

int event_listener_next(struct event_listener *listener, const struct event **ret)
{
    const struct event *event = next_past(listener);
    bool cut_off;
    uint64_t count;

    pthread_mutex_lock(&listener->lock);
    if (!event)
        event = ring_pop(&listener->queue);
    cut_off = listener->cut_off;
    /* The descriptor stays readable while there is more, and for ever once cut off. */
    if (!listener->past.count && !listener->queue.count && !cut_off)
        while (read(listener->fd, &count, sizeof(count)) < 0 && errno == EINTR)
            ;
    pthread_mutex_unlock(&listener->lock);
    if (!event)
        return cut_off ? -1 : 0;
    metrics_count(METRIC_EVENTS_DELIVERED);
    *ret = event;
    return 1;
}
