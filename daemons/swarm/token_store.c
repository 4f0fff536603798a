/* SPDX-License-Identifier: Apache-2.0 */
#include "token_store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "log.h"
#include "text.h"

static const int64_t unused_ms = 30LL * 24 * 3600 * 1000;

enum statement {
    FIND,
    COUNT_TOKENS,
    CREATE,
    FORGET_UNUSED,
    COUNT_NODES,
    PUT,
    USED,
    REMOVE_NODE,
    REMOVE_NODES,
    REMOVE_TOKEN,
    EXPIRE,
    LIST,
    LEAVE,
    RETURN,
    FORGET_LEFT,
    LIST_LEFT,
    STATEMENTS
};
static const char *const texts[STATEMENTS] = {
    [FIND] = "SELECT 1 FROM tokens WHERE token = ?1",
    [COUNT_TOKENS] = "SELECT count(*) FROM tokens",
    [CREATE] = "INSERT INTO tokens (token, used_ms) VALUES (?1, ?2)",
    [FORGET_UNUSED] = "DELETE FROM tokens WHERE used_ms < ?1",
    [COUNT_NODES] = "SELECT count(*) FROM nodes WHERE token = ?1 AND address <> ?2",
    [PUT] = ("INSERT INTO nodes (token, address, expires_ms) VALUES (?1, ?2, ?3) "
             "ON CONFLICT (token, address) DO UPDATE SET expires_ms = ?3"),
    [USED] = "UPDATE tokens SET used_ms = ?2 WHERE token = ?1",
    [REMOVE_NODE] = "DELETE FROM nodes WHERE token = ?1 AND address = ?2",
    [REMOVE_NODES] = "DELETE FROM nodes WHERE token = ?1",
    [REMOVE_TOKEN] = "DELETE FROM tokens WHERE token = ?1",
    [EXPIRE] = "DELETE FROM nodes WHERE token = ?1 AND expires_ms <= ?2",
    [LEAVE] = ("INSERT INTO left (token, address, expires_ms) VALUES (?1, ?2, ?3) "
               "ON CONFLICT (token, address) DO UPDATE SET expires_ms = ?3"),
    [RETURN] = "DELETE FROM left WHERE token = ?1 AND address = ?2",
    [FORGET_LEFT] = "DELETE FROM left WHERE expires_ms <= ?1",
    [LIST_LEFT] = "SELECT address FROM left WHERE token = ?1 AND expires_ms > ?2 ORDER BY address",
    [LIST] = "SELECT address FROM nodes WHERE token = ?1 AND expires_ms > ?2 ORDER BY address",
};
static const char schema[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;"
                             "CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, used_ms INTEGER NOT NULL);"
                             "CREATE INDEX IF NOT EXISTS tokens_used ON tokens (used_ms);"
                             "CREATE TABLE IF NOT EXISTS nodes (token TEXT NOT NULL, address TEXT NOT NULL,"
                             " expires_ms INTEGER NOT NULL, PRIMARY KEY (token, address)) WITHOUT ROWID;"
                             "CREATE TABLE IF NOT EXISTS left (token TEXT NOT NULL, address TEXT NOT NULL,"
                             " expires_ms INTEGER NOT NULL, PRIMARY KEY (token, address)) WITHOUT ROWID;";

struct token_store {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    pthread_mutex_t lock;
};

int token_store_open(struct token_store **ret, const char *path, char **reterr)
{
    struct token_store *store = calloc(1, sizeof *store);
    if (!store) {
        *reterr = NULL;
        return -1;
    }
    pthread_mutex_init(&store->lock, NULL);
    int code =
        sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(store->db, schema, NULL, NULL, NULL);
    for (int i = 0; code == SQLITE_OK && i < STATEMENTS; i++)
        code = sqlite3_prepare_v3(store->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &store->statements[i], NULL);
    if (code != SQLITE_OK) {
        *reterr =
            text_format("state file '%s': %s", path, store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(code));
        token_store_close(store);
        return -1;
    }
    *ret = store;
    return 0;
}

void token_store_close(struct token_store *store)
{
    if (!store)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(store->statements[i]);
    sqlite3_close(store->db);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

/* A statement with its parameters; NULL: none of that kind. */
static sqlite3_stmt *bind(struct token_store *store, enum statement which, const char *text, const char *address,
                          const int64_t *number)
{
    sqlite3_stmt *statement = store->statements[which];
    int next = 1;
    sqlite3_reset(statement);
    if (text)
        sqlite3_bind_text(statement, next++, text, -1, SQLITE_STATIC);
    if (address)
        sqlite3_bind_text(statement, next++, address, -1, SQLITE_STATIC);
    if (number)
        sqlite3_bind_int64(statement, next, *number);
    return statement;
}

static enum token_status failed(struct token_store *store)
{
    log_error("token service: %s", sqlite3_errmsg(store->db));
    return TOKEN_FAILED;
}

static enum token_status execute(struct token_store *store, enum statement which, const char *text, const char *address,
                                 const int64_t *number)
{
    sqlite3_stmt *statement = bind(store, which, text, address, number);
    int code = sqlite3_step(statement);
    enum token_status status = code == SQLITE_DONE || code == SQLITE_ROW ? TOKEN_OK : failed(store);
    sqlite3_reset(statement);
    return status;
}

/* TOKEN_FULL where there are @p max or more. */
static enum token_status room(struct token_store *store, enum statement which, const char *text, const char *address,
                              int64_t max)
{
    sqlite3_stmt *statement = bind(store, which, text, address, NULL);
    enum token_status status = sqlite3_step(statement) != SQLITE_ROW       ? failed(store)
                               : sqlite3_column_int64(statement, 0) >= max ? TOKEN_FULL
                                                                           : TOKEN_OK;
    sqlite3_reset(statement);
    return status;
}

static enum token_status find(struct token_store *store, const char *token)
{
    sqlite3_stmt *statement = bind(store, FIND, token, NULL, NULL);
    int code = sqlite3_step(statement);
    enum token_status status = code == SQLITE_ROW ? TOKEN_OK : code == SQLITE_DONE ? TOKEN_UNKNOWN : failed(store);
    sqlite3_reset(statement);
    return status;
}

static enum token_status begin(struct token_store *store)
{
    pthread_mutex_lock(&store->lock);
    return sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK ? TOKEN_OK : failed(store);
}

static enum token_status end(struct token_store *store, enum token_status status)
{
    const char *how = status == TOKEN_OK ? "COMMIT" : "ROLLBACK";
    bool open = !sqlite3_get_autocommit(store->db);
    if (open && sqlite3_exec(store->db, how, NULL, NULL, NULL) != SQLITE_OK)
        status = failed(store);
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&store->lock);
    return status;
}

enum token_status token_store_create(struct token_store *store, int64_t now_ms, char token[TOKEN_SIZE])
{
    unsigned char bytes[(TOKEN_SIZE - 1) / 2];
    int64_t before_ms = now_ms - unused_ms;
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return TOKEN_FAILED;
    for (size_t i = 0; i < sizeof bytes; i++)
        sprintf(token + 2 * i, "%02x", bytes[i]);
    enum token_status status = begin(store);
    if (status == TOKEN_OK)
        status = execute(store, FORGET_UNUSED, NULL, NULL, &before_ms);
    if (status == TOKEN_OK)
        status = room(store, COUNT_TOKENS, NULL, NULL, TOKEN_TOKENS_MAX);
    if (status == TOKEN_OK)
        status = execute(store, CREATE, token, NULL, &now_ms);
    return end(store, status);
}

enum token_status token_store_put(struct token_store *store, const char *token, const char *address, int64_t now_ms,
                                  int64_t expires_ms)
{
    enum token_status status = begin(store);
    if (status == TOKEN_OK)
        status = find(store, token);
    if (status == TOKEN_OK)
        status = execute(store, EXPIRE, token, NULL, &now_ms);
    if (status == TOKEN_OK)
        status = room(store, COUNT_NODES, token, address, TOKEN_NODES_MAX);
    if (status == TOKEN_OK)
        status = execute(store, PUT, token, address, &expires_ms);
    if (status == TOKEN_OK)
        status = execute(store, RETURN, token, address, NULL);
    if (status == TOKEN_OK)
        status = execute(store, FORGET_LEFT, NULL, NULL, &now_ms);
    if (status == TOKEN_OK)
        status = execute(store, USED, token, NULL, &now_ms);
    return end(store, status);
}

enum token_status token_store_leave(struct token_store *store, const char *token, const char *address,
                                    int64_t expires_ms)
{
    enum token_status status = begin(store);
    if (status == TOKEN_OK)
        status = find(store, token);
    if (status == TOKEN_OK)
        status = execute(store, REMOVE_NODE, token, address, NULL);
    if (status == TOKEN_OK && sqlite3_changes(store->db) == 0)
        status = TOKEN_UNKNOWN;
    if (status == TOKEN_OK)
        status = execute(store, LEAVE, token, address, &expires_ms);
    return end(store, status);
}

enum token_status token_store_remove(struct token_store *store, const char *token)
{
    enum token_status status = begin(store);
    if (status == TOKEN_OK)
        status = find(store, token);
    if (status == TOKEN_OK)
        status = execute(store, REMOVE_NODES, token, NULL, NULL);
    if (status == TOKEN_OK)
        status = execute(store, REMOVE_TOKEN, token, NULL, NULL);
    return end(store, status);
}

enum token_status token_store_each(struct token_store *store, const char *token, bool left, int64_t now_ms,
                                   int (*fn)(void *data, const char *address), void *data)
{
    pthread_mutex_lock(&store->lock);
    enum token_status status = find(store, token);
    if (status == TOKEN_OK) {
        sqlite3_stmt *statement = bind(store, left ? LIST_LEFT : LIST, token, NULL, &now_ms);
        int code;
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
            if (fn(data, (const char *)sqlite3_column_text(statement, 0)) != 0)
                break;
        }
        if (code != SQLITE_DONE)
            status = code == SQLITE_ROW ? TOKEN_FAILED : failed(store);
        sqlite3_reset(statement);
    }
    pthread_mutex_unlock(&store->lock);
    return status;
}
