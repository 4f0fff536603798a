/* SPDX-License-Identifier: Apache-2.0 */
/* One process of ssh(1), and what it says on its standard error. One thread at a time. */
#ifndef COMMON_SSH_PROCESS_H
#define COMMON_SSH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ssh_process {
    pid_t pid;    /* 0: none */
    int pid_fd;   /* can be read once it has ended */
    int words_fd; /* its standard error, -1 once that has ended */
    size_t length;
    char words[1024]; /* the last of them */
};

/* Run @p argv with @p fd as its standard input and output (-1: /dev/null). It is told to end when the calling thread
 * ends. 0, or a negative errno with no process. */
int ssh_process_start(struct ssh_process *process, char *const *argv, int fd);
/* Take what it has said, without waiting. True once it has ended: *ret_status is its exit status, 128 and the signal's
 * number where one ended it. It is gone then, its words stay. */
bool ssh_process_ended(struct ssh_process *process, int *ret_status);
/* End it at once and wait for that. Nothing for none. */
void ssh_process_kill(struct ssh_process *process);
/* The last two lines that it said, as one without bytes that have no place in a log; "" for none. */
void ssh_process_words(const struct ssh_process *process, char *to, size_t size);

#endif
