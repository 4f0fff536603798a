/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api_kit.h"

#include "decisions.h"
#include "events.h"
#include "exec_table.h"
#include "http_client.h"
#include "http_server.h"
#include "log.h"
#include "pins.h"
#include "pool.h"
#include "routes.h"
#include "traits.h"

struct manager api_manager;
static struct http_server *server;
static struct http_client *client;
static char *url; /* "tcp://127.0.0.1:port" */

int api_set_up(void **state)
{
    static char id[] = "the-cluster";
    struct swarm_scheduler_options scheduler_options = SWARM_SCHEDULER_OPTIONS_INIT;
    struct http_server_options options = {.handler = routes_handle,
                                          .data = &api_manager,
                                          .http2 = true,
                                          .headers = {{"Server", "Swarm/" SWARM_VERSION " (linux)"}}};
    char *error = NULL;

    log_init(stdout, LOG_LEVEL_FATAL);
    api_manager.id = id;
    assert_int_equal(http_client_global_init(), 0);
    assert_int_equal(swarm_scheduler_new(&api_manager.scheduler, &scheduler_options, NULL), 0);
    assert_int_equal(pool_new(&api_manager.pool, &api_manager), 0);
    assert_int_equal(event_hub_new(&api_manager.events), 0);
    assert_int_equal(traits_cache_new(&api_manager.traits), 0);
    assert_int_equal(exec_table_new(&api_manager.execs), 0);
    assert_int_equal(decisions_new(&api_manager.decisions), 0);
    assert_int_equal(pin_table_new(&api_manager.pins), 0);
    assert_int_equal(http_client_new(&client), 0);
    assert_int_equal(http_server_new(&server, &options, &error), 0);
    assert_int_equal(http_server_listen(server, "tcp://127.0.0.1:0", NULL, &url, &error), 0);
    return 0;
}

int api_tear_down(void **state)
{
    http_client_free(client);
    http_server_stop(server, 1000);
    http_server_free(server);
    pin_table_free(api_manager.pins);
    exec_table_free(api_manager.execs);
    decisions_free(api_manager.decisions);
    traits_cache_free(api_manager.traits);
    event_hub_free(api_manager.events);
    pool_free(api_manager.pool);
    swarm_scheduler_free(api_manager.scheduler);
    free(url);
    return 0;
}

const char *api_address(void)
{
    return url + strlen("tcp://");
}

static int ask(const char *const *headers, const char *method, const char *path, const char *body,
               struct http_result *result)
{
    char target[1024];
    struct http_call call = {.method = method,
                             .url = target,
                             .headers = headers,
                             .body = body,
                             .body_length = body == NULL ? 0 : strlen(body),
                             .timeout_ms = 60000};

    memset(result, 0, sizeof(*result));
    snprintf(target, sizeof(target), "http://%s%s", api_address(), path);
    return http_client_call(client, &call, result);
}

void api_ask(const char *method, const char *path, const char *body, struct http_result *result)
{
    assert_int_equal(ask(NULL, method, path, body, result), 0);
}

void api_ask_with(const char *const *headers, const char *method, const char *path, struct http_result *result)
{
    assert_int_equal(ask(headers, method, path, NULL, result), 0);
}

void api_assert_cut(const char *method, const char *path)
{
    struct http_result result;

    assert_int_equal(ask(NULL, method, path, NULL, &result), -1);
    assert_int_equal(result.failure, HTTP_BROKEN);
    http_result_clear(&result);
}

void api_assert_text(const char *method, const char *path, int status, const char *text)
{
    struct http_result result;

    api_ask(method, path, NULL, &result);
    assert_int_equal(result.status, status);
    assert_string_equal(result.body == NULL ? "" : result.body, text);
    http_result_clear(&result);
}

json_t *api_get(const char *path)
{
    struct http_result result;
    json_t *json;

    api_ask("GET", path, NULL, &result);
    assert_int_equal(result.status, 200);
    json = json_loadb(result.body, result.length, 0, NULL);
    assert_non_null(json);
    http_result_clear(&result);
    return json;
}

void api_assert_refused(const char *method, const char *path, const char *body, int status, const char *message)
{
    struct http_result result;
    json_t *json;

    api_ask(method, path, body, &result);
    assert_int_equal(result.status, status);
    json = json_loadb(result.body, result.length, 0, NULL);
    assert_non_null(json);
    assert_non_null(json_string_value(json_object_get(json, "message")));
    assert_string_equal(json_string_value(json_object_get(json, "message")), message);
    json_decref(json);
    http_result_clear(&result);
}
