/* SPDX-License-Identifier: Apache-2.0 */
/* Each batch is a multi that checks the version of the writer's node, and that the lock's node, whose czxid is the
 * term, is still there: it goes with the session of who holds the lock. */
#include <stdlib.h>
#include <string.h>

#include "discovery_zookeeper.h"
#include "kv_bucket.h"
#include "kv_store_private.h"
#include "text.h"

enum {
    CHANGES_MAX = 100,
    BYTES_MAX = 700 * 1024, /* ZooKeeper takes requests of 1 MiB, and nodes */
    SESSION_MS = 10000,
    CHECKS = 2,
};

struct zk_store {
    struct zk_session session;
    char *lock; /* the node that we have to hold; NULL: none */
};

static char *path_of(const struct kv_store *store, const char *below)
{
    return text_format("/%s%s%s", store->place->records, *below ? "/" : "", below);
}

static int fail(struct kv_store *store, const char *path, int rc, char **reterr)
{
    struct zk_store *zk = store->state;
    *reterr = zk_session_error(&zk->session, path, rc);
    if (zk_is_loss(rc))
        zk_session_close(&zk->session);
    return -1;
}

static int connect_store(struct kv_store *store, char **reterr)
{
    struct zk_store *zk = store->state;
    bool fresh;
    return zk_session_connect(&zk->session, &fresh, reterr);
}

/* --- many calls at once --- */

struct many {
    struct zk_session *session;
    size_t pending; /* guarded by the session's lock */
};

struct one {
    struct many *many;
    char *path;
    int rc;
    char *value; /* of a read */
    size_t length;
};

/* What the library hands back is the pointer that it was given. */
static struct one *begin_answer(const void *data)
{
    struct one *one;
    memcpy(&one, &data, sizeof one);
    pthread_mutex_lock(&one->many->session->lock);
    return one;
}

static void end_answer(struct one *one, int rc)
{
    struct zk_session *session = one->many->session; /* the call may be gone behind the unlock */
    one->rc = rc;
    one->many->pending--;
    pthread_cond_broadcast(&session->changed);
    pthread_mutex_unlock(&session->lock);
}

static void on_exists(int rc, const struct Stat *stat, const void *data)
{
    end_answer(begin_answer(data), rc);
}

static void on_value(int rc, const char *value, int length, const struct Stat *stat, const void *data)
{
    struct one *one = begin_answer(data);
    one->length = rc == ZOK && length > 0 ? (size_t)length : 0;
    one->value = rc == ZOK ? malloc(one->length + 1) : NULL;
    if (one->value && one->length > 0)
        memcpy(one->value, value, one->length);
    end_answer(one, rc == ZOK && !one->value ? ZSYSTEMERROR : rc);
}

static void on_done(int rc, const void *data)
{
    end_answer(begin_answer(data), rc);
}

static void expect(struct many *many)
{
    pthread_mutex_lock(&many->session->lock);
    many->pending++;
    pthread_mutex_unlock(&many->session->lock);
}

/* @p started: what the library said to the call that was expected. */
static void note_start(struct one *one, int started)
{
    if (started == ZOK)
        return;
    begin_answer(one);
    end_answer(one, started);
}

/* The library answers each call, when its connection is lost at the latest. */
static void await_all(struct many *many)
{
    pthread_mutex_lock(&many->session->lock);
    while (many->pending > 0)
        zk_session_wait(many->session, deadline_after(-1));
    pthread_mutex_unlock(&many->session->lock);
}

static void ask_all(struct zk_store *zk, struct one *ones, size_t count, bool values)
{
    struct many many = {.session = &zk->session};
    for (size_t i = 0; i < count; i++) {
        struct one *one = &ones[i];
        one->many = &many;
        if (!one->path) {
            one->rc = ZSYSTEMERROR;
            continue;
        }
        expect(&many);
        note_start(one, values ? zoo_awget(zk->session.handle, one->path, NULL, NULL, on_value, one)
                               : zoo_awexists(zk->session.handle, one->path, NULL, NULL, on_exists, one));
    }
    await_all(&many);
}

static void clear_all(struct one *ones, size_t count)
{
    for (size_t i = 0; ones && i < count; i++) {
        free(ones[i].path);
        free(ones[i].value);
    }
    free(ones);
}

static int multi(struct zk_store *zk, const zoo_op_t *ops, zoo_op_result_t *results, int count)
{
    struct many many = {.session = &zk->session};
    struct one one = {.many = &many};
    expect(&many);
    note_start(&one, zoo_amulti(zk->session.handle, count, ops, results, on_done, &one));
    await_all(&many);
    return one.rc;
}

/* --- who writes --- */

static int writer(struct kv_store *store, char **ret, char **reterr)
{
    struct zk_store *zk = store->state;
    struct Stat stat;
    char *path = path_of(store, KV_STORE_WRITER);
    int rc = ZOK, status = path ? connect_store(store, reterr) : discovery_fail(reterr, "out of memory");
    if (status == 0)
        rc = zk_read(&zk->session, path, ret, &stat);
    if (rc == ZNONODE)
        *ret = NULL;
    else if (rc != ZOK)
        status = fail(store, path, rc, reterr);
    free(path);
    return status;
}

/* The lock's node of our term among its candidates; without a term there must be none. ZOK, ZNONODE, … */
static int judge_candidate(struct kv_store *store, const char *name, bool *ret_good)
{
    struct zk_store *zk = store->state;
    struct Stat stat;
    char *value = NULL, *path = text_format("/%s/%s", store->place->leader, name);
    int rc = path ? zk_read(&zk->session, path, &value, &stat) : ZSYSTEMERROR;
    free(value);
    if (rc == ZOK && store->term && stat.czxid == (int64_t)store->term) {
        zk->lock = path;
        *ret_good = true;
        return ZOK;
    }
    if (rc == ZOK && !store->term)
        *ret_good = false;
    free(path);
    return rc == ZNONODE ? ZOK : rc;
}

/* 0: we may write; KV_STORE_LOST, or -1. */
static int find_lock(struct kv_store *store, char **reterr)
{
    struct zk_store *zk = store->state;
    char *path = text_format("/%s", store->place->leader), **candidates = NULL;
    bool good = !store->term;
    free(zk->lock);
    zk->lock = NULL;
    int rc = path ? zk_children(&zk->session, path, &candidates) : ZSYSTEMERROR;
    for (char **name = candidates; rc == ZOK && !zk->lock && name && *name; name++)
        rc = strstr(*name, "-lock-") ? judge_candidate(store, *name, &good) : ZOK;
    zk_names_free(candidates);
    int status = rc == ZOK || rc == ZNONODE ? (good ? 0 : KV_STORE_LOST) : fail(store, path, rc, reterr);
    free(path);
    return status;
}

/* Put the writer's node, whose version becomes our mark. */
static int put_writer(struct kv_store *store, const char *path, const char *text)
{
    struct zk_store *zk = store->state;
    struct Stat stat = {0}, after;
    char *old = NULL;
    zoo_op_t ops[CHECKS];
    zoo_op_result_t results[CHECKS] = {{0}, {0}};
    int count = 0, rc = zk_read(&zk->session, path, &old, &stat);
    bool there = rc == ZOK;
    free(old);
    if (rc != ZOK && rc != ZNONODE)
        return rc;
    if (zk->lock)
        zoo_check_op_init(&ops[count++], zk->lock, -1);
    if (there)
        zoo_set_op_init(&ops[count++], path, text, (int)strlen(text), stat.version, &after);
    else
        zoo_create_op_init(&ops[count++], path, text, (int)strlen(text), &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, NULL, 0);
    rc = multi(zk, ops, results, count);
    if (rc == ZOK)
        store->mark = there ? stat.version + 1 : 0;
    return rc == ZNONODE && zk->lock && results[0].err == ZNONODE ? ZNOTHING : rc;
}

static int begin(struct kv_store *store, const char *text, char **reterr)
{
    struct zk_store *zk = store->state;
    char *root = path_of(store, ""), *path = path_of(store, KV_STORE_WRITER);
    int status = root && path ? connect_store(store, reterr) : discovery_fail(reterr, "out of memory");
    if (status == 0)
        status = find_lock(store, reterr);
    if (status == 0) {
        int rc = zk_make_directory(&zk->session, root);
        if (rc == ZOK)
            rc = put_writer(store, path, text);
        status = rc == ZOK ? 0 : rc == ZNOTHING ? KV_STORE_LOST : fail(store, path, rc, reterr);
    }
    free(path);
    free(root);
    return status;
}

/* --- writing --- */

static char *path_of_key(const struct kv_store *store, const char *key)
{
    char *below = kv_bucket_path(key), *path = below ? path_of(store, below) : NULL;
    free(below);
    return path;
}

/* @p ones: of the changes, with whether they are there. How many operations there are. */
static int fill(struct zk_store *zk, const struct kv_store *store, const char *writer_path,
                const struct kv_change *changes, const struct one *ones, size_t count, zoo_op_t *ops,
                struct Stat *after)
{
    int used = 0;
    zoo_check_op_init(&ops[used++], writer_path, (int)store->mark);
    if (zk->lock)
        zoo_check_op_init(&ops[used++], zk->lock, -1);
    for (size_t i = 0; i < count; i++) {
        const char *path = ones[i].path, *value = changes[i].value;
        bool there = ones[i].rc == ZOK;
        if (value && there)
            zoo_set_op_init(&ops[used++], path, value, (int)changes[i].length, -1, after);
        else if (value)
            zoo_create_op_init(&ops[used++], path, value, (int)changes[i].length, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT,
                               NULL, 0);
        else if (there)
            zoo_delete_op_init(&ops[used++], path, -1);
    }
    return used;
}

/* Directories that those lack which are to be made. */
static int make_directories(struct zk_store *zk, const struct kv_change *changes, const struct one *ones, size_t count)
{
    int rc = ZOK;
    for (size_t i = 0; rc == ZOK && i < count; i++) {
        if (!changes[i].value || ones[i].rc != ZNONODE)
            continue;
        char *directory = strndup(ones[i].path, (size_t)(strrchr(ones[i].path, '/') - ones[i].path));
        rc = directory ? zk_make_directory(&zk->session, directory) : ZSYSTEMERROR;
        free(directory);
    }
    return rc;
}

/* ZOK; ZNOTHING: somebody else writes. */
static int write_all(struct kv_store *store, const char *writer_path, const struct kv_change *changes,
                     const struct one *ones, size_t count)
{
    struct zk_store *zk = store->state;
    zoo_op_t *ops = calloc(count + CHECKS, sizeof *ops);
    zoo_op_result_t *results = calloc(count + CHECKS, sizeof *results);
    struct Stat after; /* of all of them: nobody reads it */
    int rc = ops && results ? ZNONODE : ZSYSTEMERROR, checks = zk->lock ? 2 : 1;
    for (int tries = 0; rc == ZNONODE && tries < 2; tries++) {
        if (tries > 0 && (rc = make_directories(zk, changes, ones, count)) != ZOK)
            break;
        int used = fill(zk, store, writer_path, changes, ones, count, ops, &after);
        memset(results, 0, (count + CHECKS) * sizeof *results);
        rc = multi(zk, ops, results, used);
        for (int i = 0; i < checks; i++) {
            if ((rc == ZBADVERSION || rc == ZNONODE) && (results[i].err == ZBADVERSION || results[i].err == ZNONODE))
                rc = ZNOTHING;
        }
    }
    free(ops);
    free(results);
    return rc;
}

/* What is there by now is set, what is not is made: nobody else changes that. */
static int apply_to(struct kv_store *store, const char *writer_path, const struct kv_change *changes, struct one *ones,
                    size_t count, char **reterr)
{
    int rc = ZOK;
    ask_all(store->state, ones, count, false);
    for (size_t i = 0; i < count && rc == ZOK; i++)
        rc = ones[i].rc == ZNONODE ? ZOK : ones[i].rc;
    if (rc == ZOK)
        rc = write_all(store, writer_path, changes, ones, count);
    return rc == ZOK ? 0 : rc == ZNOTHING ? KV_STORE_LOST : fail(store, writer_path, rc, reterr);
}

static int apply(struct kv_store *store, const struct kv_change *changes, size_t count, char **reterr)
{
    struct one *ones = calloc(count, sizeof *ones);
    char *writer_path = path_of(store, KV_STORE_WRITER);
    int status = ones && writer_path ? connect_store(store, reterr) : discovery_fail(reterr, "out of memory");
    for (size_t i = 0; status == 0 && i < count; i++)
        ones[i].path = path_of_key(store, changes[i].key);
    if (status == 0)
        status = apply_to(store, writer_path, changes, ones, count, reterr);
    clear_all(ones, count);
    free(writer_path);
    return status;
}

/* --- reading --- */

/* What is below a directory; *ret NULL where it is not there. */
static int names(struct kv_store *store, const char *directory, char ***ret, char **reterr)
{
    struct zk_store *zk = store->state;
    char *path = path_of(store, directory);
    int status = path ? connect_store(store, reterr) : discovery_fail(reterr, "out of memory");
    int rc = status == 0 ? zk_children(&zk->session, path, ret) : ZOK;
    if (rc != ZOK && rc != ZNONODE)
        status = fail(store, path, rc, reterr);
    free(path);
    return status;
}

static int tell_all(struct kv_store *store, char **found, struct one *ones, kv_store_fn fn, void *data, char **reterr)
{
    int status = 0;
    for (size_t i = 0; status == 0 && found[i]; i++) {
        if (ones[i].rc == ZOK)
            status = fn(data, found[i], ones[i].value, ones[i].length) == 0 ? 0 : -1;
        else if (ones[i].rc != ZNONODE)
            status = fail(store, ones[i].path ? ones[i].path : "", ones[i].rc, reterr);
    }
    return status;
}

static int read_values(struct kv_store *store, const char *directory, kv_store_fn fn, void *data, char **reterr)
{
    char **found = NULL;
    size_t count = 0;
    int status = names(store, directory, &found, reterr);
    while (status == 0 && found && found[count])
        count++;
    struct one *ones = calloc(count + 1, sizeof *ones);
    if (status == 0 && !ones)
        status = discovery_fail(reterr, "out of memory");
    for (size_t i = 0; status == 0 && i < count; i++)
        ones[i].path = text_format("/%s/%s/%s", store->place->records, directory, found[i]);
    if (status == 0 && count > 0) {
        ask_all(store->state, ones, count, true);
        status = tell_all(store, found, ones, fn, data, reterr);
    }
    clear_all(ones, count);
    zk_names_free(found);
    return status;
}

static int load(struct kv_store *store, const char *from, const char *to, kv_store_fn fn, void *data, char **reterr)
{
    static const struct kv_bucket_ops ops = {names, read_values};
    return kv_bucket_load(store, &ops, from, to, fn, data, reterr);
}

/* --- life --- */

static int open_zookeeper(struct kv_store *store, struct discovery *discovery, char **reterr)
{
    const struct zk *shared = discovery->state;
    struct zk_store *zk = calloc(1, sizeof *zk);
    if (!zk || zk_session_init(&zk->session, &shared->place, SESSION_MS) != 0) {
        free(zk);
        return discovery_fail(reterr, "out of memory");
    }
    store->state = zk;
    store->place = &shared->place;
    return 0;
}

static void close_zookeeper(struct kv_store *store)
{
    struct zk_store *zk = store->state;
    zk_session_finish(&zk->session);
    free(zk->lock);
    free(zk);
}

const struct kv_store_backend kv_store_zookeeper = {.changes_max = CHANGES_MAX,
                                                    .bytes_max = BYTES_MAX,
                                                    .open = open_zookeeper,
                                                    .close = close_zookeeper,
                                                    .writer = writer,
                                                    .begin = begin,
                                                    .load = load,
                                                    .apply = apply};
