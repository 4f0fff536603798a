/* SPDX-License-Identifier: Apache-2.0 */
/* swarm-manage: read the command line, build the parts, serve until told to stop, take the parts down again. */
#include <errno.h>
#include <malloc.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "decisions.h"
#include "discovery.h"
#include "engine_idle.h"
#include "events.h"
#include "exec_table.h"
#include "http_client.h"
#include "http_server.h"
#include "kv_store.h"
#include "leader.h"
#include "log.h"
#include "manage_options.h"
#include "monitor.h"
#include "notify.h"
#include "office.h"
#include "pins.h"
#include "plugins.h"
#include "pool.h"
#include "process.h"
#include "recall.h"
#include "records.h"
#include "routes.h"
#include "ssh_bridge.h"
#include "stream.h"
#include "traits.h"
#include "watchdog.h"

#define STOP_GRACE_MS 5000
#define STOP_CALLS_MS 3000 /* calls to engines end sooner, so that clients are told */
#define STOP_MOVES_MS 4000 /* what a primary has begun to move ends before another one is elected */
#define STOP_WRITES_MS 2000
#define CONNECTIONS_MAX 10000
#define GIVE_BACK_S 30 /* between looks at memory that is free */
#define IDLE_MAX 2048 /* connections to engines that requests leave */

/* Ends the process, as every mistake in the configuration does. */
static _Noreturn void die(const char *error)
{
    log_fatal("%s", error == NULL ? "out of memory" : error);
}

static void block_signals(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
    sigaddset(ret, SIGHUP);
    pthread_sigmask(SIG_BLOCK, ret, NULL); /* inherited by every thread: main waits for them */
    signal(SIGPIPE, SIG_IGN);
}

/* An id that stays the same for the same cluster: made from where its nodes are announced. */
static char *cluster_id(const char *discovery)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    char *text = malloc(37), *at = text;

    if (text == NULL || EVP_Digest(discovery, strlen(discovery), digest, &length, EVP_sha256(), NULL) != 1) {
        free(text);
        return NULL;
    }
    for (int i = 0; i < 16; i++)
        at += sprintf(at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", digest[i]);
    return text;
}

static struct swarm_registry *load_plugins(const struct manage_config *config)
{
    struct swarm_registry *registry = NULL;
    char *error = NULL;

    if (plugins_load(&registry, config->plugins, &error) < 0)
        die(error);
    return registry;
}

static struct swarm_scheduler *make_scheduler(const struct manage_config *config, const struct swarm_registry *registry)
{
    struct swarm_scheduler_options options = SWARM_SCHEDULER_OPTIONS_INIT;
    struct swarm_scheduler *scheduler = NULL;
    struct swarm_error *error = NULL;

    options.strategy = config->strategy;
    options.filters = config->filters;
    options.filter_count = config->filter_count;
    options.registry = registry;
    if (swarm_scheduler_new(&scheduler, &options, &error) < 0)
        die(swarm_error_message(error));
    return scheduler;
}

static struct discovery *make_discovery(const struct manage_config *config)
{
    struct discovery_options options = {
        .url = config->discovery,
        .settings = config->discovery_settings,
        .heartbeat_ms = config->manager.heartbeat_ms,
    };
    struct discovery *discovery = NULL;
    char *error = NULL;

    if (discovery_new(&discovery, &options, &error) < 0)
        die(error);
    return discovery;
}

static void take_entries(void *data, const struct discovery_list *list)
{
    struct manager *manager = data;

    monitor_set_list(manager->monitor, list);
}

static void take_error(void *data, const char *message)
{
    log_error("Discovery error: %s", message);
}

struct watch {
    struct discovery *discovery;
    struct manager *manager;
    pthread_t thread;
};

static void *run_watch(void *data)
{
    static const struct discovery_events events = {take_entries, take_error};
    struct watch *watch = data;

    discovery_watch(watch->discovery, &events, watch->manager);
    return NULL;
}

static bool is_loopback(const struct address *address)
{
    return address->is_unix || strncmp(address->host, "127.", 4) == 0 || strcmp(address->host, "::1") == 0 ||
           strcmp(address->host, "localhost") == 0;
}

static void listen_on(struct http_server *server, const char *url, const struct tls *tls)
{
    struct address address;
    const char *shown = strstr(url, "://");
    char *error = NULL;

    if (address_parse(&address, url, &error) < 0)
        die(error);
    shown = address.is_unix ? address.path : shown == NULL ? url : shown + 3;
    log_info_with(LOG_FIELDS({"proto", address.is_unix ? "unix" : "tcp"}, {"addr", shown}), "Listening for HTTP");
    if (!is_loopback(&address) && (tls == NULL || !tls->options.verify))
        log_warn("LISTENING ON %s WITHOUT --tlsverify: whoever can reach this address controls every node of the "
                 "cluster as root. Use --tlsverify, or listen on 127.0.0.1 or a unix socket.",
                 url);
    if (http_server_listen(server, url, tls, NULL, &error) == 0)
        return;
    die(error);
}

/* As many descriptors as we may have; a shell's usual 1024 are soon used up. */
static int raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 1024;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 && getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 1024;
    return limit.rlim_cur > 1000000 ? 1000000 : (int)limit.rlim_cur;
}

/* Each takes two descriptors, its own and one to an engine (or of the events it waits for); a quarter of all is left
 * for watching the engines. */
static int connection_limit(int wanted)
{
    int limit = raise_descriptor_limit() / 8 * 3;

    if (wanted > limit)
        log_warn("--http-connections %d is more than the limit on open files allows, which is %d", wanted, limit);
    if (wanted == 0)
        wanted = CONNECTIONS_MAX;
    return wanted < limit ? wanted : limit;
}

/* Each engine's event stream takes one. Idle connections take a quarter of all at most, however many engines there are:
 * an eighth between pings, another of those that requests leave. */
static void limit_idle(struct manager *manager)
{
    size_t share = (size_t)raise_descriptor_limit() / 8;

    manager->options.kept_connections = share;
    engine_idle_limit(share < IDLE_MAX ? share : IDLE_MAX);
}

static struct http_server *start_server(struct manager *manager, const struct manage_config *config)
{
    struct http_server_options options = {
        .handler = routes_handle,
        .data = manager,
        .max_connections = connection_limit(config->http.connections),
        .head_timeout_ms = config->http.head_timeout_ms,
        .body_timeout_ms = config->http.body_timeout_ms,
        .idle_timeout_ms = config->http.idle_timeout_ms,
        .http2 = true,
        .headers = {{"Server", "Swarm/" SWARM_VERSION " (linux)"}},
    };
    struct http_server *server = NULL;
    char *error = NULL;

    if (http_server_new(&server, &options, &error) < 0)
        die(error);
    for (size_t i = 0; config->hosts != NULL && config->hosts[i] != NULL; i++)
        listen_on(server, config->hosts[i], manager->tls);
    return server;
}

static void make_leader(struct manager *manager, struct discovery *discovery, const struct manage_config *config)
{
    char *error = NULL;

    if (config->leader.enabled && leader_new(&manager->leader, manager, discovery, &config->leader, &error) < 0)
        die(error);
}

static void make_parts(struct manager *manager, const struct manage_config *config)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    manager->started_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    manager->options = config->manager;
    manager->options.fixed_list = recall_is_fixed_list(config->discovery);
    limit_idle(manager);
    manager->id = cluster_id(config->discovery);
    manager->bridges = ssh_bridges_new(config->ssh_options);
    if (manager->id == NULL || manager->bridges == NULL || pool_new(&manager->pool, manager) < 0 ||
        event_hub_new(&manager->events) < 0 || traits_cache_new(&manager->traits) < 0 ||
        exec_table_new(&manager->execs) < 0 || decisions_new(&manager->decisions) < 0 ||
        pin_table_new(&manager->pins) < 0 || watchdog_new(&manager->watchdog, manager) < 0 ||
        monitor_new(&manager->monitor, manager) < 0 || watchdog_start(manager->watchdog) < 0)
        die("the manager's parts could not be started: out of memory or threads");
}

/* In the store where there is one; else in a file of this manager's own. */
static void open_office(struct manager *manager, struct discovery *discovery, const struct manage_config *config)
{
    char *file = recall_file(manager, config->state_dir, config->discovery), *error = NULL;
    struct office *office;

    if (office_new(&office, manager, discovery, file, &error) < 0)
        log_warn("Nothing is recorded that outlives this manager: %s", error == NULL ? "out of memory" : error);
    else if (office_start(office) < 0)
        die("the thread that reads the record could not be started");
    free(file);
    free(error);
}

static void open_records(struct manager *manager, struct discovery *discovery, const struct manage_config *config)
{
    char *error = NULL;

    if (strcmp(config->state_dir, "none") == 0)
        return;
    if (kv_store_is_there(discovery))
        open_office(manager, discovery, config);
    else if (recall_open(manager, config->state_dir, config->state_dir_given, config->discovery, &error) < 0)
        die(error);
}

static void close_records(struct manager *manager)
{
    struct records *records = manager->records;

    pool_write_lock(manager->pool); /* what goes from here on goes with the manager only */
    manager->records = NULL;
    pool_unlock(manager->pool);
    records_free(records);
}

static void free_parts(struct manager *manager)
{
    monitor_stop(manager->monitor);
    watchdog_free(manager->watchdog); /* its calls to engines report to the monitor until they have ended */
    close_records(manager);
    office_free(manager->office);
    manager->office = NULL;
    monitor_free(manager->monitor);
    pin_table_free(manager->pins);
    exec_table_free(manager->execs);
    decisions_free(manager->decisions);
    traits_cache_free(manager->traits);
    event_hub_free(manager->events);
    pool_free(manager->pool);
    ssh_bridges_free(manager->bridges);
    swarm_scheduler_free(manager->scheduler);
    free(manager->id);
}

/* SIGHUP: certificates, keys and the CA are read again; streams that stand go on. */
static void reload(const struct tls *tls)
{
    char *error = NULL;

    if (tls == NULL)
        log_info("SIGHUP: there are no certificates to read again");
    else if (tls_reload(tls, &error) == 0)
        log_info("SIGHUP: the certificates were read again");
    else
        log_error("SIGHUP: the certificates stay as they were: %s", error == NULL ? "out of memory" : error);
    free(error);
}

/* Before anything else ends, so that there is a new primary at once. */
static void resign(struct manager *manager)
{
    office_stop(manager->office);
    if (manager->leader == NULL)
        return;
    leader_retire(manager->leader);
    watchdog_await_rest(manager->watchdog, STOP_MOVES_MS);
    if (manager->office != NULL) { /* the next one knows of them */
        records_settle(manager->records, STOP_WRITES_MS);
        records_close(manager->records, NULL);
    }
    leader_stop(manager->leader);
}

static int next_signal(const sigset_t *signals)
{
    const struct timespec pause = {.tv_sec = GIVE_BACK_S};
    int number;

    while ((number = sigtimedwait(signals, NULL, &pause)) < 0) {
        if (errno == EAGAIN)
            process_give_back();
    }
    return number;
}

/* Serve until SIGTERM or SIGINT. */
static void serve(struct manager *manager, struct discovery *discovery, const struct manage_config *config,
                  const sigset_t *signals)
{
    struct watch watch = {.discovery = discovery, .manager = manager};
    struct http_server *server = start_server(manager, config);
    int signal_number;

    if (pthread_create(&watch.thread, NULL, run_watch, &watch) != 0)
        die("the thread that watches the discovery service could not be started");
    if (manager->leader != NULL && leader_start(manager->leader) < 0)
        die("the thread of the leader election could not be started");
    notify("READY=1");
    while ((signal_number = next_signal(signals)) == SIGHUP)
        reload(manager->tls);
    notify("STOPPING=1");
    log_info("Stopping on %s", signal_number == SIGINT ? "SIGINT" : "SIGTERM");
    atomic_store(&manager->calls_end_ms, monotonic_ms() + STOP_CALLS_MS);
    resign(manager);
    http_server_stop(server, STOP_GRACE_MS);
    discovery_stop(discovery);
    pthread_join(watch.thread, NULL);
    http_server_free(server);
}

int main(int argc, char **argv)
{
    struct manage_config config;
    struct manager manager = {0};
    struct swarm_registry *registry;
    struct discovery *discovery;
    struct tls *tls = NULL;
    char *error = NULL;
    sigset_t signals;

    mallopt(M_ARENA_MAX, 4); /* a thread a connection must not mean an arena a connection */
    block_signals(&signals);
    if (manage_options_parse(&config, argc, argv) != 0) {
        manage_options_free(&config);
        return 0;
    }
    registry = load_plugins(&config); /* first: other options name what they bring */
    if (manage_options_check(&config, &error) < 0 || (config.use_tls && tls_new(&tls, &config.tls, &error) < 0) ||
        http_client_global_init() < 0)
        die(error);
    discovery = make_discovery(&config);
    manager.tls = tls;
    manager.scheduler = make_scheduler(&config, registry);
    swarm_registry_free(registry);
    if (manage_options_check_cluster(&config, &error) < 0)
        die(error);
    make_leader(&manager, discovery, &config);
    make_parts(&manager, &config);
    open_records(&manager, discovery, &config);
    serve(&manager, discovery, &config, &signals);
    free_parts(&manager);
    leader_free(manager.leader);
    discovery_free(discovery);
    tls_free(tls);
    manage_options_free(&config);
    return 0;
}
