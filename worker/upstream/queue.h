/*
 * queue - the requests that wait for a connection of a service. Worker only;
 * embedded in the pool.
 *
 * At most pool.queue requests wait, for at most pool.queue_timeout. The policy
 * of shed.h decides who is next, and who is refused earlier. The first refusal
 * of any kind is a line of the log, and so is the end of the overload, with the
 * number of refusals.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

#include "shed.h"
#include "timer.h"

struct service;

/* A request's place; embedded in the request for a connection. */
struct queue_place {
	uint64_t since_us; /* waits since then */
	bool is_taken;
	TAILQ_ENTRY(queue_place) entry;
};

TAILQ_HEAD(queue_places, queue_place);

/* The request has left its place without a connection. */
typedef void queue_fn(
    void *arg, struct queue_place *place, enum shed_reason why);

struct queue {
	const struct service *service;
	queue_fn *on_refusal;
	void *arg;
	struct queue_places places; /* the oldest first */
	unsigned count;
	unsigned lent; /* connections, when a request last came */
	struct shed shed;
	/* One is enough: the oldest request is due first. When that request
	 * leaves, the timer fires early and is set again. */
	struct timer timer;
};

void queue_init(struct queue *q, const struct service *service,
    queue_fn *on_refusal, void *arg);
/* Nobody may wait. */
void queue_fini(struct queue *q);

/* A request has got one of `lent` connections. Cheap unless overloaded. */
static inline void
queue_pass_by(struct queue *q, unsigned lent)
{
	if (shed_is_newest_first(&q->shed))
		shed_on_arrival(&q->shed, lent, false);
}

/* A request has to wait, with so many connections lent. False: the queue is
 * full, and the request refused. */
bool queue_enter(struct queue *q, struct queue_place *place, unsigned lent);
/* No effect without a place. */
void queue_leave(struct queue *q, struct queue_place *place);
/* The next request to be served; NULL: nobody waits. */
struct queue_place *queue_next(const struct queue *q);
/* A request is refused without a place. */
void queue_refuse(struct queue *q, unsigned lent, enum shed_reason why);

#endif
