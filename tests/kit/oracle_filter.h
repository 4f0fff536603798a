/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle's filters: each says whether one node may stay, and lists what it looked for. */
#ifndef TESTS_KIT_ORACLE_FILTER_H
#define TESTS_KIT_ORACLE_FILTER_H

#include "oracle.h"
#include "oracle_expr.h"

struct oracle_exprs {
    struct oracle_expr items[ORACLE_ITEMS];
    size_t count;
};

/* A request with its expressions taken apart. */
struct oracle_asked {
    const struct oracle_request *request;
    struct oracle_exprs constraints, affinities, whitelists;
};

void oracle_asked_init(struct oracle_asked *asked, const struct oracle_request *request);
void oracle_asked_finish(struct oracle_asked *asked);
bool oracle_asked_soft(const struct oracle_asked *asked);

struct oracle_filter {
    const char *name;
    bool (*keeps)(const struct oracle *oracle, const struct oracle_asked *asked, bool soft,
                  const struct oracle_node *node);
    /* What a node that does not stay is told: the first item that does not hold there. */
    const char *reason;
    void (*detail)(const struct oracle *oracle, const struct oracle_asked *asked, bool soft,
                   const struct oracle_node *node, struct oracle_why *ret);
    /* Items with one blank between them; "" is none. */
    void (*list)(const struct oracle_asked *asked, char *text);
    /* Its expressions, NULL: none. */
    const struct oracle_exprs *(*exprs)(const struct oracle_asked *asked);
};

/* How many containers a node may have; INT64_MAX: no limit. */
int64_t oracle_slots(const struct oracle_node *node);
const struct oracle_filter *oracle_filter(const char *name);

#endif
