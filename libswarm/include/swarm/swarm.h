/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_SWARM_H
#define SWARM_SWARM_H

/** @file
 * All of libswarm for those who use it; <swarm/ops.h> is for those who write filters and strategies, <swarm/plugin.h>
 * for those who keep them in shared objects of their own.
 */
#include <swarm/cluster.h>
#include <swarm/codec.h>
#include <swarm/container.h>
#include <swarm/decision.h>
#include <swarm/error.h>
#include <swarm/filter.h>
#include <swarm/image.h>
#include <swarm/membership.h>
#include <swarm/memory.h>
#include <swarm/node.h>
#include <swarm/request.h>
#include <swarm/rescheduler.h>
#include <swarm/scheduler.h>
#include <swarm/state.h>
#include <swarm/strategy.h>
#include <swarm/version.h>

#endif
