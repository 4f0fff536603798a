/* SPDX-License-Identifier: Apache-2.0 */
/* One measurement of a server in HTTP: small requests one after another on connections that are kept, or streams that
 * are opened and left alone. Says what the server's process took for it. tests/bench/edge.sh runs it against an engine
 * and against a manager in front of that engine. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bytes.h"
#include "http_body.h"
#include "http_head.h"
#include "measure.h"
#include "stream.h"

#define LIMIT_MS 60000      /* for what takes this long something is broken */
#define SETTLE_MS 1500      /* without a byte: the server has done what the last ones asked of it */
#define LEAVE_MS 6000       /* for the server to be done with clients that have left */
#define SAMPLES_MAX 2000000 /* latencies kept */

struct settings {
    struct address address;
    const char *method;
    const char *path;
    const char *burst; /* a path whose hijacked stream is fed, so that all others get its output */
    pid_t pid;         /* of the server */
    int connections;
    int seconds;
    bool streams; /* open them and leave them, in place of asking */
    bool upgrade;
};

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "bench-edge: %s: %s\n", what, why);
    exit(1);
}

static uint64_t processor_ns_of(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) < 0)
        die("the server's processor time", strerror(errno));
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* A value of /proc/PID/status in KiB. */
static long memory_kib(pid_t pid, const char *key)
{
    char path[64], line[256];
    long value = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        die(path, strerror(errno));
    while (fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0 && sscanf(line + strlen(key), ": %ld kB", &value) == 1)
            break;
    fclose(file);
    return value;
}

static struct stream *dial(const struct settings *settings)
{
    struct stream *stream;
    char *error = NULL;
    if (stream_dial(&stream, &settings->address, NULL, LIMIT_MS, &error) < 0)
        die("connect", error ? error : "out of memory");
    return stream;
}

static void ask(const struct settings *settings, struct stream *stream, const char *method, const char *path)
{
    char request[1024];
    bool post = strcmp(method, "POST") == 0;
    int length = snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: bench\r\n%s%s\r\n", method, path,
                          settings->upgrade ? "Connection: Upgrade\r\nUpgrade: tcp\r\n" : "",
                          post ? "Content-Length: 0\r\n" : "");
    if (length < 0 || (size_t)length >= sizeof request)
        die(path, "the path is too long");
    if (stream_send_all(stream, request, (size_t)length, LIMIT_MS) < 0)
        die(path, "the request could not be sent");
}

/* More bytes behind those in @p in. */
static void receive(struct stream *stream, struct bytes *in)
{
    if (bytes_reserve(in, 16384) < 0)
        die("answer", "out of memory");
    ssize_t got = stream_recv_wait(stream, in->data + in->end, in->size - in->end, LIMIT_MS);
    if (got <= 0)
        die("answer", got == 0 ? "the connection ended" : strerror((int)-got));
    in->end += (size_t)got;
}

/* Read an answer's head off @p in. */
static void read_head(struct stream *stream, struct bytes *in, struct http_head *head)
{
    const char *why = "";
    size_t consumed;
    for (;;) {
        int result = bytes_length(in) == 0
                         ? HTTP_HEAD_MORE
                         : http_head_parse_response(head, bytes_at(in), bytes_length(in), &consumed, &why);
        if (result < 0)
            die("answer", why);
        if (result == 0)
            break;
        receive(stream, in);
    }
    if (head->status >= 300)
        die("answer's status", head->reason.length ? head->reason.at : "?");
    bytes_consume(in, consumed);
}

static void read_answer(struct stream *stream, struct bytes *in)
{
    struct http_head head;
    struct http_body body;
    read_head(stream, in, &head);
    http_body_init_response(&body, &head, false);
    while (!body.done) {
        const char *data;
        size_t consumed, length;
        if (http_body_next(&body, bytes_at(in), bytes_length(in), &consumed, &data, &length) < 0)
            die("answer", "its chunks are not framed properly");
        bytes_consume(in, consumed);
        if (consumed == 0)
            receive(stream, in);
    }
}

struct asker {
    struct stream *stream;
    struct bytes in;
    uint64_t asked_ns;
};

static void ask_again(const struct settings *settings, struct asker *asker)
{
    asker->asked_ns = clock_ns();
    ask(settings, asker->stream, settings->method, settings->path);
}

/* Ask on every connection, and again on each when its answer has come. */
static void measure_requests(const struct settings *settings)
{
    struct asker *askers = calloc((size_t)settings->connections, sizeof *askers);
    struct pollfd *fds = calloc((size_t)settings->connections, sizeof *fds);
    struct samples samples;
    size_t count = 0;
    if (!askers || !fds)
        die("connections", "out of memory");
    samples_init(&samples, SAMPLES_MAX);
    for (int i = 0; i < settings->connections; i++) {
        askers[i].stream = dial(settings);
        fds[i] = (struct pollfd){.fd = stream_fd(askers[i].stream), .events = POLLIN};
        /* What the first request on a connection costs is not what is measured. */
        ask(settings, askers[i].stream, settings->method, settings->path);
        read_answer(askers[i].stream, &askers[i].in);
    }
    uint64_t cpu = processor_ns_of(settings->pid), begin = clock_ns();
    uint64_t end = begin + (uint64_t)settings->seconds * 1000000000u, now = begin;
    for (int i = 0; i < settings->connections; i++)
        ask_again(settings, &askers[i]);
    while (now < end) {
        if (poll(fds, (nfds_t)settings->connections, LIMIT_MS) <= 0)
            die("answer", "none within a minute");
        for (int i = 0; i < settings->connections; i++) {
            if (!fds[i].revents)
                continue;
            read_answer(askers[i].stream, &askers[i].in);
            now = clock_ns();
            count++;
            if (samples.count < samples.room)
                samples_add(&samples, now - askers[i].asked_ns);
            ask_again(settings, &askers[i]);
        }
    }
    cpu = processor_ns_of(settings->pid) - cpu;
    double seconds = (double)(now - begin) / 1e9;
    printf("{\"requests\":%zu,\"per_second\":%.0f,\"per_cpu_second\":%.0f,\"cpu_us\":%.1f,\"p50_us\":%.0f,"
           "\"p99_us\":%.0f}\n",
           count, (double)count / seconds, (double)count / ((double)cpu / 1e9), (double)cpu / 1e3 / (double)count,
           (double)samples_percentile(&samples, 50) / 1e3, (double)samples_percentile(&samples, 99) / 1e3);
    for (int i = 0; i < settings->connections; i++) {
        stream_close(askers[i].stream);
        bytes_free(&askers[i].in);
    }
    samples_free(&samples);
    free(fds);
    free(askers);
}

/* Read what has come on every stream, until nothing has come on any of them for a while. Bytes. */
static uint64_t drain(struct stream **streams, int count)
{
    static char buffer[65536];
    struct pollfd *fds = calloc((size_t)count, sizeof *fds);
    uint64_t drained = 0;
    if (!fds)
        die("streams", "out of memory");
    for (int i = 0; i < count; i++)
        fds[i] = (struct pollfd){.fd = stream_fd(streams[i]), .events = POLLIN};
    while (poll(fds, (nfds_t)count, SETTLE_MS) > 0) {
        for (int i = 0; i < count; i++) {
            ssize_t got = fds[i].revents ? stream_recv(streams[i], buffer, sizeof buffer) : STREAM_AGAIN;
            if (got > 0)
                drained += (uint64_t)got;
            else if (got != STREAM_AGAIN)
                die("stream", "it ended");
        }
    }
    free(fds);
    return drained;
}

/* What is written here is passed to all streams by what they are attached to. Bytes that came out of them. */
static uint64_t burst(const struct settings *settings, struct stream **streams)
{
    static char text[65536];
    struct stream *stream = dial(settings);
    struct bytes in = {0};
    struct http_head head;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\n';
    ask(settings, stream, "POST", settings->burst);
    read_head(stream, &in, &head);
    if (stream_send_all(stream, text, sizeof text, LIMIT_MS) < 0)
        die(settings->burst, "it could not be fed");
    uint64_t drained = drain(streams, settings->connections);
    stream_close(stream);
    bytes_free(&in);
    return drained;
}

static double per_stream(const struct settings *settings, long before_kib)
{
    return (double)(memory_kib(settings->pid, "VmRSS") - before_kib) / settings->connections;
}

static void measure_streams(const struct settings *settings)
{
    struct stream **streams = calloc((size_t)settings->connections, sizeof(struct stream *));
    long before = memory_kib(settings->pid, "VmRSS");
    struct http_head head;
    if (!streams)
        die("streams", "out of memory");
    for (int i = 0; i < settings->connections; i++) {
        struct bytes in = {0};
        streams[i] = dial(settings);
        ask(settings, streams[i], settings->method, settings->path);
        read_head(streams[i], &in, &head);
        bytes_free(&in);
    }
    drain(streams, settings->connections);
    printf("{\"streams\":%d,\"before_kib\":%ld,\"kib_a_stream\":%.1f", settings->connections, before,
           per_stream(settings, before));
    if (settings->burst) {
        uint64_t drained = burst(settings, streams);
        drain(streams, settings->connections);
        printf(",\"burst_bytes\":%llu,\"kib_a_stream_after_burst\":%.1f", (unsigned long long)drained,
               per_stream(settings, before));
    }
    uint64_t cpu = processor_ns_of(settings->pid);
    poll(NULL, 0, settings->seconds * 1000);
    cpu = processor_ns_of(settings->pid) - cpu;
    printf(",\"idle_cpu_percent\":%.2f", (double)cpu / 1e7 / settings->seconds);
    for (int i = 0; i < settings->connections; i++)
        stream_close(streams[i]);
    poll(NULL, 0, LEAVE_MS);
    printf(",\"after_kib\":%ld}\n", memory_kib(settings->pid, "VmRSS"));
    free(streams);
}

static const char usage[] =
    "usage: bench-edge --url tcp://HOST:PORT --pid PID --path PATH [options]\n"
    "One line of JSON: what requests, or open streams, take of the server PID.\n"
    "  --method METHOD     GET\n"
    "  --connections N     at once; 1\n"
    "  --seconds N         how long; 3\n"
    "  --streams           leave the answers open, and tell the memory that each takes\n"
    "  --upgrade           ask for a hijacked stream\n"
    "  --burst PATH        then feed 64 KiB to this hijacked stream, and tell the memory again\n";

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"url", required_argument, NULL, 'u'},
        {"pid", required_argument, NULL, 'p'},
        {"path", required_argument, NULL, 'a'},
        {"method", required_argument, NULL, 'm'},
        {"burst", required_argument, NULL, 'b'},
        {"connections", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 's'},
        {"streams", no_argument, NULL, 'S'},
        {"upgrade", no_argument, NULL, 'U'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct settings settings = {.method = "GET", .connections = 1, .seconds = 3};
    struct rlimit limit;
    const char *url = NULL;
    char *error = NULL;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'u':
            url = optarg;
            break;
        case 'p':
            settings.pid = (pid_t)atoi(optarg);
            break;
        case 'a':
            settings.path = optarg;
            break;
        case 'm':
            settings.method = optarg;
            break;
        case 'b':
            settings.burst = optarg;
            break;
        case 'c':
            settings.connections = atoi(optarg);
            break;
        case 's':
            settings.seconds = atoi(optarg);
            break;
        case 'S':
            settings.streams = true;
            break;
        case 'U':
            settings.upgrade = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (!url || !settings.path || settings.pid <= 0 || settings.connections <= 0 || settings.seconds <= 0) {
        fputs(usage, stderr);
        return 2;
    }
    if (address_parse(&settings.address, url, &error) < 0)
        die("--url", error);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (settings.streams)
        measure_streams(&settings);
    else
        measure_requests(&settings);
    return 0;
}
