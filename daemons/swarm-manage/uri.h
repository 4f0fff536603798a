/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MANAGE_URI_H
#define MANAGE_URI_H

/* Percent-encode @p text for a path segment or a query value: all but the unreserved characters of RFC 3986. New text,
 * NULL for lack of memory. */
char *uri_escape(const char *text);
/* The same for an image's name, whose slashes, colons and at-signs stay. */
char *uri_escape_name(const char *text);

#endif
