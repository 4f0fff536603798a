/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_LIBSWARM_FIXTURE_H
#define TESTS_UNIT_LIBSWARM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <swarm/ops.h>
#include <swarm/swarm.h>

/* Short words for clusters and requests; each asserts that it worked. */

#define GIB (INT64_C(1) << 30)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct swarm_cluster *new_cluster(void);
struct swarm_node *add_node(struct swarm_cluster *cluster, const char *id, const char *name);
struct swarm_node *add_sized_node(struct swarm_cluster *cluster, const char *id, int64_t cpus, int64_t memory_gib);
/** "region=eu group=1" */
void label_node(struct swarm_node *node, const char *labels);
/** One image with references "a:1 b:2". */
void add_image_to(struct swarm_node *node, const char *id, const char *references);

/**
 * A request of words: "name=web cpus=1 memory=2 (GiB) resource=gpu:2 label=k=v constraint=… affinity=… whitelist=…
 * port=127.0.0.1:80 expose=80/tcp net=host volumes=db:ro link=db:alias swarmid=…". Expressions must be good ones.
 */
struct swarm_request *request_of(const char *words);
/** A container of such a request on a node. */
struct swarm_container *add_container(struct swarm_node *node, const char *id, const char *words);
/** A place taken for such a request on a node. */
struct swarm_reservation *take_place(struct swarm_node *node, const char *words);

struct swarm_scheduler *new_scheduler(const char *strategy, const char *filters);

/**
 * The ids of the nodes that the filters (such as "constraint" or "health port") leave, "a b c", or the error's text
 * behind "error: ". Valid until the next call.
 */
const char *left_by(const struct swarm_cluster *cluster, const char *filters, const char *words);
/** The chosen node's id, or the error's text behind "error: ". Valid until the next call. */
const char *planned(const struct swarm_cluster *cluster, const char *strategy, const char *words, uint64_t seed);
/** Place and commit under that id; the chosen node's id, or the error's text behind "error: ". */
const char *placed(struct swarm_cluster *cluster, const char *strategy, const char *id, const char *words);
/** What a reference is found to be: the container's id, or the error's text behind "error: ". */
const char *looked_up(const struct swarm_cluster *cluster, const char *reference);

/** Everything that decisions can see, as text, to compare states. New, release with free(). */
char *state_of(const struct swarm_cluster *cluster);

#endif
