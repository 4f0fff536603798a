# SPDX-License-Identifier: Apache-2.0
# awk -v least=95 -f branches.awk EXCEPTIONS TRACE.info: the share of branches taken in what lcov has recorded, without
# those that EXCEPTIONS lists. Each branch that was not taken is told. Fails under LEAST percent, and where there is an
# exception for nothing.

function source_line(file, number,    text, at) {
  if (!(file in read)) {
    read[file] = 1
    for (at = 1; (getline text < file) > 0; at++)
      lines[file, at] = text
    close(file)
  }
  return lines[file, number]
}

function is_excepted(name, text,    i) {
  for (i = 1; i <= exceptions; i++)
    if ((files[i] == "*" || files[i] == name) && index(text, texts[i]) > 0) {
      used[i] = 1
      return 1
    }
  return 0
}

FNR == NR {
  if ($0 !~ /^#/ && split($0, part, "\t") == 3) {
    files[++exceptions] = part[1]
    texts[exceptions] = part[2]
  }
  next
}

/^SF:/ {
  file = substr($0, 4)
  name = file
  sub(/.*\//, "", name)
  wanted = file ~ /libswarm\/src\//
}

wanted && /^BRDA:/ {
  split(substr($0, 6), field, ",")
  if (field[4] != "-" && field[4] != "0") {
    taken++
  } else {
    text = source_line(file, field[1])
    if (is_excepted(name, text)) {
      excepted++
    } else {
      missed++
      sub(/^ */, "", text)
      printf "%s:%d: %s\n", name, field[1], text
    }
  }
}

END {
  failed = 0
  for (i = 1; i <= exceptions; i++)
    if (!used[i]) {
      printf "exception for nothing: %s: %s\n", files[i], texts[i]
      failed = 1
    }
  share = taken + missed > 0 ? 100 * taken / (taken + missed) : 0
  printf "%.1f %% of branches: %d taken, %d not, %d excepted\n", share, taken, missed, excepted
  exit(failed || share < least)
}
