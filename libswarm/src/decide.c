/* SPDX-License-Identifier: Apache-2.0 */
#include "decide.h"

#include "container.h"
#include "error.h"
#include "mem.h"
#include "request.h"

#define NO_RESOURCES "no resources available to schedule container"

static void start(struct swarm_candidates *candidates, const struct swarm_container *replaces)
{
    swarm__nodeset_copy(&candidates->set, &candidates->cluster->nodes);
    swarm__nodeset_and(&candidates->set, &candidates->cluster->active);
    if (replaces)
        swarm__nodeset_remove(&candidates->set, replaces->node->slot);
}

/* What a callback answered, as the rest of a decision understands it. */
static int known(int code, const char *kind, const char *name, struct swarm_error **reterr)
{
    bool error = reterr && *reterr;
    if (code == SWARM_ERR_NO_NODE || code == SWARM_ERR_PARSE || code == SWARM_ERR_NOMEM)
        return error ? code : swarm__error_set(reterr, code, "%s %s: %s", kind, name, swarm_strerror(code));
    if (error)
        swarm__error_prefix(reterr, "%s %s", kind, name);
    if (swarm__error_is_code(code) && (error || !reterr))
        return code;
    return error ? SWARM_ERR_INVALID
                 : swarm__error_set(reterr, SWARM_ERR_INVALID, "%s %s: it answered %d and no error", kind, name, code);
}

static int run_filter(const struct swarm_scheduler *scheduler, size_t index, const struct swarm_request *request,
                      struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    const struct swarm__step *step = &scheduler->filters[index];
    void *data = step->extension ? step->extension->data : NULL;
    bool was_empty = swarm__nodeset_empty(&candidates->set);
    struct swarm_error *error = NULL;
    int code = step->ops->filter(data, request, candidates->cluster, candidates, soft, reterr ? &error : NULL);
    if (code == 0 && (was_empty || !swarm__nodeset_empty(&candidates->set)))
        return 0;
    if (code == 0)
        return swarm__refuse(scheduler, request, index, SWARM_ERR_NO_NODE, reterr);
    if (code == SWARM_ERR_PARSE || (code == SWARM_ERR_NO_NODE && !error)) {
        swarm_error_free(error);
        return swarm__refuse(scheduler, request, index, code, reterr);
    }
    code = known(code, "filter", step->ops->name, reterr ? &error : NULL);
    if (reterr)
        *reterr = error;
    return code;
}

static int run_strategy(const struct swarm_scheduler *scheduler, const struct swarm_request *request,
                        struct swarm__outcome *outcome, struct swarm_error **reterr)
{
    const struct swarm_strategy_ops *ops = scheduler->strategy;
    void *data = scheduler->strategy_extension ? scheduler->strategy_extension->data : NULL;
    struct swarm_candidates *candidates = &outcome->candidates;
    if (swarm__nodeset_empty(&candidates->set))
        return swarm__error_set(reterr, SWARM_ERR_NO_NODE, "No nodes available in the cluster");
    swarm__resources_narrow(&candidates->cluster->resources, request, &candidates->set);
    size_t count = swarm__nodeset_count(&candidates->set);
    if (count == 0)
        return swarm__error_set(reterr, SWARM_ERR_NO_NODE, NO_RESOURCES);
    swarm__free(outcome->ranking.ties);
    outcome->ranking = (struct swarm_ranking){.candidates = candidates, .seed = outcome->seed, .room = count};
    if (outcome->list_ties) {
        outcome->ranking.ties = swarm__malloc(count * sizeof(uint32_t));
        if (!outcome->ranking.ties)
            return swarm__error_nomem(reterr);
    }
    struct swarm_error *error = NULL;
    int code = ops->rank(data, request, candidates->cluster, candidates, &outcome->ranking, reterr ? &error : NULL);
    if (code == 0 && outcome->ranking.count > 0)
        return 0;
    if (code == 0)
        return swarm__error_set(reterr, SWARM_ERR_NO_NODE, NO_RESOURCES);
    code = known(code, "strategy", ops->name, reterr ? &error : NULL);
    if (reterr)
        *reterr = error;
    return code;
}

static int pass(const struct swarm_scheduler *scheduler, const struct swarm_request *request,
                const struct swarm_container *replaces, int soft, struct swarm__outcome *outcome,
                struct swarm_error **reterr)
{
    start(&outcome->candidates, replaces);
    for (size_t i = 0; i < scheduler->filter_count; i++) {
        int code = run_filter(scheduler, i, request, &outcome->candidates, soft, reterr);
        if (code != 0)
            return code;
    }
    return run_strategy(scheduler, request, outcome, reterr);
}

static bool any_soft(const struct swarm__exprs *exprs)
{
    for (uint32_t i = 0; i < exprs->count; i++)
        if (exprs->items[i].soft)
            return true;
    return false;
}

static bool has_soft(const struct swarm_request *request)
{
    return any_soft(&request->constraints) || any_soft(&request->affinities) || any_soft(&request->whitelists);
}

static struct swarm__excluded count_excluded(const struct swarm_cluster *cluster,
                                             const struct swarm_container *replaces)
{
    struct swarm__excluded excluded = {0, 0, 0};
    for (size_t i = 0; i < cluster->slot_count; i++) {
        const struct swarm__slot *slot = &cluster->slots[i];
        if (!slot->node)
            continue;
        if (replaces && slot->node == replaces->node)
            excluded.replaced++;
        else if (slot->availability == SWARM_AVAILABILITY_PAUSED)
            excluded.paused++;
        else if (slot->availability == SWARM_AVAILABILITY_DRAINING)
            excluded.draining++;
    }
    return excluded;
}

static bool is_refusal(int code)
{
    return code == SWARM_ERR_NO_NODE || code == SWARM_ERR_PARSE;
}

int swarm__decide(const struct swarm_scheduler *scheduler, const struct swarm_cluster *cluster,
                  struct swarm_cluster *learning, const struct swarm_request *request,
                  const struct swarm_place_options *options, struct swarm__outcome *outcome,
                  struct swarm_error **reterr)
{
    outcome->seed = options->seed;
    int code = swarm__candidates_init(&outcome->candidates, cluster);
    if (code != 0)
        return swarm__error_nomem(reterr);
    outcome->candidates.learning = learning;
    bool twice = has_soft(request);
    code = pass(scheduler, request, options->replaces, 1, outcome, twice ? NULL : reterr);
    if (is_refusal(code) && twice) {
        outcome->soft_dropped = true;
        code = pass(scheduler, request, options->replaces, 0, outcome, reterr);
    } else if (code != 0 && twice) {
        code = swarm__error_set(reterr, code, "%s", swarm_strerror(code));
    }
    if (is_refusal(code)) {
        struct swarm__excluded excluded = count_excluded(cluster, options->replaces);
        code = swarm__refuse_excluded(code, &excluded, reterr);
    }
    if (code != 0)
        swarm__outcome_finish(outcome);
    return code;
}

void swarm__outcome_finish(struct swarm__outcome *outcome)
{
    swarm__free(outcome->ranking.ties);
    outcome->ranking.ties = NULL;
    swarm__candidates_finish(&outcome->candidates);
}
