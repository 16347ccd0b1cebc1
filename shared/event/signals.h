/*
 * signals - signals as events of the loop, by signalfd(2). Both processes.
 *
 * The signals are blocked: nothing in the program is interrupted, and no
 * handler must be async-signal-safe. A child inherits the mask over fork.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>

#include "loop.h"

typedef void signals_fn(void *arg, int signal);

/* Embedded in the owner; zeroed means closed. */
struct signals {
	struct loop *loop;
	struct loop_watch watch;
	signals_fn *fn;
	void *arg;
};

/* Blocks the set; each arrival calls fn(arg, signal). -1 with errno. */
int signals_open(struct signals *s, struct loop *loop, const sigset_t *set,
    signals_fn *fn, void *arg);
/* The signals stay blocked. Idempotent. */
void signals_close(struct signals *s);

#endif
