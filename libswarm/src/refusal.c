/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "decide.h"
#include "error.h"
#include "mem.h"
#include "text.h"

static void add_line(struct swarm__text *text, const char *before, const char *line, const char *after)
{
    swarm__text_add(text, "\n");
    swarm__text_add(text, before);
    swarm__text_add(text, line);
    swarm__text_add(text, after);
}

/* "error from affinity filter: Value '' is invalid" */
static void add_flaw(struct swarm__text *text, const char *filter, const struct swarm_error *error)
{
    add_line(text, "error from ", filter, " filter: ");
    swarm__text_add(text, swarm_error_message(error));
}

/* @return Whether the filter could list, so that listing goes on. */
static bool add_conditions(struct swarm__text *text, const struct swarm__step *step,
                           const struct swarm_request *request)
{
    if (!step->ops->conditions)
        return true;
    struct swarm_conditions conditions = {NULL, 0, 0};
    struct swarm_error *error = NULL;
    void *data = step->extension ? step->extension->data : NULL;
    int code = step->ops->conditions(data, request, &conditions, &error);
    if (code == SWARM_ERR_NOMEM)
        text->failed = true;
    else if (code != 0)
        add_flaw(text, step->ops->name, error);
    else if (conditions.text)
        add_line(text, "[", conditions.text, "]");
    swarm_error_free(error);
    swarm__free(conditions.text);
    return code == 0;
}

int swarm__refuse(const struct swarm_scheduler *scheduler, const struct swarm_request *request, size_t failed, int code,
                  struct swarm_error **reterr)
{
    if (!reterr)
        return code;
    struct swarm__text text = {NULL, 0, 0, false};
    swarm__text_add(&text, "Unable to find a node that satisfies the following conditions ");
    bool more = true;
    for (size_t i = 0; i <= failed && more; i++)
        more = add_conditions(&text, &scheduler->filters[i], request);
    code = text.failed ? swarm__error_nomem(reterr) : swarm__error_set(reterr, code, "%s", text.at);
    swarm__free(text.at);
    return code;
}

int swarm__refuse_excluded(int code, const struct swarm__excluded *excluded, struct swarm_error **reterr)
{
    if (!reterr || !*reterr || excluded->paused + excluded->draining + excluded->unannounced + excluded->replaced == 0)
        return code;
    struct {
        size_t count;
        const char *what;
    } reasons[] = {
        {excluded->paused, "paused"},
        {excluded->draining, "draining"},
        {excluded->unannounced, "unannounced"},
        {excluded->replaced, "to be replaced"},
    };
    char line[128] = "";
    size_t length = 0;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].count > 0)
            length += (size_t)snprintf(line + length, sizeof(line) - length, "%s%zu %s", length ? ", " : "",
                                       reasons[i].count, reasons[i].what);
    struct swarm_error *longer = NULL;
    code = swarm__error_set(&longer, code, "%s\n[nodes not considered: %s]", swarm_error_message(*reterr), line);
    swarm_error_free(*reterr);
    *reterr = longer;
    return code;
}
