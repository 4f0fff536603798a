/* SPDX-License-Identifier: Apache-2.0 */
#include "explain_fixture.h"

#include <stdio.h>

struct swarm_decision *explain(const char *strategy, const char *filters, const char *words)
{
    struct swarm_scheduler *scheduler = new_scheduler(strategy, filters);
    struct swarm_request *request = request_of(words);
    struct swarm_decision *decision = NULL;
    assert_int_equal(swarm_scheduler_explain(scheduler, cluster, request, NULL, &decision, NULL), 0);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
    return decision;
}

const char *summary_of(const struct swarm_decision *decision)
{
    static char summary[2048];
    char *text = NULL;
    assert_int_equal(swarm_decision_text(decision, &text, NULL), 0);
    const char *line = text, *at = text;
    while ((at = strchr(at, '\n')))
        if (*++at >= '0' && *at <= '9')
            line = at;
    snprintf(summary, sizeof(summary), "%s", line);
    swarm_free(text);
    return summary;
}

void check_why_of(const char *strategy, const char *filters, const char *words, const char *expected)
{
    struct swarm_decision *decision = explain(strategy, filters, words);
    const char *got = summary_of(decision);
    if (strcmp(got, expected) != 0)
        fail_msg("%s:\n %s\n instead of\n %s", words, got, expected);
    swarm_decision_free(decision);
}

void check_why(const char *words, const char *expected)
{
    check_why_of("spread", NULL, words, expected);
}
