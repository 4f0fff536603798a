/* SPDX-License-Identifier: Apache-2.0 */
#include "filter.h"

#include <string.h>

#include "error.h"
#include "explain.h"
#include "mem.h"

/* The default order. */
static const struct swarm_filter_ops *const builtin[] = {
    &swarm__filter_health,   &swarm__filter_port,       &swarm__filter_containerslots, &swarm__filter_dependency,
    &swarm__filter_affinity, &swarm__filter_constraint, &swarm__filter_whitelist,
};
#define BUILTIN_COUNT (sizeof(builtin) / sizeof(builtin[0]))

const char *swarm_filter_name(size_t index)
{
    return index < BUILTIN_COUNT ? builtin[index]->name : NULL;
}

const struct swarm_filter_ops *swarm__filter_builtin(const char *name)
{
    for (size_t i = 0; i < BUILTIN_COUNT; i++)
        if (strcmp(builtin[i]->name, name) == 0)
            return builtin[i];
    return NULL;
}

int swarm__filter_by_exprs(struct swarm_candidates *candidates, const struct swarm__exprs *exprs, int soft,
                           swarm__mark_fn mark, int reason, struct swarm_error **reterr)
{
    for (uint32_t i = 0; i < exprs->count; i++)
        if (exprs->items[i].flaw)
            return swarm__expr_error(&exprs->items[i], reterr);
    for (uint32_t i = 0; i < exprs->count && !swarm__nodeset_empty(&candidates->set); i++) {
        const struct swarm__expr *expr = &exprs->items[i];
        if (expr->soft && !soft)
            continue;
        struct swarm__nodeset *marked = swarm__candidates_scratch(candidates, 0);
        if (!marked || mark(candidates, expr, marked) != 0)
            return swarm__error_nomem(reterr);
        if (expr->op == SWARM__EXPR_EQUAL)
            swarm__nodeset_and(&candidates->set, marked);
        else
            swarm__nodeset_and_not(&candidates->set, marked);
        swarm__candidates_refuse(candidates, reason, expr->key, swarm__expr_op_text(expr), expr->value);
    }
    return 0;
}

int swarm__filter_condition(struct swarm_conditions *conditions, const char *before, const char *text,
                            const char *after, struct swarm_error **reterr)
{
    char *whole = swarm__malloc(strlen(before) + strlen(text) + strlen(after) + 1);
    if (!whole)
        return swarm__error_nomem(reterr);
    stpcpy(stpcpy(stpcpy(whole, before), text), after);
    int code = swarm_conditions_add(conditions, whole);
    swarm__free(whole);
    return code == 0 ? 0 : swarm__error_nomem(reterr);
}

static int list_expr(const struct swarm__expr *expr, bool show_soft, struct swarm_conditions *conditions,
                     struct swarm_error **reterr)
{
    size_t key = strlen(expr->key);
    const char *op = swarm__expr_op_text(expr);
    char *before = swarm__malloc(key + strlen(op) + 1);
    if (!before)
        return swarm__error_nomem(reterr);
    stpcpy(stpcpy(before, expr->key), op);
    const char *after = !show_soft ? "" : expr->soft ? " (soft=true)" : " (soft=false)";
    int code = swarm__filter_condition(conditions, before, expr->value, after, reterr);
    swarm__free(before);
    return code;
}

int swarm__filter_list_exprs(const struct swarm__exprs *exprs, bool show_soft, struct swarm_conditions *conditions,
                             struct swarm_error **reterr)
{
    for (uint32_t i = 0; i < exprs->count; i++)
        if (exprs->items[i].flaw)
            return swarm__expr_error(&exprs->items[i], reterr);
    for (uint32_t i = 0; i < exprs->count; i++) {
        int code = list_expr(&exprs->items[i], show_soft, conditions, reterr);
        if (code != 0)
            return code;
    }
    return 0;
}

int swarm__filter_mark_lacking(struct swarm_candidates *candidates, enum swarm__label_owner owner,
                               const struct swarm__posting *having, struct swarm__nodeset *marked)
{
    const struct swarm_cluster *cluster = candidates->cluster;
    struct swarm__nodeset *lacking = swarm__candidates_scratch(candidates, 1);
    if (!lacking)
        return SWARM_ERR_NOMEM;
    if (owner == SWARM__OF_CONTAINERS) {
        swarm__posting_below(having, cluster->occupants, cluster->slot_count, lacking);
    } else {
        swarm__nodeset_copy(lacking, &cluster->nodes);
        if (having)
            swarm__posting_unmark(having, lacking);
    }
    swarm__nodeset_or(marked, lacking);
    return 0;
}

int swarm__filter_mark_labels(struct swarm_candidates *candidates, enum swarm__label_owner owner,
                              const struct swarm__expr *expr, struct swarm__nodeset *marked)
{
    struct swarm_cluster *learning = candidates->learning;
    if (learning)
        swarm__index_learn(owner == SWARM__OF_NODES ? &learning->node_labels : &learning->container_labels, expr->key,
                           expr, &candidates->matcher, &learning->memo_pool, learning->slot_capacity);
    const struct swarm_cluster *cluster = candidates->cluster;
    const struct swarm__index *labels = owner == SWARM__OF_NODES ? &cluster->node_labels : &cluster->container_labels;
    const struct swarm__index_key *key = swarm__index_find(labels, expr->key);
    int matches_nothing = swarm__index_mark(key, expr, &candidates->matcher, marked);
    if (matches_nothing <= 0)
        return matches_nothing;
    return swarm__filter_mark_lacking(candidates, owner, key ? &key->nodes : NULL, marked);
}
