/* SPDX-License-Identifier: Apache-2.0 */
/* What the process counts for GET /metrics: from its start on, only ever added to. Any thread; an atomic addition or
 * two each, no lock. Labels are of a fixed number: no names of nodes, containers or paths. */
#ifndef MANAGE_METRICS_H
#define MANAGE_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "http_client.h"

enum metric_counter {
    METRIC_CREATES_GRANTED,
    METRIC_CREATES_REFUSED,
    METRIC_MOVES_GRANTED,
    METRIC_MOVES_REFUSED,
    METRIC_EVENTS_RECEIVED,
    METRIC_EVENTS_DELIVERED,
    METRIC_LISTENERS_CUT_OFF,
    METRIC_MOVES_DONE,
    METRIC_MOVES_FAILED,
    METRIC_REMOVALS_DONE,
    METRIC_REMOVALS_FAILED,
    METRIC_ENGINES_LOST,
    METRIC_ENGINES_BACK,
    METRIC_ENGINES_HELD_BACK,
    METRIC_COUNTERS
};

/* What goes up and down. */
enum metric_gauge { METRIC_REQUESTS_ACTIVE, METRIC_RELAYS_ACTIVE, METRIC_GAUGES };

/* Who calls an engine. */
enum metric_caller { METRIC_CALLER_REQUEST, METRIC_CALLER_MONITOR, METRIC_CALLER_PROXY, METRIC_CALLERS };

#define METRICS_REASONS 16                    /* of refusals: enum swarm_reason */
#define METRICS_FAILURES (HTTP_NO_SOCKET + 1) /* enum http_failure */
#define METRICS_BUCKETS 12                    /* of a histogram, but for the one without limit */
#define METRICS_ROUTES_MAX 160
#define METRICS_METHODS 8
#define METRICS_CLASSES 6 /* of status: none, 1xx to 5xx */

struct metric_histogram {
    atomic_ullong buckets[METRICS_BUCKETS + 1]; /* not added up */
    atomic_ullong sum_ns;
};

struct metric_requests {
    atomic_ullong classes[METRICS_CLASSES];
    struct metric_histogram duration;
};

extern struct metrics {
    atomic_ullong counters[METRIC_COUNTERS];
    atomic_llong gauges[METRIC_GAUGES];
    atomic_ullong reasons[METRICS_REASONS];
    atomic_ullong calls_failed[METRIC_CALLERS][METRICS_FAILURES];
    struct metric_histogram calls[METRIC_CALLERS];
    struct metric_requests requests[METRICS_ROUTES_MAX][METRICS_METHODS];
} metrics;

static inline void metrics_count(enum metric_counter counter)
{
    atomic_fetch_add_explicit(&metrics.counters[counter], 1, memory_order_relaxed);
}

static inline void metrics_change(enum metric_gauge gauge, int by)
{
    atomic_fetch_add_explicit(&metrics.gauges[gauge], by, memory_order_relaxed);
}

/* A refused create had nodes refused for that reason. */
void metrics_refused(int reason);
/* A request was answered with that status, 0: not answered. */
void metrics_request(size_t route, size_t method, int status, int64_t duration_ns);
/* A call to an engine ended. */
void metrics_call(enum metric_caller caller, enum http_failure failure, int64_t duration_ns);
/* A request that is passed on failed between us and its engine; how long those that do not is seen by route. */
void metrics_proxy_failed(enum http_failure failure);
/* Nanoseconds of the monotonic clock. */
int64_t metrics_now_ns(void);

/* --- the page: Prometheus' text format 0.0.4 --- */

struct metrics_page {
    struct bytes text;
    bool failed; /* for lack of memory */
};

/* What follows are samples of that metric. */
void metrics_page_begin(struct metrics_page *page, const char *name, const char *type, const char *help);
/* @p labels: as they stand between the braces, NULL: none. */
void metrics_page_add(struct metrics_page *page, const char *name, const char *labels, double value);
void metrics_page_add_histogram(struct metrics_page *page, const char *name, const char *labels,
                                const struct metric_histogram *histogram);
/* A label's value as the format has it: what is too long is cut. */
const char *metrics_escape(const char *value, char *buffer, size_t size);

#endif
