/* SPDX-License-Identifier: Apache-2.0 */
/* One stream of bytes for several readers, each at its own pace: a bounded buffer that holds what the slowest has not
 * taken yet. A reader that leaves no longer holds anything back. */
#ifndef MANAGE_FAN_QUEUE_H
#define MANAGE_FAN_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fan_queue {
    char *buffer; /* a ring */
    size_t size;
    uint64_t begin, end; /* of what it holds, counted from the stream's beginning */
    bool ended;          /* nothing comes after that */
    struct fan_reader {
        uint64_t taken;
        bool left;
    } * readers;
    size_t reader_count;
    size_t last_count; /* of those that have taken nothing behind begin */
};

/* -1 for lack of memory. */
int fan_queue_init(struct fan_queue *queue, size_t size, size_t readers);
void fan_queue_finish(struct fan_queue *queue);

/* Append what there is room for of @p bytes; how many those were. */
size_t fan_queue_put(struct fan_queue *queue, const char *bytes, size_t length);
size_t fan_queue_room(const struct fan_queue *queue);
void fan_queue_end(struct fan_queue *queue);

/* The next bytes for that reader, up to @p size; 0 where it has all there is. */
size_t fan_queue_take(struct fan_queue *queue, size_t reader, char *buffer, size_t size);
/* How many those are. */
size_t fan_queue_waiting(const struct fan_queue *queue, size_t reader);
/* True where it is because of that reader that there is no room. */
bool fan_queue_held_by(const struct fan_queue *queue, size_t reader);
void fan_queue_leave(struct fan_queue *queue, size_t reader);

#endif
