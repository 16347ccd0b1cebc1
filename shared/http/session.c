#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "session_deadline.h"
#include "session_read.h"
#include "session_state.h"

static void on_ready(void *arg);
static void on_kick(void *arg);
static void on_timer(void *arg);

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
	io_set_outbox(&s->io, context->outbox, false);
	timer_init(&s->timer, on_timer, s);
	loop_deferred_init(&s->kick, on_kick, s);
	io_adopt(&s->io, fd);
	session_set_deadline(s);
	loop_defer(context->loop, &s->kick);
	return s;
}

void
session_close(struct session *s, enum session_close reason)
{
	session_close_now(s, reason);
}

void
session_drain(struct session *s)
{
	s->close_after = true;
	session_update_deadline(s);
}

/* One that has only shut its own side down still wants its answer; one that is
 * gone altogether shows only when it is written to. */
static bool
close_if_gone(struct session *s)
{
	if (!s->io.gone || session_has_ended(s) ||
	    (s->state != SESSION_TUNNEL && !s->turn->body_ended))
		return false;
	session_close_now(s, SESSION_CLOSE_RESET);
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
		session_close_now(s, SESSION_CLOSE_RESET);
		return;
	}
	if (!s->had_backlog)
		session_note_backlog(s);
	if (s->had_backlog && io_backlog(&s->io) == 0) {
		s->had_backlog = false;
		if (!session_has_ended(s) &&
		    s->context->ops->on_drained != NULL)
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
		session_close_now(s, s->kick_close);
	else
		pump(s);
}

static void
on_timer(void *arg)
{
	struct session *s = arg;
	enum session_close reason = SESSION_CLOSE_DONE;
	uint64_t due_us;

	if (s->kick_closes)
		return;
	if (!s->io.polled) {
		session_start_polling(s);
		session_update_deadline(s);
		return;
	}
	due_us = session_deadline(s, &reason);
	if (reason == SESSION_CLOSE_SEND_TIMEOUT &&
	    due_us > loop_now_us(s->context->loop)) {
		/* Something has left since the timer was set. */
		loop_timer_set(s->context->loop, &s->timer, due_us);
		return;
	}
	if (reason == SESSION_CLOSE_HEADER_TIMEOUT ||
	    ((reason == SESSION_CLOSE_BODY_TIMEOUT ||
		 reason == SESSION_CLOSE_BODY_RATE) &&
		!session_turn_has_begun(s->turn)))
		session_refuse(s, reason, 408, session_close_str(reason));
	else
		session_close_now(s, reason);
}

const struct session_context *
session_context_of(const struct session *s)
{
	return s->context;
}

struct stream *
session_stream(struct session *s)
{
	return s->turn != NULL ? &s->turn->stream : NULL;
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

bool
session_is_idle(const struct session *s)
{
	return s->state == SESSION_IDLE && io_backlog(&s->io) == 0 &&
	       !io_is_batched(&s->io) && !session_has_buffered(s) &&
	       !s->io.readable;
}

bool
session_is_closing(const struct session *s)
{
	return s->kick_closes;
}
