/* SPDX-License-Identifier: Apache-2.0 */
#include "info_node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager.h"
#include "options.h"
#include "watchdog.h"

static void free_node(struct info_node *node)
{
    free(node->name);
    free(node->address);
    free(node->id);
    free(node->error);
    free(node->server_version);
    free(node->labels);
    free(node->rescheduling);
    json_decref(node->info);
    json_decref(node->images);
}

void info_nodes_free(struct info_node *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free_node(&nodes[i]);
    free(nodes);
}

static void count_containers(struct info_node *ret, const struct swarm_node *node)
{
    const struct swarm_container *container = NULL;

    while ((container = swarm_node_next_container(node, container)) != NULL) {
        const struct container_record *record = container_record(container);

        if (record == NULL)
            continue;
        if (record->paused)
            ret->paused++;
        else if (record->running)
            ret->running++;
        else
            ret->stopped++;
    }
}

/* The labels as one text; NULL for lack of memory. */
static char *join_labels(const struct swarm_node *node)
{
    const char *key, *value;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL)
        return NULL;
    for (size_t i = 0; swarm_node_label_at(node, i, &key, &value); i++)
        fprintf(out, "%s%s=%s", i == 0 ? "" : ", ", key, value);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static int take_node(struct info_node *ret, const struct pool *pool, const struct engine *engine)
{
    ret->state = engine->state;
    ret->unannounced = engine->unannounced;
    ret->drop_ms = engine->drop_ms;
    ret->updated_at = engine->updated_at;
    ret->name = strdup(engine->name == NULL ? "(unknown)" : engine->name);
    ret->address = strdup(engine->address);
    ret->id = strdup(engine->id == NULL ? "" : engine->id);
    ret->server_version = strdup(engine->server_version == NULL ? "" : engine->server_version);
    ret->error = engine->error == NULL || engine->error[0] == '\0' ? NULL : strdup(engine->error);
    ret->info = json_incref(engine->info);
    ret->images = json_incref(engine->images);
    if (engine->node == NULL) {
        ret->labels = strdup("");
    } else {
        count_containers(ret, engine->node);
        ret->used_cpus_milli = swarm_node_used_cpus_milli(engine->node);
        ret->total_cpus_milli = swarm_node_total_cpus_milli(engine->node);
        ret->used_memory = swarm_node_used_memory(engine->node);
        ret->total_memory = swarm_node_total_memory(engine->node);
        ret->labels = join_labels(engine->node);
        ret->rescheduling = watchdog_engine_text(pool->manager->watchdog, engine);
    }
    return ret->name == NULL || ret->address == NULL || ret->id == NULL || ret->server_version == NULL ||
                   ret->labels == NULL
               ? -1
               : 0;
}

int info_nodes_take(struct pool *pool, struct info_node **ret_nodes, size_t *ret_count)
{
    struct info_node *nodes;
    size_t count = 0;
    int r = -1;

    pool_read_lock(pool);
    nodes = calloc(pool->engine_count + 1, sizeof(nodes[0]));
    if (nodes != NULL) {
        r = 0;
        while (count < pool->engine_count && r == 0) {
            r = take_node(&nodes[count], pool, pool->engines[count]);
            count++;
        }
    }
    pool_unlock(pool);
    if (r < 0) {
        info_nodes_free(nodes, count);
        return -1;
    }
    *ret_nodes = nodes;
    *ret_count = count;
    return 0;
}

void bytes_in_words(int64_t bytes, char *buffer, size_t size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        value /= 1024;
        unit++;
    }
    snprintf(buffer, size, "%.4g %s", value, units[unit]);
}

static void add_line(json_t *lines, const char *key, json_t *value)
{
    json_array_append_new(lines, json_pack("[s, o]", key, value));
}

static json_t *containers_text(const struct info_node *node)
{
    size_t count = node->running + node->paused + node->stopped;

    if (node->state != ENGINE_HEALTHY)
        return json_sprintf("%zu", count);
    return json_sprintf("%zu (%zu Running, %zu Paused, %zu Stopped)", count, node->running, node->paused,
                        node->stopped);
}

/* Whole CPUs, as classic Swarm shows them; parts of one, which NanoCpus can reserve, with what digits they need. */
static json_t *cpus_text(const struct info_node *node)
{
    int64_t total = node->total_cpus_milli / 1000;

    if (node->used_cpus_milli % 1000 == 0)
        return json_sprintf("%" PRId64 " / %" PRId64, node->used_cpus_milli / 1000, total);
    return json_sprintf("%g / %" PRId64, (double)node->used_cpus_milli / 1000, total);
}

static json_t *memory_text(const struct info_node *node)
{
    char used[32], total[32];

    bytes_in_words(node->used_memory, used, sizeof(used));
    bytes_in_words(node->total_memory, total, sizeof(total));
    return json_sprintf("%s / %s", used, total);
}

static json_t *updated_text(const struct info_node *node)
{
    char text[32];
    struct tm utc;

    gmtime_r(&node->updated_at, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(text);
}

static json_t *unannounced_text(const struct info_node *node)
{
    int64_t left_s = (node->drop_ms - monotonic_ms() + 999) / 1000;
    char when[64];

    if (node->drop_ms < 0)
        return json_string("no engine is announced any more: this one takes no new containers, and stays");
    duration_format(when, sizeof(when), left_s > 0 ? left_s * 1000000000 : 0);
    return json_sprintf("it is not announced any more: it takes no new containers, and leaves in %s", when);
}

static void add_node(json_t *lines, const struct info_node *node)
{
    json_array_append_new(lines, json_pack("[s+, s]", " ", node->name, node->address));
    add_line(lines, "  └ ID", json_string(node->id));
    add_line(lines, "  └ Status", json_string(engine_status_text(node->state, node->unannounced)));
    add_line(lines, "  └ Containers", containers_text(node));
    add_line(lines, "  └ Reserved CPUs", cpus_text(node));
    add_line(lines, "  └ Reserved Memory", memory_text(node));
    add_line(lines, "  └ Labels", json_string(node->labels));
    if (node->error != NULL)
        add_line(lines, "  └ Error", json_string(node->error));
    else if (node->state == ENGINE_HEALTHY && node->unannounced)
        add_line(lines, "  └ Error", unannounced_text(node));
    if (node->rescheduling != NULL)
        add_line(lines, "  └ Rescheduling", json_string(node->rescheduling));
    add_line(lines, "  └ UpdatedAt", updated_text(node));
    add_line(lines, "  └ ServerVersion", json_string(node->server_version));
}

static json_t *filter_names(const struct swarm_scheduler *scheduler)
{
    char text[512] = "";
    const char *name;

    for (size_t i = 0; (name = swarm_scheduler_filter(scheduler, i)) != NULL; i++) {
        size_t length = strlen(text);

        snprintf(text + length, sizeof(text) - length, "%s%s", i == 0 ? "" : ", ", name);
    }
    return json_string(text);
}

json_t *info_status_lines(const struct swarm_scheduler *scheduler, const struct info_node *nodes, size_t count)
{
    json_t *lines = json_array();

    add_line(lines, "Strategy", json_string(swarm_scheduler_strategy(scheduler)));
    add_line(lines, "Filters", filter_names(scheduler));
    add_line(lines, "Nodes", json_sprintf("%zu", count));
    for (size_t i = 0; i < count; i++)
        add_node(lines, &nodes[i]);
    return lines;
}
