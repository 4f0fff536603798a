/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "container.h"
#include "decide.h"
#include "heap.h"
#include "rebuild.h"

/*
 * What a cluster remembers of patterns must be what a fresh one finds: random changes, at times without memory, and
 * after every few of them random questions to both, by one who learns and by one who only reads. The seed is printed;
 * give it (and a number of steps) as arguments to see a failure again, or to go on for longer.
 */

#define MOST_NODES 90 /* more than fit a word of a nodeset */
#define PLACES 16
#define ROUND 5

static uint64_t random_state;
static unsigned steps = 6000;

static unsigned draw(unsigned below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % below;
}

static struct swarm_cluster *cluster;
static struct swarm_scheduler *scheduler;
static struct swarm_reservation *places[PLACES];
static unsigned next_node, wanted_nodes = 3;

/* A value for an expression: of many, so that old ones have to make room, but some come again and again. */
static void random_value(char *value)
{
    static const char *const often[] = {"w1", "w1*", "/^w[0-9]$/", "*", "/^$/", "/[13]/", "a*"};
    static const char *const forms[][2] = {{"w", "*"}, {"/^a", "/"}, {"*", ""},         {"/^[a-c]*", "?$/"},
                                           {"w", ""},  {"/", "$/"},  {"/^(w|b", ")?$/"}};
    const char *const *form = forms[draw(COUNT(forms))];
    if (draw(2))
        strcpy(value, often[draw(COUNT(often))]);
    else
        sprintf(value, "%s%u%s", form[0], draw(30), form[1]);
}

static void random_words(char *words)
{
    static const char *const keys[] = {"affinity=container",
                                       "affinity=app",
                                       "affinity=uniq",
                                       "affinity=image",
                                       "constraint=node",
                                       "constraint=zone",
                                       "affinity=com.docker.swarm.id"};
    *words = '\0';
    for (unsigned i = 1 + draw(2); i > 0; i--) {
        char value[32];
        random_value(value);
        sprintf(words + strlen(words), "%s%s%s%s ", keys[draw(COUNT(keys))], draw(3) ? "==" : "!=", draw(4) ? "" : "~",
                value);
    }
    static const char *const targets[] = {"link=a", "link=b", "link=c", "link=a1", "link=w1", "volumes=s"};
    if (draw(4) == 0)
        strcat(words, targets[draw(COUNT(targets))]);
}

static struct swarm_node *random_node(void)
{
    struct swarm_node *node = NULL;
    for (unsigned i = draw((unsigned)swarm_cluster_node_count(cluster)) + 1; i > 0; i--)
        node = swarm_cluster_next_node(cluster, node);
    return node;
}

static struct swarm_container *random_container(void)
{
    struct swarm_node *node = random_node();
    struct swarm_container *container = NULL;
    for (unsigned i = draw((unsigned)swarm_node_container_count(node) + 1); i > 0; i--)
        container = swarm_node_next_container(node, container);
    return container;
}

static struct swarm_request *random_request(void)
{
    char words[256] = "";
    if (draw(2))
        sprintf(words, "label=app=%c%u ", "wab"[draw(3)], draw(4));
    if (draw(3) == 0)
        sprintf(words + strlen(words), "label=uniq=w%u ", draw(500));
    if (draw(2))
        sprintf(words + strlen(words), "name=%c%u ", "wab"[draw(3)], draw(3) ? draw(40) : 1);
    if (draw(4) == 0)
        sprintf(words + strlen(words), "swarmid=%c%u", "swab"[draw(4)], draw(60));
    return request_of(words);
}

static void label_randomly(struct swarm_node *node)
{
    char zone[8];
    sprintf(zone, "%c%u", "wab"[draw(3)], draw(6));
    const char *keys[] = {"zone", "rack"}, *values[] = {zone, "w1"};
    (void)swarm_node_set_labels(node, keys, values, draw(3), NULL);
}

static void give_images(struct swarm_node *node)
{
    struct swarm_image *images[2] = {NULL, NULL};
    size_t count = draw(3);
    for (size_t i = 0; i < count; i++) {
        char text[16];
        sprintf(text, "w%u", draw(40));
        if (swarm_image_new(&images[i], text, NULL) != 0)
            count = i;
        else
            (void)swarm_image_add_tag(images[i], draw(2) ? "a1:2" : "b/w3:1", NULL);
    }
    (void)swarm_node_set_images(node, (const struct swarm_image *const *)images, count, NULL);
    swarm_image_free(images[0]);
    swarm_image_free(images[1]);
}

static void change_node(void)
{
    size_t count = swarm_cluster_node_count(cluster);
    if (draw(60) == 0)
        wanted_nodes = 2 + draw(MOST_NODES);
    if (count < wanted_nodes) {
        char id[16], name[16];
        sprintf(id, "w%u", next_node++);
        sprintf(name, "%c%u", "wab"[draw(3)], draw(40));
        (void)swarm_cluster_add_node(cluster, id, name, "", NULL, NULL);
        return;
    }
    struct swarm_node *node = random_node();
    if (count > wanted_nodes + draw(3)) {
        swarm_cluster_remove_node(cluster, node);
        return;
    }
    char name[16];
    sprintf(name, "%c%u", "wab"[draw(3)], draw(40));
    switch (draw(4)) {
    case 0:
        (void)swarm_node_set_name(node, name, NULL);
        break;
    case 1:
        give_images(node);
        break;
    default:
        label_randomly(node);
        break;
    }
}

static void change_container(struct swarm_request *request)
{
    struct swarm_container *container = random_container();
    if (!container || draw(2)) {
        char id[16];
        sprintf(id, "%c%u", "abc"[draw(3)], draw(400));
        (void)swarm_cluster_add_container(cluster, random_node(), id, request, NULL, NULL);
        return;
    }
    char first[16];
    sprintf(first, "%c%u", "wab"[draw(3)], draw(3) ? draw(40) : 1);
    const char *names[] = {first, "w1", "w1/x"};
    switch (draw(5)) {
    case 0:
        (void)swarm_container_set_request(container, request, NULL);
        break;
    case 1:
        (void)swarm_container_set_names(container, names + draw(2), draw(3), NULL);
        break;
    case 2:
        (void)swarm_container_set_state(container, draw(2) ? SWARM_CONTAINER_DEAD : SWARM_CONTAINER_RUNNING, NULL);
        break;
    default:
        swarm_cluster_remove_container(cluster, container);
        break;
    }
}

static void change_place(struct swarm_request *request)
{
    struct swarm_reservation **place = &places[draw(PLACES)];
    char id[16];
    sprintf(id, "%c%u", "abc"[draw(3)], draw(400));
    if (!*place)
        (void)swarm_cluster_reserve(cluster, random_node(), request, place, NULL);
    else if (draw(2))
        swarm_reservation_abort(*place), *place = NULL;
    else
        (void)swarm_reservation_commit(*place, id, NULL, NULL), *place = NULL;
}

static void change(void)
{
    struct swarm_request *request = random_request();
    unsigned what = draw(10);
    bool spare_memory = draw(12) == 0;
    if (spare_memory)
        heap_fail(draw(10), draw(2));
    if (what < 3)
        change_node();
    else if (what < 8)
        change_container(request);
    else
        change_place(request);
    heap_restore();
    swarm_request_unref(request);
}

/* The answer's code; *ret_set where it is 0. */
static int ask(const struct swarm_cluster *of, struct swarm_cluster *learning, const struct swarm_request *request,
               struct swarm__nodeset *ret_set)
{
    static const struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    struct swarm__outcome outcome = {.list_ties = false};
    int code = swarm__decide(scheduler, of, request, &options, (struct swarm__aside){learning, NULL}, &outcome, NULL);
    if (code != 0)
        return code;
    *ret_set = outcome.candidates.set;
    outcome.candidates.set = (struct swarm__nodeset){NULL, 0};
    swarm__outcome_finish(&outcome);
    return 0;
}

static void check_answer(const struct swarm_cluster *fresh, struct swarm_cluster *learning, const char *words,
                         const struct swarm_request *request, bool spare_memory)
{
    struct swarm__nodeset got = {NULL, 0}, expected = {NULL, 0};
    int right = ask(fresh, NULL, request, &expected);
    if (spare_memory)
        heap_fail(draw(12), draw(2));
    int code = ask(cluster, learning, request, &got);
    heap_restore();
    if (code != right && !(spare_memory && code == SWARM_ERR_NOMEM))
        fail_msg("%s: %d instead of %d", words, code, right);
    const struct swarm_node *copy = fresh->first_node;
    for (const struct swarm_node *node = cluster->first_node; code == 0 && node; node = node->next) {
        if (swarm__nodeset_has(&got, node->slot) != swarm__nodeset_has(&expected, copy->slot))
            fail_msg("%s: node %s", words, node->id);
        copy = copy->next;
    }
    swarm__nodeset_finish(&got);
    swarm__nodeset_finish(&expected);
}

static void check_answers(void)
{
    struct swarm_cluster *fresh = rebuilt(cluster);
    for (int i = 0; i < 6; i++) {
        char words[256];
        random_words(words);
        struct swarm_request *request = request_of(words);
        check_answer(fresh, NULL, words, request, false);
        check_answer(fresh, cluster, words, request, draw(8) == 0);
        check_answer(fresh, NULL, words, request, false);
        swarm_request_unref(request);
    }
    swarm_cluster_free(fresh);
}

static void test_remembered_is_what_a_fresh_cluster_finds(void **state)
{
    cluster = new_cluster();
    scheduler = new_scheduler("random", "dependency affinity constraint");
    add_node(cluster, "w", "w");
    uint32_t most = 0;
    for (unsigned step = 0; step < steps; step++) {
        change();
        if (step % ROUND == 0)
            check_answers();
        most = cluster->memo_pool.count > most ? cluster->memo_pool.count : most;
    }
    assert_true(most > 2 * SWARM__MEMO_MOST); /* some of them had to make room */
    for (size_t i = 0; i < PLACES; i++)
        swarm_reservation_abort(places[i]);
    while (cluster->first_node)
        swarm_cluster_remove_node(cluster, cluster->first_node);
    const struct swarm__memo *memos[] = {&cluster->container_memo, &cluster->node_memo};
    for (size_t i = 0; i < COUNT(memos); i++)
        for (uint32_t live = memos[i]->live; live; live &= live - 1)
            assert_true(swarm__nodeset_empty(&memos[i]->entries[__builtin_ctz(live)]->nodes));
    swarm_scheduler_free(scheduler);
    swarm_cluster_free(cluster);
}

int main(int argc, char **argv)
{
    random_state = argc > 1 ? strtoull(argv[1], NULL, 10) : 20260101;
    steps = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : steps;
    printf("seed %llu\n", (unsigned long long)random_state);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_remembered_is_what_a_fresh_cluster_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
