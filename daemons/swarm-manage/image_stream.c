/* SPDX-License-Identifier: Apache-2.0 */
#include "image_stream.h"

#include <stdlib.h>
#include <string.h>

#include "http_server.h"
#include "json_read.h"

int image_stream_init(struct image_stream *stream, struct call *call, struct broadcast *broadcast)
{
    memset(stream, 0, sizeof(*stream));
    stream->call = call;
    stream->broadcast = broadcast;
    return progress_merge_init(&stream->merge, broadcast->count);
}

void image_stream_finish(struct image_stream *stream)
{
    progress_merge_finish(&stream->merge);
    json_decref(stream->last);
}

int image_stream_say(struct image_stream *stream, json_t *object)
{
    struct http_reply *reply = stream->call->reply;
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17));
    size_t length;
    int r = -1;

    json_decref(object);
    if (text == NULL)
        return -1;
    length = strlen(text);
    if (http_reply_begun(reply) || http_reply_begin(reply, 200, "application/json") == 0) {
        char *line = realloc(text, length + 3);

        if (line != NULL) {
            text = line;
            memcpy(text + length, "\r\n", 3); /* as engines end them */
            r = http_reply_write(reply, text, length + 2);
        }
    }
    free(text);
    return r;
}

/* The error that an object carries, NULL where it carries none. Borrowed. */
static const char *error_of(const json_t *object)
{
    const char *text = json_string_value(json_object_get(json_object_get(object, "errorDetail"), "message"));

    return text != NULL ? text : json_string_value(json_object_get(object, "error"));
}

static enum progress_verdict judge(struct image_stream *stream, const struct broadcast_answer *answer, json_t *object)
{
    size_t node = (size_t)(answer - stream->broadcast->answers);

    if (stream->quiet)
        return PROGRESS_DROP;
    if (broadcast_asked(stream->broadcast) == 1)
        return PROGRESS_SEND;
    for (size_t i = 0; i < stream->broadcast->count; i++) { /* nobody waits for who is done */
        if (stream->broadcast->answers[i].status != 0 || stream->broadcast->answers[i].failure.status != 0)
            progress_merge_leave(&stream->merge, i);
    }
    return progress_merge_take(&stream->merge, node, answer->node, object);
}

int image_stream_object(void *data, struct broadcast_answer *answer, const char *text, size_t length)
{
    struct image_stream *stream = data;
    json_t *object = json_read(text, length, JSON_ALLOW_NUL, NULL);
    const char *error = error_of(object);
    int r = BROADCAST_GO_ON;

    if (!json_is_object(object))
        error = "the node's answer is no stream of JSON objects";
    if (error != NULL) {
        failure_set(&answer->failure, 500, "%s", error);
        stream->begun = true;
        json_decref(object);
        return BROADCAST_ENOUGH;
    }
    if (judge(stream, answer, object) == PROGRESS_SEND) {
        json_object_set_new(object, "node", json_string(answer->node));
        r = image_stream_say(stream, json_incref(object)) < 0 ? BROADCAST_STOP : BROADCAST_GO_ON;
    }
    json_decref(object);
    return r;
}

/* --- the end --- */

/* An engine of another system than the image's has nothing to do with it. */
static bool is_other_system(const struct failure *failure)
{
    return failure->message != NULL && (strstr(failure->message, "image operating system") != NULL ||
                                        strstr(failure->message, "cannot load") != NULL);
}

/* Nodes that are down do not make it a failure as long as others succeed, nor do those that it is not for. */
static void forgive(struct image_stream *stream)
{
    struct broadcast *broadcast = stream->broadcast;

    for (size_t i = 0; i < broadcast->count; i++) {
        struct broadcast_answer *answer = &broadcast->answers[i];

        if (!answer->skipped && answer->failure.status != 0 && is_other_system(&answer->failure))
            answer->skipped = true;
    }
}

static int say_notes(struct image_stream *stream)
{
    const struct broadcast *broadcast = stream->broadcast;
    int r = 0;

    for (size_t i = 0; r == 0 && i < broadcast->count; i++) {
        const struct broadcast_answer *answer = &broadcast->answers[i];
        const char *why = answer->failure.message == NULL ? "out of memory" : answer->failure.message;

        if (!answer->skipped && !(answer->lost && answer->failure.status != 0))
            continue;
        r = image_stream_say(stream,
                             json_pack("{s:o, s:s}", "status", json_sprintf("Skipped: %s", why), "node", answer->node));
    }
    return r;
}

static int say_held(struct image_stream *stream)
{
    json_t *held = progress_merge_held(&stream->merge);
    json_t *object;
    size_t i;
    int r = 0;

    json_array_foreach (held, i, object)
        r = r < 0 ? r : image_stream_say(stream, json_incref(object));
    json_decref(held);
    return r;
}

int image_stream_end(struct image_stream *stream)
{
    struct broadcast *broadcast = stream->broadcast;
    struct http_reply *reply = stream->call->reply;
    size_t successes = stream->elsewhere + broadcast_successes(broadcast);
    struct failure failure = {0};
    bool failed;
    int r;

    broadcast_refresh_images(broadcast, stream->call);
    if (successes > 0)
        forgive(stream);
    failed = broadcast_failure(broadcast, successes == 0, &failure) < 0;
    if (failed && successes == 0 && !stream->begun && !http_reply_begun(reply))
        return api_reply_failure(stream->call, &failure);
    broadcast_log_left_out(broadcast);
    r = say_notes(stream);
    if (r == 0)
        r = say_held(stream);
    if (r == 0 && stream->last != NULL)
        r = image_stream_say(stream, json_incref(stream->last));
    if (r == 0 && failed)
        r = image_stream_say(stream, json_pack("{s:{s:i, s:s}, s:s}", "errorDetail", "code", 1, "message",
                                               failure.message, "error", failure.message));
    failure_clear(&failure);
    if (r == 0 && !http_reply_begun(reply))
        r = http_reply_begin(reply, 200, "application/json");
    return r == 0 ? http_reply_end(reply) : r;
}
