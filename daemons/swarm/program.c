/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"

enum { GLOBALS_MAX = 3 };

int fail_plainly(const char *format, ...)
{
    time_t now = time(NULL);
    struct tm local;
    char text[40];
    va_list arguments;
    localtime_r(&now, &local);
    strftime(text, sizeof text, "%Y/%m/%d %H:%M:%S", &local);
    fprintf(stderr, "%s ", text);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return 1;
}

/* "--debug=true" and the like of the options that were given, NULL-ended. -1 for lack of memory. */
static int given_globals(const struct command *globals, char *texts[GLOBALS_MAX + 1])
{
    static const char *const names[GLOBALS_MAX] = {"debug", "log-level", "experimental"};
    int count = 0;
    for (int i = 0; i < GLOBALS_MAX; i++) {
        const struct option *option = option_find(globals, names[i]);
        const char *value = option->kind == OPTION_BOOL ? (option->flag ? "true" : "false") : option->value;
        if (!option->given)
            continue;
        if (asprintf(&texts[count], "--%s=%s", names[i], value) < 0) {
            texts[count] = NULL;
            return -1;
        }
        count++;
    }
    return 0;
}

/* The globals go where the command's flags begin: words before these must stay before all flags. */
static char **build_argv(char *path, char *const *globals, int argc, char **argv)
{
    char **all = calloc((size_t)argc + GLOBALS_MAX + 2, sizeof *all);
    int used = 0, i = 0;
    if (!all)
        return NULL;
    all[used++] = path;
    while (i < argc && (argv[i][0] != '-' || argv[i][1] == '\0'))
        all[used++] = argv[i++];
    while (*globals)
        all[used++] = *globals++;
    while (i < argc)
        all[used++] = argv[i++];
    return all;
}

/* Path of @p name beside this program into @p path; false where it is not there. */
static bool find_beside(const char *name, char *path, size_t size)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0)
        return false;
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    if (!slash)
        return false;
    *slash = '\0';
    int written = snprintf(path, size, "%s/%s", self, name);
    return written > 0 && (size_t)written < size && access(path, X_OK) == 0;
}

int program_run(const char *name, const struct command *globals, int argc, char **argv)
{
    char path[PATH_MAX + 32], *given[GLOBALS_MAX + 1] = {NULL};
    bool beside = find_beside(name, path, sizeof path);
    if (!beside)
        snprintf(path, sizeof path, "%s", name);
    char **all = given_globals(globals, given) == 0 ? build_argv(path, given, argc, argv) : NULL;
    errno = ENOMEM;
    if (all && beside)
        execv(path, all);
    else if (all)
        execvp(path, all);
    int status = fail_plainly("%s: %s (it is looked for beside swarm, then in $PATH)", path, strerror(errno));
    free(all);
    for (int i = 0; given[i]; i++)
        free(given[i]);
    return status;
}
