# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Closer looks at libswarm, for tests/run.sh, which has step(), step_ok(), configure() and count_meson().

# Its tests in a build of their own; counts them. library_tests NAME [MESON TEST OPTIONS…]
library_tests() {
  local name=$1
  shift
  rm -f "$out/$name/meson-logs/testlog"*.json
  meson test -C "$out/$name" --no-rebuild --num-processes 2 --timeout-multiplier 10 --suite libswarm "$@" \
    >"$out/$name-tests.log" 2>&1 </dev/null
  set -- "$out/$name/meson-logs/testlog"*.json
  [ -s "$1" ] || { no "meson test ran"; tail -n 20 "$out/$name-tests.log"; return 1; }
  [ "$1" = "$out/$name/meson-logs/testlog.json" ] || mv "$1" "$out/$name/meson-logs/testlog.json"
  count_meson "$name"
}

# Branches of libswarm that its tests take. Those that they do not are in $out/coverage-missing.txt.
coverage() {
  step "branch coverage of libswarm"
  step_ok "builds with gcov" "$out/coverage.log" build coverage gcc -Db_coverage=true -Doptimization=0 -Ddebug=true \
    -Ddaemons=false -Dexamples=false || return
  find "$out/coverage" -name '*.gcda' -delete
  library_tests coverage
  step_ok "lcov reads it" "$out/lcov.log" lcov --rc lcov_branch_coverage=1 --capture \
    --directory "$out/coverage/libswarm" --output-file "$out/coverage.info" || return
  step_ok "at least 95 % of branches are taken ($out/coverage-missing.txt)" "$out/coverage-missing.txt" \
    awk -v least=95 -f tests/coverage/branches.awk tests/coverage/exceptions "$out/coverage.info"
  tail -n 1 "$out/coverage-missing.txt"
}

under_valgrind() {
  step "libswarm under valgrind"
  step_ok "builds for valgrind" "$out/valgrind.log" build valgrind gcc -Dbuildtype=debugoptimized -Ddaemons=false \
    -Dexamples=false || return
  library_tests valgrind --setup valgrind --no-suite slow --no-suite abi
}

# Many random cases against the oracle, each time others.
differential() { # CASES
  local seed
  seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
  step "$1 random cases against the oracle, seed $seed"
  step_ok "no difference" "$out/differential.log" "$out/asan/tests/differential/differential" --cases "$1" --seed "$seed"
  tail -n 1 "$out/differential.log"
}
