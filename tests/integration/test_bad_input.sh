#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Wrong requests, wrong command lines, and engines that die or fall silent while a request is under way: each gets an
# answer that says what is wrong, and nothing else suffers.
# shellcheck disable=SC2086 # $D is a command with options
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

docker=$(docker_clis | head -n 1)
D="$docker -H $MANAGER"

# --- command lines ---

# fatal WHAT TEXT ARGUMENTS…: `swarm ARGUMENTS` says exactly TEXT and exits with 1.
fatal() {
  local what=$1 text=$2
  shift 2
  run timeout 20 "$BIN/swarm" "$@"
  OUT=${OUT//\\\"/\"} # a log line quotes
  has_text "$what: said" "$text"
  equal "$what: status" "$STATUS" 1
}

check_flags() {
  local nodes=nodes://10.9.0.2:2375
  run "$BIN/swarm" --version
  has "swarm --version" '^swarm version [0-9]+\.[0-9]+\.[0-9]+ \('
  equal "swarm --version: status 0" "$STATUS" 0
  run "$BIN/swarm"
  has "swarm alone shows its help" '^Usage: swarm \[OPTIONS\] COMMAND \[arg\.\.\.\]$'
  for command in manage join list; do
    run "$BIN/swarm" $command --help
    has "swarm $command --help" "^Usage: swarm $command \[OPTIONS\] <discovery>\$"
    equal "swarm $command --help: status 0" "$STATUS" 0
    fatal "$command without discovery" "discovery required to $([ $command = manage ] && echo manage || echo $command) a cluster. See 'swarm $command --help'." $command
    fatal "$command, unknown flag" "flag provided but not defined: -bogus" $command --bogus $nodes
  done
  fatal "unknown global flag" "flag provided but not defined: -bogus" --bogus manage
  fatal "log level" 'not a valid logrus Level: "bogus"' --log-level bogus manage $nodes
  fatal "unknown strategy" "strategy not supported" manage --strategy best $nodes
  fatal "unknown filter" "filter not supported" manage --filter colour $nodes
  fatal "unknown cluster driver" 'unsupported cluster "mesos"' manage --cluster-driver mesos $nodes
  fatal "heartbeat: bad duration" 'invalid --heartbeat: time: invalid duration "soon"' manage --heartbeat soon $nodes
  fatal "heartbeat: too short" '--heartbeat should be at least one second' manage --heartbeat 10ms $nodes
  fatal "refresh min" 'min refresh interval should be a positive number' manage --engine-refresh-min-interval 0s $nodes
  fatal "refresh max below min" 'max refresh interval cannot be less than min refresh interval' manage \
    --engine-refresh-min-interval 30s --engine-refresh-max-interval 20s $nodes
  fatal "failure retry" 'invalid failure retry count' manage --engine-failure-retry 0 $nodes
  fatal "refresh retry" '--engine-refresh-retry is deprecated. Use --engine-failure-retry' manage --engine-refresh-retry 5 $nodes
  fatal "overcommit" 'swarm.overcommit should be larger than -1, -1.000000 is invalid' manage --cluster-opt swarm.overcommit=-1 $nodes
  fatal "create retry" 'swarm.createretry can not be negative, -1 is invalid' manage --cluster-opt swarm.createretry=-1 $nodes
  fatal "what stopped containers count for" '"port" is neither all nor none nor a list of ports, slots, resources' \
    manage --cluster-opt swarm.countstopped=port $nodes
  fatal "two names of one flag" 'Cannot use two forms of the same flag' join --advertise 1.2.3.4:5 --addr 1.2.3.4:5 etcd://10.9.0.1:2379
  fatal "tls without files" '--tlscert and --tlskey must be provided when using --tls' manage --tls $nodes
  fatal "tlsverify without a CA" '--tlscacert must be provided when using --tlsverify' manage --tlsverify --tlscert a --tlskey b $nodes
  fatal "tls files without tls" '--tlscert, --tlskey and --tlscacert require the use of either --tls or --tlsverify' manage --tlscert a $nodes
  fatal "tls files that are not there" "Couldn't load X509 key pair (/none/cert, /none/key):" manage --tls --tlscert /none/cert --tlskey /none/key $nodes
  fatal "listener: unknown protocol" 'unsupported protocol: "npipe"' manage -H npipe://x $nodes
  fatal "join without an address" 'missing mandatory --advertise flag' join etcd://10.9.0.1:2379
  for address in 1.1.1.1 hostname: 1.1.1.1:0 1.1.1.1:65536 http://1.1.1.1:1 '1.1.1.1: 4000' 2001:db8::3:2375; do
    fatal "join --advertise '$address'" '--advertise should be of the form ip:port or hostname:port' join "--advertise=$address" etcd://10.9.0.1:2379
  done
  fatal "join: delay" '--delay should not be a negative number' join --advertise 1.1.1.1:1 --delay=-1s etcd://10.9.0.1:2379
  fatal "join: ttl" '--ttl must be strictly superior to the heartbeat value' join --advertise 1.1.1.1:1 --heartbeat 5s --ttl 5s etcd://10.9.0.1:2379
  fatal "list: timeout" '--timeout should be a positive number' list --timeout 0s $nodes
  fatal "list: nobody there" '10.9.0.1:1: Failed to connect' list --timeout 5s etcd://10.9.0.1:1
}

check_discovery() {
  fatal "unknown discovery" 'discovery service not supported' manage redis://10.9.0.1
  fatal "discovery option" '--discovery-opt must contain key=value strings' manage --discovery-opt kv.path etcd://10.9.0.1:2379
  fatal "address without a port" 'address 10.9.0.2: missing port in address, please check you are using the correct discovery (missing token:// ?)' list nodes://10.9.0.2
  fatal "address with too many colons" 'too many colons in address' list 'nodes://::1:2375'
  fatal "file that is not there" "failed to read '/none/file':" list --timeout 2s file:///none/file
  printf '10.9.0.2:2375\nnonsense\n' >"$WORK/nodes"
  run "$BIN/swarm" list --timeout 5s "file://$WORK/nodes"
  has "file with a bad line: it is named" 'line 2: address nonsense: missing port in address'
  has "file with a bad line: the others count" '^10\.9\.0\.2:2375$'
  printf '# all\n10.9.0.[2:4]:2375 # three\n\n  10.9.0.9:1  \n' >"$WORK/nodes"
  run "$BIN/swarm" list "file://$WORK/nodes"
  equal "a file with ranges, comments and blanks" "$(grep -E '^10' <<<"$OUT" | tr '\n' ' ')" \
    "10.9.0.2:2375 10.9.0.3:2375 10.9.0.4:2375 10.9.0.9:1 "
  run "$BIN/swarm" list 'nodes://10.9.0.[2:3]:2375,10.9.0.7:[1:2]375'
  equal "a list with ranges" "$(grep -E '^10' <<<"$OUT" | tr '\n' ' ')" \
    "10.9.0.2:2375 10.9.0.3:2375 10.9.0.7:1375 10.9.0.7:2375 "
}

# --- requests ---

# http METHOD PATH [CURL-OPTIONS…]: status in STATUS, body in OUT.
http() {
  local method=$1 path=$2
  shift 2
  OUT=$(curl -s -m 60 --path-as-is -X "$method" -w '\n%{http_code}' "$@" "http://${MANAGER#tcp://}$path" </dev/null)
  STATUS=${OUT##*$'\n'}
  OUT=${OUT%$'\n'*}
}

# answers WHAT STATUS REGEX METHOD PATH [CURL-OPTIONS…]: a JSON message of that kind.
answers() {
  local what=$1 status=$2 regex=$3 message
  shift 3
  http "$@"
  message=$(jq -er .message 2>/dev/null <<<"$OUT") || message=
  if [ "$STATUS" = "$status" ] && [ -n "$message" ] && grep -Eq -- "$regex" <<<"$message"; then
    ok "$what: $status and why"
  else
    no "$what: $status and why (got $STATUS: $(excerpt "$OUT"), wanted a message like /$regex/)"
  fi
}

check_requests() {
  local json='Content-Type: application/json'
  answers "unknown path" 404 'page not found|nowhere' GET /nowhere
  answers "unknown path with a version" 404 'page not found|nowhere' GET /v1.41/nowhere
  answers "known path, unknown method" 404 . DELETE /info
  answers "too old a version" 400 'client version 1\.12 is too old\. Minimum supported API version is 1\.24' GET /v1.12/info
  answers "too new a version" 400 'client version 9\.99 is too new\. Maximum supported API version is' GET /v9.99/info
  answers "unknown container: inspect" 404 'No such container: none' GET /containers/none/json
  answers "unknown container: start" 404 'No such container: none' POST /containers/none/start
  answers "unknown container: logs" 404 'No such container: none' GET /containers/none/logs?stdout=1
  answers "unknown container: remove" 404 'No such container: none' DELETE /containers/none
  answers "unknown container: a path that is only proxied" 404 'No such container: none' GET /containers/none/changes
  answers "unknown exec" 404 'No such exec|Exec none not found' GET /exec/none/json
  answers "filters: no JSON" 400 . GET '/containers/json?filters=garbage'
  answers "filters: unknown key" 400 "[Ii]nvalid filter '?colour'?" GET '/containers/json?filters=%7B%22colour%22%3A%5B%22red%22%5D%7D'
  answers "events: unknown filter" 400 "[Ii]nvalid filter '?colour'?" GET '/events?until=1&filters=%7B%22colour%22%3A%5B%22red%22%5D%7D'
  answers "create: no body" 400 . POST /containers/create -H "$json"
  answers "create: no JSON" 400 . POST /containers/create -H "$json" -d '{"Image": '
  answers "create: JSON, but no object" 400 . POST /containers/create -H "$json" -d '["busybox"]'
  answers "create: a number for the image" 400 . POST /containers/create -H "$json" -d '{"Image": 7}'
  answers "create: text for Env" 400 . POST /containers/create -H "$json" -d '{"Image": "busybox", "Env": "A=b"}'
  answers "create: a number for HostConfig" 400 . POST /containers/create -H "$json" -d '{"Image": "busybox", "HostConfig": 1}'
  answers "create: text for Memory" 400 . POST /containers/create -H "$json" -d '{"Image": "busybox", "HostConfig": {"Memory": "1g"}}'
  answers "create: a bad name" 400 'nvalid container name' POST '/containers/create?name=b%20d' -H "$json" -d '{"Image": "busybox"}'
  answers "create: two policies" 400 'too many reschedule policies' POST /containers/create -H "$json" \
    -d '{"Image": "busybox", "Env": ["reschedule:off", "reschedule:on-node-failure"]}'
  local expression
  for expression in node=x node '1node==x' 'no de==x' 'node==' 'node==/(/'; do
    http POST /containers/create -H "$json" -d "{\"Image\": \"busybox\", \"Env\": [\"constraint:$expression\"]}"
    if [[ $STATUS = [45]?? ]] && jq -er .message <<<"$OUT" 2>/dev/null | grep -Fq -- "${expression%%[!a-z0-9]*}"; then
      ok "constraint:$expression is refused and named"
    else
      no "constraint:$expression is refused and named (got $STATUS: $(excerpt "$OUT"))"
    fi
  done
  http POST /containers/create -H "$json" -d '{"Image": "busybox", "Env": ["constraint:node=x"]}'
  has "constraint:node=x: what would be right" 'one of operator ==, !='
  http POST "/containers/create" -H "$json" -d "{\"Labels\": $(printf '[%.0s' $(seq 5000))"
  equal "create: nested 5,000 deep" "$STATUS" 400
  head -c 20000000 /dev/zero | tr '\0' ' ' >"$WORK/blanks"
  http POST /containers/create -H "$json" --data-binary "@$WORK/blanks"
  equal "create: 20 MB of nothing" "$((STATUS == 400 || STATUS == 413))" 1
  equal "none of these made a container" "$($D ps -aq)" ""
}

# --- the wire ---

# wire WHAT STATUS TEXT: the bytes (printf escapes) get an answer of that status, and the connection ends.
wire() {
  local what=$1 status=$2
  # shellcheck disable=SC2059
  OUT=$(printf "$3" | timeout 60 socat -t 30 - "TCP:${MANAGER#tcp://}" 2>/dev/null | tr -d '\0')
  if grep -Eq "^HTTP/1\.1 $status " <<<"$(head -n 1 <<<"$OUT")"; then
    ok "$what: $status"
  else
    no "$what: $status (got: $(excerpt "$OUT"))"
  fi
}

check_wire() {
  local host='Host: x\r\n' long
  wire "two lengths that differ" 400 "POST /containers/create HTTP/1.1\r\n${host}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x"
  wire "a length and chunks" 400 "POST /containers/create HTTP/1.1\r\n${host}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
  wire "a list of lengths" 400 "POST /containers/create HTTP/1.1\r\n${host}Content-Length: 2, 3\r\n\r\n{}x"
  wire "a length with a sign" 400 "POST /containers/create HTTP/1.1\r\n${host}Content-Length: +2\r\n\r\n{}"
  wire "a length beyond 64 bits" 400 "POST /containers/create HTTP/1.1\r\n${host}Content-Length: 99999999999999999999\r\n\r\n{}"
  wire "an unknown coding" '(400|501)' "POST /containers/create HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"
  wire "a coding hidden by a blank" 400 "POST /containers/create HTTP/1.1\r\n${host}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"
  wire "a chunk size that is no number" 400 "POST /containers/create HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"
  wire "a folded header" 400 "GET /_ping HTTP/1.1\r\n${host}X-A: b\r\n c\r\n\r\n"
  wire "line ends without CR" 400 "GET /_ping HTTP/1.1\nHost: x\n\n"
  wire "no Host" 400 "GET /_ping HTTP/1.1\r\n\r\n"
  wire "a header without a name" 400 "GET /_ping HTTP/1.1\r\n${host}: b\r\n\r\n"
  wire "a NUL in a header" 400 "GET /_ping HTTP/1.1\r\n${host}X-A: a\\000b\r\n\r\n"
  wire "a target that is no path" 400 "GET _ping HTTP/1.1\r\n${host}\r\n"
  wire "no HTTP at all" 400 "hello\r\n\r\n"
  wire "HTTP/2.0 in the line" 505 "GET /_ping HTTP/2.0\r\n${host}\r\n"
  long=$(head -c 200000 /dev/zero | tr '\0' a)
  wire "an over-long header" 431 "GET /_ping HTTP/1.1\r\n${host}X-A: $long\r\n\r\n"
  wire "an over-long target" '(414|431)' "GET /$long HTTP/1.1\r\n${host}\r\n"
  wire "too many headers" 431 "GET /_ping HTTP/1.1\r\n${host}$(printf 'X-%d: y\\r\\n' $(seq 3000))\r\n"
  wire "two requests at once: the first" 200 "GET /_ping HTTP/1.1\r\n${host}\r\nGET /version HTTP/1.1\r\n${host}Connection: close\r\n\r\n"
  has "two requests at once: the second" '"ApiVersion"'
  http GET /_ping
  equal "the manager still answers" "$OUT" OK
}

# --- engines ---

runs_on() { $D ps --format '{{.Names}}' | grep -qx "$1"; }

check_engine_dies() { # n2 dies while four requests are under way
  $D run -d --name victim -e constraint:node==n2 busybox sleep 3600 >/dev/null
  $D run -d --name bystander -e constraint:node==n1 busybox sh -c 'while :; do echo tick; sleep 0.2; done' >/dev/null
  timeout 120 $D logs -f bystander >"$WORK/bystander.out" 2>&1 &
  local bystander=$!
  timeout 120 $D exec victim sh -c 'echo in; sleep 3600' >"$WORK/exec.out" 2>&1 &
  local exec=$!
  timeout 120 $D logs -f victim >"$WORK/logs.out" 2>&1 &
  local logs=$!
  timeout 120 $D stop -t 3600 victim >"$WORK/stop.out" 2>&1 &
  local stop=$!
  curl -s -m 120 -w '\n%{http_code}' -X POST "http://${MANAGER#tcp://}/containers/victim/wait" >"$WORK/wait.out" &
  local wait=$!
  until_ok 60 grep -q in "$WORK/exec.out"
  until_ok 60 grep -q tick "$WORK/bystander.out"
  engine_kill n2
  local pid name
  for name in exec logs stop wait; do
    pid=${!name}
    wait "$pid"
    STATUS=$?
    if [ $STATUS = 124 ]; then no "engine dies: $name ends (still waiting after 120 s)"; else ok "engine dies: $name ends"; fi
    [ $name = logs ] || [ $name = wait ] || equal "engine dies: $name fails" "$((STATUS != 0))" 1
  done
  OUT=$(cat "$WORK/stop.out")
  has "engine dies: stop says why" 'Cannot connect to the Docker daemon|n2|10\.9\.0\.3|EOF|connection'
  kill -0 "$bystander" 2>/dev/null && ok "engine dies: another engine's stream goes on" || no "engine dies: another engine's stream goes on"
  check "engine dies: another engine's exec works" $D exec bystander true
  waits "engine dies: its node is shown as down" 120 nodes_healthy 1
  run $D exec victim true
  equal "engine dead: exec fails" "$((STATUS != 0))" 1
  has "engine dead: exec says why" 'Container victim running on unhealthy node n2|Cannot connect to the Docker daemon at tcp://10\.9\.0\.3:2375'
  run $D ps -a
  has "engine dead: ps -a shows the container's host as down" 'Host Down.*victim'
  check "engine dead: new containers go elsewhere" $D run -d --name elsewhere busybox sleep 3600
  check "engine dead: to the other node" runs_on n1/elsewhere
  engine_start n2 10.9.0.3:2375
  waits "engine back: its node is healthy again" 180 nodes_healthy 2
  check "engine back: its container is there" $D start victim
  kill "$bystander" 2>/dev/null
  $D rm -f victim elsewhere >/dev/null
}

check_engine_silent() {
  $D run -d --name victim -e constraint:node==n2 busybox sleep 3600 >/dev/null
  engine_freeze n2
  timeout 300 $D exec victim true >"$WORK/silent.out" 2>&1 &
  local hanging=$!
  local i
  for i in 1 2 3 4 5; do check "silent engine: requests to others, $i" timeout 30 $D exec bystander true; done
  check "silent engine: ps" timeout 30 $D ps
  check "silent engine: info" timeout 30 $D info
  check "silent engine: run" timeout 60 $D run --rm -e constraint:node==n1 busybox true
  waits "silent engine: its node is shown as down" 240 nodes_healthy 1
  check "silent engine: its containers are not moved or lost" sh -c "$D ps -a --format '{{.Names}}' | grep -qx n2/victim"
  check "silent engine: run without a wish" timeout 60 $D run --rm busybox true
  engine_thaw n2
  wait "$hanging"
  equal "the engine speaks again: what hung has ended" "$(($? != 124))" 1
  waits "the engine speaks again: its node is healthy" 180 nodes_healthy 2
  check "the engine speaks again: exec" $D exec victim true
  $D rm -f victim bystander >/dev/null
}

check_flags
check_discovery
engine n1 2 || exit 1
engine n2 3 || exit 1
manager manage nodes://10.9.0.2:2375,10.9.0.3:2375,10.9.0.4:2375 || exit 1
waits "the pool is healthy, an address where nobody listens notwithstanding" 120 nodes_healthy 2
check_requests
check_wire
check_engine_dies
check_engine_silent

# A port that is taken ends the start with a reason; on 2375 also with a hint.
fatal "a listener's port is taken" 'address already in use' manage -H "$MANAGER" nodes://10.9.0.2:2375
fatal "a listener's port is an engine's" 'is Docker already running on this machine? Try using a different port' manage -H tcp://10.9.0.2:2375 nodes://10.9.0.2:2375
ends manage
equal "the manager ends with status 0 on SIGTERM" $? 0
no_sanitizer_report
checks_end
