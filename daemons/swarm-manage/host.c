/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

static const char *go_arch(const char *machine)
{
    static const char *const names[][2] = {
        {"x86_64", "amd64"}, {"aarch64", "arm64"}, {"i386", "386"},
        {"i686", "386"},     {"armv6l", "arm"},    {"armv7l", "arm"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(machine, names[i][0]) == 0)
            return names[i][1];
    }
    return machine; /* ppc64le, s390x, riscv64, … are called the same */
}

void host_read(struct host *ret)
{
    struct utsname name;
    int known = uname(&name) == 0;

    snprintf(ret->name, sizeof(ret->name), "%.*s", (int)sizeof(ret->name) - 1, known ? name.nodename : "");
    snprintf(ret->kernel, sizeof(ret->kernel), "%.*s", (int)sizeof(ret->kernel) - 1,
             known ? name.release : "<unknown>");
    snprintf(ret->arch, sizeof(ret->arch), "%.*s", (int)sizeof(ret->arch) - 1, known ? go_arch(name.machine) : "");
}
