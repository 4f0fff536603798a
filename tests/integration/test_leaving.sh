#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Leaving is not failing: agents that are told to stop, that are killed, and machines that die, on etcd (v3 and v2),
# Consul (tests/lib/consul.py) and ZooKeeper, which are restarted and emptied as well, and on a token service; lines of a
# file that go; and three members of an etcd killed in turn while containers are made. The stories run side by side, each
# with engines, agents and a manager of its own.
# BIN: where swarm, swarm-join and swarm-manage are. LEAVING_ROUNDS: so often everything happens (1).
# shellcheck source-path=SCRIPTDIR source=../lib/membership.sh
. "$(dirname "$0")/../lib/membership.sh"
membership_enter "$@"
: "${FAKE_ENGINES:=$BIN/../../tests/kit/swarm-fake-engines}"
export ETCDCTL_API=3
TEST=$(dirname "$(readlink -f "$0")")
ALL=$W
CONTROL=127.0.0.1:9000

# --- engines: three a story, $first and the two behind it
fault() { curl -sf -m 20 -o "$W/fault" -d "{\"fault\":\"$2\"}" "http://$CONTROL/engines/$((first + $1))/fault"; }
engine_has() { curl -sf -m 20 "http://$CONTROL/engines/$((first + $1))/containers" | jq -e --arg name "$2" 'any(.[]; .name == $name and .state == "running")' >/dev/null; }
address() { echo "127.77.0.$((first + $1 + 1)):2375"; }
agent() { join "$1" "$(address "$2")" "${options[@]}" "$url"; } # NAME ENGINE

# --- the manager
api() { curl -s -m 20 "$@"; }
manage() { # sets manage and api
  : >"$W/manage.log"
  "$SWARM" manage -H "tcp://127.0.0.1:$((3300 + first))" --heartbeat 1s "${options[@]}" "$url" >>"$W/manage.log" 2>&1 &
  manage=$!
  api=http://127.0.0.1:$((3300 + first))
}
state() { api "$api/swarm/nodes" | jq -r --arg address "$(address "$1")" '.[] | select(.address == $address).state'; }
state_is() { [ "$(state "$1")" = "$2" ]; } # ENGINE STATE; "": it is not in the pool
healthy() { [ "$(api "$api/swarm/nodes" | jq '[.[] | select(.state == "healthy")] | length')" = "$1" ]; }
status_line() { api "$api/info" | jq -r '.SystemStatus[] | select(.[0] == "  └ Status")[1]' | tr '\n' ' '; }
# Make and start a container on an engine, or there rather than elsewhere (operator ==~); why it is refused.
create() { # NAME ENGINE [OPERATOR]
  local id
  id=$(api -H 'Content-Type: application/json' "$api/containers/create?name=$1" \
    -d "{\"Image\":\"busybox\",\"Cmd\":[\"sleep\",\"9999\"],\"Env\":[\"constraint:node${3:-==}node-$((first + $2))\",\"reschedule:on-node-failure\"]}" |
    jq -er .Id 2>"$W/jq.err" || api -H 'Content-Type: application/json' "$api/containers/create?name=$1&dryrun=1" \
      -d "{\"Image\":\"busybox\",\"Env\":[\"constraint:node==node-$((first + $2))\"]}" >&2) &&
    [ "$(api -o "$W/started" -w '%{http_code}' -X POST "$api/containers/$id/start")" = 204 ]
}
node_of() { api "$api/containers/$1/json" | jq -r '.Node.Name // "none"'; }
moved() { grep -c 'Rescheduled container' "$W/manage.log"; }
removed() { grep -c 'Removed Engine' "$W/manage.log"; }
# How many were moved, and how many nodes removed, since the last `mark`.
mark() { moves=$(moved) removals=$(removed); }
since() { echo "$(($(moved) - moves)) $(($(removed) - removals))"; }
nothing_since() { [ "$(since)" = "0 0" ]; }

# --- stores: $W/store.pid is the server's
start_etcd() { # PORT OPTIONS…
  local port=$1; shift
  etcd --data-dir "$W/data" --log-level error --listen-client-urls "http://127.0.0.1:$port" \
    --advertise-client-urls "http://127.0.0.1:$port" --listen-peer-urls "http://127.0.0.1:$((port + 1))" \
    --initial-advertise-peer-urls "http://127.0.0.1:$((port + 1))" --initial-cluster "default=http://127.0.0.1:$((port + 1))" "$@" >>"$W/store.log" 2>&1 &
  store=$!
  within 60 curl -sf -m 1 -o "$W/version" "http://127.0.0.1:$port/health"
}
start_v3() { start_etcd 2379; }
start_v2() { start_etcd 2479 --enable-v2; }
start_consul() {
  mkdir -p "$W/data"
  python3 "$TEST/../lib/consul.py" --listen 127.0.0.1:8500 --session-ttl-min 1 --state "$W/data/state" >>"$W/store.log" 2>&1 &
  store=$!
  within 60 curl -sf -m 2 -o "$W/version" "http://127.0.0.1:8500/v1/status/leader"
}
says_imok() { echo ruok | socat -t1 - tcp:127.0.0.1:2181 2>/dev/null | grep -q imok; }
start_zk() {
  cat >"$W/zoo.cfg" <<END
dataDir=$W/data
clientPort=2181
clientPortAddress=127.0.0.1
tickTime=500
minSessionTimeout=1000
maxSessionTimeout=5000
forceSync=no
admin.enableServer=false
4lw.commands.whitelist=ruok
END
  java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp /usr/share/java/zookeeper.jar \
    org.apache.zookeeper.server.ZooKeeperServerMain "$W/zoo.cfg" >>"$W/store.log" 2>&1 &
  store=$!
  within 60 says_imok
}

start_token() {
  mkdir -p "$W/data"
  "$SWARM" token-service -H tcp://127.0.0.1:2580 --state "$W/data/state" >>"$W/store.log" 2>&1 &
  store=$!
  within 60 curl -s -m 2 -o "$W/version" "$SWARM_TOKEN_SERVICE/"
}

# --- leaving, dying, lapsing
one_leaves() {
  mark
  stop "$one"
  check "$name: an agent that is told to stop exits with 0" test $? = 0
  began=$(milliseconds)
  check "$name: its node leaves at once" within 10 state_is 0 ''
  took "$began"
  check "$name: with a word in the log" grep -q "Removed Engine node-$first\$\|Removed Engine node-$first\"" "$W/manage.log"
  check "$name: what it runs goes on" engine_has 0 "a$n"
  equal "$name: nothing was moved" "$(since)" "0 1"
  agent one 0
  check "$name: and is back when its agent is" within 30 healthy 3
}
agent_dies() {
  mark
  stop "$two" -KILL
  began=$(milliseconds)
  check "$name: the node of a killed agent is unannounced" within 30 state_is 1 unannounced
  took "$began"
  check "$name: docker info says so" eval '[[ " $(status_line)" == *" Unannounced "* ]]'
  equal "$name: it keeps what it runs" "$(node_of "b$n")" "node-$((first + 1))"
  check "$name: which can be used" api -f -o "$W/logs" "$api/containers/b$n/logs?stdout=1"
  run create "c$n" 1
  has "$name: it takes nothing new, and that is said" '1 unannounced'
  check "$name: it stays so" for_all 2 state_is 1 unannounced
  equal "$name: nothing is moved" "$(since)" "0 0"
  agent two 1
  check "$name: announced again it is healthy" within 30 healthy 3
  check "$name: and takes containers" create "c$n" 1
}
machine_dies() {
  mark
  fault 2 stop
  began=$(milliseconds)
  check "$name: a machine that dies is unhealthy" within 30 state_is 2 unhealthy
  took "$began"
  check "$name: but not removed" for_all 2 state_is 2 unhealthy
  stop "$three" -KILL
  began=$(milliseconds)
  check "$name: it is removed when its membership has lapsed" within 40 state_is 2 ''
  took "$began"
  check "$name: what ran there runs elsewhere" within 30 eval '[[ $(node_of "d$n") == node-* && $(node_of "d$n") != node-$((first + 2)) ]]'
  equal "$name: that only was moved" "$(since)" "1 1"
  fault 2 none
  agent three 2
  check "$name: the machine comes back" within 60 healthy 3
}
store_restarts() {
  mark
  stop "$store" -KILL
  sleep 1
  "start_$name"
  check "$name: a store that was killed and restarted" for_all 4 nothing_since
  check "$name: changes nothing" within 30 healthy 3
}
# All agents stand still while it happens: nobody is announced for some time, and one engine does not answer.
store_is_emptied() {
  mark
  kill -STOP "$one" "$two" "$three"
  fault 0 stop
  stop "$store" -KILL
  rm -rf "$W/data"
  "start_$name"
  check "$name: a store that comes back empty leaves all unannounced" within 40 eval 'state_is 1 unannounced && state_is 2 unannounced'
  check "$name: one that does not answer is unhealthy" within 30 state_is 0 unhealthy
  check "$name: and stays in the pool" for_all 2 state_is 0 unhealthy
  fault 0 none
  kill -CONT "$one" "$two" "$three"
  check "$name: all are healthy when they are announced again" within 60 healthy 3
  equal "$name: nobody was removed" "$(since | cut -d' ' -f2)" 0
}

story() { # NAME FIRST URL OPTIONS…
  name=$1 first=$2 url=$3
  shift 3
  options=("$@")
  W=$ALL/$name
  mkdir -p "$W"
  "start_$name"
  [ "$name" != token ] || url=token://$("$SWARM" create 2>>"$W/store.log")
  manage
  agent one 0
  agent two 1
  agent three 2
  check "$name: three agents join" within 60 healthy 3
  for round in $(seq "${LEAVING_ROUNDS:-1}"); do
    n=$first-$round
    check "$name: containers run" eval 'create "a$n" 0 && create "b$n" 1 && create "d$n" 2 ==~'
    one_leaves
    agent_dies
    machine_dies
    store_restarts
    # A token service that has lost its token says so, which is no list.
    [ "$name" = token ] || store_is_emptied
    for one_of in a b c d; do api -f -o "$W/answer" -X DELETE "$api/containers/$one_of$n?force=1"; done
  done
  stop "$manage"
  check "$name: the manager stops cleanly" test $? = 0
  # shellcheck disable=SC2154
  kill "$one" "$two" "$three" "$store" 2>/dev/null
}

# --- a file
lines() { # ENGINE…: in one step
  local engine
  for engine in "$@"; do address "$engine"; done >"$W/nodes.new"
  mv "$W/nodes.new" "$W/nodes"
}
file() { # FIRST
  name=file first=$1 W=$ALL/file
  mkdir -p "$W"
  url=file://$W/nodes
  options=()
  lines 0 1 2
  manage
  check "$name: its engines are there" within 60 healthy 3
  mark
  lines 1 2
  check "$name: a line that is taken out leaves" within 20 state_is 0 ''
  check "$name: with a word in the log" within 10 eval '[ "$(since)" = "0 1" ]'
  lines 0 1 2
  check "$name: and is back with its line" within 30 healthy 3
  mark
  lines
  check "$name: a file without lines leaves all unannounced" within 20 eval 'state_is 0 unannounced && state_is 1 unannounced && state_is 2 unannounced'
  check "$name: and there" for_all 2 nothing_since
  lines 0 1 2
  check "$name: until the lines are back" within 30 healthy 3
  equal "$name: nobody was removed" "$(since)" "0 0"
  stop "$manage"
  check "$name: the manager stops cleanly" test $? = 0
}

# --- an etcd of three
start_member() { # 0…2
  local cluster=() i
  for i in 0 1 2; do cluster+=("m$i=http://127.0.0.1:$((24000 + i))"); done
  etcd --name "m$1" --data-dir "$W/data$1" --log-level error --heartbeat-interval 100 --election-timeout 1000 \
    --listen-client-urls "http://127.0.0.1:$((23000 + $1))" --advertise-client-urls "http://127.0.0.1:$((23000 + $1))" \
    --listen-peer-urls "http://127.0.0.1:$((24000 + $1))" --initial-advertise-peer-urls "http://127.0.0.1:$((24000 + $1))" \
    --initial-cluster "$(IFS=,; echo "${cluster[*]}")" >>"$W/member$1.log" 2>&1 &
  member[$1]=$!
}
member_up() { curl -sf -m 2 -o "$W/version" "http://127.0.0.1:$((23000 + $1))/health"; }
# Containers are made, looked at and removed until $W/enough is there; what goes wrong is written down.
load() {
  local i=0 id
  while [ ! -e "$W/enough" ]; do
    i=$((i + 1))
    id=$(api -H 'Content-Type: application/json' "$api/containers/create?name=load$i" -d '{"Image":"busybox","Cmd":["sleep","9"]}' | tee "$W/answer" | jq -er .Id 2>&1) &&
      api -f -o "$W/answer" "$api/containers/$id/json" && api -f -X DELETE "$api/containers/$id" || echo "load$i: $(cat "$W/answer")" >>"$W/failed"
  done
  echo "$i" >"$W/requests"
}
three_members() {
  name=etcd-of-three first=$1
  url=etcd://127.0.0.1:23000,127.0.0.1:23001,127.0.0.1:23002
  options=()
  W=$ALL/three
  mkdir -p "$W"
  local i member=()
  for i in 0 1 2; do start_member $i; done
  within 60 member_up 0
  manage
  : >"$W/failed"
  # Long enough for an etcd to elect a leader on a busy machine.
  for i in 0 1 2; do
    "$SWARM" join --heartbeat 1s --ttl 30s --advertise "$(address $i)" "$url" >"$W/agent$i.log" 2>&1 &
    agents[i]=$!
  done
  check "$name: three agents join" within 60 healthy 3
  create "a$first" 0
  load &
  local loader=$!
  for round in $(seq "${LEAVING_ROUNDS:-1}"); do
    for i in 0 1 2; do
      stop "${member[$i]}" -KILL
      check "$name, round $round: member $i is killed" for_all 3 healthy 3
      start_member $i
      within 60 member_up $i
    done
  done
  touch "$W/enough"
  wait "$loader"
  equal "$name: no request failed" "$(cat "$W/failed")" ''
  check "$name: many were made ($(cat "$W/requests"))" test "$(cat "$W/requests")" -ge 10
  equal "$name: nobody was removed, nothing moved" "$(moved) $(removed)" "0 0"
  check "$name: nobody was unannounced at any time" not grep -q 'not announced' "$W/manage.log"
  equal "$name: all are in the store" "$(lists "$url" | wc -l)" 3
  stop "$manage"
  check "$name: the manager stops cleanly" test $? = 0
  kill "${agents[@]}" "${member[@]}" 2>/dev/null
}

"$FAKE_ENGINES" --engines 21 --containers 0 --control "$CONTROL" --addresses "$W/pool" >"$W/engines.log" 2>&1 &
engines=$!
within 60 curl -sf -m 2 -o "$W/stats" "http://$CONTROL/stats" || no "the engines are there"

# Each in a shell of its own; what they say comes in order.
side_by_side() { # FUNCTION ARGUMENTS…
  (
    checks_passed=0 checks_failed=0
    "$@"
    [ "$checks_failed" = 0 ] || tail -n 15 "$W"/*.log
    echo "$checks_passed $checks_failed" >"$ALL/count.$BASHPID"
  ) >"$ALL/said.$2" 2>&1 &
  stories+=("$!" "$2")
}
stories=()
side_by_side story v3 0 etcd://127.0.0.1:2379/pre
side_by_side story v2 3 etcd://127.0.0.1:2479/pre --discovery-opt kv.api=2
side_by_side story consul 6 consul://127.0.0.1:8500/pre
side_by_side story zk 9 zk://127.0.0.1:2181/pre
side_by_side three_members 12
SWARM_TOKEN_SERVICE=http://127.0.0.1:2580/v1 side_by_side story token 15 ''
side_by_side file 18
for ((i = 0; i < ${#stories[@]}; i += 2)); do
  wait "${stories[i]}"
  cat "$ALL/said.${stories[i + 1]}"
  read -r passed failed <"$ALL/count.${stories[i]}" || { no "the story of ${stories[i + 1]} comes to its end"; continue; }
  checks_passed=$((checks_passed + passed))
  checks_failed=$((checks_failed + failed))
done
kill "$engines"
W=$ALL
membership_end
