/* SPDX-License-Identifier: Apache-2.0 */
/* The last decisions on where containers go, for GET /swarm/decisions. Of a bounded size. */
#ifndef MANAGE_DECISIONS_H
#define MANAGE_DECISIONS_H

#include <jansson.h>
#include <stdbool.h>

#include <swarm/swarm.h>

#define DECISIONS_MAX 1000
/* What longer texts are cut to, in bytes. */
#define DECISION_TEXT_MAX 4096
#define DECISION_NAME_MAX 512

struct decisions;

struct decision_note {
    bool move;        /* of a container off its lost node; else a client's create */
    bool granted;     /* it has a node */
    const char *name; /* NULL: none */
    const char *image;
    const char *node; /* name; NULL: none */
    const char *text; /* why, as libswarm tells it */
};

int decisions_new(struct decisions **ret);
void decisions_free(struct decisions *decisions);
/* Any thread. Nothing happens where there is no memory, or @p decisions is NULL. */
void decisions_add(struct decisions *decisions, const struct decision_note *note);
/* A container of a lost node goes to @p node, or, NULL, nowhere for now. With the pool locked. */
void decisions_add_move(struct decisions *decisions, const struct swarm_container *container, const char *node,
                        const char *text);
/* All of them, the oldest first: [{"time", "kind", "name", "image", "outcome", "node", "text"}]. New; NULL for lack of
 * memory. */
json_t *decisions_json(struct decisions *decisions);

#endif
