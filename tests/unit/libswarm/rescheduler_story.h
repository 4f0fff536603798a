/* SPDX-License-Identifier: Apache-2.0 */
/* The rescheduler in virtual time. Each test is a story: nodes are lost and come back, time passes, actions are taken,
 * done or failed. The nodes are a, b and c; a container's image is "img" and its swarm id "s-<name>" unless said. */
#ifndef TESTS_UNIT_LIBSWARM_RESCHEDULER_STORY_H
#define TESTS_UNIT_LIBSWARM_RESCHEDULER_STORY_H

#include "fixture.h"

struct story {
    struct swarm_cluster *cluster;
    struct swarm_scheduler *scheduler;
    struct swarm_rescheduler *rescheduler;
    struct swarm_node *a, *b, *c;
    struct swarm_action action; /* the last one taken */
    int64_t now_ms;
    int made; /* stand-ins */
};

void story_begin_with(struct story *story, const struct swarm_rescheduler_options *options);
void story_begin(struct story *story);
void story_end(struct story *story);
/** A running container of that request, which is taken, on a node that run() has been called for before. */
struct swarm_container *run_request(struct swarm_node *node, const char *id, struct swarm_request *request);
/** A running container that is to be moved. */
struct swarm_container *run(struct story *story, struct swarm_node *node, const char *id, const char *name);
void lose(struct story *story, struct swarm_node *node, int loss);
void come_back(struct story *story, struct swarm_node *node);
void elapse(struct story *story, int64_t ms);
/** The engine's user removes a container. */
void remove_container(struct story *story, struct swarm_container *container);
/** Take the next action: "move <id> to <node>[, start]", "start <id> on <node> for <id>", "remove <id> from <node>[,
 * keep <id>]" or "nothing". */
const char *take(struct story *story);
void expect_nothing(struct story *story);
/** A move to whichever node. @param id  NULL: of whichever container. */
void expect_move(struct story *story, const char *id);
/** Make the stand-in of a move: "new1", "new2", … */
struct swarm_container *make(struct story *story, struct swarm_action *action);
void report_moved(struct story *story, struct swarm_action *action, struct swarm_container *made);
/** The move taken last succeeds. */
struct swarm_container *moved(struct story *story);
/** The removal taken last succeeds. */
void removed(struct story *story);
/** The action taken last fails. */
void failed(struct story *story, const char *reason);
/** Nobody knows what became of the action taken last. */
void unanswered(struct story *story);
size_t waiting(const struct story *story, const struct swarm_node *node);
const char *reason(const struct story *story, const struct swarm_node *node);
int64_t due_in(const struct story *story);

#endif
