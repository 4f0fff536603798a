/* SPDX-License-Identifier: Apache-2.0 */
/* An engine that takes the body of one request after another, of any length, and tells what came: one connection at a
 * time, on a thread of its own. */
#ifndef TEST_SINK_H
#define TEST_SINK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sink {
    char address[32];
    const char *answer;  /* what it says once it has the whole body: head and body */
    atomic_bool frozen;  /* takes nothing */
    atomic_size_t taken; /* bytes of the last body */
    atomic_uint_fast64_t hash;
    atomic_bool whole; /* it ended as it should */
    atomic_bool ended; /* the last connection did */
    int listener, wake[2];
    pthread_t thread;
};

void sink_start(struct sink *sink, const char *answer);
void sink_stop(struct sink *sink);
/* Of bytes, continued. */
uint64_t sink_hash(uint64_t hash, const char *bytes, size_t length);

#endif
