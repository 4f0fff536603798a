#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Engines that stop, fall silent and flap, on real engines with refreshes that do not come; and what /metrics says of it.
# shellcheck disable=SC2086 # $D is a command with options
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

mapfile -t clis < <(docker_clis)
D="${clis[0]} -H $MANAGER"
API=http://${MANAGER#tcp://}

state_of() { curl -sf -m 10 "$API/swarm/nodes" | jq -r ".[] | select(.name == \"$1\") | .state"; }
is_state() { [ "$(state_of "$1")" = "$2" ]; }
error_of() { curl -sf -m 10 "$API/swarm/nodes" | jq -r ".[] | select(.name == \"$1\") | .error"; }
error_has() { error_of "$1" | grep -q "$2"; }
# metric SAMPLE: its value
metric() { curl -sf -m 10 "$API/metrics" | grep -F -- "$1 " | sed 's/.* //'; }
# metric_is SAMPLE OPERATOR NUMBER
metric_is() { local v; v=$(metric "$1") && [ -n "$v" ] && awk -v a="$v" -v b="$3" "BEGIN { exit !(a $2 b) }"; }
counts() { if metric_is "$2" "$3" "$4"; then ok "$1"; else no "$1 ($2 is '$(metric "$2")', not $3 $4)"; fi; }

check_metrics() {
  check "a container runs" $D run -d --name one busybox sleep 3600
  check "another is created" $D create --name two busybox true
  refused "a third has no place" 125 $D run -d -e constraint:node==nowhere busybox true
  run curl -sf -m 10 -D - "$API/metrics"
  has "metrics: the type of the text format" '^Content-Type: text/plain; version=0\.0\.4; charset=utf-8'
  counts "metrics: nodes" 'swarm_nodes{state="healthy"}' == 2
  counts "metrics: running containers" 'swarm_containers{state="running"}' == 1
  counts "metrics: created containers" 'swarm_containers{state="created"}' == 1
  counts "metrics: creates that were granted" 'swarm_decisions_total{kind="create",outcome="granted"}' == 2
  counts "metrics: and refused" 'swarm_refusals_total{reason="constraint"}' == 1
  counts "metrics: requests by route" 'swarm_http_requests_total{route="/containers/create",method="POST",status="2xx"}' == 2
  counts "metrics: their durations" 'swarm_http_request_duration_seconds_count{route="/containers/create",method="POST"}' == 3
  counts "metrics: calls of the monitor" 'swarm_engine_call_duration_seconds_count{caller="monitor"}' '>=' 12
  counts "metrics: events" swarm_events_received_total '>=' 2
  counts "metrics: descriptors" process_open_fds '>' 10
  check "all removed" $D rm -f one two
  counts "metrics: no containers" 'swarm_containers{state="running"}' == 0
}

check_stop() {
  local begin
  begin=$(date +%s%N)
  engine_kill n2
  waits "an engine that stops is unhealthy" 60 is_state n2 unhealthy
  echo "     (after $((($(date +%s%N) - begin) / 1000000)) ms)"
  counts "metrics: an unhealthy node" 'swarm_nodes{state="unhealthy"}' == 1
  counts "metrics: it was lost" 'swarm_node_transitions_total{to="unhealthy"}' == 1
  counts "metrics: calls were refused" 'swarm_engine_call_failures_total{caller="monitor",reason="refused"}' '>=' 2
}

# One loss is flapping here: it has to answer for a while.
check_flap() {
  engine_start n2 10.9.0.2:2375 || { no "n2 starts again"; return; }
  waits "an engine that flaps is held back" 60 error_has n2 'it answers, and is held back until it has for 8 s'
  run $D info
  has "docker info says why" 'Error: it answers, and is held back .* it was lost 1 times within 240 s'
  waits "and is healthy in the end" 120 is_state n2 healthy
  counts "metrics: it came back" 'swarm_node_transitions_total{to="healthy"}' == 1
}

# Who waits for a node that falls silent is told as soon as --engine-silence-timeout allows.
check_silence() {
  local begin asks
  check "a container runs on n3" $D run -d --name there -e constraint:node==n3 busybox sleep 3600
  background patient "$BIN/swarm" manage -H tcp://10.9.0.1:3376 --engine-silence-timeout 10m nodes://10.9.0.3:2375
  waits "a manager that allows ten minutes of silence knows it" 60 curl -sf -m 5 http://10.9.0.1:3376/containers/there/json
  begin=$(date +%s%N)
  engine_freeze n3
  curl -s -m 300 http://10.9.0.1:3376/containers/there/top >"$WORK/patient.out" &
  asks=$!
  run curl -s -m 120 -w '%{http_code}' "$API/containers/there/top"
  has "a request to an engine that has just fallen silent is given up" 'node n3 does not answer: '
  has "as a failure of the server's" '^500$'
  echo "     (after $((($(date +%s%N) - begin) / 1000000)) ms)"
  check "the other manager still waits" kill -0 $asks
  check "while an engine is silent, the others serve" $D run --rm -e constraint:node==n2 busybox true
  waits "an engine that falls silent is unhealthy" 90 is_state n3 unhealthy
  echo "     (after $((($(date +%s%N) - begin) / 1000000)) ms)"
  counts "metrics: calls timed out" 'swarm_engine_call_failures_total{caller="monitor",reason="timeout"}' '>=' 1
  engine_thaw n3
  wait $asks
  run cat "$WORK/patient.out"
  has "and has its answer once the engine goes on" '"Processes"'
  ends patient
  equal "it ends with 0" $? 0
}

engine n2 2
engine n3 3
manager manage --engine-refresh-min-interval 10m --engine-refresh-max-interval 10m --engine-flap-limit 1 \
  --engine-flap-window 4m nodes://10.9.0.[2:3]:2375
waits "the engines are in the pool" 60 nodes_healthy 2
check_metrics
check_stop
check_flap
check_silence
ends manage
equal "the manager ends with 0" $? 0
no_sanitizer_report
checks_end
