/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets, TCP and unix. */
#ifndef COMMON_HTTP_LISTEN_H
#define COMMON_HTTP_LISTEN_H

#include <sys/types.h>

#include "stream.h"

struct listening_socket {
    int fd; /* non-blocking */
    struct address address;
    dev_t device; /* of the unix socket's file, so that only our own is removed */
    ino_t inode;
};

/* Bind @p url and listen. A unix socket's file that nobody listens on any more is replaced. 0, or -1 with new text:
 * "listen tcp 127.0.0.1:2375: bind: address already in use: is Docker already running …". */
int listening_socket_open(struct listening_socket *ret, const char *url, char **reterr);
/* New text: the URL with the port that was bound; NULL for lack of memory. */
char *listening_socket_url(const struct listening_socket *listening);
/* Remove the unix socket's file and close. */
void listening_socket_close(struct listening_socket *listening);

#endif
