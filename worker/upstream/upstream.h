/*
 * upstream - one connection to a backend. Worker only.
 *
 * The pool owns an idle connection; an exchange or a check owns a lent
 * connection. The single owner gets the events of back.h, and closes the
 * connection or gives the connection back. The connection carries one deadline,
 * for the event that the owner awaits of the backend.
 */
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include <sys/queue.h>

#include "back.h"
#include "endpoint.h"

enum upstream_state {
	UPSTREAM_CONNECTING,
	UPSTREAM_LENT,
	UPSTREAM_IDLE,
	UPSTREAM_CLOSED,
};

struct upstream {
	struct back back;
	struct endpoint *endpoint;
	struct timer timer;
	enum upstream_state state;
	TAILQ_ENTRY(upstream) idle_entry;
};

/* The connection of a back side. */
static inline struct upstream *
upstream_of(struct back *b)
{
	return (struct upstream *)b;
}

/* Starts to connect to the endpoint. NULL with errno. */
struct upstream *upstream_open(struct endpoint *endpoint);
/* Closes the connection; the memory goes after the event batch. No callback. */
void upstream_close(struct upstream *up);
/* Sets the receiver of the events from now on. */
void upstream_set_owner(struct upstream *up, back_fn *on_event, void *arg);
/* False: the connection was not lent, which is a bug. */
bool upstream_set_idle(struct upstream *up);
/* checked: upstream_is_quiet() has just looked. False: the connection was not
 * idle, which is a bug. */
bool upstream_set_lent(struct upstream *up, bool checked);
/* True when an idle connection has neither ended nor sent bytes, as far as the
 * poll or, with look, the kernel knows. */
bool upstream_is_quiet(const struct upstream *up, bool look);

/* Moves the deadline to delay_us from now. */
void upstream_set_deadline(struct upstream *up, uint64_t delay_us);
/* The backend is not awaited. */
void upstream_clear_deadline(struct upstream *up);

#endif
