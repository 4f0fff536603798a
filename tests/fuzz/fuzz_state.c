/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded states and requests: what is taken is written as a text that is taken again and written the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <swarm/swarm.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

/* A code and an error, or neither. */
static void require_error(int code, struct swarm_error *error)
{
    require(code == swarm_error_code(error));
    require(code == 0 || code == SWARM_ERR_PARSE);
    swarm_error_free(error);
}

static void check_cluster(const char *json, size_t length)
{
    struct swarm_cluster *cluster = NULL, *copy = NULL;
    struct swarm_error *error = NULL;
    char *first, *second;
    size_t written;
    int code = swarm_cluster_read(&cluster, json, length, &error);
    require_error(code, error);
    if (code != 0)
        return;
    require(swarm_cluster_write(cluster, &first, &written, NULL) == 0);
    require(swarm_cluster_read(&copy, first, written, NULL) == 0);
    require(swarm_cluster_write(copy, &second, NULL, NULL) == 0);
    require(strcmp(first, second) == 0);
    for (struct swarm_reservation *place; (place = swarm_cluster_next_reservation(copy, NULL));)
        swarm_reservation_abort(place);
    while (swarm_cluster_node_count(copy) > 0)
        swarm_cluster_remove_node(copy, swarm_cluster_next_node(copy, NULL));
    swarm_free(first);
    swarm_free(second);
    swarm_cluster_free(cluster);
    swarm_cluster_free(copy);
}

static void check_request(const char *json, size_t length)
{
    struct swarm_request *request = NULL, *copy = NULL;
    struct swarm_error *error = NULL;
    char *first, *second;
    size_t written;
    int code = swarm_request_read(&request, json, length, &error);
    require_error(code, error);
    if (code != 0)
        return;
    require(swarm_request_write(request, &first, &written, NULL) == 0);
    require(swarm_request_read(&copy, first, written, NULL) == 0);
    require(swarm_request_write(copy, &second, NULL, NULL) == 0);
    require(strcmp(first, second) == 0);
    swarm_free(first);
    swarm_free(second);
    swarm_request_unref(request);
    swarm_request_unref(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_cluster((const char *)data, size);
    check_request((const char *)data, size);
    return 0;
}
