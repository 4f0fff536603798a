/* SPDX-License-Identifier: Apache-2.0 */
/* file://path: an address or range a line. Read at each heartbeat, and at once when inotify tells of a change: of the
 * directory, as editors put a new file in the old one's place. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "discovery_private.h"
#include "http_client.h"

enum { BLIND_RETRY_MS = 5000, SIZE_MAX_BYTES = 16 << 20, BAD_LINES_TOLD = 10 };

/* One watch of a file. */
struct file_watch {
    const struct discovery *discovery;
    const char *path;
    const struct discovery_events *events;
    void *data;
    struct told_lists told;
    char *read_error; /* told last; NULL: the last reading went well */
    char *bad_lines;  /* told last */
    int inotify_fd;
    bool watched; /* else changes are not told: the file is read more often */
};

static int file_open(struct discovery *discovery, const char *rest, const struct discovery_options *options,
                     char **reterr)
{
    if (*rest == '\0')
        return discovery_fail(reterr, "file:// names no file; file://path/to/file or file:///path/to/file is expected");
    discovery->state = strdup(rest);
    return discovery->state ? 0 : discovery_fail(reterr, "out of memory");
}

static void file_close(struct discovery *discovery)
{
    free(discovery->state);
}

static char *read_stream(FILE *file, const char **ret_wrong)
{
    char *text = NULL;
    size_t size = 0;
    FILE *copy = open_memstream(&text, &size);
    char block[4096];
    size_t got, total = 0;
    while (copy && total <= SIZE_MAX_BYTES && (got = fread(block, 1, sizeof block, file)) > 0) {
        fwrite(block, 1, got, copy);
        total += got;
    }
    *ret_wrong = !copy ? "out of memory" : ferror(file) ? strerror(errno) : total > SIZE_MAX_BYTES ? "too large" : NULL;
    if (copy && fclose(copy) != 0 && !*ret_wrong)
        *ret_wrong = "out of memory";
    if (*ret_wrong) {
        free(text);
        return NULL;
    }
    return text;
}

/* The file's text, or NULL and what is wrong. A FIFO must not hold us up. */
static char *read_file(const char *path, const char **ret_wrong)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!file) {
        *ret_wrong = strerror(errno);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    char *text = read_stream(file, ret_wrong);
    fclose(file);
    return text;
}

/* Without what stands behind a "#" at the start or behind a blank, and without blanks at both ends. */
static char *trim_line(char *line)
{
    line += strspn(line, " \t\r\f\v");
    char *comment = *line == '#' ? line : strstr(line, " #");
    if (comment)
        *comment = '\0';
    size_t length = strlen(line);
    while (length > 0 && strchr(" \t\r\f\v", line[length - 1]))
        line[--length] = '\0';
    return line;
}

/* Add to the text about bad lines. */
__attribute__((format(printf, 2, 3))) static void tell_more(char **bad, const char *format, ...)
{
    va_list arguments;
    char *more, *all;
    va_start(arguments, format);
    int length = vasprintf(&more, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    if (asprintf(&all, "%s%s%s", *bad ? *bad : "", *bad ? "; " : "", more) >= 0) {
        free(*bad);
        *bad = all;
    }
    free(more);
}

/* Good lines go into @p list, one text about the bad ones into *ret_bad (NULL: none). */
static void parse_lines(struct address_list *list, const char *path, char *text, char **ret_bad)
{
    char *bad = NULL, *line;
    int bad_count = 0;
    for (int number = 1; (line = strsep(&text, "\n")); number++) {
        char *why = NULL;
        line = trim_line(line);
        if (*line == '\0' || address_list_add_range(list, line, &why) == 0)
            continue;
        if (bad_count++ < BAD_LINES_TOLD)
            tell_more(&bad, "'%s' line %d: %s", path, number, why ? why : "out of memory");
        free(why);
    }
    if (bad_count > BAD_LINES_TOLD)
        tell_more(&bad, "and %d more", bad_count - BAD_LINES_TOLD);
    *ret_bad = bad;
}

/* Tell of @p text (taken, NULL: all is well) unless it was the last one told. */
static void tell(struct file_watch *watch, char **told, char *text)
{
    if (text && (!*told || strcmp(*told, text) != 0))
        watch->events->error(watch->data, text);
    free(*told);
    *told = text;
}

/* A line that was taken out says that its engine leaves. A file without any address says nothing: it may be one that is
 * being written just now. */
static void find_left(const struct address_list *before, const struct address_list *now, struct address_list *left)
{
    char *why = NULL;
    for (size_t i = 0; now->count > 0 && i < before->count; i++) {
        if (!address_list_has(now, before->items[i]) && address_list_add(left, before->items[i], &why) != 0)
            free(why);
    }
}

static void read_and_report(struct file_watch *watch)
{
    const char *wrong = NULL;
    char *error = NULL, *bad, *text = read_file(watch->path, &wrong);
    struct address_list list = {0}, left = {0};
    if (!text) {
        if (asprintf(&error, "failed to read '%s': %s", watch->path, wrong) < 0)
            error = NULL;
        tell(watch, &watch->read_error, error);
        return;
    }
    tell(watch, &watch->read_error, NULL);
    parse_lines(&list, watch->path, text, &bad);
    free(text);
    find_left(&watch->told.addresses, &list, &left);
    discovery_report(watch->discovery, &watch->told, &list, &left, watch->events, watch->data);
    tell(watch, &watch->bad_lines, bad);
}

/* (Re)place the watch of the directory: it may have been missing or replaced. */
static void watch_directory(struct file_watch *watch)
{
    char *copy = strdup(watch->path);
    watch->watched = watch->inotify_fd >= 0 && copy &&
                     inotify_add_watch(watch->inotify_fd, dirname(copy),
                                       IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_ATTRIB) >= 0;
    free(copy);
}

/* Read what inotify has; whether any of it is about our file. */
static bool file_changed(const struct file_watch *watch)
{
    const char *slash = strrchr(watch->path, '/'), *name = slash ? slash + 1 : watch->path;
    _Alignas(struct inotify_event) char buffer[4096];
    bool changed = false;
    ssize_t got;
    while (watch->inotify_fd >= 0 && (got = read(watch->inotify_fd, buffer, sizeof buffer)) > 0) {
        for (const char *at = buffer; at < buffer + got;) {
            const struct inotify_event *event = (const void *)at;
            changed |= event->len > 0 && strcmp(event->name, name) == 0;
            at += sizeof *event + event->len;
        }
    }
    return changed;
}

/* Until the file changes or it is time to read it anyway. false: it is time to stop. */
static bool wait_for_change(const struct file_watch *watch)
{
    int wait_ms = watch->discovery->heartbeat_ms;
    if ((watch->read_error || !watch->watched) && wait_ms > BLIND_RETRY_MS)
        wait_ms = BLIND_RETRY_MS;
    int64_t until_ms = monotonic_ms() + wait_ms;
    do {
        int64_t left_ms = until_ms - monotonic_ms();
        if (left_ms <= 0)
            return true;
        if (!discovery_sleep(watch->discovery, watch->inotify_fd, (int)left_ms))
            return false;
    } while (!file_changed(watch));
    return true;
}

static void file_watch(struct discovery *discovery, const struct discovery_events *events, void *data)
{
    struct file_watch watch = {.discovery = discovery,
                               .path = discovery->state,
                               .events = events,
                               .data = data,
                               .inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    do {
        watch_directory(&watch);
        read_and_report(&watch);
    } while (wait_for_change(&watch));
    if (watch.inotify_fd >= 0)
        close(watch.inotify_fd);
    told_lists_finish(&watch.told);
    free(watch.read_error);
    free(watch.bad_lines);
}

const struct discovery_backend discovery_file = {
    .name = "file", .open = file_open, .close = file_close, .watch = file_watch};
