/* SPDX-License-Identifier: Apache-2.0 */
/* What clients are given on the listeners: connections and times. */
#ifndef MANAGE_HTTP_OPTIONS_H
#define MANAGE_HTTP_OPTIONS_H

#include "options.h"

/* For the table of swarm-manage. */
#define OPTIONS_HTTP                                                                                                   \
    {"http-connections", OPTION_INT, "0", NULL,                                                                        \
     "connections of clients at once, others get status 503 [0: 10,000, or 3/8 of the open files allowed]"},           \
        {"http-head-timeout", OPTION_STRING, "30s", NULL, "time for a TLS handshake, and for a request's head"},       \
        {"http-body-timeout", OPTION_STRING, "5m", NULL,                                                               \
         "time for a body that the manager reads itself, and longest pause in one that it passes on"},                 \
    {                                                                                                                  \
        "http-idle-timeout", OPTION_STRING, "5m", NULL, "time that a connection may be kept between requests"          \
    }

struct http_limits {
    int connections; /* 0: as many as the descriptors allow */
    int head_timeout_ms;
    int body_timeout_ms;
    int idle_timeout_ms;
};

/* 0, or -1 with *reterr new text that names the option. */
int http_options_read(struct http_limits *ret, const struct command *command, char **reterr);

#endif
