/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_FILTER_H
#define SWARM_SRC_FILTER_H

#include <swarm/filter.h>
#include <swarm/ops.h>

#include "candidates.h"
#include "expr.h"
#include "request.h"

extern const struct swarm_filter_ops swarm__filter_health;
extern const struct swarm_filter_ops swarm__filter_port;
extern const struct swarm_filter_ops swarm__filter_containerslots;
extern const struct swarm_filter_ops swarm__filter_dependency;
extern const struct swarm_filter_ops swarm__filter_affinity;
extern const struct swarm_filter_ops swarm__filter_constraint;
extern const struct swarm_filter_ops swarm__filter_whitelist;

/** NULL where no built-in filter has that name. */
const struct swarm_filter_ops *swarm__filter_builtin(const char *name);

/**
 * Add the nodes to @p marked where something that the expression is about matches its value; the operator is not for
 * this function. It need not look at nodes that are no candidates.
 *
 * @return 0, or SWARM_ERR_NOMEM.
 */
typedef int (*swarm__mark_fn)(struct swarm_candidates *candidates, const struct swarm__expr *expr,
                              struct swarm__nodeset *marked);

/** Keep the candidates for which each expression holds; the others go for that reason. @return 0, SWARM_ERR_PARSE (one
 * is flawed), SWARM_ERR_NOMEM. */
int swarm__filter_by_exprs(struct swarm_candidates *candidates, const struct swarm__exprs *exprs, int soft,
                           swarm__mark_fn mark, int reason, struct swarm_error **reterr);
/** List the expressions. @p show_soft: with " (soft=true)" or " (soft=false)" behind each. */
int swarm__filter_list_exprs(const struct swarm__exprs *exprs, bool show_soft, struct swarm_conditions *conditions,
                             struct swarm_error **reterr);
/** Add one condition in pieces: before, text and after. */
int swarm__filter_condition(struct swarm_conditions *conditions, const char *before, const char *text,
                            const char *after, struct swarm_error **reterr);

/** Whose labels an expression is about. */
enum swarm__label_owner {
    SWARM__OF_NODES,
    SWARM__OF_CONTAINERS,
};

/**
 * Add the nodes where the expression's value matches an object's value for a key, "" where it has none: nodes with a
 * matching value, and where "" matches, nodes on which fewer objects (containers; or 1, the node itself) have the key
 * than there are.
 *
 * @return 0, or SWARM_ERR_NOMEM.
 */
int swarm__filter_mark_labels(struct swarm_candidates *candidates, enum swarm__label_owner owner,
                              const struct swarm__expr *expr, struct swarm__nodeset *marked);
/**
 * Add the nodes on which fewer objects have a key than there are: on the others the value is "".
 *
 * @param having  How many objects of each node have it; NULL: none.
 * @return 0, or SWARM_ERR_NOMEM.
 */
int swarm__filter_mark_lacking(struct swarm_candidates *candidates, enum swarm__label_owner owner,
                               const struct swarm__posting *having, struct swarm__nodeset *marked);

#endif
