/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event_filter.h"
#include "event_shape.h"
#include "events.h"
#include "manager.h"
#include "pool.h"

#define QUEUE_MAX 10000

struct fixture {
    struct manager manager;
    struct engine engine;
    struct event_hub *hub;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_int_equal(pool_new(&f->manager.pool, &f->manager), 0);
    assert_int_equal(event_hub_new(&f->hub), 0);
    f->engine.manager = &f->manager;
    f->engine.address = strdup("192.0.2.2:2375");
    f->engine.name = strdup("node2");
    f->engine.id = strdup("GS23:AAAA");
    strcpy(f->engine.ip, "192.0.2.2");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    event_hub_free(f->hub);
    pool_free(f->manager.pool);
    free(f->engine.address);
    free(f->engine.name);
    free(f->engine.id);
    free(f);
    return 0;
}

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *object = json_loads(text, 0, &error);

    if (!object)
        fail_msg("%s: %s", text, error.text);
    return object;
}

static struct event_listener *listen_for(struct fixture *f, const struct event_query *query)
{
    struct event_listener *listener = NULL;

    assert_int_equal(event_listener_new(&listener, f->hub, query), 0);
    return listener;
}

static const struct event_query everything = {-1, -1, NULL};

static void publish(struct fixture *f, const char *text)
{
    assert_true(json_valid(text, strlen(text)));
    events_publish_engine(f->hub, &f->engine, json_span_of(text, strlen(text)));
}

/* An event of that number, at that second. */
static void publish_number(struct fixture *f, int number)
{
    char text[256];

    snprintf(text, sizeof(text),
             "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"c%d\",\"Attributes\":{}},"
             "\"time\":%d,\"timeNano\":%" PRId64 "}",
             number, number, number * INT64_C(1000000000));
    publish(f, text);
}

static int next_number(struct event_listener *listener)
{
    const struct event *event;
    int r = event_listener_next(listener, &event), number = -1;

    if (r == 1) {
        const char *id = strstr(event->line, "\"ID\":\"c");

        assert_non_null(id);
        number = atoi(id + 7);
        event_unref(event);
    }
    return number;
}

static bool is_readable(struct event_listener *listener)
{
    struct pollfd pollfd = {event_listener_fd(listener), POLLIN, 0};

    return poll(&pollfd, 1, 0) == 1;
}

static void assert_next_line(struct event_listener *listener, const char *expected)
{
    const struct event *event;

    assert_int_equal(event_listener_next(listener, &event), 1);
    assert_string_equal(event->line, expected);
    assert_int_equal(event->length, strlen(expected));
    event_unref(event);
}

/* --- shape --- */

/* To be freed. */
static char *shape(const char *text, const struct event_origin *origin)
{
    struct bytes line = {0};
    char *copy;

    assert_true(json_valid(text, strlen(text)));
    assert_int_equal(event_shape(&line, json_span_of(text, strlen(text)), origin), 0);
    copy = strndup(bytes_at(&line), bytes_length(&line));
    assert_non_null(copy);
    bytes_free(&line);
    return copy;
}

static void test_engine_event_gets_node_suffix_attributes_and_object(void **state)
{
    struct fixture *f = *state;
    struct event_listener *listener = listen_for(f, &everything);

    publish(f,
            "{\"status\":\"create\",\"id\":\"14f7\",\"from\":\"busybox\",\"Type\":\"container\",\"Action\":\"create\","
            "\"Actor\":{\"ID\":\"14f7\",\"Attributes\":{\"com.docker.swarm.id\":\"ddfb\",\"name\":\"q\","
            "\"image\":\"busybox\"}},\"scope\":\"local\",\"time\":1795333385,\"timeNano\":1795333385429632563}");
    assert_next_line(
        listener, "{\"status\":\"create\",\"id\":\"14f7\",\"from\":\"busybox node:node2\",\"Type\":\"container\","
                  "\"Action\":\"create\",\"Actor\":{\"ID\":\"14f7\",\"Attributes\":{\"com.docker.swarm.id\":\"ddfb\","
                  "\"image\":\"busybox\",\"name\":\"q\",\"node.addr\":\"192.0.2.2:2375\",\"node.id\":\"GS23:AAAA\","
                  "\"node.ip\":\"192.0.2.2\",\"node.name\":\"node2\"}},\"scope\":\"local\",\"time\":1795333385,"
                  "\"timeNano\":1795333385429632563,\"node\":{\"Name\":\"node2\",\"Id\":\"GS23:AAAA\","
                  "\"Addr\":\"192.0.2.2:2375\",\"Ip\":\"192.0.2.2\"}}\n");
    event_listener_free(listener);
}

static void test_event_without_image_status_and_attributes(void **state)
{
    struct fixture *f = *state;
    struct event_listener *listener = listen_for(f, &everything);

    publish(f, "{\"timeNano\":5,\"time\":0,\"Type\":\"network\",\"Action\":\"create\",\"status\":\"\","
               "\"Actor\":{\"ID\":\"n1\"}}");
    assert_next_line(listener, "{\"from\":\" node:node2\",\"Type\":\"network\",\"Action\":\"create\","
                               "\"Actor\":{\"ID\":\"n1\",\"Attributes\":{\"node.addr\":\"192.0.2.2:2375\","
                               "\"node.id\":\"GS23:AAAA\",\"node.ip\":\"192.0.2.2\",\"node.name\":\"node2\"}},"
                               "\"time\":0,\"timeNano\":5,\"node\":{\"Name\":\"node2\",\"Id\":\"GS23:AAAA\","
                               "\"Addr\":\"192.0.2.2:2375\",\"Ip\":\"192.0.2.2\"}}\n");
    event_listener_free(listener);
}

static void test_unknown_fields_are_kept_before_the_node(void **state)
{
    const struct event_origin origin = {"n", "i", "a", "p"};
    char *line = shape("{\"extra\":{\"x\":1},\"Type\":\"volume\",\"node\":\"theirs\"}", &origin);

    assert_non_null(strstr(line, "},\"extra\":{\"x\":1},\"node\":{\"Name\":\"n\","));
    assert_null(strstr(line, "theirs"));
    free(line);
}

static void test_event_is_one_line_however_the_engine_writes_it(void **state)
{
    const struct event_origin origin = {"n \"1\"", "i", "a", "p"};
    char *line = shape("{ \"from\" :\t\"a \\\" b\",\r\n \"Actor\": {\"Attributes\": {\"z\": \"1 2\", \"node.id\": "
                       "\"theirs\", \"a\" : \"x\\ny\" }, \"ID\": \"7\"},\n \"more\" : [ 1 , { \"b c\" : null } ] }\n",
                       &origin);

    assert_string_equal(line, "{\"from\":\"a \\\" b node:n \\\"1\\\"\",\"Actor\":{\"ID\":\"7\",\"Attributes\":{"
                              "\"a\":\"x\\ny\",\"node.addr\":\"a\",\"node.id\":\"i\",\"node.ip\":\"p\","
                              "\"node.name\":\"n \\\"1\\\"\",\"z\":\"1 2\"}},\"more\":[1,{\"b c\":null}],"
                              "\"node\":{\"Name\":\"n \\\"1\\\"\",\"Id\":\"i\",\"Addr\":\"a\",\"Ip\":\"p\"}}\n");
    free(line);
}

static void test_event_of_odd_types_is_shaped_all_the_same(void **state)
{
    static const char *const odd[] = {"{}", "{\"Actor\":[],\"from\":7}", "{\"Actor\":{\"ID\":4,\"Attributes\":\"x\"}}"};
    const struct event_origin origin = {NULL, NULL, "a", ""};

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        char *line = shape(odd[i], &origin);
        json_t *shaped = parse(line);

        assert_string_equal(json_string_value(json_object_get(json_object_get(shaped, "Actor"), "ID")), "");
        assert_string_equal(json_string_value(json_object_get(shaped, "from")), " node:");
        json_decref(shaped);
        free(line);
    }
}

static void test_swarm_event(void **state)
{
    struct fixture *f = *state;
    struct event_listener *listener = listen_for(f, &everything);
    const struct event *event;
    const char *begin = "{\"status\":\"engine_disconnect\",\"from\":\"swarm node:node2\",\"Type\":\"swarm\","
                        "\"Action\":\"engine_disconnect\",\"Actor\":{\"ID\":\"\",\"Attributes\":{"
                        "\"node.addr\":\"192.0.2.2:2375\",\"node.id\":\"GS23:AAAA\",\"node.ip\":\"192.0.2.2\","
                        "\"node.name\":\"node2\"}},\"time\":";

    events_publish_swarm(f->hub, &f->engine, "engine_disconnect");
    assert_int_equal(event_listener_next(listener, &event), 1);
    assert_memory_equal(event->line, begin, strlen(begin));
    assert_true(event->time_ns > INT64_C(1500000000000000000));
    event_unref(event);
    event_listener_free(listener);
}

static void test_time_of_event(void **state)
{
    static const struct {
        const char *text;
        int64_t time_ns;
    } cases[] = {
        {"{\"time\":3,\"timeNano\":3000000007}", 3000000007},
        {"{\"time\":3}", 3000000000},
        {"{}", 0},
        {"{\"time\":-3,\"timeNano\":-1}", 0},
        {"{\"time\":\"x\"}", 0},
        {"{\"time\":9223372036854775807}", 0},
        {"{\"timeNano\":9223372036854775807}", 0},
        {"{\"timeNano\":123456789012345678901234567890}", 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(event_time_ns(json_span_of(cases[i].text, strlen(cases[i].text))) == cases[i].time_ns);
    }
}

/* --- filters --- */

static const char container_event[] =
    "{\"status\":\"exec_create: sh -c x\",\"id\":\"14f7aa\",\"from\":\"busybox:1.36 "
    "node:node2\",\"Type\":\"container\","
    "\"Action\":\"exec_create: sh -c x\",\"Actor\":{\"ID\":\"14f7aa\",\"Attributes\":{\"image\":\"busybox:1.36\","
    "\"name\":\"web-1\",\"tier\":\"front\",\"node.name\":\"node2\"}},\"scope\":\"local\",\"node\":{\"Name\":\"node2\"}"
    "}";
static const char image_event[] =
    "{\"Type\":\"image\",\"Action\":\"pull\",\"Actor\":{\"ID\":\"docker.io/library/nginx:latest\","
    "\"Attributes\":{\"name\":\"nginx\"}},\"scope\":\"local\",\"node\":{\"Name\":\"node1\"}}";
static const char network_event[] =
    "{\"Type\":\"network\",\"Action\":\"connect\",\"Actor\":{\"ID\":\"abc123\",\"Attributes\":{\"name\":\"backend\"}},"
    "\"scope\":\"swarm\",\"node\":{\"Name\":\"node1\"}}";

static void test_filters(void **state)
{
    static const struct {
        const char *filters, *event;
        bool passes;
    } cases[] = {
        {"{}", container_event, true},
        {"{\"container\":[]}", container_event, true},
        {"{\"container\":[\"14f7aa\"]}", container_event, true},
        {"{\"container\":[\"14f\"]}", container_event, true},
        {"{\"container\":[\"web-1\"]}", container_event, true},
        {"{\"container\":[\"we\"]}", container_event, true},
        {"{\"container\":[\"eb-1\"]}", container_event, false},
        {"{\"container\":[\"web-11\"]}", container_event, false},
        {"{\"container\":[\"db\",\"web\"]}", container_event, true},
        {"{\"container\":[\"web\"]}", network_event, false},
        {"{\"network\":[\"back\"]}", network_event, true},
        {"{\"network\":[\"abc\"]}", network_event, true},
        {"{\"network\":[\"front\"]}", network_event, false},
        {"{\"volume\":[\"data\"]}", network_event, false},
        {"{\"plugin\":[\"x\"]}", container_event, false},
        {"{\"daemon\":[\"x\"]}", container_event, false},
        {"{\"image\":[\"busybox:1.36\"]}", container_event, true},
        {"{\"image\":[\"busybox\"]}", container_event, true},
        {"{\"image\":[\"busy\"]}", container_event, false},
        {"{\"image\":[\"busybox:1.35\"]}", container_event, false},
        {"{\"image\":[\"nginx\"]}", image_event, true},
        {"{\"image\":[\"docker.io/library/nginx:latest\"]}", image_event, true},
        {"{\"image\":[\"busybox\"]}", image_event, false},
        {"{\"event\":[\"exec_create\"]}", container_event, true},
        {"{\"event\":[\"exec_create: sh -c x\"]}", container_event, true},
        {"{\"event\":[\"exec_create: sh\"]}", container_event, false},
        {"{\"event\":[\"exec_start\"]}", container_event, false},
        {"{\"event\":[\"pull\"]}", image_event, true},
        {"{\"event\":[\"pul\"]}", image_event, false},
        {"{\"event\":[\"start\",\"pull\"]}", image_event, true},
        {"{\"type\":[\"container\"]}", container_event, true},
        {"{\"type\":[\"container\"]}", image_event, false},
        {"{\"type\":[\"container\",\"image\"]}", image_event, true},
        {"{\"scope\":[\"local\"]}", container_event, true},
        {"{\"scope\":[\"swarm\"]}", container_event, false},
        {"{\"label\":[\"tier\"]}", container_event, true},
        {"{\"label\":[\"tier=front\"]}", container_event, true},
        {"{\"label\":[\"tier=back\"]}", container_event, false},
        {"{\"label\":[\"tier=front\",\"zone\"]}", container_event, false},
        {"{\"label\":[\"tier=front\",\"name=web-1\"]}", container_event, true},
        {"{\"node\":[\"node2\"]}", container_event, true},
        {"{\"node\":[\"node1\"]}", container_event, false},
        {"{\"node\":[\"node\"]}", container_event, false},
        {"{\"type\":[\"container\"],\"node\":[\"node1\"]}", container_event, false},
        {"{\"type\":[\"container\"],\"node\":[\"node2\"],\"container\":[\"web\"]}", container_event, true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *filters = parse(cases[i].filters), *event = parse(cases[i].event);

        if (event_filter_passes(filters, event) != cases[i].passes)
            fail_msg("%s on %s", cases[i].filters, cases[i].event);
        json_decref(filters);
        json_decref(event);
    }
}

static void test_unknown_filter_is_refused_by_name(void **state)
{
    struct event_query query = {-1, -1, parse("{\"type\":[\"image\"],\"colour\":[\"red\"]}")};
    struct failure failure = {0};

    assert_int_equal(event_query_check(&query, &failure), -1);
    assert_int_equal(failure.status, 400);
    assert_string_equal(failure.message, "invalid filter 'colour'");
    failure_clear(&failure);
    json_decref(query.filters);
}

static void test_known_filters_are_accepted(void **state)
{
    struct event_query query = {-1, -1, json_object()};
    struct failure failure = {0};

    for (size_t i = 0; event_filter_keys[i]; i++)
        json_object_set_new(query.filters, event_filter_keys[i], json_array());
    assert_int_equal(event_query_check(&query, &failure), 0);
    assert_int_equal(json_object_size(query.filters), 11);
    json_decref(query.filters);
}

static void test_no_filters_are_accepted(void **state)
{
    struct failure failure = {0};

    assert_int_equal(event_query_check(&everything, &failure), 0);
}

static void test_listener_gets_only_what_passes(void **state)
{
    struct fixture *f = *state;
    struct event_query query = {-1, -1, parse("{\"container\":[\"c2\"]}")};
    struct event_listener *listener = listen_for(f, &query);

    publish_number(f, 1);
    assert_false(is_readable(listener));
    publish_number(f, 2);
    publish_number(f, 3);
    assert_true(is_readable(listener));
    assert_int_equal(next_number(listener), 2);
    assert_int_equal(next_number(listener), -1);
    event_listener_free(listener);
    json_decref(query.filters);
}

/* --- listeners --- */

static void test_descriptor_is_readable_while_events_wait(void **state)
{
    struct fixture *f = *state;
    struct event_listener *listener = listen_for(f, &everything);

    assert_false(is_readable(listener));
    publish_number(f, 1);
    publish_number(f, 2);
    assert_true(is_readable(listener));
    assert_int_equal(next_number(listener), 1);
    assert_true(is_readable(listener));
    assert_int_equal(next_number(listener), 2);
    assert_false(is_readable(listener));
    publish_number(f, 3);
    assert_true(is_readable(listener));
    assert_int_equal(next_number(listener), 3);
    event_listener_free(listener);
}

static void test_every_listener_gets_the_same_bytes(void **state)
{
    struct fixture *f = *state;
    struct event_listener *a = listen_for(f, &everything), *b = listen_for(f, &everything);
    const struct event *of_a, *of_b;

    assert_int_equal(event_hub_listeners(f->hub), 2);
    publish_number(f, 1);
    assert_int_equal(event_listener_next(a, &of_a), 1);
    assert_int_equal(event_listener_next(b, &of_b), 1);
    assert_ptr_equal(of_a, of_b);
    event_listener_free(a);
    assert_int_equal(event_hub_listeners(f->hub), 1);
    event_unref(of_a);
    event_listener_free(b);
    assert_non_null(strstr(of_b->line, "\"ID\":\"c1\"")); /* outlives its listener */
    event_unref(of_b);
    assert_int_equal(event_hub_listeners(f->hub), 0);
}

static void test_full_queue_is_still_delivered(void **state)
{
    struct fixture *f = *state;
    struct event_listener *listener = listen_for(f, &everything);

    for (int i = 0; i < QUEUE_MAX; i++)
        publish_number(f, i);
    for (int i = 0; i < QUEUE_MAX; i++)
        assert_int_equal(next_number(listener), i);
    assert_false(is_readable(listener));
    event_listener_free(listener);
}

static void test_listener_that_falls_behind_is_cut_off(void **state)
{
    struct fixture *f = *state;
    struct event_listener *slow = listen_for(f, &everything), *quick = listen_for(f, &everything);
    const struct event *event;

    for (int i = 0; i <= QUEUE_MAX; i++) {
        publish_number(f, i);
        assert_int_equal(next_number(quick), i);
    }
    assert_true(is_readable(slow));
    assert_int_equal(event_listener_next(slow, &event), -1);
    assert_true(is_readable(slow));
    assert_int_equal(event_listener_next(slow, &event), -1);
    event_listener_free(slow);
    event_listener_free(quick);
}

/* --- history --- */

static void test_since_gives_history_then_what_comes(void **state)
{
    struct fixture *f = *state;
    struct event_query query = {2 * INT64_C(1000000000), -1, NULL};
    struct event_listener *listener;

    for (int i = 1; i <= 3; i++)
        publish_number(f, i);
    listener = listen_for(f, &query);
    assert_true(is_readable(listener));
    publish_number(f, 4);
    for (int i = 2; i <= 4; i++)
        assert_int_equal(next_number(listener), i);
    assert_int_equal(next_number(listener), -1);
    assert_false(is_readable(listener));
    event_listener_free(listener);
}

static void test_without_since_nothing_of_the_past(void **state)
{
    struct fixture *f = *state;
    struct event_listener *listener;

    publish_number(f, 1);
    listener = listen_for(f, &everything);
    assert_false(is_readable(listener));
    assert_int_equal(next_number(listener), -1);
    event_listener_free(listener);
}

static void test_until_bounds_past_and_future(void **state)
{
    struct fixture *f = *state;
    struct event_query query = {INT64_C(1000000000), INT64_C(3000000000), NULL};
    struct event_listener *listener;

    publish_number(f, 1);
    publish_number(f, 4);
    listener = listen_for(f, &query);
    publish_number(f, 3);
    publish_number(f, 5);
    assert_int_equal(next_number(listener), 1);
    assert_int_equal(next_number(listener), 3);
    assert_int_equal(next_number(listener), -1);
    event_listener_free(listener);
}

static void test_history_is_filtered(void **state)
{
    struct fixture *f = *state;
    struct event_query query = {0, -1, parse("{\"container\":[\"c2\"]}")};
    struct event_listener *listener;

    for (int i = 1; i <= 3; i++)
        publish_number(f, i);
    listener = listen_for(f, &query);
    assert_int_equal(next_number(listener), 2);
    assert_int_equal(next_number(listener), -1);
    assert_false(is_readable(listener));
    event_listener_free(listener);
    json_decref(query.filters);
}

/* More kinds than an event's findings are kept for, and some that are asked for twice. */
static void test_many_listeners_with_filters_of_their_own(void **state)
{
    enum { KINDS = 40 };
    struct fixture *f = *state;
    struct event_listener *listeners[2 * KINDS];
    struct event_query queries[2 * KINDS];
    char text[64];

    for (int i = 0; i < 2 * KINDS; i++) {
        snprintf(text, sizeof(text), "{\"container\":[\"c%d\"]}", 100 + i % KINDS);
        queries[i] = (struct event_query){-1, -1, parse(text)};
        listeners[i] = listen_for(f, &queries[i]);
    }
    for (int i = 0; i < KINDS; i++)
        publish_number(f, 100 + i);
    for (int i = 0; i < 2 * KINDS; i++) {
        assert_int_equal(next_number(listeners[i]), 100 + i % KINDS);
        assert_int_equal(next_number(listeners[i]), -1);
        event_listener_free(listeners[i]);
        json_decref(queries[i].filters);
    }
}

static void test_history_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct event_query query = {0, -1, NULL};
    struct event_listener *listener;

    for (int i = 0; i < QUEUE_MAX + 5; i++)
        publish_number(f, i);
    listener = listen_for(f, &query);
    for (int i = 5; i < QUEUE_MAX + 5; i++)
        assert_int_equal(next_number(listener), i);
    assert_int_equal(next_number(listener), -1);
    event_listener_free(listener);
}

static void test_history_is_bounded_in_bytes(void **state)
{
    struct fixture *f = *state;
    const size_t size = 1024 * 1024;
    struct event_query query = {0, -1, NULL};
    struct event_listener *listener;
    char *text = malloc(size + 256);
    int count = 0;

    assert_non_null(text);
    for (int i = 0; i < 20; i++) {
        int length = snprintf(text, 256, "{\"Actor\":{\"ID\":\"c%d\"},\"filling\":\"", i);

        memset(text + length, 'x', size);
        strcpy(text + length + size, "\"}");
        publish(f, text);
    }
    free(text);
    listener = listen_for(f, &query);
    for (int number = next_number(listener); number >= 0; number = next_number(listener)) {
        assert_int_equal(number, 20 - 15 + count);
        count++;
    }
    assert_int_equal(count, 15); /* of a little more than 1 MiB each, in 16 MiB */
    event_listener_free(listener);
}

/* --- threads --- */

#define PUBLISHERS 3
#define EACH 500

static void *publish_many(void *data)
{
    for (int i = 0; i < EACH; i++)
        publish_number(data, i);
    return NULL;
}

static void test_many_publishers_and_a_waiting_listener(void **state)
{
    struct fixture *f = *state;
    struct event_listener *listener = listen_for(f, &everything);
    struct pollfd pollfd = {event_listener_fd(listener), POLLIN, 0};
    pthread_t threads[PUBLISHERS];
    int taken = 0, sum = 0, number;

    for (int i = 0; i < PUBLISHERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, publish_many, f), 0);
    while (taken < PUBLISHERS * EACH) {
        assert_int_equal(poll(&pollfd, 1, 60000), 1);
        while ((number = next_number(listener)) >= 0) {
            taken++;
            sum += number;
        }
    }
    assert_int_equal(sum, PUBLISHERS * (EACH * (EACH - 1) / 2));
    for (int i = 0; i < PUBLISHERS; i++)
        pthread_join(threads[i], NULL);
    event_listener_free(listener);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_engine_event_gets_node_suffix_attributes_and_object),
        TEST(test_event_without_image_status_and_attributes),
        cmocka_unit_test(test_unknown_fields_are_kept_before_the_node),
        cmocka_unit_test(test_event_is_one_line_however_the_engine_writes_it),
        cmocka_unit_test(test_event_of_odd_types_is_shaped_all_the_same),
        TEST(test_swarm_event),
        cmocka_unit_test(test_time_of_event),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_unknown_filter_is_refused_by_name),
        cmocka_unit_test(test_known_filters_are_accepted),
        cmocka_unit_test(test_no_filters_are_accepted),
        TEST(test_listener_gets_only_what_passes),
        TEST(test_descriptor_is_readable_while_events_wait),
        TEST(test_every_listener_gets_the_same_bytes),
        TEST(test_full_queue_is_still_delivered),
        TEST(test_listener_that_falls_behind_is_cut_off),
        TEST(test_since_gives_history_then_what_comes),
        TEST(test_without_since_nothing_of_the_past),
        TEST(test_until_bounds_past_and_future),
        TEST(test_history_is_filtered),
        TEST(test_many_listeners_with_filters_of_their_own),
        TEST(test_history_is_bounded),
        TEST(test_history_is_bounded_in_bytes),
        TEST(test_many_publishers_and_a_waiting_listener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
