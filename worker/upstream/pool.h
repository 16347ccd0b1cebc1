/*
 * pool - lends connections to the endpoints of a service, and takes connections
 * back. Worker only.
 *
 * In a worker, at most pool.connections are open to an endpoint, and at most
 * pool.total to all endpoints of the service. Requests pass over a full
 * endpoint. When no endpoint has room, a request waits in a queue of at most
 * pool.queue entries for at most pool.queue_timeout. Past either limit the
 * request is shed: queue.h.
 *
 * A connection that this host is too short for (shortage.h) is no failure of
 * the endpoint's. Another endpoint may have an idle connection, or local ports;
 * otherwise the request waits in the queue.
 *
 * A connection ends after pool.max_age or pool.max_requests, between two
 * requests (lifetime.h). A backend's Keep-Alive field is heeded.
 *
 * Tunnels, the connections after an upgrade, last long. A tunnel leaves the
 * count of its endpoint to other requests, and counts for pool.tunnels alone.
 *
 * Idle connections are kept for pool.idle. An idle connection is dropped at
 * once when the backend closes, or sends bytes without a request. The poll may
 * not have reported so yet. A request that can be sent again relies on the
 * reuse check of io_begin(), when it leaves. Other requests set `probe`: the
 * pool then asks the kernel before lending.
 *
 * With send_proxy a connection belongs to the client whom its first bytes, the
 * preface, name: the pool lends it for the same preface alone.
 */
#ifndef POOL_H
#define POOL_H

#include <sys/queue.h>

#include "affinity.h"
#include "queue.h"
#include "upstream.h"

struct pool;
struct service;

enum pool_result {
	POOL_LENT,        /* *up is the caller's */
	POOL_WAITING,     /* fn will be called */
	POOL_SHED,        /* wait->shed says why */
	POOL_NO_ENDPOINT, /* no address, or only drained endpoints */
	POOL_FAILED,      /* errno; wait->endpoint could not be reached, and is
			   * to blame */
};

/* result: LENT, SHED (the wait was too long), NO_ENDPOINT or FAILED. */
typedef void pool_fn(void *arg, enum pool_result result, struct upstream *up);

/* A request for a connection; embedded in the exchange. */
struct pool_wait {
	struct queue_place place; /* first: wait_of() */
	pool_fn *fn;
	void *arg;
	struct pool *pool;
	struct affinity affinity; /* filled by the owner; at first: none */
	/* The first bytes of the connection, likewise. Only a connection that
	 * began with the same bytes is reused. */
	struct slice preface;
	struct endpoint *endpoint; /* the last endpoint tried */
	bool avoid;                /* another endpoint, if possible */
	bool must_be_new;          /* not a kept-alive connection */
	bool probe; /* ask the kernel whether an idle connection is silent */
	enum shed_reason shed; /* with POOL_SHED: why */
};

/* Becomes service->pool. NULL with ENOMEM. */
struct pool *pool_new(struct service *service);
/* Closes the idle connections; none may be lent. */
void pool_free(struct pool *pool);

static inline void
pool_wait_init(
    struct pool_wait *wait, struct pool *pool, pool_fn *fn, void *arg)
{
	/* Field by field: most requests never have a place in the queue. */
	wait->place.is_taken = false;
	wait->fn = fn;
	wait->arg = arg;
	wait->pool = pool;
	wait->affinity = (struct affinity){0};
	wait->preface = (struct slice){NULL, 0};
	wait->endpoint = NULL;
	wait->avoid = false;
	wait->must_be_new = false;
	wait->probe = false;
}

/* fn is never called from inside. */
enum pool_result pool_acquire(struct pool_wait *wait, struct upstream **up);
/* Has a connection failed lately for what this host lacks? */
bool pool_is_short(const struct pool *pool);
/* Leaves the queue; no effect outside of the queue. */
void pool_cancel(struct pool_wait *wait);

/* True when pool.tunnels are open: no request for an upgrade need be sent. */
bool pool_is_full_of_tunnels(const struct pool *pool);
/* An upgrade was refused for this reason, for the log. */
void pool_refuse_tunnel(struct pool *pool);
/* A lent connection has become a tunnel. False: too many tunnels; the
 * connection is as it was. */
bool pool_set_tunnel(struct upstream *up);
/* Gives a lent connection back, to be used again. */
void pool_release(struct upstream *up);
/* Closes a connection, lent or idle. */
void pool_discard(struct upstream *up);

#endif
