/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_EXPR_H
#define SWARM_SRC_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swarm/error.h>

/*
 * Expressions "<key><op><value>": parsed and compiled once, then matched by anybody, from any thread.
 *
 * An expression that cannot be parsed is still represented (flaw != 0), because a container made elsewhere may carry
 * one, and because classic Swarm reports it only when the filter runs.
 */

enum swarm__expr_op {
    SWARM__EXPR_EQUAL,     /**< "==": some candidate matches. */
    SWARM__EXPR_NOT_EQUAL, /**< "!=": no candidate matches (so true where there is none). */
};

enum swarm__expr_kind {
    SWARM__EXPR_LITERAL, /**< The value stands for itself alone: an index may answer it without matching. */
    SWARM__EXPR_PATTERN, /**< Ask swarm__expr_match(). */
    SWARM__EXPR_NEVER,   /**< A pattern that does not compile: nothing matches it. */
};

enum swarm__expr_flaw {
    SWARM__EXPR_GOOD = 0,
    SWARM__EXPR_NO_OPERATOR,
    SWARM__EXPR_BAD_KEY,
    SWARM__EXPR_BAD_VALUE,
};

struct swarm__expr {
    char *text;        /**< As written, "zone==~eu*"; one block with key and value. */
    const char *key;   /**< Where the expression is flawed, what was found of it; may be empty. */
    const char *value; /**< Without a leading '~'. */
    void *code;        /**< Compiled pattern, for SWARM__EXPR_PATTERN. */
    uint8_t op;        /**< enum swarm__expr_op */
    uint8_t kind;      /**< enum swarm__expr_kind */
    uint8_t flaw;      /**< enum swarm__expr_flaw; where not 0, op, kind and soft mean nothing. */
    bool soft;         /**< '~': ignored in the second pass. */
};

/** Scratch memory for matching; start with {NULL}, end with swarm__matcher_finish(). One thread at a time. */
struct swarm__matcher {
    void *data;
    void *context;
};

void swarm__matcher_finish(struct swarm__matcher *matcher);

/**
 * Parse and compile. A flawed expression is no failure here: look at @c flaw.
 *
 * @return 0, or SWARM_ERR_NOMEM (@p expr is untouched).
 */
int swarm__expr_init(struct swarm__expr *expr, const char *text, size_t length);
int swarm__expr_copy(struct swarm__expr *expr, const struct swarm__expr *from);
void swarm__expr_finish(struct swarm__expr *expr);

/**
 * Whether the value matches @p subject; the operator is not applied.
 *
 * @return 1, 0, or SWARM_ERR_NOMEM.
 */
int swarm__expr_match(const struct swarm__expr *expr, struct swarm__matcher *matcher, const char *subject,
                      size_t length);

/** "==" or "!=". */
const char *swarm__expr_op_text(const struct swarm__expr *expr);

/** Set the error of a flawed expression in classic Swarm's words ("Key 'x' is invalid"); @return SWARM_ERR_PARSE. */
int swarm__expr_error(const struct swarm__expr *expr, struct swarm_error **reterr);

/**
 * Say whether an expression is good, for whoever writes it: it parses, and its pattern compiles (whitelists hold no
 * patterns).
 *
 * @return 0, or SWARM_ERR_PARSE with "<kind>: '<expression>': <what is wrong, what would be right>".
 */
int swarm__expr_check(const struct swarm__expr *expr, const char *kind, struct swarm_error **reterr);

#endif
