/* SPDX-License-Identifier: Apache-2.0 */
#include "container_uses.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "container_entry.h"
#include "json_write.h"

#define STATUS_LENGTH (sizeof("\"Status\":\"") - 1)

static bool has_text(struct json_span value)
{
    return json_span_is_string(value) && value.length > 2;
}

/* What stands between its quotes; "" for anything else. */
static struct json_span inside(struct json_span value)
{
    return has_text(value) ? (struct json_span){value.at + 1, value.length - 2} : (struct json_span){"", 0};
}

/* --- endpoints --- */

/* `"key":"10.1.0.2/16"`, with "" where there is no address. */
static int put_address(struct bytes *to, const char *key, struct json_span ip, struct json_span bits)
{
    struct json_span text = inside(ip);

    if (text.length == 0)
        return bytes_printf(to, ",\"%s\":\"\"", key);
    return bytes_printf(to, ",\"%s\":\"%.*s/%d\"", key, (int)text.length, text.at, (int)json_span_integer(bits));
}

static int put_member(struct bytes *to, const char *key, struct json_span text)
{
    return bytes_printf(to, ",\"%s\":\"%.*s\"", key, (int)text.length, text.at);
}

/* The one on that network. */
static struct json_span find_endpoint(const struct container_uses *uses, const char *network)
{
    struct json_walk walk = json_walk((struct json_span){uses->networks, uses->networks_length});
    struct json_span key, endpoint;

    while (json_walk_member(&walk, &key, &endpoint)) {
        if (json_span_equals(json_span_get(endpoint, "NetworkID"), network))
            return has_text(json_span_get(endpoint, "EndpointID")) ? endpoint : (struct json_span){"", 0};
    }
    return (struct json_span){"", 0};
}

bool container_uses_network(const struct container_uses *uses, const char *network)
{
    return find_endpoint(uses, network).length > 0;
}

char *container_uses_endpoint(const struct container_uses *uses, const char *network, const char *id, const char *name)
{
    struct json_span endpoint = find_endpoint(uses, network);
    struct bytes text = {0};

    if (endpoint.length == 0)
        return NULL;
    if (json_write_string(&text, id) == 0 && bytes_append_text(&text, ":{\"Name\":") == 0 &&
        json_write_string(&text, name) == 0 &&
        put_member(&text, "EndpointID", inside(json_span_get(endpoint, "EndpointID"))) == 0 &&
        put_member(&text, "MacAddress", inside(json_span_get(endpoint, "MacAddress"))) == 0 &&
        put_address(&text, "IPv4Address", json_span_get(endpoint, "IPAddress"),
                    json_span_get(endpoint, "IPPrefixLen")) == 0 &&
        put_address(&text, "IPv6Address", json_span_get(endpoint, "GlobalIPv6Address"),
                    json_span_get(endpoint, "GlobalIPv6PrefixLen")) == 0 &&
        bytes_append(&text, "}", 2) == 0)
        return text.data; /* nothing was taken off its front */
    bytes_free(&text);
    return NULL;
}

/* --- from an entry --- */

static struct json_span networks_in(struct json_walk walk)
{
    struct json_span key, value;

    while (json_walk_member(&walk, &key, &value)) {
        if (json_key_is(key, "NetworkSettings"))
            return json_span_get(value, "Networks");
    }
    return (struct json_span){"", 0};
}

/* How many mounts are volumes, and the room for their names. */
static size_t count_volumes(struct json_span mounts, size_t *ret_room)
{
    struct json_walk walk = json_walk(mounts);
    struct json_span mount;
    size_t count = 0;

    *ret_room = 0;
    while (json_span_is_array(mounts) && json_walk_item(&walk, &mount)) {
        struct json_span name = json_span_get(mount, "Name");

        count += has_text(name);
        *ret_room += name.length;
    }
    return count;
}

static int take_volumes(struct container_uses *uses, struct json_span mounts)
{
    struct json_walk walk = json_walk(mounts);
    size_t room, count = count_volumes(mounts, &room);
    struct json_span mount;
    char *text;

    if (count == 0)
        return 0;
    uses->volumes = malloc(count * sizeof(*uses->volumes) + room);
    if (uses->volumes == NULL)
        return -1;
    text = (char *)(uses->volumes + count);
    while (json_walk_item(&walk, &mount)) {
        struct json_span name = json_span_get(mount, "Name");

        if (!has_text(name))
            continue;
        json_span_text(name, text, name.length);
        uses->volumes[uses->volume_count++] = text;
        text += strlen(text) + 1;
    }
    return 0;
}

int container_uses_read(struct container_uses *uses, const struct container_entry *entry, struct json_span mounts)
{
    const char *tail = entry->text + entry->head_length;
    /* The members behind Status, and those before it: in its text the head breaks off. */
    struct json_walk behind = {tail + 1, tail + entry->tail_length - 1},
                     before = {entry->text + 1, tail - STATUS_LENGTH};
    struct json_span networks = networks_in(behind);

    memset(uses, 0, sizeof(*uses));
    if (networks.length == 0)
        networks = networks_in(before);
    if (take_volumes(uses, mounts) < 0)
        return -1;
    if (json_span_is_object(networks)) {
        uses->networks = networks.at;
        uses->networks_length = (unsigned)networks.length;
    }
    return 0;
}

void container_uses_clear(struct container_uses *uses)
{
    free(uses->volumes);
    memset(uses, 0, sizeof(*uses));
}

bool container_uses_volume(const struct container_uses *uses, const char *volume)
{
    for (unsigned i = 0; i < uses->volume_count; i++) {
        if (strcmp(uses->volumes[i], volume) == 0)
            return true;
    }
    return false;
}
