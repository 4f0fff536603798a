/* SPDX-License-Identifier: Apache-2.0 */
#include "canned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"

char *canned_text(const char *name, size_t *ret_length)
{
    char path[512], *text = calloc(1, 65536);
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s.json", TEST_DATA, name);
    file = fopen(path, "r");
    if (!text || !file) {
        kit_give_up("test data %s: cannot be opened", path);
    }
    *ret_length = fread(text, 1, 65535, file);
    fclose(file);
    return text;
}

json_t *canned_json(const char *name)
{
    size_t length;
    char *text = canned_text(name, &length);
    json_t *root = json_loadb(text, length, 0, NULL);

    free(text);
    if (!root) {
        kit_give_up("test data %s: is no JSON", name);
    }
    return root;
}

json_t *canned_entry(const char *container)
{
    json_t *list = canned_json("list"), *entry, *name;
    size_t index, at;

    json_array_foreach (list, index, entry) {
        json_array_foreach (json_object_get(entry, "Names"), at, name) {
            if (!strcmp(json_string_value(name) + 1, container)) {
                json_incref(entry);
                json_decref(list);
                return entry;
            }
        }
    }
    kit_give_up("test data: %s is not in the list", container);
}

json_t *canned_info(const char *id, const char *name)
{
    json_t *info = canned_json("info");
    time_t now = time(NULL);
    char text[40];

    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    json_object_set_new(info, "SystemTime", json_string(text));
    json_object_set_new(info, "ID", json_string(id));
    json_object_set_new(info, "Name", json_string(name));
    return info;
}
