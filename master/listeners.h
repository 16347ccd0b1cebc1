/*
 * listeners - the sockets that clients connect to. The master opens all sockets
 * before the fork and keeps them for life: connections in their queues survive
 * a worker. See ARCHITECTURE.md, Listeners.
 */
#ifndef LISTENERS_H
#define LISTENERS_H

#include <stddef.h>

#include "config.h"

struct listeners {
	const struct config *config;
	int *fds; /* laid out as worker_boot.h says */
	size_t count;
	unsigned workers;
	int admin_fd; /* -1: no admin endpoint */
};

/* Opens all listeners. An address that can't be used ends the start: fatal_busy
 * when another process holds the address, else fatal. */
void listeners_open(
    struct listeners *l, const struct config *config, unsigned workers);
/* Closes all listeners and removes the files of unix sockets. */
void listeners_close(struct listeners *l);

#endif
