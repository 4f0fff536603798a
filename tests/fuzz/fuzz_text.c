/* SPDX-License-Identifier: Apache-2.0 */
/* Small texts of clients, engines and settings. The input's first byte chooses the kind, the rest is the text: times,
 * durations, versions, paths, escapes, queries, filters, names of images, names to sort, cluster settings. What was
 * read and is written again reads the same; nothing is found outside of the text. */
#include <jansson.h>

#include "engine.h"
#include "etcd_wire.h"
#include "filters.h"
#include "fuzz.h"
#include "http_internal.h"
#include "image_name.h"
#include "manage_options.h"
#include "natural_order.h"
#include "options.h"
#include "routes.h"
#include "timestamp.h"
#include "uri.h"

static void check_timestamp(char *text)
{
    int64_t ns, again;
    char written[64], words[64];
    struct tm tm;

    if (timestamp_parse(text, &ns) < 0)
        return;
    check(ns >= 0);
    duration_in_words(ns / NS_PER_S, words, sizeof(words));
    check(strlen(words) + 1 < sizeof(words));
    if (ns == INT64_MAX)
        return;
    time_t seconds = (time_t)(ns / NS_PER_S);
    check(gmtime_r(&seconds, &tm) != NULL && strftime(written, sizeof(written), "%Y-%m-%dT%H:%M:%S", &tm) > 0);
    snprintf(written + strlen(written), 16, ".%09dZ", (int)(ns % NS_PER_S));
    check(timestamp_parse(written, &again) == 0 && again == (seconds == 0 ? 0 : ns));
}

static void check_duration(char *text)
{
    int64_t ns, again;
    char written[64], *error = NULL;

    if (duration_parse(&ns, text, &error) < 0) {
        check(error != NULL && strstr(error, text) != NULL);
        free(error);
        return;
    }
    duration_format(written, sizeof(written), ns);
    check(duration_parse(&again, written, &error) == 0 && again == ns);
}

static void check_version(char *text)
{
    struct api_version version, again;
    char version_text[16], written[16];
    const char *rest = route_split_version(text, version_text, sizeof(version_text));

    check(rest >= text && rest <= text + strlen(text));
    check(rest == text ? version_text[0] == '\0' : *rest == '/' && version_text[0] != '\0');
    if (api_version_parse(&version, text) < 0)
        return;
    check(version.major >= 0 && version.major <= 9999 && version.minor >= 0 && version.minor <= 9999);
    snprintf(written, sizeof(written), "%d.%d", version.major, version.minor);
    check(api_version_parse(&again, written) == 0 && api_version_compare(version, again) == 0);
}

/* What is matched stands in the path as it was. */
static void check_match(const char *path)
{
    static const char *const patterns[] = {"/info", "/images/{name}/json", "/containers/{name}", "/containers/...",
                                           "/containers/{name}/checkpoints/*", "/volumes/{name}"};

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        const char *name, *rest;
        size_t length;

        if (!route_match(patterns[i], path, &name, &length, &rest))
            continue;
        check(name >= path && length <= strlen(name));
        check(strchr(patterns[i], '{') == NULL || (length > 0 && name + length == rest));
        check(*rest == '\0' || (rest >= path && rest <= path + strlen(path)));
        char *decoded = http_decode(name, length);
        check(decoded == NULL || strlen(decoded) <= length);
        free(decoded);
    }
}

static void check_path(char *text)
{
    char *clean = route_clean_path(text), *again;

    check_match(text);
    if (clean == NULL)
        return;
    check(clean[0] == '/' && strlen(clean) <= strlen(text) + 1);
    check(strstr(clean, "//") == NULL && strstr(clean, "/./") == NULL && strstr(clean, "/../") == NULL);
    again = route_clean_path(clean);
    check(again == NULL);
    check_match(clean);
    free(clean);
}

static void check_escaped(char *escaped, const char *text)
{
    char *decoded = http_decode(escaped, strlen(escaped));

    check(decoded != NULL && strcmp(decoded, text) == 0);
    check(strpbrk(escaped, " ?#&\"\r\n") == NULL);
    free(decoded);
    free(escaped);
}

static void check_escapes(char *text)
{
    char *decoded = http_decode(text, strlen(text)), *path = etcd_v2_path(text);

    check(decoded == NULL || strlen(decoded) <= strlen(text));
    free(decoded);
    check_escaped(uri_escape(text), text);
    check_escaped(uri_escape_name(text), text);
    check(strncmp(path, "/v2/keys/", 9) == 0);
    check_escaped(strdup(path + 9), text);
    free(path);
}

static void check_query(char *text)
{
    static const char *const keys[] = {"filters", "all", "a", ""};
    struct http_request request = {.query = text};
    size_t parameters = 1, found = 0;

    for (const char *at = text; *at != '\0'; at++)
        parameters += *at == '&';
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *value;

        for (size_t k = 0; (value = http_request_query_at(&request, keys[i], k)) != NULL; k++, found++)
            check(strlen(value) <= strlen(text));
        http_request_query_bool(&request, keys[i]);
    }
    check(found <= parameters);
    for (struct http_parameter *at = request.parameters, *next; at != NULL; at = next) {
        next = at->next;
        free(at->key);
        free(at->value);
        free(at);
    }
}

static const char *label_of(const void *data, const char *key)
{
    return strcmp(key, "zone") == 0 ? data : NULL;
}

/* The filters, a line's end, and what passes them or not. */
static void check_filters(char *text)
{
    char *subject = strchr(text, '\n'), *written;
    json_t *filters = NULL, *again = NULL, *values;
    struct failure failure = {0};
    const char *key;

    if (subject != NULL)
        *subject++ = '\0';
    if (filters_parse(&filters, text, &failure) < 0) {
        check(failure.status == 400 && failure.message != NULL);
        failure_clear(&failure);
        return;
    }
    json_object_foreach (filters, key, values) {
        struct filter filter;

        check(json_is_array(values) && filter_open(&filter, filters, key) == 0);
        if (subject != NULL && filters_exact(filters, key, subject))
            check(filter_match(&filter, subject));
        filter_close(&filter);
        filters_labels(filters, key, label_of, subject);
    }
    written = json_dumps(filters, JSON_COMPACT);
    check(filters_parse(&again, written, &failure) == 0 && json_equal(filters, again));
    free(written);
    json_decref(again);
    json_decref(filters);
}

static void check_image(char *text)
{
    char *shown = image_name_shown(text);
    const char *familiar = image_name_familiar(text);
    json_t *image = json_pack("{s:s, s:[s?]}", "Id", "sha256:0123456789ab", "RepoTags", shown);

    check(familiar >= text && familiar <= text + strlen(text) && image_name_repository(text) <= strlen(text));
    check(shown[image_name_repository(shown)] != '\0'); /* it has a tag or a digest */
    check(image == NULL || *text == '\0' || image_names_meant(image, text, false) <= 1);
    image_id_meant(image, text);
    json_decref(image);
    free(shown);
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

/* Three lines; it is an order that qsort() can use. */
static void check_order(char *text)
{
    const char *lines[3];

    for (int i = 0; i < 3; i++) {
        const char *line = text == NULL ? "" : strsep(&text, "\n");

        lines[i] = line;
    }
    for (int i = 0; i < 3; i++) {
        const char *a = lines[i], *b = lines[(i + 1) % 3], *c = lines[(i + 2) % 3];
        int ab = sign(natural_compare(a, b)), bc = sign(natural_compare(b, c)), ac = sign(natural_compare(a, c));

        check(natural_compare(a, a) == 0 && ab == -sign(natural_compare(b, a)));
        check(ab > 0 || bc > 0 || ac <= 0);
        check(ab != 0 || ac == bc);
    }
}

static void check_setting(char *text)
{
    const char *const settings[] = {text, NULL};
    struct manager_options options = {0};
    char *error = NULL;

    if (cluster_settings_read(&options, settings, &error) < 0)
        check(error != NULL);
    else
        check(options.overcommit > -1 && options.create_retry >= 0);
    free(error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(char *text) = {
        ['t'] = check_timestamp, ['d'] = check_duration, ['v'] = check_version, ['p'] = check_path,
        ['e'] = check_escapes,   ['q'] = check_query,    ['f'] = check_filters, ['i'] = check_image,
        ['o'] = check_order,     ['s'] = check_setting,
    };
    char *text;

    if (size == 0 || data[0] >= sizeof(kinds) / sizeof(kinds[0]) || kinds[data[0]] == NULL)
        return -1; /* of no interest */
    text = fuzz_text(data + 1, size - 1);
    kinds[data[0]](text);
    free(text);
    return 0;
}
