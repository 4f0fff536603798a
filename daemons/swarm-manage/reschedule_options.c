/* SPDX-License-Identifier: Apache-2.0 */
#include "reschedule_options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "option_values.h"

static int read_reconcile(int *ret, const struct command *command, char **reterr)
{
    static const struct {
        const char *word;
        int policy;
    } words[] = {
        {"keep-new", SWARM_RECONCILE_KEEP_NEW},
        {"keep-old", SWARM_RECONCILE_KEEP_OLD},
        {"longest-running", SWARM_RECONCILE_LONGEST_RUNNING},
    };
    const char *text = option_find(command, "reschedule-reconcile")->value;

    for (size_t i = 0; text != NULL && i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i].word) == 0) {
            *ret = words[i].policy;
            return 0;
        }
    }
    if (asprintf(reterr, "invalid --reschedule-reconcile: \"%s\", keep-new, keep-old or longest-running is expected",
                 text == NULL ? "" : text) < 0)
        *reterr = NULL;
    return -1;
}

int reschedule_options_read(struct swarm_rescheduler_options *ret, const struct command *command, char **reterr)
{
    struct swarm_rescheduler_options read = SWARM_RESCHEDULER_OPTIONS_INIT;

    if (option_read_duration(&read.grace_ms, command, "reschedule-grace", reterr) < 0 ||
        option_read_number(&read.retry_limit, command, "reschedule-retry-limit", 0, INT_MAX, reterr) < 0 ||
        read_reconcile(&read.reconcile, command, reterr) < 0 ||
        option_read_number(&read.mass_share_percent, command, "reschedule-mass-share", 1, 100, reterr) < 0 ||
        option_read_number(&read.mass_min_nodes, command, "reschedule-mass-min", 1, INT_MAX, reterr) < 0 ||
        option_read_duration(&read.mass_window_ms, command, "reschedule-mass-window", reterr) < 0)
        return -1;
    *ret = read;
    return 0;
}
