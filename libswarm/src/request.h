/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SRC_REQUEST_H
#define SWARM_SRC_REQUEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swarm/request.h>

#include "expr.h"

#define SWARM__LABEL_PREFIX "com.docker.swarm."
#define SWARM__LABEL_ID SWARM__LABEL_PREFIX "id"
#define SWARM__LABEL_CPU_SHARES SWARM__LABEL_PREFIX "cpushares"
/** Begins a network, PID or IPC mode that means another container's. */
#define SWARM__CONTAINER_MODE "container:"

/** Where a label of a request is. */
struct swarm__label {
    const char *key;
    const char *value; /**< Right behind the key's NUL. */
};

/** The texts that every request has, be they empty; in this order. */
enum swarm__request_text {
    SWARM__REQUEST_NAME,
    SWARM__REQUEST_IMAGE,
    SWARM__REQUEST_NETWORK_MODE,
    SWARM__REQUEST_TEXTS, /**< How many; behind them are the labels. */
};

/** A block "container_port\0host_ip\0host_port\0". */
struct swarm__port {
    char *container_port;  /**< "80/tcp" */
    const char *host_ip;   /**< Empty: all interfaces. */
    const char *host_port; /**< As asked for; empty or "0": any. */
};

/** A container that must be on the same node; a block "raw\0target\0". */
struct swarm__reference {
    char *raw;          /**< "db:alias", as written */
    const char *target; /**< "db" */
};

/** So much of a named resource; never 0 in a request. */
struct swarm__amount {
    char *name;
    int64_t amount;
};

struct swarm__exprs {
    struct swarm__expr *items;
    uint32_t count;
};

/** What few requests have, in an allocation of its own. */
struct swarm__request_extras {
    char *pid_mode; /**< Kept only where it is "container:<x>"; NULL where not set. */
    char *ipc_mode; /**< The same. */
    struct swarm__exprs constraints;
    struct swarm__exprs affinities;
    struct swarm__exprs whitelists;
    struct swarm__reference *volumes_from;
    struct swarm__reference *links;
    struct swarm__amount *amounts;
    uint32_t volumes_from_count;
    uint32_t link_count;
    uint32_t amount_count;
};

/** All of it is fixed once @c shared is set. Lists keep the order they were given in. */
struct swarm_request {
    atomic_uint refs;
    atomic_bool shared;
    uint8_t policy; /**< enum swarm_reschedule_policy */
    uint32_t texts_size;
    uint32_t label_count;
    uint32_t port_count;
    uint32_t exposed_count;
    int64_t cpus_milli; /**< What is reserved … */
    int64_t memory;
    int64_t cpus_limit; /**< … and what it may use at most; 0: no limit. Never less than what is reserved. */
    int64_t memory_limit;
    /** One block, "name\0image\0mode\0key\0value\0key\0value\0": there are many requests, and most are little more. */
    const char *texts; /**< Never NULL: those that have none share empty ones. */
    struct swarm__port *ports;
    char **exposed;                             /**< "80/tcp" */
    const struct swarm__request_extras *extras; /**< Never NULL: those that have none share empty ones. */
};

/** NULL where it is not set. */
const char *swarm__request_text(const struct swarm_request *request, enum swarm__request_text which);

/** Walk the labels, in the order they were given in: start with a zeroed one. @return false at the end. */
bool swarm__request_next_label(const struct swarm_request *request, struct swarm__label *label);
/** Find that of a key. @return Whether there is one. */
bool swarm__request_find_label(const struct swarm_request *request, const char *key, struct swarm__label *ret);

/** NULL where it asks for none of that resource. */
struct swarm__amount *swarm__request_find_amount(const struct swarm_request *request, const char *name);

/** One thing that ties the container to the node of another. */
struct swarm__dependency {
    const char *option; /**< "--volumes-from=", "--link=", "--net=", "--pid=", "--ipc=": as refusals list it, … */
    const char *raw;    /**< … followed by this: "db:ro", "container:db" */
    const char *target; /**< Container that is referred to: "db" */
};

/** Walk the dependencies, in the order in which refusals list them. @return false past the end. */
bool swarm__request_dependency(const struct swarm_request *request, size_t index, struct swarm__dependency *ret);

/** Whether the container uses its host's network. */
bool swarm__request_host_network(const struct swarm_request *request);

/** Take a reference and freeze the request: it is in a container or a reservation from now on. */
struct swarm_request *swarm__request_share(struct swarm_request *request);

/** Exchange what two requests ask for; references and frozenness stay. */
void swarm__request_swap(struct swarm_request *a, struct swarm_request *b);

/** What every setter checks first: @p request may be changed, and @p value (called @p what in the error) is not NULL.
 */
int swarm__request_check(const struct swarm_request *request, const void *value, const char *what,
                         struct swarm_error **reterr);

/*
 * For the codec: as the public functions, but a flawed expression (see expr.h), port or reference is kept. @p request
 * must not be shared.
 */
int swarm__request_keep_port(struct swarm_request *request, const char *container_port, const char *host_ip,
                             const char *host_port, struct swarm_error **reterr);
int swarm__request_keep_exposed_port(struct swarm_request *request, const char *container_port,
                                     struct swarm_error **reterr);
int swarm__request_keep_volumes_from(struct swarm_request *request, const char *from, struct swarm_error **reterr);
int swarm__request_keep_link(struct swarm_request *request, const char *link, struct swarm_error **reterr);
int swarm__request_keep_constraint(struct swarm_request *request, const char *text, size_t length);
int swarm__request_keep_affinity(struct swarm_request *request, const char *text, size_t length);
int swarm__request_keep_whitelist(struct swarm_request *request, const char *text, size_t length);

#endif
