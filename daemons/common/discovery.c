/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "discovery_private.h"
#include "log.h"
#include "ssh_address.h"

static const struct discovery_backend *const backends[] = {&discovery_nodes,  &discovery_file,  &discovery_etcd,
                                                           &discovery_consul, &discovery_token, &discovery_zookeeper};

int discovery_fail(char **reterr, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(reterr, format, arguments) < 0)
        *reterr = NULL;
    va_end(arguments);
    return -1;
}

bool discovery_sleep(const struct discovery *discovery, int fd, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = discovery->stop_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    poll(fds, 2, timeout_ms);
    return fds[0].revents == 0;
}

const char *discovery_setting(const struct discovery_options *options, const char *key)
{
    const char *value = NULL;
    size_t length = strlen(key);
    for (const char *const *setting = options->settings; setting && *setting; setting++) {
        if (strncmp(*setting, key, length) == 0 && (*setting)[length] == '=')
            value = *setting + length + 1;
    }
    return value;
}

/* Whether one of @p left was not in the list before. */
static bool has_new(const struct address_list *left, const struct address_list *before)
{
    for (size_t i = 0; i < left->count; i++) {
        if (!address_list_has(before, left->items[i]))
            return true;
    }
    return false;
}

void discovery_report(const struct discovery *discovery, struct told_lists *told, struct address_list *addresses,
                      struct address_list *left, const struct discovery_events *events, void *data)
{
    if (!told->any || !address_list_equal(addresses, &told->addresses) || has_new(left, &told->left)) {
        /* The items are the watcher's to read only. */
        const struct discovery_list list = {.addresses = (const char *const *)addresses->items,
                                            .count = addresses->count,
                                            .left = (const char *const *)left->items,
                                            .left_count = left->count};
        log_debug_with(LOG_FIELDS({"discovery", discovery->backend->name}), "Watch triggered with %zu nodes",
                       list.count);
        events->entries(data, &list);
    }
    told_lists_finish(told);
    *told = (struct told_lists){*addresses, *left, true};
}

void told_lists_finish(struct told_lists *told)
{
    address_list_clear(&told->addresses);
    address_list_clear(&told->left);
}

/* A bare list of engines' addresses, some of which have a scheme of their own: "h:2375,unix:///run/docker.sock". */
static bool is_bare_list(const char *url, const char *separator)
{
    const char *comma = memrchr(url, ',', (size_t)(separator - url));
    const char *item = comma ? comma + 1 : url;
    return strncmp(item, "unix://", 7) == 0 || ssh_address_is(item);
}

static const struct discovery_backend *find_backend(const char *url, const char **ret_rest)
{
    const char *separator = strstr(url, "://");
    bool bare = !separator || is_bare_list(url, separator);
    *ret_rest = bare ? url : separator + 3;
    if (bare)
        return &discovery_nodes;
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        size_t length = strlen(backends[i]->name);
        if (length == (size_t)(separator - url) && strncmp(url, backends[i]->name, length) == 0)
            return backends[i];
    }
    return NULL;
}

static int check_settings(const struct discovery_options *options, char **reterr)
{
    for (const char *const *setting = options->settings; setting && *setting; setting++) {
        if (!strchr(*setting, '='))
            return discovery_fail(reterr, "--discovery-opt must contain key=value strings");
    }
    return 0;
}

int discovery_new(struct discovery **ret, const struct discovery_options *options, char **reterr)
{
    const char *rest;
    if (check_settings(options, reterr) != 0)
        return -1;
    const struct discovery_backend *backend = find_backend(options->url, &rest);
    if (!backend)
        return discovery_fail(reterr,
                              "discovery service not supported: \"%.*s://\" is none of consul://, etcd://, file://, "
                              "nodes://, token://, zk://",
                              (int)(strstr(options->url, "://") - options->url), options->url);
    struct discovery *discovery = calloc(1, sizeof *discovery);
    if (!discovery)
        return discovery_fail(reterr, "out of memory");
    *discovery = (struct discovery){.backend = backend,
                                    .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                    .heartbeat_ms = options->heartbeat_ms,
                                    .ttl_ms = options->ttl_ms};
    log_debug_with(LOG_FIELDS({"name", backend->name}, {"uri", rest}), "Initializing discovery service");
    if (discovery->stop_fd < 0) {
        free(discovery);
        return discovery_fail(reterr, "eventfd: %s", strerror(errno));
    }
    if (backend->open(discovery, rest, options, reterr) != 0) {
        close(discovery->stop_fd);
        free(discovery);
        return -1;
    }
    *ret = discovery;
    return 0;
}

void discovery_free(struct discovery *discovery)
{
    if (!discovery)
        return;
    discovery->backend->close(discovery);
    close(discovery->stop_fd);
    free(discovery);
}

const char *discovery_backend(const struct discovery *discovery)
{
    return discovery->backend->name;
}

void discovery_watch(struct discovery *discovery, const struct discovery_events *events, void *data)
{
    discovery->backend->watch(discovery, events, data);
}

int discovery_register(struct discovery *discovery, const char *address, char **reterr)
{
    if (!discovery->backend->announce)
        return discovery_fail(reterr, "not implemented in this discovery service");
    return discovery->backend->announce(discovery, address, reterr);
}

int discovery_leave(struct discovery *discovery, const char *address, char **reterr)
{
    if (!discovery->backend->leave)
        return 0; /* nothing can have been announced */
    return discovery->backend->leave(discovery, address, reterr);
}

void discovery_stop(struct discovery *discovery)
{
    uint64_t one = 1;
    ssize_t ignored = write(discovery->stop_fd, &one, sizeof one);
    (void)ignored; /* full: it is readable anyway */
    if (discovery->backend->stop)
        discovery->backend->stop(discovery);
}
