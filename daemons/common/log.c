/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FIELDS = 32 };

static struct {
    pthread_mutex_t lock; /* one line at a time */
    FILE *to;             /* NULL: stdout */
    bool terminal;
    time_t started;
    enum log_level level;
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_LEVEL_INFO};

static const char *const level_words[] = {"panic", "fatal", "error", "warning", "info", "debug"};

int log_level_parse(const char *word, enum log_level *ret_level)
{
    for (size_t i = 0; i < sizeof level_words / sizeof *level_words; i++) {
        if (strcasecmp(word, level_words[i]) == 0) {
            *ret_level = (enum log_level)i;
            return 0;
        }
    }
    if (strcasecmp(word, "warn") != 0)
        return -1;
    *ret_level = LOG_LEVEL_WARN;
    return 0;
}

static time_t uptime_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

void log_init(FILE *to, enum log_level level)
{
    sink.to = to;
    sink.terminal = isatty(fileno(to));
    sink.started = uptime_clock();
    sink.level = level;
}

bool log_enabled(enum log_level level)
{
    return level <= sink.level;
}

/* Length of the well-formed UTF-8 sequence at @p text, 0 where there is none. C1 controls count as malformed. */
static size_t utf8_length(const unsigned char *text)
{
    size_t length = text[0] >= 0xf0 && text[0] < 0xf5 ? 4 : text[0] >= 0xe0 ? 3 : text[0] >= 0xc2 ? 2 : 0;
    if (text[0] >= 0xf5 || (text[0] == 0xc2 && text[1] < 0xa0))
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

static void put_escaped(FILE *to, unsigned char byte)
{
    static const char letters[] = "\aa\bb\ff\nn\rr\tt\vv\\\\\"\"";
    for (const char *pair = letters; *pair; pair += 2) {
        if (byte == (unsigned char)pair[0]) {
            fprintf(to, "\\%c", pair[1]);
            return;
        }
    }
    fprintf(to, "\\x%02x", byte);
}

static void put_quoted(FILE *to, const char *text)
{
    fputc('"', to);
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        size_t length = utf8_length(at);
        if (length > 0) {
            fwrite(at, 1, length, to);
            at += length;
            continue;
        }
        if (*at < 0x20 || *at >= 0x7f || *at == '"' || *at == '\\')
            put_escaped(to, *at);
        else
            fputc(*at, to);
        at++;
    }
    fputc('"', to);
}

static void put_value(FILE *to, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._/@^+";
    if (text[strspn(text, plain)])
        put_quoted(to, text);
    else
        fputs(text, to);
}

/* RFC 3339 in the local zone, to the second. */
static void put_time(FILE *to)
{
    time_t now = time(NULL);
    struct tm local;
    char text[40];
    localtime_r(&now, &local);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &local);
    if (local.tm_gmtoff == 0) {
        fprintf(to, "time=\"%sZ\"", text);
        return;
    }
    long minutes = labs(local.tm_gmtoff) / 60;
    fprintf(to, "time=\"%s%c%02ld:%02ld\"", text, local.tm_gmtoff < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

static int compare_fields(const void *a, const void *b)
{
    const struct log_field *const *left = a;
    const struct log_field *const *right = b;
    return strcmp((*left)->key, (*right)->key);
}

static size_t sort_fields(const struct log_field **sorted, const struct log_field *fields)
{
    size_t count = 0;
    for (; fields && fields[count].key && count < MAX_FIELDS; count++)
        sorted[count] = &fields[count];
    qsort(sorted, count, sizeof *sorted, compare_fields);
    return count;
}

static void put_terminal(FILE *to, enum log_level level, const char *message, const struct log_field *const *fields,
                         size_t count)
{
    static const char *const short_words[] = {"PANI", "FATA", "ERRO", "WARN", "INFO", "DEBU"};
    int colour = level <= LOG_LEVEL_ERROR ? 31 : level == LOG_LEVEL_WARN ? 33 : level == LOG_LEVEL_INFO ? 34 : 37;
    long seconds = (long)(uptime_clock() - sink.started);
    fprintf(to, "\033[%dm%s\033[0m[%04ld] ", colour, short_words[level], seconds);
    fprintf(to, count > 0 ? "%-44s" : "%s", message);
    for (size_t i = 0; i < count; i++) {
        fprintf(to, " \033[%dm%s\033[0m=", colour, fields[i]->key);
        put_value(to, fields[i]->value ? fields[i]->value : "");
    }
}

static void put_logfmt(FILE *to, enum log_level level, const char *message, const struct log_field *const *fields,
                       size_t count)
{
    put_time(to);
    fprintf(to, " level=%s msg=", level_words[level]);
    put_value(to, message);
    for (size_t i = 0; i < count; i++) {
        fprintf(to, " %s=", fields[i]->key);
        put_value(to, fields[i]->value ? fields[i]->value : "");
    }
}

static void put_line(enum log_level level, const char *message, const struct log_field *fields)
{
    const struct log_field *sorted[MAX_FIELDS];
    size_t count = sort_fields(sorted, fields);
    pthread_mutex_lock(&sink.lock);
    FILE *to = sink.to ? sink.to : stdout;
    if (sink.terminal)
        put_terminal(to, level, message, sorted, count);
    else
        put_logfmt(to, level, message, sorted, count);
    fputc('\n', to);
    fflush(to);
    pthread_mutex_unlock(&sink.lock);
}

/* Lines longer than the buffer go through the heap; where that has no memory they are cut. */
__attribute__((format(printf, 3, 0))) static void log_va(enum log_level level, const struct log_field *fields,
                                                         const char *format, va_list arguments)
{
    char buffer[1024];
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(buffer, sizeof buffer, format, arguments);
    char *longer = NULL;
    if (length >= (int)sizeof buffer && (longer = malloc((size_t)length + 1)))
        vsnprintf(longer, (size_t)length + 1, format, again);
    va_end(again);
    put_line(level, longer ? longer : buffer, fields);
    free(longer);
}

void log_line(enum log_level level, const struct log_field *fields, const char *format, ...)
{
    if (!log_enabled(level))
        return;
    va_list arguments;
    va_start(arguments, format);
    log_va(level, fields, format, arguments);
    va_end(arguments);
}

void log_fatal(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_va(LOG_LEVEL_FATAL, NULL, format, arguments);
    va_end(arguments);
    exit(1);
}
