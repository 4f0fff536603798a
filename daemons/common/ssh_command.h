/* SPDX-License-Identifier: Apache-2.0 */
/* How ssh(1) is called for engines. Each starts a process: 0, or a negative errno with none.
 *
 * @p options: values for -o, NULL-ended; NULL: none. @p control: the path of the socket that sessions meet their
 * connection at. */
#ifndef COMMON_SSH_COMMAND_H
#define COMMON_SSH_COMMAND_H

#include "ssh_address.h"
#include "ssh_process.h"

/* The connection to the host, which sessions share. It stays our child (ControlPersist would send it away) and ends
 * when it is told to. */
int ssh_command_connect(struct ssh_process *process, const struct ssh_address *to, const char *const *options,
                        const char *control);
/* One session of it: what @p fd says goes to the engine, and the other way round. */
int ssh_command_session(struct ssh_process *process, const struct ssh_address *to, const char *const *options,
                        const char *control, int fd);

#endif
