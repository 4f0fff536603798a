/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cluster such as a large user has, made only through the public API: machines of four sizes in racks and zones, each
 * with its images, and containers of many services, each with its own request, name, swarm id and labels. The same
 * sizes always make the same cluster.
 */
#ifndef TESTS_BENCH_POOL_H
#define TESTS_BENCH_POOL_H

#include <stddef.h>

#include <swarm/swarm.h>

struct pool {
    struct swarm_cluster *cluster;
    size_t nodes;
    size_t containers;        /**< In all. */
    size_t node_bytes;        /**< What the nodes took of the heap, in all; 0 where the heap does not tell. */
    size_t container_bytes;   /**< What the containers took, in all. */
    size_t container_strings; /**< What of it is the containers' own texts: ids, names, images, labels, ports. */
};

/** Every function ends the program where the library reports an error: it is not expected to. */
void pool_init(struct pool *pool, size_t nodes, size_t containers_each);
void pool_free(struct pool *pool);

/** End the program with the error's message unless the code is 0. */
void must(int code, struct swarm_error *error);
/** 64 hexadecimal digits that differ from those of every other number, as engines name containers. */
#define POOL_ID_LENGTH 64
void pool_id(char id[POOL_ID_LENGTH + 1], size_t number);

/** What a container takes, about, to tell beforehand whether so many fit into memory. */
#define POOL_CONTAINER_BYTES_GUESS 1000

#endif
