/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh_bridge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "deadline.h"
#include "log.h"
#include "ssh_bridge_internal.h"
#include "text.h"

enum {
    BACKLOG = 4096,     /* of connections that are not taken yet; the kernel's limit is lower */
    TROUBLE_MS = 10000, /* for which the words about a failure stand */
};

struct ssh_bridges *ssh_bridges_new(const char *const *options)
{
    struct ssh_bridges *bridges = calloc(1, sizeof *bridges);
    if (!bridges)
        return NULL;
    bridges->options = options;
    pthread_mutex_init(&bridges->lock, NULL);
    pthread_cond_init(&bridges->changed, NULL);
    return bridges;
}

void ssh_bridges_free(struct ssh_bridges *bridges)
{
    if (!bridges)
        return;
    pthread_mutex_lock(&bridges->lock);
    while (bridges->running > 0)
        pthread_cond_wait(&bridges->changed, &bridges->lock);
    pthread_mutex_unlock(&bridges->lock);
    ssh_folder_remove(&bridges->folder);
    pthread_cond_destroy(&bridges->changed);
    pthread_mutex_destroy(&bridges->lock);
    free(bridges);
}

/* --- what went wrong --- */

void ssh_bridge_note(struct ssh_bridge *bridge, enum ssh_trouble trouble, const char *words, bool tell)
{
    pthread_mutex_lock(&bridge->lock);
    bool news = !bridge->told || strcmp(bridge->words, words) != 0;
    bridge->told = true;
    bridge->trouble = trouble;
    bridge->trouble_ms = deadline_now_ms();
    snprintf(bridge->words, sizeof bridge->words, "%s", words);
    pthread_mutex_unlock(&bridge->lock);
    if (news && tell)
        log_warn_with(LOG_FIELDS({"addr", bridge->address}), "The connection through ssh failed: %s", words);
}

enum ssh_trouble ssh_bridge_trouble(struct ssh_bridge *bridge, char *words, size_t size)
{
    enum ssh_trouble trouble = SSH_NO_TROUBLE;
    pthread_mutex_lock(&bridge->lock);
    if (bridge->trouble != SSH_NO_TROUBLE && deadline_now_ms() - bridge->trouble_ms < TROUBLE_MS) {
        trouble = bridge->trouble;
        snprintf(words, size, "%s", bridge->words);
    }
    pthread_mutex_unlock(&bridge->lock);
    return trouble;
}

void ssh_bridge_note_end(struct ssh_bridge *bridge, const struct ssh_process *process, int status)
{
    char words[sizeof bridge->words], others[sizeof bridge->words];
    ssh_process_words(process, words, sizeof words);
    /* The ends of sessions whose connection ended are not worth a word: that has said why. */
    if (*words == '\0' && ssh_bridge_trouble(bridge, others, sizeof others) != SSH_NO_TROUBLE)
        return;
    bool down = status == 1 &&
                (strstr(words, "connect: connection refused") || strstr(words, "connect: no such file or directory"));
    if (*words == '\0')
        snprintf(words, sizeof words, "ssh ended with status %d and said nothing", status);
    ssh_bridge_note(bridge, down ? SSH_ENGINE_DOWN : SSH_TROUBLE, words, true);
}

/* --- opening and closing --- */

static int listen_at(struct ssh_bridge *bridge, char **reterr)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    memcpy(name.sun_path, bridge->socket, sizeof name.sun_path);
    bridge->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bridge->listen_fd >= 0 && bind(bridge->listen_fd, (const struct sockaddr *)&name, sizeof name) == 0 &&
        listen(bridge->listen_fd, BACKLOG) == 0)
        return 0;
    *reterr = text_format("socket %s: %s", bridge->socket, strerror(errno));
    return -1;
}

void ssh_bridge_free(struct ssh_bridge *bridge)
{
    if (bridge->listen_fd >= 0) {
        close(bridge->listen_fd);
        unlink(bridge->socket);
    }
    pthread_mutex_destroy(&bridge->lock);
    free(bridge->address);
    free(bridge);
}

int ssh_bridge_open(struct ssh_bridge **ret, struct ssh_bridges *bridges, const char *address, char **reterr)
{
    struct ssh_bridge *bridge = calloc(1, sizeof *bridge);
    const char *wrong = bridge ? ssh_address_parse(&bridge->to, address) : NULL;
    if (!bridge || wrong) {
        *reterr = bridge ? text_format("address %s: %s", address, wrong) : NULL;
        free(bridge);
        return -1;
    }
    bridge->bridges = bridges;
    bridge->listen_fd = -1;
    pthread_mutex_init(&bridge->lock, NULL);
    bridge->address = strdup(address);
    pthread_mutex_lock(&bridges->lock);
    int result = bridges->folder.path ? 0 : ssh_folder_make(&bridges->folder, reterr);
    unsigned number = bridges->next++;
    pthread_mutex_unlock(&bridges->lock);
    if (result == 0) {
        snprintf(bridge->socket, sizeof bridge->socket, "%s/%u.sock", bridges->folder.path, number);
        result = listen_at(bridge, reterr);
    }
    if (result == 0 && (!bridge->address || ssh_host_take(bridge) != 0)) {
        *reterr = text_format("no memory or no thread for ssh");
        result = -1;
    }
    if (result == 0)
        *ret = bridge;
    else
        ssh_bridge_free(bridge);
    return result;
}

void ssh_bridge_close(struct ssh_bridge *bridge)
{
    if (!bridge)
        return;
    pthread_mutex_lock(&bridge->lock);
    bridge->closing = true;
    /* With the lock: once it is seen, the bridge is freed, and its host may be. */
    ssh_host_wake(bridge->host);
    pthread_mutex_unlock(&bridge->lock);
}

const char *ssh_bridge_socket(const struct ssh_bridge *bridge)
{
    return bridge->socket;
}
