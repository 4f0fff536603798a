/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "codec.h"
#include "container.h"
#include "decision.h"
#include "error.h"
#include "mem.h"
#include "node.h"

/*
 * jansson copes with NULL for a value that could not be made: what takes it says so, and so it comes up to the top.
 */

/* Bytes of the UTF-8 character at @p text; 0 where there is none. */
static size_t character_length(const unsigned char *text)
{
    static const struct {
        unsigned char mask, lead, low, high; /* of the first byte, and bounds of the second */
        size_t length;
    } forms[] = {{0x80, 0x00, 0x00, 0xff, 1}, {0xff, 0xe0, 0xa0, 0xbf, 3}, {0xff, 0xed, 0x80, 0x9f, 3},
                 {0xf0, 0xe0, 0x80, 0xbf, 3}, {0xff, 0xf0, 0x90, 0xbf, 4}, {0xff, 0xf4, 0x80, 0x8f, 4},
                 {0xfc, 0xf0, 0x80, 0xbf, 4}, {0xe0, 0xc0, 0x80, 0xbf, 2}};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if ((text[0] & forms[i].mask) != forms[i].lead)
            continue;
        if (text[0] == 0xc0 || text[0] == 0xc1 || text[1] < forms[i].low || text[1] > forms[i].high)
            return 0;
        for (size_t at = 2; at < forms[i].length; at++)
            if ((text[at] & 0xc0) != 0x80)
                return 0;
        return forms[i].length;
    }
    return 0;
}

/* JSON holds UTF-8 only, and names come from anywhere: '?' stands for a byte that belongs to no character. */
static json_t *text_value(const char *text)
{
    if (!text)
        return json_null();
    char *copy = swarm__strdup(text);
    for (size_t at = 0, length; copy && copy[at]; at += length) {
        length = character_length((const unsigned char *)copy + at);
        if (length == 0) {
            copy[at] = '?';
            length = 1;
        }
    }
    json_t *value = copy ? json_string(copy) : NULL;
    swarm__free(copy);
    return value;
}

/* @p object with one member more, which is taken; NULL where there is no memory, and then both are gone. */
static json_t *with(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) == 0)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *node_value(const struct swarm_node *node)
{
    if (!node)
        return json_null();
    return with(with(json_object(), "id", text_value(node->id)), "name", text_value(node->name->text));
}

static const char *unit_name(int unit)
{
    static const char *const names[] = {NULL, "milli-cpu", "bytes", "containers", "pieces"};
    return names[unit];
}

/* With what the node lacks, where an amount is short. */
static json_t *short_node_value(const struct swarm_cause *cause, const struct swarm_node *node)
{
    json_t *value = node_value(node);
    if (!node || cause->unit == SWARM_UNIT_NONE)
        return value;
    return with(value, "shortage", json_integer(swarm__cause_lack(cause, node->slot)));
}

static json_t *nearest_value(const struct swarm_cause *cause)
{
    const struct swarm_node *node = swarm_cause_nearest(cause);
    json_t *value = short_node_value(cause, node);
    return node ? with(value, "unit", json_string(unit_name(cause->unit))) : value;
}

static json_t *container_value(const struct swarm_container *container)
{
    if (!container)
        return json_null();
    json_t *value = with(json_object(), "id", text_value(swarm_container_id(container)));
    value = with(value, "name", text_value(swarm_container_name(container)));
    return with(value, "node", node_value(container->node));
}

/* @p list with one element more; as with(). */
static json_t *with_element(json_t *list, json_t *value)
{
    if (json_array_append_new(list, value) == 0)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *nodes_value(const struct swarm_cause *cause)
{
    json_t *list = json_array();
    struct swarm_node *node = NULL;
    while (list && (node = swarm_cause_next_node(cause, node)))
        list = with_element(list, short_node_value(cause, node));
    return list;
}

static json_t *cause_value(const struct swarm_cause *cause)
{
    json_t *value = with(json_object(), "reason", json_string(swarm_reason_name(cause->reason)));
    value = with(value, "filter", text_value(cause->filter));
    value = with(value, "detail", text_value(swarm_cause_detail(cause)));
    value = with(value, "count", json_integer((json_int_t)cause->count));
    value = with(value, "nearest", nearest_value(cause));
    value = with(value, "blocker", container_value(cause->blocker));
    return with(value, "nodes", nodes_value(cause));
}

static json_t *causes_value(const struct swarm_decision *decision)
{
    json_t *list = json_array();
    for (size_t i = 0; i < decision->cause_count && list; i++)
        list = with_element(list, cause_value(&decision->causes[i]));
    return list;
}

static json_t *parts_value(const struct swarm_decision *decision, size_t index)
{
    json_t *parts = json_object();
    const char *name;
    int64_t value;
    for (size_t i = 0; parts && swarm_decision_part(decision, index, i, &name, &value); i++) {
        json_t *key = text_value(name);
        parts = with(parts, json_string_value(key), json_integer(value));
        json_decref(key);
    }
    return parts;
}

static json_t *ranked_value(const struct swarm_decision *decision)
{
    json_t *list = json_array();
    int64_t score;
    const struct swarm_node *node;
    for (size_t i = 0; list && (node = swarm_decision_ranked(decision, i, &score)); i++) {
        json_t *value = with(node_value(node), "score", json_integer(score));
        list = with_element(list, with(value, "parts", parts_value(decision, i)));
    }
    return list;
}

static json_t *dropped_value(const struct swarm_decision *decision)
{
    json_t *list = json_array();
    const char *text;
    for (size_t i = 0; list && (text = swarm_decision_dropped(decision, i)); i++)
        list = with_element(list, text_value(text));
    return list;
}

static json_t *decision_value(const struct swarm_decision *decision, const char *text)
{
    char seed[24];
    snprintf(seed, sizeof(seed), "%" PRIu64, decision->seed);
    json_t *value = with(json_object(), "granted", json_boolean(decision->code == 0));
    value = with(value, "code", json_integer(decision->code));
    value = with(value, "message", text_value(swarm_decision_message(decision)));
    value = with(value, "text", text_value(text));
    value = with(value, "node", node_value(decision->node));
    value = with(value, "nodes", json_integer((json_int_t)decision->cluster->node_count));
    value = with(value, "fit", json_integer((json_int_t)decision->fit));
    value = with(value, "candidates", json_integer((json_int_t)decision->candidate_count));
    value = with(value, "causes", causes_value(decision));
    value = with(value, "ranked", ranked_value(decision));
    value = with(value, "soft_dropped", dropped_value(decision));
    value = with(value, "seed", json_string(seed));
    return with(value, "generation", json_integer((json_int_t)decision->generation));
}

int swarm_decision_json(const struct swarm_decision *decision, char **ret_json, size_t *ret_length,
                        struct swarm_error **reterr)
{
    if (!decision || !ret_json)
        return swarm__error_set(reterr, SWARM_ERR_INVALID, "decision: NULL");
    char *text = NULL;
    int code = swarm_decision_text(decision, &text, reterr);
    if (code != 0)
        return code;
    json_t *value = decision_value(decision, text);
    swarm__free(text);
    if (!value || swarm__json_dump(value, ret_json, ret_length) != 0)
        code = swarm__error_nomem(reterr);
    json_decref(value);
    return code;
}
