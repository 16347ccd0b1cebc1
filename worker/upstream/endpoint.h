/*
 * endpoint - one address of a service, as one worker sees it. Worker only.
 *
 * It is used (connections, requests in flight, which the scoreboard adds up
 * over the host), it can be ejected for a while, and the checker can find it
 * down. Its service owns it; one that has left its service lives until its
 * last connection has gone.
 *
 * Ejected: passed over for eject.for, doubling to ten times that as long as it
 * has not worked in between. At once when it can't be reached, else after
 * eject.failures in a row. It is back when that time is over, and takes up its
 * whole weight over slow_start, as does one that has joined or whose checks
 * pass again.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <sys/queue.h>

#include "config.h"

struct member;
struct service;
struct upstream;
struct runtime;

TAILQ_HEAD(upstream_list, upstream);

struct endpoint {
	struct service *service; /* the owner's to set */
	struct runtime *runtime;
	const struct config_service *config; /* of that service */
	struct sock_addr addr;
	char text[SOCK_TEXT_MAX];
	uint32_t id; /* of the address, in the scoreboard */
	/* What the host's workers say of it; NULL: no room for it there. */
	struct member *member;
	const struct config_endpoint *origin;
	uint64_t number;   /* affinity_number(text) */
	int64_t credit;    /* the balancer's */
	uint64_t since_us; /* when it came or came back; 0: always there */
	uint64_t ejected_until_us;
	unsigned failures;  /* in a row */
	unsigned ejections; /* likewise: no success since */
	bool gone;          /* has left its service */
	/* The connections to it: the idle ones, last used first, and all. */
	struct upstream_list idle;
	unsigned connections;
	/* The checker's. */
	bool last_check_good;
	struct upstream *check;   /* under way, or NULL */
	unsigned checks_in_a_row; /* of that result, not the current verdict */
};

/* service: an index of the configuration; origin: that service's entry which
 * led to addr. NULL with ENOMEM. */
struct endpoint *endpoint_new(struct runtime *rt, unsigned service,
    const struct sock_addr *addr, const struct config_endpoint *origin);
/*
 * The endpoint has left its service: freed now, or with its last connection.
 * has_twin: another endpoint of the service has the same address, since a name
 * and an address of the configuration may be the same; the member then stays.
 */
void endpoint_leave(struct endpoint *endpoint, bool has_twin);

/* May it get a request: neither ejected nor found down by the checks? */
bool endpoint_is_usable(const struct endpoint *endpoint, uint64_t now_us);
/* Its weight now, as balance_weight(). */
uint32_t endpoint_weight(const struct endpoint *endpoint, uint64_t now_us);
/* Requests in flight to it, of all workers of the host; without a number in
 * the scoreboard: its connections, this worker's. */
uint32_t endpoint_load(const struct endpoint *endpoint);

/* A request goes to it / has left it. */
void endpoint_begin(struct endpoint *endpoint);
void endpoint_end(struct endpoint *endpoint);
/* A request failed there; why: for people. unreachable: the connection could
 * not be made; else it broke, or was late, or what came was not valid or a
 * 502, 503 or 504. What fails while it is ejected is not counted. */
void endpoint_failed(
    struct endpoint *endpoint, const char *why, bool unreachable);
/* It has answered, and with none of these. */
void endpoint_worked(struct endpoint *endpoint);

/* One connection more, one less. */
void endpoint_connected(struct endpoint *endpoint);
void endpoint_disconnected(struct endpoint *endpoint);

#endif
