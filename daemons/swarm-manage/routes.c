/* SPDX-License-Identifier: Apache-2.0 */
#include "routes.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "log.h"
#include "metrics.h"
#include "replica.h"
#include "traits.h"

enum { GET = 1, HEAD = 2, POST = 4, PUT = 8, DELETE = 16, ANY = 31, PRI = 32 };

struct route {
    int methods;
    const char *pattern;
    route_handler handler;
};

/* The first that matches is taken: literal paths first, then by known ends, then what names a container. Ends are
 * looked for, not words in the middle, so that containers may be called "json", "attach" or "containers". */
static const struct route routes[] = {
    {GET | HEAD, "/_ping", api_ping},
    {GET | HEAD, "/version", api_version},
    {GET | HEAD, "/info", api_info},
    {GET, "/events", api_events},
    {GET | HEAD, "/metrics", api_metrics},
    {GET | HEAD, "/debug/vars", api_debug_vars},
    {GET | HEAD, "/swarm/reschedule", api_reschedule},
    {POST, "/swarm/reschedule", api_reschedule_release},
    {GET | HEAD, "/swarm/nodes", api_swarm_nodes},
    {GET | HEAD, "/swarm/decisions", api_swarm_decisions},
    {GET | HEAD, "/images/json", api_images_list},
    {GET | HEAD, "/containers/json", api_containers_list},
    {GET | HEAD, "/containers/ps", api_containers_list},
    {POST, "/containers/create", api_container_create},
    {GET, "/images/get", api_images_get},
    {GET, "/images/search", api_image_search},
    {GET, "/images/viz", api_image_viz},
    {POST, "/images/create", api_image_create},
    {POST, "/images/load", api_image_load},
    {POST, "/images/prune", api_images_prune},
    {POST, "/containers/prune", api_containers_prune},
    {POST, "/build/prune", api_build_prune},
    {GET | HEAD, "/system/df", api_system_df},
    {POST, "/auth", api_auth},
    {POST, "/build", api_build},
    {POST, "/build/cancel", api_build_cancel},
    {POST, "/session", api_session},
    {POST, "/grpc", api_grpc},
    {PRI, "*", api_http2},
    {POST, "/commit", api_commit},

    {GET | HEAD, "/images/{name}/json", api_image_inspect},
    {GET | HEAD, "/images/{name}/history", api_image_pass},
    {GET | HEAD, "/images/{name}/attestations", api_image_pass},
    {GET, "/images/{name}/get", api_image_get},
    {POST, "/images/{name}/push", api_image_push},
    {POST, "/images/{name}/tag", api_image_tag},
    {DELETE, "/images/{name}", api_image_delete},
    {GET | HEAD, "/distribution/{name}/json", api_distribution},

    {GET | HEAD, "/networks", api_networks_list},
    {GET | HEAD, "/networks/", api_networks_list},
    {POST, "/networks/create", api_network_create},
    {POST, "/networks/prune", api_networks_prune},
    {POST, "/networks/{name}/connect", api_network_change},
    {POST, "/networks/{name}/disconnect", api_network_change},
    {GET | HEAD, "/networks/{name}", api_network_inspect},
    {DELETE, "/networks/{name}", api_network_delete},
    {GET | HEAD, "/volumes", api_volumes_list},
    {POST, "/volumes/create", api_volume_create},
    {POST, "/volumes/prune", api_volumes_prune},
    {GET | HEAD, "/volumes/{name}", api_volume_inspect},
    {PUT, "/volumes/{name}", api_volume_update},
    {DELETE, "/volumes/{name}", api_volume_delete},

    {GET | HEAD, "/containers/{name}/json", api_container_inspect},
    {GET, "/containers/{name}/attach/ws", api_container_attach},
    {POST, "/containers/{name}/attach", api_container_attach},
    {POST, "/containers/{name}/start", api_container_start},
    {POST, "/containers/{name}/stop", api_container_change},
    {POST, "/containers/{name}/kill", api_container_change},
    {POST, "/containers/{name}/restart", api_container_change},
    {POST, "/containers/{name}/pause", api_container_change},
    {POST, "/containers/{name}/unpause", api_container_change},
    {POST, "/containers/{name}/update", api_container_update},
    {POST, "/containers/{name}/wait", api_container_change},
    {POST, "/containers/{name}/rename", api_container_rename},
    {POST, "/containers/{name}/exec", api_exec_create},
    {DELETE, "/containers/{name}/checkpoints/*", api_container_pass},
    {DELETE, "/containers/{name}", api_container_delete},

    {GET | HEAD | PUT, "/containers/{name}/archive", api_container_pass},
    {GET, "/containers/{name}/logs", api_container_pass},
    {GET, "/containers/{name}/top", api_container_pass},
    {GET, "/containers/{name}/stats", api_container_pass},
    {GET, "/containers/{name}/changes", api_container_pass},
    {GET, "/containers/{name}/export", api_container_pass},
    {POST, "/containers/{name}/resize", api_container_pass},
    {GET | POST, "/containers/{name}/checkpoints", api_container_pass},
    {ANY, "/containers/...", api_container_pass},

    {GET | HEAD, "/exec/{name}/json", api_exec_pass},
    {POST, "/exec/{name}/start", api_exec_start},
    {POST, "/exec/{name}/resize", api_exec_pass},

    {GET | HEAD, "/plugins", api_plugins_list},
    {GET | HEAD, "/plugins/{name}/json", api_plugin_inspect},
    {ANY, "/plugins/...", api_plugins},
    {POST, "/swarm/...", api_swarm_mode_change},
    {ANY, "/swarm/...", api_swarm_mode},
    {ANY, "/swarm", api_swarm_mode},
    {ANY, "/nodes", api_swarm_mode},
    {ANY, "/nodes/...", api_swarm_mode},
    {ANY, "/services", api_swarm_mode},
    {ANY, "/services/...", api_swarm_mode},
    {ANY, "/tasks", api_swarm_mode},
    {ANY, "/tasks/...", api_swarm_mode},
    {ANY, "/secrets", api_swarm_mode},
    {ANY, "/secrets/...", api_swarm_mode},
    {ANY, "/configs", api_swarm_mode},
    {ANY, "/configs/...", api_swarm_mode},
};

enum { ROUTES = sizeof(routes) / sizeof(routes[0]) };

/* In the order of their bits. */
static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PRI"};
enum { METHODS = sizeof(methods) / sizeof(methods[0]) };

_Static_assert(ROUTES < METRICS_ROUTES_MAX && METHODS < METRICS_METHODS, "there is room for what is counted");

/* METHODS for one that no route has. */
static size_t method_number(const char *method)
{
    size_t number = 0;

    while (number < METHODS && strcmp(method, methods[number]) != 0)
        number++;
    return number;
}

const char *route_label(size_t route)
{
    return route < ROUTES ? routes[route].pattern : route == ROUTES ? "none" : NULL;
}

const char *route_method_label(size_t method)
{
    return method < METHODS ? methods[method] : method == METHODS ? "other" : NULL;
}

const char *route_split_version(const char *path, char *version, size_t size)
{
    const char *end = path + 2;
    size_t length;

    version[0] = '\0';
    if (path[0] != '/' || path[1] != 'v' || !isdigit((unsigned char)*end))
        return path;
    while (isdigit((unsigned char)*end))
        end++;
    if (*end++ != '.' || !isdigit((unsigned char)*end))
        return path;
    while (isdigit((unsigned char)*end))
        end++;
    length = (size_t)(end - (path + 2));
    if (*end != '/' || length >= size)
        return path;
    memcpy(version, path + 2, length);
    version[length] = '\0';
    return end;
}

char *route_clean_path(const char *path)
{
    size_t length = strlen(path), used = 0;
    char *clean;
    bool slash = length > 0 && path[length - 1] == '/';

    if (path[0] != '/')
        return NULL;
    clean = malloc(length + 2);
    if (clean == NULL)
        return NULL;
    for (const char *at = path; *at != '\0';) {
        size_t segment = strcspn(++at, "/");

        if (segment == 2 && at[0] == '.' && at[1] == '.') {
            while (used > 0 && clean[--used] != '/')
                continue;
        } else if (segment > 0 && !(segment == 1 && at[0] == '.')) {
            clean[used++] = '/';
            memcpy(clean + used, at, segment);
            used += segment;
        }
        at += segment;
    }
    if (used == 0 || slash)
        clean[used++] = '/';
    clean[used] = '\0';
    if (strcmp(clean, path) == 0) {
        free(clean);
        return NULL;
    }
    return clean;
}

/* Where @p suffix ("/json", or with a star for any last segment) begins at the end of @p text; NULL where it does not
 * end that way. */
static const char *find_suffix(const char *text, const char *suffix)
{
    size_t length = strlen(text), want = strlen(suffix);
    bool star = want > 0 && suffix[want - 1] == '*';

    if (star) {
        while (length > 0 && text[length - 1] != '/')
            length--;
        if (text[length] == '\0')
            return NULL;
        want--;
    }
    if (length < want || strncmp(text + length - want, suffix, want) != 0)
        return NULL;
    return text + length - want;
}

bool route_match(const char *pattern, const char *path, const char **ret_name, size_t *ret_length,
                 const char **ret_rest)
{
    const char *rest;
    size_t same = 0;

    *ret_name = path;
    *ret_length = 0;
    *ret_rest = "";
    while (pattern[same] == path[same] && pattern[same] != '\0' && pattern[same] != '{' && pattern[same] != '.')
        same++;
    if (strcmp(pattern + same, "...") == 0) {
        *ret_rest = path + same - 1;
        return path[same] != '\0';
    }
    if (pattern[same] != '{')
        return pattern[same] == '\0' && path[same] == '\0';
    rest = find_suffix(path + same, strchr(pattern + same, '}') + 1);
    if (rest == NULL || rest == path + same)
        return false;
    *ret_name = path + same;
    *ret_length = (size_t)(rest - *ret_name);
    *ret_rest = rest;
    return true;
}

static const struct route *find_route(const char *method, const char *path, const char **ret_name, size_t *ret_length,
                                      const char **ret_rest)
{
    int bit = 1 << method_number(method);

    for (size_t i = 0; i < ROUTES; i++) {
        if ((routes[i].methods & bit) != 0 && route_match(routes[i].pattern, path, ret_name, ret_length, ret_rest))
            return &routes[i];
    }
    return NULL;
}

static void set_common_headers(struct manager *manager, struct http_reply *reply)
{
    struct traits traits;

    traits_get(manager, &traits);
    http_reply_header(reply, "Api-Version", traits.api_version);
    http_reply_header(reply, "Ostype", traits.ostype);
    http_reply_header(reply, "Docker-Experimental", traits.experimental ? "true" : "false");
    if (manager->options.cors) {
        http_reply_header(reply, "Access-Control-Allow-Origin", "*");
        http_reply_header(reply, "Access-Control-Allow-Headers",
                          "Origin, X-Requested-With, Content-Type, Accept, X-Registry-Auth, X-Registry-Config");
        http_reply_header(reply, "Access-Control-Allow-Methods", "GET, POST, DELETE, PUT, OPTIONS, HEAD");
    }
}

static int redirect(struct http_request *request, struct http_reply *reply, const char *path)
{
    const char *query = http_request_query_string(request);
    char *location = NULL;
    int r;

    if (asprintf(&location, "%s%s%s", path, query[0] == '\0' ? "" : "?", query) < 0)
        return http_reply_error(reply, 500, "out of memory");
    http_reply_header(reply, "Location", location);
    r = http_reply_send(reply, 301, NULL, "", 0);
    free(location);
    return r;
}

/* 0, or the answer was a refusal: 1. */
static int check_version(const char *version, struct http_reply *reply, int *ret_sent)
{
    struct api_version wanted, min, max;

    if (version[0] == '\0')
        return 0;
    (void)api_version_parse(&min, API_VERSION_MIN);
    (void)api_version_parse(&max, API_VERSION_MAX);
    if (api_version_parse(&wanted, version) < 0 || api_version_compare(wanted, max) > 0) {
        *ret_sent = http_reply_error(reply, 400, "client version %s is too new. Maximum supported API version is %s",
                                     version, API_VERSION_MAX);
        return 1;
    }
    if (api_version_compare(wanted, min) < 0) {
        *ret_sent = http_reply_error(reply, 400,
                                     "client version %s is too old. Minimum supported API version is %s, please "
                                     "upgrade your client to a newer version",
                                     version, API_VERSION_MIN);
        return 1;
    }
    return 0;
}

/* What a replica answers by itself: what it is, and how it is. */
static bool is_own(route_handler handler)
{
    return handler == api_ping || handler == api_info || handler == api_metrics || handler == api_debug_vars;
}

static enum replica_kind kind_of(route_handler handler)
{
    if (handler == api_http2)
        return REPLICA_HTTP2;
    if (handler == api_events)
        return REPLICA_EVENTS;
    return handler == api_container_attach || handler == api_exec_start || handler == api_session || handler == api_grpc
               ? REPLICA_HIJACK
               : REPLICA_PLAIN;
}

static int dispatch(struct call *call, const char *path)
{
    const char *method = http_request_method(call->request);
    const char *name;
    size_t length;
    const struct route *route = find_route(method, path, &name, &length, &call->rest);
    int r;

    if (route == NULL)
        return http_reply_error(call->reply, 404, "page not found: this manager does not serve %s %s", method, path);
    call->route = (size_t)(route - routes);
    if (check_version(call->version, call->reply, &r) != 0)
        return r;
    if (!is_own(route->handler) && !replica_is_primary(call, kind_of(route->handler), &r))
        return r;
    call->name = http_decode(name, length);
    if (call->name == NULL)
        return http_reply_error(call->reply, 400, "bad percent escape in the path %s", path);
    r = route->handler(call);
    free(call->name);
    return r;
}

static void log_request(const struct http_request *request)
{
    const char *query = http_request_query_string(request);
    char *uri;

    if (!log_enabled(LOG_LEVEL_DEBUG) ||
        asprintf(&uri, "%s%s%s", http_request_path(request), query[0] == '\0' ? "" : "?", query) < 0)
        return;
    log_debug_with(LOG_FIELDS({"method", http_request_method(request)}, {"uri", uri}), "HTTP request received");
    free(uri);
}

static int answer(struct call *call)
{
    const char *path = http_request_path(call->request);
    char *clean;
    int r;

    log_request(call->request);
    atomic_fetch_add_explicit(&call->manager->requests, 1, memory_order_relaxed);
    set_common_headers(call->manager, call->reply);
    if (strcmp(http_request_method(call->request), "OPTIONS") == 0)
        return http_reply_send(call->reply, 200, NULL, "", 0);
    clean = route_clean_path(path);
    if (clean != NULL) {
        r = redirect(call->request, call->reply, clean);
        free(clean);
        return r;
    }
    return dispatch(call, route_split_version(path, call->version, sizeof(call->version)));
}

int routes_handle(struct http_request *request, struct http_reply *reply, void *data)
{
    struct call call = {.manager = data, .request = request, .reply = reply, .rest = "", .route = ROUTES};
    int64_t begun_ns = metrics_now_ns();
    int r;

    metrics_change(METRIC_REQUESTS_ACTIVE, 1);
    r = answer(&call);
    metrics_change(METRIC_REQUESTS_ACTIVE, -1);
    metrics_request(call.route, method_number(http_request_method(request)), http_reply_status(reply),
                    metrics_now_ns() - begun_ns);
    return r;
}
