/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of engines behind ssh(1): "ssh://[user@]host[:port][/path/of/its/socket]", as docker's CLI has them. */
#ifndef COMMON_SSH_ADDRESS_H
#define COMMON_SSH_ADDRESS_H

#include <stdbool.h>

struct ssh_address {
    char user[64];  /* "": as ssh's configuration says */
    char host[256]; /* a name, an alias of ssh's configuration, an IPv4 or IPv6 address without brackets */
    char port[8];   /* "": as ssh's configuration says */
    char path[108]; /* of the engine's socket over there, "": where docker looks by default */
};

bool ssh_address_is(const char *text);
/* Take "ssh://…" apart; what a shell or ssh might take for anything else than a name is refused. NULL, or what is wrong
 * with it (constant). */
const char *ssh_address_parse(struct ssh_address *ret, const char *text);

#endif
