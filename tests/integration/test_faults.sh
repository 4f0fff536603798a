#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Random faults of engines, managers and their store, with clients that go on: exactly one copy of everything, and nothing
# comes back that was removed. FAULT_FORMS: discovery:managers, one after the other (file:1); FAULT_ROUNDS: how many
# rounds of each (2); FAULT_SEED: which ones (1); FAULT_VERBOSE: what happens
# is told.
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

: "${FAKE_ENGINES:=$BIN/../../tests/kit/swarm-fake-engines}" "${FAULT_FORMS:=file:1}"
CONTROL=127.0.0.1:9000

form() { # DISCOVERY:MANAGERS
  local folder=$WORK/${1/:/}
  mkdir -p "$folder"
  background fakes "$FAKE_ENGINES" --engines 5 --containers 0 --memory 4 --control "$CONTROL"
  waits "$1: the fake engines are there" 30 curl -sf "http://$CONTROL/stats"
  for table in nat mangle filter; do iptables -t $table -F; done
  program_checks "$1" python3 "$(dirname "$0")/../faults/faults.py" --bin "$BIN" --work "$folder" --control "$CONTROL" \
    --discovery "${1%:*}" --managers "${1#*:}" --seed "${FAULT_SEED:-1}" --rounds "${FAULT_ROUNDS:-2}" \
    ${FAULT_VERBOSE:+--verbose}
  ends fakes
  for log in "$folder"/*.log; do cp "$log" "$WORK/$(basename "$folder")-$(basename "$log")"; done
}

for one in $FAULT_FORMS; do form "$one"; done
no_sanitizer_report
checks_end
