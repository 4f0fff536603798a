/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <stdlib.h>
#include <string.h>

#include "json_read.h"
#include "text.h"

static const char *const prefixes[RECORD_KINDS] = {
    [RECORD_NODE] = "node/", [RECORD_CONTAINER] = "container/", [RECORD_STATE] = "state/",
    [RECORD_COPY] = "copy/", [RECORD_CLAIM] = "claim/",
};

/* --- keys --- */

char *record_key(enum record_kind kind, const char *rest)
{
    return text_format("%s%s", prefixes[kind], rest);
}

const char *record_key_read(const char *key, enum record_kind *ret_kind)
{
    for (int kind = 0; kind < RECORD_KINDS; kind++) {
        size_t length = strlen(prefixes[kind]);

        if (!strncmp(key, prefixes[kind], length) && key[length]) {
            *ret_kind = (enum record_kind)kind;
            return key + length;
        }
    }
    return NULL;
}

/* --- any kind --- */

char *record_write(json_t *object, size_t *ret_length)
{
    char *text = NULL;

    if (object && !json_object_set_new(object, "v", json_integer(RECORD_VERSION))) {
        text = json_dumps(object, JSON_COMPACT);
    }
    json_decref(object);
    *ret_length = text ? strlen(text) : 0;
    return text;
}

/* What each kind has, and of which type. */
static const struct member {
    enum record_kind kind;
    const char *key;
    json_type type;
} members[] = {
    {RECORD_NODE, "name", JSON_STRING},         {RECORD_NODE, "address", JSON_STRING},
    {RECORD_NODE, "ip", JSON_STRING},           {RECORD_NODE, "cpus", JSON_INTEGER},
    {RECORD_NODE, "memory", JSON_INTEGER},      {RECORD_CONTAINER, "swarm_id", JSON_STRING},
    {RECORD_CONTAINER, "name", JSON_STRING},    {RECORD_CONTAINER, "entry", JSON_OBJECT},
    {RECORD_CONTAINER, "inspect", JSON_OBJECT}, {RECORD_STATE, "wanted", JSON_STRING},
    {RECORD_STATE, "stop_asked", JSON_INTEGER}, {RECORD_STATE, "term", JSON_INTEGER},
    {RECORD_COPY, "node", JSON_STRING},         {RECORD_COPY, "by", JSON_STRING},
    {RECORD_COPY, "judged", JSON_INTEGER},      {RECORD_CLAIM, "container", JSON_STRING},
    {RECORD_CLAIM, "name", JSON_STRING},        {RECORD_CLAIM, "node", JSON_STRING},
    {RECORD_CLAIM, "to", JSON_STRING},          {RECORD_CLAIM, "start", JSON_INTEGER},
    {RECORD_CLAIM, "term", JSON_INTEGER},       {RECORD_CLAIM, "at", JSON_INTEGER},
};

static const char *what_is_wrong(enum record_kind kind, const json_t *record)
{
    const json_t *version = json_object_get(record, "v");

    if (!json_is_integer(version)) {
        return "it has no version";
    }
    if (json_integer_value(version) != RECORD_VERSION) {
        return "it is of another version";
    }
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const json_t *member = members[i].kind == kind ? json_object_get(record, members[i].key) : NULL;

        if (members[i].kind == kind && (!member || json_typeof(member) != members[i].type)) {
            return "something of it is missing";
        }
    }
    return NULL;
}

json_t *record_read(enum record_kind kind, const char *value, size_t length, const char **reterr)
{
    json_t *record = json_read(value, length, JSON_ALLOW_NUL, NULL);

    *reterr = json_is_object(record) ? what_is_wrong(kind, record) : "it is no JSON object";
    if (!*reterr) {
        return record;
    }
    json_decref(record);
    return NULL;
}

uint64_t record_hash(const char *value, size_t length)
{
    uint64_t hash = 1469598103934665603u; /* FNV-1a */

    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)value[i]) * 1099511628211u;
    }
    return hash;
}

/* --- containers --- */

/* A shallow copy without some members. */
static json_t *without(const json_t *object, const char *const *keys)
{
    json_t *copy = json_object(), *value;
    const char *key;

    json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
        const char *const *at = keys;

        while (*at && strcmp(*at, key) != 0) {
            at++;
        }
        if (!*at) {
            json_object_set(copy, key, value);
        }
    }
    return copy;
}

/* The networks that it is in, without what an engine gives it anew at each start. */
static json_t *lasting_networks(const json_t *inspect)
{
    static const char *const given[] = {"EndpointID",          "Gateway",    "IPAddress", "IPPrefixLen",
                                        "IPv6Gateway",         "MacAddress", "DNSNames",  "GlobalIPv6Address",
                                        "GlobalIPv6PrefixLen", "GwPriority", NULL};
    json_t *networks = json_object(), *settings;
    const char *name;

    json_object_foreach (json_object_get(json_object_get(inspect, "NetworkSettings"), "Networks"), name, settings) {
        json_object_set_new(networks, name, without(settings, given));
    }
    return json_pack("{s:o}", "Networks", networks);
}

json_t *record_container(const json_t *entry, const json_t *inspect)
{
    static const char *const of_entry[] = {"State",  "Status",          "Labels", "Ports",
                                           "Health", "NetworkSettings", NULL}; /* in inspect, or of the moment */
    static const char *const of_inspect[] = {
        "State",        "NetworkSettings", "GraphDriver", "ResolvConfPath",          "HostnamePath",
        "HostsPath",    "LogPath",         "ExecIDs",     "AppArmorProfile",         "MountLabel",
        "ProcessLabel", "RestartCount",    "Storage",     "ImageManifestDescriptor", NULL};
    const char *name = json_string_value(json_object_get(inspect, "Name"));
    const char *swarm_id = json_string_value(
        json_object_get(json_object_get(json_object_get(inspect, "Config"), "Labels"), "com.docker.swarm.id"));
    json_t *kept = without(inspect, of_inspect);

    json_object_set_new(kept, "NetworkSettings", lasting_networks(inspect));
    return json_pack("{s:s, s:s, s:o, s:o}", "swarm_id", swarm_id ? swarm_id : "", "name",
                     name ? name + (*name == '/') : "", "entry", without(entry, of_entry), "inspect", kept);
}

/* What its record says of it, and what else is wrong with that. */
static const char *what_container_lacks(struct json_span record, struct record_spans *ret)
{
    struct json_span version = json_span_get(record, "v");

    *ret = (struct record_spans){json_span_get(record, "entry"), json_span_get(record, "inspect")};
    if (!json_span_is_object(record)) {
        return "it is no JSON object";
    }
    if (!json_span_is_integer(version)) {
        return "it has no version";
    }
    if (json_span_integer(version) != RECORD_VERSION) {
        return "it is of another version";
    }
    return json_span_is_object(ret->entry) && json_span_is_object(ret->inspect) &&
                   json_span_is_string(json_span_get(record, "swarm_id")) &&
                   json_span_is_string(json_span_get(record, "name"))
               ? NULL
               : "something of it is missing";
}

int record_container_read(struct record_spans *ret, const char *value, size_t length, const char **reterr)
{
    *reterr =
        json_valid(value, length) ? what_container_lacks(json_span_of(value, length), ret) : "it is no JSON object";
    return *reterr ? -1 : 0;
}

/* An object with these members in front of its own. */
static char *with_members(const char *more, struct json_span object)
{
    struct json_walk walk = json_walk(object);
    struct json_span key, value;
    bool any = json_walk_member(&walk, &key, &value);

    return text_format("{%s%s%.*s", more, any ? "," : "", (int)(object.length - 1), object.at + 1);
}

int record_container_restore(const struct record_spans *record, bool runs, char **ret_entry, char **ret_inspect)
{
    const char *word = runs ? "running" : "exited";
    char *of_entry =
        text_format("\"State\":\"%s\",\"Status\":\"\",\"Ports\":[],\"NetworkSettings\":{\"Networks\":{}}", word);
    char *of_inspect = text_format("\"State\":{\"Status\":\"%s\",\"Running\":%s,\"Paused\":false,\"Restarting\":false,"
                                   "\"Dead\":false,\"StartedAt\":\"2001-01-01T00:00:00Z\","
                                   "\"FinishedAt\":\"0001-01-01T00:00:00Z\",\"ExitCode\":0}",
                                   word, runs ? "true" : "false");
    char *entry = of_entry ? with_members(of_entry, record->entry) : NULL;
    char *inspect = of_inspect ? with_members(of_inspect, record->inspect) : NULL;

    free(of_entry);
    free(of_inspect);
    if (!entry || !inspect) {
        free(entry);
        free(inspect);
        return -1;
    }
    *ret_entry = entry;
    *ret_inspect = inspect;
    return 0;
}
