#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# examples/plugin.c, built against the installed library, decides where containers go: its strategy chooses, its filter
# refuses. What is wrong with a plugin ends the manager with a reason.
# shellcheck disable=SC2086 # $D is a command with options
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"

docker=$(docker_clis | head -n 1)
D="$docker -H $MANAGER"
examples=$(readlink -f "$(dirname "$0")/../../examples")
export PKG_CONFIG_PATH=$BIN/../lib/pkgconfig
nodes=nodes://10.9.0.2:2375,10.9.0.3:2375,10.9.0.4:2375

# compile SOURCE OUTPUT [cc options…]
compile() {
  local source=$1 output=$2
  shift 2
  # shellcheck disable=SC2046
  gcc -shared -fPIC -Wall -Wextra -Werror "$@" "$source" -o "$output" $(pkg-config --cflags --libs libswarm)
}

# fatal WHAT TEXT ARGUMENTS…: the manager ends with status 1 and says TEXT.
fatal() {
  local what=$1 text=$2
  shift 2
  run timeout 20 "$BIN/swarm" manage -H "$MANAGER" "$@" $nodes
  OUT=${OUT//\\\"/\"} # a log line quotes
  has_text "$what: said" "$text"
  equal "$what: status" "$STATUS" 1
}

placed_on() { $D ps -a --format '{{.Names}}' --filter "name=$1" | cut -d/ -f1; } # CONTAINER

cd "$WORK" || exit 1
check "the plugin builds with pkg-config" compile "$examples/plugin.c" "$WORK/price.so"
echo 'int nothing;' >"$WORK/nothing.c"
compile "$WORK/nothing.c" "$WORK/nothing.so"
printf '#include <swarm/plugin.h>\nconst struct swarm_plugin swarm_plugin_entry = {sizeof(swarm_plugin_entry), 99, "new", 0};\n' >"$WORK/new.c"
compile "$WORK/new.c" "$WORK/new.so"

# --- what is wrong is said ---
fatal "a file that is not there" '--plugin /none.so: cannot be opened: No such file or directory' --plugin /none.so:x
fatal "a file that is no library" '--plugin nothing.c: cannot be opened: ' --plugin nothing.c
fatal "a library that is no plugin" '--plugin nothing.so: it is no plugin: it has no symbol swarm_plugin_entry' --plugin nothing.so
fatal "another ABI" '--plugin new.so: plugin: it was built for plugin ABI 99, this library has 1' --plugin new.so
fatal "arguments that it does not take" '--plugin price.so: plugin price: the key of a node label is needed' --plugin price.so
fatal "the same names twice" '--plugin price.so: plugin price: filter priced exists already' --plugin price.so:a --plugin price.so:b
fatal "a strategy that no plugin has" "strategy not supported" --plugin price.so:price --strategy dearest
fatal "a filter that no plugin has" "filter not supported" --plugin price.so:price --filter free

# --- it decides ---
engine n1 2 --label price=30 || exit 1
engine n2 3 --label price=10 || exit 1
engine n3 4 || exit 1
manager manage --plugin price.so:price --strategy cheapest --filter health --filter priced $nodes || exit 1
waits "the pool is healthy" 120 nodes_healthy 3
run $D info
has "info: strategy" '^ *Strategy: cheapest$'
has "info: filters" '^ *Filters: health, priced$'
for i in 1 2 3; do
  check "run $i" $D run -d --name "c$i" busybox sleep 3600
  equal "it is on the cheapest node, which spread would leave" "$(placed_on c$i)" n2
done
refused "a node that is cheap enough is not there" 125 $D run -d -l max-price=5 busybox
has "the refusal lists what the plugin looked for" '^\[price 5\]'
refused "a label that the plugin cannot read" 125 $D run -d -l max-price=cheap busybox
has "is named by the plugin" "filter priced: label max-price is 'cheap': a whole number is expected"
engine_kill n2
waits "the cheapest node is gone" 120 nodes_healthy 2
check "run when it is gone" $D run -d --name c4 busybox sleep 3600
equal "it is on the next one, never on the one without a price" "$(placed_on c4)" n1
ends manage
equal "the manager ends with status 0 on SIGTERM" $? 0
no_sanitizer_report
checks_end
