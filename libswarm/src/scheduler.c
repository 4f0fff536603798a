/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler.h"

#include "abi.h"
#include "container.h"
#include "decide.h"
#include "decision.h"
#include "error.h"
#include "explain.h"
#include "filter.h"
#include "mem.h"
#include "request.h"
#include "strategy.h"

/* Sizes of these structs when they were first published (1.3). */
#define SCHEDULER_OPTIONS_FIRST (offsetof(struct swarm_scheduler_options, registry) + sizeof(void *))
#define PLACE_OPTIONS_FIRST (offsetof(struct swarm_place_options, ranked) + sizeof(size_t))
_Static_assert(SCHEDULER_OPTIONS_FIRST == 3 * sizeof(void *) + 2 * sizeof(size_t), "published layout");
_Static_assert(PLACE_OPTIONS_FIRST == sizeof(uint64_t) + 2 * sizeof(size_t) + 2 * sizeof(void *), "published layout");

static int find_strategy(struct swarm_scheduler *scheduler, const char *name, const struct swarm_registry *registry,
                         struct swarm_error **reterr)
{
    scheduler->strategy = swarm__strategy_builtin(name);
    if (scheduler->strategy)
        return 0;
    struct swarm__extension *extension = swarm__registry_strategy(registry, name);
    if (!extension)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "strategy not supported: '%s'", name);
    scheduler->strategy_extension = swarm__extension_ref(extension);
    scheduler->strategy = &extension->strategy;
    return 0;
}

static int find_filter(struct swarm__step *step, const char *name, const struct swarm_registry *registry,
                       struct swarm_error **reterr)
{
    if (!name)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "filter not supported: NULL");
    step->ops = swarm__filter_builtin(name);
    if (step->ops)
        return 0;
    struct swarm__extension *extension = swarm__registry_filter(registry, name);
    if (!extension)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "filter not supported: '%s'", name);
    step->extension = swarm__extension_ref(extension);
    step->ops = &extension->filter;
    return 0;
}

static size_t count_builtin_filters(void)
{
    size_t count = 0;
    while (swarm_filter_name(count))
        count++;
    return count;
}

static int find_all(struct swarm_scheduler *scheduler, const struct swarm_scheduler_options *options,
                    struct swarm_error **reterr)
{
    int code = find_strategy(scheduler, options->strategy ? options->strategy : swarm_strategy_name(0),
                             options->registry, reterr);
    size_t count = options->filters ? options->filter_count : count_builtin_filters();
    if (code == 0 && count > 0) {
        scheduler->filters = swarm__calloc(count, sizeof(*scheduler->filters));
        if (!scheduler->filters)
            return swarm__error_nomem(reterr);
    }
    for (size_t i = 0; i < count && code == 0; i++) {
        const char *name = options->filters ? options->filters[i] : swarm_filter_name(i);
        code = find_filter(&scheduler->filters[i], name, options->registry, reterr);
        scheduler->filter_count += code == 0;
    }
    return code;
}

int swarm_scheduler_new(struct swarm_scheduler **ret_scheduler, const struct swarm_scheduler_options *options,
                        struct swarm_error **reterr)
{
    if (!ret_scheduler)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "scheduler: ret_scheduler is NULL");
    struct swarm_scheduler_options all = SWARM_SCHEDULER_OPTIONS_INIT;
    if (options && swarm__abi_read(&all, sizeof(all), SCHEDULER_OPTIONS_FIRST, options) != 0)
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "scheduler options: size %zu: start with SWARM_SCHEDULER_OPTIONS_INIT", options->size);
    struct swarm_scheduler *scheduler = swarm__calloc(1, sizeof(*scheduler));
    if (!scheduler)
        return swarm__error_nomem(reterr);
    int code = find_all(scheduler, &all, reterr);
    if (code != 0) {
        swarm_scheduler_free(scheduler);
        return code;
    }
    *ret_scheduler = scheduler;
    return 0;
}

void swarm_scheduler_free(struct swarm_scheduler *scheduler)
{
    if (!scheduler)
        return;
    for (size_t i = 0; i < scheduler->filter_count; i++)
        swarm__extension_unref(scheduler->filters[i].extension);
    swarm__free(scheduler->filters);
    swarm__extension_unref(scheduler->strategy_extension);
    swarm__free(scheduler);
}

const char *swarm_scheduler_strategy(const struct swarm_scheduler *scheduler)
{
    return scheduler ? scheduler->strategy->name : NULL;
}

const char *swarm_scheduler_filter(const struct swarm_scheduler *scheduler, size_t index)
{
    return scheduler && index < scheduler->filter_count ? scheduler->filters[index].ops->name : NULL;
}

static int check_arguments(const struct swarm_scheduler *scheduler, const struct swarm_cluster *cluster,
                           const struct swarm_request *request, const struct swarm_place_options *options,
                           struct swarm_place_options *ret_options, struct swarm_error **reterr)
{
    if (!scheduler || !cluster || !request)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "placement: a scheduler, cluster and request are needed");
    if (options && swarm__abi_read(ret_options, sizeof(*ret_options), PLACE_OPTIONS_FIRST, options) != 0)
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "place options: size %zu: start with SWARM_PLACE_OPTIONS_INIT", options->size);
    if (ret_options->replaces && ret_options->replaces->node->cluster != cluster)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "placement: the container to replace is of another cluster");
    return 0;
}

/* The request with one more affinity: a copy, for one decision. */
static int decide_with_affinity(const struct swarm_scheduler *scheduler, const struct swarm_cluster *cluster,
                                const struct swarm_request *request, const struct swarm_place_options *options,
                                struct swarm__aside aside, struct swarm__outcome *outcome, struct swarm_error **reterr)
{
    struct swarm_request *copy = NULL;
    int code = swarm_request_copy(&copy, request, reterr);
    if (code != 0)
        return code;
    code = swarm_request_add_affinity(copy, options->extra_affinity, reterr);
    if (code == 0)
        code = swarm__decide(scheduler, cluster, copy, options, aside, outcome, reterr);
    swarm_request_unref(copy);
    return code;
}

static int decide(const struct swarm_scheduler *scheduler, const struct swarm_cluster *cluster,
                  const struct swarm_request *request, const struct swarm_place_options *options,
                  struct swarm__aside aside, struct swarm__outcome *outcome, struct swarm_error **reterr)
{
    const char *name = swarm_request_name(request);
    if (name && *name) {
        int code = swarm__cluster_check_name(cluster, name, options->replaces, reterr);
        if (code == SWARM_ERR_NAME_TAKEN && aside.explain)
            swarm__explain_name(aside.explain, name,
                                swarm__cluster_name_taken(cluster, name, options->replaces)->owner);
        if (code != 0)
            return code;
    }
    if (options->extra_affinity)
        return decide_with_affinity(scheduler, cluster, request, options, aside, outcome, reterr);
    return swarm__decide(scheduler, cluster, request, options, aside, outcome, reterr);
}

int swarm_scheduler_place(const struct swarm_scheduler *scheduler, struct swarm_cluster *cluster,
                          struct swarm_request *request, const struct swarm_place_options *options,
                          struct swarm_reservation **ret_reservation, struct swarm_error **reterr)
{
    if (!ret_reservation)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "placement: ret_reservation is NULL");
    struct swarm_place_options all = SWARM_PLACE_OPTIONS_INIT;
    struct swarm__outcome outcome = {.list_ties = false};
    int code = check_arguments(scheduler, cluster, request, options, &all, reterr);
    if (code == 0)
        code = decide(scheduler, cluster, request, &all, (struct swarm__aside){cluster, NULL}, &outcome, reterr);
    if (code != 0)
        return code;
    struct swarm_node *node = cluster->slots[outcome.ranking.chosen].node;
    swarm__outcome_finish(&outcome);
    return swarm_cluster_reserve(cluster, node, request, ret_reservation, reterr);
}

int swarm_scheduler_plan(const struct swarm_scheduler *scheduler, const struct swarm_cluster *cluster,
                         const struct swarm_request *request, const struct swarm_place_options *options,
                         struct swarm_decision **ret_decision, struct swarm_error **reterr)
{
    if (!ret_decision)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "plan: ret_decision is NULL");
    struct swarm_place_options all = SWARM_PLACE_OPTIONS_INIT;
    struct swarm__outcome outcome = {.list_ties = true};
    int code = check_arguments(scheduler, cluster, request, options, &all, reterr);
    if (code == 0)
        code = decide(scheduler, cluster, request, &all, (struct swarm__aside){NULL, NULL}, &outcome, reterr);
    if (code != 0)
        return code;
    if (swarm__decision_new(ret_decision, &outcome, all.seed) != 0)
        code = swarm__error_nomem(reterr);
    swarm__outcome_finish(&outcome);
    return code;
}

/* Decide and make a decision of it, granted or refused. */
static int explain_with(struct swarm__explain *explain, const struct swarm_scheduler *scheduler,
                        const struct swarm_request *request, const struct swarm_place_options *options,
                        struct swarm_decision **ret_decision, struct swarm_error **reterr)
{
    struct swarm__outcome outcome = {.list_ties = true};
    struct swarm_error *error = NULL;
    int code =
        decide(scheduler, explain->cluster, request, options, (struct swarm__aside){NULL, explain}, &outcome, &error);
    bool granted = code == 0;
    if (granted || explain->refused) {
        code = swarm__decision_new_explained(ret_decision, explain, granted ? &outcome : NULL, options->seed, error);
        if (code == 0)
            error = NULL;
    }
    if (granted)
        swarm__outcome_finish(&outcome);
    if (code == SWARM_ERR_NOMEM) {
        swarm_error_free(error);
        return swarm__error_nomem(reterr);
    }
    if (reterr && code != 0)
        *reterr = error;
    else
        swarm_error_free(error);
    return code;
}

int swarm_scheduler_explain(const struct swarm_scheduler *scheduler, const struct swarm_cluster *cluster,
                            const struct swarm_request *request, const struct swarm_place_options *options,
                            struct swarm_decision **ret_decision, struct swarm_error **reterr)
{
    if (!ret_decision)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "explain: ret_decision is NULL");
    struct swarm_place_options all = SWARM_PLACE_OPTIONS_INIT;
    int code = check_arguments(scheduler, cluster, request, options, &all, reterr);
    if (code != 0)
        return code;
    struct swarm__explain explain;
    code = swarm__explain_init(&explain, cluster) != 0
               ? swarm__error_nomem(reterr)
               : explain_with(&explain, scheduler, request, &all, ret_decision, reterr);
    swarm__explain_finish(&explain);
    return code;
}
