#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A manager under churn and faults: it takes no more than before, and its lists are the engines' own. Then ends with
# everything under way. SOAK_SECONDS (20), SOAK_ENGINES (20), SOAK_ENDS (5), SOAK_SEED (1); SOAK_OPTIONS: of
# tests/soak/soak.py.
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

: "${FAKE_ENGINES:=$BIN/../../tests/kit/swarm-fake-engines}"
CONTROL=127.0.0.1:9000

soak() { # WHAT OPTIONS… SECONDS; waits for what is broken are long, so that a slow machine breaks nothing by itself
  local what=$1
  shift
  # shellcheck disable=SC2086
  program_checks "$what" python3 "$(dirname "$0")/../soak/soak.py" --seed "${SOAK_SEED:-1}" "$@" "${MANAGER#tcp://}" "$CONTROL" \
    "exec $BIN/swarm manage -H $MANAGER --state-dir $WORK/state --reschedule-grace 2s --engine-flap-window 30s \
     --engine-silence-timeout 30s --engine-stop-timeout 5s file://$WORK/pool >>$WORK/manage.log 2>&1"
}

background fakes "$FAKE_ENGINES" --engines "${SOAK_ENGINES:-20}" --containers 30 --control "$CONTROL" --addresses "$WORK/pool"
waits "the fake engines are there" 60 test -s "$WORK/pool"
# Sanitizers have an allocator of their own.
# shellcheck disable=SC2086
soak "soak" --samples "$WORK/samples.log" ${SOAK_OPTIONS:---memory 0} "${SOAK_SECONDS:-20}"
soak "ends" --ends "${SOAK_ENDS:-5}" --rate 100 --churn 30 3
no_sanitizer_report
checks_end
