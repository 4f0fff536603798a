/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine.h"
#include "manager.h"
#include "pins.h"

static struct manager manager;
static struct pin_table *pins;
static struct engine *first, *second;

static int set_up(void **state)
{
    char *error = NULL;

    assert_int_equal(pin_table_new(&pins), 0);
    assert_int_equal(engine_new(&first, &manager, "127.0.0.1:1", &error), 0);
    assert_int_equal(engine_new(&second, &manager, "127.0.0.1:2", &error), 0);
    return 0;
}

/* Whatever was pinned has been let go of. */
static int tear_down(void **state)
{
    pin_table_free(pins);
    assert_int_equal(atomic_load(&first->references), 1);
    assert_int_equal(atomic_load(&second->references), 1);
    engine_unref(first);
    engine_unref(second);
    return 0;
}

static void assert_pinned(enum pin_kind kind, const char *key, const struct engine *wanted, int64_t now_ms)
{
    struct engine *engine = pin_find(pins, kind, key, now_ms);

    assert_ptr_equal(engine, wanted);
    engine_unref(engine);
}

static void test_pin_is_found_by_kind_and_key(void **state)
{
    assert_int_equal(pin_set(pins, PIN_CLIENT, "a", first, 0), 0);
    assert_int_equal(pin_set(pins, PIN_SESSION, "a", second, 0), 0);
    assert_pinned(PIN_CLIENT, "a", first, 0);
    assert_pinned(PIN_SESSION, "a", second, 0);
    assert_pinned(PIN_BUILD, "a", NULL, 0);
    assert_pinned(PIN_CLIENT, "b", NULL, 0);
}

static void test_set_moves_and_claim_does_not(void **state)
{
    struct engine *engine;

    assert_int_equal(pin_set(pins, PIN_CLIENT, "a", first, 0), 0);
    assert_int_equal(pin_set(pins, PIN_CLIENT, "a", second, 0), 0);
    assert_pinned(PIN_CLIENT, "a", second, 0);
    engine = pin_claim(pins, PIN_CLIENT, "a", first, 0);
    assert_ptr_equal(engine, second);
    engine_unref(engine);
    engine = pin_claim(pins, PIN_CLIENT, "b", first, 0);
    assert_ptr_equal(engine, first);
    engine_unref(engine);
}

static void test_pin_lives_an_hour_after_its_last_use(void **state)
{
    assert_int_equal(pin_set(pins, PIN_CLIENT, "a", first, 0), 0);
    assert_pinned(PIN_CLIENT, "a", first, PIN_LIFE_MS - 1);
    assert_pinned(PIN_CLIENT, "a", first, 2 * PIN_LIFE_MS - 2);
    assert_pinned(PIN_CLIENT, "a", NULL, 3 * PIN_LIFE_MS);
    assert_pinned(PIN_CLIENT, "a", NULL, 0);
}

static void test_held_pin_stays(void **state)
{
    assert_int_equal(pin_set(pins, PIN_CLIENT, "a", first, 0), 0);
    assert_false(pin_is_held(pins, PIN_CLIENT, "a"));
    pin_hold(pins, PIN_CLIENT, "a");
    pin_hold(pins, PIN_CLIENT, "a");
    pin_hold(pins, PIN_CLIENT, "unknown");
    assert_pinned(PIN_CLIENT, "a", first, 9 * PIN_LIFE_MS);
    pin_release(pins, PIN_CLIENT, "a", 9 * PIN_LIFE_MS);
    assert_true(pin_is_held(pins, PIN_CLIENT, "a"));
    pin_release(pins, PIN_CLIENT, "a", 20 * PIN_LIFE_MS);
    pin_release(pins, PIN_CLIENT, "unknown", 0);
    assert_false(pin_is_held(pins, PIN_CLIENT, "a"));
    assert_pinned(PIN_CLIENT, "a", first, 21 * PIN_LIFE_MS - 1);
    assert_pinned(PIN_CLIENT, "a", NULL, 22 * PIN_LIFE_MS);
}

static void test_least_recently_used_goes_first(void **state)
{
    char key[16];

    for (int i = 0; i < PINS_MAX; i++) {
        snprintf(key, sizeof(key), "%d", i);
        assert_int_equal(pin_set(pins, PIN_BUILD, key, first, i), 0);
    }
    pin_hold(pins, PIN_BUILD, "0");
    assert_pinned(PIN_BUILD, "1", first, PINS_MAX);
    assert_int_equal(pin_set(pins, PIN_BUILD, "new", second, PINS_MAX), 0);
    assert_pinned(PIN_BUILD, "0", first, PINS_MAX); /* held */
    assert_pinned(PIN_BUILD, "1", first, PINS_MAX); /* used just now */
    assert_pinned(PIN_BUILD, "2", NULL, PINS_MAX);
    assert_pinned(PIN_BUILD, "3", first, PINS_MAX);
    assert_pinned(PIN_BUILD, "new", second, PINS_MAX);
}

static int readable(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    return poll(&wait, 1, 0);
}

static void test_waiting_ends_with_a_pin(void **state)
{
    struct pin_wait a, b;

    assert_int_equal(pin_wait_begin(pins, &a), 0);
    assert_int_equal(pin_wait_begin(pins, &b), 0);
    assert_int_equal(readable(a.fd), 0);
    assert_int_equal(pin_set(pins, PIN_BUILD, "a", first, 0), 0);
    assert_int_equal(readable(a.fd), 1);
    assert_int_equal(readable(b.fd), 1);
    pin_wait_end(pins, &a);
    pin_wait_end(pins, &b);
    assert_int_equal(pin_set(pins, PIN_BUILD, "b", first, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pin_is_found_by_kind_and_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_set_moves_and_claim_does_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pin_lives_an_hour_after_its_last_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_held_pin_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_least_recently_used_goes_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_waiting_ends_with_a_pin, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
