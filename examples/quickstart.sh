#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A pool to try: builds swarm, starts three Docker engines on this machine and a manager in front of them, runs
# containers on the pool and shows it.  As root, on Debian.
#
#   examples/quickstart.sh                      three local engines
#   examples/quickstart.sh host:port…           these engines instead (plain TCP; no engine is started)
#   examples/quickstart.sh stop                 ends all of it and leaves nothing behind
#
# It needs no store, pulls no image, and leaves alone: a Docker engine that runs here, the packet filter, other ports.
# Environment: SWARM_PORT, the manager's port on 127.0.0.1 (3375); SWARM_QUICKSTART_DIR, where the engines keep
# their data (/var/lib/swarm-quickstart).
set -u

root=$(readlink -f "$(dirname "$0")/..")
state=${SWARM_QUICKSTART_DIR:-/var/lib/swarm-quickstart}
build=$root/build-quickstart
port=${SWARM_PORT:-3375}
label=swarm-quickstart
export ENGINES_DIR=$state/engines ENGINES_RUN=/run/swarm-quickstart ENGINES_PREFIX=swq
# shellcheck source-path=SCRIPTDIR source=../tests/lib/engines.sh
. "$root/tests/lib/engines.sh"

say() { printf '\n== %s\n' "$*"; }
fail() {
  echo "quickstart: $*" >&2
  exit 1
}

# The pid in a file, if it is still that of one of ours.
running() { # FILE WORD
  local pid
  pid=$(cat "$1" 2>/dev/null) && grep -qsF -- "$2" "/proc/$pid/cmdline" && echo "$pid"
}

stop() {
  local pid name dir bridge url
  if pid=$(running "$state/manager.pid" swarm); then
    # shellcheck disable=SC2046
    [ ! -e "$state/given" ] || docker -H "$(cat "$state/url")" rm -f $(docker -H "$(cat "$state/url")" ps -aq --filter label=$label) >/dev/null 2>&1
    kill "$pid"
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null && sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null
  fi
  # Images that given engines were lent.
  while read -r url; do curl -sf -m 20 -X DELETE "$url/images/busybox:latest" >/dev/null; done 2>/dev/null <"$state/lent"
  for dir in "$ENGINES_DIR"/*/; do
    [ -e "$dir/pid" ] || continue
    name=$(basename "$dir")
    engine_kill "$name" || fail "engine $name does not end; its log: $dir/log"
    bridge=$ENGINES_PREFIX$(cat "$dir/number")
    ip link del "$bridge" 2>/dev/null
  done
  rm -rf "$state" "$ENGINES_RUN"
}

port_is_free() { [ -z "$(ss -Hltn "sport = :${1##*:}" | awk -v a="$1" '{split(a, w, ":"); n = $4; sub(/:[0-9]+$/, "", n)
  if (n == w[1] || n == "0.0.0.0" || n == "*" || n == "[::]") print}')" ]; }

# Two numbers that begin no network which this machine already has a way to.
free_network() {
  local net
  for net in 10.213 10.77 172.29 172.23 192.168; do
    [ -z "$(ip -4 route show root "$net.0.0/16"; ip -4 route show match "$net.1.0/24" | grep -v '^default')" ] &&
      echo "$net" && return
  done
  return 1
}

build() {
  say "building (log: $build.log)"
  {
    { [ -e "$build/build.ninja" ] || meson setup --buildtype=release --prefix="$build/install" --libdir=lib \
      -Dtests=false -Dexamples=false "$build" "$root"; } && meson install -C "$build"
  } >"$build.log" 2>&1 </dev/null || {
    tail -n 30 "$build.log" >&2
    fail "the build failed; all of it: $build.log"
  }
}

start_engines() {
  local n address
  ENGINES_NET=$(free_network) || fail "no private network is free for the engines' bridges"
  export ENGINES_NET
  image_archive "$state/busybox.tar" busybox:latest || fail "cannot make an image of busybox"
  for n in 1 2 3; do
    address=127.0.0.1$n:23750
    port_is_free "$address" || fail "$address is taken: engine node-$n cannot listen there"
    say "starting engine node-$n on $address"
    # An address of its own for published ports, as on a machine of its own.
    engine_start node-$n $address --ip "${address%:*}" || fail "engine node-$n does not start; its log: $ENGINES_DIR/node-$n/log"
    engine_load node-$n "$state/busybox.tar" || fail "engine node-$n does not take an image"
    engines="$engines${engines:+,}$address"
  done
}

use_engines() {
  local address
  touch "$state/given"
  image_archive "$state/busybox.tar" busybox:latest || fail "cannot make an image of busybox"
  for address; do
    curl -sf -m 10 "http://$address/_ping" >/dev/null || fail "no Docker engine answers on $address"
    if ! curl -sf -m 10 "http://$address/images/busybox:latest/json" >/dev/null; then
      image_load "$state/busybox.tar" "http://$address" || fail "the engine on $address does not take an image"
      echo "http://$address" >>"$state/lent"
    fi
    engines="$engines${engines:+,}$address"
  done
}

start_manager() { # NODES
  local want=$1
  echo "tcp://127.0.0.1:$port" >"$state/url"
  say "starting the manager on 127.0.0.1:$port"
  LD_LIBRARY_PATH=$build/install/lib setsid "$build/install/bin/swarm" manage -H "tcp://127.0.0.1:$port" \
    --state-dir none "nodes://$engines" >"$state/manager.log" 2>&1 </dev/null &
  echo $! >"$state/manager.pid"
  for _ in $(seq 300); do
    [ "$(docker -H "tcp://127.0.0.1:$port" info 2>/dev/null | grep -c 'Status: Healthy')" = "$want" ] && return
    kill -0 "$(cat "$state/manager.pid")" 2>/dev/null || break
    sleep 0.2
  done
  docker -H "tcp://127.0.0.1:$port" info 2>/dev/null | grep -A 8 'Nodes:' >&2
  tail -n 10 "$state/manager.log" >&2
  fail "the pool of $engines does not become healthy"
}

show() {
  local n
  export DOCKER_HOST=tcp://127.0.0.1:$port
  say "running containers on the pool"
  for n in 1 2 3 4; do
    docker run -d --label $label --name "hello-$n" busybox sleep 86400 || fail "docker run does not work"
  done
  say "docker info"
  docker info 2>/dev/null
  say "docker ps"
  docker ps
  cat <<END

The pool listens on $DOCKER_HOST. Go on with any Docker client:
  export DOCKER_HOST=$DOCKER_HOST
  docker run -d -e constraint:node==node-2 busybox sleep 1000
  docker run -it --rm busybox
  docker ps
Log of the manager: $state/manager.log
Stop it with:       $root/examples/quickstart.sh stop
END
}

[ "$(id -u)" = 0 ] || fail "must be root: it starts Docker engines"
case ${1:-} in
stop)
  stop
  echo "stopped"
  exit 0
  ;;
-* | help)
  sed -n '3,12s/^# \{0,1\}//p' "$0"
  exit 0
  ;;
esac
for address; do
  [[ $address =~ ^[^:/]+:[0-9]+$ ]] || fail "'$address' is no engine's address: host:port is expected"
done
running "$state/manager.pid" swarm >/dev/null &&
  fail "it runs already: DOCKER_HOST=$(cat "$state/url"); stop it with: $0 stop"
unset DOCKER_HOST DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_CONTEXT
engines=
"$root/tests/lib/packages.sh" build run || exit 1
port_is_free "127.0.0.1:$port" || fail "port $port is taken: choose another with SWARM_PORT=… $0"
build
stop # what a run that was cut short left
mkdir -p "$ENGINES_DIR" || exit 1
chmod 700 "$state"
trap 'stop; exit 130' INT TERM
trap '[ $? = 0 ] || stop' EXIT
if [ $# -gt 0 ]; then use_engines "$@"; else start_engines; fi
start_manager "$(($# > 0 ? $# : 3))"
show
