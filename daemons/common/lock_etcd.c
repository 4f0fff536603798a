/* SPDX-License-Identifier: Apache-2.0 */
/* v3: the key is put, under a lease, by a transaction that asks whether it is there; its create_revision is the term.
 * A lease that was kept alive counts once a linearizable look has shown the key under it: the member that prolonged the
 * lease might be a leader that has lost its quorum. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lock_etcd.h"
#include "text.h"

const char *lock_etcd_key(const struct lock_etcd *etcd)
{
    return etcd->etcd->place.leader;
}

int64_t lock_etcd_ttl_s(const struct lock *lock)
{
    return ((int64_t)lock->options.ttl_ms + 999) / 1000;
}

void lock_etcd_watch(struct lock_etcd *lock, int64_t from)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    struct etcd *etcd = lock->etcd;
    bool v3 = atomic_load(&etcd->api) == 3;
    char *key = v3 ? NULL : etcd_v2_path(lock_etcd_key(lock));
    char *path = v3 ? strdup("/v3/watch") : key ? text_format("%s?wait=true&waitIndex=%" PRId64, key, from) : NULL;
    char *url = path ? etcd_url(etcd, etcd->endpoint, path) : NULL;
    char *body = v3 ? etcd_watch_key_request(lock_etcd_key(lock), from) : NULL;
    struct http_call call = {.method = v3 ? "POST" : "GET",
                             .url = url,
                             .headers = headers,
                             .body = body,
                             .body_length = body ? strlen(body) : 0,
                             .tls = etcd->place.tls,
                             .connect_timeout_ms = ETCD_CONNECT_TIMEOUT_MS};
    if (url && (body || !v3))
        lock_watch_start(&lock->watch, &call, v3 ? 1 : 0); /* v3's first line says that the watch has begun */
    free(body);
    free(url);
    free(path);
    free(key);
}

static int look(struct lock_etcd *lock, struct etcd_key *ret, char **reterr)
{
    struct http_result result;
    if (etcd_call_v3(lock->etcd, "/v3/kv/range", etcd_key_request(lock_etcd_key(lock)), &result, reterr) != 0)
        return -1;
    int status = 0;
    *ret = (struct etcd_key){0};
    if (etcd_api_missing(&result))
        status = etcd_switch_api(lock->etcd, &result) ? 0 : etcd_refuse(lock->etcd, &result, reterr);
    else if (result.status != 200 || etcd_parse_key(result.body, ret) != 0)
        status = etcd_refuse(lock->etcd, &result, reterr);
    http_result_clear(&result);
    return status;
}

/* What the store showed; takes @p key's value. */
static void show(struct lock_etcd *lock, struct etcd_key *key, struct lock_view *view)
{
    view->holder = key->value;
    view->mine = key->present && *lock->etcd->lease && strcmp(key->lease, lock->etcd->lease) == 0;
    lock->created = view->mine ? key->created : 0;
    view->term = (uint64_t)lock->created;
    view->lives_ms = view->mine ? lock->lives_ms : 0;
    lock->api = 3;
    lock_etcd_watch(lock, key->revision + 1);
}

/* Put it under a lease of its own, where nobody else was quicker. */
static int acquire(struct lock *lock, struct lock_view *view, char **reterr)
{
    struct lock_etcd *etcd = lock->state;
    struct http_result result;
    struct etcd_key key;
    int64_t ttl_s = lock_etcd_ttl_s(lock);
    bool put = false;
    *etcd->etcd->lease = '\0';
    if (etcd_grant(etcd->etcd, ttl_s, &ttl_s, reterr) != 0)
        return -1;
    etcd->lives_ms = ttl_s * 1000;
    char *request = etcd_acquire_request(lock_etcd_key(etcd), lock->options.address, etcd->etcd->lease);
    if (etcd_call_v3(etcd->etcd, "/v3/kv/txn", request, &result, reterr) != 0)
        return -1; /* it may have been put: the next campaign sees by the lease */
    int status = 0;
    if (result.status != 200 || etcd_parse_acquire(result.body, &put, &key) != 0)
        status = etcd_refuse(etcd->etcd, &result, reterr);
    http_result_clear(&result);
    if (status != 0)
        return -1;
    if (put) {
        key.present = true;
        key.created = key.revision;
        key.value = strdup(lock->options.address);
        strcpy(key.lease, etcd->etcd->lease);
    }
    show(etcd, &key, view);
    return put ? 0 : etcd_revoke(etcd->etcd, reterr);
}

/* Keep the lease, then see whether the key is under it. */
static int renew_v3(struct lock *lock, struct lock_view *view, char **reterr)
{
    struct lock_etcd *etcd = lock->state;
    struct etcd_key key;
    if (*etcd->etcd->lease && etcd_keep_alive(etcd->etcd, reterr) != 0)
        return -1;
    if (look(etcd, &key, reterr) != 0)
        return -1;
    show(etcd, &key, view);
    return 0;
}

static int campaign_v3(struct lock *lock, struct lock_view *view, char **reterr)
{
    struct lock_etcd *etcd = lock->state;
    struct etcd_key key;
    if (*etcd->etcd->lease) { /* of a try whose answer was lost, or of a key that somebody deleted */
        int status = renew_v3(lock, view, reterr);
        return status == 0 && !view->mine ? etcd_revoke(etcd->etcd, reterr) : status;
    }
    if (look(etcd, &key, reterr) != 0)
        return -1;
    if (!key.present && atomic_load(&etcd->etcd->api) == 3)
        return acquire(lock, view, reterr);
    show(etcd, &key, view);
    return 0;
}

/* --- either API --- */

static int campaign(struct lock *lock, struct lock_view *view, char **reterr)
{
    struct lock_etcd *etcd = lock->state;
    int status = 0;
    for (int tries = 0; tries < 2; tries++) { /* the second where the first changed the API */
        int api = atomic_load(&etcd->etcd->api);
        status = api == 3 ? campaign_v3(lock, view, reterr) : lock_etcd_v2_campaign(lock, view, reterr);
        if (status != 0 || atomic_load(&etcd->etcd->api) == api)
            return status;
        free(view->holder);
        *view = (struct lock_view){0};
    }
    return discovery_fail(reterr, "etcd: the server serves neither the v3 JSON gateway nor the v2 keys API");
}

static int renew(struct lock *lock, struct lock_view *view, char **reterr)
{
    const struct lock_etcd *etcd = lock->state;
    return etcd->api == 3 ? renew_v3(lock, view, reterr) : lock_etcd_v2_renew(lock, view, reterr);
}

static int resign(struct lock *lock, char **reterr)
{
    struct lock_etcd *etcd = lock->state;
    return etcd->api == 2 ? lock_etcd_v2_resign(lock, reterr) : etcd_revoke(etcd->etcd, reterr);
}

static int etcd_lock_open(struct lock *lock, char **reterr)
{
    struct lock_etcd *etcd = calloc(1, sizeof *etcd);
    if (!etcd || lock_watch_init(&etcd->watch) != 0) {
        free(etcd);
        return discovery_fail(reterr, "out of memory or descriptors");
    }
    etcd->etcd = lock->discovery->state;
    etcd->etcd->call_timeout_ms = lock_call_timeout_ms(lock);
    lock->state = etcd;
    return 0;
}

static void etcd_lock_close(struct lock *lock)
{
    struct lock_etcd *etcd = lock->state;
    lock_watch_finish(&etcd->watch);
    free(etcd);
}

static void etcd_lock_wait(struct lock *lock, int timeout_ms)
{
    struct lock_etcd *etcd = lock->state;
    lock_watch_wait(&etcd->watch, lock, timeout_ms);
}

const struct lock_backend lock_etcd = {.open = etcd_lock_open,
                                       .close = etcd_lock_close,
                                       .campaign = campaign,
                                       .renew = renew,
                                       .resign = resign,
                                       .wait = etcd_lock_wait};
