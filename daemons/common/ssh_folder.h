/* SPDX-License-Identifier: Apache-2.0 */
/* A folder for the sockets of ssh(1), which only this user may enter. It goes with the process, however that ends: a
 * shell waits for the end and takes it away. */
#ifndef COMMON_SSH_FOLDER_H
#define COMMON_SSH_FOLDER_H

#include <sys/types.h>

struct ssh_folder {
    char *path;   /* NULL: none */
    int alive_fd; /* closed by the end of this process, which the keeper sees; -1: no keeper */
    pid_t keeper;
};

/* In the first of the usual places that takes it. 0, or -1 with *reterr new text. */
int ssh_folder_make(struct ssh_folder *folder, char **reterr);
/* Nothing for none. */
void ssh_folder_remove(struct ssh_folder *folder);

#endif
