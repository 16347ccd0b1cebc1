#include "session_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "log.h"
#include "machine.h"

static const struct machine_state states[] = {
    [SESSION_IDLE] = {"idle",
	MACHINE_TO(SESSION_HEAD) | MACHINE_TO(SESSION_CLOSED)},
    [SESSION_HEAD] = {"head", MACHINE_TO(SESSION_ACTIVE) |
				  MACHINE_TO(SESSION_LINGER) |
				  MACHINE_TO(SESSION_CLOSED)},
    [SESSION_ACTIVE] = {"active",
	MACHINE_TO(SESSION_IDLE) | MACHINE_TO(SESSION_TUNNEL) |
	    MACHINE_TO(SESSION_LINGER) | MACHINE_TO(SESSION_CLOSED)},
    [SESSION_TUNNEL] = {"tunnel", MACHINE_TO(SESSION_CLOSED)},
    [SESSION_LINGER] = {"linger", MACHINE_TO(SESSION_CLOSED)},
    [SESSION_CLOSED] = {"closed", 0},
};

const char *
session_describe(const struct session *s)
{
	static char text[400];
	char owner[160] = "";
	const struct session_turn *turn = s->turn;

	if (s->context->ops->describe != NULL)
		s->context->ops->describe(
		    (struct session *)(uintptr_t)s, owner, sizeof(owner));
	if (turn == NULL || !turn->message.head_done)
		snprintf(text, sizeof(text), "session %d, %s, no request",
		    s->io.watch.fd, states[s->state].name);
	else
		snprintf(text, sizeof(text),
		    "session %d, %s, %s%s%s with %llu bytes of body, response "
		    "%u with %llu",
		    s->io.watch.fd, states[s->state].name,
		    head_method_str(&turn->message.head),
		    owner[0] != '\0' ? " on " : "", owner,
		    (unsigned long long)turn->stream.in_bytes,
		    turn->stream.status,
		    (unsigned long long)turn->stream.out_bytes);
	return text;
}

void
session_enter(struct session *s, enum session_state state)
{
	if (!CONFINED(machine_allows(states, s->state, state), "%s, to be %s",
		session_describe(s), states[state].name)) {
		session_close_soon(s, SESSION_CLOSE_BUG);
		return;
	}
	MACHINE_STEP(states, s->state, state, "session %d", s->io.watch.fd);
}

int
session_take_turn(struct session *s, const struct stream_ops *ops)
{
	struct buffer *block = buffer_get(s->context->buffers);
	struct session_turn *turn;

	if (block == NULL)
		return -1;
	turn = buffer_object(block, sizeof(*turn));
	memset(turn, 0, offsetof(struct session_turn, message));
	turn->stream.ops = ops;
	turn->stream.peer = &s->peer;
	turn->session = s;
	turn->block = block;
	message_init_request(&turn->message, &s->context->limits->message);
	s->turn = turn;
	return 0;
}

void
session_drop_turn(struct session *s)
{
	if (s->turn == NULL)
		return;
	buffer_put(s->context->buffers, s->turn->head);
	buffer_put(s->context->buffers, s->turn->block);
	s->turn = NULL;
}

/* A piece, decoded and consumed, that nobody has taken yet still lies there. */
static bool
holds_piece(const struct session *s)
{
	return s->turn != NULL && !s->turn->body_ended &&
	       session_turn_has_piece(s->turn);
}

void
session_drop_empty_buffer(struct session *s)
{
	if (s->in != NULL && buffer_len(s->in) == 0 && !holds_piece(s) &&
	    (s->turn == NULL || !s->turn->head_held)) {
		buffer_put(s->context->buffers, s->in);
		s->in = NULL;
	}
}

/* Nothing more is written to it, or read from it. */
static void
lose_stream(struct session *s)
{
	if (s->turn != NULL && stream_is_answerable(&s->turn->stream))
		s->turn->stream.out = STREAM_OUT_GONE;
}

void
session_close_now(struct session *s, enum session_close reason)
{
	struct loop *loop = s->context->loop;
	struct session_turn *turn = s->turn;
	bool was_tunnel = s->state == SESSION_TUNNEL;
	bool has_ended = turn != NULL && session_turn_has_ended(turn);
	bool unanswered = s->state == SESSION_ACTIVE &&
			  session_turn_has_begun(turn) && !has_ended;

	if (s->state == SESSION_CLOSED)
		return;
	session_enter(s, SESSION_CLOSED);
	if (turn != NULL && turn->stream.why == SESSION_CLOSE_DONE)
		turn->stream.why = reason;
	lose_stream(s);
	if (log_is_debug())
		log_debug("session %d: closed, %s", s->io.watch.fd,
		    session_close_str(reason));
	/* An answer that has not left whole: a reset tells that this is not
	 * its end. */
	if (s->until_close && (unanswered || io_backlog(&s->io) > 0))
		sock_reset_on_close(s->io.watch.fd);
	io_close(&s->io);
	loop_timer_clear(loop, &s->timer);
	loop_defer_cancel(loop, &s->kick);
	if ((unanswered || was_tunnel) &&
	    s->context->ops->on_response_end != NULL)
		s->context->ops->on_response_end(
		    s, was_tunnel && has_ended && turn->body_ended);
	s->context->ops->on_close(s, reason);
	buffer_put(s->context->buffers, s->in);
	s->in = NULL;
	session_drop_turn(s);
	loop_bury(loop, s, free);
}

void
session_close_soon(struct session *s, enum session_close reason)
{
	if (s->kick_closes || s->state == SESSION_CLOSED)
		return;
	s->kick_closes = true;
	lose_stream(s);
	s->kick_close = reason;
	loop_defer(s->context->loop, &s->kick);
}

void
session_check_tunnel(struct session *s)
{
	if (s->state == SESSION_TUNNEL && session_turn_has_ended(s->turn) &&
	    s->turn->body_ended && io_backlog(&s->io) == 0)
		session_close_soon(s, SESSION_CLOSE_DONE);
}

void
session_kick_if_needed(struct session *s)
{
	if (!CONFINED(s->state != SESSION_CLOSED, "%s", session_describe(s)))
		return;
	if (!s->pumping &&
	    (session_has_buffered(s) || s->io.readable ||
		(s->turn != NULL && session_turn_has_piece(s->turn))))
		loop_defer(s->context->loop, &s->kick);
}

bool
session_flush(struct session *s)
{
	io_send_batched(&s->io, false);
	return io_backlog(&s->io) == 0;
}
