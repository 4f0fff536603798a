/* SPDX-License-Identifier: Apache-2.0 */
#include "choose.h"

#include <stdlib.h>

#include "fanout.h"
#include "pool.h"
#include "random.h"

static int make_request(const json_t *whitelists, struct swarm_request **ret, struct swarm_error **reterr)
{
    struct swarm_request *request;
    json_t *expression;
    size_t i;
    int r = swarm_request_new(&request, reterr);

    if (r < 0)
        return r;
    json_array_foreach (whitelists, i, expression) {
        const char *text = json_string_value(expression);

        r = r < 0 || text == NULL ? r : swarm_request_add_whitelist(request, text, reterr);
    }
    if (r < 0)
        swarm_request_unref(request);
    else
        *ret = request;
    return r;
}

int choose_take(const struct swarm_decision *decision, struct engine ***ret, size_t *ret_count)
{
    size_t count = swarm_decision_candidate_count(decision), used = 0;
    struct engine **engines = calloc(count + 1, sizeof(engines[0]));
    struct swarm_node *chosen = swarm_decision_node(decision);

    if (engines == NULL)
        return SWARM_ERR_NOMEM;
    engines[used++] = engine_ref(swarm_node_data(chosen));
    for (size_t i = 0; i < count; i++) {
        struct swarm_node *node = swarm_decision_candidate(decision, i);

        if (node != chosen)
            engines[used++] = engine_ref(swarm_node_data(node));
    }
    *ret = engines;
    *ret_count = used;
    return 0;
}

int choose_engines(struct manager *manager, const json_t *whitelists, struct engine ***ret, size_t *ret_count,
                   struct failure *failure)
{
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    struct swarm_request *request = NULL;
    struct swarm_decision *decision = NULL;
    struct swarm_error *error = NULL;
    int r = make_request(whitelists, &request, &error);

    options.seed = random_seed();
    if (r == 0) {
        pool_read_lock(manager->pool);
        r = swarm_scheduler_plan(manager->scheduler, manager->pool->cluster, request, &options, &decision, &error);
        if (r == 0)
            r = choose_take(decision, ret, ret_count);
        pool_unlock(manager->pool);
    }
    swarm_decision_free(decision);
    swarm_request_unref(request);
    if (r < 0)
        failure_set(failure, r == SWARM_ERR_PARSE ? 400 : 500, "%s",
                    error == NULL ? swarm_strerror(r) : swarm_error_message(error));
    swarm_error_free(error);
    return r < 0 ? -1 : 0;
}

struct engine *choose_answering(struct engine *const *engines, size_t count)
{
    for (size_t i = 0; i < count && count > 1; i++) {
        if (engine_is_answering(engines[i]))
            return engines[i];
    }
    return engines[0];
}

int choose_engine(struct manager *manager, const json_t *whitelists, struct engine **ret, struct failure *failure)
{
    struct engine **engines;
    size_t count;

    if (choose_engines(manager, whitelists, &engines, &count, failure) < 0)
        return -1;
    *ret = engine_ref(choose_answering(engines, count));
    fanout_release(engines, count);
    return 0;
}
