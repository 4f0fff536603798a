/* SPDX-License-Identifier: Apache-2.0 */
/* Watches every engine: connects, keeps its event stream, refreshes what it says, and tells a stopped engine from a
 * silent one. K loop threads (http_client.h), an engine belongs to one; no call is made without a deadline. */
#ifndef MANAGE_MONITOR_H
#define MANAGE_MONITOR_H

#include "discovery.h"
#include "engine.h"

struct manager;
struct monitor;

int monitor_new(struct monitor **ret, struct manager *manager);
/* Stop the threads; what is under way is dropped. From then on reports and addresses are without effect, until it is
 * freed. */
void monitor_stop(struct monitor *monitor);
/* Stop, and let go of the engines. */
void monitor_free(struct monitor *monitor);

/* An engine of the pool that is known from the records only. It is asked where it was once discovery's first list is
 * there: one that is not in the list leaves, and if it does not answer it was lost. -1 for lack of memory. */
int monitor_watch_absent(struct monitor *monitor, struct engine *engine);
/* One that is watched, and has not answered yet, is known from the records, too. */
void monitor_mark_absent(struct monitor *monitor, struct engine *engine);
/* Discovery's whole list, from now on in force: unknown addresses are added and connected to. Of missing ones, those
 * that left leave the pool ("Removed Engine <name>"); what becomes of the others libswarm says (swarm/membership.h).
 * Any thread.
 */
void monitor_set_list(struct monitor *monitor, const struct discovery_list *list);
/* A call to that engine succeeded or failed outside the monitor (a proxied request, say): failures make it probe at
 * once. Any thread. */
void monitor_report(struct monitor *monitor, struct engine *engine, enum http_failure failure);

#endif
