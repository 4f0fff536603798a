/* SPDX-License-Identifier: Apache-2.0 */
#include "container_uses.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"

static bool has_text(struct json_span value)
{
    return json_span_is_string(value) && value.length > 2;
}

/* What stands between its quotes; "" for anything else. */
static struct json_span inside(struct json_span value)
{
    return has_text(value) ? (struct json_span){value.at + 1, value.length - 2} : (struct json_span){"", 0};
}

/* `"key":"10.1.0.2/16"`, with "" where there is no address. */
static int put_address(struct bytes *to, const char *key, struct json_span ip, struct json_span bits)
{
    struct json_span text = inside(ip);

    if (text.length == 0)
        return bytes_printf(to, ",\"%s\":\"\"", key);
    return bytes_printf(to, ",\"%s\":\"%.*s/%d\"", key, (int)text.length, text.at, (int)json_span_integer(bits));
}

static int put_member(struct bytes *to, const char *before, const char *key, struct json_span text)
{
    return bytes_printf(to, "%s\"%s\":\"%.*s\"", before, key, (int)text.length, text.at);
}

/* `"<container id>":{…}`, as an engine shows it. New text, NULL for lack of memory. */
static char *endpoint_text(struct json_span endpoint, struct json_span id, struct json_span name)
{
    struct bytes text = {0};
    struct json_span own = inside(name);
    char *fitted = NULL;

    if (own.length > 0 && *own.at == '/')
        own = (struct json_span){own.at + 1, own.length - 1};
    if (bytes_append(&text, id.at, id.length) == 0 && put_member(&text, ":{", "Name", own) == 0 &&
        put_member(&text, ",", "EndpointID", inside(json_span_get(endpoint, "EndpointID"))) == 0 &&
        put_member(&text, ",", "MacAddress", inside(json_span_get(endpoint, "MacAddress"))) == 0 &&
        put_address(&text, "IPv4Address", json_span_get(endpoint, "IPAddress"),
                    json_span_get(endpoint, "IPPrefixLen")) == 0 &&
        put_address(&text, "IPv6Address", json_span_get(endpoint, "GlobalIPv6Address"),
                    json_span_get(endpoint, "GlobalIPv6PrefixLen")) == 0 &&
        bytes_append_text(&text, "}") == 0)
        fitted = strndup(bytes_at(&text), bytes_length(&text));
    bytes_free(&text);
    return fitted;
}

static int take_network(struct container_uses *uses, struct json_span endpoint, struct json_span id,
                        struct json_span name)
{
    struct json_span network = json_span_get(endpoint, "NetworkID");
    struct network_use *use = &uses->networks[uses->network_count];
    bool attached = has_text(json_span_get(endpoint, "EndpointID"));

    if (!has_text(network))
        return 0;
    use->network = json_span_strdup(network);
    use->endpoint = attached ? endpoint_text(endpoint, id, name) : NULL;
    uses->network_count++;
    return use->network == NULL || (attached && use->endpoint == NULL) ? -1 : 0;
}

static size_t count_members(struct json_span object)
{
    struct json_walk walk = json_walk(object);
    struct json_span key, value;
    size_t count = 0;

    while (json_walk_member(&walk, &key, &value))
        count++;
    return count;
}

static size_t count_items(struct json_span array)
{
    struct json_walk walk = json_walk(array);
    struct json_span value;
    size_t count = 0;

    while (json_walk_item(&walk, &value))
        count++;
    return count;
}

static int take_networks(struct container_uses *uses, struct json_span networks, struct json_span id,
                         struct json_span name)
{
    struct json_span key, endpoint;
    struct json_walk walk = json_walk(networks);
    size_t count = json_span_is_object(networks) ? count_members(networks) : 0;

    if (count == 0)
        return 0;
    uses->networks = calloc(count, sizeof(uses->networks[0]));
    if (uses->networks == NULL)
        return -1;
    while (json_walk_member(&walk, &key, &endpoint)) {
        if (take_network(uses, endpoint, json_span_is_string(id) ? id : (struct json_span){"\"\"", 2}, name) < 0)
            return -1;
    }
    return 0;
}

static int take_volumes(struct container_uses *uses, struct json_span mounts)
{
    struct json_span mount;
    struct json_walk walk = json_walk(mounts);
    size_t count = json_span_is_array(mounts) ? count_items(mounts) : 0;

    if (count == 0)
        return 0;
    uses->volumes = calloc(count, sizeof(uses->volumes[0]));
    if (uses->volumes == NULL)
        return -1;
    while (json_walk_item(&walk, &mount)) {
        struct json_span name = json_span_get(mount, "Name");

        if (!has_text(name))
            continue;
        uses->volumes[uses->volume_count] = json_span_strdup(name);
        if (uses->volumes[uses->volume_count++] == NULL)
            return -1;
    }
    return 0;
}

int container_uses_read(struct container_uses *uses, struct json_span networks, struct json_span mounts,
                        struct json_span id, struct json_span name)
{
    memset(uses, 0, sizeof(*uses));
    if (take_networks(uses, networks, id, name) == 0 && take_volumes(uses, mounts) == 0)
        return 0;
    container_uses_clear(uses);
    return -1;
}

void container_uses_clear(struct container_uses *uses)
{
    for (size_t i = 0; i < uses->network_count; i++) {
        free(uses->networks[i].network);
        free(uses->networks[i].endpoint);
    }
    for (size_t i = 0; i < uses->volume_count; i++)
        free(uses->volumes[i]);
    free(uses->networks);
    free(uses->volumes);
    memset(uses, 0, sizeof(*uses));
}

const char *container_uses_endpoint(const struct container_uses *uses, const char *network)
{
    for (size_t i = 0; i < uses->network_count; i++) {
        if (strcmp(uses->networks[i].network, network) == 0)
            return uses->networks[i].endpoint;
    }
    return NULL;
}

bool container_uses_volume(const struct container_uses *uses, const char *volume)
{
    for (size_t i = 0; i < uses->volume_count; i++) {
        if (strcmp(uses->volumes[i], volume) == 0)
            return true;
    }
    return false;
}
