#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Why containers go where they go, on real engines: what a refused create says, dry runs, /swarm/nodes and
# /swarm/decisions.
# shellcheck disable=SC2086 # $D is a command with options
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

mapfile -t clis < <(docker_clis)
D="${clis[0]} -H $MANAGER"
API=http://${MANAGER#tcp://}

# json PATH FILTER: what jq makes of an answer, compact
json() { curl -sf -m 10 "$API$1" | jq -c "$2"; }
# dry_run BODY [curl-options…]: the decision
dry_run() {
  local body=$1
  shift
  curl -s -m 10 -H 'Content-Type: application/json' -d "$body" "$@"
}
decision() { jq -c "$1" <<<"$OUT"; }
containers_on_engines() { for n in 2 3; do "${clis[0]}" -H "tcp://10.9.0.$n:2375" ps -aq; done; }
state_of() { json /swarm/nodes ".[] | select(.name == \"$1\") | .state"; }
is_state() { [ "$(state_of "$1")" = "\"$2\"" ]; }

check_refusals() { # CLI
  local on d
  on=$(docker_version "$1")
  d="$1 -H $MANAGER"
  refused "$on: a constraint that nothing fits" 125 $d run -d -e constraint:node==fedora99 busybox true
  has "$on: classic Swarm's lines are there" '^\[node==fedora99\]$'
  has "$on: and then why" '^0/2 nodes fit: 2 constraint node==fedora99'
  refused "$on: more memory than there is" 125 $d run -d -m 800g busybox true
  has "$on: says what is short, and where least" '0/2 nodes fit: 2 memory short \(nearest fedora0[23] lacks [0-9.]+ GiB\)'
  refused "$on: a port that is taken on both nodes" 125 $d run -d -p 8081:80 busybox true
  has "$on: says by whom" '0/2 nodes fit: 2 port 8081 taken by web-[12] on fedora0[23] and others'
  refused "$on: a name that is taken" 125 $d run -d --name web-1 busybox true
  has "$on: says by whom, too" 'The name web-1 is already assigned'
  has "$on: and where" '0/2 nodes fit: name web-1 taken by container [0-9a-f]{12} on fedora0[23]'
}

check_dry_runs() {
  local before after
  before=$(containers_on_engines)
  OUT=$(dry_run '{"Image":"not-to-be-had:1","HostConfig":{"Memory":67108864},"Env":["constraint:node==fedora03"]}' \
    "$API/containers/create?dryrun=1&name=dry")
  equal "a dry run is granted" "$(decision '[.granted, .node.name, .nodes, .fit]')" '[true,"fedora03",2,1]'
  equal "and says why not the other" "$(decision '.causes | map([.reason, .detail, .count, .nodes[0].name])')" \
    '[["constraint","node==fedora03",1,"fedora02"]]'
  equal "and what its score is made of" "$(decision '.ranked[0].parts | keys')" '["containers","cpu","health","memory"]'
  OUT=$(dry_run '{"Image":"busybox","HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"8081"}]}}}' \
    -H 'X-Swarm-Dry-Run: 1' "$API/v1.41/containers/create")
  equal "by a header, on a versioned path: refused" "$(decision '[.granted, .node, .fit]')" '[false,null,0]'
  equal "for the port" "$(decision '.causes | map([.reason, .detail, .count])')" '[["port","8081",2]]'
  equal "which a container has" "$(decision '.causes[0].blocker.name | test("^web-[12]$")')" true
  equal "the engine knows it by that id" \
    "$(curl -sf "$API/containers/$(decision '.causes[0].blocker.id' | tr -d '"')/json" | jq .State.Running)" true
  run curl -s -m 10 -o /dev/null -w '%{http_code}' -d '{' "$API/containers/create?dryrun=1"
  equal "a malformed body is refused" "$OUT" 400
  after=$(containers_on_engines)
  equal "nothing was made" "$after" "$before"
  equal "nothing is reserved" "$(json /swarm/nodes 'map(.reserved.memory)')" '[0,0]'
  equal "nothing was pulled" "$(json '/images/json' 'map(.RepoTags[]?) | any(test("not-to-be-had"))')" false
  check "the name is free" $D create --name dry busybox true
  check "and is given back" $D rm dry
}

check_nodes() {
  equal "two nodes, by name" "$(json /swarm/nodes 'map([.name, .address, .state, .availability, .health, .error])')" \
    '[["fedora02","10.9.0.2:2375","healthy","active",100,null],["fedora03","10.9.0.3:2375","healthy","active",100,null]]'
  equal "ids are the engines' own" "$(json /swarm/nodes '.[0].id')" \
    "\"$("${clis[0]}" -H tcp://10.9.0.2:2375 info -f '{{.ID}}')\""
  equal "containers are counted" "$(json /swarm/nodes 'map(.containers) | [map(.running), map(.paused), map(.stopped)]')" \
    '[[1,1],[0,0],[0,0]]'
  equal "capacity is known" "$(json /swarm/nodes 'all(.capacity.cpus_milli > 0 and .capacity.memory > 0)')" true
  equal "labels are there" "$(json /swarm/nodes 'map(.labels.ostype)')" '["linux","linux"]'
  equal "so are versions" "$(json /swarm/nodes '.[0].versions | [.engine, .api]')" \
    "[\"$("${clis[0]}" -H tcp://10.9.0.2:2375 version -f '{{.Server.Version}}')\",\"$("${clis[0]}" -H tcp://10.9.0.2:2375 version -f '{{.Server.APIVersion}}')\"]"
  equal "nothing waits to be moved" "$(json /swarm/nodes 'map(.waiting_moves)')" '[[],[]]'
  check "a reservation" $D run -d --name reserves -m 64m --cpus 0.5 -e constraint:node==fedora02 busybox sleep 3600
  equal "is shown" "$(json /swarm/nodes '.[0].reserved | [.cpus_milli, .memory]')" '[500,67108864]'
  check "and removed" $D rm -f reserves
}

check_decisions() {
  equal "the last ones are kept" "$(json /swarm/decisions 'length > 5')" true
  equal "a granted one" "$(json /swarm/decisions '.[0] | [.kind, .name, .image, .outcome]')" '["create","web-1","busybox","granted"]'
  equal "has its node" "$(json /swarm/decisions '.[0] | .node as $n | ($n | test("^fedora0[23]$")) and (.text | startswith($n + " is chosen: "))')" true
  equal "a refused one has the text" \
    "$(json /swarm/decisions 'map(select(.outcome == "refused" and .name == "web-1")) | .[0].text | test("taken by container")')" true
  equal "times are in order" "$(json /swarm/decisions 'map(.time) | . == sort')" true
  equal "a dry run is none" "$(json /swarm/decisions 'map(select(.name == "dry" and .outcome == "granted")) | length')" 1
}

check_lost_node() {
  check "what is to be moved, and cannot" \
    $D run -d --name stays -e constraint:node==fedora03 -e reschedule:on-node-failure busybox sleep 3600
  engine_kill fedora03
  waits "a dead engine is unhealthy" 60 is_state fedora03 unhealthy
  waits "its container waits" 60 sh -c "curl -sf $API/swarm/nodes | jq -e '.[1].waiting_moves | map([.name, .kind, .wait]) == [[\"stays\", \"move\", \"time\"]] and .[0].next_try_ms > 0 and (.[0].error | contains(\"node==\"))'"
  waits "the log says when it is tried again" 60 grep -q 'Failed to reschedule container .* (tried again in [0-9]* s)' "$WORK/manage.log"
  waits "and says why" 60 sh -c "curl -sf $API/swarm/decisions | jq -e 'map(select(.kind == \"move\" and .name == \"stays\")) | .[0] | .outcome == \"refused\" and (.text | test(\"node==fedora03\"))'"
  equal "an engine that is away has an error" "$(json /swarm/nodes '.[1].error | type')" '"string"'
}

engine fedora02 2
engine fedora03 3
manager manage nodes://10.9.0.2:2375,10.9.0.3:2375
waits "both engines are in the pool" 60 nodes_healthy 2
check "run on the pool" $D run -d --name web-1 -p 8081:80 busybox sleep 3600
check "run another" $D run -d --name web-2 -p 8081:80 busybox sleep 3600
for cli in "${clis[@]}"; do check_refusals "$cli"; done
check_dry_runs
check_nodes
check_decisions
check_lost_node
ends manage
equal "the manager ends with 0" $? 0
no_sanitizer_report
checks_end
