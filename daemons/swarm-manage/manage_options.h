/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of swarm-manage. */
#ifndef MANAGE_MANAGE_OPTIONS_H
#define MANAGE_MANAGE_OPTIONS_H

#include <stdbool.h>

#include "http_options.h"
#include "leader.h"
#include "manager.h"
#include "options.h"
#include "tls.h"

/* Everything that was asked for; texts are borrowed from the command line and the environment. */
struct manage_config {
    struct manager_options manager;
    const char *discovery; /* NULL: none given */
    const char *const *discovery_settings;
    const char *const *hosts;       /* NULL-ended */
    const char *const *plugins;     /* NULL-ended */
    const char *const *ssh_options; /* NULL-ended */
    const char *strategy;
    const char *const *filters; /* NULL: the default ones */
    size_t filter_count;
    struct http_limits http;
    struct leader_options leader;
    const char *state_dir; /* "none": no record is kept */
    bool state_dir_given;  /* not the default, or asked for */
    bool use_tls;
    struct tls_options tls;
    /* owned */
    const char **positional;
    struct option *options;
    struct command command;
};

/* Read the command line: 0, or 1 where help was asked for and printed. Bad usage ends the process. */
int manage_options_parse(struct manage_config *config, int argc, char **argv);
/* The checks, in the order of classic Swarm, each 0 or -1 with *reterr new text: first those up to the discovery
 * service's URL, then those that follow the scheduler's. */
int manage_options_check(struct manage_config *config, char **reterr);
int manage_options_check_cluster(struct manage_config *config, char **reterr);
void manage_options_free(struct manage_config *config);

/* One swarm.* setting out of --cluster-opt's values; part of manage_options_check_cluster(), for tests. */
int cluster_settings_read(struct manager_options *options, const char *const *settings, char **reterr);

#endif
