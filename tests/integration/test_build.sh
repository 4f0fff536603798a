#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds on the pool: the classic builder of every docker CLI of this machine, and BuildKit's sessions with those that can
# do so without buildx. Where builds go, what clients read of them, and that they end with their client.
# shellcheck disable=SC2086 # $D is a command with options
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"
# shellcheck source=tests/lib/certificates.sh
. "$testbed_lib/certificates.sh"

megabytes=${MEGABYTES:-100}

on_node() { docker -H "tcp://10.9.0.$1:2375" "${@:2}"; }
node_has() { on_node "$1" image inspect "$2"; }
node_lacks() { ! node_has "$1" "$2"; }
nodes_with() { # IMAGE: the numbers of the nodes that have it
  local n
  for n in 2 3; do node_has "$n" "$1" >/dev/null 2>&1 && echo "$n"; done | xargs
}
api() { curl -s -m 120 "http://${MANAGER#tcp://}$1" "${@:2}"; }
api_status() { api "$1" -o "$WORK/body" -w '%{http_code}' "${@:2}"; }
manager_kib() { awk '/^VmHWM:/ { print $2 }' "/proc/$(cat "$WORK/manage.pid")/status"; }

context() { # NAME DOCKERFILE…: a folder with a Dockerfile of these lines
  local dir=$WORK/contexts/$1
  rm -rf "$dir" && mkdir -p "$dir"
  printf '%s\n' "${@:2}" >"$dir/Dockerfile"
  echo "$RANDOM$RANDOM" >"$dir/content"
  echo "$dir"
}

# --- what every builder does; $B is the CLI as that builder, $t the prefix of the tags ---

check_output() {
  local dir id
  dir=$(context plain 'FROM busybox' 'ARG word=none' 'COPY content /content' 'RUN echo "word is $word" >/word' 'CMD ["cat", "/word"]')
  run $B build --build-arg word=spoken -t "$t:plain" "$dir"
  equal "$on: build" "$STATUS" 0
  lacks "$on: no node is mixed into the output" '^n[12]: '
  equal "$on: the image runs, where it is" "$($D run --rm "$t:plain")" "word is spoken"
  equal "$on: the image is on one node" "$(nodes_with "$t:plain" | wc -w)" 1
  run $D images -q --no-trunc "$t:plain"
  id=$OUT
  equal "$on: build -q prints the id alone" "$($B build -q --build-arg word=spoken "$dir" 2>/dev/null)" "$id"
  check "$on: build --iidfile" $B build --iidfile "$WORK/iid" --build-arg word=spoken "$dir"
  equal "$on: it has the id" "$(cat "$WORK/iid")" "$id"
  check "$on: a second tag of the same build" $B build -t "$t:again" --label "made=$t" "$dir"
  # What one build made is there for the next.
  dir=$(context next "FROM $t:plain" 'RUN test -s /word')
  check "$on: build from what was built before" $B build -t "$t:next" "$dir"
  equal "$on: on the same node" "$(nodes_with "$t:next")" "$(nodes_with "$t:plain")"
}

check_failures() {
  local dir
  dir=$(context fails 'FROM busybox' 'RUN echo before; exit 7')
  run $B build "$dir"
  equal "$on: a step that fails fails the build" "$((STATUS != 0))" 1
  has "$on: with its status" '(returned a non-zero code|exit code): 7'
  rm "$dir/Dockerfile"
  run $B build "$dir"
  equal "$on: no Dockerfile" "$((STATUS != 0))" 1
  dir=$(context placed 'FROM busybox' 'ARG word' 'RUN echo "word is $word" >/word')
  run $B build --build-arg constraint:node==nowhere "$dir"
  equal "$on: a constraint that no node fits" "$((STATUS != 0))" 1
  has "$on: the refusal names it" 'node==nowhere'
}

check_placement() {
  local dir n
  for n in 1 2; do
    dir=$(context placed "FROM busybox" 'ARG word' 'COPY content /content' "RUN echo $n \$word >/word")
    check "$on: build on n$n" $B build --build-arg "constraint:node==n$n" --build-arg word=kept -t "$t:n$n" "$dir"
    equal "$on: it is there and nowhere else" "$(nodes_with "$t:n$n")" $((n + 1))
    equal "$on: other arguments reach the build" "$($D run --rm "$t:n$n" cat /word)" "$n kept"
    check "$on: the argument is not told to the engine" sh -c "! docker -H tcp://10.9.0.$((n + 1)):2375 history --no-trunc $t:n$n | grep -q constraint"
  done
  check "$on: build where an image is" $B build --build-arg "affinity:image==$t:n1" -t "$t:affine" "$(context affine "FROM $t:n1" 'RUN true')"
  equal "$on: it is there" "$(nodes_with "$t:affine")" 2
}

check_parallel() {
  local i dir
  for i in 1 2 3 4 5 6; do
    dir=$(context "parallel$i" 'FROM busybox' 'COPY content /content' 'CMD ["cat", "/content"]')
    $B build --build-arg "constraint:node==n$((i % 2 + 1))" -t "$t:p$i" "$dir" >"$WORK/parallel.$i" 2>&1 &
    parallel[i]=$!
  done
  for i in 1 2 3 4 5 6; do wait "${parallel[i]}" || { no "$on: build $i of 6 at once"; cat "$WORK/parallel.$i"; }; done
  for i in 1 2 3 4 5 6; do
    equal "$on: build $i of 6 at once" "$($D run --rm "$t:p$i")" "$(cat "$WORK/contexts/parallel$i/content")"
  done
}

# Told by the processes: BuildKit's steps are no containers that are listed.
step_runs() { grep -zqx "$1" /proc/[0-9]*/cmdline; } # SECONDS: of its sleep
step_is_gone() { ! step_runs "$1"; }

check_cancel() {
  local dir seconds=$((7000 + RANDOM % 1000))
  dir=$(context cancel 'FROM busybox' "RUN sleep $seconds")
  $B build --build-arg constraint:node==n2 "$dir" >"$WORK/cancel.out" 2>&1 &
  local cli=$!
  waits "$on: a long step runs" 60 step_runs "$seconds"
  kill -KILL "$cli"
  wait "$cli" 2>/dev/null
  waits "$on: it ends with its client" 60 step_is_gone "$seconds"
}

check_builder() {
  check_output
  check_failures
  check_placement
  check_parallel
  check_cancel
  $D images -q --filter "reference=$t" | sort -u | xargs -r $D rmi -f >/dev/null 2>&1
}

# --- what only one builder does ---

# An archive on standard input, bigger than the manager may become.
check_memory() {
  local before after dir=$WORK/contexts/big
  mkdir -p "$dir"
  head -c $((megabytes << 20)) /dev/urandom >"$dir/big"
  printf 'FROM busybox\nCOPY big /big\nCMD ["md5sum", "/big"]\n' >"$dir/Dockerfile"
  before=$(manager_kib)
  run sh -c "tar -C '$dir' -c . | $B build -q -t '$t:big' -"
  equal "$on: build of an archive of $megabytes MiB" "$STATUS" 0
  after=$(manager_kib)
  echo "memory: the manager had $before KiB at most before, $after KiB after"
  equal "$on: the manager grew by less than a tenth of it" "$((after - before < megabytes * 1024 / 10))" 1
  equal "$on: it came whole" "$($D run --rm "$t:big" | cut -d' ' -f1)" "$(md5sum <"$dir/big" | cut -d' ' -f1)"
  $D rmi -f "$t:big" >/dev/null
}

check_secret() {
  local dir
  dir=$(context secret 'FROM busybox' 'RUN --mount=type=secret,id=word cat /run/secrets/word >/word' 'CMD ["cat", "/word"]')
  echo "the secret" >"$WORK/secret"
  check "$on: build --secret" $B build --secret "id=word,src=$WORK/secret" -t "$t:secret" "$dir"
  equal "$on: the session brought it" "$($D run --rm "$t:secret")" "the secret"
  run sh -c "tar -C '$dir' -c . | $B build --secret id=word,src=$WORK/secret -t '$t:upload' -"
  equal "$on: build of an archive" "$STATUS" 0
}

check_api() {
  equal "api: a build without anything is the engine's to refuse" "$(api_status /build -X POST)" \
    "$(curl -s -o /dev/null -w '%{http_code}' -X POST http://10.9.0.2:2375/build)"
  equal "api: a session without its id" "$(api_status /session -X POST)" 400
  run cat "$WORK/body"
  has "api: what is missing is named" 'no session ID provided'
  equal "api: cancel without an id" "$(api_status /build/cancel -X POST)" 400
  equal "api: cancel of a build that is not there" "$(api_status '/build/cancel?id=none' -X POST)" 500
  run cat "$WORK/body"
  has "api: it was waited for" 'timeout waiting for build to start'
  equal "api: X-Swarm-Node of a build" "$(api_status '/build?t=headed' -X POST -H 'X-Swarm-Node: n2' -H 'Content-Type: application/x-tar' --data-binary "@$WORK/small.tar")" 200
  equal "api: it went there" "$(nodes_with headed)" 3
  equal "api: X-Swarm-Node that is not there" "$(api_status /grpc -X POST -H 'X-Swarm-Node: n9' -H 'Connection: Upgrade' -H 'Upgrade: h2c')" 404
  on_node 3 rmi headed >/dev/null
}

# The same over other sockets: each build with a session, its client told by certificate or by user.
check_transport() { # NAME CLI-options…
  local dir on=$1
  shift
  dir=$(context "over-$on" 'FROM busybox' 'COPY content /content' 'CMD ["cat", "/content"]')
  check "$on: build" env DOCKER_BUILDKIT=0 docker "$@" build -t "over:$on" "$dir"
  equal "$on: it runs" "$(docker "$@" run --rm "over:$on")" "$(cat "$dir/content")"
  [ -z "$sessions" ] || check "$on: build with a session" env DOCKER_BUILDKIT=1 "$sessions" "$@" build -t "over:$on" "$dir"
  equal "$on: it runs, too" "$(docker "$@" run --rm "over:$on")" "$(cat "$dir/content")"
}

# A node that goes takes its builds with it, and they say so; the client's next build goes elsewhere.
check_lost_node() {
  local dir seconds=$((8000 + RANDOM % 1000))
  dir=$(context lost 'FROM busybox' "RUN sleep $seconds")
  DOCKER_BUILDKIT=0 docker -H "$MANAGER" build --build-arg constraint:node==n2 "$dir" >"$WORK/lost.out" 2>&1 &
  local cli=$!
  waits "lost node: a long step runs" 60 step_runs "$seconds"
  engine_kill n2
  wait "$cli"
  equal "lost node: the build fails" "$(($? != 0))" 1
  waits "lost node: the pool knows" 60 nodes_healthy 1
  dir=$(context found 'FROM busybox' 'CMD ["echo", "found"]')
  check "lost node: the next build" env DOCKER_BUILDKIT=0 docker -H "$MANAGER" build -t found "$dir"
  equal "lost node: it is where there is a node" "$(nodes_with found)" 2
  run raw grpc 127.0.0.1
  equal "lost node: a client's connections are, too" "$(xargs <<<"$OUT")" "101 settings"
}

raw() { python3 "$testbed_lib/raw_streams.py" "${MANAGER#tcp://}" "$@"; }
calls() { grep -c "Calling POST /v1.41/$2" "$ENGINES_DIR/$1/log"; } # NODE PATH: told by the engine's own log

# What BuildKit's other clients do: a client's connections go to one engine, those of several clients to several.
check_streams() {
  local before i
  before=$(calls n1 grpc)
  for i in 1 2 3; do
    run raw grpc 127.0.0.1
    equal "streams: /grpc speaks HTTP/2 after 101" "$(xargs <<<"$OUT")" "101 settings"
  done
  equal "streams: a client's go to one engine" "$((($(calls n1 grpc) - before) % 3))" 0
  equal "streams: each once" "$(($(calls n1 grpc) + $(calls n2 grpc)))" 3
  for i in $(seq 2 25); do raw grpc 127.0.0.$i >/dev/null || no "streams: /grpc of client $i"; done
  equal "streams: many clients go to all engines" "$(($(calls n1 grpc) > 3 && $(calls n2 grpc) > 3))" 1
  run raw h2
  equal "streams: HTTP/2 from the first byte on" "$OUT" settings
  equal "streams: that is BuildKit's, too" "$(($(calls n1 grpc) + $(calls n2 grpc)))" 28
  run raw session s1
  equal "streams: a session without a build gets its engine" "$(xargs <<<"$OUT")" "101 preface"
  before=$(calls n2 session)
  run raw session s2 n2
  equal "streams: X-Swarm-Node of a session" "$(xargs <<<"$OUT") $(($(calls n2 session) - before))" "101 preface 1"
  docker -H "$MANAGER" run -di --name echo busybox cat >/dev/null
  run raw ws "/containers/echo/attach/ws?stream=1&stdin=1&stdout=1" "back and forth"
  equal "streams: attach by websocket" "$OUT" "$(printf '101\nback and forth')"
  run raw ws "/containers/none/attach/ws?stream=1&stdin=1&stdout=1" lost
  has "streams: no websocket without a container" '^HTTP/1.1 404 '
  docker -H "$MANAGER" rm -f echo >/dev/null
}

# The log tells what each is asked.
engine n1 2 --debug || exit 1
engine n2 3 --debug || exit 1
manager manage -H "unix://$WORK/swarm.sock" nodes://10.9.0.2:2375,10.9.0.3:2375 || exit 1
waits "the pool is healthy" 60 nodes_healthy 2
tar -C "$(context small 'FROM busybox' 'COPY content /content')" -cf "$WORK/small.tar" .

number=0
sessions= # a CLI that does BuildKit's builds without buildx
for docker in $(docker_clis); do
  D="$docker -H $MANAGER"
  B="env DOCKER_BUILDKIT=0 $D"
  on="$(docker_version "$docker"), classic"
  t=classic$((++number))
  check_builder
  [ $number -gt 1 ] || check_memory
  # CLIs from 23 on do it with buildx alone.
  [ "${on%%.*}" -lt 23 ] || continue
  sessions=$docker
  B="env DOCKER_BUILDKIT=1 $D"
  on="$(docker_version "$docker"), BuildKit"
  t=kit$number
  check_builder
  check_secret
done
check_api
check_streams
check_transport unix -H "unix://$WORK/swarm.sock"
certificates "$WORK/tls" 10.9.0.1 10.9.0.4
ENGINE_TLS=$WORK/tls engine nt 4 || exit 1
background manage-tls "$BIN/swarm" manage -H tcp://10.9.0.1:3376 --tlsverify --tlscacert "$WORK/tls/ca.pem" \
  --tlscert "$WORK/tls/cert.pem" --tlskey "$WORK/tls/key.pem" nodes://10.9.0.4:2375
tls="--tlsverify --tlscacert $WORK/tls/ca.pem --tlscert $WORK/tls/cert.pem --tlskey $WORK/tls/key.pem"
waits "tls: the pool answers" 60 sh -c "docker -H tcp://10.9.0.1:3376 $tls info | grep -q 'Status: Healthy'"
check_transport tls -H tcp://10.9.0.1:3376 $tls
ends manage-tls
equal "tls: the manager ends with status 0 on SIGTERM" $? 0
check_lost_node

ends manage
equal "the manager ends with status 0 on SIGTERM" $? 0
no_sanitizer_report
checks_end
