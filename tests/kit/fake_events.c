/* SPDX-License-Identifier: Apache-2.0 */
/* Events: remembered, streamed, filtered. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fake_engine.h"

struct fake_subscriber {
    struct fake_subscriber *next;
    struct fake_connection *connection;
    json_t *filters;
};

/* --- filters --- */

static const char *string_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

static bool begins(const json_t *values, const char *text)
{
    size_t i;
    json_t *value;

    json_array_foreach (values, i, value) {
        const char *word = json_string_value(value);

        if (word != NULL && strncmp(text, word, strlen(word)) == 0)
            return true;
    }
    return json_array_size(values) == 0;
}

/* "exec_create: sh" is asked for as "exec_create". */
static bool is_action(const json_t *values, const char *action)
{
    size_t length = strcspn(action, ":"), i;
    json_t *value;

    json_array_foreach (values, i, value) {
        const char *word = json_string_value(value);

        if (word != NULL && (strcmp(word, action) == 0 || (strlen(word) == length && !strncmp(word, action, length))))
            return true;
    }
    return false;
}

static bool passes(const json_t *filters, const json_t *event)
{
    static const char *const by_actor[] = {"container", "network", "volume", "daemon", "plugin"};
    const json_t *actor = json_object_get(event, "Actor"), *attributes = json_object_get(actor, "Attributes");
    const char *type = string_of(event, "Type");
    bool pass = true;
    json_t *values;

    for (size_t i = 0; pass && i < sizeof(by_actor) / sizeof(by_actor[0]); i++) {
        values = fake_filter(filters, by_actor[i]);
        if (values != NULL)
            pass = strcmp(type, by_actor[i]) == 0 &&
                   (begins(values, string_of(actor, "ID")) || begins(values, string_of(attributes, "name")));
        json_decref(values);
    }
    values = pass ? fake_filter(filters, "type") : NULL;
    pass = pass && (values == NULL || fake_filter_exact(values, type));
    json_decref(values);
    values = pass ? fake_filter(filters, "event") : NULL;
    pass = pass && (values == NULL || is_action(values, string_of(event, "Action")));
    json_decref(values);
    values = pass ? fake_filter(filters, "image") : NULL;
    pass = pass && (values == NULL || fake_filter_exact(values, string_of(attributes, "image")) ||
                    fake_filter_exact(values, string_of(attributes, "name")));
    json_decref(values);
    values = pass ? fake_filter(filters, "label") : NULL;
    pass = pass && (values == NULL || fake_filter_labels(values, attributes));
    json_decref(values);
    return pass;
}

static void deliver(struct fake_subscriber *subscriber, struct fake_event *event)
{
    if (json_object_size(subscriber->filters) > 0) {
        if (event->filterable == NULL)
            event->filterable = json_loads(event->text, 0, NULL);
        if (!passes(subscriber->filters, event->filterable))
            return;
    }
    fake_stream_write(subscriber->connection, event->text, strlen(event->text));
}

/* --- what happens --- */

void fake_emit(struct fake_engine *engine, const char *type, const char *action, const char *id, const char *from,
               const char *attributes)
{
    struct bytes text = {0};
    struct fake_event *event;
    int64_t ns = fake_now(engine);

    if (engine->events == NULL)
        engine->events = fake_alloc(FAKE_EVENTS_MAX * sizeof(*engine->events));
    event = &engine->events[engine->event_next];
    engine->event_next = (engine->event_next + 1) % FAKE_EVENTS_MAX;
    engine->event_count += engine->event_count < FAKE_EVENTS_MAX;
    free(event->text);
    json_decref(event->filterable);
    event->filterable = NULL;
    event->ns = ns;
    say_text(&text, "{");
    if (from != NULL) {
        say(&text, "\"status\":\"%s\",\"id\":\"%s\",", action, id);
        if (from[0] != '\0') {
            say_text(&text, "\"from\":");
            say_json(&text, from);
            say_text(&text, ",");
        }
    }
    say(&text, "\"Type\":\"%s\",\"Action\":\"%s\",\"Actor\":{\"ID\":", type, action);
    say_json(&text, id);
    say(&text, ",\"Attributes\":{");
    say_text(&text, attributes);
    say(&text, "}},\"scope\":\"local\",\"time\":%" PRId64 ",\"timeNano\":%" PRId64 "}\n", ns / FAKE_S_NS, ns);
    say_bytes(&text, "", 1);
    event->text = text.data;
    for (struct fake_subscriber *subscriber = engine->subscribers; subscriber != NULL; subscriber = subscriber->next)
        deliver(subscriber, event);
}

void fake_emit_container(struct fake_container *container, const char *action, const char *extra)
{
    const struct fake_spec *spec = container->spec;
    struct bytes attributes = {0};

    say_text(&attributes, extra);
    say_text(&attributes, "\"image\":");
    say_json(&attributes, spec->image);
    if (spec->labels[0] != '\0') {
        say_text(&attributes, ",");
        say_text(&attributes, spec->labels);
    }
    say_text(&attributes, ",\"name\":");
    say_json(&attributes, container->name);
    say_bytes(&attributes, "", 1);
    fake_emit(container->engine, "container", action, container->id, spec->image, bytes_at(&attributes));
    bytes_free(&attributes);
}

void fake_emit_network(struct fake_container *container, const char *name, const char *action)
{
    struct fake_network *network = fake_network_find(container->engine, name);
    char attributes[512];

    if (network == NULL)
        return;
    snprintf(attributes, sizeof(attributes), "\"container\":\"%s\",\"name\":\"%.200s\",\"type\":\"%.60s\"",
             container->id, network->name, network->driver);
    fake_emit(container->engine, "network", action, network->id, NULL, attributes);
}

/* --- streams --- */

static void unsubscribe(struct fake_connection *connection)
{
    struct fake_subscriber *subscriber = connection->owner, **at;

    connection->on_close = NULL;
    connection->owner = NULL;
    for (at = &connection->engine->subscribers; *at != subscriber; at = &(*at)->next)
        ;
    *at = subscriber->next;
    json_decref(subscriber->filters);
    free(subscriber);
}

static void end_stream(void *data)
{
    struct fake_connection *connection = data;

    unsubscribe(connection);
    fake_stream_end(connection);
}

/* "1700000000.5"; -1 where there is none. */
static int64_t time_of(const char *query, const char *name)
{
    char *text = fake_query(query, name), *end;
    int64_t ns = -1;

    if (text != NULL && text[0] != '\0') {
        long long seconds = strtoll(text, &end, 10);
        char fraction[10] = "000000000";

        if (*end == '.')
            memcpy(fraction, end + 1, strnlen(end + 1, 9));
        ns = seconds < 0 || seconds > INT64_MAX / FAKE_S_NS - 1 ? INT64_MAX : seconds * FAKE_S_NS + atoll(fraction);
    }
    free(text);
    return ns;
}

static void replay(struct fake_subscriber *subscriber, const struct fake_engine *engine, int64_t since, int64_t until)
{
    unsigned first = (engine->event_next + FAKE_EVENTS_MAX - engine->event_count) % FAKE_EVENTS_MAX;

    for (unsigned i = 0; i < engine->event_count; i++) {
        struct fake_event *event = &engine->events[(first + i) % FAKE_EVENTS_MAX];

        if (event->ns >= since && (until < 0 || event->ns <= until))
            deliver(subscriber, event);
    }
}

void fake_events_serve(struct fake_connection *connection)
{
    struct fake_engine *engine = connection->engine;
    const char *query = connection->request.query;
    int64_t since = time_of(query, "since"), until = time_of(query, "until");
    json_t *filters = fake_filters_of(connection);
    struct fake_subscriber *subscriber;

    if (filters == NULL)
        return;
    subscriber = fake_alloc(sizeof(*subscriber));
    subscriber->connection = connection;
    subscriber->filters = filters;
    subscriber->next = engine->subscribers;
    engine->subscribers = subscriber;
    connection->owner = subscriber;
    connection->on_close = unsubscribe;
    fake_stream_begin(connection, "application/json");
    if (since >= 0)
        replay(subscriber, engine, since, until);
    if (until >= 0)
        fake_timer_set(engine->world->loop, &connection->timer,
                       until > fake_now(engine) ? (until - fake_now(engine)) / 1000000 + 1 : 0, end_stream, connection);
}

void fake_events_cut(struct fake_engine *engine)
{
    while (engine->subscribers != NULL)
        fake_reset(engine->subscribers->connection);
}

size_t fake_events_streams(const struct fake_engine *engine)
{
    size_t count = 0;

    for (const struct fake_subscriber *subscriber = engine->subscribers; subscriber != NULL;
         subscriber = subscriber->next)
        count++;
    return count;
}

void fake_events_free(struct fake_engine *engine)
{
    /* Also of those that a halt has made it forget. */
    for (unsigned i = 0; engine->events != NULL && i < FAKE_EVENTS_MAX; i++) {
        free(engine->events[i].text);
        json_decref(engine->events[i].filterable);
    }
    free(engine->events);
}
