/*
 * breakers - one circuit breaker per service for the whole cluster. Redis
 * decides, the scoreboard mirrors, breaker.h is the policy on this host.
 *
 * One per worker. While a breaker is closed a request costs one load from
 * shared memory. A failure is counted in the host's word at once and sent to
 * Redis. The answer carries the whole state and replaces the word. A success is
 * sent only while failures are on record. The one probe of a half-open breaker
 * is a lease from Redis. Changes by other processes arrive by a subscription,
 * and by a look at all breakers every PEEK_MS, since messages get lost. A
 * starting process only listens.
 *
 * While Redis is away or not configured the host's word decides alone: one
 * probe per host. Each step is one log line, by the process that caused the
 * step.
 */
#ifndef BREAKERS_H
#define BREAKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "breaker.h"
#include "breakers_script.h"
#include "config.h"
#include "loop.h"
#include "resolver.h"
#include "scoreboard.h"

struct breakers;
struct redis;

struct breakers_options {
	struct loop *loop;
	struct redis *redis;       /* for commands; NULL: not configured */
	struct resolver *resolver; /* for the subscriber's connection */
	const struct config *config;
	struct scoreboard *scoreboard;
	const char *who; /* for messages: "worker 1"; copied */
};

/* The answer to a BREAKERS_ASKING, never from inside breakers_check(). */
typedef void breakers_fn(void *arg, bool admitted);
/* Redis has counted the failure, or is out of reach. Never called from inside
 * breakers_report(). */
typedef void breakers_settled_fn(void *arg);

struct breakers_report;

/* One try of a request at a service; embedded in the owner. */
struct breakers_ticket {
	breakers_fn *fn;
	breakers_settled_fn *settled; /* NULL: nobody waits */
	void *arg;
	void *settled_arg;
	struct breakers_report *report; /* under way to Redis, or NULL */
	unsigned service;
	struct breaker_admission admission;
	uint64_t token; /* of the probe */
	bool is_asking;
	bool is_open; /* admitted, and no outcome yet */
};

enum breakers_verdict {
	BREAKERS_ADMITTED,
	BREAKERS_REJECTED,
	BREAKERS_ASKING, /* fn follows, at the latest after REDIS_REPLY_MS */
};

/* NULL with ENOMEM. Everything in options must outlive the breakers. */
struct breakers *breakers_new(const struct breakers_options *options);
/* Call before redis_free(), in the same loop iteration. No callback is called
 * any more. */
void breakers_free(struct breakers *b);
/* The redis of the options is up: sends kept verdicts, then asks for all
 * states. */
void breakers_on_up(struct breakers *b);

static inline void
breakers_ticket_init(struct breakers_ticket *t, breakers_fn *fn,
    breakers_settled_fn *settled, void *arg)
{
	*t = (struct breakers_ticket){
	    .fn = fn, .settled = settled, .arg = arg, .settled_arg = arg};
}

/* Replaces the settled callback of the ticket. */
static inline void
breakers_ticket_settle_with(
    struct breakers_ticket *t, breakers_settled_fn *settled, void *arg)
{
	t->settled = settled;
	t->settled_arg = arg;
}

/* Asks for admission to a service (an index of the configuration). */
enum breakers_verdict breakers_check(
    struct breakers *b, unsigned service, struct breakers_ticket *t);
/*
 * Reports the outcome. reason: of a failure, static text, short and without
 * spaces at the ends. The outcome of a ticket that is not open is ignored.
 *
 * False for a failure that is under way to Redis: settled() follows, at the
 * latest after REDIS_REPLY_MS. An answer to the client should wait for
 * settled(). The client's next request, on any worker, then meets a breaker
 * that has counted the failure. Else true.
 */
bool breakers_report(struct breakers *b, struct breakers_ticket *t, bool failed,
    const char *reason);
/* Ends the try: no callback is called any more. Without an outcome (the client
 * left) nothing is said of the service, and a probe goes back. May be called in
 * every state of a ticket. */
void breakers_release(struct breakers *b, struct breakers_ticket *t);

/* For Retry-After: whole seconds until a try may make sense, at least 1. */
unsigned breakers_retry_after_s(const struct breakers *b, unsigned service);

#endif
