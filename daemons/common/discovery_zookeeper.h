/* SPDX-License-Identifier: Apache-2.0 */
/* zk:// in its parts: discovery_zookeeper.c opens and closes, _session.c connects, _call.c asks, _announce.c registers,
 * _watch.c watches. One thread may register while another watches; each side has a session of its own.
 *
 * The client library's own choice of a server is not used (it may try every second one only, and looks names up
 * again and again on the thread that does its I/O): a handle gets one numeric address that answers, and another handle
 * takes the session over when that connection is lost. */
#ifndef COMMON_DISCOVERY_ZOOKEEPER_H
#define COMMON_DISCOVERY_ZOOKEEPER_H

#include <pthread.h>
#include <zookeeper/zookeeper.h>

#include "deadline.h"
#include "discovery_kv.h"
#include "discovery_private.h"

enum {
    ZK_PORT = 2181,
    ZK_WATCH_SESSION_MS = 10000,
    ZK_DIAL_MS = 2000,  /* until a server accepts a connection */
    ZK_GREET_MS = 4000, /* until it grants a session */
};

enum zk_link {
    ZK_LINK_NONE,    /* no connection, and nobody tries to make one */
    ZK_LINK_TRYING,  /* for the first time with this handle */
    ZK_LINK_UP,      /* the session is ours */
    ZK_LINK_LOST,    /* the session may go on through another connection */
    ZK_LINK_EXPIRED, /* it will not */
};

/* A session as its owner, one thread, uses it. Callbacks of the library's threads touch what the lock guards only. */
struct zk_session {
    char *const *endpoints; /* "host:port" */
    size_t count;
    int timeout_ms; /* as asked for; the server has bounds of its own */
    /* Something happened to a node that a watch was set on. Called with the lock held; NULL: nobody cares which. */
    void (*on_node)(void *data, const char *path);
    void *data;

    zhandle_t *handle; /* NULL: none */
    size_t endpoint;   /* the one in use, or the next to try */
    clientid_t id;     /* of the session; client_id 0: none */
    int failures;      /* since the last success */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* of any of these */
    enum zk_link link;
    bool news; /* something happened to a node */
    bool stopping;
};

/* The agent's side: a thread that keeps the node there between the heartbeats. */
struct zk_agent {
    struct zk_session session; /* its lock guards what follows */
    char *directory;           /* with a leading slash */
    pthread_t thread;
    bool running;
    char *address, *path; /* to announce; NULL: nothing yet */
    bool leaving;
    unsigned asked, answered; /* numbers of requests */
    char *error;              /* the last answer; NULL: it went well */
    /* The thread's own. */
    int64_t placed_by; /* session that has put the node; 0: none */
    bool told_loss;
};

struct zk {
    const struct discovery *discovery;
    struct kv_place place;
    struct zk_session watch;
    struct zk_agent agent;
};

int zk_session_init(struct zk_session *session, const struct kv_place *place, int timeout_ms);
/* Ends the session; nothing of the library calls back any more. */
void zk_session_finish(struct zk_session *session);
/* Where there is no connection: make one, to the old session where that goes on. *ret_fresh: there was none, so that
 * watches set before are gone. 0, or -1 with *reterr new text that names each endpoint (NULL: stopping). */
int zk_session_connect(struct zk_session *session, bool *ret_fresh, char **reterr);
/* Leave the server; a session that is connected ends by that. */
void zk_session_close(struct zk_session *session);
/* Leave the server without ending the session: what it holds stays until the server's time for it is over. */
void zk_session_abandon(struct zk_session *session);
/* Any thread: whoever waits with the session stops doing so. */
void zk_session_stop(struct zk_session *session);
bool zk_session_stopping(struct zk_session *session);
/* How long to wait before the next try: not at all, then longer each time, at random around that. */
int zk_session_back_off_ms(struct zk_session *session);
/* With the lock held. false: the deadline passed. */
bool zk_session_wait(struct zk_session *session, struct deadline deadline);
/* "zk: h1:2181: @p path: no node". New text, NULL for lack of memory. */
char *zk_session_error(const struct zk_session *session, const char *path, int rc);
/* Whether @p rc says that the connection or the session is gone, and not that a request was wrong. */
bool zk_is_loss(int rc);

/* A watcher for the calls below. */
void zk_on_event(zhandle_t *handle, int type, int state, const char *path, void *session);

/* Ask and wait for the answer. ZOK or another code of the library's; ZCLOSING where it is time to stop. */
/* Sets a watch. *ret_value: new text. */
int zk_get(struct zk_session *session, const char *path, char **ret_value, struct Stat *ret_stat);
/* Without a watch. */
int zk_read(struct zk_session *session, const char *path, char **ret_value, struct Stat *ret_stat);
/* Sets a watch. *ret_names: new, sorted, NULL-ended; release with zk_names_free(). */
int zk_children(struct zk_session *session, const char *path, char ***ret_names);
void zk_names_free(char **names);
int zk_set(struct zk_session *session, const char *path, const char *value);
/* An ephemeral node; its directory is made where it lacks. */
int zk_create(struct zk_session *session, const char *directory, const char *path, const char *value);
/* An ephemeral node whose name the server ends with a number that grows. *ret_path: new text, all of it. */
int zk_create_next(struct zk_session *session, const char *directory, const char *path, const char *value,
                   char **ret_path);
/* Delete the node and make it anew for this session, in one step. */
int zk_replace(struct zk_session *session, const char *path, const char *value);
/* Make a directory and those above it, persistent. */
int zk_make_directory(struct zk_session *session, const char *path);

int zk_agent_init(struct zk_agent *agent, const struct kv_place *place, int ttl_ms);
void zk_agent_finish(struct zk_agent *agent);
int zk_announce(struct discovery *discovery, const char *address, char **reterr);
int zk_leave(struct discovery *discovery, const char *address, char **reterr);
void zk_watch(struct discovery *discovery, const struct discovery_events *events, void *data);

#endif
