/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's side. v3: the key is put once under a lease, each heartbeat renews the lease and looks whether the key is
 * still there. v2: the key is set once, each heartbeat refreshes its TTL, which wakes no watcher. Who leaves writes the
 * empty value, and lets it expire. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discovery_etcd.h"

static int64_t agent_ttl_s(const struct etcd *etcd)
{
    return ((int64_t)etcd->discovery->ttl_ms + 999) / 1000;
}

int etcd_refuse(const struct etcd *etcd, const struct http_result *result, char **reterr)
{
    char *why = etcd_failure_text(etcd, etcd->endpoint, result);
    discovery_fail(reterr, "%s", why ? why : "out of memory");
    free(why);
    return -1;
}

int etcd_call_v3(struct etcd *etcd, const char *path, char *body, struct http_result *result, char **reterr)
{
    int status =
        body ? etcd_call(etcd, &(struct etcd_question){.method = "POST", .path = path, .body = body}, result, reterr)
             : discovery_fail(reterr, "out of memory");
    free(body);
    return status;
}

int etcd_grant(struct etcd *etcd, int64_t ttl_s, int64_t *ret_ttl_s, char **reterr)
{
    struct http_result result;
    if (etcd_call_v3(etcd, "/v3/lease/grant", etcd_grant_request(ttl_s), &result, reterr) != 0)
        return -1;
    int status = 0;
    if (etcd_api_missing(&result))
        status = etcd_switch_api(etcd, &result) ? 0 : etcd_refuse(etcd, &result, reterr);
    else if (result.status != 200 || etcd_parse_grant(result.body, etcd->lease, sizeof etcd->lease, ret_ttl_s) != 0)
        status = etcd_refuse(etcd, &result, reterr);
    http_result_clear(&result);
    return status;
}

int etcd_keep_alive(struct etcd *etcd, char **reterr)
{
    struct http_result result;
    bool alive = false;
    if (etcd_call_v3(etcd, "/v3/lease/keepalive", etcd_lease_request(etcd->lease), &result, reterr) != 0)
        return -1;
    int status = 0;
    if (etcd_api_missing(&result) && etcd_switch_api(etcd, &result))
        alive = false;
    else if (result.status != 200 || etcd_parse_keep_alive(result.body, &alive) != 0)
        status = etcd_refuse(etcd, &result, reterr);
    if (status == 0 && !alive)
        *etcd->lease = '\0';
    http_result_clear(&result);
    return status;
}

/* Whether the key is there as we put it: others may have deleted it, or announced the same address. */
static int look(struct etcd *etcd, const char *key, const char *address, bool *ret_ours, char **reterr)
{
    struct http_result result;
    struct etcd_key found;
    if (etcd_call_v3(etcd, "/v3/kv/range", etcd_key_request(key), &result, reterr) != 0)
        return -1;
    int status = 0;
    if (result.status != 200 || etcd_parse_key(result.body, &found) != 0) {
        status = etcd_refuse(etcd, &result, reterr);
    } else {
        *ret_ours =
            found.present && found.value && strcmp(found.value, address) == 0 && strcmp(found.lease, etcd->lease) == 0;
        free(found.value);
    }
    http_result_clear(&result);
    return status;
}

/* Where the lease ended meanwhile, etcd->lease becomes "". */
static int put(struct etcd *etcd, const char *key, const char *address, char **reterr)
{
    struct http_result result;
    if (etcd_call_v3(etcd, "/v3/kv/put", etcd_put_request(key, address, etcd->lease), &result, reterr) != 0)
        return -1;
    int status = 0;
    if (result.status == 404)
        *etcd->lease = '\0';
    else if (result.status != 200)
        status = etcd_refuse(etcd, &result, reterr);
    http_result_clear(&result);
    return status;
}

static int announce_v3(struct etcd *etcd, const char *key, const char *address, char **reterr)
{
    bool ours = false;
    if (*etcd->lease && etcd_keep_alive(etcd, reterr) != 0)
        return -1;
    if (atomic_load(&etcd->api) != 3) /* the server does not know v3 any more: the caller goes on with the other */
        return 0;
    if (*etcd->lease && look(etcd, key, address, &ours, reterr) != 0)
        return -1;
    if (!*etcd->lease && etcd_grant(etcd, agent_ttl_s(etcd), NULL, reterr) != 0)
        return -1;
    if (ours || !*etcd->lease) /* without a lease, the server turned out not to know v3 */
        return 0;
    if (put(etcd, key, address, reterr) != 0)
        return -1;
    etcd->announced = true;
    return *etcd->lease ? 0 : discovery_fail(reterr, "etcd: the lease ended while it was being used");
}

static char *set_form(const char *address, int64_t ttl_s, bool refresh)
{
    char *form, *value = curl_easy_escape(NULL, address, 0);
    int length = !value ? -1
                 : refresh
                     ? asprintf(&form, "refresh=true&prevExist=true&prevValue=%s&ttl=%lld", value, (long long)ttl_s)
                     : asprintf(&form, "value=%s&ttl=%lld", value, (long long)ttl_s);
    curl_free(value);
    return length < 0 ? NULL : form;
}

/* *ret_again: the key is not there as it was (refresh), or the server does not know v2. */
static int set_v2(struct etcd *etcd, const char *path, const char *address, bool refresh, bool *ret_again,
                  char **reterr)
{
    struct http_result result;
    char *form = set_form(address, agent_ttl_s(etcd), refresh);
    int status =
        form ? etcd_call(etcd, &(struct etcd_question){.method = "PUT", .path = path, .body = form, .form = true},
                         &result, reterr)
             : discovery_fail(reterr, "out of memory");
    free(form);
    if (status != 0)
        return -1;
    bool good = result.status == 200 || result.status == 201;
    *ret_again = etcd_api_missing(&result) ? etcd_switch_api(etcd, &result)
                                           : refresh && (result.status == 404 || result.status == 412);
    if (!good && !*ret_again)
        status = etcd_refuse(etcd, &result, reterr);
    http_result_clear(&result);
    return status;
}

static int announce_v2(struct etcd *etcd, const char *key, const char *address, char **reterr)
{
    char *path = etcd_v2_path(key);
    bool again = !etcd->refreshing;
    int status = path ? 0 : discovery_fail(reterr, "out of memory");
    if (status == 0 && etcd->refreshing)
        status = set_v2(etcd, path, address, true, &again, reterr);
    if (status == 0 && again && atomic_load(&etcd->api) == 2)
        status = set_v2(etcd, path, address, false, &again, reterr);
    etcd->refreshing = status == 0 && !again;
    etcd->announced |= etcd->refreshing;
    free(path);
    return status;
}

int etcd_announce(struct discovery *discovery, const char *address, char **reterr)
{
    struct etcd *etcd = discovery->state;
    char *key = kv_node_key(etcd->place.directory, address);
    int status = key ? 0 : discovery_fail(reterr, "out of memory");
    for (int tries = 0; status == 0 && tries < 2; tries++) { /* the second where the first changed the API */
        int api = atomic_load(&etcd->api);
        status = api == 3 ? announce_v3(etcd, key, address, reterr) : announce_v2(etcd, key, address, reterr);
        if (status != 0 || atomic_load(&etcd->api) == api)
            break;
        if (tries == 1)
            status = discovery_fail(reterr, "etcd: the server serves neither the v3 JSON gateway nor the v2 keys API");
    }
    free(key);
    return status;
}

int etcd_revoke(struct etcd *etcd, char **reterr)
{
    struct http_result result;
    if (!*etcd->lease)
        return 0;
    if (etcd_call_v3(etcd, "/v3/lease/revoke", etcd_lease_request(etcd->lease), &result, reterr) != 0)
        return -1;
    int status = result.status == 200 || result.status == 404 ? 0 : etcd_refuse(etcd, &result, reterr);
    http_result_clear(&result);
    *etcd->lease = '\0';
    return status;
}

/* The lease takes the key along when it ends. Where it has ended already a new one does: that the key is gone says
 * nothing. */
static int leave_v3(struct etcd *etcd, const char *key, char **reterr)
{
    int status = *etcd->lease ? put(etcd, key, "", reterr) : 0;
    if (status == 0 && !*etcd->lease) {
        status = etcd_grant(etcd, agent_ttl_s(etcd), NULL, reterr);
        if (status == 0 && *etcd->lease)
            status = put(etcd, key, "", reterr);
    }
    if (status == 0)
        *etcd->lease = '\0';
    return status;
}

static int leave_v2(struct etcd *etcd, const char *key, char **reterr)
{
    bool again;
    char *path = etcd_v2_path(key);
    int status = path ? set_v2(etcd, path, "", false, &again, reterr) : discovery_fail(reterr, "out of memory");
    free(path);
    return status;
}

int etcd_leave(struct discovery *discovery, const char *address, char **reterr)
{
    struct etcd *etcd = discovery->state;
    if (!etcd->announced)
        return 0;
    char *key = kv_node_key(etcd->place.directory, address);
    int status = !key                           ? discovery_fail(reterr, "out of memory")
                 : atomic_load(&etcd->api) == 3 ? leave_v3(etcd, key, reterr)
                                                : leave_v2(etcd, key, reterr);
    free(key);
    etcd->announced = status != 0;
    etcd->refreshing = false;
    return status;
}
