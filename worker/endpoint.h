/*
 * endpoint - one address of a service, as one worker sees it. Worker only.
 *
 * It is used (connections, requests in flight, which the scoreboard adds up
 * over the host), it can be ejected for a while after it could not be reached
 * (1 s, doubling to 10 s), and the checker can find it down. Its service owns
 * it; one that has left its service lives until its last connection has gone.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <sys/queue.h>

#include "config.h"

struct service;
struct upstream;
struct worker;

TAILQ_HEAD(upstream_list, upstream);

struct endpoint {
	struct service *service;
	struct worker *worker;
	struct sock_addr addr;
	char text[SOCK_TEXT_MAX];
	uint32_t id; /* in the scoreboard */
	const struct config_endpoint *origin;
	uint64_t ejected_until_us;
	unsigned failures; /* in a row */
	bool gone;         /* has left its service */
	/* The connections to it: the idle ones, last used first, and all. */
	struct upstream_list idle;
	unsigned connections;
	/* The checker's. */
	bool last_check_good;
	struct upstream *check;   /* under way, or NULL */
	unsigned checks_in_a_row; /* of that result, not the current verdict */
};

/* NULL with ENOMEM. */
struct endpoint *endpoint_new(struct service *service,
    const struct sock_addr *addr, const struct config_endpoint *origin);
/* It has left its service: freed now, or with its last connection. */
void endpoint_leave(struct endpoint *endpoint);

/* May it get a request: neither ejected nor found down by the checks? */
bool endpoint_is_usable(const struct endpoint *endpoint, uint64_t now_us);
/* Requests in flight to it, of all workers of the host. */
uint32_t endpoint_load(const struct endpoint *endpoint);

/* A request goes to it / has left it. */
void endpoint_begin(struct endpoint *endpoint);
void endpoint_end(struct endpoint *endpoint);
/* It could not be reached, why: for people / it has answered. */
void endpoint_failed(struct endpoint *endpoint, const char *why);
void endpoint_worked(struct endpoint *endpoint);

/* One connection more, one less. */
void endpoint_connected(struct endpoint *endpoint);
void endpoint_disconnected(struct endpoint *endpoint);

#endif
