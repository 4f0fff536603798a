#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The fake engines: as real clients see one, as the manager sees a hundred with every fault, and next to a real engine.
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

: "${FAKE_ENGINES:=$BIN/../../tests/kit/swarm-fake-engines}"
CONTROL=127.0.0.1:9000
FAKE=tcp://127.77.0.1:2375

fault() { # ENGINES JSON
  curl -sf -m 20 -d "$2" "http://$CONTROL/engines/$1/fault" || no "fault $2"
}
healthy() { docker -H "$MANAGER" info 2>/dev/null | grep -c 'Status: Healthy'; }
healthy_is() { [ "$(healthy)" = "$1" ]; }
healthy_below() { [ "$(healthy)" -lt "$1" ]; }

client() { # CLI
  local cli=$1 what
  what="CLI $(docker_version "$cli")"
  run "$cli" -H "$FAKE" run --rm busybox sh -c 'echo out; echo err >&2; exit 3'
  equal "$what: exit status of a run" "$STATUS" 3
  has "$what: stdout" '^out$'
  has "$what: stderr" '^err$'
  OUT=$(echo piped | "$cli" -H "$FAKE" run -i --rm busybox cat)
  equal "$what: stdin comes back" "$OUT" piped
  check "$what: run -d" "$cli" -H "$FAKE" run -d --name web -p 8080:80 busybox sleep 1000
  run "$cli" -H "$FAKE" ps
  has "$what: ps" '0.0.0.0:8080->80/tcp +web$'
  run "$cli" -H "$FAKE" exec web echo hello
  has "$what: exec" '^hello$'
  refused "$what: a name that is taken" 125 "$cli" -H "$FAKE" run --name web busybox true
  refused "$what: a port that is taken" 125 "$cli" -H "$FAKE" run -d -p 8080:80 busybox sleep 1000
  has "$what: and why" 'port is already allocated'
  run "$cli" -H "$FAKE" logs --tail 1 web-0-1
  has "$what: logs" '^first request$'
  check "$what: rm -f" "$cli" -H "$FAKE" rm -f web
  refused "$what: it is gone" 1 "$cli" -H "$FAKE" inspect web
  run "$cli" -H "$FAKE" events --since 1h --until "$(($(date +%s) + 1))" --filter container=web --filter event=destroy
  has "$what: events" 'container destroy .*name=web'
}

asked_at_least() { # NUMBER
  [ "$(curl -s "http://$CONTROL/stats" | jq .requests)" -ge "$1" ]
}

# Engines take turns to be listed. That others are named meanwhile takes nobody's turn away.
growing_pool() {
  local before n
  before=$(curl -s "http://$CONTROL/stats" | jq .requests)
  fault all '{"fault":"slow","ms":2000,"path":"/containers/json"}'
  head -n 80 "$WORK/pool" >"$WORK/growing"
  background growing "$BIN/swarm" manage -H "$MANAGER" --state-dir none "file://$WORK/growing"
  waits "engines are asked for their containers" 120 asked_at_least $((before + 80 * 4 + 32))
  for n in 84 88 92 96 100; do
    head -n $n "$WORK/pool" >"$WORK/more" && mv "$WORK/more" "$WORK/growing"
    sleep 0.1
  done
  waits "all of a pool that grew while it was listed are healthy" 120 healthy_is 100
  fault all '{"fault":"none"}'
  equal "its manager ends" "$(ends growing)" ""
}

# Every fault, on the same ten engines of a hundred: the other ninety serve on, and the ten come back.
manager() {
  background manage "$BIN/swarm" manage -H "$MANAGER" --engine-refresh-min-interval 1s \
    --engine-refresh-max-interval 2s "file://$WORK/pool"
  waits "a hundred engines are healthy" 180 healthy_is 100
  run docker -H "$MANAGER" ps -q
  equal "their containers are listed" "$(wc -l <<<"$OUT")" 500
  local order
  for order in '{"fault":"stop"}' '{"fault":"refuse"}' '{"fault":"silent"}' '{"fault":"garbage"}' '{"fault":"cut"}'; do
    fault 10-19 "$order"
    [ "$order" = '{"fault":"refuse"}' ] && fault 10-19 '{"fault":"cut-events"}'
    waits "$order: not all are healthy" 120 healthy_below 100
    check "$order: the others serve" docker -H "$MANAGER" run -d -e constraint:node==node-50 busybox sleep 1000
    fault 10-19 '{"fault":"none"}'
    waits "$order: all are back" 180 healthy_is 100
  done
  fault 10-19 '{"fault":"status","status":507,"path":"/containers/create"}'
  refused "an engine that refuses" 125 docker -H "$MANAGER" run -d -e constraint:node==node-12 busybox sleep 1000
  has "and its words" 'told to answer 507'
  fault 10-19 '{"fault":"slow","ms":300}'
  check "slow engines serve" docker -H "$MANAGER" run -d -e constraint:node==node-12 busybox sleep 1000
  fault all '{"fault":"none"}'
  fault all '{"fault":"burst","count":200}'
  fault all '{"fault":"cut-events"}'
  fault 20-29 '{"fault":"clock","ms":-3600000}'
  waits "bursts, cut event streams and clocks that jump leave all healthy" 120 healthy_is 100
  check "and serving" docker -H "$MANAGER" run -d --name after -e constraint:node==node-22 busybox sleep 1000
  equal "lists are the engines' own" \
    "$(docker -H "$MANAGER" ps -aq --no-trunc | sort | md5sum)" \
    "$(curl -s "http://$CONTROL/engines/all/containers" | jq -r '.[].id' | sort | md5sum)"
  fault 31 '{"fault":"stop"}'
  waits "an engine is stopped" 120 healthy_is 99
  fault 31 '{"fault":"none"}'
  fault 31 '{"fault":"duplicate","of":30}'
  waits "an engine comes back with another's ID: it is not healthy" 120 healthy_is 99
}

# All paths of keys in the JSON on stdin; names and ids that stand as keys are one.
keys() {
  jq -r '[paths | map(if type == "number" then "[]" elif test("^[0-9a-f]{64}$") then "ID" else . end) | join(".")] |
    unique | .[]' | grep -vE '^\[\]\.Names|Plugins\.|Runtimes\.|IndexConfigs|Warnings|DriverStatus|\.Networks\.none|Options\.|Env\.'
}

# A route's keys on the real engine that the fake one lacks, and the other way round.
same_keys() { # WHAT PATH
  equal "$1 has a real engine's keys" \
    "$(diff <(curl -s "http://10.9.0.2:2375/v1.41$2" | keys) <(curl -s "http://127.77.0.1:2375/v1.41$2" | keys))" ""
}

# The same request to both: status and words, ids aside.
same_answer() { # WHAT METHOD PATH [BODY]
  local url answers=()
  for url in http://10.9.0.2:2375 http://127.77.0.1:2375; do
    answers+=("$(curl -s -m 60 -X "$2" -H 'Content-Type: application/json' ${4:+-d "$4"} -w ' %{http_code}' "$url/v1.41$3" |
      sed -E 's/[0-9a-f]{64}/ID/g')")
  done
  equal "$1: as a real engine answers" "${answers[1]}" "${answers[0]}"
}

next_to_a_real_engine() {
  local url created='{"Image":"busybox","Cmd":["sleep","1000"],"ExposedPorts":{"80/tcp":{}},"Labels":{"a":"b"},
    "HostConfig":{"Binds":["data:/data"],"PortBindings":{"80/tcp":[{"HostPort":"8099"}]}}}'
  engine real 2
  docker -H "$FAKE" rm -f $(docker -H "$FAKE" ps -aq) >/dev/null
  for url in http://10.9.0.2:2375 http://127.77.0.1:2375; do
    curl -sf -H 'Content-Type: application/json' -d "$created" "$url/containers/create?name=c1" >/dev/null &&
      curl -sf -X POST "$url/containers/c1/start" || no "c1 starts at $url"
  done
  same_keys version /version
  same_keys info /info
  same_keys "a container's list entry" '/containers/json?all=1'
  same_keys "an inspect" /containers/c1/json
  same_keys "the list of images" '/images/json?filters=%7B%22reference%22:%5B%22busybox%22%5D%7D'
  same_keys "the list of volumes" /volumes
  same_keys "a volume" /volumes/data
  same_keys "the list of networks" /networks
  same_keys "a network" /networks/bridge
  same_answer "a name that is taken" POST '/containers/create?name=c1' '{"Image":"busybox"}'
  same_answer "a name that is none" POST '/containers/create?name=a%20b' '{"Image":"busybox"}'
  same_answer "an image that is not there" POST '/containers/create?name=c2' '{"Image":"nope"}'
  same_answer "no image" POST '/containers/create' '{}'
  same_answer "a container that is not there" GET /containers/nope/json
  same_answer "start of what runs" POST /containers/c1/start
  same_answer "remove of what runs" DELETE /containers/c1
  same_answer "unpause of what runs" POST /containers/c1/unpause
  same_answer "a signal that is none" POST '/containers/c1/kill?signal=FOO'
  same_answer "logs of no stream" GET /containers/c1/logs
  same_answer "a network that is not there" GET /networks/nope
  same_answer "a volume that is not there" GET /volumes/nope
  same_answer "a volume in use" DELETE /volumes/data
  same_answer "an image that is not there" GET /images/nope/json
  same_answer "an exec that is not there" GET /exec/nope/json
  same_answer "a filter that is none" GET '/containers/json?filters=%7B%22foo%22:%5B%22x%22%5D%7D'
  same_answer "stop" POST '/containers/c1/stop?t=0'
  same_answer "stop again" POST '/containers/c1/stop?t=0'
  same_answer "kill of what is stopped" POST /containers/c1/kill
  same_answer "wait" POST /containers/c1/wait
  same_answer "rename" POST '/containers/c1/rename?name=c3'
  same_answer "remove" DELETE '/containers/c3'
  same_answer "remove again" DELETE '/containers/c3'
}

background fake "$FAKE_ENGINES" --engines 100 --containers 5 --control "$CONTROL" --addresses "$WORK/pool"
until_ok 60 curl -sf -m 2 "http://$CONTROL/stats" || no "the fake engines start"
for cli in $(docker_clis); do client "$cli"; done
growing_pool
manager
next_to_a_real_engine
equal "the manager ends" "$(ends manage)" ""
ends fake
equal "the fake engines end" "$?" 0
OUT=$(cat "$WORK"/sanitizer* 2>/dev/null)
equal "no sanitizer's report" "$OUT" ""
checks_end
