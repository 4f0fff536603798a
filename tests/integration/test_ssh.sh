#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Engines behind ssh: a real sshd on each node's address.
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"
S=$WORK/ssh
mkdir -p "$S" /run/sshd
for key in user stranger host changed; do ssh-keygen -q -t ed25519 -N '' -f "$S/$key"; done
cp "$S/user.pub" "$S/authorized"
known() { echo "[$1]:$2 $(cut -d' ' -f1,2 "$S/$3.pub")"; } # ADDRESS PORT KEY: a line of known_hosts

# sshd_start NAME ADDRESS PORT [options…]: of options given twice sshd takes the first.
sshd_start() {
  local name=$1 address=$2 port=$3
  shift 3
  background "$name" /usr/sbin/sshd -D -e -f /dev/null -p "$port" -h "$S/host" -o "ListenAddress=$address" "$@" \
    -o PidFile=none -o UsePAM=no -o StrictModes=no -o PermitRootLogin=yes -o "AuthorizedKeysFile=$S/authorized"
  until_ok 30 bash -c ": </dev/tcp/$address/$port" || no "sshd $name answers"
}
sshd_start sshd1 10.9.0.2 2222 -o ListenAddress=::1 -o "SetEnv=DOCKER_HOST=unix:///run/n1.sock PATH=$PATH"
sshd_start sshd2 10.9.0.3 2222 -o "SetEnv=PATH=$PATH" -o MaxSessions=100
sshd_start nodocker 10.9.0.4 2222 -o SetEnv=PATH=/none
sshd_start nokey 10.9.0.5 2222 -o "AuthorizedKeysFile=$S/stranger.pub"
background hangs socat TCP-LISTEN:2223,bind=10.9.0.5,fork,reuseaddr EXEC:'sleep 1000' # never says that it is an sshd
for address in 10.9.0.2 10.9.0.3 10.9.0.4 10.9.0.5 ::1; do known $address 2222 host; done >"$S/known"
known 10.9.0.5 2224 changed >>"$S/known"
sshd_start changed 10.9.0.5 2224
sshd_start unknown 10.9.0.5 2225

engine n1 2 -H unix:///run/n1.sock
engine n2 3 -H unix:///run/n2.sock
manage() { # SILENCE DISCOVERY
  background manager "$BIN/swarm" manage -H "$MANAGER" --engine-silence-timeout "$1" --engine-ssh-opt "IdentityFile=$S/user" \
    --engine-ssh-opt "UserKnownHostsFile=$S/known" --engine-ssh-opt GlobalKnownHostsFile=none \
    --engine-ssh-opt ConnectTimeout=3 "$2"
}
good=nodes://ssh://root@10.9.0.2:2222,ssh://10.9.0.3:2222/run/n2.sock
manage 60s $good # pings with time enough for a busy machine
export DOCKER_HOST=$MANAGER
waits "engines behind ssh join" 60 nodes_healthy 2
run docker info
has "info names one with its user" 'n1: ssh://root@10.9.0.2:2222'
has "and one with its socket" 'n2: ssh://10.9.0.3:2222/run/n2.sock'
check "run" docker run --rm -e constraint:node==n1 busybox echo through-ssh
has "its output" '^through-ssh$'
head -c 3000000 /dev/urandom >"$WORK/input"
equal "3 MB through run -i" "$(docker run -i --rm -e constraint:node==n2 busybox cat <"$WORK/input" | md5sum)" "$(md5sum <"$WORK/input")"
docker run -d --name movable -e affinity:container!=none -e reschedule:on-node-failure -p 8080:80 busybox \
  sh -c 'echo started; sleep 1000' >/dev/null
from=$(docker inspect -f '{{.Node.Name}}' movable)
# shellcheck disable=SC2034 # by eval
to=$([ "$from" = n1 ] && echo n2 || echo n1)
check "exec" docker exec movable echo inside
check "logs" docker logs movable
has "and they are its own" '^started$'
equal "its node's address is the host's" "$(docker inspect -f '{{.Node.IP}}' movable)" "10.9.0.$([ "$from" = n1 ] && echo 2 || echo 3)"
connections() { ss -Htn state established '( dport = :2222 )' | wc -l; }
equal "one connection a host carries all of it" "$(connections)" 2
# More than sshd's MaxSessions at once.
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do background "follow$i" docker logs -f movable; done
waits "twelve streams at once" 60 eval '[ "$(cat "$WORK"/follow*.log | grep -c started)" = 12 ]'
check "and the API goes on" docker run --rm -e "constraint:node==$from" busybox true

# --- fail-over ---
engine_kill "$from"
waits "the container of an engine that is lost moves" 60 eval '[ "$(docker inspect -f "{{.Node.Name}} {{.State.Running}}" movable)" = "$to true" ]'
run docker info
has "what the far end says is told" 'Error: Cannot connect to the Docker daemon at ssh://.*Is the docker daemon running'
waits "streams from the lost engine end" 60 eval '! kill -0 $(cat "$WORK"/follow*.pid) 2>/dev/null'
n=$([ "$from" = n1 ] && echo 2 || echo 3)
engine_start "$from" "10.9.0.$n:2375" -H "unix:///run/$from.sock"
waits "an engine that is back is taken back" 60 nodes_healthy 2

ends manager
equal "the manager stops" $? 0
equal "no ssh is left" "$(pgrep -x ssh)" ""
equal "nor its folder" "$(ls -d "$WORK"/swarm-ssh.* 2>/dev/null)" ""
equal "nor who would have taken that away" "$(pgrep -f swarm-ssh)" ""

# --- ssh falls silent ---
manage 10s $good
waits "the engines join again" 60 nodes_healthy 2
session=$(pgrep -P "$(cat "$WORK/sshd2.pid")")
# shellcheck disable=SC2086
kill -STOP $session
waits "an ssh that hangs counts as silent" 60 nodes_healthy 1
run docker info
has "and the error says so" 'Error: engine ssh://10.9.0.3:2222/run/n2.sock did not answer in time'
# shellcheck disable=SC2086
kill -CONT $session
waits "and is back when it goes on" 60 nodes_healthy 2
# shellcheck disable=SC2086
kill -KILL $(pgrep -P "$(cat "$WORK/sshd2.pid")")
waits "a connection that is cut is told" 20 grep -q 'The connection through ssh failed: .*10.9.0.3' "$WORK/manager.log"
waits "and made again" 60 eval 'nodes_healthy 2 && [ "$(docker run --rm -e constraint:node==n2 busybox echo again)" = again ]'
ends manager

# --- two engines at one host ---
manage 60s ssh://10.9.0.3:2222/run/n1.sock,ssh://10.9.0.3:2222/run/n2.sock
waits "two engines at one host join" 60 nodes_healthy 2
check "run on one" docker run --rm -e constraint:node==n1 busybox true
check "and on the other" docker run --rm -e constraint:node==n2 busybox true
equal "one connection carries both" "$(connections)" 1
equal "one ssh makes it" "$(pgrep -cfx 'ssh .* -N -- 10.9.0.3')" 1
kill -KILL "$(pgrep -fx 'ssh .* -N -- 10.9.0.3')"
waits "the end of the connection is told" 20 grep -q 'The connection through ssh failed: .*status 137' "$WORK/manager.log"
waits "and both are back" 60 eval 'nodes_healthy 2 && [ "$(docker run --rm -e constraint:node==n1 busybox echo again)" = again ]'
check "one folder has the sockets" test -d "$WORK"/swarm-ssh.*
kill -KILL "$(cat "$WORK/manager.pid")"
waits "a manager that is killed leaves no ssh behind" 30 eval '[ -z "$(pgrep -x ssh)" ]'
waits "no socket and no folder" 30 eval '! ls -d "$WORK"/swarm-ssh.*'
waits "and nobody who waits" 30 eval '! pgrep -f swarm-ssh'

# --- what may be wrong ---
bad=10.9.0.5
manage 10s "ssh://root@10.9.0.2:2222,ssh://10.9.0.4:2222,ssh://$bad:2222,ssh://$bad:2223,ssh://$bad:2224,ssh://$bad:2225,ssh://$bad:2226,ssh://root@[::1]:2222/run/none.sock"
waits "the good one is used" 60 nodes_healthy 1
error_of() { # ADDRESS: what info says of it
  docker info 2>/dev/null | grep -FA 9 ": $1" | sed -n '/Error:/{p;q}'
}
says() { # WHAT ADDRESS REGEX
  waits "$1" 60 eval "error_of '$2' | grep -Eq '$3'" || error_of "$2"
}
says "no docker at the far end" ssh://10.9.0.4:2222 'docker: (command )?not found'
says "a key that is refused" ssh://$bad:2222 'Permission denied \(publickey'
says "a host key that has changed" ssh://$bad:2224 'Host key for \[10.9.0.5\]:2224 has changed .*Host key verification failed'
says "a host key that is not known" ssh://$bad:2225 'Host key verification failed'
says "nobody listens" ssh://$bad:2226 'connect to host 10.9.0.5 port 2226: Connection refused'
says "a host that says nothing" ssh://$bad:2223 'timed out|did not answer in time'
says "no socket at the far end, at IPv6" "ssh://root@[::1]:2222/run/none.sock" 'Cannot connect to the Docker daemon at ssh://root@\[::1\]:2222/run/none.sock'
ends manager

# --- from a store ---
etcd_start
background agent "$BIN/swarm" join --advertise ssh://root@10.9.0.2:2222/run/n1.sock etcd://10.9.0.1:2379
waits "an ssh address is announced" 30 eval '[ "$("$BIN/swarm" list etcd://10.9.0.1:2379)" = ssh://root@10.9.0.2:2222/run/n1.sock ]'
ends agent
equal "the agent stops" $? 0
waits "and taken back" 30 eval '[ -z "$("$BIN/swarm" list etcd://10.9.0.1:2379)" ]'
refused "an ssh option without a value" 1 "$BIN/swarm" manage --engine-ssh-opt Compression nodes://
has "is told" '--engine-ssh-opt must contain key=value strings'
no_sanitizer_report
checks_end
