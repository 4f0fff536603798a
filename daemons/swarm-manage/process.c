/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <dirent.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Kept by malloc(), and resident beyond what is in use: below that it is not worth the time. */
#define KEEP_BYTES (INT64_C(64) << 20)

/* The fields of /proc/self/stat from the third on: the second, a name in brackets, may hold anything. */
static void read_stat(struct process *ret)
{
    unsigned long long user, system, start, size;
    long long threads, resident;
    char line[1024], *fields;
    struct timespec now, up;
    FILE *file = fopen("/proc/self/stat", "re");
    long ticks = sysconf(_SC_CLK_TCK);

    fields = file && fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
    if (file)
        fclose(file);
    if (!fields || sscanf(fields + 1,
                          " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %lld %*d %llu %llu "
                          "%lld",
                          &user, &system, &threads, &start, &size, &resident) != 6)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &up);
    ret->cpu_seconds = (double)(user + system) / (double)ticks;
    ret->start_s =
        (double)(now.tv_sec - up.tv_sec) + (double)(now.tv_nsec - up.tv_nsec) / 1e9 + (double)start / (double)ticks;
    ret->threads = threads;
    ret->virtual_bytes = (int64_t)size;
    ret->resident_bytes = resident * sysconf(_SC_PAGESIZE);
}

/* The kernel tells their number as the folder's size from Linux 6.2 on; before, they have to be counted. */
static int64_t count_fds(void)
{
    struct stat status;
    int64_t count = 0;
    DIR *folder;

    if (stat("/proc/self/fd", &status) == 0 && status.st_size > 0)
        return status.st_size;
    folder = opendir("/proc/self/fd");
    if (!folder)
        return 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 3; /* ".", "..", and the folder's own */
}

static void read_heap(struct process *ret)
{
#ifdef HAVE_MALLINFO2
    struct mallinfo2 heap = mallinfo2(); /* of all arenas */

    ret->heap_used = (int64_t)(heap.uordblks + heap.hblkhd);
    ret->heap_free = (int64_t)heap.fordblks;
#endif
}

void process_read(struct process *ret)
{
    struct rlimit limit;

    memset(ret, 0, sizeof(*ret));
    read_stat(ret);
    read_heap(ret);
    ret->open_fds = count_fds();
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        ret->max_fds = limit.rlim_cur == RLIM_INFINITY ? -1 : (int64_t)limit.rlim_cur;
}

void process_give_back(void)
{
    struct process process = {0};

    read_heap(&process);
    if (process.heap_free < KEEP_BYTES)
        return;
    read_stat(&process);
    if (process.resident_bytes - process.heap_used >= KEEP_BYTES) /* what is free may have been given back already */
        malloc_trim(0);
}
