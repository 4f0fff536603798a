/* SPDX-License-Identifier: Apache-2.0 */
/* Filters, and the list of containers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_engine.h"

json_t *fake_filter(const json_t *filters, const char *key)
{
    json_t *given = json_object_get(filters, key), *values, *value;
    const char *name;

    if (json_is_array(given))
        return json_incref(given);
    if (!json_is_object(given))
        return NULL;
    values = json_array();
    json_object_foreach (given, name, value) {
        if (json_is_true(value))
            json_array_append_new(values, json_string(name));
    }
    return values;
}

json_t *fake_filters_of(struct fake_connection *connection)
{
    char *text = fake_query(connection->request.query, "filters");
    json_t *filters = text == NULL || text[0] == '\0' ? json_object() : json_loads(text, 0, NULL);

    if (!json_is_object(filters)) {
        fake_answer_error(connection, 500, "invalid character '%c' looking for beginning of value", text[0]);
        json_decref(filters);
        filters = NULL;
    }
    free(text);
    return filters;
}

bool fake_filter_exact(const json_t *values, const char *text)
{
    size_t i;
    json_t *value;

    json_array_foreach (values, i, value) {
        if (json_is_string(value) && strcmp(json_string_value(value), text) == 0)
            return true;
    }
    return json_array_size(values) == 0;
}

bool fake_filter_labels(const json_t *values, const json_t *labels)
{
    size_t i;
    json_t *value;

    json_array_foreach (values, i, value) {
        const char *text = json_string_value(value), *equals = text == NULL ? NULL : strchr(text, '=');
        char *key = text == NULL ? NULL : strndup(text, equals == NULL ? strlen(text) : (size_t)(equals - text));
        const char *have = key == NULL ? NULL : json_string_value(json_object_get(labels, key));

        free(key);
        if (have == NULL || (equals != NULL && strcmp(have, equals + 1) != 0))
            return false;
    }
    return true;
}

/* --- containers --- */

static const char *const known_keys[] = {"ancestor", "before",  "exited", "expose", "health",
                                         "id",       "is-task", "label",  "name",   "network",
                                         "publish",  "since",   "status", "volume", "isolation"};

/* A part of the name, or with "^" and "$" its beginning and end; the slash before it is one's to give or not. */
static bool name_matches(const json_t *values, const char *name)
{
    size_t i;
    json_t *value;

    json_array_foreach (values, i, value) {
        const char *pattern = json_string_value(value);
        size_t length = pattern == NULL ? 0 : strlen(pattern);
        bool front = length > 0 && pattern[0] == '^', back = length > 0 && pattern[length - 1] == '$';
        const char *at = pattern + front;
        char *text;
        bool is;

        if (pattern == NULL)
            continue;
        length -= (size_t)front + back;
        if (length > 0 && *at == '/')
            at++, length--;
        text = strndup(at, length);
        is = text != NULL && (front && back ? strcmp(name, text) == 0
                              : front       ? strncmp(name, text, length) == 0
                              : back        ? strlen(name) >= length && strcmp(name + strlen(name) - length, text) == 0
                                            : strstr(name, text) != NULL);
        free(text);
        if (is)
            return true;
    }
    return json_array_size(values) == 0;
}

static bool id_matches(const json_t *values, const char *id)
{
    size_t i;
    json_t *value;

    json_array_foreach (values, i, value) {
        const char *text = json_string_value(value);

        if (text != NULL && strncmp(id, text, strlen(text)) == 0)
            return true;
    }
    return json_array_size(values) == 0;
}

static bool is_in_texts(const json_t *values, char *const *texts)
{
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++) {
        if (fake_filter_exact(values, texts[i]))
            return true;
    }
    return json_array_size(values) == 0;
}

static bool ancestor_matches(const json_t *values, const struct fake_container *container)
{
    const struct fake_image *have = fake_image_find(container->engine, container->spec->image);
    size_t i;
    json_t *value;

    json_array_foreach (values, i, value) {
        const char *name = json_string_value(value);

        if (name != NULL && have != NULL && fake_image_find(container->engine, name) == have)
            return true;
    }
    return json_array_size(values) == 0;
}

/* A container named by the filter was created after (before) this one. */
static bool order_matches(const json_t *values, const struct fake_container *container, bool before)
{
    const struct fake_container *other;
    const char *name = json_string_value(json_array_get(values, 0));

    other = name == NULL ? NULL : fake_find(container->engine, name);
    if (other == NULL)
        return name == NULL;
    return before ? container->serial < other->serial : container->serial > other->serial;
}

static bool matches(const struct fake_container *container, const char *key, const json_t *values)
{
    static const char *const states[] = {"created", "running", "paused", "exited"};
    char code[16];

    if (strcmp(key, "id") == 0)
        return id_matches(values, container->id);
    if (strcmp(key, "name") == 0)
        return name_matches(values, container->name);
    if (strcmp(key, "status") == 0)
        return fake_filter_exact(values, states[container->state]);
    if (strcmp(key, "label") == 0)
        return fake_filter_labels(values, container->spec->label_object);
    if (strcmp(key, "network") == 0)
        return is_in_texts(values, fake_networks_of(container));
    if (strcmp(key, "volume") == 0)
        return is_in_texts(values, container->spec->volumes);
    if (strcmp(key, "ancestor") == 0)
        return ancestor_matches(values, container);
    if (strcmp(key, "before") == 0 || strcmp(key, "since") == 0)
        return order_matches(values, container, key[0] == 'b');
    if (strcmp(key, "health") == 0)
        return fake_filter_exact(values, "none");
    snprintf(code, sizeof(code), "%d", container->exit_code);
    if (strcmp(key, "exited") == 0)
        return container->state == FAKE_EXITED && fake_filter_exact(values, code);
    return true;
}

/* The filters as {"key": [values]}; NULL: one is unknown, answered. */
static json_t *read_filters(struct fake_connection *connection)
{
    json_t *given = fake_filters_of(connection), *filters = given == NULL ? NULL : json_object(), *value;
    const char *key;

    json_object_foreach (given, key, value) {
        size_t i = 0;

        while (i < sizeof(known_keys) / sizeof(known_keys[0]) && strcmp(known_keys[i], key) != 0)
            i++;
        if (i == sizeof(known_keys) / sizeof(known_keys[0])) {
            fake_answer_error(connection, 400, "Invalid filter '%s'", key);
            json_decref(filters);
            filters = NULL;
            break;
        }
        json_object_set_new(filters, key, fake_filter(given, key));
    }
    json_decref(given);
    return filters;
}

static bool is_listed(const struct fake_container *container, json_t *filters)
{
    const char *key;
    json_t *values;

    json_object_foreach (filters, key, values) {
        if (!matches(container, key, values))
            return false;
    }
    return true;
}

void fake_route_list(struct fake_connection *connection)
{
    const struct fake_engine *engine = connection->engine;
    const char *query = connection->request.query;
    json_t *filters = read_filters(connection);
    char *text = fake_query(query, "limit");
    long limit = text == NULL ? 0 : atol(text), count = 0;
    bool all = fake_query_true(query, "all") || limit > 0, size = fake_query_true(query, "size");
    struct bytes body = {0};

    free(text);
    if (filters == NULL)
        return;
    all = all || json_object_get(filters, "status") != NULL || json_object_get(filters, "exited") != NULL;
    say_text(&body, "[");
    for (size_t i = engine->container_count; i > 0 && (limit <= 0 || count < limit); i--) {
        const struct fake_container *container = engine->containers[i - 1];

        if ((!all && !fake_is_running(container)) || !is_listed(container, filters))
            continue;
        if (count++ > 0)
            say_text(&body, ",");
        fake_render_entry(&body, container, size);
    }
    say_text(&body, "]\n");
    fake_answer_json(connection, 200, &body);
    bytes_free(&body);
    json_decref(filters);
}
