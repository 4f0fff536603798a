/* SPDX-License-Identifier: Apache-2.0 */
/* Engine to client: the answer's head read and made anew, its body, and after a hijack raw bytes. */
#include <errno.h>
#include <string.h>

#include "relay_internal.h"

#define INTERIM_MAX 16

static bool is_dropped(const struct relay *relay, struct slice name)
{
    const char *const *drop = relay->options->drop_headers;
    for (; drop && *drop; drop++)
        if (slice_is_nocase(name, *drop))
            return true;
    return http_reply_has_header(relay->reply, name);
}

static int append_headers(struct relay *relay, const struct http_head *head)
{
    for (size_t i = 0; i < head->header_count; i++) {
        const struct http_header *header = &head->headers[i];
        if (relay_is_hop_header(head, header->name) || is_dropped(relay, header->name))
            continue;
        if (http_append_header(&relay->to_client, header->name, header->value) < 0)
            return -1;
    }
    return 0;
}

static bool client_sent_head(const struct relay *relay)
{
    return slice_is(relay->request->head.method, "HEAD");
}

/* How the answer's body reaches the client. */
static enum http_framing framing_for_client(const struct relay *relay, const struct http_head *head,
                                            uint64_t *ret_length)
{
    *ret_length = head->content_length > 0 ? (uint64_t)head->content_length : 0;
    if (!http_status_has_body(head->status))
        return HTTP_BODY_NONE;
    if (client_sent_head(relay))
        return head->content_length >= 0 ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
    if (relay->answer.framing == HTTP_BODY_NONE) {
        *ret_length = 0;
        return HTTP_BODY_LENGTH;
    }
    return relay->answer.framing == HTTP_BODY_LENGTH ? HTTP_BODY_LENGTH : http_reply_stream_framing(relay->reply);
}

static int pass_head(struct relay *relay, const struct http_head *head)
{
    uint64_t length;
    enum http_framing framing = framing_for_client(relay, head, &length);
    /* After an attempt to hijack, clients do not expect to go on. */
    if (relay->options->may_hijack)
        relay->reply->close = true;
    if (http_reply_head_begin(relay->reply, &relay->to_client, head->status, head->reason) < 0 ||
        append_headers(relay, head) < 0 || http_reply_head_end(relay->reply, &relay->to_client, framing, length) < 0)
        return relay_out_of_memory(relay);
    relay->outcome->answered = true;
    relay->download = DOWNLOAD_BODY;
    return RELAY_MOVED;
}

static int pass_hijack_head(struct relay *relay, const struct http_head *head)
{
    const struct http_header *upgrade = head->status == 101 ? http_head_find(head, "Upgrade") : NULL;
    if (http_reply_head_begin(relay->reply, &relay->to_client, head->status, head->reason) < 0 ||
        append_headers(relay, head) < 0)
        return -1;
    if (upgrade)
        return bytes_printf(&relay->to_client, "Connection: Upgrade\r\nUpgrade: %.*s\r\n\r\n",
                            (int)upgrade->value.length, upgrade->value.at);
    return bytes_append_text(&relay->to_client, "Connection: close\r\n\r\n");
}

static int hijack(struct relay *relay, const struct http_head *head)
{
    struct http_reply *reply = relay->reply;
    if (!relay->options->switched && pass_hijack_head(relay, head) < 0)
        return relay_out_of_memory(relay);
    reply->state = HTTP_REPLY_BEGUN;
    reply->framing = HTTP_BODY_UNTIL_CLOSE;
    reply->close = true;
    relay->outcome->answered = true;
    relay->hijacked = true;
    relay->download = DOWNLOAD_RAW;
    return RELAY_MOVED;
}

/* 101, or 200 whose body has no length and is not chunked: the connection is a raw stream from here on. */
static bool is_hijack(const struct relay *relay, const struct http_head *head)
{
    if (!relay->options->may_hijack || relay->options->capture)
        return false;
    if (head->status == 101)
        return relay->options->switched || relay->request->head.upgrade.length > 0;
    if (relay->options->switched)
        return false;
    return head->status == 200 && relay->answer.framing == HTTP_BODY_UNTIL_CLOSE;
}

static int take_head(struct relay *relay, const struct http_head *head)
{
    relay->outcome->status = head->status;
    relay->answer_keep_alive = head->keep_alive;
    http_body_init_response(&relay->answer, head, relay->to_head);
    if (is_hijack(relay, head))
        return hijack(relay, head);
    if (head->status == 101)
        return relay_fail(relay, "the engine switched protocols without being asked to");
    if (relay->options->switched)
        return relay_fail(relay, "the engine answered with status %d in place of switching to %s", head->status,
                          relay->options->switched);
    if (!relay->options->capture)
        return pass_head(relay, head);
    relay->download = DOWNLOAD_BODY;
    return RELAY_MOVED;
}

static int read_head(struct relay *relay)
{
    struct bytes *in = &relay->from_engine;
    struct http_head head;
    const char *why = "";
    size_t consumed;
    if (!http_head_worth_parsing(in, &relay->head_seen))
        return RELAY_IDLE;
    int result = http_head_parse_response(&head, bytes_at(in), bytes_length(in), &consumed, &why);
    if (result == HTTP_HEAD_MORE)
        return RELAY_IDLE;
    if (result < 0)
        return relay_fail(relay, "malformed answer: %s", why);
    int moved = RELAY_MOVED;
    if (head.status >= 200 || head.status == 101)
        moved = take_head(relay, &head);
    else if (++relay->interim > INTERIM_MAX)
        moved = relay_fail(relay, "malformed answer: too many interim answers");
    bytes_consume(in, consumed);
    relay->head_seen = 0;
    return moved;
}

static int capture(struct relay *relay, const char *data, size_t length)
{
    if (length > relay->options->capture_limit - bytes_length(&relay->captured))
        return relay_fail(relay, "answer is larger than %zu bytes", relay->options->capture_limit);
    return bytes_append(&relay->captured, data, length) < 0 ? relay_out_of_memory(relay) : RELAY_MOVED;
}

/* @p length bytes of content; they are at the front of from_engine where @p all is left of it. */
static int deliver(struct relay *relay, const char *data, size_t length, size_t consumed)
{
    struct bytes *in = &relay->from_engine;
    bool all = data == bytes_at(in) && length == bytes_length(in);
    int result = RELAY_MOVED;
    if (relay->options->capture) {
        result = length > 0 ? capture(relay, data, length) : RELAY_MOVED;
    } else if (client_sent_head(relay) || length == 0) {
        result = RELAY_MOVED;
    } else if (all && relay->reply->framing != HTTP_BODY_CHUNKED) {
        return bytes_move(&relay->to_client, in) < 0 ? relay_out_of_memory(relay) : RELAY_MOVED;
    } else if (relay_append(&relay->to_client, data, length, relay->reply->framing == HTTP_BODY_CHUNKED) < 0) {
        result = relay_out_of_memory(relay);
    }
    bytes_consume(in, consumed);
    return result;
}

static int end_answer(struct relay *relay)
{
    const struct relay_options *options = relay->options;
    relay->download = DOWNLOAD_ENDED;
    if (options->capture)
        return RELAY_MOVED;
    /* Nothing that follows from the answer's end has been sent yet. */
    if (options->finishing)
        options->finishing(options->data, relay->outcome->status);
    bool last_chunk = relay->reply->framing == HTTP_BODY_CHUNKED && !client_sent_head(relay);
    if (last_chunk && bytes_append_text(&relay->to_client, "0\r\n\r\n") < 0)
        return relay_out_of_memory(relay);
    return RELAY_MOVED;
}

static bool has_room(const struct relay *relay)
{
    return bytes_length(&relay->to_client) < RELAY_BUFFER;
}

static int pass_body(struct relay *relay)
{
    struct bytes *in = &relay->from_engine;
    int moved = RELAY_IDLE;
    while (has_room(relay)) {
        const char *data;
        size_t consumed, length;
        if (relay->answer.done)
            return end_answer(relay);
        if (http_body_next(&relay->answer, bytes_at(in), bytes_length(in), &consumed, &data, &length) < 0)
            return relay_fail(relay, "malformed answer: its chunks are not framed properly");
        if (consumed == 0)
            break;
        moved = deliver(relay, data, length, consumed);
        if (moved == RELAY_OVER || relay->download != DOWNLOAD_BODY)
            return moved;
    }
    if (!relay->engine.ended || bytes_length(in) > 0)
        return moved;
    if (http_body_closed(&relay->answer) < 0)
        return relay_fail(relay, "the engine closed the connection in the middle of its answer");
    return has_room(relay) ? end_answer(relay) : moved;
}

static int pass_raw(struct relay *relay)
{
    if (bytes_length(&relay->from_engine) > 0) {
        if (!has_room(relay))
            return RELAY_IDLE;
        return bytes_move(&relay->to_client, &relay->from_engine) < 0 ? relay_out_of_memory(relay) : RELAY_MOVED;
    }
    if (!relay->engine.ended || bytes_length(&relay->to_client) > 0)
        return RELAY_IDLE;
    relay->client.send_blocked = stream_shutdown_write(relay->client.stream) == STREAM_AGAIN;
    if (relay->client.send_blocked)
        return RELAY_IDLE;
    relay->download = DOWNLOAD_ENDED;
    relay->finish_until = deadline_after(RELAY_FINISH_TIME_MS);
    return RELAY_MOVED;
}

static int process(struct relay *relay)
{
    switch (relay->download) {
    case DOWNLOAD_HEAD: {
        int moved = read_head(relay);
        if (moved == RELAY_IDLE && relay->engine.ended)
            return relay_fail(relay, "the engine closed the connection before it answered");
        return moved;
    }
    case DOWNLOAD_BODY:
        return pass_body(relay);
    case DOWNLOAD_RAW:
        return pass_raw(relay);
    case DOWNLOAD_ENDED:
        break;
    }
    return RELAY_IDLE;
}

/* Handle all that has come, so that the end of an answer is known before its last piece leaves. */
static int process_all(struct relay *relay)
{
    int moved = RELAY_IDLE;
    for (;;) {
        int step = process(relay);
        if (step != RELAY_MOVED)
            return step == RELAY_OVER ? step : moved;
        moved = RELAY_MOVED;
    }
}

bool relay_wants_engine(const struct relay *relay)
{
    if (relay->engine.ended || relay->download == DOWNLOAD_ENDED || !has_room(relay))
        return false;
    return relay->download == DOWNLOAD_HEAD || bytes_length(&relay->from_engine) == 0;
}

static int receive_from_engine(struct relay *relay)
{
    if (!relay_wants_engine(relay))
        return RELAY_IDLE;
    ssize_t got = relay_receive(&relay->engine, &relay->from_engine);
    if (got == STREAM_AGAIN)
        return RELAY_IDLE;
    if (got == -ENOMEM)
        return relay_out_of_memory(relay);
    if (got < 0)
        return relay_fail_stream(relay, "read", got);
    relay->heard = true;
    /* It lives: a client of which only a FIN is known gets more time to take this. */
    if (relay->client_fin)
        relay->client_until = deadline_after(RELAY_FIN_TIME_MS);
    return RELAY_MOVED;
}

int relay_download_step(struct relay *relay)
{
    ssize_t error;
    int processed = process_all(relay);
    if (processed == RELAY_OVER)
        return processed;
    int flushed = relay_flush(&relay->client, &relay->to_client, &error);
    if (flushed == RELAY_OVER)
        return relay_client_gone(relay);
    int received = receive_from_engine(relay);
    if (received == RELAY_OVER)
        return received;
    return processed || flushed || received ? RELAY_MOVED : RELAY_IDLE;
}
