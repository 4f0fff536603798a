/* SPDX-License-Identifier: Apache-2.0 */
#include "candidates.h"
#include "decide.h"
#include "decision.h"
#include "error.h"
#include "explain.h"
#include "request.h"
#include "scheduler.h"

/* Every node is a candidate, whatever state it is in. */
static void start(struct swarm__explain *explain, struct swarm_candidates *candidates)
{
    swarm__nodeset_copy(&candidates->set, &candidates->cluster->nodes);
    swarm__explain_start(explain, candidates, NULL);
    candidates->explain = explain;
}

/* @return 0, SWARM_ERR_PARSE with the flaw, or a failure. */
static int run_filter(const struct swarm__step *step, const struct swarm_request *request,
                      struct swarm_candidates *candidates, struct swarm_error **reterr)
{
    void *data = step->extension ? step->extension->data : NULL;
    if (!step->ops->lasting)
        return 0;
    struct swarm_error *error = NULL;
    swarm__explain_step(candidates->explain, step->ops->name);
    int code = step->ops->lasting(data, request, candidates->cluster, candidates, &error);
    swarm__explain_filtered(candidates->explain, code, error);
    if (code == SWARM_ERR_NO_NODE) /* it took all that were left */
        swarm__nodeset_clear(&candidates->set);
    if (code == 0 || code == SWARM_ERR_NO_NODE) {
        swarm_error_free(error);
        return 0;
    }
    code = swarm__answer_known(code, "filter", step->ops->name, &error);
    *reterr = error;
    return code;
}

static int run(const struct swarm_scheduler *scheduler, const struct swarm_request *request,
               struct swarm_candidates *candidates, struct swarm_error **reterr)
{
    struct swarm__explain *explain = candidates->explain;
    for (size_t i = 0; i < scheduler->filter_count; i++) {
        int code = run_filter(&scheduler->filters[i], request, candidates, reterr);
        explain->refused = code == SWARM_ERR_PARSE;
        if (code != 0)
            return code;
    }
    for (uint32_t i = 0; i < request->extras->amount_count; i++) {
        swarm__resources_narrow(&candidates->cluster->resources, &request->extras->amounts[i], true, &candidates->set);
        swarm__explain_resource(explain, &request->extras->amounts[i], true);
    }
    swarm__explain_step(explain, scheduler->strategy->name);
    if (scheduler->strategy->needs_room)
        swarm__explain_capacity(candidates, request);
    explain->fit = swarm__nodeset_count(&candidates->set);
    if (explain->fit > 0)
        return 0;
    int code = swarm__error_set(reterr, SWARM_ERR_NO_NODE, "no node could ever take this container");
    explain->refused = code == SWARM_ERR_NO_NODE;
    return code;
}

static int answer(const struct swarm_scheduler *scheduler, const struct swarm_request *request,
                  struct swarm_candidates *candidates, struct swarm_decision **ret_decision,
                  struct swarm_error **reterr)
{
    struct swarm__explain *explain = candidates->explain;
    struct swarm_error *error = NULL;
    int code = run(scheduler, request, candidates, &error);
    if (code == 0 || explain->refused) {
        struct swarm_decision *decision = NULL;
        code = swarm__decision_new_explained(&decision, explain, NULL, 0, error);
        if (code == 0) {
            decision->lasting = true;
            *ret_decision = decision;
            return 0;
        }
    }
    if (code == SWARM_ERR_NOMEM) {
        swarm_error_free(error);
        return swarm__error_nomem(reterr);
    }
    if (reterr)
        *reterr = error;
    else
        swarm_error_free(error);
    return code;
}

int swarm_scheduler_would_fit(const struct swarm_scheduler *scheduler, const struct swarm_cluster *cluster,
                              const struct swarm_request *request, struct swarm_decision **ret_decision,
                              struct swarm_error **reterr)
{
    if (!scheduler || !cluster || !request || !ret_decision)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "would fit: a scheduler, cluster and request are needed");
    struct swarm__explain explain;
    struct swarm_candidates candidates;
    int code = swarm__candidates_init(&candidates, cluster);
    if (code != 0)
        return swarm__error_nomem(reterr);
    if (swarm__explain_init(&explain, cluster) != 0) {
        code = swarm__error_nomem(reterr);
    } else {
        start(&explain, &candidates);
        code = answer(scheduler, request, &candidates, ret_decision, reterr);
    }
    swarm__explain_finish(&explain);
    swarm__candidates_finish(&candidates);
    return code;
}
