#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a request through the manager costs, beside the same request to the engine alone: small GETs, bodies of 1 GiB
# (save, load, cp both ways) and 10 GiB, and 2,000 idle streams, hijacked and of events; with one real engine. As root.
# --json: one array of objects; --quick: bodies and counts a hundredth of that size, to see that it works.
# BIN: the folder with the programs (default: the release build of tests/run.sh); BENCH: bench-edge of such a build.
: "${BIN:=$(dirname "$(readlink -f "$0")")/../../build-tests/gcc/install/bin}"
: "${BENCH:=$(dirname "$(readlink -f "$0")")/../../build-tests/gcc/tests/bench/bench-edge}"
export BIN BENCH
. "$(dirname "$(readlink -f "$0")")/../lib/testbed.sh"
testbed_enter "$@"

JSON='' MIB=1024 STREAMS=2000 SECONDS_EACH=3 # a body's size, idle streams, how long small requests are repeated
while [ $# -gt 0 ]; do
  case $1 in
    --json) JSON=1 ;;
    --quick) MIB=10 STREAMS=20 SECONDS_EACH=1 ;;
    *) echo "usage: $0 [--json] [--quick]" >&2; exit 2 ;;
  esac
  shift
done
ROWS=$WORK/rows

engine_pid() { engine_first_process n2 | tr -d ' '; }
manager_pid() { cat "$WORK/manage.pid"; }
pid_of() { "$1_pid"; }
url_of() { if [ "$1" = engine ]; then echo 10.9.0.2:2375; else echo "${MANAGER#tcp://}"; fi; }

row() { # WHAT WHERE JSON-OBJECT
  jq -nc --arg what "$1" --arg where "$2" --argjson values "$3" '{what: $what, where: $where} + $values' >>"$ROWS"
  [ -n "$JSON" ] || jq -nr --arg what "$1" --arg where "$2" --argjson values "$3" \
    '($what + ", " + $where | . + " " * ([50 - length, 1] | max)) + ($values | to_entries | map("\(.key) \(.value)") | join("  "))'
}

small() { # WHAT PATH CONNECTIONS WHERE…
  local what=$1 path=$2 connections=$3 where
  shift 3
  for where; do
    row "$what x$connections" "$where" "$("$BENCH" --url "tcp://$(url_of "$where")" --pid "$(pid_of "$where")" \
      --path "$path" --connections "$connections" --seconds "$SECONDS_EACH")"
  done
}

memory() { awk -v key="$2:" '$1 == key {print $2}' "/proc/$1/status"; } # PID KEY
cpu_ticks() { awk '{sub(/.*\) /, ""); print $12 + $13}' "/proc/$1/stat"; }

# bulk WHAT WHERE PATH COMMAND…: COMMAND with the URL of that path as its last word; the memory is the manager's.
bulk() {
  local what=$1 where=$2 path=$3 pid ticks begin ms before
  shift 3
  pid=$(manager_pid)
  echo 5 >"/proc/$pid/clear_refs" # the peak from here on
  before=$(memory "$pid" VmRSS) ticks=$(cpu_ticks "$pid") begin=$(date +%s%3N)
  "$@" "http://$(url_of "$where")$path" || { no "$what, $where"; return; }
  ms=$(($(date +%s%3N) - begin))
  ticks=$(($(cpu_ticks "$pid") - ticks))
  if [ "$where" = engine ]; then
    row "$what" engine "{\"seconds\": $((ms / 10))e-2}"
  else
    row "$what" manager "{\"seconds\": $((ms / 10))e-2, \"cpu_seconds\": $((ticks * 100 / $(getconf CLK_TCK)))e-2,
      \"before_kib\": $before, \"peak_kib\": $(memory "$pid" VmHWM), \"after_kib\": $(memory "$pid" VmRSS)}"
  fi
}

get() { curl -sf -m 1200 -o /dev/null "$1"; }
upload() { local file=$1 method=$2; curl -sf -m 1200 -o /dev/null -H 'Content-Type: application/x-tar' -H Expect: -X "$method" -T "$file" "$3"; }
# A tar file with nothing in it but what follows its end, which an engine reads away.
endless() { head -c "$1" /dev/zero | curl -sf -m 1200 -o /dev/null -H 'Content-Type: application/x-tar' -X PUT -T - "$2"; }

bodies() {
  local where
  head -c "${MIB}M" /dev/urandom >"$WORK/random"
  tar -C "$WORK" -cf "$WORK/random.tar" random
  upload "$WORK/random.tar" POST "http://$(url_of engine)/images/create?fromSrc=-&repo=big" || no "an image of $MIB MiB"
  rm "$WORK/random"
  waits "the manager knows the image" 60 curl -sf -o /dev/null "http://$(url_of manager)/images/big/json"
  for where in engine manager; do bulk "save $MIB MiB" $where /images/big/get get; done
  curl -sf -o "$WORK/big.tar" "http://$(url_of engine)/images/big/get"
  for where in engine manager; do bulk "load $MIB MiB" $where '/images/load?quiet=1' upload "$WORK/big.tar" POST; done
  rm "$WORK/big.tar"
  docker -H "tcp://$(url_of engine)" exec echo sh -c "truncate -s ${MIB}M /file && truncate -s $((MIB * 10))M /huge"
  for where in engine manager; do bulk "cp out $MIB MiB" $where '/containers/echo/archive?path=/file' get; done
  for where in engine manager; do bulk "cp in $MIB MiB" $where '/containers/echo/archive?path=/tmp' upload "$WORK/random.tar" PUT; done
  rm "$WORK/random.tar"
  bulk "cp out $((MIB * 10)) MiB" manager '/containers/echo/archive?path=/huge' get
  bulk "cp in $((MIB * 10)) MiB" manager '/containers/echo/archive?path=/tmp' endless "$((MIB * 10))M"
}

streams() {
  local attach='/containers/echo/attach?stream=1&stdout=1' pid
  pid=$(manager_pid)
  row "$STREAMS idle event streams" manager "$("$BENCH" --streams --url "$MANAGER" --pid "$pid" --path /events \
    --connections "$STREAMS" --seconds "$SECONDS_EACH")"
  row "$STREAMS idle hijacked streams" manager "$("$BENCH" --streams --url "$MANAGER" --pid "$pid" --method POST \
    --path "$attach" --upgrade --burst '/containers/echo/attach?stream=1&stdin=1' --connections "$STREAMS" --seconds "$SECONDS_EACH")"
  row "$STREAMS idle answers (logs -f)" manager "$("$BENCH" --streams --url "$MANAGER" --pid "$pid" \
    --path '/containers/quiet/logs?follow=1&stdout=1' --connections "$STREAMS" --seconds "$SECONDS_EACH")"
}

ulimit -n "$(ulimit -Hn)"
engine n2 2 || exit 1
manager manage nodes://10.9.0.2:2375 || exit 1
until_ok 60 nodes_healthy 1 || exit 1
docker -H "$MANAGER" run -d -i --name echo busybox cat >/dev/null
docker -H "$MANAGER" run -d --name quiet busybox sleep 100000 >/dev/null
exec_id=$(curl -sf -H 'Content-Type: application/json' -d '{"Cmd":["true"]}' "http://$(url_of manager)/containers/echo/exec" | jq -r .Id)
for connections in 1 16; do
  small "exec inspect" "/exec/$exec_id/json" $connections engine manager
  small "logs" '/containers/quiet/logs?stdout=1&tail=1' $connections engine manager
  small "_ping (not proxied)" /_ping $connections manager
done
streams
bodies
[ -z "$JSON" ] || jq -s --arg load "$(cut -d' ' -f1-3 /proc/loadavg)" '{load: $load, rows: .}' "$ROWS"
ends manage || no "the manager ends"
[ "$checks_failed" = 0 ]
