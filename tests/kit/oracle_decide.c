/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "oracle.h"
#include "oracle_filter.h"

/* One try: filters in order, then the strategy, with soft expressions or without. */

struct attempt {
    const struct oracle *oracle;
    const struct oracle_question *question;
    const struct oracle_asked *asked;
    bool soft;
    struct oracle_answer *answer;
};

static void add_line(char *text, const char *before, const char *line, const char *after)
{
    size_t length = strlen(text);
    int more = snprintf(text + length, ORACLE_ERROR - length, "\n%s%s%s", before, line, after);
    kit_check(more >= 0 && (size_t)more < ORACLE_ERROR - length);
}

static const struct oracle_expr *first_bad(const struct oracle_filter *filter, const struct oracle_asked *asked)
{
    const struct oracle_exprs *exprs = filter->exprs ? filter->exprs(asked) : NULL;
    for (size_t i = 0; exprs && i < exprs->count; i++)
        if (exprs->items[i].bad)
            return &exprs->items[i];
    return NULL;
}

static struct oracle_why *why_of(const struct attempt *attempt, const struct oracle_node *node)
{
    size_t i = 0;
    while (attempt->answer->why[i].node != node)
        i++;
    return &attempt->answer->why[i];
}

static void blame(const struct attempt *attempt, const struct oracle_node *node, const char *reason, const char *by,
                  const char *detail)
{
    struct oracle_why *why = why_of(attempt, node);
    why->reason = reason;
    why->by = by;
    why->shortage = 0;
    snprintf(why->detail, sizeof(why->detail), "%s", detail);
}

/* Filters up to the one that failed have their conditions listed. */
static void refuse(const struct attempt *attempt, size_t failed)
{
    char *text = attempt->answer->error;
    strcpy(text, "Unable to find a node that satisfies the following conditions ");
    for (size_t i = 0; i <= failed; i++) {
        const struct oracle_filter *filter = oracle_filter(attempt->question->filters[i]);
        const struct oracle_expr *bad = first_bad(filter, attempt->asked);
        if (bad) {
            char front[64];
            snprintf(front, sizeof(front), "error from %s filter: ", filter->name);
            add_line(text, front, bad->error, "");
            return;
        }
        char items[ORACLE_ERROR] = "";
        if (filter->list)
            filter->list(attempt->asked, items);
        if (*items)
            add_line(text, "[", items, "]");
    }
}

static enum oracle_verdict run_filter(const struct attempt *attempt, size_t index)
{
    const struct oracle_filter *filter = oracle_filter(attempt->question->filters[index]);
    struct oracle_nodes *nodes = &attempt->answer->candidates, before = *nodes;
    const struct oracle_expr *bad = first_bad(filter, attempt->asked);
    for (size_t i = 0; bad && i < before.count; i++)
        blame(attempt, before.items[i], "other", filter->name, bad->error);
    if (bad) {
        refuse(attempt, index);
        return ORACLE_MALFORMED;
    }
    nodes->count = 0;
    for (size_t i = 0; i < before.count; i++) {
        if (filter->keeps(attempt->oracle, attempt->asked, attempt->soft, before.items[i])) {
            nodes->items[nodes->count++] = before.items[i];
            continue;
        }
        blame(attempt, before.items[i], filter->reason, filter->name, "");
        if (filter->detail)
            filter->detail(attempt->oracle, attempt->asked, attempt->soft, before.items[i],
                           why_of(attempt, before.items[i]));
    }
    if (nodes->count > 0)
        return ORACLE_GRANTED;
    if (strcmp(filter->name, "health") == 0) {
        strcpy(attempt->answer->error, "No healthy node available in the cluster");
        return ORACLE_REFUSED;
    }
    if (before.count == 0)
        return ORACLE_GRANTED; /* there was none to start with, which is said in the end */
    refuse(attempt, index);
    return ORACLE_REFUSED;
}

__extension__ typedef __int128 wide;

/* Whole percent of a total that would be taken; 100 where nothing is asked. */
static int64_t share(int64_t used, int64_t asked, int64_t total)
{
    if (asked == 0)
        return 100;
    return (int64_t)(((wide)used + asked) * 100 / total);
}

struct weight {
    int64_t weight;
    size_t containers;
};

/* What is asked for beyond what is left, which may be less than nothing. */
static int64_t lack(int64_t asked, int64_t left)
{
    wide lack = (wide)asked - left;
    return lack < INT64_MAX ? (int64_t)lack : INT64_MAX;
}

/* By whole percent, so that a node may be filled up to just under 101 %. */
static bool has_room(int64_t used, int64_t asked, int64_t total)
{
    return asked == 0 || (asked <= total && share(used, asked, total) <= 100);
}

static void blame_room(const struct attempt *attempt, const struct oracle_node *node, const struct oracle_sums *sums)
{
    const struct oracle_request *request = attempt->question->request;
    bool cpu = !has_room(sums->cpus_milli, request->cpus_milli, sums->total_cpus_milli);
    blame(attempt, node, cpu ? "cpu" : "memory", attempt->question->strategy, "");
    why_of(attempt, node)->shortage = cpu ? lack(request->cpus_milli, sums->total_cpus_milli - sums->cpus_milli)
                                          : lack(request->memory, sums->total_memory - sums->memory);
}

static bool weigh(const struct attempt *attempt, const struct oracle_node *node, int factor, struct weight *ret)
{
    const struct oracle_request *request = attempt->question->request;
    struct oracle_sums sums = oracle_sums(attempt->oracle, node);
    if (!has_room(sums.cpus_milli, request->cpus_milli, sums.total_cpus_milli) ||
        !has_room(sums.memory, request->memory, sums.total_memory)) {
        blame_room(attempt, node, &sums);
        return false;
    }
    int64_t cpus = share(sums.cpus_milli, request->cpus_milli, sums.total_cpus_milli);
    int64_t memory = share(sums.memory, request->memory, sums.total_memory);
    ret->weight = cpus + memory + factor * node->health;
    ret->containers = sums.all;
    return true;
}

/* Above 0: @p a comes first. */
static int compare(bool spread, const struct weight *a, const struct weight *b)
{
    int by_weight = (a->weight > b->weight) - (a->weight < b->weight);
    int by_count = (a->containers > b->containers) - (a->containers < b->containers);
    int result = by_weight ? by_weight : by_count;
    return spread ? -result : result;
}

/* Nodes that have of each named resource what is asked for. */
static void narrow(const struct attempt *attempt)
{
    const struct oracle_amounts *asked = &attempt->question->request->resources;
    struct oracle_nodes *nodes = &attempt->answer->candidates, before = *nodes;
    nodes->count = 0;
    for (size_t i = 0; i < before.count; i++) {
        struct oracle_node *node = before.items[i];
        bool fits = true;
        for (size_t j = 0; fits && j < asked->count; j++) {
            const char *name = asked->items[j].name;
            int64_t left = oracle_amount(&node->resources, name) - oracle_used(attempt->oracle, node, name);
            fits = asked->items[j].amount == 0 || asked->items[j].amount <= left;
            if (fits)
                continue;
            blame(attempt, node, "resource", NULL, name);
            why_of(attempt, node)->shortage = lack(asked->items[j].amount, left);
        }
        if (fits)
            nodes->items[nodes->count++] = node;
    }
}

static enum oracle_verdict run_strategy(const struct attempt *attempt)
{
    const struct oracle_nodes *nodes = &attempt->answer->candidates;
    struct oracle_nodes *best = &attempt->answer->best;
    bool spread = strcmp(attempt->question->strategy, "spread") == 0;
    struct weight first = {0, 0};
    best->count = 0;
    if (nodes->count == 0) {
        strcpy(attempt->answer->error, "No nodes available in the cluster");
        return ORACLE_REFUSED;
    }
    narrow(attempt);
    bool any = strcmp(attempt->question->strategy, "random") == 0;
    if (any)
        *best = *nodes;
    for (size_t i = 0; !any && i < nodes->count; i++) {
        struct weight weight;
        if (!weigh(attempt, nodes->items[i], spread ? -10 : 10, &weight))
            continue;
        int order = best->count > 0 ? compare(spread, &weight, &first) : 1;
        if (order > 0) {
            best->count = 0;
            first = weight;
        }
        if (order >= 0)
            best->items[best->count++] = nodes->items[i];
    }
    if (best->count > 0)
        return ORACLE_GRANTED;
    strcpy(attempt->answer->error, "no resources available to schedule container");
    return ORACLE_REFUSED;
}

static enum oracle_verdict run(const struct attempt *attempt)
{
    const struct oracle_container *replaces = attempt->question->replaces;
    struct oracle_nodes *nodes = &attempt->answer->candidates;
    static const char *const words[] = {NULL, "paused", "draining"};
    nodes->count = 0;
    attempt->answer->why_count = 0;
    for (struct oracle_node *at = attempt->oracle->nodes; at; at = at->next) {
        bool replaced = replaces && replaces->node == at;
        attempt->answer->why[attempt->answer->why_count++] = (struct oracle_why){.node = at};
        blame(attempt, at, replaced ? "replaced" : words[at->availability], NULL, "");
        if (at->availability == 0 && !replaced)
            nodes->items[nodes->count++] = at;
    }
    for (size_t i = 0; i < attempt->question->filter_count; i++) {
        enum oracle_verdict verdict = run_filter(attempt, i);
        if (verdict != ORACLE_GRANTED)
            return verdict;
    }
    return run_strategy(attempt);
}

/* Nodes that were no candidates at all are told in a last line. */
static void add_excluded(const struct oracle *oracle, const struct oracle_container *replaces, char *text)
{
    static const char *const words[] = {"paused", "draining", "to be replaced"};
    size_t counts[3] = {0, 0, 0};
    char line[128] = "";
    for (const struct oracle_node *at = oracle->nodes; at; at = at->next) {
        if (replaces && replaces->node == at)
            counts[2]++;
        else if (at->availability != 0)
            counts[at->availability - 1]++;
    }
    for (size_t i = 0; i < 3; i++)
        if (counts[i] > 0)
            sprintf(line + strlen(line), "%s%zu %s", *line ? ", " : "", counts[i], words[i]);
    if (*line)
        sprintf(text, "[nodes not considered: %s]", line);
}

void oracle_ask(const struct oracle *oracle, const struct oracle_question *question, struct oracle_answer *ret)
{
    const char *name = question->request->name;
    memset(ret, 0, sizeof(*ret));
    for (const struct oracle_node *at = oracle->nodes; at; at = at->next) {
        ret->why[ret->why_count] = (struct oracle_why){.node = at, .reason = "name"};
        snprintf(ret->why[ret->why_count++].detail, sizeof(ret->why[0].detail), "%s", name);
    }
    if (*name && oracle_name_taken(oracle, name, question->replaces)) {
        ret->verdict = ORACLE_NAME_TAKEN;
        snprintf(ret->error, sizeof(ret->error),
                 "Conflict: The name %s is already assigned. You have to delete (or rename) that container to be able "
                 "to assign %s to a container again.",
                 name, name);
        return;
    }
    struct oracle_asked asked;
    oracle_asked_init(&asked, question->request);
    struct attempt attempt = {oracle, question, &asked, true, ret};
    ret->verdict = run(&attempt);
    if (ret->verdict != ORACLE_GRANTED && oracle_asked_soft(&asked)) {
        attempt.soft = false;
        ret->soft_dropped = true;
        ret->verdict = run(&attempt);
    }
    if (ret->verdict == ORACLE_GRANTED)
        ret->error[0] = '\0';
    else
        add_excluded(oracle, question->replaces, ret->excluded);
    oracle_asked_finish(&asked);
}

void oracle_would_fit(const struct oracle *oracle, const struct oracle_question *question, struct oracle_nodes *ret,
                      bool *ret_malformed)
{
    const struct oracle_request *request = question->request;
    struct oracle_asked asked;
    bool random = strcmp(question->strategy, "random") == 0, malformed = false;
    oracle_asked_init(&asked, request);
    ret->count = 0;
    for (struct oracle_node *at = oracle->nodes; at; at = at->next) {
        struct oracle_sums sums = oracle_sums(oracle, at);
        bool fits = random || (request->cpus_milli <= sums.total_cpus_milli && request->memory <= sums.total_memory);
        for (size_t i = 0; i < request->resources.count; i++)
            fits = fits && request->resources.items[i].amount <=
                               oracle_amount(&at->resources, request->resources.items[i].name);
        for (size_t i = 0; i < question->filter_count; i++) {
            const struct oracle_filter *filter = oracle_filter(question->filters[i]);
            bool lasts = strcmp(filter->name, "constraint") == 0 || strcmp(filter->name, "whitelist") == 0;
            if (strcmp(filter->name, "containerslots") == 0)
                fits = fits && oracle_slots(at) >= 1;
            else if (lasts && !first_bad(filter, &asked))
                fits = fits && filter->keeps(oracle, &asked, false, at);
        }
        if (fits)
            ret->items[ret->count++] = at;
    }
    for (size_t i = 0; i < question->filter_count; i++) {
        const struct oracle_filter *filter = oracle_filter(question->filters[i]);
        malformed = malformed || (strcmp(filter->name, "affinity") != 0 && first_bad(filter, &asked));
    }
    *ret_malformed = malformed;
    oracle_asked_finish(&asked);
}
