/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "error.h"
#include "explain.h"
#include "mem.h"
#include "node.h"
#include "request.h"

/* The scratch sets of the candidates, which no filter needs any more. */
enum { LEFT, OFFERED, NO_CPU, NO_MEMORY };

static void refuse_lack(struct swarm__explain *explain, struct swarm__nodeset *left, const struct swarm__nodeset *out,
                        const struct swarm_request *request, int reason, bool lasting)
{
    swarm__nodeset_and_not(left, out);
    struct swarm_cause *cause = swarm__explain_refuse(explain, reason, (const char *const[]){NULL, NULL, NULL});
    if (!cause)
        return;
    bool cpu = reason == SWARM_REASON_CPU;
    cause->unit = cpu ? SWARM_UNIT_CPUS_MILLI : SWARM_UNIT_BYTES;
    cause->asked = cpu ? request->cpus_milli : request->memory;
    cause->memory = request->memory;
    cause->lasting = lasting;
}

/* Take those out of @p left that lack CPUs or memory; not those that were offered. */
static void refuse_lacking(struct swarm_candidates *candidates, struct swarm__nodeset *left,
                           const struct swarm__nodeset *offered, const struct swarm_request *request, bool lasting)
{
    struct swarm__explain *explain = candidates->explain;
    struct swarm__nodeset *cpu = swarm__candidates_scratch(candidates, NO_CPU);
    struct swarm__nodeset *memory = swarm__candidates_scratch(candidates, NO_MEMORY);
    if (!cpu || !memory)
        explain->failed = true;
    if (!cpu || !memory || (request->cpus_milli == 0 && request->memory == 0))
        return;
    for (size_t i = 0; i < left->length; i++) {
        uint64_t unsure = left->words[i] & ~offered->words[i];
        if (!unsure)
            continue;
        cpu->words[i] = unsure & swarm__scan_lack(explain->cluster, i, SWARM__SCAN_CPUS, request->cpus_milli, lasting);
        unsure &= ~cpu->words[i];
        if (!unsure)
            continue;
        memory->words[i] = unsure & swarm__scan_lack(explain->cluster, i, SWARM__SCAN_MEMORY, request->memory, lasting);
    }
    refuse_lack(explain, left, cpu, request, SWARM_REASON_CPU, lasting);
    refuse_lack(explain, left, memory, request, SWARM_REASON_MEMORY, lasting);
}

void swarm__explain_resource(struct swarm__explain *explain, const struct swarm__amount *asked, bool lasting)
{
    swarm__explain_step(explain, NULL); /* it is no filter's and no strategy's */
    struct swarm_cause *cause =
        swarm__explain_refuse(explain, SWARM_REASON_RESOURCE, (const char *const[]){asked->name, NULL, NULL});
    if (!cause)
        return;
    cause->unit = SWARM_UNIT_PIECES;
    cause->asked = asked->amount;
    cause->lasting = lasting;
}

int swarm__explain_ranking(struct swarm_candidates *candidates, const struct swarm_scheduler *scheduler,
                           const struct swarm_request *request, struct swarm_ranking *ranking)
{
    struct swarm__explain *explain = candidates->explain;
    swarm__explain_step(explain, scheduler->strategy->name);
    ranking->left = swarm__candidates_scratch(candidates, LEFT);
    ranking->offered = swarm__candidates_scratch(candidates, OFFERED);
    if (!ranking->left || !ranking->offered)
        return SWARM_ERR_NOMEM;
    swarm__nodeset_copy(ranking->left, &candidates->set);
    explain->now = ranking->left;
    if (scheduler->strategy->needs_room && !scheduler->strategy_extension)
        refuse_lacking(candidates, ranking->left, ranking->offered, request, false);
    return 0;
}

void swarm__explain_ranked(struct swarm_candidates *candidates, const struct swarm_scheduler *scheduler,
                           const struct swarm_request *request)
{
    struct swarm__explain *explain = candidates->explain;
    struct swarm__nodeset *left = &candidates->scratch[LEFT];
    const struct swarm__nodeset *offered = &candidates->scratch[OFFERED];
    if (scheduler->strategy_extension) { /* built-in ones offer all that is left, past swarm_ranking_offer() */
        if (scheduler->strategy->needs_room)
            refuse_lacking(candidates, left, offered, request, false);
        swarm__nodeset_and(left, offered);
        swarm__explain_refuse(explain, SWARM_REASON_OTHER, (const char *const[]){NULL, NULL, NULL});
    }
    explain->fit = swarm__nodeset_count(left);
    swarm__nodeset_and_not(&explain->before, left); /* nothing more is to be said of these */
}

void swarm__explain_capacity(struct swarm_candidates *candidates, const struct swarm_request *request)
{
    const struct swarm__nodeset *offered = swarm__candidates_scratch(candidates, OFFERED);
    if (offered)
        refuse_lacking(candidates, &candidates->set, offered, request, true);
    else
        candidates->explain->failed = true;
}

/* More are not told of; scheduler.h says so. */
#define MAX_RANKED 1000

/* The first nodes, while they are looked for. */
struct search {
    struct swarm__explain *explain;
    const struct swarm_cluster *cluster;
    uint64_t seed;
    size_t room;
};

/* Put the ties of a ranking behind what is there, by what the seed draws, as many as there is room for. */
static void take_ties(struct search *search, const struct swarm_ranking *ranking)
{
    struct swarm__ranked *ranked = search->explain->ranked;
    const struct swarm__slot *slots = search->cluster->slots;
    size_t first = search->explain->ranked_count, count = first;
    for (size_t i = 0; i < ranking->count; i++) {
        uint64_t drawn = swarm__tie_draw(search->seed, slots[ranking->ties[i]].hash);
        size_t at = count;
        while (at > first && drawn < swarm__tie_draw(search->seed, slots[ranked[at - 1].slot].hash))
            at--;
        if (at == search->room)
            continue;
        if (count < search->room)
            count++;
        memmove(&ranked[at + 1], &ranked[at], (count - 1 - at) * sizeof(*ranked));
        ranked[at] = (struct swarm__ranked){ranking->ties[i], ranking->best, {NULL, 0, 0}};
    }
    search->explain->ranked_count = count;
}

/* Rank what is left without those that came first, until there are enough. */
static int search_on(struct search *search, const struct swarm_scheduler *scheduler,
                     const struct swarm_request *request, struct swarm_candidates *candidates,
                     struct swarm_error **reterr)
{
    size_t count = swarm__nodeset_count(&candidates->set), taken = 0;
    struct swarm_ranking ranking = {
        .candidates = candidates, .seed = search->seed, .ties = swarm__malloc(count * sizeof(uint32_t)), .room = count};
    int code = ranking.ties ? 0 : swarm__error_nomem(reterr);
    while (code == 0) {
        for (; taken < search->explain->ranked_count; taken++)
            swarm__nodeset_remove(&candidates->set, search->explain->ranked[taken].slot);
        if (taken == search->room || swarm__nodeset_empty(&candidates->set))
            break;
        ranking.count = 0;
        code = swarm__rank(scheduler, request, candidates, &ranking, reterr);
        if (code == 0 && ranking.count == 0)
            break;
        if (code == 0)
            take_ties(search, &ranking);
    }
    swarm__free(ranking.ties);
    return code;
}

static int parts_of(const struct swarm_scheduler *scheduler, const struct swarm_request *request,
                    const struct swarm_node *node, struct swarm_parts *parts, struct swarm_error **reterr)
{
    const struct swarm_strategy_ops *ops = scheduler->strategy;
    void *data = scheduler->strategy_extension ? scheduler->strategy_extension->data : NULL;
    if (!ops->parts)
        return 0;
    struct swarm_error *error = NULL;
    int code = ops->parts(data, request, node->cluster, node, parts, &error);
    if (code != 0) {
        code = swarm__answer_known(code, "strategy", ops->name, &error);
        *reterr = error;
    }
    return code;
}

static int add_parts(struct swarm__explain *explain, const struct swarm_scheduler *scheduler,
                     const struct swarm_request *request, struct swarm_error **reterr)
{
    int code = 0;
    for (size_t i = 0; i < explain->ranked_count && code == 0; i++)
        code = parts_of(scheduler, request, explain->cluster->slots[explain->ranked[i].slot].node,
                        &explain->ranked[i].parts, reterr);
    return code;
}

int swarm__explain_first(struct swarm__explain *explain, const struct swarm_scheduler *scheduler,
                         const struct swarm_request *request, const struct swarm_place_options *options,
                         struct swarm__outcome *outcome, struct swarm_error **reterr)
{
    struct swarm_candidates *candidates = &outcome->candidates;
    size_t count = swarm__nodeset_count(&candidates->set);
    struct search search = {explain, explain->cluster, options->seed,
                            options->ranked < count ? options->ranked : count};
    struct swarm__nodeset *kept = swarm__candidates_scratch(candidates, OFFERED);
    explain->ranked = swarm__calloc(search.room, sizeof(*explain->ranked));
    if (!kept || !explain->ranked)
        return swarm__error_nomem(reterr);
    swarm__nodeset_copy(kept, &candidates->set);
    take_ties(&search, &outcome->ranking);
    int code = search_on(&search, scheduler, request, candidates, reterr);
    swarm__nodeset_copy(&candidates->set, kept);
    return code != 0 ? code : add_parts(explain, scheduler, request, reterr);
}
