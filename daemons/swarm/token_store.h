/* SPDX-License-Identifier: Apache-2.0 */
/* What a token service knows, in one SQLite file: tokens, and the addresses announced under each until they expire. Any
 * thread. Times are milliseconds since 1970. */
#ifndef SWARM_TOKEN_STORE_H
#define SWARM_TOKEN_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct token_store;

enum {
    TOKEN_NODES_MAX = 100000,   /* under one token */
    TOKEN_TOKENS_MAX = 1000000, /* in all */
    TOKEN_SIZE = 33,            /* 32 hexadecimal digits */
};

/* 0, or the status to answer with. */
enum token_status {
    TOKEN_OK = 0,
    TOKEN_UNKNOWN = 404,
    TOKEN_FULL = 507,
    TOKEN_FAILED = 500, /* the file cannot be read or written; logged */
};

/* Opens or makes the file. 0, or -1 with *reterr new text. */
int token_store_open(struct token_store **ret, const char *path, char **reterr);
void token_store_close(struct token_store *store);

/* A new token. Tokens without an announcement for 30 days are forgotten. */
enum token_status token_store_create(struct token_store *store, int64_t now_ms, char token[TOKEN_SIZE]);
/* Announce, or announce again. */
enum token_status token_store_put(struct token_store *store, const char *token, const char *address, int64_t now_ms,
                                  int64_t expires_ms);
/* Take an address back; it is remembered as one that left until @p expires_ms. */
enum token_status token_store_leave(struct token_store *store, const char *token, const char *address,
                                    int64_t expires_ms);
/* The token itself with all that is announced under it. */
enum token_status token_store_remove(struct token_store *store, const char *token);
/* Each address that has not expired, or each that left, sorted. @p fn returns 0 to go on. */
enum token_status token_store_each(struct token_store *store, const char *token, bool left, int64_t now_ms,
                                   int (*fn)(void *data, const char *address), void *data);

#endif
