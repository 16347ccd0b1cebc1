/*
 * endpoint - one address of a service, as one worker sees it. Worker only.
 *
 * An endpoint counts connections and requests in flight; the scoreboard adds up
 * the requests over the host. An endpoint can be ejected for a while, and the
 * checker can find it down. The service owns the endpoint. After leaving the
 * service, an endpoint lives until its last connection is closed.
 *
 * An ejected endpoint is passed over for eject.for. Each further ejection
 * without a success in between doubles the time, to ten times at most. An
 * unreachable endpoint is ejected at once, any other after eject.failures in a
 * row. After an ejection the weight grows to the whole over slow_start. The
 * same holds for an endpoint that has joined, or passes its checks again.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <sys/queue.h>

#include "config.h"
#include "counter.h"
#include "fragment.h"
#include "member.h"
#include "runtime.h"

struct service;
struct upstream;

TAILQ_HEAD(upstream_list, upstream);

struct endpoint {
	struct service *service; /* the owner's to set */
	struct runtime *runtime;
	const struct config_service *config; /* of the service */
	struct sock_addr addr;
	char text[SOCK_TEXT_MAX];
	uint32_t id; /* of the address, in the scoreboard */
	/* The endpoint as the whole host sees it; NULL: no room in the
	 * scoreboard. */
	struct member *member;
	const struct config_endpoint *origin;
	uint64_t number;   /* affinity_number(text) */
	int64_t credit;    /* the balancer's */
	uint64_t since_us; /* time of joining or coming back; 0: always there */
	uint64_t ejected_until_us;
	unsigned failures;  /* in a row */
	unsigned ejections; /* in a row, without a success */
	bool gone;          /* has left the service */
	/* Refused responses: when the last line was logged, and those since. */
	uint64_t refusal_logged_us;
	unsigned refusals_unlogged;
	/* Connections: the idle list, last used first, and the number of all.
	 */
	struct upstream_list idle;
	unsigned connections;
	unsigned source; /* the next one's turn, of config->sources */
	unsigned pooled; /* the pool's count, lent and idle */
	/* The checker's. */
	bool last_check_good;
	struct upstream *check;   /* under way, or NULL */
	struct fragment sought;   /* of the body of the check under way */
	size_t check_bytes;       /* of the body so far */
	unsigned checks_in_a_row; /* with this result, against the verdict */
};

/* service: an index of the configuration. origin: the entry of the service for
 * addr. NULL with ENOMEM. */
struct endpoint *endpoint_new(struct runtime *rt, unsigned service,
    const struct sock_addr *addr, const struct config_endpoint *origin);
/*
 * The endpoint leaves the service, and is freed now or with the last
 * connection. has_twin: another endpoint of the service has the same address,
 * and keeps the member. (A name and an address of the configuration may be the
 * same.)
 */
void endpoint_leave(struct endpoint *endpoint, bool has_twin);

/* True when neither ejected nor found down by the checks. */
static inline bool
endpoint_is_usable(const struct endpoint *e, uint64_t now_us)
{
	if (e->ejected_until_us > now_us)
		return false;
	return e->member == NULL || atomic_load_explicit(&e->member->checks,
					memory_order_relaxed) != CHECKS_DOWN;
}

/* True when the pool may lend a connection: an idle one, or one below
 * pool.connections. */
static inline bool
endpoint_has_room(const struct endpoint *e)
{
	return e->pooled < e->config->pool.connections ||
	       !TAILQ_EMPTY(&e->idle);
}

/* The weight now, as balance_weight(). */
uint32_t endpoint_weight(const struct endpoint *endpoint, uint64_t now_us);
/* Requests in flight, over all workers of the host. Without a number in the
 * scoreboard: the connections of this worker. */
uint32_t endpoint_load(const struct endpoint *endpoint);

/* This worker's requests in flight; of an endpoint with a number. */
static inline _Atomic uint32_t *
endpoint_gauge(struct endpoint *e)
{
	return &e->runtime->slot->endpoint_in_flight[e->id];
}

/* A request begins at the endpoint; a request ends. */
static inline void
endpoint_begin(struct endpoint *e)
{
	if (e->id != SCOREBOARD_NO_ENDPOINT)
		counter_gauge(endpoint_gauge(e), 1);
}

static inline void
endpoint_end(struct endpoint *e)
{
	if (e->id != SCOREBOARD_NO_ENDPOINT)
		counter_gauge(endpoint_gauge(e), -1);
}

/* A request failed. unreachable: no connection could be made. Else the
 * connection broke, or the response was late, invalid, or a 502, 503 or 504.
 * why: for people. error: errno, for the log; 0: none. Failures during an
 * ejection do not count. */
void endpoint_failed(
    struct endpoint *endpoint, const char *why, int error, bool unreachable);
/* A limit or a check of ours refuses a response, which says nothing of the
 * endpoint: logged, once a second at most. why: for people. */
void endpoint_refused(struct endpoint *endpoint, const char *why);
/* Ends a row of failures. */
void endpoint_recover(struct endpoint *endpoint);
/* A request was answered without such a failure. */
static inline void
endpoint_worked(struct endpoint *e)
{
	if (e->failures != 0)
		endpoint_recover(e);
}

/* Starts to connect, as sock_connect(), to an address of the endpoint's host.
 * By the service's sources in turn; out of ports at one, the next is tried. */
int endpoint_connect(struct endpoint *endpoint, const struct sock_addr *addr);
/* A connection more; a connection less. */
void endpoint_connected(struct endpoint *endpoint);
void endpoint_disconnected(struct endpoint *endpoint);

#endif
