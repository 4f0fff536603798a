/* SPDX-License-Identifier: Apache-2.0 */
#include "exposition.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct sample {
    char *text; /* name and labels */
    double value;
};

struct exposition {
    struct sample *samples;
    size_t count;
    char *names[512]; /* of metrics that were begun */
    size_t name_count;
    char name[128], type[32]; /* of the one at hand */
    /* the histogram at hand: what its buckets are of, the last one's number, and whether it was +Inf's */
    char bucket_of[520];
    double bucket;
    bool infinite;
};

static bool is_word(const char *text, size_t length, bool colons)
{
    if (length == 0 || isdigit((unsigned char)*text))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && text[i] != '_' && !(colons && text[i] == ':'))
            return false;
    }
    return true;
}

/* "{a="b",c="d"}": what follows it, NULL where it is none. */
static const char *skip_labels(const char *at)
{
    for (at++;;) {
        size_t length = strcspn(at, "=");

        if (at[length] != '=' || !is_word(at, length, false) || at[length + 1] != '"')
            return NULL;
        for (at += length + 2; *at != '"'; at++) {
            if (*at == '\0' || *at == '\n')
                return NULL;
            if (*at == '\\' && !strchr("\\\"n", *++at))
                return NULL;
        }
        at++;
        if (*at == '}')
            return at + 1;
        if (*at++ != ',')
            return NULL;
    }
}

static const char *begin_metric(struct exposition *page, const char *line, const char *end)
{
    static const char *const types[] = {"counter", "gauge", "histogram", "summary", "untyped"};
    char name[128], type_name[128], type[32];
    const char *second = end + 1;
    int used = 0;
    bool known = false;

    if (sscanf(line, "# HELP %127s %*[^\n]%n", name, &used) != 1 || line + used != end ||
        !is_word(name, strlen(name), true))
        return "bad HELP";
    if (sscanf(second, "# TYPE %127s %31[a-z]%n", type_name, type, &used) != 2 || second[used] != '\n' ||
        strcmp(name, type_name) != 0)
        return "HELP without its TYPE";
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        known = known || strcmp(types[i], type) == 0;
    if (!known)
        return "no such type";
    for (size_t i = 0; i < page->name_count; i++) {
        if (strcmp(page->names[i], name) == 0)
            return "a metric in two pieces";
    }
    if (*page->bucket_of)
        return "a histogram without its count";
    page->names[page->name_count++] = strdup(name);
    strcpy(page->name, name);
    strcpy(page->type, type);
    return NULL;
}

/* Cuts le, the last of a bucket's labels, off the others. Its text, NULL where it is missing. */
static const char *split_limit(char *labels)
{
    char *limit = strstr(labels, "le=\"");

    if (!limit)
        return NULL;
    if (limit[-1] == ',') {
        limit[-1] = '}';
        limit[0] = '\0';
    } else {
        limit[-1] = '\0';
    }
    return limit + 4;
}

static const char *check_histogram(struct exposition *page, const char *suffix, const char *text, double value)
{
    char rest[512];
    const char *limit;

    snprintf(rest, sizeof(rest), "%s", text + strlen(page->name) + strlen(suffix));
    if (strcmp(suffix, "_bucket") == 0) {
        limit = split_limit(rest);
        if (!limit)
            return "a bucket without a limit";
        if (*page->bucket_of && strcmp(page->bucket_of + 1, rest) == 0 && (value < page->bucket || page->infinite))
            return "buckets that do not grow";
        if (*page->bucket_of && strcmp(page->bucket_of + 1, rest) != 0)
            return "buckets of another";
        snprintf(page->bucket_of, sizeof(page->bucket_of), "=%s", rest);
        page->bucket = value;
        page->infinite = strcmp(limit, "+Inf\"}") == 0;
        return NULL;
    }
    if (!*page->bucket_of || !page->infinite || strcmp(page->bucket_of + 1, rest) != 0)
        return "sum or count without the bucket of all";
    if (strcmp(suffix, "_sum") == 0)
        return NULL;
    *page->bucket_of = '\0';
    return value == page->bucket ? NULL : "a count that is not the last bucket's";
}

static const char *check_sample(struct exposition *page, const char *text, size_t name_length, double value)
{
    static const char *const suffixes[] = {"_bucket", "_sum", "_count"};
    size_t length = strlen(page->name);

    if (strncmp(text, page->name, length) != 0 || !*page->name)
        return "a sample of another metric";
    if (strcmp(page->type, "histogram") == 0) {
        for (size_t i = 0; i < 3; i++) {
            if (name_length == length + strlen(suffixes[i]) &&
                strncmp(text + length, suffixes[i], strlen(suffixes[i])) == 0)
                return check_histogram(page, suffixes[i], text, value);
        }
        return "no part of a histogram";
    }
    if (name_length != length)
        return "a sample of another metric";
    return strcmp(page->type, "counter") == 0 && value < 0 ? "a counter below 0" : NULL;
}

static const char *take_sample(struct exposition *page, const char *line, const char *end)
{
    size_t name_length = strcspn(line, "{ \n");
    const char *at = line + name_length, *why;
    char *number_end, *text;
    double value;

    if (!is_word(line, name_length, true))
        return "no name";
    if (*at == '{')
        at = skip_labels(at);
    if (!at)
        return "bad labels";
    if (*at != ' ')
        return "no value";
    value = strtod(at + 1, &number_end);
    if (number_end != end || at + 1 == end || isspace((unsigned char)at[1]))
        return "no number";
    text = strndup(line, (size_t)(at - line));
    for (size_t i = 0; i < page->count; i++) {
        if (strcmp(page->samples[i].text, text) == 0) {
            free(text);
            return "a sample twice";
        }
    }
    why = check_sample(page, text, name_length, value);
    page->samples = realloc(page->samples, (page->count + 1) * sizeof(*page->samples));
    page->samples[page->count++] = (struct sample){text, value};
    return why;
}

static const char *read_page(struct exposition *page, const char *text)
{
    const char *why = NULL;

    while (*text && !why) {
        const char *end = strchr(text, '\n');

        if (!end)
            return "no end of line";
        if (*text != '#') {
            why = take_sample(page, text, end);
        } else {
            why = begin_metric(page, text, end);
            end = why ? end : strchr(end + 1, '\n');
        }
        text = end + 1;
    }
    return why ? why : *page->bucket_of ? "a histogram without its count" : NULL;
}

struct exposition *exposition_read(const char *text)
{
    struct exposition *page = calloc(1, sizeof(*page));
    const char *why = read_page(page, text);

    if (why)
        fail_msg("%s, after sample %zu (%s), in:\n%s", why, page->count,
                 page->count ? page->samples[page->count - 1].text : "none", text);
    return page;
}

bool exposition_check(const char *text, char *why, size_t size)
{
    struct exposition *page = calloc(1, sizeof(*page));
    const char *trouble = read_page(page, text);

    snprintf(why, size, "%s", trouble ? trouble : "");
    exposition_free(page);
    return !trouble;
}

void exposition_free(struct exposition *page)
{
    for (size_t i = 0; i < page->count; i++)
        free(page->samples[i].text);
    for (size_t i = 0; i < page->name_count; i++)
        free(page->names[i]);
    free(page->samples);
    free(page);
}

bool exposition_value(const struct exposition *page, const char *sample, double *ret)
{
    for (size_t i = 0; i < page->count; i++) {
        if (strcmp(page->samples[i].text, sample) == 0) {
            *ret = page->samples[i].value;
            return true;
        }
    }
    return false;
}
