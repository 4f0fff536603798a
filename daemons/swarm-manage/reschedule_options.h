/* SPDX-License-Identifier: Apache-2.0 */
/* The options --reschedule-…: what is done about containers of engines that are lost. */
#ifndef MANAGE_RESCHEDULE_OPTIONS_H
#define MANAGE_RESCHEDULE_OPTIONS_H

#include <swarm/rescheduler.h>

#include "options.h"

/* For the table of swarm-manage. */
#define OPTIONS_RESCHEDULE                                                                                             \
    {"reschedule-grace", OPTION_STRING, "10s", NULL, "wait before moving containers of an engine that is silent"},     \
        {"reschedule-retry-limit", OPTION_INT, "0", NULL,                                                              \
         "tries to move a container before it is given up until an engine comes back [0: no limit]"},                  \
        {"reschedule-reconcile", OPTION_STRING, "keep-new", NULL,                                                      \
         "which copy of a moved container stays when its engine comes back [keep-new, keep-old, longest-running]"},    \
        {"reschedule-mass-share", OPTION_INT, "50", NULL,                                                              \
         "move nothing while more than this percentage of the engines is lost at once [100: move all the same]"},      \
        {"reschedule-mass-min", OPTION_INT, "4", NULL, "the fewest engines for which --reschedule-mass-share holds"},  \
    {                                                                                                                  \
        "reschedule-mass-window", OPTION_STRING, "60s", NULL, "engines lost within this count as lost at once"         \
    }

/* Into the defaults of the library. 0, or -1 with *reterr new text that names the option. */
int reschedule_options_read(struct swarm_rescheduler_options *ret, const struct command *command, char **reterr);

#endif
