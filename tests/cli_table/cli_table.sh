#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every command and flag of every docker CLI on this machine, against one engine alone and against a pool of two: are the
# answers the same? The cases*.py beside this file have the cases. BIN: where swarm and swarm-manage are.
#   CLI_TABLE=fast    one case of each command that asks the engine, with one of the CLIs
#   CLI_TABLE=part    (default) every case with one of the CLIs
#   CLI_TABLE=all     every case with every CLI, and no command or flag of their help is without one
#   CLI_TABLE=write   all, and the outcomes are written into results.md and from there, once it has all, into README.md
#   CLI_TABLE_ONLY=REGEX   the cases whose "COMMAND WHAT" matches
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

# Experimental features are on for `docker checkpoint`.
engine d0 2 --experimental && engine n1 3 --experimental && engine n2 4 --experimental || exit 1
cat >"$WORK/registry.yml" <<END
version: 0.1
storage: {filesystem: {rootdirectory: $WORK/registry}}
http: {addr: "127.0.0.1:5000"}
END
background registry docker-registry serve "$WORK/registry.yml"
background index python3 "$testbed_lib/../cli_table/search_index.py" 127.0.0.1 5001
manager manage nodes://10.9.0.3:2375,10.9.0.4:2375 || exit 1
waits "the pool is healthy" 60 nodes_healthy 2
waits "the registry answers" 30 curl -sf http://127.0.0.1:5000/v2/
run docker -H tcp://10.9.0.2:2375 tag busybox 127.0.0.1:5000/base
check "the registry takes an image" docker -H tcp://10.9.0.2:2375 push 127.0.0.1:5000/base
run docker -H tcp://10.9.0.2:2375 rmi 127.0.0.1:5000/base

mapfile -t clis < <(docker_clis)
options=(--direct tcp://10.9.0.2:2375 --pool "$MANAGER" --engine tcp://10.9.0.3:2375 --engine tcp://10.9.0.4:2375
  --images "$WORK/images.tar" --folder "$WORK/cases")
case ${CLI_TABLE:-part} in
fast)
  options+=(--part --first)
  : "${CLI_TABLE_ONLY:=^(container|image (?!build)|network|volume|system|inspect|version|plugin)}"
  ;;
part) options+=(--part) ;;
all) ;;
write) options+=(--write) ;;
*)
  echo "$0: CLI_TABLE is fast, part, all or write, not $CLI_TABLE" >&2
  exit 2
  ;;
esac
python3 "$testbed_lib/../cli_table/table.py" "${options[@]}" ${CLI_TABLE_ONLY:+--only "$CLI_TABLE_ONLY"} "${clis[@]}" | tee "$WORK/table.out"
read -r passed failed < <(sed -nE '$s/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$WORK/table.out") ||
  { no "the table runs to its end"; passed=0 failed=0; }
checks_passed=$((checks_passed + passed)) checks_failed=$((checks_failed + failed))
[ "${CLI_TABLE:-part}" != write ] || check "README.md's table is written" "$testbed_lib/../cli_table/readme.py" write

ends manage
equal "the manager ends with status 0 on SIGTERM" $? 0
no_sanitizer_report
checks_end
