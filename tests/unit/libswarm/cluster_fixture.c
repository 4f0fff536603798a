/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster_fixture.h"

struct swarm_cluster *cluster;
struct swarm_node *nodes[3];

int set_up_cluster(void **state)
{
    cluster = new_cluster();
    return 0;
}

int set_up_nodes(void **state)
{
    static const char *const ids[COUNT(nodes)] = {"n0", "n1", "n2"};
    cluster = new_cluster();
    for (size_t i = 0; i < COUNT(nodes); i++)
        nodes[i] = add_node(cluster, ids[i], ids[i]);
    return 0;
}

int tear_down_cluster(void **state)
{
    swarm_cluster_free(cluster);
    return 0;
}

void check_left(const char *filters, const char *words, const char *expected)
{
    const char *got = left_by(cluster, filters, words);
    if (strcmp(got, expected) != 0)
        fail_msg("%s: %s instead of %s", words, got, expected);
}
