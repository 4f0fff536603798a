/* SPDX-License-Identifier: Apache-2.0 */
/* Each batch is a transaction that compares the ModifyIndex of the writer's key, and the lock's, which is its term. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "discovery_consul.h"
#include "kv_bucket.h"
#include "kv_store_private.h"
#include "text.h"

enum {
    CHANGES_MAX = 60,             /* Consul takes 64 operations in a transaction, two of which are ours */
    BYTES_MAX = 350 * 1024,       /* … and 512 KiB, with values in base64 */
    ANSWER_BYTES_MAX = 256 << 20, /* of one directory */
    CALL_TIMEOUT_MS = 10000,
};

static char *key_of(const struct kv_store *store, const char *below)
{
    return text_format("%s/%s", store->place->records, below);
}

static int refuse(struct kv_store *store, const struct http_result *result, char **reterr)
{
    *reterr = consul_failure_text(store->state, result);
    return -1;
}

/* --- transactions --- */

/* Takes @p key. @p index: what is compared; 0: nothing. @p value: NULL: none. */
static int add(json_t *operations, const char *verb, char *key, int64_t index, const char *value, size_t length)
{
    json_t *kv = key ? json_pack("{s:s, s:s}", "Verb", verb, "Key", key) : NULL;
    char *coded = value ? base64_encode(value, length) : NULL;
    int status = kv && (coded || !value) ? 0 : -1;
    if (status == 0 && index > 0)
        status = json_object_set_new(kv, "Index", json_integer(index));
    if (status == 0 && value)
        status = json_object_set_new(kv, "Value", json_string(coded));
    if (status == 0)
        status = json_array_append_new(operations, json_pack("{s:O}", "KV", kv));
    json_decref(kv);
    free(coded);
    free(key);
    return status;
}

/* That the key is as it was left; @p index 0: that it is not there. */
static int add_check(json_t *operations, char *key, int64_t index)
{
    return add(operations, index > 0 ? "check-index" : "check-not-exists", key, index, NULL, 0);
}

/* The ModifyIndex that the writer's key has got, where it is among the results. */
static int64_t index_of_writer(const struct kv_store *store, const json_t *results)
{
    char *writer = key_of(store, KV_STORE_WRITER);
    const json_t *one;
    size_t i;
    int64_t index = 0;
    json_array_foreach (results, i, one) {
        const json_t *kv = json_object_get(one, "KV");
        const char *key = json_string_value(json_object_get(kv, "Key"));
        if (writer && key && strcmp(key, writer) == 0)
            index = json_integer_value(json_object_get(kv, "ModifyIndex"));
    }
    free(writer);
    return index;
}

/* Takes @p operations. KV_STORE_LOST where a comparison failed; *ret_index as above, NULL: not wanted. */
static int transact(struct kv_store *store, json_t *operations, int64_t *ret_index, char **reterr)
{
    struct consul *consul = store->state;
    struct http_result result;
    char *body = json_dumps(operations, JSON_COMPACT);
    json_decref(operations);
    if (!body)
        return discovery_fail(reterr, "out of memory");
    if (consul_call(consul, "PUT", consul_url(consul, "/v1/txn", "", ""), body, &result, reterr) != 0)
        return -1;
    json_t *root = result.body ? json_loads(result.body, 0, NULL) : NULL;
    int64_t index = index_of_writer(store, json_object_get(root, "Results"));
    int status = 0;
    if (result.status == 409 && json_array_size(json_object_get(root, "Errors")) > 0)
        status = KV_STORE_LOST; /* what we set and delete does not fail */
    else if (result.status != 200 || !json_is_object(root) || (ret_index && index <= 0))
        status = refuse(store, &result, reterr);
    if (status == 0 && ret_index)
        *ret_index = index;
    json_decref(root);
    http_result_clear(&result);
    return status;
}

/* The lock's key, of which its last holder's address stays. *ret_index: what it has to be while nobody holds it. */
static int look_for_holder(struct kv_store *store, int64_t *ret_index, char **reterr)
{
    struct consul_key key = {0};
    if (consul_look(store->state, store->place->leader, &key, reterr) != 0)
        return -1;
    free(key.value);
    *ret_index = key.modified;
    return *key.session ? KV_STORE_LOST : 0;
}

static int begin(struct kv_store *store, const char *writer, char **reterr)
{
    int64_t lock = (int64_t)store->term;
    int status = lock ? 0 : look_for_holder(store, &lock, reterr);
    json_t *operations = status == 0 ? json_array() : NULL;
    if (status != 0)
        return status;
    if (add_check(operations, strdup(store->place->leader), lock) != 0 ||
        add(operations, "set", key_of(store, KV_STORE_WRITER), 0, writer, strlen(writer)) != 0) {
        json_decref(operations);
        return discovery_fail(reterr, "out of memory");
    }
    return transact(store, operations, &store->mark, reterr);
}

static int add_change(const struct kv_store *store, json_t *operations, const struct kv_change *change)
{
    char *below = kv_bucket_path(change->key), *key = below ? key_of(store, below) : NULL;
    free(below);
    return add(operations, change->value ? "set" : "delete", key, 0, change->value, change->length);
}

static int apply(struct kv_store *store, const struct kv_change *changes, size_t count, char **reterr)
{
    json_t *operations = json_array();
    int status = add_check(operations, key_of(store, KV_STORE_WRITER), store->mark);
    if (status == 0 && store->term)
        status = add_check(operations, strdup(store->place->leader), (int64_t)store->term);
    for (size_t i = 0; status == 0 && i < count; i++)
        status = add_change(store, operations, &changes[i]);
    if (status == 0)
        return transact(store, operations, NULL, reterr);
    json_decref(operations);
    return discovery_fail(reterr, "out of memory");
}

/* --- reading --- */

static int writer(struct kv_store *store, char **ret, char **reterr)
{
    struct consul_key key = {0};
    char *name = key_of(store, KV_STORE_WRITER);
    int status = name ? consul_look(store->state, name, &key, reterr) : discovery_fail(reterr, "out of memory");
    free(name);
    if (status == 0)
        *ret = key.value;
    return status;
}

/* What is below a directory, an array; *ret NULL where there is nothing. *ret_skip: of its keys, the directory's part.
 */
static int list(struct kv_store *store, const char *directory, const char *query, json_t **ret, size_t *ret_skip,
                char **reterr)
{
    struct consul *consul = store->state;
    struct http_result result;
    char *key = text_format("%s/%s%s", store->place->records, directory, *directory ? "/" : "");
    char *url = key ? consul_url(consul, "/v1/kv/", key, query) : NULL;
    *ret = NULL;
    *ret_skip = key ? strlen(key) : 0;
    free(key);
    if (consul_call(consul, "GET", url, NULL, &result, reterr) != 0)
        return -1;
    int status = 0;
    if (result.status == 200)
        *ret = result.body ? json_loads(result.body, 0, NULL) : NULL;
    if (result.status != 404 && !json_is_array(*ret)) {
        status = refuse(store, &result, reterr);
        json_decref(*ret);
        *ret = NULL;
    }
    http_result_clear(&result);
    return status;
}

/* Keys that go on below the directory end with a slash here. */
static int names(struct kv_store *store, const char *directory, char ***ret, char **reterr)
{
    json_t *keys, *one;
    size_t i, skip;
    int status = list(store, directory, "?keys&separator=/&consistent", &keys, &skip, reterr);
    json_array_foreach (keys, i, one) {
        const char *key = json_string_value(one);
        size_t length = key ? strlen(key) : 0;
        if (status == 0 && length > skip + 1 && key[length - 1] == '/')
            status = kv_bucket_names_add(ret, key + skip, length - skip - 1);
    }
    json_decref(keys);
    return status;
}

static int read_values(struct kv_store *store, const char *directory, kv_store_fn fn, void *data, char **reterr)
{
    json_t *entries, *entry;
    size_t i, skip, length = 0;
    int status = list(store, directory, "?recurse&consistent", &entries, &skip, reterr);
    json_array_foreach (entries, i, entry) {
        const char *key = json_string_value(json_object_get(entry, "Key"));
        const char *coded = json_string_value(json_object_get(entry, "Value"));
        char *value = status == 0 && key && strlen(key) > skip ? base64_decode(coded ? coded : "", &length) : NULL;
        if (value)
            status = fn(data, key + skip, value, length) == 0 ? 0 : -1;
        free(value);
    }
    json_decref(entries);
    return status;
}

static int load(struct kv_store *store, const char *from, const char *to, kv_store_fn fn, void *data, char **reterr)
{
    static const struct kv_bucket_ops ops = {names, read_values};
    return kv_bucket_load(store, &ops, from, to, fn, data, reterr);
}

/* --- life --- */

/* One of its own beside discovery's, which other threads use. */
static int open_consul(struct kv_store *store, struct discovery *discovery, char **reterr)
{
    struct consul *shared = discovery->state, *consul = calloc(1, sizeof *consul);
    if (!consul || http_client_new(&consul->client) != 0) {
        free(consul);
        return discovery_fail(reterr, "out of memory or descriptors");
    }
    consul->discovery = discovery;
    consul->place = shared->place; /* borrowed, as are the headers */
    memcpy(consul->headers, shared->headers, sizeof consul->headers);
    consul->call_timeout_ms = CALL_TIMEOUT_MS;
    consul->max_response = ANSWER_BYTES_MAX;
    store->state = consul;
    store->place = &shared->place;
    return 0;
}

static void close_consul(struct kv_store *store)
{
    struct consul *consul = store->state;
    http_client_free(consul->client);
    free(consul);
}

const struct kv_store_backend kv_store_consul = {.changes_max = CHANGES_MAX,
                                                 .bytes_max = BYTES_MAX,
                                                 .open = open_consul,
                                                 .close = close_consul,
                                                 .writer = writer,
                                                 .begin = begin,
                                                 .load = load,
                                                 .apply = apply};
