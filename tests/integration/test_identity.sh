#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who an engine is: one at two addresses is one node, one that comes back at another address is the node that it was, and
# of two machines with one id (a clone) the second is an error, whatever happens to the first. Nothing is removed; what a
# node that is away has stays known, with its name, port and memory.
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

export DOCKER_HOST=$MANAGER
list() { printf '%s\n' "$@" >"$WORK/list.new" && mv "$WORK/list.new" "$WORK/list"; } # ADDRESS…: what the pool is of
on() { docker -H "tcp://$1" "${@:2}"; }                                              # ADDRESS docker arguments…
# copies NAME: on how many engines it runs
copies() {
  local address
  for address in 10.9.0.2:2375 10.9.0.3:2375 10.9.0.4:2375 10.9.0.5:2375; do
    timeout 10 docker -H "tcp://$address" ps -q --filter "name=^/$1\$" 2>/dev/null
  done | wc -l
}
# The pool's list has it once, on that node.
listed() { [ "$(docker ps -a --format '{{.Names}}' | grep "/$1\$")" = "$2/$1" ]; }
error_of() { curl -sf -m 5 "http://${MANAGER#tcp://}/swarm/nodes" | jq -r ".[] | select(.address == \"$1\").error"; }
is_duplicate() { [[ $(error_of "$1") == "ID duplicated."*"shared by this node $1 and another node $2"* ]]; }

engine n1 2 -H tcp://10.9.0.2:2376
engine n2 3
list 10.9.0.2:2375 10.9.0.3:2375
manager manage --state-dir "$WORK/state" --reschedule-grace 2s "file://$WORK/list"
waits "two nodes" 60 nodes_healthy 2
check "run one that may move" docker run -d --name moves -e reschedule:on-node-failure -e constraint:node==~n1 busybox sleep 36000
check "run one that stays" docker run -d --name stays -e constraint:node==n1 -m 64m -p 8080:80 -v kept:/kept busybox sleep 36000

echo "-- one engine at two addresses"
list 10.9.0.2:2375 10.9.0.3:2375 10.9.0.2:2376
waits "the second address is an error" 60 is_duplicate 10.9.0.2:2376 10.9.0.2:2375
lacks_clone() { [[ $(error_of "$1") != *"two machines"* ]]; }
check "which does not speak of two machines" lacks_clone 10.9.0.2:2376
run docker info
has "docker info shows it" 'Error: ID duplicated\. .* this node 10.9.0.2:2376 and another node 10.9.0.2:2375'
waits "the log does" 20 grep -q 'Failed to validate pending node: ID duplicated' "$WORK/manage.log"
check "two nodes are healthy" nodes_healthy 2
check "a container is listed once" listed moves n1
check "the other, too" listed stays n1
equal "and runs" "$(copies moves) $(copies stays)" "1 1"

echo "-- it comes back at another address"
list 10.9.0.2:2375 10.9.0.3:2375 10.9.0.4:2375
engine_kill n1
waits "what may move has moved" 120 listed moves n2
engine_start n1 10.9.0.4:2375 --ip 10.9.0.4
waits "the node is back" 120 nodes_healthy 2
check "which the log says" grep -q 'Engine n1 has moved from 10.9.0.2:2375 to 10.9.0.4:2375' "$WORK/manage.log"
waits "what stayed is there" 30 listed stays n1
check "with its volume" docker inspect -f '{{range .Mounts}}{{.Name}}{{end}}' stays
has "by its name" '^kept$'
check "and can be started" docker start stays
waits "the old copy of what moved is gone" 60 sh -c '! docker -H tcp://10.9.0.4:2375 ps -a --format "{{.Names}}" | grep -qx moves'
check "there is one" listed moves n2

echo "-- a cloned machine"
list 10.9.0.4:2375 10.9.0.3:2375 10.9.0.5:2375
docker rm -f moves >"$WORK/rm.log"
check "run one on the first" docker run -d --name moves -e reschedule:on-node-failure -e constraint:node==~n1 busybox sleep 36000
mkdir -p "$ENGINES_DIR/n3/etc" && cp "$ENGINES_DIR/n1/etc/key.json" "$ENGINES_DIR/n3/etc/"
engine n3 5
on 10.9.0.5:2375 run -d --name clone-only busybox sleep 36000 >"$WORK/clone.log"
waits "the clone is an error" 60 is_duplicate 10.9.0.5:2375 10.9.0.4:2375
waits "that says why" 60 eval '[[ $(error_of 10.9.0.5:2375) == *"two machines have one ID" ]]'
check "the first is not disturbed" listed moves n1
engine_kill n1
waits "what may move does, when the first one is lost" 120 eval '[ "$(docker inspect -f "{{.Node.Name}} {{.State.Running}}" moves)" = "n2 true" ]'
check "what does not is known still" listed stays n1
refused "its name is taken" 1 docker create --name stays busybox true
has "which is said" 'Conflict'
on_n1() { curl -sf -m 5 "http://${MANAGER#tcp://}/swarm/nodes" | jq "map(select(.name == \"n1\" and .address == \"10.9.0.4:2375\"))[0]$1"; }
equal "its memory counts where it is" "$(on_n1 .reserved.memory)" $((64 << 20))
check "its port is free on other nodes" docker run -d --name port -p 8080:80 busybox sleep 36000
check "where that container went" listed port n2
equal "what has moved is counted" "$(on_n1 .moved)" 1
run docker info
has "docker info, too" 'Rescheduling: 1 moved'
sleep 5
check "the clone does not become the node" is_duplicate 10.9.0.5:2375 10.9.0.4:2375
ends manage KILL
manager manage --state-dir "$WORK/state" --reschedule-grace 2s "file://$WORK/list"
waits "a new manager sees the clone first, and what moved" 60 listed moves n2
engine_start n1 10.9.0.4:2375 --ip 10.9.0.4
waits "one of them is an error" 120 eval 'is_duplicate 10.9.0.5:2375 10.9.0.4:2375 || is_duplicate 10.9.0.4:2375 10.9.0.5:2375'
sleep 5
check "nothing is removed from the first" on 10.9.0.4:2375 inspect stays
check "nor from the clone" on 10.9.0.5:2375 exec clone-only true
equal "one copy runs of what moved" "$(copies moves)" 1
ends manage
equal "the manager ends with status 0" $? 0
no_sanitizer_report
checks_end
