/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json_objects.h"

#define LIMIT 64

/* Everything that was handed out, each object in brackets. */
struct seen {
    char text[1024];
    size_t length;
    int refuse; /* at the n-th object, 0: never */
    int count;
};

static int see(void *data, const char *text, size_t length)
{
    struct seen *seen = data;

    assert_true(seen->length + length + 2 < sizeof(seen->text));
    seen->text[seen->length++] = '<';
    memcpy(seen->text + seen->length, text, length);
    seen->length += length;
    seen->text[seen->length++] = '>';
    seen->text[seen->length] = '\0';
    return ++seen->count == seen->refuse ? -1 : 0;
}

/* A copy of just that many bytes, so that the address sanitizer sees a read beyond them. */
static int feed(struct json_objects *objects, const char *bytes, size_t length, struct seen *seen)
{
    char *copy = malloc(length ? length : 1);
    int r;

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    r = json_objects_feed(objects, copy, length, see, seen);
    free(copy);
    return r;
}

static const char stream[] = "{\"a\":1}\n{\"b\":\"}{\\\"\\\\\"}{\"c\":[{\"d\":{}}]}\r\n\x1e {}\t";
static const char objects_of_stream[] = "<{\"a\":1}><{\"b\":\"}{\\\"\\\\\"}><{\"c\":[{\"d\":{}}]}><{}>";

static void test_whole_stream(void **state)
{
    struct json_objects objects;
    struct seen seen = {0};

    json_objects_init(&objects, LIMIT);
    assert_int_equal(feed(&objects, stream, strlen(stream), &seen), 0);
    assert_string_equal(seen.text, objects_of_stream);
    json_objects_finish(&objects);
}

static void test_every_split_in_two_and_three(void **state)
{
    size_t length = strlen(stream);

    for (size_t i = 0; i <= length; i++) {
        for (size_t j = i; j <= length; j++) {
            struct json_objects objects;
            struct seen seen = {0};

            json_objects_init(&objects, LIMIT);
            assert_int_equal(feed(&objects, stream, i, &seen), 0);
            assert_int_equal(feed(&objects, stream + i, j - i, &seen), 0);
            assert_int_equal(feed(&objects, stream + j, length - j, &seen), 0);
            assert_string_equal(seen.text, objects_of_stream);
            json_objects_finish(&objects);
        }
    }
}

static void test_byte_by_byte(void **state)
{
    struct json_objects objects;
    struct seen seen = {0};

    json_objects_init(&objects, LIMIT);
    for (size_t i = 0; i < strlen(stream); i++)
        assert_int_equal(feed(&objects, stream + i, 1, &seen), 0);
    assert_string_equal(seen.text, objects_of_stream);
    json_objects_finish(&objects);
}

static void test_unfinished_object_is_not_handed_out(void **state)
{
    struct json_objects objects;
    struct seen seen = {0};

    json_objects_init(&objects, LIMIT);
    assert_int_equal(feed(&objects, "{\"a\":{}", 7, &seen), 0);
    assert_int_equal(seen.count, 0);
    json_objects_finish(&objects);
}

static void test_garbage_between_objects_is_refused(void **state)
{
    static const char *const garbage[] = {"x", "{}x", "[1]", "\"a\"", "}", "1", "{} null"};

    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        struct json_objects objects;
        struct seen seen = {0};

        json_objects_init(&objects, LIMIT);
        assert_int_equal(feed(&objects, garbage[i], strlen(garbage[i]), &seen), -1);
        json_objects_finish(&objects);
    }
}

/* An object of exactly @p size bytes. */
static void make_object(char *text, size_t size)
{
    memset(text, 'x', size);
    memcpy(text, "{\"", 2);
    memcpy(text + size - 2, "\"}", 2);
}

static void test_object_up_to_the_limit_only(void **state)
{
    char text[LIMIT + 1];

    for (size_t split = 0; split <= LIMIT; split++) {
        struct json_objects objects;
        struct seen seen = {0};

        make_object(text, LIMIT);
        json_objects_init(&objects, LIMIT);
        assert_int_equal(feed(&objects, text, split, &seen), 0);
        assert_int_equal(feed(&objects, text + split, LIMIT - split, &seen), 0);
        assert_int_equal(seen.count, 1);
        json_objects_finish(&objects);

        make_object(text, LIMIT + 1);
        json_objects_init(&objects, LIMIT);
        assert_int_equal(feed(&objects, text, split, &seen) | feed(&objects, text + split, LIMIT + 1 - split, &seen),
                         -1);
        assert_int_equal(seen.count, 1);
        json_objects_finish(&objects);
    }
}

static void test_reset_forgets_half_an_object(void **state)
{
    struct json_objects objects;
    struct seen seen = {0};

    json_objects_init(&objects, LIMIT);
    assert_int_equal(feed(&objects, "{\"a\":\"\\", 7, &seen), 0);
    json_objects_reset(&objects);
    assert_int_equal(feed(&objects, "{\"b\":2}", 7, &seen), 0);
    assert_string_equal(seen.text, "<{\"b\":2}>");
    json_objects_finish(&objects);
}

static void test_reader_can_end_it(void **state)
{
    struct json_objects objects;
    struct seen seen = {.refuse = 2};

    json_objects_init(&objects, LIMIT);
    assert_int_equal(feed(&objects, "{}{}{}", 6, &seen), -1);
    assert_int_equal(seen.count, 2);
    json_objects_finish(&objects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_stream),
        cmocka_unit_test(test_every_split_in_two_and_three),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_unfinished_object_is_not_handed_out),
        cmocka_unit_test(test_garbage_between_objects_is_refused),
        cmocka_unit_test(test_object_up_to_the_limit_only),
        cmocka_unit_test(test_reset_forgets_half_an_object),
        cmocka_unit_test(test_reader_can_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
