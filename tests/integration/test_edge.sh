#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The listeners' limits, with clients that are slow, many, or gone: each gets its end, and nothing else suffers. And
# streams of a node that falls silent.
# shellcheck disable=SC2086 # $D is a command with options
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

D="docker -H $MANAGER"
API=http://${MANAGER#tcp://}
CONNECTIONS=40

manager_pid() { cat "$WORK/manage.pid"; }
descriptors() { find "/proc/$(manager_pid)/fd" -mindepth 1 -maxdepth 1 | wc -l; }
no_more_than() { [ "$(descriptors)" -le "$1" ]; }
cpu_ticks() { awk '{sub(/.*\) /, ""); print $12 + $13}' "/proc/$(manager_pid)/stat"; }
served() { curl -sf -m 10 "$API/containers/bystander/json"; }

# Connections that stay open, as descriptors of this shell. Those that a check opened are closed by it.
OPEN=()
open_connection() {
  local fd
  exec {fd}<>"/dev/tcp/10.9.0.1/3375" && OPEN+=("$fd")
}
close_connections() {
  local fd
  for fd in "${OPEN[@]}"; do exec {fd}>&-; done
  OPEN=()
}

# answered FD: the first line of what the manager says there, in OUT.
answered() {
  OUT=
  IFS= read -r -t 60 -u "$1" OUT
  OUT=${OUT%$'\r'}
}

check_slow_clients() {
  local i
  for i in $(seq 20); do open_connection && printf 'GET /_ping HTTP/1.1\r\nHost: x\r\nX-%d: ' "$i" >&"${OPEN[-1]}"; done
  check "twenty heads are under way: others are served" served
  answered "${OPEN[0]}"
  has "a head that takes too long" '^HTTP/1\.1 408 '
  answered "${OPEN[19]}"
  has "each of them" '^HTTP/1\.1 408 '
  close_connections

  for path in /containers/bystander/archive?path=/tmp /images/load; do
    open_connection
    printf '%s %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-tar\r\nContent-Length: 100000\r\n\r\nsome' \
      "$([ "$path" = /images/load ] && echo POST || echo PUT)" "$path" >&"${OPEN[-1]}"
  done
  open_connection
  printf 'POST /containers/create HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n' >&"${OPEN[-1]}"
  for i in 0 1 2; do
    answered "${OPEN[$i]}"
    has "a body that stops: ${i}th of passed on to one node, to all, read here" '^HTTP/1\.1 (408|400) '
  done
  close_connections

  # An answer that nobody reads holds its own connection only.
  for i in $(seq 10); do open_connection && printf 'GET /containers/chatty/logs?stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n' >&"${OPEN[-1]}"; done
  for i in 1 2 3; do check "ten answers are not read: others are served, $i" $D exec bystander true; done
  close_connections
}

check_many_clients() {
  local i
  for i in $(seq $CONNECTIONS); do open_connection && printf 'GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n' >&"${OPEN[-1]}"; done
  answered "${OPEN[$((CONNECTIONS - 1))]}"
  has "as many connections as are allowed are served" '^HTTP/1\.1 200 '
  run curl -s -m 10 -w '%{http_code}' "$API/_ping"
  has "one more is told" 'too many connections: 40 are open.*'
  has "with status 503" '503$'
  printf 'GET /version HTTP/1.1\r\nHost: x\r\n\r\n' >&"${OPEN[0]}"
  answered "${OPEN[0]}"
  has "those that are there go on" '^HTTP/1\.1 200 '
  close_connections
  waits "and room comes back" 30 served
}

# The manager may open a few more descriptors only, and those are taken.
check_full_descriptors() {
  local pid ticks used i
  pid=$(manager_pid)
  check "an engine connection is kept" served
  used=$(find "/proc/$pid/fd" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -n | tail -1)
  prlimit --pid "$pid" --nofile=$((used + 4)):20000
  open_connection # before the last descriptors go
  for i in $(seq 12); do open_connection; done
  sleep 1
  ticks=$(cpu_ticks)
  sleep 2
  equal "no descriptor is left: accepting does not spin" "$(($(cpu_ticks) - ticks < 100))" 1
  printf 'GET /containers/bystander/top HTTP/1.1\r\nHost: x\r\n\r\n' >&"${OPEN[0]}"
  answered "${OPEN[0]}"
  has "who is there already is served" '^HTTP/1\.1 200 '
  # Two at once: the second needs a connection to the engine that cannot be had, until there is room again.
  printf 'GET /containers/bystander/logs?stdout=1&follow=1 HTTP/1.1\r\nHost: x\r\n\r\n' >&"${OPEN[1]}"
  printf 'GET /containers/bystander/top HTTP/1.1\r\nHost: x\r\n\r\n' >&"${OPEN[2]}"
  sleep 1
  prlimit --pid "$pid" --nofile=20000:20000
  for i in 1 2; do
    answered "${OPEN[$i]}"
    has "who needs a connection to an engine gets it when there is one, $i" '^HTTP/1\.1 200 '
  done
  for i in 3 12; do
    printf 'GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n' >&"${OPEN[$i]}"
    answered "${OPEN[$i]}"
    has "nothing is lost: the connection ${i} is served" '^HTTP/1\.1 200 '
  done
  close_connections
  check "an engine is not to blame" nodes_healthy 2
  run grep -c 'Flagging engine as unhealthy' "$WORK/manage.log"
  equal "and was not" "$OUT" 0
}

check_silent_node() {
  local before pid pids name
  waits "all is quiet" 30 no_more_than 60
  before=$(descriptors)
  timeout 100 $D logs -f bystander >"$WORK/bystander.out" 2>&1 &
  local bystander=$!
  timeout 100 $D logs -f victim >"$WORK/logs.out" 2>&1 &
  local logs=$!
  timeout 100 $D attach --no-stdin victim >"$WORK/attach.out" 2>&1 &
  local attach=$!
  timeout 100 $D wait victim >"$WORK/wait.out" 2>&1 &
  local wait=$!
  until_ok 30 grep -q tick "$WORK/bystander.out"
  until_ok 30 grep -q hello "$WORK/logs.out"
  engine_freeze n2
  # Clients that leave while the node says nothing are let go at once.
  pids=()
  timeout 100 curl -sN "$API/containers/victim/logs?stdout=1&follow=1" >/dev/null & pids+=($!)
  timeout 100 curl -s -X POST "$API/containers/victim/wait" >/dev/null & pids+=($!)
  timeout 100 curl -s "$API/containers/victim/top" >/dev/null & pids+=($!)
  timeout 100 curl -s -X POST "$API/images/create?fromImage=none&tag=1" >/dev/null & pids+=($!)
  timeout 100 curl -sN "$API/events" >/dev/null & pids+=($!)
  sleep 1
  for pid in "${pids[@]}"; do kill "$pid"; done
  for name in logs attach wait; do
    pid=${!name}
    wait "$pid"
    STATUS=$?
    OUT=$(cat "$WORK/$name.out")
    equal "a node falls silent: $name ends" "$((STATUS != 124))" 1
    [ $name != wait ] || equal "a node falls silent: wait fails" "$((STATUS != 0))" 1
  done
  equal "because the node is lost" "$(nodes_healthy 1 && echo lost)" lost
  kill -0 "$bystander" 2>/dev/null && ok "another node's stream goes on" || no "another node's stream goes on"
  kill "$bystander"
  engine_thaw n2
  waits "the node speaks again" 60 nodes_healthy 2
  check "and its container is there" $D exec victim true
  waits "descriptors of all that have gone are back" 30 no_more_than $((before + 8))
}

engine n1 2 || exit 1
engine n2 3 || exit 1
manager manage --http-connections $CONNECTIONS --http-head-timeout 2s --http-body-timeout 2s \
  --reschedule-grace 2s nodes://10.9.0.2:2375,10.9.0.3:2375 || exit 1
waits "the pool is healthy" 60 nodes_healthy 2
$D run -d --name bystander -e constraint:node==n1 busybox sh -c 'while :; do echo tick; sleep 0.2; done' >/dev/null
$D run -d --name victim -e constraint:node==n2 busybox sh -c 'echo hello; sleep 3600' >/dev/null
$D run -d --name chatty -e constraint:node==n1 busybox sh -c 'head -c 20000000 /dev/zero | tr "\0" "\n"; sleep 3600' >/dev/null
check_slow_clients
check_many_clients
check_full_descriptors
check_silent_node
ends manage
equal "the manager ends with status 0 on SIGTERM" $? 0
no_sanitizer_report
checks_end
