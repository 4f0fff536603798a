/* SPDX-License-Identifier: Apache-2.0 */
/* Which of several managers is the primary, the one that acts: elected by a lock in the store of discovery (lock.h).
 * Functions take NULL for a manager without --replication, which is the primary all its life. */
#ifndef MANAGE_LEADER_H
#define MANAGE_LEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

struct manager;
struct discovery;
struct leader;
struct primary_links;

/* For the table of swarm-manage. */
#define OPTIONS_LEADER                                                                                                 \
    {"replication", OPTION_BOOL, NULL, NULL, "elect a leader among several managers of one cluster"},                  \
        {"replication-ttl", OPTION_STRING, "20s", NULL,                                                                \
         "a leader that cannot reach the store is replaced after this at the latest, and has stopped acting before"},  \
        {"replication-wait", OPTION_STRING, "10s", NULL,                                                               \
         "time that a request at a replica waits where there is no leader, or it cannot be reached"},                  \
    {                                                                                                                  \
        "advertise, addr", OPTION_STRING, NULL, "SWARM_ADVERTISE",                                                     \
            "address at which other managers reach this one, as host:port"                                             \
    }

struct leader_options {
    bool enabled;
    const char *address; /* that the others are told; borrowed */
    int ttl_ms;
    int wait_ms; /* of a request, for a leader */
};

/* 0, or -1 with *reterr new text. */
int leader_options_read(struct leader_options *ret, const struct command *command, char **reterr);

/* 0, or -1 with *reterr new text. @p discovery is borrowed. */
int leader_new(struct leader **ret, struct manager *manager, struct discovery *discovery,
               const struct leader_options *options, char **reterr);
int leader_start(struct leader *leader);
/* Act no more, though nobody else does either before leader_stop(): what is under way can be waited for. */
void leader_retire(struct leader *leader);
/* Let another one be elected, at once. */
void leader_stop(struct leader *leader);
void leader_free(struct leader *leader);

/* --- any thread --- */
/* Whether this manager is the primary right now, by its own clock. *ret_term: a number that is greater than in every
 * term before, 0 without --replication; NULL: not wanted. */
bool leader_is_primary(struct leader *leader, uint64_t *ret_term);
/* The same for one who began to act in @p term: to be asked right before each effect on an engine. */
bool leader_may_act(struct leader *leader, uint64_t term);
/* For how long it may, of one that may: what is asked of an engine is to arrive by then. 0: without end, that is
 * without
 * --replication. */
int leader_left_ms(struct leader *leader);
/* What the store has for that term: the lock's number in it (lock.h), 0 without --replication. False where that is not
 * the present term. */
bool leader_fence(struct leader *leader, uint64_t term, uint64_t *ret_fence);
/* The address of the primary as far as it is known, new text; "" where none is, NULL for lack of memory. */
char *leader_primary(struct leader *leader);
/* This manager's, as others are told it; borrowed. "" without --replication. */
const char *leader_own_address(const struct leader *leader);
/* Of a replica; not NULL's. */
struct primary_links *leader_links(struct leader *leader);
/* Whether that is this manager's own address, as another one's of its name. */
bool leader_is_own(const struct leader *leader, const char *address);
/* Whether this manager was the primary until its time ended, and does not know yet what has become of that. */
bool leader_is_in_doubt(struct leader *leader);
/* Whether another manager is known to be the primary: what shows this one's state to a client is then to end. */
bool leader_is_another(struct leader *leader);
/* A number that changes with each new primary. */
unsigned leader_changes(struct leader *leader);
int leader_wait_ms(const struct leader *leader);

#endif
