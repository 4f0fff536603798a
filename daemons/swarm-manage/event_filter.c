/* SPDX-License-Identifier: Apache-2.0 */
#include "event_filter.h"

#include <string.h>

#include "filters.h"

/* An image's name is at most 255 bytes of repository, 128 of tag and a digest. */
#define IMAGE_NAME_MAX 1024

const char *const event_filter_keys[] = {"container", "daemon", "event", "image", "label",  "network",
                                         "node",      "plugin", "scope", "type",  "volume", NULL};

static const char *string_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* One of the key's values begins @p text. */
static bool begins(const json_t *values, const char *text)
{
    for (size_t i = 0; i < json_array_size(values); i++) {
        const char *value = json_string_value(json_array_get(values, i));

        if (value && strncmp(text, value, strlen(value)) == 0)
            return true;
    }
    return false;
}

/* container, daemon, network, plugin, volume: a prefix of the actor's id or name, whatever the event's type. */
static bool passes_actor(const json_t *filters, const char *key, const char *id, const char *name)
{
    const json_t *values = filters_values(filters, key);

    return !values || begins(values, id) || begins(values, name);
}

/* These actions carry more after a colon ("exec_create: sh"); asked for without one, they match by prefix. */
static bool asks_for_open_action(const json_t *values)
{
    static const char *const open_actions[] = {"exec_create", "exec_start", "health_status"};

    for (size_t i = 0; i < json_array_size(values); i++) {
        const char *value = json_string_value(json_array_get(values, i));

        for (size_t j = 0; value && j < sizeof(open_actions) / sizeof(open_actions[0]); j++) {
            if (strcmp(value, open_actions[j]) == 0)
                return true;
        }
    }
    return false;
}

static bool passes_action(const json_t *filters, const char *action)
{
    const json_t *values = filters_values(filters, "event");

    if (!values)
        return true;
    return asks_for_open_action(values) ? begins(values, action) : filters_exact(filters, "event", action);
}

/* "docker.io/library/busybox:1.36@sha256:…" is "busybox" to its friends. */
static const char *without_tag(const char *image, char buffer[IMAGE_NAME_MAX])
{
    static const char *const familiar[] = {"index.docker.io/", "docker.io/", "library/"};
    char *at, *slash, *colon;
    size_t length = strlen(image);

    if (length >= IMAGE_NAME_MAX)
        return image;
    memcpy(buffer, image, length + 1);
    at = strchr(buffer, '@');
    if (at)
        *at = '\0';
    slash = strrchr(buffer, '/');
    colon = strrchr(buffer, ':');
    if (colon && (!slash || colon > slash))
        *colon = '\0';
    at = buffer;
    for (size_t i = 0; i < sizeof(familiar) / sizeof(familiar[0]); i++) {
        if (strncmp(at, familiar[i], strlen(familiar[i])) == 0)
            at += strlen(familiar[i]);
    }
    return at;
}

/* The image of an image's event, or of a container's, with its tag or without. */
static bool passes_image(const json_t *filters, const char *type, const char *id, const json_t *attributes)
{
    const char *name = string_of(attributes, strcmp(type, "image") == 0 ? "name" : "image");
    char id_buffer[IMAGE_NAME_MAX], name_buffer[IMAGE_NAME_MAX];

    if (!filters_values(filters, "image"))
        return true;
    return filters_exact(filters, "image", id) || filters_exact(filters, "image", name) ||
           filters_exact(filters, "image", without_tag(id, id_buffer)) ||
           filters_exact(filters, "image", without_tag(name, name_buffer));
}

static const char *attribute(const void *attributes, const char *key)
{
    return json_string_value(json_object_get(attributes, key));
}

bool event_filter_passes(const json_t *filters, const json_t *event)
{
    static const char *const by_actor[] = {"daemon", "container", "plugin", "volume", "network"};
    const json_t *actor, *attributes;
    const char *type, *id, *name;

    if (json_object_size(filters) == 0)
        return true;
    type = string_of(event, "Type");
    actor = json_object_get(event, "Actor");
    attributes = json_object_get(actor, "Attributes");
    id = string_of(actor, "ID");
    name = string_of(attributes, "name");
    for (size_t i = 0; i < sizeof(by_actor) / sizeof(by_actor[0]); i++) {
        if (!passes_actor(filters, by_actor[i], id, name))
            return false;
    }
    return passes_action(filters, string_of(event, "Action")) && filters_exact(filters, "type", type) &&
           filters_exact(filters, "scope", string_of(event, "scope")) &&
           filters_exact(filters, "node", string_of(json_object_get(event, "node"), "Name")) &&
           passes_image(filters, type, id, attributes) && filters_labels(filters, "label", attribute, attributes);
}
