#include "pool.h"

#include <errno.h>
#include <string.h>

#include "upstream.h"
#include "worker.h"

/* Nothing is expected of an idle connection: whatever happens ends it. */
static void
on_idle_event(void *arg, struct upstream *up, enum upstream_event event)
{
	(void)arg;
	(void)event;
	if (event == UPSTREAM_READY && !up->io.readable)
		return;
	pool_discard(up);
}

void
pool_release(struct upstream *up)
{
	upstream_set_idle(up);
	upstream_set_owner(up, on_idle_event, NULL);
	upstream_set_deadline(up, up->service->config->pool.idle_us);
	TAILQ_INSERT_HEAD(&up->endpoint->idle, up, idle_entry);
	if (up->endpoint->gone)
		pool_discard(up);
	else
		pool_kick(up->service);
}

void
pool_discard(struct upstream *up)
{
	if (up->state == UPSTREAM_IDLE)
		TAILQ_REMOVE(&up->endpoint->idle, up, idle_entry);
	upstream_close(up);
}

static struct upstream *
reuse(struct endpoint *endpoint)
{
	struct upstream *up = TAILQ_FIRST(&endpoint->idle);

	if (up == NULL)
		return NULL;
	TAILQ_REMOVE(&endpoint->idle, up, idle_entry);
	upstream_set_lent(up);
	worker_count(endpoint->service->worker, SCOREBOARD_UP_REUSES);
	return up;
}

/* Makes room for a connection by closing the oldest idle one elsewhere. */
static bool
evict(struct service *service)
{
	for (size_t i = 0; i < service->endpoint_count; i++) {
		struct upstream *up =
		    TAILQ_LAST(&service->endpoints[i]->idle, upstream_list);

		if (up != NULL) {
			pool_discard(up);
			return true;
		}
	}
	return false;
}

/* POOL_WAITING here means: all connections are lent, or no name has been
 * answered yet. */
static enum pool_result
lend(struct pool_wait *wait, struct upstream **up)
{
	struct service *service = wait->service;
	struct endpoint *endpoint;

	endpoint = service_pick(service, wait->avoid ? wait->endpoint : NULL);
	if (endpoint == NULL)
		return service_is_resolving(service) ? POOL_WAITING
						     : POOL_NO_ENDPOINT;
	*up = wait->fresh ? NULL : reuse(endpoint);
	if (*up == NULL) {
		if (service->connections >= service->config->pool.connections &&
		    !evict(service))
			return POOL_WAITING;
		wait->endpoint = endpoint;
		*up = upstream_open(service, endpoint);
		if (*up == NULL)
			return POOL_FAILED;
	}
	wait->endpoint = endpoint;
	return POOL_LENT;
}

static void
leave_queue(struct pool_wait *wait)
{
	TAILQ_REMOVE(&wait->service->waiting, wait, entry);
	wait->service->waiting_count--;
	wait->queued = false;
	loop_timer_clear(wait->service->worker->loop, &wait->timer);
}

static void
on_wait_timer(void *arg)
{
	struct pool_wait *wait = arg;

	leave_queue(wait);
	wait->fn(wait->arg, POOL_SHED, NULL);
}

void
pool_wait_init(
    struct pool_wait *wait, struct service *service, pool_fn *fn, void *arg)
{
	memset(wait, 0, sizeof(*wait));
	wait->service = service;
	wait->fn = fn;
	wait->arg = arg;
	timer_init(&wait->timer, on_wait_timer, wait);
}

enum pool_result
pool_acquire(struct pool_wait *wait, struct upstream **up)
{
	struct service *service = wait->service;
	enum pool_result result = POOL_WAITING;

	/* Who came first is served first. */
	if (service->waiting_count == 0)
		result = lend(wait, up);
	if (result != POOL_WAITING)
		return result;
	if (service->waiting_count >= service->config->pool.queue)
		return POOL_SHED;
	TAILQ_INSERT_TAIL(&service->waiting, wait, entry);
	service->waiting_count++;
	wait->queued = true;
	loop_timer_after(service->worker->loop, &wait->timer,
	    service->config->pool.queue_timeout_us);
	return POOL_WAITING;
}

void
pool_cancel(struct pool_wait *wait)
{
	if (wait->queued)
		leave_queue(wait);
}

static void
on_grant(void *arg)
{
	struct service *service = arg;
	struct pool_wait *wait;

	while ((wait = TAILQ_FIRST(&service->waiting)) != NULL) {
		struct upstream *up = NULL;
		enum pool_result result = lend(wait, &up);

		if (result == POOL_WAITING)
			return;
		leave_queue(wait);
		wait->fn(wait->arg, result, up);
	}
}

void
pool_kick(struct service *service)
{
	if (service->waiting_count > 0)
		loop_defer(service->worker->loop, &service->grant);
}

void
pool_init(struct service *service)
{
	TAILQ_INIT(&service->waiting);
	loop_deferred_init(&service->grant, on_grant, service);
}
