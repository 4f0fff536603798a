/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "fixture.h"
#include "heap.h"

/*
 * Out of memory is a table, not a hope: each step is tried with its first, second, third … allocation failing, once and
 * for good, until it gets through. After every failure the code says so and the state is what it was.
 */

static struct swarm_cluster *cluster;
static struct swarm_node *node;
static struct swarm_container *container;
static struct swarm_scheduler *scheduler;

static int set_up(void **state)
{
    cluster = new_cluster();
    node = add_sized_node(cluster, "n0", 8, 8);
    label_node(node, "zone=a storage=ssd");
    add_image_to(node, "sha256:1", "app:1 app:2");
    container = add_container(node, "c0", "name=first cpus=1 label=app=x port=80 swarmid=s0");
    scheduler = new_scheduler("spread", NULL);
    return 0;
}

static int tear_down(void **state)
{
    heap_restore();
    swarm_scheduler_free(scheduler);
    swarm_cluster_free(cluster);
    return 0;
}

typedef int (*step_fn)(struct swarm_error **reterr);

/* Points that were tried in all, so that a step which never allocates is noticed. */
static void walk(step_fn step, bool once)
{
    for (size_t n = 0;; n++) {
        char *before = state_of(cluster);
        struct swarm_error *error = NULL;
        heap_fail(n, once);
        int code = step(&error);
        bool failed = heap_failed();
        heap_restore();
        char *after = state_of(cluster);
        if (code != 0) {
            assert_int_equal(code, SWARM_ERR_NOMEM);
            assert_int_equal(swarm_error_code(error), SWARM_ERR_NOMEM);
            assert_string_equal(before, after);
        } else {
            assert_null(error);
        }
        swarm_error_free(error);
        free(before);
        free(after);
        if (!failed) {
            assert_int_equal(code, 0);
            assert_true(n > 0);
            return;
        }
        assert_true(n < 1000);
    }
}

static int nodes_added;

static int step_add_node(struct swarm_error **reterr)
{
    /* Enough of them for every table to grow on the way. */
    int code = 0;
    char id[] = {'x', (char)('a' + nodes_added / 26), (char)('a' + nodes_added % 26), '\0'};
    code = swarm_cluster_add_node(cluster, id, id, "addr", NULL, reterr);
    nodes_added += code == 0;
    return code;
}

static void test_add_node(void **state)
{
    nodes_added = 0;
    for (int i = 0; i < 70; i++) {
        walk(step_add_node, true);
        walk(step_add_node, false);
    }
}

static int step_set_labels(struct swarm_error **reterr)
{
    static const char *const keys[] = {"zone", "rack", "containerslots", "disk"};
    static const char *const values[] = {"b", "r7", "4", "hdd"};
    return swarm_node_set_labels(node, keys, values, 4, reterr);
}

static void test_set_labels(void **state)
{
    walk(step_set_labels, true);
    label_node(node, "other=1");
    walk(step_set_labels, false);
}

static int step_set_images(struct swarm_error **reterr)
{
    static struct swarm_image *image;
    if (!image) {
        int code = swarm_image_new(&image, "sha256:2", reterr);
        for (int i = 0; i < 6 && code == 0; i++) {
            char tag[] = {'i', (char)('0' + i), ':', '1', '\0'};
            code = i % 2 ? swarm_image_add_digest(image, tag, reterr) : swarm_image_add_tag(image, tag, reterr);
        }
        if (code != 0) {
            swarm_image_free(image);
            image = NULL;
            return code;
        }
    }
    int code = swarm_node_set_images(node, (const struct swarm_image *const *)&image, 1, reterr);
    if (code == 0) {
        swarm_image_free(image);
        image = NULL;
    }
    return code;
}

static void test_set_images(void **state)
{
    walk(step_set_images, true);
    add_image_to(node, "sha256:1", "app:1");
    walk(step_set_images, false);
}

static int step_rename(struct swarm_error **reterr)
{
    int code = swarm_node_set_name(node, "renamed", reterr);
    return code ? code : swarm_node_set_address(node, "10.0.0.1", reterr);
}

static void test_rename_node(void **state)
{
    /* The name may be changed where the address cannot be: each call by itself is all or nothing. */
    for (size_t n = 0; n < 3; n++) {
        heap_fail(n, true);
        step_rename(NULL);
        heap_restore();
        assert_true(strcmp(swarm_node_name(node), "renamed") == 0 || strcmp(swarm_node_name(node), "n0") == 0);
    }
    assert_string_equal(left_by(cluster, "constraint", "constraint=node==renamed"), "n0");
}

static struct swarm_request *full_request(void)
{
    return request_of("name=web cpus=1 memory=1 label=app=web label=tier=front port=81 port=10.0.0.1:82 net=bridge "
                      "expose=80/tcp swarmid=swarm-1 constraint=zone!=/^b/ constraint=node==n* affinity=app!=y "
                      "affinity=image==app* affinity=container!=/zz/ link=first:f volumes=c0 "
                      "whitelist=node==n0|n1");
}

static struct swarm_request *request;

static int step_add_container(struct swarm_error **reterr)
{
    return swarm_cluster_add_container(cluster, node, "c1", request, NULL, reterr);
}

static void remove_c1(void)
{
    swarm_cluster_remove_container(cluster, swarm_cluster_find_container(cluster, node, "c1"));
}

static void test_add_container(void **state)
{
    request = full_request();
    walk(step_add_container, true);
    remove_c1();
    walk(step_add_container, false);
    swarm_request_unref(request);
}

static void test_add_container_in_host_mode(void **state)
{
    request = request_of("net=host expose=80/tcp expose=81/tcp label=a=b");
    walk(step_add_container, true);
    remove_c1();
    walk(step_add_container, false);
    swarm_request_unref(request);
}

static int step_set_request(struct swarm_error **reterr)
{
    return swarm_container_set_request(container, request, reterr);
}

static void test_update(void **state)
{
    struct swarm_request *old = swarm_request_ref(swarm_container_request(container));
    for (int i = 0; i < 2; i++) {
        request = full_request();
        walk(step_set_request, i == 0);
        swarm_request_unref(request);
        request = old;
        assert_int_equal(step_set_request(NULL), 0);
    }
    swarm_request_unref(old);
}

static int step_set_names(struct swarm_error **reterr)
{
    return swarm_container_set_names(container, (const char *[]){"one", "two", "db/three"}, 3, reterr);
}

static int step_set_bound(struct swarm_error **reterr)
{
    static const struct swarm_bound_port ports[] = {{"", "8080"}, {"10.0.0.1", "8081"}, {"::", "8082"}, {"", ""}};
    return swarm_container_set_bound_ports(container, ports, 4, reterr);
}

static void test_names_and_bound_ports(void **state)
{
    walk(step_set_names, true);
    assert_int_equal(swarm_container_set_names(container, NULL, 0, NULL), 0);
    walk(step_set_names, false);
    walk(step_set_bound, true);
    assert_int_equal(swarm_container_set_bound_ports(container, NULL, 0, NULL), 0);
    walk(step_set_bound, false);
}

static int step_plan(struct swarm_error **reterr)
{
    struct swarm_decision *decision = NULL;
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    options.extra_affinity = "app==~nothing";
    int code = swarm_scheduler_plan(scheduler, cluster, request, &options, &decision, reterr);
    if (code != 0)
        assert_null(decision);
    swarm_decision_free(decision);
    return code;
}

static void test_plan(void **state)
{
    request = full_request();
    walk(step_plan, true);
    walk(step_plan, false);
    swarm_request_unref(request);
}

static int step_refuse(struct swarm_error **reterr)
{
    struct swarm_decision *decision = NULL;
    struct swarm_error *error = NULL;
    int code = swarm_scheduler_plan(scheduler, cluster, request, NULL, &decision, &error);
    assert_null(decision);
    assert_int_equal(code, swarm_error_code(error));
    if (code == SWARM_ERR_NO_NODE) {
        swarm_error_free(error);
        return 0;
    }
    *reterr = error;
    return code;
}

static void test_refusal(void **state)
{
    struct swarm_node *other = add_node(cluster, "n1", "n1");
    swarm_node_set_availability(other, SWARM_AVAILABILITY_PAUSED, NULL);
    request = request_of("port=90 constraint=zone==~x constraint=zone==/no/ link=first affinity=app!=q");
    walk(step_refuse, true);
    walk(step_refuse, false);
    swarm_request_unref(request);
}

static struct swarm_reservation *place;

static int step_place(struct swarm_error **reterr)
{
    return swarm_scheduler_place(scheduler, cluster, request, NULL, &place, reterr);
}

/* What is remembered of patterns is the only thing that a place may do without: then it is taken all the same. */
static int step_place_and_abort(struct swarm_error **reterr)
{
    int code = step_place(reterr);
    if (code == 0)
        swarm_reservation_abort(place);
    return code;
}

static void test_place(void **state)
{
    request = full_request();
    walk(step_place_and_abort, true);
    swarm_request_unref(request);
    /* Patterns that have not been asked for yet. */
    request = request_of("name=db constraint=zone!=/^c/ constraint=node==/n/ affinity=app!=z* affinity=image==/app/ "
                         "affinity=container!=/yy/");
    walk(step_place_and_abort, false);
    swarm_request_unref(request);
}

static void test_commit_gives_the_place_back_where_it_fails(void **state)
{
    request = request_of("name=web cpus=1 net=host expose=80/tcp expose=81/tcp swarmid=s9");
    bool failed = true;
    for (size_t n = 0; failed; n++) {
        assert_int_equal(step_place(NULL), 0);
        struct swarm_container *made = NULL;
        heap_fail(n, true);
        int code = swarm_reservation_commit(place, "c1", &made, NULL);
        failed = heap_failed();
        heap_restore();
        assert_int_equal(code, failed ? SWARM_ERR_NOMEM : 0);
        assert_int_equal(swarm_node_used_cpus_milli(node), failed ? 1000 : 2000);
        assert_int_equal(swarm_node_container_count(node), failed ? 1 : 2);
        assert_true(n < 100);
    }
    swarm_request_unref(request);
}

static void test_removing_needs_no_memory(void **state)
{
    add_container(node, "c1", "name=web label=app=y port=85 cpus=1");
    struct swarm_reservation *taken = take_place(node, "name=db cpus=1");
    heap_fail(0, false);
    swarm_reservation_abort(taken);
    swarm_cluster_remove_container(cluster, swarm_cluster_find_container(cluster, node, "c1"));
    assert_int_equal(swarm_node_used_cpus_milli(node), 1000);
    swarm_cluster_remove_node(cluster, node);
    assert_false(heap_failed());
    heap_restore();
    assert_int_equal(swarm_cluster_container_count(cluster), 0);
}

static void test_look_up_needs_memory_for_its_message_only(void **state)
{
    add_container(add_node(cluster, "n1", "n1"), "c1", "name=first");
    struct swarm_container *found = NULL;
    struct swarm_error *error = NULL;
    heap_fail(0, false);
    assert_int_equal(swarm_cluster_look_up(cluster, "c1", &found, &error), 0);
    assert_int_equal(swarm_cluster_look_up(cluster, "first", &found, NULL), SWARM_ERR_AMBIGUOUS);
    assert_int_equal(swarm_cluster_look_up(cluster, "first", &found, &error), SWARM_ERR_NOMEM);
    heap_restore();
    assert_int_equal(swarm_error_code(error), SWARM_ERR_NOMEM);
    swarm_error_free(error);
}

static int step_new(struct swarm_error **reterr)
{
    struct swarm_cluster *fresh = NULL;
    struct swarm_scheduler *other = NULL;
    struct swarm_registry *registry = NULL;
    struct swarm_filter_ops ops = SWARM_FILTER_OPS_INIT;
    ops.name = "mine";
    ops.filter = (int (*)(void *, const struct swarm_request *, const struct swarm_cluster *, struct swarm_candidates *,
                          int, struct swarm_error **))abort;
    int code = swarm_cluster_new(&fresh, reterr);
    if (code == 0)
        code = swarm_registry_new(&registry, reterr);
    if (code == 0)
        code = swarm_registry_add_filter(registry, &ops, NULL, reterr);
    if (code == 0)
        code = swarm_scheduler_new(&other, NULL, reterr);
    swarm_scheduler_free(other);
    swarm_registry_free(registry);
    swarm_cluster_free(fresh);
    return code;
}

static void test_constructors(void **state)
{
    walk(step_new, true);
    walk(step_new, false);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_add_node),
        TEST(test_set_labels),
        TEST(test_set_images),
        TEST(test_rename_node),
        TEST(test_add_container),
        TEST(test_add_container_in_host_mode),
        TEST(test_update),
        TEST(test_names_and_bound_ports),
        TEST(test_plan),
        TEST(test_refusal),
        TEST(test_place),
        TEST(test_commit_gives_the_place_back_where_it_fails),
        TEST(test_removing_needs_no_memory),
        TEST(test_look_up_needs_memory_for_its_message_only),
        TEST(test_constructors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
