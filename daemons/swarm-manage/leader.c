/* SPDX-License-Identifier: Apache-2.0 */
#include "leader.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discovery.h"
#include "events.h"
#include "lock.h"
#include "log.h"
#include "manager.h"
#include "office.h"
#include "option_values.h"
#include "primary_link.h"
#include "watchdog.h"

struct leader {
    struct manager *manager;
    struct leader_options options;
    struct lock *lock;
    struct primary_links *links;
    pthread_t thread;
    bool started;

    pthread_mutex_t mutex; /* of what follows */
    uint64_t lock_term;    /* of the last election that we won, as the store numbers them */
    uint64_t term;         /* and as we do */
    char *primary;         /* NULL: none known */
    unsigned changes;
};

/* --- any thread --- */

bool leader_is_primary(struct leader *leader, uint64_t *ret_term)
{
    uint64_t lock_term, term = 0;
    bool primary = true;

    if (leader != NULL) {
        primary = lock_is_held(leader->lock, &lock_term);
        pthread_mutex_lock(&leader->mutex);
        primary = primary && lock_term == leader->lock_term; /* else it is just being told of it */
        term = leader->term;
        pthread_mutex_unlock(&leader->mutex);
    }
    if (primary && ret_term != NULL)
        *ret_term = term;
    return primary;
}

bool leader_may_act(struct leader *leader, uint64_t term)
{
    uint64_t now;

    return leader == NULL || (leader_is_primary(leader, &now) && now == term);
}

int leader_left_ms(struct leader *leader)
{
    int left_ms = leader == NULL ? 0 : lock_left_ms(leader->lock);

    return leader == NULL || left_ms > 0 ? left_ms : 1;
}

bool leader_fence(struct leader *leader, uint64_t term, uint64_t *ret_fence)
{
    bool present;

    *ret_fence = 0;
    if (leader == NULL)
        return true;
    pthread_mutex_lock(&leader->mutex);
    present = leader->term == term;
    *ret_fence = leader->lock_term;
    pthread_mutex_unlock(&leader->mutex);
    return present;
}

char *leader_primary(struct leader *leader)
{
    char *address;

    if (leader == NULL)
        return strdup("");
    pthread_mutex_lock(&leader->mutex);
    address = strdup(leader->primary == NULL ? "" : leader->primary);
    pthread_mutex_unlock(&leader->mutex);
    return address;
}

const char *leader_own_address(const struct leader *leader)
{
    return leader == NULL ? "" : leader->options.address;
}

struct primary_links *leader_links(struct leader *leader)
{
    return leader->links;
}

bool leader_is_own(const struct leader *leader, const char *address)
{
    return leader == NULL || strcmp(address, leader->options.address) == 0;
}

bool leader_is_in_doubt(struct leader *leader)
{
    return leader != NULL && lock_is_in_doubt(leader->lock);
}

bool leader_is_another(struct leader *leader)
{
    bool another;

    if (leader == NULL || leader_is_primary(leader, NULL))
        return false;
    pthread_mutex_lock(&leader->mutex);
    another = leader->primary != NULL && !leader_is_own(leader, leader->primary);
    pthread_mutex_unlock(&leader->mutex);
    return another;
}

unsigned leader_changes(struct leader *leader)
{
    unsigned changes = 0;

    if (leader != NULL) {
        pthread_mutex_lock(&leader->mutex);
        changes = leader->changes;
        pthread_mutex_unlock(&leader->mutex);
    }
    return changes;
}

int leader_wait_ms(const struct leader *leader)
{
    return leader == NULL ? 0 : leader->options.wait_ms;
}

/* --- what the lock tells --- */

/* A store that was made anew counts from the beginning again; our numbers must not. */
static void on_acquired(void *data, uint64_t term)
{
    struct leader *leader = data;

    pthread_mutex_lock(&leader->mutex);
    leader->lock_term = term;
    leader->term = term > leader->term ? term : leader->term + 1;
    pthread_mutex_unlock(&leader->mutex);
    log_info("Leader Election: Cluster leadership acquired");
    office_look(leader->manager->office);
    watchdog_look(leader->manager->watchdog);
}

static void on_lost(void *data)
{
    struct leader *leader = data;

    log_info("Leader Election: Cluster leadership lost");
    office_look(leader->manager->office);
}

/* The last one that was known stays in force while nobody knows better. Clients that follow events here are to follow
 * those of the new primary; one that is about to listen looks at who that is once it does (api_events()). */
static void on_holder(void *data, const char *address)
{
    struct leader *leader = data;
    char *copy = address == NULL || *address == '\0' ? NULL : strdup(address);

    if (copy != NULL)
        log_info("New leader elected: %s", copy);
    pthread_mutex_lock(&leader->mutex);
    free(leader->primary);
    leader->primary = copy;
    leader->changes++;
    pthread_mutex_unlock(&leader->mutex);
    if (leader_is_another(leader))
        event_hub_cut(leader->manager->events);
}

static void on_trouble(void *data, const char *message)
{
    if (message == NULL)
        log_info("Leader Election: the store answers again");
    else
        log_error_with(LOG_FIELDS({"error", message}),
                       "Leader Election: watch leader channel closed, the store may be unavailable...");
}

static void *run(void *data)
{
    static const struct lock_events events = {on_acquired, on_lost, on_holder, on_trouble};
    struct leader *leader = data;

    log_info("Leader Election: Cluster leadership lost"); /* as classic Swarm begins */
    lock_run(leader->lock, &events, leader);
    return NULL;
}

/* --- options --- */

static int fail(char **reterr, const char *text)
{
    *reterr = strdup(text);
    return -1;
}

static int read_ttl(int *ret_ms, const struct command *command, char **reterr)
{
    const char *text = option_find(command, "replication-ttl")->value;
    char *why = NULL;
    int64_t ns;

    if (duration_parse(&ns, text == NULL ? "" : text, &why) < 0) {
        if (asprintf(reterr, "invalid --replication-ttl: %s", why == NULL ? "out of memory" : why) < 0)
            *reterr = NULL;
        free(why);
        return -1;
    }
    if (ns <= 0)
        return fail(reterr, "--replication-ttl should be a positive number");
    *ret_ms = ns / 1000000 > INT_MAX ? INT_MAX : ns < 1000000 ? 1 : (int)(ns / 1000000);
    return 0;
}

int leader_options_read(struct leader_options *ret, const struct command *command, char **reterr)
{
    const char *address = option_find(command, "advertise")->value;
    int64_t wait_ms;

    ret->enabled = option_find(command, "replication")->flag;
    ret->address = address;
    if (!ret->enabled)
        return 0;
    if (address == NULL || *address == '\0')
        return fail(reterr, "--advertise address must be provided when using --leader-election");
    if (!discovery_is_address(address))
        return fail(reterr, "--advertise should be of the form ip:port or hostname:port");
    if (read_ttl(&ret->ttl_ms, command, reterr) < 0 ||
        option_read_duration(&wait_ms, command, "replication-wait", reterr) < 0)
        return -1;
    ret->wait_ms = wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
    return 0;
}

/* --- life --- */

int leader_new(struct leader **ret, struct manager *manager, struct discovery *discovery,
               const struct leader_options *options, char **reterr)
{
    struct lock_options lock = {.address = options->address, .ttl_ms = options->ttl_ms};
    struct leader *leader = calloc(1, sizeof(*leader));

    if (leader == NULL)
        return fail(reterr, "out of memory");
    leader->manager = manager;
    leader->options = *options;
    if (primary_links_new(&leader->links) < 0) {
        free(leader);
        return fail(reterr, "out of memory");
    }
    if (lock_new(&leader->lock, discovery, &lock, reterr) < 0) {
        primary_links_free(leader->links);
        free(leader);
        return -1;
    }
    pthread_mutex_init(&leader->mutex, NULL);
    *ret = leader;
    return 0;
}

int leader_start(struct leader *leader)
{
    leader->started = pthread_create(&leader->thread, NULL, run, leader) == 0;
    return leader->started ? 0 : -1;
}

void leader_retire(struct leader *leader)
{
    if (leader != NULL)
        lock_retire(leader->lock);
}

void leader_stop(struct leader *leader)
{
    if (leader == NULL || !leader->started)
        return;
    lock_stop(leader->lock);
    pthread_join(leader->thread, NULL);
    leader->started = false;
}

void leader_free(struct leader *leader)
{
    if (leader == NULL)
        return;
    leader_stop(leader);
    lock_free(leader->lock);
    primary_links_free(leader->links);
    pthread_mutex_destroy(&leader->mutex);
    free(leader->primary);
    free(leader);
}
