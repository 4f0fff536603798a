/* SPDX-License-Identifier: Apache-2.0 */
/* A manager with fake engines "node-0", "node-1", … that have been validated, without a monitor. */
#ifndef TEST_FAKE_POOL_H
#define TEST_FAKE_POOL_H

#include "engine_peer.h"
#include "manager.h"
#include "pool.h"

#define POOL_ENGINES_MAX 3

struct fake_pool {
    struct manager manager;
    struct engine_peer *engines[POOL_ENGINES_MAX];
    int count;
};

/* Once a process. */
void fake_pool_global_init(void);
void fake_pool_init(struct fake_pool *pool, int engines);
void fake_pool_finish(struct fake_pool *pool);
/* The pool's engine of that number; NULL once it has left. */
struct engine *fake_pool_engine(struct fake_pool *pool, int number);
/* Its engine is found at another address, where it has no containers; the node is the same. */
void fake_pool_renumber(struct fake_pool *pool, int number);
/* What a monitor would do: take over its list of containers, its only image, its operating system. */
void fake_pool_refresh(struct fake_pool *pool, int number);
void fake_pool_set_images(struct fake_pool *pool, int number, const char *tag);
/* The same, out of a registry: with a digest. */
void fake_pool_set_pulled(struct fake_pool *pool, int number, const char *tag, const char *digest);
void fake_pool_set_os(struct fake_pool *pool, int number, const char *os);
/* The create body of the container of that name, on whichever engine; new reference. */
json_t *fake_pool_body(struct fake_pool *pool, const char *name);

#endif
