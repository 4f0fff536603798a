/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An explanation must be of the decision that is made: random clusters and requests, and each explained decision is the
 * planned one, each node fits or is in one cause, and what the cause says is true. The seed is printed; give it as the
 * argument to see a failure again.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "explain_fixture.h"

#define NODES 90
#define CONTAINERS 260
#define ROUNDS 60
#define REQUESTS 60

static uint64_t random_state;

static unsigned draw(unsigned below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % below;
}

static struct swarm_request *random_request(int id)
{
    static const char *const words[] = {
        "label=app=web",
        "label=app=db",
        "port=80",
        "port=10.0.0.1:81",
        "port=81",
        "cpus=1",
        "cpus=2",
        "memory=1",
        "memory=3",
        "net=host",
        "expose=80/tcp",
        "constraint=zone==a",
        "constraint=zone!=~b",
        "constraint=rack==/^r/",
        "affinity=app!=web",
        "affinity=app==~db",
        "affinity=image==app",
        "link=c7",
        "whitelist=node==w0|w1",
        "constraint=zone==~q",
        "affinity=container!=c1*",
        "constraint=node!=n1*",
    };
    char text[512] = "";
    for (unsigned i = draw(4); i > 0; i--)
        strcat(strcat(text, words[draw(COUNT(words))]), " ");
    if (draw(3) == 0)
        sprintf(text + strlen(text), "name=c%d", id);
    return request_of(text);
}

static void fill_cluster(void)
{
    static const char *const labels[] = {"zone=a", "zone=b rack=r1", "", "containerslots=3", "zone=a containerslots=1"};
    cluster = new_cluster();
    unsigned count = draw(NODES);
    struct swarm_node *all[NODES];
    for (unsigned i = 0; i < count; i++) {
        char id[16], name[16];
        sprintf(id, "n%u", i);
        sprintf(name, "w%u", draw(NODES));
        all[i] = add_sized_node(cluster, id, 1 + draw(6), 1 + draw(6));
        assert_int_equal(swarm_node_set_name(all[i], name, NULL), 0);
        label_node(all[i], labels[draw(COUNT(labels))]);
        if (draw(4) == 0)
            add_image_to(all[i], "sha256:1", "app:1");
        swarm_node_set_health(all[i], draw(8) ? 100 : (int)draw(3) * 50, NULL);
        swarm_node_set_availability(all[i], draw(8) ? SWARM_AVAILABILITY_ACTIVE : (int)draw(4), NULL);
    }
    for (unsigned i = 0; count > 0 && i < draw(CONTAINERS); i++) {
        char id[16];
        sprintf(id, "id%u", i);
        struct swarm_request *request = random_request((int)i);
        assert_int_equal(swarm_cluster_add_container(cluster, all[draw(count)], id, request, NULL, NULL), 0);
        swarm_request_unref(request);
    }
}

/* What the cause says of the node is true. */
static void check_cause(const struct swarm_decision *decision, const struct swarm_cause *cause, struct swarm_node *node,
                        const struct swarm_request *request, bool ever)
{
    int unit = -1;
    int64_t lack = swarm_cause_shortage(cause, node, &unit);
    int64_t free_cpus = swarm_node_total_cpus_milli(node) - (ever ? 0 : swarm_node_used_cpus_milli(node));
    int64_t free_memory = swarm_node_total_memory(node) - (ever ? 0 : swarm_node_used_memory(node));
    int64_t containers = ever ? 0 : (int64_t)swarm_node_container_count(node);
    switch (swarm_cause_reason(cause)) {
    case SWARM_REASON_UNHEALTHY:
        assert_int_equal(swarm_node_health(node), 0);
        break;
    case SWARM_REASON_PAUSED:
        assert_int_equal(swarm_node_availability(node), SWARM_AVAILABILITY_PAUSED);
        break;
    case SWARM_REASON_DRAINING:
        assert_int_equal(swarm_node_availability(node), SWARM_AVAILABILITY_DRAINING);
        break;
    case SWARM_REASON_UNANNOUNCED:
        assert_int_equal(swarm_node_availability(node), SWARM_AVAILABILITY_UNANNOUNCED);
        break;
    case SWARM_REASON_CPU:
        assert_int_equal(unit, SWARM_UNIT_CPUS_MILLI);
        assert_int_equal(lack, swarm_request_cpus_milli(request) - free_cpus);
        break;
    case SWARM_REASON_MEMORY:
        assert_int_equal(unit, SWARM_UNIT_BYTES);
        assert_true(lack == swarm_request_memory(request) - free_memory);
        break;
    case SWARM_REASON_SLOTS:
        assert_int_equal(lack, containers + 1 - strtol(swarm_node_label(node, "containerslots"), NULL, 10));
        break;
    case SWARM_REASON_PORT:
        assert_non_null(swarm_cause_blocker(cause));
        assert_ptr_equal(swarm_decision_cause_of(decision, swarm_container_node(swarm_cause_blocker(cause))), cause);
        break;
    case SWARM_REASON_WHITELIST:
        assert_string_not_equal(swarm_node_name(node), "w0");
        break;
    case SWARM_REASON_OTHER:
        fail_msg("a built-in filter gave no reason: %s", swarm_cause_filter(cause));
        break;
    default:
        break;
    }
    assert_true(lack > 0 || unit == SWARM_UNIT_NONE);
    if (unit != SWARM_UNIT_NONE && swarm_cause_reason(cause) != SWARM_REASON_CPU)
        assert_true(lack >= swarm_cause_shortage(cause, NULL, NULL));
}

static void check_causes(const struct swarm_decision *decision, const struct swarm_request *request, bool ever)
{
    size_t refused = 0;
    const struct swarm_cause *cause;
    for (size_t i = 0; (cause = swarm_decision_cause(decision, i)); i++) {
        size_t count = 0;
        for (struct swarm_node *node = NULL; (node = swarm_cause_next_node(cause, node)); count++) {
            assert_ptr_equal(swarm_decision_cause_of(decision, node), cause);
            check_cause(decision, cause, node, request, ever);
        }
        assert_int_equal(count, swarm_cause_count(cause));
        assert_true(count > 0 || swarm_cause_reason(cause) == SWARM_REASON_NAME);
        refused += count;
    }
    assert_int_equal(refused + swarm_decision_fit_count(decision), swarm_cluster_node_count(cluster));
}

static void check_granted(const struct swarm_decision *plan, const struct swarm_decision *decision)
{
    assert_ptr_equal(swarm_decision_node(plan), swarm_decision_node(decision));
    assert_int_equal(swarm_decision_soft_dropped(plan), swarm_decision_soft_dropped(decision));
    assert_int_equal(swarm_decision_candidate_count(plan), swarm_decision_candidate_count(decision));
    for (size_t i = 0; i < swarm_decision_candidate_count(plan); i++)
        assert_ptr_equal(swarm_decision_candidate(plan, i), swarm_decision_candidate(decision, i));
    assert_int_equal(swarm_decision_best_count(plan), swarm_decision_best_count(decision));
    for (size_t i = 0; i < swarm_decision_best_count(plan); i++) {
        assert_ptr_equal(swarm_decision_best(plan, i), swarm_decision_best(decision, i));
        assert_null(swarm_decision_cause_of(decision, swarm_decision_best(plan, i)));
    }
    assert_ptr_equal(swarm_decision_ranked(decision, 0, NULL), swarm_decision_node(decision));
    size_t fit = swarm_decision_fit_count(decision);
    assert_int_equal(swarm_decision_ranked_count(decision), fit < 5 ? fit : 5);
}

/* The plain refusal is the explained one's message, but for its last line. */
static void check_refused(const struct swarm_error *error, const struct swarm_decision *decision)
{
    const char *plain = swarm_error_message(error), *message = swarm_decision_message(decision);
    size_t length = strlen(message);
    assert_int_equal(strncmp(plain, message, length), 0);
    assert_true(plain[length] == '\0' || strncmp(plain + length, "\n[nodes not considered", 22) == 0);
    assert_int_equal(swarm_decision_fit_count(decision), 0);
    assert_null(swarm_decision_node(decision));
}

static void check_decision(const struct swarm_scheduler *scheduler, struct swarm_request *request)
{
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    struct swarm_decision *plan = NULL, *decision = NULL, *ever = NULL;
    struct swarm_reservation *place = NULL;
    struct swarm_error *error = NULL;
    options.seed = random_state;
    options.extra_affinity = draw(8) ? NULL : "image==~app";
    int code = swarm_scheduler_plan(scheduler, cluster, request, &options, &plan, &error);
    assert_int_equal(swarm_scheduler_explain(scheduler, cluster, request, &options, &decision, NULL), 0);
    assert_int_equal(swarm_decision_code(decision), code);
    check_causes(decision, request, false);
    if (code == 0)
        check_granted(plan, decision);
    else
        check_refused(error, decision);
    char *text = NULL, *json = NULL;
    assert_int_equal(swarm_decision_text(decision, &text, NULL), 0);
    assert_int_equal(swarm_decision_json(decision, &json, NULL, NULL), 0);
    assert_non_null(strstr(text, " nodes fit"));
    assert_int_equal(swarm_scheduler_would_fit(scheduler, cluster, request, &ever, NULL), 0);
    check_causes(ever, request, true);
    assert_true(swarm_decision_fit_count(ever) >= swarm_decision_fit_count(decision));
    assert_int_equal(swarm_scheduler_place(scheduler, cluster, request, &options, &place, NULL), code);
    if (code == 0)
        assert_ptr_equal(swarm_reservation_node(place), swarm_decision_node(decision));
    swarm_reservation_abort(place);
    swarm_free(text);
    swarm_free(json);
    swarm_error_free(error);
    swarm_decision_free(plan);
    swarm_decision_free(ever);
    swarm_decision_free(decision);
}

static void test_explained_as_decided(void **state)
{
    static const char *const strategies[] = {"spread", "binpack", "random"};
    for (int round = 0; round < ROUNDS; round++) {
        fill_cluster();
        for (int i = 0; i < REQUESTS; i++) {
            struct swarm_scheduler *scheduler = new_scheduler(strategies[draw(3)], NULL);
            struct swarm_request *request = random_request((int)draw(CONTAINERS * 2));
            check_decision(scheduler, request);
            swarm_request_unref(request);
            swarm_scheduler_free(scheduler);
        }
        swarm_cluster_free(cluster);
    }
}

int main(int argc, char **argv)
{
    random_state = argc > 1 ? strtoull(argv[1], NULL, 10) : 20261126;
    printf("seed %llu\n", (unsigned long long)random_state);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_explained_as_decided)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
