# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The thread sanitizer, for tests/run.sh, which has step(), step_ok(), build(), count_meson() and integration_tests().

tsan_build() { # NAME OPTIONS…
  local name=$1
  shift
  step_ok "builds with clang and TSan" "$out/$name.log" build "$name" clang -Db_sanitize=thread -Db_lundef=false \
    -Ddebug=true -Doptimization=1 -Dexamples=false "$@"
}

# What may run on several threads of a program with libswarm does, watched.
tsan() {
  step "the thread sanitizer"
  tsan_build tsan -Ddaemons=false || return
  step_ok "no data race" "$out/tsan-threads.log" env TSAN_OPTIONS=halt_on_error=1 \
    "$out/tsan/tests/unit/libswarm/test_threads"
}

# The load bench's manager keeps no log behind: its reports go to files.
tsan_load() {
  local reports=$out/tsan-load.reports
  rm -rf "$reports" && mkdir -p "$reports"
  step_ok "bench-load at 100 engines" "$out/tsan-load.log" env TSAN_OPTIONS="$TSAN_OPTIONS:log_path=$reports/report" \
    "$out/tsan-daemons/tests/bench/bench-load" --engines 100 --containers 30 --operations 200 --idle 5
  if [ -z "$(ls "$reports")" ]; then ok "and no data race in it"; else
    no "and no data race in it ($reports)"
    cat "$reports"/* | head -n 80
  fi
}

# The daemons: their tests, the load bench, a soak, and ends with everything under way.
tsan_daemons() {
  step "the daemons under the thread sanitizer"
  export TSAN_OPTIONS=suppressions=$PWD/tests/lib/tsan.supp:second_deadlock_stack=1:history_size=4
  stage=$out/tsan-daemons/install
  tsan_build tsan-daemons -Ddaemons=true -Dtests=true -Dfuzz=false &&
    step_ok "installs" "$out/tsan-install.log" \
      sh -c "rm -rf '$stage' && meson install --no-rebuild -C '$out/tsan-daemons'" || return
  rm -f "$out/tsan-daemons/meson-logs/testlog.json"
  meson test -C "$out/tsan-daemons" --no-rebuild --num-processes 2 --timeout-multiplier 10 --suite common --suite manage \
    >"$out/tsan-tests.log" 2>&1 </dev/null
  if [ -s "$out/tsan-daemons/meson-logs/testlog.json" ]; then count_meson tsan-daemons; else no "meson test ran"; fi
  tsan_load
  SOAK_ENGINES=100 SOAK_SECONDS=60 SOAK_ENDS=20 integration_tests soak
}
