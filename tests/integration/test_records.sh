#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What outlives the manager: containers of a node that was lost while no manager ran are moved; one that was moved and
# then removed does not come back with its old node, nor does an old copy; a manager killed at any step of a move leaves
# neither two containers nor none; stopped ones that come back with their host are started; and the file itself.
# KILL_STEPS: at which ones (claimed, created, moved, started, removing, removed; default: three of them).
# shellcheck disable=SC2086 # $D is a command with options
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

mapfile -t clis < <(docker_clis)
docker=${clis[0]}
D="$docker -H $MANAGER"
state=$WORK/state
pool="nodes://10.9.0.[2:4]:2375"

start() { manager manage --state-dir "$state" --reschedule-grace 2s "$pool"; }
killed() { ends manage KILL; }
on() { $docker -H "tcp://10.9.0.$1:2375" "${@:2}"; } # N docker arguments…
# copies NAME: where it is, as engines have it: "2:running 3:created "
copies() {
  local n
  for n in 2 3 4; do on $n ps -a --filter "name=^/$1\$" --format "$n:{{.State}}" 2>/dev/null; done | sort | tr '\n' ' '
}
are() { [[ $(copies "$1") =~ ^$2$ ]]; }
log_has() { grep -Eq -- "$1" "$WORK/manage.log"; }
movable() { $D run -d --name "$1" -e reschedule:on-node-failure -e "constraint:node==~$2" "${@:3}" busybox sleep 36000; }

# --- a node is lost while no manager runs ---
check_lost_meanwhile() {
  check "run to be moved" movable by-record n2
  check "run without a policy" $D run -d --name plain -e constraint:node==n2 busybox sleep 36000
  check "create to be moved" $D create --name asleep -e reschedule:on-node-failure -e constraint:node==~n2 busybox true
  killed
  engine_kill n2
  start || return
  check "log: the record is read" log_has 'The record has 3 nodes, and 2 containers'
  run $D ps -a --format '{{.Names}}'
  has "its containers are listed while it is away" '^n2/by-record$'
  refused "and their names are taken" 1 $D create --name by-record busybox true
  waits "it is moved" 120 are by-record '[34]:running '
  waits "so is the one that did not run" 60 are asleep '[34]:created '
  equal "without a policy: it is not" "$(copies plain)" ""
  returns
  waits "the old copies go when the node is back" 120 are by-record '[34]:running '
  waits "both" 60 are asleep '[34]:created '
  waits "what was not moved is back" 60 are plain '2:.* '
  $D rm -f by-record plain asleep >/dev/null
}

# --- moved, then removed, all while its node is away ---
check_removed_meanwhile() {
  check "run to be moved and removed" movable gone n2
  check "run to be moved and renamed" movable before n2
  engine_kill n2
  waits "moved" 120 are gone '[34]:running '
  waits "the other, too" 60 are before '[34]:running '
  check "its user removes it" $D rm -f gone
  check "and renames the other" $D rename before after
  check "its name may be used again" $D run -d --name gone busybox sleep 36000
  killed
  start || return
  returns
  waits "the node is back" 120 nodes_healthy 3
  waits "what was removed does not come back" 60 sh -c "! $docker -H tcp://10.9.0.2:2375 ps -a --format '{{.Names}}' | grep -q gone"
  waits "nor does the old name" 60 are before ''
  check "another one of that name stays" are gone '[234]:running '
  check "the renamed one runs" are after '[34]:running '
  $D rm -f gone after >/dev/null
}

# --- kill -9 at each step of a move ---
gone() { ! kill -0 "$(cat "$WORK/manage.pid")" 2>/dev/null; }
returns() { engine_start n2 10.9.0.2:2375 || no "n2 starts again"; }

check_kill_at() { # STEP
  local step=$1 name=at-$1
  check "$step: run" movable "$name" n2 -v "kept-$step:/kept"
  killed
  SWARM_TEST_KILL_AT=$step start || return
  waits "$step: three nodes" 60 nodes_healthy 3
  engine_kill n2
  if [[ $step = remov* ]]; then # the old copy is
    waits "$step: one copy runs" 120 are "$name" '[34]:running '
    returns
  fi
  waits "$step: the manager gets there" 120 gone
  start || return
  [[ $step = remov* ]] || waits "$step: one copy runs" 120 are "$name" '[34]:running '
  [[ $step = remov* ]] || returns
  waits "$step: three nodes again" 60 nodes_healthy 3
  waits "$step: one copy, and it runs" 120 are "$name" '[234]:running '
  waits "$step: nothing is left to do" 60 sh -c "! $D info 2>/dev/null | grep -q waiting"
  check "$step: it stays like that" are "$name" '[234]:running '
  check "$step: volumes are kept" on 2 volume inspect "kept-$step"
  $D rm -f "$name" >/dev/null
}

# The node is back before the next manager is there: undone or completed, never both.
check_undone() {
  check "undone: run" movable undone n2
  killed
  SWARM_TEST_KILL_AT=created start || return
  waits "undone: three nodes" 60 nodes_healthy 3
  engine_kill n2
  waits "undone: the manager gets there" 120 gone
  equal "undone: there is half a copy" "$(copies undone | grep -c ':created')" 1
  returns
  on 2 start undone >/dev/null
  start || return
  waits "undone: the copy is removed where the container lives" 120 are undone '2:running '
  $D rm -f undone >/dev/null
}

# --- hosts that restart ---
check_restarted_host() {
  # Nowhere else to go: they wait for it.
  check "run on a host that restarts" $D run -d --name returns -e reschedule:on-node-failure -e constraint:node==n2 busybox sleep 36000
  check "run one that is stopped there" $D run -d --name stopped -e reschedule:on-node-failure -e constraint:node==n2 busybox sleep 36000
  check "run one without a policy there" $D run -d --name ends -e constraint:node==n2 busybox sleep 36000
  check "stop one" $D stop -t 0 stopped
  engine_kill n2
  waits "the host is known to be away" 60 sh -c "$D info 2>/dev/null | grep -q 'Status: Unhealthy'"
  returns
  waits "what ran is started again" 120 are returns '2:running '
  check "what was stopped is not" are stopped '2:exited '
  check "nor what has no policy" are ends '2:exited '
  $D rm -f returns stopped ends >/dev/null
}

# --- the file ---
check_file() {
  local file=$state/nodes.db aside size
  killed
  equal "it is its owner's only" "$(stat -c %a "$file")" 600
  head -c 8192 /dev/urandom >"$file"
  size=8192
  rm -f "$file-wal"
  start || return
  check "a damaged file is set aside" log_has 'cannot be used, and was set aside as .*/nodes\.db\.damaged-'
  aside=("$file".damaged-*)
  equal "and kept" "${#aside[@]}:$(stat -c %s "${aside[0]}")" "1:$size"
  check "run after that" movable anew n2
  run "$BIN/swarm" manage -H tcp://10.9.0.1:3376 --state-dir "$state" "$pool"
  has "a second manager does not share it" 'is in use by another manager'
  killed
  background none "$BIN/swarm" manage -H tcp://10.9.0.1:3377 --state-dir none "$pool"
  waits "a manager without a record" 30 curl -sf -m 2 http://10.9.0.1:3377/_ping
  ends none
  refused "a folder that cannot be used, asked for" 1 "$BIN/swarm" manage -H tcp://10.9.0.1:3376 --state-dir /proc/no "$pool"
  has "is named" 'state-dir: /proc/no'
  # A full disk: the manager goes on, and says so.
  mkdir -p "$WORK/small" && mount -t tmpfs -o size=256k none "$WORK/small"
  state=$WORK/small
  start || return
  waits "full disk: three nodes" 60 nodes_healthy 3
  head -c 1M /dev/zero >"$WORK/small/fill" 2>/dev/null
  check "full disk: run goes on" movable onwards n3 -e "PAD=$(head -c 60000 /dev/zero | tr '\0' x)"
  check "full disk: the log says it" log_has 'The record of containers cannot be written: .*full'
  run $D info
  has "full disk: so does docker info" 'Record not written: .*full'
  rm "$WORK/small/fill"
  waits "full disk: it is written again" 60 log_has 'The record of containers is written again'
  $D rm -f anew onwards >/dev/null
}

for n in 2 3 4; do engine n$n $n || exit 1; done
start || exit 1
waits "three nodes" 60 nodes_healthy 3
check_lost_meanwhile
check_removed_meanwhile
for step in ${KILL_STEPS:-created moved removing}; do check_kill_at "$step"; done
check_undone
check_restarted_host
check_file
ends manage
equal "the manager ends with status 0" $? 0
no_sanitizer_report
checks_end
