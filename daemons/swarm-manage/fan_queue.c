/* SPDX-License-Identifier: Apache-2.0 */
#include "fan_queue.h"

#include <stdlib.h>
#include <string.h>

int fan_queue_init(struct fan_queue *queue, size_t size, size_t readers)
{
    memset(queue, 0, sizeof(*queue));
    queue->buffer = malloc(size);
    queue->readers = calloc(readers + 1, sizeof(queue->readers[0]));
    if (queue->buffer == NULL || queue->readers == NULL) {
        fan_queue_finish(queue);
        return -1;
    }
    queue->size = size;
    queue->reader_count = queue->last_count = readers;
    return 0;
}

void fan_queue_finish(struct fan_queue *queue)
{
    free(queue->buffer);
    free(queue->readers);
    memset(queue, 0, sizeof(*queue));
}

/* Where that byte of the stream is in the ring, and how many follow it in one piece. */
static char *place(const struct fan_queue *queue, uint64_t position, size_t *ret_length)
{
    size_t offset = (size_t)(position % queue->size);

    *ret_length = queue->size - offset;
    return queue->buffer + offset;
}

size_t fan_queue_room(const struct fan_queue *queue)
{
    return queue->size - (size_t)(queue->end - queue->begin);
}

size_t fan_queue_put(struct fan_queue *queue, const char *bytes, size_t length)
{
    size_t done = 0, room = fan_queue_room(queue);

    if (length > room)
        length = room;
    while (done < length) {
        size_t piece;
        char *at = place(queue, queue->end, &piece);

        if (piece > length - done)
            piece = length - done;
        memcpy(at, bytes + done, piece);
        queue->end += piece;
        done += piece;
    }
    return done;
}

void fan_queue_end(struct fan_queue *queue)
{
    queue->ended = true;
}

/* One of the last has moved or left. When no other is there any more, what all have taken is no longer kept. */
static void move_on(struct fan_queue *queue)
{
    uint64_t least = queue->end;

    if (--queue->last_count > 0)
        return;
    for (size_t i = 0; i < queue->reader_count; i++) {
        if (!queue->readers[i].left && queue->readers[i].taken < least)
            least = queue->readers[i].taken;
    }
    queue->begin = least;
    for (size_t i = 0; i < queue->reader_count; i++)
        queue->last_count += !queue->readers[i].left && queue->readers[i].taken == least;
}

size_t fan_queue_waiting(const struct fan_queue *queue, size_t reader)
{
    return (size_t)(queue->end - queue->readers[reader].taken);
}

size_t fan_queue_take(struct fan_queue *queue, size_t reader, char *buffer, size_t size)
{
    struct fan_reader *at = &queue->readers[reader];
    size_t done = 0, waiting = fan_queue_waiting(queue, reader);
    bool was_last = at->taken == queue->begin;

    if (at->left)
        return 0;
    if (size > waiting)
        size = waiting;
    while (done < size) {
        size_t piece;
        const char *from = place(queue, at->taken, &piece);

        if (piece > size - done)
            piece = size - done;
        memcpy(buffer + done, from, piece);
        at->taken += piece;
        done += piece;
    }
    if (was_last && done > 0)
        move_on(queue);
    return done;
}

bool fan_queue_held_by(const struct fan_queue *queue, size_t reader)
{
    return !queue->readers[reader].left && fan_queue_room(queue) == 0 && queue->readers[reader].taken == queue->begin;
}

void fan_queue_leave(struct fan_queue *queue, size_t reader)
{
    struct fan_reader *at = &queue->readers[reader];
    bool was_last = !at->left && at->taken == queue->begin;

    at->left = true;
    if (was_last)
        move_on(queue);
}
