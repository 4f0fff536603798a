/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "container.h"
#include "rescheduler.h"

static const struct {
    const char *word;
    int policy;
} words[] = {
    {"keep-new", SWARM_RECONCILE_KEEP_NEW},
    {"keep-old", SWARM_RECONCILE_KEEP_OLD},
    {"longest-running", SWARM_RECONCILE_LONGEST_RUNNING},
};

int swarm__reconcile_of(const char *word)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(word, words[i].word) == 0)
            return words[i].policy;
    return -1;
}

static int policy_of(const struct swarm_rescheduler *r, const struct swarm_container *container)
{
    const char *label = swarm_request_label(swarm_container_request(container), SWARM_RECONCILE_LABEL);
    int chosen = label != NULL ? swarm__reconcile_of(label) : -1;
    return chosen >= 0 ? chosen : r->options.reconcile;
}

static bool runs_longer(const struct swarm_container *a, const struct swarm_container *b)
{
    int64_t a_ms = swarm_container_running_since(a), b_ms = swarm_container_running_since(b);
    return swarm__container_runs(a) && a_ms != 0 && b_ms != 0 && a_ms < b_ms;
}

enum swarm__verdict swarm__judge(const struct swarm_rescheduler *r, const struct swarm_container *old,
                                 const struct swarm_container *stand_in)
{
    const struct swarm__replaced *replaced = swarm__replaced_find(r, swarm_container_id(old));
    bool old_runs = swarm__container_runs(old), stand_in_runs = swarm__container_runs(stand_in);
    int policy = policy_of(r, old);
    if (swarm__is_doomed(r, old))
        return old_runs && !stand_in_runs ? SWARM__REMOVE_NONE : SWARM__REMOVE_OLD;
    if (!stand_in_runs && swarm_container_stopped(stand_in))
        return SWARM__REMOVE_OLD;
    if (old_runs && !stand_in_runs) {
        bool never_ran = swarm_container_state(stand_in) == SWARM_CONTAINER_CREATED;
        return policy == SWARM_RECONCILE_KEEP_NEW && !never_ran ? SWARM__REMOVE_NONE : SWARM__REMOVE_NEW;
    }
    if (stand_in_runs != old_runs || (replaced != NULL && replaced->judged))
        return SWARM__REMOVE_OLD;
    if (policy == SWARM_RECONCILE_KEEP_OLD || (policy == SWARM_RECONCILE_LONGEST_RUNNING && runs_longer(old, stand_in)))
        return SWARM__REMOVE_NEW;
    return SWARM__REMOVE_OLD;
}

int swarm__trade_places(struct swarm_rescheduler *r, const struct swarm_container *old,
                        const struct swarm_container *stand_in)
{
    struct swarm__replaced *between = swarm__replaced_find(r, swarm_container_id(old));
    int rc = swarm__replaced_add(r, swarm_container_id(stand_in), swarm_container_id(old), true);
    if (rc < 0)
        return rc;
    /* Those by way of which it was moved are younger than it, too. */
    while (between != NULL && strcmp(between->by, swarm_container_id(stand_in)) != 0) {
        between = swarm__replaced_find(r, between->by);
        if (between != NULL)
            between->judged = true;
    }
    swarm__replaced_forget(r, swarm_container_id(old));
    return 0;
}
