/* SPDX-License-Identifier: Apache-2.0 */
/* Engines behind ssh(1): a unix socket in a private directory, and for each connection to it a process
 * `ssh … docker system dial-stdio`, as docker's CLI runs it, whose input and output that connection is. All of them, of
 * all engines at one host, go through one connection to it, kept by another ssh (ControlMaster) while a bridge there is
 * open. */
#ifndef COMMON_SSH_BRIDGE_H
#define COMMON_SSH_BRIDGE_H

#include <stddef.h>

struct ssh_bridge;

/* All bridges of a process. @p options: values for ssh's -o, NULL-ended, borrowed; NULL: none. NULL for lack of memory;
 * freeing waits for the bridges, which must be closed. */
struct ssh_bridges;
struct ssh_bridges *ssh_bridges_new(const char *const *options);
void ssh_bridges_free(struct ssh_bridges *bridges);

/* Nothing is connected before somebody connects to the socket. 0, or -1 with *reterr new text. Any thread. */
int ssh_bridge_open(struct ssh_bridge **ret, struct ssh_bridges *bridges, const char *address, char **reterr);
/* Cuts what goes through it; NULL is fine. Any thread, and it does not wait. */
void ssh_bridge_close(struct ssh_bridge *bridge);
const char *ssh_bridge_socket(const struct ssh_bridge *bridge);

/* Why connections of the last seconds ended, in ssh's words or in those of the command at the far end. Any thread. */
enum ssh_trouble {
    SSH_NO_TROUBLE,
    SSH_TROUBLE,     /* the host was not reached, or did not do as it was told */
    SSH_ENGINE_DOWN, /* it was, and nobody listens at the engine's socket */
};
enum ssh_trouble ssh_bridge_trouble(struct ssh_bridge *bridge, char *words, size_t size);

#endif
