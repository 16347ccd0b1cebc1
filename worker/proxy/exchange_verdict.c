#include <stdio.h>

#include "exchange_private.h"
#include "forward.h"
#include "log.h"

static const struct request_failure failures[] = {
#define X(symbol, status, word, text)                                          \
	[EXCHANGE_FAILURE_##symbol] = {status, word, text},
    EXCHANGE_FAILURES(X)
#undef X
};

void
exchange_refuse(
    struct exchange *x, enum exchange_failure failure, unsigned retry_after_s)
{
	exchange_end(x, false);
	if (!x->response_begun) {
		request_fail(x->request, &failures[failure], retry_after_s);
		return;
	}
	x->request->record.end = failures[failure].word;
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
exchange_fail(struct exchange *x, enum exchange_failure failure)
{
	if (!x->judged)
		exchange_count(x, SCOREBOARD_SERVICE_FAILURES);
	log_debug("exchange with %s: %s", x->service->config->name,
	    failures[failure].text);
	if (breakers_report(x->runtime->breakers, x->ticket, true,
		failures[failure].text) ||
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

/* A kept-alive connection that the backend had closed, without a word. */
static bool
was_stale(const struct exchange *x, enum exchange_failure failure)
{
	return x->up != NULL && x->up->reused &&
	       failure == EXCHANGE_FAILURE_LOST &&
	       x->up->message.head_bytes == 0 && x->interims == 0;
}

/* Something of the request has left, on this try. */
static bool
has_left(const struct exchange *x)
{
	return x->up != NULL && x->up->io.has_sent;
}

/* As far as its own words go: it can't have been heard, or may be twice, and
 * all that was taken of it is still here. */
static bool
is_repeatable(const struct exchange *x)
{
	return (!has_left(x) || x->idempotent) &&
	       (!x->body_begun || (x->body_kept && x->request_ended));
}

/* May the request be sent again, after this try? */
static bool
may_try_again(struct exchange *x, enum exchange_failure failure)
{
	if (x->response_begun || x->interims != 0 || !is_repeatable(x))
		return false;
	if (was_stale(x, failure)) {
		x->wait.must_be_new = true;
		x->wait.avoid = false;
		return true;
	}
	if (x->retries >= x->service->config->retries ||
	    x->service->endpoint_count < 2 ||
	    !service_start_retry(x->service, x->retries != 0))
		return false;
	x->retries++;
	x->wait.avoid = true;
	return true;
}

static bool
is_unreachable(enum exchange_failure failure)
{
	return failure == EXCHANGE_FAILURE_REFUSED ||
	       failure == EXCHANGE_FAILURE_UNREACHABLE ||
	       failure == EXCHANGE_FAILURE_CONNECT_TIMEOUT;
}

void
exchange_try_failed(struct exchange *x, enum exchange_failure failure)
{
	bool stale = was_stale(x, failure);
	bool again;

	if (x->state == EXCHANGE_TUNNEL) {
		exchange_refuse(x, failure, 0);
		return;
	}
	again = may_try_again(x, failure);
	/* Once for one answer, however it goes on. */
	if (!stale && !x->judged)
		endpoint_failed(x->wait.endpoint, failures[failure].text,
		    is_unreachable(failure));
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
	    x->up->endpoint, failures[EXCHANGE_FAILURE_BAD_STATUS].text, false);
	exchange_count(x, SCOREBOARD_SERVICE_FAILURES);
	if (!x->ticket->is_open)
		return true;
	return breakers_report(x->runtime->breakers, x->ticket, true,
	    failures[EXCHANGE_FAILURE_BAD_STATUS].text);
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
