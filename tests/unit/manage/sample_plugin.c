/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin for test_plugins.c: a filter and a strategy of the name that its arguments give. */
#include <swarm/plugin.h>

#ifndef SAMPLE_NO_SYMBOL

static int keep_all(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                    struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    return 0;
}

static int rank_alike(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                      const struct swarm_candidates *candidates, struct swarm_ranking *ranking,
                      struct swarm_error **reterr)
{
    for (struct swarm_node *node = NULL; (node = swarm_candidates_next(candidates, node));)
        swarm_ranking_offer(ranking, node, 0);
    return 0;
}

static int enter(struct swarm_registry *registry, const char *arguments, struct swarm_error **reterr)
{
    struct swarm_filter_ops filter = SWARM_FILTER_OPS_INIT;
    struct swarm_strategy_ops strategy = SWARM_STRATEGY_OPS_INIT;

    if (*arguments == '\0')
        return swarm_error_new(reterr, SWARM_ERR_INVALID, "a name is needed, as in sample.so:NAME");
    filter.name = strategy.name = arguments;
    filter.filter = keep_all;
    strategy.rank = rank_alike;
    int code = swarm_registry_add_filter(registry, &filter, NULL, reterr);
    return code != 0 ? code : swarm_registry_add_strategy(registry, &strategy, NULL, reterr);
}

#ifdef SAMPLE_OTHER_ABI
const struct swarm_plugin swarm_plugin_entry = {sizeof(struct swarm_plugin), SWARM_PLUGIN_ABI + 1, "sample", enter};
#else
const struct swarm_plugin swarm_plugin_entry = {SWARM_PLUGIN_HEAD, "sample", enter};
#endif

#else

int sample_without_an_entry;

#endif
