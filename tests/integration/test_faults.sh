#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Random faults of engines and of the manager, with clients that go on: exactly one copy of everything, and nothing comes
# back that was removed. FAULT_ROUNDS: how many rounds (3); FAULT_SEED: which ones (1).
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

: "${FAKE_ENGINES:=$BIN/../../tests/kit/swarm-fake-engines}"
CONTROL=127.0.0.1:9000
background fakes "$FAKE_ENGINES" --engines 5 --containers 0 --control "$CONTROL" --addresses "$WORK/pool"
waits "the fake engines are there" 30 test -s "$WORK/pool"
program_checks "random faults" python3 "$(dirname "$0")/../faults/faults.py" "${FAULT_SEED:-1}" \
  "${FAULT_ROUNDS:-3}" "${MANAGER#tcp://}" "$CONTROL" \
  "exec $BIN/swarm manage -H $MANAGER --state-dir $WORK/state --reschedule-grace 1s --engine-silence-timeout 3s \
   --engine-flap-limit 0 --engine-refresh-min-interval 2s --engine-refresh-max-interval 4s file://$WORK/pool >>$WORK/manage.log 2>&1"
no_sanitizer_report
checks_end
