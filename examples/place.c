/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds the library from JSON: reads placement problems, one JSON object a line, and writes a JSON line for each:
 * "name", and either "node", "candidates", "best" and "soft_dropped", or "error" with the whole text.
 *
 * A problem has "name", "strategy", "filters", "nodes" ("id", "name", "addr", "total_cpus", "total_memory",
 * "health_indicator", "labels", "images", "containers"), "create" (a Docker create body) and, if ties are to be broken
 * otherwise, "seed". A container has "id" (empty: none yet), "name", "create", "bound_ports" ("80/tcp=127.0.0.1:8080").
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <swarm/swarm.h>

#define MOST 1024 /* of anything that a node, a container or a scheduler has */
#define INTEGER(object, key) json_integer_value(json_object_get(object, key))
#define REFUSE(what) swarm_error_new(reterr, SWARM_ERR_INVALID, "the problem has %s", what)

static const char *text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int read_request(json_t *create, struct swarm_request **ret_request, struct swarm_error **reterr)
{
    char *json = json_dumps(create, JSON_COMPACT);
    if (!json)
        return REFUSE("a container without \"create\"");
    int failed = swarm_request_from_create(ret_request, json, strlen(json), reterr);
    free(json);
    return failed;
}

/* "80/tcp=::1:8080": the host's address may have colons itself. */
static int set_bound_ports(struct swarm_container *container, json_t *list, struct swarm_error **reterr)
{
    struct swarm_bound_port ports[MOST];
    char texts[MOST][64];
    size_t count;
    json_t *item;
    json_array_foreach (list, count, item) {
        const char *binding = json_string_value(item), *ip = binding ? strchr(binding, '=') : NULL;
        char *colon = ip && count < MOST && strlen(ip) < 64 ? strrchr(strcpy(texts[count], ip + 1), ':') : NULL;
        if (!colon)
            return REFUSE("a bound port that is none, or more than there is room for");
        *colon = '\0';
        ports[count] = (struct swarm_bound_port){texts[count], colon + 1};
    }
    return swarm_container_set_bound_ports(container, ports, count, reterr);
}

static int add_container(struct swarm_cluster *cluster, struct swarm_node *node, json_t *from,
                         struct swarm_error **reterr)
{
    struct swarm_request *request = NULL;
    struct swarm_container *container;
    struct swarm_reservation *place; /* released with the cluster */
    const char *id = text_of(from, "id");
    int failed = read_request(json_object_get(from, "create"), &request, reterr) ||
                 swarm_request_set_name(request, text_of(from, "name"), reterr);
    if (!failed && *id)
        failed = swarm_cluster_add_container(cluster, node, id, request, &container, reterr) ||
                 set_bound_ports(container, json_object_get(from, "bound_ports"), reterr);
    else if (!failed)
        failed = swarm_cluster_reserve(cluster, node, request, &place, reterr);
    swarm_request_unref(request);
    return failed;
}

static int set_labels(struct swarm_node *node, json_t *labels, struct swarm_error **reterr)
{
    const char *keys[MOST], *values[MOST], *key;
    size_t count = 0;
    json_t *value;
    json_object_foreach (labels, key, value) {
        if (count == MOST || !json_is_string(value))
            return REFUSE("a label that is no text, or more than there is room for");
        keys[count] = key;
        values[count++] = json_string_value(value);
    }
    return swarm_node_set_labels(node, keys, values, count, reterr);
}

static int set_images(struct swarm_node *node, json_t *list, struct swarm_error **reterr)
{
    struct swarm_image *images[MOST] = {NULL};
    size_t count = json_array_size(list), index;
    json_t *tag;
    int failed = count > MOST ? REFUSE("more images than there is room for") : 0;
    for (size_t i = 0; i < count && !failed; i++) {
        json_t *from = json_array_get(list, i);
        failed = swarm_image_new(&images[i], text_of(from, "id"), reterr);
        json_array_foreach (json_object_get(from, "repo_tags"), index, tag)
            failed = failed || swarm_image_add_tag(images[i], json_string_value(tag), reterr);
    }
    failed = failed || swarm_node_set_images(node, (const struct swarm_image *const *)images, count, reterr);
    for (size_t i = 0; i < MOST; i++)
        swarm_image_free(images[i]);
    return failed;
}

static int add_node(struct swarm_cluster *cluster, json_t *from, struct swarm_error **reterr)
{
    struct swarm_node *node = NULL;
    int64_t cpus = INTEGER(from, "total_cpus");
    json_t *health = json_object_get(from, "health_indicator"), *containers = json_object_get(from, "containers");
    if (cpus > INT64_MAX / 1000)
        return REFUSE("a node with too many CPUs");
    int failed = swarm_cluster_add_node(cluster, text_of(from, "id"), text_of(from, "name"), text_of(from, "addr"),
                                        &node, reterr) ||
                 swarm_node_set_capacity(node, cpus * 1000, INTEGER(from, "total_memory"), reterr) ||
                 swarm_node_set_health(node, health ? (int)json_integer_value(health) : 100, reterr) ||
                 set_labels(node, json_object_get(from, "labels"), reterr) ||
                 set_images(node, json_object_get(from, "images"), reterr);
    for (size_t i = 0; i < json_array_size(containers) && !failed; i++)
        failed = add_container(cluster, node, json_array_get(containers, i), reterr);
    return failed;
}

static int make_scheduler(json_t *problem, struct swarm_scheduler **ret_scheduler, struct swarm_error **reterr)
{
    const char *names[MOST];
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    json_t *filters = json_object_get(problem, "filters");
    options.strategy = json_string_value(json_object_get(problem, "strategy"));
    options.filters = filters ? names : NULL;
    options.filter_count = json_array_size(filters);
    if (options.filter_count > MOST)
        return REFUSE("more filters than there is room for");
    for (size_t i = 0; i < options.filter_count; i++)
        names[i] = json_string_value(json_array_get(filters, i));
    return swarm_scheduler_new(ret_scheduler, &options, reterr);
}

static void put_node_ids(json_t *answer, const char *key, const struct swarm_decision *decision,
                         struct swarm_node *(*at)(const struct swarm_decision *, size_t))
{
    json_t *list = json_array();
    for (size_t i = 0; at(decision, i); i++)
        json_array_append_new(list, json_string(swarm_node_id(at(decision, i))));
    json_object_set_new(answer, key, list);
}

static int solve(json_t *problem, struct swarm_cluster *cluster, json_t *answer, struct swarm_error **reterr)
{
    struct swarm_scheduler *scheduler = NULL;
    struct swarm_request *request = NULL;
    struct swarm_decision *decision = NULL;
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    options.seed = (uint64_t)INTEGER(problem, "seed");
    int failed = make_scheduler(problem, &scheduler, reterr);
    for (size_t i = 0; i < json_array_size(json_object_get(problem, "nodes")) && !failed; i++)
        failed = add_node(cluster, json_array_get(json_object_get(problem, "nodes"), i), reterr);
    failed = failed || read_request(json_object_get(problem, "create"), &request, reterr) ||
             swarm_scheduler_plan(scheduler, cluster, request, &options, &decision, reterr);
    if (!failed) {
        json_object_set_new(answer, "node", json_string(swarm_node_id(swarm_decision_node(decision))));
        put_node_ids(answer, "candidates", decision, swarm_decision_candidate);
        put_node_ids(answer, "best", decision, swarm_decision_best);
        json_object_set_new(answer, "soft_dropped", json_boolean(swarm_decision_soft_dropped(decision)));
    }
    swarm_decision_free(decision);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
    return failed;
}

static void answer_line(const char *line, size_t length)
{
    json_t *problem = json_loadb(line, length, 0, NULL);
    json_t *answer = json_pack("{s:s}", "name", text_of(problem, "name"));
    struct swarm_cluster *cluster = NULL;
    struct swarm_error *error = NULL;
    if (!json_is_object(problem))
        swarm_error_new(&error, SWARM_ERR_PARSE, NULL);
    else if (!swarm_cluster_new(&cluster, &error))
        solve(problem, cluster, answer, &error);
    if (error)
        json_object_set_new(answer, "error", json_string(swarm_error_message(error)));
    json_dumpf(answer, stdout, JSON_COMPACT);
    putchar('\n');
    swarm_error_free(error);
    swarm_cluster_free(cluster);
    json_decref(answer);
    json_decref(problem);
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    for (ssize_t length; (length = getline(&line, &capacity, stdin)) > 0;)
        answer_line(line, (size_t)length);
    free(line);
    return ferror(stdin) || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
