# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0

# What is installed serves those who build against it.
installed_checks() {
  step "the installed library"
  local prefix=$out/gcc/install source name header
  export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
  for header in "$prefix"/include/swarm/*.h; do
    name=swarm/$(basename "$header")
    # shellcheck disable=SC2046
    step_ok "<$name> compiles alone" "$out/header.log" gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only \
      $(pkg-config --cflags libswarm) -include "$name" -x c /dev/null
  done
  sed -n '/^```c$/,/^```$/{/^```/!p}' README.md >"$out/readme.c"
  for source in "$out/readme.c" examples/*.c; do
    name=$(basename "$source" .c)
    # shellcheck disable=SC2046
    case $name in
    plugin)
      step_ok "plugin.c builds with pkg-config" "$out/example-$name.log" gcc -Wall -Wextra -Werror -shared -fPIC \
        -o "$out/price.so" "$source" $(pkg-config --cflags --libs libswarm)
      ;;
    *)
      step_ok "$name.c builds with pkg-config" "$out/example-$name.log" gcc -Wall -Wextra -Werror \
        -o "$out/example-$name" "$source" $(pkg-config --cflags --libs libswarm jansson) &&
        step_ok "$name runs" "$out/example-$name.log" env LD_LIBRARY_PATH="$prefix/lib" "$out/example-$name"
      ;;
    esac
  done
  for name in swarm swarm-manage swarm-join; do
    step_ok "$name --version" "$out/version.log" env LD_LIBRARY_PATH="$prefix/lib" "$prefix/bin/$name" --version
  done
  while read -r name; do
    step_ok "$(basename "$name") is clean" "$out/mandoc.log" mandoc -Tlint -Wwarning "$name"
  done < <(find "$prefix/share/man" -type f 2>/dev/null | sort)
  step_ok "there are man pages" "$out/mandoc.log" test -n "$(find "$prefix/share/man" -type f 2>/dev/null)"
}
