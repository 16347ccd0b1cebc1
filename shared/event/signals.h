/*
 * signals - signals as events of the loop, by signalfd(2). Both processes.
 *
 * They are blocked, so nothing of the program is ever interrupted and no
 * handler has to be async-signal-safe. The mask is inherited over fork.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>

#include "loop.h"

typedef void signals_fn(void *arg, int signal);

/* Embedded in its owner; zeroed is closed. */
struct signals {
	struct loop *loop;
	struct loop_watch watch;
	signals_fn *fn;
	void *arg;
};

/* Blocks the set and calls fn(arg, signal) for each that arrives. -1 with
 * errno. */
int signals_open(struct signals *s, struct loop *loop, const sigset_t *set,
    signals_fn *fn, void *arg);
/* They stay blocked. Idempotent. */
void signals_close(struct signals *s);

#endif
