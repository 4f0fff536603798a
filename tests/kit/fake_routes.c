/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine answers about itself, and who answers the rest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_engine.h"

static void ping(struct fake_connection *connection)
{
    fake_answer_with(connection, 200,
                     "Cache-Control: no-cache, no-store, must-revalidate\r\nPragma: no-cache\r\nBuilder-Version: 1\r\n",
                     "text/plain; charset=utf-8", "OK", connection->to_head ? 0 : 2);
}

static void version(struct fake_connection *connection)
{
    struct bytes body = {0};

    fake_render_version(&body);
    fake_answer_json(connection, 200, &body);
    bytes_free(&body);
}

static void info(struct fake_connection *connection)
{
    struct bytes body = {0};

    fake_render_info(&body, connection->engine);
    fake_answer_json(connection, 200, &body);
    bytes_free(&body);
}

static void build_prune(struct fake_connection *connection)
{
    fake_answer(connection, 200, "application/json", "{\"CachesDeleted\":null,\"SpaceReclaimed\":0}\n", 42);
}

static void auth(struct fake_connection *connection)
{
    fake_answer(connection, 200, "application/json", "{\"IdentityToken\":\"\",\"Status\":\"Login Succeeded\"}\n", 51);
}

/* Of the version asked for, its minor; -1: none was. */
static int minor_of(const char *text)
{
    int major, minor;

    return sscanf(text, "%2d.%4d", &major, &minor) == 2 && major == 1 ? minor : -1;
}

static bool refuse_version(struct fake_connection *connection)
{
    const char *asked = connection->request.version;
    int minor = minor_of(asked);

    if (asked[0] == '\0' || (minor >= 12 && minor <= 41))
        return false;
    if (minor >= 0 && minor < 12)
        fake_answer_error(connection, 400,
                          "client version %s is too old. Minimum supported API version is 1.12, please upgrade your "
                          "client to a newer version",
                          asked);
    else
        fake_answer_error(connection, 400, "client version %s is too new. Maximum supported API version is 1.41",
                          asked);
    return true;
}

static const struct {
    const char *method, *path; /* ends with '/': whatever begins so */
    void (*handler)(struct fake_connection *connection);
} routes[] = {
    {"GET", "/_ping", ping},
    {"GET", "/version", version},
    {"GET", "/info", info},
    {"GET", "/events", fake_events_serve},
    {NULL, "/containers/", fake_route_container},
    {NULL, "/exec/", fake_route_exec},
    {NULL, "/images/", fake_route_image},
    {NULL, "/networks", fake_route_network},
    {NULL, "/networks/", fake_route_network},
    {NULL, "/volumes", fake_route_volume},
    {NULL, "/volumes/", fake_route_volume},
    {"GET", "/system/df", fake_route_usage},
    {"POST", "/build/prune", build_prune},
    {"POST", "/auth", auth},
};

static bool is_method(const char *wanted, const char *method)
{
    return wanted == NULL || strcmp(wanted, method) == 0 || (strcmp(wanted, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void dispatch(struct fake_connection *connection)
{
    const char *path = connection->request.path;

    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        size_t length = strlen(routes[i].path);
        bool whole = routes[i].path[length - 1] != '/';

        if ((whole ? strcmp(routes[i].path, path) == 0 : strncmp(routes[i].path, path, length) == 0) &&
            is_method(routes[i].method, connection->request.method)) {
            routes[i].handler(connection);
            return;
        }
    }
    fake_answer_error(connection, 404, "page not found");
}

void fake_routes(struct fake_connection *connection)
{
    if (fake_faults_instead(connection))
        return;
    if (!refuse_version(connection))
        dispatch(connection);
    fake_faults_spoil(connection);
}
