/* SPDX-License-Identifier: Apache-2.0 */
/* The rescheduler when memory runs out (each event is reported again until it is taken), and in random stories whose
 * end is known: every container runs exactly once. */
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"
#include "heap.h"

#define NODES 4
#define CONTAINERS 12

struct world {
    struct swarm_cluster *cluster;
    struct swarm_scheduler *scheduler;
    struct swarm_rescheduler *rescheduler;
    struct swarm_node *nodes[NODES];
    int64_t now_ms;
    int made;
};

static struct swarm_container *put(struct world *world, struct swarm_node *node, const char *id, const char *name)
{
    char words[128];
    struct swarm_container *container = NULL;
    snprintf(words, sizeof(words), "name=%s swarmid=s-%s", name, name);
    struct swarm_request *request = request_of(words);
    assert_int_equal(swarm_request_set_image(request, "img", NULL), 0);
    assert_int_equal(swarm_request_set_reschedule_policy(request, SWARM_RESCHEDULE_ON_NODE_FAILURE, NULL), 0);
    assert_int_equal(swarm_cluster_add_container(world->cluster, node, id, request, &container, NULL), 0);
    assert_int_equal(swarm_container_set_state(container, SWARM_CONTAINER_RUNNING, NULL), 0);
    assert_int_equal(swarm_container_set_names(container, &name, 1, NULL), 0);
    swarm_request_unref(request);
    return container;
}

static void begin(struct world *world, int containers)
{
    memset(world, 0, sizeof(*world));
    world->cluster = new_cluster();
    world->scheduler = new_scheduler("spread", NULL);
    for (int i = 0; i < NODES; i++) {
        char id[16];
        snprintf(id, sizeof(id), "n%d", i);
        world->nodes[i] = add_sized_node(world->cluster, id, 8, 16);
    }
    for (int i = 0; i < containers; i++) {
        char id[16], name[16];
        snprintf(id, sizeof(id), "c%d", i);
        snprintf(name, sizeof(name), "w%d", i);
        put(world, world->nodes[i % NODES], id, name);
    }
    assert_int_equal(swarm_rescheduler_new(&world->rescheduler, world->cluster, world->scheduler, NULL, NULL), 0);
}

static void end(struct world *world)
{
    swarm_rescheduler_free(world->rescheduler);
    swarm_scheduler_free(world->scheduler);
    swarm_cluster_free(world->cluster);
}

/* ---- out of memory ---- */

/** Report until it is taken: memory is back after the first failure. */
#define UNTIL_TAKEN(call)                                                                                              \
    do {                                                                                                               \
        int taken = (call);                                                                                            \
        if (taken == SWARM_ERR_NOMEM) {                                                                                \
            heap_restore();                                                                                            \
            taken = (call);                                                                                            \
        }                                                                                                              \
        assert_true(taken >= 0);                                                                                       \
    } while (0)

static struct swarm_container *commit(struct world *world, struct swarm_action *action)
{
    char id[32];
    struct swarm_container *made = NULL;
    /* The container's part is tested elsewhere. */
    heap_restore();
    snprintf(id, sizeof(id), "new%d", ++world->made);
    assert_int_equal(swarm_reservation_commit(action->reservation, id, &made, NULL), 0);
    assert_int_equal(swarm_container_set_state(made, SWARM_CONTAINER_RUNNING, NULL), 0);
    return made;
}

/** Lose a node, move what was on it, let it come back with its old copies, remove those; memory fails in step @p in. */
static bool story_failing(int in, size_t n)
{
    struct world world;
    struct swarm_action action = SWARM_ACTION_INIT;
    bool failed = false;
    begin(&world, CONTAINERS);
    struct swarm_node *lost = world.nodes[0];
    struct swarm_rescheduler *r = world.rescheduler;
#define STEP(number)                                                                                                   \
    failed |= in == (number)-1 && heap_failed();                                                                       \
    heap_restore();                                                                                                    \
    if (in == (number))                                                                                                \
    heap_fail(n, false)

    swarm_node_set_health(lost, 0, NULL);
    STEP(0);
    UNTIL_TAKEN(swarm_rescheduler_node_lost(r, world.now_ms, lost, SWARM_NODE_STOPPED, NULL));
    STEP(1);
    UNTIL_TAKEN(swarm_rescheduler_next(r, &action, NULL));
    assert_int_equal(action.kind, SWARM_ACTION_MOVE);
    failed |= in == 1 && heap_failed();
    struct swarm_container *made = commit(&world, &action);
    STEP(2);
    UNTIL_TAKEN(swarm_rescheduler_moved(r, world.now_ms, action.id, made, NULL));
    STEP(3);
    UNTIL_TAKEN(swarm_rescheduler_next(r, &action, NULL));
    failed |= in == 3 && heap_failed();
    heap_restore();
    swarm_reservation_abort(action.reservation);
    STEP(4);
    UNTIL_TAKEN(swarm_rescheduler_failed(r, world.now_ms, action.id, "no such image", NULL));
    STEP(5);
    heap_restore();
    put(&world, lost, "c0", "w0");
    swarm_node_set_health(lost, 100, NULL);
    STEP(6);
    UNTIL_TAKEN(swarm_rescheduler_node_back(r, world.now_ms, lost, NULL));
    STEP(7);
    UNTIL_TAKEN(swarm_rescheduler_next(r, &action, NULL));
    assert_int_equal(action.kind, SWARM_ACTION_REMOVE);
    assert_string_equal(swarm_container_id(action.container), "c0");
    UNTIL_TAKEN(swarm_rescheduler_removed(r, world.now_ms, action.id, NULL));
    STEP(8);
#undef STEP
    heap_restore();
    assert_int_equal(swarm_rescheduler_next(r, &action, NULL), 0);
    assert_int_equal(swarm_cluster_container_count(world.cluster), CONTAINERS);
    end(&world);
    return failed;
}

static void test_every_event_survives_lack_of_memory(void **state)
{
    for (int step = 0; step <= 7; step++) {
        size_t n = 0;
        while (story_failing(step, n))
            n++;
        /* These make something. */
        if (step == 0 || step == 1 || step == 2 || step == 6)
            assert_true(n > 0);
    }
}

/** Keep the old copy of one container, and remove the late product of a move of another; memory fails in step @p in. */
static bool reconciling_failing(int in, size_t n)
{
    struct world world;
    struct swarm_action action = SWARM_ACTION_INIT;
    struct swarm_rescheduler_options options = SWARM_RESCHEDULER_OPTIONS_INIT;
    bool failed = false;
    begin(&world, 0);
    swarm_rescheduler_free(world.rescheduler);
    options.reconcile = SWARM_RECONCILE_KEEP_OLD;
    assert_int_equal(swarm_rescheduler_new(&world.rescheduler, world.cluster, world.scheduler, &options, NULL), 0);
    struct swarm_rescheduler *r = world.rescheduler;
    struct swarm_node *lost = world.nodes[0];
    put(&world, lost, "c0", "w0");
    swarm_node_set_health(lost, 0, NULL);
    assert_int_equal(swarm_rescheduler_node_lost(r, 0, lost, SWARM_NODE_STOPPED, NULL), 0);
    assert_int_equal(swarm_rescheduler_next(r, &action, NULL), 1);
    struct swarm_node *first = swarm_reservation_node(action.reservation);
    swarm_reservation_abort(action.reservation);
#define STEP(number, call)                                                                                             \
    if (in == (number))                                                                                                \
        heap_fail(n, false);                                                                                           \
    UNTIL_TAKEN(call);                                                                                                 \
    failed |= in == (number) && heap_failed();                                                                         \
    heap_restore()

    STEP(0, swarm_rescheduler_unanswered(r, 0, action.id, "no answer", NULL));
    /* The next one is made elsewhere, and then the first one shows up. */
    assert_int_equal(swarm_node_set_availability(first, SWARM_AVAILABILITY_PAUSED, NULL), 0);
    assert_int_equal(swarm_rescheduler_advance(r, 1000, NULL), 0);
    STEP(1, swarm_rescheduler_next(r, &action, NULL));
    struct swarm_container *made = commit(&world, &action);
    STEP(2, swarm_rescheduler_moved(r, 1000, action.id, made, NULL));
    put(&world, lost, "c0", "w0");
    swarm_node_set_health(lost, 100, NULL);
    STEP(3, swarm_rescheduler_node_back(r, 1000, lost, NULL));
    STEP(4, swarm_rescheduler_next(r, &action, NULL));
    assert_int_equal(action.kind, SWARM_ACTION_REMOVE);
    assert_ptr_equal(action.container, made);
    STEP(5, swarm_rescheduler_removed(r, 1000, action.id, NULL));
    struct swarm_container *late = put(&world, first, "late", "w0");
    STEP(6, swarm_rescheduler_container_changed(r, 1000, late, NULL));
    if (in != 0 || !failed) { /* without memory the failed move may not be remembered */
        STEP(7, swarm_rescheduler_next(r, &action, NULL));
        assert_int_equal(action.kind, SWARM_ACTION_REMOVE);
        assert_ptr_equal(action.container, late);
        assert_int_equal(swarm_rescheduler_removed(r, 1000, action.id, NULL), 0);
    }
#undef STEP
    if (in != 0 || !failed)
        assert_int_equal(swarm_rescheduler_next(r, &action, NULL), 0);
    end(&world);
    return failed;
}

static void test_reconciling_survives_lack_of_memory(void **state)
{
    for (int step = 0; step <= 7; step++) {
        size_t n = 0;
        while (reconciling_failing(step, n))
            n++;
        if (step != 3 && step != 5 && step != 7)
            assert_true(n > 0);
    }
}

static void test_new_runs_out_of_memory(void **state)
{
    struct swarm_cluster *cluster = new_cluster();
    struct swarm_scheduler *scheduler = new_scheduler("spread", NULL);
    struct swarm_rescheduler *rescheduler = NULL;
    heap_fail(0, false);
    assert_int_equal(swarm_rescheduler_new(&rescheduler, cluster, scheduler, NULL, NULL), SWARM_ERR_NOMEM);
    heap_restore();
    assert_null(rescheduler);
    swarm_scheduler_free(scheduler);
    swarm_cluster_free(cluster);
}

/* ---- random stories ---- */

/** What really is on the machines, which the cluster knows only of nodes that are not lost. */
struct copy {
    char id[32], name[16];
    int node;
};

struct chaos {
    struct world world;
    unsigned seed, state;
    struct copy copies[400];
    size_t copy_count;
    bool lost[NODES];
    struct swarm_action open[64];
    size_t open_count;
};

static unsigned roll(struct chaos *chaos, unsigned sides)
{
    chaos->state = chaos->state * 1664525u + 1013904223u;
    return (chaos->state >> 8) % sides;
}

static int node_number(const struct swarm_node *node)
{
    return swarm_node_id(node)[1] - '0';
}

static void add_copy(struct chaos *chaos, const struct swarm_container *container)
{
    struct copy *copy = &chaos->copies[chaos->copy_count++];
    assert_true(chaos->copy_count < COUNT(chaos->copies));
    snprintf(copy->id, sizeof(copy->id), "%s", swarm_container_id(container));
    snprintf(copy->name, sizeof(copy->name), "%s", swarm_container_name(container));
    copy->node = node_number(swarm_container_node(container));
}

static void lose_or_return(struct chaos *chaos)
{
    int i = (int)roll(chaos, NODES);
    struct swarm_node *node = chaos->world.nodes[i];
    struct swarm_rescheduler *r = chaos->world.rescheduler;
    if (!chaos->lost[i]) {
        chaos->lost[i] = true;
        swarm_node_set_health(node, 0, NULL);
        assert_int_equal(swarm_rescheduler_node_lost(r, chaos->world.now_ms, node, (int)roll(chaos, 2), NULL), 0);
        return;
    }
    chaos->lost[i] = false;
    swarm_node_set_health(node, 100, NULL);
    for (size_t c = 0; c < chaos->copy_count; c++) {
        const struct copy *copy = &chaos->copies[c];
        if (copy->node == i && swarm_cluster_find_container(chaos->world.cluster, node, copy->id) == NULL)
            put(&chaos->world, node, copy->id, copy->name);
    }
    assert_int_equal(swarm_rescheduler_node_back(r, chaos->world.now_ms, node, NULL), 0);
}

static void finish_move(struct chaos *chaos, struct swarm_action *action, bool well)
{
    struct swarm_rescheduler *r = chaos->world.rescheduler;
    if (!well || chaos->lost[node_number(swarm_reservation_node(action->reservation))]) {
        swarm_reservation_abort(action->reservation);
        assert_int_equal(swarm_rescheduler_failed(r, chaos->world.now_ms, action->id, "chaos", NULL), 0);
        return;
    }
    struct swarm_container *made = commit(&chaos->world, action);
    add_copy(chaos, made);
    assert_int_equal(swarm_rescheduler_moved(r, chaos->world.now_ms, action->id, made, NULL), 0);
}

static void finish_removal(struct chaos *chaos, struct swarm_action *action, bool well)
{
    struct swarm_rescheduler *r = chaos->world.rescheduler;
    int on = node_number(swarm_container_node(action->container));
    if (!well || chaos->lost[on]) {
        assert_int_equal(swarm_rescheduler_failed(r, chaos->world.now_ms, action->id, "chaos", NULL), 0);
        return;
    }
    for (size_t c = 0; c < chaos->copy_count; c++)
        if (strcmp(chaos->copies[c].id, swarm_container_id(action->container)) == 0)
            chaos->copies[c] = chaos->copies[--chaos->copy_count];
    assert_int_equal(swarm_rescheduler_removed(r, chaos->world.now_ms, action->id, NULL), 0);
}

static void finish_one(struct chaos *chaos, bool well)
{
    if (chaos->open_count == 0)
        return;
    size_t which = roll(chaos, (unsigned)chaos->open_count);
    struct swarm_action action = chaos->open[which];
    chaos->open[which] = chaos->open[--chaos->open_count];
    if (action.kind == SWARM_ACTION_MOVE)
        finish_move(chaos, &action, well);
    else
        finish_removal(chaos, &action, well);
}

static void take_all(struct chaos *chaos)
{
    struct swarm_action action = SWARM_ACTION_INIT;
    int rc;
    while ((rc = swarm_rescheduler_next(chaos->world.rescheduler, &action, NULL)) == 1) {
        assert_true(chaos->open_count < COUNT(chaos->open));
        if (action.kind == SWARM_ACTION_REMOVE)
            assert_ptr_not_equal(action.container, action.kept);
        chaos->open[chaos->open_count++] = action;
    }
    assert_int_equal(rc, 0);
}

static void elapse(struct chaos *chaos, int64_t ms)
{
    chaos->world.now_ms += ms;
    assert_int_equal(swarm_rescheduler_advance(chaos->world.rescheduler, chaos->world.now_ms, NULL), 0);
}

static bool any_lost(const struct chaos *chaos)
{
    bool any = false;
    for (int i = 0; i < NODES; i++)
        any |= chaos->lost[i];
    return any;
}

/** All nodes return, all actions succeed: what is left. */
static void calm_down(struct chaos *chaos)
{
    while (any_lost(chaos))
        lose_or_return(chaos);
    for (int turn = 0; turn < 100; turn++) {
        take_all(chaos);
        while (chaos->open_count != 0)
            finish_one(chaos, true);
        elapse(chaos, 60000);
    }
}

/** Every container is there exactly once. */
static void check_once(struct chaos *chaos)
{
    int count[CONTAINERS] = {0};
    for (size_t c = 0; c < chaos->copy_count; c++)
        count[atoi(chaos->copies[c].name + 1)]++;
    for (int i = 0; i < CONTAINERS; i++)
        if (count[i] != 1)
            fail_msg("seed %u: w%d is there %d times", chaos->seed, i, count[i]);
    assert_int_equal(swarm_cluster_container_count(chaos->world.cluster), CONTAINERS);
}

static void run_chaos(unsigned seed)
{
    struct chaos *chaos = calloc(1, sizeof(*chaos));
    assert_non_null(chaos);
    chaos->seed = chaos->state = seed;
    begin(&chaos->world, CONTAINERS);
    for (int i = 0; i < NODES; i++) {
        struct swarm_container *c = NULL;
        while ((c = swarm_node_next_container(chaos->world.nodes[i], c)) != NULL)
            add_copy(chaos, c);
    }
    for (int step = 0; step < 150; step++) {
        switch (roll(chaos, 6)) {
        case 0:
            lose_or_return(chaos);
            break;
        case 1:
            elapse(chaos, roll(chaos, 8000));
            break;
        case 2:
            finish_one(chaos, false);
            break;
        case 3:
            take_all(chaos);
            break;
        default:
            finish_one(chaos, true);
            break;
        }
    }
    calm_down(chaos);
    check_once(chaos);
    end(&chaos->world);
    free(chaos);
}

static void test_random_stories_end_with_each_container_once(void **state)
{
    for (unsigned seed = 1; seed <= 1000; seed++)
        run_chaos(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_runs_out_of_memory),
        cmocka_unit_test(test_every_event_survives_lack_of_memory),
        cmocka_unit_test(test_reconciling_survives_lack_of_memory),
        cmocka_unit_test(test_random_stories_end_with_each_container_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
