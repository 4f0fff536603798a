#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `swarm token-service`, `swarm create` and token://: agents, `swarm list` and a manager's watch; a service that is late,
# killed, restarted, asked wrongly, behind TLS. BIN: where swarm, swarm-join and swarm-manage are.
# shellcheck source-path=SCRIPTDIR source=../lib/membership.sh
. "$(dirname "$0")/../lib/membership.sh"
membership_enter "$@"
# shellcheck source=tests/lib/certificates.sh
. "$(dirname "$0")/../lib/certificates.sh"
ADDRESS=127.0.0.1:2380
BASE=http://$ADDRESS/v1
service() { # OPTIONS…
  "$SWARM" token-service -H "tcp://$ADDRESS" --state "$W/state.sqlite" "$@" >>"$W/service.log" 2>&1 &
  service=$!
}
answers() { curl -s -m 2 -o "$W/any" "$BASE/"; }
# http STATUS METHOD PATH [curl options…]: whether it is answered so; the body in $W/body.
http() {
  local wanted=$1 method=$2 path=$3 got
  shift 3
  got=$(curl -s -m 10 -o "$W/body" -w '%{http_code}' -X "$method" "$@" "$BASE$path")
  [ "$got" = "$wanted" ] || { echo "status $got: $(cat "$W/body")"; return 1; }
}
body_is() { equal "$1" "$(cat "$W/body")" "$2"; }

echo "-- tokens"
check "without a service create says what there is instead" not "$SWARM" create
has "in words" 'swarm token-service'
check "and so does token://" not "$SWARM" list token://abc
has "in words" 'no token service is named'
check "a service's address is checked" not "$SWARM" create --service 127.0.0.1:2380
has "and what is right is said" 'http\[s\]://host:port'
export SWARM_TOKEN_SERVICE=$BASE
check "create says that nobody answers" not "$SWARM" create
has "with the address" "$ADDRESS"
service
within 30 answers
token=$("$SWARM" create)
equal "create prints a token" "$(grep -cE '^[0-9a-f]{32}$' <<<"$token")" 1
check "each time another" test "$("$SWARM" create)" != "$token"
STORE=token://$token

echo "-- joining, leaving, dying"
watch --heartbeat 1s "$STORE"
join one 10.0.0.1:2375 "$STORE"
check "an agent gets through to the manager" within 20 grep -q 'Watch triggered with 1 nodes' "$W/watch.log"
join two '[fd00::2]:2375' "$STORE"
check "so does a second" within 20 grep -q 'Watch triggered with 2 nodes' "$W/watch.log"
check "list shows both" list_is '10.0.0.1:2375 [fd00::2]:2375 ' "$STORE"
before=$(watched)
sleep 2.5 # heartbeats
check "heartbeats are no news" watched_is "$before"
check "another token is empty" list_is '' "token://$("$SWARM" create)"
stop "$two" -KILL
check "a killed agent's address expires" within 15 list_is '10.0.0.1:2375 ' "$STORE"
join two 10.0.0.2:2375 "$STORE"
within 15 list_is '10.0.0.1:2375 10.0.0.2:2375 ' "$STORE"
stop "$two"
check "an agent that is told to stop exits with 0" test $? = 0
check "its address leaves at once" list_is '10.0.0.1:2375 ' "$STORE"

echo "-- a service that is killed and comes back"
stop "$service" -KILL
check "is told by the manager" within 15 grep -q "Discovery error: token service $BASE/clusters/$token" "$W/watch.log"
check "by list" not lists --timeout 3s "$STORE"
service
within 30 answers
check "and comes back with what it knew, or was told meanwhile" within 20 list_is '10.0.0.1:2375 ' "$STORE"
check "nothing was lost to the manager" eval '! grep -q "Watch triggered with 0" <(sed "1,/with 1 nodes/d" "$W/watch.log")'
check "an unknown token is told" not lists --timeout 3s token://nosuchtoken
check "with what the service says" grep -q 'Discovery service returned 404 HTTP status code.*no such token' "$W/list.err"
check "a token that is none, too" not lists 'token://a-b'
check "an empty one, too" not lists 'token://'
check "in the words of classic Swarm" grep -q 'token is empty' "$W/list.err"

echo "-- the service's own answers"
check "GET of a token is an array" http 200 GET "/clusters/$token"
body_is "of addresses" '["10.0.0.1:2375"]'
check "POST announces" http 200 POST "/clusters/$token?ttl=100" -d 10.0.0.9:2375
check "an address at most once" http 200 POST "/clusters/$token?ttl=100" -d 10.0.0.9:2375
check "which GET shows" http 200 GET "/clusters/$token"
body_is "sorted" '["10.0.0.1:2375","10.0.0.9:2375"]'
check "DELETE takes it back" http 204 DELETE "/clusters/$token/10.0.0.9:2375"
check "once" http 404 DELETE "/clusters/$token/10.0.0.9:2375"
check "those that left are told apart from those that expired" http 200 GET "/clusters/$token/left"
body_is "for some time" '["10.0.0.2:2375","10.0.0.9:2375"]'
check "until they are back" http 200 POST "/clusters/$token?ttl=1" -d 10.0.0.9:2375
check "then they are not told" http 200 GET "/clusters/$token/left"
body_is "any more" '["10.0.0.2:2375"]'
sleep 1.2 # it expires
check "no address" http 400 POST "/clusters/$token?ttl=100" -d nonsense
check "no body" http 400 POST "/clusters/$token?ttl=100"
check "a long body" http 413 POST "/clusters/$token?ttl=100" -d "$(printf 'x%.0s' $(seq 5000))"
for ttl in 0 -1 x 1e3 99999999999999999999 ''; do check "ttl '$ttl'" http 400 POST "/clusters/$token?ttl=$ttl" -d 10.0.0.9:2375; done
check "an unknown token" http 404 POST "/clusters/0123456789abcdef?ttl=9" -d 10.0.0.9:2375
check "no SQL" http 404 GET "/clusters/x'%20OR%20'1'='1"
check "another method" http 405 PUT "/clusters/$token"
check "the list of all tokens is nobody's" http 405 GET /clusters
check "another path" http 404 GET /other
check "a token can be removed" http 204 DELETE "/clusters/$token"
check "and is gone" http 404 GET "/clusters/$token"

echo "-- what a service manager is told"
told() { # NAME: datagrams to $W/NAME.notify go into $W/NAME.told
  python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1])
while True: print(s.recv(4096).decode(), flush=True)' "$W/$1.notify" >"$W/$1.told" &
  within 10 test -S "$W/$1.notify"
}
told agent
told manager
stop "$service"
NOTIFY_SOCKET=$W/agent.notify join two 10.0.0.2:2375 "token://$("$SWARM" create 2>"$W/any" || echo "$token")"
NOTIFY_SOCKET=$W/manager.notify "$SWARM" manage -H "unix://$W/other.sock" nodes:// >"$W/other.log" 2>&1 &
other=$!
check "a manager is ready when it listens" within 20 grep -qx 'READY=1' "$W/manager.told"
check "and it does listen" curl -sf -m 5 --unix-socket "$W/other.sock" http://x/_ping
within 20 grep -q level=error "$W/two.log"
check "an agent is not before it has announced itself" test ! -s "$W/agent.told"
service
within 30 answers
token=$("$SWARM" create)
stop "$two" -KILL
NOTIFY_SOCKET=$W/agent.notify join two 10.0.0.2:2375 "token://$token"
check "but then it is" within 20 grep -qx 'READY=1' "$W/agent.told"
stop "$two"
stop "$other"
check "the end is told" within 10 grep -qx 'STOPPING=1' "$W/agent.told"
check "by both" within 10 grep -qx 'STOPPING=1' "$W/manager.told"
for unit in "$BIN"/../lib/systemd/system/swarm-{manage,join}.service; do
  [ ! -e "$unit" ] || ! command -v systemd-analyze >/dev/null || check "systemd takes $(basename "$unit")" systemd-analyze verify --man=no "$unit"
done

echo "-- TLS"
stop "$one"
stop "$watch"
check "the manager stops cleanly" test $? = 0
stop "$service"
check "the service, too" test $? = 0
certificates "$W/tls" 127.0.0.1
service --tlsverify --tlscacert "$W/tls/ca.pem" --tlscert "$W/tls/cert.pem" --tlskey "$W/tls/key.pem"
files=(--cacert "$W/tls/ca.pem" --cert "$W/tls/cert.pem" --key "$W/tls/key.pem")
BASE=https://$ADDRESS/v1
within 30 curl -s -o "$W/any" "${files[@]}" "$BASE/"
check "a token over TLS" http 201 POST /clusters "${files[@]}"
token=$(cat "$W/body")
tls=(--discovery-opt "kv.cacertfile=$W/tls/ca.pem" --discovery-opt "kv.certfile=$W/tls/cert.pem" --discovery-opt "kv.keyfile=$W/tls/key.pem")
unset SWARM_TOKEN_SERVICE
join one 10.0.0.1:2375 "${tls[@]}" "token://$ADDRESS/v1/$token"
check "token://host:port/path/TOKEN is https" within 20 list_is '10.0.0.1:2375 ' "${tls[@]}" "token://$ADDRESS/v1/$token"
check "so is what token.service names" list_is '10.0.0.1:2375 ' "${tls[@]}" --discovery-opt "token.service=$BASE/" "token://$token"
check "not without a certificate" not lists --timeout 3s "token://$ADDRESS/v1/$token"
stop "$one"
stop "$service"
check "a state file that cannot be had is named" not "$SWARM" token-service --state /nonexistent/file -H "tcp://$ADDRESS"
has "with the reason" "state file '/nonexistent/file': unable to open"
echo "this is no database, and longer than a hundred bytes, so that SQLite looks at its head and finds none of its own" >"$W/bad"
check "so is one that is something else" not "$SWARM" token-service --state "$W/bad" -H "tcp://$ADDRESS"
has "with the reason" "not a database"
check "which is left as it was" grep -q 'this is no database' "$W/bad"
check "a taken address is named" eval '"$SWARM" token-service --state "$W/other" -H "tcp://$ADDRESS" & first=$!; sleep 0.5; ! "$SWARM" token-service --state "$W/third" -H "tcp://$ADDRESS"; r=$?; kill $first; wait $first; exit $r'
check "nobody reported a fault of memory" not grep -q 'Sanitizer\|runtime error' "$W/service.log" "$W/one.stderr" "$W/two.stderr"

membership_end
