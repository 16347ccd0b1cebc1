#include "service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "balance.h"
#include "log.h"
#include "pool.h"
#include "upstream.h"
#include "worker.h"

#define EJECT_MIN_US 1000000
#define EJECT_MAX_US 10000000
#define RESOLVE_MIN_US 100000
#define RETRY_COST 100
#define RETRY_EARN 20
#define RETRY_TOKENS_MAX (10 * RETRY_COST)

/* ---- endpoints ---- */

static struct endpoint *
endpoint_new(struct service *service, const struct sock_addr *addr,
    const struct config_endpoint *origin)
{
	struct endpoint *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->service = service;
	e->addr = *addr;
	e->origin = origin;
	e->id = scoreboard_endpoint_id(
	    service->worker->scoreboard, sock_addr_hash(addr));
	sock_addr_str(addr, e->text);
	TAILQ_INIT(&e->idle);
	return e;
}

static void
endpoint_free_if_gone(struct endpoint *e)
{
	if (e->gone && e->connections == 0)
		loop_bury(e->service->worker->loop, e, free);
}

void
endpoint_drop_connection(struct endpoint *e)
{
	e->connections--;
	pool_kick(e->service);
	endpoint_free_if_gone(e);
}

static _Atomic uint32_t *
load_gauge(struct endpoint *e)
{
	return &e->service->worker->slot->endpoint_in_flight[e->id];
}

void
endpoint_begin(struct endpoint *e)
{
	if (e->id != SCOREBOARD_NO_ENDPOINT)
		scoreboard_gauge(load_gauge(e), 1);
}

void
endpoint_end(struct endpoint *e)
{
	if (e->id != SCOREBOARD_NO_ENDPOINT)
		scoreboard_gauge(load_gauge(e), -1);
}

void
endpoint_failed(struct endpoint *e, const char *why)
{
	uint64_t us = EJECT_MIN_US;

	for (unsigned i = 0; i < e->failures && us < EJECT_MAX_US; i++)
		us *= 2;
	if (us > EJECT_MAX_US)
		us = EJECT_MAX_US;
	if (e->failures++ == 0)
		log_warn("endpoint %s of %s: %s; passed over for %u ms",
		    e->text, e->service->config->name, why,
		    (unsigned)(us / 1000));
	e->ejected_until_us = loop_now_us(e->service->worker->loop) + us;
}

void
endpoint_worked(struct endpoint *e)
{
	if (e->failures == 0)
		return;
	log_info("endpoint %s of %s: works again after %u failures", e->text,
	    e->service->config->name, e->failures);
	e->failures = 0;
	e->ejected_until_us = 0;
}

static bool
is_usable(const struct endpoint *e, uint64_t now_us)
{
	struct scoreboard *sb = e->service->worker->scoreboard;

	if (e->ejected_until_us > now_us)
		return false;
	return e->id == SCOREBOARD_NO_ENDPOINT ||
	       atomic_load_explicit(&sb->endpoints[e->id].checks,
		   memory_order_relaxed) != CHECKS_DOWN;
}

static uint32_t
load_of(const struct endpoint *e)
{
	if (e->id == SCOREBOARD_NO_ENDPOINT)
		return e->connections;
	return scoreboard_endpoint_load(e->service->worker->scoreboard, e->id);
}

struct endpoint *
service_pick(struct service *service, const struct endpoint *avoid)
{
	struct balance_candidate candidates[SERVICE_ENDPOINTS_MAX];
	enum config_policy policy = service->config->policy;
	uint64_t now_us = loop_now_us(service->worker->loop);
	int i;

	for (size_t k = 0; k < service->endpoint_count; k++) {
		const struct endpoint *e = service->endpoints[k];

		candidates[k].usable = is_usable(e, now_us);
		candidates[k].avoid = e == avoid;
		candidates[k].load =
		    policy == CONFIG_POLICY_LEAST_CONN ? load_of(e) : 0;
	}
	i = balance_pick(
	    policy, candidates, service->endpoint_count, &service->turn);
	return i >= 0 ? service->endpoints[i] : NULL;
}

static void
add_endpoint(struct service *service, const struct sock_addr *addr,
    const struct config_endpoint *origin)
{
	struct endpoint *e;

	if (service->endpoint_count == SERVICE_ENDPOINTS_MAX) {
		log_warn("service %s: more than %d endpoints, the rest is left "
			 "out",
		    service->config->name, SERVICE_ENDPOINTS_MAX);
		return;
	}
	e = endpoint_new(service, addr, origin);
	if (e != NULL)
		service->endpoints[service->endpoint_count++] = e;
}

static void
remove_endpoint(struct service *service, size_t i)
{
	struct endpoint *e = service->endpoints[i];
	struct upstream *up, *next;

	service->endpoints[i] = service->endpoints[--service->endpoint_count];
	/* Closing the last connection must not free it under our feet. */
	e->connections++;
	TAILQ_FOREACH_SAFE(up, &e->idle, idle_entry, next)
	pool_discard(up);
	e->connections--;
	e->gone = true;
	endpoint_free_if_gone(e);
}

/* ---- names ---- */

static bool
contains(
    const struct sock_addr *addrs, size_t count, const struct sock_addr *addr)
{
	for (size_t i = 0; i < count; i++)
		if (sock_addr_equal(&addrs[i], addr))
			return true;
	return false;
}

static bool
has_endpoint(const struct service_name *name, const struct sock_addr *addr)
{
	const struct service *service = name->service;

	for (size_t i = 0; i < service->endpoint_count; i++)
		if (service->endpoints[i]->origin == name->config &&
		    sock_addr_equal(&service->endpoints[i]->addr, addr))
			return true;
	return false;
}

static void
apply_answer(
    struct service_name *name, const struct sock_addr *addrs, size_t count)
{
	struct service *service = name->service;
	unsigned left = 0, joined = 0;

	for (size_t i = service->endpoint_count; i-- > 0;) {
		const struct endpoint *e = service->endpoints[i];

		if (e->origin == name->config &&
		    !contains(addrs, count, &e->addr)) {
			remove_endpoint(service, i);
			left++;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (has_endpoint(name, &addrs[i]))
			continue;
		add_endpoint(service, &addrs[i], name->config);
		joined++;
	}
	if (left != 0 || joined != 0)
		log_info("service %s: %s has %zu addresses, %u joined, %u left",
		    service->config->name, name->config->name.host, count,
		    joined, left);
}

static void
on_answer(void *arg, const char *error, const struct sock_addr *addrs,
    size_t count, uint32_t ttl_s)
{
	struct service_name *name = arg;
	struct service *service = name->service;
	uint64_t again_us = (uint64_t)ttl_s * 1000000;

	name->query = NULL;
	name->answered = true;
	if (error == NULL) {
		apply_answer(name, addrs, count);
	} else if (!name->failing) {
		/* What was known goes on being used. */
		log_warn("service %s: %s: %s; %zu addresses known",
		    service->config->name, name->config->name.host, error,
		    service->endpoint_count);
	}
	name->failing = error != NULL;
	if (error != NULL || again_us > service->config->resolve_us)
		again_us = service->config->resolve_us;
	if (again_us < RESOLVE_MIN_US)
		again_us = RESOLVE_MIN_US;
	loop_timer_after(service->worker->loop, &name->timer, again_us);
	pool_kick(service);
}

static void
on_resolve_timer(void *arg)
{
	struct service_name *name = arg;
	struct worker *w = name->service->worker;

	name->query = resolver_query(w->resolver, name->config->name.host,
	    name->config->name.port, on_answer, name);
	if (name->query == NULL)
		loop_timer_after(w->loop, &name->timer,
		    name->service->config->resolve_us + RESOLVE_MIN_US);
}

bool
service_is_resolving(const struct service *service)
{
	for (size_t i = 0; i < service->name_count; i++)
		if (!service->names[i].answered)
			return true;
	return false;
}

/* ---- the service ---- */

static void
add_name(struct service *service, const struct config_endpoint *config)
{
	struct service_name *name = &service->names[service->name_count++];

	name->service = service;
	name->config = config;
	timer_init(&name->timer, on_resolve_timer, name);
	on_resolve_timer(name);
}

struct service *
service_new(struct worker *w, unsigned index)
{
	const struct config_service *config = &w->config->services[index];
	struct service *service = calloc(1, sizeof(*service));

	if (service == NULL)
		return NULL;
	service->worker = w;
	service->config = config;
	service->index = index;
	/* Workers that start together do not all begin with the same one. */
	service->turn = w->boot->slot;
	service->retry_tokens = RETRY_TOKENS_MAX;
	pool_init(service);
	service->names =
	    calloc(config->endpoint_count, sizeof(*service->names));
	if (service->names == NULL) {
		free(service);
		return NULL;
	}
	for (size_t i = 0; i < config->endpoint_count; i++) {
		const struct config_endpoint *e = &config->endpoints[i];

		if (e->is_name)
			add_name(service, e);
		else
			add_endpoint(service, &e->addr, e);
	}
	return service;
}

void
service_free(struct service *service)
{
	if (service == NULL)
		return;
	for (size_t i = 0; i < service->name_count; i++) {
		if (service->names[i].query != NULL)
			resolver_cancel(service->names[i].query);
		loop_timer_clear(
		    service->worker->loop, &service->names[i].timer);
	}
	while (service->endpoint_count > 0)
		remove_endpoint(service, service->endpoint_count - 1);
	loop_defer_cancel(service->worker->loop, &service->grant);
	free(service->names);
	loop_bury(service->worker->loop, service, free);
}

void
service_earn_retry(struct service *service)
{
	service->retry_tokens += RETRY_EARN;
	if (service->retry_tokens > RETRY_TOKENS_MAX)
		service->retry_tokens = RETRY_TOKENS_MAX;
}

bool
service_spend_retry(struct service *service)
{
	if (service->retry_tokens < RETRY_COST)
		return false;
	service->retry_tokens -= RETRY_COST;
	return true;
}
