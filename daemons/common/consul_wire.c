/* SPDX-License-Identifier: Apache-2.0 */
#include "consul_wire.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"

static json_t *session_json(const char *name, const char *behavior, int64_t ttl_s)
{
    char ttl[32];
    snprintf(ttl, sizeof ttl, "%llds", (long long)ttl_s);
    return json_pack("{s:s, s:s, s:s, s:s}", "Name", name, "Behavior", behavior, "TTL", ttl, "LockDelay", "1ms");
}

/* Takes @p request. */
static char *print(json_t *request)
{
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    return text;
}

char *consul_session_request(const char *name, int64_t ttl_s)
{
    return print(session_json(name, "delete", ttl_s));
}

/* Consul binds a session to a check of its own node's health unless told otherwise, in one word until 1.6 and in
 * another since. */
char *consul_lock_session_request(const char *name, int64_t ttl_s)
{
    json_t *request = session_json(name, "release", ttl_s);
    if (json_object_set_new(request, "NodeChecks", json_array()) != 0 ||
        json_object_set_new(request, "Checks", json_array()) != 0) {
        json_decref(request);
        return NULL;
    }
    return print(request);
}

/* false: it is no text, or too long. */
static bool copy_id(char *id, size_t size, const json_t *json)
{
    const char *text = json_string_value(json);
    if (!text || strlen(text) >= size)
        return false;
    strcpy(id, text);
    return true;
}

int consul_parse_session(const char *text, char *id, size_t size)
{
    json_t *root = text ? json_loads(text, 0, NULL) : NULL;
    char got[CONSUL_SESSION_ID_MAX];
    bool good = copy_id(got, sizeof got, json_object_get(root, "ID")) && *got && strlen(got) < size;
    if (good)
        strcpy(id, got);
    json_decref(root);
    return good ? 0 : -1;
}

/* The value of an entry, new; NULL where it is missing or no text. */
static char *entry_value(const json_t *entry)
{
    const char *coded = json_string_value(json_object_get(entry, "Value"));
    return coded ? base64_decode_text(coded) : NULL;
}

int consul_parse_key(const char *text, struct consul_key *ret)
{
    *ret = (struct consul_key){0};
    if (!text)
        return 0;
    json_t *root = json_loads(text, 0, NULL);
    const json_t *entry = json_array_get(root, 0), *session = json_object_get(entry, "Session");
    bool good = json_is_string(json_object_get(entry, "Key")) &&
                (!session || json_is_null(session) || copy_id(ret->session, sizeof ret->session, session));
    if (good) {
        ret->present = true;
        ret->modified = json_integer_value(json_object_get(entry, "ModifyIndex"));
        ret->value = entry_value(entry);
    }
    json_decref(root);
    return good ? 0 : -1;
}

int consul_parse_list(const char *text, struct kv_table *table)
{
    json_t *root = text ? json_loads(text, 0, NULL) : NULL, *entry;
    int status = json_is_array(root) ? 0 : -1;
    size_t i;
    json_array_foreach (root, i, entry) {
        const char *key = json_string_value(json_object_get(entry, "Key"));
        char *value = entry_value(entry);
        if (status == 0)
            status = key ? kv_table_put(table, key, value ? value : "") : -1;
        free(value);
    }
    json_decref(root);
    return status;
}

int64_t consul_index(const struct http_result *result)
{
    int64_t index = strtoll(result->index, NULL, 10);
    return index > 0 ? index : 0;
}

void consul_describe(char *buffer, size_t size, const struct http_result *result)
{
    if (result->failure != HTTP_OK) {
        snprintf(buffer, size, "%s", result->error);
    } else if (result->status == 200) {
        snprintf(buffer, size, "an answer that is not Consul's");
    } else {
        const char *body = result->body ? result->body : "";
        int line = (int)strcspn(body, "\r\n");
        snprintf(buffer, size, "HTTP status %d%s%.*s", result->status, line > 0 ? ": " : "", line < 200 ? line : 200,
                 body);
    }
}
