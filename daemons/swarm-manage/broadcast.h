/* SPDX-License-Identifier: Apache-2.0 */
/* One request to many engines at once, on one thread: answers are taken as they come, a slow engine holds no other up,
 * one that is lost (monitor.h) is not waited for, and all ends when the client leaves.
 *
 *     broadcast_new(&broadcast, manager, chosen, data);        who: validated engines; those not healthy are skipped
 *     broadcast_run(broadcast, call, &order);                  what: the answers are in broadcast->answers
 *     broadcast_failure(broadcast, &failure);                  what went wrong, as one message
 *     broadcast_free(broadcast);
 */
#ifndef MANAGE_BROADCAST_H
#define MANAGE_BROADCAST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine.h"
#include "failure.h"
#include "routes.h"

/* One engine's part. */
struct broadcast_answer {
    struct engine *engine; /* reference */
    char *node;            /* its name */
    bool skipped;          /* it was not healthy, so that it was not asked */
    bool lost;             /* no whole answer came from it */
    int status;            /* of its answer, 0 where none came or it did not end */
    char *body;            /* of a whole answer below 400 that was not taken as objects; NUL-ended, may be NULL */
    size_t length;
    struct failure failure; /* why it was skipped, lost, or said no: its status and words; no message: all went well */
};

struct broadcast {
    struct manager *manager;
    struct broadcast_answer *answers; /* in the order of the nodes' names */
    size_t count;
};

/* What the functions for objects and pieces answer. */
enum {
    BROADCAST_GO_ON = 0,
    BROADCAST_ENOUGH = 1, /* of this engine: its failure says why, or that it went well */
    BROADCAST_STOP = -1,  /* of all: the client is gone */
};

struct broadcast_order {
    const char *method;
    const char *path;           /* with query, without version */
    const char *version;        /* that the client speaks; "" or NULL: our maximum */
    const char *const *headers; /* "Name: value", NULL-ended; NULL: none */
    const char *const *pass;    /* names of headers of the client's that are passed on, NULL-ended; NULL: none */
    const void *body;           /* NULL: none */
    size_t length;
    bool pass_body;        /* the client's body goes to each engine as it comes, in constant memory */
    struct engine *source; /* or what this engine answers to GET source_path; NULL: none */
    const char *source_path;
    int timeout_ms; /* for each engine's whole answer; 0: as long as it is alive */
    int stall_ms;   /* for one that takes nothing of a body that others wait for it to take; 0: 30,000 */
    /* Called for each JSON object of an answer below 300 as it comes (its text is borrowed), in place of collecting
     * the body; @p answer has its engine and node. NULL: bodies are collected. */
    int (*object)(void *data, struct broadcast_answer *answer, const char *text, size_t length);
    /* The same for its bytes as they come, whatever they are. */
    int (*piece)(void *data, struct broadcast_answer *answer, const char *bytes, size_t length);
    void *data;
};

/* For the validated engines that @p chosen accepts (called with the pool locked for reading; NULL: all of them). 0, or
 * -1 for lack of memory. */
int broadcast_new(struct broadcast **ret, struct manager *manager,
                  bool (*chosen)(void *data, const struct engine *engine), void *data);
void broadcast_free(struct broadcast *broadcast);
/* Ask all that are not skipped, once a broadcast, for the client of @p call (NULL: for the manager itself; then nothing
 * of the client's can be passed on). 0 where each has answered or failed; -1 with the failure where the
 * client is gone (status 0), its body is broken, or it could not begin. */
int broadcast_run(struct broadcast *broadcast, struct call *call, const struct broadcast_order *order,
                  struct failure *failure);

/* --- results --- */
/* Engines that were asked. */
size_t broadcast_asked(const struct broadcast *broadcast);
/* It was asked, and answered below 400 to the end. */
bool broadcast_went_well(const struct broadcast_answer *answer);
size_t broadcast_successes(const struct broadcast *broadcast);
/* What those that were asked failed with; -1 where any did. One engine, or all with the same words: those, else lines
 * "node: words"; the status is theirs where they agree, else 500. @p lost_too: count those that are lost. */
int broadcast_failure(const struct broadcast *broadcast, bool lost_too, struct failure *ret);
/* Log those that were skipped or lost. */
void broadcast_log_left_out(const struct broadcast *broadcast);
/* Why nobody was asked: 500 "No nodes available in the cluster", or the nodes that were skipped and why. Always -1. */
int broadcast_nobody(const struct broadcast *broadcast, struct failure *ret);
/* Parse each collected body that is not empty; what is no JSON turns into that engine's failure. @p take is called for
 * each, in the order of the nodes' names; it borrows. */
void broadcast_each_json(struct broadcast *broadcast,
                         void (*take)(void *data, const struct broadcast_answer *answer, json_t *json), void *data);
/* Ask those that went well for their images and take those over, so that who asks next sees what changed. */
void broadcast_refresh_images(const struct broadcast *broadcast, struct call *call);

#endif
