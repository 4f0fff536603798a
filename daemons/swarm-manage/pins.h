/* SPDX-License-Identifier: Apache-2.0 */
/* Which engine builds are on. What belongs to one build comes in several requests, and only one engine has its parts:
 * the build and its upload know each other by the build's id, a build and its session by the session's, and the
 * requests of BuildKit's own protocol by nothing but who the client is. Bounded: a pin is forgotten an hour after it
 * was used last, the least recently used one where there are too many. */
#ifndef MANAGE_PINS_H
#define MANAGE_PINS_H

#include <stdbool.h>
#include <stdint.h>

#define PINS_MAX 4096
#define PIN_KEY_MAX 512 /* bytes; for the callers to check, as keys come from clients */
#define PIN_LIFE_MS (60 * 60 * INT64_C(1000))

enum pin_kind { PIN_CLIENT, PIN_SESSION, PIN_BUILD };

struct engine;
struct pin_table;

/* Any thread may call all of these; times are monotonic_ms(). */

/* 0, or -1 for lack of memory. */
int pin_table_new(struct pin_table **ret);
void pin_table_free(struct pin_table *table);
/* The engine that @p key is pinned to: a reference, NULL where it is not. That counts as a use. */
struct engine *pin_find(struct pin_table *table, enum pin_kind kind, const char *key, int64_t now_ms);
/* Pin @p key, wherever it was before. 0, or -1 for lack of memory. */
int pin_set(struct pin_table *table, enum pin_kind kind, const char *key, struct engine *engine, int64_t now_ms);
/* Pin @p key where it is not pinned yet: the engine that is in force then, a reference; NULL for lack of memory. */
struct engine *pin_claim(struct pin_table *table, enum pin_kind kind, const char *key, struct engine *engine,
                         int64_t now_ms);

/* A pin that is held is not forgotten: a connection depends on it. Nothing where there is no such pin. */
void pin_hold(struct pin_table *table, enum pin_kind kind, const char *key);
void pin_release(struct pin_table *table, enum pin_kind kind, const char *key, int64_t now_ms);
bool pin_is_held(struct pin_table *table, enum pin_kind kind, const char *key);

/* To wait for a pin: fd can be read after each one that is set from the beginning on. Look for it after that. */
struct pin_wait {
    int fd;
    struct pin_wait *next;
};
/* 0, or -1 for lack of descriptors. */
int pin_wait_begin(struct pin_table *table, struct pin_wait *wait);
void pin_wait_end(struct pin_table *table, struct pin_wait *wait);

#endif
