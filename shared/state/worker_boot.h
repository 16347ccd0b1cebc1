/*
 * worker_boot - the one struct that crosses fork, and the worker's entry.
 *
 * The master fills it in before it forks; the child owns its copy of every
 * descriptor in it and closes all the others.
 */
#ifndef WORKER_BOOT_H
#define WORKER_BOOT_H

#include <stddef.h>

#include "config.h"
#include "scoreboard.h"

/* Bytes that travel on the pipe pair between master and worker. */
enum worker_word {
	WORKER_READY = 'R',   /* worker to master: it accepts */
	WORKER_BARRIER = 'B', /* master to worker: add the neighbours */
	WORKER_REJOIN = 'J',  /* + one byte, the slot that was forked anew */
	WORKER_REOPEN = 'O',  /* master to worker: open the log file anew */
};

struct worker_boot {
	const struct config *config;
	struct scoreboard *scoreboard;
	unsigned slot;    /* of this worker, from 0 */
	unsigned workers; /* how many slots there are */
	/*
	 * listeners[a * workers + w]: the socket of address a for worker w;
	 * the same descriptor for every w where the address is shared. All
	 * stay open for life: closing one renumbers the kernel's group.
	 */
	const int *listeners;
	/*
	 * One end of a SOCK_SEQPACKET pair, each message a worker_word. The
	 * master's end closing (EOF) means: the master is gone, drain, exit.
	 */
	int master_fd;
};

/*
 * The worker, from fork to exit. Signals are blocked on entry, SIGPIPE is
 * ignored, other handlers are at their defaults. Returns the exit status.
 */
int worker_main(const struct worker_boot *boot);

#endif
