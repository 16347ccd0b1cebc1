/*
 * service - a backend service as one worker sees it: its endpoints, those
 * that DNS gives among them, and which of them takes the next request.
 * Worker only.
 *
 * What DNS no longer lists takes no new request, and its requests in flight
 * end as they would have.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include "config.h"
#include "endpoint.h"
#include "loop.h"
#include "resolver.h"

struct pool;
struct worker;

#define SERVICE_ENDPOINTS_MAX 256

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
	struct pool *pool;
	/* For the pool: endpoints may have come; one is about to leave. */
	void (*on_change)(struct service *service);
	void (*on_leave)(struct service *service, struct endpoint *endpoint);
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

#endif
