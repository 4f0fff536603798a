/* SPDX-License-Identifier: Apache-2.0 */
/* What /info tells of one engine, put into words. */
#ifndef MANAGE_INFO_NODE_H
#define MANAGE_INFO_NODE_H

#include <jansson.h>
#include <stdint.h>
#include <time.h>

#include "bytes.h"
#include "pool.h"

struct info_node {
    enum engine_state state;
    bool unannounced;
    int64_t drop_ms;  /* unannounced: monotonic time when it goes; -1: none yet */
    const char *name; /* "(unknown)" before the first contact */
    const char *address;
    const char *id;             /* "" before the first contact */
    const char *error;          /* NULL: none */
    const char *server_version; /* "" before the first contact */
    time_t updated_at;
    size_t running, paused, stopped;
    int64_t used_cpus_milli, total_cpus_milli;
    int64_t used_memory, total_memory;
    const char *labels;       /* "k=v, k=v" */
    const char *rescheduling; /* what waits of it; NULL: nothing */
    const json_t *info;       /* NULL before the first contact */
};

/* All that costs nothing: without labels and what waits. The texts stay the engine's. With the pool locked. */
void info_node_read(struct info_node *ret, const struct engine *engine);
/* The labels as one text; NULL for lack of memory. With the pool locked. */
char *info_node_labels(const struct engine *engine);
/* Its pairs of SystemStatus as JSON, a comma in front of each. 0, or -1 for lack of memory. */
int info_node_write(struct bytes *out, const struct info_node *node);
/* The pairs in front of those of the nodes, behind those of the manager's role. New. */
json_t *info_status_lines(const struct swarm_scheduler *scheduler, size_t count);
/* "10 MiB", "24.72 GiB". */
void bytes_in_words(int64_t bytes, char *buffer, size_t size);

#endif
