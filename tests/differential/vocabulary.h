/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps are about: few words, so that they meet. */
#ifndef TESTS_DIFFERENTIAL_VOCABULARY_H
#define TESTS_DIFFERENTIAL_VOCABULARY_H

#include "world.h"

const char *any_node_id(struct world *world);
const char *any_node_name(struct world *world);
const char *any_container_id(struct world *world);
const char *any_swarm_id(struct world *world);
/* Of a container; @p alias: also such as only links give. */
const char *any_name(struct world *world, bool alias);
/* Something that may refer to a container. */
const char *any_reference(struct world *world);
void any_node_labels(struct world *world, struct oracle_pairs *ret);
void any_images(struct world *world, struct oracle_node *node);
/* Names that any_resources() gives; ends with NULL. */
extern const char *const resource_names[];
void any_resources(struct world *world, struct oracle_amounts *ret);
void any_bound_ports(struct world *world, struct oracle_ports *ret);
/* Good and flawed ones. */
const char *any_affinity(struct world *world);
void any_request(struct world *world, struct oracle_request *ret);

#endif
