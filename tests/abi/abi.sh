#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The library's ABI as abidw writes it down: exported functions, and the types that they show. Private ones are left out,
# and so is everything about the machine.
#
#   tests/abi/abi.sh dump     writes tests/abi/libswarm-VERSION.abi: once for each release, when its ABI is settled
#   tests/abi/abi.sh check    compares with the last release's: functions may be added, and members at the end of structs
#                             that begin with their size (grown.abignore); anything else is an error
#
# Builds in build-abi/.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$(readlink -f "$0")")/../.."
work=$PWD/build-abi
mkdir -p "$work"

# abidw knows private types by the names of the files that they are from, without folders; node.h is there twice.
current() { # OUTPUT
  again=
  [ ! -e "$work/build.ninja" ] || again=--reconfigure
  # shellcheck disable=SC2086
  CC=${CC:-gcc} meson setup $again -Dbuildtype=release -Dtests=false -Ddaemons=false -Dexamples=false -Dfuzz=false \
    "-Dc_args=-g -fdebug-prefix-map=../libswarm/src/=../libswarm/src/private-" "$work" >"$work/log" 2>&1 &&
    ninja -C "$work" >>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  abidw --headers-dir libswarm/include --drop-private-types --exported-interfaces-only --no-elf-needed \
    --no-corpus-path --no-comp-dir-path --no-show-locs "$work/libswarm/libswarm.so" >"$1"
  ! grep -q -e "$PWD" -e swarm__ "$1" || { echo "the dump has private parts or paths of this machine"; exit 1; }
}

compare() { # OLD NEW
  abidiff --suppressions tests/abi/grown.abignore --no-added-syms "$1" "$2"
}

case ${1:-} in
dump)
  version=$(sed -n "s/^ *version: '\([0-9.]*\)',\$/\1/p" meson.build)
  current "$work/new.abi"
  mv "$work/new.abi" "tests/abi/libswarm-$version.abi"
  echo "tests/abi/libswarm-$version.abi: $(grep -c '<elf-symbol' "tests/abi/libswarm-$version.abi") symbols"
  ;;
check)
  last=$(find tests/abi -name 'libswarm-*.abi' | sort -V | tail -n 1)
  current "$work/now.abi"
  compare "$last" "$work/now.abi" || { echo "the ABI is not that of $last any more"; exit 1; }
  # It can tell: a release with one more function, or with another type of an argument, is another one.
  sed 's/swarm_version/swarm_versions/g' "$last" >"$work/gone.abi"
  ! compare "$work/gone.abi" "$work/now.abi" >"$work/log" || { echo "a function that is gone goes unnoticed"; exit 1; }
  sed "s/type-decl name='int' size-in-bits='32'/type-decl name='int' size-in-bits='16'/" "$last" >"$work/type.abi"
  ! compare "$work/type.abi" "$work/now.abi" >"$work/log" || { echo "a type that changes goes unnoticed"; exit 1; }
  echo "the ABI is that of $last"
  ;;
*)
  sed -n '3,11s/^# \{0,1\}//p' "$0"
  exit 2
  ;;
esac
