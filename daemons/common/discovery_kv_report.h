/* SPDX-License-Identifier: Apache-2.0 */
/* What the watcher of a store tells: a list when it changed, an error when it is another one than before. */
#ifndef COMMON_DISCOVERY_KV_REPORT_H
#define COMMON_DISCOVERY_KV_REPORT_H

#include "discovery_private.h"
#include "kv_table.h"

struct kv_report {
    const struct discovery *discovery;
    const struct discovery_events *events;
    void *data;                    /* the events' */
    struct address_list addresses; /* told last */
    bool any;
    char *error;       /* told last; NULL: all is well */
    char *bad_entries; /* told last */
};

/* Tell of trouble, unless it was the last one told. Takes @p text; NULL: all is well. */
void kv_report_error(struct kv_report *report, char *text);
/* Tell the addresses that @p table holds right below @p directory, unless they were the last ones told; empty values
 * are none. Bad ones are told as an error and skipped. */
void kv_report_entries(struct kv_report *report, const char *directory, const struct kv_table *table);
void kv_report_finish(struct kv_report *report);

#endif
