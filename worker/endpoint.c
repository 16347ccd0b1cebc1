#include "endpoint.h"

#include <stdlib.h>

#include "log.h"
#include "service.h"
#include "worker.h"

#define EJECT_MIN_US 1000000
#define EJECT_MAX_US 10000000

struct endpoint *
endpoint_new(struct service *service, const struct sock_addr *addr,
    const struct config_endpoint *origin)
{
	struct endpoint *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->service = service;
	e->worker = service->worker;
	e->addr = *addr;
	e->origin = origin;
	e->id = scoreboard_endpoint_id(
	    service->worker->scoreboard, sock_addr_hash(addr));
	sock_addr_str(addr, e->text);
	if (e->id == SCOREBOARD_NO_ENDPOINT)
		log_warn("endpoint %s of %s: %d others came before it: it is "
			 "not checked, and its load is this worker's alone",
		    e->text, service->config->name, SCOREBOARD_ENDPOINTS);
	TAILQ_INIT(&e->idle);
	return e;
}

static void
free_if_gone(struct endpoint *e)
{
	if (e->gone && e->connections == 0)
		loop_bury(e->worker->loop, e, free);
}

void
endpoint_leave(struct endpoint *e)
{
	e->gone = true;
	free_if_gone(e);
}

void
endpoint_connected(struct endpoint *e)
{
	e->connections++;
}

void
endpoint_disconnected(struct endpoint *e)
{
	e->connections--;
	free_if_gone(e);
}

static _Atomic uint32_t *
load_gauge(struct endpoint *e)
{
	return &e->worker->slot->endpoint_in_flight[e->id];
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
	e->ejected_until_us = loop_now_us(e->worker->loop) + us;
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

bool
endpoint_is_usable(const struct endpoint *e, uint64_t now_us)
{
	struct scoreboard *sb = e->worker->scoreboard;

	if (e->ejected_until_us > now_us)
		return false;
	return e->id == SCOREBOARD_NO_ENDPOINT ||
	       atomic_load_explicit(&sb->endpoints[e->id].checks,
		   memory_order_relaxed) != CHECKS_DOWN;
}

uint32_t
endpoint_load(const struct endpoint *e)
{
	if (e->id == SCOREBOARD_NO_ENDPOINT)
		return e->connections;
	return scoreboard_endpoint_load(e->worker->scoreboard, e->id);
}
