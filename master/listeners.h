/*
 * listeners - the sockets that clients connect to. The master opens all of
 * them before it forks and keeps them for life, so what waits in their queues
 * survives a worker. See ARCHITECTURE.md, Listeners.
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

/* Opens them all; an address that can't be had ends the start (fatal), or is
 * somebody else's (fatal_busy). */
void listeners_open(
    struct listeners *l, const struct config *config, unsigned workers);
/* Closes them and removes unix sockets' files. */
void listeners_close(struct listeners *l);

#endif
