/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that lack an argument: each is refused, or gives nothing. Those that test_arguments.c has are not here again.
 */
#include "nomem_scene.h"

static int set_up(void **state)
{
    scene_begin();
    return 0;
}

static int tear_down(void **state)
{
    scene_end();
    return 0;
}

#define REFUSED(call) assert_int_equal((call), SWARM_ERR_INVALID)

static void test_create_bodies(void **state)
{
    struct swarm_create_body *body = NULL;
    char *text = NULL;
    REFUSED(swarm_create_body_parse(NULL, "{}", 2, NULL));
    REFUSED(swarm_create_body_parse(&body, NULL, 2, NULL));
    REFUSED(swarm_create_body_from_inspect(NULL, "{}", 2, 1, NULL));
    REFUSED(swarm_create_body_from_inspect(&body, NULL, 2, 1, NULL));
    REFUSED(swarm_create_body_from_inspect(&body, "{}", 2, 0, NULL));
    REFUSED(swarm_create_body_from_inspect_as(NULL, "{}", 2, 1, SWARM_CPU_SHARES_AUTO, NULL));
    REFUSED(swarm_create_body_settle_cpu_shares(NULL, NULL, SWARM_CPU_SHARES_AUTO, NULL));
    REFUSED(swarm_create_body_set_swarm_id(NULL, "s", NULL));
    REFUSED(swarm_create_body_set_swarm_id(scene.body, NULL, NULL));
    REFUSED(swarm_create_body_add_constraint(NULL, "zone==a", NULL));
    REFUSED(swarm_create_body_add_constraint(scene.body, NULL, NULL));
    REFUSED(swarm_create_body_set_network_mode(NULL, "host", NULL));
    REFUSED(swarm_create_body_set_network_mode(scene.body, NULL, NULL));
    REFUSED(swarm_create_body_rename_endpoint(NULL, "a", "b", NULL));
    REFUSED(swarm_create_body_rename_endpoint(scene.body, NULL, "b", NULL));
    REFUSED(swarm_create_body_rename_endpoint(scene.body, "a", NULL, NULL));
    REFUSED(swarm_create_body_take_endpoint(NULL, "a", &text, NULL));
    REFUSED(swarm_create_body_take_endpoint(scene.body, NULL, &text, NULL));
    REFUSED(swarm_create_body_take_endpoint(scene.body, "front", NULL, NULL));
    REFUSED(swarm_create_body_write(NULL, 1, &text, NULL, NULL));
    REFUSED(swarm_create_body_write(scene.body, 1, NULL, NULL, NULL));
    REFUSED(swarm_create_body_write(scene.body, 0, &text, NULL, NULL));
    assert_null(swarm_create_body_request(NULL));
    assert_null(swarm_create_body_endpoint(NULL, 0));
    swarm_create_body_free(NULL);
}

static void test_requests(void **state)
{
    struct swarm_request *request = NULL;
    REFUSED(swarm_request_new(NULL, NULL));
    REFUSED(swarm_request_copy(NULL, scene.request, NULL));
    REFUSED(swarm_request_copy(&request, NULL, NULL));
    REFUSED(swarm_request_from_create(NULL, "{}", 2, NULL));
    REFUSED(swarm_request_from_create(&request, NULL, 2, NULL));
    REFUSED(swarm_request_from_inspect(NULL, "{}", 2, 1, NULL));
    REFUSED(swarm_request_from_inspect(&request, NULL, 2, 1, NULL));
    REFUSED(swarm_request_from_inspect_as(NULL, "{}", 2, 1, SWARM_CPU_SHARES_AUTO, NULL));
    REFUSED(swarm_request_from_inspect(&request, "{}", 2, 0, NULL));
    assert_int_equal(swarm_request_from_inspect(&request, NULL, 0, 1, NULL), SWARM_ERR_PARSE);
    assert_int_equal(swarm_request_from_create(&request, NULL, 0, NULL), SWARM_ERR_PARSE);
    REFUSED(swarm_request_check(NULL, NULL));
    assert_null(request);
    assert_null(swarm_request_ref(NULL));
    swarm_request_unref(NULL);
}

static void test_requests_have_getters_for_none(void **state)
{
    const char *text;
    int64_t amount;
    assert_null(swarm_request_name(NULL));
    assert_null(swarm_request_image(NULL));
    assert_null(swarm_request_network_mode(NULL));
    assert_null(swarm_request_pid_mode(NULL));
    assert_null(swarm_request_ipc_mode(NULL));
    assert_null(swarm_request_swarm_id(NULL));
    assert_null(swarm_request_label(NULL, "app"));
    assert_null(swarm_request_label(scene.request, NULL));
    assert_int_equal(swarm_request_cpus_milli(NULL), 0);
    assert_int_equal(swarm_request_memory(NULL), 0);
    assert_int_equal(swarm_request_cpus_limit_milli(NULL), 0);
    assert_int_equal(swarm_request_memory_limit(NULL), 0);
    assert_int_equal(swarm_request_resource(NULL, "gpu"), 0);
    assert_int_equal(swarm_request_resource(scene.request, NULL), 0);
    assert_int_equal(swarm_request_resource_at(NULL, 0, &text, &amount), 0);
    assert_int_equal(swarm_request_reschedule_policy(NULL), SWARM_RESCHEDULE_OFF);
    assert_int_equal(swarm_request_has_node_constraint(NULL), 0);
    assert_null(swarm_request_constraint_at(NULL, 0));
    assert_null(swarm_request_affinity_at(NULL, 0));
    assert_null(swarm_request_whitelist_at(NULL, 0));
    assert_null(swarm_request_exposed_port_at(NULL, 0));
    assert_null(swarm_request_link_at(NULL, 0));
    assert_null(swarm_request_volumes_from_at(NULL, 0));
    assert_int_equal(swarm_request_label_at(NULL, 0, &text, &text), 0);
    assert_int_equal(swarm_request_port_at(NULL, 0, &text, &text, &text), 0);
    assert_int_equal(swarm_request_label_at(scene.request, 0, NULL, NULL), 1);
    assert_int_equal(swarm_request_port_at(scene.request, 0, NULL, NULL, NULL), 1);
    assert_int_equal(swarm_request_resource_at(scene.request, 0, NULL, NULL), 1);
}

/* Every setter, on none and on one that is shared. */
static void test_setters_of_requests(void **state)
{
    static int (*const setters[])(struct swarm_request *, const char *, struct swarm_error **) = {
        swarm_request_set_name,       swarm_request_set_image,        swarm_request_set_swarm_id,
        swarm_request_add_constraint, swarm_request_add_affinity,     swarm_request_add_whitelist,
        swarm_request_set_pid_mode,   swarm_request_set_ipc_mode,     swarm_request_set_network_mode,
        swarm_request_add_link,       swarm_request_add_volumes_from, swarm_request_add_exposed_port,
    };
    for (size_t i = 0; i < COUNT(setters); i++) {
        REFUSED(setters[i](NULL, "zone==a", NULL));
        assert_int_equal(setters[i](scene.shared, "zone==a", NULL), SWARM_ERR_STATE);
    }
    /* These take none for none. */
    assert_int_equal(swarm_request_set_name(scene.request, NULL, NULL), 0);
    assert_int_equal(swarm_request_set_image(scene.request, NULL, NULL), 0);
    assert_int_equal(swarm_request_set_network_mode(scene.request, NULL, NULL), 0);
    assert_int_equal(swarm_request_set_pid_mode(scene.request, NULL, NULL), 0);
    assert_int_equal(swarm_request_set_ipc_mode(scene.request, NULL, NULL), 0);
    REFUSED(swarm_request_set_swarm_id(scene.request, NULL, NULL));
    REFUSED(swarm_request_add_constraint(scene.request, NULL, NULL));
    REFUSED(swarm_request_add_affinity(scene.request, NULL, NULL));
    REFUSED(swarm_request_add_whitelist(scene.request, NULL, NULL));
    REFUSED(swarm_request_add_link(scene.request, NULL, NULL));
    REFUSED(swarm_request_add_volumes_from(scene.request, NULL, NULL));
    REFUSED(swarm_request_add_exposed_port(scene.request, NULL, NULL));
    REFUSED(swarm_request_add_port(scene.request, NULL, NULL, NULL, NULL));
    REFUSED(swarm_request_set_label(scene.request, NULL, "v", NULL));
    assert_int_equal(swarm_request_set_label(scene.request, "k", NULL, NULL), 0);
    assert_int_equal(swarm_request_add_port(scene.request, "80/tcp", NULL, NULL, NULL), 0);
    assert_int_equal(swarm_request_set_cpus_milli(scene.shared, 1, NULL), SWARM_ERR_STATE);
    assert_int_equal(swarm_request_set_memory(scene.shared, 1, NULL), SWARM_ERR_STATE);
    assert_int_equal(swarm_request_set_cpus_limit_milli(scene.shared, 1, NULL), SWARM_ERR_STATE);
    assert_int_equal(swarm_request_set_memory_limit(scene.shared, 1, NULL), SWARM_ERR_STATE);
    assert_int_equal(swarm_request_set_resource(scene.shared, "gpu", 1, NULL), SWARM_ERR_STATE);
    assert_int_equal(swarm_request_set_reschedule_policy(scene.shared, 0, NULL), SWARM_ERR_STATE);
    assert_int_equal(swarm_request_set_label(scene.shared, "k", "v", NULL), SWARM_ERR_STATE);
    assert_int_equal(swarm_request_add_port(scene.shared, "80/tcp", "", "", NULL), SWARM_ERR_STATE);
}

static void test_clusters(void **state)
{
    struct swarm_container *found = NULL;
    struct swarm_reservation *place = NULL;
    struct swarm_cluster *other = new_cluster();
    struct swarm_node *foreign = add_node(other, "n", "n");
    REFUSED(swarm_cluster_look_up(NULL, "c0", &found, NULL));
    REFUSED(swarm_cluster_look_up(scene.cluster, NULL, &found, NULL));
    assert_int_equal(swarm_cluster_look_up(scene.cluster, "c0", NULL, NULL), 0);
    REFUSED(swarm_cluster_add_container(NULL, scene.n0, "x", scene.request, NULL, NULL));
    REFUSED(swarm_cluster_add_container(scene.cluster, NULL, "x", scene.request, NULL, NULL));
    REFUSED(swarm_cluster_add_container(scene.cluster, foreign, "x", scene.request, NULL, NULL));
    REFUSED(swarm_cluster_add_container(scene.cluster, scene.n0, NULL, scene.request, NULL, NULL));
    REFUSED(swarm_cluster_add_container(scene.cluster, scene.n0, "", scene.request, NULL, NULL));
    REFUSED(swarm_cluster_add_container(scene.cluster, scene.n0, "x", NULL, NULL, NULL));
    REFUSED(swarm_cluster_reserve(NULL, scene.n0, scene.request, &place, NULL));
    REFUSED(swarm_cluster_reserve(scene.cluster, NULL, scene.request, &place, NULL));
    REFUSED(swarm_cluster_reserve(scene.cluster, foreign, scene.request, &place, NULL));
    REFUSED(swarm_cluster_reserve(scene.cluster, scene.n0, NULL, &place, NULL));
    REFUSED(swarm_cluster_reserve(scene.cluster, scene.n0, scene.request, NULL, NULL));
    REFUSED(swarm_cluster_hold_name(NULL, "x", NULL));
    REFUSED(swarm_cluster_hold_name(scene.cluster, NULL, NULL));
    REFUSED(swarm_cluster_hold_name(scene.cluster, "/", NULL));
    REFUSED(swarm_reservation_commit(NULL, "x", &found, NULL));
    assert_int_equal(swarm_cluster_add_node(other, "m", NULL, NULL, NULL, NULL), 0);
    assert_string_equal(swarm_node_name(swarm_cluster_find_node(other, "m")), "");
    swarm_reservation_abort(NULL);
    swarm_cluster_free(other);
    swarm_cluster_free(NULL);
}

static void test_images(void **state)
{
    struct swarm_image *image = NULL;
    REFUSED(swarm_image_new(NULL, "sha256:1", NULL));
    REFUSED(swarm_image_new(&image, NULL, NULL));
    REFUSED(swarm_image_new(&image, "", NULL));
    REFUSED(swarm_image_add_tag(NULL, "a:1", NULL));
    REFUSED(swarm_image_add_tag(scene.image, NULL, NULL));
    REFUSED(swarm_image_add_digest(NULL, "a@b", NULL));
    REFUSED(swarm_image_add_digest(scene.image, "", NULL));
    assert_null(swarm_image_id(NULL));
    swarm_image_free(NULL);
}

static void test_registries(void **state)
{
    struct swarm_filter_ops filter = scene_filter;
    struct swarm_strategy_ops strategy = scene_strategy;
    REFUSED(swarm_registry_new(NULL, NULL));
    REFUSED(swarm_registry_add_filter(NULL, &filter, NULL, NULL));
    REFUSED(swarm_registry_add_filter(scene.registry, NULL, NULL, NULL));
    REFUSED(swarm_registry_add_strategy(NULL, &strategy, NULL, NULL));
    REFUSED(swarm_registry_add_strategy(scene.registry, NULL, NULL, NULL));
    filter.name = strategy.name = NULL;
    REFUSED(swarm_registry_add_filter(scene.registry, &filter, NULL, NULL));
    REFUSED(swarm_registry_add_strategy(scene.registry, &strategy, NULL, NULL));
    filter.name = strategy.name = "";
    REFUSED(swarm_registry_add_filter(scene.registry, &filter, NULL, NULL));
    REFUSED(swarm_registry_add_strategy(scene.registry, &strategy, NULL, NULL));
    filter.name = strategy.name = "new";
    filter.filter = NULL;
    strategy.rank = NULL;
    REFUSED(swarm_registry_add_filter(scene.registry, &filter, NULL, NULL));
    REFUSED(swarm_registry_add_strategy(scene.registry, &strategy, NULL, NULL));
    swarm_registry_free(NULL);
}

static void test_what_callbacks_call(void **state)
{
    assert_int_equal(swarm_candidates_count(NULL), 0);
    assert_null(swarm_candidates_next(NULL, NULL));
    swarm_candidates_remove(NULL, scene.n0);
    swarm_candidates_refuse(NULL, SWARM_REASON_OTHER, NULL);
    swarm_ranking_offer(NULL, scene.n0, 1);
    swarm_ranking_refuse(NULL, scene.n0, SWARM_REASON_OTHER, NULL);
    REFUSED(swarm_conditions_add(NULL, "x"));
    REFUSED(swarm_parts_add(NULL, "x", 1));
    assert_null(swarm_reason_name(-1));
    assert_null(swarm_reason_name(1000));
}

static void test_decisions(void **state)
{
    struct swarm_decision *decision = NULL;
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    struct swarm_scheduler *scheduler = NULL;
    char *text = NULL;
    REFUSED(swarm_scheduler_would_fit(NULL, scene.cluster, scene.request, &decision, NULL));
    REFUSED(swarm_scheduler_would_fit(scene.scheduler, NULL, scene.request, &decision, NULL));
    REFUSED(swarm_scheduler_would_fit(scene.scheduler, scene.cluster, NULL, &decision, NULL));
    REFUSED(swarm_scheduler_would_fit(scene.scheduler, scene.cluster, scene.request, NULL, NULL));
    REFUSED(swarm_scheduler_explain(NULL, scene.cluster, scene.request, NULL, &decision, NULL));
    REFUSED(swarm_scheduler_explain(scene.scheduler, scene.cluster, scene.request, NULL, NULL, NULL));
    REFUSED(swarm_decision_text(NULL, &text, NULL));
    REFUSED(swarm_decision_text(scene.explained, NULL, NULL));
    REFUSED(swarm_decision_json(NULL, &text, NULL, NULL));
    REFUSED(swarm_decision_json(scene.explained, NULL, NULL, NULL));
    REFUSED(swarm_scheduler_place(scene.scheduler, scene.cluster, scene.request, NULL, NULL, NULL));
    options.filters = (const char *const[]){NULL};
    options.filter_count = 1;
    REFUSED(swarm_scheduler_new(&scheduler, &options, NULL));
    swarm_decision_free(NULL);
    swarm_scheduler_free(NULL);
}

static void test_decisions_have_getters_for_none(void **state)
{
    int64_t amount;
    int unit = -1;
    const char *name;
    assert_int_equal(swarm_decision_code(NULL), 0);
    assert_null(swarm_decision_message(NULL));
    assert_null(swarm_decision_node(NULL));
    assert_int_equal(swarm_decision_candidate_count(NULL), 0);
    assert_null(swarm_decision_candidate(NULL, 0));
    assert_int_equal(swarm_decision_best_count(NULL), 0);
    assert_null(swarm_decision_best(NULL, 0));
    assert_int_equal(swarm_decision_soft_dropped(NULL), 0);
    assert_int_equal(swarm_decision_seed(NULL), 0);
    assert_int_equal(swarm_decision_generation(NULL), 0);
    assert_int_equal(swarm_decision_node_count(NULL), 0);
    assert_int_equal(swarm_decision_fit_count(NULL), 0);
    assert_null(swarm_decision_cause(NULL, 0));
    assert_null(swarm_decision_cause_of(NULL, scene.n0));
    assert_int_equal(swarm_decision_ranked_count(NULL), 0);
    assert_null(swarm_decision_ranked(NULL, 0, &amount));
    assert_int_equal(swarm_decision_part(NULL, 0, 0, &name, &amount), 0);
    assert_null(swarm_decision_dropped(NULL, 0));
    assert_int_equal(swarm_cause_reason(NULL), SWARM_REASON_OTHER);
    assert_null(swarm_cause_filter(NULL));
    assert_null(swarm_cause_detail(NULL));
    assert_int_equal(swarm_cause_count(NULL), 0);
    assert_null(swarm_cause_next_node(NULL, NULL));
    assert_null(swarm_cause_nearest(NULL));
    assert_int_equal(swarm_cause_shortage(NULL, scene.n0, &unit), 0);
    assert_int_equal(unit, SWARM_UNIT_NONE);
    assert_null(swarm_cause_blocker(NULL));
    assert_int_equal(swarm_container_running_since(NULL), 0);
    assert_int_equal(swarm_container_stopped(NULL), 0);
    REFUSED(swarm_container_set_stopped(NULL, 1, NULL));
}

/* The parts of a score are given to whom wants only one of both. */
static void test_parts_of_scores_go_without_receivers(void **state)
{
    struct swarm_decision *decision = NULL;
    struct swarm_request *request = NULL;
    const char *name = NULL;
    assert_int_equal(swarm_request_new(&request, NULL), 0);
    assert_int_equal(swarm_scheduler_explain(scene.scheduler, scene.cluster, request, NULL, &decision, NULL), 0);
    assert_int_equal(swarm_decision_part(decision, 0, 0, &name, NULL), 1);
    assert_non_null(name);
    assert_int_equal(swarm_decision_part(decision, 0, 0, NULL, NULL), 1);
    swarm_decision_free(decision);
    swarm_request_unref(request);
}

static void ignore_waiting(void *data, const struct swarm_waiting *waiting)
{
}

static void test_reschedulers(void **state)
{
    struct swarm_rescheduler *made = NULL, *rescheduler = scene.rescheduler;
    struct swarm_rescheduler_status status = SWARM_RESCHEDULER_STATUS_INIT;
    struct swarm_memory memory = SWARM_MEMORY_INIT;
    struct swarm_action action = SWARM_ACTION_INIT;
    const char *why;
    REFUSED(swarm_rescheduler_new(NULL, scene.cluster, scene.scheduler, NULL, NULL));
    REFUSED(swarm_rescheduler_new(&made, NULL, scene.scheduler, NULL, NULL));
    REFUSED(swarm_rescheduler_new(&made, scene.cluster, NULL, NULL, NULL));
    REFUSED(swarm_rescheduler_node_lost(NULL, 0, scene.n0, SWARM_NODE_STOPPED, NULL));
    REFUSED(swarm_rescheduler_node_lost(rescheduler, 0, NULL, SWARM_NODE_STOPPED, NULL));
    REFUSED(swarm_rescheduler_node_lost(rescheduler, 0, scene.n0, 7, NULL));
    REFUSED(swarm_rescheduler_node_back(NULL, 0, scene.n0, NULL));
    REFUSED(swarm_rescheduler_node_back(rescheduler, 0, NULL, NULL));
    REFUSED(swarm_rescheduler_node_removed(NULL, 0, scene.n0, NULL));
    REFUSED(swarm_rescheduler_node_removed(rescheduler, 0, NULL, NULL));
    REFUSED(swarm_rescheduler_container_changed(NULL, 0, scene.c0, NULL));
    REFUSED(swarm_rescheduler_container_changed(rescheduler, 0, NULL, NULL));
    REFUSED(swarm_rescheduler_container_deleted(NULL, 0, scene.c0, NULL));
    REFUSED(swarm_rescheduler_container_deleted(rescheduler, 0, NULL, NULL));
    REFUSED(swarm_rescheduler_remember(NULL, &memory, NULL));
    REFUSED(swarm_rescheduler_remember(rescheduler, NULL, NULL));
    REFUSED(swarm_rescheduler_remember(rescheduler, &memory, NULL)); /* of nothing */
    memory.container_id = memory.by = "one";
    REFUSED(swarm_rescheduler_remember(rescheduler, &memory, NULL));
    memory.size = 1;
    REFUSED(swarm_rescheduler_remember(rescheduler, &memory, NULL));
    REFUSED(swarm_rescheduler_remember_move(NULL, 0, "s", "n", 0, NULL));
    REFUSED(swarm_rescheduler_remember_move(rescheduler, 0, NULL, "n", 0, NULL));
    REFUSED(swarm_rescheduler_remember_move(rescheduler, 0, "", "n", 0, NULL));
    REFUSED(swarm_rescheduler_remember_move(rescheduler, 0, "s", NULL, 0, NULL));
    REFUSED(swarm_rescheduler_remember_move(rescheduler, 0, "s", "", 0, NULL));
    swarm_rescheduler_set_memory(NULL, NULL, NULL);
    swarm_rescheduler_container_removed(NULL, scene.c0);
    swarm_rescheduler_container_removed(rescheduler, NULL);
    REFUSED(swarm_rescheduler_moved(NULL, 0, 1, scene.c0, NULL));
    REFUSED(swarm_rescheduler_removed(NULL, 0, 1, NULL));
    REFUSED(swarm_rescheduler_failed(NULL, 0, 1, NULL, NULL));
    REFUSED(swarm_rescheduler_unanswered(NULL, 0, 1, NULL, NULL));
    REFUSED(swarm_rescheduler_advance(NULL, 0, NULL));
    REFUSED(swarm_rescheduler_next(NULL, &action, NULL));
    REFUSED(swarm_rescheduler_next(rescheduler, NULL, NULL));
    action.size = 1;
    REFUSED(swarm_rescheduler_next(rescheduler, &action, NULL));
    REFUSED(swarm_rescheduler_set_term(NULL, 0, 1, NULL));
    REFUSED(swarm_rescheduler_release(NULL, 0, NULL));
    REFUSED(swarm_rescheduler_settle(NULL, 0, NULL));
    REFUSED(swarm_rescheduler_status(NULL, &status));
    REFUSED(swarm_rescheduler_status(rescheduler, NULL));
    status.size = 1;
    REFUSED(swarm_rescheduler_status(rescheduler, &status));
    assert_int_equal(swarm_rescheduler_term(NULL), 0);
    assert_int_equal(swarm_rescheduler_wanted(NULL, 1), 0);
    assert_int_equal(swarm_rescheduler_timeout(NULL), -1);
    assert_int_equal(swarm_rescheduler_waiting(NULL, scene.n0, &why), 0);
    assert_int_equal(swarm_rescheduler_waiting(rescheduler, NULL, &why), 0);
    swarm_rescheduler_each_waiting(NULL, scene.n0, ignore_waiting, NULL);
    swarm_rescheduler_each_waiting(rescheduler, NULL, ignore_waiting, NULL);
    swarm_rescheduler_each_waiting(rescheduler, scene.n0, NULL, NULL);
    swarm_rescheduler_set_report(NULL, NULL, NULL);
    swarm_rescheduler_free(NULL);
}

/* Each of them out of its range, all others as they are. */
static void test_rescheduler_options(void **state)
{
    const struct swarm_rescheduler_options good = SWARM_RESCHEDULER_OPTIONS_INIT;
    struct swarm_rescheduler_options bad[12];
    struct swarm_rescheduler *made = NULL;
    for (size_t i = 0; i < COUNT(bad); i++)
        bad[i] = good;
    bad[0].grace_ms = -1;
    bad[1].retry_initial_ms = 0;
    bad[2].retry_max_ms = 0;
    bad[3].parallel = 0;
    bad[4].parallel_per_node = 0;
    bad[5].retry_limit = -1;
    bad[6].reconcile = -1;
    bad[7].reconcile = 3;
    bad[8].mass_share_percent = 0;
    bad[9].mass_share_percent = 101;
    bad[10].mass_min_nodes = 0;
    bad[11].mass_window_ms = -1;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct swarm_error *error = NULL;
        REFUSED(swarm_rescheduler_new(&made, scene.cluster, scene.scheduler, &bad[i], &error));
        assert_true(strlen(swarm_error_message(error)) > 10);
        swarm_error_free(error);
    }
    bad[0] = good;
    bad[0].size = 1;
    REFUSED(swarm_rescheduler_new(&made, scene.cluster, scene.scheduler, &bad[0], NULL));
    assert_null(made);
}

static void test_errors(void **state)
{
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_error_new(NULL, SWARM_ERR_STATE, "x"), SWARM_ERR_STATE);
    assert_int_equal(swarm_error_new(&error, 12345, NULL), SWARM_ERR_INVALID);
    assert_string_equal(swarm_error_message(error), swarm_strerror(SWARM_ERR_INVALID));
    swarm_error_free(error);
    assert_string_equal(swarm_error_message(NULL), "success");
    assert_int_equal(swarm_error_code(NULL), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_create_bodies),
        TEST(test_requests),
        TEST(test_requests_have_getters_for_none),
        TEST(test_setters_of_requests),
        TEST(test_clusters),
        TEST(test_images),
        TEST(test_registries),
        TEST(test_what_callbacks_call),
        TEST(test_decisions),
        TEST(test_decisions_have_getters_for_none),
        TEST(test_parts_of_scores_go_without_receivers),
        TEST(test_reschedulers),
        TEST(test_rescheduler_options),
        TEST(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
