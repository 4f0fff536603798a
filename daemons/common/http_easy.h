/* SPDX-License-Identifier: Apache-2.0 */
/* What the blocking client and the loop share: a call set up on a curl handle, and its answer as it comes. */
#ifndef COMMON_HTTP_EASY_H
#define COMMON_HTTP_EASY_H

#include <curl/curl.h>

#include "http_client.h"

/* A body's memory that the next one may have: most are of a size that malloc() makes much of. All zero: none. */
struct http_spare {
    char *data;
    size_t size;
};

struct http_answer {
    CURL *easy;
    struct http_spare *spare; /* of the loop; NULL: there is none to be had */
    struct http_result result;
    size_t capacity;
    size_t max_response;
    int (*on_data)(void *data, const char *bytes, size_t length);
    ssize_t (*read)(void *data, char *buffer, size_t size);
    void *data;
    int64_t last_byte_ms; /* of the monotonic clock; at first the start */
    int silence_timeout_ms;
    bool silent;  /* the silence time-out ended it */
    bool ended;   /* on_data or give_up ended it */
    bool too_big; /* max_response ended it */
    bool no_memory;
    int no_socket; /* errno where there was no descriptor or memory for one */
    struct curl_slist *headers;
};

/* What is alike however the call is made. -1, with the answer's text, for an URL that is not http. */
int http_answer_init(struct http_answer *answer, const struct http_call *call);
/* A piece of the answer's body: to its reader, or collected. 0, HTTP_LATER, or -1 where it ends here. */
int http_answer_take(struct http_answer *answer, int status, const char *bytes, size_t length);
/* Let go of its body. */
void http_answer_clear(struct http_answer *answer);
/* The answer is complete. */
void http_answer_succeed(struct http_answer *answer);
/* It failed in that way, unless the answer says that it was ended here, or why. */
void http_answer_fail(struct http_answer *answer, enum http_failure failure, int os_error, const char *text);
/* Set @p easy (fresh or reset) up for @p call; its body is borrowed. -1 for lack of memory or an URL that is not http.
 * The answer must stay where it is until http_answer_finish(). */
int http_answer_start(struct http_answer *answer, CURL *easy, const struct http_call *call);
/* Turn curl's verdict into the failure class and the text of answer->result, and release the rest. */
void http_answer_finish(struct http_answer *answer, CURLcode code);

#endif
