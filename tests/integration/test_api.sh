#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What programs read of the API of a pool of two engines, where everyday commands would not show it: fields of lists and
# inspects, what a create leaves in a container, the nodes' names in streams and events, the words and statuses of refusals,
# names of Docker Hub, and the requests of compose v2. README.md in this folder says what the other tests show.
# shellcheck disable=SC2086 # $D is a command with options
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

D="docker -H $MANAGER"
api=http://${MANAGER#tcp://}
json() { curl -s -m 60 "$api$1" "${@:2}"; }
encoded() { jq -rn --arg text "$1" '$text | @uri'; }
names() { jq -r '[.[].Names[0]] | sort | join(" ")'; }
listed() { json "/containers/json?${2:-}&filters=$(encoded "$1")" | names; }

check_lists() {
  $D run -d --name one -e constraint:node==n1 -p 8080:80 busybox sleep 3600 >/dev/null
  $D run -d --name two -e constraint:node==n2 busybox sleep 3600 >/dev/null
  $D run --name past -e constraint:node==n2 busybox true
  for n in 2 3; do docker -H "tcp://10.9.0.$n:2375" tag busybox swarm:latest; done
  waits "the pool knows the image" 30 $D image inspect swarm
  $D run -d --name agent swarm sleep 3600 >/dev/null
  equal "list: names have their node" "$(listed '{}')" "/n1/one /n2/two"
  equal "list: of a node" "$(listed '{"node":["n2"]}')" /n2/two
  equal "list: exited ones need no all" "$(listed '{"status":["exited"]}')" /n2/past
  equal "list: an image called swarm shows with all only" "$(listed '{}' all=1 | grep -o '/agent')" /agent
  equal "list: limit" "$(json '/containers/json?limit=2' | jq length)" 2
  equal "list: before" "$(json '/containers/json?before=two' | names)" /n1/one
  equal "list: an address of all interfaces is the node's" "$(json /containers/json | jq -r '[.[].Ports[].IP] | unique | join(" ")')" 10.9.0.2
  run json /containers/json?before=none -w '%{http_code}'
  has_text "list: before what is not there" '{"message":"No such container: none"}'
  $D rm -f agent past >/dev/null
  $D rmi swarm >/dev/null
}

check_inspect() {
  run json /containers/one/json
  equal "inspect: its node" "$(jq -c '.Node | [keys, .Name, .IP, .Addr, .Cpus > 0, .Memory > 0]' <<<"$OUT")" \
    '[["Addr","Cpus","ID","IP","Labels","Memory","Name"],"n1","10.9.0.2","10.9.0.2:2375",true,true]'
  equal "inspect: an address of all interfaces is the node's" "$(jq -r '[.NetworkSettings.Ports[][].HostIp] | unique | join(" ")' <<<"$OUT")" 10.9.0.2
}

check_create() {
  $D run -d --name told -e constraint:node==n1 -e affinity:container==one -e reschedule:on-node-failure -e KEPT=1 busybox sleep 3600 >/dev/null
  run json /containers/told/json
  equal "create: expressions are labels" "$(jq -c '.Config.Labels | to_entries | map(select(.key | test("constraints|affinities|reschedule")) | .value) | sort' <<<"$OUT")" \
    '["[\"container==one\"]","[\"node==n1\"]","[\"on-node-failure\"]"]'
  equal "create: with an id that stays" "$(jq '.Config.Labels["com.docker.swarm.id"] | length' <<<"$OUT")" 64
  equal "create: they are no environment" "$(jq -c '[.Config.Env[] | select(test("^(KEPT|constraint|affinity|reschedule)"))]' <<<"$OUT")" '["KEPT=1"]'
  $D rm -f told >/dev/null
}

# --- streams ---

check_streams() {
  equal "streams: load tells the nodes" "$(json /images/load -H 'Content-Type: application/x-tar' --data-binary "@$WORK/images.tar" |
    jq -r 'select(.stream) | .nodes | join(" ")' | sort -u)" "n1 n2"
  run json '/images/create?fromImage=127.0.0.1:1/none&tag=1' -X POST
  has_text "streams: what no node can pull is refused as engines refuse it" '{"message":'
  run json /images/load -H 'Content-Type: application/x-tar' -d garbage
  has "streams: the last object is the error" '"errorDetail":\{"code":1,"message":".+"\},"error":".+"\}'
}

events_have() { jq -es "any(.[]; $1)" "$WORK/events.log"; }

check_events() {
  background events curl -sN "$api/events"
  waits "events: a client listens" 30 sh -c "[ \$(curl -s $api/info | jq .NEventsListener) -gt 0 ]"
  check "events: run" $D run --rm --name seen -e constraint:node==n2 busybox true
  waits "events: have the node" 30 events_have '.Action == "create" and .from == "busybox node:n2" and .node.Name == "n2" and
    .Actor.Attributes["node.name"] == "n2" and .Actor.Attributes["node.addr"] == "10.9.0.3:2375"'
  engine n3 4
  waits "events: of an engine that comes" 60 events_have '.Action == "engine_connect" and .Type == "swarm" and .from == "swarm node:n3"'
  engine_kill n3
  waits "events: and goes" 60 events_have '.Action == "engine_disconnect" and .from == "swarm node:n3"'
  ends events
  run curl -s -m 30 "$api/events?since=0&until=$(date +%s)"
  equal "events: until ends them" "$STATUS" 0
}

# --- refusals ---

# refusal STATUS MESSAGE METHOD PATH [BODY]: the message is a pattern.
refusal() {
  local body=(-d "${5:-}" -H 'Content-Type: application/json')
  [ "$3" != GET ] || body=()
  run json "$4" -X "$3" "${body[@]}" -w '\n%{http_code}'
  if [ "$(tail -n 1 <<<"$OUT")" = "$1" ] && head -n 1 <<<"$OUT" | jq -r .message | grep -Eq -- "$2"; then
    ok "refusal: $3 $4 ${5:-}"
  else
    no "refusal: $3 $4 ${5:-} (wanted $1 $2, got $(excerpt "$OUT"))"
  fi
}

check_refusals() {
  local what
  for what in json top logs export changes stats; do
    refusal 404 '^No such container: none$' GET "/containers/none/$what?stdout=1&stream=0"
  done
  for what in start stop kill restart pause unpause wait resize attach exec 'rename?name=x' update; do
    refusal 404 '^No such container: none$' POST /containers/none/$what '{"Cmd":["x"]}'
  done
  refusal 404 '^No such container: none$' DELETE /containers/none
  refusal 404 '^No such container: none$' POST '/commit?container=none'
  refusal 404 'xec.*none' GET /exec/none/json
  refusal 404 'xec.*none' POST /exec/none/start '{}'
  refusal 400 '^No exec command specified$' POST /containers/one/exec '{"Cmd":[]}'
  for what in json history get; do refusal 404 '(No such image|reference does not exist).*none' GET /images/none/$what; done
  refusal 404 'No such image: none' POST '/images/none/tag?repo=x'
  run json '/images/none/push?tag=1' -X POST -H 'X-Registry-Auth: e30=' -w '%{http_code}'
  has "refusal: push of what is not there" 'does not exist|No such image: none|404$'
  refusal 404 '^No such image: none(:latest)?$' DELETE /images/none
  refusal 404 'none' GET '/images/get?names=none&names=busybox'
  refusal 400 "dangling.*bogus|'type'='dangling'|[Ii]nvalid filter" GET "/images/json?filters=$(encoded '{"dangling":["bogus"]}')"
  refusal 400 '^invalid filter .bogus.$' GET "/images/json?filters=$(encoded '{"bogus":["1"]}')"
  refusal 400 '^invalid filter .bogus.$' GET "/containers/json?filters=$(encoded '{"bogus":["1"]}')"
  refusal 400 'type' GET "/networks?filters=$(encoded '{"type":["bogus"]}')"
  refusal 400 '.' GET '/networks?filters=garbage'
  refusal 404 '^No such network: none-such$' GET /networks/none-such
  refusal 404 '^No such network:? none-such$' DELETE /networks/none-such
  refusal 404 '^No such network: none-such$' POST /networks/none-such/connect '{"Container":"one"}'
  refusal 404 '^Container is not specified$' POST /networks/bridge/connect '{}'
  refusal 404 '^No such volume: none$' GET /volumes/none
  refusal 404 '^No such volume:? none$' DELETE /volumes/none
  refusal 409 '^Conflict: The name one is already assigned\. You have to delete \(or rename\) that container' POST '/containers/create?name=one' '{"Image":"busybox"}'
  refusal 409 '^Conflict: The name one is already assigned\.' POST '/containers/two/rename?name=one'
  refusal 400 'too many reschedule policies' POST /containers/create '{"Image":"busybox","Env":["reschedule:off","reschedule:on-node-failure"]}'
  refusal 400 'invalid reschedule policy: never' POST /containers/create '{"Image":"busybox","Env":["reschedule:never"]}'
  refusal 500 '^Unable to find a node that satisfies the following conditions' POST /containers/create '{"Image":"busybox","Env":["constraint:node==n9"]}'
  refusal 400 'EOF' POST /containers/create
  refusal 400 'build ID not provided' POST /build/cancel
  refusal 400 'no session ID provided' POST /session
  refusal 501 '^Not supported in clustering mode\.' GET /images/viz
  refusal 404 'page not found' GET /nothing
  refusal 503 'not a Swarm-mode manager' GET /services
}

# The last ones: with no node that is well.
check_no_node() {
  engine_kill n1
  engine_kill n2
  waits "no node: the pool knows" 60 nodes_healthy 0
  refusal 500 '^No healthy node available in the cluster' POST /containers/create '{"Image":"busybox"}'
  refusal 500 '^Container one running on unhealthy node n1$' GET '/containers/one/logs?stdout=1'
  equal "no node: containers are on hosts that are down" "$(json '/containers/json?all=1' | jq -r '[.[].Status] | unique | join(" ")')" "Host Down"
  equal "no node: running ones are not listed" "$(json /containers/json)" "[]"
}

# --- names of Docker Hub: engines are asked to push them, which ends at the hub ---

check_hub() {
  local cli
  for cli in $(docker_clis); do
    run $cli -H "$MANAGER" push busybox:latest
    lacks "$(docker_version "$cli"): push of a name of the hub finds the image" 'No such image|does not exist locally'
    has "$(docker_version "$cli"): and goes there" 'docker\.io'
  done
}

# --- compose v2: what it asks, in its words and in its API version ---

v2() { json "/v1.44$1" "${@:2}"; }
of_project='{"com.docker.compose.project":"v2"}'
# Of its containers: the services that they name. The engine tells of them a moment later.
v2_events_are() { # SERVICE
  local filters
  filters=$(encoded '{"type":["container"],"label":["com.docker.compose.project=v2"]}')
  [ "$(v2 "/events?since=0&until=$(date +%s.%N)&filters=$filters" | jq -r '.Actor.Attributes["com.docker.compose.service"]' | sort -u)" = "$1" ]
}

check_compose_v2() {
  local label id web
  label=$(encoded '{"label":["com.docker.compose.project=v2"]}')
  equal "v2: no network of that name yet" "$(v2 "/networks?filters=$(encoded '{"name":["v2_default"]}')")" "[]"
  id=$(v2 /networks/create -H 'Content-Type: application/json' -d "{\"Name\":\"v2_default\",\"Driver\":\"\",\"Labels\":$of_project}" | jq -r .Id)
  equal "v2: the network by its exact name" "$(v2 "/networks?filters=$(encoded '{"name":["v2_default"]}')" | jq -r '.[] | .Name + " " + .Id')" "v2_default $id"
  equal "v2: no volume yet" "$(v2 /volumes/v2_data -o /dev/null -w '%{http_code}')" 404
  v2 /volumes/create -H 'Content-Type: application/json' -d "{\"Name\":\"v2_data\",\"Labels\":$of_project}" >/dev/null
  equal "v2: one volume, by its name" "$(v2 /volumes/v2_data | jq -r '.Name + " " + .Labels["com.docker.compose.project"]')" "v2_data v2"
  web=$(v2 '/containers/create?name=v2-web-1' -H 'Content-Type: application/json' -d "{\"Image\":\"busybox\",\"Cmd\":[\"sleep\",\"3600\"],
    \"Labels\":{\"com.docker.compose.project\":\"v2\",\"com.docker.compose.service\":\"web\"},
    \"HostConfig\":{\"NetworkMode\":\"v2_default\",\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"v2_data\",\"Target\":\"/data\"}]},
    \"NetworkingConfig\":{\"EndpointsConfig\":{\"v2_default\":{\"Aliases\":[\"v2-web-1\",\"web\"]}}}}" | jq -r .Id)
  equal "v2: create and start" "$(v2 "/containers/$web/start" -X POST -o /dev/null -w '%{http_code}')" 204
  equal "v2: its containers, by label" "$(v2 "/containers/json?all=1&filters=$label" | jq -r '.[] | .Id + " " + .State')" "$web running"
  equal "v2: the network's containers" "$(v2 "/networks/$id" | jq -r '.Containers | keys[]')" "$web"
  equal "v2: exec" "$($D exec v2-web-1 sh -c 'echo kept >/data/file; cat /data/file')" kept
  waits "v2: events of the project" 20 v2_events_are web
  equal "v2: down: the container" "$(v2 "/containers/$web?force=1&v=1" -X DELETE -o /dev/null -w '%{http_code}')" 204
  for name in $(v2 "/networks?filters=$label" | jq -r '.[].Id'); do
    equal "v2: down: the network" "$(v2 "/networks/$name" -X DELETE -o /dev/null -w '%{http_code}')" 204
  done
  for name in $(v2 "/volumes?filters=$label" | jq -r '.Volumes[].Name'); do
    equal "v2: down: the volume, as it is listed" "$(v2 "/volumes/$(encoded "$name")?force=1" -X DELETE -o /dev/null -w '%{http_code}')" 204
  done
  equal "v2: nothing is left" "$(v2 "/volumes?filters=$label" | jq -c .Volumes) $(v2 "/networks?filters=$label")" "[] []"
}

engine n1 2 || exit 1
engine n2 3 || exit 1
manager manage nodes://10.9.0.2:2375,10.9.0.3:2375,10.9.0.4:2375 || exit 1
waits "the pool is healthy" 60 nodes_healthy 2
check_lists
check_inspect
check_create
check_streams
check_hub
check_compose_v2
check_events
check_refusals
check_no_node

ends manage
equal "the manager ends with status 0 on SIGTERM" $? 0
no_sanitizer_report
checks_end
