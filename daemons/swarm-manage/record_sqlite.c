/* SPDX-License-Identifier: Apache-2.0 */
/* Records in an SQLite file: a table of keys and values, and one of those that were set aside. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "record_store.h"
#include "text.h"

#define APPLICATION_ID 1937142130 /* "swmr": no other program's file */
#define BUSY_MS "500"             /* a manager that is just ending lets go of it by then */

/* Nobody else reads or writes it, and what was committed is on disk. */
static const char settings[] = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = " BUSY_MS ";";
static const char journal[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                              "PRAGMA journal_size_limit = 16777216;";

enum statement { LOAD, PUT, REMOVE, SET_ASIDE, STATEMENTS };
static const char *const texts[STATEMENTS] = {
    [LOAD] = "SELECT key, value FROM records WHERE key >= ?1 AND key < ?2 ORDER BY key",
    [PUT] = "INSERT INTO records (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
    [REMOVE] = "DELETE FROM records WHERE key = ?1",
    [SET_ASIDE] = ("INSERT INTO set_aside (key, value, why, at) SELECT key, value, ?2, unixepoch() FROM records "
                   "WHERE key = ?1"),
};

struct sqlite_store {
    struct record_store base;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    char *path;
};

static int failed(struct sqlite_store *store, char **reterr)
{
    *reterr = text_format("%s: %s", store->path, sqlite3_errmsg(store->db));
    return -1;
}

/* --- reading and writing --- */

static int load(struct record_store *base, const char *from, const char *to, record_fn fn, void *data, char **reterr)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    sqlite3_stmt *statement = store->statements[LOAD];
    int code, stop = 0;

    sqlite3_reset(statement);
    sqlite3_bind_text(statement, 1, from, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, to, -1, SQLITE_STATIC);
    while (!stop && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *key = (const char *)sqlite3_column_text(statement, 0);
        const void *value = sqlite3_column_blob(statement, 1);

        stop = fn(data, key ? key : "", value ? value : "", (size_t)sqlite3_column_bytes(statement, 1));
    }
    if (!stop && code != SQLITE_DONE) {
        failed(store, reterr);
        stop = -1;
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return stop ? -1 : 0;
}

static int step(struct sqlite_store *store, sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);

    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE ? 0 : -1;
}

static int change(struct sqlite_store *store, const struct record_change *change)
{
    sqlite3_stmt *statement = store->statements[change->value ? PUT : REMOVE];

    sqlite3_bind_text(statement, 1, change->key, -1, SQLITE_STATIC);
    if (change->value) {
        sqlite3_bind_blob64(statement, 2, change->value, change->length, SQLITE_STATIC);
    }
    return step(store, statement);
}

static int execute(struct sqlite_store *store, const char *text)
{
    return sqlite3_exec(store->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

/* @p result: of what was done in it. */
static int end(struct sqlite_store *store, int result, char **reterr)
{
    if (!result) {
        result = execute(store, "COMMIT");
    }
    if (result) {
        failed(store, reterr); /* before the roll-back, which has an outcome of its own */
        if (!sqlite3_get_autocommit(store->db)) {
            execute(store, "ROLLBACK");
        }
    }
    return result;
}

static int apply(struct record_store *base, const struct record_change *changes, size_t count, char **reterr)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    int result = execute(store, "BEGIN IMMEDIATE");

    for (size_t i = 0; !result && i < count; i++) {
        result = change(store, &changes[i]);
    }
    return end(store, result, reterr);
}

static int set_aside(struct record_store *base, const char *key, const char *why, char **reterr)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    sqlite3_stmt *copy = store->statements[SET_ASIDE];
    int result = execute(store, "BEGIN IMMEDIATE");

    if (!result) {
        sqlite3_bind_text(copy, 1, key, -1, SQLITE_STATIC);
        sqlite3_bind_text(copy, 2, why, -1, SQLITE_STATIC);
        result = step(store, copy);
    }
    if (!result) {
        result = change(store, &(struct record_change){.key = key});
    }
    return end(store, result, reterr);
}

static void close_store(struct record_store *base)
{
    struct sqlite_store *store = (struct sqlite_store *)base;

    for (int i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(store->statements[i]);
    }
    sqlite3_close(store->db);
    free(store->path);
    free(store);
}

/* --- opening --- */

/* A number of the file's head, -1 where it cannot be read. */
static sqlite3_int64 pragma(struct sqlite_store *store, const char *text)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_int64 number = -1;

    if (sqlite3_prepare_v2(store->db, text, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        number = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return number;
}

static bool is_damaged(struct sqlite_store *store)
{
    int code = sqlite3_errcode(store->db);

    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

/* What it is that makes it of no use to us, as the new name has it; NULL: nothing. */
static const char *unusable(struct sqlite_store *store)
{
    sqlite3_int64 application = pragma(store, "PRAGMA application_id");
    sqlite3_int64 version = pragma(store, "PRAGMA user_version");
    sqlite3_int64 tables = pragma(store, "SELECT count(*) FROM sqlite_schema");

    if (application < 0 || version < 0 || tables < 0) {
        return is_damaged(store) ? "damaged" : NULL;
    }
    if (tables && application != APPLICATION_ID) {
        return "foreign";
    }
    return version > RECORD_STORE_VERSION ? "newer" : NULL;
}

static int prepare(struct sqlite_store *store)
{
    char schema[512];

    snprintf(schema, sizeof(schema),
             "BEGIN IMMEDIATE; PRAGMA application_id = %d; PRAGMA user_version = %d;"
             "CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, value BLOB NOT NULL);"
             "CREATE TABLE IF NOT EXISTS set_aside (key TEXT NOT NULL, value BLOB, why TEXT, at INTEGER); COMMIT",
             APPLICATION_ID, RECORD_STORE_VERSION);
    if (execute(store, journal) || execute(store, schema)) {
        return -1;
    }
    for (int i = 0; i < STATEMENTS; i++) {
        if (sqlite3_prepare_v3(store->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &store->statements[i], NULL) !=
            SQLITE_OK) {
            return -1;
        }
    }
    return 0;
}

/* All of it is read at the start anyway: what is damaged anywhere shows here. 0, 1: it is not sound, -1: that cannot be
 * told. */
static int check(struct sqlite_store *store)
{
    sqlite3_stmt *statement = NULL;
    int result = -1;

    if (sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        result = strcmp((const char *)sqlite3_column_text(statement, 0), "ok") != 0;
    }
    if (result < 0 && is_damaged(store)) {
        result = 1;
    }
    sqlite3_finalize(statement);
    return result;
}

static int move_aside(const char *path, const char *suffix, const char *extra)
{
    char *from = text_format("%s%s", path, extra), *to = text_format("%s.%s%s", path, suffix, extra);
    int result = from && to && (!rename(from, to) || errno == ENOENT) ? 0 : -1;

    free(from);
    free(to);
    return result;
}

/* With its journal, so that it can be opened again under its new name. */
static int set_file_aside(const char *path, const char *why, char **ret_set_aside, char **reterr)
{
    char stamp[32], suffix[64];
    time_t now = time(NULL);
    struct tm tm;

    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    snprintf(suffix, sizeof(suffix), "%s-%s", why, stamp);
    if (move_aside(path, suffix, "") || move_aside(path, suffix, "-wal") || move_aside(path, suffix, "-shm")) {
        *reterr = text_format("%s cannot be set aside: %s", path, strerror(errno));
        return -1;
    }
    free(*ret_set_aside);
    *ret_set_aside = text_format("%s.%s", path, suffix);
    return 0;
}

/* The file holds environments of containers: it is its owner's only. */
static int make_file(const char *path, char **reterr)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        *reterr = text_format("%s: %s", path, strerror(errno));
        return -1;
    }
    close(fd);
    return 0;
}

/* 0; 1 with *ret_why: the file is to be set aside; -1 with *reterr. */
static int open_file(struct sqlite_store *store, const char **ret_why, char **reterr)
{
    int code = make_file(store->path, reterr)
                   ? -1
                   : sqlite3_open_v2(store->path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    if (code < 0) {
        return -1;
    }
    if (code == SQLITE_OK && !execute(store, settings) && !(*ret_why = unusable(store)) && !prepare(store)) {
        code = check(store);
        if (code == 0) {
            return 0;
        }
        *ret_why = code == 1 ? "damaged" : NULL;
    } else if (!*ret_why && is_damaged(store)) {
        *ret_why = "damaged";
    }
    if (*ret_why) {
        return 1;
    }
    if (sqlite3_errcode(store->db) == SQLITE_BUSY) {
        *reterr = text_format("%s is in use by another manager: each has a --state-dir of its own", store->path);
    } else {
        failed(store, reterr);
    }
    return -1;
}

static int open_store(struct sqlite_store **ret, const char *path, const char **ret_why, char **reterr)
{
    struct sqlite_store *store = calloc(1, sizeof(*store));
    int result = -1;

    if (store && (store->path = strdup(path))) {
        store->base = (struct record_store){NULL, load, apply, set_aside, close_store};
        result = open_file(store, ret_why, reterr);
    }
    if (!result) {
        *ret = store;
    } else if (store) {
        close_store(&store->base);
    }
    return result;
}

/* With all that is above it. */
static int make_folder(const char *path, char **reterr)
{
    char *folder = strdup(path), *slash = folder;
    int result = folder ? 0 : -1;

    while (!result && (slash = strchr(slash + 1, '/'))) {
        *slash = '\0';
        if (mkdir(folder, 0700) && errno != EEXIST) {
            *reterr = text_format("%s: %s", folder, strerror(errno));
            result = -1;
        }
        *slash = '/';
    }
    free(folder);
    return result;
}

int record_sqlite_open(struct record_store **ret, const char *path, char **ret_set_aside, char **reterr)
{
    struct sqlite_store *store = NULL;
    int result = -1;

    *reterr = NULL;
    *ret_set_aside = NULL;
    if (make_folder(path, reterr)) {
        return -1;
    }
    for (int tries = 0; tries < 2; tries++) {
        const char *why = NULL;

        result = open_store(&store, path, &why, reterr);
        if (result <= 0) {
            break;
        }
        if (set_file_aside(path, why, ret_set_aside, reterr)) {
            return -1;
        }
    }
    if (result) {
        return -1;
    }
    *ret = &store->base;
    return 0;
}
