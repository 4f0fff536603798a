/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "asking.h"
#include "check.h"
#include "oracle_expr.h"
#include "translate.h"
#include "vocabulary.h"

void world_any_filters(struct world *world, struct oracle_question *question, const char **filters)
{
    question->filter_count = 0;
    if (world_draw(world, 3) > 0)
        for (const char *name; (name = swarm_filter_name(question->filter_count));)
            filters[question->filter_count++] = name;
    else
        for (unsigned i = world_draw(world, MOST_FILTERS); i > 0; i--)
            filters[question->filter_count++] = swarm_filter_name(world_draw(world, 7));
    question->filters = filters;
}

static void log_list(struct world *world, const char *what, const struct oracle_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        world_log(world, " %s:%s", what, list->items[i]);
}

static void log_asking(const struct asking *asking)
{
    struct world *world = asking->world;
    const struct oracle_request *facts = &asking->facts;
    world_log(world, "decide by %s:", asking->question.strategy);
    for (size_t i = 0; i < asking->question.filter_count; i++)
        world_log(world, " %s", asking->question.filters[i]);
    if (asking->question.replaces)
        world_log(world, " replacing %s on %s", asking->question.replaces->id, asking->question.replaces->node->id);
    if (asking->options.extra_affinity)
        world_log(world, " extra affinity %s", asking->options.extra_affinity);
    world_log(world, "\n  name=%s swarm=%s net=%s pid=%s ipc=%s cpus=%lld memory=%lld", facts->name, facts->swarm_id,
              facts->network_mode, facts->pid_mode, facts->ipc_mode, (long long)facts->cpus_milli,
              (long long)facts->memory);
    log_list(world, "constraint", &facts->constraints);
    log_list(world, "affinity", &facts->affinities);
    log_list(world, "whitelist", &facts->whitelists);
    log_list(world, "exposed", &facts->exposed);
    log_list(world, "volumes-from", &facts->volumes_from);
    log_list(world, "link", &facts->links);
    for (size_t i = 0; i < facts->resources.count; i++)
        world_log(world, " %lld %s", (long long)facts->resources.items[i].amount, facts->resources.items[i].name);
    for (size_t i = 0; i < facts->ports.count; i++)
        world_log(world, " port:%s:%s", facts->ports.items[i].host_ip, facts->ports.items[i].host_port);
    world_log(world, "\n");
}

static bool ask(struct world *world, struct asking *asking)
{
    static const char *const strategies[] = {"spread", "spread", "binpack", "binpacking", "random"};
    struct swarm_scheduler_options made = SWARM_SCHEDULER_OPTIONS_INIT;
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    int code;
    memset(asking, 0, sizeof(*asking));
    asking->world = world;
    any_request(world, &asking->facts);
    world_any_filters(world, &asking->question, asking->filters);
    made.strategy = strategies[world_draw(world, 5)];
    made.filters = asking->filters;
    made.filter_count = asking->question.filter_count;
    asking->question.strategy = strcmp(made.strategy, "binpacking") == 0 ? "binpack" : made.strategy;
    asking->question.request = &asking->facts;
    if (world_draw(world, 10) == 0)
        asking->question.replaces = world_any_container(world);
    options.replaces = asking->question.replaces ? asking->question.replaces->twin : NULL;
    if (world_draw(world, 12) == 0)
        options.extra_affinity = any_affinity(world);
    options.seed = world_draw(world, 5);
    asking->options = options;
    log_asking(asking);
    asking->request = request_for(world, &asking->facts);
    if (!asking->request)
        return false;
    WORLD_CALL(world, code, swarm_scheduler_new(&asking->scheduler, &made, &world->error));
    world_expect(world, "new scheduler", code, 0);
    return code == 0;
}

static bool has(const struct oracle_nodes *nodes, const struct swarm_node *node)
{
    for (size_t i = 0; i < nodes->count; i++)
        if (nodes->items[i]->twin == node)
            return true;
    return false;
}

static bool same_nodes(const struct oracle_nodes *nodes, const struct swarm_decision *decision, size_t count,
                       struct swarm_node *(*at)(const struct swarm_decision *, size_t))
{
    if (nodes->count != count || at(decision, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!has(nodes, at(decision, i)))
            return false;
        for (size_t j = 0; j < i; j++)
            if (at(decision, i) == at(decision, j))
                return false;
    }
    return true;
}

static const char *ids_of(struct world *world, const struct oracle_nodes *nodes)
{
    const char *text = "";
    for (size_t i = 0; i < nodes->count; i++)
        text = oracle_text(world->oracle, "%s %s", text, nodes->items[i]->id);
    return text;
}

static const char *ids_in(struct world *world, const struct swarm_decision *decision, size_t count,
                          struct swarm_node *(*at)(const struct swarm_decision *, size_t))
{
    const char *text = "";
    for (size_t i = 0; i < count; i++)
        text = oracle_text(world->oracle, "%s %s", text, swarm_node_id(at(decision, i)));
    return text;
}

void compare_granted(const struct asking *asking, const struct swarm_decision *decision)
{
    struct world *world = asking->world;
    const struct oracle_answer *expected = &asking->expected;
    size_t candidates = swarm_decision_candidate_count(decision), best = swarm_decision_best_count(decision);
    if (!has(&expected->best, swarm_decision_node(decision)) ||
        !same_nodes(&expected->candidates, decision, candidates, swarm_decision_candidate) ||
        !same_nodes(&expected->best, decision, best, swarm_decision_best) ||
        swarm_decision_soft_dropped(decision) != expected->soft_dropped)
        world_differ(
            world, "library: %s of%s, candidates%s, soft dropped %d\noracle: one of%s, candidates%s, soft dropped %d",
            swarm_node_id(swarm_decision_node(decision)), ids_in(world, decision, best, swarm_decision_best),
            ids_in(world, decision, candidates, swarm_decision_candidate), swarm_decision_soft_dropped(decision),
            ids_of(world, &expected->best), ids_of(world, &expected->candidates), expected->soft_dropped);
}

int code_of(enum oracle_verdict verdict)
{
    switch (verdict) {
    case ORACLE_GRANTED:
        return 0;
    case ORACLE_REFUSED:
        return SWARM_ERR_NO_NODE;
    case ORACLE_MALFORMED:
        return SWARM_ERR_PARSE;
    default:
        return SWARM_ERR_NAME_TAKEN;
    }
}

/* The oracle's answer. @return Whether the library is to refuse the extra affinity as such. */
static bool expect(struct asking *asking)
{
    const char *extra = asking->options.extra_affinity;
    struct oracle_request more = asking->facts;
    struct oracle_question question = asking->question;
    if (extra && more.affinities.count < ORACLE_ITEMS) {
        more.affinities.items[more.affinities.count++] = extra;
        question.request = &more;
    }
    oracle_ask(asking->world->oracle, &question, &asking->expected);
    return extra && asking->expected.verdict != ORACLE_NAME_TAKEN && !is_sound(extra, false);
}

static void compare_refused(const struct asking *asking, int code)
{
    struct world *world = asking->world;
    const struct oracle_answer *expected = &asking->expected;
    const char *message = swarm_error_message(world->error);
    char lines[sizeof(expected->error) + sizeof(expected->excluded) + 1];
    snprintf(lines, sizeof(lines), "%s%s%s", expected->error, *expected->excluded ? "\n" : "", expected->excluded);
    if (code != code_of(expected->verdict) || strcmp(message, lines) != 0)
        world_differ(world, "library: %d %s\noracle: %d %s%s%s", code, code ? message : "granted",
                     code_of(expected->verdict), lines, expected->verdict ? "" : "granted, one of",
                     expected->verdict ? "" : ids_of(world, &expected->best));
}

/* The node that plan has chosen; NULL where it has refused. */
static const struct swarm_node *plan(struct asking *asking, bool bad_extra)
{
    struct world *world = asking->world;
    struct swarm_decision *decision = NULL;
    int code;
    WORLD_CALL(world, code,
               swarm_scheduler_plan(asking->scheduler, world->cluster, asking->request, &asking->options, &decision,
                                    &world->error));
    world->verdicts[asking->expected.verdict]++;
    world->soft_dropped += asking->expected.verdict == ORACLE_GRANTED && asking->expected.soft_dropped;
    if (bad_extra) {
        world_expect(world, "plan with a bad affinity", code, SWARM_ERR_PARSE);
        swarm_decision_free(decision);
        return NULL;
    }
    if (code != 0 || asking->expected.verdict != ORACLE_GRANTED)
        compare_refused(asking, code);
    else
        compare_granted(asking, decision);
    const struct swarm_node *chosen = code == 0 ? swarm_decision_node(decision) : NULL;
    swarm_decision_free(decision);
    return chosen;
}

static struct place *free_place(struct world *world)
{
    for (size_t i = 0; i < WORLD_PLACES; i++)
        if (!world->places[i].reservation)
            return &world->places[i];
    return NULL;
}

/* Places of one swarm id on one node are not told apart: there is to be none yet, wherever it goes. */
bool world_is_placed(const struct world *world, const char *swarm_id)
{
    for (const struct oracle_container *at = world->oracle->containers; at; at = at->next)
        if (*swarm_id && *at->id == '\0' && strcmp(at->request.swarm_id, swarm_id) == 0)
            return true;
    return false;
}

static void place(struct asking *asking, const struct swarm_node *planned, bool bad_extra)
{
    struct world *world = asking->world;
    struct place *place = free_place(world);
    struct swarm_reservation *reservation = NULL;
    int code;
    if (!place || world_is_placed(world, asking->facts.swarm_id))
        return;
    world_log(world, "  and place it\n");
    WORLD_CALL(world, code,
               swarm_scheduler_place(asking->scheduler, world->cluster, asking->request, &asking->options, &reservation,
                                     &world->error));
    world->verdicts[asking->expected.verdict]++;
    if (bad_extra) {
        world_expect(world, "place with a bad affinity", code, SWARM_ERR_PARSE);
        return;
    }
    /* "random" may choose a node whose sums are full. */
    if (code == SWARM_ERR_INVALID && planned && strstr(swarm_error_message(world->error), "pass the greatest number"))
        return;
    if (code != 0) {
        compare_refused(asking, code);
        return;
    }
    place->reservation = reservation;
    if (swarm_reservation_node(reservation) != planned)
        world_differ(world, "placed on %s, but planned on %s", swarm_node_id(swarm_reservation_node(reservation)),
                     planned ? swarm_node_id(planned) : "none");
    if (swarm_reservation_request(reservation) != asking->request)
        world_differ(world, "the reservation is for another request");
    for (struct oracle_node *at = world->oracle->nodes; at; at = at->next)
        if (at->twin == swarm_reservation_node(reservation))
            place->node = at;
    place->container = oracle_add_container(world->oracle, place->node, "", &asking->facts);
}

void world_decide(struct world *world)
{
    struct asking asking;
    bool placing = world_draw(world, 2);
    if (placing && !free_place(world))
        world_change_place(world); /* which ends one */
    if (ask(world, &asking)) {
        bool bad_extra = expect(&asking);
        const struct swarm_node *planned = plan(&asking, bad_extra);
        if (!world->differs && world_draw(world, 2))
            explain(&asking, planned, bad_extra);
        if (placing && !world->differs)
            place(&asking, planned, bad_extra);
    }
    swarm_scheduler_free(asking.scheduler);
    swarm_request_unref(asking.request);
}

void world_look_up(struct world *world)
{
    const char *reference = any_reference(world);
    struct oracle_found found;
    struct swarm_container *container = NULL;
    int code;
    bool good = false;
    oracle_look_up(world->oracle, reference, &found);
    int expected = found.count == 0 ? SWARM_ERR_NOT_FOUND : found.ambiguous ? SWARM_ERR_AMBIGUOUS : 0;
    world_log(world, "look up %s\n", reference);
    WORLD_CALL(world, code, swarm_cluster_look_up(world->cluster, reference, &container, &world->error));
    if (!found.chained || code != SWARM_ERR_AMBIGUOUS)
        world_expect(world, "look-up", code, expected);
    for (size_t i = 0; i < found.count; i++)
        good = good || found.items[i]->twin == container;
    if (code == 0 && !good)
        world_differ(world, "look-up of %s gave %s on %s, which is none of the %zu", reference,
                     swarm_container_id(container), swarm_node_id(swarm_container_node(container)), found.count);
}
