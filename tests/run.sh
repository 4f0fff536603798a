#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds everything and runs every test, as root on Debian; installs what that needs. The last line is
# "N passed, N failed", the exit status 0 where nothing failed.
#
#   tests/run.sh                       all of it
#   tests/run.sh unit                  unit tests, golden cases and fuzz regressions, under ASan and UBSan
#   tests/run.sh integration [NAME…]   tests on real engines (cli, main_job, …), with programs built the same way
#   tests/run.sh cli-table [write]     every docker command and flag on one engine and on a pool: the same answers (20
#                                      minutes); write: README's table of them, too
#   tests/run.sh leaving [ROUNDS]      agents, machines and stores that go, on every store, that often (10)
#   tests/run.sh leadership [ROUNDS]   what can happen to the primary of three managers, that often (50) on each store, and
#                                      how long it takes until there is another; LEADERSHIP_SEED, LEADERSHIP_STORES
#   tests/run.sh faults [ROUNDS]       random faults, with clients that are to be kept what they were promised, so many
#                                      rounds (100) of each form; FAULT_SEED, FAULT_FORMS
#   tests/run.sh fuzz [SECONDS]        every fuzz target for that long (300)
#   tests/run.sh differential [CASES]  libswarm against the oracle, that many random cases (100000)
#   tests/run.sh coverage              branches of libswarm that its tests take: at least 95 %, but for tests/coverage
#   tests/run.sh soak [MINUTES]        a manager over 1,000 engines under churn and faults, that long (60): what it takes does
#                                      not grow, and its lists are the engines' own; SOAK_SEED
#   tests/run.sh tsan                  the thread sanitizer: threads on libswarm, the daemons' tests, the load bench at 100
#                                      engines, a soak, and ends with everything under way
#   tests/run.sh valgrind              the tests of libswarm under valgrind
#
# Builds and logs are kept in build-tests/.
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
out=$PWD/build-tests
stage=$out/asan/install # the sanitized programs
mkdir -p "$out"
# shellcheck source-path=SCRIPTDIR source=lib/checks.sh
. tests/lib/checks.sh
# shellcheck source-path=SCRIPTDIR source=lib/installed.sh
. tests/lib/installed.sh

# shellcheck source-path=SCRIPTDIR source=lib/library.sh
. tests/lib/library.sh
# shellcheck source-path=SCRIPTDIR source=lib/tsan.sh
. tests/lib/tsan.sh

export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1

step() { printf '\n== %s\n' "$*"; }

# step_ok WHAT LOG COMMAND…: one check; what failed shows its errors and the end of its log.
step_ok() {
  local what=$1 log=$2
  shift 2
  if "$@" >"$log" 2>&1 </dev/null; then ok "$what"; else
    no "$what"
    grep -E 'error:|FAILED:' "$log" | head -n 20
    tail -n 20 "$log"
    return 1
  fi
}

# configure NAME CC OPTIONS…: a build folder; warnings are errors in all of them.
configure() {
  local dir=$out/$1 cc=$2 again=
  shift 2
  [ ! -e "$dir/build.ninja" ] || again=--reconfigure
  # shellcheck disable=SC2086
  CC=$cc meson setup $again --werror --prefix="$dir/install" --libdir=lib "$@" "$dir"
}
build() { configure "$@" && ninja -C "$out/$1"; }

build_sanitized() {
  step_ok "builds with clang, -Werror, ASan and UBSan, all options on" "$out/asan.log" build asan clang \
    -Ddebug=true -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false \
    "-Dc_args=-fno-sanitize-recover=all -fno-omit-frame-pointer" \
    -Ddaemons=true -Dtests=true -Dexamples=true -Dfuzz=true -Dzookeeper=enabled &&
    step_ok "installs with sanitizers" "$out/asan-install.log" \
      sh -c "rm -rf '$stage' && meson install --no-rebuild -C '$out/asan'"
}

build_release() {
  step_ok "builds with gcc, -Werror, all options on" "$out/gcc.log" build gcc gcc \
    -Dbuildtype=release -Ddaemons=true -Dtests=true -Dexamples=true -Dzookeeper=enabled &&
    step_ok "installs" "$out/gcc-install.log" \
      sh -c "rm -rf '$out/gcc/install' && meson install --no-rebuild -C '$out/gcc'"
}

build_others() {
  build_release
  step_ok "builds with gcc, -Werror, all options off" "$out/off.log" build off gcc \
    -Dbuildtype=release -Ddaemons=false -Dtests=false -Dexamples=false -Dfuzz=false -Dzookeeper=disabled
}

# What `meson test` ran: a line a program; cmocka's own counts where it prints them.
count_meson() { # NAME
  local name passed failed
  while IFS=$'\t' read -r name passed failed; do
    checks_passed=$((checks_passed + passed))
    checks_failed=$((checks_failed + failed))
    if [ "$failed" = 0 ]; then echo "ok   $name: $passed"; else echo "FAIL $name: $failed of $((passed + failed))"; fi
  done < <(jq -r '
    def count(word): [(.stdout // ""), (.stderr // "") | scan("\\[  " + word + "  \\] ([0-9]+) test") | .[0] | tonumber] | add // 0;
    select(.result != "SKIP") | count("PASSED") as $p | count("FAILED") as $f |
    if (.result == "OK" or .result == "EXPECTEDFAIL") then [.name, ([$p, 1] | max), $f]
    else [.name, $p, ([$f, 1] | max)] end | @tsv' "$out/$1/meson-logs/testlog.json")
}

unit_tests() {
  step "unit tests, golden cases and fuzz regressions under ASan and UBSan"
  rm -f "$out/asan/meson-logs/testlog.json"
  meson test -C "$out/asan" --no-rebuild --num-processes 2 --timeout-multiplier 10 >"$out/unit.log" 2>&1 </dev/null
  [ -s "$out/asan/meson-logs/testlog.json" ] || { no "meson test ran"; tail -n 20 "$out/unit.log"; return; }
  count_meson asan
  jq -r 'select(.result | IN("OK", "EXPECTEDFAIL", "SKIP") | not) | "--- \(.name) (\(.result)):", (.stdout // ""), (.stderr // "")' \
    "$out/asan/meson-logs/testlog.json" |
    grep -vE '^\[ RUN|^\[       OK|^$' | head -n 200
}

# One integration test, in a shell of its own: its own checks count, in NAME.count.
integration_test() { # FILE
  local name log last reports begin=$SECONDS checks_passed=0 checks_failed=0
  name=$(basename "$1" .sh)
  log=$out/$name.log
  reports=$out/$name.reports
  rm -rf "$reports" && mkdir -p "$reports"
  ASAN_OPTIONS=$ASAN_OPTIONS:log_path=$reports/report UBSAN_OPTIONS=$UBSAN_OPTIONS:log_path=$reports/report \
    BIN=$stage/bin LD_LIBRARY_PATH=$stage/lib KEEP_LOGS=$out/$name.logs timeout --foreground -k 30 "${TEST_LIMIT:-1500}" bash "$1" >"$log" 2>&1 </dev/null
  if [ -n "$(ls "$reports")" ]; then
    no "$name: no sanitizer report ($reports)"
    cat "$reports"/* | head -n 80
  fi
  last=$(tail -n 1 "$log")
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] && [ "$((BASH_REMATCH[1] + BASH_REMATCH[2]))" -gt 0 ]; then
    checks_passed=$((checks_passed + BASH_REMATCH[1]))
    checks_failed=$((checks_failed + BASH_REMATCH[2]))
    if [ "${BASH_REMATCH[2]}" = 0 ]; then
      echo "ok   $name: ${BASH_REMATCH[1]} ($((SECONDS - begin)) s)"
    else
      echo "FAIL $name: ${BASH_REMATCH[2]} of $((BASH_REMATCH[1] + BASH_REMATCH[2])) ($((SECONDS - begin)) s; $log)"
      grep -A 30 '^FAIL' "$log" | grep -v '^ok' | head -n 80
    fi
  else
    no "$name ends with its count ($log)"
    tail -n 40 "$log"
  fi
  echo "$checks_passed $checks_failed" >"$out/$name.count"
}

count_integration() { # NAME
  local passed failed
  read -r passed failed 2>/dev/null <"$out/$1.count" || { no "the test $1 is there and runs to its end"; return; }
  checks_passed=$((checks_passed + passed))
  checks_failed=$((checks_failed + failed))
}

# Two at a time: each has namespaces of its own, and most of its time is waiting.
node_modules() { step_ok "installs the npm packages of tests/clients" "$out/npm.log" tests/lib/node_modules.sh "$out/clients"; }

integration_tests() { # [NAME…]
  local name names=("$@")
  step "integration tests on real engines"
  [ $# != 0 ] || mapfile -t names < <(cd tests/integration && printf '%s\n' test_*.sh | sed 's/^test_//; s/\.sh$//')
  for name in "${names[@]}"; do
    rm -f "$out/test_$name.count"
    [ -e "tests/integration/test_$name.sh" ] || continue
    while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
    integration_test "tests/integration/test_$name.sh" &
  done
  wait
  for name in "${names[@]}"; do count_integration "test_$name"; done
}

cli_table() { # all|write
  step "docker commands and flags"
  rm -f "$out/cli_table.count"
  CLI_TABLE=$1 TEST_LIMIT=7200 integration_test tests/cli_table/cli_table.sh
  count_integration cli_table
}

leadership() { # ROUNDS
  TEST_LIMIT=86400 LEADERSHIP_ROUNDS=$1 integration_tests leadership
  grep -h -A 4 'until another one leads' "$out/test_leadership.log"
}

# Without sanitizers, whose allocators are not what is measured.
soak() { # MINUTES
  stage=$out/gcc/install
  SOAK_OPTIONS="--memory 1" SOAK_ENGINES=1000 SOAK_SECONDS=$(($1 * 60)) TEST_LIMIT=$(($1 * 120 + 1800)) integration_tests soak
  grep '^ .* s: ' "$out/test_soak.log"
}

fuzz() { # SECONDS
  local target name corpus dictionary
  step "fuzz targets, $1 s each"
  for target in "$out"/asan/tests/fuzz/fuzz_*; do
    [ -f "$target" ] && [ -x "$target" ] || continue
    name=$(basename "$target")
    mkdir -p "$out/corpus/$name"
    corpus=tests/fuzz/corpus/${name#fuzz_}
    [ -d "$corpus" ] || corpus=
    dictionary=tests/fuzz/${name#fuzz_}.dict
    # shellcheck disable=SC2086,SC2046
    # The entropic schedule costs more than the longer targets' runs do.
    step_ok "$name" "$out/$name.log" "$target" -entropic=0 -max_total_time="$1" -artifact_prefix="$out/$name-" -print_final_stats=1 \
      $([ ! -e "$dictionary" ] || echo "-dict=$dictionary") \
      "$out/corpus/$name" $corpus
  done
}

case ${1:-all} in
all | unit | integration | leaving | leadership | faults | cli-table | fuzz | differential | coverage | soak | tsan | valgrind) ;;
*)
  sed -n '3,26s/^# \{0,1\}//p' "$0"
  exit 2
  ;;
esac
tests/lib/packages.sh build run test node || exit 1
# These have builds of their own.
case ${1:-all} in
coverage) coverage ;;
soak) build_release && soak "${2:-60}" ;;
tsan)
  tsan
  tsan_daemons
  ;;
valgrind) under_valgrind ;;
esac
case ${1:-all} in
coverage | soak | tsan | valgrind)
  echo
  checks_end
  exit
  ;;
esac
step "building (logs in $out)"
build_sanitized || { checks_end; exit 1; }
case ${1:-all} in
unit) unit_tests ;;
integration)
  node_modules
  integration_tests "${@:2}"
  ;;
faults) TEST_LIMIT=86400 FAULT_ROUNDS=${2:-100} FAULT_FORMS=${FAULT_FORMS:-file:1 etcd:1 etcd:3} integration_tests faults ;;
leaving) LEAVING_ROUNDS=${2:-10} integration_tests leaving ;;
leadership) leadership "${2:-50}" ;;
cli-table) cli_table "${2:-all}" ;;
fuzz) fuzz "${2:-300}" ;;
differential) differential "${2:-100000}" ;;
all)
  build_others
  unit_tests
  tsan
  installed_checks
  step_ok "the ABI is that of the last release" "$out/abi.log" tests/abi/abi.sh check
  step_ok "README has what docker's commands come to" "$out/cli_table_readme.log" tests/cli_table/readme.py check
  node_modules
  integration_tests
  ;;
esac
echo
checks_end
