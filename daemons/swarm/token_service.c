/* SPDX-License-Identifier: Apache-2.0 */
/* swarm token-service: what the hosted token service of classic Swarm was.
 *   POST   /v1/clusters                  201, a new token as text
 *   GET    /v1/clusters/TOKEN            200, a JSON array of addresses
 *   GET    /v1/clusters/TOKEN/left       200, the same of those that were taken back within the last ten minutes
 *   POST   /v1/clusters/TOKEN?ttl=S      200; the body is an address "host:port"
 *   DELETE /v1/clusters/TOKEN/ADDRESS    204
 *   DELETE /v1/clusters/TOKEN            204 */
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <swarm/version.h>
#include <time.h>

#include "commands.h"
#include "discovery.h"
#include "http_server.h"
#include "log.h"
#include "token_service.h"
#include "token_store.h"

enum {
    STOP_GRACE_MS = 2000,
    CONNECTIONS_MAX = 4096,
    TTL_MAX_S = 30 * 24 * 3600,
    TTL_DEFAULT_S = 180,
    BODY_MAX = 1024,
    LEFT_S = 600
};

static struct option options[] = {
    {"host, H", OPTION_LIST, "tcp://127.0.0.1:2380", NULL, "address to listen on"},
    {"state", OPTION_STRING, "swarm-tokens.sqlite", NULL, "file that tokens and addresses are kept in"},
    {"tls", OPTION_BOOL, NULL, NULL, "use TLS"},
    {"tlsverify", OPTION_BOOL, NULL, NULL, "use TLS and ask clients for certificates of the CA"},
    {"tlscacert", OPTION_STRING, NULL, NULL, "trust only certificates that this CA signed"},
    {"tlscert", OPTION_STRING, NULL, NULL, "path to the TLS certificate"},
    {"tlskey", OPTION_STRING, NULL, NULL, "path to the TLS key"},
    {0},
};
const struct command token_service_command = {
    .name = "token-service", .usage = "Serve tokens for token:// discovery", .options = options};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int reply_status(struct http_reply *reply, enum token_status status)
{
    switch (status) {
    case TOKEN_OK:
        return http_reply_send(reply, 204, NULL, NULL, 0);
    case TOKEN_UNKNOWN:
        return http_reply_error(reply, 404, "no such token or address");
    case TOKEN_FULL:
        return http_reply_error(reply, 507, "too many of them: at most %d tokens, %d addresses each", TOKEN_TOKENS_MAX,
                                TOKEN_NODES_MAX);
    case TOKEN_FAILED:
        break;
    }
    return http_reply_error(reply, 500, "the state file cannot be read or written");
}

static int create(struct token_store *store, struct http_reply *reply)
{
    char token[TOKEN_SIZE];
    enum token_status status = token_store_create(store, now_ms(), token);
    return status == TOKEN_OK ? http_reply_send(reply, 201, "text/plain; charset=utf-8", token, strlen(token))
                              : reply_status(reply, status);
}

static int append(void *data, const char *address)
{
    return json_array_append_new(data, json_string(address));
}

static int list(struct token_store *store, const char *token, bool left, struct http_reply *reply)
{
    json_t *addresses = json_array();
    enum token_status status =
        addresses ? token_store_each(store, token, left, now_ms(), append, addresses) : TOKEN_FAILED;
    char *text = status == TOKEN_OK ? json_dumps(addresses, JSON_COMPACT) : NULL;
    int result = text                 ? http_reply_send(reply, 200, "application/json", text, strlen(text))
                 : status == TOKEN_OK ? http_reply_error(reply, 500, "out of memory")
                                      : reply_status(reply, status);
    free(text);
    json_decref(addresses);
    return result;
}

/* Whole seconds, 1 to TTL_MAX_S; 0: they are something else. */
static int64_t ttl_of(const char *text)
{
    char *end;
    if (!text)
        return TTL_DEFAULT_S;
    long long ttl_s = strtoll(text, &end, 10);
    return *text && *end == '\0' && ttl_s >= 1 && ttl_s <= TTL_MAX_S ? ttl_s : 0;
}

static int announce(struct token_store *store, const char *token, struct http_request *request,
                    struct http_reply *reply)
{
    const char *address, *why;
    size_t length;
    int64_t now = now_ms(), ttl_s = ttl_of(http_request_query(request, "ttl"));
    int status = http_request_read_all(request, &address, &length, &why);
    if (status != 0)
        return http_reply_error(reply, status, "%s", why);
    if (ttl_s == 0)
        return http_reply_error(reply, 400, "ttl: whole seconds are expected, 1 to %d", TTL_MAX_S);
    if (length > BODY_MAX || strlen(address) != length || !discovery_may_announce(address))
        return http_reply_error(reply, 400, "an address of the form host:port or ssh://host is expected as the body");
    enum token_status stored = token_store_put(store, token, address, now, now + ttl_s * 1000);
    return stored == TOKEN_OK ? http_reply_send(reply, 200, NULL, NULL, 0) : reply_status(reply, stored);
}

/* @p rest: "TOKEN" or "TOKEN/ADDRESS", decoded. */
static int on_token(struct token_store *store, char *rest, struct http_request *request, struct http_reply *reply)
{
    const char *method = http_request_method(request);
    char *address = strchr(rest, '/');
    if (address)
        *address++ = '\0';
    if (!token_is_valid(rest, strlen(rest)))
        return http_reply_error(reply, 404, "no such token or address");
    if (strcmp(method, "DELETE") == 0)
        return reply_status(reply, address ? token_store_leave(store, rest, address, now_ms() + LEFT_S * 1000)
                                           : token_store_remove(store, rest));
    bool left = address && strcmp(address, "left") == 0;
    if ((!address || left) && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0))
        return list(store, rest, left, reply);
    if (!address && strcmp(method, "POST") == 0)
        return announce(store, rest, request, reply);
    return http_reply_error(reply, 405, "method not allowed");
}

static int handle(struct http_request *request, struct http_reply *reply, void *data)
{
    static const char clusters[] = "/v1/clusters";
    const size_t length = sizeof clusters - 1;
    const char *path = http_request_path(request);
    if (strncmp(path, clusters, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return http_reply_error(reply, 404, "page not found: POST %s makes a token", clusters);
    if (path[length] == '\0' || path[length + 1] == '\0')
        return strcmp(http_request_method(request), "POST") == 0
                   ? create(data, reply)
                   : http_reply_error(reply, 405, "method not allowed: POST makes a token");
    char *rest = http_decode(path + length + 1, strlen(path + length + 1));
    if (!rest)
        return http_reply_error(reply, 400, "a path that cannot be decoded");
    int result = on_token(data, rest, request, reply);
    free(rest);
    return result;
}

/* Takes @p error. */
static int fail_with(char *error)
{
    int status = fail_plainly("%s", error ? error : "out of memory");
    free(error);
    return status;
}

static const char *value_of(const char *name)
{
    return option_find(&token_service_command, name)->value;
}

static int load_tls(struct tls **ret, char **reterr)
{
    struct tls_options files = {.verify = option_find(&token_service_command, "tlsverify")->flag,
                                .ca = value_of("tlscacert"),
                                .cert = value_of("tlscert"),
                                .key = value_of("tlskey")};
    if (!files.verify && !option_find(&token_service_command, "tls")->flag)
        return 0;
    return tls_new(ret, &files, reterr);
}

/* Serve until SIGTERM or SIGINT. */
static int serve(struct token_store *store, const struct tls *tls)
{
    struct http_server_options server_options = {.handler = handle,
                                                 .data = store,
                                                 .max_connections = CONNECTIONS_MAX,
                                                 .max_body = BODY_MAX * 2,
                                                 .headers = {{"Server", "Swarm/" SWARM_VERSION}}};
    struct http_server *server;
    const struct option *hosts = option_find(&token_service_command, "host");
    char *error = NULL;
    sigset_t signals;
    int signal_number;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (http_server_new(&server, &server_options, &error) != 0)
        return fail_with(error);
    for (size_t i = 0; i < hosts->count && !error; i++) {
        if (http_server_listen(server, hosts->list[i], tls, NULL, &error) == 0)
            log_info_with(LOG_FIELDS({"addr", hosts->list[i]}), "Serving tokens");
    }
    if (!error)
        sigwait(&signals, &signal_number);
    http_server_stop(server, STOP_GRACE_MS);
    http_server_free(server);
    return error ? fail_with(error) : 0;
}

static int run(void)
{
    struct token_store *store = NULL;
    struct tls *tls = NULL;
    char *error = NULL;
    if (load_tls(&tls, &error) != 0)
        return fail_with(error);
    int status = token_store_open(&store, value_of("state"), &error) == 0 ? serve(store, tls) : fail_with(error);
    token_store_close(store);
    tls_free(tls);
    return status;
}

int token_service_run(int argc, char **argv)
{
    const char **positional;
    size_t count;
    char *error = NULL;
    int status = options_parse(&token_service_command, argc, argv, &positional, &count, &error);
    if (status > 0)
        return 0;
    if (status < 0)
        options_incorrect_usage(&token_service_command, "swarm", error ? error : "out of memory");
    free(positional);
    log_init(stderr, log_enabled(LOG_LEVEL_DEBUG) ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
    status = count > 0
                 ? fail_plainly("the `token-service` command takes no arguments. See 'swarm token-service --help'.")
                 : run();
    options_free(&token_service_command);
    return status;
}
