/* SPDX-License-Identifier: Apache-2.0 */
/* Images, networks and volumes of an engine. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "fake_engine.h"

/* --- images --- */

static void image_init(struct fake_image *image, uint64_t seed, const char *name)
{
    uint64_t number = 1469598103934665603u;

    for (const char *at = name; *at != '\0'; at++)
        number = (number ^ (unsigned char)*at) * 1099511628211u;
    memset(image, 0, sizeof(*image));
    fake_hex(image->id, 64, seed, number, 4);
    image->tags = fake_alloc(sizeof(*image->tags));
    image->tags[0] = fake_strdup(name);
    image->tag_count = 1;
    image->size = 1000000 + (int64_t)(number % 100000000);
}

struct fake_images *fake_images_new(uint64_t seed)
{
    static const char *const names[] = {"busybox:latest", "httpd:latest", "alpine:3.18"};
    struct fake_images *images = fake_alloc(sizeof(*images));

    images->references = 1;
    images->count = sizeof(names) / sizeof(names[0]);
    images->images = fake_alloc(images->count * sizeof(*images->images));
    for (size_t i = 0; i < images->count; i++)
        image_init(&images->images[i], seed, names[i]);
    return images;
}

static void image_finish(struct fake_image *image)
{
    for (size_t i = 0; i < image->tag_count; i++)
        free(image->tags[i]);
    free(image->tags);
}

void fake_images_unref(struct fake_images *images)
{
    if (--images->references > 0)
        return;
    for (size_t i = 0; i < images->count; i++)
        image_finish(&images->images[i]);
    free(images->images);
    free(images);
}

/* The engine's alone, to be changed. */
static struct fake_images *own_images(struct fake_engine *engine)
{
    struct fake_images *shared = engine->images, *own;

    if (shared->references == 1)
        return shared;
    own = fake_alloc(sizeof(*own));
    own->references = 1;
    own->count = shared->count;
    own->images = fake_alloc((own->count + 1) * sizeof(*own->images));
    for (size_t i = 0; i < own->count; i++) {
        own->images[i] = shared->images[i];
        own->images[i].tags = fake_alloc((shared->images[i].tag_count + 1) * sizeof(char *));
        for (size_t j = 0; j < own->images[i].tag_count; j++)
            own->images[i].tags[j] = fake_strdup(shared->images[i].tags[j]);
    }
    fake_images_unref(shared);
    engine->images = own;
    return own;
}

static bool is_tag(const char *tag, const char *reference)
{
    size_t length = strlen(reference);
    const char *slash = strrchr(reference, '/');

    if (strcmp(tag, reference) == 0)
        return true;
    return strchr(slash == NULL ? reference : slash, ':') == NULL && strncmp(tag, reference, length) == 0 &&
           strcmp(tag + length, ":latest") == 0;
}

const struct fake_image *fake_image_find(const struct fake_engine *engine, const char *reference)
{
    const char *id = strncmp(reference, "sha256:", 7) == 0 ? reference + 7 : reference;
    size_t length = strlen(id);

    for (size_t i = 0; i < engine->images->count; i++) {
        const struct fake_image *image = &engine->images->images[i];

        for (size_t j = 0; j < image->tag_count; j++) {
            if (is_tag(image->tags[j], reference))
                return image;
        }
        if (length >= 4 && strncmp(image->id, id, length) == 0)
            return image;
    }
    return NULL;
}

void fake_image_add(struct fake_engine *engine, const char *name)
{
    struct fake_images *images;

    if (fake_image_find(engine, name) != NULL)
        return;
    images = own_images(engine);
    images->images = reallocarray(images->images, images->count + 1, sizeof(*images->images));
    kit_check(images->images != NULL);
    image_init(&images->images[images->count++], engine->world->options.seed, name);
}

bool fake_image_tag(struct fake_engine *engine, const char *reference, const char *name)
{
    const struct fake_image *found = fake_image_find(engine, reference);
    struct fake_images *images;
    struct fake_image *image;

    if (found == NULL)
        return false;
    fake_image_untag(engine, name);
    found = fake_image_find(engine, reference);
    if (found == NULL)
        return true; /* the tag was its last one */
    images = own_images(engine);
    image = &images->images[fake_image_find(engine, reference) - images->images];
    image->tags = reallocarray(image->tags, image->tag_count + 1, sizeof(*image->tags));
    kit_check(image->tags != NULL);
    image->tags[image->tag_count++] = fake_strdup(name);
    return true;
}

bool fake_image_untag(struct fake_engine *engine, const char *name)
{
    struct fake_images *images;

    if (fake_image_find(engine, name) == NULL)
        return false;
    images = own_images(engine);
    for (size_t i = 0; i < images->count; i++) {
        struct fake_image *image = &images->images[i];

        for (size_t j = 0; j < image->tag_count; j++) {
            if (!is_tag(image->tags[j], name))
                continue;
            free(image->tags[j]);
            image->tags[j] = image->tags[--image->tag_count];
            if (image->tag_count == 0) {
                image_finish(image);
                memmove(image, image + 1, (--images->count - i) * sizeof(*image));
            }
            return true;
        }
    }
    return false;
}

/* --- networks --- */

struct fake_network *fake_network_find(struct fake_engine *engine, const char *reference)
{
    struct fake_network *network;
    size_t length = strlen(reference);

    if (strcmp(reference, "default") == 0)
        reference = "bridge";
    for (network = engine->networks; network != NULL; network = network->next) {
        if (strcmp(network->name, reference) == 0)
            return network;
    }
    for (network = engine->networks; network != NULL; network = network->next) {
        if (length > 0 && strncmp(network->id, reference, length) == 0)
            return network;
    }
    return NULL;
}

struct fake_network *fake_network_add(struct fake_engine *engine, const char *name, const char *driver)
{
    struct fake_network *network = fake_alloc(sizeof(*network)), **at;

    for (at = &engine->networks; *at != NULL; at = &(*at)->next)
        ;
    *at = network;
    fake_new_id(engine, network->id);
    network->name = fake_strdup(name);
    network->driver = fake_strdup(driver);
    network->options = fake_strdup("{}");
    network->labels = fake_strdup("{}");
    network->created_ns = fake_now(engine);
    network->subnet = strcmp(driver, "host") != 0 && strcmp(driver, "null") != 0 ? 17 + engine->next_subnet++ % 200 : 0;
    return network;
}

static void network_free(struct fake_network *network)
{
    free(network->name);
    free(network->driver);
    free(network->options);
    free(network->labels);
    free(network);
}

void fake_network_remove(struct fake_engine *engine, struct fake_network *network)
{
    struct fake_network **at;

    for (at = &engine->networks; *at != network; at = &(*at)->next)
        ;
    *at = network->next;
    network_free(network);
}

static void say_members(struct bytes *out, const struct fake_engine *engine, const struct fake_network *network)
{
    const char *separator = "";

    for (size_t i = 0; i < engine->container_count; i++) {
        const struct fake_container *container = engine->containers[i];
        char *const *names = fake_networks_of(container);
        unsigned host = container->serial + 2;
        char endpoint[FAKE_ID_SIZE];

        for (unsigned j = 0; names[j] != NULL && fake_is_running(container); j++) {
            if (strcmp(names[j], network->name) != 0)
                continue;
            fake_hex(endpoint, 64, container->serial, network->subnet, 6);
            say(out,
                "%s\"%s\":{\"Name\":\"%s\",\"EndpointID\":\"%s\",\"MacAddress\":\"02:42:ac:%02x:%02x:%02x\","
                "\"IPv4Address\":\"172.%u.%u.%u/16\",\"IPv6Address\":\"\"}",
                separator, container->id, container->name, endpoint, network->subnet, host >> 8 & 255, host & 255,
                network->subnet, host >> 8 & 255, host & 255);
            separator = ",";
        }
    }
}

void fake_render_network(struct bytes *out, const struct fake_engine *engine, const struct fake_network *network,
                         bool containers)
{
    say_text(out, "{\"Name\":");
    say_json(out, network->name);
    say(out, ",\"Id\":\"%s\",\"Created\":", network->id);
    say_time(out, network->created_ns);
    say(out,
        ",\"Scope\":\"local\",\"Driver\":\"%s\",\"EnableIPv6\":false,\"IPAM\":{\"Driver\":\"default\",\"Options\":null,"
        "\"Config\":[",
        network->driver);
    if (network->subnet > 0)
        say(out, "{\"Subnet\":\"172.%u.0.0/16\",\"Gateway\":\"172.%u.0.1\"}", network->subnet, network->subnet);
    say(out,
        "]},\"Internal\":%s,\"Attachable\":%s,\"Ingress\":false,\"ConfigFrom\":{\"Network\":\"\"},\"ConfigOnly\":false,"
        "\"Containers\":{",
        network->internal ? "true" : "false", network->attachable ? "true" : "false");
    if (containers)
        say_members(out, engine, network);
    say_text(out, "},\"Options\":");
    say_text(out, network->options);
    say_text(out, ",\"Labels\":");
    say_text(out, network->labels);
    say_text(out, "}");
}

/* --- volumes --- */

struct fake_volume *fake_volume_find(struct fake_engine *engine, const char *name)
{
    for (struct fake_volume *volume = engine->volumes; volume != NULL; volume = volume->next) {
        if (strcmp(volume->name, name) == 0)
            return volume;
    }
    return NULL;
}

struct fake_volume *fake_volume_add(struct fake_engine *engine, const char *name, const char *driver)
{
    struct fake_volume *volume = fake_alloc(sizeof(*volume));
    char *attributes = fake_format("\"driver\":\"%s\"", driver);

    volume->name = fake_strdup(name);
    volume->driver = fake_strdup(driver);
    volume->labels = fake_strdup("null");
    volume->options = fake_strdup("null");
    volume->created_ns = fake_now(engine);
    volume->next = engine->volumes;
    engine->volumes = volume;
    fake_emit(engine, "volume", "create", name, NULL, attributes);
    free(attributes);
    return volume;
}

static void volume_free(struct fake_volume *volume)
{
    free(volume->name);
    free(volume->driver);
    free(volume->labels);
    free(volume->options);
    free(volume);
}

void fake_volume_remove(struct fake_engine *engine, struct fake_volume *volume)
{
    char *attributes = fake_format("\"driver\":\"%s\"", volume->driver);
    struct fake_volume **at;

    for (at = &engine->volumes; *at != volume; at = &(*at)->next)
        ;
    *at = volume->next;
    fake_emit(engine, "volume", "destroy", volume->name, NULL, attributes);
    free(attributes);
    volume_free(volume);
}

void fake_render_volume(struct bytes *out, const struct fake_volume *volume)
{
    time_t created = (time_t)(volume->created_ns / FAKE_S_NS);
    struct tm tm;
    char time[32];

    strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&created, &tm));
    say(out, "{\"CreatedAt\":\"%s\",\"Driver\":\"%s\",\"Labels\":%s,\"Mountpoint\":\"/var/lib/docker/volumes/", time,
        volume->driver, volume->labels);
    say_text(out, volume->name);
    say_text(out, "/_data\",\"Name\":");
    say_json(out, volume->name);
    say(out, ",\"Options\":%s,\"Scope\":\"local\"}", volume->options);
}

/* --- an engine's own --- */

void fake_objects_new(struct fake_engine *engine)
{
    static const char *const predefined[][2] = {{"bridge", "bridge"}, {"host", "host"}, {"none", "null"}};

    for (int i = 0; i < 3; i++) {
        struct fake_network *network = fake_network_add(engine, predefined[i][0], predefined[i][1]);

        network->predefined = true;
        fake_hex(network->id, 64, engine->world->options.seed, engine->number, 0xbeef + (uint64_t)i);
        network->created_ns = engine->world->begin_ns;
    }
    free(engine->networks->options);
    engine->networks->options = fake_strdup(
        "{\"com.docker.network.bridge.default_bridge\":\"true\",\"com.docker.network.bridge.enable_icc\":\"true\","
        "\"com.docker.network.bridge.enable_ip_masquerade\":\"true\",\"com.docker.network.bridge.host_binding_ipv4\":"
        "\"0.0.0.0\",\"com.docker.network.bridge.name\":\"docker0\",\"com.docker.network.driver.mtu\":\"1500\"}");
}

void fake_objects_free(struct fake_engine *engine)
{
    while (engine->networks != NULL)
        fake_network_remove(engine, engine->networks);
    while (engine->volumes != NULL) {
        struct fake_volume *volume = engine->volumes;

        engine->volumes = volume->next;
        volume_free(volume);
    }
    fake_images_unref(engine->images);
}
