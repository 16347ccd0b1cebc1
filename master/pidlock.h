/*
 * pidlock - one master per state directory: a locked pid file in it, and the
 * way to signal the master that holds it.
 *
 * A private redis-server inherits the lock on purpose: it may outlive a master
 * that was killed, and two of them must never have the same files and socket.
 */
#ifndef PIDLOCK_H
#define PIDLOCK_H

#include "config.h"

#define PIDLOCK_NAME "drover.pid"

/* Makes the directory where it is missing, takes the lock and writes our pid:
 * signals must be blocked by now. Another master that runs (fatal_busy), or a
 * directory that can't be used (fatal), ends the start. */
void pidlock_take(const struct config *config);
/* Removes the file, and with it the lock. */
void pidlock_release(void);

/* Signals the master that holds it. -1 when there is none or it can't be done,
 * after an error line. */
int pidlock_signal(const char *state_dir, int signal);

#endif
