/* SPDX-License-Identifier: Apache-2.0 */
/* What engines say while they pull, load or import an image, on its way to one client: their objects keep their shape,
 * the node that said it is in an added member "node" ("nodes" where several said the same at the end). An engine's
 * error is kept back until all have ended, as clients leave at the first one. */
#ifndef MANAGE_IMAGE_STREAM_H
#define MANAGE_IMAGE_STREAM_H

#include "api.h"
#include "broadcast.h"
#include "progress_merge.h"

struct image_stream {
    struct call *call;
    struct broadcast *broadcast;
    struct progress_merge merge;
    bool quiet;       /* only errors are taken from what comes */
    bool begun;       /* an engine told of its failure where it would tell of progress: so are clients told */
    size_t elsewhere; /* engines that have done the same without this broadcast */
    json_t *last;     /* to be said after all but an error; owned, NULL: nothing */
};

/* For what @p broadcast, borrowed, will say. 0, or -1 for lack of memory. */
int image_stream_init(struct image_stream *stream, struct call *call, struct broadcast *broadcast);
void image_stream_finish(struct image_stream *stream);
/* struct broadcast_order's object(): @p data is the stream. */
int image_stream_object(void *data, struct broadcast_answer *answer, const char *text, size_t length);
/* All have ended: refresh what the pool knows, tell of nodes that were skipped or lost, say what was held back, and
 * what failed. Answers with the engines' status and words where all failed before they said anything. */
int image_stream_end(struct image_stream *stream);
/* Say one object now; taken. -1 where the client is gone. */
int image_stream_say(struct image_stream *stream, json_t *object);

#endif
