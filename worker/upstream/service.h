/*
 * service - a backend service as one worker sees it: its endpoints, those
 * that DNS gives among them, and which of them takes the next request.
 * Worker only.
 *
 * What DNS no longer lists takes no new request, and its requests in flight
 * end as they would have. A name server that fails, or does not answer, changes
 * nothing.
 *
 * The retry budget (Envoy's): of the service's requests that are alive in this
 * worker at most a fifth may be on a further try, and three may always.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include "affinity.h"
#include "balance.h"
#include "config.h"
#include "endpoint.h"
#include "hash_ring.h"
#include "loop.h"
#include "resolver.h"

struct duration_histogram;
struct pool;
struct runtime;

#define SERVICE_ENDPOINTS_MAX 1024

/* An endpoint of the configuration that is a name. */
struct service_name {
	struct service *service;
	const struct config_endpoint *config;
	struct resolver_query *query;
	struct timer timer;
	bool answered; /* or failed, at least once */
	bool found;    /* likewise, an address */
	bool failing;
};

struct service {
	struct runtime *runtime;
	const struct config_service *config;
	unsigned index;
	/* Its own in the worker's slot: totals, gauge, and the histograms of
	 * SCOREBOARD_WAIT_COUNT waits. */
	_Atomic uint64_t *totals;
	_Atomic uint32_t *in_flight;
	struct duration_histogram *waits;
	struct endpoint *endpoints[SERVICE_ENDPOINTS_MAX];
	size_t endpoint_count;
	struct service_name *names;
	size_t name_count;
	struct balance balance;
	bool is_even;          /* round_robin, all weights alike */
	size_t turn;           /* then: whose it is */
	struct hash_ring ring; /* of the endpoints, for the policies by key */
	unsigned live;         /* requests */
	unsigned retried;      /* those of them on a further try */
	struct pool *pool;
	/* For the pool: endpoints may have come; one is about to leave. */
	void (*on_change)(struct service *service);
	void (*on_leave)(struct service *service, struct endpoint *endpoint);
};

/* NULL with ENOMEM. Starts to resolve what is a name. */
struct service *service_new(struct runtime *rt, unsigned index);
void service_free(struct service *service);

/* The endpoint that the sticky cookie names, if it may be used, else the
 * policy's choice; avoid: NULL, or where this request has just failed. NULL
 * when there is no endpoint at all, or all are drained (weight 0) and no cookie
 * names one. */
struct endpoint *service_pick(struct service *service,
    const struct affinity *affinity, const struct endpoint *avoid);
/* True while a name has not been answered even once. */
bool service_is_resolving(const struct service *service);
/* A request begins; it has ended, retried: after service_start_retry(). */
void service_begin(struct service *service);
void service_end(struct service *service, bool retried);
/* May it be tried once more? Where so, it is on a further try from now on;
 * already: it was before. */
bool service_start_retry(struct service *service, bool already);

#endif
