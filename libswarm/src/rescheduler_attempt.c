/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "look_up.h"
#include "mem.h"
#include "rescheduler.h"

/* While it is needed it is kept, at most for so long. */
#define KEPT_MS (24 * INT64_C(3600000))
#define KEY_MAX 512

/** "<swarm id>\n<node id>" @return false where there is no swarm id, or all of it is too long. */
static bool key_of(char *key, const char *swarm_id, const char *node_id)
{
    size_t swarm_length = strlen(swarm_id), node_length = strlen(node_id);
    if (swarm_length == 0 || swarm_length + node_length + 2 > KEY_MAX)
        return false;
    memcpy(key, swarm_id, swarm_length);
    key[swarm_length] = '\n';
    memcpy(key + swarm_length + 1, node_id, node_length + 1);
    return true;
}

static void unlink_first(struct swarm_rescheduler *r)
{
    r->first_attempt = r->first_attempt->following;
    if (r->first_attempt == NULL)
        r->last_attempt = NULL;
}

/** In the order in which they are due. */
static void append(struct swarm_rescheduler *r, struct swarm__attempt *attempt)
{
    attempt->due_ms = r->now_ms + SWARM__LATE_MS;
    attempt->following = NULL;
    if (r->last_attempt != NULL)
        r->last_attempt->following = attempt;
    else
        r->first_attempt = attempt;
    r->last_attempt = attempt;
}

static void forget(struct swarm_rescheduler *r, struct swarm__attempt *attempt)
{
    swarm__map_remove(&r->attempts, &attempt->by_key);
    swarm__free(attempt);
}

void swarm__attempt_add(struct swarm_rescheduler *r, const struct swarm_container *container,
                        const struct swarm_node *node)
{
    (void)swarm__attempt_add_ids(r, swarm_container_swarm_id(container), swarm_node_id(node), false);
}

int swarm__attempt_add_ids(struct swarm_rescheduler *r, const char *swarm_id, const char *node_id, bool start)
{
    char key[KEY_MAX];
    if (!key_of(key, swarm_id, node_id))
        return SWARM_ERR_INVALID;
    struct swarm__attempt *known = (struct swarm__attempt *)swarm__map_find(&r->attempts, key);
    if (known != NULL) {
        known->again = true;
        return 0;
    }
    size_t size = strlen(key) + 1;
    struct swarm__attempt *made = swarm__calloc(1, sizeof(*made) + size);
    if (made == NULL)
        return SWARM_ERR_NOMEM;
    memcpy(made->key, key, size);
    made->by_key.key = made->key;
    made->made_ms = r->now_ms;
    made->start = start;
    if (swarm__map_add(&r->attempts, &made->by_key) < 0) {
        swarm__free(made);
        return SWARM_ERR_NOMEM;
    }
    append(r, made);
    return 0;
}

bool swarm__attempt_made(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    char key[KEY_MAX];
    return r->attempts.count != 0 &&
           key_of(key, swarm_container_swarm_id(container), swarm_node_id(swarm_container_node(container))) &&
           swarm__map_find(&r->attempts, key) != NULL;
}

bool swarm__attempt_take_start(struct swarm_rescheduler *r, const struct swarm_container *container)
{
    char key[KEY_MAX];
    struct swarm__attempt *attempt = NULL;
    if (key_of(key, swarm_container_swarm_id(container), swarm_node_id(swarm_container_node(container))))
        attempt = (struct swarm__attempt *)swarm__map_find(&r->attempts, key);
    if (attempt == NULL || !attempt->start)
        return false;
    attempt->start = false;
    return true;
}

void swarm__attempt_delete(struct swarm_rescheduler *r, const char *swarm_id)
{
    struct swarm__map_item *item;
    size_t at = 0, length = strlen(swarm_id);
    while (length != 0 && (item = swarm__map_next(&r->attempts, &at)) != NULL) {
        struct swarm__attempt *attempt = (struct swarm__attempt *)item;
        if (strncmp(attempt->key, swarm_id, length) != 0 || attempt->key[length] != '\n')
            continue;
        attempt->start = false;
        attempt->deleted = true;
    }
}

bool swarm__attempt_is_deleted(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    char key[KEY_MAX];
    const struct swarm__attempt *attempt = NULL;
    if (r->attempts.count != 0 && swarm_container_state(container) == SWARM_CONTAINER_CREATED &&
        swarm__to_be_moved(container) &&
        key_of(key, swarm_container_swarm_id(container), swarm_node_id(swarm_container_node(container))))
        attempt = (struct swarm__attempt *)swarm__map_find(&r->attempts, key);
    return attempt != NULL && attempt->deleted;
}

static bool visit_product(void *data, struct swarm_container *hit)
{
    const struct swarm_node **node = data;
    if (swarm_container_node(hit) != *node || swarm__container_pending(hit))
        return true;
    *node = NULL;
    return false;
}

/** What an engine that is away has made is seen when it is back; what is seen may have to wait for other copies. */
static bool is_needed(const struct swarm_rescheduler *r, struct swarm__attempt *attempt)
{
    char *end = strchr(attempt->key, '\n');
    const struct swarm_node *node = swarm_cluster_find_node(r->cluster, end + 1);
    if (attempt->made_ms <= r->now_ms - KEPT_MS)
        return false;
    if (node == NULL || !swarm__node_live(r, node))
        return true;
    *end = '\0';
    swarm__look_up_swarm_ids(r->cluster, attempt->key, visit_product, &node);
    *end = '\n';
    return node == NULL;
}

void swarm__attempt_expire(struct swarm_rescheduler *r)
{
    while (r->first_attempt != NULL && r->first_attempt->due_ms <= r->now_ms) {
        struct swarm__attempt *attempt = r->first_attempt;
        bool again = attempt->again;
        unlink_first(r);
        attempt->again = false;
        if (again || is_needed(r, attempt))
            append(r, attempt);
        else
            forget(r, attempt);
    }
}

void swarm__attempt_finish(struct swarm_rescheduler *r)
{
    while (r->first_attempt != NULL) {
        struct swarm__attempt *attempt = r->first_attempt;
        unlink_first(r);
        forget(r, attempt);
    }
    swarm__map_finish(&r->attempts);
}
