#include <errno.h>
#include <string.h>
#include <strings.h>

#include "affinity.h"
#include "chunk.h"
#include "exchange_private.h"
#include "forward.h"
#include "log.h"

/* Reads in one go before other connections' turn. */
#define READS_MAX 8
/* How long a backend may think about an Expect: 100-continue before its body
 * is sent anyway (RFC 9110 section 10.1.1: a client need not wait for ever). */
#define CONTINUE_US 1000000
/* Interim responses before a final one; endless ones would get round the
 * deadline for a response. */
#define INTERIMS_MAX 64

/* ---- the request ---- */

/* One deadline at a time, for whatever is awaited of the backend. */
static void
update_deadline(struct exchange *x)
{
	const struct config_service *config = x->service->config;
	bool sending = io_backlog(&x->up->io) > 0;

	/* While the client is the one who is slow, its session's deadlines
	 * hold; ours starts anew with its next piece. */
	if (x->body_asked || stream_backlog(x->stream) > 0)
		loop_timer_set(x->runtime->loop, &x->up->timer, UINT64_MAX);
	else
		upstream_set_deadline(x->up, sending
						 ? config->timeouts.send_us
						 : config->timeouts.read_us);
}

/* The connection can't be used any more; our own want of memory is nobody
 * else's fault. */
static void
lose(struct exchange *x, int error)
{
	if (error == ENOBUFS)
		exchange_refuse(x, FAILURE_SHORTAGE, 1);
	else
		exchange_try_failed(x, FAILURE_LOST);
}

/* A piece as it is framed, for another try. */
static void
keep(struct exchange *x, const struct iovec *iov, int count)
{
	struct buffer *b = x->head;
	size_t len = 0;

	for (int i = 0; i < count; i++)
		len += iov[i].iov_len;
	x->body_kept = x->body_kept && len <= buffer_room(b);
	for (int i = 0; x->body_kept && i < count; i++) {
		memcpy(b->data + b->end, iov[i].iov_base, iov[i].iov_len);
		b->end += (uint32_t)iov[i].iov_len;
	}
}

/* The head, right before a piece of the body that lies in the session's block,
 * which is cheaper to send than two. False: it does not fit there. */
static bool
join_head(struct exchange *x, struct iovec *piece, size_t room)
{
	size_t len = buffer_len(x->head);

	if (x->chunked || piece->iov_len == 0 || room < len)
		return false;
	piece->iov_base = (char *)piece->iov_base - len;
	piece->iov_len += len;
	memcpy(piece->iov_base, x->head->data + x->head->start, len);
	return true;
}

/* Some of the body, in iov[1] and on: iov[0] is left free for the head, where
 * that has been held. */
static int
write_request(struct exchange *x, struct iovec *iov, int count, size_t room)
{
	bool with_head = x->head_held;

	keep(x, iov + 1, count);
	if (!with_head)
		return io_write(&x->up->io, iov + 1, count);
	x->head_held = false;
	/* What came before the head had left was not read: it may be the
	 * reset that this write meets, with no event to come. */
	if (x->up->io.readable)
		loop_defer(x->runtime->loop, &x->again);
	if (count > 0 && !x->body_kept && join_head(x, iov + 1, room))
		return io_write(&x->up->io, iov + 1, count);
	/* What is kept of the body is behind the head. */
	iov[0] =
	    (struct iovec){x->head->data + x->head->start, buffer_len(x->head)};
	return io_write(&x->up->io, iov, x->body_kept ? 1 : count + 1);
}

void
exchange_send(struct exchange *x)
{
	struct iovec head[1];

	if (!exchange_enter(x, EXCHANGE_STREAMING))
		return;
	io_begin(&x->up->io, x->up->reused && !x->wait.probe);
	x->interims = 0;
	x->awaits_continue =
	    x->expects_continue && stream_ahead(x->stream) == STREAM_AHEAD_NONE;
	x->head_held = true;
	if ((x->request_ended ||
		stream_ahead(x->stream) != STREAM_AHEAD_PIECE) &&
	    write_request(x, head, 0, 0) == -1) {
		lose(x, errno);
		return;
	}
	if (x->awaits_continue)
		loop_timer_after(
		    x->runtime->loop, &x->continue_timer, CONTINUE_US);
	exchange_take_body(x);
	update_deadline(x);
}

/* The body may come: the backend has said so, or does not say anything. */
static void
stop_awaiting(struct exchange *x)
{
	x->awaits_continue = false;
	loop_timer_clear(x->runtime->loop, &x->continue_timer);
	exchange_take_body(x);
}

void
exchange_on_continue_timer(void *arg)
{
	struct exchange *x = arg;

	if (x->state == EXCHANGE_STREAMING && !x->response_begun &&
	    !x->settling) {
		stop_awaiting(x);
		update_deadline(x);
	}
}

void
exchange_take_body(struct exchange *x)
{
	if (x->state != EXCHANGE_STREAMING || x->request_ended ||
	    x->body_asked || x->awaits_continue || io_backlog(&x->up->io) > 0 ||
	    x->up->io.broken)
		return;
	x->body_begun = true;
	x->body_asked = true;
	stream_take(x->stream);
}

/* The last piece of a chunked body, with the trailers that may pass. */
static int
write_last_chunk(struct exchange *x, const struct stream_piece *piece)
{
	char size_line[CHUNK_SIZE_LINE];
	struct iovec iov[1 + CHUNK_IOV];
	struct buffer *b = NULL;
	struct fields out;
	int count, result;

	fields_init(&out, NULL, 0);
	if (piece->trailers.len > 0)
		b = buffer_get(x->runtime->buffers);
	if (b != NULL) {
		fields_init(&out, b->data, BUFFER_BYTES);
		forward_trailers(&out, x->stream->head, piece->trailers);
	}
	count = chunk_frame_last(iov + 1, size_line, piece->data, piece->len,
	    out.lines.data, out.lines.len);
	result = write_request(x, iov, count, 0);
	buffer_put(x->runtime->buffers, b);
	return result;
}

static int
write_piece(struct exchange *x, const struct stream_piece *piece)
{
	char size_line[CHUNK_SIZE_LINE];
	struct iovec iov[1 + CHUNK_IOV] = {
	    {NULL, 0}, {(void *)(uintptr_t)piece->data, piece->len}};
	int count = 1;

	if (x->chunked && piece->last)
		return write_last_chunk(x, piece);
	if (x->chunked)
		count =
		    chunk_frame(iov + 1, size_line, piece->data, piece->len);
	return write_request(x, iov, count, piece->room);
}

void
exchange_on_body(struct exchange *x, const struct stream_piece *piece)
{
	x->body_asked = false;
	if (x->state == EXCHANGE_TUNNEL) {
		exchange_on_tunnel_bytes(x, piece);
		return;
	}
	if (x->state != EXCHANGE_STREAMING)
		return;
	/* The backend may have stopped reading and answered already; its
	 * answer, or its reset, comes by exchange_receive(). */
	x->request_ended = piece->last;
	if (write_piece(x, piece) == 0)
		exchange_take_body(x);
	update_deadline(x);
}

/* ---- the response ---- */

void
exchange_add_sticky(struct exchange *x, struct fields *fields)
{
	const struct config_service *config = x->service->config;
	uint64_t endpoint;

	if (config->sticky_cookie == NULL)
		return;
	endpoint = x->up->endpoint->number;
	if (endpoint != x->wait.affinity.sticky)
		affinity_add_cookie(fields, config, endpoint);
}

static void
begin_response(struct exchange *x)
{
	const struct head *h = &x->up->message.head;
	struct stream_start start = {
	    .status = h->status,
	    .reason = {h->reason.at != NULL ? h->reason.at : "", h->reason.len},
	    .length = h->has_length ? h->length : STREAM_LENGTH_UNKNOWN,
	    .no_body = x->head_method,
	    .no_date = forward_has_date(h),
	};
	struct fields *fields = stream_begin(x->stream, &start);

	x->response_begun = true;
	exchange_note_first_byte(x);
	exchange_drop_head(x);
	/* The service works: all others need not wait for a long body's end. */
	if (x->ticket->admission.is_probe)
		(void)breakers_report(
		    x->runtime->breakers, x->ticket, false, NULL);
	/* A body that was not asked for yet is not wanted any more. */
	loop_timer_clear(x->runtime->loop, &x->continue_timer);
	forward_response(fields, h, x->stream->sends_trailers);
	exchange_add_sticky(x, fields);
}

/* RFC 9110 section 15.2. */
static void
pass_interim(struct exchange *x)
{
	const struct head *h = &x->up->message.head;
	unsigned status = h->status;
	struct fields *fields =
	    stream_begin_interim(x->stream, status, h->reason);

	if (fields != NULL) {
		forward_interim(fields, h);
		stream_send_interim(x->stream);
	}
	if (status == 100 && x->awaits_continue)
		stop_awaiting(x);
}

/* Interim (1xx) responses end here; the real one may be right behind. False:
 * there are too many. */
static bool
pass_interims(struct exchange *x)
{
	struct upstream *up = x->up;

	while (up->message.error == PARSER_NONE && up->message.head_done &&
	       head_is_interim(&up->message.head) &&
	       up->message.head.status != 101) {
		if (++x->interims > INTERIMS_MAX)
			return false;
		pass_interim(x);
		parser_init_response(
		    &up->message, PARSER_HEAD_MAX, x->head_method);
		if (!upstream_read_rest(up))
			break;
	}
	return true;
}

/* The head is whole. False: read no further, it waits. */
static bool
start_response(struct exchange *x)
{
	x->settling = !x->settled &&
		      !exchange_settle_status(x, x->up->message.head.status);
	if (x->settling) {
		/* The backend has done its part: no deadline. */
		loop_timer_set(x->runtime->loop, &x->up->timer, UINT64_MAX);
		return false;
	}
	begin_response(x);
	return true;
}

/* 101: it was asked for, and it is what was asked for. */
static bool
may_switch(const struct exchange *x)
{
	struct slice wanted = x->stream->head->upgrade;
	struct slice given = x->up->message.head.upgrade;

	return x->upgrades && given.len == wanted.len &&
	       strncasecmp(given.at, wanted.at, given.len) == 0;
}

/* Passes on what one read brought. False: read no further, it is over or it
 * waits. */
static bool
pass_on(struct exchange *x)
{
	struct parser *m = &x->up->message;

	/* The client has left, and the session's close, which is next, ends
	 * this exchange. */
	if (!stream_is_answerable(x->stream))
		return false;
	if (!pass_interims(x)) {
		exchange_try_failed(x, FAILURE_INVALID);
		return false;
	}
	/* That one of those could not be written shows it, too. */
	if (!stream_is_answerable(x->stream))
		return false;
	if (m->error != PARSER_NONE) {
		exchange_try_failed(
		    x, m->error == PARSER_EOF ? FAILURE_LOST : FAILURE_INVALID);
		return false;
	}
	if (!m->head_done)
		return true;
	if (m->head.status == 101) {
		if (may_switch(x))
			exchange_begin_tunnel(x);
		else
			exchange_try_failed(x, FAILURE_SWITCHED);
		return false;
	}
	if (!x->response_begun && !start_response(x))
		return false;
	if (m->done) {
		exchange_complete(x, m->body.at, m->body.len);
		return false;
	}
	stream_write(
	    x->stream, &(struct stream_piece){.data = m->body.at,
			   .len = m->body.len,
			   .room = m->body.len > 0 ? upstream_room(x->up) : 0});
	return true;
}

static enum upstream_read
read_some(struct exchange *x)
{
	if (upstream_can_splice(x->up) && stream_can_splice(x->stream))
		return upstream_splice(x->up, x->stream);
	return upstream_read(x->up);
}

void
exchange_receive(struct exchange *x)
{
	if (x->settling || x->head_held)
		return;
	for (int i = 0; i < READS_MAX; i++) {
		/* The client does not keep up: on_drained() goes on. */
		if (stream_backlog(x->stream) > 0)
			break;
		switch (read_some(x)) {
		case UPSTREAM_READ_WAIT:
			update_deadline(x);
			return;
		case UPSTREAM_READ_ERROR:
			lose(x, x->up->error);
			return;
		case UPSTREAM_READ_SOME:
		case UPSTREAM_READ_END:
			if (!pass_on(x))
				return;
			break;
		}
		if (!stream_is_answerable(x->stream))
			return;
	}
	update_deadline(x);
	/* There may be more, and no event will say so again. */
	if (stream_backlog(x->stream) == 0)
		loop_defer(x->runtime->loop, &x->again);
}

void
exchange_resume(struct exchange *x)
{
	x->settling = false;
	x->settled = true;
	exchange_take_body(x);
	if (pass_on(x))
		exchange_receive(x);
}

void
exchange_on_drained(struct exchange *x)
{
	if (x->state == EXCHANGE_TUNNEL)
		exchange_pump_tunnel(x);
	else if (x->state == EXCHANGE_STREAMING)
		exchange_receive(x);
}
