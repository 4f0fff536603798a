# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Real Docker engines on one machine. Each is a dockerd in PID, mount and UTS namespaces of its own, with its own
# data, identity (/etc/docker) and bridge. Killing the first process of its PID namespace is a host that loses power.
# It leaves the packet filter, other engines and their containerd alone.
#
# Callers set:  ENGINES_DIR   state (data, logs), on a disk
#               ENGINES_RUN   sockets; a short path: containerd refuses those of 108 characters and more
#               ENGINES_NET   first two numbers of the bridges' networks, such as 10.8 (one /24 an engine)
#               ENGINES_PREFIX  of the bridges' names, at most 6 characters

: "${DOCKERD:=$(command -v dockerd || echo /usr/sbin/dockerd)}"

# overlay2 where the file system can, else vfs, which can always.
engines_storage() {
  local dir=$ENGINES_DIR/probe driver=vfs
  mkdir -p "$dir"/{lower,upper,work,merged}
  if mount -t overlay overlay -o "lowerdir=$dir/lower,upperdir=$dir/upper,workdir=$dir/work" "$dir/merged" 2>/dev/null; then
    umount "$dir/merged" && driver=overlay2
  fi
  rm -rf "$dir"
  echo $driver
}

# shellcheck disable=SC2046
engine_answers() { curl -sf -m 2 "$(cat "$ENGINES_DIR/$1/url")/_ping" $(cat "$ENGINES_DIR/$1/curl"); }

# The first process of the engine's PID namespace: the child of the unshare that we started, if that still runs.
engine_first_process() {
  local pid
  pid=$(cat "$ENGINES_DIR/$1/pid" 2>/dev/null) && grep -qsF -- "$ENGINES_DIR/$1/" "/proc/$pid/cmdline" &&
    cat "/proc/$pid/task/$pid/children" 2>/dev/null
}

# The engine's bridge. Its number, unique among the engines, makes the network.
engine_bridge() { # NUMBER
  local bridge=$ENGINES_PREFIX$1
  ip link show "$bridge" >/dev/null 2>&1 && return
  ip link add "$bridge" type bridge && ip addr add "$ENGINES_NET.$1.1/24" dev "$bridge" && ip link set "$bridge" up
}

# engine_start NAME HOST:PORT [dockerd options…]: start it (again), wait until it answers; NAME becomes its host name.
# With ENGINE_TLS=DIR (ca.pem, cert.pem, key.pem) it asks for client certificates.
engine_start() {
  local name=$1 address=$2 dir=$ENGINES_DIR/$1 tls=--tls=false url=http://$2 curl='' number
  shift 2
  mkdir -p "$dir/etc" "$dir/data" "$ENGINES_RUN"
  if [ ! -e "$dir/number" ]; then
    number=$(find "$ENGINES_DIR" -mindepth 2 -maxdepth 2 -name number -printf 1)
    echo $((${#number} + 1)) >"$dir/number"
  fi
  number=$(cat "$dir/number")
  engine_bridge "$number" || return
  if [ -n "${ENGINE_TLS:-}" ]; then
    tls="--tlsverify --tlscacert $ENGINE_TLS/ca.pem --tlscert $ENGINE_TLS/cert.pem --tlskey $ENGINE_TLS/key.pem"
    url=https://$address
    curl="--cacert $ENGINE_TLS/ca.pem --cert $ENGINE_TLS/cert.pem --key $ENGINE_TLS/key.pem"
  fi
  [ -e "$dir/cgroup" ] || echo "/$ENGINES_PREFIX-$name-$RANDOM$RANDOM" >"$dir/cgroup"
  echo "$address" >"$dir/address"
  echo "$url" >"$dir/url"
  echo "$curl" >"$dir/curl"
  : "${ENGINES_STORAGE:=$(engines_storage)}"
  # What a killed engine left behind would keep the next one from starting.
  rm -rf "${ENGINES_RUN:?}/$name" "$dir/pidfile"
  # shellcheck disable=SC2016,SC2086
  setsid unshare --fork --kill-child --pid --mount --mount-proc --uts -- /bin/sh -c '
    name=$1 etc=$2
    shift 2
    hostname "$name" && mkdir -p /etc/docker && mount --bind "$etc" /etc/docker || exit 1
    # A containerd that runs on this machine is none of ours: dockerd would use it.
    [ ! -d /run/containerd ] || mount -t tmpfs none /run/containerd || exit 1
    # The bridge does without forwarding between networks; dockerd would warn at each run that nothing works.
    echo 1 >"$etc/forward" && mount --bind "$etc/forward" /proc/sys/net/ipv4/ip_forward || exit 1
    exec "$@"' sh "$name" "$dir/etc" \
    env -u DOCKER_HOST "$DOCKERD" --data-root "$dir/data" --exec-root "$ENGINES_RUN/$name" --pidfile "$dir/pidfile" \
    -H "tcp://$address" $tls --storage-driver "$ENGINES_STORAGE" --exec-opt native.cgroupdriver=cgroupfs \
    --cgroup-parent "$(cat "$dir/cgroup")" --bridge "$ENGINES_PREFIX$number" \
    --iptables=false --ip-forward=false "$@" >>"$dir/log" 2>&1 </dev/null &
  echo $! >"$dir/pid"
  local end=$((SECONDS + 120))
  until engine_answers "$name" >/dev/null 2>&1; do
    if [ $SECONDS -ge $end ] || ! kill -0 "$(cat "$dir/pid")" 2>/dev/null; then
      echo "engine $name does not start:" >&2
      tail -n 5 "$dir/log" >&2
      return 1
    fi
    sleep 0.2
  done
}

# Loses power: daemon and containers end at once.
engine_kill() {
  local first
  first=$(engine_first_process "$1")
  # shellcheck disable=SC2086
  [ -z "$first" ] || kill -KILL $first 2>/dev/null
  engine_await_end "$1"
}

# Is shut down in order, containers first.
engine_stop() {
  local first
  first=$(engine_first_process "$1")
  # shellcheck disable=SC2086
  [ -z "$first" ] || kill -TERM $first 2>/dev/null
  engine_await_end "$1"
}

engine_await_end() {
  local pid
  pid=$(cat "$ENGINES_DIR/$1/pid" 2>/dev/null) || return 0
  local end=$((SECONDS + 60))
  while [ -d "/proc/$pid" ] && [ "$(awk '{print $3}' "/proc/$pid/stat" 2>/dev/null)" != Z ]; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.1
  done
  engine_forget_cgroups "$1"
}

engine_forget_cgroups() {
  local cgroup
  cgroup=$(cat "$ENGINES_DIR/$1/cgroup" 2>/dev/null)
  [ -n "$cgroup" ] || return 0
  find /sys/fs/cgroup -depth -type d -path "*$cgroup*" -exec rmdir {} + 2>/dev/null
  return 0
}

# Every process of the engine's PID namespace, told by the namespace's identity.
engine_processes() {
  local first namespace
  first=$(engine_first_process "$1")
  namespace=$(readlink "/proc/${first%% *}/ns/pid") || return
  for p in /proc/[0-9]*; do
    [ "$(readlink "$p/ns/pid" 2>/dev/null)" = "$namespace" ] && echo "${p#/proc/}"
  done
}

# Turns silent: it accepts connections and never answers.
# shellcheck disable=SC2046
engine_freeze() { kill -STOP $(engine_processes "$1") 2>/dev/null; }
# shellcheck disable=SC2046
engine_thaw() { kill -CONT $(engine_processes "$1") 2>/dev/null; }

# An image archive for `docker load` made of busybox alone, under the names given; the same image id everywhere.
image_archive() { # FILE NAME:TAG…
  local file=$1 dir layer digest name applet names=
  shift
  dir=$(mktemp -d "$ENGINES_DIR/image.XXXXXX")
  mkdir -p "$dir/root/bin" "$dir/root/tmp" "$dir/root/etc" "$dir/image"
  cp "$(command -v busybox)" "$dir/root/bin/busybox"
  for applet in $("$dir/root/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$dir/root/bin/$applet"
  done
  echo 'root:x:0:0:root:/:/bin/sh' >"$dir/root/etc/passwd"
  layer=$dir/image/layer.tar
  tar -C "$dir/root" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf "$layer" .
  digest=$(sha256sum "$layer" | cut -d' ' -f1)
  for name; do names="$names${names:+,}\"$name\""; done
  printf '{"architecture":"%s","os":"linux","created":"2020-01-01T00:00:00Z","config":{"Env":["PATH=/bin"],"Cmd":["sh"]},
"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"2020-01-01T00:00:00Z","created_by":"busybox"}]}' \
    "$(dpkg --print-architecture 2>/dev/null || echo amd64)" "$digest" >"$dir/image/config.json"
  printf '[{"Config":"config.json","RepoTags":[%s],"Layers":["layer.tar"]}]' "$names" >"$dir/image/manifest.json"
  tar -C "$dir/image" -cf "$file" .
  rm -rf "$dir"
}

# image_load FILE URL [curl options…]
image_load() {
  local file=$1 url=$2
  shift 2
  curl -sf -m 120 "$@" -H 'Content-Type: application/x-tar' --data-binary "@$file" "$url/images/load?quiet=1" |
    grep -q '"stream":"Loaded image'
}

# shellcheck disable=SC2046
engine_load() { image_load "$2" "$(cat "$ENGINES_DIR/$1/url")" $(cat "$ENGINES_DIR/$1/curl"); } # NAME FILE
