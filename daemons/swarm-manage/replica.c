/* SPDX-License-Identifier: Apache-2.0 */
#include "replica.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_client.h"
#include "leader.h"
#include "log.h"
#include "metrics.h"
#include "office.h"
#include "primary_link.h"
#include "relay.h"
#include "stream.h"

#define PAUSE_MS 100    /* between two looks for a primary */
#define REDIAL_MS 500   /* between two tries to reach it */
#define SILENCE_MS 1000 /* of an answer, before it is asked whether the primary is still the same */
#define HOPS_MAX 3      /* managers that a request passes, where they do not agree on the primary */
#define HOPS_HEADER "Swarm-Hops"
#define CLIENT_HEADER "Swarm-Client"
#define CLIENT_MAX 200 /* bytes of its value */

/* The manager's own values of these are on every reply already. */
static const char *const own_headers[] = {"Server",
                                          "Api-Version",
                                          "Ostype",
                                          "Docker-Experimental",
                                          "Date",
                                          "Access-Control-Allow-Origin",
                                          "Access-Control-Allow-Headers",
                                          "Access-Control-Allow-Methods",
                                          NULL};

/* What a manager tells the next one, in its own words. */
static const char *const between_managers[] = {HOPS_HEADER, CLIENT_HEADER, NULL};

/* A request on its way. */
struct errand {
    struct call *call;
    enum replica_kind kind;
    char *address; /* of the primary; NULL: not chosen */
    unsigned changes;
    int64_t until_ms; /* monotonic: no longer than this for a primary */
    char *why;        /* it could not be reached */
    bool given_up;    /* as another manager is the primary */
};

/* A FIN is taken for the end, but of one who may go on by it: another manager that has told its client of a failure
 * sends no more than that, and what it asked for must not be done later. */
static bool is_gone(struct errand *errand, int wait_ms)
{
    int events = errand->kind == REPLICA_HIJACK ? 0 : HTTP_WAIT_FIN;

    return (http_reply_wait_any(errand->call->reply, -1, events, wait_ms) & (HTTP_WAIT_GONE | HTTP_WAIT_FIN)) != 0;
}

/* Where it is to go. 1: nowhere, this manager is the primary, or was the last one known of; 0: to errand->address; -1:
 * nobody is known. */
static int choose(struct errand *errand)
{
    struct leader *leader = errand->call->manager->leader;
    bool doubt = leader_is_in_doubt(leader); /* before the rest is looked at, which may be news then */

    free(errand->address);
    errand->changes = leader_changes(leader);
    errand->address = leader_primary(leader);
    if (leader_is_primary(leader, NULL))
        return 1;
    if (errand->address != NULL && leader_is_own(leader, errand->address))
        return doubt ? -1 : 1;
    return errand->address == NULL || errand->address[0] == '\0' ? -1 : 0;
}

static char *give_up(void *data, bool begun)
{
    struct errand *errand = data;
    struct leader *leader = errand->call->manager->leader;
    unsigned changes = leader_changes(leader); /* first: a change after it is seen next time */
    char *now, *why = NULL;

    if (changes == errand->changes)
        return NULL;
    now = leader_primary(leader);
    errand->changes = changes;
    if (now != NULL && now[0] != '\0' && strcmp(now, errand->address) != 0)
        why = strdup("another manager is the primary now");
    errand->given_up = why != NULL;
    free(now);
    return why;
}

static int hops(const struct errand *errand)
{
    const char *text = http_request_header(errand->call->request, HOPS_HEADER);
    int count = text == NULL ? 0 : atoi(text);

    return count < 0 || count > HOPS_MAX ? HOPS_MAX : count;
}

/* The target as the client sent it. */
static char *build_target(const struct errand *errand)
{
    const char *query = http_request_query_string(errand->call->request);
    char *target;

    if (errand->kind == REPLICA_HTTP2)
        return strdup("/grpc");
    if (asprintf(&target, "%s%s%s", http_request_path(errand->call->request), *query == '\0' ? "" : "?", query) < 0)
        return NULL;
    return target;
}

static int refuse(struct errand *errand, const struct relay_outcome *outcome)
{
    if (outcome->client_gone)
        return -1;
    if (outcome->answered) {
        log_warn_with(LOG_FIELDS({"addr", errand->address}), "The primary's answer was cut short: %s", outcome->error);
        return -1;
    }
    return http_reply_error(errand->call->reply, 500, "The primary manager at %s failed during the request: %s",
                            errand->address, outcome->error);
}

const char *replica_client(const struct call *call)
{
    const char *client = http_request_header(call->request, CLIENT_HEADER);

    if (client == NULL || *client == '\0' || strlen(client) > CLIENT_MAX || !http_request_is_of_server(call->request))
        return http_request_peer(call->request);
    return client;
}

/* Header lines of this manager's own. A client of its own host is told from those of the others'. */
static void write_extra(const struct errand *errand, char *extra, size_t size)
{
    const char *client = replica_client(errand->call);
    bool own = client == http_request_peer(errand->call->request) &&
               (strncmp(client, "127.", 4) == 0 || strcmp(client, "::1") == 0 || strncmp(client, "uid:", 4) == 0);

    snprintf(extra, size, HOPS_HEADER ": %d\r\n" CLIENT_HEADER ": %s%s%.100s\r\n", hops(errand) + 1, client,
             own ? "@" : "", own ? leader_own_address(errand->call->manager->leader) : "");
}

/* Whether nothing came of it, and asking once more does no harm. */
static bool is_worth_another(const struct errand *errand, const struct relay_outcome *outcome)
{
    const char *method = http_request_method(errand->call->request);

    return outcome->error[0] != '\0' && !outcome->answered && outcome->status == 0 && !outcome->body_touched &&
           !outcome->client_gone && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0);
}

/* 1: to be tried again; else the handler's answer is in *ret. Takes @p stream. */
static int exchange(struct errand *errand, struct stream *stream, bool reused, int *ret)
{
    struct relay_outcome outcome = {0};
    char extra[CLIENT_MAX + 200], *target = build_target(errand);
    bool http2 = errand->kind == REPLICA_HTTP2;
    struct relay_options options = {
        .method = http2 ? "POST" : NULL,
        .target = target,
        .host = errand->address,
        .extra = extra,
        .drop_request_headers = between_managers,
        .body = http2 ? "" : NULL,
        .may_hijack = http2 || errand->kind == REPLICA_HIJACK,
        .switched = http2 ? "h2c" : NULL,
        .drop_headers = own_headers,
        .give_up = give_up,
        .begun_pause_ms = SILENCE_MS,
        .ask_always = errand->kind == REPLICA_EVENTS,
        .data = errand,
    };
    int r;

    if (target == NULL) {
        stream_close(stream);
        *ret = http_reply_error(errand->call->reply, 500, "out of memory");
        return 0;
    }
    write_extra(errand, extra, sizeof(extra));
    metrics_change(METRIC_RELAYS_ACTIVE, 1);
    r = relay_exchange(errand->call->request, errand->call->reply, stream, &options, &outcome);
    metrics_change(METRIC_RELAYS_ACTIVE, -1);
    free(target);
    if (r == 0 && outcome.reusable)
        primary_link_put_back(leader_links(errand->call->manager->leader), errand->address, stream);
    else if (errand->given_up)
        stream_abort(stream);
    else
        stream_close(stream);
    /* A kept connection that was closed before it was used, or there is a new primary. */
    if (r < 0 && (reused || errand->given_up) && is_worth_another(errand, &outcome)) {
        errand->given_up = false;
        errand->until_ms = monotonic_ms() + leader_wait_ms(errand->call->manager->leader);
        return 1;
    }
    *ret = r == 0 ? 0 : refuse(errand, &outcome);
    return 0;
}

static struct stream *dial(struct errand *errand, bool *ret_reused)
{
    struct manager *manager = errand->call->manager;

    free(errand->why);
    errand->why = NULL;
    return primary_link_dial(leader_links(manager->leader), errand->address, manager->tls, ret_reused, &errand->why);
}

/* Nobody was there in time. */
static int give_in(struct errand *errand)
{
    if (errand->why == NULL || errand->address == NULL)
        return http_reply_error(errand->call->reply, 503, "No elected primary cluster manager");
    return http_reply_error(errand->call->reply, 500, "Unable to reach primary cluster manager (%s): %s", errand->why,
                            errand->address);
}

/* 1: this manager is the primary; else the handler's answer is in *ret. */
static int pass(struct errand *errand, int *ret)
{
    for (;;) {
        bool reused = false;
        int where = choose(errand);
        struct stream *stream = where == 0 ? dial(errand, &reused) : NULL;
        int64_t left_ms = errand->until_ms - monotonic_ms();
        int pause_ms = where == 0 ? REDIAL_MS : PAUSE_MS;

        if (where > 0)
            return 1;
        if (stream != NULL) {
            if (exchange(errand, stream, reused, ret) == 0)
                return 0;
            continue;
        }
        if (left_ms <= 0) {
            *ret = give_in(errand);
            return 0;
        }
        if (is_gone(errand, left_ms < pause_ms ? (int)left_ms : pause_ms)) {
            *ret = -1;
            return 0;
        }
    }
}

bool replica_is_primary(struct call *call, enum replica_kind kind, int *ret)
{
    struct leader *leader = call->manager->leader;
    struct errand errand = {.call = call, .kind = kind, .until_ms = monotonic_ms() + leader_wait_ms(leader)};
    bool primary = leader_is_primary(leader, NULL);

    /* A new primary first reads who has which name. */
    while (office_is_reading(call->manager) && monotonic_ms() < errand.until_ms) {
        if (is_gone(&errand, PAUSE_MS)) {
            *ret = -1;
            return false;
        }
    }
    if (!primary && hops(&errand) >= HOPS_MAX) {
        *ret = http_reply_error(call->reply, 503, "No elected primary cluster manager");
        return false;
    }
    primary = primary || pass(&errand, ret) == 1;
    free(errand.address);
    free(errand.why);
    return primary;
}
