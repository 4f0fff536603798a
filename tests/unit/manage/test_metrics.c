/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics, read by a strict reader of the text format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api_kit.h"
#include "exposition.h"
#include "metrics.h"
#include "routes.h"

static struct exposition *scrape(void)
{
    struct exposition *page;
    struct http_result result;

    api_ask("GET", "/metrics", NULL, &result);
    assert_int_equal(result.status, 200);
    page = exposition_read(result.body);
    http_result_clear(&result);
    return page;
}

/* The value of one sample, by its name and labels as they stand. */
static double value_of(const char *sample)
{
    struct exposition *page = scrape();
    double value;

    assert_true(exposition_value(page, sample, &value));
    exposition_free(page);
    return value;
}

static bool has(const char *sample)
{
    struct exposition *page = scrape();
    double value;
    bool has = exposition_value(page, sample, &value);

    exposition_free(page);
    return has;
}

static void test_page_is_well_formed(void **state)
{
    exposition_free(scrape());
    assert_true(value_of("swarm_leader") == 1);
    assert_true(value_of("swarm_leader_term") == 0);
    assert_true(value_of("swarm_nodes{state=\"healthy\"}") == 0);
    assert_true(value_of("swarm_containers{state=\"running\"}") == 0);
    assert_true(value_of("process_open_fds") > 3);
    assert_true(value_of("process_resident_memory_bytes") > 100000);
    assert_true(has("swarm_heap_bytes{kind=\"used\"}") && has("swarm_heap_bytes{kind=\"free\"}"));
    assert_true(value_of("process_start_time_seconds") > 1.6e9);
    assert_true(value_of("swarm_http_connections") >= 1);
    assert_true(value_of("swarm_http_requests_active") == 1); /* the one that asks */
}

static void test_requests_are_counted_by_route(void **state)
{
    struct http_result result;

    for (int i = 0; i < 3; i++) {
        api_ask("GET", i == 1 ? "/v1.41/containers/none/json" : "/containers/no/such/json", NULL, &result);
        assert_int_equal(result.status, 404);
        http_result_clear(&result);
    }
    assert_true(
        value_of("swarm_http_requests_total{route=\"/containers/{name}/json\",method=\"GET\",status=\"4xx\"}") == 3);
    assert_true(
        value_of("swarm_http_request_duration_seconds_count{route=\"/containers/{name}/json\",method=\"GET\"}") == 3);
    assert_false(has("swarm_http_requests_total{route=\"/containers/{name}/json\",method=\"GET\",status=\"2xx\"}"));
}

static void test_unknown_paths_and_methods_share_a_series(void **state)
{
    static const char *const paths[] = {"/one", "/two?x=1", "/a\"b", "//info"};
    struct http_result result;

    for (size_t i = 0; i < 4; i++) {
        api_ask("GET", paths[i], NULL, &result);
        http_result_clear(&result);
    }
    api_ask("BREW", "/info", NULL, &result);
    http_result_clear(&result);
    assert_true(value_of("swarm_http_requests_total{route=\"none\",method=\"GET\",status=\"4xx\"}") == 3);
    assert_true(value_of("swarm_http_requests_total{route=\"none\",method=\"GET\",status=\"3xx\"}") == 1);
    assert_true(value_of("swarm_http_requests_total{route=\"none\",method=\"other\",status=\"4xx\"}") == 1);
}

static void test_refused_creates_are_counted(void **state)
{
    double before = value_of("swarm_decisions_total{kind=\"create\",outcome=\"refused\"}");
    double reasons = value_of("swarm_refusals_total{reason=\"other\"}");
    struct http_result result;

    api_ask("POST", "/containers/create?name=x", "{\"Image\":\"busybox\"}", &result);
    assert_int_equal(result.status, 500);
    http_result_clear(&result);
    assert_true(value_of("swarm_decisions_total{kind=\"create\",outcome=\"refused\"}") == before + 1);
    assert_true(value_of("swarm_refusals_total{reason=\"other\"}") == reasons + 1); /* no nodes, so no node's reason */
}

static void test_head_is_answered_without_a_page(void **state)
{
    struct http_result result;

    api_ask("HEAD", "/metrics", NULL, &result);
    assert_int_equal(result.status, 200);
    assert_int_equal(result.length, 0);
    http_result_clear(&result);
}

/* --- parts --- */

static void test_label_values_are_escaped(void **state)
{
    char buffer[64], small[6];

    assert_string_equal(metrics_escape("plain", buffer, sizeof(buffer)), "plain");
    assert_string_equal(metrics_escape("a\"b\\c\nd", buffer, sizeof(buffer)), "a\\\"b\\\\c\\nd");
    assert_string_equal(metrics_escape("abc\"\"", small, sizeof(small)), "abc\\\"");
}

static void test_histogram_adds_up(void **state)
{
    struct metrics_page page = {0};
    struct exposition *read;
    double value;

    metrics_call(METRIC_CALLER_MONITOR, HTTP_OK, 100000); /* a limit belongs to its bucket */
    metrics_call(METRIC_CALLER_MONITOR, HTTP_TIMEOUT, 3000000000);
    metrics_call(METRIC_CALLER_MONITOR, HTTP_OK, 100000000000);
    metrics_page_begin(&page, "x_seconds", "histogram", "X.");
    metrics_page_add_histogram(&page, "x_seconds", "a=\"b\"", &metrics.calls[METRIC_CALLER_MONITOR]);
    assert_false(page.failed);
    assert_int_equal(bytes_append(&page.text, "", 1), 0);
    read = exposition_read(bytes_at(&page.text));
    assert_true(exposition_value(read, "x_seconds_bucket{a=\"b\",le=\"0.0001\"}", &value) && value == 1);
    assert_true(exposition_value(read, "x_seconds_bucket{a=\"b\",le=\"2.5\"}", &value) && value == 1);
    assert_true(exposition_value(read, "x_seconds_bucket{a=\"b\",le=\"10\"}", &value) && value == 2);
    assert_true(exposition_value(read, "x_seconds_bucket{a=\"b\",le=\"+Inf\"}", &value) && value == 3);
    assert_true(exposition_value(read, "x_seconds_sum{a=\"b\"}", &value) && value > 103.0001 - 1e-6 && value < 103.001);
    exposition_free(read);
    bytes_free(&page.text);
    assert_true(value_of("swarm_engine_call_failures_total{caller=\"monitor\",reason=\"timeout\"}") == 1);
}

static void test_reader_is_strict(void **state)
{
    static const char *const bad[] = {
        "x 1\n",                                                           /* no type */
        "# TYPE x gauge\nx 1\n",                                           /* no help */
        "# HELP x X.\n# TYPE x gauge\nx 1",                                /* no end of line */
        "# HELP x X.\n# TYPE x gauge\nx\n",                                /* no value */
        "# HELP x X.\n# TYPE x gauge\nx one\n",                            /* no number */
        "# HELP x X.\n# TYPE x thing\nx 1\n",                              /* no such type */
        "# HELP x X.\n# TYPE x gauge\nx 1\nx 1\n",                         /* twice */
        "# HELP x X.\n# TYPE x gauge\nx{a=\"b} 1\n",                       /* open label */
        "# HELP x X.\n# TYPE x gauge\nx{a=\"\\q\"} 1\n",                   /* no such escape */
        "# HELP x X.\n# TYPE x gauge\nx{1a=\"b\"} 1\n",                    /* no label name */
        "# HELP x X.\n# TYPE x gauge\ny 1\n",                              /* another's sample */
        "# HELP x X.\n# TYPE x counter\nx -1\n",                           /* a counter below 0 */
        "# HELP x X.\n# TYPE x gauge\nx 1\n# HELP x X.\n# TYPE x gauge\n", /* in two pieces */
        "# HELP x X.\n# TYPE x histogram\nx_bucket{le=\"1\"} 2\nx_bucket{le=\"+Inf\"} 1\nx_sum 1\nx_count 1\n",
        "# HELP x X.\n# TYPE x histogram\nx_bucket{le=\"1\"} 1\nx_sum 1\nx_count 1\n",
        "# HELP x X.\n# TYPE x histogram\nx_bucket{le=\"+Inf\"} 1\nx_sum 1\nx_count 2\n",
    };
    char why[256];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (exposition_check(bad[i], why, sizeof(why)))
            fail_msg("taken for good: %s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_is_well_formed),
        cmocka_unit_test(test_requests_are_counted_by_route),
        cmocka_unit_test(test_unknown_paths_and_methods_share_a_series),
        cmocka_unit_test(test_refused_creates_are_counted),
        cmocka_unit_test(test_head_is_answered_without_a_page),
        cmocka_unit_test(test_label_values_are_escaped),
        cmocka_unit_test(test_histogram_adds_up),
        cmocka_unit_test(test_reader_is_strict),
    };

    return cmocka_run_group_tests(tests, api_set_up, api_tear_down);
}
