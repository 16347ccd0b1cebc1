#include "session_deadline.h"

#include "loop.h"
#include "session_state.h"

#define NO_DEADLINE UINT64_MAX
/* How long a client may go on talking after it was told that the connection
 * ends: closing at once would reset it and could lose the response (RFC 9112
 * section 9.6). */
#define LINGER_US 2000000

/* How long an idle connection is still kept once its listener drains: the next
 * request may be on its way, and a client or balancer can't know that one that
 * was cut off by our closing is safe to send again. */
#define DRAIN_IDLE_US 1000000

/* A new connection's request is answered unpolled for so long, which most will
 * do with: that a client has left is noticed so much later at most. */
#define UNPOLLED_US 10000

/* For the piece that is awaited: body_timeout by itself, and what is left of
 * the time that all of them may take. */
static uint64_t
body_deadline(const struct session *s, enum session_close *reason)
{
	const struct session_limits *limits = s->context->limits;
	const struct session_turn *turn = s->turn;
	uint64_t piece_us = turn->body_asked_us + limits->body_timeout_us;
	uint64_t allowed_us, all_us;

	*reason = SESSION_CLOSE_BODY_TIMEOUT;
	if (limits->body_rate == 0)
		return piece_us;
	allowed_us = limits->body_timeout_us +
		     turn->stream.in_bytes * 1000000 / limits->body_rate;
	all_us = turn->body_asked_us;
	if (allowed_us > turn->body_waited_us)
		all_us += allowed_us - turn->body_waited_us;
	if (all_us >= piece_us)
		return piece_us;
	*reason = SESSION_CLOSE_BODY_RATE;
	return all_us;
}

uint64_t
session_deadline(const struct session *s, enum session_close *reason)
{
	const struct session_limits *limits = s->context->limits;
	uint64_t now_us = loop_now_us(s->context->loop);

	if (io_backlog(&s->io) > 0) {
		*reason = SESSION_CLOSE_SEND_TIMEOUT;
		return s->io.progress_us + limits->send_timeout_us;
	}
	switch (s->state) {
	case SESSION_IDLE:
		if (s->close_after || s->context->draining) {
			*reason = SESSION_CLOSE_DRAINED;
			return now_us + DRAIN_IDLE_US;
		}
		*reason = SESSION_CLOSE_IDLE;
		return now_us + limits->keep_alive_us;
	case SESSION_HEAD:
		*reason = SESSION_CLOSE_HEADER_TIMEOUT;
		return now_us + limits->header_timeout_us;
	case SESSION_ACTIVE:
		if (s->turn->take_body)
			return body_deadline(s, reason);
		return s->io.polled ? NO_DEADLINE : now_us + UNPOLLED_US;
	case SESSION_TUNNEL:
		/* Its silence is the owner's to end. */
		break;
	case SESSION_LINGER:
		*reason = SESSION_CLOSE_DONE;
		return now_us + LINGER_US;
	case SESSION_CLOSED:
		break;
	}
	return NO_DEADLINE;
}

void
session_set_deadline(struct session *s)
{
	enum session_close reason;

	/* No deadline is one at the end of time: to move the timer later is
	 * cheap, to take it away and put it back each time is not. */
	loop_timer_set(
	    s->context->loop, &s->timer, session_deadline(s, &reason));
}

void
session_start_polling(struct session *s)
{
	if (io_poll(&s->io) == -1)
		session_close_soon(s, SESSION_CLOSE_MEMORY);
}

/* It has to wait for the client, or it will close. */
static bool
is_waiting(const struct session *s)
{
	return s->state != SESSION_ACTIVE || s->turn == NULL ||
	       !s->turn->body_ended || io_backlog(&s->io) > 0;
}

void
session_update_deadline(struct session *s)
{
	if (s->state == SESSION_CLOSED || s->kick_closes)
		return;
	if (!s->io.polled && !s->pumping && is_waiting(s))
		session_start_polling(s);
	session_set_deadline(s);
}

void
session_note_backlog(struct session *s)
{
	if (io_backlog(&s->io) > 0) {
		s->had_backlog = true;
		session_update_deadline(s);
	}
}
