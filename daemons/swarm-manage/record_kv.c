/* SPDX-License-Identifier: Apache-2.0 */
/* Records in the store of discovery: "kept/<key>" has what is read, "aside/<key>" what could not be. */
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base64.h"
#include "kv_store.h"
#include "log.h"
#include "record_store.h"
#include "text.h"

#define KEPT "kept/"
#define ASIDE "aside/"

struct kv_records {
    struct record_store base;
    struct kv_store *kv;
    pthread_mutex_t lock; /* whoever has it uses the store */
    bool (*may_write)(void *data);
    void *data;
};

static struct kv_records *begin_use(struct record_store *base)
{
    struct kv_records *records = (struct kv_records *)base;

    pthread_mutex_lock(&records->lock);
    return records;
}

/* @p status: of what was done. */
static int end_use(struct kv_records *records, int status, char **reterr)
{
    if (status == KV_STORE_LOST && !*reterr) {
        *reterr = text_format("another manager records in %s", kv_store_place(records->kv));
    }
    pthread_mutex_unlock(&records->lock);
    return status == KV_STORE_LOST ? RECORD_STORE_LOST : status;
}

/* --- who writes --- */

/* For people who look at the store; other managers read the version only. */
static char *describe_writer(void)
{
    char host[256] = "";
    json_t *object;
    char *text;

    gethostname(host, sizeof(host) - 1);
    object = json_pack("{s:i, s:s, s:i, s:I}", "v", RECORD_STORE_VERSION, "host", host, "pid", (int)getpid(), "since",
                       (json_int_t)time(NULL));
    text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

/* What is of a newer version is nothing to write into. */
static int check_version(struct kv_records *records, char **reterr)
{
    char *text;
    json_t *writer;
    json_int_t version;

    if (kv_store_writer(records->kv, &text, reterr)) {
        return -1;
    }
    writer = text ? json_loads(text, 0, NULL) : NULL;
    version = json_integer_value(json_object_get(writer, "v"));
    json_decref(writer);
    free(text);
    if (version > RECORD_STORE_VERSION) {
        *reterr = text_format("what is in %s is of version %" JSON_INTEGER_FORMAT ", which a newer manager has left",
                              kv_store_place(records->kv), version);
        return -1;
    }
    return 0;
}

static int begin(struct record_store *base, uint64_t fence, char **reterr)
{
    struct kv_records *records = begin_use(base);
    char *writer = describe_writer();
    int status = -1;

    *reterr = NULL;
    if (writer && !check_version(records, reterr)) {
        status = kv_store_begin(records->kv, fence, writer, reterr);
    }
    if (status == KV_STORE_LOST && !*reterr) {
        *reterr = fence ? text_format("another manager leads by now")
                        : text_format("managers with --replication record in %s", kv_store_place(records->kv));
    }
    free(writer);
    return end_use(records, status, reterr);
}

/* --- reading --- */

struct reading {
    record_fn fn;
    void *data;
};

static int tell(void *data, const char *key, const char *value, size_t length)
{
    const struct reading *reading = data;

    return strncmp(key, KEPT, strlen(KEPT)) ? 0 : reading->fn(reading->data, key + strlen(KEPT), value, length);
}

static int load(struct record_store *base, const char *from, const char *to, record_fn fn, void *data, char **reterr)
{
    struct kv_records *records = begin_use(base);
    struct reading reading = {fn, data};
    char *first = text_format(KEPT "%s", from), *last = text_format(KEPT "%s", to);
    int status = -1;

    *reterr = NULL;
    if (first && last) {
        status = kv_store_load(records->kv, first, last, tell, &reading, reterr);
    }
    free(first);
    free(last);
    return end_use(records, status, reterr);
}

/* --- writing --- */

static int write_some(struct kv_records *records, const struct kv_change *changes, size_t count, char **reterr)
{
    if (!kv_store_is_guarded(records->kv) && !records->may_write(records->data)) {
        *reterr = text_format("it does not lead any more");
        return KV_STORE_LOST;
    }
    return kv_store_apply(records->kv, changes, count, reterr);
}

/* A batch under the store's limits. */
struct batch {
    struct kv_change *changes;
    char **keys;
    size_t count, bytes;
    size_t count_max, bytes_max;
};

static void batch_empty(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        free(batch->keys[i]);
    }
    batch->count = batch->bytes = 0;
}

static int batch_write(struct kv_records *records, struct batch *batch, char **reterr)
{
    int status = batch->count ? write_some(records, batch->changes, batch->count, reterr) : 0;

    batch_empty(batch);
    return status;
}

static int batch_add(struct kv_records *records, struct batch *batch, const struct record_change *change, char **reterr)
{
    size_t bytes = strlen(change->key) + change->length;
    char *key;
    int status = 0;

    if (bytes > batch->bytes_max) {
        log_error("The record %s is too large for %s, and is not kept: %zu bytes, of at most %zu", change->key,
                  kv_store_place(records->kv), bytes, batch->bytes_max);
        return 0;
    }
    if (batch->count == batch->count_max || batch->bytes + bytes > batch->bytes_max) {
        status = batch_write(records, batch, reterr);
    }
    key = status ? NULL : text_format(KEPT "%s", change->key);
    if (!key) {
        return status ? status : -1;
    }
    batch->keys[batch->count] = key;
    batch->changes[batch->count++] = (struct kv_change){key, change->value, change->length};
    batch->bytes += bytes;
    return 0;
}

static int apply(struct record_store *base, const struct record_change *changes, size_t count, char **reterr)
{
    struct kv_records *records = begin_use(base);
    struct batch batch = {0};
    int status = 0;

    *reterr = NULL;
    kv_store_limits(records->kv, &batch.count_max, &batch.bytes_max);
    batch.changes = calloc(batch.count_max, sizeof(*batch.changes));
    batch.keys = calloc(batch.count_max, sizeof(*batch.keys));
    if (!batch.changes || !batch.keys) {
        status = -1;
    }
    for (size_t i = 0; !status && i < count; i++) {
        status = batch_add(records, &batch, &changes[i], reterr);
    }
    if (!status) {
        status = batch_write(records, &batch, reterr);
    }
    batch_empty(&batch);
    free(batch.changes);
    free(batch.keys);
    return end_use(records, status, reterr);
}

/* --- what cannot be read --- */

struct found {
    const char *key;
    json_t *value; /* as a text, or in base64 where it is none */
};

static int take_value(void *data, const char *key, const char *value, size_t length)
{
    struct found *found = data;

    if (!strcmp(key, found->key)) {
        json_t *text = json_stringn(value, length);
        char *coded = text ? NULL : base64_encode(value, length);

        found->value = text ? json_pack("{s:o}", "value", text) : json_pack("{s:s}", "base64", coded ? coded : "");
        free(coded);
    }
    return 0;
}

/* "aside/<key>" with the value and why, in place of "kept/<key>". */
static int move_aside(struct kv_records *records, const char *key, const char *why, char **reterr)
{
    char *kept = text_format(KEPT "%s", key), *behind = text_format(KEPT "%s\001", key),
         *aside = text_format(ASIDE "%s", key), *text = NULL;
    struct found found = {.key = kept};
    int status = -1;

    if (kept && behind && aside && !kv_store_load(records->kv, kept, behind, take_value, &found, reterr) &&
        found.value) {
        json_object_set_new(found.value, "why", json_string(why));
        json_object_set_new(found.value, "at", json_integer((json_int_t)time(NULL)));
        text = json_dumps(found.value, JSON_COMPACT);
    }
    if (text) {
        const struct kv_change changes[] = {{aside, text, strlen(text)}, {kept, NULL, 0}};

        status = write_some(records, changes, 2, reterr);
    }
    json_decref(found.value);
    free(text);
    free(aside);
    free(behind);
    free(kept);
    return status;
}

static int set_aside(struct record_store *base, const char *key, const char *why, char **reterr)
{
    struct kv_records *records = begin_use(base);

    *reterr = NULL;
    return end_use(records, move_aside(records, key, why, reterr), reterr);
}

/* --- life --- */

static void close_store(struct record_store *base)
{
    struct kv_records *records = (struct kv_records *)base;

    kv_store_free(records->kv);
    pthread_mutex_destroy(&records->lock);
    free(records);
}

int record_kv_open(struct record_store **ret, struct discovery *discovery, bool (*may_write)(void *data), void *data,
                   char **reterr)
{
    struct kv_records *records = calloc(1, sizeof(*records));

    *reterr = NULL;
    if (!records) {
        return -1;
    }
    if (kv_store_new(&records->kv, discovery, reterr)) {
        free(records);
        return -1;
    }
    pthread_mutex_init(&records->lock, NULL);
    records->base = (struct record_store){begin, load, apply, set_aside, close_store};
    records->may_write = may_write;
    records->data = data;
    *ret = &records->base;
    return 0;
}
