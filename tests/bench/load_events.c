/* SPDX-License-Identifier: Apache-2.0 */
/* Events to many listeners, and how late they come. */
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load_client.h"
#include "load_measures.h"
#include "measure.h"

#define LISTENERS_MAX 1000
#define TIMED 4        /* listeners whose events are timed; the others' are counted */
#define BURST_MS 10    /* between bursts */
#define SETTLE_MS 5000 /* longest wait for the last event */

struct listening {
    struct pollfd fds[LISTENERS_MAX];
    char *rest[TIMED];
    size_t rest_length[TIMED];
    char last[LISTENERS_MAX]; /* byte that each has got */
    unsigned count;
    atomic_size_t delivered;
    atomic_bool stop;
    struct samples lags;
};

static int64_t wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* An event has one "timeNano"; a buffer that ends within one is kept. */
static void take_timed(struct listening *listening, unsigned at, const char *data, size_t length)
{
    char *text = listening->rest[at], *from, *mark;
    size_t have = listening->rest_length[at];
    int64_t now = wall_ns();

    text = realloc(text, have + length + 1);
    if (text == NULL)
        load_give_up("out of memory");
    memcpy(text + have, data, length);
    have += length;
    text[have] = '\0';
    from = text;
    while ((mark = memmem(from, have - (size_t)(from - text), "\"timeNano\":", 11)) != NULL &&
           strpbrk(mark + 11, ",}") != NULL) {
        if (listening->lags.count < listening->lags.room)
            samples_add(&listening->lags, (uint64_t)(now - atoll(mark + 11)));
        from = mark + 11;
    }
    have -= (size_t)(from - text);
    memmove(text, from, have);
    listening->rest[at] = text;
    listening->rest_length[at] = have;
}

/* Events end with a brace and a newline, which may come apart: *@p last is what came before. */
static size_t lines_in(const char *data, size_t length, char *last)
{
    size_t count = 0;

    for (const char *at = data; (at = memchr(at, '\n', length - (size_t)(at - data))) != NULL; at++)
        count += (at > data ? at[-1] : *last) == '}';
    *last = data[length - 1];
    return count;
}

static void *listen_all(void *data)
{
    static char buffer[262144];
    struct listening *listening = data;

    while (!listening->stop) {
        if (poll(listening->fds, listening->count, 100) <= 0)
            continue;
        for (unsigned i = 0; i < listening->count; i++) {
            ssize_t length;

            if (listening->fds[i].revents == 0)
                continue;
            length = recv(listening->fds[i].fd, buffer, sizeof(buffer), MSG_DONTWAIT);
            if (length == 0)
                listening->fds[i].fd = -1; /* it ended: what it misses shows in the count */
            if (length <= 0)
                continue;
            listening->delivered += lines_in(buffer, (size_t)length, &listening->last[i]);
            if (i < TIMED)
                take_timed(listening, i, buffer, (size_t)length);
        }
    }
    return NULL;
}

/* Bursts from one engine after the other; how many events were made. */
static size_t make_events(const struct load_world *world, unsigned rate, unsigned seconds)
{
    unsigned of_each = rate * BURST_MS / 1000, bursts = seconds * 1000 / BURST_MS;
    int64_t begin = load_now_ns();
    struct load_client client;
    char control[32], path[64], order[96];
    size_t made = 0;

    load_control(world, 0, control);
    load_client_init(&client, control);
    snprintf(order, sizeof(order), "{\"fault\":\"burst\",\"action\":\"top\",\"count\":%u}", of_each);
    for (unsigned i = 0; i < bursts; i++) {
        int64_t due = begin + (int64_t)i * BURST_MS * 1000000, left = due - load_now_ns();
        unsigned first = world->engines < LOAD_SHARE ? world->engines : LOAD_SHARE;

        if (left > 0)
            nanosleep(&(struct timespec){.tv_nsec = left}, NULL);
        snprintf(path, sizeof(path), "/engines/%u/fault", i % first);
        if (load_call(&client, "POST", path, order, 0).status != 204)
            load_give_up("the fake engines do not answer");
        made += of_each;
    }
    load_client_close(&client);
    return made;
}

void load_events(const struct load_world *world, unsigned listeners, unsigned rate, unsigned seconds,
                 struct load_row *row)
{
    static struct listening listening;
    pthread_t thread;
    size_t made;
    int64_t cpu, begin, end;

    memset(&listening, 0, sizeof(listening));
    listening.count = listeners;
    for (unsigned i = 0; i < listeners; i++)
        listening.fds[i] = (struct pollfd){load_open_stream(world->manager, "/v1.41/events?filters=%7B%22event%22%3A"
                                                                            "%5B%22top%22%5D%7D"),
                                           POLLIN, 0};
    samples_init(&listening.lags, (size_t)rate * seconds * TIMED + 1);
    poll(NULL, 0, 1000); /* all are known there */
    if (pthread_create(&thread, NULL, listen_all, &listening) != 0)
        load_give_up("no thread");
    cpu = load_cpu_ns(world);
    begin = load_now_ns();
    made = make_events(world, rate, seconds);
    end = load_now_ns();
    for (int i = 0; i < SETTLE_MS / 50 && listening.delivered < made * listeners; i++)
        poll(NULL, 0, 50);
    listening.stop = true;
    pthread_join(thread, NULL);
    row->operations = made * listeners;
    row->errors = row->operations - listening.delivered;
    row->wall_ms = (double)(end - begin) / 1e6;
    row->rate = (double)made / row->wall_ms * 1000;
    row->cpu_us = (double)(load_cpu_ns(world) - cpu) / 1000 / (double)row->operations;
    row->p50_ms = (double)samples_percentile(&listening.lags, 50) / 1e6;
    row->p90_ms = (double)samples_percentile(&listening.lags, 90) / 1e6;
    row->p99_ms = (double)samples_percentile(&listening.lags, 99) / 1e6;
    samples_free(&listening.lags);
    for (unsigned i = 0; i < listeners; i++) {
        if (listening.fds[i].fd >= 0)
            close(listening.fds[i].fd);
    }
    for (unsigned i = 0; i < TIMED; i++)
        free(listening.rest[i]);
}
