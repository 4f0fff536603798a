/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions: the first line of the input is one, the rest is what it is matched against. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *end = memchr(text, '\n', size);
    size_t length = end != NULL ? (size_t)(end - text) : size;
    const char *subject = end != NULL ? end + 1 : "";
    size_t subject_length = end != NULL ? size - length - 1 : 0;
    struct swarm__matcher matcher = {NULL};
    struct swarm__expr expr, copy;
    struct swarm_error *error = NULL;
    if (swarm__expr_init(&expr, text, length) < 0)
        return 0;
    if (expr.flaw != SWARM__EXPR_GOOD) {
        if (swarm__expr_error(&expr, NULL) != SWARM_ERR_PARSE ||
            swarm__expr_check(&expr, "constraint", &error) != SWARM_ERR_PARSE)
            abort();
    } else if (swarm__expr_copy(&copy, &expr) == 0) {
        int first = swarm__expr_match(&expr, &matcher, subject, subject_length);
        int second = swarm__expr_match(&copy, &matcher, subject, subject_length);
        if (first != second || (first != 0 && first != 1) || copy.soft != expr.soft ||
            strcmp(copy.value, expr.value) != 0)
            abort();
        if (expr.kind == SWARM__EXPR_LITERAL && swarm__expr_match(&expr, &matcher, expr.value, strlen(expr.value)) != 1)
            abort();
        swarm__expr_finish(&copy);
    }
    swarm_error_free(error);
    swarm__expr_finish(&expr);
    swarm__matcher_finish(&matcher);
    return 0;
}
