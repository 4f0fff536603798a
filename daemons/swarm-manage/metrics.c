/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <stdio.h>
#include <time.h>

struct metrics metrics;

/* The upper limits of the buckets. */
static const struct {
    int64_t ns;
    const char *text;
} limits[METRICS_BUCKETS] = {
    {100000, "0.0001"}, {250000, "0.00025"}, {1000000, "0.001"},  {2500000, "0.0025"},
    {10000000, "0.01"}, {25000000, "0.025"}, {100000000, "0.1"},  {250000000, "0.25"},
    {1000000000, "1"},  {2500000000, "2.5"}, {10000000000, "10"}, {30000000000, "30"},
};

static void add(atomic_ullong *counter, unsigned long long by)
{
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

int64_t metrics_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void observe(struct metric_histogram *histogram, int64_t ns)
{
    size_t bucket = 0;

    while (bucket < METRICS_BUCKETS && ns > limits[bucket].ns)
        bucket++;
    add(&histogram->buckets[bucket], 1);
    add(&histogram->sum_ns, ns > 0 ? (unsigned long long)ns : 0);
}

void metrics_refused(int reason)
{
    add(&metrics.reasons[reason >= 0 && reason < METRICS_REASONS ? reason : 0], 1);
}

void metrics_request(size_t route, size_t method, int status, int64_t duration_ns)
{
    struct metric_requests *requests;

    if (route >= METRICS_ROUTES_MAX || method >= METRICS_METHODS)
        return;
    requests = &metrics.requests[route][method];
    add(&requests->classes[status >= 100 && status < 600 ? status / 100 : 0], 1);
    observe(&requests->duration, duration_ns);
}

void metrics_call(enum metric_caller caller, enum http_failure failure, int64_t duration_ns)
{
    observe(&metrics.calls[caller], duration_ns);
    if (failure != HTTP_OK)
        add(&metrics.calls_failed[caller][failure], 1);
}

void metrics_proxy_failed(enum http_failure failure)
{
    add(&metrics.calls_failed[METRIC_CALLER_PROXY][failure], 1);
}

/* --- the page --- */

void metrics_page_begin(struct metrics_page *page, const char *name, const char *type, const char *help)
{
    page->failed |= bytes_printf(&page->text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type) < 0;
}

/* Without an exponent for whole numbers, as long as a double holds them exactly. */
static void format_value(char *buffer, size_t size, double value)
{
    if (value >= -9e15 && value <= 9e15 && value == (double)(long long)value)
        snprintf(buffer, size, "%lld", (long long)value);
    else
        snprintf(buffer, size, "%.9g", value);
}

static void add_sample(struct metrics_page *page, const char *name, const char *suffix, const char *labels,
                       const char *limit, double value)
{
    char text[40];
    bool some = labels && *labels;

    format_value(text, sizeof(text), value);
    if (limit)
        page->failed |= bytes_printf(&page->text, "%s%s{%s%sle=\"%s\"} %s\n", name, suffix, some ? labels : "",
                                     some ? "," : "", limit, text) < 0;
    else
        page->failed |= bytes_printf(&page->text, "%s%s%s%s%s %s\n", name, suffix, some ? "{" : "", some ? labels : "",
                                     some ? "}" : "", text) < 0;
}

void metrics_page_add(struct metrics_page *page, const char *name, const char *labels, double value)
{
    add_sample(page, name, "", labels, NULL, value);
}

void metrics_page_add_histogram(struct metrics_page *page, const char *name, const char *labels,
                                const struct metric_histogram *histogram)
{
    unsigned long long count = 0;

    for (size_t i = 0; i <= METRICS_BUCKETS; i++) {
        count += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        add_sample(page, name, "_bucket", labels, i < METRICS_BUCKETS ? limits[i].text : "+Inf", (double)count);
    }
    add_sample(page, name, "_sum", labels, NULL,
               (double)atomic_load_explicit(&histogram->sum_ns, memory_order_relaxed) / 1e9);
    add_sample(page, name, "_count", labels, NULL, (double)count);
}

const char *metrics_escape(const char *value, char *buffer, size_t size)
{
    size_t used = 0;

    for (; *value && used + 3 <= size; value++) {
        if (*value == '\\' || *value == '"' || *value == '\n')
            buffer[used++] = '\\';
        buffer[used++] = *value;
        if (*value == '\n')
            buffer[used - 1] = 'n';
    }
    buffer[used] = '\0';
    return buffer;
}
