/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of a replica's to the primary. What one request leaves is used by those that follow at once, as clients'
 * do: with TLS a new one costs many times what the request does. None is kept for longer than a dial to one who does not
 * answer takes: what is sent to a primary that has just vanished is lost, while a request that gets no connection waits
 * for the next primary. */
#ifndef MANAGE_PRIMARY_LINK_H
#define MANAGE_PRIMARY_LINK_H

#include <stdbool.h>

#include "stream.h"

struct primary_links;

/* 0, or -1 for lack of memory. */
int primary_links_new(struct primary_links **ret);
void primary_links_free(struct primary_links *links);

/* Any thread. */
/* A connection to @p address (@p tls: NULL, in the clear), one that was left there a moment ago (*ret_reused) or a new
 * one. NULL with *reterr new text. */
struct stream *primary_link_dial(struct primary_links *links, const char *address, const struct tls *tls,
                                 bool *ret_reused, char **reterr);
/* Kept, or closed. */
void primary_link_put_back(struct primary_links *links, const char *address, struct stream *stream);

#endif
