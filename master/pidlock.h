/*
 * pidlock - one master per state directory: a locked pid file, and the way to
 * signal its master.
 *
 * A private redis-server inherits the lock on purpose. The server may outlive a
 * killed master, and two servers must never share files and socket.
 */
#ifndef PIDLOCK_H
#define PIDLOCK_H

#include "config.h"

#define PIDLOCK_NAME "drover.pid"

/* Makes the directory if it is missing, takes the lock and writes the master's
 * pid. Signals must be blocked. Another running master (fatal_busy) or an
 * unusable directory (fatal) ends the start. */
void pidlock_take(const struct config *config);
/* Removes the file and releases the lock. */
void pidlock_release(void);

/* Signals the master that holds the lock. -1 after an error line: no master
 * holds the lock, or kill(2) failed. */
int pidlock_signal(const char *state_dir, int signal);

#endif
