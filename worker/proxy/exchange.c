#include "exchange.h"

#include <errno.h>

#include "exchange_failure.h"
#include "exchange_request.h"
#include "exchange_response.h"
#include "reply.h"

static void connect_on(struct exchange *x);

/* ---- what its parts took ---- */

/* Most requests do not wait at all. */
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

/* ---- failures ---- */

/* Tries again, or ends with the failure's answer. */
static void
fail_try(struct exchange *x, enum failure failure, int error)
{
	if (exchange_fail_try(x, failure, error))
		connect_on(x);
}

static void
fail_to_connect(struct exchange *x, int error)
{
	fail_try(x,
	    error == ECONNREFUSED ? FAILURE_REFUSED : FAILURE_UNREACHABLE,
	    error);
}

/* A new connection that breaks before a byte leaves is one that never came up:
 * only the time of the reset differs. */
static bool
was_of_no_use(const struct exchange *x)
{
	const struct back *b = &x->up->back;

	return x->state == EXCHANGE_CONNECTING ||
	       (b->use == BACK_FRESH && !back_has_sent(b) &&
		   !back_has_heard(b));
}

/* The connection is unusable. A shortage of this host is not the backend's
 * fault, nor are our own limits and checks. */
static void
lose(struct exchange *x, int error)
{
	if (shortage_is(error)) {
		service_note_shortage(x->service, x->up->endpoint, error);
		exchange_refuse(x, FAILURE_SHORTAGE, 1);
	} else if (error == EPROTO)
		exchange_refuse_response(x);
	else if (error == EBADMSG)
		fail_try(x, FAILURE_INVALID, 0);
	else if (was_of_no_use(x))
		fail_to_connect(x, error);
	else
		fail_try(x, FAILURE_LOST, error);
}

/* The failure of the event that came too late. */
static enum failure
timeout_failure(const struct exchange *x)
{
	switch (x->state) {
	case EXCHANGE_CONNECTING:
		return FAILURE_CONNECT_TIMEOUT;
	case EXCHANGE_TUNNEL:
		return FAILURE_TUNNEL_IDLE;
	default:
		return stream_backlog(&x->up->back.stream) > 0
			   ? FAILURE_SEND_TIMEOUT
			   : FAILURE_READ_TIMEOUT;
	}
}

/* Too much to do, which is no evidence about the service. */
static void
shed(struct exchange *x, enum shed_reason why)
{
	static const enum failure failures[] = {
	    [SHED_FULL] = FAILURE_QUEUE_FULL,
	    [SHED_LATE] = FAILURE_QUEUE_TIMEOUT,
	    [SHED_OVERLOAD] = FAILURE_OVERLOADED,
	    [SHED_TUNNELS] = FAILURE_TUNNELS_FULL,
	    [SHED_SHORTAGE] = FAILURE_SHORTAGE,
	};

	runtime_count(x->runtime, SCOREBOARD_UP_SHED);
	exchange_refuse(x, failures[why], 1);
}

static void
shed_tunnel(struct exchange *x)
{
	pool_refuse_tunnel(x->wait.pool);
	shed(x, SHED_TUNNELS);
}

/* ---- a connection's events ---- */

static void
send_request(struct exchange *x)
{
	if (exchange_enter(x, EXCHANGE_STREAMING) &&
	    exchange_request_send(x) == -1)
		lose(x, x->up->back.error);
}

static void
begin_tunnel(struct exchange *x)
{
	if (!exchange_enter(x, EXCHANGE_TUNNEL))
		return;
	pump_open(&x->outgoing);
	pump_ask_again(&x->incoming);
}

/* Ends the exchange when both sides have ended: the client's connection closes
 * by itself then. */
static void
check_tunnel(struct exchange *x)
{
	const struct stream *back = &x->up->back.stream;

	if (!pump_has_ended(&x->incoming))
		return;
	if (!pump_has_ended(&x->outgoing)) {
		/* The backend has ended, and takes no bytes. */
		if (back->out == STREAM_OUT_GONE)
			exchange_refuse(x, FAILURE_LOST, 0);
	} else if (stream_backlog(back) == 0) {
		exchange_end(x);
	}
}

/* After any progress: sets the next deadline. */
static void
rest(struct exchange *x)
{
	if (x->state == EXCHANGE_TUNNEL)
		check_tunnel(x);
	if (x->up != NULL)
		exchange_update_deadline(x);
}

static void
on_head(struct exchange *x)
{
	enum exchange_head head = exchange_response_on_head(x);

	if (head == EXCHANGE_HEAD_BAD) {
		if (exchange_retry_status(x)) {
			connect_on(x);
			return;
		}
		head = exchange_response_settle(x);
	}
	switch (head) {
	case EXCHANGE_HEAD_PASSED:
		pump_ask_again(&x->incoming);
		break;
	case EXCHANGE_HEAD_BAD:
		break;
	case EXCHANGE_HEAD_CONTINUE:
		exchange_request_go_on(x);
		pump_ask_again(&x->incoming);
		break;
	case EXCHANGE_HEAD_SETTLES:
		/* The backend has done its part. */
		upstream_clear_deadline(x->up);
		break;
	case EXCHANGE_HEAD_SWITCHED:
		begin_tunnel(x);
		break;
	case EXCHANGE_HEAD_EARLY:
		x->has_early_switch = true;
		break;
	case EXCHANGE_HEAD_UNASKED:
		fail_try(x, FAILURE_SWITCHED, 0);
		break;
	case EXCHANGE_HEAD_CROWDED:
		shed_tunnel(x);
		break;
	}
}

static void
on_back(void *arg, struct back *b, enum back_event event)
{
	struct exchange *x = arg;

	/* The backend has answered; further events are read when the response
	 * continues. */
	if (x->incoming.state == PUMP_HELD)
		return;
	switch (event) {
	case BACK_CONNECTED:
		note_connect(x);
		send_request(x);
		break;
	case BACK_HEAD:
		/* Otherwise the client has left, and the connection's close,
		 * due next, ends this exchange. */
		if (stream_is_answerable(x->front))
			on_head(x);
		break;
	case BACK_PIECE:
		if (stream_is_answerable(x->front))
			exchange_response_on_piece(x, &b->piece);
		break;
	case BACK_DRAINED:
		exchange_request_ask(x);
		break;
	case BACK_WAITS:
		rest(x);
		break;
	case BACK_FAILED:
		lose(x, b->error);
		break;
	case BACK_TIMEOUT:
		fail_try(x, timeout_failure(x), 0);
		break;
	}
}

/* ---- the pool's verdicts ---- */

static void
take_connection(struct exchange *x, struct upstream *up)
{
	x->up = up;
	x->counted_at = up->endpoint;
	endpoint_begin(up->endpoint);
	upstream_set_owner(up, on_back, x);
	note_connection(x);
	if (up->state != UPSTREAM_CONNECTING)
		send_request(x);
	else if (exchange_enter(x, EXCHANGE_CONNECTING))
		upstream_set_deadline(
		    up, x->service->config->timeouts.connect_us);
}

static void
go_on(struct exchange *x, enum pool_result result, struct upstream *up)
{
	int error;

	switch (result) {
	case POOL_LENT:
		take_connection(x, up);
		break;
	case POOL_WAITING:
		/* Another try, or a pipelined request: the client's end was
		 * told before. */
		if (x->front->has_left)
			stream_abandon(x->front);
		break;
	case POOL_SHED:
		note_queue(x);
		shed(x, x->wait.shed);
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
		fail_to_connect(x, error);
		break;
	}
}

static void
on_connection(void *arg, enum pool_result result, struct upstream *up)
{
	go_on(arg, result, up);
}

/* Asks the pool for a connection, for the first or another try. */
static void
connect_on(struct exchange *x)
{
	struct upstream *up = NULL;
	enum pool_result result = pool_acquire(&x->wait, &up);

	if (result == POOL_LENT)
		take_connection(x, up);
	else
		go_on(x, result, up);
}

/* ---- the breaker's word, and time ---- */

/* The breaker has counted the reported failure. */
static void
on_settled(void *arg)
{
	struct exchange *x = arg;

	if (x->state == EXCHANGE_FAILED) {
		exchange_refuse(x, x->failure, 0);
		return;
	}
	exchange_request_ask(x);
	if (!stream_is_answerable(x->front))
		return;
	exchange_response_begin(x);
	pump_open(&x->incoming);
}

static void
on_continue_timer(void *arg)
{
	struct exchange *x = arg;

	if (x->state == EXCHANGE_STREAMING && !exchange_response_has_begun(x) &&
	    x->outgoing.state == PUMP_HELD && x->incoming.state != PUMP_HELD) {
		exchange_request_go_on(x);
		exchange_update_deadline(x);
	}
}

/* ---- the stage ---- */

static bool
is_for(const struct config_route *route)
{
	return route != NULL && route->service >= 0;
}

static void
init(struct exchange *x, struct request *r)
{
	struct runtime *rt = r->runtime;

	x->runtime = rt;
	x->request = r;
	x->front = r->stream;
	x->service = rt->services[r->route->service];
	x->state = EXCHANGE_QUEUED;
	x->up = NULL;
	x->counted_at = NULL;
	x->mark_us = r->stream->begun_us;
	x->has_early_switch = false;
	x->retries = 0;
	x->in_budget = false;
	pump_init(&x->outgoing, "request", x->front);
	pump_init(&x->incoming, "response", x->front);
	breakers_ticket_settle_with(r->ticket, on_settled, x);
	timer_init(&x->continue_timer, on_continue_timer, x);
	pool_wait_init(&x->wait, x->service->pool, on_connection, x);
	/* A streamed body is gone once taken. */
	x->wait.probe = head_has_body(r->stream->head);
	service_begin(x->service);
}

/* The head has come within client.headers, and has no room with the fields for
 * the service. */
static void
refuse_request(struct request *r)
{
	static const char why[] =
	    "request head too large to be forwarded (client.headers)";

	request_note_reason(r, why);
	reply_error(r->stream, 431, why);
}

static enum stage_verdict
begin(struct request *r, void *state)
{
	struct exchange *x = state;

	init(x, r);
	if (exchange_request_build(x) == 0) {
		if (x->protocols.at != NULL &&
		    pool_is_full_of_tunnels(x->wait.pool))
			shed_tunnel(x);
		else
			connect_on(x);
	} else if (errno == ENOMEM) {
		exchange_end(x);
		reply_error(r->stream, 503, "out of memory for requests");
	} else {
		exchange_end(x);
		refuse_request(r);
	}
	return STAGE_DONE;
}

static void
on_body(struct request *r, void *state, const struct stream_piece *piece)
{
	struct exchange *x = state;

	(void)r;
	if (x->state != EXCHANGE_STREAMING && x->state != EXCHANGE_TUNNEL)
		return;
	/* The backend may have stopped reading and answered already. The
	 * response, or the reset, comes by on_back(). */
	exchange_request_on_piece(x, piece);
	if (x->has_early_switch && pump_has_ended(&x->outgoing)) {
		x->has_early_switch = false;
		on_head(x);
	}
	rest(x);
}

static void
on_drained(struct request *r, void *state)
{
	struct exchange *x = state;

	(void)r;
	if (x->state != EXCHANGE_STREAMING && x->state != EXCHANGE_TUNNEL)
		return;
	pump_ask(&x->incoming);
	exchange_update_deadline(x);
}

/* Nobody waits for the answer, unless the client has shut down its sending side
 * alone. A request that has not begun costs the service nothing yet. */
static void
on_left(struct request *r, void *state)
{
	struct exchange *x = state;
	bool aborts =
	    x->service->config->abort_on_close &&
	    (x->state == EXCHANGE_CONNECTING || x->state == EXCHANGE_STREAMING);

	if (x->state == EXCHANGE_QUEUED || aborts)
		stream_abandon(r->stream);
}

static void
end(struct request *r, void *state)
{
	struct exchange *x = state;

	(void)r;
	if (x->state == EXCHANGE_ENDED)
		return;
	/* The client has left: its wait in the queue counts, too. */
	if (x->state == EXCHANGE_QUEUED)
		note_queue(x);
	exchange_end(x);
}

const struct stage exchange_stage = {
    .name = "exchange",
    .is_for = is_for,
    .state_bytes = sizeof(struct exchange),
    .begin = begin,
    .on_body = on_body,
    .on_drained = on_drained,
    .on_left = on_left,
    .end = end,
};
