/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "bytes.h"
#include "events.h"
#include "filters.h"
#include "http_server.h"
#include "leader.h"
#include "options.h"
#include "timestamp.h"

#define PAUSE_MS 10
#define BATCH_MAX ((size_t)16 * 1024)

/* "1136073600", "1136073600.000000001": 0, or -1 where it is no such number. */
static int parse_unix_time(const char *text, int64_t *ret_ns)
{
    int64_t seconds = 0, fraction = 0, unit = NS_PER_S;
    const char *at = text;

    for (; *at >= '0' && *at <= '9'; at++) {
        if (seconds > (INT64_MAX / NS_PER_S - 10) / 10)
            return -1;
        seconds = seconds * 10 + (*at - '0');
    }
    if (at == text)
        return -1;
    if (*at == '.') {
        for (at++; *at >= '0' && *at <= '9' && unit > 1; at++) {
            unit /= 10;
            fraction += (*at - '0') * unit;
        }
        at += strspn(at, "0123456789");
    }
    if (*at != '\0')
        return -1;
    *ret_ns = seconds * NS_PER_S + fraction;
    return 0;
}

/* A Unix time, an RFC 3339 time, or a duration back from now. */
static int parse_time(const char *key, const char *text, int64_t *ret_ns, struct failure *failure)
{
    int64_t duration;
    char *error = NULL;

    if (text == NULL || text[0] == '\0' || parse_unix_time(text, ret_ns) == 0 || timestamp_parse(text, ret_ns) == 0)
        return 0;
    if (duration_parse(&duration, text, &error) == 0) {
        if (__builtin_sub_overflow(timestamp_now_ns(), duration, ret_ns))
            *ret_ns = INT64_MAX;
        else if (*ret_ns < 0) /* before 1970 there were no events; a negative time would be none at all */
            *ret_ns = 0;
        return 0;
    }
    free(error);
    return failure_set(failure, 400, "invalid %s: \"%s\" is neither a Unix time, nor an RFC 3339 time, nor a duration",
                       key, text);
}

static int read_query(struct call *call, struct event_query *query, struct failure *failure)
{
    query->since_ns = query->until_ns = -1;
    if (parse_time("since", http_request_query(call->request, "since"), &query->since_ns, failure) < 0 ||
        parse_time("until", http_request_query(call->request, "until"), &query->until_ns, failure) < 0 ||
        filters_parse(&query->filters, http_request_query(call->request, "filters"), failure) < 0)
        return -1;
    return event_query_check(query, failure);
}

/* Milliseconds to wait for the next event: to the end that was asked for, or without one, for ever. */
static int time_left_ms(const struct event_query *query)
{
    int64_t left;

    if (query->until_ns < 0)
        return -1;
    left = (query->until_ns - timestamp_now_ns()) / 1000000 + 1;
    if (left < 0)
        return 0;
    return left > 1000000000 ? 1000000000 : (int)left;
}

/* Of a listener's stream. A lone event goes out at once; those that follow within PAUSE_MS go out together. */
struct batch {
    struct bytes text;
    int64_t sent_ms; /* when something last went out */
};

/* All events that have come, as far as they fit. 1: more may be there; 0: none; -1: cut off; 2: the time asked for is
 * over. */
static int gather(struct batch *batch, struct event_listener *listener, const struct event_query *query)
{
    while (bytes_length(&batch->text) < BATCH_MAX) {
        const struct event *event = NULL;
        int r = event_listener_next(listener, &event);

        if (r <= 0)
            return r;
        if (query->until_ns >= 0 && event->time_ns > query->until_ns) {
            event_unref(event);
            return 2;
        }
        r = bytes_append(&batch->text, event->line, event->length);
        event_unref(event);
        if (r < 0)
            return -1;
    }
    return 1;
}

static int send_batch(struct call *call, struct batch *batch)
{
    int r = 0;

    if (bytes_length(&batch->text) > 0) {
        r = http_reply_write(call->reply, bytes_at(&batch->text), bytes_length(&batch->text));
        bytes_free(&batch->text); /* listeners are many, and mostly wait */
        batch->sent_ms = monotonic_ms();
    }
    return r;
}

/* Wait for events: not for the first one where some have just gone out. 0: the time asked for is over, 1: look again,
 * -1: the client has left. */
static int wait_for_events(struct call *call, const struct batch *batch, struct event_listener *listener,
                           const struct event_query *query)
{
    int64_t pause_ms = batch->sent_ms + PAUSE_MS - monotonic_ms();
    int left_ms = time_left_ms(query), r;

    if (left_ms == 0)
        return 0;
    if (batch->sent_ms != 0 && pause_ms > 0) {
        r = http_reply_wait(call->reply, -1, left_ms < 0 || pause_ms < left_ms ? (int)pause_ms : left_ms);
        return r < 0 ? -1 : 1;
    }
    return http_reply_wait(call->reply, event_listener_fd(listener), left_ms) < 0 ? -1 : 1;
}

/* Pass events on until the client leaves, is cut off, or the time asked for is over. */
static int stream_events(struct call *call, struct event_listener *listener, const struct event_query *query)
{
    struct batch batch = {0};
    int more = 1, r = 0;

    while (r == 0) {
        more = gather(&batch, listener, query);
        r = send_batch(call, &batch);
        if (r == 0 && more == 0) {
            more = wait_for_events(call, &batch, listener, query);
            more = more == 0 ? 2 : more;
        }
        if (more == 2 || more < 0)
            break;
    }
    bytes_free(&batch.text);
    if (r < 0 || more < 0)
        return -1;
    return http_reply_end(call->reply);
}

int api_events(struct call *call)
{
    struct event_query query = {0};
    struct event_listener *listener = NULL;
    struct failure failure = {0};
    int r;

    if (read_query(call, &query, &failure) < 0) {
        json_decref(query.filters);
        return api_reply_failure(call, &failure);
    }
    if (event_listener_new(&listener, call->manager->events, &query) < 0) {
        json_decref(query.filters);
        return http_reply_error(call->reply, 500, "out of memory");
    }
    r = http_reply_begin(call->reply, 200, "application/json");
    /* Another primary that became known before there was a listener to be cut off. */
    if (r == 0 && leader_is_another(call->manager->leader))
        r = -1;
    if (r == 0)
        r = stream_events(call, listener, &query);
    event_listener_free(listener);
    json_decref(query.filters);
    return r;
}
