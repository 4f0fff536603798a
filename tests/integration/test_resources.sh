#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What containers on a real engine reserve, as the manager counts it: MemoryReservation apart from Memory, and stopped
# containers as swarm.countstopped has them.
# shellcheck disable=SC2086 # $D is a command with options
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

mapfile -t clis < <(docker_clis)
D="${clis[0]} -H $MANAGER"
direct="${clis[0]} -H tcp://10.9.0.2:2375"

reserved() { $D info 2>/dev/null | sed -n "s/^ *└ Reserved $1: \(.*\) \/ .*/\1/p"; }
reserves() { [ "$(reserved Memory), $(reserved CPUs)" = "$1" ]; } # "192 MiB, 1"
manage() { # manage-options…: in the place of the one before
  [ ! -e "$WORK/manage.pid" ] || ends manage
  manager manage "$@" nodes://10.9.0.2:2375 && waits "the engine is in the pool" 60 nodes_healthy 1
}

check_reservations() {
  manage
  check "run with a limit and a reservation" \
    $D run -d --name soft -m 512m --memory-reservation 128m busybox sleep 3600
  waits "the reservation counts, not the limit" 30 reserves "128 MiB, 0"
  check "run with a limit alone" $D run -d --name hard -m 64m --cpus 1 busybox sleep 3600
  waits "the limit counts" 30 reserves "192 MiB, 1"
  check "run with a reservation alone" $D run -d --name only --memory-reservation 32m busybox sleep 3600
  waits "the reservation counts" 30 reserves "224 MiB, 1"
  equal "the engine has limit and reservation as they were given" \
    "$($direct inspect -f '{{.HostConfig.Memory}} {{.HostConfig.MemoryReservation}}' soft)" "536870912 134217728"
  refused "a reservation above the limit" 125 $D run -d -m 64m --memory-reservation 65m busybox true
  has "names both" '68157440 is more than HostConfig\.Memory, which is 67108864'
  check "update of a reservation" $D update --memory-reservation 256m soft
  waits "is counted" 30 reserves "352 MiB, 1"
  manage
  waits "a fresh manager counts the same" 30 reserves "352 MiB, 1"
  check "all removed" $D rm -f soft hard only
  waits "nothing is reserved" 30 reserves "0 B, 0"
}

# A stopped container that reserves and publishes.
start_stopped() { # NAME
  check "run $1" $D run -d --name "$1" -m 64m --cpus 1 -p 8081:80 busybox sleep 3600
  check "stop $1" $D stop -t 0 "$1"
  waits "$1 is stopped" 30 sh -c "[ \"\$($D inspect -f '{{.State.Running}}' $1)\" = false ]"
}

check_all_count() {
  start_stopped first
  check "a stopped container's reservation counts" reserves "64 MiB, 1"
  refused "its port is taken" 125 $D run -d --name second -p 8081:80 busybox sleep 3600
  has "as the filter says" 'port 8081 \(Bridge mode\)'
}

check_none_counts() {
  manage --cluster-opt swarm.countstopped=none
  waits "countstopped=none: its reservation does not count" 30 reserves "0 B, 0"
  check "its port is free" $D run -d --name second -m 32m -p 8081:80 busybox sleep 3600
  refused "its name is taken" 125 $D run -d --name first busybox true
  has "as ever" 'The name first is already assigned'
  waits "what runs counts" 30 reserves "32 MiB, 0"
  check "the second is removed" $D rm -f second
  check "the first is started again" $D start first
  waits "and counts again" 30 reserves "64 MiB, 1"
  check "and is stopped again" $D stop -t 0 first
  waits "and counts no more" 30 reserves "0 B, 0"
}

check_ports_count() {
  manage --cluster-opt swarm.countstopped=ports
  waits "countstopped=ports: its reservation does not count" 30 reserves "0 B, 0"
  refused "its port is taken" 125 $D run -d --name second -p 8081:80 busybox sleep 3600
  has "as the filter says, again" 'port 8081 \(Bridge mode\)'
}

engine fedora02 2
check_reservations
check_all_count
check_none_counts
check_ports_count
ends manage
equal "the manager ends with 0" $? 0
no_sanitizer_report
checks_end
