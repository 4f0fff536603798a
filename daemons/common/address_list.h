/* SPDX-License-Identifier: Apache-2.0 */
/* Engine addresses, lists of them, and the ranges that lists and files may hold: "host:port", "[v6]:port",
 * "ssh://[user@]host[:port][/path]", and, where who configures the manager names them, "unix:///path". */
#ifndef COMMON_ADDRESS_LIST_H
#define COMMON_ADDRESS_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* Distinct addresses in the order in which they came. */
struct address_list {
    char **items; /* NULL-ended where not empty */
    size_t count, capacity;
    void *index; /* of the items, for tsearch(3) */
};

void address_list_clear(struct address_list *list);
bool address_list_equal(const struct address_list *a, const struct address_list *b);
bool address_list_has(const struct address_list *list, const char *address);
/* Split as Go's net.SplitHostPort does, port 1…65535, or as ssh_address.h says, and add it; twice is once. No sockets:
 * what a store holds comes from other machines.
 * 0, or -1 with *reterr new text ("address 1.2.3.4: missing port in address"). */
int address_list_add(struct address_list *list, const char *text, char **reterr);
/* The same for each address of a range: "10.0.0.[1:3]:2375"; a text without range is one address. Sockets, too. */
int address_list_add_range(struct address_list *list, const char *text, char **reterr);

#endif
