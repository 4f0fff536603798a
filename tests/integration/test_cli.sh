#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Everyday commands of the docker CLI against the pool must do what they do on one engine: every CLI on this machine, over
# TCP, over TLS with client certificates, and over a unix socket.
# DIRECT=1 runs the same checks against one engine alone: what fails there is no fault of the manager.
# shellcheck disable=SC2086 # $D is a command with options
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"
# shellcheck source=tests/lib/certificates.sh
. "$testbed_lib/certificates.sh"

megabytes=${MEGABYTES:-50}
head -c $((megabytes << 20)) /dev/urandom >"$WORK/input"
input_md5=$(md5sum <"$WORK/input")

# --- one group of checks a function; $D is the CLI with its options, $c the prefix of the container names ---

tty_of() { script -qec "$1" /dev/null; } # a command on a terminal of its own, its output
state_is() { [ "$($D inspect -f "{{.State.$2}}" "$1")" = "$3" ]; }

check_run() {
  run $D run --rm busybox sh -c 'echo out; echo err >&2'
  has "$on: run prints stdout" '^out$'
  has "$on: run prints stderr" '^err$'
  refused "$on: run passes the exit status on" 42 $D run --rm busybox sh -c 'exit 42'
  refused "$on: run of a command that is not there is 127" 127 $D run --rm busybox nosuchcommand
  equal "$on: 100,000 lines of output" "$($D run --rm busybox seq 100000 | md5sum)" "$(seq 100000 | md5sum)"
  equal "$on: run -i, nothing to read" "$($D run -i --rm busybox cat </dev/null | wc -c)" 0
  equal "$on: run -i cat of $megabytes MiB" "$($D run -i --rm busybox cat <"$WORK/input" | md5sum)" "$input_md5"
  check "$on: run -d" $D run -d --name "$c-bg" --label "group=$c" busybox sleep 3600
  has "$on: run -d prints an id" '^[0-9a-f]{64}$'
  refused "$on: a second container of that name" 125 $D run -d --name "$c-bg" busybox true
  has "$on: the conflict is said" '[Cc]onflict'
}

check_terminal() {
  run tty_of "$D run -it --rm busybox sh -c 'tty; echo \$TERM'"
  has "$on: run -it has a terminal" '/dev/pts/0'
  OUT=$(printf 'echo typed $((40 + 2))\nexit 7\n' | script -qec "$D run -it --rm busybox" /dev/null)
  equal "$on: run -it passes the exit status on" $? 7
  has "$on: run -it takes what is typed" '^typed 42'
  run tty_of "stty rows 33 cols 101; timeout --foreground -k 5 60 $D run -it --rm busybox sh -c 'until [ \"\$(stty size)\" = \"33 101\" ]; do sleep 0.1; done; echo sized'"
  has "$on: run -it has the terminal's size" 'sized'
  run tty_of "stty rows 34 cols 102; timeout --foreground -k 5 60 $D exec -it $c-bg sh -c 'until [ \"\$(stty size)\" = \"34 102\" ]; do sleep 0.1; done; echo sized'"
  has "$on: exec -it has the terminal's size" 'sized'
}

check_exec() {
  run $D exec "$c-bg" sh -c 'echo out; echo err >&2; exit 3'
  equal "$on: exec passes the exit status on" "$STATUS" 3
  has "$on: exec prints stdout" '^out$'
  has "$on: exec prints stderr" '^err$'
  equal "$on: exec -i, $megabytes MiB" "$($D exec -i "$c-bg" cat <"$WORK/input" | md5sum)" "$input_md5"
  equal "$on: exec without -i does not read" "$(echo unread | $D exec "$c-bg" sh -c 'cat; echo end')" end
  run tty_of "$D exec -t $c-bg tty"
  has "$on: exec -t has a terminal" '^/dev/pts/'
  OUT=$(printf 'echo typed $((40 + 2))\nexit 8\n' | script -qec "$D exec -it $c-bg sh" /dev/null)
  equal "$on: exec -it passes the exit status on" $? 8
  has "$on: exec -it takes what is typed" '^typed 42'
  run $D exec "$c-bg" nosuchcommand
  equal "$on: exec of a command that is not there" "$((STATUS == 126 || STATUS == 127))" 1
  check "$on: exec -d" $D exec -d "$c-bg" touch /detached
  waits "$on: exec -d ran" 30 $D exec "$c-bg" test -e /detached
  check "$on: exec -e -w" $D exec -e A=b -w /tmp "$c-bg" sh -c '[ $A = b ] && [ $PWD = /tmp ]'
}

# Lines are passed one by one: a container that ends at once may end before an engine has shown what it said.
talk() { # WHAT COMMAND…: the container answers "one", then it is told to end
  local what=$1
  shift
  mkfifo "$WORK/talk.in"
  timeout 120 "$@" <"$WORK/talk.in" >"$WORK/talk.out" 2>&1 &
  local talker=$!
  exec 9>"$WORK/talk.in"
  rm "$WORK/talk.in"
  echo one >&9
  waits "$on: $what passes input and output" 60 grep -qx got:one "$WORK/talk.out"
  echo end >&9
  exec 9>&-
  wait "$talker"
  equal "$on: $what passes the exit status on" $? 5
}

check_attach() {
  check "$on: run -di" $D run -di --name "$c-attach" busybox sh -c \
    'while read l; do echo got:$l; [ "$l" != end ] || exit 5; done'
  talk attach $D attach "$c-attach"
  talk "start -ai" $D start -ai "$c-attach"
  # A signal that the CLI gets goes to the container.
  setsid $D run --name "$c-sig" busybox sh -c 'trap "exit 9" TERM; while :; do sleep 0.1; done' >/dev/null 2>&1 </dev/null &
  local cli=$!
  until_ok 30 $D exec "$c-sig" true
  kill -TERM "$cli"
  wait "$cli"
  equal "$on: a signal to the CLI reaches the container" $? 9
  $D rm -f "$c-attach" "$c-sig" >/dev/null
}

check_logs() {
  check "$on: run -d to be followed" $D run -d --name "$c-logs" busybox sh -c \
    'echo first; echo second >&2; until [ -e /go ]; do sleep 0.1; done; echo last'
  timeout 120 $D logs -f "$c-logs" >"$WORK/logs.out" 2>"$WORK/logs.err" &
  local follower=$!
  waits "$on: logs -f shows what is there" 30 grep -qx first "$WORK/logs.out"
  waits "$on: logs -f tells stderr from stdout" 30 grep -qx second "$WORK/logs.err"
  $D exec "$c-logs" touch /go
  wait "$follower"
  equal "$on: logs -f ends with the container" $? 0
  equal "$on: logs -f shows what comes" "$(tail -n 1 "$WORK/logs.out")" last
  run $D logs --tail 1 "$c-logs"
  equal "$on: logs --tail" "$OUT" last
  refused "$on: logs of a container that is not there" 1 $D logs "$c-none"
  has "$on: it is named" "No such container: $c-none"
  $D rm -f "$c-logs" >/dev/null
}

check_copy() {
  local from=$WORK/from to=$WORK/to
  rm -rf "$from" "$to" && mkdir -p "$from/deep/er" "$to"
  cp "$WORK/input" "$from/deep/er/big"
  echo small >"$from/small"
  check "$on: cp of a folder in" $D cp "$from" "$c-bg:/copied"
  equal "$on: it arrived whole" "$($D exec "$c-bg" md5sum /copied/deep/er/big | cut -d' ' -f1)" "${input_md5%% *}"
  check "$on: cp of a file in" $D cp "$from/small" "$c-bg:/copied/other"
  check "$on: cp of a folder out" $D cp "$c-bg:/copied/." "$to"
  check "$on: it came back whole" diff -r "$from/deep" "$to/deep"
  check "$on: cp of a file out" $D cp "$c-bg:/copied/other" "$to/other"
  equal "$on: with its content" "$(cat "$to/other")" small
  equal "$on: cp out as a stream" "$($D cp "$c-bg:/copied/deep" - | tar -xO deep/er/big | md5sum)" "$input_md5"
  check "$on: cp in as a stream" sh -c "tar -C '$from' -c small | $D cp - $c-bg:/tmp"
  check "$on: it is there" $D exec "$c-bg" grep -x small /tmp/small
  refused "$on: cp of what is not there" 1 $D cp "$c-bg:/nowhere" "$to"
  has "$on: the path is named" '/nowhere'
}

check_events() {
  timeout 120 $D events --filter "container=$c-ev" >"$WORK/events.out" 2>&1 &
  local listener=$!
  # Only what happens after the stream is open is in it: repeat until the first event shows.
  waits "$on: events shows a create" 60 sh -c \
    "$D rm -f $c-ev; $D create --name $c-ev busybox true; sleep 0.5; grep -q 'container create' '$WORK/events.out'"
  $D start "$c-ev" >/dev/null
  waits "$on: events shows the start" 30 grep -q 'container start' "$WORK/events.out"
  waits "$on: events shows the end" 30 grep -q 'container die' "$WORK/events.out"
  [ -n "${DIRECT:-}" ] || check "$on: events name the node" grep -q 'node.name=n[12t]' "$WORK/events.out"
  kill "$listener" && wait "$listener" 2>/dev/null
  $D rm -f "$c-ev" >/dev/null
}

check_states() {
  check "$on: pause" $D pause "$c-bg"
  run $D ps --filter "label=group=$c"
  has "$on: ps shows it paused" '\(Paused\)'
  check "$on: unpause" $D unpause "$c-bg"
  run $D ps --filter "label=group=$c"
  lacks "$on: ps shows it running again" '\(Paused\)'
  $D wait "$c-bg" >"$WORK/wait.out" &
  local waiter=$!
  check "$on: kill" $D kill "$c-bg"
  wait "$waiter"
  equal "$on: wait prints the exit status" "$(cat "$WORK/wait.out")" 137
  run $D ps -a --filter "label=group=$c"
  has "$on: ps -a shows it exited" 'Exited \(137\)'
  check "$on: start" $D start "$c-bg"
  check "$on: it runs" state_is "$c-bg" Running true
  check "$on: restart" $D restart -t 0 "$c-bg"
  check "$on: stop" $D stop -t 0 "$c-bg"
  check "$on: it is stopped" state_is "$c-bg" Running false
  check "$on: start again" $D start "$c-bg"
  refused "$on: rm of a running one" 1 $D rm "$c-bg"
  has "$on: the reason is said" 'running container'
  check "$on: rename" $D rename "$c-bg" "$c-new"
  check "$on: it has the new name" $D inspect "$c-new"
  refused "$on: and not the old one" 1 $D inspect "$c-bg"
  check "$on: rm -f" $D rm -f "$c-new"
  refused "$on: it is gone" 1 $D inspect "$c-new"
}

check_looks() {
  run $D ps
  has "$on: ps lists it" "$c-bg"
  [ -n "${DIRECT:-}" ] || has "$on: ps prefixes the node" "n[12t]/$c-bg"
  if [ -z "${DIRECT:-}" ]; then
    run $D inspect -f '{{.Node.Name}} {{.Node.Addr}} {{.Node.ID}} {{.Node.Cpus}}' "$c-bg"
    has "$on: inspect has the node" '^n[12t] 10\.9\.0\.[234]:2375 [A-Z0-9:]{20,}.* [1-9]'
    check "$on: node/name finds it" $D inspect "${OUT%% *}/$c-bg"
  fi
  local id
  id=$($D inspect -f '{{.Id}}' "$c-bg")
  equal "$on: a prefix of its id finds it" "$($D inspect -f '{{.Id}}' "${id:0:12}")" "$id"
  run $D top "$c-bg"
  has "$on: top shows its process" 'sleep 3600'
  run timeout 60 $D stats --no-stream "$c-bg"
  has "$on: stats --no-stream shows figures" '[0-9.]+%'
  run $D diff "$c-bg"
  equal "$on: diff" "$STATUS" 0
  equal "$on: export" "$($D export "$c-bg" | tar -t | grep -c '^bin/busybox$')" 1
  run $D images
  has "$on: images lists busybox" '^busybox +latest'
  equal "$on: an image that several nodes have is listed once" "$($D images -q busybox | wc -l)" 1
}

# Names that are parts of the API's own paths.
check_names() {
  local name
  for name in co v1 json containers; do
    check "$on: a container named $name runs" $D run -d --name $name busybox sh -c "echo I am $name; exec sleep 3600"
    equal "$on: exec in $name" "$($D exec $name echo inside 2>&1)" inside
    run $D logs $name
    equal "$on: logs of $name" "$OUT" "I am $name"
    check "$on: inspect of $name" $D inspect $name
    run $D top $name
    has "$on: top of $name" 'sleep 3600'
    check "$on: rm -f of $name" $D rm -f $name
  done
}

check_parallel() {
  local i
  for i in $(seq 20); do $D run --rm busybox echo "line $i" >"$WORK/parallel.$i" 2>&1 & parallel[i]=$!; done
  for i in $(seq 20); do wait "${parallel[i]}"; done
  equal "$on: 20 runs at once" "$(cat "$WORK"/parallel.* | sort)" "$(seq -f 'line %g' 20 | sort)"
}

# An image that no node has is pulled on the chosen node, by the way.
check_pull() {
  local image=127.0.0.1:5000/tool:$c
  local engine=tcp://10.9.0.2:2375
  $cli -H $engine tag busybox "$image" && $cli -H $engine push "$image" >/dev/null 2>&1 && $cli -H $engine rmi "$image" >/dev/null ||
    { no "$on: the registry takes an image"; return; }
  run $D run --rm "$image" echo pulled
  has "$on: run pulls a missing image" '^pulled$'
  if [ -z "${DIRECT:-}" ]; then
    local n have=0
    for n in 2 3; do [ -n "$($cli -H tcp://10.9.0.$n:2375 images -q "$image")" ] && have=$((have + 1)); done
    equal "$on: on one node only" $have 1
  fi
  refused "$on: run of an image that is nowhere" 125 $D run --rm 127.0.0.1:5000/absent:1 true
  has "$on: it is named" '127\.0\.0\.1:5000/absent'
  for ask in missing never; do # what a run says is what it says with an engine
    $cli -H $engine run --rm --pull $ask 127.0.0.1:5000/absent:1 true >"$WORK/expected" 2>&1
    refused "$on: run --pull $ask of it" 125 $D run --rm --pull $ask 127.0.0.1:5000/absent:1 true
    has_text "$on: the words of --pull $ask" "$(grep -v '^Unable' "$WORK/expected")"
  done
  run curl -s -m 60 -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -d '{"Image":"127.0.0.1:1/x"}' \
    "http://${D##*tcp://}/containers/create"
  equal "$on: create of what no registry gives" "$OUT" 404
  waits "$on: images shows the pulled one" 30 sh -c "$D images -q $image | grep -q ."
}

all_checks() {
  check_run
  check_terminal
  check_exec
  check_attach
  check_logs
  check_copy
  check_looks
  check_events
  check_names
  check_states
  check_parallel
}

few_checks() {
  check_run
  check_exec
  check_states
}

# with CLI TRANSPORT CHECKS CLI-options…
with() {
  cli=$1
  on="$(docker_version "$1"), $2"
  c=c$(docker_version "$1" | tr -d .)$2
  local checks=$3
  shift 3
  D="$cli $*"
  $checks
}

engine n1 2 || exit 1
if [ -z "${DIRECT:-}" ]; then
  engine n2 3 || exit 1
  certificates "$WORK/tls" 10.9.0.1 10.9.0.4
  ENGINE_TLS=$WORK/tls engine nt 4 || exit 1
  manager manage -H "unix://$WORK/swarm.sock" nodes://10.9.0.2:2375,10.9.0.3:2375 || exit 1
  background manage-tls "$BIN/swarm" manage -H tcp://10.9.0.1:3376 --tlsverify --tlscacert "$WORK/tls/ca.pem" \
    --tlscert "$WORK/tls/cert.pem" --tlskey "$WORK/tls/key.pem" nodes://10.9.0.4:2375
  waits "the pool is healthy" 60 nodes_healthy 2
fi
registry_start

tls="--tlsverify --tlscacert $WORK/tls/ca.pem --tlscert $WORK/tls/cert.pem --tlskey $WORK/tls/key.pem"
for docker in $(docker_clis); do
  if [ -n "${DIRECT:-}" ]; then
    with "$docker" tcp all_checks -H tcp://10.9.0.2:2375
    with "$docker" tcp check_pull -H tcp://10.9.0.2:2375
    continue
  fi
  with "$docker" tcp all_checks -H "$MANAGER"
  with "$docker" tcp check_pull -H "$MANAGER"
  with "$docker" unix few_checks -H "unix://$WORK/swarm.sock"
  waits "$(docker_version "$docker"), tls: the pool answers" 60 sh -c \
    "$docker -H tcp://10.9.0.1:3376 $tls info | grep -q 'Status: Healthy'"
  with "$docker" tls all_checks -H tcp://10.9.0.1:3376 "$tls"
done

if [ -z "${DIRECT:-}" ]; then
  run curl -sk -m 10 https://10.9.0.1:3376/_ping
  lacks "a TLS client without a certificate gets nothing" OK
  run curl -s -m 10 http://10.9.0.1:3376/_ping
  lacks "a client without TLS gets nothing from a TLS listener" OK
  for m in manage manage-tls; do
    ends $m
    equal "$m ends with status 0 on SIGTERM" $? 0
  done
  no_sanitizer_report
fi
checks_end
