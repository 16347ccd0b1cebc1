/*
 * pool - lends connections to a service's endpoints and takes them back.
 * Worker only.
 *
 * At most pool.connections are open per service and worker. Who finds all of
 * them lent waits in a queue of at most pool.queue for at most
 * pool.queue_timeout; past either it is shed. Idle connections are kept for
 * pool.idle; one that the backend closes meanwhile, or on which it says what
 * nobody asked for, is dropped at once. The poll may not have told of it yet:
 * who can send his request again if need be looks when that leaves
 * (io_begin()); for others the socket is looked at before it is lent.
 */
#ifndef POOL_H
#define POOL_H

#include <sys/queue.h>

#include "affinity.h"
#include "upstream.h"

struct pool;
struct service;

enum pool_result {
	POOL_LENT,        /* *up is the caller's */
	POOL_WAITING,     /* fn will be called */
	POOL_SHED,        /* the queue is full */
	POOL_NO_ENDPOINT, /* the service has no address, or only drained ones */
	POOL_FAILED,      /* errno; wait->endpoint could not be reached */
};

/* result: LENT, SHED (it took too long), NO_ENDPOINT or FAILED. */
typedef void pool_fn(void *arg, enum pool_result result, struct upstream *up);

/* A request for a connection; embedded in the exchange. */
struct pool_wait {
	pool_fn *fn;
	void *arg;
	struct pool *pool;
	struct affinity affinity;  /* its owner's to fill; at first: none */
	struct endpoint *endpoint; /* the last one tried */
	bool avoid;                /* rather not that one again */
	bool must_be_new;          /* not a kept-alive connection */
	bool probe;                /* nor one that is not quiet right now */
	bool queued;
	uint64_t due_us; /* in the queue: until when */
	TAILQ_ENTRY(pool_wait) entry;
};

/* The service's pool, from now on its service->pool. NULL with ENOMEM. */
struct pool *pool_new(struct service *service);
/* Closes what is idle; nothing may be lent any more. */
void pool_free(struct pool *pool);
void pool_wait_init(
    struct pool_wait *wait, struct pool *pool, pool_fn *fn, void *arg);

/* fn is never called from inside. */
enum pool_result pool_acquire(struct pool_wait *wait, struct upstream **up);
/* Leaves the queue, if it is in it. */
void pool_cancel(struct pool_wait *wait);

/* Gives a lent connection back, to be used again. */
void pool_release(struct upstream *up);
/* Closes one, lent or idle. */
void pool_discard(struct upstream *up);

#endif
