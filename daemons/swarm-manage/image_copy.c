/* SPDX-License-Identifier: Apache-2.0 */
#include "image_copy.h"

#include <stdio.h>
#include <stdlib.h>

#include "broadcast.h"
#include "log.h"
#include "manager.h"
#include "pool.h"
#include "pull.h"
#include "uri.h"

static bool is_the_one(void *data, const struct engine *engine)
{
    return data == engine;
}

/* Of what a load says only an error matters. */
static int take_object(void *data, struct broadcast_answer *answer, const char *text, size_t length)
{
    char *error = pull_stream_error(text, length);

    if (error == NULL)
        return BROADCAST_GO_ON;
    failure_set(&answer->failure, 500, "%s", error);
    free(error);
    return BROADCAST_ENOUGH;
}

static int load(struct broadcast *broadcast, struct engine *from, const char *source, struct failure *failure)
{
    static const char *const headers[] = {"Content-Type: application/x-tar", NULL};
    struct broadcast_order order = {.method = "POST",
                                    .path = "/images/load?quiet=1",
                                    .headers = headers,
                                    .source = from,
                                    .source_path = source,
                                    .object = take_object};

    if (broadcast_asked(broadcast) == 0)
        return broadcast_nobody(broadcast, failure);
    if (broadcast_run(broadcast, NULL, &order, failure) < 0)
        return -1;
    return broadcast_failure(broadcast, true, failure);
}

int image_copy(struct engine *from, struct engine *to, const char *id, struct failure *failure)
{
    struct failure trouble = {0};
    struct broadcast *broadcast = NULL;
    char *escaped = uri_escape(id), *source = NULL;
    int r;

    if (escaped == NULL || asprintf(&source, "/images/get?names=%s", escaped) < 0) {
        source = NULL;
        r = failure_set(failure, 500, "out of memory");
    } else if (broadcast_new(&broadcast, to->manager, is_the_one, to) < 0) {
        r = failure_set(failure, 500, "out of memory");
    } else {
        r = load(broadcast, from, source, &trouble);
        if (r < 0)
            failure_set(failure, 500, "the image could not be taken from %s to %s: %s", from->address, to->address,
                        trouble.message == NULL ? "out of memory" : trouble.message);
    }
    failure_clear(&trouble);
    if (r == 0 && pool_refresh_images(to->manager->pool, to, &trouble) < 0)
        log_debug("Images could not be refreshed: %s", trouble.message == NULL ? "out of memory" : trouble.message);
    failure_clear(&trouble);
    broadcast_free(broadcast);
    free(source);
    free(escaped);
    return r;
}
