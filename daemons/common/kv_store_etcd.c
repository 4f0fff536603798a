/* SPDX-License-Identifier: Apache-2.0 */
/* v3: each batch is a transaction that compares the mod_revision of the writer's key, and the create_revision of the
 * lock's, which is its term. Reading goes page by page, all of them as of one revision. */
#include <stdlib.h>
#include <string.h>

#include "kv_store_etcd.h"
#include "text.h"

enum {
    CHANGES_MAX = 100,       /* etcd takes 128 operations in a transaction */
    BYTES_MAX = 1000 * 1024, /* … and 1.5 MiB in a request */
    PAGE = 500,              /* keys; fewer where etcd's answer would be too large for it */
    PAGE_BYTES_MAX = 256 << 20,
    CALL_TIMEOUT_MS = 10000,
};

static char *key_of(const struct kv_store *store, const char *key)
{
    return text_format("%s/%s", store->place->records, key);
}

/* 0 with the answer's revision where the guards held. */
static int transact(struct kv_store *store, const struct etcd_guard *guards, size_t guard_count,
                    const struct kv_change *changes, size_t count, int64_t *ret_revision, char **reterr)
{
    struct etcd *etcd = store->state;
    struct http_result result;
    bool done = false;
    char *request = etcd_guarded_request(guards, guard_count, store->place->records, changes, count);
    if (etcd_call_v3(etcd, "/v3/kv/txn", request, &result, reterr) != 0)
        return -1;
    int status = 0;
    if (etcd_api_missing(&result))
        etcd_switch_api(etcd, &result);
    if (result.status != 200 || etcd_parse_guarded(result.body, &done, ret_revision) != 0)
        status = etcd_refuse(etcd, &result, reterr);
    http_result_clear(&result);
    return status == 0 && !done ? KV_STORE_LOST : status;
}

static int begin_v3(struct kv_store *store, const char *writer, char **reterr)
{
    const struct etcd_guard guard = {store->place->leader, (int64_t)store->term, -1};
    const struct kv_change change = {KV_STORE_WRITER, writer, strlen(writer)};
    return transact(store, &guard, 1, &change, 1, &store->mark, reterr);
}

static int apply_v3(struct kv_store *store, const struct kv_change *changes, size_t count, char **reterr)
{
    char *writer = key_of(store, KV_STORE_WRITER);
    const struct etcd_guard guards[] = {{writer, -1, store->mark}, {store->place->leader, (int64_t)store->term, -1}};
    int64_t revision;
    int status = writer ? transact(store, guards, store->term ? 2 : 1, changes, count, &revision, reterr)
                        : discovery_fail(reterr, "out of memory");
    free(writer);
    return status;
}

/* --- reading --- */

struct reading {
    kv_store_fn fn;
    void *data;
    size_t told;
};

static int tell(void *data, const char *key, const char *value, size_t length)
{
    struct reading *reading = data;
    reading->told++;
    return reading->fn(reading->data, key, value, length);
}

/* Keys from *from on, which becomes the first one of the next page; NULL: that was the last. 1: etcd's answer would
 * have been too large. */
static int read_page(struct kv_store *store, char **from, const char *to, int limit, int64_t *revision,
                     struct reading *reading, char **reterr)
{
    struct etcd *etcd = store->state;
    struct http_result result;
    char *next = NULL;
    if (etcd_call_v3(etcd, "/v3/kv/range", etcd_page_request(*from, to, limit, *revision), &result, reterr) != 0)
        return limit > 1 && *reterr && strstr(*reterr, "larger than max") ? 1 : -1;
    int status = 0;
    if (result.status != 200)
        status =
            result.body && strstr(result.body, "larger than max") && limit > 1 ? 1 : etcd_refuse(etcd, &result, reterr);
    else if (etcd_parse_page(result.body, strlen(store->place->records) + 1, tell, reading, &next, revision) != 0)
        status = reading->told > 0 ? discovery_fail(reterr, "etcd: %s cannot be read", store->place->records)
                                   : etcd_refuse(etcd, &result, reterr);
    http_result_clear(&result);
    if (status == 0) {
        free(*from);
        *from = next;
    }
    return status;
}

static int read_all(struct kv_store *store, char *from, const char *to, struct reading *reading, char **reterr)
{
    int64_t revision = 0;
    int limit = PAGE, status = 0;
    while (from && status == 0) {
        status = read_page(store, &from, to, limit, &revision, reading, reterr);
        if (status == 1) {
            free(*reterr);
            *reterr = NULL;
            limit /= 2;
            status = 0;
        }
    }
    free(from);
    return status;
}

static int load_v3(struct kv_store *store, const char *from, const char *to, kv_store_fn fn, void *data, char **reterr)
{
    struct reading reading = {fn, data, 0};
    char *first = key_of(store, from), *last = key_of(store, to);
    int status = -1;
    if (first && last)
        status = read_all(store, first, last, &reading, reterr);
    else
        free(first);
    free(last);
    return status == 0 || *reterr ? status : discovery_fail(reterr, "out of memory");
}

static int take_text(void *data, const char *key, const char *value, size_t length)
{
    char **text = data;
    if (strcmp(key, KV_STORE_WRITER) == 0)
        *text = strndup(value, length);
    return 0;
}

static int writer_v3(struct kv_store *store, char **ret, char **reterr)
{
    return load_v3(store, KV_STORE_WRITER, KV_STORE_WRITER "\001", take_text, ret, reterr);
}

/* --- either API --- */

/* What is asked of one of them. */
struct question {
    const char *writer, *from, *to;
    char **ret_writer;
    kv_store_fn fn;
    void *data;
    const struct kv_change *changes;
    size_t count;
};

static int ask(struct kv_store *store, int api, const struct question *q, char **reterr)
{
    if (q->ret_writer)
        return api == 3 ? writer_v3(store, q->ret_writer, reterr) : kv_store_v2_writer(store, q->ret_writer, reterr);
    if (q->writer)
        return api == 3 ? begin_v3(store, q->writer, reterr) : kv_store_v2_begin(store, q->writer, reterr);
    if (q->fn)
        return api == 3 ? load_v3(store, q->from, q->to, q->fn, q->data, reterr)
                        : kv_store_v2_load(store, q->from, q->to, q->fn, q->data, reterr);
    return api == 3 ? apply_v3(store, q->changes, q->count, reterr)
                    : kv_store_v2_apply(store, q->changes, q->count, reterr);
}

/* A second time where the first one found that the server knows the other one. */
static int ask_either(struct kv_store *store, const struct question *q, char **reterr)
{
    struct etcd *etcd = store->state;
    int api = atomic_load(&etcd->api), status = ask(store, api, q, reterr);
    if (status == 0 || atomic_load(&etcd->api) == api)
        return status;
    free(*reterr);
    *reterr = NULL;
    return ask(store, atomic_load(&etcd->api), q, reterr);
}

static int writer(struct kv_store *store, char **ret, char **reterr)
{
    return ask_either(store, &(struct question){.ret_writer = ret}, reterr);
}

static int begin(struct kv_store *store, const char *writer, char **reterr)
{
    store->unguarded = false;
    return ask_either(store, &(struct question){.writer = writer}, reterr);
}

static int load(struct kv_store *store, const char *from, const char *to, kv_store_fn fn, void *data, char **reterr)
{
    return ask_either(store, &(struct question){.from = from, .to = to, .fn = fn, .data = data}, reterr);
}

static int apply(struct kv_store *store, const struct kv_change *changes, size_t count, char **reterr)
{
    return ask_either(store, &(struct question){.changes = changes, .count = count}, reterr);
}

/* --- life --- */

/* One of its own beside discovery's, which other threads use. */
static int open_etcd(struct kv_store *store, struct discovery *discovery, char **reterr)
{
    struct etcd *shared = discovery->state, *etcd = calloc(1, sizeof *etcd);
    if (!etcd || http_client_new(&etcd->client) != 0) {
        free(etcd);
        return discovery_fail(reterr, "out of memory or descriptors");
    }
    etcd->discovery = discovery;
    etcd->place = shared->place; /* borrowed */
    etcd->api_fixed = shared->api_fixed;
    atomic_init(&etcd->api, atomic_load(&shared->api));
    etcd->call_timeout_ms = CALL_TIMEOUT_MS;
    etcd->max_response = PAGE_BYTES_MAX;
    store->state = etcd;
    store->place = &shared->place;
    return 0;
}

static void close_etcd(struct kv_store *store)
{
    struct etcd *etcd = store->state;
    http_client_free(etcd->client);
    free(etcd);
}

const struct kv_store_backend kv_store_etcd = {.changes_max = CHANGES_MAX,
                                               .bytes_max = BYTES_MAX,
                                               .open = open_etcd,
                                               .close = close_etcd,
                                               .writer = writer,
                                               .begin = begin,
                                               .load = load,
                                               .apply = apply};
