#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Images of the pool: pull, push, tag, rmi, inspect, history, save, load, import, commit, search and prune with every
# docker CLI of this machine and a registry; then with a node whose disk is full, one that is silent and one that is down,
# and what a big archive costs the manager.
# shellcheck disable=SC2086 # $D is a command with options
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"
# shellcheck source=tests/lib/certificates.sh
. "$testbed_lib/certificates.sh"

registry=127.0.0.1:5000
megabytes=${MEGABYTES:-300}

on_node() { docker -H "tcp://10.9.0.$1:2375" "${@:2}"; }
node_has() { on_node "$1" image inspect "$2"; }
node_lacks() { ! node_has "$1" "$2"; }
id_on() { on_node "$1" image inspect -f '{{.Id}}' "$2"; }
# Both of the nodes that are well have it, or lack it.
both_have() { node_has 2 "$1" >/dev/null && node_has 3 "$1" >/dev/null; }
both_lack() { node_lacks 2 "$1" >/dev/null 2>&1 && node_lacks 3 "$1" >/dev/null 2>&1; }
api() { curl -s -m 120 "http://${MANAGER#tcp://}$1" "${@:2}"; }
api_status() { api "$1" -o /dev/null -w '%{http_code}' "${@:2}"; }
lines() { grep -Ec -- "$1" <<<"$OUT"; }

# --- with each CLI; $D is the CLI with its options, $r a repository of its own ---

check_push_pull() {
  check "$on: tag" $D tag busybox "$r:v1"
  check "$on: tag goes to all nodes" both_have "$r:v1"
  check "$on: tag by a part of the id" $D tag "$(id_on 2 busybox | cut -d: -f2 | cut -c1-12)" "$r:v2"
  check "$on: push" $D push "$r:v1"
  has "$on: push tells the digest" '^v1: digest: sha256:[0-9a-f]{64} size: [0-9]+$'
  check "$on: push of the other tag" $D push "$r:v2"
  check "$on: rmi of both" $D rmi "$r:v1" "$r:v2"
  equal "$on: rmi tells of each once" "$(lines '^Untagged: 127')" 3 # two tags and the digest
  check "$on: rmi goes to all nodes" both_lack "$r:v1"

  check "$on: pull" $D pull "$r:v1"
  equal "$on: pull tells the digest once" "$(lines '^Digest: sha256:')" 1
  equal "$on: pull tells the end once" "$(lines "^Status: Downloaded newer image for $r:v1\$")" 1
  equal "$on: pull tells the beginning once" "$(lines '^v1: Pulling from ')" 1
  check "$on: pull goes to all nodes" both_have "$r:v1"
  run $D pull "$r:v1"
  equal "$on: pull of what is there" "$(lines "^Status: Image is up to date for $r:v1\$")" 1
  run $D pull -q "$r:v1"
  equal "$on: pull -q" "$OUT" "$r:v1"
  run $D pull "$(on_node 2 image inspect -f '{{index .RepoDigests 0}}' "$r:v1")"
  equal "$on: pull of a digest" "$STATUS" 0
  $D rmi "$r:v1" >/dev/null
  check "$on: pull -a" $D pull -a "$r"
  check "$on: pull -a pulls every tag" both_have "$r:v1"
  check "$on: the other one, too" both_have "$r:v2"
  check "$on: pull --platform" $D pull --platform linux/amd64 "$r:v1"
  refused "$on: pull of what is not there" 1 $D pull "$r:absent"
  has "$on: the registry's words are passed on" 'manifest (for .* )?(not found|unknown)'
  equal "$on: they are told once" "$(lines 'manifest')" 1
  equal "$on: with the engines' status" "$(api_status "/images/create?fromImage=$r&tag=absent" -X POST)" 404
}

check_looks() {
  local id digest
  id=$(id_on 2 "$r:v1")
  equal "$on: image inspect" "$($D image inspect -f '{{.Id}}' "$r:v1")" "$id"
  equal "$on: by the whole id" "$($D image inspect -f '{{.Id}}' "$id")" "$id"
  id=${id#sha256:}
  equal "$on: by the id without sha256:" "$($D image inspect -f '{{.Id}}' "$id")" "sha256:$id"
  equal "$on: by the beginning of it" "$($D image inspect -f '{{.Id}}' "${id:0:12}")" "sha256:$id"
  digest=$($D image inspect -f '{{index .RepoDigests 0}}' "$r:v1")
  equal "$on: by digest" "$($D image inspect -f '{{.Id}}' "$digest")" "sha256:$id"
  equal "$on: by the hub's full name" "$($D image inspect -f '{{.Id}}' docker.io/library/busybox:latest)" "sha256:$id"
  check "$on: inspect without a type" $D inspect "$r:v1"
  run $D history "$r:v1"
  has "$on: history" 'busybox'
  refused "$on: image inspect of what is not there" 1 $D image inspect "$r:absent"
  has "$on: it is named" "No such image: $r:absent"
  refused "$on: history of what is not there" 1 $D history absent
  has "$on: it is named with its tag" 'No such image: absent:latest'
  refused "$on: a name that cannot be one" 1 $D image inspect "$registry/UPPER"
  has "$on: the engine's words" 'invalid reference format'

  equal "$on: images lists a tag once" "$($D images -q "$r:v1" | wc -l)" 1
  equal "$on: images of a repository" "$($D images --format '{{.Tag}}' "$r" | sort | xargs)" "v1 v2"
  equal "$on: images --filter reference" "$($D images --format '{{.Tag}}' --filter "reference=$registry/*:v1" | sort -u)" v1
  equal "$on: images --filter label" "$($D images -q --filter label=none | wc -l)" 0
  equal "$on: images --filter before" "$($D images -q --filter "before=$r:v1" | wc -l)" 0
  equal "$on: images -q --no-trunc" "$($D images -q --no-trunc "$r:v1")" "sha256:$id"
  digests=$($D images --digests --format '{{.Digest}}' "$r" | sort -u)
  equal "$on: images --digests" "$digests" "${digest#*@}"
  refused "$on: images with an unknown filter" 1 $D images --filter bogus=1
  has "$on: the filter is named" 'bogus'
}

check_save_load() {
  check "$on: save" $D save -o "$WORK/one.tar" "$r:v1"
  check "$on: save of two" $D save -o "$WORK/two.tar" "$r:v1" busybox:latest
  equal "$on: it has both" "$(tar -xOf "$WORK/two.tar" manifest.json | jq -r '.[].RepoTags[]' | sort | xargs)" "$r:v1 busybox:latest"
  check "$on: save of all tags of a repository" $D save -o "$WORK/all.tar" "$r"
  equal "$on: it has them" "$(tar -xOf "$WORK/all.tar" manifest.json | jq -r '.[].RepoTags[]' | sort | xargs)" "$r:v1 $r:v2"
  refused "$on: save of what is not there" 1 $D save -o "$WORK/none.tar" "$r:v1" absent
  has "$on: both are named" "absent"
  $D rmi "$r:v1" "$r:v2" >/dev/null
  run $D load -i "$WORK/one.tar"
  equal "$on: load tells what it loaded once" "$(lines "^Loaded image: $r:v1\$")" 1
  check "$on: load goes to all nodes" both_have "$r:v1"
  run sh -c "$D load -q <'$WORK/all.tar'"
  equal "$on: load -q from a pipe" "$(sort <<<"$OUT" | xargs)" "Loaded image: $r:v1 Loaded image: $r:v2"
  run sh -c "echo garbage | $D load"
  equal "$on: load of garbage fails" "$((STATUS != 0))" 1
  has "$on: the engine's words are told" 'archive/tar|unexpected EOF|invalid'
  run api /images/load -H 'Content-Type: application/x-tar' -d garbage -w '%{http_code}'
  equal "$on: in the stream, as an engine does" "${OUT: -3} $(head -n 1 <<<"$OUT" | jq -r .error)" \
    "200 $(curl -s http://10.9.0.2:2375/images/load -H 'Content-Type: application/x-tar' -d garbage | jq -r .error)"
}

# Each node has another tag, as builds and commits leave them.
check_parts() {
  on_node 2 tag busybox "$r-parts:a" && on_node 3 tag busybox "$r-parts:b" && on_node 3 tag httpd "$r-parts:c" || no "$on: the nodes tag"
  printf 'FROM busybox\nLABEL only=there\n' | on_node 3 build -q -t "$r-parts:d" - >/dev/null
  waits "$on: the pool knows all of them" 30 sh -c "[ \$($D images -q $r-parts | wc -l) = 4 ]"
  check "$on: save of a repository in parts" $D save -o "$WORK/parts.tar" "$r-parts"
  equal "$on: it has all tags" "$(tar -xOf "$WORK/parts.tar" manifest.json | jq -r '.[].RepoTags[]' | sort | xargs)" \
    "$r-parts:a $r-parts:b $r-parts:c $r-parts:d"
  equal "$on: and each file once" "$(tar -tf "$WORK/parts.tar" | sort | uniq -d)" ""
  check "$on: save of two that no node has both of" $D save -o "$WORK/two.tar" "$r-parts:a" "$r-parts:d"
  check "$on: push -a" $D push -a "$r-parts"
  equal "$on: it pushes all tags" "$(curl -s "http://$registry/v2/${r#*/}-parts/tags/list" | jq -r '.tags | sort | join(" ")')" "a b c d"
  check "$on: rmi of them" $D rmi "$r-parts:a" "$r-parts:b" "$r-parts:c" "$r-parts:d"
  check "$on: load of what was saved in parts" $D load -i "$WORK/parts.tar"
  check "$on: all nodes have what one had" both_have "$r-parts:d"
  check "$on: and run it" $D run --rm -e constraint:node==n1 "$r-parts:d" true
  $D rmi "$r-parts:a" "$r-parts:b" "$r-parts:c" "$r-parts:d" >/dev/null
}

check_import() {
  local root=$WORK/root id
  [ -d "$root" ] || { mkdir -p "$root/bin" && cp "$(command -v busybox)" "$root/bin/sh"; }
  run sh -c "tar -C '$root' -c . | $D import --change 'CMD [\"sh\", \"-c\", \"echo imported\"]' -m why - $r:imported"
  has "$on: import prints an id" '^sha256:[0-9a-f]{64}$'
  id=$(grep -E '^sha256:' <<<"$OUT")
  equal "$on: and nothing else" "$OUT" "$id"
  equal "$on: it is the same image on one node" "$(id_on 2 "$r:imported")" "$id"
  equal "$on: and on the other" "$(id_on 3 "$r:imported")" "$id"
  equal "$on: images lists it once" "$($D images -q "$r:imported" | wc -l)" 1
  equal "$on: import --change" "$($D run --rm "$r:imported")" imported
  run $D history --no-trunc "$r:imported"
  has "$on: import -m" 'why'
  check "$on: push of what was imported" $D push "$r:imported"
  $D rmi "$r:imported" >/dev/null
  check "$on: pull of it" $D pull "$r:imported"
  equal "$on: pull tells of the layer's beginning once" "$(lines '^[0-9a-f]{12}: Pulling fs layer$')" 1
  equal "$on: and of its end" "$(lines '^[0-9a-f]{12}: Pull complete$')" 1
  run sh -c "tar -C '$root' -c . | $D import -"
  equal "$on: an import without a name is everywhere" "$(on_node 2 image inspect -f '{{.Id}}' "$OUT") $(on_node 3 image inspect -f '{{.Id}}' "$OUT")" "$OUT $OUT"
  run sh -c "$D rmi $OUT"
  equal "$on: it can be removed by its id" "$STATUS" 0
  run sh -c "echo garbage | $D import - $r:garbage"
  equal "$on: import of garbage fails" "$((STATUS != 0))" 1
  check "$on: and makes no image" both_lack "$r:garbage"
}

check_commit() {
  check "$on: run -d of what is committed" $D run -d --name "$c-main" busybox sh -c 'echo made >/made; exec sleep 3600'
  until_ok 30 $D exec "$c-main" test -e /made
  check "$on: commit" $D commit -m words --change 'CMD ["cat", "/made"]' "$c-main" "$r:committed"
  has "$on: commit prints an id" '^sha256:[0-9a-f]{64}$'
  equal "$on: the container still runs" "$($D ps --filter "name=$c-main" --format '{{.Status}}' | grep -c '^Up [^(]*$')" 1
  equal "$on: what was committed runs" "$($D run --rm "$r:committed")" made
  # A container that is called as a part of the query.
  check "$on: run -d of one called co" $D run -d --name co "$r:imported" sh -c 'while :; do read -t 60 -r line; done'
  check "$on: commit of it" $D commit -m comment co "$r:co"
  equal "$on: its comment is whole" "$($D image inspect -f '{{.Comment}}' "$r:co")" comment
  refused "$on: commit of a container that is not there" 1 $D commit "$c-none" "$r:none"
  has "$on: it is named" "No such container: $c-none"
  refused "$on: rmi of an image in use" 1 $D rmi "$r:imported"
  has "$on: the reason is the engine's, the node is named" 'n[12]: conflict: unable to remove'
  equal "$on: with its status" "$(api_status "/images/$r:imported" -X DELETE)" 409
  $D rm -f "$c-main" co >/dev/null
  check "$on: rmi -f of several" $D rmi -f "$r:committed" "$r:co"
  refused "$on: rmi of what is not there" 1 $D rmi "$r:absent"
  has "$on: it is named" "No such image: $r:absent"
}

check_prune() {
  local root=$WORK/root i
  for i in 1 2; do echo "$i $RANDOM" >"$root/number" && tar -C "$root" -c . | $D import - "$r:dangling" >/dev/null; done
  equal "$on: images --filter dangling=true" "$($D images -q --filter dangling=true | wc -l)" 1
  run $D image prune -f
  has "$on: prune tells what it removed" '^deleted: sha256:'
  has "$on: prune tells how much that was" '^Total reclaimed space: [1-9]'
  equal "$on: nothing is dangling" "$(on_node 2 images -qf dangling=true; on_node 3 images -qf dangling=true)" ""
  run $D image prune -f --filter until=bogus
  equal "$on: prune with a bad filter fails" "$((STATUS != 0))" 1
  check "$on: rmi" $D rmi "$r:dangling"
}

check_registry() {
  check "$on: login" sh -c "echo secret | $D login -u user --password-stdin $registry"
  refused "$on: search without the hub" 1 $D search busybox
  has "$on: the engine's words are told" '[Ee]rror.*(lookup|dial|request|Get)'
  run api "/distribution/$r:v1/json"
  has "$on: distribution" '"Descriptor":.*"digest":"sha256:[0-9a-f]{64}"'
  # Credentials reach the engine, which sends them to the registry.
  equal "$on: push with credentials" "$(api_status "/images/$r/push?tag=v1" -X POST -H 'X-Registry-Auth: e30=')" 200
}

all_checks() {
  check_push_pull
  check_looks
  check_save_load
  check_parts
  check_import
  check_commit
  check_prune
  check_registry
  check "$on: rmi at the end" $D rmi "$r:v1" "$r:v2"
}

# --- nodes that are not well ---

# Nodes 2 and 3 are well; 4 has a small disk.
check_full_disk() {
  run sh -c "docker -H $MANAGER load <'$WORK/big.tar'"
  equal "full disk: load fails" "$((STATUS != 0))" 1
  has "full disk: the node and its reason are named" 'n3: .*no space left on device'
  check "full disk: the others have all of it" both_have big:1
  equal "full disk: the same of it" "$(id_on 2 big:1)" "$(id_on 3 big:1)"
  check "full disk: rmi" docker -H "$MANAGER" rmi big:1
  cat /dev/zero >"$ENGINES_DIR/n3/data/full" 2>/dev/null # to the last byte
  run docker -H "$MANAGER" pull "$registry/box1:v2"
  equal "full disk: pull fails" "$((STATUS != 0))" 1
  has "full disk: its reason is named" 'n3: .*no space left on device'
  check "full disk: the others have pulled it" both_have "$registry/box1:v2"
  run sh -c "tar -C '$WORK/root' -c . | docker -H $MANAGER import - full:imported"
  equal "full disk: import fails" "$((STATUS != 0))" 1
  has "full disk: its reason is named, too" 'n3: .*no space left on device'
  check "full disk: the others have imported it" both_have full:imported
  run docker -H "$MANAGER" tag busybox full:tagged
  has "full disk: tag names the node" 'n3: .*no space left on device'
  check "full disk: the others have tagged it" both_have full:tagged
  check "full disk: volume create" docker -H "$MANAGER" volume create full
  check "full disk: the others have made it" sh -c "for n in 2 3; do docker -H tcp://10.9.0.\$n:2375 volume inspect full || exit; done"
  check "full disk: image prune" docker -H "$MANAGER" image prune -f
  rm "$ENGINES_DIR/n3/data/full"
  check "full disk: all of it goes" docker -H "$MANAGER" rmi "$registry/box1:v2" full:imported full:tagged
  check "full disk: the volume, too" docker -H "$MANAGER" volume rm full
}

check_silent_node() {
  docker -H "$MANAGER" tag busybox "$registry/frozen:1" && docker -H "$MANAGER" push "$registry/frozen:1" >/dev/null &&
    docker -H "$MANAGER" rmi "$registry/frozen:1" >/dev/null || no "silent node: the registry takes an image"
  engine_freeze n3
  check "silent node: pull" docker -H "$MANAGER" pull "$registry/frozen:1"
  has "silent node: pull tells which node it left out" 'Skipped: .*n3'
  check "silent node: the others have it" both_have "$registry/frozen:1"
  engine_thaw n3
  waits "silent node: it is back" 60 nodes_healthy 3

  # In the middle of an archive.
  run sh -c '{ head -c 20000000 "$1"; kill -STOP $2; tail -c +20000001 "$1"; } | docker -H "$3" load' sh "$WORK/big.tar" \
    "$(engine_processes n3 | xargs)" "$MANAGER"
  equal "silent node: load" "$STATUS" 0
  equal "silent node: load tells what it loaded" "$(lines '^Loaded image: big:1$')" 1
  has "silent node: load tells which node it left out" 'Skipped: .*n3'
  check "silent node: the others have all of it" both_have big:1
  engine_thaw n3
  waits "silent node: it is back again" 60 nodes_healthy 3

  docker -H "$MANAGER" pull -q "$registry/frozen:1" >/dev/null
  waits "silent node: all have the image" 30 node_has 4 "$registry/frozen:1"
  engine_freeze n3
  check "silent node: rmi" docker -H "$MANAGER" rmi "$registry/frozen:1"
  check "silent node: it is gone from the others" both_lack "$registry/frozen:1"
  engine_thaw n3
  waits "silent node: it is back at last" 60 nodes_healthy 3
}

check_dead_node() {
  docker -H tcp://10.9.0.4:2375 tag busybox only:there
  waits "dead node: the pool knows what only that one has" 30 docker -H "$MANAGER" image inspect only:there
  engine_kill n3
  waits "dead node: the pool knows" 60 nodes_healthy 2
  refused "dead node: inspect of what only that one has" 1 docker -H "$MANAGER" image inspect only:there
  has "dead node: it is named" 'node n3 only, which is not healthy'
  refused "dead node: rmi of it" 1 docker -H "$MANAGER" rmi only:there
  has "dead node: its reason is told" 'node n3 is not healthy'
  check "dead node: image inspect" docker -H "$MANAGER" image inspect busybox
  check "dead node: history" docker -H "$MANAGER" history busybox
  check "dead node: tag" docker -H "$MANAGER" tag busybox "$registry/dead:1"
  check "dead node: push" docker -H "$MANAGER" push "$registry/dead:1"
  check "dead node: rmi" docker -H "$MANAGER" rmi "$registry/dead:1"
  check "dead node: pull" docker -H "$MANAGER" pull "$registry/dead:1"
  has "dead node: pull tells of it" 'Skipped: node n3 is not healthy'
  check "dead node: the others have it" both_have "$registry/dead:1"
  check "dead node: load" docker -H "$MANAGER" load -i "$WORK/one.tar"
  check "dead node: prune" docker -H "$MANAGER" image prune -f
}

# --- over TLS on both sides ---

check_tls() {
  local D="docker -H tcp://10.9.0.1:3376 --tlsverify --tlscacert $WORK/tls/ca.pem --tlscert $WORK/tls/cert.pem --tlskey $WORK/tls/key.pem"
  waits "tls: the pool is healthy" 60 sh -c "$D info | grep -q 'Status: Healthy'"
  check "tls: load" $D load -i "$WORK/big.tar"
  equal "tls: it came whole" "$($D image inspect -f '{{.Id}}' big:1)" "$(id_on 2 big:1)"
  equal "tls: save" "$($D save big:1 | tar -xO --wildcards '*/layer.tar' | md5sum)" "$(on_node 2 save big:1 | tar -xO --wildcards '*/layer.tar' | md5sum)"
  check "tls: push" sh -c "$D tag busybox $registry/tls:1 && $D push $registry/tls:1"
  check "tls: rmi" $D rmi "$registry/tls:1" big:1
  check "tls: pull" $D pull "$registry/tls:1"
  check "tls: import" sh -c "tar -C '$WORK/root' -c . | $D import - tls:imported"
  ends manage-tls
  equal "tls: the manager ends with status 0 on SIGTERM" $? 0
}

# --- what it costs ---

manager_kib() { awk '/^VmHWM:/ { print $2 }' "/proc/$(manager_pid)/status"; }
manager_pid() { cat "$WORK/manage.pid"; }

manager_ms() { awk -v hz="$(getconf CLK_TCK)" '{ print int(($14 + $15) * 1000 / hz) }' "/proc/$(manager_pid)/stat"; }

check_memory() {
  local before after cpu
  before=$(manager_kib)
  cpu=$(manager_ms)
  check "memory: load of $megabytes MB" docker -H "$MANAGER" load -i "$WORK/big.tar"
  check "memory: both nodes have it" both_have big:1
  echo "memory: $(($(manager_ms) - cpu)) ms of the manager's CPU for it, to two nodes"
  cpu=$(manager_ms)
  check "memory: save of it" sh -c "docker -H $MANAGER save big:1 | tar -tf - >/dev/null"
  echo "memory: $(($(manager_ms) - cpu)) ms for its way back"
  after=$(manager_kib)
  echo "memory: the manager had $before KiB at most before, $after KiB after"
  equal "memory: it grew by less than a tenth of the archive" "$((after - before < megabytes * 1024 / 10))" 1
}

big_archive() {
  local dir=$WORK/big digest
  mkdir -p "$dir/image" "$dir/root"
  head -c "${megabytes}000000" /dev/urandom >"$dir/root/random"
  tar -C "$dir/root" -cf "$dir/image/layer.tar" random
  digest=$(sha256sum "$dir/image/layer.tar" | cut -d' ' -f1)
  printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created_by":"big"}]}' \
    "$digest" >"$dir/image/config.json"
  echo '[{"Config":"config.json","RepoTags":["big:1"],"Layers":["layer.tar"]}]' >"$dir/image/manifest.json"
  tar -C "$dir/image" -cf "$WORK/big.tar" config.json manifest.json layer.tar
  rm -rf "$dir"
}

engine n1 2 || exit 1
engine n2 3 || exit 1
registry_start
manager manage nodes://10.9.0.2:2375,10.9.0.3:2375,10.9.0.4:2375 || exit 1
waits "the pool is healthy" 60 nodes_healthy 2

number=0
for docker in $(docker_clis); do
  on=$(docker_version "$docker")
  D="$docker -H $MANAGER"
  c=c$((++number))
  r=$registry/box$number
  all_checks
done

# Many at once.
for i in 1 2 3 4 5 6; do docker -H "$MANAGER" load -i "$WORK/images.tar" >"$WORK/parallel.$i" 2>&1 & parallel[i]=$!; done
for i in 1 2 3 4 5 6; do wait "${parallel[i]}"; done
equal "6 loads at once" "$(cat "$WORK"/parallel.* | sort | uniq -c | xargs)" "6 Loaded image: busybox:latest 6 Loaded image: httpd:latest"

big_archive
check_memory
certificates "$WORK/tls" 10.9.0.1 10.9.0.5
ENGINE_TLS=$WORK/tls engine nt 5 || exit 1
background manage-tls "$BIN/swarm" manage -H tcp://10.9.0.1:3376 --tlsverify --tlscacert "$WORK/tls/ca.pem" \
  --tlscert "$WORK/tls/cert.pem" --tlskey "$WORK/tls/key.pem" nodes://10.9.0.5:2375
check_tls
engine_kill nt
docker -H "$MANAGER" rmi big:1 >/dev/null
mkdir -p "$ENGINES_DIR/n3/data" && mount -t tmpfs -o size=100m none "$ENGINES_DIR/n3/data"
engine n3 4 || exit 1
waits "the pool has a third node" 60 nodes_healthy 3
check_full_disk
umount -l "$ENGINES_DIR/n3/data" # the engine keeps it
check_silent_node
check_dead_node

ends manage
equal "the manager ends with status 0 on SIGTERM" $? 0
no_sanitizer_report
checks_end
