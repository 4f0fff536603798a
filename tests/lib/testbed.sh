# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What an integration test stands on. A test begins with
#
#   . "$(dirname "$0")/../lib/testbed.sh"
#   testbed_enter "$@"
#
# and from there on runs in network, mount and PID namespaces of its own: it may use any address and port, and nothing
# that it starts outlives it. Environment: BIN, the folder with swarm, swarm-manage and
# swarm-join (default: where tests/run.sh installs those with sanitizers).
# Engines listen on 10.9.0.N (N = 2, 3, …), stores and managers on 10.9.0.1; $WORK is a folder of the test's own.

testbed_lib=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=tests/lib/checks.sh
. "$testbed_lib/checks.sh"
# shellcheck source=tests/lib/engines.sh
. "$testbed_lib/engines.sh"

testbed_enter() {
  if [ -z "${WORK:-}" ]; then
    [ "$(id -u)" = 0 ] || { echo "$0: must be root (namespaces, real engines)" >&2; exit 1; }
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/swarm-test.XXXXXX") || exit 1
    trap 'rm -rf "$WORK"' EXIT
    WORK=$WORK unshare --net --mount --pid --fork --kill-child --mount-proc -- "$BASH" "$(readlink -f "$0")" "$@" &
    # unshare lets no SIGTERM end it; when it is killed all of the namespace goes.
    trap 'kill -KILL %1; wait; exit 143' INT TERM HUP
    wait %1
    local status=$?
    if [ -n "${KEEP_LOGS:-}" ]; then
      mkdir -p "$KEEP_LOGS" && find "$WORK" -maxdepth 1 -name '*.log' -exec cp {} "$KEEP_LOGS" \;
    fi
    exit $status
  fi
  set -u
  ip link set lo up
  local n
  for n in 1 2 3 4 5; do ip addr add 10.9.0.$n/32 dev lo; done
  mount -t tmpfs none /run
  # Where a manager keeps its record unless told otherwise: each test begins without.
  mkdir -p /var/lib/swarm-manage && mount -t tmpfs none /var/lib/swarm-manage
  # HOME: what a CLI keeps (~/.docker) belongs to the test.
  export HOME=$WORK/home TMPDIR=$WORK SHELL=/bin/sh
  mkdir -p "$HOME"
  ENGINES_DIR=$WORK/engines ENGINES_RUN=/run/e ENGINES_NET=10.8 ENGINES_PREFIX=swt
  mkdir -p "$ENGINES_DIR"
  trap testbed_leave EXIT
  : "${BIN:=$testbed_lib/../../build-tests/asan/install/bin}"
  [ -x "$BIN/swarm" ] || { echo "$0: no swarm in BIN=$BIN" >&2; exit 1; }
  BIN=$(readlink -f "$BIN")
  [ ! -d "$BIN/../lib" ] || export LD_LIBRARY_PATH=$BIN/../lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=1:log_path=$WORK/sanitizer
  export UBSAN_OPTIONS=${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}print_stacktrace=1:log_path=$WORK/sanitizer
}

# Engines' cgroups are all that a dead namespace would leave behind.
testbed_leave() {
  local dir
  for dir in "$ENGINES_DIR"/*/; do
    [ -e "$dir/pid" ] && engine_kill "$(basename "$dir")"
  done
  return 0
}

# Every docker CLI on this machine, each once.
docker_clis() { type -ap docker | xargs -rn1 readlink -f | sort -u; }
docker_version() { "$1" --version | sed -E 's/^Docker version ([0-9]+)\.([0-9]+).*/\1.\2/'; }

# engine NAME N: a fresh engine on 10.9.0.N:2375 with the images that tests use; published ports are on 10.9.0.N, too.
engine() {
  local name=$1 n=$2
  shift 2
  engine_start "$name" "10.9.0.$n:2375" --ip "10.9.0.$n" "$@" || { no "engine $name starts"; return 1; }
  [ -e "$WORK/images.tar" ] || image_archive "$WORK/images.tar" busybox:latest httpd:latest
  engine_load "$name" "$WORK/images.tar" || { no "engine $name loads an image"; return 1; }
}

# Programs that a test starts in the background: their pid in $WORK/NAME.pid, their output in $WORK/NAME.log.
background() { # NAME COMMAND…
  local name=$1
  shift
  "$@" >>"$WORK/$name.log" 2>&1 </dev/null &
  echo $! >"$WORK/$name.pid"
}

# ends NAME [SIGNAL]: tell it to end; its exit status, or 124 where it is still there after 30 s.
ends() {
  local pid end=$((SECONDS + 30))
  pid=$(cat "$WORK/$1.pid")
  {
    kill "-${2:-TERM}" "$pid"
    while kill -0 "$pid"; do
      [ $SECONDS -lt $end ] || { kill -KILL "$pid"; wait "$pid"; return 124; }
      sleep 0.1
    done
    wait "$pid"
  } 2>/dev/null
}

etcd_start() { # [etcd options…]
  background etcd "${ETCD:-etcd}" --data-dir "$WORK/etcd.data" \
    --listen-client-urls http://10.9.0.1:2379 --advertise-client-urls http://10.9.0.1:2379 \
    --listen-peer-urls http://10.9.0.1:2380 --initial-advertise-peer-urls http://10.9.0.1:2380 \
    --initial-cluster default=http://10.9.0.1:2380 "$@"
  until_ok 60 curl -sf -m 2 http://10.9.0.1:2379/health || { no "etcd starts"; return 1; }
}

# A registry on loopback: engines use it without TLS, as 127.0.0.1:5000/NAME.
registry_start() {
  cat >"$WORK/registry.yml" <<END
version: 0.1
storage: {filesystem: {rootdirectory: $WORK/registry}}
http: {addr: "127.0.0.1:5000"}
END
  background registry docker-registry serve "$WORK/registry.yml"
  waits "the registry answers" 30 curl -sf http://127.0.0.1:5000/v2/
}

MANAGER=tcp://10.9.0.1:3375

# manager NAME manage-options…: start one and wait for its first answer on $MANAGER.
manager() {
  local name=$1
  shift
  background "$name" "$BIN/swarm" manage -H "$MANAGER" "$@"
  until_ok 30 curl -sf -m 2 "http://${MANAGER#tcp://}/_ping" || { no "manager answers"; tail -n 5 "$WORK/$name.log"; return 1; }
}

nodes_healthy() { # N
  local info
  info=$(curl -sf -m 5 "http://${MANAGER#tcp://}/info") || return
  [ "$(jq '[.SystemStatus[] | select(.[0] == "  └ Status" and .[1] == "Healthy")] | length' <<<"$info")" = "$1" ]
}

# No program of ours reported a fault of memory or of arithmetic. The last check of a test: all are to be ended by then.
no_sanitizer_report() {
  run sh -c 'cat "$0"/sanitizer.* 2>/dev/null' "$WORK"
  if [ -z "$OUT" ]; then ok "no sanitizer report"; return; fi
  no "no sanitizer report"
  head -n 80 <<<"$OUT"
}
