/* SPDX-License-Identifier: Apache-2.0 */
/* The library's calls, one at a time. Its own waiting ones could not be stopped. */
#include "discovery_zookeeper.h"

#include <stdlib.h>
#include <string.h>

/* On the asking thread's stack: the library answers each call before its handle is gone. */
struct call {
    struct zk_session *session;
    bool done, out_of_memory;
    int rc;
    struct Stat stat;
    char *value;
    char **names;
};

/* With the lock held. */
static void finish(struct call *call, int rc)
{
    call->rc = rc;
    call->done = true;
    pthread_cond_broadcast(&call->session->changed);
}

/* What the library hands back is the pointer that it was given. */
static struct call *begin_answer(const void *data)
{
    struct call *call;
    memcpy(&call, &data, sizeof call);
    pthread_mutex_lock(&call->session->lock);
    return call;
}

static void end_answer(struct call *call, int rc)
{
    struct zk_session *session = call->session; /* the call may be gone behind finish() */
    finish(call, rc);
    pthread_mutex_unlock(&session->lock);
}

static void on_void(int rc, const void *data)
{
    end_answer(begin_answer(data), rc);
}

/* The path of what was made: of a sequence, nobody else knows it. */
static void on_string(int rc, const char *value, const void *data)
{
    struct call *call = begin_answer(data);
    if (rc == ZOK) {
        call->value = strdup(value ? value : "");
        call->out_of_memory = !call->value;
    }
    end_answer(call, rc);
}

static void on_stat(int rc, const struct Stat *stat, const void *data)
{
    end_answer(begin_answer(data), rc);
}

static void on_data(int rc, const char *value, int length, const struct Stat *stat, const void *data)
{
    struct call *call = begin_answer(data);
    if (rc == ZOK) {
        call->stat = *stat;
        call->value = strndup(value ? value : "", length > 0 ? (size_t)length : 0);
        call->out_of_memory = !call->value;
    }
    end_answer(call, rc);
}

static int compare_names(const void *a, const void *b)
{
    char *const *first = a, *const *second = b;
    return strcmp(*first, *second);
}

static char **copy_names(const struct String_vector *strings)
{
    size_t count = strings->count > 0 ? (size_t)strings->count : 0;
    char **names = calloc(count + 1, sizeof *names);
    for (size_t i = 0; names && i < count; i++) {
        names[i] = strdup(strings->data[i]);
        if (!names[i]) {
            zk_names_free(names);
            return NULL;
        }
    }
    if (names)
        qsort(names, count, sizeof *names, compare_names);
    return names;
}

static void on_names(int rc, const struct String_vector *strings, const void *data)
{
    struct call *call = begin_answer(data);
    if (rc == ZOK) {
        call->names = copy_names(strings);
        call->out_of_memory = !call->names;
    }
    end_answer(call, rc);
}

void zk_names_free(char **names)
{
    for (char **name = names; name && *name; name++)
        free(*name);
    free(names);
}

/* @p started: whether the library took the call; then it will answer, with ZCLOSING at the latest. */
static int await(struct call *call, int started)
{
    struct zk_session *session = call->session;
    if (started != ZOK)
        return started;
    pthread_mutex_lock(&session->lock);
    while (!call->done && !session->stopping)
        zk_session_wait(session, deadline_after(-1));
    bool done = call->done;
    pthread_mutex_unlock(&session->lock);
    if (!done)
        zk_session_close(session);
    return call->out_of_memory ? ZSYSTEMERROR : call->rc;
}

static int get(struct zk_session *session, const char *path, watcher_fn watcher, char **ret_value,
               struct Stat *ret_stat)
{
    struct call call = {.session = session};
    int rc = await(&call, zoo_awget(session->handle, path, watcher, session, on_data, &call));
    if (rc == ZOK) {
        *ret_value = call.value;
        *ret_stat = call.stat;
    }
    return rc;
}

int zk_get(struct zk_session *session, const char *path, char **ret_value, struct Stat *ret_stat)
{
    return get(session, path, zk_on_event, ret_value, ret_stat);
}

int zk_read(struct zk_session *session, const char *path, char **ret_value, struct Stat *ret_stat)
{
    return get(session, path, NULL, ret_value, ret_stat);
}

int zk_children(struct zk_session *session, const char *path, char ***ret_names)
{
    struct call call = {.session = session};
    int rc = await(&call, zoo_awget_children(session->handle, path, zk_on_event, session, on_names, &call));
    if (rc == ZOK)
        *ret_names = call.names;
    return rc;
}

int zk_set(struct zk_session *session, const char *path, const char *value)
{
    struct call call = {.session = session};
    return await(&call, zoo_aset(session->handle, path, value, (int)strlen(value), -1, on_stat, &call));
}

/* *ret_path: new text; NULL: not wanted. */
static int create_at(struct zk_session *session, const char *path, const char *value, int mode, char **ret_path)
{
    struct call call = {.session = session};
    int rc = await(&call, zoo_acreate(session->handle, path, value, (int)strlen(value), &ZOO_OPEN_ACL_UNSAFE, mode,
                                      on_string, &call));
    if (rc == ZOK && ret_path)
        *ret_path = call.value;
    else
        free(call.value);
    return rc;
}

static int create(struct zk_session *session, const char *path, const char *value, int mode)
{
    return create_at(session, path, value, mode, NULL);
}

int zk_create_next(struct zk_session *session, const char *directory, const char *path, const char *value,
                   char **ret_path)
{
    int rc = create_at(session, path, value, ZOO_EPHEMERAL | ZOO_SEQUENCE, ret_path);
    if (rc != ZNONODE)
        return rc;
    rc = zk_make_directory(session, directory);
    return rc == ZOK ? create_at(session, path, value, ZOO_EPHEMERAL | ZOO_SEQUENCE, ret_path) : rc;
}

int zk_create(struct zk_session *session, const char *directory, const char *path, const char *value)
{
    int rc = create(session, path, value, ZOO_EPHEMERAL);
    if (rc != ZNONODE)
        return rc;
    rc = zk_make_directory(session, directory);
    return rc == ZOK ? create(session, path, value, ZOO_EPHEMERAL) : rc;
}

int zk_replace(struct zk_session *session, const char *path, const char *value)
{
    struct call call = {.session = session};
    zoo_op_t ops[2];
    zoo_op_result_t results[2] = {{0}, {0}};
    zoo_delete_op_init(&ops[0], path, -1);
    zoo_create_op_init(&ops[1], path, value, (int)strlen(value), &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0);
    return await(&call, zoo_amulti(session->handle, 2, ops, results, on_void, &call));
}

/* From below: those above may be there and allow us nothing. */
int zk_make_directory(struct zk_session *session, const char *path)
{
    int rc = create(session, path, "", ZOO_PERSISTENT);
    const char *slash = strrchr(path, '/');
    if (rc == ZNONODE && slash && slash > path) {
        char *parent = strndup(path, (size_t)(slash - path));
        rc = parent ? zk_make_directory(session, parent) : ZSYSTEMERROR;
        free(parent);
        if (rc == ZOK)
            rc = create(session, path, "", ZOO_PERSISTENT);
    }
    return rc == ZNODEEXISTS ? ZOK : rc;
}
