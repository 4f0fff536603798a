/* SPDX-License-Identifier: Apache-2.0 */
/* One Docker engine: its address, what it last said of itself, and ways to talk to it. What changes is guarded by the
 * pool's lock unless it says otherwise. Reference counted: a request keeps its engine alive while it talks to it. */
#ifndef MANAGE_ENGINE_H
#define MANAGE_ENGINE_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <swarm/swarm.h>

#include "failure.h"
#include "http_client.h"
#include "object_record.h"
#include "stream.h"

struct manager;
struct info_block;

#define POOL_CONTAINER_STATES 7

enum engine_state { ENGINE_PENDING, ENGINE_HEALTHY, ENGINE_UNHEALTHY, ENGINE_DISCONNECTED };
/* "Pending", "Healthy", "Unhealthy", "Disconnected". */
const char *engine_state_text(enum engine_state state);
/* The same, but "Unannounced" for a healthy one whose membership has lapsed: what users are shown of an engine. */
const char *engine_status_text(enum engine_state state, bool unannounced);

struct api_version {
    int major, minor;
};
/* "1.41"; 0, or -1 for anything else. */
int api_version_parse(struct api_version *ret, const char *text);
int api_version_compare(struct api_version a, struct api_version b);
struct api_version api_version_clamp(struct api_version wanted, struct api_version min, struct api_version max);

#define ENGINE_REMOVALS_MAX 64 /* removed containers remembered */

/* A container that was taken out: answers asked for up to that ticket do not bring it back (pool.h). */
struct removal {
    uint64_t id; /* its first 16 hex digits */
    uint64_t ticket;
};

struct engine {
    atomic_int references;
    /* constant */
    struct manager *manager;
    char *address;             /* as discovered: "host:port", "unix:///path", "ssh://host" */
    char *shown;               /* the same with a scheme in any case: "tcp://host:port" */
    char *base;                /* of its URLs: "http://host:port", "http://localhost" where it has no name */
    const char *host;          /* the same without the scheme, for requests' heads */
    struct address dial;       /* where connections go */
    const struct tls *tls;     /* NULL: in the clear, as through sockets */
    struct ssh_bridge *bridge; /* NULL: not behind ssh, else dial is its socket */

    /* engine_idle.c's */
    struct idle_stream *idle;
    int idle_count;

    atomic_int changes; /* requests under way that make or start a container, and look at it before they answer */

    /* guarded by the pool's lock */
    enum engine_state state;
    char *id;   /* Docker engine id, NULL before the first contact */
    char *name; /* its host name, NULL before the first contact */
    char ip[64];
    char *error; /* last error, NULL: none */
    int failures;
    time_t updated_at;
    bool held_back;  /* it answers, but has flapped: unhealthy for some time yet */
    int64_t lost_ms; /* monotonic time when it turned unhealthy */
    struct api_version api_min, api_max;
    char *server_version;
    int cpus; /* whole CPUs, without overcommit */
    int64_t memory;
    int64_t clock_delta_ms;         /* added to the engine's times; 0 below 2 s */
    _Atomic int64_t specs_asked_ns; /* Unix time when it was asked last for what it is; 0: just now */
    json_t *info; /* what is looked at later of its /info: replaced whole, never changed, so a reference may be kept */
    char builder_version[8];
    struct swarm_node *node; /* NULL until validated; its data is this engine */
    json_t *images;          /* array as GET /images/json?all=1 gave it; replaced whole */
    uint64_t images_ticket;  /* of that answer */
    struct object_table networks, volumes;
    uint64_t container_changes;                   /* of its containers: answers that were applied, and removals */
    struct removal removals[ENGINE_REMOVALS_MAX]; /* the last ones, a ring */
    unsigned removal_next;
    uint64_t removal_ticket; /* the highest that fell out of the ring: counts for any container */
    uint64_t listed_ticket;  /* of the last list of its containers that was applied */
    uint64_t moved_ticket;   /* the highest that there was when the rescheduler took one out of the pool */
    uint64_t refused_ticket; /* the last with which the pool did not take a container, as it was removed since */
    bool leaving;            /* gone from discovery; kept only while moves of its containers pend */
    bool unannounced;        /* gone from discovery, but it stays */
    int64_t drop_ms;         /* unannounced: monotonic time when it goes, should it answer until then; -1: it stays */
    bool lost;               /* the watchdog knows that it is */
    size_t moved;            /* lost: containers that were brought back elsewhere since */
    uint64_t recorded_hash;  /* what is in the records of it */
    bool absent;             /* known from the records only: it has not answered this manager yet */
    bool stranger;           /* it has the id of another one's node, and none of that node's containers */

    size_t container_states[POOL_CONTAINER_STATES]; /* as the pool's, of its containers */
    unsigned info_changes;                          /* how often info has been replaced */
    struct info_block *info_block;                  /* info_cache.h */

    /* the monitor's, guarded by its lock */
    void *monitored;
};

int engine_new(struct engine **ret, struct manager *manager, const char *address, char **reterr);
struct engine *engine_ref(struct engine *engine);
void engine_unref(struct engine *engine);

/* A connection: an idle one (*ret_reused, engine_idle.h) or a new one within 10 s. -1 with the result's failure and
 * error. Without locks held. */
int engine_connect(struct engine *engine, struct stream **ret, bool *ret_reused, struct http_result *result);
/* The same for a proxied request: what goes wrong is counted and reported. */
int engine_dial(struct engine *engine, struct stream **ret, bool *ret_reused, struct failure *failure);

/* The API version to talk to this engine with when a client asked for @p wanted ("" or NULL: our maximum), written as
 * "v1.41". Takes the pool's lock for reading. */
void engine_version_prefix(struct engine *engine, const char *wanted, char *buffer, size_t size);

/* Why an answer of the engine's to what it was asked at @p asked_ms (monotonic) is not worth waiting for any longer:
 * new text, NULL: it is. An engine that counted as lost already then is given some seconds, as it may be back before
 * the monitor knows. Takes the pool's lock for reading. */
char *engine_why_give_up(struct engine *engine, int64_t asked_ms);

/* For who waits for an answer to what was asked at @p asked_ms: has the monitor look at the engine when it is late, so
 * that one which has just fallen silent is known as lost before its next heartbeat is due. *doubted_ms: 0 at first. */
void engine_doubt(struct engine *engine, int64_t asked_ms, int64_t *doubted_ms);

/* The same as engine_why_give_up() for an answer that has begun and fallen silent: the engine has counted as lost for
 * as long as its containers are not moved, so that one which is only slow to answer pings keeps its streams. */
char *engine_why_cut(struct engine *engine);

/* "https://host:port/v1.41/containers/json" for @p path without version, with the version as above; new text, NULL for
 * lack of memory. */
char *engine_url(struct engine *engine, const char *wanted, const char *path);

/* Put a call's failure into the words of ssh, where the engine is behind it; whether it has any. Any thread. */
bool engine_explain(const struct engine *engine, struct http_result *result);

/* A blocking call of the manager's own. @p path without version ("/containers/x/start?t=1"). result is filled in any
 * case; -1 with failure where there was no answer or a status >= 400. Success and failure count for the engine's
 * health (monitor.h). Without locks held. */
int engine_call(struct engine *engine, const char *method, const char *path, const char *const *headers,
                const void *body, size_t length, int timeout_ms, struct http_result *result, struct failure *failure);
/* Who may have a change made on an engine; asked right before the request goes out, when the connection stands. */
struct engine_guard {
    bool (*allows)(void *data);
    void *data;
    /* For how long it is allowed: a request that the engine has not got by then it does not get, though the network
     * that lost it be well again. 0: without end. NULL: the same. */
    int (*left_ms)(void *data);
};
/* The same as a client that speaks API version @p wanted would make it (clamped to the engine's range), and with a
 * limit on silence rather than on the whole where @p silence_ms is not 0: a pull may take its time. */
struct engine_request {
    const char *wanted; /* NULL or "": our maximum */
    const char *method;
    const char *path;
    const char *const *headers;
    const void *body;
    size_t length;
    int timeout_ms;
    int silence_ms;
    const struct engine_guard *guard; /* NULL: none. Where it says no, nothing was asked of the engine */
};
int engine_request(struct engine *engine, const struct engine_request *request, struct http_result *result,
                   struct failure *failure);
/* Whether it answers a ping within 3 s. */
bool engine_is_answering(struct engine *engine);

#endif
