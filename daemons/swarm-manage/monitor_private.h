/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the monitor share. Unless it says otherwise, everything here runs on the thread of the worker that
 * the engine belongs to.
 *
 * The life of an engine:
 *
 *   PENDING --sync--> HEALTHY --probe fails--> UNHEALTHY --(held back) sync--> HEALTHY
 *
 * sync (monitor_sync.c) is the one way to learn all of an engine: ping, specs, event stream, containers, images,
 * networks, volumes. It runs at first contact, after a loss, and, staying healthy, whenever the event stream had a gap.
 * The stream is opened before the containers are listed and starts at a time before that (`since`), so no change falls
 * between the two. probe (monitor_probe.c) tells a stopped engine from a silent one and from one that only dropped a
 * connection. */
#ifndef MANAGE_MONITOR_PRIVATE_H
#define MANAGE_MONITOR_PRIVATE_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "http_client.h"
#include "json_objects.h"
#include "manager.h"
#include "monitor.h"
#include "pool.h"

/* Deadlines, in milliseconds; those of pings follow from options (detection.h). */
#define CONNECT_MS 5000
#define SMALL_CALL_MS 10000
#define LIST_CALL_MS 30000
#define NO_SOCKET_MS 1000   /* pause where there was no descriptor for one */
#define SPECS_MS 300000     /* age at which an engine is asked again what it is */
#define EVENT_WAIT_MS 10000 /* longest that an event is kept back for the refresh it caused */
#define EVENT_PARK_MS 300   /* longest that it waits for the request that caused it to look for itself */
#define EVENT_PARK_STEP_MS 10

#define CALLS_MAX 8                   /* inspects and other refreshes of one engine at once */
#define CALLS_FAST 2                  /* the same of a list's, as long as it answers within … */
#define CALL_SLOW_NS 25000000         /* … this: new connections cost more than they bring */
#define TURNS_MAX 32                  /* engines of a worker that are listed at once … */
#define TURN_MS 1000                  /* … but for those that have been listed for so long */
#define EVENT_QUEUE_MAX 10000         /* events of one engine that wait for their refresh */
#define EVENT_MAX (16u * 1024 * 1024) /* bytes of one event */
#define JOB_BUCKETS 64                /* of the table of containers being refreshed */
#define CONTAINER_ID_MAX 64           /* characters of a container's id */

struct watched;

/* How a call, or what was made of its answer, went wrong. */
struct trouble {
    enum http_failure failure; /* HTTP_OK: it answered, but not as it should have */
    bool refused;              /* its machine answered that nobody listens: it is not running */
    bool changed_id;           /* another engine answers at this address */
    char text[512];
};

/* One thread with its loop, and what other threads ask of it. */
struct worker {
    struct monitor *monitor;
    struct http_loop *loop;
    pthread_t thread;
    bool running;
    unsigned random;
    /* its thread's own */
    size_t kept;                            /* engines whose connection is kept */
    size_t turns;                           /* engines whose turn to be listed it is */
    struct watched *waiting, **waiting_end; /* those that wait for one */

    pthread_mutex_t lock; /* guards the inbox; taken after the monitor's */
    struct watched *inbox, **inbox_end;
    bool posted; /* the loop has been told of the inbox */
};

struct monitor {
    struct manager *manager;
    struct worker *workers;
    size_t worker_count, next_worker;
    size_t kept;          /* engines whose connection is kept; guarded by the lock */
    pthread_mutex_t lock; /* guards the list of watched engines and what they say is guarded by it */
    bool has_list;        /* discovery has said something; guarded by the lock, too */
    struct watched *watched;
    struct swarm_membership *membership; /* guarded by the lock, with its members */
};

/* What another thread may ask of an engine's worker. */
enum watch_order {
    ORDER_START = 1,  /* get to know it */
    ORDER_REVIEW = 2, /* discovery has dropped it, or lists it again, or has something to say of others */
    ORDER_REPORT = 4, /* a call to it failed elsewhere */
    ORDER_FREE = 8,   /* the last one */
    ORDER_ABSENT = 16 /* the records know it: where it has never answered, it may be lost */
};

/* One timer each, replaced when it is set again. */
enum watch_timer {
    TIMER_RETRY,     /* the next sync */
    TIMER_PROBE,     /* the next quick ping */
    TIMER_HEARTBEAT, /* the next ping */
    TIMER_REFRESH,   /* the next look at everything */
    TIMER_EVENTS,    /* events have come */
    TIMER_RELEASE,   /* an event has waited long enough */
    TIMER_PARKED,    /* what parked events tell may be known by now */
    TIMER_LEAVE,     /* has it left the pool? is it to? */
    TIMER_TURN,      /* its listing has taken its turn for long enough */
    TIMER_COUNT
};

struct watch_slot {
    struct watched *watched;
    struct http_timer *timer;
    void (*fn)(struct watched *watched);
};

/* What an engine lists besides containers: a list is asked for whole, and taken over whole. */
enum object_kind { OBJECT_IMAGES, OBJECT_NETWORKS, OBJECT_VOLUMES, OBJECT_KINDS };
struct object_fetch {
    uint64_t ticket;
    uint64_t seen_hash, seen_ticket; /* of the answer that was applied last */
    void (*done)(struct watched *watched, enum object_kind kind, const struct trouble *trouble);
};

/* A refresh that may be asked for again while it is under way: then it runs once more, however often it was asked.
 * Rounds are counted, so that who asked knows when an answer is newer than the question. */
enum job_kind { JOB_CONTAINER, JOB_OBJECTS, JOB_SPECS };
struct job {
    enum job_kind kind;
    unsigned started, finished; /* rounds */
    unsigned references;        /* events that wait for it */
    bool running, queued, again;
    struct job *next_queued;
};

/* An engine's event on its way to the hub, in the order in which it came. */
enum event_stage { EVENT_HELD, EVENT_PARKED, EVENT_WAITING, EVENT_READY };
struct queued_event {
    struct queued_event *next;
    int64_t time_ns;
    size_t length; /* of the text */
    enum event_stage stage;
    struct job *job; /* WAITING: published once this job has finished that round */
    unsigned round;
    int64_t deadline_ms; /* PARKED, WAITING: not longer */
    char text[];
};

/* Info and version, asked for together. */
struct specs_fetch {
    bool active;
    int missing; /* answers */
    json_t *info, *version;
    struct trouble trouble;
    bool failed;
    void (*done)(struct watched *watched, const struct trouble *trouble);
};

/* The list of containers, and the inspects that it calls for. */
struct listing {
    bool active, full;
    enum { LISTING_NO_TURN, LISTING_WAITS, LISTING_HAS_TURN } turn;
    struct watched *next_waiting;
    int rounds;
    int at_once; /* inspects */
    uint64_t hash;
    uint64_t changes; /* that this makes are the last ones, else the count is another one */
    uint64_t ticket;
    char *text; /* the list */
    struct listed_container *wanted;
    size_t count, next;
    int running;
    struct trouble trouble;
    bool failed;
    void (*done)(struct watched *watched, const struct trouble *trouble);
};

struct probe {
    bool active;
    int tries;              /* that failed */
    int refused;            /* in a row, up to the last one */
    struct trouble trouble; /* of the last one */
};

struct container_job;
struct monitor_call;

/* An engine as the monitor sees it. */
struct watched {
    struct monitor *monitor;
    struct worker *worker;
    struct engine *engine; /* reference */

    /* guarded by the monitor's lock */
    struct watched *next, **link;
    bool listed;      /* discovery's last list has it */
    bool awaits_list; /* nothing is done about it before there is one */
    struct swarm_member *member;
    int64_t reported_ms;

    /* guarded by the worker's lock */
    unsigned orders;
    bool in_inbox;
    struct watched *next_in_inbox;

    /* the worker's own */
    enum engine_state state;
    bool kept; /* constant: a connection is, between pings; with too many engines not to all */
    bool connected_once;
    bool absent;        /* known from the records, and not heard of yet */
    bool leaving;       /* it is to leave the pool */
    bool unannounced;   /* its membership has lapsed, but it stays … */
    int64_t drop_ms;    /* … until then (monotonic), -1: for as long as nothing else happens */
    bool forgotten;     /* only waits to be freed */
    char *told_pending; /* why it is not in the pool, as the log has it already */
    int failures;       /* in a row */
    int loss;           /* UNHEALTHY: enum swarm_node_loss as reported */
    struct flaps flaps;
    int64_t answers_since_ms; /* UNHEALTHY: it answers without a break since; 0: it does not */
    int64_t hold_ms;          /* for so long it has to */
    int64_t backoff_ms;
    int64_t heard_ms; /* when it last answered */
    int64_t took_ns;  /* the call that was answered last */
    int64_t specs_ms; /* when it last said what it is */
    char prefix[16];  /* "/v1.41", "" before it is known */
    char builder[8];
    struct watch_slot timers[TIMER_COUNT];
    struct monitor_call *calls; /* under way */

    bool syncing;
    bool stale; /* a refresh failed: look at everything again */
    struct probe probe;
    struct specs_fetch specs;
    struct listing listing;
    uint64_t listed_hash, listed_changes; /* nothing differs from a list with that hash, as long as that is the count */
    struct object_fetch fetches[OBJECT_KINDS];

    struct http_exchange *stream;
    int64_t stream_opened_ms;
    struct json_objects objects;
    int64_t last_event_ns;                     /* of the engine's clock; the next stream starts after it */
    struct queued_event *events, **events_end; /* oldest first */
    struct queued_event *held;                 /* the first that nothing has been done about yet */
    size_t event_count;
    struct job object_jobs[OBJECT_KINDS], specs_job;
    int looking_at; /* the kind of object that the periodic look waits for; another one: it does not */
    struct container_job *container_jobs[JOB_BUCKETS];
    struct job *job_queue, **job_queue_end;
    int jobs_running;
};

/* --- monitor.c --- */
/* Let go of an engine that has left the pool (or was never in it); freed a little later. */
void watch_forget(struct watched *w);
/* enum swarm_standing, given that it answers or does not. *ret_again_ms: when that may change by itself (monotonic),
 * -1: never. */
int watch_standing(struct watched *w, bool answers, int64_t *ret_again_ms);
/* False once somebody took it out. */
bool watch_is_in_pool(struct watched *w);

/* The engine of that id answers at @p w's address, which is announced: at another one, where it is not announced any
 * more, it has left. */
void watch_supersede(struct watched *w, const char *id);

/* --- monitor_call.c --- */
struct call_order {
    const char *path; /* "/info" */
    bool versioned;
    int connect_ms, timeout_ms;
    bool once;  /* the connection is closed after it */
    bool fresh; /* and made for it */
};
typedef void (*call_done)(struct watched *w, void *data, struct http_result *result);
/* Start a call; @p done is called once, unless the call is cancelled. -1 for lack of memory. */
int watch_call(struct watched *w, const struct call_order *order, call_done done, void *data);
void watch_cancel_calls(struct watched *w);
void watch_timer_set(struct watched *w, enum watch_timer which, int64_t after_ms, void (*fn)(struct watched *w));
void watch_timer_clear(struct watched *w, enum watch_timer which);
/* Drop calls and timers without telling the loop, which has ended. */
void watch_abandon(struct watched *w);
/* Twice the last pause up to the limit, and a little more by chance. */
int64_t watch_backoff(struct watched *w, int64_t limit_ms);
/* 0 to below @p range. */
int64_t watch_random(struct watched *w, int64_t range);
/* Where the answer is of no use (no answer, or a status >= 400): true, with the trouble said. */
bool trouble_from_result(struct trouble *trouble, struct watched *w, const struct http_result *result);
void trouble_set(struct trouble *trouble, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The engine itself is in doubt, not what it said. */
bool trouble_is_connection(const struct trouble *trouble);

/* --- monitor_sync.c --- */
void sync_start(struct watched *w);
/* The stream of a healthy engine had a gap: at once, or after a pause where streams keep ending early. */
void sync_soon(struct watched *w);
/* Stop everything that is under way, and the stream; events that came are published without waiting. */
void watch_quiesce(struct watched *w);

/* --- monitor_refresh.c --- */
/* One at a time; @p done gets NULL where all went well. */
void specs_fetch(struct watched *w, void (*done)(struct watched *w, const struct trouble *trouble));
void specs_fetch_cancel(struct watched *w);
/* The periodic look. */
void refresh_schedule(struct watched *w);
/* With that kind of object, and then the next ones. */
void refresh_go_on(struct watched *w, int kind);

/* --- monitor_objects.c --- */
/* One at a time of each kind; @p done gets NULL where all went well. */
void objects_fetch(struct watched *w, enum object_kind kind,
                   void (*done)(struct watched *w, enum object_kind kind, const struct trouble *trouble));
void objects_fetch_cancel(struct watched *w);

/* --- monitor_listing.c --- */
void listing_start(struct watched *w, bool full, void (*done)(struct watched *w, const struct trouble *trouble));
void listing_cancel(struct watched *w);
/* True where the pool does not know a container and takes what was asked by then for older than a removal (its own or,
 * where there were many, another's): ask again. */
bool container_was_refused(struct watched *w, const char *id, uint64_t ticket);

/* --- monitor_jobs.c --- */
struct job *job_for_container(struct watched *w, const char *id);
/* Whether it is being asked about, or about to be. */
bool job_is_under_way(struct watched *w, const char *id);
/* Ask for a round that starts from now on; returns its number. */
unsigned job_want(struct watched *w, struct job *job);
void job_reference(struct job *job);
void job_unreference(struct watched *w, struct job *job);
/* The round is over: what waited for it goes on. */
void job_finished(struct watched *w, struct job *job);
/* Forget them all; events do not wait any more. */
void jobs_cancel(struct watched *w);

/* --- monitor_stream.c --- */
int stream_open(struct watched *w);
void stream_shut(struct watched *w);

/* --- monitor_events.c --- */
/* Queue an event of that time: valid JSON. -1 for lack of memory. */
int events_append(struct watched *w, const char *text, size_t length, int64_t time_ns);
/* Do what the held events ask for, then publish what can be. */
void events_react(struct watched *w);
void events_release(struct watched *w);
/* What has come is covered by a list that is asked for from now on. */
void events_mark_ready(struct watched *w);
/* Publish all that has come, as it is. */
void events_flush(struct watched *w);
void events_discard(struct watched *w);

/* --- monitor_probe.c --- */
void heartbeat_schedule(struct watched *w);
/* Something is wrong with a healthy engine: find out what. */
void probe_start(struct watched *w, const struct trouble *first);
void probe_cancel(struct watched *w);

/* --- monitor_flap.c --- */
void flap_note_loss(struct watched *w);
/* A lost engine failed to answer. */
void flap_note_failure(struct watched *w);
/* A lost engine answered: true where it is not taken back yet, and asked again soon. */
bool flap_holds_back(struct watched *w);

/* --- monitor_leave.c --- */
/* Discovery's list or the engine's state has changed, or time has passed: does it stay? */
void leave_review(struct watched *w);
/* A leaving engine was found alive, or lost. */
void leave_alive(struct watched *w);
void leave_lost(struct watched *w);

#endif
