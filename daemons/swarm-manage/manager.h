/* SPDX-License-Identifier: Apache-2.0 */
/* What one manager process holds; made by main.c, passed to every part. */
#ifndef MANAGE_MANAGER_H
#define MANAGE_MANAGER_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swarm/swarm.h>

#include "detection.h"
#include "tls.h"

struct pool;
struct monitor;
struct event_hub;
struct watchdog;
struct leader;
struct office;
struct traits_cache;
struct exec_table;
struct decisions;
struct pin_table;
struct records;
struct ssh_bridges;

/* Whether lists show names with the node in front, "node/name". */
enum node_prefix {
    NODE_PREFIX_AUTO,   /* of all but networks and volumes whose exact name is asked for */
    NODE_PREFIX_ALWAYS, /* of all that belong to one node */
    NODE_PREFIX_NEVER,
};

/* The command line, checked. */
struct manager_options {
    bool debug;
    bool experimental;
    bool cors;
    double overcommit;
    int create_retry;
    int stopped_counts; /* enum swarm_count: what stopped containers count for */
    enum swarm_cpu_shares cpu_shares;
    int refresh_min_ms;
    int refresh_max_ms;
    int failure_retry;
    int heartbeat_ms;
    bool fixed_list; /* discovery's list of nodes changes by hand only */
    struct detection detection;
    size_t kept_connections; /* to quiet engines, between pings; not an option: follows from the limit of descriptors */
    struct swarm_rescheduler_options reschedule;
    const char
        *api_version; /* what clients are told to speak: "auto-max", a version, or else what all engines can do */
    enum node_prefix node_prefix;
    bool refresh_on_node_filter;
    const char *container_name_refresh_filter;
};

struct manager {
    struct manager_options options;
    const struct tls *tls;       /* NULL: none */
    struct ssh_bridges *bridges; /* to engines behind ssh */
    struct swarm_scheduler *scheduler;
    struct pool *pool;
    struct monitor *monitor;
    struct event_hub *events;
    struct watchdog *watchdog;
    struct leader *leader;       /* leader.h; NULL: no --replication */
    struct office *office;       /* office.h; NULL: the record, if there is one, is this manager's own */
    struct traits_cache *traits; /* traits.h */
    struct exec_table *execs;    /* exec_table.h */
    struct decisions *decisions; /* decisions.h */
    struct pin_table *pins;      /* pins.h */
    struct records *records;     /* records.h; NULL: nothing outlives this manager */
    json_t *copies;              /* what is remembered of containers that were moved, by id; NULL: no office */
    char *id;                    /* stable id shown by /info */
    int64_t started_ms;          /* wall clock */
    atomic_llong requests;       /* that came so far */
    atomic_llong calls_end_ms;   /* monotonic time after which calls to engines are given up: the end; 0: not yet */
};

/* Versions of the Engine API that we speak. */
#define API_VERSION_MAX "1.51"
#define API_VERSION_MIN "1.24"

#endif
