#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The README's first command: a pool of three engines comes up, is usable, and goes without a trace.
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

quickstart=$(readlink -f "$(dirname "$0")/../../examples/quickstart.sh")
export SWARM_QUICKSTART_DIR=$WORK/quickstart
docker=$(docker_clis | head -n 1)
pool=tcp://127.0.0.1:3375
traces() { # what a pool that has ended may have left
  ls -d "$SWARM_QUICKSTART_DIR" /run/swarm-quickstart 2>/dev/null
  ip -br link | grep swq
  find /sys/fs/cgroup -type d -path '*/swq-*' 2>/dev/null
  ps -eo args | grep -E '[d]ockerd|[c]ontainerd|[s]warm-manage|[s]warm manage'
  mount | grep swarm-quickstart
}

run "$quickstart" nonsense
has "an argument that is no address is refused" "'nonsense' is no engine's address: host:port is expected"
background taken socat TCP-LISTEN:3375,bind=127.0.0.1,fork EXEC:/bin/true
until_ok 10 sh -c 'ss -Hltn "sport = :3375" | grep -q .'
run "$quickstart"
equal "a port that is taken ends it" "$STATUS" 1
has "and says what to do" 'port 3375 is taken: choose another with SWARM_PORT'
ends taken

run "$quickstart"
equal "quickstart succeeds" "$STATUS" 0
has "it shows the pool" '^ *Nodes: 3$'
has "three healthy nodes" '^ *node-3: 127\.0\.0\.13:23750$'
has "containers run on different nodes" 'node-1/hello-'
has "containers run on different nodes" 'node-3/hello-'
has "it says how to go on" "export DOCKER_HOST=$pool"
has "it says how to stop" 'quickstart\.sh stop'
check "the pool can be used" $docker -H $pool run --rm busybox echo hello
check "with a published port" $docker -H $pool run -d -p 8080:80 -e constraint:node==node-2 busybox httpd -f -h /etc
waits "on the node's own address" 30 curl -sf http://127.0.0.12:8080/passwd
run "$quickstart"
equal "a second start is refused" "$STATUS" 1
has "as the first still runs" 'it runs already'
check "stop" "$quickstart" stop
equal "nothing is left behind" "$(traces)" ""
check "stop again" "$quickstart" stop

# Engines that were there before.
engine ours 2
run "$quickstart" 10.9.0.2:2375
equal "with an engine given it succeeds" "$STATUS" 0
has "its pool has that engine" '^ *ours: 10\.9\.0\.2:2375$'
check "stop" "$quickstart" stop
check "the engine still runs" $docker -H tcp://10.9.0.2:2375 info
equal "without the pool's containers" "$($docker -H tcp://10.9.0.2:2375 ps -aq)" ""
check "with its image" $docker -H tcp://10.9.0.2:2375 image inspect busybox
run "$quickstart" 10.9.0.3:2375
equal "an engine that does not answer ends it" "$STATUS" 1
has "and is named" 'no Docker engine answers on 10\.9\.0\.3:2375'
engine_kill ours
equal "nothing is left behind again" "$(traces)" ""
checks_end
