/* SPDX-License-Identifier: Apache-2.0 */
/* What the watcher of a store tells: a list when it changed, an error when it is another one than before. */
#ifndef COMMON_DISCOVERY_KV_REPORT_H
#define COMMON_DISCOVERY_KV_REPORT_H

#include "discovery_private.h"
#include "kv_table.h"

struct kv_report {
    const struct discovery *discovery;
    const struct discovery_events *events;
    void *data; /* the events' */
    struct told_lists told;
    char *error;       /* told last; NULL: all is well */
    char *bad_entries; /* told last */
};

/* Tell of trouble, unless it was the last one told. Takes @p text; NULL: all is well. */
void kv_report_error(struct kv_report *report, char *text);
/* Tell the addresses that @p table holds right below @p directory, where that is news. Bad ones are told as an error
 * and skipped. A key that is named after an address and has the empty value says that this one left: readers of old
 * take it for none, and it goes by itself as an announcement would. */
void kv_report_entries(struct kv_report *report, const char *directory, const struct kv_table *table);
void kv_report_finish(struct kv_report *report);

#endif
