/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of the API (one a route, routes.c has the table) and what they share. A handler answers 0 when a reply
 * was made and a negative number to have the connection cut. */
#ifndef MANAGE_API_H
#define MANAGE_API_H

#include <jansson.h>

#include "failure.h"
#include "pool.h"
#include "routes.h"

/* api_system.c, api_info.c */
int api_ping(struct call *call);
int api_version(struct call *call);
int api_info(struct call *call);

/* api_events.c */
int api_events(struct call *call);

/* api_list.c */
int api_containers_list(struct call *call);

/* api_reschedule.c */
/* A container that is to be moved off its node or removed there, and when and why not yet. New. With the pool locked.
 */
json_t *api_waiting_json(const struct swarm_waiting *waiting);
int api_reschedule(struct call *call);
int api_reschedule_release(struct call *call);

/* api_images.c */
int api_images_list(struct call *call);

/* api_image.c */
int api_image_inspect(struct call *call);
int api_image_pass(struct call *call); /* inspect, history */
int api_image_get(struct call *call);
int api_images_get(struct call *call);
int api_image_push(struct call *call);
int api_image_tag(struct call *call);
int api_image_delete(struct call *call);

/* api_image_streams.c */
int api_image_create(struct call *call); /* pull, import */
int api_image_load(struct call *call);

/* api_build.c */
int api_build(struct call *call);
int api_build_cancel(struct call *call);

/* api_buildkit.c */
int api_session(struct call *call);
int api_grpc(struct call *call);
int api_http2(struct call *call); /* a client that begins with HTTP/2: BuildKit's, too */

/* api_registry.c */
int api_image_search(struct call *call);
int api_image_viz(struct call *call);
int api_auth(struct call *call);
int api_distribution(struct call *call);
int api_commit(struct call *call);

/* api_networks.c */
int api_networks_list(struct call *call);
int api_network_inspect(struct call *call);
int api_network_delete(struct call *call);

/* api_network_change.c */
int api_network_create(struct call *call);
int api_network_change(struct call *call); /* connect, disconnect */

/* api_volumes.c */
int api_volumes_list(struct call *call);
int api_volume_inspect(struct call *call);
int api_volume_create(struct call *call);
int api_volume_delete(struct call *call);
int api_volume_update(struct call *call);

/* api_prune.c */
int api_containers_prune(struct call *call);
int api_images_prune(struct call *call);
int api_networks_prune(struct call *call);
int api_volumes_prune(struct call *call);
int api_build_prune(struct call *call);

/* api_df.c */
int api_system_df(struct call *call);

/* api_swarm_mode.c */
int api_swarm_mode(struct call *call);
int api_swarm_mode_change(struct call *call);
int api_plugins_list(struct call *call);
int api_plugin_inspect(struct call *call);
int api_plugins(struct call *call);

/* api_containers.c */
int api_container_create(struct call *call);
int api_container_inspect(struct call *call);
int api_container_start(struct call *call);
int api_container_change(struct call *call); /* stop, kill, restart, pause, unpause, wait */
int api_container_rename(struct call *call);
int api_container_delete(struct call *call);
int api_container_attach(struct call *call);
int api_container_pass(struct call *call); /* whatever else names a container */

/* api_debug.c */
int api_debug_vars(struct call *call);

/* api_container_update.c */
int api_container_update(struct call *call);

/* api_decisions.c */
int api_swarm_nodes(struct call *call);
int api_swarm_decisions(struct call *call);

/* api_metrics.c */
int api_metrics(struct call *call);

/* api_exec.c */
int api_exec_create(struct call *call);
int api_exec_start(struct call *call);
int api_exec_pass(struct call *call); /* inspect, resize */

/* --- shared --- */
/* Answer with @p json, which is taken; NULL (no memory to make it) answers 500. */
int api_reply_json(struct call *call, int status, json_t *json);
/* Answer with the failure and clear it; -1 where it has no status: the client is gone or has its answer. */
int api_reply_failure(struct call *call, struct failure *failure);
/* Read JSON that an engine or a client sent; NULL where it is none. Numbers of 64 bits and NULs in strings survive. */
json_t *api_load_json(const char *text, size_t length);
/* The API version the client speaks: of its path, else our maximum. */
struct api_version api_client_version(const struct call *call);

#endif
