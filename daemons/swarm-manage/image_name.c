/* SPDX-License-Identifier: Apache-2.0 */
#include "image_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *image_name_familiar(const char *name)
{
    static const char *const prefixes[] = {"docker.io/library/", "index.docker.io/library/", "docker.io/",
                                           "index.docker.io/"};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return name + strlen(prefixes[i]);
    }
    return name;
}

/* Length of "repository:tag" in "repository:tag@digest". */
static size_t before_digest(const char *reference)
{
    return strcspn(reference, "@");
}

/* A colon before a slash is a registry's port. */
size_t image_name_repository(const char *reference)
{
    size_t end = before_digest(reference);

    for (size_t i = end; i > 0 && reference[i - 1] != '/'; i--) {
        if (reference[i - 1] == ':')
            return i - 1;
    }
    return end;
}

char *image_name_shown(const char *reference)
{
    const char *name = image_name_familiar(reference);
    char *shown;
    bool bare = name[image_name_repository(name)] == '\0';

    return asprintf(&shown, "%s%s", name, bare ? ":latest" : "") < 0 ? NULL : shown;
}

bool image_name_is_meant(const char *name, const char *reference, bool any_tag)
{
    name = image_name_familiar(name);
    reference = image_name_familiar(reference);

    size_t repository = image_name_repository(reference);
    const char *digest = strchr(reference, '@');
    const char *rest = digest == NULL ? reference + repository : digest; /* a tag beside a digest does not count */

    if (image_name_repository(name) != repository || strncmp(name, reference, repository) != 0)
        return false;
    if (*rest == '\0')
        return any_tag || strcmp(name + repository, ":latest") == 0;
    return strcmp(name + repository, rest) == 0;
}

static size_t count_meant(const json_t *names, const char *reference, bool any_tag)
{
    size_t i, count = 0;
    json_t *name;

    json_array_foreach (names, i, name) {
        const char *text = json_string_value(name);

        count += text != NULL && image_name_is_meant(text, reference, any_tag);
    }
    return count;
}

size_t image_names_meant(const json_t *image, const char *reference, bool any_tag)
{
    return count_meant(json_object_get(image, "RepoTags"), reference, any_tag) +
           count_meant(json_object_get(image, "RepoDigests"), reference, any_tag);
}

static const char *without_algorithm(const char *id)
{
    return strncmp(id, "sha256:", 7) == 0 ? id + 7 : id;
}

bool image_id_meant(const json_t *image, const char *reference)
{
    const char *id = json_string_value(json_object_get(image, "Id"));
    const char *digits = without_algorithm(reference);
    size_t length = strlen(digits);

    return id != NULL && length > 0 && strspn(digits, "0123456789abcdef") == length &&
           strncmp(without_algorithm(id), digits, length) == 0;
}
