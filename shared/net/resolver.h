/*
 * resolver - DNS names to addresses without blocking: c-ares on our loop.
 *
 * Both processes may have a resolver; a worker has exactly one. Reads
 * /etc/hosts and /etc/resolv.conf as c-ares does, the latter again within a
 * second of a change. Every query has a deadline of its own
 * (RESOLVER_TIMEOUT_MS over all tries): a callback always comes.
 *
 * An answer that UDP cuts off is asked for over TCP. Every address counts: a
 * message of DNS has room for some thousands.
 */
#ifndef RESOLVER_H
#define RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"
#include "sock.h"

#define RESOLVER_TIMEOUT_MS 3000

struct resolver;
struct resolver_query;

enum resolver_outcome {
	RESOLVER_FOUND,  /* at least one address */
	RESOLVER_ABSENT, /* the name servers deny A and AAAA */
	RESOLVER_FAILED, /* unknown: no answer, or a bad answer */
};

struct resolver_answer {
	enum resolver_outcome outcome;
	const char *why; /* static text for people; NULL: nothing is missing */
	const struct sock_addr *addrs; /* valid during the call only */
	size_t count;
	uint32_t ttl_s; /* the smallest among the records */
	/* A family that had addresses, and of which FOUND tells nothing, since
	 * the last question failed. Else AF_UNSPEC. */
	int unknown;
};

/* Never called from inside resolver_query(). */
typedef void resolver_fn(void *arg, const struct resolver_answer *answer);

/* NULL with errno when c-ares cannot start. */
struct resolver *resolver_new(struct loop *loop);
/* Cancels all queries without callbacks. */
void resolver_free(struct resolver *r);

/*
 * Asks for A and AAAA records of host; a numeric host needs no question. The
 * addresses carry port, and the best comes first (RFC 6724). NULL with ENOMEM;
 * else a handle for resolver_cancel(), dead once fn was called.
 */
struct resolver_query *resolver_query(struct resolver *r, const char *host,
    uint16_t port, resolver_fn *fn, void *arg);
/*
 * A name that had addresses before, of the families had_v4 and had_v6. A family
 * counts as gone only when a name server says so.
 */
struct resolver_name {
	const char *host;
	uint16_t port;
	bool had_v4;
	bool had_v6;
};
/* The addresses come in no order: the best would cost three system calls for
 * each address. */
struct resolver_query *resolver_query_again(struct resolver *r,
    const struct resolver_name *name, resolver_fn *fn, void *arg);
/* fn is not called any more. */
void resolver_cancel(struct resolver_query *q);

#endif
