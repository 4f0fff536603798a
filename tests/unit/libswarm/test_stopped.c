/* SPDX-License-Identifier: Apache-2.0 */
/* What stopped containers count for: ports, slots, resources, each by itself; exactly, through every change. */
#include <stdio.h>
#include <stdlib.h>

#include "cluster_fixture.h"
#include "heap.h"

static struct swarm_node *node;

static int set_up(void **state)
{
    set_up_cluster(state);
    node = add_sized_node(cluster, "a", 8, 8);
    return 0;
}

static int tear_down(void **state)
{
    heap_restore();
    return tear_down_cluster(state);
}

static void set_counts(int flags)
{
    assert_int_equal(swarm_cluster_set_stopped_counts(cluster, flags, NULL), 0);
    assert_int_equal(swarm_cluster_stopped_counts(cluster), flags);
}

static void set_state(struct swarm_container *container, int state)
{
    assert_int_equal(swarm_container_set_state(container, state, NULL), 0);
    assert_int_equal(swarm_container_state(container), state);
}

static struct swarm_container *add_full_container(void)
{
    struct swarm_container *container = add_container(node, "c1", "name=web cpus=2 memory=3 port=80 label=app=web");
    static const struct swarm_bound_port bound = {"", "8080"};
    assert_int_equal(swarm_container_set_bound_ports(container, &bound, 1, NULL), 0);
    return container;
}

static int has_room_for_port(const char *port)
{
    char words[32];
    snprintf(words, sizeof(words), "port=%s", port);
    return strncmp(left_by(cluster, "port", words), "error", 5) != 0;
}

/* Whether the container that add_full_container() made counts for each part, as enum swarm_count has them. */
static int counted(void)
{
    int flags = 0;
    assert_int_equal(has_room_for_port("80"), has_room_for_port("8080"));
    assert_int_equal(swarm_node_used_cpus_milli(node) == 2000, swarm_node_used_memory(node) == 3 * GIB);
    label_node(node, "containerslots=1");
    flags |= has_room_for_port("80") ? 0 : SWARM_COUNT_PORTS;
    flags |= strncmp(left_by(cluster, "containerslots", ""), "error", 5) == 0 ? SWARM_COUNT_SLOTS : 0;
    flags |= swarm_node_used_cpus_milli(node) == 2000 ? SWARM_COUNT_RESOURCES : 0;
    label_node(node, "");
    return flags;
}

static void test_all_count_unless_told_otherwise(void **state)
{
    struct swarm_container *container = add_full_container();
    assert_int_equal(swarm_cluster_stopped_counts(cluster), SWARM_COUNT_ALL);
    set_state(container, SWARM_CONTAINER_EXITED);
    assert_int_equal(counted(), SWARM_COUNT_ALL);
    assert_int_equal(swarm_cluster_stopped_counts(NULL), 0);
}

static void test_each_part_is_an_option_of_its_own(void **state)
{
    struct swarm_container *container = add_full_container();
    for (int flags = 0; flags <= SWARM_COUNT_ALL; flags++) {
        set_counts(flags);
        assert_int_equal(counted(), SWARM_COUNT_ALL);
        set_state(container, SWARM_CONTAINER_EXITED);
        assert_int_equal(counted(), flags);
        set_state(container, SWARM_CONTAINER_DEAD);
        assert_int_equal(counted(), flags);
        set_state(container, SWARM_CONTAINER_PAUSED);
        assert_int_equal(counted(), SWARM_COUNT_ALL);
    }
}

static void test_the_option_takes_effect_on_what_is_stopped_already(void **state)
{
    set_state(add_full_container(), SWARM_CONTAINER_EXITED);
    for (int from = 0; from <= SWARM_COUNT_ALL; from++)
        for (int to = 0; to <= SWARM_COUNT_ALL; to++) {
            set_counts(from);
            set_counts(to);
            assert_int_equal(counted(), to);
        }
}

static void test_names_labels_and_ids_always_count(void **state)
{
    set_counts(0);
    set_state(add_full_container(), SWARM_CONTAINER_EXITED);
    assert_string_equal(left_by(cluster, "affinity", "affinity=app==web"), "a");
    assert_string_equal(left_by(cluster, "affinity", "affinity=container==web"), "a");
    assert_string_equal(looked_up(cluster, "web"), "c1");
    assert_int_equal(swarm_node_container_count(node), 1);
    assert_string_equal(placed(cluster, "spread", "c2", "name=web"),
                        "error: Conflict: The name web is already assigned. You have to delete (or rename) that "
                        "container to be able to assign web to a container again.");
}

static void test_exposed_ports_in_host_mode_count_as_ports(void **state)
{
    struct swarm_container *container = add_container(node, "c1", "net=host expose=80/tcp");
    set_counts(SWARM_COUNT_ALL & ~SWARM_COUNT_PORTS);
    check_left("port", "net=host expose=80/tcp", NONE "[port 80/tcp (Host mode)]");
    set_state(container, SWARM_CONTAINER_EXITED);
    check_left("port", "net=host expose=80/tcp", "a");
    set_counts(SWARM_COUNT_PORTS);
    check_left("port", "net=host expose=80/tcp", NONE "[port 80/tcp (Host mode)]");
}

static void test_updates_of_a_stopped_container(void **state)
{
    struct swarm_container *container = add_full_container();
    struct swarm_request *request = request_of("cpus=1 memory=1 port=81 net=host expose=53/udp");
    static const struct swarm_bound_port bound = {"", "9090"};
    set_counts(0);
    set_state(container, SWARM_CONTAINER_EXITED);
    assert_int_equal(swarm_container_set_request(container, request, NULL), 0);
    assert_int_equal(swarm_container_set_bound_ports(container, &bound, 1, NULL), 0);
    assert_int_equal(swarm_node_used_cpus_milli(node), 0);
    assert_true(has_room_for_port("81") && has_room_for_port("9090"));
    set_state(container, SWARM_CONTAINER_RUNNING);
    assert_int_equal(swarm_node_used_cpus_milli(node), 1000);
    assert_int_equal(swarm_node_used_memory(node), GIB);
    assert_false(has_room_for_port("81") || has_room_for_port("9090"));
    assert_true(has_room_for_port("80") && has_room_for_port("8080"));
    set_state(container, SWARM_CONTAINER_EXITED);
    swarm_cluster_remove_container(cluster, container);
    assert_int_equal(swarm_node_used_cpus_milli(node), 0);
    swarm_request_unref(request);
}

static void test_starting_is_not_refused_where_there_is_no_room(void **state)
{
    struct swarm_container *container = add_container(node, "c1", "cpus=8 memory=8");
    set_counts(0);
    set_state(container, SWARM_CONTAINER_EXITED);
    assert_string_equal(placed(cluster, "spread", "c2", "cpus=8 memory=8"), "a");
    set_state(container, SWARM_CONTAINER_RUNNING);
    assert_int_equal(swarm_node_used_cpus_milli(node), 16000);
    assert_string_equal(placed(cluster, "spread", "c3", "cpus=1"),
                        "error: no resources available to schedule container");
}

static void test_spread_and_binpack_count_slots(void **state)
{
    struct swarm_container *container = add_container(node, "c1", "");
    add_sized_node(cluster, "b", 8, 8);
    set_state(container, SWARM_CONTAINER_EXITED);
    for (uint64_t seed = 0; seed < 8; seed++) {
        assert_string_equal(planned(cluster, "spread", "", seed), "b");
        assert_string_equal(planned(cluster, "binpack", "", seed), "a");
    }
    set_counts(SWARM_COUNT_PORTS | SWARM_COUNT_RESOURCES);
    bool first = false, second = false;
    for (uint64_t seed = 0; seed < 64; seed++) {
        const char *chosen = planned(cluster, "spread", "", seed);
        first = first || strcmp(chosen, "a") == 0;
        second = second || strcmp(chosen, "b") == 0;
    }
    assert_true(first && second); /* a tie */
}

static void test_flags_are_checked(void **state)
{
    static const int bad[] = {-1, 8, 15, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct swarm_error *error = NULL;
        char expected[128];
        uint64_t generation = swarm_cluster_generation(cluster);
        assert_int_equal(swarm_cluster_set_stopped_counts(cluster, bad[i], &error), SWARM_ERR_INVALID);
        snprintf(expected, sizeof(expected), "stopped containers: %d: flags of enum swarm_count are expected", bad[i]);
        assert_string_equal(swarm_error_message(error), expected);
        assert_int_equal(swarm_cluster_stopped_counts(cluster), SWARM_COUNT_ALL);
        assert_true(swarm_cluster_generation(cluster) == generation);
        swarm_error_free(error);
    }
    assert_int_equal(swarm_cluster_set_stopped_counts(NULL, 0, NULL), SWARM_ERR_INVALID);
}

/* A stopped container with next to everything there is, and others that take almost the greatest number meanwhile. */
static void test_sums_past_the_greatest_number_are_refused_whole(void **state)
{
    struct swarm_request *request = NULL;
    struct swarm_container *first = add_full_container(), *second = NULL;
    assert_int_equal(swarm_request_new(&request, NULL), 0);
    assert_int_equal(swarm_request_set_memory(request, INT64_MAX, NULL), 0);
    set_counts(SWARM_COUNT_SLOTS);
    set_state(first, SWARM_CONTAINER_EXITED);
    assert_int_equal(swarm_cluster_add_container(cluster, node, "c2", request, &second, NULL), 0);
    char *before = state_of(cluster);
    struct swarm_error *error = NULL;
    assert_int_equal(swarm_container_set_state(first, SWARM_CONTAINER_RUNNING, &error), SWARM_ERR_INVALID);
    assert_string_equal(swarm_error_message(error), "memory used on node a would pass the greatest number");
    swarm_error_free(error);
    assert_int_equal(swarm_cluster_set_stopped_counts(cluster, SWARM_COUNT_ALL, NULL), SWARM_ERR_INVALID);
    char *after = state_of(cluster);
    assert_string_equal(before, after);
    assert_int_equal(swarm_cluster_stopped_counts(cluster), SWARM_COUNT_SLOTS);
    free(before);
    free(after);
    swarm_request_unref(request);
}

/* ---- out of memory ---- */

static void make_many_stopped(void)
{
    for (int i = 0; i < 6; i++) {
        char id[8], words[96];
        snprintf(id, sizeof(id), "c%d", i);
        snprintf(words, sizeof(words), "cpus=1 label=n=%d port=%d port=10.0.0.1:%d net=%s expose=%d/tcp", i, 80 + i,
                 90 + i, i % 2 ? "host" : "bridge", i);
        struct swarm_container *container = add_container(node, id, words);
        const struct swarm_bound_port bound[] = {{"10.0.0.2", "100"}, {"", "1000"}};
        assert_int_equal(swarm_container_set_bound_ports(container, bound, 2, NULL), 0);
        if (i != 2)
            set_state(container, SWARM_CONTAINER_EXITED);
    }
}

static int start_first(struct swarm_error **reterr)
{
    return swarm_container_set_state(swarm_node_next_container(node, NULL), SWARM_CONTAINER_RUNNING, reterr);
}

static int count_all(struct swarm_error **reterr)
{
    return swarm_cluster_set_stopped_counts(cluster, SWARM_COUNT_ALL, reterr);
}

static int count_ports_instead(struct swarm_error **reterr)
{
    return swarm_cluster_set_stopped_counts(cluster, SWARM_COUNT_PORTS, reterr);
}

/* Each allocation failing in turn, once or for good: all or nothing. */
static void walk(int (*step)(struct swarm_error **reterr), bool once, int from)
{
    for (size_t n = 0; n < 1000; n++) {
        swarm_cluster_free(cluster);
        cluster = new_cluster();
        node = add_sized_node(cluster, "a", 8, 8);
        set_counts(from);
        make_many_stopped();
        char *before = state_of(cluster);
        struct swarm_error *error = NULL;
        heap_fail(n, once);
        int code = step(&error);
        bool failed = heap_failed();
        heap_restore();
        char *after = state_of(cluster);
        assert_int_equal(code, failed ? SWARM_ERR_NOMEM : 0);
        assert_int_equal(swarm_error_code(error), code);
        assert_int_equal(strcmp(before, after) == 0, failed);
        swarm_error_free(error);
        free(before);
        free(after);
        if (!failed) {
            assert_true(n > 0);
            return;
        }
    }
    fail_msg("it never gets through");
}

static void test_out_of_memory_changes_nothing(void **state)
{
    for (int once = 0; once < 2; once++) {
        walk(start_first, once, 0);
        walk(count_all, once, 0);
        walk(count_ports_instead, once, SWARM_COUNT_SLOTS | SWARM_COUNT_RESOURCES);
    }
}

static void test_stopping_needs_no_memory(void **state)
{
    struct swarm_container *container = add_full_container();
    set_counts(0);
    heap_fail(0, false);
    set_state(container, SWARM_CONTAINER_EXITED);
    assert_false(heap_failed());
}

/* ---- at random, against a recount ---- */

#define CONTAINERS 24
#define NODES 3

static uint64_t random_state;

static unsigned draw(unsigned below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % below;
}

/* What is true, kept as plainly as can be. */
static struct {
    struct swarm_container *made;
    int home, cpus, port, bound, state;
} facts[CONTAINERS];

static int counts_for(size_t i, int flags, int flag)
{
    bool stopped = facts[i].state == SWARM_CONTAINER_EXITED || facts[i].state == SWARM_CONTAINER_DEAD;
    return facts[i].made && (!stopped || (flags & flag));
}

static void recount(struct swarm_node *const homes[], int flags)
{
    for (int home = 0; home < NODES; home++) {
        int64_t cpus = 0;
        size_t containers = 0;
        int ports[5] = {0};
        for (size_t i = 0; i < CONTAINERS; i++) {
            if (facts[i].home != home)
                continue;
            containers += facts[i].made != NULL;
            cpus += counts_for(i, flags, SWARM_COUNT_RESOURCES) ? facts[i].cpus : 0;
            ports[facts[i].port] |= counts_for(i, flags, SWARM_COUNT_PORTS);
            ports[facts[i].bound] |= counts_for(i, flags, SWARM_COUNT_PORTS);
        }
        assert_int_equal(swarm_node_used_cpus_milli(homes[home]), cpus * 1000);
        assert_int_equal(swarm_node_used_memory(homes[home]), cpus * GIB);
        assert_int_equal(swarm_node_container_count(homes[home]), containers);
        for (int port = 1; port < 5; port++) {
            char words[64];
            snprintf(words, sizeof(words), "port=%d constraint=node==%s", 8000 + port, swarm_node_id(homes[home]));
            assert_int_equal(strncmp(left_by(cluster, "port constraint", words), "error", 5) == 0, ports[port]);
        }
    }
}

static struct swarm_request *request_with(int cpus, int port)
{
    char words[64];
    snprintf(words, sizeof(words), port ? "cpus=%d memory=%d port=%d" : "cpus=%d memory=%d", cpus, cpus, 8000 + port);
    return request_of(words);
}

static void bind_port(struct swarm_container *container, int port)
{
    char text[16];
    snprintf(text, sizeof(text), "%d", port ? 8000 + port : 0);
    struct swarm_bound_port bound = {"", text};
    assert_int_equal(swarm_container_set_bound_ports(container, &bound, 1, NULL), 0);
}

static void change(size_t i, struct swarm_node *const homes[])
{
    if (facts[i].made && draw(6) == 0) {
        swarm_cluster_remove_container(cluster, facts[i].made);
        facts[i].made = NULL;
        return;
    }
    unsigned what = facts[i].made ? draw(3) : 3;
    if (what == 0) {
        facts[i].state = (int)draw(SWARM_CONTAINER_DEAD + 1);
        set_state(facts[i].made, facts[i].state);
    } else if (what == 1) {
        facts[i].bound = (int)draw(5);
        bind_port(facts[i].made, facts[i].bound);
    } else {
        facts[i].cpus = (int)draw(4);
        facts[i].port = (int)draw(5);
        struct swarm_request *request = request_with(facts[i].cpus, facts[i].port);
        if (what == 2) {
            assert_int_equal(swarm_container_set_request(facts[i].made, request, NULL), 0);
        } else {
            char id[8];
            snprintf(id, sizeof(id), "c%zu", i);
            facts[i].home = (int)draw(NODES);
            facts[i].bound = 0;
            facts[i].state = SWARM_CONTAINER_CREATED;
            assert_int_equal(
                swarm_cluster_add_container(cluster, homes[facts[i].home], id, request, &facts[i].made, NULL), 0);
        }
        swarm_request_unref(request);
    }
}

static void test_random_changes_against_a_recount(void **state)
{
    struct swarm_node *homes[NODES] = {node, add_node(cluster, "b", "b"), add_node(cluster, "c", "c")};
    int flags = SWARM_COUNT_ALL;
    memset(facts, 0, sizeof(facts));
    for (int step = 0; step < 4000; step++) {
        if (draw(10) == 0)
            set_counts(flags = (int)draw(SWARM_COUNT_ALL + 1));
        else
            change(draw(CONTAINERS), homes);
        if (step % 20 == 0)
            recount(homes, flags);
    }
    recount(homes, flags);
}

int main(int argc, char **argv)
{
    random_state = argc > 1 ? strtoull(argv[1], NULL, 10) : 20260301;
    printf("seed %llu\n", (unsigned long long)random_state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_all_count_unless_told_otherwise),
        TEST(test_each_part_is_an_option_of_its_own),
        TEST(test_the_option_takes_effect_on_what_is_stopped_already),
        TEST(test_names_labels_and_ids_always_count),
        TEST(test_exposed_ports_in_host_mode_count_as_ports),
        TEST(test_updates_of_a_stopped_container),
        TEST(test_starting_is_not_refused_where_there_is_no_room),
        TEST(test_spread_and_binpack_count_slots),
        TEST(test_flags_are_checked),
        TEST(test_sums_past_the_greatest_number_are_refused_whole),
        TEST(test_out_of_memory_changes_nothing),
        TEST(test_stopping_needs_no_memory),
        TEST(test_random_changes_against_a_recount),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
