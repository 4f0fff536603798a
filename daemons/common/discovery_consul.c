/* SPDX-License-Identifier: Apache-2.0 */
/* The agent holds a session whose end deletes its key. Each heartbeat renews the session and looks whether the key is
 * still there, which wakes no watcher. Who leaves writes the empty value, which goes with the session. */
#include "discovery_consul.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "kv_store_private.h"
#include "lock_private.h"
#include "log.h"
#include "text.h"

enum { CONSUL_PORT = 8500 };
/* Classic Swarm's agents mark their keys so. */
static const char key_flags[] = "3304740253564472344";

char *consul_url(const struct consul *consul, const char *prefix, const char *key, const char *query)
{
    char *path = kv_path_escape(prefix, key);
    char *url =
        path ? text_format("%s://%s%s%s", consul->place.tls ? "https" : "http", consul->place.endpoints[0], path, query)
             : NULL;
    free(path);
    return url;
}

char *consul_failure_text(const struct consul *consul, const struct http_result *result)
{
    char what[320];
    consul_describe(what, sizeof what, result);
    return text_format("consul %s://%s: %s", consul->place.tls ? "https" : "http", consul->place.endpoints[0], what);
}

int consul_call(struct consul *consul, const char *method, char *url, char *body, struct http_result *result,
                char **reterr)
{
    struct http_call call = {.method = method,
                             .url = url,
                             .headers = consul->headers,
                             .body = body,
                             .body_length = body ? strlen(body) : 0,
                             .tls = consul->place.tls,
                             .connect_timeout_ms = consul->call_timeout_ms / 2 < CONSUL_CONNECT_TIMEOUT_MS
                                                       ? consul->call_timeout_ms / 2
                                                       : CONSUL_CONNECT_TIMEOUT_MS,
                             .timeout_ms = consul->call_timeout_ms,
                             .max_response = consul->max_response ? consul->max_response : 1 << 20};
    int status = url ? http_client_call(consul->client, &call, result) : discovery_fail(reterr, "out of memory");
    if (url && (status != 0 || result->status >= 500)) {
        *reterr = consul_failure_text(consul, result);
        http_result_clear(result);
        status = -1;
    }
    free(url);
    free(body);
    return status;
}

static int refuse(const struct consul *consul, const struct http_result *result, char **reterr)
{
    *reterr = consul_failure_text(consul, result);
    return -1;
}

/* Consul may keep a session for up to twice its TTL; it must outlast a heartbeat all the same. */
static int64_t session_ttl_s(const struct discovery *discovery)
{
    int64_t half_ms = discovery->ttl_ms / 2, beat_ms = (int64_t)discovery->heartbeat_ms * 4 / 3;
    int64_t ttl_ms = half_ms > beat_ms ? half_ms : beat_ms < discovery->ttl_ms ? beat_ms : discovery->ttl_ms;
    int64_t ttl_s = (ttl_ms + 999) / 1000;
    return ttl_s < CONSUL_TTL_MAX_S ? ttl_s : CONSUL_TTL_MAX_S;
}

int consul_create_session(struct consul *consul, char *request, bool *ret_too_short, char **reterr)
{
    struct http_result result;
    *ret_too_short = false;
    if (!request)
        return discovery_fail(reterr, "out of memory");
    if (consul_call(consul, "PUT", consul_url(consul, "/v1/session/create", "", ""), request, &result, reterr) != 0)
        return -1;
    int status = 0;
    if (result.status == 400 && result.body && strstr(result.body, "TTL"))
        *ret_too_short = true;
    else if (result.status != 200 || consul_parse_session(result.body, consul->session, sizeof consul->session) != 0)
        status = refuse(consul, &result, reterr);
    http_result_clear(&result);
    return status;
}

static int new_session(struct consul *consul, const char *address, char **reterr)
{
    bool too_short;
    int64_t ttl_s = session_ttl_s(consul->discovery);
    char *name = text_format("swarm-join %s", address);
    int status = name ? consul_create_session(consul, consul_session_request(name, ttl_s), &too_short, reterr)
                      : discovery_fail(reterr, "out of memory");
    if (status == 0 && too_short && ttl_s < CONSUL_TTL_MIN_S) {
        log_warn("Consul's sessions live %d s at least: a lost agent is noticed after up to %d s", CONSUL_TTL_MIN_S,
                 2 * CONSUL_TTL_MIN_S);
        status = consul_create_session(consul, consul_session_request(name, CONSUL_TTL_MIN_S), &too_short, reterr);
    }
    if (status == 0 && too_short)
        status = discovery_fail(reterr, "consul: it takes no session of %d s", (int)ttl_s);
    free(name);
    return status;
}

int consul_renew(struct consul *consul, char **reterr)
{
    struct http_result result;
    if (consul_call(consul, "PUT", consul_url(consul, "/v1/session/renew/", consul->session, ""), NULL, &result,
                    reterr) != 0)
        return -1;
    int status = 0;
    if (result.status == 404)
        *consul->session = '\0';
    else if (result.status != 200)
        status = refuse(consul, &result, reterr);
    http_result_clear(&result);
    return status;
}

int consul_look(struct consul *consul, const char *key, struct consul_key *ret, char **reterr)
{
    struct http_result result;
    if (consul_call(consul, "GET", consul_url(consul, "/v1/kv/", key, "?consistent"), NULL, &result, reterr) != 0)
        return -1;
    int status = 0;
    if ((result.status != 200 && result.status != 404) ||
        consul_parse_key(result.status == 404 ? NULL : result.body, ret) != 0)
        status = refuse(consul, &result, reterr);
    http_result_clear(&result);
    return status;
}

int consul_acquire(struct consul *consul, const char *key, const char *value, bool *ret_done, char **reterr)
{
    struct http_result result;
    char *query = text_format("?acquire=%s&flags=%s", consul->session, key_flags);
    char *url = query ? consul_url(consul, "/v1/kv/", key, query) : NULL;
    free(query);
    char *body = url ? strdup(value) : NULL;
    if (!body) {
        free(url);
        return discovery_fail(reterr, "out of memory");
    }
    if (consul_call(consul, "PUT", url, body, &result, reterr) != 0)
        return -1;
    int status = result.status == 200 ? 0 : refuse(consul, &result, reterr);
    *ret_done = result.body && strncmp(result.body, "true", 4) == 0;
    http_result_clear(&result);
    return status;
}

static int acquire(struct consul *consul, const char *key, const char *address, char **reterr)
{
    bool done;
    int status = consul_acquire(consul, key, address, &done, reterr);
    return status == 0 && !done ? discovery_fail(reterr, "consul: key %s is held by another session", key) : status;
}

/* Whoever announced this address before left a session on the key: it becomes ours, so that neither a restarted agent
 * nor a second one of the same address makes the node come and go. */
static int announce(struct consul *consul, const char *key, const char *address, char **reterr)
{
    struct consul_key found;
    if (consul_look(consul, key, &found, reterr) != 0)
        return -1;
    if (*found.session)
        strcpy(consul->session, found.session);
    int status = *consul->session ? consul_renew(consul, reterr) : 0;
    if (status == 0 && !*consul->session)
        status = new_session(consul, address, reterr);
    bool ours = found.present && found.value && strcmp(found.value, address) == 0 &&
                strcmp(found.session, consul->session) == 0;
    if (status == 0 && !ours)
        status = acquire(consul, key, address, reterr);
    free(found.value);
    consul->announced |= status == 0;
    return status;
}

static int consul_announce(struct discovery *discovery, const char *address, char **reterr)
{
    struct consul *consul = discovery->state;
    char *key = kv_node_key(consul->place.directory, address);
    int status = key ? announce(consul, key, address, reterr) : discovery_fail(reterr, "out of memory");
    free(key);
    return status;
}

int consul_destroy_session(struct consul *consul, char **reterr)
{
    struct http_result result;
    if (!*consul->session)
        return 0;
    char *url = consul_url(consul, "/v1/session/destroy/", consul->session, "");
    if (consul_call(consul, "PUT", url, NULL, &result, reterr) != 0)
        return -1;
    int status = result.status == 200 ? 0 : refuse(consul, &result, reterr);
    http_result_clear(&result);
    *consul->session = '\0';
    return status;
}

/* The end of the session takes the key along, by itself. */
static int leave(struct consul *consul, const char *key, const char *address, char **reterr)
{
    int status = *consul->session ? consul_renew(consul, reterr) : 0;
    if (status == 0 && !*consul->session)
        status = new_session(consul, address, reterr);
    return status == 0 ? acquire(consul, key, "", reterr) : -1;
}

static int consul_leave(struct discovery *discovery, const char *address, char **reterr)
{
    struct consul *consul = discovery->state;
    if (!consul->announced)
        return 0;
    char *key = kv_node_key(consul->place.directory, address);
    int status = key ? leave(consul, key, address, reterr) : discovery_fail(reterr, "out of memory");
    free(key);
    if (status == 0)
        *consul->session = '\0';
    consul->announced = status != 0;
    return status;
}

/* As Consul's own client has it: CONSUL_HTTP_TOKEN, CONSUL_HTTP_AUTH ("user:password"). */
static int take_credentials(struct consul *consul)
{
    const char *token = getenv("CONSUL_HTTP_TOKEN"), *auth = getenv("CONSUL_HTTP_AUTH");
    size_t count = 0;
    consul->headers[count++] = "Content-Type: application/json";
    if (token && *token) {
        consul->token = text_format("X-Consul-Token: %s", token);
        consul->headers[count++] = consul->token;
    }
    if (auth && *auth) {
        char *coded = base64_encode(auth, strlen(auth));
        consul->auth = coded ? text_format("Authorization: Basic %s", coded) : NULL;
        consul->headers[count] = consul->auth;
        free(coded);
    }
    return (token && *token && !consul->token) || (auth && *auth && !consul->auth) ? -1 : 0;
}

static void consul_free(struct consul *consul)
{
    if (!consul)
        return;
    http_client_free(consul->client);
    http_loop_free(consul->loop);
    kv_place_finish(&consul->place);
    free(consul->token);
    free(consul->auth);
    free(consul);
}

static int consul_open(struct discovery *discovery, const char *rest, const struct discovery_options *options,
                       char **reterr)
{
    struct consul *consul = calloc(1, sizeof *consul);
    if (!consul)
        return discovery_fail(reterr, "out of memory");
    consul->discovery = discovery;
    consul->call_timeout_ms = CONSUL_CALL_TIMEOUT_MS;
    int status = kv_place_parse(&consul->place, rest, CONSUL_PORT, options, reterr);
    if (status == 0 && consul->place.count > 1)
        status = discovery_fail(reterr, "consul does not support multiple endpoints");
    if (status == 0 &&
        (take_credentials(consul) != 0 || http_client_new(&consul->client) != 0 || http_loop_new(&consul->loop) != 0))
        status = discovery_fail(reterr, "out of memory or descriptors");
    if (status != 0)
        consul_free(consul);
    else
        discovery->state = consul;
    return status;
}

static void consul_close(struct discovery *discovery)
{
    consul_free(discovery->state);
}

static void consul_stop(struct discovery *discovery)
{
    struct consul *consul = discovery->state;
    http_loop_stop(consul->loop);
}

const struct discovery_backend discovery_consul = {.name = "consul",
                                                   .lock = &lock_consul,
                                                   .store = &kv_store_consul,
                                                   .open = consul_open,
                                                   .close = consul_close,
                                                   .watch = consul_watch,
                                                   .announce = consul_announce,
                                                   .leave = consul_leave,
                                                   .stop = consul_stop};
