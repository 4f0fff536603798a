/* SPDX-License-Identifier: Apache-2.0 */
/* The key is acquired by a session. Consul ends one after up to twice its TTL, but not before that: so the session's is
 * half of what was asked for, and ours is over after the one. The key outlives the session, as it does with classic
 * Swarm's managers, and has a holder while a session is on it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "discovery_consul.h"
#include "lock_watch.h"
#include "log.h"
#include "text.h"

enum { WAIT_S = 15 };

struct lock_consul {
    struct consul *consul; /* its agent's side, the session too, is ours */
    struct lock_watch watch;
    int64_t ttl_s; /* of the session */
};

static void start_watch(struct lock_consul *lock, int64_t index)
{
    struct consul *consul = lock->consul;
    char *query = text_format("?index=%" PRId64 "&wait=%ds", index, WAIT_S);
    char *url = query ? consul_url(consul, "/v1/kv/", consul->place.leader, query) : NULL;
    struct http_call call = {.url = url,
                             .headers = consul->headers,
                             .tls = consul->place.tls,
                             .connect_timeout_ms = CONSUL_CONNECT_TIMEOUT_MS};
    if (url && index > 0)
        lock_watch_start(&lock->watch, &call, 0);
    free(url);
    free(query);
}

/* Takes @p key's value. */
static void show(struct lock_consul *lock, struct consul_key *key, struct lock_view *view)
{
    view->mine = *key->session && strcmp(key->session, lock->consul->session) == 0;
    view->term = view->mine ? (uint64_t)key->modified : 0;
    view->lives_ms = view->mine ? lock->ttl_s * 1000 : 0;
    if (*key->session)
        view->holder = key->value;
    else
        free(key->value);
    start_watch(lock, key->modified);
}

static int new_session(struct lock *lock, char **reterr)
{
    struct lock_consul *consul = lock->state;
    bool too_short;
    char *name = text_format("swarm-manage %s", lock->options.address);
    int status = name ? consul_create_session(consul->consul, consul_lock_session_request(name, consul->ttl_s),
                                              &too_short, reterr)
                      : discovery_fail(reterr, "out of memory");
    if (status == 0 && too_short && consul->ttl_s < CONSUL_TTL_MIN_S) {
        log_warn("Consul's sessions live %d s at least: a lost leader is replaced after up to %d s", CONSUL_TTL_MIN_S,
                 2 * CONSUL_TTL_MIN_S);
        consul->ttl_s = CONSUL_TTL_MIN_S;
        status =
            consul_create_session(consul->consul, consul_lock_session_request(name, consul->ttl_s), &too_short, reterr);
    }
    if (status == 0 && too_short)
        status = discovery_fail(reterr, "consul: it takes no session of %d s", (int)consul->ttl_s);
    free(name);
    return status;
}

/* Renew the session, where there is one, and see who holds the key. */
static int renew(struct lock *lock, struct lock_view *view, char **reterr)
{
    struct lock_consul *consul = lock->state;
    struct consul_key key;
    if (*consul->consul->session && consul_renew(consul->consul, reterr) != 0)
        return -1;
    if (consul_look(consul->consul, consul->consul->place.leader, &key, reterr) != 0)
        return -1;
    show(consul, &key, view);
    return 0;
}

static int campaign(struct lock *lock, struct lock_view *view, char **reterr)
{
    struct lock_consul *consul = lock->state;
    bool done;
    if (renew(lock, view, reterr) != 0)
        return -1;
    if (view->mine || view->holder) /* mine: the answer to an acquire was lost */
        return 0;
    if (!*consul->consul->session && new_session(lock, reterr) != 0)
        return -1;
    if (consul_acquire(consul->consul, consul->consul->place.leader, lock->options.address, &done, reterr) != 0)
        return -1;
    return renew(lock, view, reterr);
}

/* Released, the key can be acquired at once; one whose session ends could be held back for a while. */
static int release(struct lock *lock, char **reterr)
{
    struct lock_consul *consul = lock->state;
    struct http_result result;
    char *query = text_format("?release=%s", consul->consul->session);
    char *url = query ? consul_url(consul->consul, "/v1/kv/", consul->consul->place.leader, query) : NULL;
    char *body = strdup(lock->options.address);
    free(query);
    if (consul_call(consul->consul, "PUT", url, body, &result, reterr) != 0)
        return -1;
    http_result_clear(&result);
    return 0;
}

static int resign(struct lock *lock, char **reterr)
{
    struct lock_consul *consul = lock->state;
    if (!*consul->consul->session)
        return 0;
    return release(lock, reterr) != 0 ? -1 : consul_destroy_session(consul->consul, reterr);
}

static int consul_lock_open(struct lock *lock, char **reterr)
{
    struct lock_consul *consul = calloc(1, sizeof *consul);
    if (!consul || lock_watch_init(&consul->watch) != 0) {
        free(consul);
        return discovery_fail(reterr, "out of memory or descriptors");
    }
    consul->consul = lock->discovery->state;
    consul->consul->call_timeout_ms = lock_call_timeout_ms(lock);
    consul->ttl_s = lock->options.ttl_ms / 2 / 1000;
    if (consul->ttl_s < 1)
        consul->ttl_s = 1;
    if (consul->ttl_s > CONSUL_TTL_MAX_S)
        consul->ttl_s = CONSUL_TTL_MAX_S;
    lock->state = consul;
    return 0;
}

static void consul_lock_close(struct lock *lock)
{
    struct lock_consul *consul = lock->state;
    lock_watch_finish(&consul->watch);
    free(consul);
}

static void consul_lock_wait(struct lock *lock, int timeout_ms)
{
    struct lock_consul *consul = lock->state;
    lock_watch_wait(&consul->watch, lock, timeout_ms);
}

const struct lock_backend lock_consul = {.open = consul_lock_open,
                                         .close = consul_lock_close,
                                         .campaign = campaign,
                                         .renew = renew,
                                         .resign = resign,
                                         .wait = consul_lock_wait};
