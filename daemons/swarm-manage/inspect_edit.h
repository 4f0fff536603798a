/* SPDX-License-Identifier: Apache-2.0 */
/* An engine's inspect answer with its node in it. All else stays as the engine wrote it: fields that nobody here knows,
 * their order, numbers of any size. One pass over the text; a pure function. */
#ifndef MANAGE_INSPECT_EDIT_H
#define MANAGE_INSPECT_EDIT_H

#include "bytes.h"

/* Append @p body to @p out with the member Node (@p node: its value as JSON) in front of Name, where classic Swarm has
 * it, in place of any that is there, and with @p engine_ip for each HostIp of NetworkSettings.Ports that means all
 * interfaces. 0, -1 where the body is no JSON object or nested too deeply, or where memory ran out (then *@p
 * ret_no_memory is set). */
int inspect_edit(const char *body, size_t length, const char *node, const char *engine_ip, struct bytes *out,
                 bool *ret_no_memory);

#endif
