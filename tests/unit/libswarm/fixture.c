/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "request.h"

#include <stdio.h>
#include <stdlib.h>

#include "cluster.h"
#include "container.h"
#include "request.h"

static char answer[8192];

struct swarm_cluster *new_cluster(void)
{
    struct swarm_cluster *cluster = NULL;
    assert_int_equal(swarm_cluster_new(&cluster, NULL), 0);
    return cluster;
}

struct swarm_node *add_node(struct swarm_cluster *cluster, const char *id, const char *name)
{
    struct swarm_node *node = NULL;
    assert_int_equal(swarm_cluster_add_node(cluster, id, name, "", &node, NULL), 0);
    return node;
}

struct swarm_node *add_sized_node(struct swarm_cluster *cluster, const char *id, int64_t cpus, int64_t memory_gib)
{
    struct swarm_node *node = add_node(cluster, id, id);
    assert_int_equal(swarm_node_set_capacity(node, cpus * 1000, memory_gib * GIB, NULL), 0);
    return node;
}

/* Split at blanks; the parts point into the text, which is changed. */
static size_t split(char *text, char **parts, size_t most)
{
    size_t count = 0;
    char *rest = NULL;
    for (char *part = strtok_r(text, " ", &rest); part; part = strtok_r(NULL, " ", &rest)) {
        assert_true(count < most);
        parts[count++] = part;
    }
    return count;
}

void label_node(struct swarm_node *node, const char *labels)
{
    char *copy = strdup(labels), *parts[32];
    const char *keys[32], *values[32];
    size_t count = split(copy, parts, COUNT(parts));
    for (size_t i = 0; i < count; i++) {
        char *sign = strchr(parts[i], '=');
        assert_non_null(sign);
        *sign = '\0';
        keys[i] = parts[i];
        values[i] = sign + 1;
    }
    assert_int_equal(swarm_node_set_labels(node, keys, values, count, NULL), 0);
    free(copy);
}

void add_image_to(struct swarm_node *node, const char *id, const char *references)
{
    char *copy = strdup(references), *parts[32];
    size_t count = split(copy, parts, COUNT(parts));
    struct swarm_image *image = NULL;
    assert_int_equal(swarm_image_new(&image, id, NULL), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(swarm_image_add_tag(image, parts[i], NULL), 0);
    assert_int_equal(swarm_node_set_images(node, (const struct swarm_image *const *)&image, 1, NULL), 0);
    swarm_image_free(image);
    free(copy);
}

static int set_port(struct swarm_request *request, char *value)
{
    char *colon = strrchr(value, ':');
    if (colon)
        *colon = '\0';
    return swarm_request_add_port(request, "80/tcp", colon ? value : "", colon ? colon + 1 : value, NULL);
}

static int set_label(struct swarm_request *request, char *value)
{
    char *sign = strchr(value, '=');
    assert_non_null(sign);
    *sign = '\0';
    return swarm_request_set_label(request, value, sign + 1, NULL);
}

static int set_resource(struct swarm_request *request, char *value)
{
    char *sign = strchr(value, ':');
    assert_non_null(sign);
    *sign = '\0';
    return swarm_request_set_resource(request, value, atoll(sign + 1), NULL);
}

static int set_word(struct swarm_request *request, const char *key, char *value)
{
    if (strcmp(key, "cpus") == 0)
        return swarm_request_set_cpus_milli(request, atoll(value) * 1000, NULL);
    if (strcmp(key, "memory") == 0)
        return swarm_request_set_memory(request, atoll(value) * GIB, NULL);
    if (strcmp(key, "port") == 0)
        return set_port(request, value);
    if (strcmp(key, "label") == 0)
        return set_label(request, value);
    if (strcmp(key, "resource") == 0)
        return set_resource(request, value);
    if (strcmp(key, "kept") == 0) /* a constraint as a container made elsewhere may have it */
        return swarm__request_keep_constraint(request, value, strlen(value));
    static const struct {
        const char *key;
        int (*set)(struct swarm_request *request, const char *value, struct swarm_error **reterr);
    } setters[] = {
        {"name", swarm_request_set_name},
        {"constraint", swarm_request_add_constraint},
        {"affinity", swarm_request_add_affinity},
        {"whitelist", swarm_request_add_whitelist},
        {"expose", swarm_request_add_exposed_port},
        {"net", swarm_request_set_network_mode},
        {"volumes", swarm_request_add_volumes_from},
        {"keptvolumes", swarm__request_keep_volumes_from}, /* as an engine may report them */
        {"link", swarm_request_add_link},
        {"swarmid", swarm_request_set_swarm_id},
    };
    for (size_t i = 0; i < COUNT(setters); i++)
        if (strcmp(key, setters[i].key) == 0)
            return setters[i].set(request, value, NULL);
    fail_msg("no such word: %s", key);
    return -1;
}

struct swarm_request *request_of(const char *words)
{
    struct swarm_request *request = NULL;
    assert_int_equal(swarm_request_new(&request, NULL), 0);
    char *copy = strdup(words), *parts[32];
    size_t count = split(copy, parts, COUNT(parts));
    for (size_t i = 0; i < count; i++) {
        char *sign = strchr(parts[i], '=');
        assert_non_null(sign);
        *sign = '\0';
        assert_int_equal(set_word(request, parts[i], sign + 1), 0);
    }
    free(copy);
    return request;
}

struct swarm_container *add_container(struct swarm_node *node, const char *id, const char *words)
{
    struct swarm_request *request = request_of(words);
    struct swarm_container *container = NULL;
    assert_int_equal(swarm_cluster_add_container(node->cluster, node, id, request, &container, NULL), 0);
    swarm_request_unref(request);
    return container;
}

struct swarm_reservation *take_place(struct swarm_node *node, const char *words)
{
    struct swarm_request *request = request_of(words);
    struct swarm_reservation *reservation = NULL;
    assert_int_equal(swarm_cluster_reserve(node->cluster, node, request, &reservation, NULL), 0);
    swarm_request_unref(request);
    return reservation;
}

struct swarm_scheduler *new_scheduler(const char *strategy, const char *filters)
{
    char *copy = filters ? strdup(filters) : NULL, *parts[32];
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    options.strategy = strategy;
    if (copy) {
        options.filter_count = split(copy, parts, COUNT(parts));
        options.filters = (const char *const *)parts;
    }
    struct swarm_scheduler *scheduler = NULL;
    assert_int_equal(swarm_scheduler_new(&scheduler, &options, NULL), 0);
    free(copy);
    return scheduler;
}

static const char *error_answer(struct swarm_error *error)
{
    assert_non_null(error);
    snprintf(answer, sizeof(answer), "error: %s", swarm_error_message(error));
    swarm_error_free(error);
    return answer;
}

const char *left_by(const struct swarm_cluster *cluster, const char *filters, const char *words)
{
    struct swarm_scheduler *scheduler = new_scheduler("random", filters);
    struct swarm_request *request = request_of(words);
    struct swarm_decision *decision = NULL;
    struct swarm_error *error = NULL;
    if (swarm_scheduler_plan(scheduler, cluster, request, NULL, &decision, &error) != 0) {
        error_answer(error);
    } else {
        answer[0] = '\0';
        for (size_t i = 0; i < swarm_decision_candidate_count(decision); i++) {
            strcat(answer, i ? " " : "");
            strcat(answer, swarm_node_id(swarm_decision_candidate(decision, i)));
        }
    }
    swarm_decision_free(decision);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
    return answer;
}

const char *planned(const struct swarm_cluster *cluster, const char *strategy, const char *words, uint64_t seed)
{
    struct swarm_scheduler *scheduler = new_scheduler(strategy, NULL);
    struct swarm_request *request = request_of(words);
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    options.seed = seed;
    struct swarm_decision *decision = NULL;
    struct swarm_error *error = NULL;
    if (swarm_scheduler_plan(scheduler, cluster, request, &options, &decision, &error) != 0)
        error_answer(error);
    else
        snprintf(answer, sizeof(answer), "%s", swarm_node_id(swarm_decision_node(decision)));
    swarm_decision_free(decision);
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
    return answer;
}

const char *placed(struct swarm_cluster *cluster, const char *strategy, const char *id, const char *words)
{
    struct swarm_scheduler *scheduler = new_scheduler(strategy, NULL);
    struct swarm_request *request = request_of(words);
    struct swarm_reservation *place = NULL;
    struct swarm_container *container = NULL;
    struct swarm_error *error = NULL;
    if (swarm_scheduler_place(scheduler, cluster, request, NULL, &place, &error) != 0) {
        error_answer(error);
    } else {
        assert_int_equal(swarm_reservation_commit(place, id, &container, NULL), 0);
        snprintf(answer, sizeof(answer), "%s", swarm_node_id(swarm_container_node(container)));
    }
    swarm_request_unref(request);
    swarm_scheduler_free(scheduler);
    return answer;
}

const char *looked_up(const struct swarm_cluster *cluster, const char *reference)
{
    struct swarm_container *container = NULL;
    struct swarm_error *error = NULL;
    if (swarm_cluster_look_up(cluster, reference, &container, &error) != 0)
        return error_answer(error);
    snprintf(answer, sizeof(answer), "%s", swarm_container_id(container));
    return answer;
}

static void write_containers(FILE *out, const struct swarm_container *at)
{
    for (; at; at = at->next) {
        fprintf(out, "  %s swarm=%s state=%d", swarm_container_id(at), swarm_container_swarm_id(at), at->state);
        for (const struct swarm__name *name = at->names; name; name = name->next)
            fprintf(out, " name=%s", name->text);
        for (uint32_t i = 0; i < at->bound_count; i++)
            fprintf(out, " bound=%s:%s", at->bound[i].host_ip, at->bound[i].host_port);
        fprintf(out, " cpus=%lld\n", (long long)swarm_request_cpus_milli(at->request));
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void write_posting(FILE *out, const struct swarm__posting *posting)
{
    struct swarm__tally tally;
    for (uint32_t at = 0; swarm__posting_next(posting, &at, &tally);)
        fprintf(out, " %u*%u", tally.slot, tally.count);
}

/* Sorted, since a map walks in an order of its own. */
static void write_index(FILE *out, const char *title, const struct swarm__index *index)
{
    char *lines[512];
    size_t count = 0, position = 0;
    for (struct swarm__map_item *key; (key = swarm__map_next(&index->keys, &position));) {
        size_t inner = 0;
        const struct swarm__index_key *values = (const struct swarm__index_key *)key;
        for (struct swarm__map_item *value; (value = swarm__map_next(&values->values, &inner));) {
            size_t size;
            assert_true(count < COUNT(lines));
            FILE *line = open_memstream(&lines[count++], &size);
            fprintf(line, "%s %s=%s:", title, key->key, value->key);
            write_posting(line, &((const struct swarm__index_value *)value)->nodes);
            fprintf(line, " of");
            write_posting(line, &values->nodes);
            fclose(line);
        }
    }
    qsort(lines, count, sizeof(lines[0]), by_text);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s\n", lines[i]);
        free(lines[i]);
    }
}

static void write_node(FILE *out, const struct swarm_node *node)
{
    const struct swarm__slot *slot = swarm__node_slot(node);
    fprintf(out, "%s %s %s %lld/%lld %lld/%lld %u limit=%lld health=%u av=%u images=%zu\n", node->id, node->name->text,
            node->address, (long long)slot->used_cpus, (long long)slot->total_cpus, (long long)slot->used_memory,
            (long long)slot->total_memory, slot->containers, (long long)slot->open_limit, slot->health,
            slot->availability, node->image_count);
    for (size_t i = 0; i < node->label_count; i++)
        fprintf(out, " %s=%s\n", node->labels[i].key, node->labels[i].value);
    const char *name;
    int64_t total, used;
    for (size_t i = 0; swarm_node_resource_at(node, i, &name, &total, &used); i++)
        fprintf(out, " %s %lld/%lld\n", name, (long long)used, (long long)total);
    write_containers(out, node->containers.first);
    fprintf(out, " pending\n");
    write_containers(out, node->pending.first);
}

char *state_of(const struct swarm_cluster *cluster)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    fprintf(out, "generation %llu nodes %zu containers %zu names %u ids %u\n", (unsigned long long)cluster->generation,
            cluster->node_count, cluster->container_count, cluster->container_names.count, cluster->node_ids.count);
    for (const struct swarm_node *node = cluster->first_node; node; node = node->next)
        write_node(out, node);
    write_index(out, "node label", &cluster->node_labels);
    write_index(out, "label", &cluster->container_labels);
    write_index(out, "image", &cluster->images);
    write_index(out, "port", &cluster->ports);
    write_index(out, "exposed", &cluster->host_exposed);
    fclose(out);
    return text;
}
