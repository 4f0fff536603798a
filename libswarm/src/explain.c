/* SPDX-License-Identifier: Apache-2.0 */
#include "explain.h"

#include <string.h>

#include "container.h"
#include "error.h"
#include "mem.h"
#include "node.h"
#include "request.h"

/* Different details that one filter may give; whatever comes after them is told without its own. */
#define MAX_DETAILS 64

int swarm__explain_init(struct swarm__explain *explain, const struct swarm_cluster *cluster)
{
    memset(explain, 0, sizeof(*explain));
    explain->cluster = cluster;
    return swarm__nodeset_init(&explain->before, cluster->slot_capacity) != 0 ? SWARM_ERR_NOMEM : 0;
}

void swarm__explain_finish(struct swarm__explain *explain)
{
    swarm__nodeset_finish(&explain->before);
    swarm__causes_free(explain->causes, explain->count);
    swarm__ranked_free(explain->ranked, explain->ranked_count);
    swarm__free(explain->dropped.at);
}

/* The pieces one after the other, and the step's name behind their NUL. */
static char *join_detail(const char *const pieces[3], const char *step)
{
    size_t length = 0, name = step ? strlen(step) : 0;
    for (int i = 0; i < 3 && pieces[i]; i++)
        length += strlen(pieces[i]);
    char *text = swarm__malloc(length + name + 2);
    if (!text)
        return NULL;
    char *end = text;
    for (int i = 0; i < 3 && pieces[i]; i++)
        end = stpcpy(end, pieces[i]);
    *end++ = '\0';
    memcpy(end, step ? step : "", name + 1);
    return text;
}

static bool is_detail(const struct swarm_cause *cause, const char *const pieces[3])
{
    if (!pieces[0])
        return !cause->has_detail;
    if (!cause->has_detail)
        return false;
    const char *at = cause->detail;
    for (int i = 0; i < 3 && pieces[i]; i++) {
        size_t length = strlen(pieces[i]);
        if (strncmp(at, pieces[i], length) != 0)
            return false;
        at += length;
    }
    return *at == '\0';
}

static struct swarm_cause *add_cause(struct swarm__explain *explain, int reason, const char *const pieces[3])
{
    struct swarm_cause cause = {.cluster = explain->cluster, .reason = (uint8_t)reason, .has_detail = pieces[0]};
    if (swarm__grow(&explain->causes, &explain->capacity, explain->count + 1, sizeof(cause)) != 0 ||
        swarm__nodeset_init(&cause.nodes, explain->cluster->slot_capacity) != 0)
        goto failed;
    if (explain->step || pieces[0]) {
        cause.detail = join_detail(pieces, explain->step);
        if (!cause.detail)
            goto failed;
        cause.filter = explain->step ? cause.detail + strlen(cause.detail) + 1 : NULL;
    }
    explain->causes[explain->count] = cause;
    return &explain->causes[explain->count++];

failed:
    swarm__nodeset_finish(&cause.nodes);
    explain->failed = true;
    return NULL;
}

/* The step's cause of that reason and detail; a new one where there is none. NULL: no memory. */
static struct swarm_cause *cause_for(struct swarm__explain *explain, int reason, const char *const pieces[3])
{
    static const char *const nothing[3] = {NULL, NULL, NULL};
    for (size_t i = explain->count; i-- > explain->step_first;)
        if (explain->causes[i].reason == reason && is_detail(&explain->causes[i], pieces))
            return &explain->causes[i];
    if (pieces[0] && explain->count - explain->step_first >= MAX_DETAILS)
        return cause_for(explain, reason, nothing);
    return add_cause(explain, reason, pieces);
}

static bool any_gone(const struct swarm__explain *explain)
{
    for (size_t i = 0; i < explain->before.length; i++)
        if (explain->before.words[i] & ~explain->now->words[i])
            return true;
    return false;
}

struct swarm_cause *swarm__explain_refuse(struct swarm__explain *explain, int reason, const char *const pieces[3])
{
    if (explain->failed || !any_gone(explain))
        return NULL;
    struct swarm_cause *cause = cause_for(explain, swarm_reason_name(reason) ? reason : SWARM_REASON_OTHER, pieces);
    if (!cause)
        return NULL;
    for (size_t i = 0; i < explain->before.length; i++) {
        uint64_t gone = explain->before.words[i] & ~explain->now->words[i];
        cause->nodes.words[i] |= gone;
        cause->count += (size_t)__builtin_popcountll(gone);
        explain->before.words[i] &= ~gone;
    }
    return cause;
}

static struct swarm_cause *refuse(struct swarm__explain *explain, int reason, const char *detail)
{
    return swarm__explain_refuse(explain, reason, (const char *const[]){detail, NULL, NULL});
}

static void refuse_node(struct swarm__explain *explain, int reason, uint32_t slot)
{
    struct swarm_cause *cause = cause_for(explain, reason, (const char *const[]){NULL, NULL, NULL});
    if (!cause)
        return;
    swarm__nodeset_add(&cause->nodes, slot);
    swarm__nodeset_remove(&explain->before, slot);
    cause->count++;
}

static int exclusion_of(const struct swarm__slot *slot, const struct swarm_container *replaces)
{
    if (replaces && slot->node == replaces->node)
        return SWARM_REASON_REPLACED;
    if (slot->availability == SWARM_AVAILABILITY_UNANNOUNCED)
        return SWARM_REASON_UNANNOUNCED;
    return slot->availability == SWARM_AVAILABILITY_PAUSED ? SWARM_REASON_PAUSED : SWARM_REASON_DRAINING;
}

void swarm__explain_start(struct swarm__explain *explain, const struct swarm_candidates *candidates,
                          const struct swarm_container *replaces)
{
    const struct swarm_cluster *cluster = explain->cluster;
    swarm__causes_free(explain->causes, explain->count);
    explain->causes = NULL;
    explain->count = explain->capacity = 0;
    swarm__explain_step(explain, NULL);
    explain->now = &candidates->set;
    swarm__nodeset_copy(&explain->before, &cluster->nodes);
    for (size_t i = 0; i < cluster->nodes.length && !explain->failed; i++)
        for (uint64_t out = cluster->nodes.words[i] & ~candidates->set.words[i]; out; out &= out - 1) {
            size_t slot = i * SWARM__NODESET_WORD + (size_t)__builtin_ctzll(out);
            refuse_node(explain, exclusion_of(&cluster->slots[slot], replaces), (uint32_t)slot);
        }
}

void swarm__explain_step(struct swarm__explain *explain, const char *name)
{
    explain->step = name;
    explain->step_first = explain->count;
}

/* All nodes that are left go, for what the error says. */
static void refuse_rest(struct swarm__explain *explain, const struct swarm_error *error)
{
    struct swarm__nodeset none = {NULL, 0};
    if (swarm__nodeset_init(&none, explain->cluster->slot_capacity) != 0) {
        explain->failed = true;
        return;
    }
    const struct swarm__nodeset *now = explain->now;
    explain->now = &none;
    refuse(explain, SWARM_REASON_OTHER, error ? swarm_error_message(error) : NULL);
    explain->now = now;
    swarm__nodeset_finish(&none);
}

void swarm__explain_filtered(struct swarm__explain *explain, int code, const struct swarm_error *error)
{
    refuse(explain, SWARM_REASON_OTHER, NULL);
    if ((code == SWARM_ERR_NO_NODE || code == SWARM_ERR_PARSE) && !swarm__nodeset_empty(&explain->before))
        refuse_rest(explain, error);
}

void swarm__explain_name(struct swarm__explain *explain, const char *name, const struct swarm_container *holder)
{
    swarm__explain_step(explain, NULL);
    swarm__nodeset_copy(&explain->before, &explain->cluster->nodes);
    struct swarm_cause *cause = cause_for(explain, SWARM_REASON_NAME, (const char *const[]){name, NULL, NULL});
    explain->refused = true;
    if (!cause)
        return;
    swarm__nodeset_copy(&cause->nodes, &explain->before);
    cause->count = explain->cluster->node_count;
    cause->blocker = holder;
}

static void drop_soft(struct swarm__text *dropped, const char *kind, const struct swarm__exprs *exprs)
{
    for (uint32_t i = 0; i < exprs->count; i++)
        if (exprs->items[i].soft) {
            swarm__text_add(dropped, kind);
            swarm__text_add_item(dropped, exprs->items[i].text);
        }
}

static void drop_all_soft(struct swarm__text *dropped, const struct swarm_request *request)
{
    drop_soft(dropped, "affinity:", &request->extras->affinities);
    drop_soft(dropped, "constraint:", &request->extras->constraints);
    drop_soft(dropped, "whitelist:", &request->extras->whitelists);
}

int swarm__explain_outcome(struct swarm__explain *explain, const struct swarm_scheduler *scheduler,
                           const struct swarm_request *request, const struct swarm_place_options *options, int code,
                           struct swarm__outcome *outcome, struct swarm_error **reterr)
{
    explain->refused = code == SWARM_ERR_NO_NODE || code == SWARM_ERR_PARSE;
    if (code != 0 && !explain->refused)
        return code;
    explain->soft_dropped = outcome->soft_dropped;
    if (explain->soft_dropped)
        drop_all_soft(&explain->dropped, request);
    if (code == 0)
        code = swarm__explain_first(explain, scheduler, request, options, outcome, reterr);
    else if (!swarm__nodeset_empty(&explain->before))
        refuse_rest(explain, *reterr);
    explain->failed |= explain->dropped.failed;
    if (!explain->failed)
        return code;
    swarm_error_free(*reterr);
    return swarm__error_nomem(reterr);
}
