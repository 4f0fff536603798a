/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child, which has its parent's memory: only system calls. Does not return on success. */
static int become(char *const *argv, int fd, int words_fd)
{
    sigset_t none;
    sigemptyset(&none);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(words_fd, STDERR_FILENO) < 0 ||
        close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
        return errno;
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(argv[0], argv);
    return errno;
}

/* vfork(): a manager of a thousand engines has too much memory to be copied for each connection. */
static int spawn(pid_t *ret, char *const *argv, int fd, int words_fd)
{
    volatile int error = 0;
    pid_t pid = vfork();
    if (pid == 0) {
        error = become(argv, fd, words_fd);
        _exit(127);
    }
    if (pid < 0)
        return -errno;
    if (error != 0) {
        waitpid(pid, NULL, 0);
        return -error;
    }
    *ret = pid;
    return 0;
}

int ssh_process_start(struct ssh_process *process, char *const *argv, int fd)
{
    int words[2], result, null_fd = -1;
    *process = (struct ssh_process){.pid_fd = -1, .words_fd = -1};
    if (pipe2(words, O_CLOEXEC) < 0)
        return -errno;
    if (fd < 0)
        fd = null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    result = fd < 0 ? -errno : spawn(&process->pid, argv, fd, words[1]);
    close(words[1]);
    if (null_fd >= 0)
        close(null_fd);
    if (result == 0) {
        process->words_fd = words[0];
        fcntl(words[0], F_SETFL, O_NONBLOCK);
        process->pid_fd = pidfd_open(process->pid, 0);
        if (process->pid_fd >= 0)
            return 0;
        result = -errno;
        ssh_process_kill(process);
        return result;
    }
    close(words[0]);
    return result;
}

static void close_words(struct ssh_process *process)
{
    if (process->words_fd >= 0)
        close(process->words_fd);
    process->words_fd = -1;
}

static void read_words(struct ssh_process *process)
{
    const size_t size = sizeof process->words;
    while (process->words_fd >= 0) {
        if (process->length == size) { /* the last ones say why it ends */
            memmove(process->words, process->words + size / 2, size / 2);
            process->length = size / 2;
        }
        ssize_t got = read(process->words_fd, process->words + process->length, size - process->length);
        if (got > 0) {
            process->length += (size_t)got;
            continue;
        }
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            close_words(process);
        if (got == 0 || errno != EINTR)
            return;
    }
}

static void forget(struct ssh_process *process)
{
    close_words(process);
    if (process->pid_fd >= 0)
        close(process->pid_fd);
    process->pid_fd = -1;
    process->pid = 0;
}

bool ssh_process_ended(struct ssh_process *process, int *ret_status)
{
    siginfo_t how = {0};
    /* First whether it has ended, then its words: what it said last is among them. */
    bool ended = waitid(P_PID, (id_t)process->pid, &how, WEXITED | WNOHANG) < 0 || how.si_pid != 0;
    read_words(process);
    if (!ended)
        return false;
    *ret_status = how.si_code == CLD_EXITED ? how.si_status : 128 + how.si_status;
    forget(process);
    return true;
}

void ssh_process_kill(struct ssh_process *process)
{
    if (process->pid <= 0)
        return;
    kill(process->pid, SIGKILL);
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    forget(process);
}

/* The beginning of the line that ends before @p end; *ret_end without its line end and blanks. */
static size_t line_before(const char *words, size_t end, size_t *ret_end)
{
    while (end > 0 && strchr("\r\n\t ", words[end - 1]))
        end--;
    *ret_end = end;
    while (end > 0 && words[end - 1] != '\n')
        end--;
    return end;
}

static void append(char *to, size_t size, const char *from, size_t length)
{
    size_t used = strlen(to);
    for (size_t i = 0; i < length && used + 1 < size; i++) {
        unsigned char byte = (unsigned char)from[i];
        if (byte != '\r')
            to[used++] = byte < ' ' || byte == 0x7f ? '?' : (char)byte;
    }
    to[used] = '\0';
}

void ssh_process_words(const struct ssh_process *process, char *to, size_t size)
{
    size_t last_end, before_end;
    size_t last = line_before(process->words, process->length, &last_end);
    size_t before = line_before(process->words, last, &before_end);
    *to = '\0';
    if (before < before_end) {
        append(to, size, process->words + before, before_end - before);
        append(to, size, " ", 1);
    }
    append(to, size, process->words + last, last_end - last);
}
