/* SPDX-License-Identifier: Apache-2.0 */
/* token://: a service that keeps the addresses announced under a token. GET {service}/clusters/{token} answers a JSON
 * array of them, POST {service}/clusters/{token}?ttl=SECONDS announces the one in its body, as the hosted service of
 * classic Swarm had it; DELETE {service}/clusters/{token}/{address} takes it back, and GET
 * {service}/clusters/{token}/left answers which have been taken back lately. */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discovery_kv.h"
#include "discovery_private.h"
#include "http_client.h"
#include "log.h"
#include "text.h"
#include "token_service.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    CALL_TIMEOUT_MS = 15000,
    RETRY_MAX_MS = 10000, /* after a failure; sooner where the heartbeat is */
    ANSWER_MAX = 4 << 20,
    TOKEN_MAX = 64,
};

struct token {
    char *url; /* "{service}/clusters/{token}" */
    struct tls *tls;
    struct http_client *client;
    struct told_lists told;
    char *told_error, *told_bad; /* NULL: all is well */
};

const char *token_service_default(void)
{
    const char *url = getenv("SWARM_TOKEN_SERVICE");
    return url && *url ? url : NULL;
}

bool token_is_valid(const char *token, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)token[i]))
            return false;
    }
    return length > 0 && length <= TOKEN_MAX;
}

char *token_service_url(const char *text, char **reterr)
{
    const char *host = strncmp(text, "http://", 7) == 0 ? text + 7 : strncmp(text, "https://", 8) == 0 ? text + 8 : "";
    size_t length = strlen(text);
    if (*host == '\0' || *host == '/' || strpbrk(text, " \t\r\n?#")) {
        discovery_fail(reterr, "\"%s\" is no address of a token service; http[s]://host:port[/path] is expected", text);
        return NULL;
    }
    while (length > 0 && text[length - 1] == '/')
        length--;
    char *url = strndup(text, length);
    if (!url)
        discovery_fail(reterr, "out of memory");
    return url;
}

/* Of "host/path/TOKEN" the service is https://host/path, of "TOKEN" the one that is named elsewhere. */
static char *service_of(const char *rest, const char *slash, const struct discovery_options *options, char **reterr)
{
    const char *named = discovery_setting(options, "token.service");
    if (slash) {
        char *text = text_format("https://%.*s", (int)(slash - rest), rest);
        char *url = text ? token_service_url(text, reterr) : NULL;
        free(text);
        return url;
    }
    if (!named || !*named)
        named = token_service_default();
    if (named)
        return token_service_url(named, reterr);
    discovery_fail(reterr, "no token service is named: the hosted one has ended. Name yours (`swarm token-service`) by "
                           "SWARM_TOKEN_SERVICE, --discovery-opt token.service=http://host:port/v1 or "
                           "token://host:port/v1/TOKEN");
    return NULL;
}

static void token_free(struct token *token)
{
    if (!token)
        return;
    http_client_free(token->client);
    tls_free(token->tls);
    told_lists_finish(&token->told);
    free(token->told_error);
    free(token->told_bad);
    free(token->url);
    free(token);
}

static int open_parts(struct token *token, const char *rest, const struct discovery_options *options, char **reterr)
{
    const char *slash = strrchr(rest, '/'), *name = slash ? slash + 1 : rest;
    if (*name == '\0')
        return discovery_fail(reterr, "token is empty");
    if (!token_is_valid(name, strlen(name)))
        return discovery_fail(reterr, "\"%s\" is no token: letters and digits are expected, %d at most", name,
                              TOKEN_MAX);
    char *service = service_of(rest, slash, options, reterr);
    token->url = service ? text_format("%s/clusters/%s", service, name) : NULL;
    free(service);
    if (!token->url)
        return -1;
    if (kv_tls(&token->tls, options, reterr) != 0)
        return -1;
    return http_client_new(&token->client) == 0 ? 0 : discovery_fail(reterr, "out of memory or descriptors");
}

static int token_open(struct discovery *discovery, const char *rest, const struct discovery_options *options,
                      char **reterr)
{
    struct token *token = calloc(1, sizeof *token);
    if (!token)
        return discovery_fail(reterr, "out of memory");
    if (open_parts(token, rest, options, reterr) != 0) {
        token_free(token);
        return -1;
    }
    discovery->state = token;
    return 0;
}

static void token_close(struct discovery *discovery)
{
    token_free(discovery->state);
}

/* What the service says of an answer that is not 2xx: its first line. */
static int refuse(const char *what, const struct http_result *result, char **reterr)
{
    const char *body = result->body ? result->body : "";
    int length = (int)strcspn(body, "\r\n");
    return discovery_fail(reterr, "%s, Discovery service returned %d HTTP status code%s%.*s", what, result->status,
                          length > 0 ? ": " : "", length < 200 ? length : 200, body);
}

/* Takes @p url. 0 with *result for any answer. */
static int call(const struct token *token, const char *method, char *url, const char *body, struct http_result *result,
                char **reterr)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    struct http_call call = {.method = method,
                             .url = url,
                             .headers = headers,
                             .body = body,
                             .body_length = body ? strlen(body) : 0,
                             .tls = token->tls,
                             .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                             .timeout_ms = CALL_TIMEOUT_MS,
                             .max_response = ANSWER_MAX};
    if (!url)
        return discovery_fail(reterr, "out of memory");
    int status = http_client_call(token->client, &call, result);
    if (status != 0) {
        discovery_fail(reterr, "token service %s: %s", url, result->error);
        http_result_clear(result);
    }
    free(url);
    return status;
}

/* The addresses in @p text; bad ones are skipped and told in *ret_bad. */
static int parse(const char *text, struct address_list *list, char **ret_bad, char **reterr)
{
    json_error_t error;
    json_t *root = json_loads(text ? text : "", 0, &error), *one;
    size_t i;
    if (!json_is_array(root)) {
        discovery_fail(reterr, "Failed to decode response: %s", root ? "no array of addresses" : error.text);
        json_decref(root);
        return -1;
    }
    json_array_foreach (root, i, one) {
        const char *address = json_string_value(one);
        char *why = NULL;
        if (address && address_list_add(list, address, &why) == 0)
            continue;
        if (!*ret_bad)
            *ret_bad = text_format("token service: %s", why ? why : "an address that is no text");
        free(why);
    }
    json_decref(root);
    return 0;
}

static int fetch(const struct token *token, struct address_list *list, char **ret_bad, char **reterr)
{
    struct http_result result;
    if (call(token, "GET", strdup(token->url), NULL, &result, reterr) != 0)
        return -1;
    int status = result.status == 200 ? parse(result.body, list, ret_bad, reterr)
                                      : refuse("Failed to fetch entries", &result, reterr);
    http_result_clear(&result);
    return status;
}

static bool has_all(const struct address_list *list, const struct address_list *before)
{
    for (size_t i = 0; i < before->count; i++) {
        if (!address_list_has(list, before->items[i]))
            return false;
    }
    return true;
}

/* Of those that are not there any more, which have left? A service that does not know says 404. */
static int fetch_left(const struct token *token, const struct address_list *list, struct address_list *left,
                      char **ret_bad, char **reterr)
{
    struct http_result result;
    if (has_all(list, &token->told.addresses))
        return 0;
    if (call(token, "GET", text_format("%s/left", token->url), NULL, &result, reterr) != 0)
        return -1;
    bool unknown = result.status == 404 || result.status == 405;
    int status = unknown                ? 0
                 : result.status == 200 ? parse(result.body, left, ret_bad, reterr)
                                        : refuse("Failed to fetch those that left", &result, reterr);
    http_result_clear(&result);
    return status;
}

/* Tell of @p text (taken, NULL: all is well) unless it was the last one told. */
static void tell(char **told, char *text, const struct discovery_events *events, void *data)
{
    if (text && (!*told || strcmp(*told, text) != 0))
        events->error(data, text);
    free(*told);
    *told = text;
}

/* Whether the service answered. */
static bool fetch_and_report(struct discovery *discovery, const struct discovery_events *events, void *data)
{
    struct token *token = discovery->state;
    struct address_list list = {0}, left = {0};
    char *bad = NULL, *error = NULL;
    bool fetched = fetch(token, &list, &bad, &error) == 0 && fetch_left(token, &list, &left, &bad, &error) == 0;
    tell(&token->told_error, error, events, data);
    if (!fetched) { /* the last list stays in force */
        address_list_clear(&list);
        address_list_clear(&left);
        free(bad);
        return false;
    }
    discovery_report(discovery, &token->told, &list, &left, events, data);
    tell(&token->told_bad, bad, events, data);
    return true;
}

static void token_watch(struct discovery *discovery, const struct discovery_events *events, void *data)
{
    int wait_ms = discovery->heartbeat_ms;
    do {
        bool answered = fetch_and_report(discovery, events, data);
        wait_ms = answered || discovery->heartbeat_ms < RETRY_MAX_MS ? discovery->heartbeat_ms : RETRY_MAX_MS;
    } while (discovery_sleep(discovery, -1, wait_ms));
}

static int token_announce(struct discovery *discovery, const char *address, char **reterr)
{
    struct token *token = discovery->state;
    struct http_result result;
    char *url = text_format("%s?ttl=%d", token->url, (discovery->ttl_ms + 999) / 1000);
    if (call(token, "POST", url, address, &result, reterr) != 0)
        return -1;
    int status = result.status / 100 == 2 ? 0 : refuse("Failed to register", &result, reterr);
    http_result_clear(&result);
    return status;
}

/* A service that cannot take it back lets it expire. */
static int token_leave(struct discovery *discovery, const char *address, char **reterr)
{
    struct token *token = discovery->state;
    struct http_result result;
    char *prefix = text_format("%s/", token->url), *url = prefix ? kv_path_escape(prefix, address) : NULL;
    free(prefix);
    if (call(token, "DELETE", url, NULL, &result, reterr) != 0)
        return -1;
    bool unknown = result.status == 404 || result.status == 405;
    int status = result.status / 100 == 2 || unknown ? 0 : refuse("Failed to leave", &result, reterr);
    http_result_clear(&result);
    return status;
}

const struct discovery_backend discovery_token = {.name = "token",
                                                  .open = token_open,
                                                  .close = token_close,
                                                  .watch = token_watch,
                                                  .announce = token_announce,
                                                  .leave = token_leave};
