/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>

#include "http_easy.h"

/* Idle handles kept, each with a few connections of its own: a connection is never shared between threads. */
enum { IDLE_HANDLES = 4, IDLE_CONNECTIONS = 4 };
/* Between two questions whether to go on; a little below curl's own second, so that none is skipped. */
enum { ASK_MS = 900 };

struct http_client {
    pthread_mutex_t lock;
    CURL *idle[IDLE_HANDLES];
    size_t count;
};

int http_client_new(struct http_client **ret)
{
    struct http_client *client = calloc(1, sizeof *client);
    if (!client)
        return -1;
    pthread_mutex_init(&client->lock, NULL);
    *ret = client;
    return 0;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    for (size_t i = 0; i < client->count; i++)
        curl_easy_cleanup(client->idle[i]);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

/* The handle used last comes first: its connections are the freshest. */
static CURL *borrow(struct http_client *client)
{
    pthread_mutex_lock(&client->lock);
    CURL *easy = client->count > 0 ? client->idle[--client->count] : NULL;
    pthread_mutex_unlock(&client->lock);
    return easy ? easy : curl_easy_init();
}

static void give_back(struct http_client *client, CURL *easy)
{
    curl_easy_reset(easy); /* keeps the connections */
    pthread_mutex_lock(&client->lock);
    if (client->count < IDLE_HANDLES) {
        client->idle[client->count++] = easy;
        easy = NULL;
    }
    pthread_mutex_unlock(&client->lock);
    curl_easy_cleanup(easy);
}

/* What may end a call before curl would. */
struct patience {
    struct http_answer *answer;
    const struct http_call *call;
    int64_t asked_ms;
};

/* curl calls this at least about once a second, and after each piece that came. */
static int on_progress(void *data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct patience *patience = data;
    struct http_answer *answer = patience->answer;
    int64_t now_ms = monotonic_ms(), silent_ms = now_ms - answer->last_byte_ms;
    answer->silent = patience->call->silence_timeout_ms > 0 && silent_ms >= patience->call->silence_timeout_ms;
    if (patience->call->give_up && silent_ms >= ASK_MS && now_ms - patience->asked_ms >= ASK_MS) {
        patience->asked_ms = now_ms;
        answer->ended = patience->call->give_up(patience->call->give_up_data);
    }
    return answer->silent || answer->ended;
}

int http_client_call(struct http_client *client, const struct http_call *call, struct http_result *result)
{
    struct http_answer answer = {0};
    struct patience patience = {&answer, call, 0};
    CURLcode code = CURLE_FAILED_INIT;
    CURL *easy = borrow(client);
    answer.no_memory = !easy;
    if (easy && http_answer_start(&answer, easy, call) == 0) {
        curl_easy_setopt(easy, CURLOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
        if (call->silence_timeout_ms > 0 || call->give_up) {
            curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
            curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
            curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &patience);
        }
        code = curl_easy_perform(easy);
    }
    http_answer_finish(&answer, code);
    if (easy)
        give_back(client, easy);
    *result = answer.result;
    return result->failure == HTTP_OK ? 0 : -1;
}
