#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# dockerode and Testcontainers of npm against the pool must do what they do on one engine: containers, streams, images,
# builds with a session of BuildKit, gRPC on /grpc; dockerode over TCP, over TLS with client certificates, and over a unix
# socket. Where a client's connections to BuildKit go. Published ports are on nodes, and so Testcontainers is told one.
# DIRECT=1 runs the same checks against one engine alone: what fails there is no fault of the manager.
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
modules=${NODE_PATH:-$(readlink -f "$testbed_lib/../../build-tests/clients/node_modules")}
testbed_enter "$@"
# shellcheck source=tests/lib/certificates.sh
. "$testbed_lib/certificates.sh"

clients=$testbed_lib/../clients/node
export NODE_PATH=$modules TESTCONTAINERS_RYUK_DISABLED=true
direct=${DIRECT:+--direct}

# shellcheck disable=SC2086
dockerode() { program_checks "$1" timeout -k 5 900 node "$clients/dockerode.js" $direct --on "$1" --prefix "$2" "${@:3}"; }

# Testcontainers' HTTP client wants Node.js 20.18.1; Debian 12's is 18.
node_is_new() { node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 18) ? 0 : 1)'; }

if ! [ -e "$modules/dockerode/package.json" ]; then
  no "dockerode is installed (tests/lib/node_modules.sh build-tests/clients does so, NODE_PATH names another folder)"
  checks_end
  exit 1
fi
engine n1 2 || exit 1
export DOCKER_HOST=tcp://10.9.0.2:2375
engines=$DOCKER_HOST
if [ -z "${DIRECT:-}" ]; then
  export DOCKER_HOST=$MANAGER
  engines=$engines,tcp://10.9.0.3:2375
  engine n2 3 || exit 1
  certificates "$WORK/tls" 10.9.0.1 10.9.0.4
  ENGINE_TLS=$WORK/tls engine nt 4 || exit 1
  manager manage -H "unix://$WORK/swarm.sock" nodes://10.9.0.2:2375,10.9.0.3:2375 || exit 1
  background manage-tls "$BIN/swarm" manage -H tcp://10.9.0.1:3376 --tlsverify --tlscacert "$WORK/tls/ca.pem" \
    --tlscert "$WORK/tls/cert.pem" --tlskey "$WORK/tls/key.pem" nodes://10.9.0.4:2375
  waits "the pool is healthy" 60 nodes_healthy 2
  waits "tls: the pool answers" 60 sh -c "curl -s -m 10 --cacert '$WORK/tls/ca.pem' --cert '$WORK/tls/cert.pem' \
    --key '$WORK/tls/key.pem' https://10.9.0.1:3376/info | grep -q Healthy"
fi
registry_start
docker -H tcp://10.9.0.2:2375 tag busybox 127.0.0.1:5000/tc/box:v1
check "the registry takes an image" docker -H tcp://10.9.0.2:2375 push 127.0.0.1:5000/tc/box:v1

if node_is_new; then
  export TESTCONTAINERS_HOST_OVERRIDE=10.9.0.2 # the node's address
  # shellcheck disable=SC2086
  background testcontainers timeout -k 5 900 node "$clients/testcontainers.js" $direct --node n1
else
  echo "skipped: testcontainers needs Node.js 20.18, this is $(node --version)"
fi
dockerode dockerode js --host "$DOCKER_HOST" --engines "$engines" all
if [ -z "${DIRECT:-}" ]; then
  dockerode "dockerode, unix" unix --host "unix://$WORK/swarm.sock" few
  dockerode "dockerode, tls" tls --host tcp://10.9.0.1:3376 --tls "$WORK/tls" few
fi
if node_is_new; then
  wait "$(cat "$WORK/testcontainers.pid")"
  program_checks testcontainers cat "$WORK/testcontainers.log"
fi

if [ -z "${DIRECT:-}" ]; then
  for m in manage manage-tls; do
    ends $m
    equal "$m ends with status 0 on SIGTERM" $? 0
  done
  no_sanitizer_report
fi
checks_end
