/* SPDX-License-Identifier: Apache-2.0 */
/* The agent: announces an engine until it is told to stop. */
#ifndef SWARM_JOIN_AGENT_H
#define SWARM_JOIN_AGENT_H

#include <stdint.h>

#include "discovery.h"

struct agent {
    struct discovery *discovery;
    const char *url;     /* of the discovery, for the log */
    const char *address; /* of the engine */
    int64_t heartbeat_ns;
    int64_t delay_ns; /* the first announcement comes at a random time in [0, delay) */
};

/* Block the signals that end the agent; before the first thread starts. */
void agent_block_signals(void);
/* Announce, and again each heartbeat, until SIGTERM or SIGINT; then take the announcement back. */
void agent_run(const struct agent *agent);

#endif
