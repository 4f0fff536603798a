/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery_kv_report.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

static void tell(const struct kv_report *report, char **told, char *text)
{
    if (text && (!*told || strcmp(*told, text) != 0))
        report->events->error(report->data, text);
    free(*told);
    *told = text;
}

void kv_report_error(struct kv_report *report, char *text)
{
    tell(report, &report->error, text);
}

enum { BAD_ENTRIES_TOLD = 10 };

/* Nested keys and empty values (directories) are none of ours. Of the bad ones the first are told. */
static void collect(struct address_list *addresses, const char *directory, const struct kv_table *table, char **ret_bad)
{
    size_t skip = strlen(directory) + 1;
    char *bad = NULL;
    int bad_count = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct kv_pair *pair = &table->pairs[i];
        char *why = NULL;
        if (*pair->value == '\0' || strncmp(pair->key, directory, skip - 1) != 0 || pair->key[skip - 1] != '/' ||
            strchr(pair->key + skip, '/') || address_list_add(addresses, pair->value, &why) == 0)
            continue;
        char *all = bad_count++ < BAD_ENTRIES_TOLD ? text_format("%s%skey %s: %s", bad ? bad : "", bad ? "; " : "",
                                                                 pair->key, why ? why : "out of memory")
                                                   : NULL;
        if (all) {
            free(bad);
            bad = all;
        }
        free(why);
    }
    *ret_bad = bad;
}

void kv_report_entries(struct kv_report *report, const char *directory, const struct kv_table *table)
{
    struct address_list addresses = {0};
    char *bad;
    collect(&addresses, directory, table, &bad);
    if (!report->any || !address_list_equal(&addresses, &report->addresses)) {
        report->any = true;
        discovery_report(report->discovery, &addresses, report->events, report->data);
    }
    tell(report, &report->bad_entries, bad);
    address_list_clear(&report->addresses);
    report->addresses = addresses;
}

void kv_report_finish(struct kv_report *report)
{
    address_list_clear(&report->addresses);
    free(report->error);
    free(report->bad_entries);
}
