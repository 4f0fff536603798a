/* SPDX-License-Identifier: Apache-2.0 */
#include "container.h"

#include <string.h>

#include "account.h"
#include "error.h"
#include "identity.h"
#include "mem.h"
#include "request.h"
#include "reservation.h"

/* More than there are, over IPv4 and IPv6 and three protocols. */
#define BOUND_MAX 1000000
/* For 64 digits and a NUL. */
#define ID_ROOM 65u

static struct swarm__container_list *list_of(struct swarm_container *container)
{
    return swarm__container_pending(container) ? &container->node->pending : &container->node->containers;
}

static void enter_node(struct swarm_container *container)
{
    struct swarm__container_list *list = list_of(container);
    container->previous = list->last;
    container->next = NULL;
    *(list->last ? &list->last->next : &list->first) = container;
    list->last = container;
    list->count++;
    container->node->cluster->occupants[container->node->slot]++;
}

/* @p list: the one that it entered. */
static void leave_node(struct swarm__container_list *list, struct swarm_container *container)
{
    *(container->previous ? &container->previous->next : &list->first) = container->next;
    *(container->next ? &container->next->previous : &list->last) = container->previous;
    list->count--;
    container->node->cluster->occupants[container->node->slot]--;
}

static void add_swarm_id(struct swarm_container *container)
{
    const char *id = swarm_request_swarm_id(container->request);
    container->by_swarm_id.key = id && *id ? id : NULL;
    if (container->by_swarm_id.key)
        swarm__prefix_add(&container->node->cluster->swarm_ids, &container->by_swarm_id);
}

static void remove_swarm_id(struct swarm_container *container)
{
    if (container->by_swarm_id.key)
        swarm__prefix_remove(&container->node->cluster->swarm_ids, &container->by_swarm_id);
}

/* A container is made with room for its id; a pending one for whatever engine's id may come. */
static struct swarm_container *container_alloc(const char *id)
{
    size_t room = !id ? ID_ROOM : strlen(id) < ID_ROOM ? strlen(id) + 1 : 0;
    size_t size = offsetof(struct swarm_container, id_room) + room;
    return swarm__calloc(1, size > sizeof(struct swarm_container) ? size : sizeof(struct swarm_container));
}

static int set_id(struct swarm_container *container, const char *id)
{
    char *copy = strlen(id) < ID_ROOM ? strcpy(container->id_room, id) : swarm__strdup(id);
    if (!copy)
        return -1;
    container->id = copy;
    swarm__prefix_add(&container->node->cluster->container_ids, &container->by_id);
    return 0;
}

static void drop_id(struct swarm_container *container)
{
    if (!container->id)
        return;
    swarm__prefix_remove(&container->node->cluster->container_ids, &container->by_id);
    if (container->id != container->id_room)
        swarm__free((char *)(uintptr_t)container->id);
    container->id = NULL;
}

static void remove_names(struct swarm_container *container, struct swarm__name *names)
{
    struct swarm__map *map = &container->node->cluster->container_names;
    while (names) {
        struct swarm__name *next = names->next;
        if (names == &container->request_name)
            swarm__names_leave(map, names);
        else
            swarm__names_remove(map, names);
        names = next;
    }
}

/* The name that a container begins with, a slash cut off as setters do; NULL: none. */
static const char *name_asked_for(const struct swarm_request *request)
{
    const char *name = swarm_request_name(request);
    return name && *name == '/' ? name + 1 : name;
}

static int add_request_name(struct swarm_container *container)
{
    const char *text = name_asked_for(container->request);
    if (!text)
        return 0;
    struct swarm__map *map = &container->node->cluster->container_names;
    if (swarm__names_enter(map, &container->request_name, text, container) != 0)
        return -1;
    container->names = &container->request_name;
    return 0;
}

/* A chain of names, in order. All or none; *ret_names is untouched on failure. */
static int add_names(struct swarm_container *container, const char *const *names, size_t count,
                     struct swarm__name **ret_names)
{
    struct swarm__map *map = &container->node->cluster->container_names;
    struct swarm__name *first = NULL;
    struct swarm__name **end = &first;
    for (size_t i = 0; i < count; i++) {
        const char *text = names[i] + (names[i][0] == '/');
        *end = swarm__names_add(map, text, container);
        if (!*end) {
            remove_names(container, first);
            return -1;
        }
        end = &(*end)->next;
    }
    *ret_names = first;
    return 0;
}

static int enter_identity(struct swarm_container *container, const char *id)
{
    if (id && set_id(container, id) != 0)
        return -1;
    if (add_request_name(container) != 0) {
        drop_id(container);
        return -1;
    }
    add_swarm_id(container);
    return 0;
}

int swarm__container_new(struct swarm_container **ret_container, struct swarm_node *node, const char *id,
                         struct swarm_request *request, struct swarm_error **reterr)
{
    struct swarm_container *container = container_alloc(id);
    if (!container)
        return swarm__error_nomem(reterr);
    container->node = node;
    container->request = request;
    int code =
        swarm__account_count(container, swarm__account_parts(SWARM_COUNT_ALL, !id, SWARM_CONTAINER_CREATED), reterr);
    if (code != 0) {
        swarm__free(container);
        return code;
    }
    if (enter_identity(container, id) != 0) {
        swarm__account_uncount(container, container->counted);
        swarm__free(container);
        return swarm__error_nomem(reterr);
    }
    swarm__request_share(request);
    enter_node(container);
    swarm__identity_enter(container);
    if (id)
        node->cluster->container_count++;
    swarm__cluster_touch(node->cluster);
    *ret_container = container;
    return 0;
}

void swarm__container_free(struct swarm_container *container)
{
    struct swarm_cluster *cluster = container->node->cluster;
    bool pending = swarm__container_pending(container);
    if (container->reservation)
        container->reservation->container = NULL;
    leave_node(list_of(container), container);
    swarm__identity_leave(container);
    if (!pending)
        cluster->container_count--;
    remove_names(container, container->names);
    remove_swarm_id(container);
    drop_id(container);
    swarm__account_uncount(container, container->counted);
    swarm__free(container->bound);
    swarm_request_unref(container->request);
    if (container->data && cluster->container_destroy)
        cluster->container_destroy(container->data);
    swarm__free(container);
    swarm__cluster_touch(cluster);
}

int swarm__container_realize(struct swarm_container *container, const char *id)
{
    struct swarm_node *node = container->node;
    struct swarm__container_list *before = list_of(container);
    if (set_id(container, id) != 0)
        return SWARM_ERR_NOMEM;
    unsigned parts = swarm__account_parts(node->cluster->stopped_counts, false, container->state);
    if (swarm__account_count(container, parts & ~(unsigned)container->counted, NULL) != 0) {
        drop_id(container);
        return SWARM_ERR_NOMEM;
    }
    leave_node(before, container);
    enter_node(container);
    swarm__identity_renew(container);
    node->cluster->container_count++;
    swarm__cluster_touch(node->cluster);
    return 0;
}

struct swarm_container *swarm__container_find(const struct swarm_cluster *cluster, const struct swarm_node *node,
                                              const char *id)
{
    struct swarm__prefix_entry *entry = swarm__prefix_find(&cluster->container_ids, id);
    for (; entry; entry = entry->same) {
        struct swarm_container *container = swarm__container_by_id(entry);
        if (container->node == node)
            return container;
    }
    return NULL;
}

const char *swarm_container_id(const struct swarm_container *container)
{
    return !container ? NULL : container->id ? container->id : "";
}

const char *swarm_container_swarm_id(const struct swarm_container *container)
{
    return !container ? NULL : container->by_swarm_id.key ? container->by_swarm_id.key : "";
}

const char *swarm_container_name(const struct swarm_container *container)
{
    return !container ? NULL : container->names ? container->names->text : "";
}

const char *swarm_container_name_at(const struct swarm_container *container, size_t index)
{
    const struct swarm__name *at = container ? container->names : NULL;
    while (at && index-- > 0)
        at = at->next;
    return at ? at->text : NULL;
}

struct swarm_node *swarm_container_node(const struct swarm_container *container)
{
    return container ? container->node : NULL;
}

struct swarm_request *swarm_container_request(const struct swarm_container *container)
{
    return container ? container->request : NULL;
}

int swarm_container_state(const struct swarm_container *container)
{
    return container ? container->state : 0;
}

int swarm_container_set_state(struct swarm_container *container, int state, struct swarm_error **reterr)
{
    if (!container)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "container: NULL");
    if (state < SWARM_CONTAINER_CREATED || state > SWARM_CONTAINER_DEAD)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "container %s: unknown state %d: 0 to %d is expected",
                                container->id, state, SWARM_CONTAINER_DEAD);
    unsigned parts = swarm__account_parts(container->node->cluster->stopped_counts, false, state);
    unsigned counted = container->counted;
    int code = swarm__account_count(container, parts & ~counted, reterr);
    if (code != 0)
        return code;
    swarm__account_uncount(container, counted & ~parts);
    container->state = (uint8_t)state;
    swarm__cluster_touch(container->node->cluster);
    return 0;
}

int64_t swarm_container_running_since(const struct swarm_container *container)
{
    return container ? container->running_since_ms : 0;
}

int swarm_container_set_running_since(struct swarm_container *container, int64_t since_ms, struct swarm_error **reterr)
{
    if (!container)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "container: NULL");
    if (since_ms < 0)
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "container %s: it cannot run since %lld: 0 or more ms is expected", container->id,
                                (long long)since_ms);
    container->running_since_ms = since_ms;
    swarm__cluster_touch(container->node->cluster);
    return 0;
}

int swarm_container_stopped(const struct swarm_container *container)
{
    return container ? container->stopped : 0;
}

int swarm_container_set_stopped(struct swarm_container *container, int stopped, struct swarm_error **reterr)
{
    if (!container)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "container: NULL");
    if (stopped != 0 && stopped != 1)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "container %s: stopped %d: 0 or 1 is expected",
                                container->id, stopped);
    container->stopped = (uint8_t)stopped;
    swarm__cluster_touch(container->node->cluster);
    return 0;
}

/* The only name is this one already: most often it stays what the request asked for. */
static bool has_only_name(const struct swarm_container *container, const char *const *names, size_t count)
{
    return count == 1 && container->names && !container->names->next &&
           strcmp(container->names->text, names[0] + (names[0][0] == '/')) == 0;
}

int swarm_container_set_names(struct swarm_container *container, const char *const *names, size_t count,
                              struct swarm_error **reterr)
{
    if (!container || (count > 0 && !names))
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "container names: NULL");
    for (size_t i = 0; i < count; i++)
        if (!names[i])
            return swarm__error_set(reterr, SWARM_ERR_INVALID, "container %s: name %zu is NULL", container->id, i);
    if (has_only_name(container, names, count))
        return 0;
    struct swarm__name *fresh = NULL;
    if (add_names(container, names, count, &fresh) != 0)
        return swarm__error_nomem(reterr);
    bool renamed = !container->names || !fresh || strcmp(container->names->text, fresh->text) != 0;
    remove_names(container, container->names);
    container->names = fresh;
    if (renamed)
        swarm__identity_renew(container);
    swarm__cluster_touch(container->node->cluster);
    return 0;
}

/* NULL is "". */
static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Make the name independent of the request, unless another one has it as well. */
static int keep_name(struct swarm_container *container, const struct swarm_request *request)
{
    struct swarm__name *name = &container->request_name;
    const char *asked_for = name_asked_for(request);
    if (container->names != name || (asked_for && strcmp(name->text, asked_for) == 0))
        return 0;
    struct swarm__name *copy = swarm__names_add(&container->node->cluster->container_names, name->text, container);
    if (!copy)
        return -1;
    remove_names(container, name);
    container->names = copy;
    return 0;
}

int swarm_container_set_request(struct swarm_container *container, struct swarm_request *request,
                                struct swarm_error **reterr)
{
    if (!container || !request)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "container request: NULL");
    struct swarm_node *node = container->node;
    struct swarm_request *old = container->request;
    if (keep_name(container, request) != 0)
        return swarm__error_nomem(reterr);
    int code = swarm__account_add(node->cluster, node->slot, request, container->counted, reterr);
    if (code != 0)
        return code;
    remove_swarm_id(container); /* its text belongs to the request */
    container->request = swarm__request_share(request);
    add_swarm_id(container);
    if (container->names == &container->request_name)
        container->request_name.text = name_asked_for(request);
    if (!same_text(swarm_request_swarm_id(old), swarm_request_swarm_id(request)))
        swarm__identity_renew(container);
    swarm__account_remove(node->cluster, node->slot, old, container->counted);
    swarm_request_unref(old);
    swarm__cluster_touch(node->cluster);
    return 0;
}

static size_t bound_size(const struct swarm_bound_port *ports, size_t count)
{
    size_t size = count * sizeof(struct swarm__binding);
    for (size_t i = 0; i < count; i++)
        if (swarm__host_port_fixed(ports[i].host_port))
            size += strlen(ports[i].host_port) + strlen(swarm__host_ip(ports[i].host_ip)) + 2;
    return size;
}

static const char *put_text(char **end, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*end, text, size);
    *end += size;
    return copy;
}

/* The certain ports in one block, with their texts behind them. */
static struct swarm__binding *copy_bound(const struct swarm_bound_port *ports, size_t count, uint32_t *ret_count)
{
    struct swarm__binding *bound = swarm__malloc(bound_size(ports, count));
    if (!bound)
        return NULL;
    char *end = (char *)(bound + count);
    uint32_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (swarm__host_port_fixed(ports[i].host_port)) {
            bound[kept].host_port = put_text(&end, ports[i].host_port);
            bound[kept++].host_ip = put_text(&end, swarm__host_ip(ports[i].host_ip));
        }
    *ret_count = kept;
    return bound;
}

int swarm_container_set_bound_ports(struct swarm_container *container, const struct swarm_bound_port *ports,
                                    size_t count, struct swarm_error **reterr)
{
    if (!container || (count > 0 && !ports))
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "bound ports: NULL");
    if (count > BOUND_MAX)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "container %s: %zu bound ports: %d at most are expected",
                                container->id, count, BOUND_MAX);
    struct swarm_node *node = container->node;
    uint32_t kept = 0;
    struct swarm__binding *bound = copy_bound(ports, count, &kept);
    if (!bound)
        return swarm__error_nomem(reterr);
    bool count_them = container->counted & SWARM_COUNT_PORTS;
    if (count_them && swarm__account_add_bound(node->cluster, node->slot, bound, kept) != 0) {
        swarm__free(bound);
        return swarm__error_nomem(reterr);
    }
    if (count_them)
        swarm__account_remove_bound(node->cluster, node->slot, container->bound, container->bound_count);
    swarm__free(container->bound);
    if (kept == 0) {
        swarm__free(bound);
        bound = NULL;
    }
    container->bound = bound;
    container->bound_count = kept;
    swarm__cluster_touch(node->cluster);
    return 0;
}

int swarm_container_bound_port_at(const struct swarm_container *container, size_t index, const char **ret_host_ip,
                                  const char **ret_host_port)
{
    if (!container || index >= container->bound_count)
        return 0;
    if (ret_host_ip)
        *ret_host_ip = container->bound[index].host_ip;
    if (ret_host_port)
        *ret_host_port = container->bound[index].host_port;
    return 1;
}

void swarm_container_set_data(struct swarm_container *container, void *data)
{
    if (container)
        container->data = data;
}

void *swarm_container_data(const struct swarm_container *container)
{
    return container ? container->data : NULL;
}
