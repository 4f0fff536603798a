# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What is installed serves those who build against it: headers, examples, documentation. Uses $out, step and step_ok of
# tests/run.sh; everything is built against $prefix through pkg-config, and nothing else.

# Compile against the packages named.
compile_with() { # PACKAGES COMPILER…
  local packages=$1
  shift
  # shellcheck disable=SC2046,SC2086
  "$@" $(pkg-config --cflags --libs $packages)
}
installed() { env LD_LIBRARY_PATH="$prefix/lib" "$@"; }

installed_headers() {
  local header name
  for header in "$prefix"/include/swarm/*.h; do
    name=swarm/$(basename "$header")
    # shellcheck disable=SC2046
    step_ok "<$name> compiles alone, in C11 and C++17" "$out/header.log" sh -c '
      gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only "$@" -x c /dev/null &&
      g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only "$@" -x c++ /dev/null' sh \
      $(pkg-config --cflags libswarm) -include "$name"
  done
}

# example SOURCE [ARGUMENTS…] — builds it, and keeps what it prints in OUT.
example() {
  local name
  name=$(basename "$1" .c)
  step_ok "$name.c builds with pkg-config" "$out/example-$name.log" compile_with 'libswarm jansson' \
    gcc -Wall -Wextra -Werror "$1" -o "$out/example-$name" || return
  shift
  run installed "$out/example-$name" "$@"
  equal "$name runs" "$STATUS" 0
}

installed_examples() {
  sed -n '/^```c$/,/^```$/{/^```/!p}' README.md >"$out/readme.c"
  example "$out/readme.c"
  has "the README's program places" '^goes to oslo-1$'
  sed -n '/^```c$/,/^```$/{/^```/!p}' libswarm/tutorial.md >"$out/tutorial.c"
  example "$out/tutorial.c"
  has "the tutorial's program does what the tutorial says" '^3 jobs run, 3 are written down$'
  has "and says why a job waits" '^\[region==us\]$'
  example examples/embed.c
  has "embed places" '^match-3 goes to oslo-[12]$'
  example examples/custom_filter.c
  has "custom_filter keeps racks apart" '^db-2 goes to b-1$'
  has "custom_filter refuses" '^\[rack without service db\]$'
  example examples/custom_strategy.c
  has "custom_strategy fits" '^cache goes to small$'
  has "custom_strategy refuses" '^another database goes nowhere'
  example examples/place.c
  OUT=$(installed "$out/example-place" <tests/golden/placement.jsonl | wc -l)
  equal "place answers each problem" "$OUT" "$(wc -l <tests/golden/placement.jsonl)"
  example examples/replay.c examples/state.json
  OUT=$(installed "$out/example-replay" examples/state.json spread 7 <examples/requests.jsonl 2>&1)
  has "replay places" '^shop: oslo-2 is chosen'
  has "replay knows what was there" '^backup: oslo-1 is chosen'
  has "replay refuses" '^\[port 443 \(Bridge mode\)\]$'
  has "replay explains" '^0/3 nodes fit: .*port 443 taken by web'
  refused "replay of no state" 1 installed "$out/example-replay" tests/fuzz/corpus/state/request
  has "says what is wrong" 'state: a recorded state is expected'
  step_ok "plugin.c builds with pkg-config" "$out/example-plugin.log" compile_with libswarm \
    gcc -Wall -Wextra -Werror -shared -fPIC examples/plugin.c -o "$out/price.so"
  run sh -c "ls examples/*.c | xargs -n1 basename | tr '\n' ' '"
  equal "no example is left out" "$OUT" "custom_filter.c custom_strategy.c embed.c place.c plugin.c replay.c "
  run sh -c "wc -l examples/*.c | awk '\$2 != \"total\" && \$1 >= 200'"
  equal "no example has 200 lines" "$OUT" ""
  step_ok "a C++17 program builds with pkg-config" "$out/external.log" compile_with libswarm \
    g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror tests/abi/external.cpp -o "$out/external" &&
    step_ok "and runs" "$out/external.log" installed "$out/external"
}

installed_manuals() {
  local name
  while read -r name; do
    step_ok "$(basename "$name") is clean" "$out/mandoc.log" mandoc -Tlint -Wwarning "$name"
  done < <(find "$prefix/share/man" -type f 2>/dev/null | sort)
  for name in swarm.1 swarm-manage.1 swarm-join.1 libswarm.3; do
    step_ok "$name is there" "$out/mandoc.log" test -s "$prefix/share/man/man${name##*.}/$name"
  done
  # shellcheck disable=SC2046
  step_ok "everything public is documented" "$out/doxygen.log" tests/abi/documented.sh "$out/doxygen" \
    "$prefix"/include/swarm/*.h
}

installed_checks() {
  local prefix=$out/gcc/install name
  export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
  step "the installed library"
  installed_headers
  installed_examples
  for name in swarm swarm-manage swarm-join; do
    step_ok "$name --version" "$out/version.log" installed "$prefix/bin/$name" --version
  done
  installed_manuals
}
