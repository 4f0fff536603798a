/* SPDX-License-Identifier: Apache-2.0 */
/* A build's query: what of it is for placing the build, and what is left for the engine. */
#ifndef MANAGE_BUILD_QUERY_H
#define MANAGE_BUILD_QUERY_H

#include <jansson.h>

/* Take the build arguments that are expressions for placing ("constraint:node" with the value "=n1") out of a query.
 *
 * @param query            As it was sent.
 * @param build_args       The value of its parameter buildargs, decoded; NULL: it has none.
 * @param ret_query        New: the same, less those arguments.
 * @param ret_expressions  New: an array of texts such as "constraint:node==n1".
 *
 * Whatever is no JSON object of arguments stays for the engine to refuse. 0, or -1 for lack of memory. */
int build_query_split(const char *query, const char *build_args, char **ret_query, json_t **ret_expressions);

#endif
