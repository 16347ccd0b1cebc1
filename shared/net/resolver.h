/*
 * resolver - DNS names to addresses without blocking, c-ares on our loop.
 *
 * Both processes may have one; a worker has exactly one. Reads /etc/hosts and
 * /etc/resolv.conf as c-ares does, the latter again within a second of a
 * change. Every query has a deadline of its own (RESOLVER_TIMEOUT_MS over all
 * tries), so a callback always comes.
 */
#ifndef RESOLVER_H
#define RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"
#include "sock.h"

#define RESOLVER_TIMEOUT_MS 3000
#define RESOLVER_ADDRS_MAX 64

struct resolver;
struct resolver_query;

enum resolver_outcome {
	RESOLVER_FOUND,  /* one address or more */
	RESOLVER_ABSENT, /* the name servers say so, of A and of AAAA */
	RESOLVER_FAILED, /* nobody knows: no answer, or a bad one */
};

struct resolver_answer {
	enum resolver_outcome outcome;
	const char *why; /* static text for people, unless all is known */
	const struct sock_addr *addrs; /* theirs only during the call */
	size_t count;
	uint32_t ttl_s; /* the smallest among the records */
	/* FOUND, but not whether there are addresses of this family, which
	 * the name had; else AF_UNSPEC. */
	int unknown;
};

/* Never called from inside resolver_query(). */
typedef void resolver_fn(void *arg, const struct resolver_answer *answer);

/* NULL with errno when c-ares cannot start. */
struct resolver *resolver_new(struct loop *loop);
/* Cancels what is under way without calling back. */
void resolver_free(struct resolver *r);

/*
 * Asks for A and AAAA records of host; a numeric host answers itself. The
 * addresses carry port. NULL with ENOMEM; else a handle for
 * resolver_cancel(), dead once fn was called.
 */
struct resolver_query *resolver_query(struct resolver *r, const char *host,
    uint16_t port, resolver_fn *fn, void *arg);
/*
 * The same for a name that had addresses of these families: that it has none of
 * one of them any more is believed only if a name server says so.
 */
struct resolver_name {
	const char *host;
	uint16_t port;
	bool had_v4;
	bool had_v6;
};
struct resolver_query *resolver_query_again(struct resolver *r,
    const struct resolver_name *name, resolver_fn *fn, void *arg);
/* fn is not called any more. */
void resolver_cancel(struct resolver_query *q);

#endif
