/* SPDX-License-Identifier: Apache-2.0 */
/* What is measured: fake engines, and a manager over them; processes of this one. */
#ifndef TESTS_BENCH_LOAD_WORLD_H
#define TESTS_BENCH_LOAD_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LOAD_SHARE 5000 /* engines of one process */
#define LOAD_FAKES_MAX 8

struct load_world {
    const char *fake_program, *manage_program;
    unsigned engines, containers;
    bool own;                                         /* the containers are a manager's own */
    char folder[64], host[24], base[24], manager[32]; /* the engines' addresses begin at base */
    pid_t fakes[LOAD_FAKES_MAX], manage;
    unsigned fake_count;
};

struct load_process {
    int64_t cpu_ns;
    long rss_kib, descriptors, threads;
};

void load_world_start(struct load_world *world);
/* The manager alone, over engines that are there; *ret_ns: from its start until all engines are healthy, and what that
 * took. */
void load_manager_start(struct load_world *world, int64_t *ret_ns, int64_t *ret_cpu_ns);
/* False where one of them did not end well. */
bool load_world_stop(struct load_world *world);
int64_t load_cpu_ns(const struct load_world *world);
struct load_process load_process_of(const struct load_world *world);
/* The control of the process that has that engine. */
void load_control(const struct load_world *world, unsigned engine, char address[32]);
/* Containers that run, by the fake engines' own account. */
long load_running(const struct load_world *world);
void load_fault(const struct load_world *world, unsigned engine, const char *order);

#endif
