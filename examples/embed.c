/* SPDX-License-Identifier: Apache-2.0 */
/* Game servers on three machines: all that it takes to embed libswarm. No Docker anywhere. */
#include <stdio.h>

#include <swarm/swarm.h>

int main(void)
{
    static const char *const machines[] = {"oslo-1", "oslo-2", "lima-1"};
    struct swarm_error *error = NULL;
    struct swarm_cluster *cluster = NULL;
    struct swarm_scheduler *scheduler = NULL;
    struct swarm_node *node;
    int failed = swarm_cluster_new(&cluster, &error) || swarm_scheduler_new(&scheduler, NULL, &error);
    for (int i = 0; i < 3 && !failed; i++)
        failed = swarm_cluster_add_node(cluster, machines[i], machines[i], "", &node, &error) ||
                 swarm_node_set_capacity(node, 8000, 8LL << 30, &error); /* milli-CPU, bytes */
    for (int i = 0; i < 4 && !failed; i++) {
        char id[] = {'m', 'a', 't', 'c', 'h', '-', (char)('0' + i), '\0'};
        struct swarm_request *request = NULL;
        struct swarm_reservation *place;
        failed = swarm_request_new(&request, &error) || swarm_request_set_cpus_milli(request, 1500, &error) ||
                 swarm_request_add_constraint(request, "node==oslo-*", &error) ||
                 swarm_scheduler_place(scheduler, cluster, request, NULL, &place, &error);
        if (!failed) { /* start it there now: the place counts already; give it back with swarm_reservation_abort() */
            printf("%s goes to %s\n", id, swarm_node_name(swarm_reservation_node(place)));
            failed = swarm_reservation_commit(place, id, NULL, &error);
        }
        swarm_request_unref(request);
    }
    if (failed)
        fprintf(stderr, "%s\n", swarm_error_message(error));
    swarm_error_free(error);
    swarm_scheduler_free(scheduler);
    swarm_cluster_free(cluster);
    return failed ? 1 : 0;
}
