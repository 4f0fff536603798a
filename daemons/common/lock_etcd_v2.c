/* SPDX-License-Identifier: Apache-2.0 */
/* v2: the key is made where there is none, and refreshed, which wakes no watcher, while its modifiedIndex is the one
 * that we know. Its createdIndex, which a refresh leaves as it is, is the term, and tells our key from any other. */
#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lock_etcd.h"
#include "text.h"

enum { KEY_NOT_FOUND = 100, COMPARE_FAILED = 101, NODE_EXISTS = 105 };

/* Takes @p query and @p form. 0 with *result for any answer that etcd gave. */
static int call(struct lock_etcd *lock, const char *method, char *query, char *form, struct http_result *result,
                char **reterr)
{
    bool complete = query && (form || strcmp(method, "PUT") != 0);
    char *key = etcd_v2_path(lock_etcd_key(lock));
    char *path = key && complete ? text_format("%s%s", key, query) : NULL;
    int status =
        etcd_call(lock->etcd, &(struct etcd_question){.method = method, .path = path, .body = form, .form = true},
                  result, reterr);
    free(path);
    free(key);
    free(query);
    free(form);
    return status;
}

/* *ret_error: etcd's code where the answer is one of those that were to be expected; 0: @p key was filled. */
static int read_answer(struct lock_etcd *lock, struct http_result *result, struct etcd_v2_key *key, int *ret_error,
                       char **reterr)
{
    int status = 0;
    *key = (struct etcd_v2_key){0};
    *ret_error = etcd_v2_error(result);
    if (etcd_api_missing(result))
        status = etcd_switch_api(lock->etcd, result) ? 0 : etcd_refuse(lock->etcd, result, reterr);
    else if (*ret_error == 0 && (result->status / 100 != 2 || etcd_parse_v2_key(result->body, key) != 0))
        status = etcd_refuse(lock->etcd, result, reterr);
    else if (*ret_error != 0 && *ret_error != KEY_NOT_FOUND && *ret_error != COMPARE_FAILED &&
             *ret_error != NODE_EXISTS)
        status = etcd_refuse(lock->etcd, result, reterr);
    return status;
}

/* The key as it is; key->value NULL where there is none. *ret_index: of the store. */
static int look(struct lock_etcd *lock, struct etcd_v2_key *key, int64_t *ret_index, char **reterr)
{
    struct http_result result;
    int error;
    if (call(lock, "GET", strdup("?quorum=true"), NULL, &result, reterr) != 0)
        return -1;
    int status = read_answer(lock, &result, key, &error, reterr);
    *ret_index = strtoll(result.index, NULL, 10);
    http_result_clear(&result);
    return status;
}

/* Takes @p key's value. */
static void show(struct lock *lock, struct etcd_v2_key *key, bool mine, int64_t index, struct lock_view *view)
{
    struct lock_etcd *etcd = lock->state;
    etcd->api = 2;
    etcd->created = mine ? key->created : 0;
    etcd->modified = mine ? key->modified : 0;
    view->mine = mine;
    view->holder = key->value;
    view->term = (uint64_t)etcd->created;
    view->lives_ms = mine ? lock_etcd_ttl_s(lock) * 1000 : 0;
    lock_etcd_watch(etcd, (index > key->modified ? index : key->modified) + 1);
}

/* *ret_made: it was not there, and is ours now. */
static int make(struct lock *lock, struct etcd_v2_key *key, bool *ret_made, char **reterr)
{
    struct lock_etcd *etcd = lock->state;
    struct http_result result;
    int error;
    char *value = curl_easy_escape(NULL, lock->options.address, 0);
    char *form = value ? text_format("value=%s&ttl=%" PRId64, value, lock_etcd_ttl_s(lock)) : NULL;
    curl_free(value);
    if (call(etcd, "PUT", strdup("?prevExist=false"), form, &result, reterr) != 0)
        return -1;
    int status = read_answer(etcd, &result, key, &error, reterr);
    *ret_made = status == 0 && key->value;
    http_result_clear(&result);
    return status;
}

int lock_etcd_v2_campaign(struct lock *lock, struct lock_view *view, char **reterr)
{
    struct lock_etcd *etcd = lock->state;
    struct etcd_v2_key key;
    int64_t index;
    bool made = false;
    if (look(etcd, &key, &index, reterr) != 0)
        return -1;
    if (!key.value && atomic_load(&etcd->etcd->api) == 2) {
        if (make(lock, &key, &made, reterr) != 0 || (!made && look(etcd, &key, &index, reterr) != 0))
            return -1;
    }
    show(lock, &key, made, index, view);
    return 0;
}

int lock_etcd_v2_renew(struct lock *lock, struct lock_view *view, char **reterr)
{
    struct lock_etcd *etcd = lock->state;
    struct etcd_v2_key key;
    int64_t index = 0;
    for (int tries = 0; tries < 2; tries++) { /* the answer to an earlier refresh may have been lost */
        struct http_result result;
        int error;
        char *query = text_format("?prevExist=true&prevIndex=%" PRId64, etcd->modified);
        char *form = text_format("refresh=true&ttl=%" PRId64, lock_etcd_ttl_s(lock));
        if (call(etcd, "PUT", query, form, &result, reterr) != 0)
            return -1;
        int status = read_answer(etcd, &result, &key, &error, reterr);
        http_result_clear(&result);
        if (status != 0)
            return -1;
        if (key.value) {
            show(lock, &key, key.created == etcd->created, 0, view);
            return 0;
        }
        if (look(etcd, &key, &index, reterr) != 0)
            return -1;
        if (!key.value || key.created != etcd->created)
            break;
        etcd->modified = key.modified;
        free(key.value);
    }
    if (key.created == etcd->created)
        return discovery_fail(reterr, "etcd: key %s changes all the time", lock_etcd_key(etcd));
    show(lock, &key, false, index, view);
    return 0;
}

int lock_etcd_v2_resign(struct lock *lock, char **reterr)
{
    struct lock_etcd *etcd = lock->state;
    struct http_result result;
    struct etcd_v2_key key;
    int64_t index;
    if (etcd->created == 0)
        return 0;
    if (look(etcd, &key, &index, reterr) != 0)
        return -1;
    free(key.value);
    int status = 0;
    if (key.created == etcd->created) {
        status = call(etcd, "DELETE", text_format("?prevIndex=%" PRId64, key.modified), NULL, &result, reterr);
        if (status == 0)
            http_result_clear(&result);
    }
    if (status == 0)
        etcd->created = 0;
    return status;
}
