/*
 * service - a backend service as one worker sees it: its endpoints, those
 * that DNS gives among them, and which of them takes the next request.
 * Worker only.
 *
 * An endpoint that leaves (DNS no longer lists it) takes no new request; its
 * memory goes when its last connection has gone. One that could not be
 * reached is ejected for a while: 1 s, doubling to 10 s.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <sys/queue.h>

#include "config.h"
#include "loop.h"
#include "resolver.h"

struct pool_wait;
struct upstream;
struct worker;

#define SERVICE_ENDPOINTS_MAX 256

TAILQ_HEAD(upstream_list, upstream);
TAILQ_HEAD(pool_wait_list, pool_wait);

struct endpoint {
	struct service *service;
	struct sock_addr addr;
	char text[SOCK_TEXT_MAX];
	uint32_t id; /* in the scoreboard */
	unsigned connections;
	struct upstream_list idle; /* the last one used first */
	const struct config_endpoint *origin;
	uint64_t ejected_until_us;
	unsigned failures; /* in a row */
	bool gone;
	/* The checker's. */
	struct upstream *check;   /* under way, or NULL */
	unsigned checks_in_a_row; /* with a result other than the current */
};

/* An endpoint of the configuration that is a name. */
struct service_name {
	struct service *service;
	const struct config_endpoint *config;
	struct resolver_query *query;
	struct timer timer;
	bool answered; /* or failed, at least once */
	bool failing;
};

struct service {
	struct worker *worker;
	const struct config_service *config;
	unsigned index;
	struct endpoint *endpoints[SERVICE_ENDPOINTS_MAX];
	size_t endpoint_count;
	struct service_name *names;
	size_t name_count;
	unsigned turn;
	unsigned retry_tokens; /* hundredths of a retry */
	/* The pool's. */
	unsigned connections;
	struct pool_wait_list waiting;
	unsigned waiting_count;
	struct loop_deferred grant;
};

/* NULL with ENOMEM. Starts to resolve what is a name. */
struct service *service_new(struct worker *w, unsigned index);
void service_free(struct service *service);

/* Its policy's choice; avoid: NULL, or where this request has just failed.
 * NULL when there is no endpoint at all. */
struct endpoint *service_pick(
    struct service *service, const struct endpoint *avoid);
/* True while a name has not been answered even once. */
bool service_is_resolving(const struct service *service);
/* The retry budget: a fifth of the requests, and ten at once. */
void service_earn_retry(struct service *service);
bool service_spend_retry(struct service *service);

/* An exchange goes to it / has left it. */
void endpoint_begin(struct endpoint *endpoint);
void endpoint_end(struct endpoint *endpoint);
void endpoint_failed(struct endpoint *endpoint, const char *why);
void endpoint_worked(struct endpoint *endpoint);
/* upstream.c's: one connection less. */
void endpoint_drop_connection(struct endpoint *endpoint);

#endif
