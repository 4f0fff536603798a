/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <swarm/scheduler.h>

#include "abi.h"
#include "error.h"
#include "mem.h"
#include "request.h"

/* Size of this struct when it was first published (1.3). */
#define BATCH_OPTIONS_FIRST (offsetof(struct swarm_batch_options, all_or_none) + sizeof(int))
_Static_assert(BATCH_OPTIONS_FIRST == sizeof(size_t) + sizeof(uint64_t) + sizeof(int), "published layout");

/** What has become of one request: a place, or an error where the caller wants to see it. */
struct item {
    struct swarm_reservation *place;
    struct swarm_error *error;
    bool froze; /**< The request was nobody's before: it is to be changeable again where the place is undone. */
};

/** A batch at work. */
struct batch {
    const struct swarm_scheduler *scheduler;
    struct swarm_cluster *cluster;
    struct swarm_request *const *requests;
    size_t count;
    struct swarm_batch_options options; /**< With all members. */
    struct item *items;
};

static int check_arguments(struct batch *batch, const struct swarm_batch_options *options, const void *results,
                           struct swarm_error **reterr)
{
    if (!batch->scheduler || !batch->cluster || (batch->count > 0 && (!batch->requests || !results)))
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "batch: a scheduler, a cluster, requests and room for what comes of them are needed");
    for (size_t i = 0; i < batch->count; i++)
        if (!batch->requests[i])
            return swarm__error_set(reterr, SWARM_ERR_INVALID, "batch: request %zu is NULL", i);
    if (options && swarm__abi_read(&batch->options, sizeof(batch->options), BATCH_OPTIONS_FIRST, options) != 0)
        return swarm__error_set(reterr, SWARM_ERR_INVALID,
                                "batch options: size %zu: start with SWARM_BATCH_OPTIONS_INIT", options->size);
    return 0;
}

static int place_one(struct batch *batch, size_t index, struct swarm_error **reterr)
{
    struct swarm_place_options options = SWARM_PLACE_OPTIONS_INIT;
    struct swarm_request *request = batch->requests[index];
    options.seed = batch->options.seed + index;
    batch->items[index].froze = !atomic_load_explicit(&request->shared, memory_order_acquire);
    return swarm_scheduler_place(batch->scheduler, batch->cluster, request, &options, &batch->items[index].place,
                                 reterr);
}

/** Give back all places and errors that are still the batch's, the last one first, so that nothing is as it was not. */
static void undo(struct batch *batch)
{
    for (size_t i = batch->count; i-- > 0;) {
        struct item *item = &batch->items[i];
        swarm_error_free(item->error);
        if (!item->place)
            continue;
        swarm_reservation_abort(item->place);
        if (item->froze)
            atomic_store_explicit(&batch->requests[i]->shared, false, memory_order_release);
    }
}

/** Place them one after another; a refusal is an answer like any other where not all are needed. */
static int place_all(struct batch *batch, bool keep_errors, struct swarm_error **reterr)
{
    bool all = batch->options.all_or_none != 0;
    for (size_t i = 0; i < batch->count; i++) {
        struct swarm_error *error = NULL;
        int code = place_one(batch, i, keep_errors || reterr ? &error : NULL);
        if (code == 0)
            continue;
        if (code != SWARM_ERR_NOMEM && !all) {
            if (keep_errors)
                batch->items[i].error = error;
            else
                swarm_error_free(error);
            continue;
        }
        if (reterr) {
            swarm__error_prefix(&error, "request %zu", i);
            *reterr = error;
        } else {
            swarm_error_free(error);
        }
        return code;
    }
    return 0;
}

/** Place or plan; on success the places are the batch's still, and items are to be released. */
static int run(struct batch *batch, const struct swarm_batch_options *options, const void *results, bool keep_errors,
               struct swarm_error **reterr)
{
    int code = check_arguments(batch, options, results, reterr);
    if (code != 0 || batch->count == 0)
        return code;
    batch->items = swarm__calloc(batch->count, sizeof(*batch->items));
    if (!batch->items)
        return swarm__error_nomem(reterr);
    code = place_all(batch, keep_errors, reterr);
    if (code != 0) {
        undo(batch);
        swarm__free(batch->items);
    }
    return code;
}

static void hand_out_errors(struct batch *batch, struct swarm_error **ret_errors)
{
    for (size_t i = 0; ret_errors && i < batch->count; i++) {
        ret_errors[i] = batch->items[i].error;
        batch->items[i].error = NULL;
    }
}

int swarm_scheduler_place_batch(const struct swarm_scheduler *scheduler, struct swarm_cluster *cluster,
                                struct swarm_request *const *requests, size_t count,
                                const struct swarm_batch_options *options, struct swarm_reservation **ret_reservations,
                                struct swarm_error **ret_errors, struct swarm_error **reterr)
{
    struct batch batch = {scheduler, cluster, requests, count, SWARM_BATCH_OPTIONS_INIT, NULL};
    int code = run(&batch, options, ret_reservations, ret_errors != NULL, reterr);
    if (code != 0)
        return code;
    for (size_t i = 0; i < count; i++)
        ret_reservations[i] = batch.items[i].place;
    hand_out_errors(&batch, ret_errors);
    swarm__free(batch.items);
    return 0;
}

int swarm_scheduler_plan_batch(const struct swarm_scheduler *scheduler, struct swarm_cluster *cluster,
                               struct swarm_request *const *requests, size_t count,
                               const struct swarm_batch_options *options, struct swarm_node **ret_nodes,
                               struct swarm_error **ret_errors, struct swarm_error **reterr)
{
    struct batch batch = {scheduler, cluster, requests, count, SWARM_BATCH_OPTIONS_INIT, NULL};
    int code = run(&batch, options, ret_nodes, ret_errors != NULL, reterr);
    if (code != 0)
        return code;
    for (size_t i = 0; i < count; i++)
        ret_nodes[i] = swarm_reservation_node(batch.items[i].place);
    hand_out_errors(&batch, ret_errors);
    undo(&batch);
    swarm__free(batch.items);
    return 0;
}
