/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect_edit.h"

#include <string.h>

#include "container_entry.h"
#include "json_read.h"

struct edit {
    const char *at, *end; /* what is still to be read */
    const char *kept;     /* of it, all from here on is still to be written */
    const char *node, *engine_ip;
    struct bytes *out;
    int depth;
    bool no_memory;
};

/* Text of the body. */
struct span {
    const char *begin;
    size_t length;
};

static bool is_text(struct span span, const char *text)
{
    return span.length == strlen(text) && memcmp(span.begin, text, span.length) == 0;
}

/* --- writing --- */

static int emit(struct edit *edit, const char *bytes, size_t length)
{
    if (bytes_append(edit->out, bytes, length) == 0)
        return 0;
    edit->no_memory = true;
    return -1;
}

/* All up to @p to. */
static int keep_to(struct edit *edit, const char *to)
{
    int r = emit(edit, edit->kept, (size_t)(to - edit->kept));

    edit->kept = to;
    return r;
}

/* --- reading --- */

static void skip_space(struct edit *edit)
{
    while (edit->at < edit->end && (*edit->at == ' ' || *edit->at == '\t' || *edit->at == '\n' || *edit->at == '\r'))
        edit->at++;
}

static bool next_is(struct edit *edit, char c)
{
    skip_space(edit);
    return edit->at < edit->end && *edit->at == c;
}

static bool take(struct edit *edit, char c)
{
    bool is = next_is(edit, c);

    edit->at += is;
    return is;
}

/* What is between its quotes, as it is written there. */
static int read_string(struct edit *edit, struct span *ret)
{
    const char *begin;

    if (!take(edit, '"'))
        return -1;
    begin = edit->at;
    for (; edit->at < edit->end && *edit->at != '"'; edit->at++) {
        if ((unsigned char)*edit->at < ' ')
            return -1;
        if (*edit->at == '\\' && ++edit->at == edit->end)
            return -1;
    }
    *ret = (struct span){begin, (size_t)(edit->at - begin)};
    return take(edit, '"') ? 0 : -1;
}

/* A number, true, false or null. */
static int skip_word(struct edit *edit)
{
    static const char *const words[] = {"true", "false", "null"};
    struct span word = {edit->at, 0};

    while (edit->at < edit->end && *edit->at != '\0' &&
           strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *edit->at) != NULL)
        edit->at++;
    word.length = (size_t)(edit->at - word.begin);
    if (word.length == 0)
        return -1;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (is_text(word, words[i]))
            return 0;
    }
    for (size_t i = 0; i < word.length; i++) {
        if (strchr("+-.0123456789eE", word.begin[i]) == NULL)
            return -1;
    }
    return 0;
}

typedef int member_fn(struct edit *edit, struct span key, const char *begin);

static int skip_value(struct edit *edit);

static int skip_member(struct edit *edit, struct span key, const char *begin)
{
    return skip_value(edit);
}

/* Each member of the object: @p member is called in front of its value, with where its key begins. */
static int walk_object(struct edit *edit, member_fn *member)
{
    struct span key;
    bool more;

    if (!take(edit, '{') || ++edit->depth > JSON_READ_DEPTH_MAX)
        return -1;
    for (more = !next_is(edit, '}'); more; more = take(edit, ',')) {
        const char *begin;

        skip_space(edit);
        begin = edit->at;
        if (read_string(edit, &key) < 0 || !take(edit, ':') || member(edit, key, begin) < 0)
            return -1;
    }
    edit->depth--;
    return take(edit, '}') ? 0 : -1;
}

static int walk_array(struct edit *edit, int (*item)(struct edit *edit))
{
    bool more;

    if (!take(edit, '[') || ++edit->depth > JSON_READ_DEPTH_MAX)
        return -1;
    for (more = !next_is(edit, ']'); more; more = take(edit, ',')) {
        if (item(edit) < 0)
            return -1;
    }
    edit->depth--;
    return take(edit, ']') ? 0 : -1;
}

static int skip_value(struct edit *edit)
{
    struct span text;

    skip_space(edit);
    if (edit->at == edit->end)
        return -1;
    switch (*edit->at) {
    case '{':
        return walk_object(edit, skip_member);
    case '[':
        return walk_array(edit, skip_value);
    case '"':
        return read_string(edit, &text);
    default:
        return skip_word(edit);
    }
}

/* --- NetworkSettings.Ports: {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]} --- */

static bool is_any_address(struct span text)
{
    char ip[64];

    if (text.length >= sizeof(ip))
        return false;
    memcpy(ip, text.begin, text.length);
    ip[text.length] = '\0';
    return text.length == 0 || ip_is_unspecified(ip);
}

static int edit_binding(struct edit *edit, struct span key, const char *begin)
{
    struct span ip;

    if (!is_text(key, "HostIp") || !next_is(edit, '"'))
        return skip_value(edit);
    if (read_string(edit, &ip) < 0)
        return -1;
    if (!is_any_address(ip))
        return 0;
    if (keep_to(edit, ip.begin) < 0 || emit(edit, edit->engine_ip, strlen(edit->engine_ip)) < 0)
        return -1;
    edit->kept = ip.begin + ip.length;
    return 0;
}

static int edit_item(struct edit *edit)
{
    return next_is(edit, '{') ? walk_object(edit, edit_binding) : skip_value(edit);
}

static int edit_port(struct edit *edit, struct span key, const char *begin)
{
    return next_is(edit, '[') ? walk_array(edit, edit_item) : skip_value(edit);
}

static int edit_network(struct edit *edit, struct span key, const char *begin)
{
    return is_text(key, "Ports") && next_is(edit, '{') ? walk_object(edit, edit_port) : skip_value(edit);
}

/* --- the whole --- */

static int put_node(struct edit *edit)
{
    static const char key[] = "\"Node\":";

    if (edit->node == NULL)
        return 0;
    if (emit(edit, key, sizeof(key) - 1) < 0 || emit(edit, edit->node, strlen(edit->node)) < 0)
        return -1;
    edit->node = NULL;
    return 0;
}

/* Members are written with commas in front: what is written last is no comma. */
static int edit_member(struct edit *edit, struct span key, const char *begin)
{
    bool first = bytes_at(edit->out)[bytes_length(edit->out) - 1] == '{';

    if (is_text(key, "Node"))
        return skip_value(edit);
    if (!first && emit(edit, ",", 1) < 0)
        return -1;
    if (is_text(key, "Name") && edit->node != NULL && (put_node(edit) < 0 || emit(edit, ",", 1) < 0))
        return -1;
    edit->kept = begin;
    if ((is_text(key, "NetworkSettings") && next_is(edit, '{') ? walk_object(edit, edit_network) : skip_value(edit)) <
        0)
        return -1;
    return keep_to(edit, edit->at);
}

static int edit_all(struct edit *edit)
{
    if (emit(edit, "{", 1) < 0 || walk_object(edit, edit_member) < 0)
        return -1;
    skip_space(edit);
    if (edit->at != edit->end)
        return -1;
    if (edit->node != NULL && ((bytes_length(edit->out) > 1 && emit(edit, ",", 1) < 0) || put_node(edit) < 0))
        return -1;
    return emit(edit, "}\n", 2);
}

int inspect_edit(const char *body, size_t length, const char *node, const char *engine_ip, struct bytes *out,
                 bool *ret_no_memory)
{
    struct edit edit = {
        .at = body, .end = body + length, .kept = body, .node = node, .engine_ip = engine_ip, .out = out};
    int r = bytes_reserve(out, length + strlen(node) + 64);

    edit.no_memory = r < 0;
    if (r == 0)
        r = edit_all(&edit);
    *ret_no_memory = edit.no_memory;
    return r;
}
