# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Checks and their count. A check prints "ok   WHAT" or "FAIL WHAT (why)"; checks_end prints "N passed, N failed".

checks_passed=0
checks_failed=0
OUT=    # what the last `run` printed, stdout and stderr
STATUS= # and its exit status

ok() {
  checks_passed=$((checks_passed + 1))
  echo "ok   $*"
}

no() {
  checks_failed=$((checks_failed + 1))
  echo "FAIL $*"
}

# One line, not too long, for a message.
excerpt() { head -c 400 <<<"$1" | tr '\n' '|'; }

# run COMMAND…: keep its output in OUT and its exit status in STATUS.
run() {
  OUT=$("$@" 2>&1 </dev/null)
  STATUS=$?
}

# check WHAT COMMAND…: passes when the command succeeds.
check() {
  local what=$1
  shift
  run "$@"
  if [ "$STATUS" = 0 ]; then ok "$what"; else no "$what (exit status $STATUS of: $*: $(excerpt "$OUT"))"; fi
}

# refused WHAT STATUS COMMAND…: passes when the command exits with that status.
refused() {
  local what=$1 wanted=$2
  shift 2
  run "$@"
  if [ "$STATUS" = "$wanted" ]; then ok "$what"; else no "$what (exit status $STATUS, not $wanted: $(excerpt "$OUT"))"; fi
}

# has WHAT REGEX: some line of OUT matches.
has() {
  if grep -Eq -- "$2" <<<"$OUT"; then ok "$1"; else no "$1 (no line like /$2/ in: $(excerpt "$OUT"))"; fi
}

# lacks WHAT REGEX: no line of OUT matches.
lacks() {
  if grep -Eq -- "$2" <<<"$OUT"; then no "$1 (a line like /$2/ in: $(excerpt "$OUT"))"; else ok "$1"; fi
}

# has_text WHAT TEXT: OUT contains the text, which may have several lines.
has_text() {
  case $OUT in *"$2"*) ok "$1" ;; *) no "$1 (wanted '$(excerpt "$2")' in: $(excerpt "$OUT"))" ;; esac
}

# equal WHAT GOT WANTED
equal() {
  if [ "$2" = "$3" ]; then ok "$1"; else no "$1 (got '$(excerpt "$2")', wanted '$(excerpt "$3")')"; fi
}

# until_ok SECONDS COMMAND…: repeat it until it succeeds. The seconds are a limit for what is broken, not a measure.
until_ok() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.2
  done
}

# waits WHAT SECONDS COMMAND…: a check that may take a while to come true.
waits() {
  local what=$1 limit=$2
  shift 2
  if until_ok "$limit" "$@"; then ok "$what"; else no "$what (not within $limit s: $*)"; fi
}

# program_checks WHAT COMMAND…: a program that prints such lines itself, and "end" as its last one; its checks count.
program_checks() {
  local what=$1 line last=
  shift
  while IFS= read -r line; do
    last=$line
    case $line in
    'ok '*) checks_passed=$((checks_passed + 1)) ;;
    'FAIL '*) checks_failed=$((checks_failed + 1)) ;;
    end) continue ;;
    esac
    printf '%s\n' "$line"
  done < <("$@" 2>&1 </dev/null)
  [ "$last" = end ] || no "$what: it comes to its end ($(excerpt "$last"))"
}

checks_end() {
  echo "$checks_passed passed, $checks_failed failed"
  [ "$checks_failed" = 0 ]
}
