/* SPDX-License-Identifier: Apache-2.0 */
/* v2: a few changes are made one by one behind a look at the writer's key and the lock's: a writer that is replaced
 * after that look may still make those. */
#include <curl/curl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "kv_bucket.h"
#include "kv_store_etcd.h"
#include "text.h"

enum { KEY_NOT_FOUND = 100, AT_ONCE = 16 };

/* Takes @p path, which is below the root of the keys, and @p form. 0 with *result where etcd answered; *ret_error: its
 * code, 0 where it did as it was told. */
static int call(struct kv_store *store, const char *method, char *path, const char *query, char *form,
                struct http_result *result, int *ret_error, char **reterr)
{
    struct etcd *etcd = store->state;
    char *escaped = path ? etcd_v2_path(path) : NULL;
    char *target = escaped && (form || strcmp(method, "PUT") != 0) ? text_format("%s%s", escaped, query) : NULL;
    int status = etcd_call(etcd, &(struct etcd_question){.method = method, .path = target, .body = form, .form = true},
                           result, reterr);
    free(target);
    free(escaped);
    free(form);
    free(path);
    if (status != 0)
        return -1;
    *ret_error = etcd_v2_error(result);
    if (etcd_api_missing(result))
        etcd_switch_api(etcd, result); /* whoever asked sees that, and asks the other one */
    if (*ret_error == KEY_NOT_FOUND || (*ret_error == 0 && result->status / 100 == 2))
        return 0;
    status = etcd_refuse(etcd, result, reterr);
    http_result_clear(result);
    return status;
}

/* The key as it is; its value NULL where there is none. */
static int look(struct kv_store *store, const char *path, struct etcd_v2_key *key, char **reterr)
{
    struct http_result result;
    int error, status = call(store, "GET", strdup(path), "?quorum=true", NULL, &result, &error, reterr);
    *key = (struct etcd_v2_key){0};
    if (status != 0)
        return -1;
    if (error == 0 && etcd_parse_v2_key(result.body, key) != 0)
        status = etcd_refuse(store->state, &result, reterr);
    http_result_clear(&result);
    return status;
}

static char *path_of(const struct kv_store *store, const char *below)
{
    return text_format("%s/%s", store->place->records, below);
}

/* Whether the lock is as it was when we got it, or as nobody has it. */
static int check_lock(struct kv_store *store, char **reterr)
{
    struct etcd_v2_key key;
    if (look(store, store->place->leader, &key, reterr) != 0)
        return -1;
    free(key.value);
    return key.created == (int64_t)store->term ? 0 : KV_STORE_LOST;
}

static int look_at_writer(struct kv_store *store, struct etcd_v2_key *key, char **reterr)
{
    char *path = path_of(store, KV_STORE_WRITER);
    int status = path ? look(store, path, key, reterr) : discovery_fail(reterr, "out of memory");
    free(path);
    return status;
}

int kv_store_v2_writer(struct kv_store *store, char **ret, char **reterr)
{
    struct etcd_v2_key key;
    int status = look_at_writer(store, &key, reterr);
    if (status == 0)
        *ret = key.value;
    return status;
}

/* Takes @p path. @p index: of the change; NULL: not wanted. */
static int put(struct kv_store *store, char *path, const char *value, size_t length, int64_t *ret_index, char **reterr)
{
    struct http_result result;
    struct etcd_v2_key key = {0};
    int error;
    char *escaped = length > 0 ? curl_easy_escape(NULL, value, (int)length) : NULL;
    char *form = escaped || length == 0 ? text_format("value=%s", escaped ? escaped : "") : NULL;
    curl_free(escaped);
    int status = call(store, "PUT", path, "", form, &result, &error, reterr);
    if (status != 0)
        return -1;
    if (error != 0 || etcd_parse_v2_key(result.body, &key) != 0)
        status = etcd_refuse(store->state, &result, reterr);
    http_result_clear(&result);
    free(key.value);
    if (status == 0 && ret_index)
        *ret_index = key.modified;
    return status;
}

int kv_store_v2_begin(struct kv_store *store, const char *writer, char **reterr)
{
    int status = check_lock(store, reterr);
    store->unguarded = true;
    return status == 0 ? put(store, path_of(store, KV_STORE_WRITER), writer, strlen(writer), &store->mark, reterr)
                       : status;
}

/* --- writing --- */

static int check_writer(struct kv_store *store, char **reterr)
{
    struct etcd_v2_key key;
    if (look_at_writer(store, &key, reterr) != 0)
        return -1;
    free(key.value);
    if (key.modified != store->mark)
        return KV_STORE_LOST;
    return store->term ? check_lock(store, reterr) : 0;
}

static int change(struct kv_store *store, const struct kv_change *change, char **reterr)
{
    struct http_result result;
    int error;
    char *below = kv_bucket_path(change->key), *path = below ? path_of(store, below) : NULL;
    free(below);
    if (change->value)
        return put(store, path, change->value, change->length, NULL, reterr);
    if (call(store, "DELETE", path, "", NULL, &result, &error, reterr) != 0)
        return -1;
    http_result_clear(&result);
    return 0;
}

int kv_store_v2_apply(struct kv_store *store, const struct kv_change *changes, size_t count, char **reterr)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++) {
        if (i % AT_ONCE == 0)
            status = check_writer(store, reterr);
        if (status == 0)
            status = change(store, &changes[i], reterr);
    }
    return status;
}

/* --- reading --- */

/* The nodes of a directory, new reference; *ret NULL where it is not there. */
static int list(struct kv_store *store, const char *directory, json_t **ret, char **reterr)
{
    struct http_result result;
    int error;
    char *path = *directory ? path_of(store, directory) : strdup(store->place->records);
    *ret = NULL;
    if (call(store, "GET", path, "?quorum=true", NULL, &result, &error, reterr) != 0)
        return -1;
    int status = 0;
    json_t *root = error == 0 && result.body ? json_loads(result.body, 0, NULL) : NULL;
    const json_t *node = json_object_get(root, "node");
    if (error == 0 && !json_is_true(json_object_get(node, "dir")))
        status = etcd_refuse(store->state, &result, reterr);
    else if (error == 0)
        *ret = json_incref(json_object_get(node, "nodes"));
    json_decref(root);
    http_result_clear(&result);
    return status;
}

/* The last part of a node's key. */
static const char *name_of(const json_t *node)
{
    const char *key = json_string_value(json_object_get(node, "key")), *slash = key ? strrchr(key, '/') : NULL;
    return slash ? slash + 1 : "";
}

static int names(struct kv_store *store, const char *directory, char ***ret, char **reterr)
{
    json_t *nodes, *node;
    size_t i;
    int status = list(store, directory, &nodes, reterr);
    json_array_foreach (nodes, i, node) {
        if (status == 0 && json_is_true(json_object_get(node, "dir")))
            status = kv_bucket_names_add(ret, name_of(node), strlen(name_of(node)));
    }
    json_decref(nodes);
    return status;
}

static int read_values(struct kv_store *store, const char *directory, kv_store_fn fn, void *data, char **reterr)
{
    json_t *nodes, *node;
    size_t i;
    int status = list(store, directory, &nodes, reterr);
    json_array_foreach (nodes, i, node) {
        const json_t *value = json_object_get(node, "value");
        if (status == 0 && json_is_string(value))
            status = fn(data, name_of(node), json_string_value(value), json_string_length(value)) == 0 ? 0 : -1;
    }
    json_decref(nodes);
    return status;
}

int kv_store_v2_load(struct kv_store *store, const char *from, const char *to, kv_store_fn fn, void *data,
                     char **reterr)
{
    static const struct kv_bucket_ops ops = {names, read_values};
    return kv_bucket_load(store, &ops, from, to, fn, data, reterr);
}
