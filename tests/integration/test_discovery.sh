#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Agents, `swarm list` and a manager's watch on a real etcd, in its v3 and v2 languages: joining, leaving, dying, and an
# etcd that is late, killed, silent, compacted or behind TLS. BIN: where swarm, swarm-join and swarm-manage are.
# shellcheck source-path=SCRIPTDIR source=../lib/membership.sh
. "$(dirname "$0")/../lib/membership.sh"
membership_enter "$@"
ETCD=127.0.0.1:2379
export ETCDCTL_API=3

# --- parts of a story
start_etcd() { # NAME ARGUMENTS…; $scheme
  local name=$1; shift
  etcd --data-dir "$W/$name" --log-level error --listen-client-urls "${scheme:-http}://$ETCD" \
    --advertise-client-urls "${scheme:-http}://$ETCD" --listen-peer-urls http://127.0.0.1:2380 \
    --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster default=http://127.0.0.1:2380 "$@" >>"$W/etcd.log" 2>&1 &
  etcd=$!
}
etcd_up() { within 30 curl -sf -m 1 -o "$W/version" "http://$ETCD/health"; }

# --- one language of etcd after the other: the same story
story() { # API ETCD-ARGUMENTS -- OPTIONS
  local api=$1 arguments=() options=() began
  shift
  while [ "$1" != -- ]; do arguments+=("$1"); shift; done
  shift
  options=("$@")

  watch --heartbeat 60s "${options[@]}" "etcd://$ETCD/pre"
  join one 10.0.0.1:2375 "${options[@]}" "etcd://$ETCD/pre"
  within 60 once 'Discovery error' watch || grep -- 'Discovery error' "$W/watch.log"
  check "$api: an etcd that is not there is told by the manager once" once 'Discovery error' watch
  within 10 once 'level=error' one
  check "$api: an etcd that is not there is told by the agent, with its address" grep -q "level=error.*$ETCD" "$W/one.log"
  check "$api: list says that nobody answers" not lists --timeout 5s "${options[@]}" "etcd://$ETCD/pre"
  check "$api: list's error names the endpoint" grep -q "$ETCD" "$W/list.err"
  sleep 3
  began=$(milliseconds)
  start_etcd "$api" "${arguments[@]}"
  etcd_up
  check "$api: the agent gets through to the manager when etcd comes late" within 20 grep -q 'Watch triggered with 1 nodes' "$W/watch.log"
  took "$began"
  check "$api: list shows it" list_is '10.0.0.1:2375 ' "${options[@]}" "etcd://$ETCD/pre"
  check "$api: another prefix is empty" list_is '' "${options[@]}" "etcd://$ETCD/other"
  check "$api: so is another kv.path" list_is '' "${options[@]}" --discovery-opt kv.path=x "etcd://$ETCD/pre"

  join two 10.0.0.2:2375 "${options[@]}" "etcd://$ETCD/pre"
  began=$(milliseconds)
  check "$api: a second agent is seen by the watch" within 10 grep -q 'with 2 nodes' "$W/watch.log"
  took "$began"
  sleep 3 # heartbeats
  check "$api: heartbeats are no news to the watch" test "$(watched | grep -o '2' | wc -l)" = 1
  check "$api: both are listed" list_is '10.0.0.1:2375 10.0.0.2:2375 ' "${options[@]}" "etcd://$ETCD/pre"
  local before; before=$(watched)
  stop "$two" -KILL
  began=$(milliseconds)
  check "$api: a killed agent's key expires, and the watch sees it" within 15 watched_is "${before}1 "
  took "$began"

  join two 10.0.0.2:2375 "${options[@]}" "etcd://$ETCD/pre"
  within 10 watched_is "${before}1 2 "
  stop "$two"
  check "$api: an agent that is told to stop exits with 0" test $? = 0
  check "$api: its node leaves at once" within 2 watched_is "${before}1 2 1 "

  delete_key "$api" pre/docker/swarm/nodes/10.0.0.1:2375
  check "$api: a deleted key comes back at the next heartbeat" within 10 watched_is "${before}1 2 1 0 1 "

  stop "$etcd" -KILL
  sleep 2
  start_etcd "$api" "${arguments[@]}"
  etcd_up
  join two 10.0.0.2:2375 "${options[@]}" "etcd://$ETCD/pre"
  check "$api: the watch goes on after etcd was killed and restarted" within 20 watched_is "${before}1 2 1 0 1 2 "
  stop "$two"
  within 10 watched_is "${before}1 2 1 0 1 2 1 "
  check "$api: in all that time the manager was told nothing else" watched_is "${before}1 2 1 0 1 2 1 "

  stop "$etcd" -KILL
  rm -rf "${W:?}/$api"
  start_etcd "$api" "${arguments[@]}"
  etcd_up
  check "$api: an etcd that lost its data gets the agent again" within 20 list_is '10.0.0.1:2375 ' "${options[@]}" "etcd://$ETCD/pre"
  check "$api: of two endpoints one may be dead" list_is '10.0.0.1:2375 ' "${options[@]}" "etcd://127.0.0.1:1,$ETCD/pre"
  join two '[fd00::2]:2375' "${options[@]}" "etcd://127.0.0.1:1,$ETCD/pre"
  check "$api: for an agent too; IPv6 addresses pass" within 10 list_is '10.0.0.1:2375 [fd00::2]:2375 ' "${options[@]}" "etcd://$ETCD/pre"
  check "$api: that is no error" not grep -q level=error "$W/two.log"
  check "$api: the watch sees it in the etcd that lost its data" within 20 eval '[[ $(watched) == *"2 " ]]'
  stop "$two"

  put_key "$api" pre/docker/swarm/nodes/bad nonsense
  check "$api: a bad entry is told with its key" within 10 grep -q 'Discovery error: .*nodes/bad.*nonsense' "$W/watch.log"
  check "$api: and skipped" list_is '10.0.0.1:2375 ' "${options[@]}" "etcd://$ETCD/pre"
  delete_key "$api" pre/docker/swarm/nodes/bad
  stop "$one"
  stop "$watch"
  check "$api: the manager stops cleanly" test $? = 0
}
delete_key() { case $1 in v3) etcdctl --endpoints "$ETCD" del "$2" ;; *) curl -s -X DELETE "http://$ETCD/v2/keys/$2" ;; esac >/dev/null; }
put_key() { case $1 in v3) etcdctl --endpoints "$ETCD" put "$2" "$3" ;; *) curl -s -X PUT -d "value=$3" "http://$ETCD/v2/keys/$2" ;; esac >/dev/null; }

echo "-- etcd v3"
story v3 --
key() { etcdctl --endpoints "$ETCD" get docker/swarm/nodes/10.0.0.1:2375 -w json | jq -r "$1"; }
join one 10.0.0.1:2375 "etcd://$ETCD"
within 10 list_is '10.0.0.1:2375 ' "etcd://$ETCD"
check "v3: the key has no leading slash, its value is the address" test "$(etcdctl --endpoints "$ETCD" get docker/swarm/nodes/ --prefix | tr '\n' ' ')" = 'docker/swarm/nodes/10.0.0.1:2375 10.0.0.1:2375 '
revision=$(key '.kvs[0].mod_revision')
sleep 3
check "v3: heartbeats do not write it again" test "$(key '.kvs[0].mod_revision')" = "$revision"
lease() { etcdctl --endpoints "$ETCD" get docker/swarm/nodes/10.0.0.1:2375 -w json | grep -o '"lease":[0-9]*' | grep -o '[0-9]*'; } # jq would round it
old=$(lease)
check "v3: the lease can be revoked" etcdctl --endpoints "$ETCD" lease revoke "$(printf %x "$old")"
replaced() { local new; new=$(lease) && [ "$new" != "$old" ]; }
check "v3: a revoked lease is replaced" within 10 replaced
check "v3: that is no error" not grep -q level=error "$W/one.log"

watch --heartbeat 2s "etcd://$ETCD"
within 10 watched_is '1 '
for i in $(seq 20); do etcdctl --endpoints "$ETCD" put docker/swarm/other "$i" >/dev/null; done
etcdctl --endpoints "$ETCD" compaction "$(key .header.revision)" --physical >/dev/null
etcdctl --endpoints "$ETCD" put docker/swarm/nodes/10.0.0.9:1 10.0.0.9:1 >/dev/null
check "v3: the watch goes on after a compaction" within 10 watched_is '1 2 '
kill -STOP "$etcd"
check "v3: an etcd that falls silent is noticed" within 30 grep -q 'Discovery error' "$W/watch.log"
sleep 2
kill -CONT "$etcd"
sleep 1
etcdctl --endpoints "$ETCD" del docker/swarm/nodes/10.0.0.9:1 >/dev/null
check "v3: and the watch goes on when it wakes" within 30 eval '[[ $(watched) == "1 2 "*"1 " ]]'
stop "$watch"
check "v3: asking for API 2 in vain is told" not lists --discovery-opt kv.api=2 "etcd://$ETCD"
check "v3: in words that say why" grep -q 'does not serve API v2, which --discovery-opt kv.api asks for' "$W/list.err"
stop "$one"
stop "$etcd"

echo "-- etcd v2 keys API"
story v2 --enable-v2 -- --discovery-opt kv.api=2
check "v2: the directory is there" curl -sf "http://$ETCD/v2/keys/pre/docker/swarm/nodes"
stop "$etcd"

echo "-- etcd that serves v2 only"
start_etcd v2only --enable-v2 --enable-grpc-gateway=false
etcd_up
watch --heartbeat 60s "etcd://$ETCD"
join one 10.0.0.1:2375 "etcd://$ETCD"
check "v2 only: found out by agent and manager" within 10 grep -q 'Watch triggered with 1 nodes' "$W/watch.log"
check "v2 only: found out by list" list_is '10.0.0.1:2375 ' "etcd://$ETCD"
check "v2 only: that is no error" not grep -q level=error "$W/one.log" "$W/watch.log"
stop "$one"
check "v2 only: the node leaves at once" within 2 list_is '' "etcd://$ETCD"
stop "$watch"
stop "$etcd"

echo "-- etcd behind TLS"
(
  cd "$W" && exec >tls.log 2>&1
  openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca
  for name in server client; do
    openssl req -newkey rsa:2048 -nodes -keyout $name.key -out $name.csr -subj /CN=$name
    openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out $name.pem -days 2 \
      -extfile <(echo "subjectAltName=IP:127.0.0.1")
  done
)
scheme=https start_etcd tls --cert-file "$W/server.pem" --key-file "$W/server.key" --trusted-ca-file "$W/ca.pem" --client-cert-auth
tls=(--discovery-opt "kv.cacertfile=$W/ca.pem" --discovery-opt "kv.certfile=$W/client.pem" --discovery-opt "kv.keyfile=$W/client.key")
join one 10.0.0.1:2375 "${tls[@]}" "etcd://$ETCD"
check "TLS: register and list with certificates" within 20 list_is '10.0.0.1:2375 ' "${tls[@]}" "etcd://$ETCD"
check "TLS: not without" not lists "etcd://$ETCD"
check "TLS: a missing key file is named" not lists "${tls[@]}" --discovery-opt "kv.keyfile=$W/none" "etcd://$ETCD"
check "TLS: in words" grep -q "$W/none" "$W/list.err"
stop "$one"
stop "$etcd"

echo "-- no store"
check "nodes:// with a range" list_is 'a:1 b:2 b:3 ' 'nodes://a:1,b:[2:3]'
check "a bare list" list_is 'a:1 b:2 ' 'a:1,b:2'
printf 'a:1\n# no\nb\nc:[3:4]\n' >"$W/nodes"
check "file:// with a bad line" list_is 'a:1 c:3 c:4 ' "file://$W/nodes"
check "the bad line is named" grep -q "line 3: address b: missing port in address" "$W/list.err"
watch --heartbeat 60s "file://$W/nodes"
within 10 watched_is '3 '
echo d:5 >>"$W/nodes"
check "file:// is read again when it changes" within 10 watched_is '3 4 '
stop "$watch"
"$SWARM" join --heartbeat 1s --ttl 2s --advertise a:1 nodes://a:1 >"$W/one.log" 2>&1 &
one=$!
check "join with nodes:// says that it cannot" within 10 grep -q 'not implemented in this discovery service' "$W/one.log"
stop "$one"
check "an unsupported scheme is refused" not lists foo://a:1
check "in words" grep -q 'discovery service not supported' "$W/list.err"

membership_end
