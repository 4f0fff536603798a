/* SPDX-License-Identifier: Apache-2.0 */
#include "nomem_scene.h"

#include <stdio.h>
#include <stdlib.h>

struct scene scene;

const char scene_create[] =
    "{\"Image\":\"app:1\",\"Env\":[\"A=b\",\"constraint:zone==a\",\"affinity:image==app*\",\"whitelist:node==n0|n1\","
    "\"reschedule:on-node-failure\"],\"Labels\":{\"app\":\"web\",\"com.docker.swarm.affinities\":\"[\\\"app!=x\\\"]\"},"
    "\"ExposedPorts\":{\"80/tcp\":{}},\"Memory\":1048576,\"HostConfig\":{\"CpuShares\":1,\"NanoCpus\":1500000000,"
    "\"MemoryReservation\":512,\"NetworkMode\":\"container:c0\",\"PidMode\":\"container:c0\",\"IpcMode\":\"host\","
    "\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"10.0.0.1\",\"HostPort\":\"80\"}]},\"VolumesFrom\":[\"c0:ro\"],"
    "\"Links\":[\"c0:db\"]},\"NetworkingConfig\":{\"EndpointsConfig\":{\"front\":{\"Aliases\":[\"w\"]},\"back\":null}}"
    "}";

const char scene_inspect[] =
    "{\"Id\":\"0123456789abcdef0123\",\"Name\":\"/web\",\"Config\":{\"Image\":\"app:1\",\"Hostname\":\"0123456789ab\","
    "\"Env\":[\"A=b\",\"constraint:zone==a\"],\"Labels\":{\"com.docker.swarm.id\":\"s9\"}},\"HostConfig\":{"
    "\"CpuShares\":256,\"Memory\":1048576,\"NetworkMode\":\"front\",\"Links\":[\"/db:/web/alias\"]},"
    "\"NetworkSettings\":{\"Networks\":{\"front\":{\"NetworkID\":\"f1\",\"IPAddress\":\"10.0.0.9\",\"Aliases\":["
    "\"0123456789ab\",\"w\"]},\"back\":{\"Links\":[\"x\"]}}}}";

static int own_filter(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                      struct swarm_candidates *candidates, int soft, struct swarm_error **reterr)
{
    for (struct swarm_node *node = NULL; (node = swarm_candidates_next(candidates, node));)
        if (swarm_node_health(node) < 50) {
            swarm_candidates_remove(candidates, node);
            swarm_candidates_refuse(candidates, SWARM_REASON_UNHEALTHY, swarm_node_name(node));
        }
    if (swarm_candidates_count(candidates) == 0)
        return swarm_error_new(reterr, SWARM_ERR_NO_NODE, "all %d are ill", 3);
    return 0;
}

static int own_conditions(void *data, const struct swarm_request *request, struct swarm_conditions *conditions,
                          struct swarm_error **reterr)
{
    int code = swarm_conditions_add(conditions, "health==50");
    return code == 0 ? 0 : swarm_error_new(reterr, code, NULL);
}

static int own_rank(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                    const struct swarm_candidates *candidates, struct swarm_ranking *ranking,
                    struct swarm_error **reterr)
{
    for (struct swarm_node *node = NULL; (node = swarm_candidates_next(candidates, node));) {
        if (strcmp(swarm_node_id(node), "n1") == 0)
            swarm_ranking_refuse(ranking, node, SWARM_REASON_OTHER, "not this one");
        else
            swarm_ranking_offer(ranking, node, swarm_node_health(node));
    }
    return 0;
}

static int own_parts(void *data, const struct swarm_request *request, const struct swarm_cluster *cluster,
                     const struct swarm_node *node, struct swarm_parts *parts, struct swarm_error **reterr)
{
    int code = swarm_parts_add(parts, "health", swarm_node_health(node));
    return code == 0 ? 0 : swarm_error_new(reterr, code, NULL);
}

const struct swarm_filter_ops scene_filter = {
    .size = sizeof(scene_filter), .name = "mine", .filter = own_filter, .conditions = own_conditions};
const struct swarm_strategy_ops scene_strategy = {
    .size = sizeof(scene_strategy), .name = "mine", .rank = own_rank, .parts = own_parts};

static const char words[] =
    "name=web image=app:1 cpus=1 memory=1 resource=gpu:1 label=app=web label=tier=front port=81 port=10.0.0.1:82 "
    "expose=80/tcp swarmid=swarm-1 constraint=zone!=/^b/ constraint=node==n* constraint=rack!=~7 affinity=app!=y "
    "affinity=image==app* affinity=container!=/zz/ whitelist=node==n0|n1";

/* request_of() knows no images. */
static struct swarm_request *asking(const char *text)
{
    char copy[1024];
    snprintf(copy, sizeof(copy), "%s", text);
    char *image = strstr(copy, "image=app:1 ");
    if (image)
        memmove(image, image + strlen("image=app:1 "), strlen(image + strlen("image=app:1 ")) + 1);
    struct swarm_request *request = request_of(copy);
    assert_int_equal(swarm_request_set_image(request, "app:1", NULL), 0);
    return request;
}

static struct swarm_container *put(struct swarm_node *node, const char *id, const char *text)
{
    struct swarm_bound_port bound[] = {{"10.0.0.1", "8080"}, {"", "443"}};
    struct swarm_container *container = NULL;
    struct swarm_request *request = asking(text);
    assert_int_equal(swarm_request_set_reschedule_policy(request, SWARM_RESCHEDULE_ON_NODE_FAILURE, NULL), 0);
    assert_int_equal(swarm_cluster_add_container(scene.cluster, node, id, request, &container, NULL), 0);
    assert_int_equal(swarm_container_set_bound_ports(container, bound, 2, NULL), 0);
    assert_int_equal(swarm_container_set_state(container, SWARM_CONTAINER_RUNNING, NULL), 0);
    swarm_request_unref(request);
    return container;
}

static struct swarm_node *make_node(const char *id)
{
    struct swarm_node *node = add_sized_node(scene.cluster, id, 8, 8);
    label_node(node, "zone=a storage=ssd");
    add_image_to(node, "sha256:1", "app:1 app:2");
    assert_int_equal(swarm_node_set_resource(node, "gpu", 4, NULL), 0);
    return node;
}

static void make_schedulers(void)
{
    static const char *const filters[] = {"health", "mine", "constraint"};
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    options.strategy = "mine";
    options.filters = filters;
    options.filter_count = 3;
    assert_int_equal(swarm_registry_new(&scene.registry, NULL), 0);
    assert_int_equal(swarm_registry_add_filter(scene.registry, &scene_filter, NULL, NULL), 0);
    assert_int_equal(swarm_registry_add_strategy(scene.registry, &scene_strategy, NULL, NULL), 0);
    options.registry = scene.registry;
    assert_int_equal(swarm_scheduler_new(&scene.own, &options, NULL), 0);
    scene.scheduler = new_scheduler("spread", NULL);
}

void scene_begin(void)
{
    scene = (struct scene){.action = SWARM_ACTION_INIT};
    scene.cluster = new_cluster();
    scene.n0 = make_node("n0");
    scene.n1 = make_node("n1");
    scene.n2 = make_node("n2");
    scene.c0 = put(scene.n0, "c0", "name=first cpus=1 label=app=x port=80 swarmid=s0 image=app:1 ");
    scene.c1 = put(scene.n1, "c1",
                   "name=second cpus=1 resource=gpu:1 label=app=x label=tier=y port=90 net=host expose=53/udp "
                   "swarmid=s1 image=app:1 ");
    assert_int_equal(swarm_cluster_set_stopped_counts(scene.cluster, 0, NULL), 0);
    assert_int_equal(swarm_container_set_state(scene.c1, SWARM_CONTAINER_EXITED, NULL), 0);
    scene.place = take_place(scene.n2, "name=coming cpus=1 swarmid=s2 port=91 net=host expose=54/udp");
    assert_int_equal(swarm_cluster_hold_name(scene.cluster, "held", NULL), 0);
    scene.request = asking(words);
    scene.shared = swarm_request_ref(swarm_container_request(scene.c0));
    assert_int_equal(swarm_create_body_parse(&scene.body, scene_create, strlen(scene_create), NULL), 0);
    assert_int_equal(swarm_image_new(&scene.image, "sha256:2", NULL), 0);
    assert_int_equal(swarm_image_add_tag(scene.image, "db:1", NULL), 0);
    make_schedulers();
    assert_int_equal(swarm_scheduler_plan(scene.own, scene.cluster, scene.shared,
                                          &(struct swarm_place_options){.size = sizeof(struct swarm_place_options),
                                                                        .replaces = scene.c0},
                                          &scene.decision, NULL),
                     0);
    assert_int_equal(swarm_rescheduler_new(&scene.rescheduler, scene.cluster, scene.scheduler, NULL, NULL), 0);
    assert_int_equal(swarm_membership_new(&scene.membership, NULL, NULL), 0);
    assert_int_equal(swarm_member_new(&scene.member, scene.membership, 0, NULL), 0);
    scene_explain();
    assert_int_equal(swarm_cluster_write(scene.cluster, &scene.state, NULL, NULL), 0);
    assert_int_equal(swarm_request_write(scene.request, &scene.asked, NULL, NULL), 0);
}

void scene_explain(void)
{
    swarm_decision_free(scene.explained);
    scene.explained = NULL;
    assert_int_equal(
        swarm_scheduler_explain(scene.scheduler, scene.cluster, scene.request, NULL, &scene.explained, NULL), 0);
}

static void dump_rescheduler(FILE *out)
{
    struct swarm_rescheduler_status status = SWARM_RESCHEDULER_STATUS_INIT;
    assert_int_equal(swarm_rescheduler_status(scene.rescheduler, &status), 0);
    fprintf(out, "rescheduler held %d lost %zu of %zu moves %zu %zu %zu removals %zu %zu term %llu next %lld\n",
            status.held, status.nodes_lost, status.nodes_counted, status.moves, status.moves_under_way,
            status.moves_given_up, status.removals, status.removals_under_way, (unsigned long long)status.term,
            (long long)swarm_rescheduler_timeout(scene.rescheduler));
}

char *scene_dump(void)
{
    char *text = NULL, *state = state_of(scene.cluster), *written = NULL, *request = NULL, *body = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(swarm_cluster_write(scene.cluster, &written, NULL, NULL), 0);
    assert_int_equal(swarm_request_write(scene.request, &request, NULL, NULL), 0);
    assert_int_equal(swarm_create_body_write(scene.body, 3, &body, NULL, NULL), 0);
    fprintf(out, "%s%s\n%s\n%s\n", state, written, request, body);
    swarm_free(request);
    assert_int_equal(swarm_request_write(swarm_create_body_request(scene.body), &request, NULL, NULL), 0);
    fprintf(out, "%s\n", request);
    dump_rescheduler(out);
    fclose(out);
    free(state);
    swarm_free(written);
    swarm_free(request);
    swarm_free(body);
    return text;
}

/* Of an action whose reservation is no more: it is to be reported before its rescheduler goes. Where it has been, that
 * is an error, and nothing happens. */
static void report_action(void)
{
    if (scene.made)
        swarm_rescheduler_moved(scene.rescheduler, 9, scene.action.id, scene.made, NULL);
    else if (scene.given_back)
        swarm_rescheduler_failed(scene.rescheduler, 9, scene.action.id, NULL, NULL);
}

void scene_end(void)
{
    report_action();
    swarm_decision_free(scene.decision);
    swarm_decision_free(scene.new_decision);
    swarm_decision_free(scene.explained);
    swarm_rescheduler_free(scene.rescheduler);
    swarm_rescheduler_free(scene.new_rescheduler);
    swarm_member_free(scene.new_member, 0);
    swarm_member_free(scene.member, 0);
    swarm_membership_free(scene.new_membership);
    swarm_membership_free(scene.membership);
    swarm_cluster_free(scene.cluster); /* with its reservations */
    swarm_cluster_free(scene.new_cluster);
    swarm_request_unref(scene.request);
    swarm_request_unref(scene.shared);
    swarm_request_unref(scene.new_request);
    swarm_create_body_free(scene.body);
    swarm_create_body_free(scene.new_body);
    swarm_image_free(scene.image);
    swarm_image_free(scene.new_image);
    swarm_registry_free(scene.registry);
    swarm_registry_free(scene.new_registry);
    swarm_scheduler_free(scene.scheduler);
    swarm_scheduler_free(scene.own);
    swarm_scheduler_free(scene.new_scheduler);
    swarm_error_free(scene.new_errors[0]);
    swarm_error_free(scene.new_errors[1]);
    swarm_free(scene.new_text);
    swarm_free(scene.state);
    swarm_free(scene.asked);
}

/* ---- the story of c0 ---- */

void scene_lost(void)
{
    assert_int_equal(swarm_node_set_health(scene.n0, 0, NULL), 0);
    assert_int_equal(swarm_rescheduler_node_lost(scene.rescheduler, 0, scene.n0, SWARM_NODE_STOPPED, NULL), 0);
}

void scene_moving(void)
{
    scene_lost();
    assert_int_equal(swarm_rescheduler_next(scene.rescheduler, &scene.action, NULL), 1);
    assert_int_equal(scene.action.kind, SWARM_ACTION_MOVE);
}

void scene_committed(void)
{
    scene_moving();
    assert_int_equal(swarm_reservation_commit(scene.action.reservation, "c0-again", &scene.made, NULL), 0);
    assert_int_equal(swarm_container_set_state(scene.made, SWARM_CONTAINER_RUNNING, NULL), 0);
}

void scene_moved(void)
{
    scene_committed();
    assert_int_equal(swarm_rescheduler_moved(scene.rescheduler, 1, scene.action.id, scene.made, NULL), 0);
    scene.c0 = NULL;
}

/* The engine answers again, and has its old copy still. */
void scene_returned(void)
{
    scene_moved();
    assert_int_equal(swarm_node_set_health(scene.n0, 100, NULL), 0);
    scene.c0 = put(scene.n0, "c0", "name=first cpus=1 label=app=x port=80 swarmid=s0 image=app:1 ");
}

void scene_back(void)
{
    scene_returned();
    assert_int_equal(swarm_rescheduler_node_back(scene.rescheduler, 2, scene.n0, NULL), 0);
}

void scene_removing(void)
{
    scene_back();
    assert_int_equal(swarm_rescheduler_next(scene.rescheduler, &scene.action, NULL), 1);
    assert_int_equal(scene.action.kind, SWARM_ACTION_REMOVE);
}

/* A move is reported as failed and made elsewhere, and then its container shows up after all. */
void scene_late(void)
{
    scene_moving();
    struct swarm_node *first = swarm_reservation_node(scene.action.reservation);
    swarm_reservation_abort(scene.action.reservation);
    assert_int_equal(swarm_rescheduler_unanswered(scene.rescheduler, 0, scene.action.id, "no answer", NULL), 0);
    assert_int_equal(swarm_node_set_availability(first, SWARM_AVAILABILITY_PAUSED, NULL), 0);
    assert_int_equal(swarm_rescheduler_advance(scene.rescheduler, 1000, NULL), 0);
    assert_int_equal(swarm_rescheduler_next(scene.rescheduler, &scene.action, NULL), 1);
    assert_int_equal(swarm_reservation_commit(scene.action.reservation, "c0-again", &scene.made, NULL), 0);
    assert_int_equal(swarm_container_set_state(scene.made, SWARM_CONTAINER_RUNNING, NULL), 0);
    assert_int_equal(swarm_rescheduler_moved(scene.rescheduler, 1000, scene.action.id, scene.made, NULL), 0);
    scene.c0 = put(first, "late", "name=first cpus=1 label=app=x port=80 swarmid=s0 image=app:1 ");
}
