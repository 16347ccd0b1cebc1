/*
 * spawn - new processes: a worker (fork without exec) and a helper program
 * (fork and exec). Master. The child keeps what it was given and closes every
 * other descriptor of the master's.
 */
#ifndef SPAWN_H
#define SPAWN_H

#include <sys/types.h>
#include <signal.h>

#include "listeners.h"
#include "worker_boot.h"

/* What the master reads through its signalfd, and blocks from its start. */
void spawn_signals(sigset_t *set);

/*
 * A worker. boot->master_fd is filled in for the child; the parent's end goes
 * to *parent_fd and is the caller's. In the child, exit() with the status of
 * worker_main(). -1 with errno.
 */
pid_t spawn_worker(const struct worker_boot *boot,
    const struct listeners *listeners, int *parent_fd);

/*
 * A program found through PATH, in a process group of its own (a terminal's
 * Ctrl-C is not for it), killed by SIGTERM when the master dies, its output
 * appended to the file out; notify is its NOTIFY_SOCKET. -1 with errno, that
 * of exec too.
 */
pid_t spawn_program(char *const argv[], const char *out, const char *notify);

#endif
