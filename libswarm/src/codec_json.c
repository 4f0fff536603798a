/* SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"

#include <string.h>

#include "error.h"
#include "mem.h"

static bool is_blank(const char *json, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (json[i] == '\0' || strchr(" \t\r\n", json[i]) == NULL)
            return false;
    return true;
}

int swarm__json_parse(const char *json, size_t length, json_t **ret_root, struct swarm_error **reterr)
{
    return swarm__json_parse_some(json, length, NULL, ret_root, reterr);
}

int swarm__json_parse_some(const char *json, size_t length, const struct swarm__json_wanted *wanted, json_t **ret_root,
                           struct swarm_error **reterr)
{
    json_t *root;
    if (is_blank(json, length))
        return swarm__error_set(reterr, SWARM_ERR_PARSE, "invalid JSON: got EOF while reading request body");
    int rc = swarm__json_load_some(json, length, wanted, &root, reterr);
    if (rc < 0)
        return rc;
    if (!json_is_object(root)) {
        json_decref(root);
        return swarm__error_set(reterr, SWARM_ERR_PARSE, "invalid JSON: an object is expected");
    }
    *ret_root = root;
    return 0;
}

static const char *type_text(json_type type)
{
    switch (type) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    default:
        return "another type";
    }
}

int swarm__json_member(const json_t *object, const char *path, const char *name, json_type type, json_t **ret_value,
                       struct swarm_error **reterr)
{
    json_t *value = json_object_get(object, name);
    if (value == NULL || json_is_null(value)) {
        *ret_value = NULL;
        return 0;
    }
    if (json_typeof(value) != type)
        return swarm__error_set(reterr, SWARM_ERR_PARSE, "%s%s: %s is expected", path, name, type_text(type));
    *ret_value = value;
    return 0;
}

int swarm__json_strings(const json_t *object, const char *path, const char *name, json_t **ret_list,
                        struct swarm_error **reterr)
{
    json_t *list, *item;
    size_t i;
    int rc = swarm__json_member(object, path, name, JSON_ARRAY, &list, reterr);
    if (rc < 0)
        return rc;
    json_array_foreach (list, i, item)
        if (!json_is_string(item))
            return swarm__error_set(reterr, SWARM_ERR_PARSE, "%s%s[%zu]: a string is expected", path, name, i);
    *ret_list = list;
    return 0;
}

int swarm__json_string_map(const json_t *object, const char *name, json_t **ret_map, struct swarm_error **reterr)
{
    json_t *map, *value;
    const char *key;
    int rc = swarm__json_member(object, "", name, JSON_OBJECT, &map, reterr);
    if (rc < 0)
        return rc;
    json_object_foreach (map, key, value)
        if (!json_is_string(value) && !json_is_null(value))
            return swarm__error_set(reterr, SWARM_ERR_PARSE, "%s[\"%s\"]: a string is expected", name, key);
    *ret_map = map;
    return 0;
}

const char *swarm__json_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

int swarm__json_put(json_t *root, const char *object, const char *key, json_t *value)
{
    json_t *inner = json_object_get(root, object);
    if (value == NULL)
        return SWARM_ERR_NOMEM;
    if (json_is_object(inner))
        return json_object_set_new(inner, key, value) < 0 ? SWARM_ERR_NOMEM : 0;
    inner = json_object();
    if (json_object_set_new(inner, key, value) < 0) {
        json_decref(inner);
        return SWARM_ERR_NOMEM;
    }
    return json_object_set_new(root, object, inner) < 0 ? SWARM_ERR_NOMEM : 0;
}

int swarm__json_dump(const json_t *value, char **ret_text, size_t *ret_length)
{
    size_t length = json_dumpb(value, NULL, 0, JSON_COMPACT);
    char *text = length != 0 ? swarm__malloc(length + 1) : NULL;
    if (text == NULL)
        return SWARM_ERR_NOMEM;
    if (json_dumpb(value, text, length, JSON_COMPACT) != length) {
        swarm__free(text);
        return SWARM_ERR_NOMEM;
    }
    text[length] = '\0';
    *ret_text = text;
    if (ret_length != NULL)
        *ret_length = length;
    return 0;
}
