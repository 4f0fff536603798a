/* SPDX-License-Identifier: Apache-2.0 */
#include "create.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "create_bind.h"
#include "create_private.h"
#include "decisions.h"
#include "log.h"
#include "metrics.h"
#include "pool.h"
#include "random.h"

static int status_of(int result)
{
    if (result == SWARM_ERR_NAME_TAKEN) {
        return 409;
    }
    return result == SWARM_ERR_PARSE || result == SWARM_ERR_INVALID ? 400 : 500;
}

static int fail_with(struct failure *failure, int result, struct swarm_error *error)
{
    failure_set(failure, status_of(result), "%s", error ? swarm_error_message(error) : swarm_strerror(result));
    swarm_error_free(error);
    return -1;
}

/* --- networks: "node/net" is that node's local network --- */

/* The name without its node where @p name begins with one of the pool's; *ret_node is new text. NULL where not. */
static const char *split_node(struct pool *pool, const char *name, char **ret_node)
{
    const char *slash = name ? strchr(name, '/') : NULL;
    struct engine *engine;
    char *node;

    if (!slash) {
        return NULL;
    }
    node = strndup(name, (size_t)(slash - name));
    engine = node ? pool_find_engine_by_name(pool, node) : NULL;
    if (!engine) {
        free(node);
        return NULL;
    }
    engine_unref(engine);
    *ret_node = node;
    return slash + 1;
}

/* A container can join such a network on that node only. */
static int bind_to_node(struct swarm_create_body *body, const char *node, struct swarm_error **reterr)
{
    char *constraint;
    int result;

    if (asprintf(&constraint, "node==%s", node) < 0) {
        return SWARM_ERR_NOMEM;
    }
    result = swarm_create_body_add_constraint(body, constraint, reterr);
    free(constraint);
    return result;
}

static int localize_mode(struct pool *pool, struct swarm_create_body *body, struct swarm_error **reterr)
{
    const char *mode = swarm_request_network_mode(swarm_create_body_request(body));
    char *node, *bare;
    int result;

    mode = split_node(pool, mode, &node);
    if (!mode) {
        return 0;
    }
    bare = strdup(mode); /* the request's own text changes */
    result = bare ? bind_to_node(body, node, reterr) : SWARM_ERR_NOMEM;
    if (!result) {
        result = swarm_create_body_set_network_mode(body, bare, reterr);
    }
    free(bare);
    free(node);
    return result;
}

static int localize_endpoints(struct pool *pool, struct swarm_create_body *body, struct swarm_error **reterr)
{
    const char *name;
    size_t index = 0;
    int result = 0;

    while (!result && (name = swarm_create_body_endpoint(body, index))) {
        char *node, *bare, *full;
        const char *split = split_node(pool, name, &node);

        if (!split) {
            index++; /* and not after a rename, which may move another one here */
            continue;
        }
        bare = strdup(split);
        full = strdup(name);
        result = bare && full ? bind_to_node(body, node, reterr) : SWARM_ERR_NOMEM;
        if (!result) {
            result = swarm_create_body_rename_endpoint(body, full, bare, reterr);
        }
        free(bare);
        free(full);
        free(node);
    }
    return result;
}

/* --- identity --- */

static bool id_is_known(struct pool *pool, const char *id)
{
    struct swarm_container *container;
    bool known;

    pool_read_lock(pool);
    known = !swarm_cluster_look_up(pool->cluster, id, &container, NULL);
    pool_unlock(pool);
    return known;
}

/* A swarm id that came with the body stays, unless a container of the pool has it: tools that make a container anew
 * from the old one's labels would otherwise make two that count as one. */
static int assign_swarm_id(struct pool *pool, struct swarm_create_body *body, struct swarm_error **reterr)
{
    const char *given = swarm_request_swarm_id(swarm_create_body_request(body));
    char id[RANDOM_ID_SIZE];

    if (given && *given && !id_is_known(pool, given)) {
        return 0;
    }
    do {
        if (random_id(id)) {
            return SWARM_ERR_NOMEM;
        }
    } while (id_is_known(pool, id));
    return swarm_create_body_set_swarm_id(body, id, reterr);
}

static int prepare(struct pool *pool, const struct create_order *order, struct failure *failure)
{
    struct swarm_error *error = NULL;
    int result = localize_mode(pool, order->body, &error);

    if (!result) {
        result = localize_endpoints(pool, order->body, &error);
    }
    if (!result) {
        result = create_bind_networks(pool, order->body, &error);
    }
    if (!result) {
        result = assign_swarm_id(pool, order->body, &error);
    }
    if (!result) {
        pool_read_lock(pool);
        result =
            swarm_create_body_settle_cpu_shares(order->body, pool->cluster, pool->manager->options.cpu_shares, &error);
        pool_unlock(pool);
    }
    if (!result && order->name && *order->name) {
        result = swarm_request_set_name(swarm_create_body_request(order->body), order->name, &error);
    }
    if (!result) {
        result = create_prefer_volumes(pool, swarm_create_body_request(order->body), order->volumes, &error);
    }
    return result ? fail_with(failure, result, error) : 0;
}

/* --- attempts --- */

/* One create under way. */
struct creation {
    struct manager *manager;
    const struct create_order *order;
    json_t *answer;
    bool placed;        /* the last attempt got as far as an engine */
    bool image_missing; /* and could not have the image there */
};

/* What a decision tells: where the container goes, if anywhere, and why. */
struct verdict {
    int code;   /* 0: granted */
    char *text; /* libswarm's */
    char *node; /* the chosen one's name */
};

static void verdict_clear(struct verdict *verdict)
{
    swarm_free(verdict->text);
    free(verdict->node);
}

/* What nodes were refused for, each once. */
static void count_reasons(const struct swarm_decision *decision)
{
    const struct swarm_cause *cause;
    unsigned counted = 0;

    if (!swarm_decision_code(decision))
        return;
    for (size_t i = 0; (cause = swarm_decision_cause(decision, i)); i++) {
        unsigned bit = 1U << swarm_cause_reason(cause);

        if (!(counted & bit))
            metrics_refused(swarm_cause_reason(cause));
        counted |= bit;
    }
    if (!counted)
        metrics_refused(SWARM_REASON_OTHER);
}

/* With the pool locked. */
static int tell(const struct swarm_decision *decision, struct verdict *ret, struct swarm_error **reterr)
{
    const struct swarm_node *node = swarm_decision_node(decision);

    ret->code = swarm_decision_code(decision);
    ret->node = node ? strdup(swarm_node_name(node)) : NULL;
    return swarm_decision_text(decision, &ret->text, reterr);
}

/* The decision, explained. Where it is for a node that lacks the image, while other nodes have it and nobody else can
 * give it to that one, the decision is one for these, if there is one. With the pool locked.
 *
 * options: gets what led there, for the same decision once more; *ret_affinity: its text, owned. */
static int decide(struct manager *manager, const struct swarm_request *request, struct swarm_place_options *options,
                  char **ret_affinity, struct swarm_decision **ret, struct swarm_error **reterr)
{
    struct pool *pool = manager->pool;
    struct swarm_decision *second = NULL;
    int result = swarm_scheduler_explain(manager->scheduler, pool->cluster, request, options, ret, reterr);

    if (result || swarm_decision_code(*ret) || options->extra_affinity) {
        return result;
    }
    result = create_find_local_image(pool, swarm_request_image(request), swarm_decision_node(*ret), ret_affinity);
    if (result || !*ret_affinity) {
        return result;
    }
    options->extra_affinity = *ret_affinity;
    result = swarm_scheduler_explain(manager->scheduler, pool->cluster, request, options, &second, reterr);
    if (!result && !swarm_decision_code(second)) {
        swarm_decision_free(*ret);
        *ret = second;
        return 0;
    }
    options->extra_affinity = NULL;
    swarm_decision_free(second);
    return result;
}

/* Decide and reserve, and know why. The decision is made twice, with one seed and under one lock, so that both are the
 * same: an explained one reserves nothing. */
static int place(struct manager *manager, struct swarm_request *request, struct swarm_place_options options,
                 struct swarm_reservation **ret, struct verdict *ret_verdict, struct swarm_error **reterr)
{
    struct swarm_decision *decision = NULL;
    char *affinity = NULL;
    int result;

    pool_write_lock(manager->pool);
    result = decide(manager, request, &options, &affinity, &decision, reterr);
    if (!result) {
        count_reasons(decision);
        result = tell(decision, ret_verdict, reterr);
    }
    swarm_decision_free(decision);
    if (!result && !ret_verdict->code) {
        result = swarm_scheduler_place(manager->scheduler, manager->pool->cluster, request, &options, ret, reterr);
    }
    pool_unlock(manager->pool);
    free(affinity);
    return result;
}

static void note_decision(const struct creation *creation, const struct verdict *verdict)
{
    const struct swarm_request *request = swarm_create_body_request(creation->order->body);
    struct decision_note note = {
        .granted = !verdict->code,
        .name = swarm_request_name(request),
        .image = swarm_request_image(request),
        .node = verdict->node,
        .text = verdict->text,
    };

    decisions_add(creation->manager->decisions, &note);
}

/* @p affinity: one more for this attempt, NULL: none. */
static int attempt(struct creation *creation, const char *affinity, struct failure *failure)
{
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    struct swarm_request *request = swarm_create_body_request(creation->order->body);
    struct swarm_reservation *reservation = NULL;
    struct swarm_error *error = NULL;
    struct verdict verdict = {0};
    struct engine *engine = NULL;
    int result;

    options.seed = random_seed();
    options.extra_affinity = affinity;
    creation->image_missing = false;
    result = place(creation->manager, request, options, &reservation, &verdict, &error);
    if (!result) {
        note_decision(creation, &verdict);
    }
    creation->placed = !result && !verdict.code;
    if (result) {
        fail_with(failure, result, error);
    } else if (verdict.code) {
        failure_set(failure, status_of(verdict.code), "%s", verdict.text);
    }
    verdict_clear(&verdict);
    if (!creation->placed) {
        return -1;
    }
    result = create_on_engine(creation->manager, reservation, creation->order, &creation->answer, &engine,
                              &creation->image_missing, failure);
    engine_unref(engine);
    return result;
}

/* The operating system that the image wants, where that is why it was refused; new text. */
static char *wanted_os(const char *message)
{
    static const char before[] = "image operating system \"", after[] = "\" cannot be used on this platform";
    const char *start = message ? strstr(message, before) : NULL, *end;

    if (!start) {
        return NULL;
    }
    start += strlen(before);
    end = strstr(start, after);
    return end && end > start ? strndup(start, (size_t)(end - start)) : NULL;
}

/* Try again on engines of the image's operating system. False where that is not the trouble. */
static bool retry_for_os(struct creation *creation, struct failure *failure, int *result)
{
    char *os = wanted_os(failure->message), *constraint = NULL;
    bool tried = false;

    if (os && asprintf(&constraint, "ostype==%s", os) >= 0) {
        tried = !swarm_create_body_add_constraint(creation->order->body, constraint, NULL);
        free(constraint);
    }
    free(os);
    if (tried) {
        *result = attempt(creation, NULL, failure);
    }
    return tried;
}

/* Some word after "image " or "repository " is "not found". */
static bool says_not_found(const char *message, const char *subject)
{
    for (const char *at = message; (at = strstr(at, subject)); at++) {
        const char *word = at + strlen(subject);

        if (!strncmp(word + strcspn(word, " "), " not found", 10)) {
            return true;
        }
    }
    return false;
}

static bool image_is_missing(const struct creation *creation, const struct failure *failure)
{
    const char *message = failure->message ? failure->message : "";

    return creation->placed && (creation->image_missing || says_not_found(message, "image ") ||
                                says_not_found(message, "repository ") || strstr(message, "repository does not exist"));
}

/* Try again where the image is already. False where that is not the trouble, or where it is nowhere: then the first
 * failure stands. */
static bool retry_where_image_is(struct creation *creation, struct failure *failure, int *result)
{
    const struct swarm_request *request = swarm_create_body_request(creation->order->body);
    struct failure second = {0};
    char *affinity;

    if (!image_is_missing(creation, failure) || swarm_request_has_node_constraint(request) ||
        !swarm_request_image(request) || asprintf(&affinity, "image==%s", swarm_request_image(request)) < 0) {
        return false;
    }
    *result = attempt(creation, affinity, &second);
    free(affinity);
    if (*result && creation->placed) {
        failure_clear(failure);
        *failure = second;
    } else {
        failure_clear(&second);
    }
    return *result == 0 || creation->placed;
}

/* Neither the client's mistake nor a name that is taken gets better by itself. */
static bool may_pass(const struct failure *failure)
{
    return failure->status != 400 && failure->status != 409;
}

static int attempt_all(struct creation *creation, struct failure *failure)
{
    int result = attempt(creation, NULL, failure), retries = 0;

    if (result && retry_for_os(creation, failure, &result)) {
        retries++;
    }
    if (result && retry_where_image_is(creation, failure, &result)) {
        retries++;
    }
    for (; result && retries < creation->manager->options.create_retry && may_pass(failure); retries++) {
        log_warn_with(LOG_FIELDS({"Name", "Swarm"}), "Failed to create container: %s, retrying",
                      failure->message ? failure->message : "out of memory");
        result = attempt(creation, NULL, failure);
    }
    return result;
}

int create_container(struct manager *manager, const struct create_order *order, json_t **ret_answer,
                     struct failure *failure)
{
    struct creation creation = {.manager = manager, .order = order};

    if (prepare(manager->pool, order, failure) || attempt_all(&creation, failure)) {
        return -1;
    }
    failure_clear(failure); /* of an attempt before the one that worked */
    *ret_answer = creation.answer;
    return 0;
}

int create_dry_run(struct manager *manager, const struct create_order *order, char **ret_json, size_t *ret_length,
                   struct failure *failure)
{
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    struct swarm_decision *decision = NULL;
    struct swarm_error *error = NULL;
    char *affinity = NULL;
    int result;

    if (prepare(manager->pool, order, failure)) {
        return -1;
    }
    options.seed = random_seed();
    pool_read_lock(manager->pool);
    result = decide(manager, swarm_create_body_request(order->body), &options, &affinity, &decision, &error);
    if (!result) {
        result = swarm_decision_json(decision, ret_json, ret_length, &error);
    }
    swarm_decision_free(decision);
    pool_unlock(manager->pool);
    free(affinity);
    return result ? fail_with(failure, result, error) : 0;
}
