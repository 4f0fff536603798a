/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>

#include "answer_by_path.h"
#include "http_client.h"

/* What a story's callbacks need; the loop runs on the test's thread until a callback stops it. */
struct story {
    struct http_loop *loop;
    struct http_exchange *exchange;
    struct http_timer *timer;
    int pieces, done, fired, wanted;
    enum http_failure failure;
    int status;
    char text[256];
    char order[64];
};

static struct http_peer *server;
static struct story story;
static bool by_curl; /* a name in place of an address makes the loop use it */
static int round_left, once_left;

static const char *url_of(const char *path)
{
    static char url[256];
    const char *plain = http_peer_url(server, path), *port = strchr(plain + 7, ':');
    snprintf(url, sizeof url, "%s%s", by_curl ? "http://localhost" : "http://127.0.0.1", port);
    return url;
}

static int set_up(void **state)
{
    memset(&story, 0, sizeof story);
    round_left = 20;
    once_left = 5;
    server = http_peer_new(answer_by_path, NULL);
    return http_loop_new(&story.loop);
}

static int tear_down(void **state)
{
    http_loop_free(story.loop);
    http_peer_free(server);
    return 0;
}

static void stop(void *data)
{
    http_loop_stop(story.loop);
}

static void note_done(void *data, struct http_result *result)
{
    story.done++;
    story.failure = result->failure;
    story.status = result->status;
    snprintf(story.text, sizeof story.text, "%.200s", result->failure == HTTP_OK ? result->body : result->error);
}

static void done_and_stop(void *data, struct http_result *result)
{
    note_done(data, result);
    if (story.done >= story.wanted)
        stop(NULL);
}

static struct http_exchange *start(const char *path, int (*on_data)(void *, const char *, size_t),
                                   void (*on_done)(void *, struct http_result *))
{
    struct http_call call = {.url = url_of(path)};
    return http_loop_start(story.loop, &call, on_data, on_done, NULL);
}

static void test_exchange_is_answered(void **state)
{
    assert_non_null(start("/teapot", NULL, done_and_stop));
    http_loop_run(story.loop);
    assert_int_equal(story.done, 1);
    assert_int_equal(story.status, 418);
    assert_string_equal(story.text, "short and stout");
}

static void test_body_is_copied(void **state)
{
    char body[] = "hello";
    struct http_call call = {.method = "POST", .url = url_of("/echo"), .body = body, .body_length = 5};
    assert_non_null(http_loop_start(story.loop, &call, NULL, done_and_stop, NULL));
    memset(body, 'x', sizeof body);
    http_loop_run(story.loop);
    assert_memory_equal(story.text, "POST hello\n", 11);
}

static int take_three(void *data, const char *bytes, size_t length)
{
    story.pieces++;
    return story.pieces == 3;
}

static void test_reader_ends_a_stream(void **state)
{
    start("/stream", take_three, done_and_stop);
    http_loop_run(story.loop);
    assert_int_equal(story.pieces, 3);
    assert_int_equal(story.done, 1);
    assert_int_equal(story.failure, HTTP_CANCELLED);
}

static void test_error_answer_of_a_stream_is_collected(void **state)
{
    start("/teapot", take_three, done_and_stop);
    http_loop_run(story.loop);
    assert_int_equal(story.pieces, 0);
    assert_string_equal(story.text, "short and stout");
}

static void stop_soon(void)
{
    http_loop_timer(story.loop, 100, stop, NULL);
}

static int cancel_own(void *data, const char *bytes, size_t length)
{
    story.pieces++;
    http_exchange_cancel(story.exchange);
    stop_soon();
    return 0;
}

static void test_stream_cancelled_from_its_own_piece_is_silent(void **state)
{
    story.exchange = start("/stream", cancel_own, note_done);
    http_loop_run(story.loop);
    assert_int_equal(story.pieces, 1);
    assert_int_equal(story.done, 0);
}

static void cancel_own_when_done(void *data, struct http_result *result)
{
    note_done(data, result);
    http_exchange_cancel(story.exchange);
    stop_soon();
}

static void test_cancel_within_own_done_is_harmless(void **state)
{
    story.exchange = start("/empty", NULL, cancel_own_when_done);
    http_loop_run(story.loop);
    assert_int_equal(story.done, 1);
}

static void test_cancel_before_it_ran_is_silent(void **state)
{
    http_exchange_cancel(start("/empty", NULL, note_done));
    http_loop_timer(story.loop, 100, stop, NULL);
    http_loop_run(story.loop);
    assert_int_equal(story.done, 0);
    assert_int_equal(http_peer_accepted(server), 0);
}

static int cancel_other(void *data, const char *bytes, size_t length)
{
    http_exchange_cancel(story.exchange);
    story.exchange = NULL;
    return ++story.pieces == 3;
}

static void test_cancel_of_another_from_a_piece(void **state)
{
    story.wanted = 1;
    story.exchange = start("/silent", NULL, note_done);
    start("/stream", cancel_other, done_and_stop);
    http_loop_run(story.loop);
    assert_int_equal(story.done, 1);
    assert_int_equal(story.failure, HTTP_CANCELLED);
}

static int start_from_piece(void *data, const char *bytes, size_t length)
{
    if (story.pieces++ == 0)
        start("/teapot", NULL, done_and_stop);
    return 0;
}

static void test_start_from_a_piece(void **state)
{
    start("/stream", start_from_piece, note_done);
    http_loop_run(story.loop);
    assert_int_equal(story.status, 418);
}

static void run_failing(const char *url, int timeout_ms, int silence_ms)
{
    struct http_call call = {.url = url, .timeout_ms = timeout_ms, .silence_timeout_ms = silence_ms};
    http_loop_start(story.loop, &call, NULL, done_and_stop, NULL);
    http_loop_run(story.loop);
    assert_int_equal(story.done, 1);
}

static void test_nobody_listening_is_refused(void **state)
{
    http_peer_kill(server);
    run_failing(url_of("/"), 0, 0);
    assert_int_equal(story.failure, HTTP_REFUSED);
}

static void test_no_answer_in_time_is_a_timeout(void **state)
{
    run_failing(url_of("/silent"), 100, 0);
    assert_int_equal(story.failure, HTTP_TIMEOUT);
}

static void test_silence_is_a_timeout(void **state)
{
    run_failing(url_of("/mute"), 0, 150);
    assert_int_equal(story.failure, HTTP_TIMEOUT);
    assert_string_equal(story.text, "nothing came for 150 ms");
}

static int count_pieces(void *data, const char *bytes, size_t length)
{
    return ++story.pieces == 60;
}

static void test_silence_is_counted_from_the_last_byte(void **state)
{
    /* 60 ticks of 20 ms are longer than the time-out, unless each tick starts it anew. */
    struct http_call call = {.url = url_of("/stream"), .silence_timeout_ms = 1000};
    http_loop_start(story.loop, &call, count_pieces, done_and_stop, NULL);
    http_loop_run(story.loop);
    assert_int_equal(story.failure, HTTP_CANCELLED);
}

static void test_closed_in_the_middle_is_broken(void **state)
{
    http_peer_set_fault(server, PEER_CUT);
    run_failing(url_of("/teapot"), 0, 0);
    assert_int_equal(story.failure, HTTP_BROKEN);
}

static void test_bad_url_is_reported_later(void **state)
{
    run_failing("gopher://x/", 0, 0);
    assert_int_equal(story.failure, HTTP_BROKEN);
    assert_string_equal(story.text, "gopher://x/ is not an http URL");
}

static void note_letter(void *data)
{
    strncat(story.order, data, 1);
    if (strlen(story.order) == 4)
        stop(NULL);
}

static char letters[] = "abcd";

static void test_timers_fire_in_order(void **state)
{
    http_loop_timer(story.loop, 60, note_letter, letters + 3);
    http_loop_timer(story.loop, 0, note_letter, letters);
    struct http_timer *cancelled = http_loop_timer(story.loop, 10, note_letter, letters + 3);
    http_loop_timer(story.loop, 30, note_letter, letters + 1);
    http_loop_timer(story.loop, 30, note_letter, letters + 2);
    http_timer_cancel(cancelled);
    http_loop_run(story.loop);
    assert_string_equal(story.order, "abcd");
}

static void cancel_own_timer(void *data)
{
    http_timer_cancel(story.timer);
    stop(NULL);
}

static void test_timer_cancelled_from_its_own_callback_is_harmless(void **state)
{
    story.timer = http_loop_timer(story.loop, 0, cancel_own_timer, NULL);
    http_loop_run(story.loop);
}

static void set_again(void *data)
{
    if (++story.fired < 1000)
        http_loop_timer(story.loop, 0, set_again, NULL);
}

static void test_timer_that_sets_itself_again_starves_nobody(void **state)
{
    http_loop_timer(story.loop, 0, set_again, NULL);
    start("/empty", NULL, done_and_stop);
    http_loop_run(story.loop);
    assert_int_equal(story.done, 1);
}

static void count_post(void *data)
{
    if (++story.fired == story.wanted)
        stop(NULL);
}

static void *post_many(void *data)
{
    for (int i = 0; i < 1000; i++)
        http_loop_post(story.loop, count_post, NULL);
    return NULL;
}

static void test_posts_from_threads_all_run(void **state)
{
    pthread_t threads[4];
    story.wanted = 4000;
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, post_many, NULL);
    http_loop_run(story.loop);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(story.fired, 4000);
}

static void test_stop_before_run_ends_it_and_runs_what_was_posted(void **state)
{
    start("/stream", NULL, note_done);
    http_loop_timer(story.loop, 0, note_letter, letters);
    http_loop_post(story.loop, count_post, NULL);
    http_loop_stop(story.loop);
    http_loop_run(story.loop);
    assert_int_equal(story.fired, 1);
    assert_int_equal(story.done, 0);
    assert_string_equal(story.order, "");
    assert_int_equal(http_loop_post(story.loop, count_post, NULL), -1);
}

static void test_stop_drops_what_runs(void **state)
{
    for (int i = 0; i < 10; i++)
        start(i % 2 ? "/stream" : "/silent", i % 4 == 1 ? take_three : NULL, note_done);
    stop_soon();
    http_loop_timer(story.loop, 100000, note_letter, letters);
    http_loop_run(story.loop);
    assert_string_equal(story.order, "");
}

enum { MANY = 400 };

static void test_many_exchanges_at_once_all_end(void **state)
{
    story.wanted = MANY;
    for (int i = 0; i < MANY; i++)
        assert_non_null(start("/empty", NULL, done_and_stop));
    http_loop_run(story.loop);
    assert_int_equal(story.done, MANY);
    assert_int_equal(story.failure, HTTP_OK);
}

static void next_call(void *data, struct http_result *result)
{
    note_done(data, result);
    if (--round_left > 0)
        start("/empty", NULL, next_call);
    else
        stop(NULL);
}

static void test_connections_are_kept(void **state)
{
    start("/empty", NULL, next_call);
    http_loop_run(story.loop);
    assert_int_equal(story.done, 20);
    assert_int_equal(http_peer_accepted(server), 1);
}

static void next_once(void *data, struct http_result *result)
{
    struct http_call call = {.url = url_of("/empty"), .timeout_ms = 20000, .once = true};

    note_done(data, result);
    if (--once_left > 0)
        story.exchange = http_loop_start(story.loop, &call, NULL, next_once, &story);
    else
        stop(NULL);
}

/* The first one's connection is kept, and used by the second. */
static void test_connection_is_closed_after_a_call_that_says_so(void **state)
{
    start("/empty", NULL, next_once);
    http_loop_run(story.loop);
    assert_int_equal(story.done, 5);
    assert_int_equal(http_peer_accepted(server), 4);
}

static void ask_afresh(void *data, struct http_result *result)
{
    struct http_call call = {.url = url_of("/empty"), .fresh = true};

    note_done(data, result);
    http_loop_start(story.loop, &call, NULL, done_and_stop, NULL);
}

static void test_connection_is_made_for_a_call_that_says_so(void **state)
{
    story.wanted = 2;
    start("/empty", NULL, ask_afresh);
    http_loop_run(story.loop);
    assert_int_equal(story.failure, HTTP_OK);
    assert_int_equal(http_peer_accepted(server), 2);
}

static void resume(void *data)
{
    http_exchange_resume(story.exchange);
}

/* Three letters, one at a time, each only after a while. */
static void resume_soon(void)
{
    http_loop_timer(story.loop, 10, resume, NULL);
}

static ssize_t give_letter(void *data, char *buffer, size_t size)
{
    assert_true(size > 0);
    if (story.pieces++ % 2 == 0) {
        resume_soon();
        return -HTTP_LATER;
    }
    buffer[0] = (char)('a' + story.pieces / 2 - 1);
    return 1;
}

static void test_body_is_asked_for(void **state)
{
    struct http_call call = {.method = "POST", .url = url_of("/echo"), .read = give_letter, .read_length = 3};
    story.exchange = http_loop_start(story.loop, &call, NULL, done_and_stop, NULL);
    assert_non_null(story.exchange);
    http_loop_run(story.loop);
    assert_int_equal(story.failure, HTTP_OK);
    assert_memory_equal(story.text, "POST abc\n", 9);
    assert_non_null(strstr(story.text, "Content-Length: 3\r\n"));
}

static ssize_t give_up(void *data, char *buffer, size_t size)
{
    return -1;
}

static void test_body_may_end_the_call(void **state)
{
    struct http_call call = {.method = "POST", .url = url_of("/echo"), .read = give_up, .read_length = 3};
    assert_non_null(http_loop_start(story.loop, &call, NULL, done_and_stop, NULL));
    http_loop_run(story.loop);
    assert_int_equal(story.failure, HTTP_CANCELLED);
}

static int take_later(void *data, const char *bytes, size_t length)
{
    if (story.fired++ == 0) {
        resume_soon();
        return HTTP_LATER;
    }
    story.pieces += (int)length;
    return 0;
}

static void test_piece_is_given_again(void **state)
{
    story.exchange = start("/big", take_later, done_and_stop);
    http_loop_run(story.loop);
    assert_int_equal(story.failure, HTTP_OK);
    assert_int_equal(story.pieces, 1000000);
}

static void test_loop_is_driven_from_outside(void **state)
{
    start("/teapot", NULL, note_done);
    while (story.done == 0) {
        struct pollfd fd = {.fd = http_loop_fd(story.loop), .events = POLLIN};
        poll(&fd, 1, http_loop_wait_ms(story.loop));
        http_loop_step(story.loop);
    }
    assert_string_equal(story.text, "short and stout");
}

static void note_how_many(void *data)
{
    story.fired = story.done;
}

/* The loop's thread did not run for a while: all answers are there, and a time is up. */
static void test_answers_that_are_there_come_before_what_is_due(void **state)
{
    static struct epoll_event ready[MANY];
    struct pollfd fd = {.fd = http_loop_fd(story.loop), .events = POLLIN};
    http_peer_lock(server); /* nothing is answered */
    for (int i = 0; i < MANY; i++)
        assert_non_null(start("/empty", NULL, note_done));
    do
        http_loop_step(story.loop);
    while (http_loop_wait_ms(story.loop) == 0 || poll(&fd, 1, 200) > 0);
    http_peer_unlock(server);
    while (epoll_wait(fd.fd, ready, MANY, 100) < MANY)
        ;
    assert_non_null(http_loop_timer(story.loop, 1, note_how_many, NULL));
    poll(NULL, 0, 10);
    http_loop_step(story.loop);
    assert_int_equal(story.fired, MANY);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_exchange_is_answered),
        STORY(test_body_is_copied),
        STORY(test_reader_ends_a_stream),
        STORY(test_error_answer_of_a_stream_is_collected),
        STORY(test_stream_cancelled_from_its_own_piece_is_silent),
        STORY(test_cancel_within_own_done_is_harmless),
        STORY(test_cancel_before_it_ran_is_silent),
        STORY(test_cancel_of_another_from_a_piece),
        STORY(test_start_from_a_piece),
        STORY(test_nobody_listening_is_refused),
        STORY(test_no_answer_in_time_is_a_timeout),
        STORY(test_silence_is_a_timeout),
        STORY(test_silence_is_counted_from_the_last_byte),
        STORY(test_closed_in_the_middle_is_broken),
        STORY(test_bad_url_is_reported_later),
        STORY(test_timers_fire_in_order),
        STORY(test_timer_cancelled_from_its_own_callback_is_harmless),
        STORY(test_timer_that_sets_itself_again_starves_nobody),
        STORY(test_posts_from_threads_all_run),
        STORY(test_stop_before_run_ends_it_and_runs_what_was_posted),
        STORY(test_stop_drops_what_runs),
        STORY(test_many_exchanges_at_once_all_end),
        STORY(test_connections_are_kept),
        STORY(test_connection_is_closed_after_a_call_that_says_so),
        STORY(test_connection_is_made_for_a_call_that_says_so),
        STORY(test_body_is_asked_for),
        STORY(test_body_may_end_the_call),
        STORY(test_piece_is_given_again),
        STORY(test_loop_is_driven_from_outside),
        STORY(test_answers_that_are_there_come_before_what_is_due),
    };
    http_client_global_init();
    int failed = cmocka_run_group_tests_name("wire", tests, NULL, NULL);
    by_curl = true;
    return failed + cmocka_run_group_tests_name("curl", tests, NULL, NULL);
}
