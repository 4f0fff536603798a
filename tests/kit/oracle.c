/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

struct oracle_text {
    struct oracle_text *next;
    char text[];
};

struct oracle *oracle_new(void)
{
    struct oracle *oracle = calloc(1, sizeof(*oracle));
    kit_check(oracle != NULL);
    return oracle;
}

void oracle_free(struct oracle *oracle)
{
    while (oracle->nodes)
        oracle_remove_node(oracle, oracle->nodes);
    for (struct oracle_text *next; oracle->texts; oracle->texts = next) {
        next = oracle->texts->next;
        free(oracle->texts);
    }
    free(oracle);
}

const char *oracle_text(struct oracle *oracle, const char *format, ...)
{
    va_list arguments;
    char text[2048];
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    kit_check(length >= 0 && (size_t)length < sizeof(text));
    struct oracle_text *kept = malloc(sizeof(*kept) + (size_t)length + 1);
    kit_check(kept != NULL);
    strcpy(kept->text, text);
    kept->next = oracle->texts;
    oracle->texts = kept;
    return kept->text;
}

struct oracle_node *oracle_add_node(struct oracle *oracle, const char *id, const char *name)
{
    struct oracle_node **end = &oracle->nodes;
    size_t count = 0;
    for (; *end; end = &(*end)->next)
        count++;
    kit_check(count < ORACLE_NODES);
    struct oracle_node *node = calloc(1, sizeof(*node));
    kit_check(node != NULL);
    node->id = id;
    node->name = name;
    node->health = 100;
    *end = node;
    return node;
}

void oracle_remove_node(struct oracle *oracle, struct oracle_node *node)
{
    for (struct oracle_container *at = oracle->containers, *next; at; at = next) {
        next = at->next;
        if (at->node == node)
            oracle_remove_container(oracle, at);
    }
    struct oracle_node **link = &oracle->nodes;
    while (*link != node)
        link = &(*link)->next;
    *link = node->next;
    free(node);
}

struct oracle_container *oracle_add_container(struct oracle *oracle, struct oracle_node *node, const char *id,
                                              const struct oracle_request *request)
{
    struct oracle_container *container = calloc(1, sizeof(*container));
    kit_check(container != NULL);
    container->node = node;
    container->id = id;
    container->request = *request;
    if (*request->name)
        container->names.items[container->names.count++] = request->name;
    container->next = oracle->containers;
    oracle->containers = container;
    return container;
}

void oracle_remove_container(struct oracle *oracle, struct oracle_container *container)
{
    struct oracle_container **link = &oracle->containers;
    while (*link != container)
        link = &(*link)->next;
    *link = container->next;
    free(container);
}

struct oracle_container *oracle_find(const struct oracle *oracle, const struct oracle_node *node, const char *id)
{
    for (struct oracle_container *at = oracle->containers; at; at = at->next)
        if (at->node == node && *id && strcmp(at->id, id) == 0)
            return at;
    return NULL;
}

struct oracle_sums oracle_sums(const struct oracle *oracle, const struct oracle_node *node)
{
    struct oracle_sums sums = {0};
    sums.total_cpus_milli = node->cpus_milli + llround((double)node->cpus_milli * node->overcommit);
    sums.total_memory = node->memory + llround((double)node->memory * node->overcommit);
    for (const struct oracle_container *at = oracle->containers; at; at = at->next) {
        if (at->node != node)
            continue;
        sums.containers += *at->id != '\0';
        sums.all += !(oracle_stopped(at) && oracle->slots_excepted);
        if (oracle_stopped(at) && oracle->resources_excepted)
            continue;
        sums.cpus_milli += at->request.cpus_milli;
        sums.memory += at->request.memory;
    }
    return sums;
}

bool oracle_stopped(const struct oracle_container *container)
{
    return container->state == 4 || container->state == 5;
}

int64_t oracle_amount(const struct oracle_amounts *amounts, const char *name)
{
    for (size_t i = 0; i < amounts->count; i++)
        if (strcmp(amounts->items[i].name, name) == 0)
            return amounts->items[i].amount;
    return 0;
}

int64_t oracle_used(const struct oracle *oracle, const struct oracle_node *node, const char *name)
{
    int64_t used = 0;
    for (const struct oracle_container *at = oracle->containers; at; at = at->next)
        if (at->node == node && !(oracle_stopped(at) && oracle->resources_excepted))
            used += oracle_amount(&at->request.resources, name);
    return used;
}

bool oracle_name_taken(const struct oracle *oracle, const char *name, const struct oracle_container *except)
{
    for (size_t i = 0; i < oracle->held.count; i++)
        if (strcmp(oracle->held.items[i], name) == 0)
            return true;
    for (const struct oracle_container *at = oracle->containers; at; at = at->next)
        for (size_t i = 0; at != except && i < at->names.count; i++)
            if (strcmp(at->names.items[i], name) == 0)
                return true;
    return false;
}
