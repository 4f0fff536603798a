/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh_address.h"

#include <stdlib.h>
#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
static const char scheme[] = "ssh://";

bool ssh_address_is(const char *text)
{
    return strncmp(text, scheme, sizeof scheme - 1) == 0;
}

/* Copy the text up to @p end where it fits, holds only @p allowed bytes and could be no option. */
static bool take(char *to, size_t size, const char *from, const char *end, const char *allowed)
{
    size_t length = (size_t)(end - from);
    if (length >= size || strspn(from, allowed) < length || *from == '-')
        return false;
    memcpy(to, from, length);
    to[length] = '\0';
    return true;
}

static const char *take_port(struct ssh_address *address, const char *from, const char *end)
{
    if (from == end || !take(address->port, sizeof address->port, from, end, DIGITS) || atol(address->port) < 1 ||
        atol(address->port) > 65535)
        return "the port is no number from 1 to 65535";
    return NULL;
}

/* "host", "host:port", "[v6]", "[v6]:port" between the two. */
static const char *take_host(struct ssh_address *address, const char *from, const char *end)
{
    const char *host_end = memchr(from, ':', (size_t)(end - from));
    const char *allowed = LETTERS DIGITS "._-";
    const char *colon = host_end;
    if (*from == '[') {
        host_end = memchr(from, ']', (size_t)(end - from));
        if (!host_end)
            return "missing ']' in address";
        if (host_end + 1 != end && host_end[1] != ':')
            return "unexpected text behind ']' in address";
        colon = host_end + 1 == end ? NULL : host_end + 1;
        from++;
        allowed = LETTERS DIGITS ":.%_-";
    } else if (host_end && memchr(host_end + 1, ':', (size_t)(end - host_end - 1))) {
        return "too many colons in address";
    }
    if (!host_end)
        host_end = end;
    if (from == host_end)
        return "missing host in address";
    if (!take(address->host, sizeof address->host, from, host_end, allowed))
        return "unexpected byte in its host, or too long";
    return colon ? take_port(address, colon + 1, end) : NULL;
}

const char *ssh_address_parse(struct ssh_address *ret, const char *text)
{
    struct ssh_address address = {{0}, {0}, {0}, {0}};
    const char *from = text + sizeof scheme - 1;
    const char *slash = strchrnul(from, '/'), *at = memchr(from, '@', (size_t)(slash - from));
    if (at && (at == from || !take(address.user, sizeof address.user, from, at, LETTERS DIGITS "._-")))
        return "unexpected byte in its user, or none, or too long";
    const char *wrong = take_host(&address, at ? at + 1 : from, slash);
    if (wrong)
        return wrong;
    if (slash[0] == '/' && slash[1] != '\0' &&
        !take(address.path, sizeof address.path, slash, slash + strlen(slash), LETTERS DIGITS "/._-"))
        return "unexpected byte in its path, or too long";
    *ret = address;
    return NULL;
}
