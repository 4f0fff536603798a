/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter of one's own: no two copies of a service in one rack. A machine's rack is its label "rack", a copy's service
 * its label "service".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <swarm/ops.h>
#include <swarm/swarm.h>

/* ---- the filter ---- */

/* Whether a copy of the service is on the node. */
static int has_copy(const struct swarm_node *node, const char *service)
{
    for (struct swarm_container *at = NULL; (at = swarm_node_next_container(node, at));) {
        const char *other = swarm_request_label(swarm_container_request(at), "service");
        if (other && strcmp(other, service) == 0)
            return 1;
    }
    return 0;
}

/* Whether a copy is anywhere in the node's rack; a node without a rack is a rack of its own. */
static int rack_has_copy(const struct swarm_cluster *cluster, const struct swarm_node *node, const char *service)
{
    const char *rack = swarm_node_label(node, "rack");
    if (!rack)
        return has_copy(node, service);
    for (struct swarm_node *at = NULL; (at = swarm_cluster_next_node(cluster, at));) {
        const char *other = swarm_node_label(at, "rack");
        if (other && strcmp(other, rack) == 0 && has_copy(at, service))
            return 1;
    }
    return 0;
}

static int keep_racks_apart(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                            struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    const char *service = swarm_request_label(request, "service");
    (void)data, (void)soft;
    if (!service)
        return 0;
    if (!*service)
        return swarm_error_new(reterr, SWARM_ERR_INVALID, "label service is empty: a name is expected");
    for (struct swarm_node *node = NULL; (node = swarm_candidates_next(candidates, node));)
        if (rack_has_copy(cluster, node, service))
            swarm_candidates_remove(candidates, node);
    swarm_candidates_refuse(candidates, SWARM_REASON_OTHER, "a copy is in the rack"); /* for who asks why */
    return 0;
}

/* For the text of a refusal: what was looked for. */
static int list_conditions(void *data, const struct swarm_request *request, struct swarm_conditions *conditions,
                           struct swarm_error **reterr)
{
    const char *service = swarm_request_label(request, "service");
    char text[100];
    (void)data, (void)reterr;
    if (!service)
        return 0;
    snprintf(text, sizeof(text), "rack without service %s", service);
    return swarm_conditions_add(conditions, text);
}

/* ---- its use ---- */

static struct swarm_error *error;

static void check(int code)
{
    if (code == 0)
        return;
    fprintf(stderr, "%s\n", error ? swarm_error_message(error) : swarm_strerror(code));
    exit(EXIT_FAILURE);
}

static struct swarm_scheduler *make_scheduler(void)
{
    static const char *const filters[] = {"health", "constraint", "racks"};
    struct swarm_filter_ops ops = SWARM_FILTER_OPS_INIT;
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    struct swarm_registry *registry;
    struct swarm_scheduler *scheduler;
    ops.name = "racks";
    ops.filter = keep_racks_apart;
    ops.conditions = list_conditions;
    check(swarm_registry_new(&registry, &error));
    check(swarm_registry_add_filter(registry, &ops, NULL, &error));
    options.filters = filters;
    options.filter_count = sizeof(filters) / sizeof(filters[0]);
    options.registry = registry;
    check(swarm_scheduler_new(&scheduler, &options, &error));
    swarm_registry_free(registry); /* the scheduler keeps what it uses */
    return scheduler;
}

static void add_machine(struct swarm_cluster *cluster, const char *name, const char *rack)
{
    static const char *const key = "rack";
    struct swarm_node *node;
    check(swarm_cluster_add_node(cluster, name, name, "", &node, &error));
    check(swarm_node_set_labels(node, &key, &rack, 1, &error));
}

static void place(const struct swarm_scheduler *scheduler, struct swarm_cluster *cluster, const char *id,
                  const char *service)
{
    struct swarm_request *request;
    struct swarm_reservation *reservation;
    check(swarm_request_new(&request, &error));
    check(swarm_request_set_label(request, "service", service, &error));
    int code = swarm_scheduler_place(scheduler, cluster, request, NULL, &reservation, &error);
    if (code == SWARM_ERR_NO_NODE) {
        printf("%s goes nowhere: %s\n", id, swarm_error_message(error));
        swarm_error_free(error);
        error = NULL;
    } else {
        check(code);
        printf("%s goes to %s\n", id, swarm_node_name(swarm_reservation_node(reservation)));
        check(swarm_reservation_commit(reservation, id, NULL, &error));
    }
    swarm_request_unref(request);
}

int main(void)
{
    struct swarm_cluster *cluster;
    struct swarm_scheduler *scheduler = make_scheduler();
    check(swarm_cluster_new(&cluster, &error));
    add_machine(cluster, "a-1", "a");
    add_machine(cluster, "a-2", "a");
    add_machine(cluster, "b-1", "b");
    place(scheduler, cluster, "db-1", "db");
    place(scheduler, cluster, "web-1", "web");
    place(scheduler, cluster, "db-2", "db");
    place(scheduler, cluster, "db-3", "db"); /* there are two racks only */
    swarm_scheduler_free(scheduler);
    swarm_cluster_free(cluster);
    return EXIT_SUCCESS;
}
