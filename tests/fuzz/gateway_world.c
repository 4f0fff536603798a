/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway_world.h"

#include <jansson.h>

#include "fuzz.h"
#include "pool.h"

#define IMAGE "sha256:0a6d38280ac493bb073d42743c9e3820b43e065c89f4ee8fb30286ccd57bb499"

static const char *const versions[] = {
    "{\"Version\":\"20.10.24\",\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}",
    "{\"Version\":\"29.0.0\",\"ApiVersion\":\"1.51\",\"MinAPIVersion\":\"1.44\"}",
};

static const char images[] = "[{\"Id\":\"" IMAGE "\",\"RepoTags\":[\"busybox:latest\"],\"RepoDigests\":null,"
                             "\"Created\":1795342778,\"Size\":1982291,\"Labels\":null}]";
static const char volumes[] =
    "{\"Volumes\":[{\"Name\":\"vol\",\"Driver\":\"local\",\"Mountpoint\":\"/v\",\"Labels\":null,"
    "\"Options\":null,\"Scope\":\"local\"}],\"Warnings\":null}";

static json_t *parse(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);

    check(json != NULL);
    return json;
}

static void identify(struct pool *pool, struct engine *engine, int number)
{
    struct failure failure = {0};
    json_t *version = parse(versions[number]);
    json_t *info = json_pack("{s:s, s:s, s:i, s:i, s:s, s:s, s:{}, s:[]}", "ID", number ? "ID-1" : "ID-0", "Name",
                             number ? "node-1" : "node-0", "NCPU", 8, "MemTotal", 1 << 30, "OSType", "linux",
                             "Architecture", "x86_64", "Swarm", "Labels");

    check(pool_apply_specs(pool, engine, info, version, "1", &failure) == 0);
    json_decref(info);
    json_decref(version);
}

static void add_container(struct pool *pool, struct engine *engine, int number)
{
    char id[65], name[8], *text;
    json_t *entry, *inspect;

    memset(id, 'a' + number, 64);
    id[64] = '\0';
    snprintf(name, sizeof(name), "/c%d", number);
    entry = json_pack("{s:s, s:[s], s:s, s:s, s:s, s:i, s:[], s:{}, s:s, s:s, s:{s:s}, s:{s:{}}, s:[]}", "Id", id,
                      "Names", name, "Image", "busybox", "ImageID", IMAGE, "Command", "sh", "Created", 1795342778,
                      "Ports", "Labels", "State", "running", "Status", "Up 3 seconds", "HostConfig", "NetworkMode",
                      "default", "NetworkSettings", "Networks", "Mounts");
    inspect = json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:b, s:i, s:s}, s:{s:s, s:i}, s:{s:s, s:[s], s:{}}, s:[]}", "Id",
                        id, "Created", "2026-11-22T10:19:38.063145406Z", "Name", name, "Image", IMAGE, "State",
                        "Status", "running", "Running", 1, "ExitCode", 0, "StartedAt", "2026-11-22T10:19:38.422231106Z",
                        "HostConfig", "NetworkMode", "default", "Memory", 1 << 20, "Config", "Image", "busybox", "Cmd",
                        "sh", "Labels", "Mounts");
    text = json_dumps(inspect, JSON_COMPACT);
    check(pool_apply_container(pool, engine, pool_ticket(pool), entry, text, strlen(text)) == 0);
    free(text);
    json_decref(entry);
    json_decref(inspect);
}

static void add_objects(struct pool *pool, struct engine *engine, int number)
{
    json_t *json = parse(images), *bridge;

    pool_apply_images(pool, engine, pool_ticket(pool), json);
    json_decref(json);
    json = json_pack("[{s:s, s:s, s:s, s:s, s:{}}]", "Name", "net", "Id", number ? "net1net1" : "net0net0", "Driver",
                     "bridge", "Scope", "local", "Containers");
    bridge = json_pack("{s:s, s:s, s:s, s:s}", "Name", "bridge", "Id", number ? "br1br1" : "br0br0", "Driver", "bridge",
                       "Scope", "local");
    json_array_append_new(json, bridge);
    pool_apply_networks(pool, engine, pool_ticket(pool), json);
    json_decref(json);
    json = parse(volumes);
    pool_apply_volumes(pool, engine, pool_ticket(pool), json);
    json_decref(json);
}

void gateway_add_engine(struct manager *manager, const char *address, int number)
{
    struct failure failure = {0};
    struct engine *engine = pool_add_engine(manager->pool, address, &failure);

    check(engine != NULL);
    identify(manager->pool, engine, number);
    pool_set_state(manager->pool, engine, ENGINE_HEALTHY, 0, NULL);
    add_container(manager->pool, engine, number);
    add_objects(manager->pool, engine, number);
}
