/* SPDX-License-Identifier: Apache-2.0 */
#include "container_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container_entry.h"
#include "json_read.h"
#include "saturate.h"
#include "timestamp.h"

void container_record_free(struct container_record *record)
{
    if (record) {
        free(record->head);
        free(record->tail);
        container_uses_clear(&record->uses);
        free(record->inspect);
        free(record->move_trouble);
        free(record);
    }
}

void container_report_clear(struct container_report *report)
{
    free(report->id);
    free(report->names);
    free(report->head);
    free(report->tail);
    container_uses_clear(&report->uses);
    free(report->ports);
    free(report->inspect);
    swarm_request_unref(report->request);
    json_decref(report->entry);
    json_decref(report->root);
    memset(report, 0, sizeof(*report));
}

/* The container's own name has no slash within; the others are aliases of links ("db/alias"). */
static int take_names(struct container_report *report, json_t *entry)
{
    json_t *names = json_object_get(entry, "Names"), *item;
    size_t index, capacity = json_array_size(names);

    report->names = calloc(capacity ? capacity : 1, sizeof(*report->names));
    if (!report->names) {
        return -1;
    }
    json_array_foreach (names, index, item) {
        const char *name = json_string_value(item);

        if (!name) {
            continue;
        }
        name += *name == '/';
        report->names[report->name_count++] = name;
        if (!strchr(name, '/')) {
            report->names[report->name_count - 1] = report->names[0];
            report->names[0] = name;
        }
    }
    return 0;
}

int container_report_from_entry(struct container_report *report, json_t *entry, json_t *labels,
                                const struct entry_context *context)
{
    const char *id = json_string_value(json_object_get(entry, "Id"));

    memset(report, 0, sizeof(*report));
    if (!id || !*id) {
        return -1;
    }
    report->entry = json_incref(entry);
    report->state = json_string_value(json_object_get(entry, "State"));
    report->entry_minor = container_entry_minor(entry);
    report->id = strdup(id);
    if (!report->id || take_names(report, entry) ||
        container_entry_render(entry, labels, context, &report->head, &report->tail) ||
        container_uses_read(&report->uses, entry, report->name_count ? report->names[0] : "")) {
        container_report_clear(report);
        return -1;
    }
    return 0;
}

/* 0 for what is missing, malformed, or never was. */
static int64_t time_of(const json_t *object, const char *key, int64_t delta_ms)
{
    const char *text = json_string_value(json_object_get(object, key));
    int64_t ns;

    if (!text || timestamp_parse(text, &ns) || !ns) {
        return 0;
    }
    return saturating_add(ns, delta_ms * 1000000);
}

static void take_health(struct container_record *facts, const json_t *state)
{
    static const char *const known[] = {"starting", "healthy", "unhealthy"};
    const char *health = json_string_value(json_object_get(json_object_get(state, "Health"), "Status"));

    strcpy(facts->health, "none");
    for (size_t i = 0; health && i < sizeof(known) / sizeof(*known); i++) {
        if (!strcmp(health, known[i])) {
            strcpy(facts->health, known[i]);
        }
    }
}

static void take_state(struct container_record *facts, const json_t *root, int64_t delta_ms)
{
    const json_t *state = json_object_get(root, "State");
    const char *word = json_string_value(json_object_get(state, "Status"));

    facts->running = json_is_true(json_object_get(state, "Running"));
    facts->paused = json_is_true(json_object_get(state, "Paused"));
    facts->restarting = json_is_true(json_object_get(state, "Restarting"));
    facts->dead = json_is_true(json_object_get(state, "Dead"));
    facts->removing = word && !strcmp(word, "removing");
    facts->exit_code = (int)json_integer_value(json_object_get(state, "ExitCode"));
    facts->created_ns = time_of(root, "Created", delta_ms);
    facts->started_ns = time_of(state, "StartedAt", delta_ms);
    facts->finished_ns = time_of(state, "FinishedAt", delta_ms);
    take_health(facts, state);
}

static size_t count_bindings(json_t *ports)
{
    const char *key;
    json_t *bindings;
    size_t count = 0;

    json_object_foreach (ports, key, bindings) {
        count += json_array_size(bindings);
    }
    return count;
}

static int take_ports(struct container_report *report)
{
    json_t *ports = json_object_get(json_object_get(report->root, "NetworkSettings"), "Ports"), *bindings, *binding;
    const char *key;
    size_t index, count = count_bindings(ports);

    if (!count) {
        return 0;
    }
    report->ports = calloc(count, sizeof(*report->ports));
    if (!report->ports) {
        return -1;
    }
    json_object_foreach (ports, key, bindings) {
        json_array_foreach (bindings, index, binding) {
            const char *ip = json_string_value(json_object_get(binding, "HostIp"));
            const char *port = json_string_value(json_object_get(binding, "HostPort"));

            if (port && *port) {
                report->ports[report->port_count].host_ip = ip ? ip : "";
                report->ports[report->port_count++].host_port = port;
            }
        }
    }
    return 0;
}

/* Only who may have to be made again elsewhere is kept whole. */
static int keep_inspect(struct container_report *report, const char *inspect, size_t length)
{
    if (swarm_request_reschedule_policy(report->request) != SWARM_RESCHEDULE_ON_NODE_FAILURE) {
        return 0;
    }
    report->inspect = malloc(length + 1);
    if (!report->inspect) {
        return -1;
    }
    memcpy(report->inspect, inspect, length);
    report->inspect[length] = '\0';
    report->inspect_length = length;
    return 0;
}

static int fail(struct container_report *report, char **reterr, const char *what, const char *why)
{
    if (asprintf(reterr, "%s%s%s", what, why ? ": " : "", why ? why : "") < 0) {
        *reterr = NULL;
    }
    container_report_clear(report);
    return -1;
}

/* An engine's list lags behind its inspect: a container that has just ended still runs there. The entry with the state
 * that the inspect answer tells. New reference. */
static json_t *with_state_of(json_t *entry, const json_t *root)
{
    json_t *word = json_object_get(json_object_get(root, "State"), "Status"), *copy;

    if (!json_is_string(word) || !json_object_get(entry, "State")) {
        return json_incref(entry);
    }
    copy = json_copy(entry);
    json_object_set(copy, "State", word);
    return copy;
}

int container_report_from_inspect(struct container_report *report, json_t *entry, const char *inspect, size_t length,
                                  const struct entry_context *context, char **reterr)
{
    struct swarm_error *error = NULL;
    json_error_t parse_error;
    json_t *root = json_read(inspect, length, JSON_ALLOW_NUL, &parse_error);
    json_t *labels = json_object_get(json_object_get(root, "Config"), "Labels");
    int result;

    memset(report, 0, sizeof(*report));
    if (!json_is_object(root)) {
        json_decref(root);
        return fail(report, reterr, "the engine's inspect answer is no JSON object", root ? NULL : parse_error.text);
    }
    entry = with_state_of(entry, root);
    result = container_report_from_entry(report, entry, json_is_object(labels) ? labels : NULL, context);
    json_decref(entry);
    if (result) {
        json_decref(root);
        return fail(report, reterr, "the engine's list entry has no Id, or out of memory", NULL);
    }
    report->root = root;
    if (swarm_request_from_inspect_as(&report->request, inspect, length, context->cpus, context->cpu_shares, &error)) {
        fail(report, reterr, "the engine's inspect answer", swarm_error_message(error));
        swarm_error_free(error);
        return -1;
    }
    take_state(&report->facts, root, context->clock_delta_ms);
    if (take_ports(report) || keep_inspect(report, inspect, length)) {
        return fail(report, reterr, "out of memory", NULL);
    }
    return 0;
}

int container_record_state(const struct container_record *record)
{
    if (record->running) {
        return record->paused       ? SWARM_CONTAINER_PAUSED
               : record->restarting ? SWARM_CONTAINER_RESTARTING
                                    : SWARM_CONTAINER_RUNNING;
    }
    if (record->dead) {
        return SWARM_CONTAINER_DEAD;
    }
    return record->started_ns ? SWARM_CONTAINER_EXITED : SWARM_CONTAINER_CREATED;
}

int container_record_shown_state(const struct container_record *record)
{
    return !record->running && record->removing ? CONTAINER_REMOVING : container_record_state(record);
}

const char *container_state_word(int shown_state)
{
    static const char *const texts[CONTAINER_STATES] = {
        [SWARM_CONTAINER_CREATED] = "created", [SWARM_CONTAINER_RUNNING] = "running",
        [SWARM_CONTAINER_PAUSED] = "paused",   [SWARM_CONTAINER_RESTARTING] = "restarting",
        [SWARM_CONTAINER_EXITED] = "exited",   [SWARM_CONTAINER_DEAD] = "dead",
        [CONTAINER_REMOVING] = "removing",
    };

    return texts[shown_state];
}

const char *container_state_text(const struct container_record *record)
{
    return container_state_word(container_record_shown_state(record));
}

int container_status_text(const struct container_record *record, int64_t now_ns, bool engine_healthy, char *buffer,
                          size_t size)
{
    char up[40], ago[40];

    if (!engine_healthy) {
        return snprintf(buffer, size, "Host Down");
    }
    duration_in_words((now_ns - record->started_ns) / NS_PER_S, up, sizeof(up));
    duration_in_words((now_ns - record->finished_ns) / NS_PER_S, ago, sizeof(ago));
    if (record->running) {
        if (record->paused) {
            return snprintf(buffer, size, "Up %s (Paused)", up);
        }
        if (record->restarting) {
            return snprintf(buffer, size, "Restarting (%d) %s ago", record->exit_code, ago);
        }
        if (!strcmp(record->health, "none")) {
            return snprintf(buffer, size, "Up %s", up);
        }
        return snprintf(buffer, size, "Up %s (%s%s)", up,
                        strcmp(record->health, "starting") ? "" : "health: ", record->health);
    }
    if (record->removing) {
        return snprintf(buffer, size, "Removal In Progress");
    }
    if (record->dead) {
        return snprintf(buffer, size, "Dead");
    }
    if (!record->started_ns) {
        return snprintf(buffer, size, "Created");
    }
    if (!record->finished_ns) {
        return snprintf(buffer, size, "%s", "");
    }
    return snprintf(buffer, size, "Exited (%d) %s ago", record->exit_code, ago);
}
