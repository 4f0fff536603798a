/* SPDX-License-Identifier: Apache-2.0 */
/* What /info tells of each engine: copied out of the pool under its lock, put into words without it. */
#ifndef MANAGE_INFO_NODE_H
#define MANAGE_INFO_NODE_H

#include <jansson.h>
#include <stdint.h>
#include <time.h>

#include "pool.h"

struct info_node {
    enum engine_state state;
    bool unannounced;
    int64_t drop_ms; /* unannounced: monotonic time when it goes; -1: none yet */
    char *name;      /* "(unknown)" before the first contact */
    char *address;
    char *id;             /* "" before the first contact */
    char *error;          /* NULL: none */
    char *server_version; /* "" before the first contact */
    time_t updated_at;
    size_t running, paused, stopped;
    int64_t used_cpus_milli, total_cpus_milli;
    int64_t used_memory, total_memory;
    char *labels;       /* "k=v, k=v" */
    char *rescheduling; /* what waits of it; NULL: nothing */
    json_t *info;       /* references; NULL before the first contact */
    json_t *images;
};

/* All engines, pending ones too, in the order the pool has them. 0, or -1 for lack of memory. */
int info_nodes_take(struct pool *pool, struct info_node **ret_nodes, size_t *ret_count);
void info_nodes_free(struct info_node *nodes, size_t count);
/* The pairs of SystemStatus behind those of the manager's role. New. */
json_t *info_status_lines(const struct swarm_scheduler *scheduler, const struct info_node *nodes, size_t count);
/* "10 MiB", "24.72 GiB". */
void bytes_in_words(int64_t bytes, char *buffer, size_t size);

#endif
