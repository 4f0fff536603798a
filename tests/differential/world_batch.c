/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "asking.h"
#include "translate.h"
#include "vocabulary.h"

#define MOST_REQUESTS 4

/* Several requests placed at once: what as many decisions in a row would do. */
struct batch {
    struct world *world;
    size_t count;
    struct oracle_request facts[MOST_REQUESTS];
    struct swarm_request *requests[MOST_REQUESTS];
    struct swarm_reservation *made[MOST_REQUESTS];
    struct swarm_node *planned[MOST_REQUESTS];
    struct swarm_error *errors[MOST_REQUESTS];
    struct oracle_container *placed[MOST_REQUESTS]; /* the oracle's; NULL where it refuses */
    struct swarm_batch_options options;
};

/* Which of two places of one swarm id a container takes is not said, and no sum is to pass the greatest number. */
static void make_plain(const struct batch *batch, struct oracle_request *facts)
{
    for (size_t i = 0; i < batch->count; i++)
        if (strcmp(batch->facts[i].swarm_id, facts->swarm_id) == 0)
            facts->swarm_id = "";
    if (world_is_placed(batch->world, facts->swarm_id))
        facts->swarm_id = "";
    facts->cpus_milli %= 10000;
    facts->memory %= INT64_C(1) << 34;
    for (size_t i = 0; i < facts->resources.count; i++)
        facts->resources.items[i].amount %= 30;
}

/* Whether sums are near the greatest number already, by what is there. */
static bool is_full(const struct world *world)
{
    for (const struct oracle_node *at = world->oracle->nodes; at; at = at->next) {
        struct oracle_sums sums = oracle_sums(world->oracle, at);
        if (sums.cpus_milli > INT64_MAX / 2 || sums.memory > INT64_MAX / 2)
            return true;
        for (size_t i = 0; resource_names[i]; i++)
            if (oracle_used(world->oracle, at, resource_names[i]) > INT64_MAX / 2)
                return true;
    }
    return false;
}

static size_t free_places(const struct world *world)
{
    size_t count = 0;
    for (size_t i = 0; i < WORLD_PLACES; i++)
        count += !world->places[i].reservation;
    return count;
}

static struct oracle_node *node_of(const struct world *world, const struct swarm_node *twin)
{
    struct oracle_node *at = world->oracle->nodes;
    while (at && at->twin != twin)
        at = at->next;
    return at;
}

/* The oracle decides on one, and takes the place that the library has planned, if it is among the best. */
static void decide_one(struct batch *batch, size_t index, const struct swarm_scheduler *scheduler,
                       const char *const *filters, size_t filter_count, struct oracle_answer *answer)
{
    struct world *world = batch->world;
    struct oracle_question question = {.request = &batch->facts[index],
                                       .strategy = swarm_scheduler_strategy(scheduler),
                                       .filters = filters,
                                       .filter_count = filter_count};
    struct oracle_node *chosen = node_of(world, batch->planned[index]);
    bool best = false;
    oracle_ask(world->oracle, &question, answer);
    for (size_t i = 0; i < answer->best.count; i++)
        best = best || (answer->verdict == ORACLE_GRANTED && answer->best.items[i] == chosen);
    if (best)
        batch->placed[index] = oracle_add_container(world->oracle, chosen, "", &batch->facts[index]);
    else if (chosen || answer->verdict == ORACLE_GRANTED)
        world_differ(world, "request %zu of a batch: library %s, oracle %s", index, chosen ? chosen->id : "refuses",
                     answer->verdict == ORACLE_GRANTED ? answer->best.items[0]->id : answer->error);
}

static void compare_error(struct world *world, const struct swarm_error *error, const char *front,
                          const struct oracle_answer *answer)
{
    char lines[sizeof(answer->error) + sizeof(answer->excluded) + 32];
    snprintf(lines, sizeof(lines), "%s%s%s%s", front, answer->error, *answer->excluded ? "\n" : "", answer->excluded);
    /* Where memory is too short for the front, the rest is said without. */
    bool cut = world->ops.arm && strcmp(swarm_error_message(error), lines + strlen(front)) == 0;
    if (swarm_error_code(error) != code_of(answer->verdict) || (strcmp(swarm_error_message(error), lines) != 0 && !cut))
        world_differ(world, "batch: library: %s\noracle: %s", swarm_error_message(error), lines);
}

static void drop_errors(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        swarm_error_free(batch->errors[i]);
        batch->errors[i] = NULL;
    }
}

/* It takes the places or, without memory, none of them. */
static void forget_all(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->placed[i])
            oracle_remove_container(batch->world->oracle, batch->placed[i]);
}

static void keep_places(struct batch *batch)
{
    struct world *world = batch->world;
    for (size_t i = 0; i < batch->count; i++) {
        size_t at = 0;
        if ((batch->made[i] != NULL) != (batch->placed[i] != NULL) ||
            (batch->made[i] && swarm_reservation_node(batch->made[i]) != batch->planned[i]))
            world_differ(world, "request %zu of a batch was placed otherwise than planned", i);
        if (!batch->made[i] || world->differs)
            continue;
        while (world->places[at].reservation)
            at++;
        world->places[at] = (struct place){batch->made[i], batch->placed[i]->node, batch->placed[i]};
    }
}

static void place_all(struct batch *batch, const struct swarm_scheduler *scheduler, const char *const *filters,
                      size_t filter_count)
{
    struct world *world = batch->world;
    static struct oracle_answer answers[MOST_REQUESTS];
    size_t refused = batch->count;
    int code;
    WORLD_CALL_BATCH(world, code,
                     swarm_scheduler_plan_batch(
                         scheduler, world->cluster, batch->requests, batch->count,
                         &(struct swarm_batch_options){.size = sizeof(batch->options), .seed = batch->options.seed},
                         batch->planned, NULL, &world->error));
    world_expect(world, "plan of a batch", code, 0);
    for (size_t i = 0; i < batch->count && !world->differs; i++) {
        decide_one(batch, i, scheduler, filters, filter_count, &answers[i]);
        if (!batch->placed[i] && refused == batch->count)
            refused = i;
    }
    if (world->differs)
        return;
    bool none = batch->options.all_or_none && refused < batch->count;
    WORLD_CALL_BATCH(world, code,
                     swarm_scheduler_place_batch(scheduler, world->cluster, batch->requests, batch->count,
                                                 &batch->options, batch->made, batch->errors, &world->error));
    world_expect(world, "batch", code, none ? code_of(answers[refused].verdict) : 0);
    if (none) {
        char front[32];
        snprintf(front, sizeof(front), "request %zu: ", refused);
        compare_error(world, world->error, front, &answers[refused]);
        forget_all(batch);
        return;
    }
    for (size_t i = 0; i < batch->count && !world->differs; i++)
        if (!batch->placed[i])
            compare_error(world, batch->errors[i], "", &answers[i]);
        else if (batch->errors[i])
            world_differ(world, "request %zu was placed, with an error: %s", i, swarm_error_message(batch->errors[i]));
    keep_places(batch);
}

void world_batch(struct world *world)
{
    static const char *const strategies[] = {"spread", "binpack", "random"};
    struct swarm_scheduler_options made = SWARM_SCHEDULER_OPTIONS_INIT;
    const char *filters[MOST_FILTERS];
    struct swarm_scheduler *scheduler = NULL;
    struct oracle_question question = {NULL};
    struct batch batch = {.world = world, .options = SWARM_BATCH_OPTIONS_INIT};
    size_t most = free_places(world), count = 1 + world_draw(world, MOST_REQUESTS);
    int code;
    if (is_full(world))
        return;
    batch.options.seed = world_draw(world, 5);
    batch.options.all_or_none = (int)world_draw(world, 2);
    world_any_filters(world, &question, filters);
    made.strategy = strategies[world_draw(world, 3)];
    made.filters = filters;
    made.filter_count = question.filter_count;
    for (; batch.count < count && batch.count < most && !world->differs; batch.count++) {
        struct oracle_request facts;
        any_request(world, &facts);
        make_plain(&batch, &facts);
        batch.facts[batch.count] = facts;
        world_log(world, "%zu of a batch%s by %s:", batch.count, batch.options.all_or_none ? ", all or none," : "",
                  made.strategy);
        world_log_request(world, &facts);
        batch.requests[batch.count] = request_for(world, &facts);
    }
    WORLD_CALL(world, code, swarm_scheduler_new(&scheduler, &made, &world->error));
    if (code == 0 && !world->differs)
        place_all(&batch, scheduler, filters, made.filter_count);
    drop_errors(&batch);
    for (size_t i = 0; i < batch.count; i++)
        swarm_request_unref(batch.requests[i]);
    swarm_scheduler_free(scheduler);
}
