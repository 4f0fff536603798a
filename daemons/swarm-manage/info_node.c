/* SPDX-License-Identifier: Apache-2.0 */
#include "info_node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container_record.h"
#include "json_write.h"
#include "manager.h"
#include "options.h"

char *info_node_labels(const struct engine *engine)
{
    const char *key, *value;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL)
        return NULL;
    for (size_t i = 0; engine->node != NULL && swarm_node_label_at(engine->node, i, &key, &value); i++)
        fprintf(out, "%s%s=%s", i == 0 ? "" : ", ", key, value);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

void info_node_read(struct info_node *ret, const struct engine *engine)
{
    const size_t *states = engine->container_states;
    size_t count = 0;

    *ret = (struct info_node){
        .state = engine->state,
        .unannounced = engine->unannounced,
        .drop_ms = engine->drop_ms,
        .name = engine->name == NULL ? "(unknown)" : engine->name,
        .address = engine->address,
        .id = engine->id == NULL ? "" : engine->id,
        .error = engine->error == NULL || engine->error[0] == '\0' ? NULL : engine->error,
        .server_version = engine->server_version == NULL ? "" : engine->server_version,
        .updated_at = engine->updated_at,
        .info = engine->info,
    };
    if (engine->node == NULL)
        return;
    for (size_t i = 0; i < POOL_CONTAINER_STATES; i++)
        count += states[i];
    ret->paused = states[SWARM_CONTAINER_PAUSED];
    ret->running = states[SWARM_CONTAINER_RUNNING] + states[SWARM_CONTAINER_RESTARTING];
    ret->stopped = count - ret->paused - ret->running;
    ret->used_cpus_milli = swarm_node_used_cpus_milli(engine->node);
    ret->total_cpus_milli = swarm_node_total_cpus_milli(engine->node);
    ret->used_memory = swarm_node_used_memory(engine->node);
    ret->total_memory = swarm_node_total_memory(engine->node);
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

/* ["key","value"], the key given as JSON. */
static int write_pair(struct bytes *out, const char *key, const char *value)
{
    return bytes_append_text(out, ",[") < 0 || bytes_append_text(out, key) < 0 || bytes_append_text(out, ",") < 0 ||
                   json_write_string(out, value) < 0
               ? -1
               : bytes_append_text(out, "]");
}

static int write_containers(struct bytes *out, const struct info_node *node)
{
    size_t count = node->running + node->paused + node->stopped;
    char text[128];

    if (node->state != ENGINE_HEALTHY)
        snprintf(text, sizeof(text), "%zu", count);
    else
        snprintf(text, sizeof(text), "%zu (%zu Running, %zu Paused, %zu Stopped)", count, node->running, node->paused,
                 node->stopped);
    return write_pair(out, "\"  └ Containers\"", text);
}

/* Whole CPUs, as classic Swarm shows them; parts of one, which NanoCpus can reserve, with what digits they need. */
static int write_cpus(struct bytes *out, const struct info_node *node)
{
    int64_t total = node->total_cpus_milli / 1000;
    char text[64];

    if (node->used_cpus_milli % 1000 == 0)
        snprintf(text, sizeof(text), "%" PRId64 " / %" PRId64, node->used_cpus_milli / 1000, total);
    else
        snprintf(text, sizeof(text), "%g / %" PRId64, (double)node->used_cpus_milli / 1000, total);
    return write_pair(out, "\"  └ Reserved CPUs\"", text);
}

static int write_memory(struct bytes *out, const struct info_node *node)
{
    char used[32], total[32], text[72];

    bytes_in_words(node->used_memory, used, sizeof(used));
    bytes_in_words(node->total_memory, total, sizeof(total));
    snprintf(text, sizeof(text), "%s / %s", used, total);
    return write_pair(out, "\"  └ Reserved Memory\"", text);
}

static int write_updated(struct bytes *out, const struct info_node *node)
{
    char text[32];
    struct tm utc;

    gmtime_r(&node->updated_at, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    return write_pair(out, "\"  └ UpdatedAt\"", text);
}

static int write_unannounced(struct bytes *out, const struct info_node *node)
{
    int64_t left_s = (node->drop_ms - monotonic_ms() + 999) / 1000;
    char when[64], text[160];

    if (node->drop_ms < 0)
        return write_pair(out, "\"  └ Error\"",
                          "no engine is announced any more: this one takes no new containers, and stays");
    duration_format(when, sizeof(when), left_s > 0 ? left_s * 1000000000 : 0);
    snprintf(text, sizeof(text), "it is not announced any more: it takes no new containers, and leaves in %s", when);
    return write_pair(out, "\"  └ Error\"", text);
}

static int write_trouble(struct bytes *out, const struct info_node *node)
{
    int r = 0;

    if (node->error != NULL)
        r = write_pair(out, "\"  └ Error\"", node->error);
    else if (node->state == ENGINE_HEALTHY && node->unannounced)
        r = write_unannounced(out, node);
    if (r == 0 && node->rescheduling != NULL)
        r = write_pair(out, "\"  └ Rescheduling\"", node->rescheduling);
    return r;
}

static int write_name(struct bytes *out, const struct info_node *node)
{
    struct bytes name = {0};
    int r = bytes_printf(&name, " %s", node->name);

    if (r == 0)
        r = bytes_append(&name, "", 1);
    if (r == 0)
        r = bytes_append_text(out, ",[");
    if (r == 0)
        r = json_write_string(out, bytes_at(&name));
    if (r == 0)
        r = bytes_append_text(out, ",");
    if (r == 0)
        r = json_write_string(out, node->address);
    bytes_free(&name);
    return r == 0 ? bytes_append_text(out, "]") : -1;
}

int info_node_write(struct bytes *out, const struct info_node *node)
{
    if (write_name(out, node) < 0 || write_pair(out, "\"  └ ID\"", node->id) < 0 ||
        write_pair(out, "\"  └ Status\"", engine_status_text(node->state, node->unannounced)) < 0 ||
        write_containers(out, node) < 0 || write_cpus(out, node) < 0 || write_memory(out, node) < 0 ||
        write_pair(out, "\"  └ Labels\"", node->labels) < 0 || write_trouble(out, node) < 0 ||
        write_updated(out, node) < 0)
        return -1;
    return write_pair(out, "\"  └ ServerVersion\"", node->server_version);
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

json_t *info_status_lines(const struct swarm_scheduler *scheduler, size_t count)
{
    return json_pack("[[s, s], [s, o], [s, o]]", "Strategy", swarm_scheduler_strategy(scheduler), "Filters",
                     filter_names(scheduler), "Nodes", json_sprintf("%zu", count));
}
