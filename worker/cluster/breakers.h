/*
 * breakers - one circuit breaker per service for the whole cluster: Redis
 * decides, the scoreboard mirrors, breaker.h is the policy on this host.
 *
 * One per worker. While a breaker is closed a request costs one load from
 * shared memory. A failure is counted in the host's word at once and sent to
 * Redis, whose answer carries the whole state and replaces the word; a success
 * is sent only while failures are on record. The one probe of a half-open
 * breaker is a lease that Redis hands out. What other processes learn comes by
 * a subscription, and every PEEK_MS by a look at all of them, since messages
 * get lost. A process that starts only listens.
 *
 * While Redis is away or not configured the host's word decides alone: one
 * probe per host. Each step is one log line, by the process that caused it.
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
/* Redis knows of the failure, or can't be told; never from inside
 * breakers_report(). */
typedef void breakers_settled_fn(void *arg);

struct breakers_report;

/* One try of a request at a service; embedded in its owner. */
struct breakers_ticket {
	breakers_fn *fn;
	breakers_settled_fn *settled; /* NULL: nobody waits for it */
	void *arg;
	void *settled_arg;
	struct breakers_report *report; /* being told, or NULL */
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

/* NULL with ENOMEM. Everything in options outlives it. */
struct breakers *breakers_new(const struct breakers_options *options);
/* In the batch in which the redis it was given is freed, before that. Nobody is
 * called back. */
void breakers_free(struct breakers *b);
/* The redis it was given is up: looks at all states at once. */
void breakers_on_up(struct breakers *b);

void breakers_ticket_init(struct breakers_ticket *t, breakers_fn *fn,
    breakers_settled_fn *settled, void *arg);
/* From now on another is told of what breakers_report() promises. */
void breakers_ticket_settle_with(
    struct breakers_ticket *t, breakers_settled_fn *settled, void *arg);
/* May a request go to the service (its index in the configuration)? */
enum breakers_verdict breakers_check(
    struct breakers *b, unsigned service, struct breakers_ticket *t);
/*
 * The outcome. reason: why it failed, static text, short and without spaces at
 * its ends; ignored for a success. An outcome of a ticket that is not open is
 * ignored.
 *
 * False for a failure that Redis is being told: settled() follows, at the
 * latest after REDIS_REPLY_MS. Who answers its client only then knows that
 * the client's next request, wherever it goes, meets a breaker that counted
 * this one. Else true.
 */
bool breakers_report(struct breakers *b, struct breakers_ticket *t, bool failed,
    const char *reason);
/* The try is over for its owner: nobody is called back any more. One that had
 * no outcome (the client left) says nothing of the service; a probe goes back.
 * Whoever closes an exchange may always call it. */
void breakers_release(struct breakers *b, struct breakers_ticket *t);

/* For Retry-After: whole seconds until a try may make sense, at least 1. */
unsigned breakers_retry_after_s(const struct breakers *b, unsigned service);

#endif
