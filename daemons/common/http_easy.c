/* SPDX-License-Identifier: Apache-2.0 */
#include "http_easy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

_Static_assert(sizeof((struct http_result){0}.error) >= CURL_ERROR_SIZE, "curl's own text has room there");

enum { CONNECT_TIMEOUT_MS = 10000, KEEPALIVE_S = 15, CA_CACHE_S = 60, SPARE_MAX = 64 * 1024 };
static const size_t default_max_response = (size_t)256 << 20;

int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void http_result_clear(struct http_result *result)
{
    free(result->body);
    memset(result, 0, sizeof *result);
}

int http_client_global_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

/* Append to the body, which stays NUL-ended. */
static int collect(struct http_answer *answer, const char *bytes, size_t length)
{
    struct http_result *result = &answer->result;
    if (length > answer->max_response - result->length) {
        answer->too_big = true;
        return -1;
    }
    if (!result->body && answer->spare && length < answer->spare->size) {
        result->body = answer->spare->data;
        answer->capacity = answer->spare->size;
        *answer->spare = (struct http_spare){0};
    }
    if (result->length + length + 1 > answer->capacity) {
        size_t capacity = (result->length + length + 1) * 3 / 2 + 512;
        char *longer = realloc(result->body, capacity);
        if (!longer) {
            answer->no_memory = true;
            return -1;
        }
        result->body = longer;
        answer->capacity = capacity;
    }
    memcpy(result->body + result->length, bytes, length);
    result->length += length;
    result->body[result->length] = '\0';
    return 0;
}

void http_answer_clear(struct http_answer *answer)
{
    struct http_spare *spare = answer->spare;
    if (spare && !spare->data && answer->result.body && answer->capacity > 0 && answer->capacity <= SPARE_MAX) {
        *spare = (struct http_spare){answer->result.body, answer->capacity};
        answer->result.body = NULL;
    }
    http_result_clear(&answer->result);
}

int http_answer_take(struct http_answer *answer, int status, const char *bytes, size_t length)
{
    if (!answer->on_data || status < 200 || status > 299)
        return collect(answer, bytes, length);
    int result = answer->on_data(answer->data, bytes, length);
    if (result == HTTP_LATER)
        return result;
    answer->ended = result != 0;
    return answer->ended ? -1 : 0;
}

static size_t on_write(char *bytes, size_t size, size_t count, void *data)
{
    struct http_answer *answer = data;
    size_t length = size * count;
    long status = 0;
    answer->last_byte_ms = monotonic_ms();
    curl_easy_getinfo(answer->easy, CURLINFO_RESPONSE_CODE, &status);
    int result = http_answer_take(answer, (int)status, bytes, length);
    if (result == HTTP_LATER)
        return CURL_WRITEFUNC_PAUSE;
    /* 0 is also what curl takes as failure for a piece that is not empty; curl never gives an empty one. */
    return result == 0 ? length : 0;
}

static size_t on_read(char *buffer, size_t size, size_t count, void *data)
{
    struct http_answer *answer = data;
    ssize_t got = answer->read(answer->data, buffer, size * count);
    if (got == -HTTP_LATER)
        return CURL_READFUNC_PAUSE;
    answer->ended = got < 0;
    return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

/* Copy the value of header @p name into @p value where @p line is that header and the value fits. */
static void take_header(const char *line, size_t length, const char *name, char *value, size_t size)
{
    size_t skip = strlen(name);
    if (length <= skip || strncasecmp(line, name, skip) != 0 || line[skip] != ':')
        return;
    const char *from = line + skip + 1, *to = line + length;
    while (from < to && strchr(" \t", *from))
        from++;
    while (to > from && strchr(" \t\r\n", to[-1]))
        to--;
    if ((size_t)(to - from) < size) {
        memcpy(value, from, (size_t)(to - from));
        value[to - from] = '\0';
    }
}

static size_t on_header(char *line, size_t size, size_t count, void *data)
{
    struct http_answer *answer = data;
    struct http_result *result = &answer->result;
    size_t length = size * count;
    answer->last_byte_ms = monotonic_ms();
    if (length > 5 && memcmp(line, "HTTP/", 5) == 0) { /* an interim answer's headers do not count */
        *result->api_version = *result->builder_version = *result->index = '\0';
        return length;
    }
    take_header(line, length, "Api-Version", result->api_version, sizeof result->api_version);
    take_header(line, length, "Builder-Version", result->builder_version, sizeof result->builder_version);
    take_header(line, length, "X-Etcd-Index", result->index, sizeof result->index);
    take_header(line, length, "X-Consul-Index", result->index, sizeof result->index);
    return length;
}

static int add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (!longer)
        return -1;
    *list = longer;
    return 0;
}

/* Our headers, and curl's own suppressed: Expect, which costs a second with servers that ignore it, and the type that
 * it makes up for bodies. */
static int set_headers(struct http_answer *answer, const struct http_call *call)
{
    bool typed = false;
    for (const char *const *line = call->headers; line && *line; line++) {
        typed |= strncasecmp(*line, "Content-Type:", 13) == 0;
        if (add_header(&answer->headers, *line) != 0)
            return -1;
    }
    if (add_header(&answer->headers, "Expect:") != 0 || (!typed && add_header(&answer->headers, "Content-Type:") != 0))
        return -1;
    if (call->read && call->read_length < 0 && add_header(&answer->headers, "Transfer-Encoding: chunked") != 0)
        return -1;
    return curl_easy_setopt(answer->easy, CURLOPT_HTTPHEADER, answer->headers) == CURLE_OK ? 0 : -1;
}

static int set_tls(CURL *easy, const struct tls *tls)
{
    CURLcode code = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (!tls || code != CURLE_OK)
        return code == CURLE_OK ? 0 : -1;
    const struct tls_options *options = &tls->options;
    long verify = options->verify ? 1 : 0;
    code |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify);
    code |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify * 2);
    if (options->ca && *options->ca) {
        code |= curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca);
        code |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
#if LIBCURL_VERSION_NUM >= 0x075700 /* it would keep what it read for a day */
        code |= curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, (long)CA_CACHE_S);
#endif
    }
    if (options->cert && *options->cert)
        code |= curl_easy_setopt(easy, CURLOPT_SSLCERT, options->cert);
    if (options->key && *options->key)
        code |= curl_easy_setopt(easy, CURLOPT_SSLKEY, options->key);
    return code == CURLE_OK ? 0 : -1;
}

/* A body that curl asks for. */
static CURLcode set_read(struct http_answer *answer, const struct http_call *call)
{
    CURLcode code = curl_easy_setopt(answer->easy, CURLOPT_POST, 1L);
    answer->read = call->read;
    code |= curl_easy_setopt(answer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->read_length);
    code |= curl_easy_setopt(answer->easy, CURLOPT_READFUNCTION, on_read);
    return code | curl_easy_setopt(answer->easy, CURLOPT_READDATA, answer);
}

static int set_method(struct http_answer *answer, const struct http_call *call)
{
    CURL *easy = answer->easy;
    const char *method = call->method ? call->method : "GET";
    CURLcode code = CURLE_OK;
    if (call->read) {
        code |= set_read(answer, call);
    } else if (call->body || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) {
        code |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_length);
        code |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body ? call->body : "");
    }
    if (strcmp(method, "HEAD") == 0)
        code |= curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else
        code |= curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    return code == CURLE_OK ? 0 : -1;
}

/* An idle stream to a host that vanished is noticed by TCP. */
static CURLcode set_transport(CURL *easy, const struct http_call *call)
{
    long connect_ms = call->connect_timeout_ms > 0 ? call->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, call->url);
    code |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    code |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
    code |= curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    code |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    code |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    code |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    code |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    code |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
    code |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_S);
#if LIBCURL_VERSION_NUM >= 0x075700 /* else an exchange that ends waits for its name look-up */
    code |= curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    if (call->unix_path)
        code |= curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, call->unix_path);
    return code;
}

/* curl does not tell why it got no socket. An address family that is not there matters only if it is the only one, and
 * is left to curl. */
static curl_socket_t on_open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_answer *answer = data;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    (void)purpose;
    answer->no_socket = fd < 0 && errno != EAFNOSUPPORT ? errno : 0;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static CURLcode set_callbacks(struct http_answer *answer)
{
    CURLcode code = curl_easy_setopt(answer->easy, CURLOPT_WRITEFUNCTION, on_write);
    code |= curl_easy_setopt(answer->easy, CURLOPT_WRITEDATA, answer);
    code |= curl_easy_setopt(answer->easy, CURLOPT_HEADERFUNCTION, on_header);
    code |= curl_easy_setopt(answer->easy, CURLOPT_HEADERDATA, answer);
    code |= curl_easy_setopt(answer->easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    code |= curl_easy_setopt(answer->easy, CURLOPT_OPENSOCKETDATA, answer);
    code |= curl_easy_setopt(answer->easy, CURLOPT_ERRORBUFFER, answer->result.error);
    return code;
}

int http_answer_init(struct http_answer *answer, const struct http_call *call)
{
    answer->max_response = call->max_response ? call->max_response : default_max_response;
    answer->silence_timeout_ms = call->silence_timeout_ms;
    answer->last_byte_ms = monotonic_ms();
    if (strncasecmp(call->url, "http://", 7) == 0 || strncasecmp(call->url, "https://", 8) == 0)
        return 0;
    snprintf(answer->result.error, sizeof answer->result.error, "%.200s is not an http URL", call->url);
    return -1;
}

int http_answer_start(struct http_answer *answer, CURL *easy, const struct http_call *call)
{
    answer->easy = easy;
    if (http_answer_init(answer, call) != 0)
        return -1;
    CURLcode code = set_transport(easy, call) | set_callbacks(answer);
    if (code != CURLE_OK || set_method(answer, call) != 0 || set_tls(easy, call->tls) != 0 ||
        set_headers(answer, call) != 0) {
        answer->no_memory = true;
        return -1;
    }
    return 0;
}

static enum http_failure classify(const struct http_answer *answer, CURLcode code, long os_error)
{
    if (code == CURLE_OPERATION_TIMEDOUT || os_error == ETIMEDOUT)
        return HTTP_TIMEOUT;
    if (code == CURLE_COULDNT_CONNECT && answer->no_socket)
        return HTTP_NO_SOCKET;
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
        return HTTP_REFUSED;
    return HTTP_BROKEN;
}

/* Without curl's " after 12 ms": the same trouble twice shall read the same. */
static void drop_time(char *text)
{
    for (char *at = text; (at = strstr(at, " after ")); at++) {
        char *end;
        strtol(at + 7, &end, 10);
        const char *unit = strncmp(end, " milliseconds", 13) == 0 ? end + 13
                           : strncmp(end, " ms", 3) == 0          ? end + 3
                                                                  : NULL;
        if (end > at + 7 && unit) {
            memmove(at, unit, strlen(unit) + 1);
            return;
        }
    }
}

static void describe(struct http_answer *answer, const char *text)
{
    char *to = answer->result.error;
    size_t size = sizeof answer->result.error;
    if (answer->ended)
        snprintf(to, size, "ended by its reader");
    else if (answer->silent)
        snprintf(to, size, "nothing came for %d ms", answer->silence_timeout_ms);
    else if (answer->too_big)
        snprintf(to, size, "the answer is longer than %zu bytes", answer->max_response);
    else if (answer->no_memory)
        snprintf(to, size, "out of memory");
    else if (answer->result.failure == HTTP_NO_SOCKET)
        snprintf(to, size, "no socket for a connection: %s", strerror(answer->no_socket));
    else if (text != to)
        snprintf(to, size, "%.255s", text);
}

void http_answer_fail(struct http_answer *answer, enum http_failure failure, int os_error, const char *text)
{
    answer->result.os_error = os_error;
    answer->result.failure = answer->ended ? HTTP_CANCELLED : answer->silent ? HTTP_TIMEOUT : failure;
    describe(answer, text);
}

void http_answer_succeed(struct http_answer *answer)
{
    *answer->result.error = '\0'; /* of an address before the one that answered */
    if (!answer->result.body && !(answer->result.body = calloc(1, 1))) {
        answer->no_memory = true;
        http_answer_fail(answer, HTTP_BROKEN, 0, "");
    }
}

/* From TLS 1.3 on the client is done before the server has looked at its certificate. A connection that then ends
 * without an answer has most likely been refused, and where curl was still writing it does not read why. */
static bool ended_after_handshake(const struct http_answer *answer, CURLcode code)
{
    curl_off_t handshake_us = 0;
    return (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING) &&
           answer->result.status == 0 && !strstr(answer->result.error, "alert") &&
           curl_easy_getinfo(answer->easy, CURLINFO_APPCONNECT_TIME_T, &handshake_us) == CURLE_OK && handshake_us > 0;
}

void http_answer_finish(struct http_answer *answer, CURLcode code)
{
    long status = 0, os_error = 0;
    if (answer->easy)
        curl_easy_getinfo(answer->easy, CURLINFO_RESPONSE_CODE, &status);
    answer->result.status = (int)status;
    const char *ip = NULL;
    if (answer->easy && curl_easy_getinfo(answer->easy, CURLINFO_PRIMARY_IP, &ip) == CURLE_OK && ip &&
        *ip != '/') /* a socket's path */
        snprintf(answer->result.peer_ip, sizeof answer->result.peer_ip, "%s", ip);
    if (code == CURLE_OK) {
        http_answer_succeed(answer);
    } else {
        if (code == CURLE_COULDNT_CONNECT)
            curl_easy_getinfo(answer->easy, CURLINFO_OS_ERRNO, &os_error);
        if (ended_after_handshake(answer, code))
            snprintf(answer->result.error, sizeof answer->result.error,
                     "the connection was ended after the TLS handshake: does the other end trust our certificate?");
        http_answer_fail(answer, classify(answer, code, os_error), (int)os_error,
                         *answer->result.error ? answer->result.error : curl_easy_strerror(code));
        drop_time(answer->result.error);
    }
    curl_slist_free_all(answer->headers);
    answer->headers = NULL;
}
