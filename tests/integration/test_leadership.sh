#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Three managers, one of which acts: who is primary when it is killed, stopped, cut off or told to end, and what becomes
# of containers whose nodes die meanwhile, on etcd (v3 and v2), Consul (tests/lib/consul.py) and ZooKeeper with fake
# engines (tests/lib/leadership.py); then streams through a replica, with TLS, to real engines.
# LEADERSHIP_ROUNDS: rounds on etcd v3 (4); more than that are made on each of LEADERSHIP_STORES (v3 v2 consul zk members:
# the last one is three of etcd, which are killed at random meanwhile), with all that can happen, and without the streams.
# LEADERSHIP_SEED: of what is random (1).
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"
: "${FAKE_ENGINES:=$BIN/../../tests/kit/swarm-fake-engines}" "${LEADERSHIP_ROUNDS:=4}" "${LEADERSHIP_SEED:=1}"
: "${LEADERSHIP_STORES:=v3 v2 consul zk members}"
CONTROL=10.9.0.1:9000

start_etcd() { # NAME PORT OPTIONS…
  local name=$1 port=$2
  shift 2
  background "$name" etcd --data-dir "$WORK/$name.data" --log-level error --listen-client-urls "http://10.9.0.1:$port" \
    --advertise-client-urls "http://10.9.0.1:$port" --listen-peer-urls "http://10.9.0.1:$((port + 1))" \
    --initial-advertise-peer-urls "http://10.9.0.1:$((port + 1))" --initial-cluster "default=http://10.9.0.1:$((port + 1))" "$@"
  until_ok 60 curl -sf -m 2 "http://10.9.0.1:$port/health"
}
# A line each for leadership.py: three of API v3.
etcd_members() {
  local n port all=m1=http://10.9.0.1:2580,m2=http://10.9.0.1:2582,m3=http://10.9.0.1:2584
  for n in 1 2 3; do
    port=$((2577 + 2 * n))
    echo "http://10.9.0.1:$port/health etcd --name m$n --data-dir $WORK/m$n.data --log-level error" \
      "--listen-client-urls http://10.9.0.1:$port --advertise-client-urls http://10.9.0.1:$port" \
      "--listen-peer-urls http://10.9.0.1:$((port + 1)) --initial-advertise-peer-urls http://10.9.0.1:$((port + 1))" \
      "--initial-cluster $all"
  done
}
start_consul() {
  background consul python3 "$testbed_lib/consul.py" --listen 10.9.0.1:8500 --session-ttl-min 1
  until_ok 60 curl -sf -m 2 http://10.9.0.1:8500/v1/status/leader
}
says_imok() { echo ruok | socat -t1 - tcp:10.9.0.1:2181 2>/dev/null | grep -q imok; }
start_zookeeper() {
  cat >"$WORK/zoo.cfg" <<END
dataDir=$WORK/zk.data
clientPort=2181
clientPortAddress=10.9.0.1
tickTime=500
minSessionTimeout=1000
maxSessionTimeout=100000
forceSync=no
admin.enableServer=false
4lw.commands.whitelist=ruok
END
  background zookeeper java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp /usr/share/java/zookeeper.jar \
    org.apache.zookeeper.server.ZooKeeperServerMain "$WORK/zoo.cfg"
  until_ok 60 says_imok
}

# story NAME NUMBER URL OPTIONS…: its checks go to $WORK/NAME.checks.
story() {
  local name=$1 number=$2 url=$3
  shift 3
  mkdir -p "$WORK/$name"
  background "$name.checks" python3 "$testbed_lib/leadership.py" --bin "$BIN" --work "$WORK/$name" --name "$name" --number "$number" \
    --discovery "$url" --control "$CONTROL" --engines "$((number * 5)):5" --seed "$LEADERSHIP_SEED" "$@"
}
story_ends() { # NAME
  wait "$(cat "$WORK/$1.checks.pid")"
  program_checks "$1" cat "$WORK/$1.checks.log"
  [ "$checks_failed" = 0 ] || tail -n 5 "$WORK/$1"/*.log
  # What the test keeps.
  for log in "$WORK/$1"/*.log; do cp "$log" "$WORK/$1-$(basename "$log")"; done
}

# Every fault, on that store.
long_story() { # NAME
  case $1 in
  v3) start_etcd v3 2379 && story v3 0 etcd://10.9.0.1:2379 --rounds "$LEADERSHIP_ROUNDS" ;;
  v2) start_etcd v2 2479 --enable-v2 && story v2 1 etcd://10.9.0.1:2479 --rounds "$LEADERSHIP_ROUNDS" ;;
  consul) start_consul && story consul 2 consul://10.9.0.1:8500 --rounds "$LEADERSHIP_ROUNDS" ;;
  zk) start_zookeeper && story zk 3 zk://10.9.0.1:2181 --rounds "$LEADERSHIP_ROUNDS" ;;
  members)
    etcd_members >"$WORK/members.list"
    story members 4 etcd://10.9.0.1:2579,10.9.0.1:2581,10.9.0.1:2583 --rounds "$LEADERSHIP_ROUNDS" --members "$WORK/members.list"
    ;;
  esac
}
# Two side by side at most: a machine with too much to do makes primaries lose their place.
has_room() {
  local running pid
  while :; do
    running=0
    for pid in "$WORK"/*.checks.pid; do
      [ ! -e "$pid" ] || ! kill -0 "$(cat "$pid")" 2>/dev/null || running=$((running + 1))
    done
    [ "$running" -ge 2 ] || return 0
    sleep 1
  done
}

# --- streams through a replica, with TLS, to real engines
C=$WORK/c
manager_with_tls() { # NAME PORT
  background "$1" "$BIN/swarm" manage -H "tcp://10.9.0.1:$2" --replication --replication-ttl 4s --advertise "10.9.0.1:$2" \
    --tlsverify --tlscacert "$C/ca.pem" --tlscert "$C/10.9.0.1/cert.pem" --tlskey "$C/10.9.0.1/key.pem" etcd://10.9.0.1:2379/tls
}
role_is() { docker -H "tcp://10.9.0.1:$1" info 2>/dev/null | grep -q "^ Role: $2"; }
streams() {
  check "tls: a CA and pairs are made" "$testbed_lib/../../examples/tls.sh" "$C" 10.9.0.1 10.9.0.2 10.9.0.3 client
  export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=$C/client
  manager_with_tls first 3376
  ENGINE_TLS=$C/10.9.0.2 engine n1 2
  ENGINE_TLS=$C/10.9.0.3 engine n2 3
  for n in 2 3; do
    background "agent$n" "$BIN/swarm" join --heartbeat 1s --ttl 60s --advertise "10.9.0.$n:2375" etcd://10.9.0.1:2379/tls
  done
  waits "tls: the first manager is the primary" 60 role_is 3376 primary
  manager_with_tls second 3377
  waits "tls: the second is a replica" 60 role_is 3377 replica
  export DOCKER_HOST=tcp://10.9.0.1:3377
  waits "tls: a container runs through the replica" 120 docker run --rm busybox true
  head -c 50000000 /dev/urandom >"$WORK/input"
  want=$(md5sum <"$WORK/input")
  equal "tls: 50 MB through run -i at the replica" "$(docker run -i --rm busybox cat <"$WORK/input" | md5sum)" "$want"
  check "tls: one that is to be moved" docker run -d --name mover -e reschedule:on-node-failure busybox sleep 100000
  equal "tls: 50 MB through exec -i at the replica" "$(docker exec -i mover cat <"$WORK/input" | md5sum)" "$want"
  run curl -sS -m 10 --cacert "$C/ca.pem" https://10.9.0.1:3377/info
  lacks "tls: nobody gets in at the replica without a certificate" Role
  node=$(docker inspect -f '{{.Node.Name}}' mover)
  engine_kill "$node"
  kill -KILL "$(cat "$WORK/first.pid")"
  waits "tls: the replica takes over" 60 role_is 3377 primary
  waits "tls: what ran on the node that died with the primary runs elsewhere" 120 \
    eval 'moved=$(docker inspect -f "{{.Node.Name}} {{.State.Running}}" mover) && [ "${moved#* }" = true ] && [ "${moved% *}" != "$node" ]'
  ends second
  equal "tls: it ends well" $? 0
  unset DOCKER_HOST DOCKER_TLS_VERIFY DOCKER_CERT_PATH
}

echo 1 >/proc/sys/net/ipv4/ip_forward
ip route add local 10.77.0.0/24 dev lo
background fakes "$FAKE_ENGINES" --engines 25 --address 10.77.0.1 --control "$CONTROL"
if [ "$LEADERSHIP_ROUNDS" -gt 4 ]; then
  for name in $LEADERSHIP_STORES; do
    has_room
    long_story "$name"
  done
  for name in $LEADERSHIP_STORES; do story_ends "$name"; done
else
  start_etcd v3 2379
  start_etcd v2 2479 --enable-v2
  start_consul
  start_zookeeper
  story v3 0 etcd://10.9.0.1:2379 --rounds "$LEADERSHIP_ROUNDS"
  story v2 1 etcd://10.9.0.1:2479 --rounds 2 --faults kill,term
  story consul 2 consul://10.9.0.1:8500 --rounds 2 --faults stop,term
  story zk 3 zk://10.9.0.1:2181 --rounds 2 --faults kill,term
  streams
  for name in v3 v2 consul zk; do story_ends $name; done
fi
no_sanitizer_report
checks_end
