/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "etcd_wire.h"
#include "text.h"

/* New JSON string of @p text and, where not 0, one more byte, in base64. */
static json_t *base64_json(const char *text, char more)
{
    size_t length = strlen(text);
    char *plain = malloc(length + 1);
    char *coded = NULL;
    if (plain) {
        memcpy(plain, text, length);
        plain[length] = more;
        coded = base64_encode(plain, length + (more != 0));
    }
    json_t *json = coded ? json_string(coded) : NULL;
    free(plain);
    free(coded);
    return json;
}

/* New text of a base64 string; "" where @p json is missing, NULL where it is not base64 of a text. */
static char *base64_text(const json_t *json)
{
    return base64_decode_text(json_is_string(json) ? json_string_value(json) : "");
}

/* The gateway writes 64-bit numbers as strings, and leaves zeros out. */
static int64_t number(const json_t *json)
{
    return json_is_string(json) ? strtoll(json_string_value(json), NULL, 10) : json_integer_value(json);
}

/* Takes @p request. */
static char *print(json_t *request)
{
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    return text;
}

/* {"key": "<directory>/", "range_end": "<directory>0"}: all keys below the directory. */
static json_t *below(const char *directory)
{
    return json_pack("{s:o, s:o}", "key", base64_json(directory, '/'), "range_end", base64_json(directory, '0'));
}

char *etcd_range_request(const char *directory, bool count_only)
{
    json_t *request = below(directory);
    if (request && count_only && json_object_set_new(request, "count_only", json_true()) != 0) {
        json_decref(request);
        return NULL;
    }
    return print(request);
}

char *etcd_key_request(const char *key)
{
    return print(json_pack("{s:o}", "key", base64_json(key, 0)));
}

char *etcd_watch_request(const char *directory, int64_t from_revision)
{
    json_t *create = below(directory);
    char revision[24];
    snprintf(revision, sizeof revision, "%lld", (long long)from_revision);
    if (!create || json_object_set_new(create, "start_revision", json_string(revision)) != 0 ||
        json_object_set_new(create, "progress_notify", json_true()) != 0) {
        json_decref(create);
        return NULL;
    }
    return print(json_pack("{s:o}", "create_request", create));
}

char *etcd_watch_key_request(const char *key, int64_t from_revision)
{
    char revision[24];
    snprintf(revision, sizeof revision, "%lld", (long long)from_revision);
    return print(json_pack("{s:{s:o, s:s}}", "create_request", "key", base64_json(key, 0), "start_revision", revision));
}

static json_t *put_json(const char *key, const char *value, const char *lease)
{
    return json_pack("{s:o, s:o, s:s}", "key", base64_json(key, 0), "value", base64_json(value, 0), "lease", lease);
}

char *etcd_put_request(const char *key, const char *value, const char *lease)
{
    return print(put_json(key, value, lease));
}

char *etcd_acquire_request(const char *key, const char *value, const char *lease)
{
    return print(json_pack("{s:[{s:s, s:s, s:o, s:s}], s:[{s:o}], s:[{s:{s:o}}]}", "compare", "result", "EQUAL",
                           "target", "CREATE", "key", base64_json(key, 0), "create_revision", "0", "success",
                           "request_put", put_json(key, value, lease), "failure", "request_range", "key",
                           base64_json(key, 0)));
}

static void add_revision(json_t *object, const char *name, int64_t revision)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)revision);
    json_object_set_new(object, name, json_string(text));
}

char *etcd_page_request(const char *from, const char *to, int limit, int64_t revision)
{
    json_t *request =
        json_pack("{s:o, s:o, s:i}", "key", base64_json(from, 0), "range_end", base64_json(to, 0), "limit", limit);
    if (request && revision > 0)
        add_revision(request, "revision", revision);
    return print(request);
}

static json_t *guard_json(const struct etcd_guard *guard)
{
    bool modified = guard->modified >= 0;
    json_t *json = json_pack("{s:s, s:s, s:o}", "result", "EQUAL", "target", modified ? "MOD" : "CREATE", "key",
                             base64_json(guard->key, 0));
    if (json)
        add_revision(json, modified ? "mod_revision" : "create_revision", modified ? guard->modified : guard->created);
    return json;
}

static json_t *change_json(const char *root, const struct kv_change *change)
{
    char *key = text_format("%s/%s", root, change->key);
    json_t *json_key = key ? base64_json(key, 0) : NULL;
    char *value = change->value ? base64_encode(change->value, change->length) : NULL;
    json_t *json = NULL;
    if (json_key && change->value && value)
        json = json_pack("{s:{s:O, s:s}}", "request_put", "key", json_key, "value", value);
    else if (json_key && !change->value)
        json = json_pack("{s:{s:O}}", "request_delete_range", "key", json_key);
    json_decref(json_key);
    free(value);
    free(key);
    return json;
}

char *etcd_guarded_request(const struct etcd_guard *guards, size_t guard_count, const char *root,
                           const struct kv_change *changes, size_t count)
{
    json_t *compare = json_array(), *success = json_array();
    bool complete = true;
    for (size_t i = 0; i < guard_count; i++)
        complete &= json_array_append_new(compare, guard_json(&guards[i])) == 0;
    for (size_t i = 0; i < count; i++)
        complete &= json_array_append_new(success, change_json(root, &changes[i])) == 0;
    json_t *request = json_pack("{s:o, s:o}", "compare", compare, "success", success);
    if (request && complete)
        return print(request);
    json_decref(request);
    return NULL;
}

char *etcd_grant_request(int64_t ttl_s)
{
    return print(json_pack("{s:I}", "TTL", (json_int_t)ttl_s));
}

char *etcd_lease_request(const char *lease)
{
    return print(json_pack("{s:s}", "ID", lease));
}

/* A key that is no text (never ours) keeps its base64, so that what we know has as many keys as etcd counts. */
static char *key_text(const json_t *pair)
{
    const json_t *json = json_object_get(pair, "key");
    if (!json_is_string(json))
        return NULL;
    char *key = base64_text(json);
    return key ? key : strdup(json_string_value(json));
}

static int put_pair(struct kv_table *table, const json_t *pair)
{
    char *key = key_text(pair);
    char *value = base64_text(json_object_get(pair, "value"));
    /* A value that is no text is as good as none. */
    int status = key ? kv_table_put(table, key, value ? value : "") : -1;
    free(key);
    free(value);
    return status;
}

/* @p text must be an object with a header, as each of etcd's answers is. */
static json_t *load_answer(const char *text)
{
    json_t *root = text ? json_loads(text, 0, NULL) : NULL;
    if (json_is_object(json_object_get(root, "header")))
        return root;
    json_decref(root);
    return NULL;
}

int etcd_parse_range(const char *text, struct kv_table *table, int64_t *ret_revision)
{
    json_t *root = load_answer(text), *pair;
    size_t i;
    int status = root ? 0 : -1;
    json_array_foreach (json_object_get(root, "kvs"), i, pair) {
        if (status == 0)
            status = put_pair(table, pair);
    }
    if (status == 0)
        *ret_revision = number(json_object_get(json_object_get(root, "header"), "revision"));
    json_decref(root);
    return status;
}

int etcd_parse_count(const char *text, int64_t *ret_count)
{
    json_t *root = load_answer(text);
    if (!root)
        return -1;
    *ret_count = number(json_object_get(root, "count"));
    json_decref(root);
    return 0;
}

static void copy_lease(char *lease, size_t size, const json_t *json)
{
    snprintf(lease, size, "%lld", (long long)number(json));
}

/* The first key of a range's answer, which is part of @p root. */
static void take_key(struct etcd_key *ret, const json_t *root, const json_t *range)
{
    const json_t *pair = json_array_get(json_object_get(range, "kvs"), 0);
    *ret = (struct etcd_key){.present = pair != NULL,
                             .revision = number(json_object_get(json_object_get(root, "header"), "revision"))};
    if (!pair)
        return;
    copy_lease(ret->lease, sizeof ret->lease, json_object_get(pair, "lease"));
    ret->created = number(json_object_get(pair, "create_revision"));
    ret->value = base64_text(json_object_get(pair, "value"));
}

int etcd_parse_key(const char *text, struct etcd_key *ret)
{
    json_t *root = load_answer(text);
    if (!root)
        return -1;
    take_key(ret, root, root);
    json_decref(root);
    return 0;
}

int etcd_parse_grant(const char *text, char *lease, size_t size, int64_t *ret_ttl_s)
{
    json_t *root = load_answer(text);
    int64_t id = number(json_object_get(root, "ID"));
    if (id != 0)
        copy_lease(lease, size, json_object_get(root, "ID"));
    if (id != 0 && ret_ttl_s)
        *ret_ttl_s = number(json_object_get(root, "TTL"));
    json_decref(root);
    return id != 0 ? 0 : -1;
}

int etcd_parse_acquire(const char *text, bool *ret_put, struct etcd_key *ret)
{
    json_t *root = load_answer(text);
    if (!root)
        return -1;
    const json_t *answer = json_array_get(json_object_get(root, "responses"), 0);
    *ret_put = json_is_true(json_object_get(root, "succeeded"));
    take_key(ret, root, json_object_get(answer, "response_range"));
    bool good = *ret_put ? ret->revision > 0 && !ret->present : json_is_object(answer);
    if (!good) {
        free(ret->value);
        ret->value = NULL;
    }
    json_decref(root);
    return good ? 0 : -1;
}

int etcd_parse_guarded(const char *text, bool *ret_done, int64_t *ret_revision)
{
    json_t *root = load_answer(text);
    int64_t revision = number(json_object_get(json_object_get(root, "header"), "revision"));
    if (revision > 0) {
        *ret_done = json_is_true(json_object_get(root, "succeeded"));
        *ret_revision = revision;
    }
    json_decref(root);
    return revision > 0 ? 0 : -1;
}

/* One key and value of a page. */
static int tell_pair(const json_t *pair, size_t skip, kv_store_fn fn, void *data)
{
    const char *coded = json_string_value(json_object_get(pair, "value"));
    char *key = base64_text(json_object_get(pair, "key"));
    size_t length = 0;
    char *value = base64_decode(coded ? coded : "", &length);
    int status = value ? 0 : -1;
    if (key && value && strlen(key) >= skip) /* one that is no text is nobody's that we know */
        status = fn(data, key + skip, value, length) == 0 ? 0 : -1;
    free(key);
    free(value);
    return status;
}

int etcd_parse_page(const char *text, size_t skip, kv_store_fn fn, void *data, char **ret_next, int64_t *ret_revision)
{
    json_t *root = load_answer(text), *pair;
    const json_t *pairs = json_object_get(root, "kvs");
    size_t i, count = json_array_size(pairs);
    int status = root ? 0 : -1;
    *ret_next = NULL;
    json_array_foreach (pairs, i, pair) {
        if (status == 0)
            status = tell_pair(pair, skip, fn, data);
    }
    if (status == 0 && json_is_true(json_object_get(root, "more"))) {
        /* Keys are texts: the next one after "k" could be "k" and one more byte, of which 1 is the least. */
        char *last = base64_text(json_object_get(json_array_get(pairs, count - 1), "key"));
        *ret_next = last ? text_format("%s\001", last) : NULL;
        status = *ret_next ? 0 : -1;
        free(last);
    }
    if (status == 0)
        *ret_revision = number(json_object_get(json_object_get(root, "header"), "revision"));
    json_decref(root);
    return status;
}

int etcd_parse_keep_alive(const char *text, bool *ret_alive)
{
    json_t *root = text ? json_loads(text, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    const json_t *result = json_object_get(root, "result");
    bool good = json_is_object(result);
    if (good)
        *ret_alive = number(json_object_get(result, "TTL")) > 0;
    json_decref(root);
    return good ? 0 : -1;
}

static enum etcd_event apply_event(const json_t *event, struct kv_table *table)
{
    const char *type = json_string_value(json_object_get(event, "type"));
    const json_t *pair = json_object_get(event, "kv");
    if (!type || strcmp(type, "PUT") == 0)
        return put_pair(table, pair) == 0 ? ETCD_CHANGED : ETCD_BROKEN;
    char *key = key_text(pair);
    if (!key)
        return ETCD_BROKEN;
    kv_table_remove(table, key);
    free(key);
    return ETCD_CHANGED;
}

enum etcd_event etcd_apply_watch(const char *text, struct kv_table *table)
{
    json_t *root = json_loads(text, 0, NULL), *one;
    const json_t *result = json_object_get(root, "result");
    enum etcd_event event = json_is_object(result) ? ETCD_NOTHING : ETCD_BROKEN;
    size_t i;
    if (json_is_true(json_object_get(result, "canceled")))
        event = ETCD_LIST;
    json_array_foreach (json_object_get(result, "events"), i, one) {
        if (event < ETCD_LIST)
            event = apply_event(one, table);
    }
    json_decref(root);
    return event;
}
