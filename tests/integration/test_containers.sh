#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the containers' part of the API promises beyond everyday commands: lists filtered as an engine filters, events
# without a gap when an engine's stream breaks, CPU shares that are weights, images that are on one node only, and what
# outlives a restart of the manager. n1 is asked directly, n2 through a proxy that can be taken away.
# shellcheck disable=SC2086 # $D is a command with options
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

docker=$(docker_clis | head -n 1)
D="$docker -H $MANAGER"
api=http://${MANAGER#tcp://}
n1=http://10.9.0.2:2375
n2=http://10.9.0.3:2375 # behind the proxy, which is at 10.9.0.4

status() { curl -s -m 30 -o "$WORK/body" -w '%{http_code}' "$@"; }
encoded() { jq -rn --arg text "$1" '$text | @uri'; }

start_proxy() {
  background proxy python3 "$testbed_lib/version_proxy.py" 10.9.0.4:2375 10.9.0.3:2375 1.24 1.41
  until_ok 30 curl -sf -m 2 http://10.9.0.4:2375/_ping || no "the proxy answers"
}

start_manager() { # LOG
  manager "$1" --debug --cors --log-level debug nodes://10.9.0.2:2375,10.9.0.4:2375
  waits "$1: both nodes are healthy" 60 nodes_healthy 2
}

# --- lists ---

# ids URL FILTERS QUERY: of the containers in the list, or what the answer says is wrong.
ids() { curl -s -m 30 "$1/containers/json?filters=$(encoded "$2")&$3" | jq -c 'if type == "array" then map(.Id[:12]) else "refused" end'; }

# The pool's part of n1 is what n1 itself lists.
same_list() { # FILTERS [QUERY]
  equal "list: $1 ${2:-}" "$(ids $api "$(jq -c '. + {node: ["n1"]}' <<<"$1")" "${2:-}")" "$(ids $n1 "$1" "${2:-}")"
}

check_lists() {
  local filters image network
  check "lists: a container with ports" $D run -d --name web -e constraint:node==n1 -p 8081:80 --expose 90 -l a=1 -l b=2 busybox sleep 3600
  check "lists: one with a volume" $D run -d --name data -e constraint:node==n1 -v vol1:/data --health-cmd true --health-interval 1s busybox sleep 3600
  check "lists: one that is never started" $D create --name fresh -e constraint:node==n1 busybox true
  refused "lists: one that has ended" 3 $D run --name done -e constraint:node==n1 busybox sh -c 'exit 3'
  check "lists: one that is paused" $D pause data
  image=$(curl -s $n1/images/busybox:latest/json | jq -r .Id)
  network=$(curl -s $n1/networks/bridge | jq -r .Id)
  for filters in '{}' '{"ancestor":["busybox"]}' "{\"ancestor\":[\"${image:7:12}\"]}" '{"ancestor":["other"]}' \
    '{"publish":["80"]}' '{"publish":["8081"]}' '{"publish":["80/udp"]}' '{"publish":["x"]}' '{"expose":["80-95/tcp"]}' \
    '{"isolation":["default"]}' '{"isolation":["hyperv"]}' '{"is-task":["true"]}' '{"is-task":["false"]}' \
    '{"is-task":["x"]}' '{"health":["none"]}' '{"health":["bogus"]}' '{"volume":["vol1"]}' '{"volume":["/data"]}' \
    '{"network":["bridge"]}' "{\"network\":[\"${network:0:12}\"]}" '{"network":["other"]}' '{"exited":["3"]}' \
    '{"exited":["0"]}' '{"exited":["x"]}' '{"status":["exited","created"]}' '{"status":["paused"]}' '{"status":["bogus"]}' \
    '{"name":["^/web$"]}' '{"name":["e"]}' '{"label":["a=1","b=2"]}' '{"label":["a","c"]}' '{"since":["web"]}' \
    '{"before":["done"]}' '{"before":["other"]}' '{"bogus":["x"]}' '{"status":["exited"],"ancestor":["busybox"]}'; do
    same_list "$filters" all=1
  done
  check "lists: it goes on" $D unpause data # what is frozen cannot be ended
  same_list '{}' limit=2
  same_list '{"status":["exited"]}'
  equal "list: since as a parameter" "$(curl -s "$api/containers/json?all=1&since=fresh" | jq -r '.[].Names[0]')" /n1/done
  equal "list: size" "$(curl -s "$api/containers/json?size=1" | jq 'map(select(.SizeRootFs > 0)) | length')" 2
  equal "inspect: size" "$(curl -s "$api/containers/web/json?size=1" | jq '.SizeRootFs > 0')" true
}

# --- what changes them ---

check_changes() {
  local codes
  equal "start: of what runs already" "$(status -X POST $api/containers/web/start)" 304
  equal "delete: of what runs" "$(status -X DELETE $api/containers/web)" 409
  check "rm --link: a container with a link" $D run -d --name linked -e constraint:node==n1 --link web:alias busybox sleep 3600
  check "rm --link: takes the link off" $D rm --link linked/alias
  equal "rm --link: it is gone" "$($D inspect -f '{{.HostConfig.Links}}' linked)" "[]"
  refused "rm --link: is not about a container on a node" 1 $D rm --link n1/web
  equal "rm --link: that one still runs" "$($D inspect -f '{{.State.Running}}' web)" true
  check "rename: a container on the other node" $D run -d --name other -e constraint:node==n2 busybox sleep 3600
  codes=$(for name in linked other; do curl -s -o /dev/null -w '%{http_code}\n' -X POST "$api/containers/$name/rename?name=both" & done; wait)
  equal "rename: of two at once one gets the name" "$(sort <<<"$codes" | xargs)" "204 409"
  check "wait: a container that is removed at its end" $D run -d --rm --name short busybox sh -c 'sleep 1; exit 4'
  codes=$(for condition in not-running next-exit removed; do
    curl -s -m 60 -X POST "$api/containers/short/wait?condition=$condition" | jq .StatusCode &
  done; wait)
  equal "wait: each condition tells its status" "$(xargs <<<"$codes")" "4 4 4"
}

# --- CPU shares ---

shares() { $D inspect -f '{{.HostConfig.CpuShares}}' "$1"; }
reserved() { curl -s $api/info | jq -r '[.SystemStatus[] | select(.[0] == "  └ Reserved CPUs") | .[1]] | join(" ")'; }

check_shares() {
  local cpus
  cpus=$(curl -s $n1/info | jq .NCPU)
  check "shares: a weight is no number of CPUs" $D run -d --name heavy --cpu-shares 512 busybox sleep 3600
  equal "shares: the engine gets it as it is" "$(shares heavy)" 512
  equal "shares: nothing is reserved" "$(reserved)" "0 / $cpus 0 / $cpus"
  check "shares: a CPU" $D run -d --name cpu -e constraint:node==n1 --cpu-shares 1 busybox sleep 3600
  equal "shares: in the engine's measure" "$(shares cpu)" $((1024 / cpus))
  equal "shares: it is reserved" "$(reserved)" "1 / $cpus 0 / $cpus"
  check "shares: changed" $D update --cpu-shares 2 cpu
  equal "shares: changed in the engine's measure" "$(shares cpu)" $((2048 / cpus))
  equal "shares: and what is reserved" "$(reserved)" "2 / $cpus 0 / $cpus"
  check "shares: another weight" $D update --cpu-shares 2 heavy
  equal "shares: which stays a weight" "$(shares heavy)" 2
  check "shares: other limits are changed as before" $D update --memory 64m --memory-swap 128m cpu
  equal "shares: to what was said" "$($D inspect -f '{{.HostConfig.Memory}}' cpu)" 67108864
}

# --- an image that no registry has ---

check_image() {
  local i
  check "image: one that only n1 has" $docker -H ${n1/http/tcp} tag busybox:latest made-here:1
  waits "image: the pool knows it" 30 $D image inspect made-here:1
  for i in 1 2 3 4; do
    check "image: a container of it" $D run -d --name made$i made-here:1 sleep 3600
  done
  equal "image: all are on its node" "$($D ps --filter ancestor=made-here:1 --format '{{.Names}}' | cut -d/ -f1 | sort -u)" n1
  run cat "$WORK/first.log"
  lacks "image: and no other node was tried" 'Failed to create container'
}

# --- events: each once, in the order of its engine ---

make_on_n2() { # FROM TO
  local i
  for ((i = $1; i <= $2; i++)); do
    curl -sf -X POST -H 'Content-Type: application/json' -d '{"Image":"busybox"}' "$n2/containers/create?name=event$i" >"$WORK/body" ||
      no "events: container $i is made"
  done
}

names_of() { jq -r 'select(.Action == "create" and .Actor.Attributes["node.name"] == "n2") | .Actor.Attributes.name' "$1" | xargs; }
listener_has() { grep -q "\"name\":\"$1\"" "$WORK/listener.log"; }

check_events() {
  local since expected
  since=$(date +%s.%N)
  expected=$(seq -f event%g 1 15 | xargs)
  background listener curl -sN "$api/events?filters=$(encoded '{"type":["container"],"event":["create"]}')"
  waits "events: somebody listens" 30 sh -c "[ \"\$(curl -s $api/info | jq .NEventsListener)\" = 1 ]"
  make_on_n2 1 5
  waits "events: before the break" 30 listener_has event5
  ends proxy KILL
  make_on_n2 6 10
  start_proxy
  make_on_n2 11 15
  waits "events: after the break" 60 listener_has event15
  waits "events: the node is back" 60 nodes_healthy 2
  equal "events: each once and in order" "$(names_of "$WORK/listener.log")" "$expected"
  curl -s -m 30 "$api/events?since=$since&until=$(date +%s.%N)&filters=$(encoded '{"node":["n2"]}')" >"$WORK/history.log"
  equal "events: the same in the past" "$(names_of "$WORK/history.log")" "$expected"
  equal "events: the list has what they tell" "$(curl -s "$api/containers/json?all=1&filters=$(encoded '{"name":["^event"]}')" | jq length)" 15
  ends listener
}

# --- a restart ---

check_restart() {
  local exec cpus
  cpus=$(curl -s $n1/info | jq .NCPU)
  exec=$(curl -s -X POST -H 'Content-Type: application/json' -d '{"Cmd":["echo","told"],"AttachStdout":true,"Tty":true}' $api/containers/web/exec | jq -r .Id)
  ends first
  equal "restart: the first ends with 0" $? 0
  start_manager second
  equal "restart: an exec is found by its id" "$(curl -s $api/exec/$exec/json | jq -r .ID)" "$exec"
  equal "restart: and started" "$(curl -s -X POST -H 'Content-Type: application/json' -d '{"Tty":true}' $api/exec/$exec/start | tr -d '\r')" told
  equal "restart: and has ended" "$(curl -s $api/exec/$exec/json | jq .ExitCode)" 0
  equal "restart: one that never was" "$(status $api/exec/0123abcd/json)" 404
  equal "restart: weights are still not reserved, CPUs are" "$(reserved)" "2 / $cpus 0 / $cpus"
  equal "restart: debug variables" "$(curl -s $api/debug/vars | jq -c '.Engines.Healthy, (.Containers > 15)' | xargs)" "2 true"
  run curl -s -D - -o /dev/null -X OPTIONS $api/containers/json
  has "restart: other origins are allowed" '^Access-Control-Allow-Origin: \*'
}

engine n1 2
engine n2 3
start_proxy
start_manager first
check_lists
check_changes
check_shares
check_image
check_events
check_restart
ends second
equal "the manager ends with 0" $? 0
no_sanitizer_report
checks_end
