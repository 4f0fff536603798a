#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# documented.sh OUTPUT_DIR HEADER...: doxygen finds nothing without a description: no function, argument, answer, struct,
# member or macro; and every function says from where it may be called and since when there is it.
set -eu
out=$1
shift
root=$(dirname "$(readlink -f "$0")")/../..
status=0
awk '
  /\/\*\*/ { comment = "" }
  { comment = comment $0 }
  /^ *#/ { next }
  /SWARM_EXPORT/ {
    for (i = 1; i <= 2; i++)
      if (index(comment, i == 1 ? "Thread safety: " : "Since: ") == 0) {
        printf "%s:%d: no \"%s\" in the comment\n", FILENAME, FNR, i == 1 ? "Thread safety: " : "Since: "
        failed = 1
      }
    comment = ""
  }
  END { exit failed }' "$@" || status=1
cd "$root"
{ cat libswarm/Doxyfile && echo "OUTPUT_DIRECTORY = \"$out\""; } | doxygen - || status=1
exit $status
