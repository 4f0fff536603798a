#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Engines at unix sockets of the manager's machine, and everything at IPv6 addresses.
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

# --- unix:// ---
engine n1 2 -H unix:///run/a.sock
engine n2 3 -H unix:///run/b.sock -H 'tcp://[::1]:2377'
lines=$WORK/engines.txt
printf '%s\n' unix:///run/a.sock 'unix://run/a.sock' unix:///run/b.sock unix:///run/none.sock >"$lines"
background manager "$BIN/swarm" manage -H "$MANAGER" -H 'tcp://[::1]:3375' -H unix:///run/m.sock "file://$lines"
waits "engines at two sockets are two nodes" 60 nodes_healthy 2
export DOCKER_HOST=$MANAGER
waits "a bad line is told" 20 grep -q 'address unix://run/a.sock: the path does not begin with' "$WORK/manager.log"
run docker info
has "info names the first socket" 'n1: unix:///run/a.sock'
has "and the second" 'n2: unix:///run/b.sock'
has "a socket that is not there is told" 'Cannot connect to the Docker daemon at unix:///run/none.sock'
has "and so is its state" '\(unknown\): unix:///run/none.sock'
check "run" docker run --rm -e constraint:node==n1 busybox echo through-a
has "its output" '^through-a$'
head -c 3000000 /dev/urandom >"$WORK/input"
equal "3 MB through run -i" "$(docker run -i --rm -e constraint:node==n2 busybox cat <"$WORK/input" | md5sum)" "$(md5sum <"$WORK/input")"
check "a container that may move" docker run -d --name movable -e constraint:node==n* -e reschedule:on-node-failure -p 8080:80 \
  -e affinity:container!=none busybox sh -c 'echo started; sleep 1000'
from=$(docker inspect -f '{{.Node.Name}}' movable)
to=$([ "$from" = n1 ] && echo n2 || echo n1)
run docker inspect -f '{{.Node.Addr}} {{.Node.IP}}.' movable
has "inspect tells the socket" '^unix:///run/[ab].sock \.$'
check "exec" docker exec movable echo inside
check "logs" docker logs movable
has "and they are its own" '^started$'
check "one stays on each node" docker run -d --name stays -e constraint:node=="$to" busybox sleep 1000
check "stop" docker stop -t 0 stays
background follow docker logs -f movable
engine_kill "$from"
waits "the container of an engine that is lost moves" 60 eval '[ "$(docker inspect -f "{{.Node.Name}} {{.State.Running}}" movable)" = "$to true" ]'
check "the engine's end is told" grep -q 'Flagging engine as unhealthy' "$WORK/manager.log"
run docker info
has "with what nobody answers at" "Cannot connect to the Docker daemon at unix:///run/[ab].sock"
waits "a stream from the lost engine ends" 60 eval '! kill -0 "$(cat "$WORK/follow.pid")" 2>/dev/null'
check "the manager's own socket" docker -H unix:///run/m.sock ps
check "and its IPv6 address" docker -H 'tcp://[::1]:3375' ps
ends manager
equal "the manager stops" $? 0

# --- a socket of no permission ---
case $from in
n1) engine_start n1 10.9.0.2:2375 -H unix:///run/a.sock ;;
n2) engine_start n2 10.9.0.3:2375 -H unix:///run/b.sock -H 'tcp://[::1]:2377' ;;
esac
chmod 0 /run/a.sock
background manager setpriv --bounding-set=-dac_override,-dac_read_search "$BIN/swarm" manage -H "$MANAGER" \
  unix:///run/a.sock,10.9.0.3:2375
waits "the other engine is used" 60 nodes_healthy 1
run docker info
has "a socket that may not be used is told" 'permission denied while connecting to the engine at unix:///run/a.sock'
ends manager

# --- IPv6 ---
background etcd "${ETCD:-etcd}" --data-dir "$WORK/etcd.data" --enable-v2 --listen-client-urls 'http://[::1]:2379' \
  --advertise-client-urls 'http://[::1]:2379' --listen-peer-urls 'http://[::1]:2382' \
  --initial-advertise-peer-urls 'http://[::1]:2382' --initial-cluster 'default=http://[::1]:2382'
waits "etcd at [::1]" 60 curl -sf -m 2 'http://[::1]:2379/health'
background agent "$BIN/swarm" join --advertise '[::1]:2377' 'etcd://[::1]:2379'
MANAGER='tcp://[::1]:3375'
background manager "$BIN/swarm" manage -H "$MANAGER" 'etcd://[::1]:2379'
waits "an engine at [::1], announced in a store at [::1]" 60 nodes_healthy 1
equal "swarm list" "$("$BIN/swarm" list 'etcd://[::1]:2379')" '[::1]:2377'
export DOCKER_HOST=$MANAGER
run docker info
has "info names it" 'n2: \[::1\]:2377'
check "run through IPv6" docker run --rm busybox echo six
has "its output" '^six$'
docker run -d --name port -p 0.0.0.0:8081:80 busybox sleep 1000 >/dev/null
run docker ps
has "ports are shown at the node's address" '(::1|\[::1\]):8081->80'
refused "a socket is nothing to announce" 1 "$BIN/swarm" join --advertise unix:///run/a.sock 'etcd://[::1]:2379'
has "which is said" 'or ssh://\[user@\]host'
background tokens "$BIN/swarm" token-service -H 'tcp://[::1]:2380' --state "$WORK/tokens"
export SWARM_TOKEN_SERVICE='http://[::1]:2380/v1'
waits "a token service at [::1]" 30 sh -c '"$0" create >"$1"' "$BIN/swarm" "$WORK/token"
token=$(cat "$WORK/token")
background agent2 "$BIN/swarm" join --advertise '[::1]:2377' "token://$token"
waits "an agent announces there" 30 eval '[ "$("$BIN/swarm" list "token://$token")" = "[::1]:2377" ]'
for name in agent2 tokens agent manager; do
  ends $name
  equal "$name ends" $? 0
done
background consul python3 "$(dirname "$0")/../lib/consul.py" --listen '[::1]:8500'
waits "Consul's stand-in at [::1]" 30 curl -sf -m 2 'http://[::1]:8500/v1/status/leader'
in_store() { # NAME URL OPTIONS…: an agent, list, and the managers of a replicated pool
  local name=$1 url=$2
  shift 2
  background agent "$BIN/swarm" join "$@" --advertise '[::1]:2377' "$url"
  background manager "$BIN/swarm" manage "$@" --replication --advertise '[::1]:3375' -H "$MANAGER" "$url"
  background other "$BIN/swarm" manage "$@" --replication --advertise '[::1]:3376' -H 'tcp://[::1]:3376' "$url"
  waits "$name: an engine is announced" 60 nodes_healthy 1
  equal "$name: swarm list" "$("$BIN/swarm" list "$@" "$url")" '[::1]:2377'
  waits "$name: one leads, and the other one asks it" 60 docker -H 'tcp://[::1]:3375' run --rm busybox true
  waits "$name: whichever it is" 60 docker -H 'tcp://[::1]:3376' run --rm busybox true
  for name in "$name agent" "$name manager" "$name other"; do
    ends "${name##* }"
    equal "$name ends" $? 0
  done
}
in_store etcd-v2 'etcd://[::1]:2379' --discovery-opt kv.api=2
in_store Consul 'consul://[::1]:8500/pool'
no_sanitizer_report
checks_end
