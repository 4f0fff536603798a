/* SPDX-License-Identifier: Apache-2.0 */
#include "detection.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define PAUSE_MAX_MS 300
#define PING_MIN_MS 50
#define STEP_MAX_MS 200
#define WINDOW_MIN_MS 3000

/* A duration option of at least @p least_ms. */
static int read_duration(int *ret_ms, const struct command *command, const char *name, int least_ms, char **reterr)
{
    const char *text = option_find(command, name)->value;
    char *why = NULL;
    int64_t ns = 0;

    if (duration_parse(&ns, text ? text : "", &why) < 0) {
        if (asprintf(reterr, "invalid --%s: %s", name, why ? why : "out of memory") < 0)
            *reterr = NULL;
        free(why);
        return -1;
    }
    if (ns / 1000000 < least_ms || ns / 1000000 > INT_MAX / 4) {
        if (asprintf(reterr, "invalid --%s: %s, a duration from %dms to %dh is expected", name, text, least_ms,
                     INT_MAX / 4 / 3600000) < 0)
            *reterr = NULL;
        return -1;
    }
    *ret_ms = (int)(ns / 1000000);
    return 0;
}

int detection_read(struct detection *ret, const struct command *command, char **reterr)
{
    long limit = option_find(command, "engine-flap-limit")->number;

    if (read_duration(&ret->stop_ms, command, "engine-stop-timeout", 100, reterr) < 0 ||
        read_duration(&ret->silence_ms, command, "engine-silence-timeout", 1000, reterr) < 0 ||
        read_duration(&ret->flap_window_ms, command, "engine-flap-window", WINDOW_MIN_MS, reterr) < 0 ||
        read_duration(&ret->unannounced_ms, command, "engine-unannounced-timeout", 0, reterr) < 0)
        return -1;
    if (limit < 0 || limit > FLAPS_KEPT) {
        if (asprintf(reterr, "invalid --engine-flap-limit: %ld, a number from 0 to %d is expected", limit, FLAPS_KEPT) <
            0)
            *reterr = NULL;
        return -1;
    }
    ret->flap_limit = (int)limit;
    return 0;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t detection_heartbeat_ms(const struct detection *detection)
{
    return detection->silence_ms * 45LL / 100;
}

int64_t detection_step_ms(const struct detection *detection)
{
    return least(STEP_MAX_MS, detection->silence_ms / 100);
}

int64_t detection_answer_ms(const struct detection *detection)
{
    return detection->silence_ms * 20LL / 100;
}

int64_t detection_pause_ms(const struct detection *detection, int tries)
{
    return least(PAUSE_MAX_MS, detection->stop_ms / (tries + 2LL));
}

int64_t detection_ping_ms(const struct detection *detection, int tries)
{
    /* The unanswered ping that raised the doubt was the first try. */
    int64_t left_ms = detection->silence_ms * 34LL / 100;
    int64_t ping_ms = tries > 1 ? left_ms / (tries - 1) - detection_pause_ms(detection, tries) : left_ms;

    ping_ms = least(ping_ms, detection->silence_ms / 10);
    return ping_ms < PING_MIN_MS ? PING_MIN_MS : ping_ms;
}

void flaps_add(struct flaps *flaps, int64_t now_ms)
{
    flaps->lost_ms[flaps->next] = now_ms;
    flaps->next = (flaps->next + 1) % FLAPS_KEPT;
    flaps->count += flaps->count < FLAPS_KEPT;
}

int flaps_within(const struct flaps *flaps, const struct detection *detection, int64_t now_ms)
{
    int within = 0;

    for (unsigned i = 0; i < flaps->count; i++)
        within += now_ms - flaps->lost_ms[i] <= detection->flap_window_ms;
    return within;
}

int64_t flaps_hold_ms(const struct flaps *flaps, const struct detection *detection, int64_t now_ms)
{
    int more = flaps_within(flaps, detection, now_ms) - detection->flap_limit;

    if (detection->flap_limit == 0 || more < 0)
        return 0;
    return least((int64_t)detection->flap_window_ms / 30 << more, detection->flap_window_ms);
}
