/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery_zookeeper.h"

#include <stdlib.h>
#include <string.h>

#include "kv_store_private.h"
#include "lock_private.h"

static void zk_free(struct zk *zk)
{
    zk_agent_finish(&zk->agent);
    zk_session_finish(&zk->watch);
    kv_place_finish(&zk->place);
    free(zk);
}

static int refuse_place(struct kv_place *place, char **reterr, const char *why)
{
    kv_place_finish(place);
    return why ? discovery_fail(reterr, "%s", why) : -1;
}

static int zk_open(struct discovery *discovery, const char *rest, const struct discovery_options *options,
                   char **reterr)
{
    struct kv_place place = {0};
    if (kv_place_parse(&place, rest, ZK_PORT, options, reterr) != 0)
        return refuse_place(&place, reterr, NULL);
    if (place.tls) /* in the clear is not what was asked for */
        return refuse_place(&place, reterr,
                            "zk:// knows no TLS: leave --discovery-opt kv.cacertfile, kv.certfile and kv.keyfile out");
    struct zk *zk = calloc(1, sizeof *zk);
    if (!zk)
        return refuse_place(&place, reterr, "out of memory");
    *zk = (struct zk){.discovery = discovery, .place = place};
    if (zk_session_init(&zk->watch, &zk->place, ZK_WATCH_SESSION_MS) != 0 ||
        zk_agent_init(&zk->agent, &zk->place, options->ttl_ms) != 0) {
        zk_free(zk);
        return discovery_fail(reterr, "out of memory");
    }
    discovery->state = zk;
    return 0;
}

static void zk_close(struct discovery *discovery)
{
    zk_free(discovery->state);
}

static void zk_stop(struct discovery *discovery)
{
    struct zk *zk = discovery->state;
    zk_session_stop(&zk->watch);
}

const struct discovery_backend discovery_zookeeper = {.name = "zk",
                                                      .lock = &lock_zookeeper,
                                                      .store = &kv_store_zookeeper,
                                                      .open = zk_open,
                                                      .close = zk_close,
                                                      .watch = zk_watch,
                                                      .announce = zk_announce,
                                                      .leave = zk_leave,
                                                      .stop = zk_stop};
