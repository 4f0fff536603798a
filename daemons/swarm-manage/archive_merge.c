/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_merge.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "json_read.h"

#define BLOCK 512
#define LIST_MAX ((uint64_t)4 << 20)     /* bytes of a list of what an archive has … */
#define LISTED_MAX 10000                 /* … and the images in it */
#define EXTENDED_MAX ((uint64_t)1 << 20) /* bytes of the extended headers in front of one entry */
#define NAMES_MAX 100000 /* of entries that are remembered: what comes twice beyond them is there twice */

/* Where things are in a header. */
enum {
    AT_MODE = 100,
    AT_OWNER = 108,
    AT_GROUP = 116,
    AT_SIZE = 124,
    AT_TIME = 136,
    AT_SUM = 148,
    AT_TYPE = 156,
    AT_MAGIC = 257,
    AT_PREFIX = 345
};
enum { NAME_SIZE = 100, ID_SIZE = 8, SIZE_SIZE = 12, SUM_SIZE = 8, PREFIX_SIZE = 155 };

/* What an archive says of itself, in the order in which they are written. */
enum { MANIFEST, REPOSITORIES, INDEX, LAYOUT, LISTS };
static const char *const list_names[LISTS] = {"manifest.json", "repositories", "index.json", "oci-layout"};

/* What becomes of the data that is coming. */
enum use { USE_NONE, USE_PASS, USE_DROP, USE_LIST, USE_EXTENDED };

struct archive_merge {
    int (*write)(void *data, const void *bytes, size_t length);
    void *data;
    const char *error;

    unsigned char block[BLOCK]; /* a header, as far as it has come */
    size_t block_length;
    bool ended; /* the archive under way had its end: what follows is padding */

    enum use use;
    uint64_t left;    /* bytes of the entry's data … */
    uint64_t padding; /* … and those behind it, up to a whole block */
    int list;         /* which it is */
    char extended_type;
    struct bytes extended; /* headers in front of the next entry, with their data, to be passed with it */
    struct bytes taken;    /* data of the list or extended header that is coming */
    char *long_name;       /* of the next entry; NULL: it is in its header */
    bool has_size;         /* likewise */
    uint64_t size;

    json_t *lists[LISTS]; /* of all archives; NULL: none had it */
    int archives, with[LISTS];
    json_t *names; /* keys: entries that were passed on */
};

static int fail(struct archive_merge *merge, const char *why)
{
    merge->error = why;
    return -1;
}

static int no_memory(struct archive_merge *merge)
{
    return fail(merge, "out of memory");
}

struct archive_merge *archive_merge_new(int (*write)(void *data, const void *bytes, size_t length), void *data)
{
    struct archive_merge *merge = calloc(1, sizeof(*merge));

    if (merge == NULL)
        return NULL;
    merge->write = write;
    merge->data = data;
    merge->names = json_object();
    if (merge->names != NULL)
        return merge;
    free(merge);
    return NULL;
}

void archive_merge_free(struct archive_merge *merge)
{
    if (merge == NULL)
        return;
    for (int i = 0; i < LISTS; i++)
        json_decref(merge->lists[i]);
    json_decref(merge->names);
    bytes_free(&merge->extended);
    bytes_free(&merge->taken);
    free(merge->long_name);
    free(merge);
}

const char *archive_merge_error(const struct archive_merge *merge)
{
    return merge->error;
}

/* --- headers --- */

static bool is_zero(const unsigned char *block)
{
    for (size_t i = 0; i < BLOCK; i++) {
        if (block[i] != 0)
            return false;
    }
    return true;
}

/* Octal digits between blanks, or, where the first bit is set, a binary number. */
static int read_number(const unsigned char *field, size_t size, uint64_t *ret)
{
    uint64_t number = 0;
    size_t i = 0;

    if ((field[0] & 0x80) != 0) {
        for (i = 1; i < size; i++) {
            if (number >> 55 != 0)
                return -1;
            number = number << 8 | field[i];
        }
        *ret = number;
        return (field[0] & 0x7f) == 0 ? 0 : -1;
    }
    while (i < size && field[i] == ' ')
        i++;
    for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
        number = number << 3 | (uint64_t)(field[i] - '0');
    *ret = number;
    return i == size || field[i] == ' ' || field[i] == '\0' ? 0 : -1;
}

static bool sum_is_right(const unsigned char *block)
{
    uint64_t told, sum = 0;

    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= AT_SUM && i < AT_SUM + SUM_SIZE ? ' ' : block[i];
    return read_number(block + AT_SUM, SUM_SIZE, &told) == 0 && told == sum;
}

/* The entry's name; new text. */
static char *name_of(const struct archive_merge *merge)
{
    const char *block = (const char *)merge->block;
    bool prefixed = memcmp(block + AT_MAGIC, "ustar\0", 6) == 0 && block[AT_PREFIX] != '\0';
    char *name;

    if (merge->long_name != NULL)
        return strdup(merge->long_name);
    if (asprintf(&name, "%.*s%s%.*s", prefixed ? PREFIX_SIZE : 0, block + AT_PREFIX, prefixed ? "/" : "", NAME_SIZE,
                 block) < 0)
        return NULL;
    return name;
}

static int find_list(const char *name)
{
    if (strncmp(name, "./", 2) == 0)
        name += 2;
    for (int i = 0; i < LISTS; i++) {
        if (strcmp(name, list_names[i]) == 0)
            return i;
    }
    return -1;
}

/* --- extended headers --- */

static int set_long_name(struct archive_merge *merge, const char *text, size_t length)
{
    free(merge->long_name);
    merge->long_name = strndup(text, length);
    return merge->long_name == NULL ? no_memory(merge) : 0;
}

static int take_record(struct archive_merge *merge, const char *key, size_t key_length, const char *value,
                       size_t length)
{
    if (key_length == 4 && memcmp(key, "path", 4) == 0)
        return set_long_name(merge, value, length);
    if (key_length == 4 && memcmp(key, "size", 4) == 0) {
        merge->size = 0;
        merge->has_size = true;
        for (size_t i = 0; i < length; i++) {
            if (value[i] < '0' || value[i] > '9' || merge->size > UINT64_MAX / 20)
                return fail(merge, "an extended header has a size that is no number");
            merge->size = merge->size * 10 + (uint64_t)(value[i] - '0');
        }
    }
    return 0;
}

/* "<length> <key>=<value>\n", one after another. */
static int take_records(struct archive_merge *merge, const char *at, size_t left)
{
    while (left > 0) {
        size_t length = 0, digits = 0, key;
        const char *equals;

        while (digits < left && digits < 8 && at[digits] >= '0' && at[digits] <= '9')
            length = length * 10 + (size_t)(at[digits++] - '0');
        if (digits == 0 || digits == left || at[digits] != ' ' || length > left || length < digits + 3 ||
            at[length - 1] != '\n')
            return fail(merge, "an extended header is malformed");
        key = digits + 1;
        equals = memchr(at + key, '=', length - key);
        if (equals == NULL)
            return fail(merge, "an extended header is malformed");
        if (take_record(merge, at + key, (size_t)(equals - at) - key, equals + 1,
                        (size_t)(at + length - 1 - (equals + 1))) < 0)
            return -1;
        at += length;
        left -= length;
    }
    return 0;
}

static int take_extended(struct archive_merge *merge)
{
    const char *text = bytes_length(&merge->taken) == 0 ? "" : bytes_at(&merge->taken);
    size_t length = bytes_length(&merge->taken);

    if (merge->extended_type == 'L')
        return set_long_name(merge, text, strnlen(text, length));
    return merge->extended_type == 'x' ? take_records(merge, text, length) : 0;
}

/* --- lists --- */

/* An image that several archives have has the names of all. */
static json_t *find_image(json_t *manifest, const json_t *image)
{
    json_t *known;
    size_t i;

    json_array_foreach (manifest, i, known) {
        if (json_equal(json_object_get(known, "Config"), json_object_get(image, "Config")))
            return known;
    }
    return NULL;
}

static int add_missing(json_t *list, json_t *more)
{
    json_t *value, *known;
    size_t i, k;

    json_array_foreach (more, i, value) {
        bool found = false;

        json_array_foreach (list, k, known)
            found = found || json_equal(known, value);
        if (!found && json_array_append(list, value) < 0)
            return -1;
    }
    return 0;
}

static int merge_manifest(json_t *manifest, json_t *more)
{
    json_t *image;
    size_t i;
    int r = 0;

    json_array_foreach (more, i, image) {
        json_t *known = find_image(manifest, image);

        if (known == NULL)
            r = json_array_append(manifest, image);
        else if (json_is_array(json_object_get(known, "RepoTags")))
            r = add_missing(json_object_get(known, "RepoTags"), json_object_get(image, "RepoTags"));
        else if (json_is_array(json_object_get(image, "RepoTags")))
            r = json_object_set(known, "RepoTags", json_object_get(image, "RepoTags"));
        if (r < 0)
            return -1;
    }
    return 0;
}

static int merge_repositories(json_t *repositories, json_t *more)
{
    const char *name;
    json_t *tags, *known;
    int r = 0;

    json_object_foreach (more, name, tags) {
        known = json_object_get(repositories, name);
        if (!json_is_object(tags))
            continue;
        r = json_is_object(known) ? json_object_update(known, tags) : json_object_set(repositories, name, tags);
        if (r < 0)
            return -1;
    }
    return 0;
}

static int merge_list(int which, json_t *known, json_t *more)
{
    switch (which) {
    case MANIFEST:
        return merge_manifest(known, more);
    case REPOSITORIES:
        return merge_repositories(known, more);
    case INDEX:
        return add_missing(json_object_get(known, "manifests"), json_object_get(more, "manifests"));
    default:
        return 0;
    }
}

static int take_list(struct archive_merge *merge)
{
    int which = merge->list;
    json_t *list = json_read(bytes_at(&merge->taken), bytes_length(&merge->taken), 0, NULL);
    const json_t *images = which == INDEX ? json_object_get(list, "manifests") : list;
    bool is_array = which == MANIFEST || which == INDEX;
    int r = 0;

    if (is_array ? !json_is_array(images) || json_array_size(images) > LISTED_MAX : !json_is_object(list)) {
        json_decref(list);
        return fail(merge, "a list of what the archive has is malformed or too long");
    }
    if (merge->lists[which] == NULL)
        merge->lists[which] = json_incref(list);
    else
        r = merge_list(which, merge->lists[which], list);
    merge->with[which] += merge->with[which] == merge->archives;
    json_decref(list);
    return r < 0 ? no_memory(merge) : 0;
}

/* --- entries --- */

static int put(struct archive_merge *merge, const void *bytes, size_t length)
{
    return length == 0 ? 0 : merge->write(merge->data, bytes, length);
}

/* The headers belong to one entry only. */
static void forget_extended(struct archive_merge *merge)
{
    bytes_consume(&merge->extended, bytes_length(&merge->extended));
    free(merge->long_name);
    merge->long_name = NULL;
    merge->has_size = false;
}

/* Archives name their files by what is in them: one of a name is enough. */
static bool is_there(const struct archive_merge *merge, const char *name)
{
    return json_object_get(merge->names, name) != NULL;
}

static int begin_file(struct archive_merge *merge, const char *name)
{
    merge->use = is_there(merge, name) ? USE_DROP : USE_PASS;
    if (merge->use == USE_DROP)
        return 0;
    if (json_object_size(merge->names) < NAMES_MAX)
        json_object_set_new(merge->names, name, json_true()); /* a name that is no UTF-8 is not remembered */
    return put(merge, bytes_at(&merge->extended), bytes_length(&merge->extended)) != 0 ||
                   put(merge, merge->block, BLOCK) != 0
               ? -1
               : 0;
}

static int begin_entry(struct archive_merge *merge)
{
    char *name = name_of(merge);
    int r = 0;

    if (name == NULL)
        return no_memory(merge);
    merge->list = find_list(name);
    if (merge->list < 0) {
        r = begin_file(merge, name);
    } else {
        merge->use = USE_LIST;
        if (merge->left > LIST_MAX)
            r = fail(merge, "a list of what the archive has is too long");
    }
    free(name);
    forget_extended(merge);
    return r;
}

static int begin_extended(struct archive_merge *merge, char type)
{
    merge->use = USE_EXTENDED;
    merge->extended_type = type;
    if (merge->left + bytes_length(&merge->extended) > EXTENDED_MAX)
        return fail(merge, "the extended headers of an entry are too long");
    return bytes_append(&merge->extended, merge->block, BLOCK) < 0 ? no_memory(merge) : 0;
}

/* These have no data, whatever size they tell. */
static bool is_only_header(char type)
{
    return type >= '1' && type <= '6';
}

static int take_header(struct archive_merge *merge)
{
    char type = (char)merge->block[AT_TYPE];
    bool extended = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    uint64_t size;

    if (is_zero(merge->block)) {
        merge->ended = true;
        return 0;
    }
    if (!sum_is_right(merge->block) || read_number(merge->block + AT_SIZE, SIZE_SIZE, &size) < 0)
        return fail(merge, "it is no tar archive");
    if (!extended && merge->has_size)
        size = merge->size;
    merge->left = is_only_header(type) ? 0 : size;
    merge->padding = (BLOCK - merge->left % BLOCK) % BLOCK;
    bytes_consume(&merge->taken, bytes_length(&merge->taken));
    return extended ? begin_extended(merge, type) : begin_entry(merge);
}

static int end_entry(struct archive_merge *merge)
{
    enum use use = merge->use;

    merge->use = USE_NONE;
    if (use == USE_LIST)
        return take_list(merge);
    return use == USE_EXTENDED ? take_extended(merge) : 0;
}

/* Some of the entry's data, or of the padding behind it. */
static int take_data(struct archive_merge *merge, const char *bytes, size_t length, bool padding)
{
    switch (merge->use) {
    case USE_PASS:
        return put(merge, bytes, length) != 0 ? -1 : 0;
    case USE_EXTENDED:
        if (bytes_append(&merge->extended, bytes, length) < 0)
            return no_memory(merge);
        break;
    case USE_LIST:
        break;
    default:
        return 0;
    }
    return padding || bytes_append(&merge->taken, bytes, length) == 0 ? 0 : no_memory(merge);
}

/* How much of the piece that was; -1. */
static ssize_t take_some(struct archive_merge *merge, const char *bytes, size_t length)
{
    uint64_t *left = merge->left > 0 ? &merge->left : &merge->padding;
    size_t room = BLOCK - merge->block_length;

    if (merge->use != USE_NONE) {
        size_t some = length < *left ? length : (size_t)*left;

        if (some > 0 && take_data(merge, bytes, some, left == &merge->padding) < 0)
            return -1;
        *left -= some;
        return merge->left == 0 && merge->padding == 0 && end_entry(merge) < 0 ? -1 : (ssize_t)some;
    }
    if (length > room)
        length = room;
    memcpy(merge->block + merge->block_length, bytes, length);
    merge->block_length += length;
    if (merge->block_length < BLOCK)
        return (ssize_t)length;
    merge->block_length = 0;
    return take_header(merge) < 0 ? -1 : (ssize_t)length;
}

int archive_merge_feed(struct archive_merge *merge, const void *bytes, size_t length)
{
    const char *at = bytes;

    while ((length > 0 || (merge->use != USE_NONE && merge->left + merge->padding == 0)) && !merge->ended) {
        ssize_t took = take_some(merge, at, length);

        if (took < 0)
            return -1;
        at += took;
        length -= (size_t)took;
    }
    return 0;
}

int archive_merge_next(struct archive_merge *merge)
{
    if (!merge->ended)
        return fail(merge, "the archive ended too early");
    if (merge->with[MANIFEST] == merge->archives)
        return fail(merge, "the archive has no list of its images");
    merge->ended = false;
    merge->archives++;
    return 0;
}

/* --- the end --- */

static void put_octal(char *field, size_t digits, size_t number)
{
    for (; digits > 0; number /= 8)
        field[--digits] = (char)('0' + number % 8);
}

static int write_list(struct archive_merge *merge, int which)
{
    static const char zeros[BLOCK];
    char header[BLOCK] = {0};
    char *text = json_dumps(merge->lists[which], JSON_COMPACT);
    size_t length = text == NULL ? 0 : strlen(text);
    size_t sum = 0;
    int r;

    if (text == NULL)
        return no_memory(merge);
    snprintf(header, NAME_SIZE, "%s", list_names[which]);
    put_octal(header + AT_MODE, ID_SIZE - 1, 0644);
    put_octal(header + AT_OWNER, ID_SIZE - 1, 0);
    put_octal(header + AT_GROUP, ID_SIZE - 1, 0);
    put_octal(header + AT_SIZE, SIZE_SIZE - 1, length);
    put_octal(header + AT_TIME, SIZE_SIZE - 1, 0);
    memset(header + AT_SUM, ' ', SUM_SIZE);
    header[AT_TYPE] = '0';
    memcpy(header + AT_MAGIC, "ustar", 6);
    memcpy(header + AT_MAGIC + 6, "00", 2);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)header[i];
    put_octal(header + AT_SUM, SUM_SIZE - 2, sum);
    header[AT_SUM + SUM_SIZE - 2] = '\0';
    r = put(merge, header, BLOCK) != 0 || put(merge, text, length) != 0 ||
                put(merge, zeros, (BLOCK - length % BLOCK) % BLOCK) != 0
            ? -1
            : 0;
    free(text);
    return r;
}

/* Who finds an index looks at nothing else, so that one which not all archives have would hide images. */
static bool is_whole(const struct archive_merge *merge, int which)
{
    bool of_index = which == INDEX || which == LAYOUT;

    return merge->lists[which] != NULL && (!of_index || merge->with[INDEX] == merge->archives);
}

int archive_merge_end(struct archive_merge *merge)
{
    static const char zeros[2 * BLOCK];

    for (int i = 0; i < LISTS; i++) {
        if (is_whole(merge, i) && write_list(merge, i) < 0)
            return -1;
    }
    return put(merge, zeros, sizeof(zeros)) != 0 ? -1 : 0;
}
