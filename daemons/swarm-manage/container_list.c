/* SPDX-License-Identifier: Apache-2.0 */
#include "container_list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "container_entry.h"
#include "container_record.h"
#include "json_read.h"
#include "timestamp.h"

struct item {
    int64_t created_ns;
    uint64_t key;                            /* where its id belongs, as far as eight bytes tell */
    struct container_record *record;         /* stays while there is a list, even of a container that is gone */
    const struct swarm_container *container; /* while the list is made only */
    const json_t *live;                      /* what its engine told for the list, NULL: nothing */
    bool healthy;                            /* its engine was */
};

struct container_list {
    struct pool *pool;
    const struct container_query *query;
    int64_t now_ns;
    struct item *items;
    size_t count, capacity, next;
};

/* --- what it shows --- */

/* Newest first; ids break ties, so that the order is the same each time. */
static int compare_items(const void *a, const void *b)
{
    const struct item *left = a, *right = b;

    if (left->created_ns != right->created_ns)
        return left->created_ns < right->created_ns ? 1 : -1;
    if (left->key != right->key)
        return left->key < right->key ? -1 : 1;
    return strcmp(swarm_container_id(left->container), swarm_container_id(right->container));
}

static uint64_t key_of(const char *id)
{
    uint64_t key = 0;

    for (int i = 0; i < 8; i++)
        key = key << 8 | (*id != '\0' ? (unsigned char)*id++ : 0);
    return key;
}

static int add_item(struct container_list *list, const struct swarm_container *container)
{
    struct container_record *record = container_record(container);
    const char *id = swarm_container_id(container);

    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        struct item *more = realloc(list->items, capacity * sizeof(*more));

        if (more == NULL)
            return -1;
        list->items = more;
        list->capacity = capacity;
    }
    list->items[list->count++] = (struct item){
        .created_ns = record->created_ns,
        .key = key_of(id),
        .record = record,
        .container = container,
        .live = list->query->live == NULL ? NULL : json_object_get(list->query->live, id),
        .healthy = record->engine->state == ENGINE_HEALTHY,
    };
    return 0;
}

static int select_items(struct container_list *list)
{
    const struct container_query *query = list->query;
    const struct swarm_node *node = NULL;

    while ((node = swarm_cluster_next_node(list->pool->cluster, node)) != NULL) {
        const struct swarm_container *container = NULL;

        while ((container = swarm_node_next_container(node, container)) != NULL) {
            if (container_query_passes(query, container) && add_item(list, container) < 0)
                return -1;
        }
    }
    if (list->count > 0)
        qsort(list->items, list->count, sizeof(list->items[0]), compare_items);
    if (query->limit > 0 && list->count > (size_t)query->limit)
        list->count = (size_t)query->limit;
    return 0;
}

int container_list_new(struct container_list **ret, struct pool *pool, const struct container_query *query)
{
    struct container_list *list = calloc(1, sizeof(*list));
    int r;

    if (list == NULL)
        return -1;
    list->pool = pool;
    list->query = query;
    list->now_ns = timestamp_now_ns();
    atomic_fetch_add(&pool->lists, 1);
    pool_read_lock(pool);
    r = select_items(list);
    pool_unlock(pool);
    if (r < 0) {
        container_list_free(list);
        return -1;
    }
    *ret = list;
    return 0;
}

void container_list_free(struct container_list *list)
{
    if (list == NULL)
        return;
    pool_end_list(list->pool);
    free(list->items);
    free(list);
}

/* --- its text --- */

/* The entry's last brace makes way for the sizes that its engine told. */
static int write_tail(struct bytes *out, const struct container_query *query, const struct item *item)
{
    const struct container_entry *entry = item->record->entry;
    const char *tail = entry->text + entry->head_length;
    size_t length = entry->tail_length;

    if (!query->size || item->live == NULL || length == 0)
        return bytes_append(out, tail, length);
    if (bytes_append(out, tail, length - 1) < 0)
        return -1;
    return bytes_printf(out, ",\"SizeRw\":%" JSON_INTEGER_FORMAT ",\"SizeRootFs\":%" JSON_INTEGER_FORMAT "}",
                        json_integer_value(json_object_get(item->live, "SizeRw")),
                        json_integer_value(json_object_get(item->live, "SizeRootFs")));
}

/* The words come from an engine in part (a health state): nothing in them may end the JSON string. */
static void make_safe(char *status)
{
    for (; *status != '\0'; status++) {
        if (*status == '"' || *status == '\\' || (unsigned char)*status < ' ')
            *status = '?';
    }
}

static int write_entry(struct bytes *out, const struct container_list *list, const struct item *item)
{
    char status[128];

    container_status_text(item->record, list->now_ns, item->healthy, status, sizeof(status));
    make_safe(status);
    return bytes_append(out, item->record->entry->text, item->record->entry->head_length) < 0 ||
                   bytes_append_text(out, status) < 0
               ? -1
               : write_tail(out, list->query, item);
}

/* The entry as it is for clients that do not know all of its fields. */
static int write_shaped(struct bytes *out, const struct container_list *list, const struct item *item)
{
    struct bytes whole = {0};
    int r = write_entry(&whole, list, item);
    json_t *entry = r < 0 ? NULL : json_read(bytes_at(&whole), bytes_length(&whole), JSON_ALLOW_NUL, NULL);
    char *text = NULL;

    container_entry_shape(entry, list->query->minor);
    if (entry != NULL)
        text = json_dumps(entry, JSON_COMPACT);
    r = text == NULL ? -1 : bytes_append_text(out, text);
    free(text);
    json_decref(entry);
    bytes_free(&whole);
    return r;
}

static int write_item(struct bytes *out, const struct container_list *list, const struct item *item)
{
    return list->query->minor >= item->record->entry_minor ? write_entry(out, list, item)
                                                           : write_shaped(out, list, item);
}

int container_list_write(struct container_list *list, struct bytes *out, size_t size)
{
    int r = list->next == 0 ? bytes_append_text(out, "[") : 0;

    pool_read_lock(list->pool);
    while (r == 0 && list->next < list->count && bytes_length(out) < size) {
        if (list->next > 0)
            r = bytes_append_text(out, ",");
        if (r == 0)
            r = write_item(out, list, &list->items[list->next++]);
    }
    pool_unlock(list->pool);
    if (r < 0 || list->next < list->count)
        return r < 0 ? -1 : 1;
    return bytes_append_text(out, "]\n");
}
