#include "exchange_state.h"

#include "check.h"
#include "machine.h"

static const struct machine_state states[] = {
    [EXCHANGE_QUEUED] = {"queued",
	MACHINE_TO(EXCHANGE_CONNECTING) | MACHINE_TO(EXCHANGE_STREAMING) |
	    MACHINE_TO(EXCHANGE_FAILED) | MACHINE_TO(EXCHANGE_ENDED)},
    [EXCHANGE_CONNECTING] = {"connecting",
	MACHINE_TO(EXCHANGE_STREAMING) | MACHINE_TO(EXCHANGE_QUEUED) |
	    MACHINE_TO(EXCHANGE_FAILED) | MACHINE_TO(EXCHANGE_ENDED)},
    [EXCHANGE_STREAMING] = {"streaming",
	MACHINE_TO(EXCHANGE_QUEUED) | MACHINE_TO(EXCHANGE_TUNNEL) |
	    MACHINE_TO(EXCHANGE_FAILED) | MACHINE_TO(EXCHANGE_ENDED)},
    [EXCHANGE_TUNNEL] = {"tunnel", MACHINE_TO(EXCHANGE_ENDED)},
    [EXCHANGE_FAILED] = {"failed", MACHINE_TO(EXCHANGE_ENDED)},
    [EXCHANGE_ENDED] = {"ended", 0},
};

/* An exchange that has ended has no client any more: nothing is left to be
 * closed. */
static void
give_up(struct exchange *x)
{
	if (x->state != EXCHANGE_ENDED)
		stream_cut(x->front);
}

bool
exchange_enter(struct exchange *x, enum exchange_state state)
{
	bool is_legal = machine_allows(states, x->state, state);
	char request[160];

	if (!is_legal)
		request_describe(x->request, request, sizeof(request));
	if (!CONFINED(is_legal, "exchange with %s, %s, %s, to be %s",
		x->service->config->name, request, states[x->state].name,
		states[state].name)) {
		give_up(x);
		return false;
	}
	MACHINE_STEP(states, x->state, state, "exchange with %s",
	    x->service->config->name);
	return true;
}

void
exchange_count(struct exchange *x, enum scoreboard_service_total total)
{
	counter_add(&x->service->totals[total], 1);
}

void
exchange_leave_endpoint(struct exchange *x)
{
	if (x->counted_at != NULL)
		endpoint_end(x->counted_at);
	x->counted_at = NULL;
}

static void
let_go_of_upstream(struct exchange *x, bool keep)
{
	struct upstream *up = x->up;

	if (up == NULL)
		return;
	exchange_leave_endpoint(x);
	x->up = NULL;
	if (keep)
		pool_release(up);
	else
		pool_discard(up);
}

void
exchange_end(struct exchange *x)
{
	struct runtime *rt = x->runtime;

	if (!exchange_enter(x, EXCHANGE_ENDED))
		return;
	let_go_of_upstream(
	    x, pump_has_ended(&x->incoming) && back_is_reusable(&x->up->back));
	pool_cancel(&x->wait);
	loop_timer_clear(rt->loop, &x->continue_timer);
	service_end(x->service, x->in_budget);
	replay_drop(&x->replay);
}

void
exchange_leave_try(struct exchange *x)
{
	let_go_of_upstream(x, false);
	loop_timer_clear(x->runtime->loop, &x->continue_timer);
	x->has_early_switch = false;
	pump_shut(&x->outgoing);
	pump_shut(&x->incoming);
}

uint64_t
exchange_lap_us(struct exchange *x)
{
	uint64_t now_us = loop_now_us(x->runtime->loop);
	uint64_t lap_us = now_us - x->mark_us;

	x->mark_us = now_us;
	return lap_us;
}

void
exchange_update_deadline(struct exchange *x)
{
	const struct config_service *config = x->service->config;

	if (x->state == EXCHANGE_TUNNEL)
		upstream_set_deadline(x->up, config->timeouts.tunnel_us);
	/* While the client is slow, its connection's deadlines hold; the
	 * backend's starts anew with the client's next piece. */
	else if (x->outgoing.state == PUMP_ASKED ||
		 stream_backlog(x->front) > 0)
		upstream_clear_deadline(x->up);
	else
		upstream_set_deadline(
		    x->up, stream_backlog(&x->up->back.stream) > 0
			       ? config->timeouts.send_us
			       : config->timeouts.read_us);
}
