/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery_etcd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kv_store_private.h"
#include "lock_private.h"
#include "log.h"

enum { ETCD_PORT = 2379 };

char *etcd_url(const struct etcd *etcd, size_t endpoint, const char *path)
{
    char *url;
    if (asprintf(&url, "%s://%s%s", etcd->place.tls ? "https" : "http", etcd->place.endpoints[endpoint], path) < 0)
        return NULL;
    return url;
}

static int call_endpoint(struct etcd *etcd, const struct etcd_question *question, const char *url,
                         struct http_result *result)
{
    static const char *const form_headers[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
    static const char *const json_headers[] = {"Content-Type: application/json", NULL};
    int timeout_ms = etcd->call_timeout_ms;
    struct http_call call = {.method = question->method,
                             .url = url,
                             .headers = question->form ? form_headers : json_headers,
                             .body = question->body,
                             .body_length = question->body ? strlen(question->body) : 0,
                             .tls = etcd->place.tls,
                             .connect_timeout_ms =
                                 timeout_ms / 2 < ETCD_CONNECT_TIMEOUT_MS ? timeout_ms / 2 : ETCD_CONNECT_TIMEOUT_MS,
                             .timeout_ms = timeout_ms,
                             .max_response = etcd->max_response ? etcd->max_response : 1 << 20};
    int status = http_client_call(etcd->client, &call, result);
    return status == 0 && result->status < 500 ? 0 : -1;
}

int etcd_call(struct etcd *etcd, const struct etcd_question *question, struct http_result *result, char **reterr)
{
    char *why = NULL;
    for (size_t tried = 0; question->path && tried < etcd->place.count; tried++) {
        char *url = etcd_url(etcd, etcd->endpoint, question->path);
        if (!url)
            break;
        int status = call_endpoint(etcd, question, url, result);
        free(url);
        free(why);
        if (status == 0)
            return 0;
        why = etcd_failure_text(etcd, etcd->endpoint, result);
        http_result_clear(result);
        etcd->endpoint = (etcd->endpoint + 1) % etcd->place.count;
    }
    discovery_fail(reterr, "%s", why ? why : "out of memory");
    free(why);
    return -1;
}

bool etcd_switch_api(struct etcd *etcd, const struct http_result *result)
{
    if (etcd->api_fixed || !etcd_api_missing(result))
        return false;
    int other = atomic_load(&etcd->api) == 3 ? 2 : 3;
    log_debug("etcd does not know API v%d, trying v%d", other == 3 ? 2 : 3, other);
    atomic_store(&etcd->api, other);
    return true;
}

char *etcd_failure_text(const struct etcd *etcd, size_t endpoint, const struct http_result *result)
{
    char what[320], *text, *url = etcd_url(etcd, endpoint, "");
    int api = atomic_load(&etcd->api);
    if (etcd_api_missing(result))
        snprintf(what, sizeof what,
                 etcd->api_fixed ? "the server does not serve API v%d, which --discovery-opt kv.api asks for"
                                 : "the server serves neither the v3 JSON gateway nor the v2 keys API",
                 api);
    else
        etcd_describe(what, sizeof what, result);
    if (!url || asprintf(&text, "etcd %s: %s", url, what) < 0)
        text = NULL;
    free(url);
    return text;
}

static int choose_api(struct etcd *etcd, const struct discovery_options *options, char **reterr)
{
    const char *api = discovery_setting(options, "kv.api");
    if (api && strcmp(api, "2") != 0 && strcmp(api, "3") != 0)
        return discovery_fail(reterr, "--discovery-opt kv.api: \"%s\" is no API of etcd; 2 or 3 is expected", api);
    etcd->api_fixed = api != NULL;
    atomic_init(&etcd->api, api ? *api - '0' : 3);
    return 0;
}

static void etcd_free(struct etcd *etcd)
{
    if (!etcd)
        return;
    http_client_free(etcd->client);
    http_loop_free(etcd->loop);
    kv_place_finish(&etcd->place);
    free(etcd);
}

static int etcd_open(struct discovery *discovery, const char *rest, const struct discovery_options *options,
                     char **reterr)
{
    struct etcd *etcd = calloc(1, sizeof *etcd);
    char *why = NULL;
    if (!etcd)
        return discovery_fail(reterr, "out of memory");
    etcd->discovery = discovery;
    etcd->call_timeout_ms = ETCD_CALL_TIMEOUT_MS;
    if (choose_api(etcd, options, &why) != 0 || kv_place_parse(&etcd->place, rest, ETCD_PORT, options, &why) != 0) {
        *reterr = why;
    } else if (http_client_new(&etcd->client) != 0 || http_loop_new(&etcd->loop) != 0) {
        discovery_fail(reterr, "out of memory or descriptors");
    } else {
        discovery->state = etcd;
        return 0;
    }
    etcd_free(etcd);
    return -1;
}

static void etcd_close(struct discovery *discovery)
{
    etcd_free(discovery->state);
}

static void etcd_stop(struct discovery *discovery)
{
    struct etcd *etcd = discovery->state;
    http_loop_stop(etcd->loop);
}

const struct discovery_backend discovery_etcd = {.name = "etcd",
                                                 .lock = &lock_etcd,
                                                 .store = &kv_store_etcd,
                                                 .open = etcd_open,
                                                 .close = etcd_close,
                                                 .watch = etcd_watch,
                                                 .announce = etcd_announce,
                                                 .leave = etcd_leave,
                                                 .stop = etcd_stop};
