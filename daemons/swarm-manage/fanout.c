/* SPDX-License-Identifier: Apache-2.0 */
#include "fanout.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define THREADS_MAX 16

struct round {
    struct engine *const *engines;
    size_t count;
    atomic_size_t next;
    void (*ask)(void *data, struct engine *engine, size_t index);
    void *data;
};

static void *work(void *data)
{
    struct round *round = data;
    size_t index;

    while ((index = atomic_fetch_add(&round->next, 1)) < round->count)
        round->ask(round->data, round->engines[index], index);
    return NULL;
}

void fanout(struct engine *const *engines, size_t count, void (*ask)(void *data, struct engine *engine, size_t index),
            void *data)
{
    struct round round = {.engines = engines, .count = count, .ask = ask, .data = data};
    pthread_t threads[THREADS_MAX];
    size_t started = 0;

    atomic_init(&round.next, 0);
    /* This thread takes its share, so that it goes on, slower, where no other can be started. */
    while (started + 1 < count && started < THREADS_MAX && pthread_create(&threads[started], NULL, work, &round) == 0)
        started++;
    work(&round);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

void fanout_release(struct engine **engines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        engine_unref(engines[i]);
    free(engines);
}
