/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "mem.h"
#include "rescheduler.h"

/* An engine that has not begun by then what it was asked for never will. */
#define ATTEMPT_MS (10 * INT64_C(60000))
#define KEY_MAX 512

/** "<swarm id>\n<node id>" @return false where there is no swarm id, or all of it is too long. */
static bool key_of(char *key, const struct swarm_container *container, const struct swarm_node *node)
{
    const char *swarm_id = swarm_container_swarm_id(container), *node_id = swarm_node_id(node);
    size_t swarm_length = strlen(swarm_id), node_length = strlen(node_id);
    if (swarm_length == 0 || swarm_length + node_length + 2 > KEY_MAX)
        return false;
    memcpy(key, swarm_id, swarm_length);
    key[swarm_length] = '\n';
    memcpy(key + swarm_length + 1, node_id, node_length + 1);
    return true;
}

static void forget_first(struct swarm_rescheduler *r)
{
    struct swarm__attempt *first = r->first_attempt;
    r->first_attempt = first->following;
    if (r->first_attempt == NULL)
        r->last_attempt = NULL;
    swarm__map_remove(&r->attempts, &first->by_key);
    swarm__free(first);
}

void swarm__attempt_add(struct swarm_rescheduler *r, const struct swarm_container *container,
                        const struct swarm_node *node)
{
    char key[KEY_MAX];
    if (!key_of(key, container, node) || swarm__map_find(&r->attempts, key) != NULL)
        return; /* one that was made before: its time was long enough by itself */
    size_t size = strlen(key) + 1;
    struct swarm__attempt *made = swarm__calloc(1, sizeof(*made) + size);
    if (made == NULL)
        return;
    memcpy(made->key, key, size);
    made->by_key.key = made->key;
    made->made_ms = r->now_ms;
    if (swarm__map_add(&r->attempts, &made->by_key) < 0) {
        swarm__free(made);
        return;
    }
    if (r->last_attempt != NULL)
        r->last_attempt->following = made;
    else
        r->first_attempt = made;
    r->last_attempt = made;
}

bool swarm__attempt_made(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    char key[KEY_MAX];
    return r->attempts.count != 0 && key_of(key, container, swarm_container_node(container)) &&
           swarm__map_find(&r->attempts, key) != NULL;
}

void swarm__attempt_expire(struct swarm_rescheduler *r)
{
    while (r->first_attempt != NULL && r->first_attempt->made_ms <= r->now_ms - ATTEMPT_MS)
        forget_first(r);
}

void swarm__attempt_finish(struct swarm_rescheduler *r)
{
    while (r->first_attempt != NULL)
        forget_first(r);
    swarm__map_finish(&r->attempts);
}
