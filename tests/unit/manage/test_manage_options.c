/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "manage_options.h"

struct line {
    struct manage_config config;
    char *words; /* what the configuration points into */
    char *error; /* of the first check that fails; NULL: all pass */
};

static void read_line(struct line *line, const char *text)
{
    char *argv[32], *at;
    int argc = 0;

    line->words = strdup(text);
    line->error = NULL;
    for (char *word = strtok_r(line->words, " ", &at); word != NULL; word = strtok_r(NULL, " ", &at))
        argv[argc++] = word;
    argv[argc] = NULL;
    assert_int_equal(manage_options_parse(&line->config, argc, argv), 0);
    if (manage_options_check(&line->config, &line->error) == 0)
        (void)manage_options_check_cluster(&line->config, &line->error);
}

static void forget_line(struct line *line)
{
    manage_options_free(&line->config);
    free(line->words);
    free(line->error);
}

static void assert_error(const char *text, const char *expected)
{
    struct line line;

    read_line(&line, text);
    assert_non_null(line.error);
    assert_string_equal(line.error, expected);
    forget_line(&line);
}

static void test_defaults(void **state)
{
    struct line line;

    read_line(&line, "swarm-manage nodes://a:1");
    assert_null(line.error);
    assert_string_equal(line.config.discovery, "nodes://a:1");
    assert_string_equal(line.config.hosts[0], "tcp://127.0.0.1:2375");
    assert_null(line.config.hosts[1]);
    assert_string_equal(line.config.strategy, "spread");
    assert_null(line.config.filters);
    assert_false(line.config.use_tls);
    assert_int_equal(line.config.manager.refresh_min_ms, 30000);
    assert_int_equal(line.config.manager.refresh_max_ms, 60000);
    assert_int_equal(line.config.manager.detection.stop_ms, 1500);
    assert_int_equal(line.config.manager.detection.silence_ms, 10000);
    assert_int_equal(line.config.manager.detection.flap_limit, 3);
    assert_int_equal(line.config.manager.detection.flap_window_ms, 300000);
    assert_int_equal(line.config.manager.detection.unannounced_ms, 3600000);
    assert_int_equal(line.config.manager.failure_retry, 3);
    assert_int_equal(line.config.manager.heartbeat_ms, 60000);
    assert_int_equal(line.config.manager.create_retry, 0);
    assert_true(line.config.manager.overcommit > 0.049 && line.config.manager.overcommit < 0.051);
    forget_line(&line);
}

static void test_lists_replace_their_defaults(void **state)
{
    struct line line;

    read_line(&line, "swarm-manage -H tcp://:1 -H=unix:///x --filter health --filter port nodes://a:1");
    assert_null(line.error);
    assert_string_equal(line.config.hosts[0], "tcp://:1");
    assert_string_equal(line.config.hosts[1], "unix:///x");
    assert_null(line.config.hosts[2]);
    assert_int_equal(line.config.filter_count, 2);
    assert_string_equal(line.config.filters[1], "port");
    forget_line(&line);
}

static void test_global_options_are_taken_too(void **state)
{
    struct line line;

    read_line(&line, "swarm-manage --debug -l error --experimental --cors nodes://a:1");
    assert_null(line.error);
    assert_true(line.config.manager.debug);
    assert_true(line.config.manager.experimental);
    assert_true(line.config.manager.cors);
    forget_line(&line);
}

static void test_tls_files_must_fit_together(void **state)
{
    assert_error("swarm-manage --tls nodes://a:1", "--tlscert and --tlskey must be provided when using --tls");
    assert_error("swarm-manage --tlsverify --tlscert c --tlskey k nodes://a:1",
                 "--tlscacert must be provided when using --tlsverify");
    assert_error("swarm-manage --tlscert c nodes://a:1",
                 "--tlscert, --tlskey and --tlscacert require the use of either --tls or --tlsverify");
}

static void test_intervals_are_checked(void **state)
{
    assert_error("swarm-manage --engine-refresh-min-interval 0s nodes://a:1",
                 "min refresh interval should be a positive number");
    assert_error("swarm-manage --engine-refresh-min-interval bogus nodes://a:1",
                 "min refresh interval should be a positive number");
    assert_error("swarm-manage --engine-refresh-max-interval 29s nodes://a:1",
                 "max refresh interval cannot be less than min refresh interval");
    assert_error("swarm-manage --engine-stop-timeout 99ms nodes://a:1",
                 "invalid --engine-stop-timeout: 99ms, a duration from 100ms to 149h is expected");
    assert_error("swarm-manage --engine-silence-timeout 0.9s nodes://a:1",
                 "invalid --engine-silence-timeout: 0.9s, a duration from 1000ms to 149h is expected");
    assert_error("swarm-manage --engine-unannounced-timeout=-1s nodes://a:1",
                 "invalid --engine-unannounced-timeout: -1s, a duration from 0ms to 149h is expected");
    assert_error("swarm-manage --engine-flap-window 2s nodes://a:1",
                 "invalid --engine-flap-window: 2s, a duration from 3000ms to 149h is expected");
    assert_error("swarm-manage --engine-flap-limit 17 nodes://a:1",
                 "invalid --engine-flap-limit: 17, a number from 0 to 16 is expected");
    assert_error("swarm-manage --engine-refresh-retry 4 nodes://a:1",
                 "--engine-refresh-retry is deprecated. Use --engine-failure-retry");
    assert_error("swarm-manage --engine-failure-retry 0 nodes://a:1", "invalid failure retry count");
    assert_error("swarm-manage --heartbeat 999ms nodes://a:1", "--heartbeat should be at least one second");
    assert_error("swarm-manage --heartbeat x nodes://a:1", "invalid --heartbeat: time: invalid duration \"x\"");
}

static void test_api_version_is_checked(void **state)
{
    static const char *const good[] = {"auto", "auto-max", "1.24", "1.51"};
    static const char *const bad[] = {"1.23", "1.52", "2.0", "max", "1", "1.41x"};
    char command[80], error[120];
    struct line line;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(command, sizeof(command), "swarm-manage --api-version %s nodes://a:1", good[i]);
        read_line(&line, command);
        assert_null(line.error);
        assert_string_equal(line.config.manager.api_version, good[i]);
        forget_line(&line);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(command, sizeof(command), "swarm-manage --api-version %s nodes://a:1", bad[i]);
        snprintf(error, sizeof(error),
                 "invalid --api-version: \"%s\" is neither auto nor auto-max nor a version from 1.24 to 1.51", bad[i]);
        assert_error(command, error);
    }
}

static void test_node_prefix_is_one_of_three(void **state)
{
    static const struct {
        const char *options;
        enum node_prefix wanted;
    } good[] = {{"", NODE_PREFIX_AUTO},
                {"--node-prefix auto", NODE_PREFIX_AUTO},
                {"--node-prefix always", NODE_PREFIX_ALWAYS},
                {"--node-prefix never", NODE_PREFIX_NEVER}};
    char command[80];
    struct line line;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(command, sizeof(command), "swarm-manage %s nodes://a:1", good[i].options);
        read_line(&line, command);
        assert_null(line.error);
        assert_int_equal(line.config.manager.node_prefix, good[i].wanted);
        forget_line(&line);
    }
    assert_error("swarm-manage --node-prefix none nodes://a:1",
                 "invalid --node-prefix: \"none\" is neither auto nor always nor never");
}

static void test_discovery_is_required(void **state)
{
    unsetenv("SWARM_DISCOVERY");
    assert_error("swarm-manage", "discovery required to manage a cluster. See 'swarm manage --help'.");
}

static void test_first_failing_check_is_told(void **state)
{
    assert_error("swarm-manage --tls --heartbeat x --engine-failure-retry 0",
                 "--tlscert and --tlskey must be provided when using --tls");
    assert_error("swarm-manage --heartbeat x --engine-failure-retry 0", "invalid failure retry count");
}

static void test_cluster_driver_is_swarm(void **state)
{
    assert_error("swarm-manage -c mesos nodes://a:1", "unsupported cluster \"mesos\"");
}

static void test_cluster_settings_are_read(void **state)
{
    static const char *const settings[] = {"swarm.overcommit=0.5", "swarm.createretry=0x10", "swarm.createretry=2",
                                           NULL};
    struct manager_options options = {0};
    char *error = NULL;

    assert_int_equal(cluster_settings_read(&options, settings, &error), 0);
    assert_true(options.overcommit > 0.49 && options.overcommit < 0.51);
    assert_int_equal(options.create_retry, 16);
    assert_int_equal(options.stopped_counts, SWARM_COUNT_ALL);
}

static void test_what_stopped_containers_count_for(void **state)
{
    static const struct {
        const char *setting;
        int flags;
    } cases[] = {
        {"swarm.countstopped=all", SWARM_COUNT_ALL},
        {"swarm.countstopped=none", 0},
        {"swarm.countstopped=ports", SWARM_COUNT_PORTS},
        {"swarm.countstopped=slots", SWARM_COUNT_SLOTS},
        {"swarm.countstopped=resources", SWARM_COUNT_RESOURCES},
        {"swarm.countstopped=resources,ports", SWARM_COUNT_RESOURCES | SWARM_COUNT_PORTS},
        {"swarm.countstopped=ports,slots,resources,ports", SWARM_COUNT_ALL},
    };
    static const char *const bad[] = {"",          ",",          "ports,", ",ports",     "port",
                                      "all,ports", "ports,none", "ALL",    "ports slots"};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *const settings[] = {cases[i].setting, NULL};
        struct manager_options options = {0};
        char *error = NULL;

        assert_int_equal(cluster_settings_read(&options, settings, &error), 0);
        assert_int_equal(options.stopped_counts, cases[i].flags);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char setting[64], expected[256];
        const char *const settings[] = {setting, NULL};
        struct manager_options options = {0};
        char *error = NULL;

        snprintf(setting, sizeof(setting), "swarm.countstopped=%s", bad[i]);
        snprintf(expected, sizeof(expected),
                 "--cluster-opt swarm.countstopped: \"%s\" is neither all nor none nor a list of ports, slots, "
                 "resources with commas between them",
                 bad[i]);
        assert_int_equal(cluster_settings_read(&options, settings, &error), -1);
        assert_string_equal(error, expected);
        free(error);
    }
}

static void test_what_cpu_shares_mean(void **state)
{
    static const struct {
        const char *setting;
        int meaning;
    } cases[] = {{"swarm.createretry=0", SWARM_CPU_SHARES_AUTO},
                 {"swarm.cpushares=auto", SWARM_CPU_SHARES_AUTO},
                 {"swarm.cpushares=cpus", SWARM_CPU_SHARES_CPUS},
                 {"swarm.cpushares=weight", SWARM_CPU_SHARES_WEIGHT}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *const settings[] = {cases[i].setting, NULL};
        struct manager_options options = {0};
        char *error = NULL;

        assert_int_equal(cluster_settings_read(&options, settings, &error), 0);
        assert_int_equal(options.cpu_shares, cases[i].meaning);
    }
    assert_error("swarm-manage --cluster-opt swarm.cpushares=weights nodes://a:1",
                 "--cluster-opt swarm.cpushares: \"weights\" is none of auto, cpus, weight");
}

static void test_bad_cluster_settings_are_named(void **state)
{
    assert_error("swarm-manage --cluster-opt swarm.overcommit nodes://a:1",
                 "--cluster-opt swarm.overcommit: the value is missing, as in swarm.overcommit=1");
    assert_error("swarm-manage --cluster-opt swarm.overcommit=-1 nodes://a:1",
                 "swarm.overcommit should be larger than -1, -1.000000 is invalid");
    assert_error("swarm-manage --cluster-opt swarm.overcommit=nan nodes://a:1",
                 "--cluster-opt swarm.overcommit: \"nan\" is no number");
    assert_error("swarm-manage --cluster-opt swarm.createretry=-1 nodes://a:1",
                 "swarm.createretry can not be negative, -1 is invalid");
    assert_error("swarm-manage --cluster-opt swarm.createretry=1x nodes://a:1",
                 "--cluster-opt swarm.createretry: \"1x\" is no whole number");
}

static void test_rescheduling(void **state)
{
    struct line line;

    read_line(&line, "swarm-manage nodes://a:1");
    assert_null(line.error);
    assert_int_equal(line.config.manager.reschedule.grace_ms, 10000);
    assert_int_equal(line.config.manager.reschedule.retry_limit, 0);
    assert_int_equal(line.config.manager.reschedule.reconcile, SWARM_RECONCILE_KEEP_NEW);
    assert_int_equal(line.config.manager.reschedule.mass_share_percent, 50);
    assert_int_equal(line.config.manager.reschedule.mass_min_nodes, 4);
    assert_int_equal(line.config.manager.reschedule.mass_window_ms, 60000);
    forget_line(&line);
    read_line(&line, "swarm-manage --reschedule-grace=1m --reschedule-retry-limit 7 --reschedule-reconcile keep-old "
                     "--reschedule-mass-share 30 --reschedule-mass-min 10 --reschedule-mass-window 5s nodes://a:1");
    assert_null(line.error);
    assert_int_equal(line.config.manager.reschedule.grace_ms, 60000);
    assert_int_equal(line.config.manager.reschedule.retry_limit, 7);
    assert_int_equal(line.config.manager.reschedule.reconcile, SWARM_RECONCILE_KEEP_OLD);
    assert_int_equal(line.config.manager.reschedule.mass_share_percent, 30);
    assert_int_equal(line.config.manager.reschedule.mass_min_nodes, 10);
    assert_int_equal(line.config.manager.reschedule.mass_window_ms, 5000);
    forget_line(&line);
}

static void test_http_limits(void **state)
{
    struct line line;

    read_line(&line, "swarm-manage nodes://a:1");
    assert_null(line.error);
    assert_int_equal(line.config.http.connections, 0);
    assert_int_equal(line.config.http.head_timeout_ms, 30000);
    assert_int_equal(line.config.http.body_timeout_ms, 300000);
    assert_int_equal(line.config.http.idle_timeout_ms, 300000);
    forget_line(&line);
    read_line(&line, "swarm-manage --http-connections=7 --http-head-timeout 1s --http-body-timeout 20ms "
                     "--http-idle-timeout 10000h nodes://a:1");
    assert_null(line.error);
    assert_int_equal(line.config.http.connections, 7);
    assert_int_equal(line.config.http.head_timeout_ms, 1000);
    assert_int_equal(line.config.http.body_timeout_ms, 20);
    assert_int_equal(line.config.http.idle_timeout_ms, INT_MAX);
    forget_line(&line);
    assert_error("swarm-manage --http-connections=-1 nodes://a:1",
                 "invalid --http-connections: -1, a number from 0 to 1000000 is expected");
    assert_error("swarm-manage --http-head-timeout=0s nodes://a:1",
                 "invalid --http-head-timeout: it should be at least a millisecond");
    assert_error("swarm-manage --http-body-timeout=never nodes://a:1",
                 "invalid --http-body-timeout: time: invalid duration \"never\"");
    assert_error("swarm-manage --http-idle-timeout=-5s nodes://a:1",
                 "invalid --http-idle-timeout: it should not be negative");
}

static void test_bad_rescheduling_is_named(void **state)
{
    assert_error("swarm-manage --reschedule-grace=soon nodes://a:1",
                 "invalid --reschedule-grace: time: invalid duration \"soon\"");
    assert_error("swarm-manage --reschedule-mass-window=-1s nodes://a:1",
                 "invalid --reschedule-mass-window: it should not be negative");
    assert_error("swarm-manage --reschedule-retry-limit=-1 nodes://a:1",
                 "invalid --reschedule-retry-limit: -1, a number from 0 on is expected");
    assert_error("swarm-manage --reschedule-mass-share=0 nodes://a:1",
                 "invalid --reschedule-mass-share: 0, a number from 1 to 100 is expected");
    assert_error("swarm-manage --reschedule-mass-min=0 nodes://a:1",
                 "invalid --reschedule-mass-min: 0, a number from 1 on is expected");
    assert_error("swarm-manage --reschedule-reconcile=both nodes://a:1",
                 "invalid --reschedule-reconcile: \"both\", keep-new, keep-old or longest-running is expected");
}

static void test_replication(void **state)
{
    struct line line;

    read_line(&line, "swarm-manage --replication --advertise=[::1]:3375 etcd://a:1");
    assert_null(line.error);
    assert_true(line.config.leader.enabled);
    assert_string_equal(line.config.leader.address, "[::1]:3375");
    assert_int_equal(line.config.leader.ttl_ms, 20000);
    assert_int_equal(line.config.leader.wait_ms, 10000);
    forget_line(&line);
    read_line(&line, "swarm-manage --replication --addr h:1 --replication-ttl=4s --replication-wait=0s etcd://a:1");
    assert_null(line.error);
    assert_int_equal(line.config.leader.ttl_ms, 4000);
    assert_int_equal(line.config.leader.wait_ms, 0);
    forget_line(&line);
    /* Only looked at together with --replication. */
    read_line(&line, "swarm-manage --advertise=x --replication-ttl=never etcd://a:1");
    assert_null(line.error);
    assert_false(line.config.leader.enabled);
    forget_line(&line);
}

static void test_bad_replication_is_named(void **state)
{
    assert_error("swarm-manage --replication etcd://a:1",
                 "--advertise address must be provided when using --leader-election");
    assert_error("swarm-manage --replication --advertise=10.0.0.1 etcd://a:1",
                 "--advertise should be of the form ip:port or hostname:port");
    assert_error("swarm-manage --replication --advertise=a:1 --replication-ttl=x etcd://a:1",
                 "invalid --replication-ttl: time: invalid duration \"x\"");
    assert_error("swarm-manage --replication --advertise=a:1 --replication-ttl=0s etcd://a:1",
                 "--replication-ttl should be a positive number");
    assert_error("swarm-manage --replication --advertise=a:1 --replication-wait=-1s etcd://a:1",
                 "invalid --replication-wait: it should not be negative");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_rescheduling),
        cmocka_unit_test(test_http_limits),
        cmocka_unit_test(test_bad_rescheduling_is_named),
        cmocka_unit_test(test_replication),
        cmocka_unit_test(test_bad_replication_is_named),
        cmocka_unit_test(test_lists_replace_their_defaults),
        cmocka_unit_test(test_global_options_are_taken_too),
        cmocka_unit_test(test_tls_files_must_fit_together),
        cmocka_unit_test(test_intervals_are_checked),
        cmocka_unit_test(test_api_version_is_checked),
        cmocka_unit_test(test_node_prefix_is_one_of_three),
        cmocka_unit_test(test_discovery_is_required),
        cmocka_unit_test(test_first_failing_check_is_told),
        cmocka_unit_test(test_cluster_driver_is_swarm),
        cmocka_unit_test(test_cluster_settings_are_read),
        cmocka_unit_test(test_what_stopped_containers_count_for),
        cmocka_unit_test(test_what_cpu_shares_mean),
        cmocka_unit_test(test_bad_cluster_settings_are_named),
    };

    unsetenv("SWARM_HOST");
    unsetenv("SWARM_ADVERTISE");
    unsetenv("DEBUG");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
