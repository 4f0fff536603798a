/* SPDX-License-Identifier: Apache-2.0 */
#include "map.h"

#include <stdio.h>

#include "fixture.h"
#include "heap.h"
#include "names.h"

#define ITEMS 3000

struct item {
    struct swarm__map_item item;
    char key[16];
    bool in;
};

static struct item items[ITEMS];

static void make_items(void)
{
    for (int i = 0; i < ITEMS; i++) {
        snprintf(items[i].key, sizeof(items[i].key), "key-%d", i);
        items[i].item.key = items[i].key;
        items[i].in = false;
    }
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void test_adds_and_removes_as_a_plain_table_would(void **state)
{
    struct swarm__map map = {0};
    unsigned seed = 7;
    make_items();
    for (int step = 0; step < 60000; step++) {
        struct item *item = &items[next_random(&seed) % ITEMS];
        if (item->in)
            swarm__map_remove(&map, &item->item);
        else
            assert_int_equal(swarm__map_add(&map, &item->item), 0);
        item->in = !item->in;
    }
    size_t count = 0;
    for (int i = 0; i < ITEMS; i++) {
        assert_ptr_equal(swarm__map_find(&map, items[i].key), items[i].in ? &items[i].item : NULL);
        count += items[i].in;
    }
    assert_int_equal(map.count, count);
    swarm__map_finish(&map);
}

static void test_walk_meets_each_once(void **state)
{
    struct swarm__map map = {0};
    make_items();
    for (int i = 0; i < 100; i++)
        swarm__map_add(&map, &items[i].item);
    size_t position = 0;
    int met = 0;
    for (struct swarm__map_item *item; (item = swarm__map_next(&map, &position)); met++) {
        struct item *owner = (struct item *)item;
        assert_false(owner->in);
        owner->in = true;
    }
    assert_int_equal(met, 100);
    swarm__map_finish(&map);
}

static void test_finds_by_a_part_of_a_text(void **state)
{
    struct swarm__map map = {0};
    make_items();
    swarm__map_add(&map, &items[1].item);
    swarm__map_add(&map, &items[12].item);
    assert_ptr_equal(swarm__map_find_n(&map, "key-12", 5), &items[1].item);
    assert_ptr_equal(swarm__map_find_n(&map, "key-12", 6), &items[12].item);
    assert_null(swarm__map_find_n(&map, "key-12", 4));
    swarm__map_finish(&map);
}

static void test_empty_map_finds_nothing(void **state)
{
    struct swarm__map map = {0};
    assert_null(swarm__map_find(&map, ""));
    swarm__map_finish(&map);
}

static void test_add_without_memory_changes_nothing(void **state)
{
    struct swarm__map map = {0};
    make_items();
    heap_fail(0, false);
    assert_int_equal(swarm__map_add(&map, &items[0].item), -1);
    heap_restore();
    assert_int_equal(map.count, 0);
    assert_null(swarm__map_find(&map, "key-0"));
    swarm__map_finish(&map);
}

static void test_names_keep_all_of_the_same_text(void **state)
{
    struct swarm__map names = {0};
    int owners[3];
    struct swarm__name *name[3];
    for (int i = 0; i < 3; i++)
        name[i] = swarm__names_add(&names, "web", &owners[i]);
    swarm__names_remove(&names, name[0]);
    int left = 0;
    for (struct swarm__name *at = swarm__names_find(&names, "web"); at; at = at->same) {
        assert_ptr_not_equal(at->owner, &owners[0]);
        left++;
    }
    assert_int_equal(left, 2);
    swarm__names_remove(&names, name[2]);
    swarm__names_remove(&names, name[1]);
    assert_null(swarm__names_find(&names, "web"));
    swarm__map_finish(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adds_and_removes_as_a_plain_table_would),
        cmocka_unit_test(test_walk_meets_each_once),
        cmocka_unit_test(test_finds_by_a_part_of_a_text),
        cmocka_unit_test(test_empty_map_finds_nothing),
        cmocka_unit_test(test_add_without_memory_changes_nothing),
        cmocka_unit_test(test_names_keep_all_of_the_same_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
