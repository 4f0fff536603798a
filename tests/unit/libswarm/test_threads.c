/* SPDX-License-Identifier: Apache-2.0 */
/* What may be done on several threads at once (cluster.h): anything on distinct clusters, and all that only looks on
 * one. `tests/run.sh tsan` has the thread sanitizer watch. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "fixture.h"

#define THREADS 4
#define ROUNDS 60

static const char *const asked[] = {
    "cpus=1 memory=1",
    "constraint=zone==/^[ab]$/ constraint=rack!=7",
    "constraint=node==n* affinity=app==we*",
    "affinity=container==/c[0-9]/ affinity=image!=~db*",
    "port=80 net=bridge label=app=x",
    "net=host expose=80/tcp",
    "link=w1 volumes=c2",
    "whitelist=node==n1|n2|n3 constraint=zone==~no-such",
    "constraint=zone==no*such",
    "cpus=1000",
};

static void run_all(void *(*run)(void *), void *data[THREADS])
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        kit_check(pthread_create(&threads[i], NULL, run, data[i]) == 0);
    for (size_t i = 0; i < THREADS; i++)
        kit_check(pthread_join(threads[i], NULL) == 0);
}

static struct swarm_cluster *small_cluster(void)
{
    static const char *const labels[] = {"zone=a rack=7", "zone=b", "zone=c containerslots=9"};
    struct swarm_cluster *cluster = new_cluster();
    for (int i = 0; i < 9; i++) {
        char id[16], words[64];
        snprintf(id, sizeof(id), "n%d", i);
        struct swarm_node *node = add_sized_node(cluster, id, 8, 16);
        label_node(node, labels[i % 3]);
        add_image_to(node, "sha256:1", i % 2 ? "app:1" : "db:1 app:2");
        for (int j = 0; j < 3; j++) {
            snprintf(id, sizeof(id), "c%d", i * 3 + j);
            snprintf(words, sizeof(words), "name=w%d label=app=web%d port=%d", i * 3 + j, j, 80 + i * 3 + j);
            add_container(node, id, words);
        }
    }
    return cluster;
}

/* ---- distinct clusters ---- */

/* Everything there is to do with a cluster, on one of the thread's own. The schedulers are everybody's. */
static void *live(void *data)
{
    const struct swarm_scheduler *scheduler = data;
    struct swarm_cluster *cluster = small_cluster();
    for (int round = 0; round < ROUNDS; round++) {
        struct swarm_request *request = request_of(asked[round % (int)COUNT(asked)]);
        struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
        struct swarm_reservation *place = NULL;
        struct swarm_container *made = NULL;
        struct swarm_error *error = NULL;
        char id[16];
        snprintf(id, sizeof(id), "new%d", round);
        options.seed = (uint64_t)round;
        int code = swarm_scheduler_place(scheduler, cluster, request, &options, &place, &error);
        if (code == 0) {
            kit_check(swarm_reservation_commit(place, id, &made, NULL) == 0);
            kit_check(swarm_container_set_state(made, round % 6, NULL) == 0);
        } else {
            kit_check(strlen(swarm_error_message(error)) > 0);
        }
        if (round % 3 == 0 && made)
            swarm_cluster_remove_container(cluster, made);
        if (round % 7 == 0)
            label_node(swarm_cluster_next_node(cluster, NULL), round % 2 ? "zone=a" : "zone=b rack=7");
        swarm_error_free(error);
        swarm_request_unref(request);
    }
    char *text = NULL;
    struct swarm_cluster *copy = NULL;
    kit_check(swarm_cluster_write(cluster, &text, NULL, NULL) == 0);
    kit_check(swarm_cluster_read(&copy, text, strlen(text), NULL) == 0);
    swarm_free(text);
    swarm_cluster_free(copy);
    swarm_cluster_free(cluster);
    return NULL;
}

static void test_distinct_clusters_on_distinct_threads(void **state)
{
    struct swarm_scheduler *scheduler = new_scheduler("spread", NULL);
    void *data[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        data[i] = scheduler;
    run_all(live, data);
    swarm_scheduler_free(scheduler);
}

/* ---- one cluster ---- */

static struct {
    struct swarm_cluster *cluster;
    struct swarm_scheduler *scheduler;
    struct swarm_request *requests[COUNT(asked)];
    char *answers[COUNT(asked)];
} shared;

/* What is decided, explained, and told of it. */
static char *answer_to(size_t index)
{
    struct swarm_decision *decision = NULL, *why = NULL, *ever = NULL;
    struct swarm_error *error = NULL;
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    struct swarm_request *request = swarm_request_ref(shared.requests[index]);
    char *json = NULL, *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    options.seed = index;
    int code = swarm_scheduler_plan(shared.scheduler, shared.cluster, request, &options, &decision, &error);
    kit_check(swarm_scheduler_explain(shared.scheduler, shared.cluster, request, &options, &why, NULL) == 0);
    kit_check(swarm_scheduler_would_fit(shared.scheduler, shared.cluster, request, &ever, NULL) == 0);
    kit_check(swarm_decision_json(why, &json, NULL, NULL) == 0);
    fprintf(out, "%d %s %s %s %d", code, code == 0 ? swarm_node_id(swarm_decision_node(decision)) : "",
            swarm_error_message(error), json, swarm_decision_code(ever));
    fclose(out);
    swarm_free(json);
    swarm_error_free(error);
    swarm_decision_free(decision);
    swarm_decision_free(why);
    swarm_decision_free(ever);
    swarm_request_unref(request);
    return text;
}

static void *look(void *data)
{
    size_t first = *(size_t *)data;
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t index = (first + round) % COUNT(asked);
        struct swarm_container *found = NULL;
        char *answer = answer_to(index), *state = NULL;
        kit_check(strcmp(answer, shared.answers[index]) == 0);
        kit_check(swarm_cluster_look_up(shared.cluster, "w1", &found, NULL) == 0);
        kit_check(swarm_cluster_look_up(shared.cluster, "c", &found, NULL) == SWARM_ERR_AMBIGUOUS);
        kit_check(swarm_cluster_write(shared.cluster, &state, NULL, NULL) == 0);
        for (struct swarm_node *node = NULL; (node = swarm_cluster_next_node(shared.cluster, node));)
            kit_check(swarm_node_used_memory(node) >= 0 && swarm_node_label(node, "zone"));
        swarm_free(state);
        free(answer);
    }
    return NULL;
}

/* Some patterns are remembered from places, others are not. */
static void test_many_look_at_one_cluster(void **state)
{
    size_t firsts[THREADS];
    void *data[THREADS];
    shared.cluster = small_cluster();
    shared.scheduler = new_scheduler("binpack", NULL);
    placed(shared.cluster, "spread", "first", asked[1]);
    placed(shared.cluster, "spread", "second", asked[3]);
    for (size_t i = 0; i < COUNT(asked); i++)
        shared.requests[i] = request_of(asked[i]);
    for (size_t i = 0; i < COUNT(asked); i++)
        shared.answers[i] = answer_to(i);
    for (size_t i = 0; i < THREADS; i++) {
        firsts[i] = i * 3;
        data[i] = &firsts[i];
    }
    run_all(look, data);
    for (size_t i = 0; i < COUNT(asked); i++) {
        free(shared.answers[i]);
        swarm_request_unref(shared.requests[i]);
    }
    swarm_scheduler_free(shared.scheduler);
    swarm_cluster_free(shared.cluster);
}

/* One request placed in many clusters at once: it is counted by all of them. */
static void *share(void *data)
{
    struct swarm_request *request = data;
    struct swarm_cluster *cluster = new_cluster();
    struct swarm_node *node = add_sized_node(cluster, "n", 64, 64);
    for (int round = 0; round < ROUNDS; round++) {
        char id[16];
        snprintf(id, sizeof(id), "c%d", round);
        kit_check(swarm_cluster_add_container(cluster, node, id, request, NULL, NULL) == 0);
        kit_check(swarm_request_set_memory(request, 1, NULL) == SWARM_ERR_STATE);
    }
    swarm_cluster_free(cluster);
    return NULL;
}

static void test_one_request_in_many_clusters(void **state)
{
    struct swarm_request *request = request_of("label=app=x port=80 constraint=zone==a*");
    struct swarm_cluster *cluster = new_cluster();
    add_node(cluster, "n", "n");
    void *data[THREADS];
    /* Shared before the threads begin, so that nobody is building it any more. */
    kit_check(swarm_cluster_add_container(cluster, swarm_cluster_next_node(cluster, NULL), "c", request, NULL, NULL) ==
              0);
    for (size_t i = 0; i < THREADS; i++)
        data[i] = request;
    run_all(share, data);
    swarm_cluster_free(cluster);
    swarm_request_unref(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distinct_clusters_on_distinct_threads),
        cmocka_unit_test(test_many_look_at_one_cluster),
        cmocka_unit_test(test_one_request_in_many_clusters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
