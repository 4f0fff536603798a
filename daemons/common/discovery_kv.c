/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery_kv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discovery_private.h"
#include "http_client.h"
#include "log.h"

char *kv_path_join(const char *a, const char *b)
{
    char *joined, *part, *rest;
    if (asprintf(&joined, "%s/%s", a, b) < 0)
        return NULL;
    char *clean = calloc(1, strlen(joined) + 1);
    size_t used = 0;
    for (rest = joined; clean && (part = strsep(&rest, "/"));) {
        if (*part == '\0' || strcmp(part, ".") == 0)
            continue;
        if (strcmp(part, "..") == 0) {
            const char *slash = memrchr(clean, '/', used);
            used = slash ? (size_t)(slash - clean) : 0;
            clean[used] = '\0';
            continue;
        }
        used += (size_t)sprintf(clean + used, "%s%s", used > 0 ? "/" : "", part);
    }
    free(joined);
    return clean;
}

char *kv_node_key(const char *directory, const char *address)
{
    char *key;
    if (asprintf(&key, "%s/%s", directory, address) < 0)
        return NULL;
    for (char *at = key + strlen(directory) + 1; *at; at++) {
        if (*at == '/')
            *at = '+';
    }
    return key;
}

char *kv_node_address(const char *name)
{
    char *address = strdup(name);
    bool slashes = strncmp(name, "ssh:++", 6) == 0; /* the others have none */
    for (char *at = address; slashes && at && *at; at++) {
        if (*at == '+')
            *at = '/';
    }
    return address;
}

char *kv_path_escape(const char *prefix, const char *key)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/";
    char *path = malloc(strlen(prefix) + 3 * strlen(key) + 1);
    if (!path)
        return NULL;
    char *to = stpcpy(path, prefix);
    for (const char *at = key; *at; at++) {
        if (strchr(plain, *at))
            *to++ = *at;
        else
            to += sprintf(to, "%%%02X", (unsigned char)*at);
    }
    *to = '\0';
    return path;
}

int64_t kv_back_off_ms(int *failures)
{
    enum { FIRST_RETRY_MS = 1000, LAST_RETRY_MS = 10000 };
    int shift = *failures < 8 ? *failures : 8;
    int64_t delay_ms = (int64_t)FIRST_RETRY_MS << shift;
    ++*failures;
    if (delay_ms > LAST_RETRY_MS)
        delay_ms = LAST_RETRY_MS;
    return delay_ms - delay_ms / 4 * (monotonic_ms() % 16) / 16;
}

/* "host", "host:port", "[v6]" or "[v6]:port" as "host:port". */
static int add_endpoint(struct kv_place *place, const char *text, int default_port, char **reterr)
{
    const char *behind_host = *text == '[' ? strchr(text, ']') : text;
    char *endpoint;
    bool has_port = behind_host && strchr(behind_host, ':');
    int length = has_port ? asprintf(&endpoint, "%s", text) : asprintf(&endpoint, "%s:%d", text, default_port);
    if (length < 0)
        return discovery_fail(reterr, "out of memory");
    place->endpoints[place->count++] = endpoint;
    if (*text == '\0' || *text == ':' || !discovery_is_address(endpoint))
        return discovery_fail(reterr, "\"%s\" is no address of a store; host:port[,host:port…][/path] is expected",
                              text);
    return 0;
}

static int parse_endpoints(struct kv_place *place, char *list, int default_port, char **reterr)
{
    size_t count = 1;
    for (const char *at = list; *at; at++)
        count += *at == ',';
    place->endpoints = calloc(count + 1, sizeof *place->endpoints);
    if (!place->endpoints)
        return discovery_fail(reterr, "out of memory");
    for (char *one; (one = strsep(&list, ","));) {
        if (add_endpoint(place, one, default_port, reterr) != 0)
            return -1;
    }
    return 0;
}

int kv_tls(struct tls **ret, const struct discovery_options *options, char **reterr)
{
    struct tls_options files = {.verify = true,
                                .ca = discovery_setting(options, "kv.cacertfile"),
                                .cert = discovery_setting(options, "kv.certfile"),
                                .key = discovery_setting(options, "kv.keyfile")};
    if (!files.ca || !*files.ca || !files.cert || !*files.cert || !files.key || !*files.key) {
        log_info("Initializing discovery without TLS");
        return 0;
    }
    log_info("Initializing discovery with TLS");
    return tls_new(ret, &files, reterr);
}

int kv_place_parse(struct kv_place *place, const char *rest, int default_port, const struct discovery_options *options,
                   char **reterr)
{
    const char *path = discovery_setting(options, "kv.path");
    const char *slash = strchrnul(rest, '/');
    char *list = strndup(rest, (size_t)(slash - rest));
    int status = list ? parse_endpoints(place, list, default_port, reterr) : discovery_fail(reterr, "out of memory");
    free(list);
    if (status != 0)
        return -1;
    place->directory = kv_path_join(slash, path ? path : "docker/swarm/nodes");
    place->leader = kv_path_join(slash, "docker/swarm/leader");
    place->records = kv_path_join(slash, "docker/swarm/records");
    if (!place->directory || !place->leader || !place->records)
        return discovery_fail(reterr, "out of memory");
    if (*place->directory == '\0')
        return discovery_fail(reterr, "--discovery-opt kv.path: \"%s\" leaves no directory for the nodes", path);
    return kv_tls(&place->tls, options, reterr);
}

void kv_place_finish(struct kv_place *place)
{
    for (size_t i = 0; i < place->count; i++)
        free(place->endpoints[i]);
    free(place->endpoints);
    free(place->directory);
    free(place->leader);
    free(place->records);
    tls_free(place->tls);
    *place = (struct kv_place){0};
}
