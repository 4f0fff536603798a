#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Agents, `swarm list` and a manager's watch on a real ZooKeeper: joining, leaving, dying, an agent that comes back before
# its old session ends, and a server that is late, killed, silent, emptied or one of several.
# IPv6 and IPv4 are asked for where all addresses of the machine, loopback aside, are of the other kind.
# BIN: where swarm, swarm-join and swarm-manage are.
# shellcheck source-path=SCRIPTDIR source=../lib/membership.sh
. "$(dirname "$0")/../lib/membership.sh"
membership_enter "$@"
ZK=127.0.0.1:2181
NODES=/pre/docker/swarm/nodes
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

# --- parts of a story
# A class of ZooKeeper's.
zookeeper() { exec java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp /usr/share/java/zookeeper.jar "org.apache.zookeeper.$@"; }
start_server() {
  zookeeper server.ZooKeeperServerMain "$W/zoo.cfg" >>"$W/server.log" 2>&1 &
  server=$!
}
says_imok() { echo ruok | socat -t1 - "tcp:$ZK" 2>/dev/null | grep -q imok; }
server_up() { within 30 says_imok; }
# ZooKeeper's own shell: one command.
zk() { (zookeeper ZooKeeperMain -server "$ZK" "$@") 2>&1; }

echo "-- a server that comes late"
watch --heartbeat 60s "zk://$ZK/pre"
join one 10.0.0.1:2375 "zk://$ZK/pre"
within 10 once 'Discovery error' watch
check "a server that is not there is told by the manager, with its address" grep -q "Discovery error: zk: $ZK: connection refused" "$W/watch.log"
within 10 once 'level=error' one
check "by the agent too" grep -q "level=error.*$ZK: connection refused" "$W/one.log"
check "list says that nobody answers" not lists --timeout 5s "zk://$ZK/pre"
check "with the address" grep -q "zk: $ZK: connection refused" "$W/list.err"
sleep 2
check "the manager has told it once" once 'Discovery error' watch
began=$(milliseconds)
start_server
server_up
check "the agent gets through to the manager" within 20 grep -q 'Watch triggered with 1 nodes' "$W/watch.log"
took "$began"

echo "-- joining, leaving, dying"
check "list shows the node" list_is '10.0.0.1:2375 ' "zk://$ZK/pre"
check "another prefix is empty" list_is '' "zk://$ZK/other"
check "so is another kv.path" list_is '' --discovery-opt kv.path=x "zk://$ZK/pre"
join two 10.0.0.2:2375 "zk://$ZK/pre"
began=$(milliseconds)
check "a second agent is seen by the watch" within 10 grep -q 'with 2 nodes' "$W/watch.log"
took "$began"
before=$(watched)
sleep 2.5 # heartbeats
check "heartbeats are no news to the watch" watched_is "$before"
check "both are listed" list_is '10.0.0.1:2375 10.0.0.2:2375 ' "zk://$ZK/pre"
zk get -s "$NODES/10.0.0.1:2375" >"$W/node"
check "the node's data is its address" grep -qx '10.0.0.1:2375' "$W/node"
check "the node is ephemeral" grep -q '^ephemeralOwner = 0x[1-9a-f]' "$W/node"
check "its directory is not" eval 'zk stat "$NODES" | grep -qx "ephemeralOwner = 0x0"'
stop "$two" -KILL
began=$(milliseconds)
check "a killed agent's node goes with its session, and the watch sees it" within 10 watched_is "${before}1 "
took "$began"
join two 10.0.0.2:2375 "zk://$ZK/pre"
within 10 watched_is "${before}1 2 "
stop "$two"
check "an agent that is told to stop exits with 0" test $? = 0
check "its node leaves at once" within 3 watched_is "${before}1 2 1 "

echo "-- between the heartbeats"
before=$(watched)
join two 10.0.0.2:2375 --heartbeat 60s --ttl 90s "zk://$ZK/pre"
within 10 watched_is "${before}2 "
check "a node can be deleted" zk delete "$NODES/10.0.0.2:2375"
check "its agent puts it back" within 10 list_is '10.0.0.1:2375 10.0.0.2:2375 ' "zk://$ZK/pre"
kill -STOP "$two"
check "a session ends after the server's own limit" within 15 list_is '10.0.0.1:2375 ' "zk://$ZK/pre"
kill -CONT "$two"
check "an agent whose session ended begins another" within 10 list_is '10.0.0.1:2375 10.0.0.2:2375 ' "zk://$ZK/pre"
check "all in one heartbeat" once 'Registering on' two
stop "$two"
check "and leaves" within 3 list_is '10.0.0.1:2375 ' "zk://$ZK/pre"
within 5 eval '[[ $(watched) == *"1 " ]]'

echo "-- an agent that comes back before its old session ends"
before=$(watched)
stop "$one" -KILL
join one 10.0.0.1:2375 "zk://$ZK/pre"
check "its node stays when the old session ends" for_all 6 list_is '10.0.0.1:2375 ' "zk://$ZK/pre"
check "the watch saw nothing of it" watched_is "$before"
check "nobody complained" not grep -q 'level=error\|level=warn' "$W/one.log"

echo "-- data that changes, and bad data"
check "somebody adds a node" zk create "$NODES/other" 10.0.0.8:2375
check "its data counts, not its name" within 5 list_is '10.0.0.1:2375 10.0.0.8:2375 ' "zk://$ZK/pre"
zk set "$NODES/other" 10.0.0.9:2375 >"$W/zk.log"
check "a change of data is seen by the watch" within 5 grep -q '10\.0\.0\.9:2375' "$W/watch.log"
zk set "$NODES/other" nonsense >"$W/zk.log"
check "bad data is told with the node's key" within 5 grep -q 'Discovery error: .*nodes/other.*nonsense' "$W/watch.log"
check "and skipped" list_is '10.0.0.1:2375 ' "zk://$ZK/pre"
zk set "$NODES/other" '' >"$W/zk.log"
check "so is empty data" list_is '10.0.0.1:2375 ' "zk://$ZK/pre"
check "which is no error" test ! -s "$W/list.err"
zk delete "$NODES/other" >"$W/zk.log"
within 5 eval '[[ $(watched) == *"1 " ]]'

echo "-- a server that is killed, silent, emptied"
before=$(watched)
stop "$server" -KILL
sleep 2
start_server
server_up
join two 10.0.0.2:2375 "zk://$ZK/pre"
check "the watch goes on after the server was killed and restarted" within 20 watched_is "${before}2 "
check "with both agents" list_is '10.0.0.1:2375 10.0.0.2:2375 ' "zk://$ZK/pre"
stop "$two"
within 10 watched_is "${before}2 1 "
kill -STOP "$server"
check "a silent server is told by list" not lists --timeout 8s "zk://$ZK/pre"
check "in words" grep -q 'connected, but it grants no session\|i/o timeout' "$W/list.err"
kill -CONT "$server"
check "after that, the agent's node is there" within 20 list_is '10.0.0.1:2375 ' "zk://$ZK/pre"
stop "$server" -KILL
rm -rf "$W/data"
start_server
server_up
check "a server that lost its data gets the agent again" within 20 list_is '10.0.0.1:2375 ' "zk://$ZK/pre"

echo "-- several servers"
check "of two, one may be dead" list_is '10.0.0.1:2375 ' "zk://127.0.0.1:1,$ZK/pre"
check "or have a name that nobody knows" list_is '10.0.0.1:2375 ' "zk://$ZK,no.such.host.invalid:2181/pre"
join two '[fd00::2]:2375' "zk://127.0.0.1:1,$ZK/pre"
check "for an agent too; IPv6 addresses pass" within 10 list_is '10.0.0.1:2375 [fd00::2]:2375 ' "zk://$ZK/pre"
check "that is no error" not grep -q level=error "$W/two.log"
check "two dead ones are both told" not lists "zk://127.0.0.1:1,127.0.0.1:2/pre"
check "in words" grep -q 'zk: 127.0.0.1:1: connection refused; 127.0.0.1:2: connection refused' "$W/list.err"
stop "$two"
check "TLS, which the client library lacks, is refused" not lists --discovery-opt kv.api=3 --discovery-opt "kv.cacertfile=$W/none" \
  --discovery-opt "kv.certfile=$W/none" --discovery-opt "kv.keyfile=$W/none" "zk://$ZK/pre"

stop "$one"
check "the last agent exits with 0" test $? = 0
check "its node leaves at once" within 3 list_is '' "zk://$ZK/pre"
stop "$watch"
check "the manager stops cleanly" test $? = 0
stop "$server"

# loopback WHAT SERVER ADDRESS: an agent, a manager and list at SERVER on a machine whose other address is ADDRESS.
loopback() {
  ip addr add "$3" dev lo
  watch "zk://$2/pre"
  join one 10.0.0.1:2375 "zk://$2/pre"
  check "$1: an agent's node gets to the manager" within 20 grep -q 'with 1 nodes' "$W/watch.log"
  check "$1: and into the list" list_is '10.0.0.1:2375 ' "zk://$2/pre"
  check "$1: nobody complained" not grep -q 'level=error\|level=warn' "$W/one.log"
  stop "$one"
  check "$1: it leaves" within 10 list_is '' "zk://$2/pre"
  stop "$watch"
  ip addr del "$3" dev lo
}
echo "-- loopback of one kind, addresses of the other"
sed -i 's/^clientPortAddress=.*/clientPortAddress=::/' "$W/zoo.cfg"
start_server
server_up
loopback "IPv6" '[::1]:2181' 10.0.0.9/32
loopback "IPv4" "$ZK" fd00::9/128
stop "$server"
check "the client library writes nothing by itself" test ! -s "$W/one.stderr" -a ! -s "$W/two.stderr"
check "nor into the manager's log" not grep -q ZOO_ "$W/watch.log"

membership_end
