/* SPDX-License-Identifier: Apache-2.0 */
#include "kv_store.h"

#include <stdlib.h>
#include <string.h>

#include "kv_store_private.h"
#include "text.h"

bool kv_store_is_there(const struct discovery *discovery)
{
    return discovery->backend->store != NULL;
}

/* Nodes are read from everything below their directory. */
static bool is_among_nodes(const struct kv_place *place)
{
    size_t length = strlen(place->directory);
    return strncmp(place->records, place->directory, length) == 0 &&
           (place->records[length] == '/' || place->records[length] == '\0');
}

static int describe(struct kv_store *store, const struct discovery *discovery, char **reterr)
{
    const struct kv_place *place = store->place;
    if (is_among_nodes(place))
        return discovery_fail(reterr, "--discovery-opt kv.path: nodes in %s would have the record in %s among them",
                              place->directory, place->records);
    store->shown = text_format("%s://%s%s/%s", discovery->backend->name, place->endpoints[0],
                               place->count > 1 ? ",..." : "", place->records);
    return store->shown ? 0 : discovery_fail(reterr, "out of memory");
}

int kv_store_new(struct kv_store **ret, struct discovery *discovery, char **reterr)
{
    const struct kv_store_backend *backend = discovery->backend->store;
    struct kv_store *store = backend ? calloc(1, sizeof *store) : NULL;
    if (!store)
        return discovery_fail(reterr, backend ? "out of memory" : "this kind of discovery keeps nothing");
    store->backend = backend;
    if (backend->open(store, discovery, reterr) != 0) {
        free(store);
        return -1;
    }
    if (describe(store, discovery, reterr) != 0) {
        kv_store_free(store);
        return -1;
    }
    *ret = store;
    return 0;
}

void kv_store_free(struct kv_store *store)
{
    if (!store)
        return;
    store->backend->close(store);
    free(store->shown);
    free(store);
}

const char *kv_store_place(const struct kv_store *store)
{
    return store->shown;
}

bool kv_store_is_guarded(const struct kv_store *store)
{
    return !store->unguarded;
}

void kv_store_limits(const struct kv_store *store, size_t *ret_changes, size_t *ret_bytes)
{
    *ret_changes = store->backend->changes_max;
    *ret_bytes = store->backend->bytes_max;
}

int kv_store_writer(struct kv_store *store, char **ret, char **reterr)
{
    *ret = *reterr = NULL;
    return store->backend->writer(store, ret, reterr);
}

int kv_store_begin(struct kv_store *store, uint64_t term, const char *writer, char **reterr)
{
    *reterr = NULL;
    store->term = term;
    return store->backend->begin(store, writer, reterr);
}

int kv_store_load(struct kv_store *store, const char *from, const char *to, kv_store_fn fn, void *data, char **reterr)
{
    *reterr = NULL;
    return store->backend->load(store, from, to, fn, data, reterr);
}

int kv_store_apply(struct kv_store *store, const struct kv_change *changes, size_t count, char **reterr)
{
    *reterr = NULL;
    return count > 0 ? store->backend->apply(store, changes, count, reterr) : 0;
}
