/* SPDX-License-Identifier: Apache-2.0 */
#include "prefix.h"

#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"

#define KEYS 400

struct key {
    struct swarm__prefix_entry entry;
    char text[8];
    int in;
};

static struct key keys[KEYS];
static unsigned seed;

static unsigned next_random(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* Short keys over few letters: many are prefixes of others, some are equal, one is empty. */
static void make_keys(void)
{
    seed = 11;
    memset(keys, 0, sizeof(keys));
    for (int i = 1; i < KEYS; i++) {
        int length = 1 + (int)(next_random() % 6);
        for (int j = 0; j < length; j++)
            keys[i].text[j] = "ab\xff\x01"[next_random() % 4];
    }
    for (int i = 0; i < KEYS; i++)
        keys[i].entry.key = keys[i].text;
}

static int by_text(const void *a, const void *b)
{
    const struct key *const *left = a, *const *right = b;
    return strcmp((*left)->text, (*right)->text);
}

/* Those with the prefix, in the order that the index walks in, against a plain sort. */
static void check_prefix(const struct swarm__prefix *prefix, const char *text)
{
    const struct key *expected[KEYS];
    size_t count = 0;
    for (int i = 0; i < KEYS; i++)
        if (keys[i].in && strncmp(keys[i].text, text, strlen(text)) == 0)
            expected[count++] = &keys[i];
    qsort(expected, count, sizeof(expected[0]), by_text);
    size_t met = 0;
    struct swarm__prefix_entry *entry = swarm__prefix_first(prefix, text);
    for (; entry; entry = swarm__prefix_next(prefix, entry, text))
        for (struct swarm__prefix_entry *same = entry; same; same = same->same) {
            assert_true(met < count);
            assert_string_equal(same->key, expected[met++]->text);
        }
    assert_int_equal(met, count);
}

static void test_finds_what_a_sorted_list_would(void **state)
{
    struct swarm__prefix prefix = {0};
    make_keys();
    for (int step = 0; step < 4000; step++) {
        struct key *key = &keys[next_random() % KEYS];
        if (key->in) {
            swarm__prefix_remove(&prefix, &key->entry);
            memset(&key->entry.fork, 0xff, sizeof(key->entry.fork)); /* it is not in use any more */
        } else {
            swarm__prefix_add(&prefix, &key->entry);
        }
        key->in = !key->in;
        check_prefix(&prefix, keys[next_random() % KEYS].text);
    }
    check_prefix(&prefix, "");
    for (int i = 0; i < KEYS; i++) {
        struct swarm__prefix_entry *found = swarm__prefix_find(&prefix, keys[i].text);
        if (found)
            assert_string_equal(found->key, keys[i].text);
        else
            assert_false(keys[i].in);
    }
    for (int i = 0; i < KEYS; i++)
        if (keys[i].in)
            swarm__prefix_remove(&prefix, &keys[i].entry);
    assert_null(prefix.root);
}

static void test_empty_index_finds_nothing(void **state)
{
    struct swarm__prefix prefix = {0};
    assert_null(swarm__prefix_find(&prefix, "a"));
    assert_null(swarm__prefix_first(&prefix, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_what_a_sorted_list_would),
        cmocka_unit_test(test_empty_index_finds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
