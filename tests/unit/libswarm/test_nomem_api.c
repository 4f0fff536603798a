/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include <swarm/plugin.h>

#include "heap.h"
#include "mem.h"
#include "nomem_scene.h"

/*
 * Every function that allocates, each on a scene with one of everything, with its first, second, third … allocation
 * failing, once and for good, until it gets through. After a failure the code and the error say so, nothing has been
 * made, and the whole scene is what it was. The functions that are not walked here are called without any memory, and
 * get by. Together these are what libswarm.map lists.
 */

static void nothing(void)
{
}

static const struct swarm_place_options place_options = {
    .size = sizeof(place_options), .seed = 7, .extra_affinity = "app!=z"};
static const struct swarm_memory told = {
    .size = sizeof(told), .container_id = "c9", .node_id = "n9", .by = "c10", .judged = 1};
static const struct swarm_bound_port bound_ports[] = {{"", "1"}, {"10.0.0.1", "2"}, {"", "3"}};
static const char *const names[] = {"one", "/two", "three/alias"};
static const char *const keys[] = {"zone", "rack", "containerslots"}, *const values[] = {"b", "7", "4"};

static int enter_plugin(struct swarm_registry *registry, const char *arguments, struct swarm_error **reterr)
{
    struct swarm_filter_ops ops = scene_filter;
    ops.name = arguments;
    return swarm_registry_add_filter(registry, &ops, NULL, reterr);
}

static const struct swarm_plugin plugin = {SWARM_PLUGIN_HEAD, "some", enter_plugin};

/* A request that no node can take. */
static void ask_too_much(void)
{
    assert_int_equal(swarm_request_add_constraint(scene.request, "zone==~no-such", NULL), 0);
    assert_int_equal(swarm_request_add_constraint(scene.request, "zone==no*such", NULL), 0);
    assert_int_equal(swarm_node_set_availability(scene.n0, SWARM_AVAILABILITY_PAUSED, NULL), 0);
}

static void explain_refusal(void)
{
    ask_too_much();
    scene_explain();
}

static void all_ill(void)
{
    for (struct swarm_node *node = NULL; (node = swarm_cluster_next_node(scene.cluster, node));)
        assert_int_equal(swarm_node_set_health(node, 10, NULL), 0);
}

/* Two containers of one name. */
static void make_ambiguous(void)
{
    const char *same = "first";
    assert_int_equal(swarm_container_set_names(scene.c1, &same, 1, NULL), 0);
}

static int add_strategy(const char *name, struct swarm_error **reterr)
{
    struct swarm_strategy_ops ops = scene_strategy;
    ops.name = name;
    return swarm_registry_add_strategy(scene.registry, &ops, NULL, reterr);
}

static int new_own_scheduler(struct swarm_error **reterr)
{
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    options.strategy = "mine";
    options.registry = scene.registry;
    return swarm_scheduler_new(&scene.new_scheduler, &options, reterr);
}

/* A move whose place has been given back. */
static void failing_move(void)
{
    scene_moving();
    swarm_reservation_abort(scene.action.reservation);
    scene.given_back = true;
}

static void new_term(void)
{
    assert_int_equal(swarm_rescheduler_set_term(scene.rescheduler, 0, 5, NULL), 0);
}

/* Two of them, so that the second counts on the first's place. @p strict: the second is refused. */
static struct swarm_request *const *batch(bool strict)
{
    static struct swarm_request *requests[2];
    requests[0] = scene.shared;
    requests[1] = strict ? scene.shared : scene.request;
    return requests;
}

static int place_batch(int all_or_none, struct swarm_error **reterr)
{
    struct swarm_batch_options options = SWARM_BATCH_OPTIONS_INIT;
    options.all_or_none = all_or_none;
    return swarm_scheduler_place_batch(scene.scheduler, scene.cluster, batch(all_or_none), 2, &options,
                                       scene.new_reservations, scene.new_errors, reterr);
}

static int plan_batch(struct swarm_error **reterr)
{
    static struct swarm_node *nodes[2];
    return swarm_scheduler_plan_batch(scene.scheduler, scene.cluster, batch(false), 2, NULL, nodes, scene.new_errors,
                                      reterr);
}

/* The name of c0, so that requests for it may be placed once. */
static void free_name(void)
{
    assert_int_equal(swarm_container_set_names(scene.c0, NULL, 0, NULL), 0);
}

static void take_name(void)
{
    assert_int_equal(swarm_request_set_name(scene.request, "first", NULL), 0);
}

/* ---- the walk ---- */

struct row {
    const char *function;
    const char *variant;
    void (*prepare)(void);
    int expected; /* once there is memory */
    int (*call)(struct swarm_error **reterr);
};

#define ROW(function, variant, prepare, expected, ...)                                                                 \
    static int call_##function##_##variant(struct swarm_error **reterr)                                                \
    {                                                                                                                  \
        return __VA_ARGS__;                                                                                            \
    }
#include "nomem_rows.inc"
#undef ROW

static const struct row rows[] = {
#define ROW(function, variant, prepare, expected, ...)                                                                 \
    {#function, #variant, prepare, expected, call_##function##_##variant},
#include "nomem_rows.inc"
#undef ROW
};

static void assert_nothing_made(const struct row *row)
{
    bool made = scene.new_cluster || scene.new_node || scene.new_container || scene.new_request || scene.new_body ||
                scene.new_image || scene.new_registry || scene.new_scheduler || scene.new_decision ||
                scene.new_reservation || scene.new_reservations[0] || scene.new_rescheduler || scene.new_membership ||
                scene.new_member || scene.new_text;
    if (made)
        fail_msg("%s %s failed, but made something", row->function, row->variant);
}

/* With allocation @p n failing. @return Whether there was one. */
static bool walk_point(const struct row *row, size_t n, bool once)
{
    struct swarm_error *error = NULL;
    scene_begin();
    row->prepare();
    char *before = scene_dump();
    heap_fail(n, once);
    int code = row->call(&error);
    bool failed = heap_failed();
    heap_restore();
    if (code != row->expected && !(failed && code == SWARM_ERR_NOMEM))
        fail_msg("%s %s: allocation %zu %s: %d", row->function, row->variant, n, failed ? "fails" : "is there", code);
    assert_int_equal(swarm_error_code(error), code < 0 ? code : 0);
    if (code < 0) {
        char *after = scene_dump();
        /* Only batches may count the generation up, which comes first. */
        size_t from = strstr(row->function, "_batch") ? strcspn(before, "\n") : 0;
        size_t after_from = from ? strcspn(after, "\n") : 0;
        if (strcmp(before + from, after + after_from) != 0)
            fail_msg("%s %s: allocation %zu: before\n%s\nafter\n%s", row->function, row->variant, n, before, after);
        free(after);
        assert_nothing_made(row);
    }
    swarm_error_free(error);
    free(before);
    scene_end();
    return failed;
}

static void test_each_allocation_of_each_function_may_fail(void **state)
{
    size_t points = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t n[2] = {0, 0};
        for (int once = 0; once < 2; once++)
            while (walk_point(&rows[i], n[once], once))
                n[once]++;
        if (n[0] == 0)
            fail_msg("%s %s allocates nothing", rows[i].function, rows[i].variant);
        points += n[0] + n[1];
    }
    printf("%zu rows, %zu allocations failed\n", COUNT(rows), points);
}

/* The reservation is gone whatever is answered: its place is given back, as if it had been aborted. */
static void test_commit_that_fails_gives_the_place_back(void **state)
{
    scene_begin();
    swarm_reservation_abort(scene.place);
    char *aborted = scene_dump();
    scene_end();
    bool failed = true;
    for (size_t n = 0; failed; n++) {
        struct swarm_error *error = NULL;
        scene_begin();
        heap_fail(n, false);
        int code = swarm_reservation_commit(scene.place, "c9", &scene.new_container, &error);
        failed = heap_failed();
        heap_restore();
        assert_int_equal(code, failed ? SWARM_ERR_NOMEM : 0);
        assert_int_equal(swarm_error_code(error), code);
        if (failed) {
            char *after = scene_dump();
            assert_string_equal(after, aborted);
            free(after);
            assert_null(scene.new_container);
        }
        swarm_error_free(error);
        scene_end();
    }
    free(aborted);
}

/* ---- what needs no memory ---- */

static const char *quiet[256];
static size_t quiet_count;

/* Call it where there is no memory at all. */
#define QUIET(function, ...)                                                                                           \
    do {                                                                                                               \
        quiet[quiet_count++] = #function;                                                                              \
        heap_fail(0, false);                                                                                           \
        (void)function(__VA_ARGS__);                                                                                   \
        bool allocated = heap_failed();                                                                                \
        heap_restore();                                                                                                \
        if (allocated)                                                                                                 \
            fail_msg("%s wants memory", #function);                                                                    \
    } while (0)

static void ignore_waiting(void *data, const struct swarm_waiting *waiting)
{
}

static void quiet_nodes(void)
{
    const char *key, *value;
    int64_t total, used;
    QUIET(swarm_cluster_find_node, scene.cluster, "n1");
    QUIET(swarm_cluster_next_node, scene.cluster, NULL);
    QUIET(swarm_cluster_node_count, scene.cluster);
    QUIET(swarm_cluster_generation, scene.cluster);
    QUIET(swarm_cluster_stopped_counts, scene.cluster);
    QUIET(swarm_cluster_next_reservation, scene.cluster, NULL);
    QUIET(swarm_cluster_set_container_destroy, scene.cluster, NULL);
    QUIET(swarm_node_id, scene.n0);
    QUIET(swarm_node_name, scene.n0);
    QUIET(swarm_node_address, scene.n0);
    QUIET(swarm_node_health, scene.n0);
    QUIET(swarm_node_availability, scene.n0);
    QUIET(swarm_node_total_cpus_milli, scene.n0);
    QUIET(swarm_node_total_memory, scene.n0);
    QUIET(swarm_node_used_cpus_milli, scene.n0);
    QUIET(swarm_node_used_memory, scene.n0);
    QUIET(swarm_node_resource_total, scene.n0, "gpu");
    QUIET(swarm_node_resource_used, scene.n0, "gpu");
    QUIET(swarm_node_resource_at, scene.n0, 0, &key, &total, &used);
    QUIET(swarm_node_capacity_cpus_milli, scene.n0);
    QUIET(swarm_node_capacity_memory, scene.n0);
    QUIET(swarm_node_overcommit, scene.n0);
    QUIET(swarm_node_has_image, scene.n0, "app:1");
    QUIET(swarm_node_slots_used, scene.n0);
    QUIET(swarm_node_slots_limit, scene.n0);
    QUIET(swarm_node_container_count, scene.n0);
    QUIET(swarm_node_next_container, scene.n0, NULL);
    QUIET(swarm_node_label, scene.n0, "zone");
    QUIET(swarm_node_label_at, scene.n0, 0, &key, &value);
    QUIET(swarm_node_set_data, scene.n0, NULL);
    QUIET(swarm_node_data, scene.n0);
}

static void quiet_containers(void)
{
    const char *ip, *port;
    QUIET(swarm_container_name_at, scene.c0, 0);
    QUIET(swarm_container_bound_port_at, scene.c0, 0, &ip, &port);
    QUIET(swarm_cluster_container_count, scene.cluster);
    QUIET(swarm_cluster_find_container, scene.cluster, scene.n0, "c0");
    QUIET(swarm_container_id, scene.c0);
    QUIET(swarm_container_name, scene.c0);
    QUIET(swarm_container_swarm_id, scene.c0);
    QUIET(swarm_container_node, scene.c0);
    QUIET(swarm_container_request, scene.c0);
    QUIET(swarm_container_state, scene.c0);
    QUIET(swarm_container_running_since, scene.c0);
    QUIET(swarm_container_stopped, scene.c0);
    QUIET(swarm_container_set_data, scene.c0, NULL);
    QUIET(swarm_container_data, scene.c0);
    QUIET(swarm_reservation_node, scene.place);
    QUIET(swarm_reservation_request, scene.place);
    QUIET(swarm_create_body_request, scene.body);
    QUIET(swarm_create_body_endpoint, scene.body, 0);
    QUIET(swarm_image_id, scene.image);
    QUIET(swarm_cpu_shares_meaning, scene.cluster, SWARM_CPU_SHARES_AUTO, 512);
    QUIET(swarm_container_cpu_shares, scene.c0, scene.cluster, SWARM_CPU_SHARES_AUTO, 1, 2);
}

static void quiet_requests(void)
{
    const char *name, *value, *port;
    int64_t amount;
    const struct swarm_request *request = scene.request;
    QUIET(swarm_request_label_at, request, 0, &name, &value);
    QUIET(swarm_request_port_at, request, 0, &port, &name, &value);
    QUIET(swarm_request_exposed_port_at, request, 0);
    QUIET(swarm_request_constraint_at, request, 0);
    QUIET(swarm_request_affinity_at, request, 0);
    QUIET(swarm_request_whitelist_at, request, 0);
    QUIET(swarm_request_volumes_from_at, request, 0);
    QUIET(swarm_request_link_at, request, 0);
    QUIET(swarm_request_pid_mode, request);
    QUIET(swarm_request_ipc_mode, request);
    QUIET(swarm_request_name, request);
    QUIET(swarm_request_image, request);
    QUIET(swarm_request_swarm_id, request);
    QUIET(swarm_request_network_mode, request);
    QUIET(swarm_request_label, request, "app");
    QUIET(swarm_request_cpus_milli, request);
    QUIET(swarm_request_memory, request);
    QUIET(swarm_request_cpus_limit_milli, request);
    QUIET(swarm_request_memory_limit, request);
    QUIET(swarm_request_resource, request, "gpu");
    QUIET(swarm_request_resource_at, request, 0, &name, &amount);
    QUIET(swarm_request_reschedule_policy, request);
    QUIET(swarm_request_has_node_constraint, request);
    QUIET(swarm_request_check, request, NULL);
    QUIET(swarm_request_ref, scene.shared);
    QUIET(swarm_request_unref, scene.shared);
}

static void quiet_deciders(void)
{
    QUIET(swarm_scheduler_strategy, scene.own);
    QUIET(swarm_scheduler_filter, scene.own, 0);
    QUIET(swarm_strategy_name, 0);
    QUIET(swarm_filter_name, 0);
    QUIET(swarm_decision_node, scene.decision);
    QUIET(swarm_decision_candidate_count, scene.decision);
    QUIET(swarm_decision_candidate, scene.decision, 0);
    QUIET(swarm_decision_best_count, scene.decision);
    QUIET(swarm_decision_best, scene.decision, 0);
    QUIET(swarm_decision_soft_dropped, scene.decision);
    QUIET(swarm_reason_name, SWARM_REASON_PORT);
    QUIET(swarm_error_code, NULL);
    QUIET(swarm_error_message, NULL);
    QUIET(swarm_strerror, -1);
    QUIET(swarm_version, );
}

/* Of a request that could go to two nodes of three. */
static void quiet_explained(void)
{
    const struct swarm_decision *decision = scene.explained;
    const struct swarm_cause *cause = swarm_decision_cause(decision, 0);
    const char *name;
    int64_t value;
    int unit;
    assert_non_null(cause);
    QUIET(swarm_decision_code, decision);
    QUIET(swarm_decision_message, decision);
    QUIET(swarm_decision_seed, decision);
    QUIET(swarm_decision_generation, decision);
    QUIET(swarm_decision_node_count, decision);
    QUIET(swarm_decision_fit_count, decision);
    QUIET(swarm_decision_cause, decision, 0);
    QUIET(swarm_decision_cause_of, decision, scene.n2);
    QUIET(swarm_decision_ranked_count, decision);
    QUIET(swarm_decision_ranked, decision, 0, &value);
    QUIET(swarm_decision_part, decision, 0, 0, &name, &value);
    QUIET(swarm_decision_dropped, decision, 0);
    QUIET(swarm_cause_reason, cause);
    QUIET(swarm_cause_filter, cause);
    QUIET(swarm_cause_detail, cause);
    QUIET(swarm_cause_count, cause);
    QUIET(swarm_cause_next_node, cause, NULL);
    QUIET(swarm_cause_nearest, cause);
    QUIET(swarm_cause_shortage, cause, scene.n2, &unit);
    QUIET(swarm_cause_blocker, cause);
}

/* Of a container that waits for its node's grace. */
static void quiet_rescheduler(void)
{
    struct swarm_rescheduler_status status = SWARM_RESCHEDULER_STATUS_INIT;
    struct swarm_rescheduler *rescheduler = scene.rescheduler;
    const char *why;
    assert_int_equal(swarm_rescheduler_node_lost(rescheduler, 0, scene.n0, SWARM_NODE_SILENT, NULL), 0);
    QUIET(swarm_rescheduler_advance, rescheduler, 1, NULL);
    QUIET(swarm_rescheduler_timeout, rescheduler);
    QUIET(swarm_rescheduler_waiting, rescheduler, scene.n0, &why);
    QUIET(swarm_rescheduler_each_waiting, rescheduler, scene.n0, ignore_waiting, NULL);
    QUIET(swarm_rescheduler_status, rescheduler, &status);
    QUIET(swarm_rescheduler_term, rescheduler);
    QUIET(swarm_rescheduler_set_term, rescheduler, 1, 1, NULL);
    QUIET(swarm_rescheduler_set_report, rescheduler, NULL, NULL);
    QUIET(swarm_rescheduler_set_memory, rescheduler, NULL, NULL);
    QUIET(swarm_rescheduler_release, rescheduler, 1, NULL);
    QUIET(swarm_rescheduler_settle, rescheduler, 1, NULL);
    QUIET(swarm_rescheduler_wanted, rescheduler, 7);
    QUIET(swarm_rescheduler_container_removed, rescheduler, scene.c0);
    QUIET(swarm_rescheduler_node_removed, rescheduler, 1, scene.n2, NULL);
}

static void quiet_membership(void)
{
    int64_t again_ms;
    QUIET(swarm_member_set_answers, scene.member, 1, 1);
    QUIET(swarm_member_set_lapsed, scene.member, 1);
    QUIET(swarm_member_standing, scene.member, 1, &again_ms);
    QUIET(swarm_member_set_left, scene.member, 1);
    QUIET(swarm_member_set_announced, scene.member, 1);
    QUIET(swarm_membership_held, scene.membership);
    QUIET(swarm_member_free, scene.member, 1);
    QUIET(swarm_membership_free, scene.membership);
    scene.member = NULL;
    scene.membership = NULL;
}

/* Whatever can be released can be where there is no memory. */
static void quiet_ends(void)
{
    QUIET(swarm_cluster_release_name, scene.cluster, "held");
    QUIET(swarm_reservation_abort, scene.place);
    QUIET(swarm_cluster_remove_container, scene.cluster, scene.c1);
    QUIET(swarm_decision_free, scene.decision);
    QUIET(swarm_rescheduler_free, scene.rescheduler);
    QUIET(swarm_cluster_remove_node, scene.cluster, scene.n0);
    QUIET(swarm_cluster_free, scene.cluster);
    QUIET(swarm_create_body_free, scene.body);
    QUIET(swarm_image_free, scene.image);
    QUIET(swarm_registry_free, scene.registry);
    QUIET(swarm_scheduler_free, scene.own);
    QUIET(swarm_free, scene.state);
    QUIET(swarm_error_free, NULL);
    scene.decision = NULL;
    scene.rescheduler = NULL;
    scene.cluster = NULL;
    scene.body = NULL;
    scene.image = NULL;
    scene.registry = NULL;
    scene.own = NULL;
    scene.state = NULL;
}

static void test_all_others_need_no_memory(void **state)
{
    quiet_count = 0;
    scene_begin();
    quiet_nodes();
    quiet_containers();
    quiet_requests();
    quiet_deciders();
    quiet_explained();
    quiet_rescheduler();
    quiet_membership();
    quiet_ends();
    scene_end();
    scene_begin();
    scene_removing();
    QUIET(swarm_rescheduler_removed, scene.rescheduler, 3, scene.action.id, NULL);
    scene_end();
}

static int own_filter_of_candidates(void *data, const struct swarm_request *request,
                                    const struct swarm_cluster *cluster, struct swarm_candidates *candidates, int soft,
                                    struct swarm_error **reterr)
{
    QUIET(swarm_candidates_count, candidates);
    QUIET(swarm_candidates_next, candidates, NULL);
    QUIET(swarm_candidates_remove, candidates, scene.n1);
    return 0;
}

static int own_rank_of_candidates(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                                  const struct swarm_candidates *candidates, struct swarm_ranking *ranking,
                                  struct swarm_error **reterr)
{
    QUIET(swarm_ranking_offer, ranking, scene.n0, 1);
    return 0;
}

static void test_those_for_callbacks_need_no_memory(void **state)
{
    static const char *const filters[] = {"quiet"};
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    struct swarm_filter_ops filter = scene_filter;
    struct swarm_strategy_ops strategy = scene_strategy;
    filter.name = strategy.name = options.strategy = "quiet";
    filter.filter = own_filter_of_candidates;
    strategy.rank = own_rank_of_candidates;
    options.filters = filters;
    options.filter_count = 1;
    scene_begin();
    assert_int_equal(swarm_registry_add_filter(scene.registry, &filter, NULL, NULL), 0);
    assert_int_equal(swarm_registry_add_strategy(scene.registry, &strategy, NULL, NULL), 0);
    options.registry = scene.registry;
    assert_int_equal(swarm_scheduler_new(&scene.new_scheduler, &options, NULL), 0);
    assert_int_equal(
        swarm_scheduler_plan(scene.new_scheduler, scene.cluster, scene.request, NULL, &scene.new_decision, NULL), 0);
    scene_end();
}

/* ---- none is forgotten ---- */

static const char *map_path;

static bool is_known(const char *function)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].function, function) == 0)
            return true;
    for (size_t i = 0; i < quiet_count; i++)
        if (strcmp(quiet[i], function) == 0)
            return true;
    return strcmp(function, "swarm_reservation_commit") == 0; /* has a test of its own */
}

static void test_all_of_the_map_is_here(void **state)
{
    char line[256], name[128];
    size_t count = 0, unknown = 0;
    FILE *map = map_path ? fopen(map_path, "r") : NULL;
    assert_non_null(map);
    while (fgets(line, sizeof(line), map)) {
        if (sscanf(line, " %127[a-z0-9_];", name) != 1 || strncmp(name, "swarm_", 6) != 0)
            continue;
        count++;
        if (is_known(name))
            continue;
        printf("%s is in libswarm.map; where it allocates it wants a row in nomem_rows.inc, else a QUIET() here\n",
               name);
        unknown++;
    }
    fclose(map);
    assert_true(count > 100);
    assert_int_equal(unknown, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation_of_each_function_may_fail),
        cmocka_unit_test(test_commit_that_fails_gives_the_place_back),
        cmocka_unit_test(test_all_others_need_no_memory),
        cmocka_unit_test(test_those_for_callbacks_need_no_memory),
        cmocka_unit_test(test_all_of_the_map_is_here),
    };
    map_path = argc > 1 ? argv[1] : NULL;
    json_set_alloc_funcs(swarm__malloc, swarm__free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
