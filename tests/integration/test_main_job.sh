#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The main job on real engines and a real etcd: nodes join, containers run on the pool, a node is lost and what was to
# be moved runs elsewhere, the node comes back; etcd comes and goes; a second engine with a known id changes nothing.
# Everything with etcd's v3 API, the ways of joining and losing a node also with v2.
# shellcheck disable=SC2086 # $D is a command with options
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

mapfile -t clis < <(docker_clis)
docker=${clis[0]} # where it does not matter which
D="$docker -H $MANAGER"
store=etcd://10.9.0.1:2379
opt=

# join NAME N: an agent for the engine at 10.9.0.N
join() {
  # shellcheck disable=SC2086
  background "join-$1" "$BIN/swarm" join $opt --heartbeat=1s --ttl=4s --advertise="10.9.0.$2:2375" $store
}
lose() { # NAME: the node loses power
  engine_kill "$1"
  ends "join-$1" KILL
}
runs_as() { $D ps --format '{{.Names}}' | grep -qx "$1"; } # node/name
log_has() { grep -Eq -- "$1" "$WORK/manage.log"; }

check_empty_pool() { # CLI
  local on
  on="$(docker_version "$1"), empty pool"
  run "$1" -H "$MANAGER" info
  has "$on: Server Version" '^ *Server Version: swarm/[0-9]+\.[0-9]+\.[0-9]+$'
  has "$on: Role" '^ *Role: primary$'
  has "$on: Strategy" '^ *Strategy: spread$'
  has "$on: Filters" '^ *Filters: health, port, containerslots, dependency, affinity, constraint, whitelist$'
  has "$on: Nodes" '^ *Nodes: 0$'
  has "$on: CPUs" '^ *CPUs: 0$'
  has "$on: Total Memory" '^ *Total Memory: 0 ?B'
  refused "$on: nothing runs" 125 "$1" -H "$MANAGER" run --rm busybox true
  has "$on: the reason is said" 'No nodes available in the cluster|No healthy node available in the cluster'
}

check_node_block() { # CLI
  local on
  on="$(docker_version "$1"), one node"
  run "$1" -H "$MANAGER" info
  has "$on: Nodes" '^ *Nodes: 1$'
  has "$on: name and address" '^ *fedora02: 10\.9\.0\.2:2375$'
  has "$on: ID" '^ *└ ID: ([A-Z0-9]{4}:){11}[A-Z0-9]{4}'
  has "$on: Status" '^ *└ Status: Healthy$'
  has "$on: Containers" '^ *└ Containers: 0( \(0 Running, 0 Paused, 0 Stopped\))?$'
  has "$on: Reserved CPUs" '^ *└ Reserved CPUs: 0 / [0-9]+$'
  has "$on: Reserved Memory" '^ *└ Reserved Memory: 0 B / [0-9.]+ [KMGT]iB$'
  has "$on: Labels" '^ *└ Labels: kernelversion=.*, operatingsystem=.*, ostype=linux, storagedriver=(overlay2|vfs)'
  has "$on: UpdatedAt" '^ *└ UpdatedAt: 20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$'
  has "$on: ServerVersion" '^ *└ ServerVersion: [0-9]+\.'
  lacks "$on: no error" '└ Error'
}

# What one CLI does on two healthy nodes; leaves nothing behind.
check_pool() { # CLI
  local on c p
  on=$(docker_version "$1")
  c=c${on/./}
  p="$1 -H $MANAGER"
  check "$on: run -d" $p run -d --name "$c-1" httpd sleep 3600
  check "$on: run another" $p run -d --name "$c-2" httpd sleep 3600
  run $p ps
  has "$on: spread: one on the first node" "fedora02/$c-[12]"
  has "$on: spread: one on the other" "fedora03/$c-[12]"
  OUT=$(DOCKER_HOST=$MANAGER $1 ps)
  has "$on: DOCKER_HOST works" "fedora0[23]/$c-1"
  check "$on: constraint:node==fedora03" $p run -d --name "$c-3" -e constraint:node==fedora03 httpd sleep 3600
  check "$on: is kept" runs_as "fedora03/$c-3"
  check "$on: affinity:container==$c-3" $p run -d --name "$c-4" -e "affinity:container==$c-3" httpd sleep 3600
  check "$on: is kept, too" runs_as "fedora03/$c-4"
  run $p exec "$c-3" env
  lacks "$on: the expression is not in the container's environment" constraint
  refused "$on: an impossible constraint" 125 $p run -d -e constraint:node==fedora99 httpd
  has_text "$on: is refused with the reference's lines" "Unable to find a node that satisfies the following conditions 
[available container slots]
[node==fedora99]"
  refused "$on: a name that is taken" 125 $p run -d --name "$c-1" httpd
  has_text "$on: is refused with the reference's words" "Conflict: The name $c-1 is already assigned. You have to delete (or rename) that container to be able to assign $c-1 to a container again."
  refused "$on: a published port that is taken everywhere" 125 sh -c \
    "for i in 1 2 3; do $p run -d --name $c-p\$i -p 8081:80 httpd sleep 3600 || exit; done"
  has "$on: says which" 'port 8081 \(Bridge mode\)'
  $p rm -f $($p ps -aq) >/dev/null 2>&1
  equal "$on: all removed" "$($p ps -aq)" ""
}

start_movers() {
  local pin="-e constraint:node==~fedora02"
  check "run to be moved: env" $D run -d --name by-env -e reschedule:on-node-failure $pin -v kept:/kept httpd sleep 3600
  check "run to be moved: label" $D run -d --name by-label -l 'com.docker.swarm.reschedule-policies=["on-node-failure"]' $pin httpd sleep 3600
  check "run to be moved: singular label" $D run -d --name by-singular -l 'com.docker.swarm.reschedule-policy=["on-node-failure"]' $pin httpd sleep 3600
  check "create to be moved, not started" $D create --name asleep -e reschedule:on-node-failure $pin httpd sleep 3600
  check "run with the policy off" $D run -d --name stays -e reschedule:off $pin httpd sleep 3600
  check "run without a policy" $D run -d --name stays-too $pin httpd sleep 3600
  local name
  for name in by-env by-label by-singular stays stays-too; do check "$name is on fedora02" runs_as "fedora02/$name"; done
  refused "an unknown policy" 125 $D run -d -e reschedule:sometimes httpd
  has "is named" 'invalid reschedule policy: sometimes'
  refused "two policies" 125 $D run -d -e reschedule:off -e reschedule:on-node-failure httpd
  has "are refused" 'too many reschedule policies'
  $docker -H tcp://10.9.0.2:2375 exec by-env sh -c 'echo precious >/kept/file'
}

check_move() {
  local old swarm_id begin name
  old=$($D inspect -f '{{.Id}}' by-env)
  swarm_id=$($D inspect -f '{{index .Config.Labels "com.docker.swarm.id"}}' by-env)
  begin=$(date +%s%N)
  lose fedora02
  waits "by-env runs on the other node" 120 runs_as fedora03/by-env
  echo "     (after $((($(date +%s%N) - begin) / 1000000)) ms)"
  for name in by-label by-singular; do waits "$name runs on the other node" 60 runs_as "fedora03/$name"; done
  waits "a container that did not run is moved as well" 60 sh -c "$D ps -a --format '{{.Names}}' | grep -qx fedora03/asleep"
  check "and not started" [ "$($D inspect -f '{{.State.Running}}' asleep)" = false ]
  equal "it keeps its swarm id" "$($D inspect -f '{{index .Config.Labels "com.docker.swarm.id"}}' by-env)" "$swarm_id"
  waits "log: the engine is removed" 120 log_has 'Removed Engine fedora02'
  check "log: Rescheduled container" log_has "Rescheduled container $old from fedora02 to fedora03 as [0-9a-f]{64}"
  check "log: was running" log_has "Container $old was running, starting container [0-9a-f]{64}"
  run $D ps --format '{{.Names}}'
  lacks "no policy: it runs nowhere" 'stays'
  waits "the lost node has left" 60 sh -c "$D info 2>/dev/null | grep -q 'Nodes: 1\$'"
}

check_return() {
  engine_start fedora02 10.9.0.2:2375 || { no "fedora02 starts again"; return; }
  join fedora02 2
  waits "the node is back" 120 nodes_healthy 2
  waits "old copies are removed" 120 sh -c \
    "! $docker -H tcp://10.9.0.2:2375 ps -a --format '{{.Names}}' | grep -Eq 'by-env|by-label|by-singular|asleep'"
  local name
  for name in by-env by-label by-singular asleep; do
    equal "$name is there once" "$($D ps -a --format '{{.Names}}' | grep -c "/$name\$")" 1
  done
  check "by-env still runs on the other node" runs_as fedora03/by-env
  equal "the old copy's volume is kept" \
    "$($docker -H tcp://10.9.0.2:2375 run --rm -v kept:/kept busybox cat /kept/file 2>&1)" precious
  run $D ps -a --format '{{.Names}}'
  has "what was not moved is back with its node" '^fedora02/stays$'
  has "without a policy, too" '^fedora02/stays-too$'
  $D rm -f $($D ps -aq) >/dev/null 2>&1
}

# A container that is to be moved and has no other place: it stays where it is, and so does its node, shown as down.
check_no_place() {
  check "run to be moved, but allowed on one node only" $D run -d --name pinned \
    -e reschedule:on-node-failure -e constraint:node==fedora02 httpd sleep 3600
  lose fedora02
  waits "no place: log" 120 log_has 'level=error.*Failed to reschedule container [0-9a-f]{64}: .*node==fedora02'
  waits "no place: its node is shown as down" 120 sh -c "$D info 2>/dev/null | grep -q 'Status: Unhealthy'"
  run $D ps -a
  has "no place: it is listed as on a host that is down" 'Host Down.* fedora02/pinned$'
  run $D ps
  lacks "no place: it does not run" 'pinned'
  engine_start fedora02 10.9.0.2:2375
  join fedora02 2
  waits "no place: the node is back" 120 nodes_healthy 2
  check "no place: its container is there" $D start pinned
  check "no place: and runs" runs_as fedora02/pinned
  $D rm -f pinned >/dev/null
}

# An agent dies, its engine lives: no failure.
check_unannounced() {
  check "run before an agent dies" $D run -d --name kept -e reschedule:on-node-failure -e constraint:node==fedora03 httpd sleep 3600
  ends join-fedora03 KILL
  waits "an agent died: its node is unannounced" 120 sh -c "$D info 2>/dev/null | grep -q 'Status: Unannounced'"
  run $D info
  has "that is explained" 'Error: it is not announced any more: it takes no new containers, and leaves in (59m|1h0m)'
  check "its container can be used" $D exec kept true
  refused "it takes nothing new" 125 $D run -d -e constraint:node==fedora03 httpd sleep 3600
  has "and that is explained" '1 unannounced'
  join fedora03 3
  waits "announced again it is healthy" 120 nodes_healthy 2
  check "its container was not touched" runs_as fedora03/kept
  $D rm -f kept >/dev/null
}

check_store_outage() {
  check "run before etcd goes" $D run -d --name before httpd sleep 3600
  ends etcd KILL
  check "etcd away: info" $D info
  check "etcd away: run" $D run -d --name during httpd sleep 3600
  # Longer than the agents' TTL: nobody is to be thrown out because the store is away.
  sleep 6
  check "etcd away: the nodes stay" nodes_healthy 2
  check "etcd away: containers stay" $D exec before true
  etcd_start --enable-v2
  engine fedora04 4 && join fedora04 4
  waits "etcd back: a new node is seen" 120 nodes_healthy 3
  check "etcd back: containers stay" $D exec during true
  equal "nothing was moved by it" "$(grep -c 'Rescheduled container' "$WORK/manage.log")" "$1"
  $D rm -f before during >/dev/null 2>&1
  ends join-fedora04
  engine_kill fedora04
  waits "a node that left is gone" 120 nodes_healthy 2
}

# fedora05 is a clone of fedora03: a machine image copied with its key.json.
check_shared_id() {
  check "run before the clone joins" $D run -d --name single -e reschedule:on-node-failure -e constraint:node==fedora03 httpd sleep 3600
  mkdir -p "$ENGINES_DIR/fedora05/etc" && cp "$ENGINES_DIR/fedora03/etc/key.json" "$ENGINES_DIR/fedora05/etc/"
  engine fedora05 5
  $docker -H tcp://10.9.0.5:2375 run -d --name clone-only httpd sleep 3600 >/dev/null
  join fedora05 5
  waits "a second engine with the same id is shown as an error" 120 sh -c \
    "$D info 2>/dev/null | grep -Eq '└ Error: ID duplicated\. .* shared by this node 10\.9\.0\.5:2375 and another node 10\.9\.0\.3:2375'"
  nodes_healthy 2 && ok "the others stay healthy" || no "the others stay healthy"
  run $D ps -a --format '{{.Names}}'
  has "the first engine's container is there" '^fedora03/single$'
  lacks "the second engine's are not" 'clone-only'
  check "nothing is removed from the first" $docker -H tcp://10.9.0.3:2375 exec single true
  check "nothing is removed from the second" $docker -H tcp://10.9.0.5:2375 exec clone-only true
  ends join-fedora05
  engine_kill fedora05
  $D rm -f single >/dev/null 2>&1
}

stop_all() {
  local name
  for name in manage join-fedora02 join-fedora03; do
    ends "$name"
    equal "$name ends with status 0 on SIGTERM" $? 0
  done
}

# --- v3 ---
etcd_start --enable-v2 || exit 1
manager manage $store || exit 1
for cli in "${clis[@]}"; do check_empty_pool "$cli"; done
engine fedora02 2 || exit 1
join fedora02 2
waits "one node" 120 nodes_healthy 1
check "log: Registered Engine" log_has 'Registered Engine fedora02 at 10\.9\.0\.2:2375'
for cli in "${clis[@]}"; do check_node_block "$cli"; done
engine fedora03 3 || exit 1
join fedora03 3
waits "two nodes" 120 nodes_healthy 2
run "$BIN/swarm" list $store
equal "swarm list" "$(grep -E '^10' <<<"$OUT" | sort | tr '\n' ' ')" "10.9.0.2:2375 10.9.0.3:2375 "
run curl -s http://10.9.0.1:2379/v2/keys/docker/swarm/nodes?recursive=true
lacks "v3 is the default: nothing is in v2" '10\.9\.0\.2'
for cli in "${clis[@]}"; do check_pool "$cli"; done
start_movers
check_move
check_return
check_no_place
check_unannounced
check_store_outage "$(grep -c 'Rescheduled container' "$WORK/manage.log")"
check_shared_id
stop_all

# --- v2 ---
opt='--discovery-opt kv.api=2'
# shellcheck disable=SC2086
manager manage $opt $store || exit 1
join fedora02 2
join fedora03 3
waits "v2: two nodes" 120 nodes_healthy 2
run curl -s http://10.9.0.1:2379/v2/keys/docker/swarm/nodes?recursive=true
has "v2: they are under the usual keys" '"/docker/swarm/nodes/10\.9\.0\.2:2375","value":"10\.9\.0\.2:2375"'
# shellcheck disable=SC2086
run "$BIN/swarm" list $opt $store
equal "v2: swarm list" "$(grep -E '^10' <<<"$OUT" | sort | tr '\n' ' ')" "10.9.0.2:2375 10.9.0.3:2375 "
check "v2: run" $D run -d --name by-env -e reschedule:on-node-failure -e constraint:node==~fedora02 httpd sleep 3600
lose fedora02
waits "v2: it runs on the other node" 120 runs_as fedora03/by-env
waits "v2: the lost node has left" 120 sh -c "$D info 2>/dev/null | grep -q 'Nodes: 1'"
ends etcd KILL
check "v2, etcd away: run" $D run -d --name during httpd sleep 3600
etcd_start --enable-v2
engine_start fedora02 10.9.0.2:2375
join fedora02 2
waits "v2, etcd back: the node is back" 120 nodes_healthy 2
stop_all

# --- no etcd when the manager starts ---
ends etcd
manager manage $store || exit 1
opt=
join fedora02 2
waits "no etcd at start: the error is logged" 60 log_has 'level=error|ERRO'
etcd_start --enable-v2
waits "no etcd at start: its nodes are seen later" 180 nodes_healthy 1
ends manage
equal "the manager ends with status 0" $? 0
ends join-fedora02

no_sanitizer_report
checks_end
