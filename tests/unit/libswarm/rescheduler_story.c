/* SPDX-License-Identifier: Apache-2.0 */
#include "rescheduler_story.h"

#include <stdio.h>

void story_begin_with(struct story *story, const struct swarm_rescheduler_options *options)
{
    memset(story, 0, sizeof(*story));
    story->cluster = new_cluster();
    story->scheduler = new_scheduler("spread", NULL);
    story->a = add_sized_node(story->cluster, "a", 8, 16);
    story->b = add_sized_node(story->cluster, "b", 8, 16);
    story->c = add_sized_node(story->cluster, "c", 8, 16);
    story->now_ms = 1000000;
    assert_int_equal(swarm_rescheduler_new(&story->rescheduler, story->cluster, story->scheduler, options, NULL), 0);
}

void story_begin(struct story *story)
{
    story_begin_with(story, NULL);
}

void story_end(struct story *story)
{
    swarm_rescheduler_free(story->rescheduler);
    swarm_scheduler_free(story->scheduler);
    swarm_cluster_free(story->cluster);
}

/* ---- what happens ---- */

struct swarm_container *run_request(struct swarm_node *node, const char *id, struct swarm_request *request)
{
    struct swarm_container *container = NULL;
    struct swarm_cluster *cluster = *(struct swarm_cluster **)swarm_node_data(node);
    assert_int_equal(swarm_cluster_add_container(cluster, node, id, request, &container, NULL), 0);
    assert_int_equal(swarm_container_set_state(container, SWARM_CONTAINER_RUNNING, NULL), 0);
    const char *name = swarm_request_name(request);
    if (name != NULL)
        assert_int_equal(swarm_container_set_names(container, &name, 1, NULL), 0);
    swarm_request_unref(request);
    return container;
}

struct swarm_container *run(struct story *story, struct swarm_node *node, const char *id, const char *name)
{
    char words[128];
    snprintf(words, sizeof(words), "name=%s swarmid=s-%s", name, name);
    struct swarm_request *request = request_of(words);
    assert_int_equal(swarm_request_set_image(request, "img", NULL), 0);
    assert_int_equal(swarm_request_set_reschedule_policy(request, SWARM_RESCHEDULE_ON_NODE_FAILURE, NULL), 0);
    swarm_node_set_data(node, &story->cluster);
    return run_request(node, id, request);
}

void lose(struct story *story, struct swarm_node *node, int loss)
{
    assert_int_equal(swarm_node_set_health(node, 0, NULL), 0);
    assert_int_equal(swarm_rescheduler_node_lost(story->rescheduler, story->now_ms, node, loss, NULL), 0);
}

void come_back(struct story *story, struct swarm_node *node)
{
    assert_int_equal(swarm_node_set_health(node, 100, NULL), 0);
    assert_int_equal(swarm_rescheduler_node_back(story->rescheduler, story->now_ms, node, NULL), 0);
}

void elapse(struct story *story, int64_t ms)
{
    story->now_ms += ms;
    assert_int_equal(swarm_rescheduler_advance(story->rescheduler, story->now_ms, NULL), 0);
}

void remove_container(struct story *story, struct swarm_container *container)
{
    swarm_rescheduler_container_removed(story->rescheduler, container);
    swarm_cluster_remove_container(story->cluster, container);
}

/* ---- what is done about it ---- */

const char *take(struct story *story)
{
    static char text[128];
    struct swarm_action action = SWARM_ACTION_INIT;
    int rc = swarm_rescheduler_next(story->rescheduler, &action, NULL);
    assert_true(rc >= 0);
    if (rc == 0)
        return "nothing";
    story->action = action;
    if (action.kind == SWARM_ACTION_MOVE)
        snprintf(text, sizeof(text), "move %s to %s%s", swarm_container_id(action.container),
                 swarm_node_id(swarm_reservation_node(action.reservation)), action.start ? ", start" : "");
    else if (action.kind == SWARM_ACTION_START)
        snprintf(text, sizeof(text), "start %s on %s for %s", swarm_container_id(action.kept),
                 swarm_node_id(swarm_container_node(action.kept)), swarm_container_id(action.container));
    else if (action.kind == SWARM_ACTION_ADOPT)
        snprintf(text, sizeof(text), "adopt %s on %s for %s%s", swarm_container_id(action.kept),
                 swarm_node_id(swarm_container_node(action.kept)), swarm_container_id(action.container),
                 action.start ? ", start" : "");
    else if (action.kept == NULL)
        snprintf(text, sizeof(text), "remove %s from %s", swarm_container_id(action.container),
                 swarm_node_id(swarm_container_node(action.container)));
    else
        snprintf(text, sizeof(text), "remove %s from %s, keep %s", swarm_container_id(action.container),
                 swarm_node_id(swarm_container_node(action.container)), swarm_container_id(action.kept));
    return text;
}

void expect_nothing(struct story *story)
{
    assert_string_equal(take(story), "nothing");
}

void expect_move(struct story *story, const char *id)
{
    const char *taken = take(story);
    if (strncmp(taken, "move ", 5) != 0 || (id != NULL && strcmp(swarm_container_id(story->action.container), id) != 0))
        fail_msg("got \"%s\", expected a move of %s", taken, id != NULL ? id : "any");
}

struct swarm_container *make(struct story *story, struct swarm_action *action)
{
    char id[32];
    struct swarm_container *made = NULL;
    snprintf(id, sizeof(id), "new%d", ++story->made);
    assert_int_equal(swarm_reservation_commit(action->reservation, id, &made, NULL), 0);
    assert_int_equal(swarm_container_set_state(made, SWARM_CONTAINER_RUNNING, NULL), 0);
    return made;
}

void report_moved(struct story *story, struct swarm_action *action, struct swarm_container *made)
{
    assert_int_equal(swarm_rescheduler_moved(story->rescheduler, story->now_ms, action->id, made, NULL), 0);
}

struct swarm_container *moved(struct story *story)
{
    struct swarm_container *made = make(story, &story->action);
    report_moved(story, &story->action, made);
    return made;
}

void removed(struct story *story)
{
    assert_int_equal(swarm_rescheduler_removed(story->rescheduler, story->now_ms, story->action.id, NULL), 0);
}

void failed(struct story *story, const char *reason)
{
    if (story->action.kind == SWARM_ACTION_MOVE)
        swarm_reservation_abort(story->action.reservation);
    assert_int_equal(swarm_rescheduler_failed(story->rescheduler, story->now_ms, story->action.id, reason, NULL), 0);
}

void unanswered(struct story *story)
{
    if (story->action.kind == SWARM_ACTION_MOVE)
        swarm_reservation_abort(story->action.reservation);
    assert_int_equal(
        swarm_rescheduler_unanswered(story->rescheduler, story->now_ms, story->action.id, "no answer", NULL), 0);
}

size_t waiting(const struct story *story, const struct swarm_node *node)
{
    return swarm_rescheduler_waiting(story->rescheduler, node, NULL);
}

const char *reason(const struct story *story, const struct swarm_node *node)
{
    const char *text = NULL;
    (void)swarm_rescheduler_waiting(story->rescheduler, node, &text);
    return text != NULL ? text : "";
}

int64_t due_in(const struct story *story)
{
    int64_t at = swarm_rescheduler_timeout(story->rescheduler);
    return at < 0 ? -1 : at - story->now_ms;
}
