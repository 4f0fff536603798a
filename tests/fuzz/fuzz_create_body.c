/* SPDX-License-Identifier: Apache-2.0 */
/* Create bodies and inspect answers: whatever is taken can be edited, is written as JSON that is taken again, and then
 * asks for the same. The library's reader takes what jansson's does, but for what is nested too deep. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static void check_body(struct swarm_create_body *body, int parsed)
{
    char *json, *settings;
    size_t length;
    const char *endpoint;
    int64_t memory = swarm_request_memory(swarm_create_body_request(body));
    require(swarm_create_body_set_swarm_id(body, "s1", NULL) == 0);
    require(swarm_create_body_add_constraint(body, "zone==a*", NULL) == 0);
    require(swarm_create_body_set_network_mode(body, "back", NULL) == 0);
    require(strcmp(swarm_request_swarm_id(swarm_create_body_request(body)), "s1") == 0);
    require(swarm_create_body_write(body, 4, &json, &length, NULL) == 0);
    require(strlen(json) == length);
    if (parsed) {
        struct swarm_create_body *again = NULL;
        require(swarm_create_body_parse(&again, json, length, NULL) == 0);
        require(swarm_request_memory(swarm_create_body_request(again)) == memory);
        swarm_create_body_free(again);
    }
    swarm_free(json);
    while ((endpoint = swarm_create_body_endpoint(body, 0)) != NULL) {
        require(swarm_create_body_take_endpoint(body, endpoint, &settings, NULL) == 0);
        swarm_free(settings);
    }
}

static void check_reader(const char *json, size_t size)
{
    json_t *value = NULL, *other = json_loadb(json, size, JSON_DECODE_ANY, NULL);
    struct swarm_error *error = NULL;
    int code = swarm__json_load(json, size, &value, &error);
    if (code == 0)
        require(other != NULL && json_equal(value, other));
    else /* jansson lets a NUL behind a number pass */
        require(code == SWARM_ERR_PARSE && (other == NULL || memchr(json, '\0', size) != NULL ||
                                            strstr(swarm_error_message(error), "deeper") != NULL));
    swarm_error_free(error);
    json_decref(value);
    json_decref(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *json = (const char *)data;
    check_reader(json, size);
    struct swarm_create_body *body = NULL;
    struct swarm_request *request = NULL;
    struct swarm_error *error = NULL;
    if (swarm_create_body_parse(&body, json, size, &error) == 0) {
        check_body(body, 1);
        swarm_create_body_free(body);
        /* What is taken strictly is taken leniently. */
        require(swarm_request_from_create(&request, json, size, NULL) == 0);
        swarm_request_unref(request);
    } else {
        require(*swarm_error_message(error) != '\0');
        swarm_error_free(error);
    }
    if (swarm_create_body_from_inspect(&body, json, size, 3, NULL) == 0) {
        check_body(body, 0);
        swarm_create_body_free(body);
    }
    if (swarm_request_from_inspect(&request, json, size, 3, NULL) == 0)
        swarm_request_unref(request);
    return 0;
}
