/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "amount.h"
#include "container.h"
#include "decision.h"
#include "error.h"
#include "mem.h"
#include "node.h"
#include "text.h"

/* Causes that are told one by one; requests with more than these are told a number. */
#define MAX_CAUSES 16

static const char *node_label(const struct swarm_node *node)
{
    return *node->name->text ? node->name->text : node->id;
}

static void add_container(struct swarm__text *text, const struct swarm_container *container)
{
    const char *name = swarm_container_name(container);
    if (*name)
        swarm__text_add(text, name);
    else if (container->id)
        swarm__text_format(text, "%.12s", container->id);
    else
        swarm__text_add(text, "a container that is being created");
    swarm__text_format(text, " on %s", node_label(container->node));
}

/* "port 443 taken by web-1 on node-5 and others" */
static void add_port(struct swarm__text *text, const struct swarm_cause *cause)
{
    swarm__text_format(text, "port %s taken", cause->has_detail ? cause->detail : "");
    if (!cause->blocker)
        return;
    swarm__text_add(text, " by ");
    add_container(text, cause->blocker);
    if (cause->count > 1)
        swarm__text_add(text, " and others");
}

/* "name web taken by a6f3c1 on node-2" */
static void add_name(struct swarm__text *text, const struct swarm_cause *cause)
{
    swarm__text_format(text, "name %s taken", cause->detail);
    const struct swarm_container *holder = cause->blocker;
    if (!holder)
        swarm__text_add(text, " by a rename under way");
    else if (holder->id)
        swarm__text_format(text, " by container %.12s on %s", holder->id, node_label(holder->node));
    else
        swarm__text_format(text, " by a container that is being created on %s", node_label(holder->node));
}

/* "spread", "memory short", "mine: the rack is full"; of an error of several lines the first. */
static void add_with_detail(struct swarm__text *text, const char *what, const struct swarm_cause *cause)
{
    swarm__text_add(text, what);
    if (cause->has_detail)
        swarm__text_format(text, ": %.*s", (int)strcspn(cause->detail, "\n"), cause->detail);
}

static void add_reason(struct swarm__text *text, const struct swarm_cause *cause)
{
    switch (cause->reason) {
    case SWARM_REASON_PORT:
        add_port(text, cause);
        return;
    case SWARM_REASON_NAME:
        add_name(text, cause);
        return;
    case SWARM_REASON_OTHER:
        add_with_detail(text, cause->filter ? cause->filter : "other", cause);
        return;
    case SWARM_REASON_SLOTS:
        add_with_detail(text, "container slots short", cause);
        return;
    case SWARM_REASON_CPU:
        add_with_detail(text, "CPU short", cause);
        return;
    case SWARM_REASON_MEMORY:
        add_with_detail(text, "memory short", cause);
        return;
    case SWARM_REASON_RESOURCE:
        swarm__text_format(text, "%s short", cause->has_detail ? cause->detail : "resource");
        return;
    case SWARM_REASON_REPLACED:
        swarm__text_add(text, "to be replaced");
        return;
    default:
        swarm__text_add(text, swarm_reason_name(cause->reason));
        if (cause->has_detail)
            swarm__text_format(text, " %s", cause->detail);
    }
}

static void add_cause(struct swarm__text *text, const struct swarm_cause *cause)
{
    if (cause->reason != SWARM_REASON_NAME)
        swarm__text_format(text, "%zu ", cause->count);
    add_reason(text, cause);
    const struct swarm_node *nearest = swarm_cause_nearest(cause);
    if (!nearest)
        return;
    char amount[SWARM__AMOUNT_SIZE];
    swarm__amount_text(amount, swarm__cause_lack(cause, nearest->slot), cause->unit);
    swarm__text_format(text, " (nearest %s lacks %s)", node_label(nearest), amount);
}

/* "0/12 nodes fit: 7 memory short (nearest node-3 lacks 310 MiB), 2 draining" */
static void add_summary(struct swarm__text *text, const struct swarm_decision *decision)
{
    swarm__text_format(text, "%zu/%zu nodes %s", decision->fit, decision->cluster->node_count,
                       decision->lasting ? "could ever fit" : "fit");
    for (size_t i = 0; i < decision->cause_count && i < MAX_CAUSES; i++) {
        swarm__text_add(text, i == 0 ? ": " : ", ");
        add_cause(text, &decision->causes[i]);
    }
    if (decision->cause_count > MAX_CAUSES)
        swarm__text_format(text, ", and %zu reasons more", decision->cause_count - MAX_CAUSES);
}

/* "node-5 is chosen: cpu 40, memory 60, health 100, containers 3" */
static void add_choice(struct swarm__text *text, const struct swarm_decision *decision)
{
    swarm__text_format(text, "%s is chosen", node_label(decision->node));
    const char *name;
    int64_t value;
    for (size_t i = 0; swarm_decision_part(decision, 0, i, &name, &value); i++)
        swarm__text_format(text, "%s%s %lld", i == 0 ? ": " : ", ", name, (long long)value);
}

static void add_dropped(struct swarm__text *text, const struct swarm_decision *decision)
{
    const char *expression = swarm_decision_dropped(decision, 0);
    if (expression)
        swarm__text_add(text, "\nsoft expressions dropped:");
    for (size_t i = 0; (expression = swarm_decision_dropped(decision, i)); i++)
        swarm__text_format(text, "%s %s", i == 0 ? "" : ",", expression);
}

int swarm_decision_text(const struct swarm_decision *decision, char **ret_text, struct swarm_error **reterr)
{
    if (!decision || !ret_text)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "decision: NULL");
    struct swarm__text text = {NULL, 0, 0, false};
    if (decision->error)
        swarm__text_add(&text, swarm_error_message(decision->error));
    else if (decision->node)
        add_choice(&text, decision);
    if (decision->explained) {
        swarm__text_add(&text, text.length > 0 ? "\n" : "");
        add_summary(&text, decision);
        add_dropped(&text, decision);
    }
    if (text.failed) {
        swarm__free(text.at);
        return swarm__error_nomem(reterr);
    }
    *ret_text = text.at;
    return 0;
}
