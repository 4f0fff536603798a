/* SPDX-License-Identifier: Apache-2.0 */
/* Which networks a container is on, and which volumes it has: what lists of networks and volumes tell of containers,
 * and what a new container's volumes are looked for in. */
#ifndef MANAGE_CONTAINER_USES_H
#define MANAGE_CONTAINER_USES_H

#include <stdbool.h>
#include <stddef.h>

#include "json_scan.h"

/* The networks lie in the entry that is kept anyway. */
struct container_uses {
    const char *networks; /* the object of all endpoints by name, as JSON; borrowed from the entry; no length: none */
    unsigned networks_length;
    unsigned volume_count;
    char **volumes; /* names; they lie behind the array */
};

struct container_entry;

/* From the container's list entry and the Mounts there. The entry stays for as long as the uses do. 0, or -1 for lack
 * of memory. */
int container_uses_read(struct container_uses *uses, const struct container_entry *entry, struct json_span mounts);
void container_uses_clear(struct container_uses *uses);
/* Whether it runs on that network, which is an id. */
bool container_uses_network(const struct container_uses *uses, const char *network);
/* The same as the member of that network's Containers, `"<container id>":{…}`: new text; NULL: it does not, or for lack
 * of memory. */
char *container_uses_endpoint(const struct container_uses *uses, const char *network, const char *id, const char *name);
bool container_uses_volume(const struct container_uses *uses, const char *volume);

#endif
