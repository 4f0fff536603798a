#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# headers.sh INCLUDE_DIR... -- HEADER...: each header compiles alone, in C11 and in C++17, without a warning.
set -eu
includes=
while [ "$1" != -- ]; do
    includes="$includes -I$1"
    shift
done
shift
warnings='-Wall -Wextra -pedantic -Werror'
status=0
for header in "$@"; do
    name=swarm/$(basename "$header")
    # shellcheck disable=SC2086
    printf '#include <%s>\n#include <%s>\n' "$name" "$name" |
        ${CC:-cc} -std=c11 $warnings -Wstrict-prototypes $includes -fsyntax-only -x c - || status=1
    if command -v "${CXX:-c++}" >/dev/null; then
        # shellcheck disable=SC2086
        printf '#include <%s>\n' "$name" |
            ${CXX:-c++} -std=c++17 $warnings $includes -fsyntax-only -x c++ - || status=1
    else
        echo "no C++ compiler: $name was compiled as C only"
    fi
done
exit $status
