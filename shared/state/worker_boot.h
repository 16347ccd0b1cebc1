/*
 * worker_boot - the one struct that crosses fork, and the worker's entry.
 *
 * The master fills in the struct before the fork. The child owns its copy of
 * every descriptor in the struct and closes the rest.
 */
#ifndef WORKER_BOOT_H
#define WORKER_BOOT_H

#include <stddef.h>

#include "config.h"
#include "scoreboard.h"

/* Bytes that travel on the pipe pair between master and worker. */
enum worker_word {
	WORKER_READY = 'R',   /* worker to master: the worker accepts */
	WORKER_BARRIER = 'B', /* master to worker: add the neighbours */
	WORKER_REJOIN = 'J',  /* + one byte, the slot of the new fork */
	WORKER_REOPEN = 'O',  /* master to worker: open the log file anew */
};

struct worker_boot {
	const struct config *config;
	struct scoreboard *scoreboard;
	unsigned slot;    /* of the worker, from 0 */
	unsigned workers; /* number of slots */
	/*
	 * listeners[a * workers + w]: the socket of address a for worker w. A
	 * shared address has the same descriptor for every w. All stay open for
	 * life: closing a socket renumbers the kernel's group.
	 */
	const int *listeners;
	/*
	 * The worker's end of a SOCK_SEQPACKET pair, each message a
	 * worker_word. End of file: the master is gone, so drain and exit.
	 */
	int master_fd;
};

/*
 * The worker, from fork to exit. Signals are blocked on entry, SIGPIPE is
 * ignored, other handlers are at their defaults. Returns the exit status.
 */
int worker_main(const struct worker_boot *boot);

#endif
