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
#include "lifetime.h"
#include "proxy_protocol.h"
#include "runtime.h"

enum upstream_state {
	UPSTREAM_CONNECTING,
	UPSTREAM_LENT,
	UPSTREAM_TUNNEL, /* lent, and never given back */
	UPSTREAM_IDLE,
	UPSTREAM_CLOSED,
};

struct upstream {
	struct back back;
	struct endpoint *endpoint;
	struct timer timer;
	enum upstream_state state;
	struct lifetime lifetime;
	TAILQ_ENTRY(upstream) idle_entry;
	/* With send_proxy: the connection's first bytes. */
	struct slice preface;
	char preface_bytes[PROXY_PROTOCOL_WRITE_MAX];
};

/* The connection of a back side. */
static inline struct upstream *
upstream_of(struct back *b)
{
	return (struct upstream *)b;
}

/* Starts to connect to the endpoint. NULL with errno. */
struct upstream *upstream_open(struct endpoint *endpoint);
/* Likewise, to another address of the endpoint's host. */
struct upstream *upstream_open_at(
    struct endpoint *endpoint, const struct sock_addr *addr);
/* A copy of the bytes, a PROXY protocol header, leaves ahead of the first
 * request. */
void upstream_set_preface(struct upstream *up, struct slice preface);
/* Closes the connection; the memory goes after the event batch. No callback. */
void upstream_close(struct upstream *up);
/* Sets the receiver of the events from now on. */
static inline void
upstream_set_owner(struct upstream *up, back_fn *on_event, void *arg)
{
	up->back.on_event = on_event;
	up->back.arg = arg;
}

/* False: the connection was not lent, which is a bug. */
bool upstream_set_idle(struct upstream *up);
/* The protocol was switched. False: the connection was not lent, which is a
 * bug. */
bool upstream_set_tunnel(struct upstream *up);
/* checked: upstream_is_quiet() has just probed. False: the connection was not
 * idle, which is a bug. */
bool upstream_set_lent(struct upstream *up, bool checked);
/* True when an idle connection has neither ended nor sent bytes, as far as the
 * poll knows. probe: the reuse check is made now, by asking the kernel. */
static inline bool
upstream_is_quiet(const struct upstream *up, bool probe)
{
	return loop_watch_is_quiet(&up->back.io.watch) &&
	       (!probe || io_is_silent(&up->back.io));
}

/* Moves the deadline to delay_us from now. */
static inline void
upstream_set_deadline(struct upstream *up, uint64_t delay_us)
{
	loop_timer_after(up->endpoint->runtime->loop, &up->timer, delay_us);
}

/* The backend is not awaited. */
static inline void
upstream_clear_deadline(struct upstream *up)
{
	/* Moving a timer later is cheap, removing a timer is not. */
	loop_timer_set(up->endpoint->runtime->loop, &up->timer, UINT64_MAX);
}

#endif
