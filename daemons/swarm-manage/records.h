/* SPDX-License-Identifier: Apache-2.0 */
/* Changes on their way into a record store: queued by any thread, even with locks held, written in batches by a thread
 * of its own. Of several changes to one key only the last is written. Where the store fails they are kept, and tried
 * again for as long as it takes; the log says so once, and when it works again.
 *
 * All of it takes NULL for @p records: nothing is kept then. */
#ifndef MANAGE_RECORDS_H
#define MANAGE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "record_store.h"

struct records;

/* Takes the store; what is queued is written from now on. -1 for lack of memory or threads: then it has been closed. */
int records_new(struct records **ret, struct record_store *store);
/* What is queued is written first, where that is possible. */
void records_free(struct records *records);

/* Of a store in which somebody else writes at times. Nothing is taken or written any more, and what is queued is
 * dropped. @p why: new text, taken, which records_trouble() has; NULL: that is as it should be. */
void records_close(struct records *records, char *why);
/* Changes are taken from now on, and written from records_release() on. */
void records_open(struct records *records);
void records_release(struct records *records);
/* Whether what is queued is written, as far as the store works. */
bool records_are_written(struct records *records);

/* @p value: taken, to be released with free(); NULL (for lack of memory): the change is lost, and logged. */
void records_put(struct records *records, const char *key, char *value, size_t length);
void records_remove(struct records *records, const char *key);
/* Wait until the change to that key, if one is queued, is on disk. False where the store fails, is closed, or takes
 * longer than a few seconds. */
bool records_wait(struct records *records, const char *key);
/* Wait until all that is queued is on disk, or for that long. */
void records_settle(struct records *records, int timeout_ms);
/* Say why nothing can be written now: new text, taken, which is logged where it is a new one; NULL: it can. */
void records_set_trouble(struct records *records, char *trouble);
/* Why nothing can be written now: new text, NULL where it can. */
char *records_trouble(struct records *records);

#endif
