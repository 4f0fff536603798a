/* SPDX-License-Identifier: Apache-2.0 */
/* The fake engines' control, an HTTP listener of its own; fake_engines.md says what it understands. */
#ifndef TESTS_KIT_FAKE_CONTROL_H
#define TESTS_KIT_FAKE_CONTROL_H

#include <netinet/in.h>

struct fake_world;

/* 0, or an errno value. */
int fake_control_open(struct fake_world *world, const struct sockaddr_in *address);

#endif
