/* SPDX-License-Identifier: Apache-2.0 */
/* What CpuShares mean: whole CPUs, or a weight among an engine's containers. */
#include <string.h>

#include <swarm/cluster.h>
#include <swarm/container.h>
#include <swarm/node.h>
#include <swarm/request_get.h>

#include "codec.h"
#include "error.h"

#define WEIGHT_TEXT "weight"
#define SMALLEST_WEIGHT 128 /* smaller ones are hardly ever meant as weights, whose default is 1024 */

static enum swarm_cpu_shares said_by(const char *label, enum swarm_cpu_shares unsaid)
{
    if (label != NULL && strcmp(label, WEIGHT_TEXT) == 0)
        return SWARM_CPU_SHARES_WEIGHT;
    return label != NULL && strcmp(label, "cpus") == 0 ? SWARM_CPU_SHARES_CPUS : unsaid;
}

enum swarm_cpu_shares swarm__cpu_shares_said(const json_t *config, enum swarm_cpu_shares unsaid)
{
    return said_by(swarm__json_text(json_object_get(config, "Labels"), SWARM__LABEL_CPU_SHARES), unsaid);
}

enum swarm_cpu_shares swarm_cpu_shares_meaning(const struct swarm_cluster *cluster, enum swarm_cpu_shares policy,
                                               int64_t shares)
{
    if (policy != SWARM_CPU_SHARES_AUTO)
        return policy == SWARM_CPU_SHARES_WEIGHT ? SWARM_CPU_SHARES_WEIGHT : SWARM_CPU_SHARES_CPUS;
    if (shares < SMALLEST_WEIGHT)
        return SWARM_CPU_SHARES_CPUS;
    for (const struct swarm_node *node = NULL; (node = swarm_cluster_next_node(cluster, node)) != NULL;)
        if (swarm_node_total_cpus_milli(node) / 1000 >= shares)
            return SWARM_CPU_SHARES_CPUS;
    return SWARM_CPU_SHARES_WEIGHT;
}

int swarm_create_body_settle_cpu_shares(struct swarm_create_body *body, const struct swarm_cluster *cluster,
                                        enum swarm_cpu_shares policy, struct swarm_error **reterr)
{
    struct swarm_request *changed;
    if (body == NULL)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "no body");
    const json_t *host_config = json_object_get(body->root, "HostConfig");
    int64_t shares = json_integer_value(json_object_get(host_config, "CpuShares"));
    if (shares <= 0 || body->weight ||
        swarm_cpu_shares_meaning(cluster, swarm__cpu_shares_said(body->root, policy), shares) == SWARM_CPU_SHARES_CPUS)
        return 0;
    int rc = swarm_request_copy(&changed, body->request, reterr);
    if (rc < 0)
        return rc;
    rc = swarm__codec_read_cpus(changed, host_config, 0, true, reterr);
    if (rc == 0)
        rc = swarm__create_body_put_label(body, changed, SWARM__LABEL_CPU_SHARES, WEIGHT_TEXT, reterr);
    if (rc < 0) {
        swarm_request_unref(changed);
        return rc;
    }
    swarm__create_body_end_edit(body, changed);
    body->weight = true;
    return 0;
}

int64_t swarm_container_cpu_shares(const struct swarm_container *container, const struct swarm_cluster *cluster,
                                   enum swarm_cpu_shares policy, int64_t shares, int engine_cpus)
{
    const char *label = swarm_request_label(swarm_container_request(container), SWARM__LABEL_CPU_SHARES);
    if (shares <= 0 || engine_cpus < 1 ||
        swarm_cpu_shares_meaning(cluster, said_by(label, policy), shares) == SWARM_CPU_SHARES_WEIGHT)
        return shares;
    return swarm__shares_from_cpus(shares, engine_cpus);
}
