/* SPDX-License-Identifier: Apache-2.0 */
/* Candidates put ephemeral nodes with growing numbers below the key; the lowest is the holder's, whose address the key
 * then has as its data: as classic Swarm's managers do it. The term is the czxid of the holder's node.
 *
 * How long a session lives at least, from what its owner knows: the leader of the servers counts from when it last
 * heard of it. It makes the session itself. Later on a follower tells it whom it heard from when it is pinged, every
 * half tick; a write goes through the leader behind that. So when a write has succeeded, the leader knows of all that
 * the owner did until half a tick before. A tick is half of the shortest session at most: half a tick is a quarter of
 * ours at most. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "discovery_zookeeper.h"
#include "lock_private.h"
#include "text.h"

enum { EXCHANGES = 16 };

/* A call that the servers answered. */
struct exchange {
    int64_t began_ms, ended_ms;
};

struct lock_zookeeper {
    struct zk_session session;
    char *key;                       /* with a leading slash */
    char name[64];                   /* "_c_<random>-lock-", what the names of our nodes begin with in this session */
    int64_t term;                    /* czxid of our node */
    int64_t began_ms;                /* before the session was made */
    struct exchange done[EXCHANGES]; /* in this session, a ring */
    unsigned next;
};

/* The number at the end of a name, as ZooKeeper pads it. */
static const char *number_of(const char *name)
{
    size_t length = strlen(name);
    return length > 10 ? name + length - 10 : name;
}

static bool is_candidate(const char *name)
{
    return strstr(name, "-lock-") != NULL;
}

/* The lowest of all, and ours; NULL: none. Borrowed. */
static void find(const struct lock_zookeeper *zk, char **names, const char **ret_first, const char **ret_ours)
{
    *ret_first = *ret_ours = NULL;
    for (; *names; names++) {
        if (!is_candidate(*names))
            continue;
        if (!*ret_first || strcmp(number_of(*names), number_of(*ret_first)) < 0)
            *ret_first = *names;
        if (strncmp(*names, zk->name, strlen(zk->name)) == 0)
            *ret_ours = *names;
    }
}

/* Another session's nodes are not ours. */
static void new_name(struct lock_zookeeper *zk)
{
    unsigned char random[16];
    char *to = stpcpy(zk->name, "_c_");
    if (getrandom(random, sizeof random, 0) != sizeof random)
        memcpy(random, &zk->session.id, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) {
        *to++ = "0123456789abcdef"[random[i] >> 4];
        *to++ = "0123456789abcdef"[random[i] & 15];
    }
    strcpy(to, "-lock-");
}

static int connect_session(struct lock_zookeeper *zk, char **reterr)
{
    int64_t before_ms = lock_now_ms(), old = zk->session.id.client_id;
    bool fresh;
    if (zk_session_connect(&zk->session, &fresh, reterr) != 0)
        return -1;
    if (zk->session.id.client_id != old || !*zk->name) {
        new_name(zk);
        zk->began_ms = before_ms;
        memset(zk->done, 0, sizeof zk->done);
    }
    pthread_mutex_lock(&zk->session.lock);
    zk->session.news = false;
    pthread_mutex_unlock(&zk->session.lock);
    return 0;
}

static int fail(const struct lock_zookeeper *zk, int rc, char **reterr)
{
    *reterr = zk_session_error(&zk->session, zk->key, rc);
    return -1;
}

/* The czxid of our node. ZNONODE: it has just gone. */
static int take_term(struct lock_zookeeper *zk, const char *name)
{
    struct Stat stat;
    char *value = NULL, *path = text_format("%s/%s", zk->key, name);
    int rc = path ? zk_read(&zk->session, path, &value, &stat) : ZSYSTEMERROR;
    if (rc == ZOK)
        zk->term = stat.czxid;
    free(value);
    free(path);
    return rc;
}

/* Whom the lowest node is of: it says so itself, or the key does. ZOK with *ret_holder NULL: it has just gone. */
static int read_holder(struct lock_zookeeper *zk, const char *name, char **ret_holder)
{
    struct Stat stat;
    char *value = NULL, *path = text_format("%s/%s", zk->key, name);
    int rc = path ? zk_read(&zk->session, path, &value, &stat) : ZSYSTEMERROR;
    free(path);
    if (rc == ZOK && *value == '\0') {
        free(value);
        value = NULL;
        rc = zk_read(&zk->session, zk->key, &value, &stat);
    }
    if (rc == ZOK)
        *ret_holder = value;
    return rc == ZNONODE ? ZOK : rc;
}

/* Ours is the lowest: let the key say so, and by this write the leader know that we live. */
static int hold(struct lock *lock, struct lock_view *view)
{
    struct lock_zookeeper *zk = lock->state;
    int rc = zk_set(&zk->session, zk->key, lock->options.address);
    if (rc != ZOK)
        return rc;
    view->mine = true;
    view->term = (uint64_t)zk->term;
    view->holder = strdup(lock->options.address);
    return view->holder ? ZOK : ZSYSTEMERROR;
}

static int judge(struct lock *lock, char **names, struct lock_view *view)
{
    struct lock_zookeeper *zk = lock->state;
    const char *first, *ours;
    find(zk, names, &first, &ours);
    int rc = ours ? take_term(zk, ours) : ZNONODE;
    if (rc != ZOK)
        return rc;
    return first == ours ? hold(lock, view) : read_holder(zk, first, &view->holder);
}

/* *ret_again: we had no node, and have one now. */
static int step(struct lock *lock, struct lock_view *view, bool *ret_again)
{
    struct lock_zookeeper *zk = lock->state;
    char **names = NULL, *path;
    int rc = zk_children(&zk->session, zk->key, &names);
    *ret_again = false;
    if (rc == ZOK)
        rc = judge(lock, names, view);
    zk_names_free(names);
    if (rc != ZNONODE)
        return rc;
    path = text_format("%s/%s", zk->key, zk->name);
    char *made = NULL;
    rc = path ? zk_create_next(&zk->session, zk->key, path, lock->options.address, &made) : ZSYSTEMERROR;
    free(path);
    free(made);
    *ret_again = rc == ZOK;
    return rc;
}

/* A write that began after @p asked_ms has succeeded: from then on. */
static int64_t lives_ms(const struct lock_zookeeper *zk, int64_t asked_ms)
{
    int64_t timeout_ms = zoo_recv_timeout(zk->session.handle), known_ms = zk->began_ms;
    for (size_t i = 0; i < EXCHANGES; i++) {
        const struct exchange *done = &zk->done[i];
        if (done->ended_ms <= asked_ms - timeout_ms / 4 && done->began_ms > known_ms)
            known_ms = done->began_ms;
    }
    return known_ms + timeout_ms - asked_ms;
}

/* Where ours is there, whoever is first: the same for one who has it and one who wants it. */
static int campaign(struct lock *lock, struct lock_view *view, char **reterr)
{
    struct lock_zookeeper *zk = lock->state;
    int64_t asked_ms = lock_now_ms();
    bool again = true;
    int rc = ZOK;
    if (connect_session(zk, reterr) != 0)
        return -1;
    for (int tries = 0; again && tries < 3; tries++)
        rc = step(lock, view, &again);
    if (rc != ZOK)
        return fail(zk, rc, reterr);
    if (view->mine)
        view->lives_ms = lives_ms(zk, asked_ms);
    zk->done[zk->next++ % EXCHANGES] = (struct exchange){asked_ms, lock_now_ms()};
    return 0;
}

/* The term is another where the session, and with it our node, was lost meanwhile. */
static int renew(struct lock *lock, struct lock_view *view, char **reterr)
{
    return campaign(lock, view, reterr);
}

/* The end of the session takes the node along. Without a connection the session ends by itself. */
static int resign(struct lock *lock, char **reterr)
{
    struct lock_zookeeper *zk = lock->state;
    (void)reterr;
    zk_session_close(&zk->session);
    *zk->name = '\0';
    return 0;
}

static int zk_lock_open(struct lock *lock, char **reterr)
{
    const struct zk *shared = lock->discovery->state;
    struct lock_zookeeper *zk = calloc(1, sizeof *zk);
    /* The server rounds up, by a tick. */
    if (zk && zk_session_init(&zk->session, &shared->place, lock->options.ttl_ms * 9 / 10) == 0) {
        zk->key = text_format("/%s", shared->place.leader);
        lock->state = zk;
        if (zk->key)
            return 0;
        zk_session_finish(&zk->session);
    }
    free(zk);
    return discovery_fail(reterr, "out of memory");
}

static void zk_lock_close(struct lock *lock)
{
    struct lock_zookeeper *zk = lock->state;
    zk_session_finish(&zk->session);
    free(zk->key);
    free(zk);
}

static void zk_lock_wait(struct lock *lock, int timeout_ms)
{
    struct lock_zookeeper *zk = lock->state;
    struct zk_session *session = &zk->session;
    struct deadline deadline = deadline_after(timeout_ms);
    pthread_mutex_lock(&session->lock);
    bool was_up = session->link == ZK_LINK_UP;
    while (!session->stopping && !session->news && (!was_up || session->link == ZK_LINK_UP) &&
           zk_session_wait(session, deadline))
        ;
    pthread_mutex_unlock(&session->lock);
}

static void zk_lock_stop(struct lock *lock)
{
    struct lock_zookeeper *zk = lock->state;
    zk_session_stop(&zk->session);
}

const struct lock_backend lock_zookeeper = {.open = zk_lock_open,
                                            .close = zk_lock_close,
                                            .campaign = campaign,
                                            .renew = renew,
                                            .resign = resign,
                                            .wait = zk_lock_wait,
                                            .stop = zk_lock_stop};
