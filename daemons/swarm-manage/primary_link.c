/* SPDX-License-Identifier: Apache-2.0 */
#include "primary_link.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http_client.h"

#define DIAL_MS 3000
#define KEPT_MS DIAL_MS
#define KEPT_MAX 16

struct kept {
    struct stream *stream;
    char *address;
    int64_t left_ms; /* monotonic: when it was */
};

struct primary_links {
    pthread_mutex_t lock; /* not held over what may wait */
    struct kept kept[KEPT_MAX];
    size_t count; /* the last one is the one that was left last */
};

int primary_links_new(struct primary_links **ret)
{
    struct primary_links *links = calloc(1, sizeof(*links));

    if (links == NULL)
        return -1;
    pthread_mutex_init(&links->lock, NULL);
    *ret = links;
    return 0;
}

static void drop(struct kept *kept)
{
    stream_close(kept->stream);
    free(kept->address);
}

void primary_links_free(struct primary_links *links)
{
    if (links == NULL)
        return;
    while (links->count > 0)
        drop(&links->kept[--links->count]);
    pthread_mutex_destroy(&links->lock);
    free(links);
}

static bool take_last(struct primary_links *links, struct kept *ret)
{
    bool taken;

    pthread_mutex_lock(&links->lock);
    taken = links->count > 0;
    if (taken)
        *ret = links->kept[--links->count];
    pthread_mutex_unlock(&links->lock);
    return taken;
}

/* NULL: none that will do. Those that will not do are closed on the way. */
static struct stream *take(struct primary_links *links, const char *address)
{
    struct kept kept;

    while (take_last(links, &kept)) {
        if (strcmp(kept.address, address) == 0 && monotonic_ms() - kept.left_ms < KEPT_MS &&
            stream_is_idle_open(kept.stream)) {
            free(kept.address);
            return kept.stream;
        }
        drop(&kept);
    }
    return NULL;
}

struct stream *primary_link_dial(struct primary_links *links, const char *address, const struct tls *tls,
                                 bool *ret_reused, char **reterr)
{
    struct stream *stream = take(links, address);
    struct address parsed;

    *ret_reused = stream != NULL;
    if (stream != NULL)
        return stream;
    if (address_parse(&parsed, address, reterr) < 0 || stream_dial(&stream, &parsed, tls, DIAL_MS, reterr) < 0)
        return NULL;
    return stream;
}

void primary_link_put_back(struct primary_links *links, const char *address, struct stream *stream)
{
    struct kept kept = {stream, strdup(address), monotonic_ms()};
    bool room = false;

    pthread_mutex_lock(&links->lock);
    if (kept.address != NULL && links->count < KEPT_MAX) {
        links->kept[links->count++] = kept;
        room = true;
    }
    pthread_mutex_unlock(&links->lock);
    if (!room)
        drop(&kept);
}
