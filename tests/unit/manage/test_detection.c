/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "detection.h"

/* Whatever the number of tries, all that has to pass before a verdict fits into the time allowed. */
static void test_verdict_comes_in_time(void **state)
{
    static const int silences_ms[] = {1000, 2500, 10000, 60000}, stops_ms[] = {100, 1500, 10000};

    for (size_t s = 0; s < 4; s++) {
        for (size_t p = 0; p < 3; p++) {
            struct detection detection = {stops_ms[p], silences_ms[s], 3, 300000};

            for (int tries = 1; tries <= 6; tries++) {
                int64_t pause_ms = detection_pause_ms(&detection, tries);
                int64_t silent_ms = detection_heartbeat_ms(&detection) + detection_step_ms(&detection) +
                                    detection_answer_ms(&detection) +
                                    (tries - 1) * (pause_ms + detection_ping_ms(&detection, tries));

                assert_true(pause_ms > 0);
                assert_true((tries - 1) * pause_ms < stops_ms[p]);
                /* Pauses are the other option's: where they alone take longer than silence may, they win. */
                assert_true(silent_ms <= silences_ms[s] || (tries - 1) * (pause_ms + 50) > silences_ms[s] * 34LL / 100);
            }
        }
    }
}

static void test_defaults(void **state)
{
    struct detection detection = DETECTION_DEFAULTS;

    assert_int_equal(detection_heartbeat_ms(&detection), 4500);
    assert_int_equal(detection_step_ms(&detection), 100);
    assert_int_equal(detection_answer_ms(&detection), 2000);
    assert_int_equal(detection_pause_ms(&detection, 3), 300);
    assert_int_equal(detection_ping_ms(&detection, 3), 1000);
}

static void test_hold_grows_with_losses_and_is_bounded(void **state)
{
    struct detection detection = DETECTION_DEFAULTS;
    struct flaps flaps = {0};
    static const int64_t holds_ms[] = {0, 0, 10000, 20000, 40000, 80000, 160000, 300000, 300000};

    assert_int_equal(flaps_hold_ms(&flaps, &detection, 1000), 0);
    for (int i = 0; i < 9; i++) {
        flaps_add(&flaps, 1000 + i);
        assert_int_equal(flaps_hold_ms(&flaps, &detection, 2000), holds_ms[i]);
    }
    for (int i = 0; i < 100; i++)
        flaps_add(&flaps, 1500);
    assert_int_equal(flaps_within(&flaps, &detection, 2000), FLAPS_KEPT);
    assert_int_equal(flaps_hold_ms(&flaps, &detection, 2000), 300000);
}

static void test_losses_outside_the_window_do_not_count(void **state)
{
    struct detection detection = DETECTION_DEFAULTS;
    struct flaps flaps = {0};

    for (int i = 0; i < 4; i++)
        flaps_add(&flaps, 1000 + i * 100000);
    assert_int_equal(flaps_hold_ms(&flaps, &detection, 301000), 20000);
    assert_int_equal(flaps_hold_ms(&flaps, &detection, 301001), 10000);
    assert_int_equal(flaps_hold_ms(&flaps, &detection, 401001), 0);
}

static void test_no_limit_never_holds(void **state)
{
    struct detection detection = {1500, 10000, 0, 300000};
    struct flaps flaps = {0};

    for (int i = 0; i < 20; i++)
        flaps_add(&flaps, 1000);
    assert_int_equal(flaps_hold_ms(&flaps, &detection, 1000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdict_comes_in_time),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_hold_grows_with_losses_and_is_bounded),
        cmocka_unit_test(test_losses_outside_the_window_do_not_count),
        cmocka_unit_test(test_no_limit_never_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
