#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Agents, `swarm list` and a manager's watch on Consul's API, which tests/lib/consul.py stands in for: joining, leaving,
# dying, an agent that comes back before its old session ends, and a server that is late, killed, silent, emptied, behind
# TLS or a token. BIN: where swarm, swarm-join and swarm-manage are.
# shellcheck source-path=SCRIPTDIR source=../lib/membership.sh
. "$(dirname "$0")/../lib/membership.sh"
membership_enter "$@"
# shellcheck source=tests/lib/certificates.sh
. "$(dirname "$0")/../lib/certificates.sh"
CONSUL=127.0.0.1:8500
STORE=consul://$CONSUL/pre
NODES=pre/docker/swarm/nodes
KV=http://$CONSUL/v1/kv/$NODES

start_server() { # OPTIONS…
  python3 "$(dirname "$0")/../lib/consul.py" --listen "$CONSUL" --session-ttl-min 1 --leaderless "$W/leaderless" "$@" >>"$W/server.log" 2>&1 &
  server=$!
}
leader() { curl -sf -m 2 -o "$W/leader" "http://$CONSUL/v1/status/leader"; }
kv() { curl -sf -m 5 "$@"; }
session_of() { kv "$KV/$1" | jq -r '.[0].Session'; }
index() { kv -o "$W/kv.json" -D - "$KV/?recurse" | sed -n 's/^X-Consul-Index: \([0-9]*\).*/\1/p'; }

echo "-- a server that comes late"
watch --heartbeat 60s "$STORE"
join one 10.0.0.1:2375 "$STORE"
within 10 once 'Discovery error' watch
check "a server that is not there is told by the manager, with its address" grep -q "Discovery error: consul http://$CONSUL: Failed to connect" "$W/watch.log"
within 10 once 'level=error' one
check "by the agent too" grep -q "level=error.*$CONSUL: Failed to connect" "$W/one.log"
check "list says that nobody answers" not lists --timeout 5s "$STORE"
check "with the address" grep -q "consul http://$CONSUL: Failed to connect" "$W/list.err"
sleep 2
check "the manager has told it once" once 'Discovery error' watch
start_server --state "$W/state"
within 30 leader
check "the agent gets through to the manager" within 20 grep -q 'Watch triggered with 1 nodes' "$W/watch.log"

echo "-- joining, leaving, dying"
check "list shows the node" list_is '10.0.0.1:2375 ' "$STORE"
check "another prefix is empty" list_is '' "consul://$CONSUL/other"
check "so is another kv.path" list_is '' --discovery-opt kv.path=x "$STORE"
join two 10.0.0.2:2375 "$STORE"
began=$(milliseconds)
check "a second agent is seen by the watch" within 10 grep -q 'with 2 nodes' "$W/watch.log"
took "$began"
before=$(watched)
was=$(index)
sleep 2.5 # heartbeats
check "heartbeats are no news to the watch" watched_is "$before"
equal "nor do they write keys" "$(index)" "$was"
check "both are listed" list_is '10.0.0.1:2375 10.0.0.2:2375 ' "$STORE"
kv "$KV/10.0.0.1:2375" >"$W/node"
equal "the key holds the address" "$(jq -r '.[0].Value | @base64d' "$W/node")" 10.0.0.1:2375
check "with classic Swarm's flags" grep -q '"Flags": 3304740253564472344' "$W/node"
kv "http://$CONSUL/v1/session/info/$(session_of 10.0.0.1:2375)" >"$W/session"
equal "its session deletes it, is named after the agent and has half the TTL" "$(jq -r '.[0] | "\(.Behavior) \(.Name) \(.TTL)"' "$W/session")" "delete swarm-join 10.0.0.1:2375 2s"
stop "$two" -KILL
began=$(milliseconds)
check "a killed agent's node goes with its session, and the watch sees it" within 15 watched_is "${before}1 "
took "$began"
join two 10.0.0.2:2375 "$STORE"
within 10 watched_is "${before}1 2 "
stop "$two"
check "an agent that is told to stop exits with 0" test $? = 0
check "its node leaves at once" within 3 watched_is "${before}1 2 1 "

echo "-- between the heartbeats"
before=$(watched)
join two 10.0.0.2:2375 "$STORE"
within 10 watched_is "${before}2 "
kv -X DELETE "$KV/10.0.0.2:2375" >"$W/kv.log"
check "a node that somebody deleted is put back" within 10 watched_is "${before}2 1 2 "
kv -X PUT "http://$CONSUL/v1/session/destroy/$(session_of 10.0.0.2:2375)" >"$W/kv.log"
check "so is one whose session somebody ended" within 10 watched_is "${before}2 1 2 1 2 "
kill -STOP "$two"
check "the node of an agent that hangs goes" within 15 watched_is "${before}2 1 2 1 2 1 "
kill -CONT "$two"
check "and comes back with it" within 10 watched_is "${before}2 1 2 1 2 1 2 "
stop "$two"
within 5 eval '[[ $(watched) == *"1 " ]]'

echo "-- an agent that comes back before its old session ends"
before=$(watched)
session=$(session_of 10.0.0.1:2375)
stop "$one" -KILL
join one 10.0.0.1:2375 "$STORE"
check "its node stays" for_all 6 list_is '10.0.0.1:2375 ' "$STORE"
equal "with the session that it had" "$(session_of 10.0.0.1:2375)" "$session"
check "the watch saw nothing of it" watched_is "$before"
check "nobody complained" not grep -q 'level=error\|level=warn' "$W/one.log"

echo "-- keys of others, and bad values"
kv -X PUT "$KV/other" -d 10.0.0.8:2375 >"$W/kv.log"
check "a key's value counts, not its name" within 5 list_is '10.0.0.1:2375 10.0.0.8:2375 ' "$STORE"
kv -X PUT "$KV/other" -d nonsense >"$W/kv.log"
check "a bad value is told with its key" within 5 grep -q 'Discovery error: .*nodes/other.*nonsense' "$W/watch.log"
check "and skipped" list_is '10.0.0.1:2375 ' "$STORE"
kv -X PUT "$KV/" >"$W/kv.log"
kv -X PUT "$KV/other" >"$W/kv.log"
check "an empty value is none" list_is '10.0.0.1:2375 ' "$STORE"
check "which is no error" test ! -s "$W/list.err"
kv -X DELETE "$KV/other" >"$W/kv.log"
kv -X DELETE "$KV/" >"$W/kv.log"
within 5 eval '[[ $(watched) == *"1 " ]]'

echo "-- a leader is being elected"
join two 10.0.0.2:2375 --ttl 60s "$STORE"
within 10 eval '[[ $(watched) == *"2 " ]]'
touch "$W/leaderless"
kill "$two"
check "an agent that leaves then is told" within 10 grep -q 'level=error.*No cluster leader' "$W/two.log"
rm "$W/leaderless"
wait "$two"
check "and leaves all the same" test $? = 0
check "at once, as soon as that is possible" within 10 eval '[[ $(watched) == *"1 " ]]'
check "with the empty value" eval 'kv "$KV/10.0.0.2:2375" | jq -e ".[0].Value == null"'

echo "-- a server that is killed, silent, emptied"
before=$(watched)
stop "$server" -KILL
sleep 2
start_server --state "$W/state"
within 30 leader
join two 10.0.0.2:2375 "$STORE"
check "the watch goes on after the server was killed and restarted" within 20 watched_is "${before}2 "
check "with both agents" list_is '10.0.0.1:2375 10.0.0.2:2375 ' "$STORE"
kill -STOP "$server"
check "a silent server is told by list" not lists --timeout 3s "$STORE"
kill -CONT "$server"
check "after that, both are there" within 20 list_is '10.0.0.1:2375 10.0.0.2:2375 ' "$STORE"
stop "$server" -KILL
start_server
within 30 leader
check "a server that lost its memory gets the agents again" within 20 list_is '10.0.0.1:2375 10.0.0.2:2375 ' "$STORE"
join three '[fd00::2]:2375' "$STORE"
check "and the watch, whose index is from before, sees changes" within 30 grep -q 'with 3 nodes' "$W/watch.log"
check "IPv6 addresses pass" list_is '10.0.0.1:2375 10.0.0.2:2375 [fd00::2]:2375 ' "$STORE"
# shellcheck disable=SC2154
stop "$three"
stop "$two"
stop "$one"
check "the last agent exits with 0" test $? = 0
check "its node leaves at once" within 3 list_is '' "$STORE"
stop "$watch"
check "the manager stops cleanly" test $? = 0
stop "$server" -KILL

echo "-- tokens, TLS, longer sessions"
start_server --token secret --session-ttl-min 10
within 30 curl -s -o "$W/any" "http://$CONSUL/"
check "without the token nothing is told" not lists --timeout 3s "$STORE"
check "but Consul's reason" grep -q "consul http://$CONSUL: HTTP status 403: Permission denied" "$W/list.err"
CONSUL_HTTP_TOKEN=secret join one 10.0.0.1:2375 "$STORE"
check "CONSUL_HTTP_TOKEN is sent, by the agent and by list" within 10 eval '[ "$(CONSUL_HTTP_TOKEN=secret "$SWARM" list "$STORE")" = 10.0.0.1:2375 ]'
check "which says that sessions are longer than its TTL" grep -q "level=warn.*sessions live 10 s at least" "$W/one.log"
stop "$one"
stop "$server" -KILL
certificates "$W/tls" 127.0.0.1
start_server --cert "$W/tls/cert.pem" --key "$W/tls/key.pem" --ca "$W/tls/ca.pem"
tls=(--discovery-opt "kv.cacertfile=$W/tls/ca.pem" --discovery-opt "kv.certfile=$W/tls/cert.pem" --discovery-opt "kv.keyfile=$W/tls/key.pem")
join one 10.0.0.1:2375 "${tls[@]}" "$STORE"
check "TLS with a client certificate" within 20 list_is '10.0.0.1:2375 ' "${tls[@]}" "$STORE"
check "and not in the clear" not lists --timeout 3s "$STORE"
stop "$one"
stop "$server" -KILL
check "several endpoints are refused" not lists "consul://127.0.0.1:1,127.0.0.1:2/pre"
check "in the words of classic Swarm" grep -q 'consul does not support multiple endpoints' "$W/list.err"
check "nobody reported a fault of memory" test ! -s "$W/one.stderr" -a ! -s "$W/two.stderr"

membership_end
