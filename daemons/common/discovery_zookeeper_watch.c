/* SPDX-License-Identifier: Apache-2.0 */
/* The manager's side: list the directory, ask for the data of those that are not known, all at once, and look again
 * when the directory or the data of one changed. Whatever goes wrong ends in a new look; the last list stays in force.
 */
#include <stdlib.h>
#include <string.h>

#include "discovery_kv_report.h"
#include "discovery_zookeeper.h"
#include "log.h"
#include "text.h"

struct watch {
    struct zk_session *session;
    struct kv_report report;
    const char *directory; /* without a leading slash, as in the table's keys */
    char *path;            /* with one */
    struct kv_table table; /* of those whose data is known */
    /* The session's lock guards these. */
    struct kv_table changed; /* keys whose data has changed since; no values */
    bool all_changed;        /* there was no memory to say which */
    size_t asked;            /* gets without an answer */
    int rc;                  /* what one of them said, ZOK: nothing bad */
};

/* A get of one node's data. */
struct get {
    struct watch *watch;
    char *path;
};

/* The lock is held. */
static void on_node(void *data, const char *path)
{
    struct watch *watch = data;
    if (strcmp(path, watch->path) != 0 && kv_table_put(&watch->changed, path + 1, "") != 0)
        watch->all_changed = true;
}

static void on_data(int rc, const char *value, int length, const struct Stat *stat, const void *data)
{
    struct get *get;
    memcpy(&get, &data, sizeof get);
    struct watch *watch = get->watch;
    char *text = rc == ZOK ? strndup(value ? value : "", length > 0 ? (size_t)length : 0) : NULL;
    pthread_mutex_lock(&watch->session->lock);
    if (rc == ZOK && (!text || kv_table_put(&watch->table, get->path + 1, text) != 0))
        rc = ZSYSTEMERROR;
    if (rc != ZOK && rc != ZNONODE) /* one that has gone since will be news */
        watch->rc = rc;
    watch->asked--;
    pthread_cond_broadcast(&watch->session->changed);
    pthread_mutex_unlock(&watch->session->lock);
    free(text);
    free(get->path);
    free(get);
}

/* What is news from now on comes after the look that begins. */
static void forget_changed(struct watch *watch, bool all)
{
    pthread_mutex_lock(&watch->session->lock);
    struct kv_table changed = watch->changed;
    all |= watch->all_changed;
    watch->changed = (struct kv_table){0};
    watch->all_changed = watch->session->news = false;
    pthread_mutex_unlock(&watch->session->lock);
    for (size_t i = 0; i < changed.count; i++)
        kv_table_remove(&watch->table, changed.pairs[i].key);
    if (all)
        kv_table_clear(&watch->table);
    kv_table_clear(&changed);
}

static int list(struct watch *watch, char ***ret_names)
{
    int rc = zk_children(watch->session, watch->path, ret_names);
    if (rc != ZNONODE)
        return rc;
    rc = zk_make_directory(watch->session, watch->path);
    return rc == ZOK ? zk_children(watch->session, watch->path, ret_names) : rc;
}

static int compare_with_name(const void *key, const void *item)
{
    char *const *name = item;
    return strcmp(key, *name);
}

static void forget_gone(struct watch *watch, char *const *names)
{
    size_t count = 0, skip = strlen(watch->directory) + 1;
    while (names[count])
        count++;
    for (size_t i = watch->table.count; i-- > 0;) {
        const char *key = watch->table.pairs[i].key;
        if (!bsearch(key + skip, names, count, sizeof *names, compare_with_name))
            kv_table_remove(&watch->table, key);
    }
}

/* Unless it is known. */
static int ask(struct watch *watch, const char *name)
{
    struct get *get = calloc(1, sizeof *get);
    if (get)
        *get = (struct get){.watch = watch, .path = text_format("%s/%s", watch->path, name)};
    if (!get || !get->path) {
        free(get);
        return ZSYSTEMERROR;
    }
    pthread_mutex_lock(&watch->session->lock);
    bool known = kv_table_get(&watch->table, get->path + 1) != NULL;
    watch->asked += !known;
    pthread_mutex_unlock(&watch->session->lock);
    int rc = known ? ZOK : zoo_awget(watch->session->handle, get->path, zk_on_event, watch->session, on_data, get);
    if (!known && rc == ZOK)
        return ZOK;
    pthread_mutex_lock(&watch->session->lock);
    watch->asked -= !known;
    pthread_mutex_unlock(&watch->session->lock);
    free(get->path);
    free(get);
    return rc;
}

/* All questions first, then all answers. */
static int ask_all(struct watch *watch, char *const *names)
{
    struct zk_session *session = watch->session;
    int rc = ZOK;
    watch->rc = ZOK;
    for (char *const *name = names; rc == ZOK && *name; name++)
        rc = ask(watch, *name);
    pthread_mutex_lock(&session->lock);
    while (watch->asked > 0 && !session->stopping)
        zk_session_wait(session, deadline_after(-1));
    bool stopped = watch->asked > 0;
    pthread_mutex_unlock(&session->lock);
    if (stopped)
        zk_session_close(session); /* answers what is open */
    return rc == ZOK ? watch->rc : rc;
}

/* @p fresh: no watch is set. */
static int look(struct watch *watch, bool fresh)
{
    char **names;
    forget_changed(watch, fresh);
    int rc = list(watch, &names);
    if (rc != ZOK)
        return rc;
    forget_gone(watch, names);
    rc = ask_all(watch, names);
    zk_names_free(names);
    return rc;
}

/* Connect where that is due, and look. Whether all is well; *ret_why: new text to tell, or NULL. */
static bool follow(struct watch *watch, bool *looked, char **ret_why)
{
    bool fresh;
    if (zk_session_connect(watch->session, &fresh, ret_why) != 0)
        return false;
    int rc = look(watch, fresh || !*looked);
    *looked = rc == ZOK;
    *ret_why = NULL;
    if (zk_session_stopping(watch->session))
        return false;
    if (rc == ZOK) {
        if (watch->report.error)
            log_info("Discovery: zk %s answers again", watch->session->endpoints[watch->session->endpoint]);
        kv_report_error(&watch->report, NULL);
        kv_report_entries(&watch->report, watch->directory, &watch->table);
    } else if (!zk_is_loss(rc)) { /* a loss is trouble only when no server can be found */
        *ret_why = zk_session_error(watch->session, watch->path, rc);
    }
    return rc == ZOK;
}

static void sleep_until_news(struct watch *watch)
{
    struct zk_session *session = watch->session;
    pthread_mutex_lock(&session->lock);
    while (!session->news && session->link == ZK_LINK_UP && !session->stopping)
        zk_session_wait(session, deadline_after(-1));
    pthread_mutex_unlock(&session->lock);
}

static void sleep_before_retry(struct watch *watch)
{
    struct zk_session *session = watch->session;
    struct deadline deadline = deadline_after(zk_session_back_off_ms(session));
    pthread_mutex_lock(&session->lock);
    while (!session->stopping && zk_session_wait(session, deadline))
        ;
    pthread_mutex_unlock(&session->lock);
}

static void run(struct watch *watch)
{
    bool looked = false;
    while (!zk_session_stopping(watch->session)) {
        char *why = NULL;
        if (follow(watch, &looked, &why)) {
            watch->session->failures = 0;
            sleep_until_news(watch);
            continue;
        }
        if (why)
            kv_report_error(&watch->report, why);
        sleep_before_retry(watch);
    }
    zk_session_close(watch->session);
}

void zk_watch(struct discovery *discovery, const struct discovery_events *events, void *data)
{
    struct zk *zk = discovery->state;
    struct watch watch = {.session = &zk->watch,
                          .report = {.discovery = discovery, .events = events, .data = data},
                          .directory = zk->place.directory,
                          .path = text_format("/%s", zk->place.directory)};
    zk->watch.on_node = on_node;
    zk->watch.data = &watch;
    if (watch.path)
        run(&watch);
    else
        events->error(data, "zk: out of memory, discovery ends");
    kv_table_clear(&watch.table);
    kv_table_clear(&watch.changed);
    kv_report_finish(&watch.report);
    free(watch.path);
}
