/* SPDX-License-Identifier: Apache-2.0 */
/* The records at the start: what an earlier manager knew of nodes that may be away by now, and had begun. */
#ifndef MANAGE_RECALL_H
#define MANAGE_RECALL_H

#include <stdbool.h>

#include "manager.h"

struct record_store;

/* Open the record of the cluster that this discovery URL names, in that folder, and take over what it says: before
 * engines are watched. @p is_given: the folder was asked for, so that one which cannot be used is a failure; else it is
 * a warning, and there are no records. -1 with *reterr new text. */
int recall_open(struct manager *manager, const char *folder, bool is_given, const char *discovery, char **reterr);
/* The file that it is in: new text, NULL for lack of memory. */
char *recall_file(const struct manager *manager, const char *folder, const char *discovery);
/* Whether a discovery URL lists the nodes one by one, for good. */
bool recall_is_fixed_list(const char *discovery);
/* The same from a store, which is taken. */
int recall_store(struct manager *manager, struct record_store *store, char **reterr);

#endif
