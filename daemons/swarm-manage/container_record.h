/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine reports of one container, taken out of its list entry and its inspect answer. Pure functions: no lock
 * is needed, so that reports are made before the pool is locked. */
#ifndef MANAGE_CONTAINER_RECORD_H
#define MANAGE_CONTAINER_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swarm/swarm.h>

#include "container_entry.h"
#include "json_scan.h"
#include "pool.h"

/* What of the engine goes into an entry. */
struct entry_context {
    char *node_name;
    bool plain_names; /* the node is not shown in names */
    char ip[64];
    int64_t clock_delta_ms;
    int cpus;
    bool recorded;                    /* containers with a policy are put into the records */
    enum swarm_cpu_shares cpu_shares; /* what they mean where the container does not say it */
};

struct container_report {
    char *id;
    const char **names; /* without slash in front, the container's own first; they lie behind the array */
    size_t name_count;
    struct json_span state; /* the entry's State word; borrowed from entry */
    struct container_entry *entry;
    int entry_minor;
    struct container_uses uses;

    /* from the inspect answer; request is NULL where there was none */
    struct swarm_request *request;
    struct container_record facts;  /* states and times only */
    struct swarm_bound_port *ports; /* their texts lie behind the array */
    size_t port_count;
    char *inspect; /* to keep: the request has a reschedule policy */
    size_t inspect_length;
    char *record; /* for the records: as above; NULL: there are none */
    size_t record_length;
    uint64_t record_hash;
};

/* From a list entry alone, an object that json_valid() has passed: 0, or -1 for an entry without id or for lack of
 * memory. */
int container_report_from_entry(struct container_report *report, struct json_span entry,
                                const struct entry_changes *changes, const struct entry_context *context);
/* From both. -1 with *reterr new text. */
int container_report_from_inspect(struct container_report *report, struct json_span entry, const char *inspect,
                                  size_t length, const struct entry_context *context, char **reterr);
void container_report_clear(struct container_report *report);

/* enum swarm_container_state of a record. */
int container_record_state(const struct container_record *record);
/* As filters know it: one of enum swarm_container_state, or that it is being removed. */
enum { CONTAINER_REMOVING = SWARM_CONTAINER_DEAD + 1, CONTAINER_STATES };
int container_record_shown_state(const struct container_record *record);
/* "created", "running", "paused", "restarting", "removing", "exited", "dead". */
const char *container_state_word(int shown_state);
/* The word of a record's. */
const char *container_state_text(const struct container_record *record);
/* The Status of a list: "Up 3 minutes (healthy)", "Exited (0) About an hour ago", "Host Down". Its length. */
int container_status_text(const struct container_record *record, int64_t now_ns, bool engine_healthy, char *buffer,
                          size_t size);
void container_record_free(struct container_record *record);

#endif
