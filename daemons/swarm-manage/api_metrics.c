/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: the table of all metrics, and what is looked up when they are asked for. */
#include "api.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <swarm/version.h>

#include "commit.h"
#include "container_record.h"
#include "engine_idle.h"
#include "events.h"
#include "http_server.h"
#include "leader.h"
#include "metrics.h"
#include "process.h"
#include "watchdog.h"

/* What one page is made from. */
struct scrape {
    struct metrics_page page;
    size_t nodes[ENGINE_DISCONNECTED + 1];
    size_t held_back;
    size_t unannounced;
    size_t containers[POOL_CONTAINER_STATES];
    struct swarm_rescheduler_status rescheduling;
    size_t listeners;
    int connections;
    bool leader;
    uint64_t term;
    struct process process;
};

/* One line of the table. */
struct metric {
    const char *name;
    const char *type;
    const char *help;
    void (*write)(struct scrape *scrape, const struct metric *metric);
};

static void add(struct scrape *scrape, const struct metric *metric, const char *labels, double value)
{
    metrics_page_add(&scrape->page, metric->name, labels, value);
}

static double counter(enum metric_counter which)
{
    return (double)atomic_load_explicit(&metrics.counters[which], memory_order_relaxed);
}

static double gauge(enum metric_gauge which)
{
    return (double)atomic_load_explicit(&metrics.gauges[which], memory_order_relaxed);
}

/* --- the manager --- */

static void write_build(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, "version=\"" SWARM_VERSION "\",commit=\"" SWARM_GIT_COMMIT "\"", 1);
}

static void write_leader(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, scrape->leader);
}

static void write_leader_term(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, scrape->leader ? (double)scrape->term : 0);
}

/* --- nodes and containers --- */

static void write_nodes(struct scrape *scrape, const struct metric *metric)
{
    for (int state = ENGINE_PENDING; state <= ENGINE_DISCONNECTED; state++) {
        char labels[64];

        snprintf(labels, sizeof(labels), "state=\"%s\"", engine_state_text(state));
        for (char *at = labels; *at; at++)
            *at = (char)tolower((unsigned char)*at);
        add(scrape, metric, labels, (double)scrape->nodes[state]);
    }
}

static void write_held_back(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, (double)scrape->held_back);
}

static void write_unannounced(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, (double)scrape->unannounced);
}

static void write_transitions(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, "to=\"unhealthy\"", counter(METRIC_ENGINES_LOST));
    add(scrape, metric, "to=\"healthy\"", counter(METRIC_ENGINES_BACK));
}

static void write_containers(struct scrape *scrape, const struct metric *metric)
{
    for (int state = 0; state < POOL_CONTAINER_STATES; state++) {
        char labels[64];

        snprintf(labels, sizeof(labels), "state=\"%s\"", container_state_word(state));
        add(scrape, metric, labels, (double)scrape->containers[state]);
    }
}

/* --- decisions --- */

static void write_decisions(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, "kind=\"create\",outcome=\"granted\"", counter(METRIC_CREATES_GRANTED));
    add(scrape, metric, "kind=\"create\",outcome=\"refused\"", counter(METRIC_CREATES_REFUSED));
    add(scrape, metric, "kind=\"move\",outcome=\"granted\"", counter(METRIC_MOVES_GRANTED));
    add(scrape, metric, "kind=\"move\",outcome=\"refused\"", counter(METRIC_MOVES_REFUSED));
}

static void write_refusals(struct scrape *scrape, const struct metric *metric)
{
    for (int reason = 0; reason < METRICS_REASONS; reason++) {
        char labels[64];

        if (!swarm_reason_name(reason))
            continue;
        snprintf(labels, sizeof(labels), "reason=\"%s\"", swarm_reason_name(reason));
        add(scrape, metric, labels, (double)atomic_load_explicit(&metrics.reasons[reason], memory_order_relaxed));
    }
}

static void write_moves(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, "kind=\"move\",outcome=\"done\"", counter(METRIC_MOVES_DONE));
    add(scrape, metric, "kind=\"move\",outcome=\"failed\"", counter(METRIC_MOVES_FAILED));
    add(scrape, metric, "kind=\"removal\",outcome=\"done\"", counter(METRIC_REMOVALS_DONE));
    add(scrape, metric, "kind=\"removal\",outcome=\"failed\"", counter(METRIC_REMOVALS_FAILED));
}

static void write_moves_waiting(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, "kind=\"move\"", (double)scrape->rescheduling.moves);
    add(scrape, metric, "kind=\"removal\"", (double)scrape->rescheduling.removals);
}

static void write_moves_given_up(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, (double)scrape->rescheduling.moves_given_up);
}

static void write_rescheduling_held(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, scrape->rescheduling.held != 0);
}

/* --- requests --- */

/* Calls @p write for each route and method that was asked for. */
static void each_requested(struct scrape *scrape, const struct metric *metric,
                           void (*write)(struct scrape *, const struct metric *, const char *labels,
                                         const struct metric_requests *))
{
    const char *pattern, *method;

    for (size_t route = 0; (pattern = route_label(route)); route++) {
        for (size_t i = 0; (method = route_method_label(i)); i++) {
            const struct metric_requests *requests = &metrics.requests[route][i];
            char escaped[128], labels[256];
            bool any = false;

            for (size_t class = 0; class < METRICS_CLASSES && !any; class ++)
                any = atomic_load_explicit(&requests->classes[class], memory_order_relaxed) != 0;
            if (!any)
                continue;
            snprintf(labels, sizeof(labels), "route=\"%s\",method=\"%s\"",
                     metrics_escape(pattern, escaped, sizeof(escaped)), method);
            write(scrape, metric, labels, requests);
        }
    }
}

static void write_classes(struct scrape *scrape, const struct metric *metric, const char *labels,
                          const struct metric_requests *requests)
{
    static const char *const classes[METRICS_CLASSES] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

    for (size_t class = 0; class < METRICS_CLASSES; class ++) {
        unsigned long long count = atomic_load_explicit(&requests->classes[class], memory_order_relaxed);
        char more[320];

        if (!count)
            continue;
        snprintf(more, sizeof(more), "%s,status=\"%s\"", labels, classes[class]);
        add(scrape, metric, more, (double)count);
    }
}

static void write_requests(struct scrape *scrape, const struct metric *metric)
{
    each_requested(scrape, metric, write_classes);
}

static void write_duration(struct scrape *scrape, const struct metric *metric, const char *labels,
                           const struct metric_requests *requests)
{
    metrics_page_add_histogram(&scrape->page, metric->name, labels, &requests->duration);
}

static void write_durations(struct scrape *scrape, const struct metric *metric)
{
    each_requested(scrape, metric, write_duration);
}

static void write_requests_active(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, gauge(METRIC_REQUESTS_ACTIVE));
}

static void write_connections(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, scrape->connections);
}

static void write_streams(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, "kind=\"events\"", (double)scrape->listeners);
    add(scrape, metric, "kind=\"relay\"", gauge(METRIC_RELAYS_ACTIVE));
}

/* --- calls to engines --- */

static const char *const callers[METRIC_CALLERS] = {"request", "monitor", "proxy"};

static void write_calls(struct scrape *scrape, const struct metric *metric)
{
    for (int caller = 0; caller < METRIC_CALLER_PROXY; caller++) {
        char labels[64];

        snprintf(labels, sizeof(labels), "caller=\"%s\"", callers[caller]);
        metrics_page_add_histogram(&scrape->page, metric->name, labels, &metrics.calls[caller]);
    }
}

static void write_idle(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, (double)engine_idle_count());
}

static void write_calls_failed(struct scrape *scrape, const struct metric *metric)
{
    static const char *const reasons[METRICS_FAILURES] = {NULL,     "refused",   "timeout",
                                                          "broken", "cancelled", "no-socket"};

    for (int caller = 0; caller < METRIC_CALLERS; caller++) {
        for (int reason = HTTP_OK + 1; reason < METRICS_FAILURES; reason++) {
            char labels[96];

            snprintf(labels, sizeof(labels), "caller=\"%s\",reason=\"%s\"", callers[caller], reasons[reason]);
            add(scrape, metric, labels,
                (double)atomic_load_explicit(&metrics.calls_failed[caller][reason], memory_order_relaxed));
        }
    }
}

/* --- events --- */

static void write_received(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, counter(METRIC_EVENTS_RECEIVED));
}

static void write_delivered(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, counter(METRIC_EVENTS_DELIVERED));
}

static void write_cut_off(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, counter(METRIC_LISTENERS_CUT_OFF));
}

/* --- the process --- */

static void write_cpu(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, scrape->process.cpu_seconds);
}

static void write_start(struct scrape *scrape, const struct metric *metric)
{
    char text[40];

    /* Milliseconds matter here, unlike in other numbers of this size. */
    snprintf(text, sizeof(text), "%.3f", scrape->process.start_s);
    scrape->page.failed |= bytes_printf(&scrape->page.text, "%s %s\n", metric->name, text) < 0;
}

static void write_resident(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, (double)scrape->process.resident_bytes);
}

static void write_virtual(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, (double)scrape->process.virtual_bytes);
}

/* What is in use tells of a leak sooner than resident memory, which holds what is free, too. */
static void write_heap(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, "kind=\"used\"", (double)scrape->process.heap_used);
    add(scrape, metric, "kind=\"free\"", (double)scrape->process.heap_free);
}

static void write_threads(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, (double)scrape->process.threads);
}

static void write_fds(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, (double)scrape->process.open_fds);
}

static void write_max_fds(struct scrape *scrape, const struct metric *metric)
{
    add(scrape, metric, NULL, (double)scrape->process.max_fds);
}

/* --- the table --- */

static const struct metric table[] = {
    {"swarm_build_info", "gauge", "What this manager was built from; always 1.", write_build},
    {"swarm_leader", "gauge", "1 while this manager is the one that acts.", write_leader},
    {"swarm_leader_term", "gauge",
     "Number of the term in which it acts, greater than those of all terms before; 0 where it does not, or is alone.",
     write_leader_term},
    {"swarm_nodes", "gauge", "Nodes by state.", write_nodes},
    {"swarm_nodes_unannounced", "gauge", "Healthy nodes whose membership has lapsed.", write_unannounced},
    {"swarm_nodes_held_back", "gauge", "Unhealthy nodes that answer and are held back as they flap.", write_held_back},
    {"swarm_node_transitions_total", "counter", "Nodes that were lost, or came back.", write_transitions},
    {"swarm_containers", "gauge", "Containers by state, as their engines last said.", write_containers},
    {"swarm_decisions_total", "counter", "Decisions on where a container goes.", write_decisions},
    {"swarm_refusals_total", "counter", "Refused creates by what nodes were not taken for; one may have several.",
     write_refusals},
    {"swarm_reschedules_total", "counter", "Moves of containers of lost nodes, and removals of second copies.",
     write_moves},
    {"swarm_reschedules_waiting", "gauge", "Moves and removals there are to do.", write_moves_waiting},
    {"swarm_reschedules_given_up", "gauge", "Moves that wait for a node to come back.", write_moves_given_up},
    {"swarm_rescheduling_held", "gauge", "1 while too many nodes are lost at once for anything to be moved.",
     write_rescheduling_held},
    {"swarm_http_requests_total", "counter", "Requests by route, method and class of status.", write_requests},
    {"swarm_http_request_duration_seconds", "histogram", "Time from a request's head to the end of its answer.",
     write_durations},
    {"swarm_http_requests_active", "gauge", "Requests under way.", write_requests_active},
    {"swarm_http_connections", "gauge", "Connections of clients.", write_connections},
    {"swarm_http_streams", "gauge", "Event streams to clients, and requests passed on to an engine, under way.",
     write_streams},
    {"swarm_engine_call_duration_seconds", "histogram", "Time that calls to engines took, streams aside.", write_calls},
    {"swarm_engine_call_failures_total", "counter", "Calls to engines, or requests passed on, without an answer.",
     write_calls_failed},
    {"swarm_engine_idle_connections", "gauge", "Connections to engines kept for requests to be passed on.", write_idle},
    {"swarm_events_received_total", "counter", "Events that engines sent.", write_received},
    {"swarm_events_delivered_total", "counter", "Events given to clients, each counted once for each of them.",
     write_delivered},
    {"swarm_event_listeners_cut_off_total", "counter", "Event streams that were cut as their client fell behind.",
     write_cut_off},
    {"process_cpu_seconds_total", "counter", "User and system CPU time.", write_cpu},
    {"process_start_time_seconds", "gauge", "Unix time at which the process started.", write_start},
    {"process_resident_memory_bytes", "gauge", "Resident memory.", write_resident},
    {"process_virtual_memory_bytes", "gauge", "Virtual memory.", write_virtual},
    {"swarm_heap_bytes", "gauge", "Memory from malloc() that is in use, and that it keeps for later.", write_heap},
    {"process_threads", "gauge", "Threads.", write_threads},
    {"process_open_fds", "gauge", "Open file descriptors.", write_fds},
    {"process_max_fds", "gauge", "File descriptors that may be open, -1 where there is no limit.", write_max_fds},
};

static void take_pool(struct scrape *scrape, struct manager *manager)
{
    struct pool *pool = manager->pool;

    pool_read_lock(pool);
    for (size_t i = 0; i < pool->engine_count; i++) {
        scrape->nodes[pool->engines[i]->state]++;
        scrape->held_back += pool->engines[i]->held_back;
        scrape->unannounced += pool->engines[i]->unannounced && pool->engines[i]->state == ENGINE_HEALTHY;
    }
    memcpy(scrape->containers, pool->container_states, sizeof(scrape->containers));
    if (manager->watchdog)
        swarm_rescheduler_status(watchdog_rescheduler(manager->watchdog), &scrape->rescheduling);
    pool_unlock(pool);
}

int api_metrics(struct call *call)
{
    struct scrape scrape = {.rescheduling = SWARM_RESCHEDULER_STATUS_INIT};
    int r;

    take_pool(&scrape, call->manager);
    scrape.leader = leader_is_primary(call->manager->leader, &scrape.term);
    scrape.listeners = event_hub_listeners(call->manager->events);
    scrape.connections = http_request_connections(call->request);
    process_read(&scrape.process);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        metrics_page_begin(&scrape.page, table[i].name, table[i].type, table[i].help);
        table[i].write(&scrape, &table[i]);
    }
    if (scrape.page.failed)
        r = http_reply_error(call->reply, 500, "out of memory");
    else
        r = http_reply_send(call->reply, 200, "text/plain; version=0.0.4; charset=utf-8", bytes_at(&scrape.page.text),
                            bytes_length(&scrape.page.text));
    bytes_free(&scrape.page.text);
    return r;
}
