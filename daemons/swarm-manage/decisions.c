/* SPDX-License-Identifier: Apache-2.0 */
#include "decisions.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "metrics.h"
#include "timestamp.h"

struct entry {
    int64_t time_ns;
    bool move, granted;
    char *name, *image, *node, *text; /* "" where there is none */
};

struct decisions {
    pthread_mutex_t lock;
    struct entry entries[DECISIONS_MAX]; /* a ring */
    size_t next, count;
};

int decisions_new(struct decisions **ret)
{
    struct decisions *decisions = calloc(1, sizeof(*decisions));

    if (!decisions) {
        return -1;
    }
    if (pthread_mutex_init(&decisions->lock, NULL)) {
        free(decisions);
        return -1;
    }
    *ret = decisions;
    return 0;
}

static void clear_entry(struct entry *entry)
{
    free(entry->name);
    free(entry->image);
    free(entry->node);
    free(entry->text);
    memset(entry, 0, sizeof(*entry));
}

void decisions_free(struct decisions *decisions)
{
    if (!decisions) {
        return;
    }
    for (size_t i = 0; i < DECISIONS_MAX; i++) {
        clear_entry(&decisions->entries[i]);
    }
    pthread_mutex_destroy(&decisions->lock);
    free(decisions);
}

/* JSON holds UTF-8 only: in a text that is none of it '?' stands for all that is not ASCII. */
static void make_utf8(char *text)
{
    json_t *json = text ? json_string(text) : NULL;

    for (; text && !json && *text; text++) {
        if ((unsigned char)*text >= 0x80) {
            *text = '?';
        }
    }
    json_decref(json);
}

/* At most @p max bytes, whole characters of UTF-8; "" for NULL. */
static char *copy_cut(const char *text, size_t max)
{
    char *copy;
    size_t length = text ? strnlen(text, max) : 0;

    if (length == max && text[length] != '\0') {
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80) {
            length--;
        }
    }
    copy = strndup(text ? text : "", length);
    make_utf8(copy);
    return copy;
}

void decisions_add(struct decisions *decisions, const struct decision_note *note)
{
    struct entry entry = {
        .time_ns = timestamp_now_ns(),
        .move = note->move,
        .granted = note->granted,
        .name = copy_cut(note->name, DECISION_NAME_MAX),
        .image = copy_cut(note->image, DECISION_NAME_MAX),
        .node = copy_cut(note->node, DECISION_NAME_MAX),
        .text = copy_cut(note->text, DECISION_TEXT_MAX),
    };

    metrics_count(note->move ? (note->granted ? METRIC_MOVES_GRANTED : METRIC_MOVES_REFUSED)
                             : (note->granted ? METRIC_CREATES_GRANTED : METRIC_CREATES_REFUSED));
    if (!decisions || !entry.name || !entry.image || !entry.node || !entry.text) {
        clear_entry(&entry);
        return;
    }
    pthread_mutex_lock(&decisions->lock);
    clear_entry(&decisions->entries[decisions->next]);
    decisions->entries[decisions->next] = entry;
    decisions->next = (decisions->next + 1) % DECISIONS_MAX;
    decisions->count += decisions->count < DECISIONS_MAX;
    pthread_mutex_unlock(&decisions->lock);
}

void decisions_add_move(struct decisions *decisions, const struct swarm_container *container, const char *node,
                        const char *text)
{
    struct decision_note note = {
        .move = true,
        .granted = node,
        .name = swarm_container_name(container),
        .image = swarm_request_image(swarm_container_request(container)),
        .node = node,
        .text = text,
    };

    decisions_add(decisions, &note);
}

/* RFC 3339 in UTC, to the nanosecond. */
static json_t *time_json(int64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / NS_PER_S);
    struct tm utc;
    char date[32];

    gmtime_r(&seconds, &utc);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    return json_sprintf("%s.%09lldZ", date, (long long)(time_ns % NS_PER_S));
}

static json_t *text_or_null(const char *text)
{
    return *text ? json_string(text) : json_null();
}

static json_t *entry_json(const struct entry *entry)
{
    json_t *json = json_object();

    if (json_object_set_new(json, "time", time_json(entry->time_ns)) ||
        json_object_set_new(json, "kind", json_string(entry->move ? "move" : "create")) ||
        json_object_set_new(json, "name", text_or_null(entry->name)) ||
        json_object_set_new(json, "image", text_or_null(entry->image)) ||
        json_object_set_new(json, "outcome", json_string(entry->granted ? "granted" : "refused")) ||
        json_object_set_new(json, "node", text_or_null(entry->node)) ||
        json_object_set_new(json, "text", text_or_null(entry->text))) {
        json_decref(json);
        return NULL;
    }
    return json;
}

json_t *decisions_json(struct decisions *decisions)
{
    json_t *list = json_array();

    pthread_mutex_lock(&decisions->lock);
    for (size_t i = 0; list && i < decisions->count; i++) {
        size_t at = (decisions->next + DECISIONS_MAX - decisions->count + i) % DECISIONS_MAX;

        if (json_array_append_new(list, entry_json(&decisions->entries[at]))) {
            json_decref(list);
            list = NULL;
        }
    }
    pthread_mutex_unlock(&decisions->lock);
    return list;
}
