/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "deadline.h"
#include "log.h"

#define BUCKETS 256      /* at first; there are more where much is queued */
#define GATHER_MS 20     /* what nobody waits for is written together */
#define WAIT_MS 5000     /* longest that a request waits */
#define RETRY_MIN_MS 250 /* after a failure, doubled up to … */
#define RETRY_MAX_MS 30000

struct pending {
    struct pending *next;  /* in its bucket */
    struct pending *newer; /* in the order in which keys came first */
    uint64_t hash;
    char *value; /* NULL: remove */
    size_t length;
    char key[];
};

struct queue {
    struct pending **buckets;
    size_t bucket_count, count;
    struct pending *oldest, **newest;
};

struct records {
    struct record_store *store;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* something is queued, waited for or done */
    struct queue queues[2];
    struct queue *queue; /* where changes go */
    struct queue *batch; /* what is being written: nobody changes it; the thread's own but for look-ups */
    int waiting;         /* threads in records_wait() */
    bool closed;         /* nothing is taken */
    bool held;           /* nothing is written */
    unsigned era;        /* one ends when they are closed: what is of an earlier one is not written again */
    unsigned batch_era;
    bool stopping;
    char *trouble; /* why the store failed last; NULL: it did not */
};

/* --- queues: with the lock held --- */

static int queue_init(struct queue *queue)
{
    queue->buckets = calloc(BUCKETS, sizeof(struct pending *));
    queue->bucket_count = BUCKETS;
    queue->newest = &queue->oldest;
    return queue->buckets ? 0 : -1;
}

static uint64_t hash_of(const char *key)
{
    uint64_t hash = 1469598103934665603u; /* FNV-1a */

    for (; *key; key++) {
        hash = (hash ^ (unsigned char)*key) * 1099511628211u;
    }
    return hash;
}

static struct pending *find(const struct queue *queue, uint64_t hash, const char *key)
{
    struct pending *pending = queue->buckets[hash % queue->bucket_count];

    while (pending && (pending->hash != hash || strcmp(pending->key, key) != 0)) {
        pending = pending->next;
    }
    return pending;
}

static void into_bucket(struct queue *queue, struct pending *pending)
{
    struct pending **bucket = &queue->buckets[pending->hash % queue->bucket_count];

    pending->next = *bucket;
    *bucket = pending;
}

/* Where there is no memory for that, look-ups only take longer. */
static void grow(struct queue *queue)
{
    size_t count = queue->bucket_count * 4;
    struct pending **buckets = queue->count < queue->bucket_count * 2 ? NULL : calloc(count, sizeof(*buckets));

    if (!buckets) {
        return;
    }
    free(queue->buckets);
    queue->buckets = buckets;
    queue->bucket_count = count;
    for (struct pending *pending = queue->oldest; pending; pending = pending->newer) {
        into_bucket(queue, pending);
    }
}

static void append(struct queue *queue, struct pending *pending)
{
    pending->newer = NULL;
    *queue->newest = pending;
    queue->newest = &pending->newer;
    queue->count++;
    into_bucket(queue, pending);
    grow(queue);
}

static struct pending *pending_new(uint64_t hash, const char *key)
{
    size_t size = strlen(key) + 1;
    struct pending *pending = calloc(1, sizeof(*pending) + size);

    if (pending) {
        memcpy(pending->key, key, size);
        pending->hash = hash;
    }
    return pending;
}

static void pending_free(struct pending *pending)
{
    free(pending->value);
    free(pending);
}

/* Empty it; what was in it is the caller's. */
static struct pending *queue_take(struct queue *queue)
{
    struct pending *first = queue->oldest;

    memset(queue->buckets, 0, queue->bucket_count * sizeof(struct pending *));
    queue->oldest = NULL;
    queue->newest = &queue->oldest;
    queue->count = 0;
    return first;
}

static void free_chain(struct pending *pending)
{
    while (pending) {
        struct pending *newer = pending->newer;

        pending_free(pending);
        pending = newer;
    }
}

static void queue_finish(struct queue *queue)
{
    free_chain(queue->buckets ? queue_take(queue) : NULL);
    free(queue->buckets);
}

/* --- what other threads say --- */

/* Takes the value. */
static void change(struct records *records, const char *key, char *value, size_t length)
{
    uint64_t hash = hash_of(key);
    struct pending *pending;
    char *old = value;

    pthread_mutex_lock(&records->lock);
    if (records->closed) {
        pthread_mutex_unlock(&records->lock);
        free(value);
        return;
    }
    pending = find(records->queue, hash, key);
    if (!pending && (pending = pending_new(hash, key))) {
        append(records->queue, pending);
    }
    if (pending) {
        old = pending->value;
        pending->value = value;
        pending->length = length;
    }
    pthread_cond_broadcast(&records->changed);
    pthread_mutex_unlock(&records->lock);
    if (!pending) {
        log_error("Out of memory: the change of %s is not recorded", key);
    }
    free(old);
}

void records_put(struct records *records, const char *key, char *value, size_t length)
{
    if (!records) {
        free(value);
    } else if (!value) {
        log_error("Out of memory: %s is not recorded", key);
    } else {
        change(records, key, value, length);
    }
}

void records_remove(struct records *records, const char *key)
{
    if (records) {
        change(records, key, NULL, 0);
    }
}

static struct timespec deadline_in(int64_t ms)
{
    int64_t at = deadline_now_ms() + ms;

    return (struct timespec){.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000};
}

bool records_wait(struct records *records, const char *key)
{
    struct timespec deadline = deadline_in(WAIT_MS);
    uint64_t hash = hash_of(key);
    bool queued = false, closed;

    if (!records) {
        return true;
    }
    pthread_mutex_lock(&records->lock);
    records->waiting++;
    while ((queued = find(records->queue, hash, key) || find(records->batch, hash, key)) && !records->trouble &&
           !records->closed) {
        pthread_cond_broadcast(&records->changed);
        if (pthread_cond_timedwait(&records->changed, &records->lock, &deadline) == ETIMEDOUT) {
            break;
        }
    }
    records->waiting--;
    closed = records->closed;
    pthread_mutex_unlock(&records->lock);
    return !queued && !closed;
}

void records_settle(struct records *records, int timeout_ms)
{
    struct timespec deadline = deadline_in(timeout_ms);

    if (!records) {
        return;
    }
    pthread_mutex_lock(&records->lock);
    records->waiting++;
    while ((records->queue->count || records->batch->count) && !records->trouble && !records->held) {
        pthread_cond_broadcast(&records->changed);
        if (pthread_cond_timedwait(&records->changed, &records->lock, &deadline) == ETIMEDOUT) {
            break;
        }
    }
    records->waiting--;
    pthread_mutex_unlock(&records->lock);
}

char *records_trouble(struct records *records)
{
    char *trouble = NULL;

    if (records) {
        pthread_mutex_lock(&records->lock);
        trouble = records->trouble ? strdup(records->trouble) : NULL;
        pthread_mutex_unlock(&records->lock);
    }
    return trouble;
}

/* --- whose they are --- */

void records_close(struct records *records, char *why)
{
    struct pending *dropped;
    char *old;

    pthread_mutex_lock(&records->lock);
    records->closed = true;
    records->held = true;
    records->era++;
    dropped = queue_take(records->queue);
    old = records->trouble;
    records->trouble = why;
    pthread_cond_broadcast(&records->changed);
    pthread_mutex_unlock(&records->lock);
    free_chain(dropped);
    free(old);
}

void records_open(struct records *records)
{
    struct pending *dropped;

    pthread_mutex_lock(&records->lock);
    records->closed = false;
    records->held = true;
    records->era++;
    dropped = queue_take(records->queue);
    pthread_mutex_unlock(&records->lock);
    free_chain(dropped);
}

void records_release(struct records *records)
{
    pthread_mutex_lock(&records->lock);
    records->held = records->closed;
    pthread_cond_broadcast(&records->changed);
    pthread_mutex_unlock(&records->lock);
}

bool records_are_written(struct records *records)
{
    bool written;

    pthread_mutex_lock(&records->lock);
    written = !records->closed && !records->held;
    pthread_mutex_unlock(&records->lock);
    return written;
}

/* --- the thread --- */

void records_set_trouble(struct records *records, char *trouble)
{
    char *old;
    bool same;

    pthread_mutex_lock(&records->lock);
    old = records->trouble;
    same = old && trouble && !strcmp(old, trouble);
    records->trouble = trouble;
    pthread_cond_broadcast(&records->changed);
    pthread_mutex_unlock(&records->lock);
    if (trouble && !same) {
        log_error("The record of containers cannot be written: %s. The manager goes on, and tries again; what changes "
                  "until then is lost should it end.",
                  trouble);
    } else if (!trouble && old) {
        log_info("The record of containers is written again");
    }
    free(old);
}

/* Whether they were closed while the batch was being written: what came of that says nothing any more. */
static bool is_stale(struct records *records)
{
    bool stale;

    pthread_mutex_lock(&records->lock);
    stale = records->batch_era != records->era;
    pthread_mutex_unlock(&records->lock);
    return stale;
}

/* The store says so of the batch. */
static void lose(struct records *records, char *why)
{
    log_error("The record of containers is not written by this manager any more: %s", why ? why : "out of memory");
    records_close(records, why);
}

static int write_batch(struct records *records)
{
    struct record_change *changes = calloc(records->batch->count, sizeof(*changes));
    char *error = NULL;
    size_t count = 0;
    int result = -1;

    for (const struct pending *pending = changes ? records->batch->oldest : NULL; pending; pending = pending->newer) {
        changes[count++] = (struct record_change){pending->key, pending->value, pending->length};
    }
    if (changes) {
        result = records->store->apply(records->store, changes, count, &error);
    }
    free(changes);
    if (is_stale(records)) {
        free(error);
        return 0;
    }
    if (result == RECORD_STORE_LOST) {
        lose(records, error);
        return 0; /* none of it is ours to write again */
    }
    records_set_trouble(records, result ? error ? error : strdup("out of memory") : NULL);
    return result;
}

/* The batch has been written, or goes behind what was queued since, but for what was changed meanwhile. */
static void settle_batch(struct records *records, bool written)
{
    struct pending *pending, *done = NULL;

    pthread_mutex_lock(&records->lock);
    pending = queue_take(records->batch);
    while (pending) {
        struct pending *newer = pending->newer;

        if (written || records->batch_era != records->era || find(records->queue, pending->hash, pending->key)) {
            pending->newer = done;
            done = pending;
        } else {
            append(records->queue, pending);
        }
        pending = newer;
    }
    pthread_cond_broadcast(&records->changed);
    pthread_mutex_unlock(&records->lock);
    free_chain(done);
}

/* Until there is something to write, and after a failure at least @p pause_ms. False at the end: what is queued then is
 * to be written once more. */
static bool take_batch(struct records *records, int64_t pause_ms)
{
    struct timespec deadline = {0};
    bool gathering = false, go_on;

    pthread_mutex_lock(&records->lock);
    if (pause_ms) {
        deadline = deadline_in(pause_ms);
        while (!records->stopping &&
               pthread_cond_timedwait(&records->changed, &records->lock, &deadline) != ETIMEDOUT) {
        }
    }
    while (!records->stopping) {
        if (!records->queue->count || records->held) {
            pthread_cond_wait(&records->changed, &records->lock);
        } else if (records->waiting) {
            break;
        } else if (!gathering) {
            deadline = deadline_in(GATHER_MS);
            gathering = true;
        } else if (pthread_cond_timedwait(&records->changed, &records->lock, &deadline) == ETIMEDOUT) {
            break;
        }
    }
    if (records->held) { /* the end: none of it can be written */
        pthread_mutex_unlock(&records->lock);
        return false;
    }
    records->batch_era = records->era;
    records->batch = records->queue;
    records->queue = records->batch == &records->queues[0] ? &records->queues[1] : &records->queues[0];
    go_on = !records->stopping;
    pthread_mutex_unlock(&records->lock);
    return go_on;
}

static void *run(void *data)
{
    struct records *records = data;
    int64_t pause_ms = 0;
    bool go_on = true;

    while (go_on) {
        bool written = true;

        go_on = take_batch(records, pause_ms);
        if (records->batch->count) {
            written = write_batch(records) == 0;
        }
        settle_batch(records, written);
        pause_ms = written ? 0 : !pause_ms ? RETRY_MIN_MS : pause_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : pause_ms * 2;
    }
    return NULL;
}

/* --- life --- */

static int init_sync(struct records *records)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&records->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&records->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return queue_init(&records->queues[0]) || queue_init(&records->queues[1]) ? -1 : 0;
}

static void finish(struct records *records)
{
    queue_finish(&records->queues[0]);
    queue_finish(&records->queues[1]);
    pthread_cond_destroy(&records->changed);
    pthread_mutex_destroy(&records->lock);
    records->store->close(records->store);
    free(records->trouble);
    free(records);
}

int records_new(struct records **ret, struct record_store *store)
{
    struct records *records = calloc(1, sizeof(*records));

    if (!records) {
        store->close(store);
        return -1;
    }
    records->store = store;
    if (init_sync(records)) {
        finish(records);
        return -1;
    }
    records->queue = &records->queues[0];
    records->batch = &records->queues[1];
    if (pthread_create(&records->thread, NULL, run, records)) {
        finish(records);
        return -1;
    }
    *ret = records;
    return 0;
}

void records_free(struct records *records)
{
    if (!records) {
        return;
    }
    pthread_mutex_lock(&records->lock);
    records->stopping = true;
    pthread_cond_broadcast(&records->changed);
    pthread_mutex_unlock(&records->lock);
    pthread_join(records->thread, NULL);
    if (records->queue->count) {
        log_error("%zu changes are not in the record of containers", records->queue->count);
    }
    finish(records);
}
