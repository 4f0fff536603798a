/* SPDX-License-Identifier: Apache-2.0 */
/* Text for the fake engines' answers, at the end of a buffer. Where memory is short the program ends. */
#ifndef TESTS_KIT_FAKE_TEXT_H
#define TESTS_KIT_FAKE_TEXT_H

#include <jansson.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

#define FAKE_S_NS INT64_C(1000000000)

void say(struct bytes *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_list(struct bytes *out, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));
void say_bytes(struct bytes *out, const void *data, size_t length);
void say_text(struct bytes *out, const char *text);
/* In quotes, escaped. */
void say_json(struct bytes *out, const char *text);
void say_value(struct bytes *out, const json_t *value);
/* Nanoseconds since 1970, quoted as engines write times; 0 is their "never". */
void say_time(struct bytes *out, int64_t ns);
/* How long that is, in dockerd's words: "3 minutes". */
void say_duration(struct bytes *out, int64_t seconds);

/* New texts. */
char *fake_strdup(const char *text);
char *fake_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *fake_dump(const json_t *value);
/* Zeroed memory. */
void *fake_alloc(size_t size);

/* @p count hexadecimal digits (at most 64) and a NUL that follow from the three numbers alone. */
void fake_hex(char *text, size_t count, uint64_t a, uint64_t b, uint64_t c);
/* The next of a seeded sequence. */
uint64_t fake_random(uint64_t *state);

/* The value of a query's parameter, decoded; new, NULL where there is none. */
char *fake_query(const char *query, const char *name);
/* That parameter is there and says true as Go's servers read it. */
int fake_query_true(const char *query, const char *name);
/* "%2F" and the like; new. */
char *fake_decode(const char *text, size_t length, int plus_is_blank);

#endif
