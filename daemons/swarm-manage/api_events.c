/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "events.h"
#include "filters.h"
#include "http_server.h"
#include "options.h"
#include "timestamp.h"

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

/* Pass events on until the client leaves, is cut off, or the time asked for is over. */
static int stream_events(struct call *call, struct event_listener *listener, const struct event_query *query)
{
    for (;;) {
        const struct event *event = NULL;
        int r = event_listener_next(listener, &event);

        if (r < 0)
            return -1;
        if (r > 0) {
            bool late = query->until_ns >= 0 && event->time_ns > query->until_ns;

            r = late ? 0 : http_reply_write(call->reply, event->line, event->length);
            event_unref(event);
            if (late)
                return http_reply_end(call->reply);
            if (r < 0)
                return r;
            continue;
        }
        r = time_left_ms(query);
        if (r == 0)
            return http_reply_end(call->reply);
        if (http_reply_wait(call->reply, event_listener_fd(listener), r) < 0)
            return -1;
    }
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
    if (r == 0)
        r = stream_events(call, listener, &query);
    event_listener_free(listener);
    json_decref(query.filters);
    return r;
}
