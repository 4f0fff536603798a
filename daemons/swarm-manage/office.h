/* SPDX-License-Identifier: Apache-2.0 */
/* Who acts where the record is in the store of discovery: a manager that has become the one who writes there, and has
 * read what others before it wrote. With --replication that is the leader, in each term anew; without, whoever began
 * last: an older one that is still there finds that out when it writes next, and acts no more. */
#ifndef MANAGE_OFFICE_H
#define MANAGE_OFFICE_H

#include <stdbool.h>
#include <stdint.h>

struct manager;
struct discovery;
struct record_store;
struct office;

/* For the store of @p discovery, before engines are watched. @p old_file: a record of this manager's own that was kept
 * before, which goes into a store that has none yet. -1 with *reterr new text. */
int office_new(struct office **ret, struct manager *manager, struct discovery *discovery, const char *old_file,
               char **reterr);
/* The same for a store that is taken, and in which whatever @p manager has is kept; for tests. */
int office_new_with(struct office **ret, struct manager *manager, struct record_store *store, const char *old_file);
/* Read what is there, where it can be had, and follow who leads from then on. -1 for lack of threads. */
int office_start(struct office *office);
/* Nobody follows who leads any more; what is put is written as before. */
void office_stop(struct office *office);
/* After the records. */
void office_free(struct office *office);

/* --- any thread; @p office may be NULL --- */
/* Who leads may have changed. */
void office_look(struct office *office);
/* Whether this manager is the one who acts: it leads, and has the record where that is in the store. *ret_term as with
 * leader_is_primary(). */
bool office_is_held(struct manager *manager, uint64_t *ret_term);
/* The same for one who began to act in @p term: to be asked right before each effect on an engine. */
bool office_is_of(struct manager *manager, uint64_t term);
/* Whether the record of this term is still to be read, so that names may be taken which nobody here knows of. */
bool office_is_reading(struct manager *manager);

#endif
