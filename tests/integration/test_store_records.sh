#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The record of containers in the store of discovery: on fake engines, with managers whose state folders are empty. A
# manager that starts while a node is down moves that node's containers; one that leads next completes or undoes the move
# of one that died in its middle; what was removed does not come back, whoever leads; a manager that was replaced writes
# and moves nothing any more; and what happens while the store is away.
# STORES: which (etcd etcd2 consul zk; default: all). KILL_STEPS: at which steps of a move leaders die (claimed, created,
# moved, started, removing, removed; default: created). WHOLE=1: what is shown on etcd's v3 API only on the others, too.
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"
: "${FAKE_ENGINES:=$BIN/../../tests/kit/swarm-fake-engines}" "${STORES:=etcd etcd2 consul zk}" "${KILL_STEPS:=created}" "${WHOLE:=}"
CONTROL=10.9.0.1:9000
ENGINES=4

fault() { curl -sf -m 20 -d "{\"fault\":\"$2\"}" "http://$CONTROL/engines/$1/fault" || no "fault $2 of engine $1"; }
# copies NAME: "2:running 3:created "
copies() {
  curl -sf -m 20 "http://$CONTROL/engines/all/containers" |
    jq -r --arg name "$1" '.[] | select(.name == $name) | "\(.engine | split("-")[-1]):\(.state)"' | sort | tr '\n' ' '
}
are() { [[ $(copies "$1") =~ ^$2$ ]]; }
running() { copies "$1" | grep -o '[0-9]*:running' | cut -d: -f1; } # the engines where it runs, a line each
engine_of() { running "$1" | head -n 1; }
# NAME N: it runs, and not only on engine N, which is down: what that has is still listed.
on_other_than() { running "$1" | grep -qvx "$2"; }
log_has() { grep -Eq -- "$2" "$WORK/$1.log"; }
D() { docker -H "tcp://10.9.0.1:$1" "${@:2}"; } # PORT ARGUMENTS…
healthy() { # PORT N
  [ "$(curl -sf -m 5 "http://10.9.0.1:$1/info" | jq '[.SystemStatus[] | select(.[0] == "  └ Status" and .[1] == "Healthy")] | length')" = "$2" ]
}
leads() { curl -sf -m 5 "http://10.9.0.1:$1/metrics" | grep -q '^swarm_leader 1'; }
movable() { D "$1" run -d --name "$2" -e reschedule:on-node-failure busybox sleep 100000; } # PORT NAME

# start NAME PORT OPTIONS…: a manager with a state folder that nobody has used.
start() {
  local name=$1 port=$2
  shift 2
  background "$name" "$BIN/swarm" manage -H "tcp://10.9.0.1:$port" --state-dir "$WORK/state.$name.$RANDOM" --reschedule-grace 1s \
    --engine-silence-timeout 3s --engine-flap-limit 0 "${options[@]}" "$@" "$url"
  until_ok 60 curl -sf -m 2 "http://10.9.0.1:$port/_ping" || no "manager $name answers"
}
candidate() { start "$1" "$2" --replication --replication-ttl 4s --advertise "10.9.0.1:$2" "${@:3}"; }
gone() { ! kill -0 "$(cat "$WORK/$1.pid")" 2>/dev/null; }

# --- one manager ---
check_alone() {
  local where to
  start one 3375
  waits "$store: all engines" 60 healthy 3375 $ENGINES
  check "$store: run to be moved" movable 3375 alone
  check "$store: run to be moved and removed" movable 3375 goner
  where=$(engine_of alone)
  ends one KILL
  fault "$where" stop
  start one 3375
  check "$store: the record is read from the store" log_has one 'The record has 4 nodes, and 2 containers'
  waits "$store: what ran on a node that died meanwhile runs elsewhere" 60 on_other_than alone "$where"
  to=$(running alone | grep -vx "$where")
  fault "$where" none
  waits "$store: one copy stays when that is back" 60 are alone "$to:running "
  # Moved, then removed while its node is away.
  where=$(engine_of goner)
  fault "$where" stop
  waits "$store: another one is moved" 60 on_other_than goner "$where"
  check "$store: its user removes it" D 3375 rm -f goner
  ends one KILL
  start one 3375
  fault "$where" none
  waits "$store: all engines are back" 60 healthy 3375 $ENGINES
  waits "$store: it does not come back with its old node" 60 are goner ''
  # The writer that was replaced.
  where=$(engine_of alone)
  start two 3376
  waits "$store: a second manager" 60 healthy 3376 $ENGINES
  check "$store: a change through the first" D 3375 stop -t 0 alone
  waits "$store: it says that it was replaced" 60 log_has one 'moves no containers any more: another manager records in'
  check "$store: started again" D 3376 start alone
  fault "$where" stop
  waits "$store: moved once" 60 on_other_than alone "$where"
  fault "$where" none
  waits "$store: once only" 60 are alone '[0-9]:running '
  check "$store: the first made no move of it" bash -c "! sed -n '/moves no containers/,\$p' $WORK/one.log | grep -q Rescheduled"
  D 3376 rm -f alone >/dev/null
  ends one
  equal "$store: it ends well" $? 0
  ends two
  equal "$store: so does the second" $? 0
}

# --- three managers ---
port_of() { case $1 in a) echo 3377 ;; b) echo 3378 ;; *) echo 3379 ;; esac; }
leader() { # Sets $lead, $follow: the leader, and one of the others.
  local name
  lead='' follow=''
  for name in a b c; do
    if leads "$(port_of $name)" 2>/dev/null; then lead=$name; elif ! gone $name; then follow=$name; fi
  done
  [ -n "$lead" ] && [ -n "$follow" ]
}

check_kill_at() { # STEP
  local step=$1 name=at-$1 where
  waits "$store: $step: a leader" 60 leader
  # The leader is to be one that dies there: the others end until it is.
  ends "$lead"
  SWARM_TEST_KILL_AT=$step candidate "$lead" "$(port_of "$lead")"
  local fatal=$lead other
  for other in a b c; do
    [ $other = "$fatal" ] || { ends $other; }
  done
  waits "$store: $step: it leads" 60 leads "$(port_of "$fatal")"
  for other in a b c; do
    [ $other = "$fatal" ] || candidate $other "$(port_of $other)"
  done
  for other in a b c; do waits "$store: $step: $other knows all engines" 60 healthy "$(port_of $other)" $ENGINES; done
  check "$store: $step: run" movable "$(port_of "$fatal")" "$name"
  where=$(engine_of "$name")
  fault "$where" stop
  if [[ $step = remov* ]]; then # the old copy is, when its node is back
    waits "$store: $step: one copy runs elsewhere" 60 on_other_than "$name" "$where"
    fault "$where" none
  fi
  waits "$store: $step: the leader dies there" 60 gone "$fatal"
  waits "$store: $step: another one leads" 60 leader
  [[ $step = remov* ]] || waits "$store: $step: one copy runs elsewhere" 60 on_other_than "$name" "$where"
  [[ $step = remov* ]] || fault "$where" none
  waits "$store: $step: all engines are back" 60 healthy "$(port_of "$lead")" $ENGINES
  waits "$store: $step: there is one" 60 are "$name" '[0-9]:running '
  sleep 2
  check "$store: $step: it stays like that" are "$name" '[0-9]:running '
  D "$(port_of "$lead")" rm -f "$name" >/dev/null
  candidate "$fatal" "$(port_of "$fatal")"
}

check_removed_under_another() {
  local where old
  waits "$store: a leader" 60 leader
  check "$store: run" movable "$(port_of "$lead")" gone
  where=$(engine_of gone)
  fault "$where" stop
  waits "$store: it is moved" 60 on_other_than gone "$where"
  check "$store: removed while its old node is away" D "$(port_of "$lead")" rm -f gone
  old=$lead
  ends "$old" KILL
  waits "$store: another one leads" 60 leader
  # And one that was not there at all.
  ends "$follow" KILL
  candidate "$follow" "$(port_of "$follow")"
  old=$lead
  ends "$lead" KILL
  waits "$store: one leads that was started meanwhile" 60 leads "$(port_of "$follow")"
  fault "$where" none
  waits "$store: the node is back" 60 healthy "$(port_of "$follow")" $ENGINES
  waits "$store: what was removed is removed there, too" 60 are gone ''
}

check_started_meanwhile() {
  local where name
  for name in a b c; do gone $name || ends $name; done
  candidate a 3377
  waits "$store: one leads" 60 leads 3377
  waits "$store: all engines" 60 healthy 3377 $ENGINES
  check "$store: run" movable 3377 late
  where=$(engine_of late)
  ends a KILL
  fault "$where" stop
  candidate b 3378
  waits "$store: a manager that began while the node was down moves what ran there" 60 on_other_than late "$where"
  fault "$where" none
  waits "$store: one copy" 60 are late '[0-9]:running '
  D 3378 rm -f late >/dev/null
  ends b
  equal "$store: the last one ends well" $? 0
}

# --- the store itself ---
check_store_away() {
  local where
  start one 3375
  waits "$store: all engines" 60 healthy 3375 $ENGINES
  store_stop
  check "$store: away: run goes on" movable 3375 meanwhile
  waits "$store: away: the log says it" 60 log_has one 'The record of containers cannot be written'
  waits "$store: away: so does docker info" 30 sh -c 'docker -H tcp://10.9.0.1:3375 info 2>/dev/null | grep -q "Record not written"'
  where=$(engine_of meanwhile)
  fault "$where" stop
  waits "$store: away: a move waits" 60 sh -c 'docker -H tcp://10.9.0.1:3375 info 2>/dev/null | grep -q "it cannot be recorded"'
  store_start
  waits "$store: it is written again" 60 log_has one 'The record of containers is written again'
  waits "$store: and what waited is moved" 90 on_other_than meanwhile "$where"
  fault "$where" none
  waits "$store: one copy" 60 are meanwhile '[0-9]:running '
  D 3375 rm -f meanwhile >/dev/null
  ends one
}

v3_put() { # KEY VALUE
  ETCDCTL_API=3 etcdctl --endpoints http://10.9.0.1:2379 put "$1" -- "$2" >/dev/null
}
v3_get() { ETCDCTL_API=3 etcdctl --endpoints http://10.9.0.1:2379 get --print-value-only "$@"; }
check_aside() {
  local root=etcd/docker/swarm/records
  v3_put $root/kept/container/ID/bad 'no json'
  v3_put $root/kept/copy/newer '{"v":99}'
  start one 3375
  check "$store: a record that cannot be read is set aside" log_has one 'The record container/ID/bad cannot be read'
  check "$store: one of a newer version, too" log_has one 'The record copy/newer cannot be read.*another version'
  run v3_get $root/aside/container/ID/bad
  has "$store: it is kept, with the reason" '"value":"no json","why":"it is no JSON object"'
  equal "$store: and is not there any more" "$(v3_get --prefix $root/kept/copy)" ""
  ends one
  v3_put $root/writer '{"v":2}'
  start one 3375
  check "$store: what a newer manager has left is not touched" log_has one 'is of version 2, which a newer manager has left'
  equal "$store: not at all" "$(v3_get $root/writer)" '{"v":2}'
  ends one
  v3_put $root/writer '{"v":1}'
}

check_taken_over() {
  local root=etcd/docker/swarm/records
  ETCDCTL_API=3 etcdctl --endpoints http://10.9.0.1:2379 del --prefix $root >/dev/null
  mkdir -p "$WORK/old"
  # As a manager of an earlier version has left it.
  background one "$BIN/swarm" manage -H tcp://10.9.0.1:3375 --state-dir "$WORK/old" nodes://10.77.0.1:2375
  waits "$store: a manager with a file" 60 healthy 3375 1
  check "$store: run" movable 3375 of-old
  ends one
  local id
  id=$(curl -sf "http://$CONTROL/engines/0/containers" | jq -r '.[] | select(.name == "of-old") | .id')
  start one 3375
  mv "$WORK/old/nodes.db" "$WORK/old/$(curl -sf http://10.9.0.1:3375/info | jq -r .ID).db"
  ends one
  ETCDCTL_API=3 etcdctl --endpoints http://10.9.0.1:2379 del --prefix $root >/dev/null
  background one "$BIN/swarm" manage -H tcp://10.9.0.1:3375 --state-dir "$WORK/old" "$url"
  waits "$store: the file of a manager without a store is taken over" 60 log_has one 'entries, has been taken over into the store'
  check "$store: all of it" bash -c "ETCDCTL_API=3 etcdctl --endpoints http://10.9.0.1:2379 get --prefix --keys-only $root | grep -q $id"
  local left=("$WORK"/old/*.taken-over)
  check "$store: once" test -f "${left[0]}"
  D 3375 rm -f of-old >/dev/null
  ends one
}

# --- stores ---
store_start() {
  case $store in
  etcd) etcd_start --log-level error ;;
  etcd2) etcd_start --log-level error --enable-v2 ;;
  consul)
    background consul python3 "$testbed_lib/consul.py" --listen 10.9.0.1:8500 --session-ttl-min 1
    until_ok 60 curl -sf -m 2 http://10.9.0.1:8500/v1/status/leader
    ;;
  zk) start_zookeeper ;;
  esac
}
store_stop() {
  case $store in
  etcd*) ends etcd KILL ;;
  *) ends "$store" KILL ;;
  esac
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
  background zk java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp /usr/share/java/zookeeper.jar \
    org.apache.zookeeper.server.ZooKeeperServerMain "$WORK/zoo.cfg"
  until_ok 60 says_imok
}

agents_start() {
  local n
  for ((n = 1; n <= ENGINES; n++)); do
    background "agent$n" "$BIN/swarm" join --heartbeat 2s --ttl 120s --advertise "10.77.0.$n:2375" "${options[@]}" "$url"
  done
}
agents_stop() {
  local n
  for ((n = 1; n <= ENGINES; n++)); do ends "agent$n" KILL; done
}

ip route add local 10.77.0.0/24 dev lo
background fakes "$FAKE_ENGINES" --engines $ENGINES --address 10.77.0.1 --control "$CONTROL"
for store in $STORES; do
  case $store in
  etcd) url=etcd://10.9.0.1:2379/etcd options=() ;;
  etcd2) url=etcd://10.9.0.1:2379/etcd2 options=(--discovery-opt kv.api=2) ;;
  consul) url=consul://10.9.0.1:8500/pre options=() ;;
  zk) url=zk://10.9.0.1:2181/pre options=() ;;
  esac
  store_start
  agents_start
  if [ -n "$WHOLE" ] || [ "$store" = etcd ]; then check_alone; fi
  for name in a b c; do candidate $name "$(port_of $name)"; done
  for step in $KILL_STEPS; do check_kill_at "$step"; done
  check_removed_under_another
  if [ -n "$WHOLE" ] || [ "$store" = etcd ]; then check_started_meanwhile; fi
  for name in a b c; do gone $name || ends $name; done
  if [ "$store" = etcd ]; then
    check_store_away
    check_aside
    check_taken_over
  fi
  agents_stop
  store_stop
done
no_sanitizer_report
checks_end
