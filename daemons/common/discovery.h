/* SPDX-License-Identifier: Apache-2.0 */
/* Which engines there are: addresses (address_list.h) kept in a list, a file or a store. */
#ifndef COMMON_DISCOVERY_H
#define COMMON_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

struct discovery;

struct discovery_options {
    const char *url;             /* "etcd://h1:2379,h2:2379/prefix", "consul://h1:8500", "zk://h1:2181/prefix",
                                    "nodes://a:1,b:[2:4]", "a:1", "unix:///path", "file://path" */
    const char *const *settings; /* --discovery-opt values "k=v", NULL-ended; NULL: none */
    int heartbeat_ms;
    int ttl_ms;
};

/* The engines that are announced, and those that said they leave. One that is in neither has lapsed: nobody announces
 * it any more, and nobody knows why. */
struct discovery_list {
    const char *const *addresses;
    size_t count;
    const char *const *left;
    size_t left_count;
};

/* What a watcher is told, on the thread that runs discovery_watch(). */
struct discovery_events {
    /* The whole list: at first, and after each change. Borrowed. That an engine left is told once at least, and maybe
     * again for some time. */
    void (*entries)(void *data, const struct discovery_list *list);
    /* Trouble; the last list stays in force and the watch goes on. */
    void (*error)(void *data, const char *message);
};

/* Check the URL and the settings; contacts nobody. 0, or -1 with *reterr new text. */
int discovery_new(struct discovery **ret, const struct discovery_options *options, char **reterr);
void discovery_free(struct discovery *discovery);
/* "etcd", "nodes", … */
const char *discovery_backend(const struct discovery *discovery);
/* Report entries and errors until discovery_stop(). */
void discovery_watch(struct discovery *discovery, const struct discovery_events *events, void *data);
/* Announce @p address for ttl_ms: once, the caller repeats it each heartbeat. 0, or -1 with text. */
int discovery_register(struct discovery *discovery, const char *address, char **reterr);
/* Say that it leaves: where something was announced, it stands in the store as having left for about ttl_ms. */
int discovery_leave(struct discovery *discovery, const char *address, char **reterr);
/* Any thread. */
void discovery_stop(struct discovery *discovery);

/* "host:port", split as Go's net.SplitHostPort does, port 1…65535. */
bool discovery_is_address(const char *text);
/* What an agent may announce in a store: that, or "ssh://…" (ssh_address.h). */
bool discovery_may_announce(const char *text);

#endif
