#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docker-py against the pool must do what it does on one engine: with Debian's release everything, with any other that this
# machine's python3 has what depends on the transport; over TCP, over TLS with client certificates, and over a unix socket.
# Meanwhile 1,000 exec_run, one after the other. Then an exec by its id after the manager has started again.
# DIRECT=1 runs the same checks against one engine alone: what fails there is no fault of the manager.
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"
# shellcheck source=tests/lib/certificates.sh
. "$testbed_lib/certificates.sh"

clients=$testbed_lib/../clients/python
export PYTHONDONTWRITEBYTECODE=1
unset REQUESTS_CA_BUNDLE CURL_CA_BUNDLE # requests would prefer them to what it is told
direct=${DIRECT:+--direct}

# docker_py PREFIX WHAT ARGUMENTS…: its checks count.
docker_py() {
  local prefix=$1 on=$2
  shift 2
  # shellcheck disable=SC2086
  program_checks "$on" timeout -k 5 900 "$python" "$clients/docker_py.py" $direct --prefix "$prefix" --on "$on" "$@"
}

# Every docker-py of this machine but Debian's.
other_pythons() {
  local python
  for python in $(type -ap python3); do
    version=$("$python" -c 'import docker; print(docker.__version__)' 2>/dev/null) || continue
    [ "$version" = "$debian" ] || echo "$version $python"
  done | sort -u -k 1,1
}

start_manager() { manager manage -H "unix://$WORK/swarm.sock" nodes://10.9.0.2:2375,10.9.0.3:2375; }

# It is the engine that keeps an exec: what the manager knew of it may be lost.
check_restart() {
  local id
  id=$("$python" "$clients/docker_py.py" --host "$MANAGER" --prefix again prepare)
  ends manage
  equal "the manager ends with status 0 on SIGTERM" $? 0
  start_manager || return
  waits "the pool is healthy again" 60 nodes_healthy 2
  docker_py again "docker-py after a restart" --host "$MANAGER" begin "$id"
  docker -H "$MANAGER" rm -f againprepared >/dev/null
}

python=/usr/bin/python3
debian=$("$python" -c 'import docker; print(docker.__version__)') || { no "Debian's docker-py is there"; checks_end; exit 1; }
engine n1 2 || exit 1
host=tcp://10.9.0.2:2375
if [ -z "${DIRECT:-}" ]; then
  host=$MANAGER
  engine n2 3 || exit 1
  certificates "$WORK/tls" 10.9.0.1 10.9.0.4
  ENGINE_TLS=$WORK/tls engine nt 4 || exit 1
  start_manager || exit 1
  background manage-tls "$BIN/swarm" manage -H tcp://10.9.0.1:3376 --tlsverify --tlscacert "$WORK/tls/ca.pem" \
    --tlscert "$WORK/tls/cert.pem" --tlskey "$WORK/tls/key.pem" nodes://10.9.0.4:2375
  waits "the pool is healthy" 60 nodes_healthy 2
  waits "tls: the pool answers" 60 sh -c "curl -s -m 10 --cacert '$WORK/tls/ca.pem' --cert '$WORK/tls/cert.pem' \
    --key '$WORK/tls/key.pem' https://10.9.0.1:3376/info | grep -q Healthy"
fi
registry_start

background execs timeout -k 5 900 "$python" "$clients/docker_py.py" --host "$host" --prefix many --on "docker-py $debian" execs "${EXECS:-1000}"
docker_py all "docker-py $debian" --host "$host" all
if [ -z "${DIRECT:-}" ]; then
  docker_py unix "docker-py $debian, unix" --host "unix://$WORK/swarm.sock" few
  docker_py tls "docker-py $debian, tls" --host tcp://10.9.0.1:3376 --tls "$WORK/tls" few
fi
while read -r version python; do
  docker_py "p${version//./}" "docker-py $version" --host "$host" few
done < <(other_pythons)
python=/usr/bin/python3
wait "$(cat "$WORK/execs.pid")"
program_checks "docker-py $debian, many" cat "$WORK/execs.log"

if [ -z "${DIRECT:-}" ]; then
  check_restart
  for m in manage manage-tls; do
    ends $m
    equal "$m ends with status 0 on SIGTERM" $? 0
  done
  no_sanitizer_report
fi
checks_end
