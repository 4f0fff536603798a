/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "info_node.h"

static void assert_bytes(int64_t bytes, const char *expected)
{
    char text[32];

    bytes_in_words(bytes, text, sizeof(text));
    assert_string_equal(text, expected);
}

static void test_bytes_have_four_digits_and_a_unit(void **state)
{
    assert_bytes(0, "0 B");
    assert_bytes(1023, "1023 B");
    assert_bytes(10485760, "10 MiB");
    assert_bytes(2254857830, "2.1 GiB");
    assert_bytes(26542751744, "24.72 GiB");
    assert_bytes(INT64_MAX, "8 EiB");
}

static struct swarm_scheduler *make_scheduler(void)
{
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    struct swarm_scheduler *scheduler = NULL;

    assert_int_equal(swarm_scheduler_new(&scheduler, &options, NULL), 0);
    return scheduler;
}

/* The pairs as "key|value" lines. */
static char *lines_of(const struct info_node *nodes, size_t count)
{
    struct swarm_scheduler *scheduler = make_scheduler();
    json_t *lines = info_status_lines(scheduler, count), *more;
    struct bytes written = {0};
    char *text = NULL;
    size_t length, i;
    FILE *out = open_memstream(&text, &length);
    json_t *line;

    assert_int_equal(bytes_append_text(&written, "[[]"), 0);
    for (size_t k = 0; k < count; k++)
        assert_int_equal(info_node_write(&written, &nodes[k]), 0);
    assert_int_equal(bytes_append_text(&written, "]"), 0);
    more = json_loadb(bytes_at(&written), bytes_length(&written), 0, NULL);
    assert_non_null(more);
    json_array_remove(more, 0);
    json_array_extend(lines, more);
    json_decref(more);
    bytes_free(&written);
    json_array_foreach (lines, i, line) {
        assert_int_equal(json_array_size(line), 2);
        fprintf(out, "%s|%s\n", json_string_value(json_array_get(line, 0)), json_string_value(json_array_get(line, 1)));
    }
    fclose(out);
    json_decref(lines);
    swarm_scheduler_free(scheduler);
    return text;
}

static void test_empty_pool_has_four_lines(void **state)
{
    char *text = lines_of(NULL, 0);

    assert_string_equal(text,
                        "Strategy|spread\n"
                        "Filters|health, port, containerslots, dependency, affinity, constraint, whitelist\nNodes|0\n");
    free(text);
}

static void test_node_that_is_not_announced_any_more_says_so(void **state)
{
    char name[] = "node1", address[] = "192.0.2.1:2375", id[] = "GS23", version[] = "20.10.24", labels[] = "";
    struct info_node node = {.state = ENGINE_HEALTHY,
                             .unannounced = true,
                             .drop_ms = -1,
                             .name = name,
                             .address = address,
                             .id = id,
                             .server_version = version,
                             .labels = labels};
    char *text = lines_of(&node, 1);

    assert_non_null(strstr(text, "  └ Status|Unannounced\n"));
    assert_non_null(strstr(text, "  └ Error|no engine is announced any more: this one takes no new containers, and "
                                 "stays\n"));
    free(text);
    node.drop_ms = monotonic_ms() + 3600000;
    text = lines_of(&node, 1);
    assert_non_null(strstr(text, "  └ Error|it is not announced any more: it takes no new containers, and leaves in "));
    free(text);
    node.drop_ms = 0; /* long ago */
    text = lines_of(&node, 1);
    assert_non_null(strstr(text, "and leaves in 0s\n"));
    free(text);
    node.state = ENGINE_UNHEALTHY;
    text = lines_of(&node, 1);
    assert_non_null(strstr(text, "  └ Status|Unhealthy\n"));
    assert_null(strstr(text, "Error"));
    free(text);
}

static void test_healthy_node_tells_everything(void **state)
{
    char name[] = "node1", address[] = "192.0.2.1:2375", id[] = "GS23", version[] = "20.10.24", labels[] = "a=b, c=d";
    struct info_node node = {.state = ENGINE_HEALTHY,
                             .name = name,
                             .address = address,
                             .id = id,
                             .server_version = version,
                             .labels = labels,
                             .running = 2,
                             .stopped = 1,
                             .used_cpus_milli = 1000,
                             .total_cpus_milli = 2100,
                             .used_memory = 10485760,
                             .total_memory = 26542751744};
    char *text = lines_of(&node, 1);

    assert_non_null(strstr(text, "Nodes|1\n"
                                 " node1|192.0.2.1:2375\n"
                                 "  └ ID|GS23\n"
                                 "  └ Status|Healthy\n"
                                 "  └ Containers|3 (2 Running, 0 Paused, 1 Stopped)\n"
                                 "  └ Reserved CPUs|1 / 2\n"
                                 "  └ Reserved Memory|10 MiB / 24.72 GiB\n"
                                 "  └ Labels|a=b, c=d\n"
                                 "  └ UpdatedAt|1970-01-01T00:00:00Z\n"
                                 "  └ ServerVersion|20.10.24\n"));
    free(text);
}

static void test_failing_node_shows_its_error_and_a_plain_count(void **state)
{
    char name[] = "node1", address[] = "192.0.2.1:2375", empty[] = "", error[] = "it is on fire";
    char rescheduling[] = "3 waiting, next try in 5s";
    struct info_node node = {.state = ENGINE_UNHEALTHY,
                             .name = name,
                             .address = address,
                             .id = empty,
                             .server_version = empty,
                             .labels = empty,
                             .error = error,
                             .rescheduling = rescheduling,
                             .running = 3};
    char *text = lines_of(&node, 1);

    assert_non_null(strstr(text, "  └ Status|Unhealthy\n  └ Containers|3\n"));
    assert_non_null(strstr(text, "  └ Labels|\n  └ Error|it is on fire\n"
                                 "  └ Rescheduling|3 waiting, next try in 5s\n  └ UpdatedAt|"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_have_four_digits_and_a_unit),
        cmocka_unit_test(test_empty_pool_has_four_lines),
        cmocka_unit_test(test_node_that_is_not_announced_any_more_says_so),
        cmocka_unit_test(test_healthy_node_tells_everything),
        cmocka_unit_test(test_failing_node_shows_its_error_and_a_plain_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
