/* SPDX-License-Identifier: Apache-2.0 */
/* What stores of keys and values have in common: "h1:p,h2:p/prefix" and the kv.* settings. */
#ifndef COMMON_DISCOVERY_KV_H
#define COMMON_DISCOVERY_KV_H

#include <stdint.h>

#include "discovery.h"
#include "tls.h"

struct kv_place {
    char **endpoints; /* "host:port", NULL-ended */
    size_t count;
    char *directory; /* "prefix/docker/swarm/nodes", no slash at either end */
    char *leader;    /* "prefix/docker/swarm/leader", whatever kv.path is */
    char *records;   /* "prefix/docker/swarm/records", the same */
    struct tls *tls; /* NULL: none */
};

/* @p rest: the URL behind "://"; @p default_port goes to endpoints without one. Zero @p place before.
 * 0, or -1 with *reterr new text; kv_place_finish() in both cases. */
int kv_place_parse(struct kv_place *place, const char *rest, int default_port, const struct discovery_options *options,
                   char **reterr);
/* What kv.cacertfile, kv.certfile and kv.keyfile name, where all three are given; else *ret is left alone. 0, or -1
 * with *reterr new text. */
int kv_tls(struct tls **ret, const struct discovery_options *options, char **reterr);
void kv_place_finish(struct kv_place *place);
/* Join with "/", drop empty and "." parts, resolve "..". New text, NULL for lack of memory. */
char *kv_path_join(const char *a, const char *b);
/* The key of a node in a directory: its address as the last part, in which "+" stands for "/", as a key must have no
 * further parts there. New text, NULL for lack of memory. */
char *kv_node_key(const char *directory, const char *address);
/* The address that such a key is of, from its last part; whether it is one is the caller's to see. New text, NULL for
 * lack of memory. */
char *kv_node_address(const char *name);
/* @p prefix and the key, escaped for a URL's path. New text, NULL for lack of memory. */
char *kv_path_escape(const char *prefix, const char *key);
/* How long to wait after another failure: 1, 2, 4, 8, 10, 10 … seconds, up to a quarter less so that many managers do
 * not come at once. Counts *failures. */
int64_t kv_back_off_ms(int *failures);

#endif
