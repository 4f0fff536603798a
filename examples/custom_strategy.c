/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strategy of one's own: best fit. Of the machines with room, the one that is left with the least memory, so that the
 * large ones stay free for what is large.
 */
#include <stdio.h>
#include <stdlib.h>

#include <swarm/ops.h>
#include <swarm/swarm.h>

#define GIB (1LL << 30)

/* ---- the strategy ---- */

static int rank_best_fit(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                         const struct swarm_candidates *candidates, struct swarm_ranking *ranking,
                         struct swarm_error **reterr)
{
    (void)data, (void)cluster, (void)reterr;
    for (struct swarm_node *node = NULL; (node = swarm_candidates_next(candidates, node));) {
        int64_t memory = swarm_node_total_memory(node) - swarm_node_used_memory(node) - swarm_request_memory(request);
        int64_t cpus =
            swarm_node_total_cpus_milli(node) - swarm_node_used_cpus_milli(node) - swarm_request_cpus_milli(request);
        if (memory >= 0 && cpus >= 0)
            swarm_ranking_offer(ranking, node, -memory); /* the greatest score wins */
    }
    return 0; /* where nothing was offered, there is no room anywhere */
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
    struct swarm_strategy_ops ops = SWARM_STRATEGY_OPS_INIT;
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    struct swarm_registry *registry;
    struct swarm_scheduler *scheduler;
    ops.name = "best-fit";
    ops.rank = rank_best_fit;
    check(swarm_registry_new(&registry, &error));
    check(swarm_registry_add_strategy(registry, &ops, NULL, &error));
    options.strategy = "best-fit";
    options.registry = registry;
    check(swarm_scheduler_new(&scheduler, &options, &error));
    swarm_registry_free(registry); /* the scheduler keeps what it uses */
    return scheduler;
}

static void add_machine(struct swarm_cluster *cluster, const char *name, int64_t memory_gib)
{
    struct swarm_node *node;
    check(swarm_cluster_add_node(cluster, name, name, "", &node, &error));
    check(swarm_node_set_capacity(node, 16000, memory_gib * GIB, &error));
}

static void place(const struct swarm_scheduler *scheduler, struct swarm_cluster *cluster, const char *id,
                  int64_t memory_gib)
{
    struct swarm_request *request;
    struct swarm_reservation *reservation;
    check(swarm_request_new(&request, &error));
    check(swarm_request_set_memory(request, memory_gib * GIB, &error));
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
    add_machine(cluster, "small", 8);
    add_machine(cluster, "medium", 32);
    add_machine(cluster, "large", 128);
    place(scheduler, cluster, "cache", 6);
    place(scheduler, cluster, "web", 4);
    place(scheduler, cluster, "database", 100);
    place(scheduler, cluster, "another database", 100);
    swarm_scheduler_free(scheduler);
    swarm_cluster_free(cluster);
    return EXIT_SUCCESS;
}
