/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "codec.h"
#include "error.h"
#include "mem.h"
#include "rescheduler.h"

#define ONE_POLICY_LABEL SWARM__LABEL_PREFIX "reschedule-policy"

static const struct {
    const char *label;
    const char *prefix; /* in Env */
} kinds[SWARM__LIST_KINDS] = {
    [SWARM__LIST_CONSTRAINTS] = {SWARM__LABEL_PREFIX "constraints", "constraint:"},
    [SWARM__LIST_AFFINITIES] = {SWARM__LABEL_PREFIX "affinities", "affinity:"},
    [SWARM__LIST_WHITELISTS] = {SWARM__LABEL_PREFIX "whitelists", "whitelist:"},
    [SWARM__LIST_POLICIES] = {SWARM__LABEL_PREFIX "reschedule-policies", "reschedule:"},
};

const char *swarm__list_label(enum swarm__list_kind kind)
{
    return kinds[kind].label;
}

/* ---- lists as text ---- */

static bool is_list_of_strings(const json_t *list)
{
    if (!json_is_array(list))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_string(json_array_get(list, i)))
            return false;
    return true;
}

/**
 * The list in a label's text; an empty one where there is no label.
 *
 * @param plain     Take a text that is no JSON as a list of that one word.
 * @param ret_list  New.
 */
static int list_of(const json_t *labels, const char *label, bool plain, bool strict, json_t **ret_list,
                   struct swarm_error **reterr)
{
    const char *text = swarm__json_text(labels, label);
    json_t *list = NULL;
    if (*text == '\0') {
        list = json_array();
    } else if (plain && *text != '[') {
        list = json_pack("[s]", text);
    } else {
        if (swarm__json_load(text, strlen(text), &list, NULL) == SWARM_ERR_NOMEM)
            return swarm__error_nomem(reterr);
        if (!is_list_of_strings(list)) {
            json_decref(list);
            if (strict)
                return swarm__error_set(reterr, SWARM_ERR_PARSE, "Labels: %s: a JSON list of strings is expected",
                                        label);
            list = json_array();
        }
    }
    if (list == NULL)
        return swarm__error_nomem(reterr);
    *ret_list = list;
    return 0;
}

/** What Go's encoder escapes beyond what JSON demands; 0 where it does not. @param ret_size  Bytes that it stands for.
 */
static const char *go_escape(const char *at, size_t *ret_size)
{
    *ret_size = 1;
    switch (*at) {
    case '<':
        return "\\u003c";
    case '>':
        return "\\u003e";
    case '&':
        return "\\u0026";
    case '\xe2':
        *ret_size = 3;
        if (strncmp(at, "\xe2\x80\xa8", 3) == 0)
            return "\\u2028";
        if (strncmp(at, "\xe2\x80\xa9", 3) == 0)
            return "\\u2029";
        *ret_size = 1;
        return NULL;
    default:
        return NULL;
    }
}

/** The text that classic Swarm has for the list. These characters occur in strings only, so plain text is replaced. */
static int list_text(const json_t *list, char **ret_text)
{
    char *plain;
    size_t length, size;
    if (swarm__json_dump(list, &plain, &length) < 0)
        return SWARM_ERR_NOMEM;
    char *text = swarm__malloc(length * 6 + 1), *out = text;
    for (const char *at = plain; text != NULL && *at != '\0'; at += size) {
        const char *escape = go_escape(at, &size);
        memcpy(out, escape != NULL ? escape : at, escape != NULL ? 6 : 1);
        out += escape != NULL ? 6 : 1;
    }
    swarm__free(plain);
    if (text == NULL)
        return SWARM_ERR_NOMEM;
    *out = '\0';
    *ret_text = text;
    return 0;
}

int swarm__codec_extended_list(const json_t *config, enum swarm__list_kind kind, const char *entry, char **ret_text)
{
    json_t *list;
    int rc =
        list_of(json_object_get(config, "Labels"), kinds[kind].label, kind == SWARM__LIST_POLICIES, false, &list, NULL);
    if (rc < 0)
        return SWARM_ERR_NOMEM;
    rc = json_array_append_new(list, json_string(entry)) < 0 ? SWARM_ERR_NOMEM : list_text(list, ret_text);
    json_decref(list);
    return rc;
}

/* ---- Env to labels ---- */

/** The list that an Env entry belongs to, SWARM__LIST_KINDS for an ordinary one. */
static enum swarm__list_kind kind_of(const char *entry)
{
    int kind = 0;
    while (kind < SWARM__LIST_KINDS && strncmp(entry, kinds[kind].prefix, strlen(kinds[kind].prefix)) != 0)
        kind++;
    return (enum swarm__list_kind)kind;
}

/** Sort Env: what is ordinary stays, the rest is appended to @p lists (made on first use from the label). */
static int sort_env(const json_t *env, const json_t *labels, bool strict, json_t *ordinary,
                    json_t *lists[SWARM__LIST_KINDS], struct swarm_error **reterr)
{
    size_t i;
    json_t *item;
    json_array_foreach (env, i, item) {
        const char *entry = json_string_value(item);
        enum swarm__list_kind kind = kind_of(entry);
        if (kind == SWARM__LIST_KINDS) {
            if (json_array_append(ordinary, item) < 0)
                return swarm__error_nomem(reterr);
            continue;
        }
        int rc = 0;
        if (lists[kind] == NULL)
            rc = list_of(labels, kinds[kind].label, kind == SWARM__LIST_POLICIES, strict, &lists[kind], reterr);
        if (rc < 0)
            return rc;
        if (json_array_append_new(lists[kind], json_string(entry + strlen(kinds[kind].prefix))) < 0)
            return swarm__error_nomem(reterr);
    }
    return 0;
}

static int put_lists(json_t *config, json_t *lists[SWARM__LIST_KINDS])
{
    for (int kind = 0; kind < SWARM__LIST_KINDS; kind++) {
        char *text;
        if (lists[kind] == NULL)
            continue;
        if (list_text(lists[kind], &text) < 0)
            return SWARM_ERR_NOMEM;
        int rc = swarm__json_put(config, "Labels", kinds[kind].label, json_string(text));
        swarm__free(text);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int swarm__codec_move_expressions(json_t *config, bool strict, struct swarm_error **reterr)
{
    json_t *env, *labels, *lists[SWARM__LIST_KINDS] = {NULL};
    int rc = swarm__json_strings(config, "", "Env", &env, reterr);
    if (rc == 0)
        rc = swarm__json_string_map(config, "Labels", &labels, reterr);
    if (rc < 0 || env == NULL)
        return rc;
    json_t *ordinary = json_array();
    if (ordinary == NULL)
        return swarm__error_nomem(reterr);
    rc = sort_env(env, labels, strict, ordinary, lists, reterr);
    if (rc == 0 && put_lists(config, lists) < 0)
        rc = swarm__error_nomem(reterr);
    if (rc == 0 && json_array_size(ordinary) != json_array_size(env) && json_object_set(config, "Env", ordinary) < 0)
        rc = swarm__error_nomem(reterr);
    json_decref(ordinary);
    for (int kind = 0; kind < SWARM__LIST_KINDS; kind++)
        json_decref(lists[kind]);
    return rc;
}

/* ---- labels to the request ---- */

static int read_policies(struct swarm_request *request, const json_t *policies, bool strict,
                         struct swarm_error **reterr)
{
    size_t i;
    json_t *item;
    if (strict && json_array_size(policies) > 1)
        return swarm__error_set(reterr, SWARM_ERR_PARSE, "too many reschedule policies");
    json_array_foreach (policies, i, item) {
        const char *policy = json_string_value(item);
        if (strcmp(policy, "on-node-failure") == 0)
            request->policy = SWARM_RESCHEDULE_ON_NODE_FAILURE;
        else if (strict && strcmp(policy, "off") != 0)
            return swarm__error_set(reterr, SWARM_ERR_PARSE, "invalid reschedule policy: %s", policy);
    }
    return 0;
}

static int check_reconcile(const json_t *labels, struct swarm_error **reterr)
{
    const char *text = swarm__json_text(labels, SWARM_RECONCILE_LABEL);
    if (*text == '\0' || swarm__reconcile_of(text) >= 0)
        return 0;
    return swarm__error_set(
        reterr, SWARM_ERR_PARSE,
        "invalid " SWARM_RECONCILE_LABEL " \"%s\": keep-new, keep-old or longest-running is expected", text);
}

/** The policies of both labels in one list; said in both the same way, one counts once. */
static int read_policy_labels(struct swarm_request *request, const json_t *labels, bool strict,
                              struct swarm_error **reterr)
{
    json_t *policies = NULL, *more = NULL;
    int rc = list_of(labels, kinds[SWARM__LIST_POLICIES].label, true, strict, &policies, reterr);
    if (rc == 0)
        rc = list_of(labels, ONE_POLICY_LABEL, true, strict, &more, reterr);
    if (rc == 0 && !json_equal(policies, more) && json_array_extend(policies, more) < 0)
        rc = swarm__error_nomem(reterr);
    if (rc == 0)
        rc = read_policies(request, policies, strict, reterr);
    if (rc == 0 && strict)
        rc = check_reconcile(labels, reterr);
    json_decref(policies);
    json_decref(more);
    return rc;
}

int swarm__codec_read_lists(struct swarm_request *request, const json_t *labels, bool strict,
                            struct swarm_error **reterr)
{
    static int (*const keep[])(struct swarm_request *, const char *, size_t) = {
        [SWARM__LIST_CONSTRAINTS] = swarm__request_keep_constraint,
        [SWARM__LIST_AFFINITIES] = swarm__request_keep_affinity,
        [SWARM__LIST_WHITELISTS] = swarm__request_keep_whitelist,
    };
    for (int kind = 0; kind <= SWARM__LIST_WHITELISTS; kind++) {
        json_t *list, *item;
        size_t i;
        int rc = list_of(labels, kinds[kind].label, false, strict, &list, reterr);
        if (rc < 0)
            return rc;
        json_array_foreach (list, i, item)
            if (rc == 0)
                rc = keep[kind](request, json_string_value(item), json_string_length(item));
        json_decref(list);
        if (rc < 0)
            return swarm__error_nomem(reterr);
    }
    return read_policy_labels(request, labels, strict, reterr);
}
