/* SPDX-License-Identifier: Apache-2.0 */
/* nodes://a:1,b:[2:4] and bare lists: the addresses stand in the URL. */
#include <stdlib.h>
#include <string.h>

#include "discovery_private.h"

static int add_all(struct address_list *list, char *items, char **reterr)
{
    char *item, *why = NULL;
    while ((item = strsep(&items, ","))) {
        if (*item == '\0' || address_list_add_range(list, item, &why) == 0)
            continue;
        discovery_fail(reterr, "%s, please check you are using the correct discovery (missing token:// ?)",
                       why ? why : "out of memory");
        free(why);
        return -1;
    }
    return 0;
}

static int nodes_open(struct discovery *discovery, const char *rest, const struct discovery_options *options,
                      char **reterr)
{
    struct address_list *list = calloc(1, sizeof *list);
    char *items = strdup(rest);
    int status = list && items ? add_all(list, items, reterr) : discovery_fail(reterr, "out of memory");
    free(items);
    discovery->state = list;
    if (status == 0)
        return 0;
    if (list)
        address_list_clear(list);
    free(list);
    return -1;
}

static void nodes_close(struct discovery *discovery)
{
    address_list_clear(discovery->state);
    free(discovery->state);
}

static void nodes_watch(struct discovery *discovery, const struct discovery_events *events, void *data)
{
    const struct address_list *nodes = discovery->state;
    const struct discovery_list list = {.addresses = (const char *const *)nodes->items, .count = nodes->count};
    events->entries(data, &list);
    while (discovery_sleep(discovery, -1, -1))
        ;
}

const struct discovery_backend discovery_nodes = {
    .name = "nodes", .open = nodes_open, .close = nodes_close, .watch = nodes_watch};
