#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# symbols.sh LIBRARY MAP HEADER...: the library exports what the map lists and what the headers declare, and nothing else.
set -eu
LC_ALL=C
export LC_ALL
library=$1 map=$2
shift 2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Names that are declared with SWARM_EXPORT, which may be a line or two before the name's parenthesis.
cat "$@" | sed -e 's,^ *#.*,,' | tr '\n' ' ' | grep -o 'SWARM_EXPORT [^;]*;' |
    grep -oE '\bswarm_[a-z0-9_]+\(' | tr -d '(' | sort -u >"$dir/headers"
sed -n '/global:/,/local:/p' "$map" | grep -oE 'swarm_[a-z0-9_]+' | sort -u >"$dir/map"
# Of the versioned ones only: the version node is a symbol itself.
nm -D --defined-only "$library" | sed -e 's/@.*//' | awk '$2 != "A" { print $3 }' | sort -u >"$dir/library"

status=0
for other in map library; do
    if ! diff "$dir/headers" "$dir/$other" >"$dir/diff"; then
        echo "headers (<) and $other (>) differ:"
        cat "$dir/diff"
        status=1
    fi
done
[ -s "$dir/headers" ] || status=1
exit $status
