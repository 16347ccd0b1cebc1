#include "h1.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "h1_deadline.h"
#include "h1_departure.h"
#include "h1_read.h"
#include "h1_state.h"

static void on_ready(void *arg);
static void on_kick(void *arg);
static void on_timer(void *arg);

struct h1 *
h1_open(const struct h1_context *context, int fd, const struct sock_addr *peer)
{
	struct h1 *s = malloc(sizeof(*s));

	if (s == NULL) {
		close(fd);
		return NULL;
	}
	memset(s, 0, sizeof(*s));
	s->context = context;
	s->peer = sock_host_of(peer);
	(void)sock_host_unmap(&s->peer);
	s->state = H1_IDLE;
	io_init(&s->io, context->loop, context->buffers, on_ready, s);
	io_set_outbox(&s->io, context->outbox, false);
	timer_init(&s->timer, on_timer, s);
	loop_deferred_init(&s->kick, on_kick, s);
	io_adopt(&s->io, fd);
	if (context->limits->has_lifetime)
		lifetime_begin(&s->lifetime, context->limits->max_age_us,
		    context->limits->max_requests, loop_now_us(context->loop),
		    arc4random());
	h1_set_deadline(s);
	loop_defer(context->loop, &s->kick);
	return s;
}

void
h1_close(struct h1 *s, enum stream_end reason)
{
	h1_close_now(s, reason);
}

void
h1_drain(struct h1 *s)
{
	s->close_after = true;
	h1_update_deadline(s);
}

/* A client that has only shut down its sending side still awaits the response.
 * A client that is gone shows only when written to. */
static bool
close_if_gone(struct h1 *s)
{
	if (!s->io.gone || h1_has_ended(s) ||
	    (s->state != H1_TUNNEL && !s->request->body_ended))
		return false;
	h1_close_now(s, STREAM_END_RESET);
	return true;
}

static void
tell_if_left(struct h1 *s)
{
	if (s->state != H1_ACTIVE || s->kick_closes || h1_has_ended(s) ||
	    s->context->ops->on_left == NULL)
		return;
	if (!s->io.gone && !h1_departure_is_final(s))
		return;
	s->request->stream.has_left = true;
	s->context->ops->on_left(s);
}

/* The event of the hangup is the last; the request's end may have come with the
 * event. */
static void
pump(struct h1 *s)
{
	h1_pump(s);
	if (s->io.hangup && !close_if_gone(s))
		tell_if_left(s);
}

static void
on_ready(void *arg)
{
	struct h1 *s = arg;

	if (s->io.broken) {
		h1_close_now(s, STREAM_END_RESET);
		return;
	}
	if (!s->had_backlog)
		h1_note_backlog(s);
	if (s->had_backlog && io_backlog(&s->io) == 0) {
		s->had_backlog = false;
		if (!h1_has_ended(s) && s->context->ops->on_drained != NULL)
			s->context->ops->on_drained(s);
		h1_check_tunnel(s);
		h1_update_deadline(s);
	}
	if (close_if_gone(s))
		return;
	if (s->io.readable || h1_has_buffered(s))
		pump(s);
}

static void
on_kick(void *arg)
{
	struct h1 *s = arg;

	if (s->kick_closes)
		h1_close_now(s, s->kick_close);
	else
		pump(s);
}

static void
on_timer(void *arg)
{
	struct h1 *s = arg;
	enum stream_end reason = STREAM_END_DONE;
	uint64_t due_us;

	if (s->kick_closes)
		return;
	if (!s->io.polled) {
		h1_start_polling(s);
		h1_update_deadline(s);
		return;
	}
	due_us = h1_deadline(s, &reason);
	if (reason == STREAM_END_SEND_TIMEOUT &&
	    due_us > loop_now_us(s->context->loop)) {
		/* Bytes have left since the timer was set. */
		loop_timer_set(s->context->loop, &s->timer, due_us);
		return;
	}
	if (reason == STREAM_END_HEADER_TIMEOUT ||
	    ((reason == STREAM_END_BODY_TIMEOUT ||
		 reason == STREAM_END_BODY_RATE) &&
		!h1_response_has_begun(s->request)))
		h1_refuse(s, reason, 408, stream_end_str(reason));
	else
		h1_close_now(s, reason);
}

const struct h1_context *
h1_context_of(const struct h1 *s)
{
	return s->context;
}

struct stream *
h1_stream(struct h1 *s)
{
	return s->request != NULL ? &s->request->stream : NULL;
}

void
h1_set_arg(struct h1 *s, void *arg)
{
	s->arg = arg;
}

void *
h1_arg(const struct h1 *s)
{
	return s->arg;
}

bool
h1_is_idle(const struct h1 *s)
{
	return s->state == H1_IDLE && io_backlog(&s->io) == 0 &&
	       !io_is_batched(&s->io) && !h1_has_buffered(s) && !s->io.readable;
}

bool
h1_is_closing(const struct h1 *s)
{
	return s->kick_closes;
}
