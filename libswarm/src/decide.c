/* SPDX-License-Identifier: Apache-2.0 */
#include "decide.h"

#include "container.h"
#include "error.h"
#include "explain.h"
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

int swarm__answer_known(int code, const char *kind, const char *name, struct swarm_error **reterr)
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

/* One way through filters and strategy. */
struct pass {
    const struct swarm_scheduler *scheduler;
    const struct swarm_request *request;
    const struct swarm_container *replaces;
    int soft;
    bool last; /* a refusal is the answer, so that it needs its text */
};

static bool is_refusal(int code)
{
    return code == SWARM_ERR_NO_NODE || code == SWARM_ERR_PARSE;
}

/* What a filter's answer comes to. @p error is taken. */
static int filter_answer(const struct pass *pass, size_t index, int code, bool emptied, struct swarm_error *error,
                         struct swarm_error **reterr)
{
    if (code == 0 && !emptied) {
        swarm_error_free(error);
        return 0;
    }
    if (code == 0 || code == SWARM_ERR_PARSE || (code == SWARM_ERR_NO_NODE && !error)) {
        swarm_error_free(error);
        code = code == 0 ? SWARM_ERR_NO_NODE : code;
        return pass->last ? swarm__refuse(pass->scheduler, pass->request, index, code, reterr) : code;
    }
    code = swarm__answer_known(code, "filter", pass->scheduler->filters[index].ops->name, reterr ? &error : NULL);
    if (reterr)
        *reterr = error;
    return code;
}

static int run_filter(const struct pass *pass, size_t index, struct swarm_candidates *candidates,
                      struct swarm_error **reterr)
{
    const struct swarm__step *step = &pass->scheduler->filters[index];
    void *data = step->extension ? step->extension->data : NULL;
    bool was_empty = swarm__nodeset_empty(&candidates->set);
    struct swarm_error *error = NULL;
    if (candidates->explain)
        swarm__explain_step(candidates->explain, step->ops->name);
    int code =
        step->ops->filter(data, pass->request, candidates->cluster, candidates, pass->soft, reterr ? &error : NULL);
    if (candidates->explain)
        swarm__explain_filtered(candidates->explain, code, error);
    return filter_answer(pass, index, code, !was_empty && swarm__nodeset_empty(&candidates->set), error, reterr);
}

int swarm__rank(const struct swarm_scheduler *scheduler, const struct swarm_request *request,
                const struct swarm_candidates *candidates, struct swarm_ranking *ranking, struct swarm_error **reterr)
{
    const struct swarm_strategy_ops *ops = scheduler->strategy;
    void *data = scheduler->strategy_extension ? scheduler->strategy_extension->data : NULL;
    struct swarm_error *error = NULL;
    int code = ops->rank(data, request, candidates->cluster, candidates, ranking, reterr ? &error : NULL);
    if (code == 0)
        return 0;
    code = swarm__answer_known(code, "strategy", ops->name, reterr ? &error : NULL);
    if (reterr)
        *reterr = error;
    return code;
}

static void narrow_to_resources(struct swarm_candidates *candidates, const struct swarm_request *request)
{
    const struct swarm__resources *resources = &candidates->cluster->resources;
    for (uint32_t i = 0; i < request->extras->amount_count; i++) {
        swarm__resources_narrow(resources, &request->extras->amounts[i], false, &candidates->set);
        if (candidates->explain)
            swarm__explain_resource(candidates->explain, &request->extras->amounts[i], false);
    }
}

static int run_strategy(const struct pass *pass, struct swarm__outcome *outcome, struct swarm_error **reterr)
{
    struct swarm_candidates *candidates = &outcome->candidates;
    if (swarm__nodeset_empty(&candidates->set))
        return swarm__error_set(reterr, SWARM_ERR_NO_NODE, "No nodes available in the cluster");
    narrow_to_resources(candidates, pass->request);
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
    if (candidates->explain &&
        swarm__explain_ranking(candidates, pass->scheduler, pass->request, &outcome->ranking) != 0)
        return swarm__error_nomem(reterr);
    bool none = candidates->explain && swarm__nodeset_empty(outcome->ranking.left);
    int code = none ? 0 : swarm__rank(pass->scheduler, pass->request, candidates, &outcome->ranking, reterr);
    if (candidates->explain && code == 0)
        swarm__explain_ranked(candidates, pass->scheduler, pass->request);
    if (code != 0 || outcome->ranking.count > 0)
        return code;
    return swarm__error_set(reterr, SWARM_ERR_NO_NODE, NO_RESOURCES);
}

static int run(const struct pass *pass, struct swarm__outcome *outcome, struct swarm_error **reterr)
{
    struct swarm_candidates *candidates = &outcome->candidates;
    start(candidates, pass->replaces);
    if (candidates->explain)
        swarm__explain_start(candidates->explain, candidates, pass->replaces);
    for (size_t i = 0; i < pass->scheduler->filter_count; i++) {
        int code = run_filter(pass, i, candidates, reterr);
        if (code != 0)
            return code;
    }
    return run_strategy(pass, outcome, reterr);
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
    return any_soft(&request->extras->constraints) || any_soft(&request->extras->affinities) ||
           any_soft(&request->extras->whitelists);
}

static struct swarm__excluded count_excluded(const struct swarm_cluster *cluster,
                                             const struct swarm_container *replaces)
{
    struct swarm__excluded excluded = {0, 0, 0, 0};
    uint32_t replaced = replaces ? replaces->node->slot : UINT32_MAX;
    for (size_t word = 0; word < cluster->nodes.length; word++)
        for (uint64_t out = cluster->nodes.words[word] & ~cluster->active.words[word]; out; out &= out - 1) {
            size_t slot = word * SWARM__NODESET_WORD + (size_t)__builtin_ctzll(out);
            if (slot == replaced)
                continue;
            excluded.paused += cluster->slots[slot].availability == SWARM_AVAILABILITY_PAUSED;
            excluded.draining += cluster->slots[slot].availability == SWARM_AVAILABILITY_DRAINING;
            excluded.unannounced += cluster->slots[slot].availability == SWARM_AVAILABILITY_UNANNOUNCED;
        }
    excluded.replaced = replaces != NULL;
    return excluded;
}

/* One pass, or two. */
static int run_all(const struct swarm_scheduler *scheduler, const struct swarm_request *request,
                   const struct swarm_container *replaces, struct swarm__outcome *outcome, struct swarm_error **reterr)
{
    struct pass pass = {scheduler, request, replaces, 1, !has_soft(request)};
    struct swarm_error *error = NULL;
    int code = run(&pass, outcome, reterr ? &error : NULL);
    if (is_refusal(code) && !pass.last) {
        swarm_error_free(error);
        error = NULL;
        outcome->soft_dropped = true;
        pass.soft = 0;
        pass.last = true;
        code = run(&pass, outcome, reterr ? &error : NULL);
    }
    if (reterr && code != 0)
        *reterr = error;
    return code;
}

int swarm__decide(const struct swarm_scheduler *scheduler, const struct swarm_cluster *cluster,
                  const struct swarm_request *request, const struct swarm_place_options *options,
                  struct swarm__aside aside, struct swarm__outcome *outcome, struct swarm_error **reterr)
{
    outcome->seed = options->seed;
    int code = swarm__candidates_init(&outcome->candidates, cluster);
    if (code != 0)
        return swarm__error_nomem(reterr);
    outcome->candidates.learning = aside.learning;
    outcome->candidates.explain = aside.explain;
    code = run_all(scheduler, request, options->replaces, outcome, reterr);
    if (aside.explain)
        code = swarm__explain_outcome(aside.explain, scheduler, request, options, code, outcome, reterr);
    if (is_refusal(code) && !aside.explain) {
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
