/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "oracle.h"

/* How a text refers to a container: the first rule that hits. */
enum rule { BY_ID, BY_SWARM_ID, BY_NAME, BY_PREFIX, RULES };

#define SHORT_ID 12

static bool is_id(const char *id, const char *text)
{
    return strcmp(id, text) == 0 || (strlen(text) == SHORT_ID && strncmp(id, text, SHORT_ID) == 0);
}

static bool is_name(const struct oracle_container *container, const char *text)
{
    const struct oracle_node *node = container->node;
    for (size_t i = 0; i < container->names.count; i++) {
        char forms[3][1024];
        const char *name = container->names.items[i];
        snprintf(forms[0], sizeof(forms[0]), "/%s", name);
        snprintf(forms[1], sizeof(forms[1]), "%s/%s", node->id, name);
        snprintf(forms[2], sizeof(forms[2]), "%s/%s", node->name, name);
        if (strcmp(text, name) == 0 || strcmp(text, forms[0]) == 0 || strcmp(text, forms[1]) == 0 ||
            strcmp(text, forms[2]) == 0)
            return true;
    }
    return false;
}

static bool hits(enum rule rule, const struct oracle_container *container, const char *text)
{
    const char *id = container->id, *swarm_id = container->request.swarm_id;
    switch (rule) {
    case BY_ID:
        return is_id(id, text);
    case BY_SWARM_ID:
        return is_id(swarm_id, text);
    case BY_NAME:
        return is_name(container, text);
    default:
        return strncmp(id, text, strlen(text)) == 0 || strncmp(swarm_id, text, strlen(text)) == 0;
    }
}

bool oracle_node_has(const struct oracle *oracle, const struct oracle_node *node, const char *reference)
{
    for (enum rule rule = BY_ID; *reference && rule < RULES; rule++) {
        size_t count = 0;
        for (const struct oracle_container *at = oracle->containers; at; at = at->next)
            count += at->node == node && hits(rule, at, reference);
        if (count > 0)
            return count == 1 || rule == BY_ID || rule == BY_SWARM_ID;
    }
    return false;
}

static bool same(enum rule rule, const struct oracle_container *a, const struct oracle_container *b)
{
    return strcmp(a->id, b->id) == 0 || (rule == BY_SWARM_ID && strcmp(a->request.swarm_id, b->request.swarm_id) == 0);
}

/* Whether all are one: each is linked to the first by ones that are the same. */
static bool all_same(enum rule rule, const struct oracle_found *found)
{
    bool linked[ORACLE_FOUND] = {true};
    for (size_t round = 0; round < found->count; round++)
        for (size_t i = 0; i < found->count; i++)
            for (size_t j = 0; j < found->count; j++)
                if (linked[i] && same(rule, found->items[i], found->items[j]))
                    linked[j] = true;
    for (size_t i = 0; i < found->count; i++)
        if (!linked[i])
            return false;
    return true;
}

static bool any_apart(enum rule rule, const struct oracle_found *found)
{
    for (size_t i = 0; i < found->count; i++)
        for (size_t j = 0; j < i; j++)
            if (!same(rule, found->items[i], found->items[j]))
                return true;
    return false;
}

static bool answers(const struct oracle_container *container)
{
    return container->node->health > 0;
}

static bool runs(const struct oracle_container *container)
{
    return container->state == 1;
}

/* Only those for which it holds, if there are any. */
static void prefer(struct oracle_found *found, bool (*holds)(const struct oracle_container *))
{
    size_t kept = 0;
    for (size_t i = 0; i < found->count; i++)
        if (holds(found->items[i]))
            found->items[kept++] = found->items[i];
    if (kept > 0)
        found->count = kept;
}

void oracle_look_up(const struct oracle *oracle, const char *reference, struct oracle_found *ret)
{
    memset(ret, 0, sizeof(*ret));
    for (enum rule rule = BY_ID; *reference && rule < RULES && ret->count == 0; rule++) {
        for (struct oracle_container *at = oracle->containers; at; at = at->next) {
            if (*at->id == '\0' || !hits(rule, at, reference))
                continue;
            kit_check(ret->count < ORACLE_FOUND);
            ret->items[ret->count++] = at;
        }
        ret->ambiguous = !all_same(rule, ret);
        ret->chained = !ret->ambiguous && any_apart(rule, ret);
    }
    if (ret->chained)
        return;
    prefer(ret, answers);
    prefer(ret, runs);
}
