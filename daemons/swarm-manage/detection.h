/* SPDX-License-Identifier: Apache-2.0 */
/* How soon an engine's trouble is noticed, and how an engine that flaps is kept from making the pool flap: the options
 * for it, and what follows from them. Pure functions. */
#ifndef MANAGE_DETECTION_H
#define MANAGE_DETECTION_H

#include <stddef.h>
#include <stdint.h>

#include "options.h"

struct detection {
    int stop_ms;        /* one that refuses connections is unhealthy within this */
    int silence_ms;     /* one that says nothing any more is */
    int flap_limit;     /* so many losses within the window are flapping; 0: never */
    int flap_window_ms; /* also the longest that one is held back */
    int unannounced_ms; /* one that answers but is not announced any more is dropped after this */
};

#define DETECTION_DEFAULTS                                                                                             \
    {                                                                                                                  \
        1500, 10000, 3, 300000, 3600000                                                                                \
    }

/* For the table of swarm-manage. */
#define OPTIONS_DETECTION                                                                                              \
    {"engine-stop-timeout", OPTION_STRING, "1500ms", NULL,                                                             \
     "an engine that ends its connections and refuses new ones is unhealthy within this"},                             \
        {"engine-silence-timeout", OPTION_STRING, "10s", NULL,                                                         \
         "an engine that falls silent is unhealthy within this"},                                                      \
        {"engine-flap-limit", OPTION_INT, "3", NULL,                                                                   \
         "losses within --engine-flap-window after which an engine is held back when it answers again [0: no limit]"}, \
        {"engine-unannounced-timeout", OPTION_STRING, "1h", NULL,                                                      \
         "an engine that answers but is not announced any more leaves the pool after this"},                           \
    {                                                                                                                  \
        "engine-flap-window", OPTION_STRING, "5m", NULL,                                                               \
            "losses within this count for --engine-flap-limit; an engine is held back for a thirtieth of it, twice "   \
            "as "                                                                                                      \
            "long with each further loss, up to all of it"                                                             \
    }

/* 0, or -1 with *reterr new text that names the option. */
int detection_read(struct detection *ret, const struct command *command, char **reterr);

/* A quiet engine is pinged after this, at the next multiple of the step (those that are due at about one time are woken
 * up for together), and has so long to answer. All of it, and the probe that follows, fit into silence_ms. */
int64_t detection_heartbeat_ms(const struct detection *detection);
int64_t detection_step_ms(const struct detection *detection);
int64_t detection_answer_ms(const struct detection *detection);
/* Of a probe with so many tries: between two of its pings, and the deadline of one. */
int64_t detection_pause_ms(const struct detection *detection, int tries);
int64_t detection_ping_ms(const struct detection *detection, int tries);

/* An engine's last losses. All zero: none. */
#define FLAPS_KEPT 16
struct flaps {
    int64_t lost_ms[FLAPS_KEPT]; /* monotonic times, a ring */
    unsigned next, count;
};
void flaps_add(struct flaps *flaps, int64_t now_ms);
/* How many were within the window. */
int flaps_within(const struct flaps *flaps, const struct detection *detection, int64_t now_ms);
/* How long an engine has to answer without a break before it is healthy again; 0: it does not flap. */
int64_t flaps_hold_ms(const struct flaps *flaps, const struct detection *detection, int64_t now_ms);

#endif
