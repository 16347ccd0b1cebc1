#include "session.h"

#include <errno.h>

#include "log.h"
#include "scoreboard.h"
#include "session_private.h"

/* For how much a client may go on talking after its last response. */
#define LINGER_READS 64
/* Pipelined requests answered in one go before other connections' turn. */
#define PUMP_MAX 32

/* Brings more bytes in. False: nothing to be had now, or closed. */
static bool
fill(struct session *s)
{
	ssize_t n;

	if (!s->io.readable)
		return false;
	if (s->in == NULL) {
		s->in = buffer_get(s->context->buffers);
		if (s->in == NULL) {
			session_close(s, SESSION_CLOSE_MEMORY);
			return false;
		}
	}
	n = io_read(&s->io, s->in->data + s->in->end, buffer_room(s->in));
	if (n > 0) {
		s->in->end += (uint32_t)n;
		if (s->context->bytes_in != NULL)
			scoreboard_add(s->context->bytes_in, (uint64_t)n);
		return true;
	}
	if (n == -1 && errno == EAGAIN)
		return false;
	session_close(s, n == 0 ? SESSION_CLOSE_PEER : SESSION_CLOSE_RESET);
	return false;
}

/* A request that can't be served: say why, then close. */
static void
refuse(struct session *s)
{
	enum message_error error = s->message.error;

	s->close_after = true;
	if (s->state == SESSION_HEAD)
		session_enter(s, SESSION_ACTIVE);
	/* In mid-body the owner may be answering already. */
	if (s->begun)
		session_close(s, SESSION_CLOSE_BAD_REQUEST);
	else
		session_reply_error(
		    s, message_error_status(error), message_error_str(error));
}

/* Feeds what is in the buffer. False: the request was refused. */
static bool
parse(struct session *s)
{
	struct buffer *in = s->in;
	size_t taken;

	taken = message_feed(&s->message, in->data + in->start, buffer_len(in));
	if (s->message.error != MESSAGE_NONE) {
		in->start = in->end;
		refuse(s);
		return false;
	}
	in->start += (uint32_t)taken;
	s->body = s->message.body;
	return true;
}

void
session_drop_empty_buffer(struct session *s)
{
	if (s->in != NULL && buffer_len(s->in) == 0) {
		buffer_put(s->context->buffers, s->in);
		s->in = NULL;
	}
}

/* One step towards a whole head. False: wait for more bytes. */
static bool
read_head(struct session *s)
{
	bool fresh = s->in != NULL && buffer_len(s->in) > 0;

	/* While a head is coming, all that came is parsed already. */
	if (s->state == SESSION_HEAD || !fresh) {
		if (!fill(s)) {
			if (s->state == SESSION_IDLE)
				session_drop_empty_buffer(s);
			return false;
		}
	} else {
		/* A pipelined request's first bytes: room for the rest. */
		buffer_compact(s->in);
	}
	if (s->state == SESSION_IDLE) {
		session_enter(s, SESSION_HEAD);
		session_update_deadline(s);
	}
	/* Refused, the session lingers: that is the pump's too. */
	if (!parse(s) || !s->message.head_done)
		return true;
	session_enter(s, SESSION_ACTIVE);
	s->request_us = loop_now_us(s->context->loop);
	s->body_ended = !message_has_body(&s->message);
	if (!s->message.keep_alive || s->context->draining)
		s->close_after = true;
	session_update_deadline(s);
	s->context->ops->on_request(s);
	return true;
}

/* Hands over one piece of the body, if one is asked for and there. False:
 * wait. */
static bool
read_body(struct session *s)
{
	struct message_slice piece;

	if (!s->take_body || s->body_ended)
		return false;
	if (s->body.len == 0 && !s->message.done) {
		/* The head, and the last piece, have been dealt with. What is
		 * left was not whole: it needs more. */
		buffer_compact(s->in);
		if (!fill(s))
			return false;
		if (!parse(s))
			return true;
		session_update_deadline(s);
		if (s->body.len == 0 && !s->message.done)
			return true;
	}
	piece = s->body;
	s->body = (struct message_slice){NULL, 0};
	s->take_body = false;
	s->body_ended = s->message.done;
	session_update_deadline(s);
	s->context->ops->on_body(s, piece.at, piece.len, s->body_ended);
	return true;
}

/* All was said; reads on only so that the client gets to see it. */
static void
linger(struct session *s)
{
	char sink[4096];
	ssize_t n = -1;

	for (int i = 0; i < LINGER_READS && s->io.readable; i++) {
		n = io_read(&s->io, sink, sizeof(sink));
		if (n == 0 || (n == -1 && errno != EAGAIN)) {
			session_close(s, SESSION_CLOSE_DONE);
			return;
		}
	}
	if (s->io.readable)
		session_close(s, SESSION_CLOSE_DONE);
}

/* Does what can be done until it has to wait for somebody. */
void
session_pump(struct session *s)
{
	bool more = true;

	s->pumping = true;
	for (int i = 0; more && i < PUMP_MAX; i++) {
		switch (s->state) {
		case SESSION_IDLE:
		case SESSION_HEAD:
			/* Who does not read its answers gets no more of
			 * them: pipelining must not fill our memory. */
			more = !s->kick_closes && io_backlog(&s->io) == 0 &&
			       read_head(s);
			break;
		case SESSION_ACTIVE:
			more = !s->kick_closes && read_body(s);
			break;
		case SESSION_LINGER:
			linger(s);
			more = false;
			break;
		case SESSION_CLOSED:
			more = false;
			break;
		}
	}
	s->pumping = false;
	if (more)
		loop_defer(s->context->loop, &s->kick);
}

void
session_take_body(struct session *s)
{
	CHECK(!s->body_ended);
	s->take_body = true;
	if (s->message.expects_continue && !s->continue_sent && !s->begun &&
	    s->message.parser.http_minor == 1) {
		struct iovec line = {
		    .iov_base = (void *)(uintptr_t)"HTTP/1.1 100 Continue\r\n"
						   "\r\n",
		    .iov_len = 25};

		s->continue_sent = true;
		(void)session_send(s, &line, 1);
	}
	session_update_deadline(s);
	session_kick_if_needed(s);
}
