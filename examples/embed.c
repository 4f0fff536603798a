/* SPDX-License-Identifier: Apache-2.0 */
/* Scheduling without Docker: game servers on three machines, in libswarm's own words. */
#include <stdio.h>
#include <stdlib.h>

#include <swarm/swarm.h>

static struct swarm_error *error;

/* Every call answers 0 or a code, with the reason in its last argument. */
static void check(int code)
{
    if (code == 0)
        return;
    fprintf(stderr, "%s\n", error ? swarm_error_message(error) : swarm_strerror(code));
    exit(EXIT_FAILURE);
}

static void add_machine(struct swarm_cluster *cluster, const char *name, int64_t cpus_milli, const char *region)
{
    struct swarm_node *node;
    check(swarm_cluster_add_node(cluster, name, name, "", &node, &error));
    check(swarm_node_set_capacity(node, cpus_milli, 8LL << 30, &error));
    check(swarm_node_set_labels(node, (const char *[]){"region"}, &region, 1, &error));
}

int main(void)
{
    struct swarm_cluster *cluster;
    struct swarm_scheduler *scheduler;
    check(swarm_cluster_new(&cluster, &error));
    check(swarm_scheduler_new(&scheduler, NULL, &error));
    add_machine(cluster, "oslo-1", 8000, "eu-north");
    add_machine(cluster, "oslo-2", 4000, "eu-north");
    add_machine(cluster, "lima-1", 8000, "sa-west");

    for (int i = 0; i < 4; i++) {
        char id[16];
        snprintf(id, sizeof(id), "match-%d", i);
        struct swarm_request *request;
        struct swarm_reservation *place;
        check(swarm_request_new(&request, &error));
        check(swarm_request_set_cpus(request, 1500, &error));
        check(swarm_request_add_constraint(request, "region==eu-*", &error));
        check(swarm_scheduler_place(scheduler, cluster, request, NULL, &place, &error));
        printf("%s goes to %s\n", id, swarm_node_name(swarm_reservation_node(place)));
        /* Start it there now. The place counts already; commit it when it runs, or abort it if it does not. */
        check(swarm_reservation_commit(place, id, NULL, &error));
        swarm_request_unref(request);
    }

    swarm_scheduler_free(scheduler);
    swarm_cluster_free(cluster);
    return EXIT_SUCCESS;
}
