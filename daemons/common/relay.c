/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of an exchange: both directions take turns without waiting, and when neither can go on, poll() waits for
 * client, engine, and the server's end. */
#include "relay.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay_internal.h"

int relay_client_gone(struct relay *relay)
{
    relay->outcome->client_gone = true;
    return RELAY_OVER;
}

/* Nothing more comes from the engine. What the client has not got yet it gets, unless it got nothing so far. */
static int end_broken(struct relay *relay)
{
    relay->upload = UPLOAD_ENDED;
    relay->download = DOWNLOAD_ENDED;
    relay->engine.ended = true;
    relay->engine.send_blocked = false;
    bytes_consume(&relay->to_engine, bytes_length(&relay->to_engine));
    return relay->outcome->answered && bytes_length(&relay->to_client) > 0 ? RELAY_MOVED : RELAY_OVER;
}

int relay_fail(struct relay *relay, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(relay->outcome->error, sizeof relay->outcome->error, format, arguments);
    va_end(arguments);
    return end_broken(relay);
}

int relay_fail_stream(struct relay *relay, const char *doing, ssize_t result)
{
    char *text = stream_error_text(relay->engine.stream, result);
    int step = relay_fail(relay, "%s: %s", doing, text ? text : "failed");
    free(text);
    return step;
}

int relay_out_of_memory(struct relay *relay)
{
    snprintf(relay->outcome->error, sizeof relay->outcome->error, "out of memory");
    end_broken(relay);
    return RELAY_OVER;
}

int relay_append(struct bytes *out, const char *data, size_t length, bool chunked)
{
    if (!chunked)
        return bytes_append(out, data, length);
    if (bytes_reserve(out, length + 32) < 0 || bytes_printf(out, "%zx\r\n", length) < 0 ||
        bytes_append(out, data, length) < 0)
        return -1;
    return bytes_append(out, "\r\n", 2);
}

int relay_flush(struct relay_side *side, struct bytes *out, ssize_t *ret_error)
{
    int moved = RELAY_IDLE;
    while (bytes_length(out) > 0 && !side->send_blocked) {
        ssize_t sent = stream_send(side->stream, bytes_at(out), bytes_length(out));
        if (sent == STREAM_AGAIN) {
            side->send_blocked = true;
        } else if (sent <= 0) {
            *ret_error = sent;
            return RELAY_OVER;
        } else {
            bytes_consume(out, (size_t)sent);
            moved = RELAY_MOVED;
        }
    }
    return moved;
}

ssize_t relay_receive(struct relay_side *side, struct bytes *in)
{
    if (side->recv_blocked)
        return STREAM_AGAIN;
    if (bytes_length(in) >= RELAY_BUFFER)
        return STREAM_AGAIN;
    bool small = !side->busy && bytes_length(in) < RELAY_FIRST;
    size_t room = (small ? RELAY_FIRST : RELAY_BUFFER) - bytes_length(in);
    if (bytes_reserve(in, room) < 0)
        return -ENOMEM;
    ssize_t got = stream_recv(side->stream, in->data + in->end, room);
    if (got > 0)
        in->end += (size_t)got;
    side->busy = side->busy || got == (ssize_t)room;
    side->recv_blocked = got == STREAM_AGAIN;
    side->ended = got == 0;
    return got;
}

static bool is_over(const struct relay *relay)
{
    if (relay->download != DOWNLOAD_ENDED)
        return false;
    if (bytes_length(&relay->to_client) > 0)
        return false;
    return !relay->hijacked || relay->upload == UPLOAD_ENDED;
}

/* Whether a FIN of the client is news. Not while its request is still to be read, where it is read as the end; nor
 * where a hijack may follow, and with it a half-close; and unix sockets tell a full close by POLLHUP. */
static bool watches_fin(const struct relay *relay)
{
    bool to_be_read = !relay->own_body && !relay->request->body.done && relay->upload != UPLOAD_ENDED;
    if (relay->hijacked || relay->client_fin || relay->client.stream->is_unix || to_be_read)
        return false;
    return !(relay->options->may_hijack && relay->download == DOWNLOAD_HEAD);
}

static short events_of(const struct relay_side *side, bool wants_recv)
{
    short events = 0;
    if (wants_recv && side->recv_blocked)
        events |= stream_recv_events(side->stream);
    if (side->send_blocked)
        events |= stream_send_events(side->stream);
    return events;
}

static int sooner(int left, struct deadline deadline)
{
    int other = deadline_left(deadline);
    return left < 0 || (other >= 0 && other < left) ? other : left;
}

/* Whether the client is to go on with its request's body. */
static bool waits_for_body(const struct relay *relay)
{
    return relay->upload == UPLOAD_BODY && relay_wants_client(relay) && relay->client.recv_blocked;
}

/* The soonest of the deadlines that apply, as poll() takes it. */
static int time_left(const struct relay *relay)
{
    int left = -1;
    if (relay->download == DOWNLOAD_HEAD)
        left = sooner(left, relay->answer_until);
    if (relay->download != DOWNLOAD_ENDED)
        left = sooner(left, relay->ask_at);
    if (waits_for_body(relay))
        left = sooner(left, relay->body_until);
    if (relay->client_fin)
        left = sooner(left, relay->client_until);
    if (relay->hijacked && relay->download == DOWNLOAD_ENDED)
        left = sooner(left, relay->finish_until);
    return left;
}

static int note_client_events(struct relay *relay, short events)
{
    if (events == 0)
        return RELAY_MOVED;
    relay->client.recv_blocked = relay->client.send_blocked = false;
    if (events & (POLLERR | POLLHUP | POLLNVAL)) {
        /* In a hijack, what it sent before is still to be passed on. */
        relay->client_hung_up = true;
        if (!relay->hijacked)
            return relay_client_gone(relay);
    }
    if ((events & POLLRDHUP) && watches_fin(relay)) {
        /* Over TLS a half-close is close_notify; a FIN is the end. On plain TCP the client may still be reading, which
         * shows when something is sent to it. */
        if (relay->client.stream->ssl)
            return relay_client_gone(relay);
        relay->client_fin = true;
        relay->client_until = deadline_after(RELAY_FIN_TIME_MS);
    }
    return RELAY_MOVED;
}

/* Whether the answer's head, or the rest of an answer that has fallen silent, is still worth waiting for. */
static int ask(struct relay *relay)
{
    const struct relay_options *options = relay->options;
    bool begun = relay->download != DOWNLOAD_HEAD;
    if (relay->download == DOWNLOAD_ENDED || deadline_left(relay->ask_at) != 0)
        return RELAY_MOVED;
    char *why = begun && relay->heard && !options->ask_always ? NULL : options->give_up(options->data, begun);
    relay->heard = false;
    relay->ask_at = deadline_after(!begun                    ? RELAY_ASK_TIME_MS
                                   : options->begun_pause_ms ? options->begun_pause_ms
                                                             : RELAY_ASK_BEGUN_TIME_MS);
    if (!why)
        return RELAY_MOVED;
    int step = relay_fail(relay, "%s", why);
    free(why);
    return step;
}

static int note_time(struct relay *relay)
{
    if (relay->hijacked && relay->download == DOWNLOAD_ENDED && deadline_left(relay->finish_until) == 0) {
        relay->upload = UPLOAD_ENDED;
        return RELAY_MOVED;
    }
    if (relay->client_fin && deadline_left(relay->client_until) == 0)
        return relay_client_gone(relay);
    if (waits_for_body(relay) && deadline_left(relay->body_until) == 0) {
        relay->slow_body = relay->request->body_failed = true;
        return relay_client_gone(relay);
    }
    if (relay->download == DOWNLOAD_HEAD && deadline_left(relay->answer_until) == 0)
        return relay_fail(relay, "the engine did not answer within %d s", relay->options->answer_timeout_ms / 1000);
    return RELAY_MOVED;
}

static void free_empty(struct bytes *bytes)
{
    if (bytes_length(bytes) == 0)
        bytes_free(bytes);
}

static void rest(struct relay *relay)
{
    relay->resting = true;
    relay->client.busy = relay->engine.busy = false;
    free_empty(&relay->to_engine);
    free_empty(&relay->to_client);
    free_empty(&relay->from_engine);
    free_empty(&relay->request->connection->in);
}

static int wait_for_events(struct relay *relay)
{
    short engine_events = events_of(&relay->engine, relay_wants_engine(relay));
    short client_events = events_of(&relay->client, relay_wants_client(relay));
    if (watches_fin(relay))
        client_events |= POLLRDHUP;
    struct pollfd fds[3] = {
        {.fd = relay->client_hung_up ? -1 : stream_fd(relay->client.stream), .events = client_events},
        {.fd = engine_events ? stream_fd(relay->engine.stream) : -1, .events = engine_events},
        {.fd = relay->request->connection->server->cut_fd, .events = POLLIN},
    };
    if (waits_for_body(relay) && relay->body_until.at_ms < 0)
        relay->body_until = deadline_after(relay->request->connection->server->options.body_timeout_ms);
    int left = time_left(relay);
    if (!relay->resting && (left < 0 || left > RELAY_REST_TIME_MS))
        left = RELAY_REST_TIME_MS;
    int ready = poll(fds, 3, left);
    if (ready < 0)
        return errno == EINTR ? RELAY_MOVED : relay_out_of_memory(relay);
    if (ready > 0)
        relay->resting = false;
    else if (left == RELAY_REST_TIME_MS)
        rest(relay);
    if (ask(relay) == RELAY_OVER)
        return RELAY_OVER;
    if (ready == 0)
        return note_time(relay);
    if (fds[2].revents)
        return relay_client_gone(relay);
    if (fds[1].revents)
        relay->engine.recv_blocked = relay->engine.send_blocked = false;
    return note_client_events(relay, fds[0].revents);
}

static void run(struct relay *relay)
{
    int step = RELAY_MOVED;
    while (step != RELAY_OVER && !is_over(relay)) {
        int up = relay_upload_step(relay);
        int down = up == RELAY_OVER ? RELAY_OVER : relay_download_step(relay);
        if (down == RELAY_OVER || is_over(relay))
            return;
        if (relay->client_hung_up && relay->upload == UPLOAD_ENDED) {
            relay_client_gone(relay);
            return;
        }
        if (up == RELAY_MOVED && relay->hijacked && relay->download == DOWNLOAD_ENDED)
            relay->finish_until = deadline_after(RELAY_FINISH_TIME_MS);
        if (up == RELAY_IDLE && down == RELAY_IDLE)
            step = wait_for_events(relay);
    }
}

/* The engine has all of the request. A quick answer can be complete before the upload's last turn, in which nothing
 * would have been sent any more. */
static bool is_all_sent(const struct relay *relay)
{
    if (bytes_length(&relay->to_engine) > 0 || relay->upload == UPLOAD_ENDED)
        return false;
    if (relay->upload == UPLOAD_DONE)
        return true;
    return !relay->chunked && (relay->own_body ? relay->body_left == 0 : relay->request->body.done);
}

static bool is_reusable(const struct relay *relay)
{
    return !relay->hijacked && relay->answer_keep_alive && relay->answer.framing != HTTP_BODY_UNTIL_CLOSE &&
           is_all_sent(relay) && !relay->engine.ended && bytes_length(&relay->from_engine) == 0;
}

/* Leave the reply in the state that the server goes on from. */
static int conclude(struct relay *relay)
{
    struct relay_outcome *outcome = relay->outcome;
    struct http_connection *connection = relay->request->connection;
    bool failed = outcome->error[0] != '\0' || outcome->client_gone;
    outcome->reusable = !failed && is_reusable(relay);
    if (!outcome->answered && bytes_length(&relay->to_client) > 0) {
        /* A 100 Continue that was not taken at once. */
        if (stream_send_all(connection->stream, bytes_at(&relay->to_client), bytes_length(&relay->to_client),
                            connection->server->options.body_timeout_ms) < 0)
            outcome->client_gone = failed = true;
    }
    if (relay->bad_body && !outcome->answered) {
        http_reply_error(relay->reply, 400, "the request's body is not framed properly");
        outcome->answered = true;
    } else if (relay->slow_body && !outcome->answered) {
        http_reply_error(relay->reply, 408, "the request's body took too long");
        outcome->answered = true;
    } else if (outcome->client_gone) {
        connection->cut = true;
    } else if (!failed && !relay->options->capture) {
        relay->reply->state = HTTP_REPLY_ENDED;
        /* Not one that has been silent for all the time that it was given. */
        connection->talks = relay->hijacked && !relay->client.ended && deadline_left(relay->finish_until) > 0;
    }
    return failed ? -1 : 0;
}

static int give_captured(struct relay *relay)
{
    struct bytes *captured = &relay->captured;
    if (bytes_append(captured, "", 1) < 0) {
        relay_out_of_memory(relay);
        return -1;
    }
    /* begin is 0: nothing was ever consumed. */
    *relay->options->capture = captured->data;
    *relay->options->capture_length = captured->end - 1;
    captured->data = NULL;
    return 0;
}

static void init(struct relay *relay)
{
    struct http_request *request = relay->request;
    relay->client.stream = request->connection->stream;
    relay->to_engine.pages = relay->to_client.pages = relay->from_engine.pages = true;
    relay->engine.recv_blocked = !stream_pending(relay->engine.stream); /* not asked yet, it has nothing to say */
    relay->own_body = relay->options->body || request->whole_read;
    if (relay->options->body) {
        relay->body = relay->options->body;
        relay->body_left = relay->options->body_length;
    } else if (request->whole_read) {
        relay->body = bytes_at(&request->whole);
        relay->body_left = bytes_length(&request->whole);
    }
    relay->answer_until =
        deadline_after(relay->options->answer_timeout_ms > 0 ? relay->options->answer_timeout_ms : -1);
    relay->ask_at = deadline_after(relay->options->give_up ? RELAY_ASK_TIME_MS : -1);
    relay->body_until = deadline_after(-1);
    relay->outcome->body_touched = request->body_touched && !relay->own_body;
}

int relay_exchange(struct http_request *request, struct http_reply *reply, struct stream *engine,
                   const struct relay_options *options, struct relay_outcome *outcome)
{
    struct relay relay = {.request = request, .reply = reply, .options = options, .outcome = outcome};
    memset(outcome, 0, sizeof *outcome);
    relay.engine.stream = engine;
    init(&relay);
    if (relay_write_request(&relay) == 0)
        run(&relay);
    int result = conclude(&relay);
    if (result == 0 && options->capture)
        result = give_captured(&relay);
    bytes_free(&relay.to_engine);
    bytes_free(&relay.to_client);
    bytes_free(&relay.from_engine);
    bytes_free(&relay.captured);
    return result;
}
