/* SPDX-License-Identifier: Apache-2.0 */
#include "image_list.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "filters.h"
#include "image_name.h"
#include "options.h"
#include "saturate.h"
#include "timestamp.h"

static const char *const known_filters[] = {"before",    "dangling", "label", "label!", "node",
                                            "reference", "since",    "until", NULL};

static const char *text_of(const json_t *image, const char *key)
{
    const char *text = json_string_value(json_object_get(image, key));

    return text == NULL ? "" : text;
}

static int64_t created_of(const json_t *image)
{
    return json_integer_value(json_object_get(image, "Created"));
}

/* --- names --- */

/* An image by name, else by id; borrowed, NULL where no engine has it. */
static const json_t *find_image(const struct image_source *sources, size_t count, const char *reference)
{
    for (int by_id = 0; by_id < 2; by_id++) {
        for (size_t i = 0; i < count; i++) {
            json_t *image;
            size_t k;

            json_array_foreach (sources[i].images, k, image) {
                if (by_id ? image_id_meant(image, reference) : image_names_meant(image, reference, true) > 0)
                    return image;
            }
        }
    }
    return NULL;
}

static bool is_nothing(const char *name)
{
    return strcmp(name, "<none>:<none>") == 0 || strcmp(name, "<none>@<none>") == 0;
}

/* No tag at all. */
static bool is_untagged(const json_t *image)
{
    const char *first = json_string_value(json_array_get(json_object_get(image, "RepoTags"), 0));

    return first == NULL || is_nothing(first);
}

static bool has_digest(const json_t *image)
{
    const char *first = json_string_value(json_array_get(json_object_get(image, "RepoDigests"), 0));

    return first != NULL && !is_nothing(first);
}

/* Ids that are parents of others on that engine, as the keys of an object. New. */
static json_t *parents(const json_t *images)
{
    json_t *ids = json_object();
    json_t *image;
    size_t i;

    json_array_foreach (images, i, image) {
        if (text_of(image, "ParentId")[0] != '\0')
            json_object_set_new(ids, text_of(image, "ParentId"), json_true());
    }
    return ids;
}

/* Without a name, and only there because another image is built on it. */
static bool is_intermediate(const json_t *image, const json_t *parent_ids)
{
    return is_untagged(image) && !has_digest(image) && json_object_get(parent_ids, text_of(image, "Id")) != NULL;
}

size_t image_list_count(const json_t *images)
{
    json_t *parent_ids = parents(images);
    json_t *image;
    size_t i, count = 0;

    json_array_foreach (images, i, image)
        count += json_is_object(image) && !is_intermediate(image, parent_ids);
    json_decref(parent_ids);
    return count;
}

/* --- the query --- */

static int check_bound(const json_t *filters, const char *key, const struct image_source *sources, size_t count,
                       int64_t *ret, struct failure *failure)
{
    const json_t *values = filters_values(filters, key);
    const char *reference = json_string_value(json_array_get(values, 0));
    const json_t *image;

    if (values == NULL)
        return 0;
    if (json_array_size(values) != 1)
        return failure_set(failure, 400, "Invalid filter: 'type'='%s': exactly one value is expected", key);
    image = find_image(sources, count, reference);
    if (image == NULL)
        return failure_set(failure, 400, "Invalid filter: 'type'='%s': no such image found: '%s'", key, reference);
    *ret = created_of(image);
    return 0;
}

static int check_until(const json_t *filters, int64_t now_s, int64_t *ret, struct failure *failure)
{
    const char *text = json_string_value(json_array_get(filters_values(filters, "until"), 0));
    int64_t ns, duration;
    char *end, *error = NULL;

    if (text == NULL)
        return 0;
    *ret = strtoll(text, &end, 10);
    if (end != text && (*end == '\0' || *end == '.'))
        return 0;
    if (timestamp_parse(text, &ns) == 0) {
        *ret = ns / NS_PER_S;
        return 0;
    }
    if (duration_parse(&duration, text, &error) == 0) {
        *ret = now_s - duration / NS_PER_S;
        return 0;
    }
    free(error);
    return failure_set(failure, 400, "invalid filter 'until=%s': neither a time nor a duration", text);
}

static int check_reference(const json_t *filters, struct failure *failure)
{
    json_t *value;
    size_t i;

    json_array_foreach (filters_values(filters, "reference"), i, value) {
        if (json_string_value(value)[0] == '\0')
            return failure_set(failure, 400, "invalid filter 'reference=': a name or a pattern is expected");
    }
    return 0;
}

int image_query_check(struct image_query *query, const struct image_source *sources, size_t count, int64_t now_s,
                      struct failure *failure)
{
    const json_t *dangling = filters_values(query->filters, "dangling");
    json_t *value;
    size_t i;

    query->before = query->until = INT64_MAX;
    query->since = INT64_MIN;
    if (filters_check(query->filters, known_filters, failure) < 0 || check_reference(query->filters, failure) < 0)
        return -1;
    json_array_foreach (dangling, i, value) {
        if (json_array_size(dangling) != 1 ||
            (strcmp(json_string_value(value), "true") != 0 && strcmp(json_string_value(value), "1") != 0 &&
             strcmp(json_string_value(value), "false") != 0 && strcmp(json_string_value(value), "0") != 0))
            return failure_set(failure, 400, "Invalid filter: 'type'='dangling'");
    }
    if (check_bound(query->filters, "before", sources, count, &query->before, failure) < 0 ||
        check_bound(query->filters, "since", sources, count, &query->since, failure) < 0)
        return -1;
    return check_until(query->filters, now_s, &query->until, failure);
}

/* --- matching --- */

static const char *label_of(const void *data, const char *key)
{
    return json_string_value(json_object_get(data, key));
}

/* "label!": none of the values holds. */
static bool lacks_labels(const json_t *filters, const json_t *labels)
{
    json_t *value;
    size_t i;

    json_array_foreach (filters_values(filters, "label!"), i, value) {
        json_t *one = json_pack("{s:[O]}", "label", value);
        bool has = filters_labels(one, "label", label_of, labels);

        json_decref(one);
        if (has)
            return false;
    }
    return true;
}

/* As Docker matches: the pattern fits the whole familiar reference or its repository; '*' stops at slashes. */
static bool reference_fits(const json_t *patterns, const char *reference)
{
    size_t length = image_name_repository(reference);
    char *repository = strndup(reference, length);
    bool fits = false;
    json_t *pattern;
    size_t i;

    json_array_foreach (patterns, i, pattern) {
        const char *text = json_string_value(pattern);

        fits = fits || fnmatch(text, reference, FNM_PATHNAME) == 0 ||
               (repository != NULL && fnmatch(text, repository, FNM_PATHNAME) == 0);
    }
    free(repository);
    return fits;
}

/* The real names in @p names, of which a reference filter leaves those that fit. New. */
static json_t *shown_names(const json_t *names, const json_t *patterns)
{
    json_t *shown = json_array();
    json_t *name;
    size_t i;

    json_array_foreach (names, i, name) {
        const char *text = json_string_value(name);

        if (text != NULL && !is_nothing(text) &&
            (patterns == NULL || reference_fits(patterns, image_name_familiar(text))))
            json_array_append(shown, name);
    }
    return shown;
}

static bool wants_dangling(const json_t *filters, bool *ret_only)
{
    const char *value = json_string_value(json_array_get(filters_values(filters, "dangling"), 0));

    *ret_only = value != NULL && (strcmp(value, "true") == 0 || strcmp(value, "1") == 0);
    return value != NULL;
}

static bool image_passes(const struct image_query *query, const json_t *image, const json_t *parent_ids)
{
    const json_t *labels = json_object_get(image, "Labels");
    bool only_dangling;
    int64_t created = created_of(image);

    if (!query->all && is_intermediate(image, parent_ids))
        return false;
    if (wants_dangling(query->filters, &only_dangling) && only_dangling != is_untagged(image))
        return false;
    return created < query->before && created > query->since && created <= query->until &&
           filters_labels(query->filters, "label", label_of, labels) && lacks_labels(query->filters, labels);
}

/* --- grouping --- */

static void add_missing(json_t *list, const json_t *more)
{
    json_t *value, *known;
    size_t i, k;

    json_array_foreach (more, i, value) {
        bool found = false;

        json_array_foreach (list, k, known)
            found = found || json_equal(known, value);
        if (!found)
            json_array_append(list, value);
    }
}

/* Containers is -1 where an engine did not count. */
static void merge_counts(json_t *entry, const json_t *image)
{
    json_int_t here = json_integer_value(json_object_get(entry, "Containers"));
    json_int_t there = json_integer_value(json_object_get(image, "Containers"));

    if (there >= 0 && json_object_get(entry, "Containers") != NULL)
        json_object_set_new(entry, "Containers", json_integer(here < 0 ? there : saturating_add(here, there)));
}

static void merge_manifests(json_t *entry, const json_t *image)
{
    json_t *manifests = json_object_get(entry, "Manifests");

    if (json_is_array(manifests))
        add_missing(manifests, json_object_get(image, "Manifests"));
}

static void add_image(json_t *by_id, const json_t *image, const json_t *patterns)
{
    json_t *tags = shown_names(json_object_get(image, "RepoTags"), patterns);
    json_t *digests = shown_names(json_object_get(image, "RepoDigests"), patterns);
    json_t *entry;

    if (patterns == NULL || json_array_size(tags) + json_array_size(digests) > 0) {
        entry = json_object_get(by_id, text_of(image, "Id"));
        if (entry == NULL) {
            entry = json_deep_copy(image);
            json_object_set(entry, "RepoTags", tags);
            json_object_set(entry, "RepoDigests", digests);
            json_object_set_new(by_id, text_of(image, "Id"), entry);
        } else {
            add_missing(json_object_get(entry, "RepoTags"), tags);
            add_missing(json_object_get(entry, "RepoDigests"), digests);
            merge_counts(entry, image);
            merge_manifests(entry, image);
        }
    }
    json_decref(tags);
    json_decref(digests);
}

static int compare_images(const void *a, const void *b)
{
    const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;

    if (created_of(left) != created_of(right))
        return created_of(left) < created_of(right) ? 1 : -1;
    return strcmp(text_of(left, "Id"), text_of(right, "Id"));
}

/* The object's values, sorted, in an array. New. */
static json_t *sorted(json_t *by_id)
{
    size_t count = 0;
    json_t **entries = calloc(json_object_size(by_id) + 1, sizeof(entries[0]));
    json_t *list = json_array();
    const char *id;
    json_t *entry;

    if (entries == NULL || list == NULL) {
        free(entries);
        json_decref(list);
        return NULL;
    }
    json_object_foreach (by_id, id, entry)
        entries[count++] = entry;
    qsort(entries, count, sizeof(entries[0]), compare_images);
    for (size_t i = 0; i < count; i++)
        json_array_append(list, entries[i]);
    free(entries);
    return list;
}

static bool node_passes(const json_t *filters, const struct image_source *source)
{
    return filters_exact(filters, "node", source->node) || filters_exact(filters, "node", source->node_id);
}

json_t *image_list(const struct image_query *query, const struct image_source *sources, size_t count)
{
    const json_t *patterns = filters_values(query->filters, "reference");
    json_t *by_id = json_object();
    json_t *list, *image;
    size_t k;

    for (size_t i = 0; i < count; i++) {
        json_t *parent_ids = parents(sources[i].images);

        json_array_foreach (sources[i].images, k, image) {
            if (json_is_object(image) && node_passes(query->filters, &sources[i]) &&
                image_passes(query, image, parent_ids))
                add_image(by_id, image, patterns);
        }
        json_decref(parent_ids);
    }
    list = sorted(by_id);
    json_decref(by_id);
    return list;
}

void image_shape(json_t *image, int minor)
{
    json_t *size = json_object_get(image, "Size");

    if (minor >= 44)
        json_object_del(image, "VirtualSize");
    else if (size != NULL && json_object_get(image, "VirtualSize") == NULL)
        json_object_set(image, "VirtualSize", size);
    if (minor >= 45) {
        json_object_del(image, "Container");
        json_object_del(image, "ContainerConfig");
    }
}
