/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions as classic Swarm's rules put them, in the plainest way: three regular expressions. Independent of
 * libswarm's own. */
#ifndef TESTS_KIT_ORACLE_EXPR_H
#define TESTS_KIT_ORACLE_EXPR_H

#include <stdbool.h>

#define ORACLE_EXPR_TEXT 512

struct oracle_expr {
    bool bad;   /* it cannot be parsed: see error */
    bool equal; /* "==" */
    bool soft;  /* '~' before the value */
    bool plain; /* the value is a plain '/' */
    bool never; /* its pattern does not compile, so that it matches nothing */
    char key[ORACLE_EXPR_TEXT];
    char value[ORACLE_EXPR_TEXT]; /* without '~' */
    char error[ORACLE_EXPR_TEXT + 64];
    void *code;
};

void oracle_expr_parse(struct oracle_expr *ret, const char *text);
void oracle_expr_finish(struct oracle_expr *expr);
/* Whether the value matches; the operator is not applied. */
bool oracle_expr_matches(const struct oracle_expr *expr, const char *subject);

#endif
