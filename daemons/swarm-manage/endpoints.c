/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "uri.h"

#define CONNECT_TIMEOUT_MS 10000

/* The endpoint to create with: the network mode's, else the first. NULL where there is none. */
static const char *main_endpoint(const struct swarm_create_body *body)
{
    const char *mode = swarm_request_network_mode(swarm_create_body_request(body)), *name;

    for (size_t i = 0; mode && (name = swarm_create_body_endpoint(body, i)); i++) {
        if (!strcmp(name, mode)) {
            return name;
        }
    }
    return swarm_create_body_endpoint(body, 0);
}

static const char *other_endpoint(const struct swarm_create_body *body)
{
    const char *kept = main_endpoint(body), *name;

    for (size_t i = 0; (name = swarm_create_body_endpoint(body, i)); i++) {
        if (strcmp(name, kept)) {
            return name;
        }
    }
    return NULL;
}

int endpoints_take(struct swarm_create_body *body, struct endpoint **ret)
{
    struct endpoint **end = ret;
    const char *name;

    *ret = NULL;
    while ((name = other_endpoint(body))) {
        struct endpoint *endpoint = calloc(1, sizeof(*endpoint));

        if (!endpoint) {
            return -1;
        }
        *end = endpoint;
        end = &endpoint->next;
        endpoint->network = strdup(name);
        if (!endpoint->network || swarm_create_body_take_endpoint(body, name, &endpoint->settings, NULL)) {
            return -1;
        }
    }
    return 0;
}

static int connect_one(struct engine *engine, const char *id, const struct endpoint *endpoint,
                       const struct engine_guard *guard, struct failure *failure)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    char *network = uri_escape(endpoint->network), *path = NULL, *body = NULL;
    struct http_result result;
    int status = -1;

    if (!network || asprintf(&path, "/networks/%s/connect", network) < 0 ||
        asprintf(&body, "{\"Container\":\"%s\",\"EndpointConfig\":%s}", id, endpoint->settings) < 0) {
        failure_set(failure, 500, "out of memory");
    } else {
        struct engine_request request = {.method = "POST",
                                         .path = path,
                                         .headers = headers,
                                         .body = body,
                                         .length = strlen(body),
                                         .timeout_ms = CONNECT_TIMEOUT_MS,
                                         .guard = guard};

        status = engine_request(engine, &request, &result, failure);
        http_result_clear(&result);
    }
    free(body);
    free(path);
    free(network);
    return status;
}

void endpoints_connect(struct engine *engine, const char *id, const char *name, const struct endpoint *endpoints,
                       const struct engine_guard *guard)
{
    for (; endpoints; endpoints = endpoints->next) {
        struct failure failure = {0};

        if (connect_one(engine, id, endpoints, guard, &failure)) {
            log_warn("Failed to connect network %s to container %s: %s", endpoints->network, name,
                     failure.message ? failure.message : "out of memory");
        }
        failure_clear(&failure);
    }
}

void endpoints_free(struct endpoint *endpoints)
{
    while (endpoints) {
        struct endpoint *next = endpoints->next;

        free(endpoints->network);
        swarm_free(endpoints->settings);
        free(endpoints);
        endpoints = next;
    }
}
