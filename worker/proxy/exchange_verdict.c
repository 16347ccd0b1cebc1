#include <stdio.h>

#include "exchange_private.h"
#include "forward.h"
#include "log.h"
#include "retry.h"

void
exchange_refuse(
    struct exchange *x, enum failure failure, unsigned retry_after_s)
{
	exchange_end(x, false);
	if (!x->response_begun) {
		request_fail(x->request, failure_row(failure), retry_after_s);
		return;
	}
	x->request->record.end = failure_row(failure)->word;
	stream_cut(x->stream);
}

/* Nothing comes of this try any more. */
static void
leave_try(struct exchange *x)
{
	exchange_let_go_of_upstream(x, false);
	loop_defer_cancel(x->runtime->loop, &x->again);
	loop_timer_clear(x->runtime->loop, &x->continue_timer);
}

/* The answer waits until the breaker has counted the failure, so that the
 * third failure's answer says that the circuit is open. */
void
exchange_fail(struct exchange *x, enum failure failure)
{
	if (!x->judged)
		exchange_count(x, SCOREBOARD_SERVICE_FAILURES);
	log_debug("exchange with %s: %s", x->service->config->name,
	    failure_row(failure)->text);
	if (breakers_report(x->runtime->breakers, x->ticket, true,
		failure_row(failure)->text) ||
	    x->response_begun) {
		exchange_refuse(x, failure, 0);
		return;
	}
	x->failure = failure;
	if (exchange_enter(x, EXCHANGE_FAILED))
		leave_try(x);
}

void
exchange_on_settled(void *arg)
{
	struct exchange *x = arg;

	if (x->state == EXCHANGE_FAILED)
		exchange_refuse(x, x->failure, 0);
	else
		exchange_resume(x);
}

/* Something of the request has left, on this try. */
static bool
has_left(const struct exchange *x)
{
	return x->up != NULL && x->up->io.has_sent;
}

static enum retry_body
body_of(const struct exchange *x)
{
	if (!x->body_begun)
		return RETRY_BODY_UNTOUCHED;
	return x->body_kept && x->request_ended ? RETRY_BODY_WHOLE
						: RETRY_BODY_LOST;
}

static void
gather(const struct exchange *x, enum failure failure, struct retry_facts *f)
{
	const struct upstream *up = x->up;

	*f = (struct retry_facts){
	    .failure = failure,
	    .is_reused = up != NULL && up->reused,
	    .has_left = has_left(x),
	    .has_heard =
		x->interims != 0 || (up != NULL && up->message.head_bytes != 0),
	    .has_passed_on = x->response_begun || x->interims != 0,
	    .is_idempotent = x->idempotent,
	    .body = body_of(x),
	    .retries = x->retries,
	    .retries_max = x->service->config->retries,
	    .endpoints = x->service->endpoint_count,
	};
}

/* Prepares what the verdict asks for; the budget has the last word. False:
 * there is no other try. */
static bool
start_retry(struct exchange *x, enum retry_verdict verdict)
{
	if (verdict == RETRY_NO)
		return false;
	if (verdict == RETRY_FRESH) {
		x->wait.must_be_new = true;
		x->wait.avoid = false;
		return true;
	}
	if (!service_start_retry(x->service, x->retries != 0))
		return false;
	x->retries++;
	x->wait.avoid = true;
	return true;
}

void
exchange_try_failed(struct exchange *x, enum failure failure)
{
	struct retry_facts facts;
	bool stale, again;

	if (x->state == EXCHANGE_TUNNEL) {
		exchange_refuse(x, failure, 0);
		return;
	}
	gather(x, failure, &facts);
	stale = retry_is_stale(&facts);
	again = start_retry(x, retry_judge(&facts));
	/* Once for one answer, however it goes on. */
	if (!stale && !x->judged)
		endpoint_failed(x->wait.endpoint, failure_row(failure)->text,
		    failure_is_unreachable(failure));
	if (!again) {
		exchange_fail(x, failure);
		return;
	}
	/* A connection that was found closed before was no try. */
	if (!stale || has_left(x))
		runtime_count(x->runtime, SCOREBOARD_UP_RETRIES);
	(void)exchange_lap_us(x); /* the next try's times are its own */
	leave_try(x);
	if (x->state == EXCHANGE_QUEUED || exchange_enter(x, EXCHANGE_QUEUED))
		exchange_connect(x);
}

/* 502, 503 and 504 are the service's failures. */
static bool
is_bad(unsigned status)
{
	return status >= 502 && status <= 504;
}

bool
exchange_settle_status(struct exchange *x, unsigned status)
{
	if (!is_bad(status))
		return true;
	x->judged = true;
	endpoint_failed(
	    x->up->endpoint, failure_row(FAILURE_BAD_STATUS)->text, false);
	exchange_count(x, SCOREBOARD_SERVICE_FAILURES);
	if (!x->ticket->is_open)
		return true;
	return breakers_report(x->runtime->breakers, x->ticket, true,
	    failure_row(FAILURE_BAD_STATUS)->text);
}

/* The last piece, with the trailers that may pass. */
static void
finish_response(struct exchange *x, const char *data, size_t len)
{
	struct stream_piece piece = {.data = data,
	    .len = len,
	    .room = len > 0 ? upstream_room(x->up) : 0,
	    .last = true};
	struct buffer *b = NULL;
	struct fields out;

	if (x->up->message.trailers.len > 0 && x->stream->sends_trailers)
		b = buffer_get(x->runtime->buffers);
	if (b != NULL) {
		fields_init(&out, b->data, BUFFER_BYTES);
		forward_trailers(
		    &out, &x->up->message.head, x->up->message.trailers);
		piece.trailers = (struct slice){out.lines.data, out.lines.len};
	}
	stream_write(x->stream, &piece);
	buffer_put(x->runtime->buffers, b);
}

void
exchange_complete(struct exchange *x, const char *data, size_t len)
{
	struct upstream *up = x->up;

	/* Nothing may be left over on a connection that is used again: of an
	 * answer, read or not yet, with no event to come; or of the request,
	 * when the answer came early. */
	x->keep = up->message.head.keep_alive && x->request_ended &&
		  !up->io.hangup && !up->io.broken && !up->io.readable &&
		  buffer_len(up->in) == 0 && io_backlog(&up->io) == 0 &&
		  !io_is_batched(&up->io);
	(void)breakers_report(x->runtime->breakers, x->ticket, false, NULL);
	if (!is_bad(up->message.head.status))
		endpoint_worked(up->endpoint);
	/* First, so that whoever has the answer finds the endpoint free. The
	 * piece lies in the connection's buffer: write, then let go. */
	exchange_leave_endpoint(x);
	finish_response(x, data, len);
	if (x->state != EXCHANGE_ENDED)
		exchange_end(x, x->keep);
}
