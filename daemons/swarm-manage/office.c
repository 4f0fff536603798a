/* SPDX-License-Identifier: Apache-2.0 */
#include "office.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "deadline.h"
#include "leader.h"
#include "log.h"
#include "manager.h"
#include "pool_private.h"
#include "recall_private.h"
#include "record_store.h"
#include "records.h"
#include "text.h"
#include "watchdog.h"

#define RETRY_MIN_MS 250 /* after a failure, doubled up to … */
#define RETRY_MAX_MS 5000
#define LOOK_MS 1000 /* at the latest, whether it still leads */
#define COPY_MAX 100 /* records of an older place, at once */

struct office {
    struct manager *manager;
    struct record_store *store; /* of manager->records */
    char *old_file;             /* NULL: there is none to be looked for */
    pthread_t thread;
    bool started;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool kicked, stopping;
    bool held;     /* in that term, and the record has been read */
    bool lost;     /* to another manager without --replication: for good */
    uint64_t term; /* that is being taken, or was */
    bool taking;   /* changes are kept for the record, which is being read */
};

/* --- any thread --- */

void office_look(struct office *office)
{
    if (office) {
        pthread_mutex_lock(&office->lock);
        office->kicked = true;
        pthread_cond_broadcast(&office->changed);
        pthread_mutex_unlock(&office->lock);
    }
}

static bool has(struct manager *manager, uint64_t term)
{
    struct office *office = manager->office;
    bool held;

    if (!office) {
        return true;
    }
    pthread_mutex_lock(&office->lock);
    held = office->held && office->term == term;
    pthread_mutex_unlock(&office->lock);
    return held && records_are_written(manager->records);
}

bool office_is_held(struct manager *manager, uint64_t *ret_term)
{
    uint64_t term = 0;

    if (!leader_is_primary(manager->leader, &term) || !has(manager, term)) {
        return false;
    }
    *ret_term = term;
    return true;
}

bool office_is_of(struct manager *manager, uint64_t term)
{
    return leader_may_act(manager->leader, term) && has(manager, term);
}

bool office_is_reading(struct manager *manager)
{
    struct office *office = manager->office;
    bool reading;

    if (!office || !leader_is_primary(manager->leader, NULL)) {
        return false;
    }
    pthread_mutex_lock(&office->lock);
    reading = !office->held && !office->lost;
    pthread_mutex_unlock(&office->lock);
    return reading;
}

/* --- a record of an older place --- */

struct copying {
    struct record_store *to;
    struct record_change changes[COPY_MAX];
    size_t count, copied;
    char *error;
};

static void drop_some(struct copying *copying)
{
    for (size_t i = 0; i < copying->count; i++) {
        text_free(copying->changes[i].key);
        text_free(copying->changes[i].value);
    }
    copying->count = 0;
}

static int copy_some(struct copying *copying)
{
    int result =
        copying->count ? copying->to->apply(copying->to, copying->changes, copying->count, &copying->error) : 0;

    copying->copied += copying->count;
    drop_some(copying);
    return result;
}

static int copy_record(void *data, const char *key, const char *value, size_t length)
{
    struct copying *copying = data;
    struct record_change *change = &copying->changes[copying->count];
    char *own = malloc(length + 1);

    *change = (struct record_change){strdup(key), own, length};
    if (!own || !change->key) {
        text_free(change->key);
        free(own);
        return -1;
    }
    memcpy(own, value, length);
    return ++copying->count == COPY_MAX ? copy_some(copying) : 0;
}

static int note_any(void *data, const char *key, const char *value, size_t length)
{
    *(bool *)data = true;
    return -1;
}

/* 1: there is something; 0: nothing; -1 with *reterr. */
static int has_any(struct record_store *store, char **reterr)
{
    bool any = false;

    if (store->load(store, "", RECORD_KEYS_END, note_any, &any, reterr) && !any) {
        return -1;
    }
    free(*reterr);
    *reterr = NULL;
    return any;
}

static int copy_all(struct record_store *from, struct record_store *to, size_t *ret_copied, char **reterr)
{
    struct copying copying = {.to = to};
    int result = from->load(from, "", RECORD_KEYS_END, copy_record, &copying, reterr);

    if (!result) {
        result = copy_some(&copying);
    }
    drop_some(&copying); /* what was read before a failure */
    if (result && copying.error) {
        free(*reterr);
        *reterr = copying.error;
    }
    *ret_copied = copying.copied;
    return result ? -1 : 0;
}

/* The file keeps its records, under a name of which nobody takes them again. -1: to be tried again. */
static int take_over_file(struct office *office, char **reterr)
{
    char *aside = NULL, *error = NULL, *renamed = text_format("%s.taken-over", office->old_file);
    struct record_store *file = NULL;
    size_t copied = 0;
    int result = has_any(office->store, reterr);

    if (result > 0) {
        log_warn("The record in %s is not read: the store has one", office->old_file);
    } else if (!result && record_sqlite_open(&file, office->old_file, &aside, &error)) {
        log_error("The record of this manager alone is not taken over: %s", error ? error : "out of memory");
    } else if (!result) {
        result = copy_all(file, office->store, &copied, reterr);
        file->close(file);
        if (!result && renamed && rename(office->old_file, renamed)) {
            log_warn("%s cannot be renamed: %s", office->old_file, strerror(errno));
        }
        if (!result) {
            log_info("The record in %s, %zu entries, has been taken over into the store", office->old_file, copied);
        }
    }
    free(aside);
    free(error);
    free(renamed);
    return result < 0 ? -1 : 0;
}

/* --- taking it --- */

/* What engines say of these goes into the record. */
static void ask_engines(struct office *office, const json_t *ask)
{
    struct pool *pool = office->manager->pool;
    const char *id;
    json_t *address;

    json_object_foreach ((json_t *)(uintptr_t)ask, id, address) {
        struct engine *engine = NULL;
        bool stopping;

        pool_read_lock(pool);
        for (size_t i = 0; !engine && i < pool->engine_count; i++) {
            if (!strcmp(pool->engines[i]->address, json_string_value(address))) {
                engine = engine_ref(pool->engines[i]);
            }
        }
        pool_unlock(pool);
        pthread_mutex_lock(&office->lock);
        stopping = office->stopping || !office->held;
        pthread_mutex_unlock(&office->lock);
        if (engine && !stopping) {
            pool_refresh_container(pool, engine, id);
        }
        engine_unref(engine);
    }
}

/* 0; RECORD_STORE_LOST: it is another's; -1. *reterr in either case. */
static int read_record(struct office *office, uint64_t term, json_t **ret_ask, char **reterr)
{
    uint64_t fence;
    int result;

    if (!leader_fence(office->manager->leader, term, &fence)) {
        *reterr = strdup("the election was lost before the record was read");
        return -1;
    }
    result = office->store->begin ? office->store->begin(office->store, fence, reterr) : 0;
    if (!result && office->old_file && !access(office->old_file, F_OK)) {
        result = take_over_file(office, reterr);
    }
    return result ? result : recall_merge(office->manager, office->store, ret_ask, reterr);
}

static void set_held(struct office *office, bool held)
{
    pthread_mutex_lock(&office->lock);
    office->held = held;
    office->taking = false;
    pthread_mutex_unlock(&office->lock);
}

/* 0, or how long to wait for the next try. */
static int take(struct office *office, uint64_t term, int *pause_ms)
{
    struct manager *manager = office->manager;
    char *error = NULL;
    json_t *ask = NULL;
    int64_t began_ms = deadline_now_ms();

    pthread_mutex_lock(&office->lock);
    if (!office->taking || office->term != term) {
        records_open(manager->records);
    }
    office->taking = true;
    office->term = term;
    pthread_mutex_unlock(&office->lock);
    if (read_record(office, term, &ask, &error)) {
        records_set_trouble(manager->records, error ? error : strdup("out of memory"));
        *pause_ms = !*pause_ms ? RETRY_MIN_MS : *pause_ms * 2 < RETRY_MAX_MS ? *pause_ms * 2 : RETRY_MAX_MS;
        return *pause_ms;
    }
    *pause_ms = 0;
    records_set_trouble(manager->records, NULL);
    set_held(office, true);
    records_release(manager->records);
    log_debug("The record was read in %d ms", (int)(deadline_now_ms() - began_ms));
    watchdog_look(manager->watchdog);
    ask_engines(office, ask);
    json_decref(ask);
    return 0;
}

static void leave(struct office *office)
{
    records_close(office->manager->records, NULL);
    set_held(office, false);
}

/* Someone else has taken it, and there is no leader to settle that. */
static void give_up(struct office *office)
{
    char *why = records_trouble(office->manager->records);

    log_error("This manager moves no containers any more: %s. Use --replication for more than one manager.",
              why ? why : "another one records in the same place");
    free(why);
    pthread_mutex_lock(&office->lock);
    office->held = false;
    office->lost = true;
    pthread_mutex_unlock(&office->lock);
}

/* How long to wait then. */
static int step(struct office *office, int *pause_ms)
{
    struct manager *manager = office->manager;
    uint64_t term = 0;
    bool leads = leader_is_primary(manager->leader, &term), held, lost, taking;

    pthread_mutex_lock(&office->lock);
    held = office->held && office->term == term;
    taking = office->held || office->taking;
    lost = office->lost;
    pthread_mutex_unlock(&office->lock);
    if (!leads && taking) {
        leave(office);
    } else if (leads && !lost && !held) {
        return take(office, term, pause_ms);
    } else if (leads && held && !manager->leader && !records_are_written(manager->records)) {
        give_up(office);
    }
    return 0;
}

/* --- the thread --- */

static bool wait_for_news(struct office *office, int timeout_ms)
{
    int64_t at_ms = deadline_now_ms() + timeout_ms;
    struct timespec until = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};
    bool go_on;

    pthread_mutex_lock(&office->lock);
    while (!office->stopping && !office->kicked &&
           pthread_cond_timedwait(&office->changed, &office->lock, &until) != ETIMEDOUT) {
    }
    office->kicked = false;
    go_on = !office->stopping;
    pthread_mutex_unlock(&office->lock);
    return go_on;
}

static void *run(void *data)
{
    struct office *office = data;
    int pause_ms = 0, wait_ms = 0;

    while (wait_for_news(office, wait_ms ? wait_ms : LOOK_MS)) {
        wait_ms = step(office, &pause_ms);
    }
    return NULL;
}

/* --- life --- */

static bool may_write(void *data)
{
    struct office *office = data;
    uint64_t term;

    pthread_mutex_lock(&office->lock);
    term = office->term;
    pthread_mutex_unlock(&office->lock);
    return leader_may_act(office->manager->leader, term);
}

static struct office *make(struct manager *manager, const char *old_file)
{
    struct office *office = calloc(1, sizeof(*office));
    pthread_condattr_t attributes;

    if (!office) {
        return NULL;
    }
    office->manager = manager;
    office->old_file = old_file ? strdup(old_file) : NULL;
    pthread_mutex_init(&office->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&office->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return office;
}

static void destroy(struct office *office)
{
    pthread_cond_destroy(&office->changed);
    pthread_mutex_destroy(&office->lock);
    free(office->old_file);
    free(office);
}

/* Takes the store. */
static int set_up(struct office *office, struct record_store *store)
{
    struct manager *manager = office->manager;

    office->store = store;
    if (records_new(&manager->records, store)) {
        return -1;
    }
    records_close(manager->records, NULL);
    manager->copies = json_object();
    manager->office = office;
    pool_write_lock(manager->pool);
    watchdog_keep_memory(manager->watchdog);
    pool_unlock(manager->pool);
    return 0;
}

int office_new_with(struct office **ret, struct manager *manager, struct record_store *store, const char *old_file)
{
    struct office *office = make(manager, old_file);

    if (!office) {
        store->close(store);
        return -1;
    }
    if (set_up(office, store)) {
        destroy(office);
        return -1;
    }
    *ret = office;
    return 0;
}

int office_new(struct office **ret, struct manager *manager, struct discovery *discovery, const char *old_file,
               char **reterr)
{
    struct office *office = make(manager, old_file);
    struct record_store *store = NULL;

    *reterr = NULL;
    if (!office) {
        return -1;
    }
    if (record_kv_open(&store, discovery, may_write, office, reterr) || set_up(office, store)) {
        destroy(office);
        return -1;
    }
    *ret = office;
    return 0;
}

/* A manager that may lead later knows by then of nodes that are away already. */
static void read_ahead(struct office *office)
{
    char *error = NULL;

    if (recall_ahead(office->manager, office->store, &error)) {
        log_warn("The record cannot be read yet: %s", error ? error : "out of memory");
    }
    free(error);
}

int office_start(struct office *office)
{
    int pause_ms = 0;

    if (office->manager->leader) {
        read_ahead(office);
    } else {
        take(office, 0, &pause_ms);
    }
    if (pthread_create(&office->thread, NULL, run, office)) {
        return -1;
    }
    office->started = true;
    return 0;
}

void office_stop(struct office *office)
{
    if (!office || !office->started) {
        return;
    }
    pthread_mutex_lock(&office->lock);
    office->stopping = true;
    pthread_cond_broadcast(&office->changed);
    pthread_mutex_unlock(&office->lock);
    pthread_join(office->thread, NULL);
    office->started = false;
}

void office_free(struct office *office)
{
    if (office) {
        office_stop(office);
        json_decref(office->manager->copies);
        office->manager->copies = NULL;
        destroy(office);
    }
}
