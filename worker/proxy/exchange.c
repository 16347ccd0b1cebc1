#include "exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "exchange_private.h"
#include "forward.h"
#include "h1_head.h"
#include "machine.h"
#include "reply.h"

static void on_connection(
    void *arg, enum pool_result result, struct upstream *up);
static void on_upstream(
    void *arg, struct upstream *up, enum upstream_event event);

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
		stream_cut(x->stream);
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

void
exchange_end(struct exchange *x, bool keep)
{
	struct runtime *rt = x->runtime;

	if (!exchange_enter(x, EXCHANGE_ENDED))
		return;
	exchange_let_go_of_upstream(x, keep);
	pool_cancel(&x->wait);
	loop_defer_cancel(rt->loop, &x->again);
	loop_timer_clear(rt->loop, &x->continue_timer);
	service_end(x->service, x->retries != 0);
	exchange_drop_head(x);
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

/* ---- on the way ---- */

static enum failure
connect_failure(const struct upstream *up)
{
	return up->error == ECONNREFUSED ? FAILURE_REFUSED
					 : FAILURE_UNREACHABLE;
}

/* What it was that did not come in time. */
static enum failure
timeout_failure(const struct exchange *x)
{
	switch (x->state) {
	case EXCHANGE_CONNECTING:
		return FAILURE_CONNECT_TIMEOUT;
	case EXCHANGE_TUNNEL:
		return FAILURE_TUNNEL_IDLE;
	default:
		return io_backlog(&x->up->io) > 0 ? FAILURE_SEND_TIMEOUT
						  : FAILURE_READ_TIMEOUT;
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
					   : FAILURE_LOST);
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
	parser_init_response(&up->message, PARSER_HEAD_MAX, x->head_method);
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
    enum failure shed)
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
			exchange_fail(x, FAILURE_NO_ADDRESS);
		else
			exchange_refuse(x, FAILURE_DRAINED, 1);
		break;
	case POOL_FAILED:
		error = errno;
		request_note_upstream(x->request, x->wait.endpoint->text);
		if (is_our_shortage(error))
			exchange_refuse(x, FAILURE_SHORTAGE, 1);
		else
			exchange_try_failed(x, error == ECONNREFUSED
						   ? FAILURE_REFUSED
						   : FAILURE_UNREACHABLE);
		break;
	}
}

static void
on_connection(void *arg, enum pool_result result, struct upstream *up)
{
	go_on(arg, result, up, FAILURE_QUEUE_TIMEOUT);
}

void
exchange_connect(struct exchange *x)
{
	struct upstream *up = NULL;
	enum pool_result result = pool_acquire(&x->wait, &up);

	go_on(x, result, up, FAILURE_QUEUE_FULL);
}

/* Writes the request's head, and what ties the request to an endpoint. */
static int
build_head(struct exchange *x)
{
	const struct stream *s = x->stream;
	char peer[SOCK_TEXT_MAX];
	struct forward_request request = {
	    .head = s->head,
	    .route = x->route,
	    .peer = sock_host_str(s->peer, peer),
	    .host = x->service->config->name,
	    .trace = request_trace(x->request),
	};
	struct stream_start start = {
	    .method = head_method_str(s->head),
	    .length =
		s->head->chunked ? STREAM_LENGTH_UNKNOWN : s->head->length,
	    .no_body = !s->head->chunked && !s->head->has_length,
	    .expects_continue = s->head->expects_continue,
	};
	struct text room;
	struct fields out;

	affinity_of_request(
	    &x->wait.affinity, x->service->config, request.head, request.peer);
	text_init(&room, x->head->data, BUFFER_BYTES);
	start.path = forward_path(&room, s->head, x->route);
	x->head->start = (uint32_t)room.len;
	fields_init(&out, room.data + room.len, BUFFER_BYTES - room.len);
	h1_head_request(&out, start.method, start.path, 1);
	forward_request(&out, &request);
	h1_head_frame_request(&out, &start);
	h1_head_end(&out);
	x->head->end = x->head->start + (uint32_t)out.lines.len;
	return text_is_full(&room) || fields_are_full(&out) ? -1 : 0;
}

/* ---- the stage ---- */

static void
on_again(void *arg)
{
	exchange_on_drained(arg);
}

static bool
is_for(const struct config_route *route)
{
	return route != NULL && route->service >= 0;
}

/* What is known of the request, whose text does not last. */
static void
init(struct exchange *x, struct request *r)
{
	struct runtime *rt = r->runtime;
	const struct head *head = r->stream->head;

	memset(x, 0, sizeof(*x));
	x->runtime = rt;
	x->request = r;
	x->stream = r->stream;
	x->route = r->route;
	x->ticket = r->ticket;
	x->service = rt->services[r->route->service];
	x->state = EXCHANGE_QUEUED;
	x->head_method = head->method == HTTP_HEAD;
	x->idempotent = head_is_idempotent(head);
	x->body_kept = x->idempotent;
	x->chunked = head->chunked;
	x->upgrades = head->upgrades;
	x->expects_continue = head->expects_continue;
	x->mark_us = r->stream->begun_us;
	x->request_ended = !head_has_body(head);
	breakers_ticket_settle_with(x->ticket, exchange_on_settled, x);
	timer_init(&x->continue_timer, exchange_on_continue_timer, x);
	loop_deferred_init(&x->again, on_again, x);
	pool_wait_init(&x->wait, x->service->pool, on_connection, x);
	/* A body that streams is gone once it has been taken. */
	x->wait.probe = !x->request_ended;
	service_begin(x->service);
}

static enum stage_verdict
begin(struct request *r, void *state)
{
	struct exchange *x = state;

	init(x, r);
	x->head = buffer_get(x->runtime->buffers);
	if (x->head == NULL) {
		exchange_end(x, false);
		reply_error(r->stream, 503, "out of memory for requests");
	} else if (build_head(x) == -1) {
		exchange_end(x, false);
		reply_error(r->stream, 431, "request head too large");
	} else {
		exchange_connect(x);
	}
	return STAGE_DONE;
}

static void
on_body(struct request *r, void *state, const struct stream_piece *piece)
{
	(void)r;
	exchange_on_body(state, piece);
}

static void
on_drained(struct request *r, void *state)
{
	(void)r;
	exchange_on_drained(state);
}

static void
end(struct request *r, void *state)
{
	struct exchange *x = state;

	(void)r;
	if (x->state == EXCHANGE_ENDED)
		return;
	/* Its client has left, and has waited there, too. */
	if (x->state == EXCHANGE_QUEUED)
		note_queue(x);
	exchange_end(x, x->keep);
}

const struct stage exchange_stage = {
    .name = "exchange",
    .is_for = is_for,
    .state_bytes = sizeof(struct exchange),
    .begin = begin,
    .on_body = on_body,
    .on_drained = on_drained,
    .end = end,
};
