/* SPDX-License-Identifier: Apache-2.0 */
/* The route table: method and path pattern to handler. */
#ifndef MANAGE_ROUTES_H
#define MANAGE_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "http_server.h"
#include "manager.h"

/* What a handler is given. */
struct call {
    struct manager *manager;
    struct http_request *request;
    struct http_reply *reply;
    char version[16]; /* the client's, "" for an unversioned path */
    char *name;       /* {name}, decoded; "" where the route has none */
    size_t route;     /* its number in the table; that of its routes where none matches */
    const char *rest; /* what follows the name in the path, such as "/logs", as it was sent */
};
typedef int (*route_handler)(struct call *call);

/* http_handler of the server; data is the manager. */
int routes_handle(struct http_request *request, struct http_reply *reply, void *data);

/* What metrics call a route and a method, by their numbers: "/containers/{name}/json", "GET"; last "none" and
 * "other" for all that are none of the table's; NULL past the end. */
const char *route_label(size_t route);
const char *route_method_label(size_t method);

/* --- the parts, pure functions --- */
/* Split "/v1.41/info": the version goes to @p version ("" where there is none); the rest of the path is returned. */
const char *route_split_version(const char *path, char *version, size_t size);
/* The path without empty, "." and ".." segments: new text where it differs, NULL where the path is clean (or for lack
 * of memory). */
char *route_clean_path(const char *path);
/* Match @p path against a pattern: "/info", "/containers/{name}/json", "/containers/{name}" (the name is not empty and
 * may hold slashes), with a last segment "*" for any one segment, or of the form "/containers/..." for all below. The
 * name's place in the path is in *ret_name and *ret_length, what follows it in *ret_rest. */
bool route_match(const char *pattern, const char *path, const char **ret_name, size_t *ret_length,
                 const char **ret_rest);

#endif
