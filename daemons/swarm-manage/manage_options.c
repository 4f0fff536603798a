/* SPDX-License-Identifier: Apache-2.0 */
#include "manage_options.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <swarm/version.h>

#include "commit.h"
#include "detection.h"
#include "engine.h"
#include "log.h"
#include "options.h"
#include "reschedule_options.h"

#define STATE_DIR "/var/lib/swarm-manage"

static const struct option known_options[] = {
    OPTIONS_GLOBAL,
    {"strategy", OPTION_STRING, "spread", NULL, "placement strategy to use [spread, binpack, random]"},
    {"filter, f", OPTION_LIST, "health,port,containerslots,dependency,affinity,constraint,whitelist", NULL,
     "filter to use [health, port, containerslots, dependency, affinity, constraint, whitelist]"},
    {"plugin", OPTION_LIST, NULL, NULL,
     "shared object with strategies and filters to use, as FILE.so or FILE.so:ARGUMENTS"},
    {"host, H", OPTION_LIST, "tcp://127.0.0.1:2375", "SWARM_HOST", "ip/socket to listen on"},
    OPTIONS_LEADER,
    {"tls", OPTION_BOOL, NULL, NULL, "use TLS; implied by --tlsverify=true"},
    {"tlscacert", OPTION_STRING, NULL, NULL, "trust only remotes providing a certificate signed by the CA given here"},
    {"tlscert", OPTION_STRING, NULL, NULL, "path to TLS certificate file"},
    {"tlskey", OPTION_STRING, NULL, NULL, "path to TLS key file"},
    {"tlsverify", OPTION_BOOL, NULL, NULL, "use TLS and verify the remote"},
    {"engine-refresh-min-interval", OPTION_STRING, "30s", NULL, "set engine refresh minimum interval"},
    {"engine-refresh-max-interval", OPTION_STRING, "60s", NULL, "set engine refresh maximum interval"},
    {"engine-failure-retry", OPTION_INT, "3", NULL, "set engine failure retry count"},
    OPTIONS_DETECTION,
    {"engine-ssh-opt", OPTION_LIST, NULL, NULL,
     "option for ssh to engines at ssh:// addresses, as in ssh_config(5): IdentityFile=/path"},
    {"engine-refresh-retry", OPTION_INT, "3", NULL, "deprecated; replaced by --engine-failure-retry"},
    {"heartbeat", OPTION_STRING, "60s", NULL, "period between each heartbeat"},
    OPTIONS_HTTP,
    {"api-enable-cors, cors", OPTION_BOOL, NULL, NULL, "enable CORS headers in the remote API"},
    {"api-version", OPTION_STRING, "auto", NULL,
     "API version to offer to clients [auto: what every engine can do, auto-max: what any can, or a version]"},
    {"node-prefix", OPTION_STRING, "auto", NULL,
     "names in lists as node/name [always, never, auto: but for networks and volumes asked for by their exact name]"},
    {"cluster-driver, c", OPTION_STRING, "swarm", NULL, "cluster driver to use [swarm]"},
    {"cluster-opt", OPTION_LIST, NULL, NULL, "cluster driver options"},
    {"discovery-opt", OPTION_LIST, NULL, NULL, "discovery options"},
    OPTIONS_RESCHEDULE,
    {"state-dir", OPTION_STRING, STATE_DIR, "SWARM_STATE_DIR",
     "folder for the record of containers to be rescheduled where discovery has no store for it [none: no record]"},
    {"refresh-on-node-filter", OPTION_BOOL, NULL, NULL,
     "on container listing with a node filter, refresh the matching nodes first"},
    {"container-name-refresh-filter", OPTION_STRING, NULL, NULL,
     "on container listing with this name filter, refresh all nodes first"},
    {"version, v", OPTION_BOOL, NULL, NULL, "print the version"},
    {0},
};

static const char epilogue[] = " * swarm.overcommit=0.05\tovercommit to apply on resources\n"
                               " * swarm.createretry=0\tcontainer create retry count after initial failure\n"
                               " * swarm.countstopped=all\twhat stopped containers count for "
                               "[all, none, or of ports,slots,resources]\n"
                               " * swarm.cpushares=auto\twhat --cpu-shares means [auto, cpus, weight]\n";

static const struct option *find(const struct manage_config *config, const char *name)
{
    return option_find(&config->command, name);
}

static const char *value_of(const struct manage_config *config, const char *name)
{
    const char *value = find(config, name)->value;

    return value == NULL ? "" : value;
}

static bool flag_of(const struct manage_config *config, const char *name)
{
    return find(config, name)->flag;
}

static int refuse(char **reterr, const char *text)
{
    *reterr = strdup(text);
    return -1;
}

int manage_options_parse(struct manage_config *config, int argc, char **argv)
{
    size_t count = 0;
    char *error = NULL;
    int r;

    memset(config, 0, sizeof(*config));
    config->options = malloc(sizeof(known_options));
    if (config->options == NULL)
        log_fatal("out of memory");
    memcpy(config->options, known_options, sizeof(known_options));
    config->command = (struct command){"manage", "Manage a docker cluster", "<discovery>", config->options, epilogue};
    r = options_parse(&config->command, argc - 1, argv + 1, &config->positional, &count, &error);
    if (r > 0)
        return 1;
    if (r < 0)
        options_incorrect_usage(&config->command, "swarm", error == NULL ? "out of memory" : error);
    options_init_log(&config->command);
    if (flag_of(config, "version")) {
        printf("swarm-manage version %s (%s)\n", SWARM_VERSION, SWARM_GIT_COMMIT);
        return 1;
    }
    config->discovery = options_discovery(config->positional, count);
    config->discovery_settings = find(config, "discovery-opt")->list;
    config->hosts = find(config, "host")->list;
    config->plugins = find(config, "plugin")->list;
    config->ssh_options = find(config, "engine-ssh-opt")->list;
    config->strategy = value_of(config, "strategy");
    if (find(config, "filter")->given) {
        config->filters = find(config, "filter")->list;
        config->filter_count = find(config, "filter")->count;
    }
    config->state_dir = value_of(config, "state-dir");
    config->state_dir_given = strcmp(config->state_dir, STATE_DIR) != 0 || find(config, "state-dir")->given;
    config->manager.debug = flag_of(config, "debug");
    config->manager.experimental = flag_of(config, "experimental");
    config->manager.cors = flag_of(config, "api-enable-cors");
    config->manager.api_version = value_of(config, "api-version");
    config->manager.refresh_on_node_filter = flag_of(config, "refresh-on-node-filter");
    config->manager.container_name_refresh_filter = value_of(config, "container-name-refresh-filter");
    return 0;
}

void manage_options_free(struct manage_config *config)
{
    free(config->positional);
    config->positional = NULL;
    options_free(&config->command);
    free(config->options);
    config->options = NULL;
}

/* --- checks --- */

static int check_tls(struct manage_config *config, char **reterr)
{
    bool verify = flag_of(config, "tlsverify");
    bool ca = find(config, "tlscacert")->given;
    bool cert = find(config, "tlscert")->given;
    bool key = find(config, "tlskey")->given;

    config->use_tls = verify || flag_of(config, "tls");
    config->tls = (struct tls_options){verify, value_of(config, "tlscacert"), value_of(config, "tlscert"),
                                       value_of(config, "tlskey")};
    if (!config->use_tls) {
        return ca || cert || key ? refuse(reterr, "--tlscert, --tlskey and --tlscacert require the use of either "
                                                  "--tls or --tlsverify")
                                 : 0;
    }
    if (!cert || !key)
        return refuse(reterr, "--tlscert and --tlskey must be provided when using --tls");
    if (verify && !ca)
        return refuse(reterr, "--tlscacert must be provided when using --tlsverify");
    return 0;
}

/* A duration option in milliseconds; at most INT_MAX. -1 with *reterr new text where it is none. */
static int duration_of(const struct manage_config *config, const char *name, int *ret_ms, char **reterr)
{
    int64_t ns;

    if (duration_parse(&ns, value_of(config, name), reterr) < 0)
        return -1;
    ns /= 1000000;
    *ret_ms = ns > INT_MAX ? INT_MAX : ns < INT_MIN ? INT_MIN : (int)ns;
    return 0;
}

/* As classic Swarm has it, an interval that cannot be read counts as none. */
static int interval_of(const struct manage_config *config, const char *name)
{
    char *error = NULL;
    int ms = 0;

    if (duration_of(config, name, &ms, &error) < 0)
        ms = 0;
    free(error);
    return ms;
}

static int check_engine_options(struct manage_config *config, char **reterr)
{
    long retry = find(config, "engine-failure-retry")->number;

    config->manager.refresh_min_ms = interval_of(config, "engine-refresh-min-interval");
    if (config->manager.refresh_min_ms <= 0)
        return refuse(reterr, "min refresh interval should be a positive number");
    config->manager.refresh_max_ms = interval_of(config, "engine-refresh-max-interval");
    if (config->manager.refresh_max_ms < config->manager.refresh_min_ms)
        return refuse(reterr, "max refresh interval cannot be less than min refresh interval");
    if (find(config, "engine-refresh-retry")->number != 3)
        return refuse(reterr, "--engine-refresh-retry is deprecated. Use --engine-failure-retry");
    if (retry <= 0 || retry > INT_MAX)
        return refuse(reterr, "invalid failure retry count");
    for (const char *const *option = config->ssh_options; option != NULL && *option != NULL; option++) {
        if (strchr(*option, '=') == NULL)
            return refuse(reterr, "--engine-ssh-opt must contain key=value strings");
    }
    config->manager.failure_retry = (int)retry;
    return 0;
}

static int check_heartbeat(struct manage_config *config, char **reterr)
{
    char *why = NULL;

    if (duration_of(config, "heartbeat", &config->manager.heartbeat_ms, &why) < 0) {
        if (asprintf(reterr, "invalid --heartbeat: %s", why == NULL ? "out of memory" : why) < 0)
            *reterr = NULL;
        free(why);
        return -1;
    }
    return config->manager.heartbeat_ms < 1000 ? refuse(reterr, "--heartbeat should be at least one second") : 0;
}

static int check_api_version(const struct manage_config *config, char **reterr)
{
    const char *text = config->manager.api_version;
    struct api_version version, min, max;

    if (strcmp(text, "auto") == 0 || strcmp(text, "auto-max") == 0)
        return 0;
    (void)api_version_parse(&min, API_VERSION_MIN);
    (void)api_version_parse(&max, API_VERSION_MAX);
    if (api_version_parse(&version, text) == 0 && api_version_compare(version, min) >= 0 &&
        api_version_compare(version, max) <= 0)
        return 0;
    if (asprintf(reterr,
                 "invalid --api-version: \"%s\" is neither auto nor auto-max nor a version from " API_VERSION_MIN
                 " to " API_VERSION_MAX,
                 text) < 0)
        *reterr = NULL;
    return -1;
}

static int take_node_prefix(struct manage_config *config, char **reterr)
{
    static const char *const texts[] = {
        [NODE_PREFIX_AUTO] = "auto", [NODE_PREFIX_ALWAYS] = "always", [NODE_PREFIX_NEVER] = "never"};
    const char *text = value_of(config, "node-prefix");

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(text, texts[i]) == 0) {
            config->manager.node_prefix = (enum node_prefix)i;
            return 0;
        }
    }
    if (asprintf(reterr, "invalid --node-prefix: \"%s\" is neither auto nor always nor never", text) < 0)
        *reterr = NULL;
    return -1;
}

int manage_options_check(struct manage_config *config, char **reterr)
{
    if (check_tls(config, reterr) < 0 || check_engine_options(config, reterr) < 0 ||
        check_api_version(config, reterr) < 0 || take_node_prefix(config, reterr) < 0)
        return -1;
    if (config->discovery == NULL || config->discovery[0] == '\0')
        return refuse(reterr, "discovery required to manage a cluster. See 'swarm manage --help'.");
    if (check_heartbeat(config, reterr) < 0 || detection_read(&config->manager.detection, &config->command, reterr) < 0)
        return -1;
    if (http_options_read(&config->http, &config->command, reterr) < 0)
        return -1;
    return reschedule_options_read(&config->manager.reschedule, &config->command, reterr);
}

/* --- cluster options --- */

/* The value of the first setting of that key: *ret is NULL where there is none. -1 for a key without a value. */
static int find_setting(const char *const *settings, const char *key, const char **ret, char **reterr)
{
    size_t length = strlen(key);

    *ret = NULL;
    for (size_t i = 0; settings != NULL && settings[i] != NULL; i++) {
        if (strncmp(settings[i], key, length) != 0)
            continue;
        if (settings[i][length] == '=') {
            *ret = settings[i] + length + 1;
            return 0;
        }
        if (settings[i][length] == '\0') {
            if (asprintf(reterr, "--cluster-opt %s: the value is missing, as in %s=1", key, key) < 0)
                *reterr = NULL;
            return -1;
        }
    }
    return 0;
}

static int not_a_number(const char *key, const char *text, const char *kind, char **reterr)
{
    if (asprintf(reterr, "--cluster-opt %s: \"%s\" is no %s", key, text, kind) < 0)
        *reterr = NULL;
    return -1;
}

static int read_overcommit(struct manager_options *to, const char *const *settings, char **reterr)
{
    const char *text;
    char *end;

    to->overcommit = 0.05;
    if (find_setting(settings, "swarm.overcommit", &text, reterr) < 0)
        return -1;
    if (text == NULL)
        return 0;
    to->overcommit = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(to->overcommit))
        return not_a_number("swarm.overcommit", text, "number", reterr);
    if (to->overcommit <= -1) {
        if (asprintf(reterr, "swarm.overcommit should be larger than -1, %f is invalid", to->overcommit) < 0)
            *reterr = NULL;
        return -1;
    }
    if (to->overcommit < 0)
        log_warn("-1 < swarm.overcommit < 0 will make swarm take less resource than docker engine offers");
    return 0;
}

static int read_create_retry(struct manager_options *to, const char *const *settings, char **reterr)
{
    const char *text;
    char *end;
    long number;

    to->create_retry = 0;
    if (find_setting(settings, "swarm.createretry", &text, reterr) < 0)
        return -1;
    if (text == NULL)
        return 0;
    errno = 0;
    number = strtol(text, &end, 0);
    if (end == text || *end != '\0' || errno != 0 || number > INT_MAX)
        return not_a_number("swarm.createretry", text, "whole number", reterr);
    if (number < 0) {
        if (asprintf(reterr, "swarm.createretry can not be negative, %ld is invalid", number) < 0)
            *reterr = NULL;
        return -1;
    }
    to->create_retry = (int)number;
    return 0;
}

/* The flags that a word of the list stands for; -1 for any other text. */
static int count_flags(const char *word, size_t length, bool alone)
{
    static const struct {
        const char *word;
        int flags;
        bool alone;
    } words[] = {
        {"ports", SWARM_COUNT_PORTS, false},
        {"slots", SWARM_COUNT_SLOTS, false},
        {"resources", SWARM_COUNT_RESOURCES, false},
        {"all", SWARM_COUNT_ALL, true},
        {"none", 0, true},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i].word) == length && strncmp(word, words[i].word, length) == 0 && (alone || !words[i].alone))
            return words[i].flags;
    }
    return -1;
}

static int read_stopped_counts(struct manager_options *to, const char *const *settings, char **reterr)
{
    const char *text, *word;

    to->stopped_counts = SWARM_COUNT_ALL;
    if (find_setting(settings, "swarm.countstopped", &text, reterr) < 0)
        return -1;
    if (text == NULL)
        return 0;
    to->stopped_counts = 0;
    word = text;
    for (;;) {
        size_t length = strcspn(word, ",");
        int flags = count_flags(word, length, word == text && word[length] == '\0');

        if (flags < 0) {
            if (asprintf(reterr,
                         "--cluster-opt swarm.countstopped: \"%s\" is neither all nor none nor a list of ports, slots, "
                         "resources with commas between them",
                         text) < 0)
                *reterr = NULL;
            return -1;
        }
        to->stopped_counts |= flags;
        if (word[length] == '\0')
            return 0;
        word += length + 1;
    }
}

static int read_cpu_shares(struct manager_options *to, const char *const *settings, char **reterr)
{
    static const struct {
        const char *word;
        enum swarm_cpu_shares meaning;
    } words[] = {{"auto", SWARM_CPU_SHARES_AUTO}, {"cpus", SWARM_CPU_SHARES_CPUS}, {"weight", SWARM_CPU_SHARES_WEIGHT}};
    const char *text;

    to->cpu_shares = SWARM_CPU_SHARES_AUTO;
    if (find_setting(settings, "swarm.cpushares", &text, reterr) < 0)
        return -1;
    for (size_t i = 0; text != NULL && i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].word, text) == 0) {
            to->cpu_shares = words[i].meaning;
            return 0;
        }
    }
    if (text != NULL &&
        asprintf(reterr, "--cluster-opt swarm.cpushares: \"%s\" is none of auto, cpus, weight", text) < 0)
        *reterr = NULL;
    return text == NULL ? 0 : -1;
}

static void warn_of_unknown(const char *const *settings)
{
    static const char *const known[] = {
        "swarm.overcommit=", "swarm.createretry=", "swarm.countstopped=", "swarm.cpushares="};

    for (size_t i = 0; settings != NULL && settings[i] != NULL; i++) {
        bool found = false;

        for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
            found = found || strncmp(settings[i], known[k], strlen(known[k])) == 0;
        if (!found)
            log_warn("--cluster-opt %s is not known and has no effect", settings[i]);
    }
}

int cluster_settings_read(struct manager_options *to, const char *const *settings, char **reterr)
{
    if (read_overcommit(to, settings, reterr) < 0 || read_create_retry(to, settings, reterr) < 0 ||
        read_stopped_counts(to, settings, reterr) < 0 || read_cpu_shares(to, settings, reterr) < 0)
        return -1;
    warn_of_unknown(settings);
    return 0;
}

int manage_options_check_cluster(struct manage_config *config, char **reterr)
{
    if (strcmp(value_of(config, "cluster-driver"), "swarm") != 0) {
        if (asprintf(reterr, "unsupported cluster \"%s\"", value_of(config, "cluster-driver")) < 0)
            *reterr = NULL;
        return -1;
    }
    if (cluster_settings_read(&config->manager, find(config, "cluster-opt")->list, reterr) < 0)
        return -1;
    return leader_options_read(&config->leader, &config->command, reterr);
}
