/* SPDX-License-Identifier: Apache-2.0 */
/* A strict reader of Prometheus' text format 0.0.4: each metric in one piece, with its help and its type before, no
 * sample twice, histograms that add up. */
#ifndef TEST_EXPOSITION_H
#define TEST_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>

struct exposition;

/* The test fails where the text is not well-formed. */
struct exposition *exposition_read(const char *text);
void exposition_free(struct exposition *page);
/* @p sample: name and labels as they stand. False where there is none. */
bool exposition_value(const struct exposition *page, const char *sample, double *ret);
/* Whether it is well-formed, and why not. */
bool exposition_check(const char *text, char *why, size_t size);

#endif
