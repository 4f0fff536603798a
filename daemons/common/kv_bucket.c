/* SPDX-License-Identifier: Apache-2.0 */
#include "kv_bucket.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discovery_private.h"
#include "text.h"

enum { BUCKETS = 64 };
#define NO_KIND "=" /* in place of the second part of a key that has two only */

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_:";

static unsigned bucket_of(const char *text)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return (hash ^ hash >> 16) % BUCKETS;
}

char *kv_bucket_path(const char *key)
{
    const char *first = strchrnul(key, '/'), *second = *first ? strchr(first + 1, '/') : NULL;
    const char *rest = second ? second + 1 : *first ? first + 1 : "";
    char *path = malloc(strlen(key) * 3 + 16);
    if (!path)
        return NULL;
    char *to = path + sprintf(path, "%.*s/%02x/", (int)((second ? second : first) - key), key, bucket_of(rest));
    if (!second)
        to = path + sprintf(path, "%.*s/" NO_KIND "/%02x/", (int)(first - key), key, bucket_of(rest));
    for (; *rest; rest++)
        to += strchr(plain, *rest) ? sprintf(to, "%c", *rest) : sprintf(to, "%%%02X", (unsigned char)*rest);
    *to = '\0';
    return path;
}

static int hex(char digit)
{
    const char *digits = "0123456789ABCDEF", *at = digit ? strchr(digits, digit) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* The key of a name in a group, "kept/container"; NULL where it is none of ours, or for lack of memory. */
static char *key_of(const char *group, const char *name)
{
    size_t length = strlen(group), skip = strlen("/" NO_KIND);
    char *key = malloc(length + strlen(name) + 2);
    if (!key)
        return NULL;
    if (length > skip && strcmp(group + length - skip, "/" NO_KIND) == 0)
        length -= skip;
    char *to = key + sprintf(key, "%.*s/", (int)length, group);
    for (; *name; name++) {
        int high = *name == '%' ? hex(name[1]) : -1, low = high >= 0 ? hex(name[2]) : -1;
        if (*name == '%' && low < 0) {
            free(key);
            return NULL;
        }
        *to++ = low >= 0 ? (char)(high * 16 + low) : *name;
        name += low >= 0 ? 2 : 0;
    }
    *to = '\0';
    return key;
}

/* Whether keys that begin with "<start>/" can be among those from @p from on and before @p to. */
static bool overlaps(const char *start, const char *from, const char *to)
{
    char *first = text_format("%s/", start), *end = text_format("%s0", start);
    bool among = first && end && strcmp(first, to) < 0 && strcmp(end, from) > 0;
    free(first);
    free(end);
    return among;
}

void kv_bucket_names_free(char **names)
{
    for (char **name = names; name && *name; name++)
        free(*name);
    free(names);
}

int kv_bucket_names_add(char ***names, const char *name, size_t length)
{
    size_t count = 0;
    while (*names && (*names)[count])
        count++;
    if ((count & (count + 1)) == 0) { /* full: 1, 2, 4 … with the NULL */
        char **more = realloc(*names, (count + 1) * 2 * sizeof *more);
        if (!more)
            return -1;
        *names = more;
    }
    (*names)[count] = strndup(name, length);
    (*names)[count + 1] = NULL;
    return (*names)[count] ? 0 : -1;
}

/* --- reading --- */

struct reading {
    const char *group, *from, *to;
    kv_store_fn fn;
    void *data;
};

static int tell(void *data, const char *name, const char *value, size_t length)
{
    const struct reading *reading = data;
    char *key = key_of(reading->group, name);
    int status = 0;
    if (key && strcmp(key, reading->from) >= 0 && strcmp(key, reading->to) < 0)
        status = reading->fn(reading->data, key, value, length);
    free(key);
    return status;
}

/* For each name below a directory. */
struct walk {
    struct kv_store *store;
    const struct kv_bucket_ops *ops;
    struct reading *reading;
    char **reterr;
};
static int for_each(const struct walk *walk, const char *directory, int (*visit)(const struct walk *, const char *))
{
    char **names = NULL;
    int status = walk->ops->names(walk->store, directory, &names, walk->reterr);
    for (char **name = names; status == 0 && name && *name; name++) {
        char *path = text_format("%s%s%s", directory, *directory ? "/" : "", *name);
        status = path ? visit(walk, path) : -1;
        free(path);
    }
    kv_bucket_names_free(names);
    return status;
}

static int read_bucket(const struct walk *walk, const char *path)
{
    return walk->ops->read(walk->store, path, tell, walk->reading, walk->reterr);
}

static int read_group(const struct walk *walk, const char *group)
{
    size_t length = strlen(group), skip = strlen("/" NO_KIND);
    bool any = length > skip && strcmp(group + length - skip, "/" NO_KIND) == 0;
    walk->reading->group = group;
    return any || overlaps(group, walk->reading->from, walk->reading->to) ? for_each(walk, group, read_bucket) : 0;
}

static int read_top(const struct walk *walk, const char *top)
{
    return overlaps(top, walk->reading->from, walk->reading->to) ? for_each(walk, top, read_group) : 0;
}

int kv_bucket_load(struct kv_store *store, const struct kv_bucket_ops *ops, const char *from, const char *to,
                   kv_store_fn fn, void *data, char **reterr)
{
    struct reading reading = {.from = from, .to = to, .fn = fn, .data = data};
    const struct walk walk = {store, ops, &reading, reterr};
    return for_each(&walk, "", read_top);
}
