/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds the library from JSON: reads placement problems from standard input, one JSON object a line, and writes one
 * JSON line for each: "name", and either "node", "candidates", "best" and "soft_dropped", or "error" with the whole
 * text.
 *
 * A problem has "name", "strategy", "filters", "nodes" (each with "id", "name", "addr", "total_cpus", "total_memory",
 * "health_indicator", "labels", "images", "containers"), "create" (a Docker create body) and, if ties are to be broken
 * otherwise, "seed". A container has "id" (empty: its place is taken, it is being created), "name", "create" and
 * "bound_ports" ("80/tcp=127.0.0.1:8080").
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <swarm/swarm.h>

#define MOST_PORTS 1024
#define MOST_LABELS 1024
#define MOST_FILTERS 64

static const char *text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int invalid(void)
{
    return SWARM_ERR_INVALID;
}

static int read_request(json_t *create, struct swarm_request **ret_request, struct swarm_error **reterr)
{
    char *json = json_dumps(create, JSON_COMPACT);
    if (!json)
        return invalid();
    int code = swarm_request_from_create(ret_request, json, strlen(json), reterr);
    free(json);
    return code;
}

/* "80/tcp=::1:8080": the host's address may have colons itself. */
static int set_bound_ports(struct swarm_container *container, json_t *list, struct swarm_error **reterr)
{
    struct swarm_bound_port ports[MOST_PORTS];
    char *copies[MOST_PORTS];
    size_t count = 0, index;
    json_t *item;
    json_array_foreach (list, index, item) {
        const char *binding = json_string_value(item);
        binding = binding ? strchr(binding, '=') : NULL;
        char *copy = binding && count < MOST_PORTS ? strdup(binding + 1) : NULL;
        char *colon = copy ? strrchr(copy, ':') : NULL;
        if (!colon) {
            free(copy);
            continue;
        }
        *colon = '\0';
        copies[count] = copy;
        ports[count++] = (struct swarm_bound_port){copy, colon + 1};
    }
    int code = swarm_container_set_bound_ports(container, ports, count, reterr);
    while (count > 0)
        free(copies[--count]);
    return code;
}

static int add_container(struct swarm_cluster *cluster, struct swarm_node *node, json_t *from,
                         struct swarm_error **reterr)
{
    struct swarm_request *request = NULL;
    int code = read_request(json_object_get(from, "create"), &request, reterr);
    if (code == 0)
        code = swarm_request_set_name(request, text_of(from, "name"), reterr);
    struct swarm_container *container = NULL;
    struct swarm_reservation *place; /* released with the cluster */
    const char *id = text_of(from, "id");
    if (code == 0 && *id)
        code = swarm_cluster_add_container(cluster, node, id, request, &container, reterr);
    else if (code == 0)
        code = swarm_cluster_reserve(cluster, node, request, &place, reterr);
    if (code == 0 && container)
        code = set_bound_ports(container, json_object_get(from, "bound_ports"), reterr);
    swarm_request_unref(request);
    return code;
}

static int set_labels(struct swarm_node *node, json_t *labels, struct swarm_error **reterr)
{
    const char *keys[MOST_LABELS], *values[MOST_LABELS], *key;
    size_t count = 0;
    json_t *value;
    json_object_foreach (labels, key, value) {
        if (count == MOST_LABELS || !json_is_string(value))
            return invalid();
        keys[count] = key;
        values[count++] = json_string_value(value);
    }
    return swarm_node_set_labels(node, keys, values, count, reterr);
}

static int read_image(json_t *from, struct swarm_image **ret_image, struct swarm_error **reterr)
{
    int code = swarm_image_new(ret_image, text_of(from, "id"), reterr);
    size_t index;
    json_t *tag;
    json_array_foreach (json_object_get(from, "repo_tags"), index, tag) {
        if (code == 0)
            code = swarm_image_add_tag(*ret_image, json_string_value(tag), reterr);
    }
    return code;
}

static int set_images(struct swarm_node *node, json_t *list, struct swarm_error **reterr)
{
    size_t count = json_array_size(list);
    struct swarm_image **images = calloc(count + 1, sizeof(*images));
    int code = images ? 0 : SWARM_ERR_NOMEM;
    for (size_t i = 0; i < count && code == 0; i++)
        code = read_image(json_array_get(list, i), &images[i], reterr);
    if (code == 0)
        code = swarm_node_set_images(node, (const struct swarm_image *const *)images, count, reterr);
    for (size_t i = 0; i < count && images; i++)
        swarm_image_free(images[i]);
    free(images);
    return code;
}

static int add_node(struct swarm_cluster *cluster, json_t *from, struct swarm_error **reterr)
{
    struct swarm_node *node = NULL;
    int64_t cpus = json_integer_value(json_object_get(from, "total_cpus"));
    int64_t memory = json_integer_value(json_object_get(from, "total_memory"));
    json_t *health = json_object_get(from, "health_indicator");
    int code = swarm_cluster_add_node(cluster, text_of(from, "id"), text_of(from, "name"), text_of(from, "addr"), &node,
                                      reterr);
    if (code == 0)
        code = cpus > INT64_MAX / 1000 ? invalid() : swarm_node_set_capacity(node, cpus * 1000, memory, reterr);
    if (code == 0)
        code = swarm_node_set_health(node, health ? (int)json_integer_value(health) : 100, reterr);
    if (code == 0)
        code = set_labels(node, json_object_get(from, "labels"), reterr);
    if (code == 0)
        code = set_images(node, json_object_get(from, "images"), reterr);
    json_t *containers = json_object_get(from, "containers");
    for (size_t i = 0; i < json_array_size(containers) && code == 0; i++)
        code = add_container(cluster, node, json_array_get(containers, i), reterr);
    return code;
}

static int make_scheduler(json_t *problem, struct swarm_scheduler **ret_scheduler, struct swarm_error **reterr)
{
    const char *names[MOST_FILTERS];
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    json_t *filters = json_object_get(problem, "filters");
    options.strategy = json_string_value(json_object_get(problem, "strategy"));
    options.filters = filters ? names : NULL;
    options.filter_count = json_array_size(filters);
    if (options.filter_count > MOST_FILTERS)
        return invalid();
    for (size_t i = 0; i < options.filter_count; i++)
        names[i] = json_string_value(json_array_get(filters, i));
    return swarm_scheduler_new(ret_scheduler, &options, reterr);
}

static json_t *node_ids(const struct swarm_decision *decision, size_t count,
                        struct swarm_node *(*at)(const struct swarm_decision *, size_t))
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(swarm_node_id(at(decision, i))));
    return list;
}

static int solve(json_t *problem, struct swarm_cluster *cluster, json_t *answer, struct swarm_error **reterr)
{
    struct swarm_scheduler *scheduler = NULL;
    struct swarm_request *request = NULL;
    struct swarm_decision *decision = NULL;
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    options.seed = (uint64_t)json_integer_value(json_object_get(problem, "seed"));
    json_t *nodes = json_object_get(problem, "nodes");
    int code = make_scheduler(problem, &scheduler, reterr);
    for (size_t i = 0; i < json_array_size(nodes) && code == 0; i++)
        code = add_node(cluster, json_array_get(nodes, i), reterr);
    if (code == 0)
        code = read_request(json_object_get(problem, "create"), &request, reterr);
    if (code == 0)
        code = swarm_scheduler_plan(scheduler, cluster, request, &options, &decision, reterr);
    if (code == 0) {
        size_t candidates = swarm_decision_candidate_count(decision), best = swarm_decision_best_count(decision);
        json_object_set_new(answer, "node", json_string(swarm_node_id(swarm_decision_node(decision))));
        json_object_set_new(answer, "candidates", node_ids(decision, candidates, swarm_decision_candidate));
        json_object_set_new(answer, "best", node_ids(decision, best, swarm_decision_best));
        json_object_set_new(answer, "soft_dropped", json_boolean(swarm_decision_soft_dropped(decision)));
    }
    swarm_decision_free(decision);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
    return code;
}

static void answer_line(const char *line, size_t length)
{
    json_t *problem = json_loadb(line, length, 0, NULL);
    json_t *answer = json_object();
    json_object_set_new(answer, "name", json_string(text_of(problem, "name")));
    struct swarm_cluster *cluster = NULL;
    struct swarm_error *error = NULL;
    int code = json_is_object(problem) ? swarm_cluster_new(&cluster, &error) : SWARM_ERR_PARSE;
    if (code == 0)
        code = solve(problem, cluster, answer, &error);
    if (code != 0)
        json_object_set_new(answer, "error", json_string(error ? swarm_error_message(error) : swarm_strerror(code)));
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
