/* SPDX-License-Identifier: Apache-2.0 */
#include "container_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_read.h"
#include "record.h"
#include "saturate.h"
#include "timestamp.h"

void container_record_free(struct container_record *record)
{
    if (record) {
        free(record->entry);
        container_uses_clear(&record->uses);
        free(record->inspect);
        free(record->recorded);
        free(record->move_trouble);
        free(record);
    }
}

void container_report_clear(struct container_report *report)
{
    free(report->id);
    free(report->names);
    free(report->entry);
    container_uses_clear(&report->uses);
    free(report->ports);
    free(report->inspect);
    free(report->record);
    swarm_request_unref(report->request);
    memset(report, 0, sizeof(*report));
}

/* Room for the texts of all strings in @p value behind an array of @p count items of @p size; *ret_text: where they go.
 * NULL for lack of memory. */
static void *array_and_texts(size_t count, size_t size, struct json_span value, char **ret_text)
{
    char *array = calloc(1, count * size + value.length + 1);

    *ret_text = array ? array + count * size : NULL;
    return array;
}

static const char *put_text(struct json_span value, char **text)
{
    const char *begin = *text;

    json_span_text(value, *text, value.length + 1);
    *text += strlen(begin) + 1;
    return begin;
}

/* Strings are two quotes and a comma at least, so as many items there may be. */
static size_t items_at_most(struct json_span array)
{
    return array.length / 3 + 1;
}

/* The container's own name has no slash within; the others are aliases of links ("db/alias"). */
static int take_names(struct container_report *report, struct json_span names)
{
    struct json_span item;
    struct json_walk walk = json_walk(json_span_is_array(names) ? names : (struct json_span){"", 0});
    char *text;

    report->names = array_and_texts(items_at_most(names), sizeof(*report->names), names, &text);
    if (!report->names) {
        return -1;
    }
    while (json_walk_item(&walk, &item)) {
        const char *name;

        if (!json_span_is_string(item)) {
            continue;
        }
        name = put_text(item, &text);
        name += *name == '/';
        report->names[report->name_count++] = name;
        if (report->name_count == 1 || !strchr(name, '/')) {
            report->names[report->name_count - 1] = report->names[0];
            report->names[0] = name;
        }
    }
    return 0;
}

int container_report_from_entry(struct container_report *report, struct json_span entry,
                                const struct entry_changes *changes, const struct entry_context *context)
{
    struct entry_parts parts = container_entry_parts(entry);

    memset(report, 0, sizeof(*report));
    if (!json_span_is_string(parts.id) || parts.id.length == 2) {
        return -1;
    }
    report->state = parts.state;
    report->entry_minor = parts.minor;
    report->id = json_span_strdup(parts.id);
    report->entry = container_entry_render(entry, changes, context);
    if (!report->id || take_names(report, parts.names) || !report->entry ||
        container_uses_read(&report->uses, report->entry, parts.mounts)) {
        container_report_clear(report);
        return -1;
    }
    return 0;
}

/* 0 for what is missing, malformed, or never was. */
static int64_t time_of(struct json_span value, int64_t delta_ms)
{
    char text[64];
    int64_t ns;

    json_span_text(value, text, sizeof(text));
    if (timestamp_parse(text, &ns) || !ns) {
        return 0;
    }
    return saturating_add(ns, delta_ms * 1000000);
}

/* What of an inspect answer is of use here. */
struct inspect {
    struct json_span created, state, status, labels, ports;
};

static struct inspect look_at(struct json_span root)
{
    struct inspect inspect = {.created = {"", 0}, {"", 0}, {"", 0}, {"", 0}, {"", 0}};
    struct json_walk walk = json_walk(root);
    struct json_span key, value;

    while (json_walk_member(&walk, &key, &value)) {
        if (json_key_is(key, "Created")) {
            inspect.created = value;
        } else if (json_key_is(key, "State")) {
            inspect.state = value;
        } else if (json_key_is(key, "Config")) {
            inspect.labels = json_span_get(value, "Labels");
        } else if (json_key_is(key, "NetworkSettings")) {
            inspect.ports = json_span_get(value, "Ports");
        }
    }
    inspect.status = json_span_get(inspect.state, "Status");
    return inspect;
}

static void take_health(struct container_record *facts, struct json_span health)
{
    static const char *const known[] = {"starting", "healthy", "unhealthy"};
    struct json_span status = json_span_get(health, "Status");

    strcpy(facts->health, "none");
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (json_span_equals(status, known[i])) {
            strcpy(facts->health, known[i]);
        }
    }
}

static void take_state(struct container_record *facts, const struct inspect *inspect, int64_t delta_ms)
{
    struct json_walk walk = json_walk(inspect->state);
    struct json_span key, value;

    strcpy(facts->health, "none");
    facts->created_ns = time_of(inspect->created, delta_ms);
    facts->removing = json_span_equals(inspect->status, "removing");
    while (json_span_is_object(inspect->state) && json_walk_member(&walk, &key, &value)) {
        if (json_key_is(key, "Running")) {
            facts->running = json_span_is_true(value);
        } else if (json_key_is(key, "Paused")) {
            facts->paused = json_span_is_true(value);
        } else if (json_key_is(key, "Restarting")) {
            facts->restarting = json_span_is_true(value);
        } else if (json_key_is(key, "Dead")) {
            facts->dead = json_span_is_true(value);
        } else if (json_key_is(key, "ExitCode")) {
            facts->exit_code = (int)json_span_integer(value);
        } else if (json_key_is(key, "StartedAt")) {
            facts->started_ns = time_of(value, delta_ms);
        } else if (json_key_is(key, "FinishedAt")) {
            facts->finished_ns = time_of(value, delta_ms);
        } else if (json_key_is(key, "Health")) {
            take_health(facts, value);
        }
    }
}

static void take_bindings(struct container_report *report, struct json_span bindings, char **text)
{
    struct json_walk walk = json_walk(json_span_is_array(bindings) ? bindings : (struct json_span){"", 0});
    struct json_span binding;

    while (json_walk_item(&walk, &binding)) {
        struct swarm_bound_port *port = &report->ports[report->port_count];

        port->host_ip = put_text(json_span_get(binding, "HostIp"), text);
        port->host_port = put_text(json_span_get(binding, "HostPort"), text);
        report->port_count += *port->host_port != '\0';
    }
}

/* As many bindings there may be: `{"HostPort":""}` is the shortest that counts. */
static int take_ports(struct container_report *report, struct json_span ports)
{
    struct json_walk walk = json_walk(ports);
    struct json_span key, bindings;
    char *text;

    if (!json_span_is_object(ports) || ports.length == 2) {
        return 0;
    }
    report->ports = array_and_texts(ports.length / 3 + 1, sizeof(*report->ports), ports, &text);
    if (!report->ports) {
        return -1;
    }
    while (json_walk_member(&walk, &key, &bindings)) {
        take_bindings(report, bindings, &text);
    }
    return 0;
}

/* For the records. What cannot be had there is missing there only. */
static void keep_record(struct container_report *report, struct json_span entry, const char *inspect, size_t length)
{
    json_t *said = json_read(entry.at, entry.length, JSON_ALLOW_NUL, NULL);
    json_t *root = json_read(inspect, length, JSON_ALLOW_NUL, NULL);

    report->record = record_write(record_container(said, root), &report->record_length);
    report->record_hash = report->record ? record_hash(report->record, report->record_length) : 0;
    json_decref(said);
    json_decref(root);
}

/* Only who may have to be made again elsewhere is kept whole. */
static int keep_inspect(struct container_report *report, struct json_span entry, const char *inspect, size_t length,
                        const struct entry_context *context)
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
    if (context->recorded) {
        keep_record(report, entry, inspect, length);
    }
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

int container_report_from_inspect(struct container_report *report, struct json_span entry, const char *inspect,
                                  size_t length, const struct entry_context *context, char **reterr)
{
    struct swarm_error *error = NULL;
    struct swarm_request *request;
    struct entry_changes changes = {{"", 0}, {"", 0}};
    struct inspect answer;

    memset(report, 0, sizeof(*report));
    /* It refuses what is no JSON. */
    if (swarm_request_from_inspect_as(&request, inspect, length, context->cpus, context->cpu_shares, &error)) {
        fail(report, reterr, "the engine's inspect answer", swarm_error_message(error));
        swarm_error_free(error);
        return -1;
    }
    answer = look_at(json_span_of(inspect, length));
    if (json_span_is_object(answer.labels)) {
        changes.labels = answer.labels;
    }
    /* An engine's list lags behind its inspect: a container that has just ended still runs there. */
    if (json_span_is_string(answer.status)) {
        changes.state = answer.status;
    }
    if (container_report_from_entry(report, entry, &changes, context)) {
        swarm_request_unref(request);
        return fail(report, reterr, "the engine's list entry has no Id, or out of memory", NULL);
    }
    report->request = request;
    take_state(&report->facts, &answer, context->clock_delta_ms);
    if (take_ports(report, answer.ports) || keep_inspect(report, entry, inspect, length, context)) {
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

static int up_text(const char *words, char *buffer, size_t size)
{
    size_t length = strlen(words);

    if (length + sizeof("Up ") > size) {
        return snprintf(buffer, size, "Up %s", words);
    }
    memcpy(buffer, "Up ", 3);
    memcpy(buffer + 3, words, length + 1);
    return (int)length + 3;
}

int container_status_text(const struct container_record *record, int64_t now_ns, bool engine_healthy, char *buffer,
                          size_t size)
{
    char up[40], ago[40];

    if (!engine_healthy) {
        return snprintf(buffer, size, "Host Down");
    }
    if (record->running) {
        duration_in_words((now_ns - record->started_ns) / NS_PER_S, up, sizeof(up));
        if (record->paused) {
            return snprintf(buffer, size, "Up %s (Paused)", up);
        }
        if (record->restarting) {
            duration_in_words((now_ns - record->finished_ns) / NS_PER_S, ago, sizeof(ago));
            return snprintf(buffer, size, "Restarting (%d) %s ago", record->exit_code, ago);
        }
        if (!strcmp(record->health, "none")) { /* most of a list is this */
            return up_text(up, buffer, size);
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
    duration_in_words((now_ns - record->finished_ns) / NS_PER_S, ago, sizeof(ago));
    return snprintf(buffer, size, "Exited (%d) %s ago", record->exit_code, ago);
}
