/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "asking.h"
#include "check.h"

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : (!a || !*a) && (!b || !*b);
}

/* A blocker is on a node that it stands in the way of, and does. */
static bool is_blocker(const struct asking *asking, const struct swarm_cause *cause,
                       const struct swarm_container *blocker)
{
    for (const struct oracle_container *at = asking->world->oracle->containers; at; at = at->next)
        if (at->twin == blocker && *at->id != '\0')
            return oracle_blocks(at, &asking->facts);
    for (const struct oracle_container *at = asking->world->oracle->containers; at; at = at->next)
        if (*at->id == '\0' && at->node->twin == swarm_container_node(blocker) && oracle_blocks(at, &asking->facts))
            return *swarm_container_id(blocker) == '\0';
    return false;
}

static void compare_node_cause(const struct asking *asking, const struct swarm_decision *decision,
                               const struct oracle_why *why)
{
    struct world *world = asking->world;
    const struct swarm_cause *cause = swarm_decision_cause_of(decision, why->node->twin);
    if (!cause || !why->reason) {
        if (cause || why->reason)
            world_differ(world, "node %s: %s by the library, %s by the oracle", why->node->id,
                         cause ? swarm_reason_name(swarm_cause_reason(cause)) : "fits",
                         why->reason ? why->reason : "fits");
        return;
    }
    int unit = -1;
    int64_t shortage = swarm_cause_shortage(cause, why->node->twin, &unit);
    const char *reason = swarm_reason_name(swarm_cause_reason(cause));
    if (!same_text(reason, why->reason) || !same_text(swarm_cause_filter(cause), why->by) ||
        !same_text(swarm_cause_detail(cause), why->detail) || shortage != why->shortage ||
        (unit == SWARM_UNIT_NONE) != (shortage == 0))
        world_differ(world, "node %s: library %s by %s: %s, lacks %lld; oracle %s by %s: %s, lacks %lld", why->node->id,
                     reason, swarm_cause_filter(cause), swarm_cause_detail(cause), (long long)shortage, why->reason,
                     why->by, why->detail, (long long)why->shortage);
}

/* What a cause says of all its nodes. */
static void compare_cause(const struct asking *asking, const struct swarm_decision *decision,
                          const struct swarm_cause *cause)
{
    struct world *world = asking->world;
    const struct swarm_container *blocker = swarm_cause_blocker(cause);
    struct swarm_node *nearest = swarm_cause_nearest(cause);
    int64_t least = swarm_cause_shortage(cause, NULL, NULL);
    size_t count = 0;
    for (struct swarm_node *node = NULL; (node = swarm_cause_next_node(cause, node)); count++) {
        if (swarm_decision_cause_of(decision, node) != cause)
            world_differ(world, "node %s is in two causes", swarm_node_id(node));
        if (nearest && swarm_cause_reason(cause) != SWARM_REASON_CPU && swarm_cause_shortage(cause, node, NULL) < least)
            world_differ(world, "%s is nearer than %s", swarm_node_id(node), swarm_node_id(nearest));
    }
    if (count != swarm_cause_count(cause) || count == 0)
        world_differ(world, "a cause of %zu nodes says %zu", count, swarm_cause_count(cause));
    if (swarm_cause_reason(cause) == SWARM_REASON_PORT && (!blocker || !is_blocker(asking, cause, blocker)))
        world_differ(world, "port %s: %s is not in the way", swarm_cause_detail(cause),
                     blocker ? swarm_container_id(blocker) : "nobody");
}

static void compare_told(const struct asking *asking, const struct swarm_decision *decision)
{
    struct world *world = asking->world;
    char *text = NULL, *json = NULL, front[64];
    int code;
    WORLD_CALL(world, code, swarm_decision_text(decision, &text, &world->error));
    world_expect(world, "text of a decision", code, 0);
    WORLD_CALL(world, code, swarm_decision_json(decision, &json, NULL, &world->error));
    world_expect(world, "JSON of a decision", code, 0);
    json_t *value = json ? json_loads(json, 0, NULL) : NULL;
    snprintf(front, sizeof(front), "%zu/%zu nodes fit", swarm_decision_fit_count(decision),
             swarm_decision_node_count(decision));
    if (text && (strncmp(text, asking->expected.error, strlen(asking->expected.error)) != 0 || !strstr(text, front)))
        world_differ(world, "told as\n%s\nwhich is not about\n%s\nor does not say %s", text, asking->expected.error,
                     front);
    if (json && (!value || !same_text(json_string_value(json_object_get(value, "text")), text) ||
                 json_is_true(json_object_get(value, "granted")) != (asking->expected.verdict == ORACLE_GRANTED)))
        world_differ(world, "told as %s", json);
    json_decref(value);
    swarm_free(text);
    swarm_free(json);
}

/* Those that are ranked come in order, the chosen one first. */
static void compare_ranked(const struct asking *asking, const struct swarm_decision *decision)
{
    size_t count = swarm_decision_ranked_count(decision), most = asking->options.ranked;
    size_t fit = swarm_decision_fit_count(decision);
    int64_t before = INT64_MAX, score = 0;
    if (count != (asking->expected.verdict != ORACLE_GRANTED ? 0 : fit < most ? fit : most))
        world_differ(asking->world, "%zu nodes are ranked", count);
    if (count > 0 && swarm_decision_ranked(decision, 0, NULL) != swarm_decision_node(decision))
        world_differ(asking->world, "the chosen node does not come first");
    for (size_t i = 0; i < count; i++, before = score) {
        const struct swarm_node *node = swarm_decision_ranked(decision, i, &score);
        if (score > before || swarm_decision_cause_of(decision, node))
            world_differ(asking->world, "node %s is ranked as number %zu", swarm_node_id(node), i);
    }
}

static void compare_explained(const struct asking *asking, const struct swarm_decision *decision,
                              const struct swarm_node *planned)
{
    struct world *world = asking->world;
    const struct oracle_answer *expected = &asking->expected;
    size_t fit = 0, sum = 0, least = SIZE_MAX;
    if (swarm_decision_code(decision) != code_of(expected->verdict) ||
        !same_text(swarm_decision_message(decision), expected->error) || swarm_decision_node(decision) != planned)
        world_differ(world, "explained: %d %s; oracle: %d %s", swarm_decision_code(decision),
                     swarm_decision_message(decision), code_of(expected->verdict), expected->error);
    if (expected->verdict == ORACLE_GRANTED)
        compare_granted(asking, decision);
    for (size_t i = 0; i < expected->why_count; i++) {
        compare_node_cause(asking, decision, &expected->why[i]);
        fit += expected->why[i].reason == NULL;
    }
    const struct swarm_cause *cause;
    for (size_t i = 0; (cause = swarm_decision_cause(decision, i)); i++) {
        compare_cause(asking, decision, cause);
        if (swarm_cause_count(cause) > least)
            world_differ(world, "causes are not in order");
        least = swarm_cause_count(cause);
        sum += least;
    }
    if (swarm_decision_fit_count(decision) != fit || sum + fit != expected->why_count ||
        swarm_decision_node_count(decision) != expected->why_count)
        world_differ(world, "%zu of %zu nodes fit, and %zu have causes; oracle: %zu of %zu fit",
                     swarm_decision_fit_count(decision), swarm_decision_node_count(decision), sum, fit,
                     expected->why_count);
    compare_ranked(asking, decision);
    if (!world->differs)
        compare_told(asking, decision);
}

static void would_fit(struct asking *asking)
{
    struct world *world = asking->world;
    struct swarm_decision *decision = NULL;
    struct oracle_nodes fitting;
    bool malformed;
    int code;
    oracle_would_fit(world->oracle, &asking->question, &fitting, &malformed);
    WORLD_CALL(world, code,
               swarm_scheduler_would_fit(asking->scheduler, world->cluster, asking->request, &decision, &world->error));
    world_expect(world, "would fit", code, 0);
    if (code != 0)
        return;
    int expected = malformed ? SWARM_ERR_PARSE : fitting.count == 0 ? SWARM_ERR_NO_NODE : 0;
    if (swarm_decision_code(decision) != expected)
        world_differ(world, "would fit: %d (%s), but %d is expected", swarm_decision_code(decision),
                     swarm_decision_message(decision), expected);
    for (const struct oracle_node *at = world->oracle->nodes; at && !malformed; at = at->next) {
        bool fits = false;
        for (size_t i = 0; i < fitting.count; i++)
            fits = fits || fitting.items[i] == at;
        const struct swarm_cause *cause = swarm_decision_cause_of(decision, at->twin);
        if (fits != (cause == NULL))
            world_differ(world, "node %s would %sfit, the library says %s", at->id, fits ? "" : "not ",
                         cause ? swarm_reason_name(swarm_cause_reason(cause)) : "it would");
    }
    swarm_decision_free(decision);
}

void explain(struct asking *asking, const struct swarm_node *planned, bool bad_extra)
{
    struct world *world = asking->world;
    struct swarm_decision *decision = NULL;
    int code;
    world_log(world, "  and explain it\n");
    asking->options.ranked = world_draw(world, 8);
    WORLD_CALL(world, code,
               swarm_scheduler_explain(asking->scheduler, world->cluster, asking->request, &asking->options, &decision,
                                       &world->error));
    world_expect(world, "explain", code, bad_extra ? SWARM_ERR_PARSE : 0);
    if (code == 0 && !bad_extra)
        compare_explained(asking, decision, planned);
    swarm_decision_free(decision);
    if (!world->differs && !asking->options.extra_affinity)
        would_fit(asking);
}
