#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what this project needs, by Debian package name, as root; what is there already is left alone.
# Usage: packages.sh build|run|test|node…
#   build  compilers and libraries for swarm itself
#   run    a Docker engine, its CLI and what local engines are made of
#   test   everything that tests/run.sh uses besides
#   node   Node.js and npm, for tests with clients that are npm packages; another Node.js than Debian's serves as well
set -u

build='gcc libc6-dev meson ninja-build pkg-config libjansson-dev libpcre2-dev libcurl4-openssl-dev libssl-dev libsqlite3-dev libzookeeper-mt-dev'
run='docker.io busybox-static iproute2 curl ca-certificates util-linux procps'
test='abigail-tools clang doxygen g++ libclang-rt-14-dev libcmocka-dev lcov valgrind etcd-server etcd-client docker-compose python3-docker docker-registry jq socat openssl bsdutils mandoc openssh-server libzookeeper-java default-jre-headless python3'
node='nodejs npm'

fail() {
  echo "packages: $*" >&2
  exit 1
}

wanted=
for set; do
  case $set in
  build) wanted="$wanted $build" ;;
  run) wanted="$wanted $run" ;;
  test) wanted="$wanted $test" ;;
  node) wanted="$wanted $node" ;;
  *) fail "unknown set '$set': one of build, run, test, node is expected" ;;
  esac
done
[ -n "$wanted" ] || fail "usage: $0 build|run|test|node..."
command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
  fail "this is not a Debian system (no dpkg, apt-get); install the counterparts of:$wanted"

# Docker's own packages (docker-ce) serve as well, and Debian's would have to replace them.
have() {
  case $1 in
  docker.io) command -v dockerd >/dev/null && command -v docker >/dev/null && return ;;
  nodejs) command -v node >/dev/null && return ;;
  npm) command -v npm >/dev/null && return ;;
  esac
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}
missing=
for package in $wanted; do
  have "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
[ "$(id -u)" = 0 ] || fail "must be root to install:$missing"

log=$(mktemp) || exit 1
policy=/usr/sbin/policy-rc.d
made_policy=
# A package must not start its service (dockerd would change the packet filter, etcd would take its port).
if [ ! -e $policy ]; then
  made_policy=yes
  printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy || fail "cannot write $policy"
fi
trap '[ -z "$made_policy" ] || rm -f $policy; rm -f "$log"' EXIT
trap 'exit 130' INT TERM

apt() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 --no-remove "$@" >>"$log" 2>&1 </dev/null
}
echo "installing:$missing"
# The lists may be absent or older than the archive: one update, then a second try.
# shellcheck disable=SC2086
apt install --no-install-recommends $missing || { apt update && apt install --no-install-recommends $missing; } || {
  tail -n 20 "$log" >&2
  fail "apt-get could not install:$missing"
}
