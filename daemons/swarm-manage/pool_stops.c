/* SPDX-License-Identifier: Apache-2.0 */
/* Why a container ended. An engine that shuts down in good order ends its containers first, and tells of it: they ran
 * for as long as it did, unlike those that somebody stopped, or that had done their work. */
#include "pool_private.h"
#include "remember.h"
#include "timestamp.h"

/* Between a signal and the end of the container: stop time-outs are longer than 10 s at times. And what clocks may
 * differ without being corrected. */
#define END_NS (120 * NS_PER_S)
#define CLOCK_NS (3 * NS_PER_S)
/* Between the end of the first container and the end of its engine. */
#define SHUTDOWN_NS (60 * NS_PER_S)

static struct swarm_container *find(struct pool *pool, const struct engine *engine, const char *id)
{
    return engine->node ? swarm_cluster_find_container(pool->cluster, engine->node, id) : NULL;
}

void pool_note_kill(struct pool *pool, struct engine *engine, const char *id)
{
    struct swarm_container *container;

    pool_write_lock(pool);
    container = find(pool, engine, id);
    if (container) {
        container_record(container)->killed_ns = timestamp_now_ns();
    }
    pool_unlock(pool);
}

void pool_note_stop(struct pool *pool, struct engine *engine, const char *id)
{
    struct swarm_container *container;

    pool_write_lock(pool);
    container = find(pool, engine, id);
    if (container) {
        container_record(container)->stop_asked_ns = timestamp_now_ns();
        swarm_container_set_stopped(container, pool_was_stopped(container_record(container)), NULL);
        remember_wanted(container);
    }
    pool_unlock(pool);
}

static bool ended_by(const struct container_record *record, int64_t cause_ns)
{
    return cause_ns && record->finished_ns > cause_ns - CLOCK_NS && record->finished_ns < cause_ns + END_NS;
}

/* Whether it ran when that was asked or not: it is not to run from then on, until it is started again. */
bool pool_was_stopped(const struct container_record *record)
{
    return !record->running && record->stop_asked_ns && record->stop_asked_ns >= record->started_ns &&
           record->finished_ns < record->stop_asked_ns + END_NS;
}

static bool ended_with_its_engine(const struct container_record *record, int64_t now_ns)
{
    return !record->running && record->finished_ns > now_ns - SHUTDOWN_NS && ended_by(record, record->killed_ns) &&
           !ended_by(record, record->stop_asked_ns);
}

void pool_restore_running(struct engine *engine)
{
    int64_t now_ns = timestamp_now_ns();
    struct swarm_container *container = NULL;

    while ((container = swarm_node_next_container(engine->node, container))) {
        if (ended_with_its_engine(container_record(container), now_ns)) {
            swarm_container_set_state(container, SWARM_CONTAINER_RUNNING, NULL);
            remember_wanted(container);
        }
    }
}
