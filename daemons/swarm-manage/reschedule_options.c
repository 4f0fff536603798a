/* SPDX-License-Identifier: Apache-2.0 */
#include "reschedule_options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse(char **reterr, const char *name, const char *what)
{
    if (asprintf(reterr, "invalid --%s: %s", name, what) < 0)
        *reterr = NULL;
    return -1;
}

static int read_duration(int64_t *ret_ms, const struct command *command, const char *name, char **reterr)
{
    const char *text = option_find(command, name)->value;
    char *why = NULL;
    int64_t ns;

    if (duration_parse(&ns, text == NULL ? "" : text, &why) < 0) {
        refuse(reterr, name, why == NULL ? "out of memory" : why);
        free(why);
        return -1;
    }
    if (ns < 0)
        return refuse(reterr, name, "it should not be negative");
    *ret_ms = ns / 1000000;
    return 0;
}

static int read_number(int *ret, const struct command *command, const char *name, long least, long most, char **reterr)
{
    long number = option_find(command, name)->number;
    char text[64];

    if (number < least || number > most) {
        if (most == INT_MAX)
            snprintf(text, sizeof(text), "%ld, a number from %ld on is expected", number, least);
        else
            snprintf(text, sizeof(text), "%ld, a number from %ld to %ld is expected", number, least, most);
        return refuse(reterr, name, text);
    }
    *ret = (int)number;
    return 0;
}

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

    if (read_duration(&read.grace_ms, command, "reschedule-grace", reterr) < 0 ||
        read_number(&read.retry_limit, command, "reschedule-retry-limit", 0, INT_MAX, reterr) < 0 ||
        read_reconcile(&read.reconcile, command, reterr) < 0 ||
        read_number(&read.mass_share_percent, command, "reschedule-mass-share", 1, 100, reterr) < 0 ||
        read_number(&read.mass_min_nodes, command, "reschedule-mass-min", 1, INT_MAX, reterr) < 0 ||
        read_duration(&read.mass_window_ms, command, "reschedule-mass-window", reterr) < 0)
        return -1;
    *ret = read;
    return 0;
}
