/* SPDX-License-Identifier: Apache-2.0 */
#include "container_uses.h"

#include <stdlib.h>
#include <string.h>

static const char *string_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

/* "10.1.0.2/16"; "" where there is none. New reference. */
static json_t *address_of(const json_t *endpoint, const char *ip_key, const char *length_key)
{
    const char *ip = string_of(endpoint, ip_key);

    if (ip[0] == '\0')
        return json_string("");
    return json_sprintf("%s/%d", ip, (int)json_integer_value(json_object_get(endpoint, length_key)));
}

/* `"<container id>":{…}`, as an engine shows it. New text, NULL for lack of memory. */
static char *endpoint_text(const json_t *endpoint, const char *id, const char *name)
{
    json_t *member = json_pack("{s:{s:s, s:s, s:s, s:o, s:o}}", id, "Name", name, "EndpointID",
                               string_of(endpoint, "EndpointID"), "MacAddress", string_of(endpoint, "MacAddress"),
                               "IPv4Address", address_of(endpoint, "IPAddress", "IPPrefixLen"), "IPv6Address",
                               address_of(endpoint, "GlobalIPv6Address", "GlobalIPv6PrefixLen"));
    char *text = json_dumps(member, JSON_COMPACT), *inner = NULL;

    if (text != NULL) /* without its braces */
        inner = strndup(text + 1, strlen(text) - 2);
    free(text);
    json_decref(member);
    return inner;
}

static int take_network(struct container_uses *uses, const json_t *endpoint, const char *id, const char *name)
{
    const char *network = string_of(endpoint, "NetworkID");
    struct network_use *use = &uses->networks[uses->network_count];
    bool attached = string_of(endpoint, "EndpointID")[0] != '\0';

    if (network[0] == '\0')
        return 0;
    use->network = strdup(network);
    use->endpoint = attached ? endpoint_text(endpoint, id, name) : NULL;
    uses->network_count++;
    return use->network == NULL || (attached && use->endpoint == NULL) ? -1 : 0;
}

static int take_networks(struct container_uses *uses, const json_t *entry, const char *name)
{
    json_t *networks = json_object_get(json_object_get(entry, "NetworkSettings"), "Networks"), *endpoint;
    const char *key;

    if (json_object_size(networks) == 0)
        return 0;
    uses->networks = calloc(json_object_size(networks), sizeof(uses->networks[0]));
    if (uses->networks == NULL)
        return -1;
    json_object_foreach (networks, key, endpoint) {
        if (take_network(uses, endpoint, string_of(entry, "Id"), name) < 0)
            return -1;
    }
    return 0;
}

static int take_volumes(struct container_uses *uses, const json_t *entry)
{
    json_t *mounts = json_object_get(entry, "Mounts"), *mount;
    size_t i;

    if (json_array_size(mounts) == 0)
        return 0;
    uses->volumes = calloc(json_array_size(mounts), sizeof(uses->volumes[0]));
    if (uses->volumes == NULL)
        return -1;
    json_array_foreach (mounts, i, mount) {
        const char *name = string_of(mount, "Name");

        if (name[0] == '\0')
            continue;
        uses->volumes[uses->volume_count] = strdup(name);
        if (uses->volumes[uses->volume_count++] == NULL)
            return -1;
    }
    return 0;
}

int container_uses_read(struct container_uses *uses, const json_t *entry, const char *name)
{
    memset(uses, 0, sizeof(*uses));
    if (take_networks(uses, entry, name) == 0 && take_volumes(uses, entry) == 0)
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
