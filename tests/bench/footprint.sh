#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the product weighs and how soon it answers, with two real engines: sizes of the stripped files, time from start
# to the first answer and to all engines healthy, memory of the manager, and how long a lost engine's container takes
# to run elsewhere. As root. BIN: the folder with the programs (default: the release build of tests/run.sh).
: "${BIN:=$(dirname "$(readlink -f "$0")")/../../build-tests/gcc/install/bin}"
export BIN
. "$(dirname "$(readlink -f "$0")")/../lib/testbed.sh"
testbed_enter "$@"

row() { printf '%-55s %s\n' "$1" "$2"; }
ms() { date +%s%3N; }

sizes() {
  local file
  for file in "$BIN/swarm" "$BIN/swarm-manage" "$BIN/swarm-join" "$(readlink -f "$BIN"/../lib*/libswarm.so.1)"; do
    strip -o "$WORK/stripped" "$file" && row "$(basename "$file"), stripped" "$(stat -c %s "$WORK/stripped") bytes"
  done
}

start_up() {
  local begin answered
  begin=$(ms)
  background manage "$BIN/swarm" manage -H "$MANAGER" nodes://10.9.0.2:2375,10.9.0.3:2375
  until curl -sf -m 2 "http://${MANAGER#tcp://}/_ping" >/dev/null; do :; done
  answered=$(ms)
  until nodes_healthy 2; do :; done
  row "start to first answer" "$((answered - begin)) ms"
  row "start to two healthy engines" "$(($(ms) - begin)) ms"
}

memory() { # WHEN
  local pid
  pid=$(cat "$WORK/manage.pid")
  row "resident memory, $1" "$(awk '/^VmRSS/ {print $2}' "/proc/$pid/status") KiB"
  row "  of it private (not shared libraries)" "$(awk '/^Private/ {s += $2} END {print s}' "/proc/$pid/smaps_rollup") KiB"
}

fail_over() {
  local begin
  docker -H "$MANAGER" run -d --name moves -e reschedule:on-node-failure -e constraint:node==~n2 busybox sleep 3600 >/dev/null
  begin=$(ms)
  engine_kill n2
  until docker -H "$MANAGER" ps 2>/dev/null | grep -q n3/moves; do :; done
  row "engine killed to its container running elsewhere" "$(($(ms) - begin)) ms"
}

engine n2 2
engine n3 3
sizes
start_up
memory "two engines, idle"
for i in 1 2 3 4 5 6 7 8 9 10; do
  docker -H "$MANAGER" run --rm busybox true || no "run $i"
  docker -H "$MANAGER" ps -a >/dev/null
done
memory "after ten runs"
fail_over
ends manage || no "the manager ends"
