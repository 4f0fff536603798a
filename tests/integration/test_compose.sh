#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A default compose file (two services, the default network, a named volume) against the pool must do what it does on one
# engine: up, a second up that changes nothing, ps, logs, exec, scale, down and up with its data, down -v; and up --build of
# a service that is built. Then with a node that is silent, and one that is down.
# DIRECT=1 runs the same checks against one engine alone: what fails there is no fault of the manager.
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

compose() { DOCKER_HOST=$host docker-compose --ansi never -f "$WORK/$project/docker-compose.yml" -p "$project" "$@"; }
pool() { docker -H "$host" "$@"; }
lines() { grep -Ec -- "$1" <<<"$OUT"; }
ids() { compose ps -q | sort | xargs; }
# The nodes that the project's containers are on.
nodes() { pool ps -a --filter "label=com.docker.compose.project=$project" --format '{{.Names}}' | sed 's:/.*::' | sort -u | xargs; }

project_files() {
  mkdir -p "$WORK/$project"
  cat >"$WORK/$project/docker-compose.yml" <<END
version: '3.4'
services:
  writer:
    image: busybox
    command: sh -c 'echo written by \$\$(hostname) >>/data/log; echo writer is up; exec sleep 3600'
    volumes: ['data:/data']
  reader:
    image: busybox
    command: sh -c 'until [ -s /data/log ]; do sleep 0.1; done; echo reader saw \$\$(wc -l </data/log); exec sleep 3600'
    depends_on: [writer]
    volumes: ['data:/data:ro']
volumes:
  data:
END
}

check_up() {
  check "$on: up -d" compose up -d
  has "$on: up makes the network" "Creating network \"${project}_default\" with the default driver"
  has "$on: up makes the volume" "Creating volume \"${project}_data\" with default driver"
  lacks "$on: up warns of nothing" 'WARN|ERROR'
  before=$(ids)
  equal "$on: two containers" "$(wc -w <<<"$before")" 2
  check "$on: a second up" compose up -d
  equal "$on: it finds all as it should be" "$(lines '(writer|reader).* is up-to-date')" 2
  equal "$on: the containers are the same" "$(ids)" "$before"
  lacks "$on: nothing is made or made again" 'Creating|Recreating|Starting'
  run compose ps
  equal "$on: ps shows both up" "$(lines "^${project}_(writer|reader)_1 .* Up ")" 2
}

check_together() {
  local network
  waits "$on: the reader sees what the writer wrote" 30 sh -c "docker -H $host logs ${project}_reader_1 | grep -q 'reader saw 1'"
  run compose logs
  has "$on: logs of one" '^writer_1 +\| writer is up'
  has "$on: logs of the other" '^reader_1 +\| reader saw 1'
  equal "$on: exec" "$(compose exec -T reader cat /data/log | wc -l)" 1
  check "$on: the services know each other by name" compose exec -T reader ping -c 1 -W 5 writer
  network=$(pool network inspect -f '{{len .Containers}} {{.Name}} {{.Driver}}' "${project}_default")
  equal "$on: network inspect" "$network" "2 ${project}_default bridge"
  equal "$on: volume inspect" "$(pool volume inspect -f '{{.Name}} {{.Driver}}' "${project}_data")" "${project}_data local"
}

check_scale() {
  check "$on: up --scale" compose up -d --scale reader=3
  equal "$on: four containers" "$(ids | wc -w)" 4
  waits "$on: the last one sees the volume, too" 30 sh -c "docker -H $host logs ${project}_reader_3 | grep -q 'reader saw'"
  [ -n "${DIRECT:-}" ] || equal "$on: all of them are where the network is" "$(nodes | wc -w)" 1
  check "$on: scale" compose scale reader=2
  equal "$on: three containers" "$(ids | wc -w)" 3
  check "$on: scale down" compose up -d --scale reader=1
  equal "$on: two containers again" "$(ids)" "$before"
}

check_change() {
  sed -i 's/writer is up/writer is up again/' "$WORK/$project/docker-compose.yml"
  check "$on: up after a change" compose up -d
  has "$on: it makes the changed service again" 'Recreating .*writer'
  equal "$on: with the volume as it was" "$(compose exec -T reader cat /data/log | wc -l)" 2
  check "$on: restart" compose restart -t 1 reader
  check "$on: stop" compose stop -t 1
  check "$on: start" compose start
  run compose ps
  equal "$on: both are up again" "$(lines ' Up ')" 2
}

# Without -v the volume stays, and what is in it; it is on every node, but the data is on one.
check_kept() {
  local wanted round
  wanted=$(compose exec -T reader cat /data/log | wc -l)
  for round in 1 2 3; do
    check "$on: down, round $round" compose down -t 1
    equal "$on: the volume is kept" "$(pool volume inspect -f '{{.Name}}' "${project}_data")" "${project}_data"
    [ "$round" != 3 ] || "$@"
    check "$on: up again" compose up -d
    lacks "$on: up makes no other volume" 'Creating volume'
    waits "$on: the writer has written" 30 compose exec -T writer tail -n 1 /data/log
    equal "$on: its data is there" "$(compose exec -T reader cat /data/log | wc -l)" $((++wanted))
  done
}

# What outlives the manager is what is in the volume.
restart_manager() {
  [ -z "${DIRECT:-}" ] || return 0
  ends manage
  equal "$on: the manager ends with status 0 on SIGTERM" $? 0
  manager manage nodes://10.9.0.2:2375,10.9.0.3:2375,10.9.0.4:2375
  waits "$on: the pool is healthy again" 60 nodes_healthy 3
}

check_down() {
  check "$on: down -v" compose down -v -t 1
  has "$on: it removes the network" "Removing network ${project}_default"
  has "$on: it removes the volume" "Removing volume ${project}_data"
  equal "$on: no container is left" "$(pool ps -aq --filter "label=com.docker.compose.project=$project")" ""
  equal "$on: no network is left" "$(pool network ls -q --filter "label=com.docker.compose.project=$project")" ""
  equal "$on: no volume is left" "$(pool volume ls -q --filter "label=com.docker.compose.project=$project")" ""
}

# --- a service that is built ---

built_files() { # CONTENT
  mkdir -p "$WORK/$project/web"
  printf 'FROM busybox\nCOPY content /content\nCMD ["sh", "-c", "cat /content; exec sleep 3600"]\n' >"$WORK/$project/web/Dockerfile"
  echo "$1" >"$WORK/$project/web/content"
  cat >"$WORK/$project/docker-compose.yml" <<END
version: '3.4'
services:
  db:
    image: busybox
    command: sleep 3600
  web:
    build: ./web
    depends_on: [db]
END
}

web_says() { docker -H "$host" logs "${project}_web_1" 2>&1 | grep -qx "$1"; }

# The network is made before the image; another one has been made before it is built again.
check_built() { # HOW PROJECTS
  local i how=$1
  for i in $(seq "$2"); do
    project=b$((++number)) on="$how, project $i"
    built_files first
    check "$on: up --build" compose up -d --build
    waits "$on: it runs what was built" 30 web_says first
    docker -H "$host" network create "other$number" >/dev/null
    built_files second
    check "$on: up --build after a change" compose up -d --build
    waits "$on: it runs what was built then" 30 web_says second
    before=$(ids)
    check "$on: up --build without a change" compose up -d --build
    equal "$on: the containers are the same" "$(ids)" "$before"
    check "$on: down" compose down -t 1 --rmi local
    docker -H "$host" network rm "other$number" >/dev/null
  done
}

# Network and image on different nodes: the image comes to the network's, as it was built last.
check_apart() {
  local content
  on=apart project=apart
  check "$on: a network on n1" pool network create n1/apart
  for content in first second; do
    built_files "$content"
    check "$on: an image on n2, $content" env DOCKER_BUILDKIT=0 docker -H "$host" build --build-arg constraint:node==n2 -t apart "$WORK/$project/web"
    equal "$on: a container in that network, $content" "$(pool run --rm --network apart apart cat /content)" "$content"
    equal "$on: a container on n3, $content" "$(pool run --rm -e constraint:node==n3 apart cat /content)" "$content"
  done
  equal "$on: the name stays where it was built" "$(docker -H tcp://10.9.0.2:2375 images -q apart)" ""
  check "$on: prune takes away what was taken over" docker -H tcp://10.9.0.2:2375 image prune -f
  has "$on: it is told" '^deleted: sha256:'
  check "$on: rmi" pool rmi apart
  check "$on: network rm" pool network rm apart
}

built_checks() {
  check_built build 2
  [ ! -x /usr/bin/docker ] || PATH=/usr/bin:$PATH COMPOSE_DOCKER_CLI_BUILD=1 DOCKER_BUILDKIT=1 check_built BuildKit 1
}

all_checks() {
  project_files
  check_up
  check_together
  check_scale
  check_change
  check_kept restart_manager
  check_down
}

# One way to be ill: the project works on the other nodes.
check_ill_node() { # WHAT COMMAND…
  on=$1
  shift
  project=p$((++number))
  "$@"
  waits "$on: the manager knows of it" 60 nodes_healthy 2 # a network made until then may have been asked of this node
  project_files
  check "$on: up -d" compose up -d
  waits "$on: the reader sees what the writer wrote" 30 sh -c "docker -H $host logs ${project}_reader_1 | grep -q 'reader saw 1'"
  run compose up -d
  equal "$on: a second up finds all as it should be" "$(lines '(writer|reader).* is up-to-date')" 2
  check_down
}

number=0
engine n1 2 || exit 1
if [ -n "${DIRECT:-}" ]; then
  host=tcp://10.9.0.2:2375 project=p0 on=direct
  all_checks
  built_checks
  checks_end
  exit
fi
engine n2 3 || exit 1
engine n3 4 || exit 1
manager manage nodes://10.9.0.2:2375,10.9.0.3:2375,10.9.0.4:2375 || exit 1
waits "the pool is healthy" 60 nodes_healthy 3
host=$MANAGER project=p0 on=compose
all_checks
built_checks
check_apart
check_ill_node "silent node" engine_freeze n3
engine_thaw n3
waits "the silent node is back" 60 nodes_healthy 3
check_ill_node "dead node" engine_kill n3

ends manage
equal "the manager ends with status 0 on SIGTERM" $? 0
no_sanitizer_report
checks_end
