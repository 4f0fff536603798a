/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the service manager how we are, as sd_notify(3) describes its protocol: a datagram to $NOTIFY_SOCKET. */
#ifndef COMMON_NOTIFY_H
#define COMMON_NOTIFY_H

/* @p state: "READY=1", "STOPPING=1", lines "NAME=value". Does nothing where nobody wants to know; a failure is only
 * logged. */
void notify(const char *state);

#endif
