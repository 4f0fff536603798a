#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# API versions: a pool of an engine of 1.41 and of two that are as newer ones, 1.44 to 1.51 and 1.40 to 1.54 (a proxy in
# front of a real one), and clients that speak 1.24, 1.41, 1.44 and 1.51.
# shellcheck disable=SC2086 # $D is a command with options
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

api() { curl -s -m 60 "http://${MANAGER#tcp://}$1" "${@:2}"; }
api_status() { api "$1" -o "$WORK/body" -w '%{http_code}' "${@:2}"; }
header() { api "$1" -D - -o /dev/null "${@:3}" | tr -d '\r' | sed -n "s/^$2: //Ip"; } # PATH NAME

# --- the emulated engine itself, so that what follows means something ---

check_proxy() {
  equal "proxy: 1.43 is refused" "$(curl -s -o "$WORK/body" -w '%{http_code}' http://10.9.0.4:2375/v1.43/info)" 400
  run cat "$WORK/body"
  has "proxy: in an engine's words" 'client version 1.43 is too old. Minimum supported API version is 1.44'
  equal "proxy: 1.44 is not" "$(curl -s http://10.9.0.4:2375/v1.44/info | jq -r .Name)" n2
  equal "proxy: its range" "$(curl -s http://10.9.0.4:2375/version | jq -r '.MinAPIVersion + " " + .ApiVersion')" "1.44 1.51"
}

# --- what clients are told ---

check_offer() { # VERSION
  equal "offer: _ping" "$(header /_ping Api-Version)" "$1"
  equal "offer: HEAD _ping" "$(header /_ping Api-Version -I)" "$1"
  equal "offer: version" "$(api /version | jq -r '.ApiVersion + " " + .MinAPIVersion')" "$1 1.24"
  equal "offer: every answer" "$(header /v1.24/containers/json Api-Version)" "$1"
}

check_limits() {
  local version
  for version in 1.24 1.30 1.43 1.51; do
    equal "limits: $version" "$(api_status /v$version/info)" 200
  done
  equal "limits: 1.23" "$(api_status /v1.23/info)" 400
  equal "limits: is too old" "$(jq -r .message "$WORK/body")" \
    "client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version"
  equal "limits: 1.9 is older than 1.24" "$(api_status /v1.9/info)" 400
  equal "limits: 1.52" "$(api_status /v1.52/info)" 400
  equal "limits: is too new" "$(jq -r .message "$WORK/body")" \
    "client version 1.52 is too new. Maximum supported API version is 1.51"
  equal "limits: no version at all" "$(api_status /info)" 200
  equal "limits: something that is no version" "$(api_status /v1/info)" 404
}

# --- each client on each node ---

# shellcheck disable=SC2016
on_each_node() {
  local node c
  for node in n1 n2 n3; do
    c=v$(tr -d . <<<"$version")$number$node
    check "$on, $node: run" $D run -d --name $c -e constraint:node==$node -p 0:80 -l group=$version$number busybox sh -c 'echo told; exec sleep 3600'
    has "$on, $node: run prints an id" '^[0-9a-f]{64}$'
    equal "$on, $node: it is there" "$($D inspect -f '{{.Node.Name}}' $c)" $node
    waits "$on, $node: logs" 30 sh -c "[ \"\$($D logs $c)\" = told ]"
    equal "$on, $node: exec" "$($D exec $c echo inside)" inside
    equal "$on, $node: exec -i" "$(echo through | $D exec -i $c cat)" through
    equal "$on, $node: run -i" "$(echo through | $D run -i --rm -e constraint:node==$node busybox cat)" through
    equal "$on, $node: cp out" "$($D cp $c:/etc/passwd - | tar -xO)" "root:x:0:0:root:/:/bin/sh"
    run $D top $c
    has "$on, $node: top" 'sleep 3600'
    check "$on, $node: stop" $D stop -t 0 $c
    check "$on, $node: start" $D start $c
    check "$on, $node: restart" $D restart -t 0 $c
    refused "$on, $node: rm of a running one" 1 $D rm $c
    has "$on, $node: in the engine's words" 'running container'
  done
}

on_the_pool() {
  local context=$WORK/context
  equal "$on: ps" "$($D ps -q --filter label=group=$version$number | wc -l)" 3
  equal "$on: ps -s" "$($D ps -s --filter label=group=$version$number --format '{{.Size}}' | grep -c B)" 3
  equal "$on: ps names the nodes" "$($D ps --filter label=group=$version$number --format '{{.Names}}' | cut -d/ -f1 | sort | xargs)" "n1 n2 n3"
  equal "$on: images" "$($D images -q busybox | wc -l)" 1
  equal "$on: image inspect" "$($D image inspect -f '{{.Os}}' busybox)" linux
  check "$on: tag" $D tag busybox "tagged:$version"
  check "$on: save" $D save -o "$WORK/saved.tar" "tagged:$version"
  check "$on: rmi" $D rmi "tagged:$version"
  check "$on: load" $D load -i "$WORK/saved.tar"
  check "$on: rmi again" $D rmi "tagged:$version"
  mkdir -p "$context" && printf 'FROM busybox\nCMD ["echo", "built"]\n' >"$context/Dockerfile"
  check "$on: build on the newer one" env DOCKER_BUILDKIT=0 $D build --build-arg constraint:node==n2 -t "built:$version" "$context"
  equal "$on: it runs" "$($D run --rm "built:$version")" built
  $D rmi "built:$version" >/dev/null
  check "$on: info" $D info
  check "$on: rm -f" $D rm -f $($D ps -aq --filter label=group=$version$number)
}

check_events() {
  timeout 60 $D events --filter "container=ev$number" >"$WORK/events.out" 2>&1 &
  local listener=$!
  waits "$on: events shows a create" 60 sh -c \
    "$D rm -f ev$number; $D create --name ev$number -e constraint:node==n2 busybox true; sleep 0.5; grep -q 'container create' '$WORK/events.out'"
  kill "$listener" && wait "$listener" 2>/dev/null
  $D rm -f "ev$number" >/dev/null
}

# What lists look like changed between versions, whatever the engines behind are.
check_shapes() {
  equal "shapes: VirtualSize before 1.44" "$(api /v1.43/images/json | jq 'all(has("VirtualSize"))')" true
  equal "shapes: and not from then on" "$(api /v1.44/images/json | jq 'any(has("VirtualSize"))')" false
  equal "shapes: bridge features before 1.50" "$(api /v1.49/info | jq 'has("BridgeNfIptables")')" true
  equal "shapes: and not from then on" "$(api /v1.50/info | jq 'has("BridgeNfIptables")')" false
}

# The engine that takes no old versions was asked in its own, whoever the client was; the others in the client's.
check_asked() {
  run sh -c "grep -oE '/v[0-9.]+/' '$WORK/proxy2.log' | sort -u | xargs"
  equal "asked: 1.44 to 1.51 in versions of its own" "$OUT" "/v1.44/ /v1.51/"
  run sh -c "grep -oE '/v[0-9.]+/' '$WORK/proxy3.log' | sort -u | xargs"
  equal "asked: 1.40 to 1.54 in the client's" "$OUT" "/v1.40/ /v1.41/ /v1.44/ /v1.51/"
}

engine n1 2 || exit 1
engine_start n2 127.0.0.1:2402 || exit 1
engine_start n3 127.0.0.1:2403 || exit 1
engine_load n2 "$WORK/images.tar" && engine_load n3 "$WORK/images.tar" || no "engines load an image"
background proxy2 python3 "$testbed_lib/version_proxy.py" 10.9.0.4:2375 127.0.0.1:2402 1.44 1.51
background proxy3 python3 "$testbed_lib/version_proxy.py" 10.9.0.5:2375 127.0.0.1:2403 1.40 1.54
waits "the emulated engines answer" 30 sh -c 'curl -sf http://10.9.0.4:2375/_ping && curl -sf http://10.9.0.5:2375/_ping'
check_proxy
: >"$WORK/proxy2.log"
manager manage nodes://10.9.0.2:2375,10.9.0.4:2375,10.9.0.5:2375 || exit 1
waits "the pool is healthy" 60 nodes_healthy 3

check_offer 1.41
check_limits
check_shapes
number=0
for docker in $(docker_clis); do
  number=$((number + 1))
  for version in 1.24 1.41 1.44 1.51; do
    # Each version with one CLI, the newest with all.
    on="$(docker_version "$docker") as $version"
    D="env DOCKER_API_VERSION=$version $docker -H $MANAGER"
    [ $number = 1 ] || [ $version = 1.51 ] || continue
    on_each_node
    on_the_pool
  done
  check_events
done
check_asked

ends manage
equal "the manager ends with status 0 on SIGTERM" $? 0
manager manage --api-version auto-max nodes://10.9.0.2:2375,10.9.0.4:2375,10.9.0.5:2375 || exit 1
waits "the pool is healthy again" 60 nodes_healthy 3
check_offer 1.51
on="$(docker_version "$docker"), offered the newest"
version=none D="$docker -H $MANAGER"
equal "$on: it speaks that, or its own newest" "$($D version -f '{{.Client.APIVersion}}' | sed -E 's/1.(4[1-9]|5[01])/well/')" well
on_each_node
$D rm -f $($D ps -aq) >/dev/null
ends manage
equal "it ends with status 0 on SIGTERM" $? 0
manager manage --api-version 1.44 nodes://10.9.0.2:2375,10.9.0.4:2375,10.9.0.5:2375 || exit 1
waits "the pool is healthy at last" 60 nodes_healthy 3
check_offer 1.44
ends manage
equal "that ends with status 0 on SIGTERM, too" $? 0
refused "an --api-version that is none" 1 "$BIN/swarm" manage --api-version 1.99 nodes://10.9.0.2:2375
no_sanitizer_report
checks_end
