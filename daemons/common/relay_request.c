/* SPDX-License-Identifier: Apache-2.0 */
/* Client to engine: the request's head made anew, its body, and after a hijack raw bytes. */
#include <errno.h>
#include <string.h>

#include "http_grammar.h"
#include "relay_internal.h"

bool relay_is_hop_header(const struct http_head *head, struct slice name)
{
    static const char *const names[] = {"Connection",        "Keep-Alive",    "TE", "Trailer", "Upgrade",
                                        "Transfer-Encoding", "Content-Length"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is_nocase(name, names[i]))
            return true;
    if (name.length > 6 && slice_is_nocase((struct slice){name.at, 6}, "Proxy-"))
        return true;
    for (size_t i = 0; i < head->header_count; i++) {
        struct slice list = head->headers[i].value, token;
        if (!slice_is_nocase(head->headers[i].name, "Connection"))
            continue;
        while (http_list_next(&list, &token))
            if (token.length == name.length && strncasecmp(token.at, name.at, name.length) == 0)
                return true;
    }
    return false;
}

/* Target and host come from our own callers, and partly from what clients sent. */
static bool is_visible(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text == 0x7f)
            return false;
    return true;
}

static const char *method_of(const struct relay *relay)
{
    return relay->options->method ? relay->options->method : relay->request->method;
}

static bool is_dropped(const struct relay *relay, struct slice name)
{
    const char *const *drop = relay->options->drop_request_headers;
    for (; drop && *drop; drop++)
        if (slice_is_nocase(name, *drop))
            return true;
    return false;
}

static int append_headers(struct relay *relay)
{
    const struct http_head *head = &relay->request->head;
    for (size_t i = 0; i < head->header_count; i++) {
        const struct http_header *header = &head->headers[i];
        if (relay_is_hop_header(head, header->name) || slice_is_nocase(header->name, "Host") ||
            slice_is_nocase(header->name, "Expect") || is_dropped(relay, header->name))
            continue;
        if (http_append_header(&relay->to_engine, header->name, header->value) < 0)
            return -1;
    }
    if (relay->options->switched)
        return bytes_printf(&relay->to_engine, "Connection: Upgrade\r\nUpgrade: %s\r\n", relay->options->switched);
    if (relay->options->may_hijack && head->upgrade.length > 0)
        return bytes_printf(&relay->to_engine, "Connection: Upgrade\r\nUpgrade: %.*s\r\n", (int)head->upgrade.length,
                            head->upgrade.at);
    return 0;
}

/* Length as the client gave it, or of the body that replaces its own. Methods that have a body say so if it is empty.
 */
static int append_framing(struct relay *relay)
{
    const struct http_request *request = relay->request;
    const char *method = method_of(relay);
    bool expects_body = strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
    uint64_t length = relay->own_body ? relay->body_left : request->body.left;
    relay->chunked = !relay->own_body && request->body.framing == HTTP_BODY_CHUNKED;
    if (relay->chunked)
        return bytes_append_text(&relay->to_engine, "Transfer-Encoding: chunked\r\n");
    if (length == 0 && !expects_body)
        return 0;
    return bytes_printf(&relay->to_engine, "Content-Length: %llu\r\n", (unsigned long long)length);
}

int relay_write_request(struct relay *relay)
{
    const struct relay_options *options = relay->options;
    const char *method = method_of(relay);
    if (!http_is_token((struct slice){method, strlen(method)}) || !is_visible(options->target) ||
        !is_visible(options->host))
        return relay_fail(relay, "request target \"%s\" has a byte that must be percent-encoded", options->target);
    relay->to_head = strcmp(method, "HEAD") == 0;
    if (bytes_printf(&relay->to_engine, "%s %s HTTP/1.1\r\nHost: %s\r\n%s", method, options->target, options->host,
                     options->extra ? options->extra : "") < 0 ||
        append_headers(relay) < 0 || append_framing(relay) < 0 || bytes_append_text(&relay->to_engine, "\r\n") < 0)
        return relay_out_of_memory(relay);
    return 0;
}

/* The engine takes no more of the request. It may still answer, or have answered: reading goes on. */
static void end_upload(struct relay *relay)
{
    bytes_consume(&relay->to_engine, bytes_length(&relay->to_engine));
    relay->engine.send_blocked = false;
    relay->upload = UPLOAD_ENDED;
}

static int flush(struct relay *relay)
{
    ssize_t error;
    int moved = relay_flush(&relay->engine, &relay->to_engine, &error);
    if (moved != RELAY_OVER)
        return moved;
    end_upload(relay);
    return RELAY_MOVED;
}

/* The engine has the head: take the body from here on, which is what 100 Continue tells the client. */
static int begin_body(struct relay *relay)
{
    struct http_request *request = relay->request;
    if (bytes_length(&relay->to_engine) > 0)
        return RELAY_IDLE;
    relay->upload = UPLOAD_BODY;
    if (relay->own_body || !request->continue_due)
        return RELAY_MOVED;
    if (relay->download != DOWNLOAD_HEAD) {
        /* Too late: the answer is there, the client will keep its body. */
        end_upload(relay);
        return RELAY_MOVED;
    }
    request->continue_due = false;
    if (bytes_append_text(&relay->to_client, "HTTP/1.1 100 Continue\r\n\r\n") < 0)
        return relay_out_of_memory(relay);
    return RELAY_MOVED;
}

static int end_body(struct relay *relay)
{
    if (relay->chunked && bytes_append_text(&relay->to_engine, "0\r\n\r\n") < 0)
        return relay_out_of_memory(relay);
    relay->upload = UPLOAD_DONE;
    return RELAY_MOVED;
}

static bool has_room(const struct relay *relay)
{
    return bytes_length(&relay->to_engine) < RELAY_BUFFER;
}

static int pass_own_body(struct relay *relay)
{
    if (relay->body_left == 0)
        return end_body(relay);
    if (!has_room(relay))
        return RELAY_IDLE;
    size_t length = relay->body_left < RELAY_BUFFER ? relay->body_left : RELAY_BUFFER;
    if (bytes_append(&relay->to_engine, relay->body, length) < 0)
        return relay_out_of_memory(relay);
    relay->body += length;
    relay->body_left -= length;
    return RELAY_MOVED;
}

/* One more piece of the client's body, @p drop: read and forgotten. RELAY_IDLE where the buffer has none. */
static int pass_piece(struct relay *relay, bool drop)
{
    struct http_request *request = relay->request;
    struct bytes *in = &request->connection->in;
    const char *data;
    size_t consumed, length;
    if (http_body_next(&request->body, bytes_at(in), bytes_length(in), &consumed, &data, &length) < 0) {
        request->body_failed = true;
        relay->bad_body = true;
        return relay_client_gone(relay);
    }
    if (length > 0) {
        relay->outcome->body_touched = request->body_touched = true;
        if (!drop && relay_append(&relay->to_engine, data, length, relay->chunked) < 0)
            return relay_out_of_memory(relay);
    }
    bytes_consume(in, consumed);
    return consumed > 0 ? RELAY_MOVED : RELAY_IDLE;
}

static int receive_from_client(struct relay *relay)
{
    ssize_t got = relay_receive(&relay->client, &relay->request->connection->in);
    if (got > 0) {
        relay->body_until = deadline_after(-1); /* from the next wait on */
        return RELAY_MOVED;
    }
    if (got == STREAM_AGAIN)
        return RELAY_IDLE;
    if (got == -ENOMEM)
        return relay_out_of_memory(relay);
    if (got == 0 && relay->upload == UPLOAD_RAW)
        return RELAY_MOVED;
    /* A request that ends in its middle, or a reset. */
    relay->request->body_failed = true;
    return relay_client_gone(relay);
}

/* All that the buffer holds, then what one more read gets: that goes out before more is read. */
static int pass_client_body(struct relay *relay, bool drop)
{
    int moved = RELAY_IDLE;
    while (has_room(relay)) {
        if (relay->request->body.done)
            return drop ? RELAY_MOVED : end_body(relay);
        int piece = pass_piece(relay, drop);
        if (piece == RELAY_OVER)
            return piece;
        if (piece == RELAY_IDLE)
            break;
        moved = RELAY_MOVED;
    }
    return moved == RELAY_MOVED || !has_room(relay) ? moved : receive_from_client(relay);
}

static int pass_raw(struct relay *relay)
{
    struct bytes *in = &relay->request->connection->in;
    if (bytes_length(in) > 0) {
        if (!has_room(relay))
            return RELAY_IDLE;
        return bytes_move(&relay->to_engine, in) < 0 ? relay_out_of_memory(relay) : RELAY_MOVED;
    }
    if (!relay->client.ended)
        return has_room(relay) ? receive_from_client(relay) : RELAY_IDLE;
    /* Pass the half-close on once everything before it is through. */
    if (bytes_length(&relay->to_engine) > 0)
        return RELAY_IDLE;
    relay->engine.send_blocked = stream_shutdown_write(relay->engine.stream) == STREAM_AGAIN;
    if (relay->engine.send_blocked)
        return RELAY_IDLE;
    relay->upload = UPLOAD_ENDED;
    return RELAY_MOVED;
}

/* After the request: nothing, unless the connection was hijacked. */
static int begin_raw(struct relay *relay)
{
    if (!relay->hijacked)
        return RELAY_IDLE;
    if (!relay->request->body.done)
        return pass_client_body(relay, true);
    relay->upload = UPLOAD_RAW;
    return RELAY_MOVED;
}

static int advance(struct relay *relay)
{
    switch (relay->upload) {
    case UPLOAD_HEAD:
        return begin_body(relay);
    case UPLOAD_BODY:
        return relay->own_body ? pass_own_body(relay) : pass_client_body(relay, false);
    case UPLOAD_DONE:
        return begin_raw(relay);
    case UPLOAD_RAW:
        return pass_raw(relay);
    case UPLOAD_ENDED:
        break;
    }
    return RELAY_IDLE;
}

int relay_upload_step(struct relay *relay)
{
    int moved = advance(relay);
    if (moved == RELAY_OVER)
        return moved;
    /* Last: what is still in the buffer when the loop comes to wait is there because the engine does not take it. */
    int flushed = flush(relay);
    return moved == RELAY_MOVED || flushed == RELAY_MOVED ? RELAY_MOVED : RELAY_IDLE;
}

bool relay_wants_client(const struct relay *relay)
{
    if (relay->client.ended || !has_room(relay))
        return false;
    if (relay->upload == UPLOAD_BODY)
        return !relay->own_body;
    if (relay->upload == UPLOAD_DONE)
        return relay->hijacked && !relay->request->body.done;
    return relay->upload == UPLOAD_RAW;
}
