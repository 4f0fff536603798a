/* SPDX-License-Identifier: Apache-2.0 */
/* What two engines say of themselves and of what they have, applied to a pool as the monitor does, and what the pool
 * then shows of it. Whatever it was: lists are JSON and have no more entries than were told, sums are not negative,
 * events keep their order and name their node, and all of it can be taken back.
 *
 * Input: answers with a NUL between them, each behind a letter for its kind (struct kind), a capital for the second
 * engine. */
#include <ctype.h>

#include "engine_views.h"
#include "events.h"
#include "filters.h"
#include "fuzz.h"
#include "image_list.h"
#include "json_objects.h"
#include "json_read.h"
#include "json_scan.h"
#include "log.h"
#include "pool.h"

static const char plain_version[] = "{\"Version\":\"20.10.24\",\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}";

static struct swarm_scheduler *scheduler;

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;

    log_init(stderr, LOG_LEVEL_FATAL);
    check(swarm_scheduler_new(&scheduler, &options, NULL) == 0);
    return 0;
}

/* --- answers --- */

static json_t *read_json(const char *text)
{
    return json_read(text, strlen(text), JSON_ALLOW_NUL, NULL);
}

static void apply_specs(struct scene *scene, int number, const char *version_text)
{
    json_t *version = read_json(version_text);
    struct failure failure = {0};

    if (json_is_object(scene->infos[number]) && json_is_object(version) &&
        pool_apply_specs(scene->manager.pool, scene->engines[number], scene->infos[number], version, "2", &failure) < 0)
        check(failure.message != NULL);
    failure_clear(&failure);
    json_decref(version);
}

static void take_info(struct scene *scene, int number, const char *text)
{
    json_decref(scene->infos[number]);
    scene->infos[number] = read_json(text);
    apply_specs(scene, number, plain_version);
}

static void take_list(struct scene *scene, int number, const char *text)
{
    struct pool *pool = scene->manager.pool;
    struct json_span span = json_span_of(text, strlen(text));
    json_t *list = read_json(text);
    struct listed_container *wanted = NULL;
    size_t count = 0;

    if (json_span_is_array(span) && json_valid(text, strlen(text)) &&
        pool_apply_listed(pool, scene->engines[number], pool_ticket(pool), span, true, &wanted, &count) == 0) {
        check(list == NULL || count <= json_array_size(list)); /* NULL: with numbers that are too large for a tree */
        for (size_t i = 0; i < count; i++) {
            check(*wanted[i].id != '\0');
            free(wanted[i].id);
        }
        free(wanted);
    }
    json_decref(scene->lists[number]);
    scene->lists[number] = list;
}

/* An inspect answer, for the entry of the list that has its Id, else the first. */
static void take_inspect(struct scene *scene, int number, const char *text)
{
    struct pool *pool = scene->manager.pool;
    json_t *list = scene->lists[number], *root = read_json(text), *entry = json_array_get(list, 0), *one;
    size_t i;

    json_array_foreach (list, i, one) {
        if (json_object_get(one, "Id") != NULL && json_equal(json_object_get(one, "Id"), json_object_get(root, "Id")))
            entry = one;
    }
    if (json_is_object(entry) &&
        pool_apply_container(pool, scene->engines[number], pool_ticket(pool), entry, text, strlen(text)) == 0)
        scene->containers++;
    json_decref(root);
}

static void take_images(struct scene *scene, int number, const char *text)
{
    json_t *images = read_json(text);

    scene->images += json_array_size(images);
    check(image_list_count(images) <= json_array_size(images));
    pool_apply_images(scene->manager.pool, scene->engines[number], pool_ticket(scene->manager.pool), images);
    json_decref(images);
}

static void take_networks(struct scene *scene, int number, const char *text)
{
    json_t *networks = read_json(text);

    scene->networks += json_array_size(networks);
    pool_apply_networks(scene->manager.pool, scene->engines[number], pool_ticket(scene->manager.pool), networks);
    json_decref(networks);
}

static void take_volumes(struct scene *scene, int number, const char *text)
{
    json_t *volumes = read_json(text);

    scene->volumes += json_array_size(json_object_get(volumes, "Volumes"));
    pool_apply_volumes(scene->manager.pool, scene->engines[number], pool_ticket(scene->manager.pool), volumes);
    json_decref(volumes);
}

struct told {
    struct scene *scene;
    int number;
};

static int take_event(void *data, const char *text, size_t length)
{
    struct told *told = data;

    if (!json_valid(text, length))
        return -1;
    told->scene->events++;
    events_publish_engine(told->scene->manager.events, told->scene->engines[told->number], json_span_of(text, length));
    return 0;
}

static void take_events(struct scene *scene, int number, const char *text)
{
    struct told told = {scene, number};
    struct json_objects objects;

    json_objects_init(&objects, 1 << 20);
    json_objects_feed(&objects, text, strlen(text), take_event, &told);
    json_objects_finish(&objects);
}

static void take_filters(struct scene *scene, int number, const char *text)
{
    struct failure failure = {0};
    json_t *filters = NULL;

    if (filters_parse(&filters, text, &failure) == 0) {
        json_decref(scene->filters);
        scene->filters = filters;
    }
    failure_clear(&failure);
}

static const struct kind {
    char letter;
    void (*take)(struct scene *scene, int number, const char *text);
} kinds[] = {
    {'i', take_info},     {'v', apply_specs},  {'l', take_list},   {'c', take_inspect}, {'m', take_images},
    {'n', take_networks}, {'o', take_volumes}, {'e', take_events}, {'f', take_filters},
};

static void take_answer(struct scene *scene, const char *answer)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (tolower((unsigned char)*answer) == kinds[i].letter)
            kinds[i].take(scene, isupper((unsigned char)*answer) != 0, answer + 1);
    }
}

/* --- the scene --- */

static void set_up(struct scene *scene)
{
    static const char *const addresses[ENGINES] = {"10.0.0.1:2375", "10.0.0.2:2375"};
    struct failure failure = {0};

    memset(scene, 0, sizeof(*scene));
    scene->manager.scheduler = scheduler;
    scene->filters = json_object();
    check(pool_new(&scene->manager.pool, &scene->manager) == 0 && event_hub_new(&scene->manager.events) == 0);
    for (int i = 0; i < ENGINES; i++) {
        scene->engines[i] = engine_ref(pool_add_engine(scene->manager.pool, addresses[i], &failure));
        scene->infos[i] = json_pack("{s:s, s:s, s:i, s:i}", "ID", addresses[i], "Name", i == 0 ? "node-0" : "node-1",
                                    "NCPU", 8, "MemTotal", 1 << 30);
        apply_specs(scene, i, plain_version);
        pool_set_state(scene->manager.pool, scene->engines[i], ENGINE_HEALTHY, 0, NULL);
    }
}

static void tear_down(struct scene *scene)
{
    pool_free(scene->manager.pool);
    for (int i = 0; i < ENGINES; i++) {
        engine_unref(scene->engines[i]);
        json_decref(scene->infos[i]);
        json_decref(scene->lists[i]);
    }
    event_hub_free(scene->manager.events);
    json_decref(scene->filters);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct scene scene;

    set_up(&scene);
    for (char *at = text; at <= text + size; at += strlen(at) + 1)
        take_answer(&scene, at);
    engine_views_check(&scene);
    tear_down(&scene);
    free(text);
    return 0;
}
