#include "endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "affinity.h"
#include "balance.h"
#include "errno_text.h"
#include "hash.h"
#include "log.h"
#include "runtime.h"
#include "shortage.h"

#define EJECT_TIMES_MAX 10
#define REFUSAL_LINE_US UINT64_C(1000000) /* between two lines */

/* Services that share an address may check different paths. */
static struct member *
join(const struct endpoint *e, unsigned index)
{
	const char *service = e->config->name;
	struct member_name name = {
	    .key =
		hash_bytes(sock_addr_hash(&e->addr), service, strlen(service)),
	    .service = index,
	    .text = e->text,
	};
	struct member *table = e->runtime->scoreboard->members;
	uint32_t id = member_join(table, &name, e->runtime->index);

	return id != MEMBER_NONE ? &table[id] : NULL;
}

struct endpoint *
endpoint_new(struct runtime *rt, unsigned service, const struct sock_addr *addr,
    const struct config_endpoint *origin)
{
	struct endpoint *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->runtime = rt;
	e->config = &rt->config->services[service];
	e->addr = *addr;
	e->origin = origin;
	e->id = scoreboard_endpoint_id(rt->scoreboard, sock_addr_hash(addr));
	sock_addr_str(addr, e->text);
	e->member = join(e, service);
	e->number = affinity_number(e->text);
	if (e->id == SCOREBOARD_NO_ENDPOINT || e->member == NULL)
		log_warn("endpoint %s of %s: %d others came before it: it is "
			 "not checked, its load is this worker's alone, and "
			 "the metrics lack it",
		    e->text, e->config->name, SCOREBOARD_ENDPOINTS);
	TAILQ_INIT(&e->idle);
	return e;
}

static void
free_if_gone(struct endpoint *e)
{
	if (e->gone && e->connections == 0)
		loop_bury(e->runtime->loop, e, free);
}

void
endpoint_leave(struct endpoint *e, bool has_twin)
{
	e->gone = true;
	if (e->member != NULL && !has_twin)
		member_leave(e->member, e->runtime->index);
	free_if_gone(e);
}

int
endpoint_connect(struct endpoint *e, const struct sock_addr *addr)
{
	const struct config_service *config = e->config;
	bool has_source = false;
	int fd = -1;

	for (size_t i = 0; fd == -1 && i < config->source_count; i++) {
		const struct sock_addr *source =
		    &config->sources[e->source++ % config->source_count].addr;

		if (source->sa.sa_family != addr->sa.sa_family)
			continue;
		has_source = true;
		fd = sock_connect_from(source, addr);
		if (fd == -1 && !shortage_is_of_address(errno))
			return -1;
	}
	return has_source ? fd : sock_connect(addr);
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

static void
eject(struct endpoint *e, const char *why, int error)
{
	const struct config_service *config = e->config;
	uint64_t times = 1;
	char name[ERRNO_TEXT_MAX];

	for (unsigned i = 0; i < e->ejections && times < EJECT_TIMES_MAX; i++)
		times *= 2;
	if (times > EJECT_TIMES_MAX)
		times = EJECT_TIMES_MAX;
	e->ejections++;
	e->ejected_until_us =
	    loop_now_us(e->runtime->loop) + times * config->eject.for_us;
	e->since_us = e->ejected_until_us;
	if (e->member != NULL)
		member_eject(e->member, e->ejected_until_us);
	log_warn("endpoint %s of %s: %s; passed over for %llu ms, failures in "
		 "a row: %u%s%s",
	    e->text, config->name, why,
	    (unsigned long long)(times * config->eject.for_us / 1000),
	    e->failures, error != 0 ? "; " : "",
	    error != 0 ? errno_text(error, name) : "");
}

void
endpoint_failed(
    struct endpoint *e, const char *why, int error, bool unreachable)
{
	unsigned limit = e->config->eject.failures;

	/* Requests from before the ejection say nothing new. */
	if (e->gone || e->ejected_until_us > loop_now_us(e->runtime->loop))
		return;
	e->failures++;
	if (unreachable || (limit != 0 && e->failures >= limit))
		eject(e, why, error);
}

void
endpoint_refused(struct endpoint *e, const char *why)
{
	uint64_t now_us = loop_now_us(e->runtime->loop);

	if (e->refusal_logged_us != 0 &&
	    now_us - e->refusal_logged_us < REFUSAL_LINE_US) {
		e->refusals_unlogged++;
		return;
	}
	if (e->refusals_unlogged == 0)
		log_warn("endpoint %s of %s: response refused: %s", e->text,
		    e->config->name, why);
	else
		log_warn("endpoint %s of %s: response refused: %s; %u more "
			 "since the last such line",
		    e->text, e->config->name, why, e->refusals_unlogged);
	e->refusal_logged_us = now_us;
	e->refusals_unlogged = 0;
}

void
endpoint_recover(struct endpoint *e)
{
	uint64_t now_us;

	if (e->ejections != 0) {
		now_us = loop_now_us(e->runtime->loop);
		if (e->since_us > now_us)
			e->since_us = now_us;
		if (e->member != NULL)
			member_restore(e->member);
		log_info("endpoint %s of %s: works again after %u failures",
		    e->text, e->config->name, e->failures);
	}
	e->failures = 0;
	e->ejections = 0;
	e->ejected_until_us = 0;
}

uint32_t
endpoint_weight(const struct endpoint *e, uint64_t now_us)
{
	uint64_t since_us = e->since_us;
	uint64_t up_since_us = 0;

	if (e->config->slow_start_us == 0)
		return e->origin->weight * BALANCE_WEIGHT;
	if (e->member != NULL)
		up_since_us = atomic_load_explicit(
		    &e->member->up_since_us, memory_order_relaxed);
	if (up_since_us > since_us)
		since_us = up_since_us;
	return balance_weight(
	    e->origin->weight, since_us, e->config->slow_start_us, now_us);
}

uint32_t
endpoint_load(const struct endpoint *e)
{
	if (e->id == SCOREBOARD_NO_ENDPOINT)
		return e->connections;
	return scoreboard_endpoint_load(e->runtime->scoreboard, e->id);
}
