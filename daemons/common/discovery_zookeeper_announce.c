/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's side. A thread puts the node, an ephemeral one, and watches it: it comes back at once where the session
 * expired or somebody deleted the node. A heartbeat asks whether it is there.
 *
 * A node of another session, such as that of the agent which ran here before, would vanish with that session: it is
 * replaced in one step, that no watcher sees. That is done once a session only, so that two agents which announce the
 * same address by mistake do not take it from each other for ever. */
#include <stdlib.h>
#include <string.h>

#include "discovery_zookeeper.h"
#include "log.h"
#include "text.h"

enum {
    ANNOUNCE_MS = 10000, /* for an answer to the heartbeat; the thread goes on with it */
    LEAVE_MS = 5000,
    STEPS_MAX = 8,
    LOSSES_MAX = 3,
};

int zk_agent_init(struct zk_agent *agent, const struct kv_place *place, int ttl_ms)
{
    if (zk_session_init(&agent->session, place, ttl_ms > 0 ? ttl_ms : ZK_WATCH_SESSION_MS) != 0)
        return -1;
    agent->directory = text_format("/%s", place->directory);
    return agent->directory ? 0 : -1;
}

void zk_agent_finish(struct zk_agent *agent)
{
    if (agent->running) {
        zk_session_stop(&agent->session);
        pthread_join(agent->thread, NULL);
    }
    zk_session_finish(&agent->session);
    free(agent->directory);
    free(agent->address);
    free(agent->path);
    free(agent->error);
}

/* The node is there. Whether all is as it should be; else *ret_rc says what came of changing it. */
static bool check(struct zk_agent *agent, const char *value, const struct Stat *stat, int *ret_rc)
{
    struct zk_session *session = &agent->session;
    bool ours = stat->ephemeralOwner == session->id.client_id;
    if (ours && strcmp(value, agent->address) == 0)
        return true;
    if (ours) {
        *ret_rc = zk_set(session, agent->path, agent->address);
        return false;
    }
    if (agent->placed_by == session->id.client_id) {
        log_warn_with(LOG_FIELDS({"addr", agent->address}), "Another agent announces this address too");
        return true;
    }
    *ret_rc = zk_replace(session, agent->path, agent->address);
    return false;
}

/* Look at the node, then do what is needed, until a look finds all well. */
static int place(struct zk_agent *agent)
{
    struct zk_session *session = &agent->session;
    for (int step = 0; step < STEPS_MAX; step++) {
        struct Stat stat;
        char *value;
        int rc = zk_get(session, agent->path, &value, &stat);
        if (rc == ZOK) {
            bool good = check(agent, value, &stat, &rc);
            free(value);
            if (good) {
                agent->placed_by = session->id.client_id;
                return ZOK;
            }
        } else if (rc == ZNONODE) {
            rc = zk_create(session, agent->directory, agent->path, agent->address);
        }
        if (rc != ZOK && rc != ZNODEEXISTS && rc != ZNONODE) /* somebody else was quicker: look again */
            return rc;
    }
    return ZRUNTIMEINCONSISTENCY;
}

/* 0, or -1 with *reterr new text (NULL: stopping). */
static int announce(struct zk_agent *agent, char **reterr)
{
    struct zk_session *session = &agent->session;
    int rc = ZOK;
    for (int losses = 0; losses < LOSSES_MAX; losses++) {
        bool fresh;
        if (zk_session_connect(session, &fresh, reterr) != 0)
            return -1;
        pthread_mutex_lock(&session->lock);
        session->news = false;
        pthread_mutex_unlock(&session->lock);
        rc = place(agent);
        if (rc == ZOK)
            return 0;
        if (!zk_is_loss(rc) || zk_session_stopping(session))
            break;
    }
    *reterr = zk_session_stopping(session) ? NULL : zk_session_error(session, agent->path, rc);
    return -1;
}

/* Empty the node, where it is ours or nobody's. *ret_ours: it goes with our session. */
static int say_left(struct zk_agent *agent, bool *ret_ours)
{
    struct zk_session *session = &agent->session;
    struct Stat stat;
    char *value;
    int rc = zk_get(session, agent->path, &value, &stat);
    if (rc == ZOK) {
        free(value);
        *ret_ours = stat.ephemeralOwner == session->id.client_id;
        return *ret_ours ? zk_set(session, agent->path, "") : ZOK;
    }
    *ret_ours = rc == ZNONODE;
    return rc == ZNONODE ? zk_create(session, agent->directory, agent->path, "") : rc;
}

/* The empty node stays until the server's time for the session is over. One that another agent has put stays as it is.
 */
static int leave(struct zk_agent *agent, char **reterr)
{
    struct zk_session *session = &agent->session;
    bool fresh, ours = false;
    if (session->id.client_id == 0)
        return 0;
    if (zk_session_connect(session, &fresh, reterr) != 0)
        return -1;
    int rc = say_left(agent, &ours);
    if (rc != ZOK)
        *reterr = zk_session_error(session, agent->path, rc);
    else if (ours)
        zk_session_abandon(session);
    zk_session_close(session);
    return rc == ZOK ? 0 : -1;
}

/* What happens between the heartbeats is told by the thread itself. */
static void tell(struct zk_agent *agent, bool asked, const char *error)
{
    const struct log_field *fields = LOG_FIELDS({"addr", agent->address});
    if (error && !asked && !agent->told_loss)
        log_warn_with(fields, "%s", error);
    else if (!error && agent->told_loss)
        log_info_with(fields, "Announced again");
    agent->told_loss = error != NULL;
}

/* Takes @p error. */
static void answer(struct zk_agent *agent, unsigned asked, char *error)
{
    pthread_mutex_lock(&agent->session.lock);
    agent->answered = asked;
    free(agent->error);
    agent->error = error;
    pthread_cond_broadcast(&agent->session.changed);
    pthread_mutex_unlock(&agent->session.lock);
}

/* Until there is something to do: a question, a lost connection, news of the node, the time for another try. */
static bool wait_for_work(struct zk_agent *agent, bool failed)
{
    struct zk_session *session = &agent->session;
    struct deadline deadline = deadline_after(failed ? zk_session_back_off_ms(session) : -1);
    pthread_mutex_lock(&session->lock);
    while (!session->stopping && agent->asked == agent->answered) {
        bool lost = !agent->leaving && (session->news || session->link != ZK_LINK_UP);
        if ((lost && !failed) || !zk_session_wait(session, deadline))
            break;
    }
    bool go_on = !session->stopping;
    pthread_mutex_unlock(&session->lock);
    return go_on;
}

static void *run(void *data)
{
    struct zk_agent *agent = data;
    struct zk_session *session = &agent->session;
    bool failed = false;
    do {
        char *error = NULL;
        pthread_mutex_lock(&session->lock);
        unsigned asked = agent->asked;
        bool was_asked = asked != agent->answered, leaving = agent->leaving;
        pthread_mutex_unlock(&session->lock);
        failed = (leaving ? leave(agent, &error) : announce(agent, &error)) != 0;
        if (zk_session_stopping(session)) {
            free(error);
            break;
        }
        if (failed && !error)
            error = strdup("zk: out of memory");
        if (!failed)
            session->failures = 0;
        tell(agent, was_asked, error);
        answer(agent, asked, error);
    } while (wait_for_work(agent, failed));
    zk_session_close(session);
    return NULL;
}

/* With the lock held. The agent announces one address all its life. */
static int prepare(struct zk_agent *agent, const char *address, char **reterr)
{
    if (agent->running && strcmp(agent->address, address) != 0)
        return discovery_fail(reterr, "zk: %s is announced, so that %s cannot be", agent->address, address);
    if (agent->running)
        return 0;
    agent->address = strdup(address);
    agent->path = kv_node_key(agent->directory, address);
    agent->running = agent->address && agent->path && pthread_create(&agent->thread, NULL, run, agent) == 0;
    if (agent->running)
        return 0;
    free(agent->address);
    free(agent->path);
    agent->address = agent->path = NULL;
    return discovery_fail(reterr, "zk: no memory or no thread to announce %s", address);
}

/* Have the thread do it and wait for its answer. */
static int ask(struct zk_agent *agent, bool leaving, int timeout_ms, char **reterr)
{
    struct zk_session *session = &agent->session;
    struct deadline deadline = deadline_after(timeout_ms);
    unsigned question = ++agent->asked;
    agent->leaving = leaving;
    pthread_cond_broadcast(&session->changed);
    while (agent->answered != question && zk_session_wait(session, deadline))
        ;
    if (agent->answered != question)
        return discovery_fail(reterr, "zk: no server has answered within %d s", timeout_ms / 1000);
    return agent->error ? discovery_fail(reterr, "%s", agent->error) : 0;
}

int zk_announce(struct discovery *discovery, const char *address, char **reterr)
{
    struct zk *zk = discovery->state;
    pthread_mutex_lock(&zk->agent.session.lock);
    int status = prepare(&zk->agent, address, reterr);
    if (status == 0)
        status = ask(&zk->agent, false, ANNOUNCE_MS, reterr);
    pthread_mutex_unlock(&zk->agent.session.lock);
    return status;
}

int zk_leave(struct discovery *discovery, const char *address, char **reterr)
{
    struct zk *zk = discovery->state;
    int status = 0;
    pthread_mutex_lock(&zk->agent.session.lock);
    if (zk->agent.running)
        status = ask(&zk->agent, true, LEAVE_MS, reterr);
    pthread_mutex_unlock(&zk->agent.session.lock);
    return status;
}
