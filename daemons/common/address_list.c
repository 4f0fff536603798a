/* SPDX-License-Identifier: Apache-2.0 */
#include "address_list.h"

#include <ctype.h>
#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discovery.h"
#include "ssh_address.h"
#include "stream.h"

enum { RANGE_MAX = 100000 };

struct parts {
    const char *host, *port;
    size_t host_length;
};

__attribute__((format(printf, 2, 3))) static int fail(char **reterr, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(reterr, format, arguments) < 0)
        *reterr = NULL;
    va_end(arguments);
    return -1;
}

/* What is wrong with the text, NULL where nothing is; the words are those of Go's net package. */
static const char *split(const char *text, struct parts *ret_parts)
{
    const char *colon = strrchr(text, ':');
    const char *host = text, *host_end = colon;
    if (!colon)
        return "missing port in address";
    if (*text == '[') {
        const char *close = strchr(text, ']');
        if (!close)
            return "missing ']' in address";
        if (close + 1 != colon)
            return close[1] == ':' ? "too many colons in address" : "missing port in address";
        host = text + 1;
        host_end = close;
    } else if (memchr(text, ':', (size_t)(colon - text))) {
        return "too many colons in address";
    }
    if (strchr(host, '['))
        return "unexpected '[' in address";
    if (strchr(*text == '[' ? colon : text, ']'))
        return "unexpected ']' in address";
    *ret_parts = (struct parts){host, colon + 1, (size_t)(host_end - host)};
    return NULL;
}

static bool is_port(const char *text)
{
    char *end;
    if (!isdigit((unsigned char)*text) && *text != '+')
        return false;
    long port = strtol(text, &end, 10);
    return *end == '\0' && isdigit((unsigned char)end[-1]) && port >= 1 && port <= 65535;
}

/* Where the host holds a byte that would mean something else in an URL or a log line. */
static const char *strange_byte(const struct parts *parts)
{
    for (size_t i = 0; i < parts->host_length; i++) {
        unsigned char byte = (unsigned char)parts->host[i];
        if (byte <= ' ' || byte == 0x7f || strchr("/\\?#@\"'<>", byte))
            return parts->host + i;
    }
    return NULL;
}

static int parse(const char *text, struct parts *ret_parts, char **reterr)
{
    const char *wrong = split(text, ret_parts);
    if (wrong && *text == '\0')
        return fail(reterr, "%s", wrong);
    if (wrong)
        return fail(reterr, "address %s: %s", text, wrong);
    const char *strange = strange_byte(ret_parts);
    if (strange)
        return fail(reterr, "address %s: unexpected '%c' in address", text, *strange);
    if (!is_port(ret_parts->port))
        return fail(reterr, "address %s: port \"%s\" is not a number from 1 to 65535", text, ret_parts->port);
    return 0;
}

bool discovery_is_address(const char *text)
{
    struct parts parts;
    char *error = NULL;
    bool good = parse(text, &parts, &error) == 0;
    free(error);
    return good;
}

bool discovery_may_announce(const char *text)
{
    struct ssh_address ssh;
    return ssh_address_is(text) ? !ssh_address_parse(&ssh, text) : discovery_is_address(text);
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void keep(void *item)
{
    (void)item;
}

void address_list_clear(struct address_list *list)
{
    tdestroy(list->index, keep);
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct address_list){0};
}

bool address_list_equal(const struct address_list *a, const struct address_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    }
    return true;
}

bool address_list_has(const struct address_list *list, const char *address)
{
    return tfind(address, (void *const *)&list->index, compare) != NULL;
}

static int grow(struct address_list *list)
{
    if (list->count + 2 <= list->capacity)
        return 0;
    size_t capacity = list->capacity * 2 + 16;
    char **longer = reallocarray(list->items, capacity, sizeof *longer);
    if (!longer)
        return -1;
    list->items = longer;
    list->capacity = capacity;
    return 0;
}

/* Takes @p address. */
static int append(struct address_list *list, char *address)
{
    char **known = grow(list) == 0 ? tsearch(address, &list->index, compare) : NULL;
    if (!known || *known != address) {
        free(address);
        return known ? 0 : -1;
    }
    list->items[list->count++] = address;
    list->items[list->count] = NULL;
    return 0;
}

/* The text that stands for "host:port" in lists: brackets where they are needed only. New. */
static int plain_address(const char *text, char **ret, char **reterr)
{
    struct parts parts;
    if (parse(text, &parts, reterr) != 0)
        return -1;
    bool brackets = memchr(parts.host, ':', parts.host_length) != NULL;
    if (asprintf(ret, "%s%.*s%s:%s", brackets ? "[" : "", (int)parts.host_length, parts.host, brackets ? "]" : "",
                 parts.port) < 0)
        return fail(reterr, "out of memory");
    return 0;
}

static int ssh_text(const char *text, char **ret, char **reterr)
{
    struct ssh_address ssh;
    const char *wrong = ssh_address_parse(&ssh, text);
    size_t length = strlen(text);
    if (wrong)
        return fail(reterr, "address %s: %s; ssh://[user@]host[:port][/path] is expected", text, wrong);
    if (text[length - 1] == '/')
        length--;
    *ret = strndup(text, length);
    return *ret ? 0 : fail(reterr, "out of memory");
}

static int socket_text(const char *text, char **ret, char **reterr)
{
    struct address address;
    if (address_parse(&address, text, reterr) != 0)
        return -1;
    if (*address.path != '/')
        return fail(reterr, "address %s: the path does not begin with \"/\"; unix:///path is expected", text);
    for (const char *at = address.path; *at; at++) {
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return fail(reterr, "address unix://…: unexpected byte 0x%02x in its path", (unsigned char)*at);
    }
    *ret = strdup(text);
    return *ret ? 0 : fail(reterr, "out of memory");
}

static int add(struct address_list *list, const char *text, bool sockets, char **reterr)
{
    char *address = NULL;
    int status;
    if (ssh_address_is(text))
        status = ssh_text(text, &address, reterr);
    else if (strncmp(text, "unix://", 7) != 0)
        status = plain_address(text, &address, reterr);
    else if (sockets)
        status = socket_text(text, &address, reterr);
    else
        status = fail(reterr, "address %s: a socket of this machine can be named by nodes:// and file:// only", text);
    if (status != 0)
        return -1;
    return append(list, address) == 0 ? 0 : fail(reterr, "out of memory");
}

int address_list_add(struct address_list *list, const char *text, char **reterr)
{
    return add(list, text, false, reterr);
}

/* A decimal number from @p text up to @p end, sign allowed. */
static bool parse_bound(const char *text, const char *end, long *ret)
{
    char *stop;
    if (text == end || isspace((unsigned char)*text))
        return false;
    errno = 0;
    *ret = strtol(text, &stop, 10);
    return errno == 0 && stop == end;
}

/* The range between the first "[" and the last "]" of @p text; false where that is none, as in an IPv6 address. */
static bool find_range(const char *text, long *ret_from, long *ret_to, const char **ret_open, const char **ret_close)
{
    const char *open = strchr(text, '['), *close = strrchr(text, ']');
    if (!open || !close || close < open)
        return false;
    const char *colon = memrchr(open, ':', (size_t)(close - open));
    *ret_open = open;
    *ret_close = close;
    return colon && parse_bound(open + 1, colon, ret_from) && parse_bound(colon + 1, close, ret_to);
}

int address_list_add_range(struct address_list *list, const char *text, char **reterr)
{
    long from, to;
    const char *open, *close;
    if (!find_range(text, &from, &to, &open, &close))
        return add(list, text, true, reterr);
    if (to >= from && (unsigned long)to - (unsigned long)from >= RANGE_MAX)
        return fail(reterr, "range %s: more than %d addresses", text, RANGE_MAX);
    for (long number = from; number <= to; number++) {
        char *address;
        if (asprintf(&address, "%.*s%ld%s", (int)(open - text), text, number, close + 1) < 0)
            return fail(reterr, "out of memory");
        int status = add(list, address, true, reterr);
        free(address);
        if (status != 0 || number == to)
            return status;
    }
    return 0;
}
