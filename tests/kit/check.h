/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests' own equipment relies on. Where it does not hold, the program ends with a line: unlike cmocka's
 * assertions these may be used on any thread. */
#ifndef TESTS_KIT_CHECK_H
#define TESTS_KIT_CHECK_H

#include <stdbool.h>

#define kit_check(condition) kit_check_at((condition), #condition, __FILE__, __LINE__)
void kit_check_at(bool holds, const char *condition, const char *file, int line);
/* End the program with that line. */
_Noreturn void kit_give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
