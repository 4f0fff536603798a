/* SPDX-License-Identifier: Apache-2.0 */
/* What a manager that is not the primary does with requests: passes them on to it, one by one. */
#ifndef MANAGE_REPLICA_H
#define MANAGE_REPLICA_H

#include "routes.h"

/* How a request is passed on. */
enum replica_kind {
    REPLICA_PLAIN,
    REPLICA_EVENTS, /* what is told is what the primary knows: it ends once another manager is that */
    REPLICA_HIJACK, /* the connection may become a raw stream */
    REPLICA_HTTP2,  /* the client began with HTTP/2 */
};

/* Whether this manager answers by itself, as it is the primary. Where it is not, the request was passed on, or refused
 * after a while in which there was no primary that could be reached: then *ret is what the handler returns. */
bool replica_is_primary(struct call *call, enum replica_kind kind, int *ret);

/* Whose request it is, as stream_peer() names clients: its peer's, or that of the client for whom another manager
 * passes it on. Whoever may be a manager is believed: over TLS with certificates, who has one for servers; else the
 * network is what is trusted. Borrowed as long as the request. */
const char *replica_client(const struct call *call);

#endif
