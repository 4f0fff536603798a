/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "decide.h"
#include "error.h"
#include "mem.h"

/* A text that grows. */
struct text {
    char *at;
    size_t length;
    size_t capacity;
};

static int append(struct text *text, const char *more)
{
    size_t length = strlen(more);
    if (swarm__grow(&text->at, &text->capacity, text->length + length + 1, 1) != 0)
        return SWARM_ERR_NOMEM;
    memcpy(text->at + text->length, more, length + 1);
    text->length += length;
    return 0;
}

static int append_line(struct text *text, const char *before, const char *line, const char *after)
{
    return append(text, "\n") != 0 || append(text, before) != 0 || append(text, line) != 0 || append(text, after) != 0
               ? SWARM_ERR_NOMEM
               : 0;
}

/* "error from affinity filter: Value '' is invalid" */
static int append_flaw(struct text *text, const char *filter, const struct swarm_error *error)
{
    if (append_line(text, "error from ", filter, " filter: ") != 0)
        return SWARM_ERR_NOMEM;
    return append(text, swarm_error_message(error));
}

/* @return 1 where the filter could not list, so that listing stops there; 0; an error. */
static int append_conditions(struct text *text, const struct swarm__step *step, const struct swarm_request *request)
{
    if (!step->ops->conditions)
        return 0;
    struct swarm_conditions conditions = {NULL, 0, 0};
    struct swarm_error *error = NULL;
    void *data = step->extension ? step->extension->data : NULL;
    int code = step->ops->conditions(data, request, &conditions, &error);
    int stop = code != 0;
    if (stop && code != SWARM_ERR_NOMEM)
        code = append_flaw(text, step->ops->name, error);
    else if (!stop && conditions.text)
        code = append_line(text, "[", conditions.text, "]");
    swarm_error_free(error);
    swarm__free(conditions.text);
    return code != 0 ? code : stop;
}

int swarm__refuse(const struct swarm_scheduler *scheduler, const struct swarm_request *request, size_t failed, int code,
                  struct swarm_error **reterr)
{
    if (!reterr)
        return code;
    struct text text = {NULL, 0, 0};
    int stop = append(&text, "Unable to find a node that satisfies the following conditions ");
    for (size_t i = 0; i <= failed && stop == 0; i++)
        stop = append_conditions(&text, &scheduler->filters[i], request);
    code = stop < 0 ? swarm__error_nomem(reterr) : swarm__error_set(reterr, code, "%s", text.at);
    swarm__free(text.at);
    return code;
}

int swarm__refuse_excluded(int code, const struct swarm__excluded *excluded, struct swarm_error **reterr)
{
    if (!reterr || !*reterr || excluded->paused + excluded->draining + excluded->replaced == 0)
        return code;
    struct {
        size_t count;
        const char *what;
    } reasons[] = {
        {excluded->paused, "paused"},
        {excluded->draining, "draining"},
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
