#include "pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "service.h"
#include "runtime.h"

struct pool {
	struct service *service;
	const struct config_service *config;
	struct runtime *runtime;
	unsigned connections; /* open, lent and idle, to all endpoints */
	unsigned idle;
	unsigned tunnels; /* open, and not among the connections */
	struct queue queue;
	struct loop_deferred grant;
	struct timer retry; /* while this host is short */
};

/* ---- connections ---- */

static struct pool *
pool_of(const struct upstream *up)
{
	return up->endpoint->service->pool;
}

/* Room may have appeared: serves the queue later, outside of the caller. */
static void
kick(struct pool *pool)
{
	if (pool->queue.count > 0)
		loop_defer(pool->runtime->loop, &pool->grant);
}

static void
put_idle(struct pool *pool, struct upstream *up)
{
	TAILQ_INSERT_HEAD(&up->endpoint->idle, up, idle_entry);
	pool->idle++;
}

static void
take_idle(struct pool *pool, struct upstream *up)
{
	TAILQ_REMOVE(&up->endpoint->idle, up, idle_entry);
	pool->idle--;
}

/* The connection leaves its place to another. */
static void
uncount(struct pool *pool, struct upstream *up)
{
	pool->connections--;
	up->endpoint->pooled--;
	kick(pool);
}

void
pool_discard(struct upstream *up)
{
	struct pool *pool = pool_of(up);

	if (!CONFINED(up->state != UPSTREAM_CLOSED,
		"upstream of %s, discarded twice", up->endpoint->text))
		return;
	if (up->state == UPSTREAM_IDLE)
		take_idle(pool, up);
	if (up->state == UPSTREAM_TUNNEL)
		pool->tunnels--;
	else
		uncount(pool, up);
	upstream_close(up);
}

bool
pool_is_full_of_tunnels(const struct pool *pool)
{
	return pool->tunnels >= pool->config->pool.tunnels;
}

bool
pool_set_tunnel(struct upstream *up)
{
	struct pool *pool = pool_of(up);

	if (pool_is_full_of_tunnels(pool) || !upstream_set_tunnel(up))
		return false;
	pool->tunnels++;
	uncount(pool, up);
	return true;
}

/* An idle connection must be silent: bytes or an end close it. */
static void
on_idle_event(void *arg, struct back *b, enum back_event event)
{
	(void)arg;
	(void)event;
	pool_discard(upstream_of(b));
}

/* How long the connection may be idle; 0: a request was its last. */
static uint64_t
idle_us_of(struct pool *pool, struct upstream *up)
{
	const struct head *head = &up->back.parser.head;
	uint64_t now_us = loop_now_us(pool->runtime->loop);
	uint64_t idle_us;

	if (!lifetime_use(&up->lifetime, now_us))
		return 0;
	idle_us =
	    lifetime_idle_us(&up->lifetime, pool->config->pool.idle_us, now_us);
	return head->has_keep_alive
		   ? lifetime_heed(&up->lifetime, idle_us, head->keep_alive_s,
			 head->keep_alive_max)
		   : idle_us;
}

void
pool_release(struct upstream *up)
{
	struct pool *pool = pool_of(up);
	uint64_t idle_us = idle_us_of(pool, up);

	if (idle_us == 0 || !upstream_set_idle(up)) {
		pool_discard(up);
		return;
	}
	upstream_set_owner(up, on_idle_event, pool);
	upstream_set_deadline(up, idle_us);
	put_idle(pool, up);
	if (up->endpoint->gone)
		pool_discard(up);
	else
		kick(pool);
}

/* An idle connection that began with the bytes. */
static struct upstream *
find_idle(const struct endpoint *endpoint, struct slice preface)
{
	struct upstream *up = TAILQ_FIRST(&endpoint->idle);

	if (preface.len == 0)
		return up;
	while (up != NULL &&
	       (up->preface.len != preface.len ||
		   memcmp(up->preface.at, preface.at, preface.len) != 0))
		up = TAILQ_NEXT(up, idle_entry);
	return up;
}

static struct upstream *
reuse(const struct pool_wait *wait, const struct endpoint *endpoint)
{
	struct pool *pool = wait->pool;
	bool probe = wait->probe;
	struct upstream *up;

	while ((up = find_idle(endpoint, wait->preface)) != NULL) {
		if (!upstream_is_quiet(up, probe)) {
			pool_discard(up);
			continue;
		}
		take_idle(pool, up);
		if (!upstream_set_lent(up, probe)) {
			pool_discard(up);
			continue;
		}
		runtime_count(pool->runtime, SCOREBOARD_UP_REUSES);
		return up;
	}
	return NULL;
}

/* Closes the idle connection that was used first. False: none is idle. */
static bool
evict_of(struct endpoint *endpoint)
{
	struct upstream *up = TAILQ_LAST(&endpoint->idle, upstream_list);

	if (up != NULL)
		pool_discard(up);
	return up != NULL;
}

/* Makes room for another connection to the endpoint, at the cost of idle
 * ones. */
static void
make_room(struct pool *pool, struct endpoint *endpoint)
{
	if (endpoint->pooled >= pool->config->pool.connections)
		(void)evict_of(endpoint);
	if (pool->connections < pool->config->pool.total)
		return;
	for (size_t i = 0; i < pool->service->endpoint_count; i++)
		if (evict_of(pool->service->endpoints[i]))
			return;
}

static enum pool_result
open_new(
    struct pool_wait *wait, struct endpoint *endpoint, struct upstream **up)
{
	struct pool *pool = wait->pool;

	make_room(pool, endpoint);
	*up = upstream_open(endpoint);
	if (*up == NULL)
		return POOL_FAILED;
	if (wait->preface.len != 0)
		upstream_set_preface(*up, wait->preface);
	wait->endpoint = endpoint;
	pool->connections++;
	endpoint->pooled++;
	runtime_count(pool->runtime, SCOREBOARD_UP_CONNECTS);
	return POOL_LENT;
}

/* Whoever waits is served, if the host has more by now. */
static void
on_retry(void *arg)
{
	struct pool *pool = arg;

	service_log_shortage(pool->service);
	kick(pool);
	/* The last failures get their line as well. */
	if (pool->queue.count == 0 && pool->service->shortage.count > 0)
		loop_timer_after(
		    pool->runtime->loop, &pool->retry, SHORTAGE_LINE_US);
}

/* This host was too short (error) for a connection to one endpoint. An idle
 * connection to another endpoint needs nothing, and each address has local
 * ports of its own. */
static enum pool_result
lend_elsewhere(struct pool_wait *wait, const struct endpoint *but, int error,
    struct upstream **up)
{
	struct pool *pool = wait->pool;
	struct service *service = pool->service;
	uint64_t now_us = loop_now_us(pool->runtime->loop);

	service_note_shortage(service, but, error);
	for (size_t i = 0; i < service->endpoint_count; i++) {
		struct endpoint *e =
		    service->endpoints[(service->turn + i) %
				       service->endpoint_count];

		if (e == but || (wait->avoid && e == wait->endpoint) ||
		    e->origin->weight == 0 || !endpoint_is_usable(e, now_us))
			continue;
		*up = wait->must_be_new ? NULL : reuse(wait, e);
		if (*up == NULL && shortage_is_of_address(error) &&
		    endpoint_has_room(e))
			(void)open_new(wait, e, up);
		if (*up != NULL) {
			wait->endpoint = e;
			return POOL_LENT;
		}
	}
	shortage_begin(&service->shortage, now_us);
	loop_timer_after(pool->runtime->loop, &pool->retry, SHORTAGE_RETRY_US);
	return POOL_WAITING;
}

/* POOL_WAITING: no endpoint has room, no name has been answered yet, or this
 * host is short. */
static enum pool_result
lend(struct pool_wait *wait, struct upstream **up)
{
	struct pool *pool = wait->pool;
	struct service *service = pool->service;
	enum pool_result result;
	struct endpoint *endpoint;

	/* First, so that no turn of an endpoint is used up in vain. */
	if (pool->connections >= pool->config->pool.total && pool->idle == 0)
		return POOL_WAITING;
	endpoint = service_pick(
	    service, &wait->affinity, wait->avoid ? wait->endpoint : NULL);
	if (endpoint == NULL)
		return service_takes_requests(service) ? POOL_WAITING
						       : POOL_NO_ENDPOINT;
	*up = wait->must_be_new ? NULL : reuse(wait, endpoint);
	if (*up != NULL) {
		wait->endpoint = endpoint;
		return POOL_LENT;
	}
	result = open_new(wait, endpoint, up);
	if (result == POOL_FAILED && shortage_is(errno))
		return lend_elsewhere(wait, endpoint, errno, up);
	wait->endpoint = endpoint;
	return result;
}

/* ---- the queue ---- */

static struct pool_wait *
wait_of(struct queue_place *place)
{
	return (struct pool_wait *)place;
}

static unsigned
lent(const struct pool *pool)
{
	return pool->connections - pool->idle;
}

static void
on_refusal(void *arg, struct queue_place *place, enum shed_reason why)
{
	struct pool_wait *wait = wait_of(place);

	(void)arg;
	wait->shed = pool_is_short(wait->pool) ? SHED_SHORTAGE : why;
	wait->fn(wait->arg, POOL_SHED, NULL);
}

void
pool_refuse_tunnel(struct pool *pool)
{
	queue_refuse(&pool->queue, lent(pool), SHED_TUNNELS);
}

static enum pool_result
enter_queue(struct pool_wait *wait)
{
	struct pool *pool = wait->pool;

	/* An endpoint may have become usable since the queue was last served,
	 * without a connection given back. A shortage has a timer. */
	if (!pool_is_short(pool))
		kick(pool);
	if (queue_enter(&pool->queue, &wait->place, lent(pool)))
		return POOL_WAITING;
	wait->shed = pool_is_short(pool) ? SHED_SHORTAGE : SHED_FULL;
	return POOL_SHED;
}

enum pool_result
pool_acquire(struct pool_wait *wait, struct upstream **up)
{
	struct pool *pool = wait->pool;
	enum pool_result result = POOL_WAITING;

	/* After a stale connection the request goes ahead of the queue: its
	 * turn had come before. */
	if (pool->queue.count == 0 || wait->must_be_new)
		result = lend(wait, up);
	if (result == POOL_WAITING)
		return enter_queue(wait);
	queue_pass_by(&pool->queue, lent(pool));
	return result;
}

bool
pool_is_short(const struct pool *pool)
{
	return shortage_lasts(
	    &pool->service->shortage, loop_now_us(pool->runtime->loop));
}

void
pool_cancel(struct pool_wait *wait)
{
	if (wait->place.is_taken)
		queue_leave(&wait->pool->queue, &wait->place);
}

static void
on_grant(void *arg)
{
	struct pool *pool = arg;
	struct queue_place *place;

	while ((place = queue_next(&pool->queue)) != NULL) {
		struct pool_wait *wait = wait_of(place);
		struct upstream *up = NULL;
		enum pool_result result = lend(wait, &up);

		if (result == POOL_WAITING)
			return;
		queue_leave(&pool->queue, place);
		wait->fn(wait->arg, result, up);
	}
}

/* ---- the pool ---- */

static void
on_endpoint_leave(struct service *service, struct endpoint *endpoint)
{
	struct upstream *up, *next;

	(void)service;
	TAILQ_FOREACH_SAFE(up, &endpoint->idle, idle_entry, next)
	pool_discard(up);
}

static void
on_service_change(struct service *service)
{
	kick(service->pool);
}

struct pool *
pool_new(struct service *service)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->service = service;
	pool->config = service->config;
	pool->runtime = service->runtime;
	queue_init(&pool->queue, service, on_refusal, pool);
	timer_init(&pool->retry, on_retry, pool);
	loop_deferred_init(&pool->grant, on_grant, pool);
	service->pool = pool;
	service->on_change = on_service_change;
	service->on_leave = on_endpoint_leave;
	return pool;
}

void
pool_free(struct pool *pool)
{
	if (pool == NULL)
		return;
	for (size_t i = 0; i < pool->service->endpoint_count; i++)
		on_endpoint_leave(pool->service, pool->service->endpoints[i]);
	queue_fini(&pool->queue);
	loop_timer_clear(pool->runtime->loop, &pool->retry);
	loop_defer_cancel(pool->runtime->loop, &pool->grant);
	pool->service->on_change = NULL;
	pool->service->on_leave = NULL;
	pool->service->pool = NULL;
	loop_bury(pool->runtime->loop, pool, free);
}
