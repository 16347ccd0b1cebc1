/*
 * fleet - the load generator's connections: opens connections, sends requests
 * over them in turn, checks each answer.
 *
 * Idle connections stand in a queue; the first gets the next request. With as
 * many requests at a time as connections, the load is the usual closed loop.
 * With fewer requests the load goes round all connections. With a rate the load
 * is an open loop: a request's time counts from when the request was due, also
 * when no connection was free (G. Tene's "coordinated omission").
 */
#ifndef FLEET_H
#define FLEET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "latency.h"

struct plan {
	struct sockaddr_in target;
	const char *path;
	unsigned paths; /* 0, or in turn /r0, /r1 ... before the path */
	unsigned connections;
	unsigned active;   /* requests (or batches) at a time */
	unsigned pipeline; /* requests in one batch, sent in one write */
	unsigned sources;  /* local addresses, from 127.0.0.2 on */
	bool is_post;
	size_t post_bytes;
	uint64_t expect_bytes;
	bool opens_late;   /* each connection with its first request */
	bool reconnects;   /* a new connection for each request, and this side
			    * ends it */
	bool closes;       /* likewise, and it asks the other side to */
	bool is_websocket; /* post_bytes of an echo, instead of HTTP */
	double rate;       /* requests a second; 0: as fast as answers come */
};

enum failure {
	FAILURE_CONNECT, /* refused, or reset before the first answer */
	FAILURE_CLOSED,  /* ended in the middle */
	FAILURE_STATUS,  /* unexpected */
	FAILURE_LENGTH,  /* not the expected body */
	FAILURE_TIMEOUT, /* nothing came for 10 s */
	FAILURES
};

struct tally {
	uint64_t completed;
	uint64_t reopened; /* idle connections that the other side had ended */
	uint64_t unsent;   /* at a rate: due, but never sent */
	uint64_t failures[FAILURES];
	uint64_t started_ns, ended_ns;
	struct latency latency;
};

const char *failure_str(enum failure failure);
uint64_t tally_failures(const struct tally *tally);

/* Opens the connections, unless they open late; on return each has had an
 * answer. Failures are in the tally. The connections live as long as the
 * program. */
void fleet_open(const struct plan *plan, struct tally *tally);
/* Sends for the given time, or count requests when count > 0; then waits for
 * all answers. */
void fleet_run(double seconds, uint64_t count, struct tally *tally);

#endif
