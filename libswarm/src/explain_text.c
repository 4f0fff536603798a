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

/* What there is to add to the reason; of several lines the first. */
static void add_detail(struct swarm__text *text, const char *before, const struct swarm_cause *cause)
{
    if (cause->has_detail)
        swarm__text_format(text, "%s%.*s", before, (int)strcspn(cause->detail, "\n"), cause->detail);
}

/* "port 443 taken by web-1 on node-5 and others" */
static void add_port(struct swarm__text *text, const struct swarm_cause *cause)
{
    swarm__text_add(text, "port");
    add_detail(text, " ", cause);
    swarm__text_add(text, " taken");
    if (!cause->blocker)
        return;
    swarm__text_add(text, " by ");
    add_container(text, cause->blocker);
    if (cause->count > 1)
        swarm__text_add(text, " and others");
}

/* The name is taken in the cluster, for all nodes; a filter that gives this reason means its nodes. */
static bool is_name_of_cluster(const struct swarm_cause *cause)
{
    return cause->reason == SWARM_REASON_NAME && !cause->filter;
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

static void add_reason(struct swarm__text *text, const struct swarm_cause *cause)
{
    const char *what = swarm_reason_name(cause->reason), *before = " ";
    switch (cause->reason) {
    case SWARM_REASON_PORT:
        add_port(text, cause);
        return;
    case SWARM_REASON_NAME:
        if (is_name_of_cluster(cause)) {
            add_name(text, cause);
            return;
        }
        break;
    case SWARM_REASON_RESOURCE:
        if (cause->has_detail)
            add_detail(text, "", cause);
        else
            swarm__text_add(text, what);
        swarm__text_add(text, " short");
        return;
    case SWARM_REASON_OTHER:
        what = cause->filter ? cause->filter : what;
        before = ": ";
        break;
    case SWARM_REASON_SLOTS:
        what = "container slots short";
        before = ": ";
        break;
    case SWARM_REASON_CPU:
        what = "CPU short";
        before = ": ";
        break;
    case SWARM_REASON_MEMORY:
        what = "memory short";
        before = ": ";
        break;
    case SWARM_REASON_REPLACED:
        what = "to be replaced";
        break;
    default:
        break;
    }
    swarm__text_add(text, what);
    add_detail(text, before, cause);
}

static void add_cause(struct swarm__text *text, const struct swarm_cause *cause)
{
    if (!is_name_of_cluster(cause))
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
