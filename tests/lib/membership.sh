# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What tests of discovery stand on: agents, `swarm list` and a manager's watch of a store. A test begins with
#
#   . "$(dirname "$0")/../lib/membership.sh"
#   membership_enter "$@"
#
# and runs in network, mount and PID namespaces of its own from there on, with a folder $W of its own. BIN: where swarm,
# swarm-join and swarm-manage are.
# shellcheck source=tests/lib/checks.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/checks.sh"

membership_enter() {
  set -u
  BIN=${BIN:?BIN names the folder with swarm, swarm-join and swarm-manage}
  if [ -z "${MEMBERSHIP_INSIDE:-}" ]; then
    local work
    work=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    MEMBERSHIP_INSIDE=$work unshare --net --mount --pid --fork --kill-child --mount-proc -- "$BASH" "$(readlink -f "$0")" "$@"
    exit $?
  fi
  W=$MEMBERSHIP_INSIDE
  export SWARM_STATE_DIR=none # nothing is left behind
  SWARM=$BIN/swarm
  one='' two='' three='' # pids of agents, set by join
  ip link set lo up
}

not() { ! "$@"; }
# within SECONDS COMMAND…: until it succeeds.
within() { local end=$((SECONDS + $1)); shift; until "$@"; do [ $SECONDS -lt $end ] || return 1; sleep 0.1; done; }
# for_all SECONDS COMMAND…: it succeeds all that time.
for_all() { local end=$((SECONDS + $1)); shift; while "$@"; do [ $SECONDS -lt $end ] && sleep 0.2 || return 0; done; return 1; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
took() { echo "     after $(($(milliseconds) - $1)) ms"; }

stop() { kill "${2:--TERM}" "$1" && wait "$1" 2>/dev/null; } # PID [SIGNAL]
# The logs are emptied before the program starts: a test must not find in one what an earlier program wrote.
join() { # NAME ADDRESS OPTIONS… URL
  local name=$1 address=$2; shift 2
  : >"$W/$name.log"
  "$SWARM" join --heartbeat 1s --ttl 4s --advertise "$address" "$@" >"$W/$name.log" 2>"$W/$name.stderr" &
  eval "$name=$!"
}
watch() { # OPTIONS… URL: a manager; its log tells each list that it is given
  : >"$W/watch.log"
  "$SWARM" --debug manage -H "unix://$W/manager.sock" "$@" >"$W/watch.log" 2>&1 &
  watch=$!
}
lists() { "$SWARM" list "$@" 2>"$W/list.err"; }
list_is() { local want=$1; shift; [ "$(lists "$@" | tr '\n' ' ')" = "$want" ]; }
# The lists that the watch was given so far, as their lengths: "0 1 2 ".
watched() { grep -o 'Watch triggered with [0-9]*' "$W/watch.log" | grep -o '[0-9]*$' | tr '\n' ' '; }
watched_is() { [ "$(watched)" = "$1" ]; }
# What is logged more than once, or not at all, is wrong.
once() { [ "$(grep -c -- "$1" "$W/$2.log")" = 1 ]; }

membership_end() {
  [ "$checks_failed" = 0 ] || tail -n 12 "$W"/*.log
  checks_end
}
