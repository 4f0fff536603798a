/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>

#include "http_easy.h"

/* Idle handles kept of each client. A connection is never shared between threads: each has one of its own. */
enum { IDLE_HANDLES = 4, CONNECTIONS_A_HANDLE = 1 };
/* Between two questions whether to go on; a little below curl's own second, so that none is skipped. */
enum { ASK_MS = 900 };

struct handle {
    CURL *easy;
    struct handle *next; /* idle, an older one */
};

struct http_client {
    pthread_mutex_t lock; /* never held while a handle is freed */
    struct handle *idle;  /* the last used first */
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

/* NULL for lack of memory. */
static struct handle *handle_new(void)
{
    struct handle *handle = calloc(1, sizeof *handle);
    if (!handle)
        return NULL;
    handle->easy = curl_easy_init();
    if (handle->easy)
        return handle;
    free(handle);
    return NULL;
}

static void handle_free(struct handle *handle)
{
    if (!handle)
        return;
    curl_easy_cleanup(handle->easy);
    free(handle);
}

static struct handle *take_last_used(struct http_client *client)
{
    pthread_mutex_lock(&client->lock);
    struct handle *handle = client->idle;
    if (handle) {
        client->idle = handle->next;
        client->count--;
    }
    pthread_mutex_unlock(&client->lock);
    return handle;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    struct handle *handle;
    while ((handle = take_last_used(client)))
        handle_free(handle);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

/* The handle used last comes first: its connection is the freshest. */
static struct handle *borrow(struct http_client *client)
{
    struct handle *handle = take_last_used(client);
    return handle ? handle : handle_new();
}

static void give_back(struct http_client *client, struct handle *handle)
{
    curl_easy_reset(handle->easy); /* keeps the connection */
    pthread_mutex_lock(&client->lock);
    bool kept = client->count < IDLE_HANDLES;
    if (kept) {
        handle->next = client->idle;
        client->idle = handle;
        client->count++;
    }
    pthread_mutex_unlock(&client->lock);
    if (!kept)
        handle_free(handle);
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
    struct handle *handle = borrow(client);
    CURL *easy = handle ? handle->easy : NULL;
    answer.no_memory = !easy;
    if (easy && http_answer_start(&answer, easy, call) == 0) {
        curl_easy_setopt(easy, CURLOPT_MAXCONNECTS, (long)CONNECTIONS_A_HANDLE);
        if (call->silence_timeout_ms > 0 || call->give_up) {
            curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
            curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
            curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &patience);
        }
        code = curl_easy_perform(easy);
    }
    http_answer_finish(&answer, code);
    if (handle)
        give_back(client, handle);
    *result = answer.result;
    return result->failure == HTTP_OK ? 0 : -1;
}
