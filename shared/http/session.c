#include "session.h"

#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "log.h"
#include "machine.h"
#include "session_private.h"

static void on_ready(void *arg);
static void on_kick(void *arg);

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

static const struct {
	const char *word;
	const char *text;
} closes[] = {
#define X(symbol, word, text) [SESSION_CLOSE_##symbol] = {word, text},
    SESSION_CLOSE_REASONS(X)
#undef X
};

const char *
session_close_str(enum session_close reason)
{
	return closes[reason].text;
}

const char *
session_close_word(enum session_close reason)
{
	return closes[reason].word;
}

const char *
session_describe(const struct session *s)
{
	static char text[160];
	const struct session_turn *turn = s->turn;

	if (turn == NULL || !turn->message.head_done)
		snprintf(text, sizeof(text), "session %d, %s, no request",
		    s->io.watch.fd, states[s->state].name);
	else
		snprintf(text, sizeof(text),
		    "session %d, %s, %s with %llu bytes of body, response %u "
		    "with %llu",
		    s->io.watch.fd, states[s->state].name,
		    message_method(&turn->message),
		    (unsigned long long)turn->message.body_bytes, turn->status,
		    (unsigned long long)turn->response_bytes);
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
session_take_turn(struct session *s)
{
	struct buffer *block = buffer_get(s->context->buffers);
	struct session_turn *turn;

	if (block == NULL)
		return -1;
	turn = buffer_object(block, sizeof(*turn));
	memset(turn, 0, offsetof(struct session_turn, message));
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

struct session *
session_open(
    const struct session_context *context, int fd, const struct sock_addr *peer)
{
	struct session *s = malloc(sizeof(*s));

	if (s == NULL) {
		close(fd);
		return NULL;
	}
	memset(s, 0, sizeof(*s));
	s->context = context;
	s->peer = sock_host_of(peer);
	s->state = SESSION_IDLE;
	io_init(&s->io, context->loop, context->buffers, on_ready, s);
	io_hold(&s->io, context->outbox, false);
	timer_init(&s->timer, session_on_timer, s);
	loop_deferred_init(&s->kick, on_kick, s);
	io_adopt(&s->io, fd);
	session_set_deadline(s);
	loop_defer(context->loop, &s->kick);
	return s;
}

void
session_close(struct session *s, enum session_close reason)
{
	struct loop *loop = s->context->loop;
	struct session_turn *turn = s->turn;
	bool was_tunnel = s->state == SESSION_TUNNEL;
	bool unanswered =
	    s->state == SESSION_ACTIVE && turn->begun && !turn->ended;

	if (s->state == SESSION_CLOSED)
		return;
	session_enter(s, SESSION_CLOSED);
	if (s->why == SESSION_CLOSE_DONE)
		s->why = reason;
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
		    s, was_tunnel && turn->ended && turn->body_ended);
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
	s->kick_close = reason;
	loop_defer(s->context->loop, &s->kick);
}

void
session_drain(struct session *s)
{
	s->close_after = true;
	session_update_deadline(s);
}

void
session_refuse(struct session *s, enum session_close why, unsigned status,
    const char *what)
{
	s->why = why;
	s->close_after = true;
	if (s->state == SESSION_HEAD)
		session_enter(s, SESSION_ACTIVE);
	/* In mid-body the owner may be answering already. */
	if (s->turn->begun)
		session_close(s, why);
	else
		session_reply_error(s, status, what);
	if (s->kick_closes)
		session_close(s, s->kick_close);
}

void
session_check_tunnel(struct session *s)
{
	if (s->state == SESSION_TUNNEL && s->turn->ended &&
	    s->turn->body_ended && io_backlog(&s->io) == 0)
		session_close_soon(s, SESSION_CLOSE_DONE);
}

/* Bytes that were read, but belong to a request not begun yet. */
bool
session_has_buffered(const struct session *s)
{
	return s->in != NULL && buffer_len(s->in) > 0;
}

bool
session_flush(struct session *s)
{
	io_send_held(&s->io, false);
	return io_backlog(&s->io) == 0;
}

/* There is no response to go on with, or none any more. */
static bool
has_ended(const struct session *s)
{
	return (s->state != SESSION_ACTIVE && s->state != SESSION_TUNNEL) ||
	       s->turn->ended;
}

/* One that has only shut its own side down still wants its answer; one that is
 * gone altogether shows only when it is written to. */
static bool
close_if_gone(struct session *s)
{
	if (!s->io.gone || has_ended(s) ||
	    (s->state != SESSION_TUNNEL && !s->turn->body_ended))
		return false;
	session_close(s, SESSION_CLOSE_RESET);
	return true;
}

/* The end of the request may have come by the event that said so, which is the
 * last one. */
static void
pump(struct session *s)
{
	session_pump(s);
	(void)close_if_gone(s);
}

static void
on_ready(void *arg)
{
	struct session *s = arg;

	if (s->io.broken) {
		session_close(s, SESSION_CLOSE_RESET);
		return;
	}
	if (!s->had_backlog)
		session_note_backlog(s);
	if (s->had_backlog && io_backlog(&s->io) == 0) {
		s->had_backlog = false;
		if (!has_ended(s) && s->context->ops->on_drained != NULL)
			s->context->ops->on_drained(s);
		session_check_tunnel(s);
		session_update_deadline(s);
	}
	if (close_if_gone(s))
		return;
	if (s->io.readable || session_has_buffered(s))
		pump(s);
}

static void
on_kick(void *arg)
{
	struct session *s = arg;

	if (s->kick_closes)
		session_close(s, s->kick_close);
	else
		pump(s);
}

/* Goes on with what is already here, but never inside our caller. */
void
session_kick_if_needed(struct session *s)
{
	if (!CONFINED(s->state != SESSION_CLOSED, "%s", session_describe(s)))
		return;
	if (!s->pumping && (session_has_buffered(s) || s->io.readable ||
			       (s->turn != NULL && session_has_piece(s))))
		loop_defer(s->context->loop, &s->kick);
}

/* ---- the turn to the next request ---- */

static void
start_linger(struct session *s)
{
	session_enter(s, SESSION_LINGER);
	if (s->in != NULL)
		s->in->start = s->in->end = 0;
	session_drop_empty_buffer(s);
	session_drop_turn(s);
	io_finish(&s->io);
	s->had_backlog = io_backlog(&s->io) > 0;
	session_update_deadline(s);
	if (s->io.readable && !s->pumping)
		loop_defer(s->context->loop, &s->kick);
}

/* The client has said that this was all, and it was: nothing is there that
 * would make our closing a reset, which loses the answer, and nothing should
 * come. */
static bool
is_over(struct session *s)
{
	const struct message *m = &s->turn->message;

	return m->head_done && m->done && m->error == MESSAGE_NONE &&
	       !m->keep_alive && s->turn->body_ended && !s->io.readable &&
	       !s->io.broken && !session_has_buffered(s) && session_flush(s) &&
	       io_peek(&s->io) <= 0;
}

void
session_response_done(struct session *s)
{
	bool over = is_over(s);

	s->turn->ended = true;
	s->turn->head_held = false;
	if (over)
		session_close_soon(s, SESSION_CLOSE_DONE);
	if (s->context->ops->on_response_end != NULL)
		s->context->ops->on_response_end(s, true);
	if (over) {
		if (log_is_debug())
			log_debug("session %d: ended with its last answer",
			    s->io.watch.fd);
		/* The end goes out with the last piece, which waits for it. */
		io_close(&s->io);
		return;
	}
	if (s->close_after || s->io.broken) {
		start_linger(s);
		return;
	}
	session_enter(s, SESSION_IDLE);
	session_drop_empty_buffer(s);
	session_drop_turn(s);
	session_update_deadline(s);
	session_kick_if_needed(s);
}

/* ---- looking at it ---- */

const struct session_context *
session_context_of(const struct session *s)
{
	return s->context;
}

const struct sock_host *
session_peer(const struct session *s)
{
	return &s->peer;
}

const struct message *
session_request(const struct session *s)
{
	return &s->turn->message;
}

void
session_set_arg(struct session *s, void *arg)
{
	s->arg = arg;
}

void *
session_arg(const struct session *s)
{
	return s->arg;
}

unsigned
session_status(const struct session *s)
{
	return s->turn->status;
}

uint64_t
session_response_bytes(const struct session *s)
{
	return s->turn->response_bytes;
}

uint64_t
session_request_us(const struct session *s)
{
	return s->turn->request_us;
}

size_t
session_backlog(const struct session *s)
{
	return io_backlog(&s->io);
}

bool
session_is_answerable(const struct session *s)
{
	return !has_ended(s) && !s->kick_closes;
}

bool
session_has_piece(const struct session *s)
{
	return s->turn->body.len > 0 || s->turn->message.done;
}

size_t
session_room(const struct session *s, const char *data)
{
	return (size_t)(data - s->in->data);
}

bool
session_has_body(const struct session *s)
{
	return session_has_piece(s) || session_has_buffered(s);
}

bool
session_is_idle(const struct session *s)
{
	return s->state == SESSION_IDLE && io_backlog(&s->io) == 0 &&
	       s->io.held == NULL && !session_has_buffered(s) &&
	       !s->io.readable;
}

bool
session_is_closing(const struct session *s)
{
	return s->kick_closes;
}

enum session_close
session_why(const struct session *s)
{
	return s->why;
}
