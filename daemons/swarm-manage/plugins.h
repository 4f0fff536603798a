/* SPDX-License-Identifier: Apache-2.0 */
/* Shared objects with filters and strategies (--plugin). */
#ifndef MANAGE_PLUGINS_H
#define MANAGE_PLUGINS_H

#include <stddef.h>

#include <swarm/plugin.h>

/* Where FILE ends in "FILE.so" or "FILE.so:ARGUMENTS"; *ret_arguments is "" where there are none. */
size_t plugin_split(const char *text, const char **ret_arguments);

/* Load each of a NULL-ended list (NULL: an empty one) into a new registry: 0, or -1 with *reterr new text that names
 * the plugin. They stay loaded until the process ends. */
int plugins_load(struct swarm_registry **ret_registry, const char *const *list, char **reterr);

#endif
