/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canned.h"
#include "container_record.h"
#include "timestamp.h"

static char node_name[] = "node-1";
static const struct entry_context context = {.node_name = node_name, .ip = "192.0.2.7", .cpus = 2};

/* From a tree, which nothing is borrowed from. */
static int from_entry(struct container_report *report, const json_t *entry)
{
    static const struct entry_changes none = {{"", 0}, {"", 0}};
    char *text = json_dumps(entry, 0);
    int result = container_report_from_entry(report, json_span_of(text, strlen(text)), &none, &context);

    free(text);
    return result;
}

static int from_inspect(struct container_report *report, const json_t *entry, const char *inspect, size_t length,
                        const struct entry_context *with, char **reterr)
{
    char *text = json_dumps(entry, 0);
    int result = container_report_from_inspect(report, json_span_of(text, strlen(text)), inspect, length, with, reterr);

    free(text);
    return result;
}

static struct container_report report_of(const char *container, const struct entry_context *with)
{
    struct container_report report;
    char file[64], *error = NULL, *text;
    json_t *entry = canned_entry(container);
    size_t length;

    snprintf(file, sizeof(file), "inspect_%s", container);
    text = canned_text(file, &length);
    assert_int_equal(from_inspect(&report, entry, text, length, with, &error), 0);
    assert_null(error);
    free(text);
    json_decref(entry);
    return report;
}

/* The entry as a list would show it, parsed. */
static json_t *shown(const struct container_report *report, const char *status)
{
    char *text;
    json_t *entry;

    assert_true(asprintf(&text, "%.*s%s%s", (int)report->entry->head_length, report->entry->text, status,
                         report->entry->text + report->entry->head_length) > 0);
    entry = json_loads(text, 0, NULL);
    assert_non_null(entry);
    free(text);
    return entry;
}

static void test_entry_names_get_the_node_in_front(void **state)
{
    struct container_report report = report_of("db", &context);
    json_t *entry = shown(&report, "x"), *names = json_object_get(entry, "Names");

    assert_string_equal(json_string_value(json_array_get(names, 0)), "/node-1/app/database");
    assert_string_equal(json_string_value(json_array_get(names, 1)), "/node-1/db");
    json_decref(entry);
    container_report_clear(&report);
}

static void test_entry_names_are_plain_where_that_is_wanted(void **state)
{
    struct entry_context plain = context;
    struct container_report report;
    json_t *entry, *names;

    plain.plain_names = true;
    report = report_of("db", &plain);
    entry = shown(&report, "x");
    names = json_object_get(entry, "Names");
    assert_string_equal(json_string_value(json_array_get(names, 1)), "/db");
    json_decref(entry);
    container_report_clear(&report);
}

static void test_own_name_comes_before_aliases(void **state)
{
    struct container_report report = report_of("db", &context);

    assert_int_equal(report.name_count, 2);
    assert_string_equal(report.names[0], "db");
    assert_string_equal(report.names[1], "app/database");
    container_report_clear(&report);
}

static void test_entry_ports_show_the_engine_once(void **state)
{
    struct container_report report = report_of("web", &context);
    json_t *entry = shown(&report, "x"), *ports = json_object_get(entry, "Ports");

    assert_int_equal(json_array_size(ports), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(ports, 0), "IP")), "192.0.2.7");
    json_decref(entry);
    container_report_clear(&report);
}

static void test_entry_status_goes_where_it_was(void **state)
{
    struct container_report report = report_of("web", &context);
    json_t *entry = shown(&report, "Up 3 minutes");
    const char *tail = report.entry->text + report.entry->head_length;

    assert_string_equal(json_string_value(json_object_get(entry, "Status")), "Up 3 minutes");
    assert_memory_equal(tail - 11, ",\"Status\":\"\",\"HostConfig\":", 26);
    assert_int_equal(strlen(tail), report.entry->tail_length);
    json_decref(entry);
    container_report_clear(&report);
}

static void test_entry_keeps_the_rest(void **state)
{
    struct container_report report;
    json_t *entry = canned_entry("web"), *result;
    static const char *const changed[] = {"Names", "Ports", "Status"};

    json_object_set_new(entry, "FieldOfTomorrow", json_pack("{s:[i,n]}", "x", 1));
    assert_int_equal(from_entry(&report, entry), 0);
    result = shown(&report, "x");
    for (int i = 0; i < 3; i++) {
        json_object_del(result, changed[i]);
        json_object_del(entry, changed[i]);
    }
    assert_true(json_equal(result, entry));
    json_decref(result);
    json_decref(entry);
    container_report_clear(&report);
}

static void test_entry_without_status_gets_one(void **state)
{
    struct container_report report;
    json_t *entry = json_pack("{s:s}", "Id", "abc"), *result;

    assert_int_equal(from_entry(&report, entry), 0);
    result = shown(&report, "Created");
    assert_string_equal(json_string_value(json_object_get(result, "Status")), "Created");
    json_decref(result);
    json_decref(entry);
    container_report_clear(&report);
}

static void test_entry_without_id_is_refused(void **state)
{
    struct container_report report;
    json_t *entry = json_pack("{s:[s]}", "Names", "/x");

    assert_int_equal(from_entry(&report, entry), -1);
    json_decref(entry);
}

static void test_labels_are_those_of_the_inspect_answer(void **state)
{
    struct container_report report = report_of("web", &context);
    json_t *entry = shown(&report, "x");

    assert_string_equal(
        json_string_value(json_object_get(json_object_get(entry, "Labels"), "com.docker.swarm.reschedule-policies")),
        "[\"on-node-failure\"]");
    json_decref(entry);
    container_report_clear(&report);
}

static void test_clock_delta_moves_all_times(void **state)
{
    struct entry_context late = context;
    struct container_report report;
    json_t *entry;

    late.clock_delta_ms = 60000;
    report = report_of("done", &late);
    entry = shown(&report, "x");
    assert_int_equal(json_integer_value(json_object_get(entry, "Created")), 1795342779 + 60);
    assert_int_equal(report.facts.created_ns, INT64_C(1795342779246980028) + 60 * NS_PER_S);
    assert_int_equal(report.facts.finished_ns, INT64_C(1795342779559989083) + 60 * NS_PER_S);
    json_decref(entry);
    container_report_clear(&report);
}

static void test_facts_of_a_running_container(void **state)
{
    struct container_report report = report_of("web", &context);

    assert_true(report.facts.running);
    assert_int_equal(report.facts.started_ns, INT64_C(1795342778422231106));
    assert_int_equal(report.facts.finished_ns, 0);
    assert_string_equal(report.facts.health, "none");
    assert_int_equal(swarm_request_memory(report.request), 67108864);
    assert_string_equal(container_state_text(&report.facts), "running");
    container_report_clear(&report);
}

static void test_bound_ports_are_read(void **state)
{
    struct container_report report = report_of("web", &context);

    assert_int_equal(report.port_count, 2);
    assert_string_equal(report.ports[0].host_port, "8080");
    container_report_clear(&report);
}

static void test_inspect_is_kept_only_with_a_policy(void **state)
{
    struct container_report web = report_of("web", &context), db = report_of("db", &context);

    assert_non_null(web.inspect);
    assert_int_equal(web.inspect_length, strlen(web.inspect));
    assert_null(db.inspect);
    container_report_clear(&web);
    container_report_clear(&db);
}

static void test_state_of_the_inspect_answer_wins_over_a_lagging_list(void **state)
{
    struct container_report report;
    json_t *entry = canned_entry("done"), *list;
    char *error = NULL, *text;
    size_t length;

    json_object_set_new(entry, "State", json_string("running"));
    text = canned_text("inspect_done", &length);
    assert_int_equal(from_inspect(&report, entry, text, length, &context, &error), 0);
    list = shown(&report, "x");
    assert_string_equal(json_string_value(json_object_get(list, "State")), "exited");
    assert_string_equal(json_string_value(json_object_get(entry, "State")), "running"); /* the caller's is untouched */
    json_decref(list);
    json_decref(entry);
    free(text);
    container_report_clear(&report);
}

static void test_broken_inspect_is_refused(void **state)
{
    struct container_report report;
    json_t *entry = canned_entry("web");
    char *error = NULL;

    assert_int_equal(from_inspect(&report, entry, "[1", 2, &context, &error), -1);
    assert_non_null(strstr(error, "inspect"));
    free(error);
    json_decref(entry);
}

static void test_status_texts(void **state)
{
    static const struct {
        struct container_record record;
        const char *text;
    } cases[] = {
        {{.running = true, .started_ns = 1, .health = "none"}, "Up 3 minutes"},
        {{.running = true, .started_ns = 1, .health = "healthy"}, "Up 3 minutes (healthy)"},
        {{.running = true, .started_ns = 1, .health = "unhealthy"}, "Up 3 minutes (unhealthy)"},
        {{.running = true, .started_ns = 1, .health = "starting"}, "Up 3 minutes (health: starting)"},
        {{.running = true, .paused = true, .started_ns = 1, .health = "healthy"}, "Up 3 minutes (Paused)"},
        {{.running = true, .restarting = true, .exit_code = 7, .started_ns = 1, .finished_ns = 120 * NS_PER_S},
         "Restarting (7) About a minute ago"},
        {{.exit_code = 137, .started_ns = 1, .finished_ns = 170 * NS_PER_S}, "Exited (137) 10 seconds ago"},
        {{.started_ns = 1}, ""},
        {{.exit_code = 0}, "Created"},
        {{.dead = true, .started_ns = 1}, "Dead"},
        {{.removing = true, .started_ns = 1}, "Removal In Progress"},
    };
    char text[64];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int length = container_status_text(&cases[i].record, 180 * NS_PER_S + 1, true, text, sizeof(text));

        assert_string_equal(text, cases[i].text);
        assert_int_equal(length, strlen(text));
    }
}

static void test_status_of_an_engine_that_is_away(void **state)
{
    struct container_record record = {.running = true, .started_ns = 1};
    char text[64];

    container_status_text(&record, NS_PER_S, false, text, sizeof(text));
    assert_string_equal(text, "Host Down");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entry_names_get_the_node_in_front),
        cmocka_unit_test(test_entry_names_are_plain_where_that_is_wanted),
        cmocka_unit_test(test_own_name_comes_before_aliases),
        cmocka_unit_test(test_entry_ports_show_the_engine_once),
        cmocka_unit_test(test_entry_status_goes_where_it_was),
        cmocka_unit_test(test_entry_keeps_the_rest),
        cmocka_unit_test(test_entry_without_status_gets_one),
        cmocka_unit_test(test_entry_without_id_is_refused),
        cmocka_unit_test(test_labels_are_those_of_the_inspect_answer),
        cmocka_unit_test(test_clock_delta_moves_all_times),
        cmocka_unit_test(test_facts_of_a_running_container),
        cmocka_unit_test(test_bound_ports_are_read),
        cmocka_unit_test(test_inspect_is_kept_only_with_a_policy),
        cmocka_unit_test(test_state_of_the_inspect_answer_wins_over_a_lagging_list),
        cmocka_unit_test(test_broken_inspect_is_refused),
        cmocka_unit_test(test_status_texts),
        cmocka_unit_test(test_status_of_an_engine_that_is_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
