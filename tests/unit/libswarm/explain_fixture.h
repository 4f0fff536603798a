/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that ask a decision why. */
#ifndef TESTS_UNIT_LIBSWARM_EXPLAIN_FIXTURE_H
#define TESTS_UNIT_LIBSWARM_EXPLAIN_FIXTURE_H

#include "cluster_fixture.h"

/** Release with swarm_decision_free(). */
struct swarm_decision *explain(const char *strategy, const char *filters, const char *words);
/** Its text behind the last of classic Swarm's lines: "0/3 nodes fit: …". Valid until the next call. */
const char *summary_of(const struct swarm_decision *decision);
/** Assert the summary of a decision with the strategy "spread" and all filters. */
void check_why(const char *words, const char *expected);
void check_why_of(const char *strategy, const char *filters, const char *words, const char *expected);

#endif
