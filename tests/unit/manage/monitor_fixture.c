/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor_fixture.h"

#include "log.h"
#include "watchdog.h"

/* --- what the watchdog is told --- */

static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;
char told[4096];

static void tell(const char *what, const struct engine *engine)
{
    size_t length;

    pthread_mutex_lock(&told_lock);
    length = strlen(told);
    snprintf(told + length, sizeof(told) - length, "%s %s, ", what, engine->name);
    pthread_mutex_unlock(&told_lock);
}

void watchdog_engine_lost(struct watchdog *watchdog, struct engine *engine, int loss)
{
    tell(loss == SWARM_NODE_STOPPED ? "stopped" : "silent", engine);
}

void watchdog_engine_back(struct watchdog *watchdog, struct engine *engine)
{
    tell("back", engine);
}

void watchdog_engine_leaving(struct watchdog *watchdog, struct engine *engine)
{
    tell("leaving", engine);
}

void watchdog_container_removed(struct watchdog *watchdog, const struct swarm_container *container)
{
}

void watchdog_container_deleted(struct watchdog *watchdog, const struct swarm_container *container)
{
}

const struct swarm_rescheduler *watchdog_rescheduler(const struct watchdog *watchdog)
{
    return NULL;
}

void watchdog_container_changed(struct watchdog *watchdog, struct swarm_container *container)
{
}

void watchdog_node_removed(struct watchdog *watchdog, struct swarm_node *node)
{
}

/* --- fixture --- */

static int set_up(void **state, int unannounced_ms)
{
    static const struct event_query everything = {-1, -1, NULL};
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    told[0] = '\0';
    f->manager.options.refresh_min_ms = f->manager.options.refresh_max_ms = 600000; /* only what events cause */
    f->manager.options.failure_retry = 3;
    f->manager.options.kept_connections = 1;
    f->manager.options.detection = (struct detection)DETECTION_DEFAULTS;
    if (unannounced_ms)
        f->manager.options.detection.unannounced_ms = unannounced_ms;
    assert_int_equal(pool_new(&f->manager.pool, &f->manager), 0);
    assert_int_equal(event_hub_new(&f->manager.events), 0);
    assert_int_equal(event_listener_new(&f->listener, f->manager.events, &everything), 0);
    assert_int_equal(monitor_new(&f->manager.monitor, &f->manager), 0);
    f->one = engine_peer_new("ONE", "node1");
    f->two = engine_peer_new("TWO", "node2");
    *state = f;
    return 0;
}

int monitor_set_up(void **state)
{
    return set_up(state, 0);
}

int monitor_set_up_hasty(void **state)
{
    return set_up(state, 300);
}

int monitor_tear_down(void **state)
{
    struct fixture *f = *state;

    monitor_free(f->manager.monitor);
    event_listener_free(f->listener);
    event_hub_free(f->manager.events);
    pool_free(f->manager.pool);
    engine_peer_free(f->one);
    engine_peer_free(f->two);
    free(f);
    return 0;
}

static void set_list(struct fixture *f, struct engine_peer *a, struct engine_peer *b, bool left)
{
    const char *addresses[2], *others[2];
    struct discovery_list list = {.addresses = addresses, .left = others};

    if (a)
        addresses[list.count++] = engine_peer_address(a);
    if (b)
        addresses[list.count++] = engine_peer_address(b);
    if (left && a != f->one && b != f->one)
        others[list.left_count++] = engine_peer_address(f->one);
    if (left && a != f->two && b != f->two)
        others[list.left_count++] = engine_peer_address(f->two);
    monitor_set_list(f->manager.monitor, &list);
}

void discover(struct fixture *f, struct engine_peer *a, struct engine_peer *b)
{
    set_list(f, a, b, true);
}

void lapse(struct fixture *f, struct engine_peer *a, struct engine_peer *b)
{
    set_list(f, a, b, false);
}

bool was_told(const char *what)
{
    bool was;

    pthread_mutex_lock(&told_lock);
    was = strstr(told, what) != NULL;
    pthread_mutex_unlock(&told_lock);
    return was;
}

int state_of(struct fixture *f, struct engine_peer *live)
{
    struct engine *engine = pool_find_engine_by_address(f->manager.pool, engine_peer_address(live));
    int state = -1;

    if (engine) {
        pool_read_lock(f->manager.pool);
        state = (int)engine->state;
        pool_unlock(f->manager.pool);
        engine_unref(engine);
    }
    return state;
}

bool error_contains(struct fixture *f, struct engine_peer *live, const char *part)
{
    struct engine *engine = pool_find_engine_by_address(f->manager.pool, engine_peer_address(live));
    bool contains = false;

    if (engine) {
        pool_read_lock(f->manager.pool);
        contains = engine->error && strstr(engine->error, part);
        pool_unlock(f->manager.pool);
        engine_unref(engine);
    }
    return contains;
}

int container_state(struct fixture *f, const char *id)
{
    struct swarm_container *container;
    int state = -1;

    pool_read_lock(f->manager.pool);
    if (swarm_cluster_look_up(f->manager.pool->cluster, id, &container, NULL) == 0)
        state = swarm_container_state(container);
    pool_unlock(f->manager.pool);
    return state;
}

char *await_event(struct fixture *f, const char *action)
{
    struct pollfd pollfd = {event_listener_fd(f->listener), POLLIN, 0};
    const struct event *event;
    char part[64], *line = NULL;

    snprintf(part, sizeof(part), "\"Action\":\"%s\"", action);
    while (!line) {
        if (poll(&pollfd, 1, PATIENCE_MS) != 1)
            fail_msg("no event %s (told: %s)", action, told);
        while (!line && event_listener_next(f->listener, &event) == 1) {
            if (strstr(event->line, part))
                line = strdup(event->line);
            event_unref(event);
        }
    }
    return line;
}

void expect_event(struct fixture *f, const char *action)
{
    free(await_event(f, action));
}

bool event_waits(struct fixture *f)
{
    struct pollfd pollfd = {event_listener_fd(f->listener), POLLIN, 0};

    return poll(&pollfd, 1, 0) == 1;
}

void start_with_one(struct fixture *f)
{
    engine_peer_put(f->one, A_ID, "web", NULL, "running");
    discover(f, f->one, NULL);
    expect_event(f, "engine_connect");
    WAIT_FOR(http_peer_streams(f->one->http) == 1);
}

int monitor_run_tests(const struct CMUnitTest *tests, size_t count)
{
    log_init(stderr, LOG_LEVEL_DEBUG);
    if (http_client_global_init() != 0)
        return 1;
    return _cmocka_run_group_tests("monitor", tests, count, NULL, NULL);
}
