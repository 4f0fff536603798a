/* SPDX-License-Identifier: Apache-2.0 */
/* zk:// in a build without ZooKeeper's client library. */
#include "discovery_private.h"

static int refuse(struct discovery *discovery, const char *rest, const struct discovery_options *options, char **reterr)
{
    return discovery_fail(reterr, "discovery service not supported: this build lacks zk://, as libzookeeper-mt was not "
                                  "there or -Dzookeeper=disabled was set when it was made");
}

const struct discovery_backend discovery_zookeeper = {.name = "zk", .open = refuse};
