/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle_filter.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static void parse_list(struct oracle_exprs *exprs, const struct oracle_list *list)
{
    exprs->count = list->count;
    for (size_t i = 0; i < list->count; i++)
        oracle_expr_parse(&exprs->items[i], list->items[i]);
}

static void finish_list(struct oracle_exprs *exprs)
{
    for (size_t i = 0; i < exprs->count; i++)
        oracle_expr_finish(&exprs->items[i]);
}

void oracle_asked_init(struct oracle_asked *asked, const struct oracle_request *request)
{
    asked->request = request;
    parse_list(&asked->constraints, &request->constraints);
    parse_list(&asked->affinities, &request->affinities);
    parse_list(&asked->whitelists, &request->whitelists);
}

void oracle_asked_finish(struct oracle_asked *asked)
{
    finish_list(&asked->constraints);
    finish_list(&asked->affinities);
    finish_list(&asked->whitelists);
}

static bool any_soft(const struct oracle_exprs *exprs)
{
    for (size_t i = 0; i < exprs->count; i++)
        if (exprs->items[i].soft)
            return true;
    return false;
}

bool oracle_asked_soft(const struct oracle_asked *asked)
{
    return any_soft(&asked->constraints) || any_soft(&asked->affinities) || any_soft(&asked->whitelists);
}

static void add(char *text, const char *before, const char *item, const char *after)
{
    size_t length = strlen(text);
    int more = snprintf(text + length, ORACLE_ERROR - length, "%s%s%s%s", length ? " " : "", before, item, after);
    kit_check(more >= 0 && (size_t)more < ORACLE_ERROR - length);
}

/* ---- health ---- */

static bool health(const struct oracle *oracle, const struct oracle_asked *asked, bool soft,
                   const struct oracle_node *node)
{
    return node->health > 0;
}

/* ---- port ---- */

static bool is_host(const struct oracle_request *request)
{
    return strcmp(request->network_mode, "host") == 0;
}

static bool all_interfaces(const char *ip)
{
    struct in_addr four;
    struct in6_addr six;
    if (*ip == '\0')
        return true;
    if (inet_pton(AF_INET, ip, &four) == 1)
        return four.s_addr == INADDR_ANY;
    if (inet_pton(AF_INET6, ip, &six) != 1)
        return false;
    return IN6_IS_ADDR_UNSPECIFIED(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr32[3] == 0);
}

static bool any_port(const char *port)
{
    return *port == '\0' || strcmp(port, "0") == 0;
}

static bool conflicts(const struct oracle_ports *taken, const struct oracle_port *wanted)
{
    for (size_t i = 0; i < taken->count; i++) {
        const struct oracle_port *port = &taken->items[i];
        if (!any_port(port->host_port) && strcmp(port->host_port, wanted->host_port) == 0 &&
            (all_interfaces(port->host_ip) || all_interfaces(wanted->host_ip) ||
             strcmp(port->host_ip, wanted->host_ip) == 0))
            return true;
    }
    return false;
}

static bool exposes(const struct oracle_request *request, const char *port)
{
    for (size_t i = 0; i < request->exposed.count; i++)
        if (strcmp(request->exposed.items[i], port) == 0)
            return true;
    return false;
}

static bool port_beside(const struct oracle_request *request, const struct oracle_container *container)
{
    bool pending = *container->id == '\0';
    if (is_host(request)) {
        for (size_t i = 0; i < request->exposed.count; i++)
            if (!pending && is_host(&container->request) && exposes(&container->request, request->exposed.items[i]))
                return false;
        return true;
    }
    for (size_t i = 0; i < request->ports.count; i++)
        if (conflicts(&container->request.ports, &request->ports.items[i]) ||
            conflicts(&container->bound, &request->ports.items[i]))
            return false;
    return true;
}

static bool port_is_free(const struct oracle *oracle, const struct oracle_request *request,
                         const struct oracle_node *node)
{
    for (const struct oracle_container *at = oracle->containers; at; at = at->next)
        if (at->node == node && !(oracle_stopped(at) && oracle->ports_excepted) && !port_beside(request, at))
            return false;
    return true;
}

static bool port(const struct oracle *oracle, const struct oracle_asked *asked, bool soft,
                 const struct oracle_node *node)
{
    return port_is_free(oracle, asked->request, node);
}

static void port_detail(const struct oracle *oracle, const struct oracle_asked *asked, bool soft,
                        const struct oracle_node *node, struct oracle_why *ret)
{
    /* The same request with one port only. */
    struct oracle_request one = *asked->request;
    bool host = is_host(&one);
    for (size_t i = 0; i < (host ? asked->request->exposed.count : asked->request->ports.count); i++) {
        one.exposed = (struct oracle_list){.items = {asked->request->exposed.items[i]}, .count = 1};
        one.ports = (struct oracle_ports){.items = {asked->request->ports.items[i]}, .count = 1};
        if (port_is_free(oracle, &one, node))
            continue;
        const struct oracle_port *bound = &one.ports.items[0];
        if (host)
            strcpy(ret->detail, one.exposed.items[0]);
        else if (all_interfaces(bound->host_ip))
            strcpy(ret->detail, bound->host_port);
        else
            sprintf(ret->detail, "%s:%s", bound->host_ip, bound->host_port);
        return;
    }
}

bool oracle_blocks(const struct oracle_container *container, const struct oracle_request *request)
{
    return !port_beside(request, container);
}

static void list_ports(const struct oracle_asked *asked, char *text)
{
    const struct oracle_request *request = asked->request;
    for (size_t i = 0; is_host(request) && i < request->exposed.count; i++)
        add(text, "port ", request->exposed.items[i], " (Host mode)");
    for (size_t i = 0; !is_host(request) && i < request->ports.count; i++)
        add(text, "port ", request->ports.items[i].host_port, " (Bridge mode)");
}

/* ---- containerslots ---- */

__extension__ typedef __int128 wide;

/* Go's decimal integers of 64 bits. */
static bool whole_number(const char *text, long long *ret)
{
    wide value = 0;
    bool minus = *text == '-';
    const char *digits = text + (*text == '-' || *text == '+');
    if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0' || strlen(digits) > 30)
        return false;
    for (; *digits; digits++)
        value = value * 10 + (*digits - '0');
    value = minus ? -value : value;
    *ret = (long long)value;
    return value >= INT64_MIN && value <= INT64_MAX;
}

static const char *value_of(const struct oracle_pairs *labels, const char *key)
{
    for (size_t i = 0; i < labels->count; i++)
        if (strcmp(labels->items[i].key, key) == 0)
            return labels->items[i].value;
    return "";
}

int64_t oracle_slots(const struct oracle_node *node)
{
    long long limit = 0;
    return whole_number(value_of(&node->labels, "containerslots"), &limit) ? limit : INT64_MAX;
}

static bool containerslots(const struct oracle *oracle, const struct oracle_asked *asked, bool soft,
                           const struct oracle_node *node)
{
    return (int64_t)oracle_sums(oracle, node).all < oracle_slots(node);
}

static void slots_detail(const struct oracle *oracle, const struct oracle_asked *asked, bool soft,
                         const struct oracle_node *node, struct oracle_why *ret)
{
    int64_t limit = oracle_slots(node);
    ret->shortage = (int64_t)oracle_sums(oracle, node).all + 1 - (limit > 0 ? limit : 0);
}

static void list_slots(const struct oracle_asked *asked, char *text)
{
    add(text, "available container slots", "", "");
}

/* ---- dependency ---- */

#define CONTAINER_MODE "container:"

/* The part before a colon. */
static bool node_has_part(const struct oracle *oracle, const struct oracle_node *node, const char *text)
{
    char target[1024];
    snprintf(target, sizeof(target), "%s", text);
    target[strcspn(target, ":")] = '\0';
    return oracle_node_has(oracle, node, target);
}

static bool mode_holds(const struct oracle *oracle, const struct oracle_node *node, const char *mode)
{
    return strncmp(mode, CONTAINER_MODE, strlen(CONTAINER_MODE)) != 0 ||
           oracle_node_has(oracle, node, mode + strlen(CONTAINER_MODE));
}

static bool dependency(const struct oracle *oracle, const struct oracle_asked *asked, bool soft,
                       const struct oracle_node *node)
{
    const struct oracle_request *request = asked->request;
    for (size_t i = 0; i < request->volumes_from.count; i++)
        if (!node_has_part(oracle, node, request->volumes_from.items[i]))
            return false;
    for (size_t i = 0; i < request->links.count; i++)
        if (!node_has_part(oracle, node, request->links.items[i]))
            return false;
    return mode_holds(oracle, node, request->network_mode) && mode_holds(oracle, node, request->pid_mode) &&
           mode_holds(oracle, node, request->ipc_mode);
}

static bool mode_detail(const struct oracle *oracle, const struct oracle_node *node, const char *option,
                        const char *mode, struct oracle_why *ret)
{
    if (mode_holds(oracle, node, mode))
        return false;
    snprintf(ret->detail, sizeof(ret->detail), "%s%s", option, mode);
    return true;
}

static bool list_detail(const struct oracle *oracle, const struct oracle_node *node, const char *option,
                        const struct oracle_list *list, struct oracle_why *ret)
{
    for (size_t i = 0; i < list->count; i++)
        if (!node_has_part(oracle, node, list->items[i])) {
            snprintf(ret->detail, sizeof(ret->detail), "%s%s", option, list->items[i]);
            return true;
        }
    return false;
}

static void dependency_detail(const struct oracle *oracle, const struct oracle_asked *asked, bool soft,
                              const struct oracle_node *node, struct oracle_why *ret)
{
    const struct oracle_request *request = asked->request;
    bool done = list_detail(oracle, node, "--volumes-from=", &request->volumes_from, ret) ||
                list_detail(oracle, node, "--link=", &request->links, ret) ||
                mode_detail(oracle, node, "--net=", request->network_mode, ret) ||
                mode_detail(oracle, node, "--pid=", request->pid_mode, ret) ||
                mode_detail(oracle, node, "--ipc=", request->ipc_mode, ret);
    kit_check(done);
}

static void list_mode(const char *option, const char *mode, char *text)
{
    if (strncmp(mode, CONTAINER_MODE, strlen(CONTAINER_MODE)) == 0)
        add(text, option, mode, "");
}

static void list_dependencies(const struct oracle_asked *asked, char *text)
{
    const struct oracle_request *request = asked->request;
    for (size_t i = 0; i < request->volumes_from.count; i++)
        add(text, "--volumes-from=", request->volumes_from.items[i], "");
    for (size_t i = 0; i < request->links.count; i++)
        add(text, "--link=", request->links.items[i], "");
    list_mode("--net=", request->network_mode, text);
    list_mode("--pid=", request->pid_mode, text);
    list_mode("--ipc=", request->ipc_mode, text);
}

/* ---- affinity, constraint ---- */

static bool container_matches(const struct oracle_expr *expr, const struct oracle_container *container)
{
    if (strcmp(expr->key, "container") == 0)
        return container->names.count > 0 &&
               (oracle_expr_matches(expr, container->id) || oracle_expr_matches(expr, container->names.items[0]));
    if (strcmp(expr->key, "com.docker.swarm.id") == 0)
        return oracle_expr_matches(expr, container->request.swarm_id);
    return oracle_expr_matches(expr, value_of(&container->request.labels, expr->key));
}

static bool image_matches(const struct oracle_expr *expr, const struct oracle_image *image)
{
    if (oracle_expr_matches(expr, image->id))
        return true;
    for (size_t i = 0; i < image->tags.count; i++) {
        char repository[1024];
        snprintf(repository, sizeof(repository), "%s", image->tags.items[i]);
        char *cut = strchr(repository, '@');
        if (!cut) {
            cut = strrchr(repository, ':');
            if (cut && strchr(cut, '/'))
                cut = NULL;
        }
        if (cut)
            *cut = '\0';
        if (oracle_expr_matches(expr, image->tags.items[i]) || oracle_expr_matches(expr, repository))
            return true;
    }
    return false;
}

static bool on_node(const struct oracle *oracle, const struct oracle_expr *expr, const struct oracle_node *node)
{
    if (strcmp(expr->key, "image") == 0) {
        for (size_t i = 0; i < node->image_count; i++)
            if (image_matches(expr, &node->images[i]))
                return true;
        return false;
    }
    for (const struct oracle_container *at = oracle->containers; at; at = at->next)
        if (at->node == node && container_matches(expr, at))
            return true;
    return false;
}

static bool of_node(const struct oracle_expr *expr, const struct oracle_node *node)
{
    if (strcmp(expr->key, "node") == 0)
        return oracle_expr_matches(expr, node->id) || oracle_expr_matches(expr, node->name);
    return oracle_expr_matches(expr, value_of(&node->labels, expr->key));
}

static bool affinity(const struct oracle *oracle, const struct oracle_asked *asked, bool soft,
                     const struct oracle_node *node)
{
    for (size_t i = 0; i < asked->affinities.count; i++) {
        const struct oracle_expr *expr = &asked->affinities.items[i];
        if ((soft || !expr->soft) && on_node(oracle, expr, node) != expr->equal)
            return false;
    }
    return true;
}

static bool constraint(const struct oracle *oracle, const struct oracle_asked *asked, bool soft,
                       const struct oracle_node *node)
{
    for (size_t i = 0; i < asked->constraints.count; i++) {
        const struct oracle_expr *expr = &asked->constraints.items[i];
        if ((soft || !expr->soft) && of_node(expr, node) != expr->equal)
            return false;
    }
    return true;
}

static void expr_detail(const struct oracle_expr *expr, struct oracle_why *ret)
{
    snprintf(ret->detail, sizeof(ret->detail), "%s%s%s", expr->key, expr->equal ? "==" : "!=", expr->value);
}

static void affinity_detail(const struct oracle *oracle, const struct oracle_asked *asked, bool soft,
                            const struct oracle_node *node, struct oracle_why *ret)
{
    size_t i = 0;
    for (;; i++) {
        const struct oracle_expr *expr = &asked->affinities.items[i];
        if ((soft || !expr->soft) && on_node(oracle, expr, node) != expr->equal)
            break;
    }
    expr_detail(&asked->affinities.items[i], ret);
}

static void constraint_detail(const struct oracle *oracle, const struct oracle_asked *asked, bool soft,
                              const struct oracle_node *node, struct oracle_why *ret)
{
    size_t i = 0;
    for (;; i++) {
        const struct oracle_expr *expr = &asked->constraints.items[i];
        if ((soft || !expr->soft) && of_node(expr, node) != expr->equal)
            break;
    }
    expr_detail(&asked->constraints.items[i], ret);
}

static void list_exprs(const struct oracle_exprs *exprs, bool show_soft, char *text)
{
    for (size_t i = 0; i < exprs->count; i++) {
        const struct oracle_expr *expr = &exprs->items[i];
        char front[ORACLE_EXPR_TEXT + 4];
        snprintf(front, sizeof(front), "%s%s", expr->key, expr->equal ? "==" : "!=");
        add(text, front, expr->value, !show_soft ? "" : expr->soft ? " (soft=true)" : " (soft=false)");
    }
}

static void list_affinities(const struct oracle_asked *asked, char *text)
{
    list_exprs(&asked->affinities, true, text);
}

static void list_constraints(const struct oracle_asked *asked, char *text)
{
    list_exprs(&asked->constraints, false, text);
}

static const struct oracle_exprs *affinities(const struct oracle_asked *asked)
{
    return &asked->affinities;
}

static const struct oracle_exprs *constraints(const struct oracle_asked *asked)
{
    return &asked->constraints;
}

/* ---- whitelist ---- */

static bool listed(const char *names, const char *name)
{
    for (;;) {
        size_t length = strcspn(names, "|");
        if (strlen(name) == length && strncmp(names, name, length) == 0)
            return true;
        if (names[length] == '\0')
            return false;
        names += length + 1;
    }
}

static bool whitelist(const struct oracle *oracle, const struct oracle_asked *asked, bool soft,
                      const struct oracle_node *node)
{
    for (size_t i = 0; i < asked->whitelists.count; i++) {
        const struct oracle_expr *expr = &asked->whitelists.items[i];
        if ((soft || !expr->soft) && !listed(expr->value, node->name))
            return false;
    }
    return true;
}

static void whitelist_detail(const struct oracle *oracle, const struct oracle_asked *asked, bool soft,
                             const struct oracle_node *node, struct oracle_why *ret)
{
    size_t i = 0;
    for (;; i++) {
        const struct oracle_expr *expr = &asked->whitelists.items[i];
        if ((soft || !expr->soft) && !listed(expr->value, node->name))
            break;
    }
    expr_detail(&asked->whitelists.items[i], ret);
}

static void list_whitelists(const struct oracle_asked *asked, char *text)
{
    list_exprs(&asked->whitelists, true, text);
}

static const struct oracle_exprs *whitelists(const struct oracle_asked *asked)
{
    return &asked->whitelists;
}

const struct oracle_filter *oracle_filter(const char *name)
{
    static const struct oracle_filter filters[] = {
        {"health", health, "unhealthy", NULL, NULL, NULL},
        {"port", port, "port", port_detail, list_ports, NULL},
        {"containerslots", containerslots, "slots", slots_detail, list_slots, NULL},
        {"dependency", dependency, "dependency", dependency_detail, list_dependencies, NULL},
        {"affinity", affinity, "affinity", affinity_detail, list_affinities, affinities},
        {"constraint", constraint, "constraint", constraint_detail, list_constraints, constraints},
        {"whitelist", whitelist, "whitelist", whitelist_detail, list_whitelists, whitelists},
    };
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
        if (strcmp(filters[i].name, name) == 0)
            return &filters[i];
    kit_give_up("no such filter: %s", name);
}
