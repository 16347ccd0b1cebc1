#include "service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "balance.h"
#include "log.h"
#include "worker.h"

#define RESOLVE_MIN_US 100000
#define RETRY_COST 100
#define RETRY_EARN 20
#define RETRY_TOKENS_MAX (10 * RETRY_COST)

/* ---- endpoints ---- */

struct endpoint *
service_pick(struct service *service, const struct endpoint *avoid)
{
	struct balance_candidate candidates[SERVICE_ENDPOINTS_MAX];
	enum config_policy policy = service->config->policy;
	uint64_t now_us = loop_now_us(service->worker->loop);
	int i;

	for (size_t k = 0; k < service->endpoint_count; k++) {
		const struct endpoint *e = service->endpoints[k];

		candidates[k].usable = endpoint_is_usable(e, now_us);
		candidates[k].avoid = e == avoid;
		candidates[k].load =
		    policy == CONFIG_POLICY_LEAST_CONN ? endpoint_load(e) : 0;
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

	service->endpoints[i] = service->endpoints[--service->endpoint_count];
	if (service->on_leave != NULL)
		service->on_leave(service, e);
	endpoint_leave(e);
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
on_answer(void *arg, const struct resolver_answer *answer)
{
	struct service_name *name = arg;
	struct service *service = name->service;
	uint64_t again_us = (uint64_t)answer->ttl_s * 1000000;
	bool found = answer->outcome == RESOLVER_FOUND;

	name->query = NULL;
	name->answered = true;
	/* Nobody there any more is news like any other; but while nobody
	 * knows, what was known goes on being used. */
	if (answer->outcome != RESOLVER_FAILED)
		apply_answer(name, answer->addrs, answer->count);
	if (!found && !name->failing)
		log_warn("service %s: %s: %s; %zu addresses in use",
		    service->config->name, name->config->name.host, answer->why,
		    service->endpoint_count);
	name->failing = !found;
	if (!found || again_us > service->config->resolve_us)
		again_us = service->config->resolve_us;
	if (again_us < RESOLVE_MIN_US)
		again_us = RESOLVE_MIN_US;
	loop_timer_after(service->worker->loop, &name->timer, again_us);
	if (service->on_change != NULL)
		service->on_change(service);
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
