/* SPDX-License-Identifier: Apache-2.0 */
/* What stores, lists and files say of the engines. The input's first byte chooses the kind: '3' and '2' for etcd's two
 * languages, each a list and then a change a line; 'c' for Consul, a list a line; 'n' for a list, 'f' for a file, 'k'
 * for a store's URL. Addresses that come out are good ones, each once; a table is in order; what is written for etcd is
 * read back. */
#include <errno.h>
#include <jansson.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <unistd.h>

#include "address_list.h"
#include "base64.h"
#include "consul_wire.h"
#include "discovery.h"
#include "discovery_kv.h"
#include "discovery_kv_report.h"
#include "etcd_wire.h"
#include "fuzz.h"
#include "log.h"

#define DIRECTORY "docker/swarm/nodes"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    log_init(stderr, LOG_LEVEL_FATAL);
    return 0;
}

/* The file's watch does without: making one for each input takes milliseconds. */
int inotify_init1(int flags)
{
    errno = EMFILE;
    return -1;
}

/* --- what is told --- */

static void check_addresses(const char *const *addresses, size_t count)
{
    struct address_list again = {0};

    for (size_t i = 0; i < count; i++) {
        char *error = NULL;

        if (strncmp(addresses[i], "unix://", 7) == 0) /* named by a list or a file */
            check(address_list_add_range(&again, addresses[i], &error) == 0);
        else
            check(discovery_may_announce(addresses[i]) && address_list_add(&again, addresses[i], &error) == 0);
    }
    check(again.count == count); /* no address twice, and each as it is written */
    for (size_t i = 0; i < count; i++)
        check(strcmp(again.items[i], addresses[i]) == 0);
    address_list_clear(&again);
}

static void take_entries(void *data, const struct discovery_list *list)
{
    check_addresses(list->addresses, list->count);
    check_addresses(list->left, list->left_count);
}

static void take_error(void *data, const char *message)
{
    check(*message != '\0' && strlen(message) < 1u << 20);
}

static const struct discovery_events events = {take_entries, take_error};

/* --- etcd --- */

static void check_table(const struct kv_table *table)
{
    struct kv_report report = {.events = &events};
    struct discovery discovery = {.backend = &discovery_etcd};

    for (size_t i = 0; i < table->count; i++) {
        check(i == 0 || strcmp(table->pairs[i - 1].key, table->pairs[i].key) < 0);
        check(kv_table_get(table, table->pairs[i].key) == table->pairs[i].value);
    }
    report.discovery = &discovery;
    kv_report_entries(&report, DIRECTORY, table);
    kv_report_finish(&report);
}

/* What we would put there comes back from a list. */
static void check_put(const struct kv_pair *pair)
{
    char *request = etcd_put_request(pair->key, pair->value, "7"), *answer;
    json_t *json = request == NULL ? NULL : json_loads(request, 0, NULL);
    struct kv_table table = {0};
    struct etcd_key key;
    int64_t revision = 0;

    check(json != NULL);
    json = json_pack("{s:{s:s}, s:[o]}", "header", "revision", "12", "kvs", json);
    answer = json_dumps(json, JSON_COMPACT);
    check(etcd_parse_range(answer, &table, &revision) == 0 && revision == 12 && table.count == 1);
    check(strcmp(table.pairs[0].key, pair->key) == 0 && strcmp(table.pairs[0].value, pair->value) == 0);
    check(etcd_parse_key(answer, &key) == 0 && key.present && strcmp(key.lease, "7") == 0);
    check(strcmp(key.value, pair->value) == 0);
    free(key.value);
    kv_table_clear(&table);
    free(answer);
    json_decref(json);
    free(request);
}

static void check_v3_answer(const char *text)
{
    struct etcd_key key = {0};
    struct etcd_v2_key old = {0};
    char lease[24] = "";
    bool put = false;
    int64_t count = 0;
    bool alive = false;

    if (etcd_parse_key(text, &key) == 0)
        check(key.present || key.value == NULL);
    free(key.value);
    if (etcd_parse_grant(text, lease, sizeof(lease), NULL) == 0)
        check(lease[0] != '\0' && strspn(lease, "-0123456789") == strlen(lease));
    if (etcd_parse_acquire(text, &put, &key) == 0)
        check(put ? key.revision > 0 && !key.present : key.present || key.value == NULL);
    else
        key.value = NULL;
    free(key.value);
    if (etcd_parse_v2_key(text, &old) == 0)
        check(old.created > 0 && old.modified > 0 && old.value != NULL);
    free(old.value);
    etcd_parse_count(text, &count);
    etcd_parse_keep_alive(text, &alive);
}

static void check_result(char *text)
{
    struct http_result result = {.status = text[0] % 2 ? 200 : 404, .body = text, .length = strlen(text)};
    char words[320];

    etcd_describe(words, sizeof(words), &result);
    check(words[0] != '\0' || strlen(text) > 0);
    if (etcd_api_missing(&result))
        check(result.status == 404);
    etcd_v2_error(&result);
}

static void check_etcd(char *text, bool v3)
{
    struct kv_table table = {0};
    char *line = strsep(&text, "\n");
    int64_t number = 0;
    size_t changes = 0, listed;

    check_result(line);
    if (v3)
        check_v3_answer(line);
    if ((v3 ? etcd_parse_range(line, &table, &number) : etcd_parse_v2_list(line, &table)) < 0)
        kv_table_clear(&table); /* listed again, as the watch does */
    listed = table.count;
    while ((line = strsep(&text, "\n")) != NULL) {
        enum etcd_event event =
            v3 ? etcd_apply_watch(line, &table) : etcd_apply_v2_event(line, DIRECTORY, &table, &number);

        check(event >= ETCD_NOTHING && event <= ETCD_BROKEN);
        changes += 1 + strlen(line) / 8; /* an event takes some room */
    }
    check(table.count <= listed + changes);
    check_table(&table);
    for (size_t i = 0; v3 && i < table.count && i < 4; i++)
        check_put(&table.pairs[i]);
    kv_table_clear(&table);
}

static void check_v3(char *text)
{
    check_etcd(text, true);
}

static void check_v2(char *text)
{
    check_etcd(text, false);
}

/* --- Consul --- */

static void check_consul_answer(char *text)
{
    struct http_result result = {.status = 200 + text[0], .body = text, .length = strlen(text)};
    char id[CONSUL_SESSION_ID_MAX] = "", words[320];
    struct consul_key key;

    if (consul_parse_session(text, id, sizeof(id)) == 0)
        check(id[0] != '\0' && strlen(id) < sizeof(id));
    if (consul_parse_key(text, &key) == 0)
        check(key.present && strlen(key.session) < sizeof(key.session));
    free(key.value);
    snprintf(result.index, sizeof(result.index), "%s", text);
    check(consul_index(&result) >= 0);
    consul_describe(words, sizeof(words), &result);
    check(words[0] != '\0');
}

static void check_consul(char *text)
{
    for (char *line; (line = strsep(&text, "\n")) != NULL;) {
        struct kv_table table = {0};
        char *coded = base64_encode(line, strlen(line)), *again = base64_decode_text(coded);

        check(strcmp(again, line) == 0);
        free(again);
        free(coded);
        check_consul_answer(line);
        if (consul_parse_list(line, &table) == 0)
            check(table.count <= strlen(line) / 8);
        check_table(&table);
        kv_table_clear(&table);
    }
}

/* --- lists, files, URLs --- */

/* Long ranges only take time. */
static bool has_long_range(const char *text)
{
    for (const char *at = text; (at = strchr(at, '[')) != NULL; at++) {
        for (const char *end = at + 1; *end != '\0' && *end != '\n'; end++) {
            if (strspn(end, "0123456789") > 3)
                return true;
        }
    }
    return false;
}

/* A watch that has been stopped tells what there is and returns. */
static void check_discovery(const char *url)
{
    const struct discovery_options options = {.url = url, .heartbeat_ms = 1000, .ttl_ms = 1000};
    struct discovery *discovery = NULL;
    char *error = NULL;

    if (discovery_new(&discovery, &options, &error) < 0) {
        check(error != NULL);
        free(error);
        return;
    }
    discovery_stop(discovery);
    discovery_watch(discovery, &events, NULL);
    discovery_free(discovery);
}

static void check_nodes(char *text)
{
    char *url = NULL;

    if (has_long_range(text))
        return;
    check(asprintf(&url, "nodes://%s", text) > 0);
    check_discovery(url);
    free(url);
}

static void check_file(char *text)
{
    int fd = memfd_create("nodes", MFD_CLOEXEC);
    char url[64];

    check(fd >= 0);
    snprintf(url, sizeof(url), "file:///proc/self/fd/%d", fd);
    check(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    if (!has_long_range(text))
        check_discovery(url);
    close(fd);
}

static void check_place(char *text)
{
    const struct discovery_options options = {0};
    struct kv_place place = {0};
    char *error = NULL;

    if (kv_place_parse(&place, text, 2379, &options, &error) == 0) {
        char *again = kv_path_join(place.directory, "");

        check(place.count > 0);
        for (size_t i = 0; i < place.count; i++)
            check(discovery_is_address(place.endpoints[i]));
        check(place.directory[0] != '/' && place.directory[0] != '\0' && strstr(place.directory, "//") == NULL);
        check(place.directory[strlen(place.directory) - 1] != '/' && strcmp(again, place.directory) == 0);
        free(again);
    } else {
        check(error != NULL);
    }
    free(error);
    kv_place_finish(&place);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(char *text) = {
        ['3'] = check_v3,    ['2'] = check_v2,   ['c'] = check_consul,
        ['n'] = check_nodes, ['f'] = check_file, ['k'] = check_place,
    };
    char *text;

    if (size == 0 || data[0] >= sizeof(kinds) / sizeof(kinds[0]) || kinds[data[0]] == NULL)
        return -1; /* of no interest */
    text = fuzz_text(data + 1, size - 1);
    kinds[data[0]](text);
    free(text);
    return 0;
}
