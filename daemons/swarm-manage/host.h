/* SPDX-License-Identifier: Apache-2.0 */
/* The machine that the manager runs on, in Docker's words. */
#ifndef MANAGE_HOST_H
#define MANAGE_HOST_H

struct host {
    char name[256];
    char kernel[128]; /* "<unknown>" where it cannot be told */
    char arch[64];    /* as Go calls it: "amd64", "arm64" */
};
void host_read(struct host *ret);

#endif
