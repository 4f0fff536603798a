/* SPDX-License-Identifier: Apache-2.0 */
#include "pins.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine.h"

/* Looked for one by one: builds are rare and long. */
struct pin {
    struct pin *next;      /* the next one was used before this one */
    struct engine *engine; /* reference */
    int64_t used_ms;
    int holders;
    enum pin_kind kind;
    char key[];
};

struct pin_table {
    pthread_mutex_t lock;
    struct pin *first;
    size_t count;
    struct pin_wait *waits;
};

int pin_table_new(struct pin_table **ret)
{
    struct pin_table *table = calloc(1, sizeof(*table));

    if (table == NULL)
        return -1;
    if (pthread_mutex_init(&table->lock, NULL) != 0) {
        free(table);
        return -1;
    }
    *ret = table;
    return 0;
}

static void free_pins(struct pin *pin)
{
    while (pin != NULL) {
        struct pin *next = pin->next;

        engine_unref(pin->engine);
        free(pin);
        pin = next;
    }
}

void pin_table_free(struct pin_table *table)
{
    if (table == NULL)
        return;
    free_pins(table->first);
    pthread_mutex_destroy(&table->lock);
    free(table);
}

static struct pin **locate(struct pin_table *table, enum pin_kind kind, const char *key)
{
    struct pin **at = &table->first;

    while (*at != NULL && ((*at)->kind != kind || strcmp((*at)->key, key) != 0))
        at = &(*at)->next;
    return at;
}

static void use(struct pin_table *table, struct pin **at, int64_t now_ms)
{
    struct pin *pin = *at;

    *at = pin->next;
    pin->next = table->first;
    table->first = pin;
    pin->used_ms = now_ms;
}

/* What is too old, and the last ones that nobody holds where there are more than @p most: taken out, for free_pins()
 * without the lock. */
static struct pin *take_aged(struct pin_table *table, size_t most, int64_t now_ms)
{
    struct pin *aged = NULL, **at = &table->first, **last;

    while (*at != NULL) {
        struct pin *pin = *at;

        if (pin->holders > 0 || now_ms - pin->used_ms < PIN_LIFE_MS) {
            at = &pin->next;
            continue;
        }
        *at = pin->next;
        pin->next = aged;
        aged = pin;
        table->count--;
    }
    while (table->count > most) {
        last = NULL;
        for (at = &table->first; *at != NULL; at = &(*at)->next)
            last = (*at)->holders > 0 ? last : at;
        if (last == NULL)
            break;
        struct pin *pin = *last;
        *last = pin->next;
        pin->next = aged;
        aged = pin;
        table->count--;
    }
    return aged;
}

struct engine *pin_find(struct pin_table *table, enum pin_kind kind, const char *key, int64_t now_ms)
{
    struct engine *engine = NULL;
    struct pin *aged, **at;

    pthread_mutex_lock(&table->lock);
    aged = take_aged(table, PINS_MAX, now_ms);
    at = locate(table, kind, key);
    if (*at != NULL) {
        engine = engine_ref((*at)->engine);
        use(table, at, now_ms);
    }
    pthread_mutex_unlock(&table->lock);
    free_pins(aged);
    return engine;
}

static void wake(struct pin_table *table)
{
    const uint64_t one = 1;

    for (struct pin_wait *wait = table->waits; wait != NULL; wait = wait->next) {
        ssize_t written = write(wait->fd, &one, sizeof(one));

        (void)written; /* fails only where it is readable anyway */
    }
}

static struct pin *new_pin(enum pin_kind kind, const char *key, struct engine *engine)
{
    struct pin *pin = calloc(1, sizeof(*pin) + strlen(key) + 1);

    if (pin == NULL)
        return NULL;
    pin->kind = kind;
    strcpy(pin->key, key);
    pin->engine = engine_ref(engine);
    return pin;
}

/* The engine in force afterwards: a reference, NULL for lack of memory. */
static struct engine *put(struct pin_table *table, enum pin_kind kind, const char *key, struct engine *engine,
                          bool replace, int64_t now_ms)
{
    struct pin *pin = new_pin(kind, key, engine), *aged, **at;
    struct engine *former = NULL, *result = NULL;

    if (pin == NULL)
        return NULL;
    pthread_mutex_lock(&table->lock);
    aged = take_aged(table, PINS_MAX - 1, now_ms);
    at = locate(table, kind, key);
    if (*at == NULL) {
        *at = pin;
        pin = NULL;
        table->count++;
    } else if (replace) {
        former = (*at)->engine;
        (*at)->engine = engine_ref(engine);
    }
    use(table, at, now_ms);
    result = engine_ref(table->first->engine);
    wake(table);
    pthread_mutex_unlock(&table->lock);
    engine_unref(former);
    free_pins(pin);
    free_pins(aged);
    return result;
}

int pin_set(struct pin_table *table, enum pin_kind kind, const char *key, struct engine *engine, int64_t now_ms)
{
    struct engine *result = put(table, kind, key, engine, true, now_ms);

    engine_unref(result);
    return result == NULL ? -1 : 0;
}

struct engine *pin_claim(struct pin_table *table, enum pin_kind kind, const char *key, struct engine *engine,
                         int64_t now_ms)
{
    return put(table, kind, key, engine, false, now_ms);
}

void pin_hold(struct pin_table *table, enum pin_kind kind, const char *key)
{
    struct pin *pin;

    pthread_mutex_lock(&table->lock);
    pin = *locate(table, kind, key);
    if (pin != NULL)
        pin->holders++;
    pthread_mutex_unlock(&table->lock);
}

void pin_release(struct pin_table *table, enum pin_kind kind, const char *key, int64_t now_ms)
{
    struct pin **at;

    pthread_mutex_lock(&table->lock);
    at = locate(table, kind, key);
    if (*at != NULL && (*at)->holders > 0) {
        (*at)->holders--;
        use(table, at, now_ms);
    }
    pthread_mutex_unlock(&table->lock);
}

bool pin_is_held(struct pin_table *table, enum pin_kind kind, const char *key)
{
    const struct pin *pin;
    bool held;

    pthread_mutex_lock(&table->lock);
    pin = *locate(table, kind, key);
    held = pin != NULL && pin->holders > 0;
    pthread_mutex_unlock(&table->lock);
    return held;
}

int pin_wait_begin(struct pin_table *table, struct pin_wait *wait)
{
    wait->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wait->fd < 0)
        return -1;
    pthread_mutex_lock(&table->lock);
    wait->next = table->waits;
    table->waits = wait;
    pthread_mutex_unlock(&table->lock);
    return 0;
}

void pin_wait_end(struct pin_table *table, struct pin_wait *wait)
{
    struct pin_wait **at = &table->waits;

    pthread_mutex_lock(&table->lock);
    while (*at != wait)
        at = &(*at)->next;
    *at = wait->next;
    pthread_mutex_unlock(&table->lock);
    close(wait->fd);
}
