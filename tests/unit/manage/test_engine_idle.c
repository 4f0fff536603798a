/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine_idle.h"

#define ENGINES 3
static struct engine engines[ENGINES];

static int set_up(void **state)
{
    memset(engines, 0, sizeof(engines));
    engine_idle_limit(1024);
    return 0;
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < ENGINES; i++)
        engine_close_idle(&engines[i]);
    assert_int_equal(engine_idle_count(), 0);
    return 0;
}

/* A connection, and its engine's end of it, to see whether it was closed. */
static struct stream *make(struct stream **ret_other)
{
    struct stream *stream;

    assert_int_equal(stream_pair(&stream, ret_other), 0);
    return stream;
}

static bool is_closed(struct stream *other)
{
    char byte;

    return stream_recv(other, &byte, 1) == 0;
}

static void test_last_left_is_taken_first(void **state)
{
    struct stream *one, *two, *others[2];

    assert_null(engine_take_idle(&engines[0]));
    one = make(&others[0]);
    two = make(&others[1]);
    engine_put_back(&engines[0], one);
    engine_put_back(&engines[0], two);
    assert_null(engine_take_idle(&engines[1]));
    assert_ptr_equal(engine_take_idle(&engines[0]), two);
    assert_ptr_equal(engine_take_idle(&engines[0]), one);
    assert_null(engine_take_idle(&engines[0]));
    stream_close(one);
    stream_close(two);
    stream_close(others[0]);
    stream_close(others[1]);
}

static void test_each_engine_keeps_a_few(void **state)
{
    struct stream *others[ENGINE_IDLE_MAX + 1];

    for (int i = 0; i <= ENGINE_IDLE_MAX; i++)
        engine_put_back(&engines[0], make(&others[i]));
    assert_int_equal(engine_idle_count(), ENGINE_IDLE_MAX);
    for (int i = 0; i <= ENGINE_IDLE_MAX; i++) {
        assert_int_equal(is_closed(others[i]), i == ENGINE_IDLE_MAX);
        stream_close(others[i]);
    }
}

/* What makes room is the connection that was left longest ago, whosever it is. */
static void test_all_engines_share_a_limit(void **state)
{
    struct stream *others[6];

    engine_idle_limit(3);
    for (int i = 0; i < 6; i++) {
        if (i == 4) { /* used once more: the first engine's is not the oldest any longer */
            struct stream *stream = engine_take_idle(&engines[0]);

            assert_non_null(stream);
            engine_put_back(&engines[0], stream);
        }
        engine_put_back(&engines[i % ENGINES], make(&others[i]));
        assert_int_equal(engine_idle_count(), i < 3 ? i + 1 : 3);
    }
    assert_true(is_closed(others[0]));
    assert_true(is_closed(others[1]));
    assert_true(is_closed(others[2]));
    assert_false(is_closed(others[3]));
    assert_false(is_closed(others[4]));
    assert_false(is_closed(others[5]));
    for (int i = 0; i < 6; i++)
        stream_close(others[i]);
}

static void test_none_is_kept_where_the_limit_is_0(void **state)
{
    struct stream *other;

    engine_idle_limit(0);
    engine_put_back(&engines[0], make(&other));
    assert_int_equal(engine_idle_count(), 0);
    assert_true(is_closed(other));
    stream_close(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_last_left_is_taken_first),
        TEST(test_each_engine_keeps_a_few),
        TEST(test_all_engines_share_a_limit),
        TEST(test_none_is_kept_where_the_limit_is_0),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
