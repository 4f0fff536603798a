/* SPDX-License-Identifier: Apache-2.0 */
/* The `filters` parameter of list requests. */
#ifndef MANAGE_FILTERS_H
#define MANAGE_FILTERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "failure.h"

/* Read the parameter's JSON, in either of its forms, {"key": {"value": true}} or {"key": ["value"]}, to the second: a
 * new object in *ret, empty for NULL or "". -1 with 400 where it is neither. */
int filters_parse(json_t **ret, const char *text, struct failure *failure);
/* -1 with 400 `invalid filter 'x'` for a key that is not in @p known (NULL-ended). */
int filters_check(const json_t *filters, const char *const *known, struct failure *failure);
/* The values of a key; NULL where there are none. Borrowed. */
const json_t *filters_values(const json_t *filters, const char *key);

/* One key made ready to be matched many times: equal, or an unanchored regular expression that fits. A value that is no
 * valid expression only matches itself. No values: everything matches. */
struct filter {
    const json_t *values;
    struct pattern *patterns; /* one a value */
};
/* 0, or -1 for lack of memory. The filters stay the caller's and must outlive it. */
int filter_open(struct filter *filter, const json_t *filters, const char *key);
bool filter_match(const struct filter *filter, const char *text);
void filter_close(struct filter *filter);

/* Equal to one of the key's values; true where it has none. */
bool filters_exact(const json_t *filters, const char *key, const char *text);
/* Every "k" or "k=v" of the key's values holds for the label set that @p label looks up in. */
bool filters_labels(const json_t *filters, const char *key, const char *(*label)(const void *data, const char *key),
                    const void *data);

#endif
