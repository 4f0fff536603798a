/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_engine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"

static int64_t real_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * FAKE_S_NS + now.tv_nsec;
}

int64_t fake_now(const struct fake_engine *engine)
{
    return real_now() + engine->clock_ns;
}

const char *fake_engine_id(const struct fake_engine *engine)
{
    return engine->faults.twin == NULL ? engine->id : engine->faults.twin->id;
}

void fake_new_id(struct fake_engine *engine, char id[FAKE_ID_SIZE])
{
    struct fake_world *world = engine->world;

    fake_hex(id, 64, world->options.seed, engine->number + (world->serial++ << 32), (uint64_t)real_now());
}

/* "ABCD:EFGH:…", twelve groups. */
static void engine_id(const struct fake_world *world, unsigned number, char id[64])
{
    char digits[65];
    size_t length = 0;

    fake_hex(digits, 48, world->options.seed, number, 1);
    for (int i = 0; i < 48; i++) {
        if (i > 0 && i % 4 == 0)
            id[length++] = ':';
        id[length++] = (char)("ABCDEFGHIJKLMNOP"[strchr("0123456789abcdef", digits[i]) - "0123456789abcdef"]);
    }
    id[length] = '\0';
}

/* --- what is there from the beginning --- */

static const char preload_body[] =
    "{\"Image\":\"busybox:latest\",\"Cmd\":[\"sh\",\"-c\",\"echo listening; echo ready; echo first request; "
    "sleep infinity\"],\"Env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\","
    "\"LANG=C.UTF-8\",\"APP_ENVIRONMENT=production\",\"APP_LISTEN=0.0.0.0:8080\",\"APP_DATABASE=postgres://db/app\","
    "\"APP_LOG_LEVEL=info\",\"APP_CACHE=redis://cache:6379/0\",\"APP_QUEUE=amqp://queue:5672/app\","
    "\"APP_FEATURES=search,export,notifications,audit\",\"APP_PUBLIC_URL=https://app.example.org/\","
    "\"APP_WORKERS=8\",\"APP_TIMEOUT=30s\",\"APP_REGION=eu-north-1\",\"APP_RELEASE=2023.11.2-4f1c2d9\","
    "\"JAVA_OPTS=-Xms256m -Xmx512m -XX:+UseG1GC -XX:MaxGCPauseMillis=100 -Djava.security.egd=file:/dev/urandom\","
    "\"SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt\",\"TZ=Etc/UTC\"],\"WorkingDir\":\"/srv/"
    "app\",\"ExposedPorts\":{\"8080/tcp\":{}},\"Labels\":"
    "{\"org.example.service\":\"web\",\"org.example.tier\":\"front\"},\"HostConfig\":{\"RestartPolicy\":"
    "{\"Name\":\"unless-stopped\",\"MaximumRetryCount\":0}}}";

static struct fake_spec *preload_spec(const struct fake_options *options)
{
    json_t *body = json_loads(preload_body, 0, NULL), *labels;
    struct fake_spec *spec;
    char *error;
    int status;

    kit_check(body != NULL);
    labels = json_object_get(body, "Labels");
    for (size_t i = 0; options->container_labels != NULL && options->container_labels[i] != NULL; i++) {
        const char *label = options->container_labels[i], *equals = strchr(label, '=');
        char *key = strndup(label, equals == NULL ? strlen(label) : (size_t)(equals - label));

        kit_check(key != NULL);
        json_object_set_new(labels, key, json_string(equals == NULL ? "" : equals + 1));
        free(key);
    }
    spec = fake_spec_new(body, &status, &error);
    kit_check(spec != NULL);
    spec->own_swarm_id = options->own_swarm_ids;
    json_decref(body);
    return spec;
}

static void preload(struct fake_engine *engine, struct fake_spec *spec, unsigned count)
{
    const struct fake_options *options = &engine->world->options;
    char id[FAKE_ID_SIZE], name[64];

    for (unsigned i = 0; i < count; i++) {
        struct fake_container *container;

        fake_hex(id, 64, options->seed, engine->number, i + 2);
        snprintf(name, sizeof(name), "web-%u-%u", engine->number, i);
        container = fake_container_add(engine, fake_spec_ref(spec), id, name);
        container->preloaded = true;
        container->state = FAKE_RUNNING;
        container->created_ns = engine->world->begin_ns - 3600 * FAKE_S_NS + i * 1000000;
        container->started_ns = container->created_ns + 300000000;
    }
}

/* --- life --- */

static void take_address(struct fake_engine *engine)
{
    const struct fake_options *options = &engine->world->options;
    struct in_addr base;
    char ip[INET_ADDRSTRLEN];

    kit_check(inet_pton(AF_INET, options->base_address, &base) == 1);
    engine->listener.address.sin_family = AF_INET;
    engine->listener.address.sin_port = htons((uint16_t)options->port);
    engine->listener.address.sin_addr.s_addr = htonl(ntohl(base.s_addr) + engine->number);
    inet_ntop(AF_INET, &engine->listener.address.sin_addr, ip, sizeof(ip));
    snprintf(engine->address, sizeof(engine->address), "%s:%u", ip, options->port);
}

static void engine_init(struct fake_world *world, struct fake_engine *engine, unsigned number)
{
    int error;

    engine->world = world;
    engine->number = number;
    engine->listener.loop = world->loop;
    engine->listener.engine = engine;
    engine->listener.handler = fake_routes;
    engine->next_port = 32768;
    engine->images = world->images;
    world->images->references++;
    take_address(engine);
    engine_id(world, number, engine->id);
    snprintf(engine->name, sizeof(engine->name), "node-%u", number);
    fake_objects_new(engine);
    error = fake_listener_open(&engine->listener);
    if (error != 0)
        kit_give_up("swarm-fake-engines: cannot listen on %s: %s", engine->address, strerror(error));
}

struct fake_world *fake_world_new(struct fake_loop *loop, const struct fake_options *options)
{
    struct fake_world *world = fake_alloc(sizeof(*world));
    struct fake_spec *spec = preload_spec(options);

    world->options = *options;
    world->loop = loop;
    world->random = options->seed;
    world->begin_ns = real_now();
    world->control.source.fd = -1;
    world->images = fake_images_new(options->seed);
    world->engines = fake_alloc(options->engines * sizeof(*world->engines));
    for (unsigned i = 0; i < options->engines; i++) {
        engine_init(world, &world->engines[i], options->first + i);
        preload(&world->engines[i], spec, options->containers);
    }
    fake_spec_unref(spec);
    return world;
}

static void engine_finish(struct fake_engine *engine)
{
    fake_churn(engine, 0);
    fake_listener_reset(&engine->listener);
    fake_listener_close(&engine->listener);
    while (engine->container_count > 0)
        fake_container_free(engine->containers[--engine->container_count]);
    free(engine->containers);
    fake_execs_free(engine);
    fake_events_free(engine);
    fake_objects_free(engine);
    free(engine->faults.path);
}

void fake_world_free(struct fake_world *world)
{
    for (unsigned i = 0; i < world->options.engines; i++)
        engine_finish(&world->engines[i]);
    fake_listener_reset(&world->control);
    fake_listener_close(&world->control);
    fake_images_unref(world->images);
    free(world->engines);
    free(world);
}
