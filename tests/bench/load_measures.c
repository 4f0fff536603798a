/* SPDX-License-Identifier: Apache-2.0 */
#include "load_measures.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "load_client.h"
#include "measure.h"

#define MEMORY_MIB 256

static unsigned serial; /* names are not used twice */

/* --- JSON --- */

static json_t *get_json(const char *address, const char *path)
{
    struct load_client client;
    struct load_answer answer;
    json_t *json;

    load_client_init(&client, address);
    answer = load_call(&client, "GET", path, NULL, 1);
    json = answer.status == 200 ? json_loadb(answer.body, answer.length, 0, NULL) : NULL;
    if (json == NULL)
        load_give_up("%s answers %s with %d", address, path, answer.status);
    free(answer.body);
    load_client_close(&client);
    return json;
}

static const char *string_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

void load_ids_take(const struct load_world *world, struct load_ids *ids)
{
    json_t *list = get_json(world->manager, "/containers/json?all=1"), *entry;
    size_t i;

    ids->count = json_array_size(list);
    ids->ids = calloc(ids->count + 1, sizeof(*ids->ids));
    ids->names = calloc(ids->count + 1, sizeof(*ids->names));
    if (ids->ids == NULL || ids->names == NULL)
        load_give_up("out of memory");
    json_array_foreach (list, i, entry) {
        const char *name = json_string_value(json_array_get(json_object_get(entry, "Names"), 0));

        snprintf(ids->ids[i], sizeof(*ids->ids), "%s", string_of(entry, "Id"));
        snprintf(ids->names[i], sizeof(*ids->names), "%s", name == NULL ? "" : name + 1);
    }
    json_decref(list);
}

void load_ids_free(struct load_ids *ids)
{
    free(ids->ids);
    free(ids->names);
}

/* --- operations --- */

struct run {
    const struct load_world *world;
    const struct load_ids *ids;
    enum load_kind kind;
    unsigned serial;
    size_t count;
    atomic_size_t next, errors;
    struct samples samples;
    _Atomic int64_t first_ns;
};

static bool call(struct load_client *client, const char *method, const char *path, const char *body, int wanted,
                 struct run *run)
{
    struct load_answer answer = load_call(client, method, path, body, 0);

    atomic_fetch_add(&run->first_ns, answer.first_ns);
    return answer.status == wanted;
}

static bool create(struct run *run, struct load_client *client, size_t at)
{
    static const char *const bodies[] = {
        "{\"Image\":\"busybox:latest\",\"Cmd\":[\"sleep\",\"infinity\"]}",
        "{\"Image\":\"busybox:latest\",\"Cmd\":[\"sleep\",\"infinity\"],\"Env\":[\"constraint:ostype==linux\"]}",
        "{\"Image\":\"busybox:latest\",\"Cmd\":[\"sleep\",\"infinity\"],\"HostConfig\":{\"Memory\":268435456}}",
    };
    struct load_answer answer;
    char path[160];
    bool created;

    snprintf(path, sizeof(path), "/v1.41/containers/create?name=%s-%u-%zu",
             run->kind == LOAD_CREATE_MEMORY ? "memory" : "load", run->serial, at);
    answer = load_call(client, "POST", path, bodies[run->kind - LOAD_CREATE], 1);
    created = answer.status == 201 && answer.length > 71;
    if (created)
        snprintf(path, sizeof(path), "/v1.41/containers/%.64s/start", strstr(answer.body, "\"Id\":\"") + 6);
    free(answer.body);
    return created && call(client, "POST", path, NULL, 204, run);
}

static bool operate(struct run *run, struct load_client *client, size_t at)
{
    const struct load_ids *ids = run->ids;
    size_t which = ids->count == 0 ? 0 : at * 7919 % ids->count;
    char path[160];

    switch (run->kind) {
    case LOAD_CREATE:
    case LOAD_CREATE_CONSTRAINT:
    case LOAD_CREATE_MEMORY:
        return create(run, client, at);
    case LOAD_INSPECT:
        snprintf(path, sizeof(path), "/v1.41/containers/%s/json", ids->ids[which]);
        return call(client, "GET", path, NULL, 200, run);
    case LOAD_INSPECT_SHORT:
        snprintf(path, sizeof(path), "/v1.41/containers/%.12s/json", ids->ids[which]);
        return call(client, "GET", path, NULL, 200, run);
    case LOAD_INSPECT_NAME:
        snprintf(path, sizeof(path), "/v1.41/containers/%s/json", ids->names[which]);
        return call(client, "GET", path, NULL, 200, run);
    case LOAD_LOGS:
        snprintf(path, sizeof(path), "/v1.41/containers/%s/logs?stdout=1", ids->ids[which]);
        return call(client, "GET", path, NULL, 200, run);
    case LOAD_INFO:
        return call(client, "GET", "/v1.41/info", NULL, 200, run);
    case LOAD_PING:
        return call(client, "GET", "/_ping", NULL, 200, run);
    case LOAD_LIST:
        break;
    }
    return call(client, "GET", "/v1.41/containers/json?all=1", NULL, 200, run);
}

static void *worker(void *data)
{
    struct run *run = data;
    struct load_client client;
    size_t at;

    load_client_init(&client, run->world->manager);
    while ((at = atomic_fetch_add(&run->next, 1)) < run->count) {
        int64_t begin = load_now_ns();

        if (!operate(run, &client, at))
            atomic_fetch_add(&run->errors, 1);
        run->samples.ns[at] = (uint64_t)(load_now_ns() - begin);
    }
    load_client_close(&client);
    return NULL;
}

static void take_percentiles(struct load_row *row, struct samples *samples)
{
    row->p50_ms = (double)samples_percentile(samples, 50) / 1e6;
    row->p90_ms = (double)samples_percentile(samples, 90) / 1e6;
    row->p99_ms = (double)samples_percentile(samples, 99) / 1e6;
}

void load_run(const struct load_world *world, enum load_kind kind, const struct load_ids *ids, size_t count,
              struct load_row *row)
{
    struct run run = {.world = world, .ids = ids, .kind = kind, .serial = ++serial, .count = count};
    bool needs_ids = kind >= LOAD_INSPECT && kind <= LOAD_LOGS;
    pthread_t threads[256];
    unsigned at_once = row->concurrency > 256 ? 256 : row->concurrency;
    int64_t cpu, begin;

    if (needs_ids && ids->count == 0) {
        run.count = count = 0;
        at_once = 0;
    }
    samples_init(&run.samples, count + 1);
    run.samples.count = count;
    cpu = load_cpu_ns(world);
    begin = load_now_ns();
    for (unsigned i = 0; i < at_once; i++) {
        if (pthread_create(&threads[i], NULL, worker, &run) != 0)
            load_give_up("no thread");
    }
    for (unsigned i = 0; i < at_once; i++)
        pthread_join(threads[i], NULL);
    row->operations = count;
    row->errors = run.errors;
    if (count > 0) {
        row->wall_ms = (double)(load_now_ns() - begin) / 1e6;
        row->cpu_us = (double)(load_cpu_ns(world) - cpu) / 1000 / (double)count;
        row->rate = (double)count / row->wall_ms * 1000;
        row->first_ms = (double)run.first_ns / 1e6 / (double)count;
        take_percentiles(row, &run.samples);
    }
    samples_free(&run.samples);
}

/* --- check --- */

/* {id: "engine"} of everything the fake engines have; counts what is wrong with it. */
static json_t *engines_own(const struct load_world *world, size_t *wrong)
{
    json_t *all = json_object(), *names = json_object(), *memory = json_object(), *entry;
    char address[32];
    size_t i;

    for (unsigned fake = 0; fake < world->fake_count; fake++) {
        json_t *list;

        load_control(world, fake * LOAD_SHARE, address);
        list = get_json(address, "/engines/all/containers");
        json_array_foreach (list, i, entry) {
            const char *name = string_of(entry, "name"), *engine = string_of(entry, "engine");
            json_int_t mib = json_integer_value(json_object_get(memory, engine));

            *wrong += json_object_get(names, name) != NULL;
            json_object_set_new(names, name, json_true());
            json_object_set(all, string_of(entry, "id"), json_object_get(entry, "engine"));
            if (strncmp(name, "memory-", 7) == 0)
                json_object_set_new(memory, engine, json_integer(mib + MEMORY_MIB));
            *wrong += mib > 34 * 1024; /* 32 GiB and 5 % */
        }
        json_decref(list);
    }
    json_decref(names);
    json_decref(memory);
    return all;
}

void load_check(const struct load_world *world, struct load_row *row)
{
    int64_t begin = load_now_ns();
    json_t *own = engines_own(world, &row->errors), *list = get_json(world->manager, "/containers/json?all=1"), *entry;
    size_t i;

    row->operations = json_object_size(own);
    json_array_foreach (list, i, entry) {
        const char *id = string_of(entry, "Id"), *engine = string_of(own, id);
        const char *name = json_string_value(json_array_get(json_object_get(entry, "Names"), 0));
        size_t length = strlen(engine);

        if (length == 0 || name == NULL || strncmp(name + 1, engine, length) != 0 || name[length + 1] != '/')
            row->errors++;
        json_object_del(own, id);
    }
    row->errors += json_object_size(own); /* those that the manager does not list */
    row->wall_ms = (double)(load_now_ns() - begin) / 1e6;
    json_decref(own);
    json_decref(list);
}

/* --- fail-over --- */

void load_fail_over(const struct load_world *world, unsigned count, struct load_row *row)
{
    static const char body[] =
        "{\"Image\":\"busybox:latest\",\"Cmd\":[\"sleep\",\"infinity\"],\"Env\":[\"constraint:node==~node-0\","
        "\"reschedule:on-node-failure\"]}";
    struct load_client client;
    struct run run = {0};
    int64_t begin, cpu;
    long before;

    load_client_init(&client, world->manager);
    for (unsigned i = 0; i < count; i++) {
        char path[160];
        struct load_answer answer;

        snprintf(path, sizeof(path), "/v1.41/containers/create?name=moves-%u", i);
        answer = load_call(&client, "POST", path, body, 1);
        if (answer.status == 201)
            snprintf(path, sizeof(path), "/v1.41/containers/%.64s/start", strstr(answer.body, "\"Id\":\"") + 6);
        row->errors += answer.status != 201 || !call(&client, "POST", path, NULL, 204, &run);
        free(answer.body);
    }
    load_client_close(&client);
    before = load_running(world);
    cpu = load_cpu_ns(world);
    begin = load_now_ns();
    load_fault(world, 0, "{\"fault\":\"stop\"}");
    while (load_running(world) < before + (long)count) {
        struct timespec pause = {.tv_nsec = 20000000};

        if (load_now_ns() - begin > INT64_C(300000000000)) {
            row->errors += (size_t)(before + (long)count - load_running(world));
            break;
        }
        nanosleep(&pause, NULL);
    }
    row->wall_ms = (double)(load_now_ns() - begin) / 1e6;
    row->cpu_us = (double)(load_cpu_ns(world) - cpu) / 1000 / count;
    load_fault(world, 0, "{\"fault\":\"none\"}");
}
