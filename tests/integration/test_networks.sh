#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Networks, volumes, prunes and disk usage of the pool with every docker CLI of this machine: what they do on one engine,
# with the node's name where there are several. Then with a node that is silent, and one that is down.
# shellcheck disable=SC2086 # $D is a command with options
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

on_node() { docker -H "tcp://10.9.0.$1:2375" "${@:2}"; }
api() { curl -s -m 60 "http://${MANAGER#tcp://}$1" "${@:2}"; }
api_status() { api "$1" -o /dev/null -w '%{http_code}' "${@:2}"; }
node_of() { $D ps -a --filter "name=^/?$1\$" --format '{{.Names}}' | cut -d/ -f1; }
sleeper() { $D run -d --name "$1" "${@:2}" busybox sleep 3600; } # NAME options…

# --- with each CLI; $D is the CLI with its options, $c the beginning of all names ---

check_networks() {
  local home
  check "$on: network create" $D network create --label "group=$c" "$c-net"
  has "$on: it prints an id" '^[0-9a-f]{64}$'
  id=$OUT
  refused "$on: a second one of that name" 1 $D network create "$c-net"
  has "$on: the reason is told" "network with name $c-net already exists"
  run $D network ls --format '{{.Name}} {{.Driver}} {{.Scope}}'
  has "$on: network ls names the node" "^n[12]/$c-net bridge local\$"
  has "$on: network ls has every node's own" '^n1/none null local$'
  has "$on: … of both" '^n2/host host local$'
  equal "$on: network ls of that name" "$($D network ls --filter "name=$c-net" --format '{{.Name}}')" "$c-net"
  equal "$on: network ls by label" "$($D network ls -q --no-trunc --filter "label=group=$c")" "$id"
  equal "$on: network ls by id" "$($D network ls -q --no-trunc --filter "id=${id:0:20}")" "$id"
  equal "$on: network ls --filter node" "$($D network ls --filter node=n1 --format '{{.Name}}' | grep -vc '^n1/')" 0
  equal "$on: network ls of unused ones" "$($D network ls -q --no-trunc --filter dangling=true --filter driver=bridge)" "$id"
  refused "$on: network ls with an unknown filter" 1 $D network ls --filter bogus=1
  has "$on: the filter is named" 'bogus'
  equal "$on: network inspect by name" "$($D network inspect -f '{{.Id}} {{.Name}}' "$c-net")" "$id $c-net"
  equal "$on: by the beginning of its id" "$($D network inspect -f '{{.Id}}' "${id:0:12}")" "$id"
  home=$($D network ls --filter "label=group=$c" --format '{{.Name}}' | cut -d/ -f1)
  equal "$on: by node/name" "$($D network inspect -f '{{.Id}}' "$home/$c-net")" "$id"
  equal "$on: what every node has is there, too" "$($D network inspect -f '{{.Name}}' bridge host none | xargs)" "bridge host none"
  refused "$on: network inspect of what is not there" 1 $D network inspect "$c-none"
  has "$on: it is named" "[Nn]o such network: $c-none"

  check "$on: network create --config-only" $D network create --config-only --subnet 10.77.$number.0/24 "n2/$c-config"
  check "$on: network create --config-from" $D network create -d bridge --config-from "$c-config" "$c-from"
  equal "$on: it is where its settings are" "$($D network ls --filter "name=-from" --format '{{.Name}}')" "n2/$c-from"
  equal "$on: it has them" "$($D network inspect -f '{{(index .IPAM.Config 0).Subnet}}' "$c-from")" "10.77.$number.0/24"
  check "$on: both go" $D network rm "$c-from" "$c-config"

  for i in 1 2 3; do check "$on: run --network $i" sleeper "$c-$i" --network "$c-net"; done
  equal "$on: all go to the network's node" "$(for i in 1 2 3; do node_of "$c-$i"; done | sort -u)" "$home"
  check "$on: they know each other by name" $D exec "$c-1" ping -c 1 -W 5 "$c-3"
  equal "$on: network inspect has them" "$($D network inspect -f '{{len .Containers}}' "$c-net")" 3
  equal "$on: so has the list" "$(api "/networks?filters=\{\"id\":\[\"$id\"\]\}" | jq -c '[.[0].Containers[].Name] | sort')" "[\"$c-1\",\"$c-2\",\"$c-3\"]"
  equal "$on: it is in use" "$($D network ls -q --filter dangling=true --filter "id=$id")" ""
  refused "$on: a node without the network" 125 $D run -d --network "$c-net" -e constraint:node!=$home busybox true
  has "$on: the reason is told" "node==$home"
  refused "$on: network rm in use" 1 $D network rm "$c-net"
  has "$on: the engine's words" 'active endpoints'
  equal "$on: with its status" "$(api_status "/networks/$c-net" -X DELETE)" 403
}

check_membership() {
  local home other
  home=$(node_of "$c-1")
  other=$([ "$home" = n1 ] && echo n2 || echo n1)
  check "$on: network disconnect" $D network disconnect "$c-net" "$c-3"
  equal "$on: it has left" "$($D network inspect -f '{{len .Containers}}' "$c-net")" 2
  check "$on: network connect by node/name" $D network connect --alias third "$c-net" "$home/$c-3"
  check "$on: it can be reached by its alias" $D exec "$c-1" ping -c 1 -W 5 third
  check "$on: disconnect from what every node has" $D network disconnect -f "$c-net" "$c-3"
  check "$on: a container on the other node" sleeper "$c-far" -e "constraint:node==$other"
  refused "$on: network connect to another node's network" 1 $D network connect "$c-net" "$c-far"
  has "$on: both nodes are named" "network $c-net is on node $home, container $c-far is on node $other"
  check "$on: node/name makes one there" $D network create "$other/$c-net"
  refused "$on: then the plain name is ambiguous" 1 $D network inspect "$c-net"
  has "$on: the nodes are named" "ambiguous: it exists on nodes n1, n2"
  check "$on: a container is connected to that of its node" $D network connect "$c-net" "$c-far"
  equal "$on: it is" "$($D network inspect -f '{{len .Containers}}' "$other/$c-net")" 1
  $D rm -f "$c-1" "$c-2" "$c-3" "$c-far" >/dev/null
  check "$on: network rm by node/name" $D network rm "$other/$c-net"
  check "$on: network rm" $D network rm "$c-net"
  equal "$on: both are gone" "$($D network ls -q --filter "name=$c-net")" ""
  refused "$on: network rm of what is not there" 1 $D network rm "$c-net"
}

check_volumes() {
  local home
  equal "$on: volume create" "$($D volume create --label "group=$c" "$c-vol")" "$c-vol"
  equal "$on: it is on one node" "$(on_node 2 volume ls -q --filter "name=$c-vol")" "$c-vol"
  equal "$on: and on the other" "$(on_node 3 volume ls -q --filter "name=$c-vol")" "$c-vol"
  equal "$on: volume ls names the nodes" "$($D volume ls -q --filter "label=group=$c" | xargs)" "n1/$c-vol n2/$c-vol"
  equal "$on: volume ls of that name is one" "$($D volume ls -q --filter "name=$c-vol")" "$c-vol"
  equal "$on: volume inspect" "$($D volume inspect -f '{{.Name}} {{.Driver}} {{index .Labels "group"}}' "$c-vol")" "$c-vol local $c"
  equal "$on: volume inspect of one node's" "$($D volume inspect -f '{{.Name}}' "n2/$c-vol")" "$c-vol"
  refused "$on: volume inspect of what is not there" 1 $D volume inspect "$c-none"
  has "$on: it is named" "[Nn]o such volume: $c-none"
  check "$on: a second create of it" $D volume create "$c-vol"
  run $D volume create
  has "$on: a create without a name makes one up" '^[0-9a-f]{64}$'
  equal "$on: the same on both" "$($D volume ls -q --filter "name=$OUT")" "$OUT"
  $D volume rm "$OUT" >/dev/null

  check "$on: run -v" sleeper "$c-v1" -v "$c-vol:/data"
  home=$(node_of "$c-v1")
  for i in 2 3 4; do check "$on: run -v once more" sleeper "$c-v$i" -v "$c-vol:/data"; done
  equal "$on: all go where it is in use" "$(for i in 1 2 3 4; do node_of "$c-v$i"; done | sort -u)" "$home"
  $D exec "$c-v1" sh -c 'echo kept >/data/file'
  equal "$on: they share it" "$($D exec "$c-v4" cat /data/file)" kept
  equal "$on: ps --filter volume" "$($D ps -q --filter "volume=$c-vol" | wc -l)" 4
  equal "$on: unused ones are those of other nodes" "$($D volume ls -q --filter dangling=true --filter "label=group=$c" | grep -c "^$home/")" 0
  refused "$on: volume rm in use" 1 $D volume rm "$c-vol"
  has "$on: the node and its reason are named" "$home: .*volume is in use"
  equal "$on: with its status" "$(api_status "/volumes/$c-vol" -X DELETE)" 409
  check "$on: a volume that an engine made" sleeper "$c-made" -v "$c-own:/data"
  home=$(node_of "$c-made")
  equal "$on: it is known at once" "$($D volume ls -q --filter "name=$c-own")" "$c-own"
  $D rm -f "$c-made" >/dev/null
  for i in 1 2 3; do
    sleeper "$c-next" -v "$c-own:/data" >/dev/null
    equal "$on: who has it next goes there, time $i" "$(node_of "$c-next")" "$home"
    $D rm -f "$c-next" >/dev/null
  done
  $D rm -fv "$c-v1" "$c-v2" "$c-v3" "$c-v4" >/dev/null
  check "$on: volume rm" $D volume rm "$c-vol" "$c-own"
  equal "$on: they are gone everywhere" "$(on_node 2 volume ls -q; on_node 3 volume ls -q; $D volume ls -q)" ""
  refused "$on: volume rm of what is not there" 1 $D volume rm "$c-vol"
  has "$on: it is named" "No such volume:? $c-vol"
  check "$on: volume rm -f of what is not there" $D volume rm -f "$c-vol"
  equal "$on: node/name makes one there" "$($D volume create "n2/$c-there" >/dev/null; $D volume ls -q)" "n2/$c-there"
  check "$on: node/name removes it" $D volume rm "n2/$c-there"
}

check_prunes() {
  check "$on: something to prune" $D network create "n1/$c-a"
  $D network create "n2/$c-b" >/dev/null
  for i in 1 2; do
    $D run --name "$c-ended$i" -e "constraint:node==n$i" -v /anonymous --network "$([ $i = 1 ] && echo "$c-a" || echo "$c-b")" busybox true
  done
  check "$on: something to keep" sleeper "$c-kept" -v "$c-used:/data"
  run $D system df
  has "$on: system df counts containers of all nodes" '^Containers +3 +1 '
  has "$on: system df counts volumes of all nodes" '^Local Volumes +3 '
  run $D system df -v
  has "$on: system df -v names nodes" "n[12]/$c-used"
  has "$on: of containers, too" "n1/$c-ended1"
  run $D container prune -f
  equal "$on: container prune" "$(grep -c '^[0-9a-f]\{64\}$' <<<"$OUT")" 2
  equal "$on: they are gone" "$($D ps -aq --filter "name=$c-" | wc -l)" 1
  run $D network prune -f
  has "$on: network prune tells the node" "^n1/$c-a\$"
  has "$on: of each" "^n2/$c-b\$"
  run $D volume prune -f
  equal "$on: volume prune" "$(grep -Ec '^n[12]/[0-9a-f]{64}$' <<<"$OUT")" 2
  equal "$on: what is in use is kept" "$($D volume ls -q --filter "name=$c-used")" "$c-used"
  check "$on: builder prune" $D builder prune -f
  $D run --name "$c-again" busybox true
  check "$on: system prune" $D system prune -f
  has "$on: it tells of containers" '^Deleted Containers:'
  equal "$on: it has removed it" "$($D ps -aq --filter "name=$c-again")" ""
  $D rm -f "$c-kept" >/dev/null
  check "$on: system prune --volumes" $D system prune -f --volumes
  $D volume rm "$c-used" >/dev/null 2>&1 # from API 1.42 on it has to be asked for by name
  equal "$on: no volume is left" "$($D volume ls -q)" ""
}

check_swarm_mode() {
  for what in 'service ls' 'node ls' 'secret ls' 'config ls' 'stack ls'; do
    refused "$on: $what" 1 $D $what
    has "$on: $what says what to use" 'classic Swarm cluster manager.*docker info'
  done
  refused "$on: swarm init" 1 $D swarm init
  equal "$on: swarm init is not possible" "$(api_status /swarm/init -X POST)" 501
  check "$on: plugin ls" $D plugin ls
  refused "$on: plugin inspect" 1 $D plugin inspect x
  refused "$on: inspect of what is not there" 1 $D inspect "$c-nothing"
  has "$on: it is said so" "^Error: [Nn]o such object: $c-nothing"
}

# A client from API 1.42 on does not expect volumes with names to go; engines before that would remove them.
check_old_engines() {
  $D volume create "$c-named" >/dev/null
  $D run --name "$c-anonymous" -v /anonymous busybox true
  $D rm "$c-anonymous" >/dev/null
  check "$on: volume prune of a newer client" env DOCKER_API_VERSION=1.44 $D volume prune -f
  has "$on: removes what has no name" '^n[12]/[0-9a-f]{64}$'
  lacks "$on: and nothing else" "$c-named"
  equal "$on: what has a name is there" "$($D volume ls -q | xargs)" "n1/$c-named n2/$c-named"
  run api "/v1.44/volumes/prune?filters=\{\"all\":\[\"true\"\]\}" -X POST
  has "$on: it goes where all are asked for" "n1/$c-named.*n2/$c-named"
  equal "$on: then there is none" "$($D volume ls -q)" ""
}

# docker-py, as Debian has it.
check_python() {
  cat >"$WORK/objects.py" <<'END'
import docker, sys
client = docker.DockerClient(base_url=sys.argv[1], version='auto')

def expect(what, got, wanted):
    print('ok' if got == wanted else 'FAIL', what, '' if got == wanted else '(got %r, wanted %r)' % (got, wanted))

volume = client.volumes.create('py-vol', labels={'a': 'b'})
expect('volumes.create', volume.name, 'py-vol')
expect('volumes.get', client.volumes.get('py-vol').attrs['Labels'], {'a': 'b'})
expect('volumes.list', [v.name for v in client.volumes.list(filters={'name': 'py-vol'})], ['py-vol'])
network = client.networks.create('py-net', labels={'a': 'b'})
expect('networks.create without a driver', client.networks.get(network.id).attrs['Driver'], 'bridge')
expect('networks.list by name', [n.name for n in client.networks.list(names=['py-net'])], ['py-net'])
container = client.containers.run('busybox', 'sleep 3600', detach=True, network='py-net', volumes={'py-vol': {'bind': '/d'}})
network.reload()
expect('its container', [c.id for c in network.containers], [container.id])
network.disconnect(container)
network.connect(container, aliases=['x'])
container.reload()
expect('connect', 'x' in container.attrs['NetworkSettings']['Networks']['py-net']['Aliases'], True)
expect('df', any(v['Name'].endswith('/py-vol') for v in client.df()['Volumes']), True)
try:
    volume.remove()
    expect('remove of a volume in use', 'done', 'refused')
except docker.errors.APIError as error:
    expect('remove of a volume in use', error.status_code, 409)
container.remove(force=True)
volume.remove()
network.remove()
try:
    client.volumes.get('py-vol')
    expect('volumes.get of one that is gone', 'found', 'NotFound')
except docker.errors.NotFound:
    expect('volumes.get of one that is gone', 'NotFound', 'NotFound')
try:
    client.networks.get('py-net')
    expect('networks.get of one that is gone', 'found', 'NotFound')
except docker.errors.NotFound:
    expect('networks.get of one that is gone', 'NotFound', 'NotFound')
expect('prune', client.containers.prune()['SpaceReclaimed'] >= 0, True)
END
  check "docker-py: runs to its end" python3 "$WORK/objects.py" "$MANAGER"
  while read -r state what; do
    case $state in ok) ok "docker-py: $what" ;; FAIL) no "docker-py: $what" ;; esac
  done <<<"$OUT"
  equal "docker-py: each check was made" "$(grep -c '^ok ' <<<"$OUT")" 12
}

# --- nodes that are not well: $D works with the others ---

check_ill_node() { # WHAT
  on=$1
  check "$on: network create, whichever node is chosen" sh -c "for i in 1 2 3; do $D network create $c-now\$i || exit; done"
  check "$on: network inspect of what every node has" $D network inspect bridge
  check "$on: volume create" $D volume create "$c-vol"
  equal "$on: the others have it" "$($D volume ls -q --filter "node=n1" --filter "node=n2" --filter "name=^$c-vol" | xargs)" "n1/$c-vol n2/$c-vol"
  check "$on: system df" $D system df
  waits "$on: the pool knows" 60 nodes_healthy 2
  check "$on: network create" $D network create "$c-net"
  check "$on: run in it" sleeper "$c-run" --network "$c-net" -v "$c-vol:/data"
  $D rm -f "$c-run" >/dev/null
  check "$on: volume rm" $D volume rm "$c-vol"
  check "$on: volume prune" $D volume prune -f
  check "$on: network prune" $D network prune -f
  has "$on: it is pruned" "/$c-net\$"
  check "$on: system prune" $D system prune -f
}

engine n1 2 || exit 1
engine n2 3 || exit 1
manager manage nodes://10.9.0.2:2375,10.9.0.3:2375,10.9.0.4:2375 || exit 1
waits "the pool is healthy" 60 nodes_healthy 2
number=0
for docker in $(docker_clis); do
  on=$(docker_version "$docker")
  D="$docker -H $MANAGER"
  c=c$((++number))
  check_networks
  check_membership
  check_volumes
  check_prunes
  check_swarm_mode
  check_old_engines
done
check_python

engine n3 4 || exit 1
waits "the pool has a third node" 60 nodes_healthy 3
D="docker -H $MANAGER" c=there
check "what only the third node has" $D network create n3/there-net
$D volume create n3/there-vol >/dev/null
c=silent
engine_freeze n3
check_ill_node "silent node"
engine_thaw n3
waits "the silent node is back" 60 nodes_healthy 3
$D network create n3/there-net >/dev/null 2>&1
c=dead
engine_kill n3
check_ill_node "dead node"
run $D network inspect there-net
equal "dead node: its network is told as it was" "$STATUS" 0
refused "dead node: it cannot be removed" 1 $D network rm there-net
has "dead node: the reason is told" 'node n3, which is not healthy'
refused "dead node: nor its volume" 1 $D volume rm there-vol
has "dead node: the reason is told, too" 'node n3 is not healthy'

ends manage
equal "the manager ends with status 0 on SIGTERM" $? 0
manager manage --node-prefix never nodes://10.9.0.2:2375,10.9.0.3:2375 || exit 1
waits "plain names: the pool is healthy" 60 nodes_healthy 2
$D network create plain >/dev/null && $D volume create plain >/dev/null && sleeper plain --network plain -v plain:/data >/dev/null
equal "plain names: of containers" "$($D ps --format '{{.Names}}')" plain
equal "plain names: of networks" "$($D network ls --filter type=custom --format '{{.Name}}')" plain
equal "plain names: of volumes, which are one on all nodes" "$($D volume ls -q)" plain
equal "plain names: node/name is known all the same" "$($D inspect -f '{{.Name}}' "$($D inspect -f '{{.Node.Name}}' plain)/plain")" /plain
ends manage
equal "plain names: the manager ends with status 0 on SIGTERM" $? 0
no_sanitizer_report
checks_end
