/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says of this process. */
#ifndef MANAGE_PROCESS_H
#define MANAGE_PROCESS_H

#include <stdint.h>

struct process {
    double cpu_seconds; /* user and system time so far */
    double start_s;     /* Unix time */
    int64_t resident_bytes, virtual_bytes;
    int64_t heap_used, heap_free; /* bytes that malloc() has given out, and that it keeps */
    int64_t threads;
    int64_t open_fds, max_fds; /* max_fds: -1 where there is no limit */
};
/* What cannot be read is 0. */
void process_read(struct process *ret);

/* Where malloc() keeps much that is not in use, let the system have it. From time to time: what a burst took (events of
 * every engine, `system df` of thousands) would stay for good otherwise. */
void process_give_back(void);

#endif
