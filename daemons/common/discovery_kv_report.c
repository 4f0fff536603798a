/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery_kv_report.h"

#include <stdlib.h>
#include <string.h>

#include "discovery_kv.h"
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

/* What stands behind "directory/" where nothing is nested below it, else NULL. */
static const char *name_in(const char *directory, const char *key)
{
    size_t length = strlen(directory);
    if (strncmp(key, directory, length) != 0 || key[length] != '/' || strchr(key + length + 1, '/'))
        return NULL;
    return key + length + 1;
}

/* Names that are no addresses are directories. */
static void add_left(struct address_list *left, const char *name)
{
    char *address = kv_node_address(name), *why = NULL;
    if (address && address_list_add(left, address, &why) != 0)
        free(why);
    free(address);
}

/* Nested keys and empty values of other names (directories) are none of ours. Of the bad ones the first are told. */
static void collect(struct address_list *addresses, struct address_list *left, const char *directory,
                    const struct kv_table *table, char **ret_bad)
{
    char *bad = NULL;
    int bad_count = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct kv_pair *pair = &table->pairs[i];
        const char *name = name_in(directory, pair->key);
        char *why = NULL;
        if (!name)
            continue;
        if (*pair->value == '\0') {
            add_left(left, name);
            continue;
        }
        if (address_list_add(addresses, pair->value, &why) == 0)
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
    struct address_list addresses = {0}, left = {0};
    char *bad;
    collect(&addresses, &left, directory, table, &bad);
    discovery_report(report->discovery, &report->told, &addresses, &left, report->events, report->data);
    tell(report, &report->bad_entries, bad);
}

void kv_report_finish(struct kv_report *report)
{
    told_lists_finish(&report->told);
    free(report->error);
    free(report->bad_entries);
}
