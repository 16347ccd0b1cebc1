/*
 * service - a backend service as one worker sees it. The endpoints come from
 * the configuration and from DNS; a policy chooses for each request. Worker
 * only.
 *
 * An address that DNS no longer lists takes no new request, and its requests in
 * flight go on. A name server that fails, or does not answer, changes nothing.
 * Of a name with more than SERVICE_NAME_MAX addresses the service uses as many,
 * of the choice of address_set, and one line in the log says so.
 *
 * The retry budget (Envoy's): at most a fifth of the live requests of the
 * service in this worker may be on a retry; three may always. A retry after a
 * try on which no byte has left is not asked for here.
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
#include "shortage.h"

struct duration_histogram;
struct pool;
struct runtime;

#define SERVICE_ENDPOINTS_MAX 4096
#define SERVICE_NAME_MAX 1024 /* addresses of a name */

/* An endpoint of the configuration with a name in place of an address. */
struct service_name {
	struct service *service;
	const struct config_endpoint *config;
	struct resolver_query *query;
	struct timer timer;
	bool answered; /* or failed, at least once */
	bool found;    /* likewise, an address */
	bool failing;
	bool is_cut; /* the last answer had too many addresses */
};

struct service {
	struct runtime *runtime;
	const struct config_service *config;
	unsigned index;
	/* In the slot of the worker: totals, gauge, and the histograms of
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
	size_t turn;           /* then: the next endpoint */
	struct hash_ring ring; /* of the endpoints, for the policies by key */
	unsigned live;         /* requests */
	unsigned retried;      /* live requests on a retry */
	struct shortage shortage; /* of connections, on this host */
	struct pool *pool;
	/* For the pool: endpoints may have come; an endpoint is about to leave.
	 */
	void (*on_change)(struct service *service);
	void (*on_leave)(struct service *service, struct endpoint *endpoint);
};

/* NULL with ENOMEM. Starts to resolve the names. */
struct service *service_new(struct runtime *rt, unsigned index);
void service_free(struct service *service);

/* The endpoint of the sticky cookie, if usable, else the policy's choice.
 * avoid: the endpoint where the request has just failed, or NULL. NULL when no
 * endpoint exists, or all are drained (weight 0) and no cookie names one, or
 * none has room. */
struct endpoint *service_pick(struct service *service,
    const struct affinity *affinity, const struct endpoint *avoid);
/* Does an endpoint besides this one take requests? The given endpoint may have
 * left the service. */
bool service_has_other(
    const struct service *service, const struct endpoint *endpoint);
/* True while a name has not been answered even once. */
bool service_is_resolving(const struct service *service);
/* A connection to the endpoint failed with an errno that is the host's
 * (shortage_is()): no fault of the endpoint's, and a log line when due. */
void service_note_shortage(
    struct service *service, const struct endpoint *endpoint, int error);
/* Logs failures without a line so far, when the line is due. */
void service_log_shortage(struct service *service);

/* True when waiting makes sense: an endpoint will have room again, or an
 * address may come. */
bool service_takes_requests(const struct service *service);
/* A request begins; a request ends. retried: service_start_retry() allowed a
 * retry. */
static inline void
service_begin(struct service *service)
{
	service->live++;
}

static inline void
service_end(struct service *service, bool retried)
{
	service->live--;
	if (retried)
		service->retried--;
}

/* Asks for a retry. True: the request counts as retried from now on. already:
 * the request was retried before. */
bool service_start_retry(struct service *service, bool already);

#endif
