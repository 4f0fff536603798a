/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on one cluster in any order, with memory that runs out on the way, next to the oracle: the input's bytes are
 * the choices of tests/differential. A call that lacks memory says so, changes nothing, and works the next time; all
 * answers are the oracle's. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "world.h"

#define MOST_STEPS 200

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next bytes, then noughts. */
struct input {
    const uint8_t *at;
    size_t left;
};

static unsigned draw(void *data, unsigned below)
{
    struct input *input = data;
    unsigned value = 0;
    for (unsigned range = 1; range < below && input->left > 0; range *= 256) {
        value = value * 256 + *input->at++;
        input->left--;
    }
    return value % below;
}

/* Of the allocations that the calls of a step make, one fails, or one and all after it. */
static struct {
    bool armed;  /* a call is under way */
    bool wanted; /* one is to fail yet */
    bool sticky;
    bool failing; /* this call has had one */
    unsigned left;
} heap;

static void *failing_realloc(void *memory, size_t size)
{
    if (size == 0) {
        free(memory);
        return NULL;
    }
    if (heap.armed && heap.failing && heap.sticky)
        return NULL;
    if (heap.armed && heap.wanted && heap.left-- == 0) {
        heap.wanted = false;
        heap.failing = true;
        return NULL;
    }
    return realloc(memory, size);
}

static void arm(void *data)
{
    heap.armed = true;
    heap.failing = false;
}

static bool disarm(void *data)
{
    heap.armed = false;
    return heap.failing;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    swarm__mem_hook = failing_realloc;
    json_set_alloc_funcs(swarm__malloc, swarm__free);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    struct input input = {data, size};
    const struct world_ops ops = {draw, arm, disarm, &input};
    memset(&heap, 0, sizeof(heap));
    world_init(&world, &ops);
    for (int i = 0; i < MOST_STEPS && input.left > 0 && !world.differs; i++) {
        unsigned choice = draw(&input, 256);
        heap.wanted = choice >= 128;
        heap.sticky = choice & 64;
        heap.left = choice & 63;
        world_step(&world);
    }
    world_finish(&world);
    if (world.differs) {
        fprintf(stderr, "%s\n", world.difference);
        abort();
    }
    return 0;
}
