/* SPDX-License-Identifier: Apache-2.0 */
/* Which networks a container is on, and which volumes it has: what lists of networks and volumes tell of containers,
 * and what a new container's volumes are looked for in. */
#ifndef MANAGE_CONTAINER_USES_H
#define MANAGE_CONTAINER_USES_H

#include <stdbool.h>
#include <stddef.h>

#include "json_scan.h"

struct network_use {
    char *network;  /* id */
    char *endpoint; /* member of that network's Containers, as JSON; NULL: it does not run */
};

struct container_uses {
    struct network_use *networks;
    size_t network_count;
    char **volumes; /* names */
    size_t volume_count;
};

/* From the Networks and Mounts of the container's list entry, its id and its own name as they are there. 0, or -1 for
 * lack of memory. */
int container_uses_read(struct container_uses *uses, struct json_span networks, struct json_span mounts,
                        struct json_span id, struct json_span name);
void container_uses_clear(struct container_uses *uses);
/* The endpoint as above; NULL: it has none there. */
const char *container_uses_endpoint(const struct container_uses *uses, const char *network);
bool container_uses_volume(const struct container_uses *uses, const char *volume);

#endif
