/* SPDX-License-Identifier: Apache-2.0 */
/* Bridges in their parts: ssh_bridge.c opens and closes them and keeps what went wrong, ssh_host.c is the thread of a
 * host, whose engines share it and its connection, ssh_command.c calls ssh, ssh_folder.c is where the sockets are. */
#ifndef COMMON_SSH_BRIDGE_INTERNAL_H
#define COMMON_SSH_BRIDGE_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "ssh_address.h"
#include "ssh_bridge.h"
#include "ssh_folder.h"
#include "ssh_process.h"

enum {
    SSH_SESSIONS_MAX = 256, /* of one engine */
};

struct ssh_bridges {
    const char *const *options;
    pthread_mutex_t lock; /* of what is below */
    pthread_cond_t changed;
    struct ssh_folder folder; /* made with the first bridge */
    struct ssh_host *hosts;   /* those that take engines */
    size_t running;           /* threads of hosts */
    unsigned next;            /* names of sockets */
};

struct ssh_session {
    int client; /* the connection to our socket */
    struct ssh_process process;
    bool abandoned; /* nobody waits for it any more */
    int64_t end_ms; /* abandoned: when it is cut */
};

struct ssh_bridge {
    struct ssh_bridges *bridges;
    struct ssh_host *host;
    struct ssh_bridge *next; /* of the host's */
    char *address;
    struct ssh_address to;
    char socket[108];
    int listen_fd;

    pthread_mutex_t lock; /* of what is below */
    bool closing;
    enum ssh_trouble trouble;
    char words[256];
    int64_t trouble_ms;
    bool told; /* these words, in the log */

    /* the host's thread's own */
    struct ssh_session *sessions[SSH_SESSIONS_MAX];
    size_t count;
};

/* Give the bridge to the thread of its host, which is begun where it is the first one. -1: no memory, or no thread. */
int ssh_host_take(struct ssh_bridge *bridge);
/* Make the thread look at its bridges. */
void ssh_host_wake(struct ssh_host *host);

/* Why connections fail from now on; @p tell: in the log, where it is news. */
void ssh_bridge_note(struct ssh_bridge *bridge, enum ssh_trouble trouble, const char *words, bool tell);
/* The same of a process that ended: what ssh itself says ends with status 255, else it is the status of the command at
 * the far end. */
void ssh_bridge_note_end(struct ssh_bridge *bridge, const struct ssh_process *process, int status);
void ssh_bridge_free(struct ssh_bridge *bridge);

#endif
