/* SPDX-License-Identifier: Apache-2.0 */
/* Refreshes that events ask for: however many events a container has in a burst, it is asked about once while they
 * come and once after. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container_entry.h"
#include "log.h"
#include "monitor_private.h"

#define ATTEMPTS_MAX 5

/* One container's list entry and inspect, asked for together. */
struct container_job {
    struct job job; /* first: a job of that kind is this */
    struct container_job *next;
    char id[CONTAINER_ID_MAX + 1];
    int attempts; /* in this round */
    uint64_t ticket;
    int missing; /* answers */
    char *list;  /* the entry lies in it */
    struct json_span entry;
    char *inspect; /* NULL: there is no such container */
    size_t inspect_length;
    bool failed;
    struct trouble trouble;
};

static void jobs_start(struct watched *w);

/* --- the table --- */

static struct container_job **bucket(struct watched *w, const char *id)
{
    unsigned hash = 2166136261u;

    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * 16777619u;
    return &w->container_jobs[hash % JOB_BUCKETS];
}

static void container_job_reset(struct container_job *job)
{
    free(job->list);
    free(job->inspect);
    job->list = job->inspect = NULL;
    job->entry.length = 0;
    job->failed = false;
}

static void container_job_free(struct container_job *job)
{
    container_job_reset(job);
    free(job);
}

static struct container_job *find(struct watched *w, const char *id)
{
    struct container_job *job = *bucket(w, id);

    while (job && strcmp(job->id, id) != 0)
        job = job->next;
    return job;
}

bool job_is_under_way(struct watched *w, const char *id)
{
    const struct container_job *job = find(w, id);

    return job && (job->job.running || job->job.queued);
}

struct job *job_for_container(struct watched *w, const char *id)
{
    struct container_job **head = bucket(w, id), *job = find(w, id);

    if (job)
        return &job->job;
    if (strlen(id) > CONTAINER_ID_MAX)
        return NULL;
    job = calloc(1, sizeof(*job));
    if (!job)
        return NULL;
    job->job.kind = JOB_CONTAINER;
    strcpy(job->id, id);
    job->next = *head;
    *head = job;
    return &job->job;
}

void job_reference(struct job *job)
{
    job->references++;
}

void job_unreference(struct watched *w, struct job *job)
{
    struct container_job *container = (struct container_job *)job, **at;

    if (--job->references > 0 || job->kind != JOB_CONTAINER || job->running || job->queued)
        return;
    for (at = bucket(w, container->id); *at != container; at = &(*at)->next)
        ;
    *at = container->next;
    container_job_free(container);
}

void jobs_cancel(struct watched *w)
{
    static const struct job no_job;

    events_mark_ready(w); /* their references go */
    for (int i = 0; i < JOB_BUCKETS; i++) {
        while (w->container_jobs[i]) {
            struct container_job *job = w->container_jobs[i];

            w->container_jobs[i] = job->next;
            container_job_free(job);
        }
    }
    for (int kind = 0; kind < OBJECT_KINDS; kind++) {
        w->object_jobs[kind] = no_job;
        w->object_jobs[kind].kind = JOB_OBJECTS;
    }
    w->specs_job = no_job;
    w->specs_job.kind = JOB_SPECS;
    w->job_queue = NULL;
    w->job_queue_end = &w->job_queue;
    w->jobs_running = 0;
    w->looking_at = OBJECT_KINDS;
}

/* --- rounds --- */

unsigned job_want(struct watched *w, struct job *job)
{
    unsigned round = job->started + 1;

    if (job->running) {
        job->again = true;
    } else if (!job->queued) {
        job->queued = true;
        job->next_queued = NULL;
        *w->job_queue_end = job;
        w->job_queue_end = &job->next_queued;
        jobs_start(w);
    }
    return round;
}

void job_finished(struct watched *w, struct job *job)
{
    job->references++; /* keeps it */
    job->running = false;
    job->finished = job->started;
    w->jobs_running--;
    if (job->again) {
        job->again = false;
        job_want(w, job);
    }
    events_release(w);
    job_unreference(w, job);
    jobs_start(w);
}

/* --- a container's round --- */

static void container_job_ask(struct watched *w, struct container_job *job);

/* Apply what the two answers say. False where they contradict each other or were overtaken: ask again. */
static bool container_job_apply(struct watched *w, struct container_job *job)
{
    struct pool *pool = w->monitor->manager->pool;

    if (!job->inspect) {
        pool_apply_removal(pool, w->engine, job->ticket, job->id);
        return true;
    }
    if (!job->entry.length)
        return false;
    pool_apply_answers(pool, w->engine, job->ticket, job->entry, job->inspect, job->inspect_length);
    return !container_was_refused(w, job->id, job->ticket);
}

static void container_job_answered(struct watched *w, struct container_job *job)
{
    if (--job->missing > 0)
        return;
    if (job->failed) {
        log_warn_with(LOG_FIELDS({"id", w->engine->id}, {"name", w->engine->name}),
                      "Unable to update state of container \"%s\": %s", job->id, job->trouble.text);
        w->stale = true;
        if (!w->listing.active)
            refresh_schedule(w);
        if (trouble_is_connection(&job->trouble))
            probe_start(w, &job->trouble);
    } else if (!container_job_apply(w, job) && ++job->attempts < ATTEMPTS_MAX) {
        container_job_reset(job);
        container_job_ask(w, job);
        return;
    }
    container_job_reset(job);
    job_finished(w, &job->job);
}

static void container_listed(struct watched *w, void *data, struct http_result *result)
{
    struct container_job *job = data;

    if (trouble_from_result(&job->trouble, w, result)) {
        job->failed = true;
        container_job_answered(w, job);
        return;
    }
    if (result->body && json_valid(result->body, result->length)) {
        job->list = result->body;
        job->entry = container_entry_find(json_span_of(result->body, result->length), job->id);
        result->body = NULL;
    }
    container_job_answered(w, job);
}

static void container_inspected(struct watched *w, void *data, struct http_result *result)
{
    struct container_job *job = data;

    if (result->failure == HTTP_OK && result->status == 200) {
        job->inspect = result->body;
        job->inspect_length = result->length;
        result->body = NULL;
    } else if (result->failure != HTTP_OK || result->status != 404) {
        job->failed = trouble_from_result(&job->trouble, w, result);
    }
    container_job_answered(w, job);
}

static void container_job_ask(struct watched *w, struct container_job *job)
{
    char list[128 + CONTAINER_ID_MAX], inspect[64 + CONTAINER_ID_MAX];
    const struct call_order list_order = {list, true, CONNECT_MS, SMALL_CALL_MS};
    const struct call_order inspect_order = {inspect, true, CONNECT_MS, SMALL_CALL_MS};

    snprintf(list, sizeof(list), "/containers/json?all=1&filters=%%7B%%22id%%22%%3A%%5B%%22%s%%22%%5D%%7D", job->id);
    snprintf(inspect, sizeof(inspect), "/containers/%s/json", job->id);
    job->ticket = pool_ticket(w->monitor->manager->pool);
    job->missing = 1; /* ours, until both are asked for */
    if (watch_call(w, &list_order, container_listed, job) == 0)
        job->missing++;
    if (watch_call(w, &inspect_order, container_inspected, job) == 0)
        job->missing++;
    if (job->missing < 3) {
        trouble_set(&job->trouble, "out of memory");
        job->failed = true;
    }
    container_job_answered(w, job);
}

/* --- the others --- */

/* Volumes are as slow as the slowest driver: what comes of them says nothing of the engine. */
static void objects_refreshed(struct watched *w, enum object_kind kind, const struct trouble *trouble)
{
    if (trouble && kind == OBJECT_VOLUMES)
        log_warn_with(LOG_FIELDS({"id", w->engine->id}, {"name", w->engine->name}), "Unable to list the volumes: %s",
                      trouble->text);
    else if (trouble && trouble_is_connection(trouble))
        probe_start(w, trouble);
    job_finished(w, &w->object_jobs[kind]);
    if (w->looking_at == (int)kind)
        refresh_go_on(w, (int)kind + 1);
}

static void specs_refreshed(struct watched *w, const struct trouble *trouble)
{
    if (trouble)
        log_error_with(LOG_FIELDS({"id", w->engine->id}, {"name", w->engine->name}), "Update engine specs failed: %s",
                       trouble->text);
    if (trouble && trouble->changed_id) {
        sync_start(w); /* makes sure, and takes it out of service */
        return;
    }
    if (trouble && trouble_is_connection(trouble))
        probe_start(w, trouble);
    job_finished(w, &w->specs_job);
}

static void job_start(struct watched *w, struct job *job)
{
    struct container_job *container = (struct container_job *)job;

    job->queued = false;
    job->running = true;
    job->started++;
    w->jobs_running++;
    switch (job->kind) {
    case JOB_CONTAINER:
        container->attempts = 0;
        container_job_ask(w, container);
        break;
    case JOB_OBJECTS:
        objects_fetch(w, (enum object_kind)(job - w->object_jobs), objects_refreshed);
        break;
    case JOB_SPECS:
        specs_fetch(w, specs_refreshed);
        break;
    }
}

static void jobs_start(struct watched *w)
{
    while (w->job_queue && w->jobs_running < CALLS_MAX) {
        struct job *job = w->job_queue;

        w->job_queue = job->next_queued;
        if (!w->job_queue)
            w->job_queue_end = &w->job_queue;
        job_start(w, job);
    }
}
