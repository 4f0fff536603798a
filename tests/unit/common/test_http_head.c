/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http_head.h"

typedef int (*parser)(struct http_head *head, const char *buffer, size_t length, size_t *ret_consumed,
                      const char **ret_why);

struct refused {
    const char *what;
    int result;
    const char *text;
};

/* From a copy that ends where the text ends, so that reading beyond it is noticed. */
static int parse_copy(parser parse, struct http_head *head, const char *text, size_t length, size_t *consumed,
                      char **ret_copy)
{
    const char *why = NULL;
    char *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    int result = parse(head, copy, length, consumed, &why);
    if (result < 0)
        assert_non_null(why);
    if (result == 0)
        assert_true(*consumed <= length);
    if (ret_copy)
        *ret_copy = copy;
    else
        free(copy);
    return result;
}

static int parse_text(parser parse, const char *text)
{
    struct http_head head;
    size_t consumed;
    return parse_copy(parse, &head, text, strlen(text), &consumed, NULL);
}

static void check_refused(parser parse, const struct refused *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int result = parse_text(parse, cases[i].text);
        if (result != cases[i].result)
            fail_msg("%s: expected %d, got %d", cases[i].what, cases[i].result, result);
    }
}

/* Every prefix wants more or, where the whole is refused, is refused in the same way. */
static void check_prefixes(parser parse, const char *text, size_t length, int whole)
{
    struct http_head head;
    size_t consumed;
    for (size_t i = 0; i < length; i++) {
        int result = parse_copy(parse, &head, text, i, &consumed, NULL);
        if (result != HTTP_HEAD_MORE && result != whole)
            fail_msg("after %zu bytes of \"%s\": %d, the whole gives %d", i, text, result, whole);
        if (whole == 0 && result == 0)
            fail_msg("complete after %zu of %zu bytes", i, length);
    }
    assert_int_equal(parse_copy(parse, &head, text, length, &consumed, NULL), whole);
}

#define HOST "Host: x\r\n"

static const struct refused refused_requests[] = {
    {"LF for CRLF in the request line", HTTP_HEAD_BAD, "GET / HTTP/1.1\n" HOST "\r\n"},
    {"LF for CRLF after a header", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\nHost: x\n\r\n"},
    {"LF as the empty line", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\n" HOST "\n"},
    {"CR inside the request line", HTTP_HEAD_BAD, "GET /\r HTTP/1.1\r\n" HOST "\r\n"},
    {"CR inside a value", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\nHost: x\rY: z\r\n\r\n"},
    {"CR before CRLF", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\nHost: x\r\r\n\r\n"},
    {"folded header", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n"},
    {"folded with a tab", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\n" HOST "A: b\r\n\tc\r\n\r\n"},
    {"blank before the first header", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\n Host: x\r\n\r\n"},
    {"blank before the colon", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\n" HOST "Content-Length : 3\r\n\r\n"},
    {"tab before the colon", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\n" HOST "Content-Length\t: 3\r\n\r\n"},
    {"header without colon", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\n" HOST "Content-Length 3\r\n\r\n"},
    {"header without name", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\n" HOST ": 3\r\n\r\n"},
    {"name with a control byte", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\n" HOST "A\vB: 3\r\n\r\n"},
    {"name beyond ASCII", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\n" HOST "\xc3\x84: 3\r\n\r\n"},
    {"value with a control byte", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\n" HOST "A: \x01\r\n\r\n"},
    {"value with DEL", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\n" HOST "A: \x7f\r\n\r\n"},
    {"length and coding", HTTP_HEAD_BAD,
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"coding and length", HTTP_HEAD_BAD,
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"},
    {"two lengths", HTTP_HEAD_BAD, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\n"},
    {"the same length twice", HTTP_HEAD_BAD,
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\n"},
    {"a list of lengths", HTTP_HEAD_BAD, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n\r\n"},
    {"length with a plus", HTTP_HEAD_BAD, "POST / HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\n"},
    {"negative length", HTTP_HEAD_BAD, "POST / HTTP/1.1\r\n" HOST "Content-Length: -3\r\n\r\n"},
    {"hexadecimal length", HTTP_HEAD_BAD, "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x3\r\n\r\n"},
    {"length with a blank inside", HTTP_HEAD_BAD, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1 0\r\n\r\n"},
    {"empty length", HTTP_HEAD_BAD, "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n"},
    {"length above 2^63-1", HTTP_HEAD_BAD, "POST / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775808\r\n\r\n"},
    {"length above 2^64", HTTP_HEAD_BAD, "POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551619\r\n\r\n"},
    {"chunked not last", HTTP_HEAD_BAD, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, gzip\r\n\r\n"},
    {"chunked twice", HTTP_HEAD_BAD, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, chunked\r\n\r\n"},
    {"chunked twice in two headers", HTTP_HEAD_BAD,
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"chunked, then identity in another header", HTTP_HEAD_BAD,
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"},
    {"coding with an empty element", HTTP_HEAD_BAD, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: ,chunked\r\n\r\n"},
    {"empty coding", HTTP_HEAD_BAD, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n"},
    {"coding of HTTP/1.0", HTTP_HEAD_BAD, "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"},
    {"gzip before chunked", HTTP_HEAD_CODING, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"},
    {"identity", HTTP_HEAD_CODING, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n"},
    {"almost chunked", HTTP_HEAD_CODING, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n"},
    {"quoted chunked", HTTP_HEAD_CODING, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n"},
    {"chunked with parameter", HTTP_HEAD_CODING, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked;a=b\r\n\r\n"},
    {"chunked with a vertical tab", HTTP_HEAD_BAD, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \vchunked\r\n\r\n"},
    {"no Host", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\nA: b\r\n\r\n"},
    {"two Hosts", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\n" HOST "host: y\r\n\r\n"},
    {"the same Host twice", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\n" HOST HOST "\r\n"},
    {"two Hosts of HTTP/1.0", HTTP_HEAD_BAD, "GET / HTTP/1.0\r\n" HOST HOST "\r\n"},
    {"Host with a list", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"},
    {"Host with a blank", HTTP_HEAD_BAD, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
    {"target without slash", HTTP_HEAD_BAD, "GET info HTTP/1.1\r\n" HOST "\r\n"},
    {"empty target", HTTP_HEAD_BAD, "GET  HTTP/1.1\r\n" HOST "\r\n"},
    {"CONNECT's authority", HTTP_HEAD_BAD, "CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n"},
    {"* with GET", HTTP_HEAD_BAD, "GET * HTTP/1.1\r\n" HOST "\r\n"},
    {"another scheme", HTTP_HEAD_BAD, "GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n"},
    {"absolute without host", HTTP_HEAD_BAD, "GET http:///a HTTP/1.1\r\n" HOST "\r\n"},
    {"absolute with only a query", HTTP_HEAD_BAD, "GET http://a?b HTTP/1.1\r\n" HOST "\r\n"},
    {"target with a fragment", HTTP_HEAD_BAD, "GET /a#b HTTP/1.1\r\n" HOST "\r\n"},
    {"target beyond ASCII", HTTP_HEAD_BAD, "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n"},
    {"target with a tab", HTTP_HEAD_BAD, "GET /a\tb HTTP/1.1\r\n" HOST "\r\n"},
    {"target with a blank", HTTP_HEAD_BAD, "GET /a b HTTP/1.1\r\n" HOST "\r\n"},
    {"two blanks", HTTP_HEAD_BAD, "GET  / HTTP/1.1\r\n" HOST "\r\n"},
    {"tab for blank", HTTP_HEAD_BAD, "GET\t/\tHTTP/1.1\r\n" HOST "\r\n"},
    {"blank after the version", HTTP_HEAD_BAD, "GET / HTTP/1.1 \r\n" HOST "\r\n"},
    {"method that is no token", HTTP_HEAD_BAD, "G{T / HTTP/1.1\r\n" HOST "\r\n"},
    {"no method", HTTP_HEAD_BAD, " / HTTP/1.1\r\n" HOST "\r\n"},
    {"HTTP/0.9", HTTP_HEAD_BAD, "GET /\r\n\r\n"},
    {"version in small letters", HTTP_HEAD_BAD, "GET / http/1.1\r\n" HOST "\r\n"},
    {"version with two digits", HTTP_HEAD_BAD, "GET / HTTP/1.10\r\n" HOST "\r\n"},
    {"HTTP/2.0", HTTP_HEAD_VERSION, "PRI * HTTP/2.0\r\n\r\n"},
    {"HTTP/1.2", HTTP_HEAD_VERSION, "GET / HTTP/1.2\r\n" HOST "\r\n"},
    {"two empty lines before", HTTP_HEAD_BAD, "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"},
    {"TLS record", HTTP_HEAD_MORE, "\x16\x03\x01\x02"},
};

static void test_request_shapes_that_allow_two_readings_are_refused(void **state)
{
    check_refused(http_head_parse_request, refused_requests, sizeof refused_requests / sizeof *refused_requests);
}

static void test_refused_request_is_refused_alike_for_every_split(void **state)
{
    for (size_t i = 0; i < sizeof refused_requests / sizeof *refused_requests; i++)
        check_prefixes(http_head_parse_request, refused_requests[i].text, strlen(refused_requests[i].text),
                       refused_requests[i].result);
}

static void test_nul_in_a_head_is_refused(void **state)
{
    static const char text[] = "GET /a HTTP/1.1\r\nHost: x\r\nA: bcd\r\n\r\n";
    for (size_t i = 0; i < sizeof text - 1; i++) {
        struct http_head head;
        size_t consumed;
        char copy[sizeof text];
        memcpy(copy, text, sizeof text);
        copy[i] = '\0';
        int result = parse_copy(http_head_parse_request, &head, copy, sizeof text - 1, &consumed, NULL);
        if (result == 0)
            fail_msg("NUL at %zu accepted", i);
    }
}

static const struct refused refused_responses[] = {
    {"LF", HTTP_HEAD_BAD, "HTTP/1.1 200 OK\n\r\n"},
    {"leading empty line", HTTP_HEAD_BAD, "\r\nHTTP/1.1 200 OK\r\n\r\n"},
    {"no blank after the status", HTTP_HEAD_BAD, "HTTP/1.1 200\r\n\r\n"},
    {"two digits", HTTP_HEAD_BAD, "HTTP/1.1 20 OK\r\n\r\n"},
    {"four digits", HTTP_HEAD_BAD, "HTTP/1.1 2000 OK\r\n\r\n"},
    {"status 0xx", HTTP_HEAD_BAD, "HTTP/1.1 099 OK\r\n\r\n"},
    {"status 6xx", HTTP_HEAD_BAD, "HTTP/1.1 600 OK\r\n\r\n"},
    {"two blanks", HTTP_HEAD_BAD, "HTTP/1.1  200 OK\r\n\r\n"},
    {"no version", HTTP_HEAD_BAD, "200 OK\r\n\r\n"},
    {"short line", HTTP_HEAD_BAD, "HTTP\r\n\r\n"},
    {"HTTP/2", HTTP_HEAD_VERSION, "HTTP/2.0 200 OK\r\n\r\n"},
    {"control byte in the reason", HTTP_HEAD_BAD, "HTTP/1.1 200 O\x01K\r\n\r\n"},
    {"length and coding", HTTP_HEAD_BAD, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"two lengths", HTTP_HEAD_BAD, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n"},
    {"coding of HTTP/1.0", HTTP_HEAD_BAD, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"unknown coding", HTTP_HEAD_CODING, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"},
    {"folded header", HTTP_HEAD_BAD, "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"},
    {"blank before the colon", HTTP_HEAD_BAD, "HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\n"},
};

static void test_response_shapes_that_allow_two_readings_are_refused(void **state)
{
    check_refused(http_head_parse_response, refused_responses, sizeof refused_responses / sizeof *refused_responses);
    for (size_t i = 0; i < sizeof refused_responses / sizeof *refused_responses; i++)
        check_prefixes(http_head_parse_response, refused_responses[i].text, strlen(refused_responses[i].text),
                       refused_responses[i].result);
}

static void test_good_heads_are_complete_at_their_last_byte_only(void **state)
{
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\n" HOST "\r\n",
        "\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
        "GET /_ping HTTP/1.0\r\n\r\n",
        "POST /v1.41/containers/create?name=a%20b HTTP/1.1\r\nHost: docker\r\nUser-Agent: Docker-Client/20.10.24 "
        "(linux)\r\n"
        "Content-Length: 2042\r\nContent-Type: application/json\r\n\r\n",
        "POST /attach HTTP/1.1\r\nHost:\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nTransfer-Encoding: Chunked\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\n" HOST "\r\n",
        "GET http://manager:2375/info?a=b HTTP/1.1\r\n" HOST "\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        check_prefixes(http_head_parse_request, requests[i], strlen(requests[i]), 0);
    static const char *const responses[] = {
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 204 \r\n\r\n",
        ("HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\n"
         "Upgrade: tcp\r\n\r\n"),
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof responses / sizeof *responses; i++)
        check_prefixes(http_head_parse_response, responses[i], strlen(responses[i]), 0);
}

static void test_request_parts_are_found(void **state)
{
    static const char text[] = "POST /a/b?c=d HTTP/1.1\r\nHost: docker\r\nX-Empty:\r\nX-Blanks: \t v w \t\r\n"
                               "Content-Length: 0042\r\nexpect: 100-Continue\r\n\r\nrest";
    struct http_head head;
    size_t consumed;
    char *copy;
    assert_int_equal(parse_copy(http_head_parse_request, &head, text, strlen(text), &consumed, &copy), 0);
    assert_int_equal(consumed, strlen(text) - 4);
    assert_true(slice_is(head.method, "POST"));
    assert_true(slice_is(head.target, "/a/b?c=d"));
    assert_int_equal(head.minor, 1);
    assert_int_equal(head.header_count, 5);
    assert_int_equal(head.content_length, 42);
    assert_false(head.chunked);
    assert_true(head.keep_alive);
    assert_true(head.expect_continue);
    assert_int_equal(head.upgrade.length, 0);
    assert_true(slice_is(http_head_find(&head, "x-blanks")->value, "v w"));
    assert_true(slice_is(http_head_find(&head, "X-EMPTY")->value, ""));
    assert_null(http_head_find(&head, "X"));
    free(copy);
}

static void test_response_parts_are_found(void **state)
{
    static const char text[] = "HTTP/1.1 404 Not  Found\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    struct http_head head;
    size_t consumed;
    char *copy;
    assert_int_equal(parse_copy(http_head_parse_response, &head, text, strlen(text), &consumed, &copy), 0);
    assert_int_equal(head.status, 404);
    assert_true(slice_is(head.reason, "Not  Found"));
    assert_true(head.chunked);
    assert_false(head.keep_alive);
    assert_int_equal(head.content_length, -1);
    free(copy);
}

static void check_target(const char *sent, const char *expected)
{
    char text[128];
    struct http_head head;
    size_t consumed;
    char *copy;
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" HOST "\r\n", sent);
    assert_int_equal(parse_copy(http_head_parse_request, &head, text, strlen(text), &consumed, &copy), 0);
    if (!slice_is(head.target, expected))
        fail_msg("%s: expected %s, got %.*s", sent, expected, (int)head.target.length, head.target.at);
    free(copy);
}

static void test_absolute_targets_are_reduced_to_their_path(void **state)
{
    check_target("http://a/b?c", "/b?c");
    check_target("HTTPS://a:1/b", "/b");
    check_target("http://a", "/");
    check_target("/b://c", "/b://c");
    check_target("//b", "//b");
    check_target("/containers/json?filters={\"label\":[\"a\"]}", "/containers/json?filters={\"label\":[\"a\"]}");
}

static bool keeps_alive(const char *version, const char *connection)
{
    char text[256];
    struct http_head head;
    size_t consumed;
    snprintf(text, sizeof text, "GET / HTTP/%s\r\n" HOST "%s\r\n", version, connection);
    assert_int_equal(parse_copy(http_head_parse_request, &head, text, strlen(text), &consumed, NULL), 0);
    return head.keep_alive;
}

static void test_keep_alive_follows_version_and_connection(void **state)
{
    assert_true(keeps_alive("1.1", ""));
    assert_true(keeps_alive("1.1", "Connection: Upgrade\r\n"));
    assert_false(keeps_alive("1.1", "Connection: close\r\n"));
    assert_false(keeps_alive("1.1", "Connection: a, CLOSE\r\n"));
    assert_false(keeps_alive("1.1", "Connection: a\r\nConnection: close\r\n"));
    assert_false(keeps_alive("1.0", ""));
    assert_true(keeps_alive("1.0", "Connection: Keep-Alive\r\n"));
    assert_false(keeps_alive("1.0", "Connection: keep-alive, close\r\n"));
}

static size_t upgrade_length(const char *version, const char *headers)
{
    char text[256];
    struct http_head head;
    size_t consumed;
    snprintf(text, sizeof text, "GET / HTTP/%s\r\n" HOST "%s\r\n", version, headers);
    assert_int_equal(parse_copy(http_head_parse_request, &head, text, strlen(text), &consumed, NULL), 0);
    return head.upgrade.length;
}

static void test_upgrade_counts_only_where_connection_names_it(void **state)
{
    assert_int_equal(upgrade_length("1.1", "Connection: upgrade\r\nUpgrade: tcp\r\n"), 3);
    assert_int_equal(upgrade_length("1.1", "Upgrade: h2c\r\nConnection: keep-alive, Upgrade\r\n"), 3);
    assert_int_equal(upgrade_length("1.1", "Upgrade: tcp\r\n"), 0);
    assert_int_equal(upgrade_length("1.1", "Connection: upgrade\r\n"), 0);
    assert_int_equal(upgrade_length("1.0", "Connection: upgrade\r\nUpgrade: tcp\r\n"), 0);
}

/* @p headers lines of @p width bytes after a request line, then the empty line. */
static int parse_large(size_t headers, size_t width)
{
    static const char first[] = "GET / HTTP/1.1\r\n" HOST;
    size_t length = sizeof first - 1;
    char *text = malloc(headers * width + 128);
    struct http_head head;
    size_t consumed;
    assert_non_null(text);
    memcpy(text, first, length);
    for (size_t i = 0; i < headers; i++) {
        memset(text + length, 'a', width);
        memcpy(text + length, "a:", 2);
        memcpy(text + length + width - 2, "\r\n", 2);
        length += width;
    }
    memcpy(text + length, "\r\n", 2);
    int result = parse_copy(http_head_parse_request, &head, text, length + 2, &consumed, NULL);
    free(text);
    return result;
}

static void test_heads_are_bounded_in_headers_and_bytes(void **state)
{
    assert_int_equal(parse_large(HTTP_HEADERS_MAX - 1, 16), 0);
    assert_int_equal(parse_large(HTTP_HEADERS_MAX, 16), HTTP_HEAD_TOO_LARGE);
    assert_int_equal(parse_large(1, HTTP_HEAD_MAX - 27), 0);
    assert_int_equal(parse_large(1, HTTP_HEAD_MAX - 26), HTTP_HEAD_TOO_LARGE);
    assert_int_equal(parse_large(100, 1000), HTTP_HEAD_TOO_LARGE);
}

static void test_endless_line_is_too_large(void **state)
{
    struct http_head head;
    size_t consumed;
    char *text = malloc(HTTP_HEAD_MAX);
    assert_non_null(text);
    memset(text, 'a', HTTP_HEAD_MAX);
    assert_int_equal(parse_copy(http_head_parse_request, &head, text, HTTP_HEAD_MAX - 1, &consumed, NULL),
                     HTTP_HEAD_MORE);
    assert_int_equal(parse_copy(http_head_parse_request, &head, text, HTTP_HEAD_MAX, &consumed, NULL),
                     HTTP_HEAD_TOO_LARGE);
    free(text);
}

static void test_names_have_the_bytes_of_tokens_only(void **state)
{
    for (int c = 1; c < 256; c++) {
        bool token = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("!#$%&'*+-.^_`|~", c) != NULL;
        char text[64];
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HOST "A%cB: c\r\n\r\n", c);
        /* A colon ends the name, and what follows is value. */
        if (c != ':')
            assert_int_equal(parse_text(http_head_parse_request, text), token ? 0 : HTTP_HEAD_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_shapes_that_allow_two_readings_are_refused),
        cmocka_unit_test(test_refused_request_is_refused_alike_for_every_split),
        cmocka_unit_test(test_nul_in_a_head_is_refused),
        cmocka_unit_test(test_names_have_the_bytes_of_tokens_only),
        cmocka_unit_test(test_response_shapes_that_allow_two_readings_are_refused),
        cmocka_unit_test(test_good_heads_are_complete_at_their_last_byte_only),
        cmocka_unit_test(test_request_parts_are_found),
        cmocka_unit_test(test_response_parts_are_found),
        cmocka_unit_test(test_absolute_targets_are_reduced_to_their_path),
        cmocka_unit_test(test_keep_alive_follows_version_and_connection),
        cmocka_unit_test(test_upgrade_counts_only_where_connection_names_it),
        cmocka_unit_test(test_heads_are_bounded_in_headers_and_bytes),
        cmocka_unit_test(test_endless_line_is_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
