/* SPDX-License-Identifier: Apache-2.0 */
/* Records' keys in a store: how they lie there, and what becomes of a writer that was replaced, on a stand-in for the
 * few calls of etcd's v3 API that they take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base64.h"
#include "discovery.h"
#include "http_client.h"
#include "http_peer.h"
#include "kv_bucket.h"
#include "kv_store.h"
#include "text.h"

#define ROOT "pre/docker/swarm/records/"

/* --- etcd, as far as it goes --- */

static struct {
    json_t *keys; /* key: [value in base64, create_revision, mod_revision] */
    json_int_t revision;
    bool lose_answer; /* of the next transaction, which is carried out */
} etcd;

static char *text_at(const json_t *object, const char *key)
{
    const char *coded = json_string_value(json_object_get(object, key));

    return base64_decode_text(coded ? coded : "");
}

static void put(const char *key, const char *coded)
{
    const json_t *old = json_object_get(etcd.keys, key);
    json_int_t created = old ? json_integer_value(json_array_get(old, 1)) : etcd.revision;

    json_object_set_new(etcd.keys, key, json_pack("[s, I, I]", coded, created, etcd.revision));
}

/* As another program does it. */
static void put_text(const char *key, const char *value)
{
    char *coded = base64_encode(value, strlen(value));

    etcd.revision++;
    put(key, coded);
    free(coded);
}

static bool holds(const json_t *compare)
{
    const char *mod = json_string_value(json_object_get(compare, "mod_revision"));
    const char *created = json_string_value(json_object_get(compare, "create_revision"));
    char *key = text_at(compare, "key");
    const json_t *found = json_object_get(etcd.keys, key);
    json_int_t is = found ? json_integer_value(json_array_get(found, mod ? 2 : 1)) : 0;

    free(key);
    return is == atoll(mod ? mod : created);
}

static void carry_out(const json_t *operation)
{
    const json_t *request = json_object_get(operation, "request_put");
    const json_t *removal = json_object_get(operation, "request_delete_range");
    char *key = text_at(request ? request : removal, "key");

    if (request) {
        put(key, json_string_value(json_object_get(request, "value")));
    } else {
        json_object_del(etcd.keys, key);
    }
    free(key);
}

static char *header_with(const char *rest)
{
    return text_format("{\"header\":{\"revision\":\"%lld\"}%s}", (long long)etcd.revision, rest);
}

static char *transact(const json_t *request)
{
    json_t *one;
    size_t i;

    json_array_foreach (json_object_get(request, "compare"), i, one) {
        if (!holds(one)) {
            return header_with("");
        }
    }
    etcd.revision++;
    json_array_foreach (json_object_get(request, "success"), i, one) {
        carry_out(one);
    }
    return header_with(",\"succeeded\":true");
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char *list(const json_t *request)
{
    char *from = text_at(request, "key"), *to = text_at(request, "range_end");
    size_t limit = (size_t)json_integer_value(json_object_get(request, "limit")), count = 0;
    const char **keys = calloc(json_object_size(etcd.keys) + 1, sizeof(*keys));
    json_t *pairs = json_array(), *value;
    const char *key;
    char *text, *answer;

    json_object_foreach (etcd.keys, key, value) {
        if (strcmp(key, from) >= 0 && strcmp(key, to) < 0) {
            keys[count++] = key;
        }
    }
    qsort(keys, count, sizeof(*keys), by_key);
    for (size_t i = 0; i < count && i < limit; i++) {
        char *coded = base64_encode(keys[i], strlen(keys[i]));

        json_array_append_new(pairs, json_pack("{s:s, s:O}", "key", coded, "value",
                                               json_array_get(json_object_get(etcd.keys, keys[i]), 0)));
        free(coded);
    }
    text = json_dumps(pairs, 0);
    json_decref(pairs);
    answer = text_format("{\"header\":{\"revision\":\"%lld\"},\"kvs\":%s,\"more\":%s}", (long long)etcd.revision, text,
                         count > limit ? "true" : "false");
    free(text);
    free(keys);
    free(from);
    free(to);
    return answer;
}

static void answer_as_etcd(void *data, const struct peer_request *request, struct peer_answer *answer)
{
    json_t *body = json_loads(request->body, 0, NULL);

    if (!strcmp(request->path, "/v3/kv/txn")) {
        answer->body = transact(body);
        if (etcd.lose_answer) {
            etcd.lose_answer = false;
            free(answer->body);
            answer->body = NULL;
            answer->status = 503;
        }
    } else if (!strcmp(request->path, "/v3/kv/range")) {
        answer->body = list(body);
    } else {
        answer->status = 404;
    }
    json_decref(body);
}

/* --- writers --- */

static struct http_peer *peer;

static int set_up(void **state)
{
    etcd.keys = json_object();
    etcd.revision = 7;
    etcd.lose_answer = false;
    peer = http_peer_new(answer_as_etcd, NULL);
    return 0;
}

static int tear_down(void **state)
{
    http_peer_free(peer);
    json_decref(etcd.keys);
    return 0;
}

struct writer {
    struct discovery *discovery;
    struct kv_store *store;
};

static void open_writer(struct writer *writer)
{
    char *url = text_format("etcd://%s/pre", http_peer_address(peer)), *error = NULL;
    const struct discovery_options options = {.url = url, .heartbeat_ms = 1000, .ttl_ms = 1000};

    assert_int_equal(discovery_new(&writer->discovery, &options, &error), 0);
    assert_true(kv_store_is_there(writer->discovery));
    assert_int_equal(kv_store_new(&writer->store, writer->discovery, &error), 0);
    assert_non_null(strstr(kv_store_place(writer->store), "/pre/docker/swarm/records"));
    free(url);
}

static void close_writer(struct writer *writer)
{
    kv_store_free(writer->store);
    discovery_free(writer->discovery);
}

static int begins(struct writer *writer, uint64_t term)
{
    char *error = NULL;
    int status = kv_store_begin(writer->store, term, "{\"v\":1}", &error);

    free(error);
    return status;
}

static int writes(struct writer *writer, const char *key, const char *value)
{
    const struct kv_change change = {key, value, value ? strlen(value) : 0};
    char *error = NULL;
    int status = kv_store_apply(writer->store, &change, 1, &error);

    free(error);
    return status;
}

static int append(void *data, const char *key, const char *value, size_t length)
{
    char *text = data;

    sprintf(text + strlen(text), "%s=%.*s ", key, (int)length, value);
    return 0;
}

static const char *contents(struct writer *writer, const char *from, const char *to)
{
    static char text[65536];
    char *error = NULL;

    text[0] = '\0';
    assert_int_equal(kv_store_load(writer->store, from, to, append, text, &error), 0);
    return text;
}

static void test_what_was_written_is_read(void **state)
{
    struct writer writer;

    open_writer(&writer);
    assert_int_equal(begins(&writer, 0), 0);
    assert_int_equal(writes(&writer, "kept/b/1", "x"), 0);
    assert_int_equal(writes(&writer, "kept/a/1", "y"), 0);
    assert_int_equal(writes(&writer, "kept/c/1", "z"), 0);
    assert_int_equal(writes(&writer, "kept/c/1", NULL), 0);
    assert_int_equal(writes(&writer, "kept/never", NULL), 0);
    assert_string_equal(contents(&writer, "kept/", "kept0"), "kept/a/1=y kept/b/1=x ");
    assert_string_equal(contents(&writer, "kept/b/", "kept/b0"), "kept/b/1=x ");
    assert_non_null(json_object_get(etcd.keys, ROOT "kept/b/1"));
    close_writer(&writer);
}

static void test_pages_are_read_to_their_end(void **state)
{
    struct writer writer;
    char key[64];
    size_t spaces = 0;

    open_writer(&writer);
    assert_int_equal(begins(&writer, 0), 0);
    for (int i = 0; i < 1234; i++) {
        snprintf(key, sizeof(key), ROOT "kept/k/%d", i);
        put_text(key, "v");
    }
    for (const char *at = contents(&writer, "kept/", "kept0"); *at; at++) {
        spaces += *at == ' ';
    }
    assert_int_equal(spaces, 1234);
    close_writer(&writer);
}

static void test_writer_that_was_replaced_writes_nothing(void **state)
{
    struct writer first, second;

    open_writer(&first);
    open_writer(&second);
    assert_int_equal(begins(&first, 0), 0);
    assert_int_equal(writes(&first, "kept/a", "1"), 0);
    assert_int_equal(begins(&second, 0), 0);
    assert_int_equal(writes(&first, "kept/a", "2"), KV_STORE_LOST);
    assert_int_equal(writes(&first, "kept/a", NULL), KV_STORE_LOST);
    assert_string_equal(contents(&second, "kept/", "kept0"), "kept/a=1 ");
    assert_int_equal(writes(&second, "kept/a", "3"), 0);
    close_writer(&second);
    close_writer(&first);
}

static void test_leader_of_an_earlier_term_writes_nothing(void **state)
{
    struct writer first, second;

    open_writer(&first);
    open_writer(&second);
    put_text("pre/docker/swarm/leader", "a:1"); /* its create_revision is 8 */
    assert_int_equal(begins(&first, 7), KV_STORE_LOST);
    assert_int_equal(begins(&first, 0), KV_STORE_LOST); /* one without --replication */
    assert_int_equal(begins(&first, 8), 0);
    assert_int_equal(writes(&first, "kept/a", "1"), 0);
    json_object_del(etcd.keys, "pre/docker/swarm/leader");
    assert_int_equal(writes(&first, "kept/a", "2"), KV_STORE_LOST); /* before there is another one */
    put_text("pre/docker/swarm/leader", "b:1");
    assert_int_equal(writes(&first, "kept/a", "2"), KV_STORE_LOST);
    assert_int_equal(begins(&second, (uint64_t)etcd.revision), 0);
    assert_int_equal(begins(&first, 8), KV_STORE_LOST);
    assert_int_equal(writes(&second, "kept/a", "3"), 0);
    assert_string_equal(contents(&second, "kept/", "kept0"), "kept/a=3 ");
    close_writer(&second);
    close_writer(&first);
}

static void test_lost_answer_is_made_up_for(void **state)
{
    struct writer writer;

    open_writer(&writer);
    etcd.lose_answer = true;
    assert_int_equal(begins(&writer, 0), -1);
    assert_int_equal(begins(&writer, 0), 0);
    etcd.lose_answer = true;
    assert_int_equal(writes(&writer, "kept/a", "1"), -1);
    assert_int_equal(writes(&writer, "kept/a", "1"), 0);
    close_writer(&writer);
}

static void test_who_writes_can_be_read(void **state)
{
    struct writer writer;
    char *text, *error = NULL;

    open_writer(&writer);
    assert_int_equal(kv_store_writer(writer.store, &text, &error), 0);
    assert_null(text);
    assert_int_equal(begins(&writer, 0), 0);
    assert_int_equal(kv_store_writer(writer.store, &text, &error), 0);
    assert_string_equal(text, "{\"v\":1}");
    free(text);
    close_writer(&writer);
}

static void test_store_that_is_down_is_named(void **state)
{
    struct writer writer;
    const struct kv_change change = {"kept/a", "1", 1};
    char *error = NULL;

    open_writer(&writer);
    assert_int_equal(begins(&writer, 0), 0);
    http_peer_kill(peer);
    assert_int_equal(kv_store_apply(writer.store, &change, 1, &error), -1);
    assert_non_null(strstr(error, http_peer_address(peer)));
    free(error);
    assert_int_equal(kv_store_load(writer.store, "kept/", "kept0", append, NULL, &error), -1);
    free(error);
    close_writer(&writer);
}

static void test_nodes_must_not_have_the_record_among_them(void **state)
{
    const char *const settings[] = {"kv.path=docker/swarm", NULL};
    const struct discovery_options options = {
        .url = "etcd://127.0.0.1:1", .settings = settings, .heartbeat_ms = 1000, .ttl_ms = 1000};
    struct discovery *discovery;
    struct kv_store *store;
    char *error = NULL;

    assert_int_equal(discovery_new(&discovery, &options, &error), 0);
    assert_int_equal(kv_store_new(&store, discovery, &error), -1);
    assert_non_null(strstr(error, "kv.path"));
    free(error);
    discovery_free(discovery);
}

static void test_lists_have_no_store(void **state)
{
    const struct discovery_options options = {.url = "nodes://127.0.0.1:1", .heartbeat_ms = 1000, .ttl_ms = 1000};
    struct discovery *discovery;
    char *error = NULL;

    assert_int_equal(discovery_new(&discovery, &options, &error), 0);
    assert_false(kv_store_is_there(discovery));
    discovery_free(discovery);
}

/* --- directories --- */

static void test_paths_of_keys(void **state)
{
    char *path = kv_bucket_path("kept/container/NODE/x.y/ID"), *same = kv_bucket_path("kept/container/NODE/x.y/ID");

    assert_string_equal(path, same);
    assert_int_equal(strncmp(path, "kept/container/", 15), 0);
    assert_string_equal(path + 18, "NODE%2Fx%2Ey%2FID");
    free(path);
    free(same);
    path = kv_bucket_path("kept/word");
    assert_int_equal(strncmp(path, "kept/=/", 7), 0);
    free(path);
}

/* What lies in directories: the paths of keys, values are their lengths. */
static char *paths[64];

static int names_in(struct kv_store *store, const char *directory, char ***ret, char **reterr)
{
    size_t length = strlen(directory);

    for (char **path = paths; *path; path++) {
        const char *name = *path + (length ? length + 1 : 0), *slash;
        bool known = false;

        if (strncmp(*path, directory, length) != 0 || (length && (*path)[length] != '/') ||
            !(slash = strchr(name, '/'))) {
            continue;
        }
        for (char **one = *ret; one && *one; one++) {
            known |= !strncmp(*one, name, (size_t)(slash - name)) && !(*one)[slash - name];
        }
        if (!known) {
            assert_int_equal(kv_bucket_names_add(ret, name, (size_t)(slash - name)), 0);
        }
    }
    return 0;
}

static int read_in(struct kv_store *store, const char *directory, kv_store_fn fn, void *data, char **reterr)
{
    size_t length = strlen(directory);

    for (char **path = paths; *path; path++) {
        if (!strncmp(*path, directory, length) && (*path)[length] == '/' && fn(data, *path + length + 1, "v", 1)) {
            return -1;
        }
    }
    return 0;
}

static size_t found_among(const char *from, const char *to)
{
    static const struct kv_bucket_ops ops = {names_in, read_in};
    char text[4096] = "", *error = NULL;
    size_t count = 0;

    assert_int_equal(kv_bucket_load(NULL, &ops, from, to, append, text, &error), 0);
    for (const char *at = text; *at; at++) {
        count += *at == ' ';
    }
    return count;
}

static void test_keys_are_found_in_their_directories(void **state)
{
    static const char *const keys[] = {"kept/container/N/1", "kept/container/N/2", "kept/container/M:M/1",
                                       "kept/node/N",        "kept/word",          "aside/node/N"};
    size_t count = sizeof(keys) / sizeof(keys[0]);

    for (size_t i = 0; i < count; i++) {
        paths[i] = kv_bucket_path(keys[i]);
    }
    paths[count] = NULL;
    assert_int_equal(found_among("", "\x7f"), 6);
    assert_int_equal(found_among("kept/", "kept0"), 5);
    assert_int_equal(found_among("kept/container/", "kept/container0"), 3);
    assert_int_equal(found_among("kept/container/N/1", "kept/container/N/1\001"), 1);
    assert_int_equal(found_among("kept/", "kept/container/"), 0);
    assert_int_equal(found_among("kept/container0", "kept/\x7f"), 2);
    assert_int_equal(found_among("kept/word", "kept/word\001"), 1);
    for (size_t i = 0; i < count; i++) {
        free(paths[i]);
    }
}

#define WITH_ETCD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ETCD(test_what_was_written_is_read),
        WITH_ETCD(test_pages_are_read_to_their_end),
        WITH_ETCD(test_writer_that_was_replaced_writes_nothing),
        WITH_ETCD(test_leader_of_an_earlier_term_writes_nothing),
        WITH_ETCD(test_lost_answer_is_made_up_for),
        WITH_ETCD(test_who_writes_can_be_read),
        WITH_ETCD(test_store_that_is_down_is_named),
        cmocka_unit_test(test_nodes_must_not_have_the_record_among_them),
        cmocka_unit_test(test_lists_have_no_store),
        cmocka_unit_test(test_paths_of_keys),
        cmocka_unit_test(test_keys_are_found_in_their_directories),
    };

    http_client_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
