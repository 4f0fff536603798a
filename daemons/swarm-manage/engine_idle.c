/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_idle.h"

#include <pthread.h>
#include <stdlib.h>

#define IDLE_BEHIND_SSH 2 /* each is a process here and one at the far end */

struct idle_stream {
    struct stream *stream;
    struct engine *engine;
    struct idle_stream *next;          /* of the same engine, an older one */
    struct idle_stream *newer, *older; /* of all */
};

static struct {
    pthread_mutex_t lock; /* also of each engine's own list; never held while one is closed */
    struct idle_stream *newest, *oldest;
    size_t count, limit;
} idle = {.lock = PTHREAD_MUTEX_INITIALIZER, .limit = 1024};

void engine_idle_limit(size_t count)
{
    pthread_mutex_lock(&idle.lock);
    idle.limit = count;
    pthread_mutex_unlock(&idle.lock);
}

size_t engine_idle_count(void)
{
    size_t count;

    pthread_mutex_lock(&idle.lock);
    count = idle.count;
    pthread_mutex_unlock(&idle.lock);
    return count;
}

/* With the lock. */
static void put_in(struct idle_stream *entry)
{
    struct engine *engine = entry->engine;

    entry->next = engine->idle;
    engine->idle = entry;
    engine->idle_count++;
    entry->newer = NULL;
    entry->older = idle.newest;
    *(idle.newest ? &idle.newest->newer : &idle.oldest) = entry;
    idle.newest = entry;
    idle.count++;
}

/* With the lock. */
static struct idle_stream *take_out(struct idle_stream *entry)
{
    struct idle_stream **link = &entry->engine->idle;

    while (*link != entry) {
        link = &(*link)->next;
    }
    *link = entry->next;
    entry->engine->idle_count--;
    *(entry->newer ? &entry->newer->older : &idle.newest) = entry->older;
    *(entry->older ? &entry->older->newer : &idle.oldest) = entry->newer;
    idle.count--;
    return entry;
}

struct stream *engine_take_idle(struct engine *engine)
{
    struct idle_stream *entry = NULL;
    struct stream *stream;

    pthread_mutex_lock(&idle.lock);
    if (engine->idle) {
        entry = take_out(engine->idle);
    }
    pthread_mutex_unlock(&idle.lock);
    stream = entry ? entry->stream : NULL;
    free(entry);
    return stream;
}

void engine_put_back(struct engine *engine, struct stream *stream)
{
    struct idle_stream *entry = calloc(1, sizeof(*entry)), *surplus = entry;

    if (!entry) {
        stream_close(stream);
        return;
    }
    entry->stream = stream;
    entry->engine = engine;
    pthread_mutex_lock(&idle.lock);
    if (engine->idle_count < (engine->bridge ? IDLE_BEHIND_SSH : ENGINE_IDLE_MAX)) {
        put_in(entry);
        surplus = idle.count > idle.limit ? take_out(idle.oldest) : NULL;
    }
    pthread_mutex_unlock(&idle.lock);
    if (surplus) {
        stream_close(surplus->stream);
        free(surplus);
    }
}

void engine_close_idle(struct engine *engine)
{
    struct stream *stream;

    while ((stream = engine_take_idle(engine))) {
        stream_close(stream);
    }
}
