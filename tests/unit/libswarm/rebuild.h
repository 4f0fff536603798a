/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_LIBSWARM_REBUILD_H
#define TESTS_UNIT_LIBSWARM_REBUILD_H

#include "fixture.h"

/**
 * A fresh cluster of the same facts (but names that are held), built at once: what is kept up to date
 * step by step must answer as it does. Its nodes are in the same order. Release with swarm_cluster_free().
 */
struct swarm_cluster *rebuilt(const struct swarm_cluster *cluster);

#endif
