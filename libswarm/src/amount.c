/* SPDX-License-Identifier: Apache-2.0 */
#include "amount.h"

#include <stdio.h>

#include <swarm/decision.h>

/* In tenths of the greatest unit that leaves 1 or more, whole from 100 on. */
static void bytes_text(char *text, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        snprintf(text, SWARM__AMOUNT_SIZE, "%llu B", (unsigned long long)bytes);
        return;
    }
    int unit = 0;
    while (unit < 6 && bytes >> (10 * (unit + 1)) > 0)
        unit++;
    uint64_t one = UINT64_C(1) << (10 * unit), whole = bytes / one, rest = bytes % one;
    /* The rest is less than 2^60, so that ten times as much fits. */
    uint64_t tenths = (rest * 10 + one - 1) / one;
    if (whole >= 100 || tenths == 10) {
        whole += tenths > 0;
        tenths = 0;
    }
    if (whole == 1024 && unit < 6) {
        whole = 1;
        unit++;
    }
    if (tenths > 0)
        snprintf(text, SWARM__AMOUNT_SIZE, "%llu.%llu %s", (unsigned long long)whole, (unsigned long long)tenths,
                 units[unit]);
    else
        snprintf(text, SWARM__AMOUNT_SIZE, "%llu %s", (unsigned long long)whole, units[unit]);
}

static void cpus_text(char *text, int64_t milli)
{
    char digits[4];
    int length = snprintf(digits, sizeof(digits), "%03d", (int)(milli % 1000));
    while (length > 0 && digits[length - 1] == '0')
        digits[--length] = '\0';
    snprintf(text, SWARM__AMOUNT_SIZE, "%lld%s%s CPU%s", (long long)(milli / 1000), length ? "." : "", digits,
             milli == 1000 ? "" : "s");
}

void swarm__amount_text(char text[SWARM__AMOUNT_SIZE], int64_t amount, int unit)
{
    switch (unit) {
    case SWARM_UNIT_BYTES:
        bytes_text(text, (uint64_t)amount);
        return;
    case SWARM_UNIT_CPUS_MILLI:
        cpus_text(text, amount);
        return;
    case SWARM_UNIT_CONTAINERS:
        snprintf(text, SWARM__AMOUNT_SIZE, "%lld slot%s", (long long)amount, amount == 1 ? "" : "s");
        return;
    default:
        snprintf(text, SWARM__AMOUNT_SIZE, "%lld", (long long)amount);
    }
}
