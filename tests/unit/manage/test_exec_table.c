/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine.h"
#include "exec_table.h"

struct fixture {
    struct exec_table *table;
    struct engine *engine;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    char *error = NULL;

    assert_int_equal(engine_new(&fixture.engine, NULL, "192.0.2.1:2375", &error), 0);
    assert_int_equal(exec_table_new(&fixture.table), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    exec_table_free(fixture->table);
    assert_int_equal(fixture->engine->references, 1);
    engine_unref(fixture->engine);
    return 0;
}

static void assert_known(struct fixture *fixture, const char *id, const char *container)
{
    char *found = NULL;
    struct engine *engine = exec_table_find(fixture->table, id, &found);

    assert_ptr_equal(engine, fixture->engine);
    assert_string_equal(found, container);
    engine_unref(engine);
    free(found);
}

static void assert_unknown(struct fixture *fixture, const char *id)
{
    char *found = NULL;

    assert_null(exec_table_find(fixture->table, id, &found));
    assert_null(found);
}

static void test_added_exec_is_found(void **state)
{
    exec_table_add(((struct fixture *)*state)->table, "e1", "c1", ((struct fixture *)*state)->engine);
    exec_table_add(((struct fixture *)*state)->table, "e2", "c2", ((struct fixture *)*state)->engine);
    assert_known(*state, "e1", "c1");
    assert_known(*state, "e2", "c2");
    assert_unknown(*state, "e3");
}

static void test_added_again_is_replaced(void **state)
{
    exec_table_add(((struct fixture *)*state)->table, "e1", "c1", ((struct fixture *)*state)->engine);
    exec_table_add(((struct fixture *)*state)->table, "e1", "c2", ((struct fixture *)*state)->engine);
    assert_known(*state, "e1", "c2");
}

static void test_removed_exec_is_unknown(void **state)
{
    exec_table_add(((struct fixture *)*state)->table, "e1", "c1", ((struct fixture *)*state)->engine);
    exec_table_remove(((struct fixture *)*state)->table, "e1");
    exec_table_remove(((struct fixture *)*state)->table, "e1");
    assert_unknown(*state, "e1");
}

static void test_oldest_are_forgotten(void **state)
{
    struct fixture *fixture = *state;
    char id[16];

    for (int i = 0; i < 20000; i++) {
        snprintf(id, sizeof(id), "e%d", i);
        exec_table_add(fixture->table, id, "c", fixture->engine);
    }
    assert_unknown(fixture, "e0");
    assert_known(fixture, "e19999", "c");
    assert_known(fixture, "e10000", "c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_added_exec_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_added_again_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_removed_exec_is_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_oldest_are_forgotten, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
