/*
 * spawn - new processes: a worker (fork without exec) and a helper program
 * (fork and exec). Master. The child keeps the descriptors that it was given
 * and closes the master's others.
 */
#ifndef SPAWN_H
#define SPAWN_H

#include <sys/types.h>
#include <signal.h>

#include "listeners.h"
#include "worker_boot.h"

/* The signals that the master blocks from its start and reads by signalfd. */
void spawn_signals(sigset_t *set);

/*
 * Forks a worker. The child gets boot->master_fd; the parent's end of the pair,
 * in *parent_fd, belongs to the caller. The child exits with the status of
 * worker_main(). -1 with errno.
 */
pid_t spawn_worker(const struct worker_boot *boot,
    const struct listeners *listeners, int *parent_fd);

/*
 * Runs a program found through PATH, in a process group of its own, away from a
 * terminal's Ctrl-C. The program gets SIGTERM when the master dies. Output is
 * appended to the file out; NOTIFY_SOCKET is notify. -1 with errno, also when
 * exec fails.
 */
pid_t spawn_program(char *const argv[], const char *out, const char *notify);

#endif
