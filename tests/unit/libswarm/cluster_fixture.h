/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that each want a fresh cluster. */
#ifndef TESTS_UNIT_LIBSWARM_CLUSTER_FIXTURE_H
#define TESTS_UNIT_LIBSWARM_CLUSTER_FIXTURE_H

#include "fixture.h"

extern struct swarm_cluster *cluster;
/** "n0", "n1", "n2", where set_up_nodes() has made them. */
extern struct swarm_node *nodes[3];

/** Empty. */
int set_up_cluster(void **state);
/** With the nodes. */
int set_up_nodes(void **state);
int tear_down_cluster(void **state);

/** Assert what left_by() says of the cluster. */
void check_left(const char *filters, const char *words, const char *expected);
/** The beginning of its text where no node is left; the filters' demands follow. */
#define NONE "error: Unable to find a node that satisfies the following conditions \n"

#endif
