#include "h1_deadline.h"

#include "loop.h"
#include "h1_state.h"

#define NO_DEADLINE UINT64_MAX
/* How long a client may go on sending after the last response. Closing at once
 * would reset the connection and could lose the response (RFC 9112 section
 * 9.6). */
#define LINGER_US 2000000

/* How long an idle connection is kept after its listener starts to drain. The
 * next request may be on its way. A client or balancer can't know whether a
 * request cut off by our close is safe to repeat. */
#define DRAIN_IDLE_US 1000000

/* How long a new connection's request may be in hand unpolled: enough for most
 * responses. A client's departure is noticed later by as much at most. */
#define UNPOLLED_US 10000

/* For the awaited piece: body_timeout, and the rest of the time for all pieces
 * together. */
static uint64_t
body_deadline(const struct h1 *s, enum stream_end *reason)
{
	const struct h1_limits *limits = s->context->limits;
	const struct h1_request *request = s->request;
	uint64_t piece_us = request->body_asked_us + limits->body_timeout_us;
	uint64_t allowed_us, all_us;

	*reason = STREAM_END_BODY_TIMEOUT;
	if (limits->body_rate == 0)
		return piece_us;
	allowed_us = limits->body_timeout_us +
		     request->stream.in_bytes * 1000000 / limits->body_rate;
	all_us = request->body_asked_us;
	if (allowed_us > request->body_waited_us)
		all_us += allowed_us - request->body_waited_us;
	if (all_us >= piece_us)
		return piece_us;
	*reason = STREAM_END_BODY_RATE;
	return all_us;
}

uint64_t
h1_deadline(const struct h1 *s, enum stream_end *reason)
{
	const struct h1_limits *limits = s->context->limits;
	uint64_t now_us = loop_now_us(s->context->loop);

	if (io_backlog(&s->io) > 0) {
		*reason = STREAM_END_SEND_TIMEOUT;
		return s->io.progress_us + limits->send_timeout_us;
	}
	switch (s->state) {
	case H1_IDLE:
		if (s->close_after || s->context->draining) {
			*reason = STREAM_END_DRAINED;
			return now_us + DRAIN_IDLE_US;
		}
		*reason = STREAM_END_IDLE;
		return now_us + limits->keep_alive_us;
	case H1_HEAD:
		*reason = STREAM_END_HEADER_TIMEOUT;
		return now_us + limits->header_timeout_us;
	case H1_ACTIVE:
		if (s->request->take_body)
			return body_deadline(s, reason);
		return s->io.polled ? NO_DEADLINE : now_us + UNPOLLED_US;
	case H1_TUNNEL:
		/* The owner ends a silent tunnel. */
		break;
	case H1_LINGER:
		*reason = STREAM_END_DONE;
		return now_us + LINGER_US;
	case H1_CLOSED:
		break;
	}
	return NO_DEADLINE;
}

void
h1_set_deadline(struct h1 *s)
{
	enum stream_end reason;

	/* No deadline is a deadline at the end of time. Moving a timer later is
	 * cheap, removing and inserting each time is not. */
	loop_timer_set(s->context->loop, &s->timer, h1_deadline(s, &reason));
}

void
h1_start_polling(struct h1 *s)
{
	if (io_poll(&s->io) == -1)
		h1_close_soon(s, STREAM_END_MEMORY);
}

/* The connection waits for the client, or will close. */
static bool
is_waiting(const struct h1 *s)
{
	return s->state != H1_ACTIVE || s->request == NULL ||
	       !s->request->body_ended || io_backlog(&s->io) > 0;
}

void
h1_update_deadline(struct h1 *s)
{
	if (s->state == H1_CLOSED || s->kick_closes)
		return;
	if (!s->io.polled && !s->pumping && is_waiting(s))
		h1_start_polling(s);
	h1_set_deadline(s);
}

void
h1_note_backlog(struct h1 *s)
{
	if (io_backlog(&s->io) > 0) {
		s->had_backlog = true;
		h1_update_deadline(s);
	}
}
