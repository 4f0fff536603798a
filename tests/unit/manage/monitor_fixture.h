/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor with real pool, hub and loop, two engine peers, and a watchdog that writes down what it is told. */
#ifndef TEST_MONITOR_FIXTURE_H
#define TEST_MONITOR_FIXTURE_H

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine_peer.h"
#include "events.h"
#include "manager.h"
#include "monitor.h"
#include "pool.h"

#define PATIENCE_MS 60000
#define A_ID "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B_ID "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct fixture {
    struct manager manager;
    struct event_listener *listener;
    struct engine_peer *one, *two;
};

int monitor_set_up(void **state);
int monitor_set_up_hasty(void **state); /* what is not announced any more leaves after a moment */
int monitor_tear_down(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, monitor_set_up, monitor_tear_down)
int monitor_run_tests(const struct CMUnitTest *tests, size_t count);

/* What the watchdog was told so far: "stopped node1, back node1, leaving node1, ". */
extern char told[4096];
bool was_told(const char *what);

/* Discovery names these, NULL for none. The others have left. */
void discover(struct fixture *f, struct engine_peer *a, struct engine_peer *b);
/* The same, but nobody knows where the others are. */
void lapse(struct fixture *f, struct engine_peer *a, struct engine_peer *b);
/* Engine one with container A, "web", running: connected, and its stream open. */
void start_with_one(struct fixture *f);

/* enum engine_state, -1: not in the pool. */
int state_of(struct fixture *f, struct engine_peer *live);
bool error_contains(struct fixture *f, struct engine_peer *live, const char *part);
/* enum swarm_container_state, -1: unknown. */
int container_state(struct fixture *f, const char *id);

/* Take events until one of that action; the others are dropped. Its line, to be freed. */
char *await_event(struct fixture *f, const char *action);
void expect_event(struct fixture *f, const char *action);
bool event_waits(struct fixture *f);

#define WAIT_FOR(condition)                                                                                            \
    do {                                                                                                               \
        int64_t until_ms = monotonic_ms() + PATIENCE_MS;                                                               \
        while (!(condition)) {                                                                                         \
            if (monotonic_ms() > until_ms)                                                                             \
                fail_msg("never: %s (told: %s)", #condition, told);                                                    \
            poll(NULL, 0, 5);                                                                                          \
        }                                                                                                              \
    } while (0)

#endif
