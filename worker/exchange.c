#include "exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "exchange_private.h"
#include "forward.h"
#include "machine.h"

static void on_admission(void *arg, bool admitted);
static void on_connection(
    void *arg, enum pool_result result, struct upstream *up);
static void on_upstream(
    void *arg, struct upstream *up, enum upstream_event event);
static void abort_exchange(struct task *task);

static const struct task_ops ops = {
    .on_body = exchange_on_body,
    .on_drained = exchange_on_drained,
    .abort = abort_exchange,
};

static const struct machine_state states[] = {
    [EXCHANGE_ADMISSION] = {"admission",
	MACHINE_TO(EXCHANGE_QUEUED) | MACHINE_TO(EXCHANGE_ENDED)},
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
		session_cut(x->session);
}

bool
exchange_enter(struct exchange *x, enum exchange_state state)
{
	if (!CONFINED(machine_allows(states, x->state, state),
		"exchange with %s on route %s, %s, to be %s",
		x->service->config->name, x->route->path, states[x->state].name,
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
	if (x->at_endpoint)
		endpoint_end(x->up->endpoint);
	x->at_endpoint = false;
}

void
exchange_drop_head(struct exchange *x)
{
	buffer_put(x->runtime->buffers, x->head);
	x->head = NULL;
	x->body_kept = false;
}

void
exchange_let_go_of_upstream(struct exchange *x, bool keep)
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

size_t
exchange_bytes(void)
{
	return sizeof(struct exchange);
}

static void
free_exchange(void *p)
{
	struct exchange *x = p;

	slab_put(&x->runtime->exchanges, x);
}

void
exchange_end(struct exchange *x, bool keep_upstream)
{
	struct runtime *rt = x->runtime;

	if (!exchange_enter(x, EXCHANGE_ENDED))
		return;
	exchange_let_go_of_upstream(x, keep_upstream);
	pool_cancel(&x->wait);
	loop_defer_cancel(rt->loop, &x->again);
	loop_timer_clear(rt->loop, &x->continue_timer);
	breakers_release(rt->breakers, &x->ticket);
	counter_gauge(x->service->in_flight, -1);
	service_end(x->service, x->retries != 0);
	exchange_drop_head(x);
	loop_bury(rt->loop, x, free_exchange);
}

/* ---- what its parts took ---- */

uint64_t
exchange_lap_us(struct exchange *x)
{
	uint64_t now_us = loop_now_us(x->runtime->loop);
	uint64_t lap_us = now_us - x->mark_us;

	x->mark_us = now_us;
	return lap_us;
}

/* Most do not wait at all. */
static void
note_queue(struct exchange *x)
{
	struct duration_histogram *h =
	    &x->service->waits[SCOREBOARD_WAIT_QUEUE];
	uint64_t us = exchange_lap_us(x);

	x->request->record.queue_us = us;
	if (us == 0)
		duration_add_none(h);
	else
		duration_add(h, us);
}

static void
note_connect(struct exchange *x)
{
	uint64_t us = exchange_lap_us(x);

	x->request->record.connect_us = us;
	duration_add(&x->service->waits[SCOREBOARD_WAIT_CONNECT], us);
}

void
exchange_note_first_byte(struct exchange *x)
{
	uint64_t us = exchange_lap_us(x);

	x->request->record.first_byte_us = us;
	duration_add(&x->service->waits[SCOREBOARD_WAIT_FIRST_BYTE], us);
}

/* Its client has left, and if from the queue, has waited there, too. */
static void
abort_exchange(struct task *task)
{
	struct exchange *x = (struct exchange *)task;

	if (x->state == EXCHANGE_QUEUED)
		note_queue(x);
	exchange_end(x, false);
}

/* ---- on the way ---- */

static enum exchange_failure
connect_failure(const struct upstream *up)
{
	return up->error == ECONNREFUSED ? EXCHANGE_FAILURE_REFUSED
					 : EXCHANGE_FAILURE_UNREACHABLE;
}

/* What it was that did not come in time. */
static enum exchange_failure
timeout_failure(const struct exchange *x)
{
	switch (x->state) {
	case EXCHANGE_CONNECTING:
		return EXCHANGE_FAILURE_CONNECT_TIMEOUT;
	case EXCHANGE_TUNNEL:
		return EXCHANGE_FAILURE_TUNNEL_IDLE;
	default:
		return io_backlog(&x->up->io) > 0
			   ? EXCHANGE_FAILURE_SEND_TIMEOUT
			   : EXCHANGE_FAILURE_READ_TIMEOUT;
	}
}

static void
on_upstream_ready(struct exchange *x)
{
	if (x->state == EXCHANGE_TUNNEL) {
		exchange_pump_tunnel(x);
		return;
	}
	if (x->state == EXCHANGE_CONNECTING) {
		note_connect(x);
		exchange_send(x);
	} else {
		exchange_take_body(x);
	}
	if (x->state == EXCHANGE_STREAMING)
		exchange_receive(x);
}

static void
on_upstream(void *arg, struct upstream *up, enum upstream_event event)
{
	struct exchange *x = arg;

	/* It has answered; what else it does is seen when that goes on. */
	if (x->settling)
		return;
	switch (event) {
	case UPSTREAM_READY:
		on_upstream_ready(x);
		break;
	case UPSTREAM_FAILED:
		exchange_try_failed(x, x->state == EXCHANGE_CONNECTING
					   ? connect_failure(up)
					   : EXCHANGE_FAILURE_LOST);
		break;
	case UPSTREAM_TIMEOUT:
		exchange_try_failed(x, timeout_failure(x));
		break;
	}
}

static void
note_connection(struct exchange *x)
{
	struct record *record = &x->request->record;

	request_note_upstream(x->request, x->up->endpoint->text);
	note_queue(x);
	record->connect_us =
	    x->up->state == UPSTREAM_CONNECTING ? RECORD_NO_TIME : 0;
	record->first_byte_us = RECORD_NO_TIME;
}

static void
take_connection(struct exchange *x, struct upstream *up)
{
	x->up = up;
	x->at_endpoint = true;
	endpoint_begin(up->endpoint);
	upstream_set_owner(up, on_upstream, x);
	message_init_response(&up->message, MESSAGE_HEAD_MAX, x->head_method);
	note_connection(x);
	if (up->state == UPSTREAM_CONNECTING) {
		if (!exchange_enter(x, EXCHANGE_CONNECTING))
			return;
		upstream_set_deadline(
		    up, x->service->config->timeouts.connect_us);
	} else {
		exchange_send(x);
	}
}

/* Then it is not the backend that fails. */
static bool
is_our_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	       error == ENOMEM;
}

/* shed: what it is called when the pool does not take the request. */
static void
go_on(struct exchange *x, enum pool_result result, struct upstream *up,
    enum exchange_failure shed)
{
	int error;

	switch (result) {
	case POOL_LENT:
		take_connection(x, up);
		break;
	case POOL_WAITING:
		break;
	case POOL_SHED:
		runtime_count(x->runtime, SCOREBOARD_UP_SHED);
		note_queue(x);
		exchange_refuse(x, shed, 1);
		break;
	case POOL_NO_ENDPOINT:
		if (x->service->endpoint_count == 0)
			exchange_fail(x, EXCHANGE_FAILURE_NO_ADDRESS);
		else
			exchange_refuse(x, EXCHANGE_FAILURE_DRAINED, 1);
		break;
	case POOL_FAILED:
		error = errno;
		request_note_upstream(x->request, x->wait.endpoint->text);
		if (is_our_shortage(error))
			exchange_refuse(x, EXCHANGE_FAILURE_SHORTAGE, 1);
		else
			exchange_try_failed(
			    x, error == ECONNREFUSED
				   ? EXCHANGE_FAILURE_REFUSED
				   : EXCHANGE_FAILURE_UNREACHABLE);
		break;
	}
}

static void
on_connection(void *arg, enum pool_result result, struct upstream *up)
{
	go_on(arg, result, up, EXCHANGE_FAILURE_QUEUE_TIMEOUT);
}

void
exchange_connect(struct exchange *x)
{
	struct upstream *up = NULL;
	enum pool_result result = pool_acquire(&x->wait, &up);

	go_on(x, result, up, EXCHANGE_FAILURE_QUEUE_FULL);
}

static void
reject(struct exchange *x)
{
	unsigned after_s =
	    breakers_retry_after_s(x->runtime->breakers, x->service->index);

	exchange_count(x, SCOREBOARD_SERVICE_REJECTED);
	x->request->record.breaker = breaker_state_str(BREAKER_OPEN);
	exchange_refuse(x, EXCHANGE_FAILURE_CIRCUIT_OPEN, after_s);
}

static void
on_admission(void *arg, bool admitted)
{
	struct exchange *x = arg;

	if (!admitted) {
		reject(x);
		return;
	}
	if (x->service->config->breaker.failures != 0)
		x->request->record.breaker = breaker_state_str(
		    x->ticket.admission.is_probe ? BREAKER_HALF_OPEN
						 : BREAKER_CLOSED);
	if (exchange_enter(x, EXCHANGE_QUEUED))
		exchange_connect(x);
}

/* Writes the request's head, and what ties the request to an endpoint. */
static int
build_head(struct exchange *x, const struct config_route *route)
{
	struct session *s = x->session;
	char peer[SOCK_TEXT_MAX];
	struct trace trace;
	struct forward_request request = {
	    .message = session_request(s),
	    .route = route,
	    .peer = sock_host_str(session_peer(s), peer),
	    .host = x->service->config->name,
	    .trace = &trace,
	};
	struct text out;

	trace_of_request(&trace, x->runtime->trace, request.message);
	request_note_id(x->request, trace.id);
	affinity_of_request(&x->wait.affinity, x->service->config,
	    request.message, request.peer);
	text_init(&out, x->head->data, BUFFER_BYTES);
	forward_request(&out, &request);
	x->head->end = (uint32_t)out.len;
	return text_is_full(&out) ? -1 : 0;
}

static void
on_again(void *arg)
{
	exchange_on_drained(arg);
}

static struct exchange *
exchange_new(struct request *request, const struct config_route *route)
{
	struct runtime *rt = request->runtime;
	const struct message *m = session_request(request->session);
	struct exchange *x = slab_get(&rt->exchanges);

	if (x == NULL)
		return NULL;
	memset(x, 0, sizeof(*x));
	x->runtime = rt;
	x->head = buffer_get(rt->buffers);
	if (x->head == NULL) {
		free_exchange(x);
		return NULL;
	}
	x->task.ops = &ops;
	x->request = request;
	x->session = request->session;
	x->route = route;
	x->service = rt->services[route->service];
	x->state = EXCHANGE_ADMISSION;
	x->head_method = m->parser.method == HTTP_HEAD;
	x->idempotent = message_is_idempotent(m);
	x->body_kept = x->idempotent;
	x->chunked = m->chunked;
	x->upgrades = m->upgrades;
	x->expects_continue = m->expects_continue;
	x->mark_us = session_request_us(request->session);
	x->request_ended = !message_has_body(m);
	breakers_ticket_init(&x->ticket, on_admission, exchange_on_settled, x);
	timer_init(&x->continue_timer, exchange_on_continue_timer, x);
	loop_deferred_init(&x->again, on_again, x);
	pool_wait_init(&x->wait, x->service->pool, on_connection, x);
	/* A body that streams is gone once it has been taken. */
	x->wait.look = !x->request_ended;
	return x;
}

void
exchange_start(struct request *request, const struct config_route *route)
{
	struct exchange *x = exchange_new(request, route);

	if (x == NULL) {
		session_reply_error(
		    request->session, 503, "out of memory for requests");
		return;
	}
	if (build_head(x, route) == -1) {
		buffer_put(x->runtime->buffers, x->head);
		free_exchange(x);
		session_reply_error(
		    request->session, 431, "request head too large");
		return;
	}
	request_begin_task(request, &x->task);
	request->record.service = x->service->config->name;
	exchange_count(x, SCOREBOARD_SERVICE_REQUESTS);
	counter_gauge(x->service->in_flight, 1);
	service_begin(x->service);
	switch (breakers_check(
	    x->runtime->breakers, x->service->index, &x->ticket)) {
	case BREAKERS_ADMITTED:
		on_admission(x, true);
		break;
	case BREAKERS_REJECTED:
		reject(x);
		break;
	case BREAKERS_ASKING:
		break;
	}
}
