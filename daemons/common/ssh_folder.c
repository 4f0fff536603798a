/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "text.h"

/* In a session of its own: what ends the manager by its terminal does not end the keeper before it. */
static int attributes_init(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawnattr_init(attributes) != 0)
        return -1;
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return 0;
}

/* Its standard input ends with this process. An errno. */
static int start_keeper(struct ssh_folder *folder, int input)
{
    static char shell[] = "/bin/sh", option[] = "-c",
                script[] = "PATH=/usr/bin:/bin; cat >/dev/null; rm -f -- \"$0\"/*; rmdir -- \"$0\"";
    char *const argv[] = {shell, option, script, folder->path, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions) != 0 || attributes_init(&attributes) != 0)
        return ENOMEM;
    int result = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (result == 0)
        result = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (result == 0)
        result = posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    if (result == 0)
        result = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    if (result == 0)
        result = posix_spawn(&folder->keeper, shell, &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return result;
}

static void keep(struct ssh_folder *folder)
{
    int ends[2], result = pipe2(ends, O_CLOEXEC) < 0 ? errno : 0;
    if (result == 0) {
        result = start_keeper(folder, ends[0]);
        close(ends[0]);
        if (result == 0)
            folder->alive_fd = ends[1];
        else
            close(ends[1]);
    }
    if (result != 0)
        log_warn("The folder %s will be left behind where this process is killed: %s", folder->path, strerror(result));
}

int ssh_folder_make(struct ssh_folder *folder, char **reterr)
{
    const char *const places[] = {getenv("RUNTIME_DIRECTORY"), getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp"};
    folder->path = NULL;
    folder->alive_fd = -1;
    for (size_t i = 0; i < sizeof places / sizeof *places && !folder->path; i++) {
        /* ssh would read more than a path in some, and a socket's may not be long. */
        if (!places[i] || *places[i] != '/' || strpbrk(places[i], " \t\"'%$~:\\") || strlen(places[i]) > 60)
            continue;
        folder->path = text_format("%s/swarm-ssh.XXXXXX", places[i]);
        if (folder->path && !mkdtemp(folder->path)) {
            free(folder->path);
            folder->path = NULL;
        }
    }
    if (!folder->path) {
        *reterr = text_format("no directory for the sockets of ssh could be made in /tmp: %s", strerror(errno));
        return -1;
    }
    keep(folder);
    return 0;
}

void ssh_folder_remove(struct ssh_folder *folder)
{
    if (!folder->path)
        return;
    if (folder->alive_fd >= 0) {
        close(folder->alive_fd);
        while (waitpid(folder->keeper, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    rmdir(folder->path);
    free(folder->path);
    folder->path = NULL;
}
