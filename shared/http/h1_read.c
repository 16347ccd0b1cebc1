#include "h1_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "counter.h"
#include "parser_fault.h"
#include "reply.h"
#include "h1_deadline.h"
#include "h1_state.h"
#include "h1_stream.h"

/* Reads of a lingering connection in one go. */
#define LINGER_READS 64
/* Pipelined requests answered in one go before other connections' turn. */
#define PUMP_MAX 32

enum fill {
	FILL_SOME,
	FILL_NONE,   /* nothing to read now */
	FILL_END,    /* the client has shut its side down */
	FILL_CLOSED, /* or refused: lingers */
};

_Static_assert(BUFFER_BYTES >= PARSER_HEAD_MAX + BUFFER_AHEAD,
    "a block has room for the largest head");
_Static_assert(
    STREAM_REASON_MAX >= PARSER_FAULT_MAX, "a refusal has room for a fault");

/* Until a request begins, its head lies in the buffer from the first byte on.
 */
static struct slice
read_line(const struct h1 *s)
{
	const char *at = s->request->parser.scan.start, *end, *lf;

	if (at == NULL || s->state != H1_HEAD || s->in == NULL)
		return (struct slice){NULL, 0};
	end = s->in->data + s->in->end;
	lf = memchr(at, '\n', (size_t)(end - at));
	if (lf != NULL)
		end = lf;
	if (end > at && end[-1] == '\r')
		end--;
	return (struct slice){at, (size_t)(end - at)};
}

static void
note_refusal(struct h1 *s, const char *what)
{
	struct stream_refusal *refusal = &s->request->refusal;

	refusal->line = read_line(s);
	snprintf(refusal->reason, sizeof(refusal->reason), "%s", what);
	s->request->stream.refusal = refusal;
}

void
h1_refuse(struct h1 *s, enum stream_end why, unsigned status, const char *what)
{
	struct stream *stream = &s->request->stream;

	stream->why = why;
	stream->to_head = stream->head == NULL &&
			  parser_scan_is_head_method(&s->request->parser.scan);
	note_refusal(s, what);
	s->close_after = true;
	if (s->state == H1_HEAD && s->context->ops->on_refusal != NULL)
		s->context->ops->on_refusal(s);
	if (s->state == H1_HEAD)
		h1_enter(s, H1_ACTIVE);
	/* In mid-body the owner may be answering already. */
	if (h1_response_has_begun(s->request))
		h1_close_now(s, why);
	else
		reply_error(stream, status, what);
	if (s->kick_closes)
		h1_close_now(s, s->kick_close);
}

/* The parser has found an error. */
static void
refuse_message(struct h1 *s, enum stream_end why)
{
	const struct parser *m = &s->request->parser;
	char what[PARSER_FAULT_MAX];

	s->request->stream.refused = true;
	parser_fault_full(m, s->context->limits->section, what);
	h1_refuse(s, why, parser_error_status(m->error), what);
}

/* Brings more bytes in. */
static enum fill
fill(struct h1 *s)
{
	ssize_t n;

	if (!s->io.readable)
		return FILL_NONE;
	if (s->in == NULL) {
		s->in = buffer_get_to_read(s->context->buffers);
		if (s->in == NULL) {
			h1_close_now(s, STREAM_END_MEMORY);
			return FILL_CLOSED;
		}
	}
	if (buffer_room(s->in) == 0) {
		/* A head of exactly this size, behind an empty line. */
		s->request->parser.error = PARSER_HEAD_TOO_LARGE;
		refuse_message(s, STREAM_END_BAD_REQUEST);
		return FILL_CLOSED;
	}
	n = io_read(&s->io, s->in->data + s->in->end, buffer_room(s->in));
	if (n > 0) {
		s->in->end += (uint32_t)n;
		if (s->context->bytes_in != NULL)
			counter_add(s->context->bytes_in, (uint64_t)n);
		return FILL_SOME;
	}
	if (n == 0)
		return FILL_END;
	if (errno == EAGAIN)
		return FILL_NONE;
	h1_close_now(s, STREAM_END_RESET);
	return FILL_CLOSED;
}

/* The client has ended a message half-way, and may still read the reason. */
static void
refuse_end(struct h1 *s)
{
	parser_finish(&s->request->parser);
	refuse_message(s, STREAM_END_PEER);
}

/* Feeds the buffer's bytes. False: the request was refused. */
static bool
parse(struct h1 *s)
{
	struct buffer *in = s->in;
	struct h1_request *request = s->request;
	struct parser *m = &request->parser;
	size_t taken;

	if (!CONFINED(in != NULL, "%s", h1_describe(s))) {
		h1_close_now(s, STREAM_END_BUG);
		return false;
	}
	taken = parser_feed(m, in->data + in->start, buffer_len(in));
	request->stream.in_bytes = m->body_bytes;
	if (m->head_done)
		request->stream.head = &m->head;
	if (m->error != PARSER_NONE) {
		in->start = in->end;
		refuse_message(s, STREAM_END_BAD_REQUEST);
		return false;
	}
	in->start += (uint32_t)taken;
	request->starved = !m->done && buffer_len(in) > 0;
	request->body = m->body;
	return true;
}

/* Room for a whole head behind the consumed bytes: pipelined requests are not
 * moved for each other. */
static void
make_room_for_head(struct h1 *s)
{
	if (BUFFER_BYTES - s->in->start < s->context->limits->parser.head_bytes)
		buffer_compact(s->in);
}

/* RFC 9112 section 2.2: some clients send an empty line behind a POST. Empty
 * lines begin no request, so no deadline either. False: no bytes are left. */
static bool
skip_empty_lines(struct h1 *s)
{
	struct buffer *in = s->in;

	if (s->half_line) {
		if (in->data[in->start] != '\n')
			return true;
		in->start++;
		s->half_line = false;
	}
	while (
	    buffer_len(in) >= 2 && memcmp(in->data + in->start, "\r\n", 2) == 0)
		in->start += 2;
	if (buffer_len(in) == 1 && in->data[in->start] == '\r') {
		in->start++;
		s->half_line = true;
	}
	/* The head's bytes and their room are counted from here. */
	make_room_for_head(s);
	return buffer_len(in) > 0;
}

/* A request begins. A CR before the request was no empty line, and is the
 * parser's to refuse. -1: no memory. */
static int
begin_request(struct h1 *s)
{
	char cr[] = {'\r'};

	if (h1_take_request(s, &h1_stream_ops) == -1)
		return -1;
	if (s->half_line)
		(void)parser_feed(&s->request->parser, cr, sizeof(cr));
	s->half_line = false;
	h1_enter(s, H1_HEAD);
	return 0;
}

/* The head is whole: hands the request over. */
static void
start_request(struct h1 *s)
{
	h1_enter(s, H1_ACTIVE);
	s->request->stream.begun_us = loop_now_us(s->context->loop);
	s->request->body_ended = !head_has_body(&s->request->parser.head);
	if (!s->request->parser.head.keep_alive || s->context->draining ||
	    (s->context->limits->has_lifetime &&
		!lifetime_use(&s->lifetime, s->request->stream.begun_us)))
		s->close_after = true;
	h1_update_deadline(s);
	s->context->ops->on_request(s);
	/* The block used last is the best for the next bytes. Bytes of the next
	 * protocol will be read again. */
	if (s->request == NULL || !s->request->parser.head.upgrades)
		h1_drop_empty_buffer(s);
}

/* One step towards a whole head. False: wait for more bytes. */
static bool
read_head(struct h1 *s)
{
	bool fresh = s->in != NULL && buffer_len(s->in) > 0;
	bool begins = false;

	/* While a head is coming, all received bytes are parsed. */
	if (s->state == H1_HEAD || !fresh) {
		switch (fill(s)) {
		case FILL_SOME:
			break;
		case FILL_NONE:
			if (s->state == H1_IDLE)
				h1_drop_empty_buffer(s);
			return false;
		case FILL_END:
			if (s->state != H1_IDLE) {
				refuse_end(s);
				return true;
			}
			/* Reading resumes once the responses have left. */
			if (h1_flush(s))
				h1_close_now(s, STREAM_END_PEER);
			return false;
		case FILL_CLOSED:
			return s->state == H1_LINGER;
		}
	} else {
		/* A pipelined request's first bytes: room for the rest. */
		make_room_for_head(s);
	}
	if (s->state == H1_IDLE) {
		if (!skip_empty_lines(s))
			return true;
		if (begin_request(s) == -1) {
			h1_close_now(s, STREAM_END_MEMORY);
			return false;
		}
		begins = true;
	}
	/* A refused connection lingers, also a step of the pump. */
	if (!parse(s))
		return true;
	if (!s->request->parser.head_done) {
		if (begins)
			h1_update_deadline(s);
		return true;
	}
	start_request(s);
	return true;
}

/* Hands a piece over. */
static void
give(struct h1 *s, struct slice piece, bool last)
{
	s->request->take_body = false;
	s->request->body_ended = last;
	s->request->body_waited_us +=
	    loop_now_us(s->context->loop) - s->request->body_asked_us;
	h1_update_deadline(s);
	s->context->ops->on_body(
	    s, &(struct stream_piece){
		   .data = piece.at,
		   .len = piece.len,
		   .room = piece.len > 0 ? (size_t)(piece.at - s->in->data) : 0,
		   .last = last,
		   .trailers = s->request->parser.trailers,
	       });
	if (last)
		h1_drop_empty_buffer(s);
}

/* Gets the next piece of the body, decoded, into s->request->body. False: not
 * now.
 */
static bool
fetch_body(struct h1 *s)
{
	/* The head and the last piece were handled. */
	if (s->in != NULL)
		buffer_compact(s->in);
	if (h1_has_buffered(s) && !s->request->starved)
		return parse(s);
	switch (fill(s)) {
	case FILL_SOME:
		return parse(s);
	case FILL_END:
		refuse_end(s);
		break;
	case FILL_NONE:
	case FILL_CLOSED:
		break;
	}
	return false;
}

/* Hands over one piece of the body, if asked for and present. False: wait. */
static bool
read_body(struct h1 *s)
{
	struct slice piece;

	if (!s->request->take_body || s->request->body_ended)
		return false;
	if (s->request->body.len == 0 && !s->request->parser.done) {
		/* A refused connection lingers, also a step of the pump. */
		if (!fetch_body(s))
			return s->state == H1_LINGER;
		/* Part of a chunk's line, say. */
		if (s->request->body.len == 0 && !s->request->parser.done)
			return true;
	}
	piece = s->request->body;
	s->request->body = (struct slice){NULL, 0};
	give(s, piece, s->request->parser.done);
	return true;
}

/* The same for a tunnel: bytes as they come. */
static bool
read_tunnel(struct h1 *s)
{
	struct slice piece = {NULL, 0};

	if (!s->request->take_body || s->request->body_ended)
		return false;
	if (!h1_has_buffered(s)) {
		if (s->in != NULL)
			s->in->start = s->in->end = 0;
		switch (fill(s)) {
		case FILL_SOME:
			break;
		case FILL_END:
			give(s, piece, true);
			h1_check_tunnel(s);
			return false;
		case FILL_NONE:
			h1_drop_empty_buffer(s);
			return false;
		case FILL_CLOSED:
			return false;
		}
	}
	if (!CONFINED(s->in != NULL, "%s", h1_describe(s))) {
		h1_close_now(s, STREAM_END_BUG);
		return false;
	}
	piece.at = s->in->data + s->in->start;
	piece.len = buffer_len(s->in);
	s->in->start = s->in->end;
	s->request->stream.in_bytes += piece.len;
	give(s, piece, false);
	return true;
}

/* The last response was written; reading on lets the client see the response.
 */
static void
linger(struct h1 *s)
{
	char sink[4096];
	ssize_t n = -1;

	for (int i = 0; i < LINGER_READS && s->io.readable; i++) {
		n = io_read(&s->io, sink, sizeof(sink));
		if (n == 0 && io_backlog(&s->io) > 0) {
			/* Half closed: the client still reads its response.
			 * Afterwards our own end brings the hangup. */
			s->io.readable = false;
			return;
		}
		if (n == 0 || (n == -1 && errno != EAGAIN)) {
			h1_close_now(s, STREAM_END_DONE);
			return;
		}
	}
	/* The deadline ends the lingering; closing now would reset the
	 * connection. */
	if (s->io.readable)
		loop_defer(s->context->loop, &s->kick);
}

/* Works until the connection has to wait for client or owner. */
void
h1_pump(struct h1 *s)
{
	bool more = true;

	s->pumping = true;
	for (int i = 0; more && i < PUMP_MAX; i++) {
		switch (s->state) {
		case H1_IDLE:
		case H1_HEAD:
			/* A client that does not read its responses gets no
			 * more: pipelining must not fill our memory. */
			more = !s->kick_closes && io_backlog(&s->io) == 0 &&
			       read_head(s);
			break;
		case H1_ACTIVE:
			more = !s->kick_closes && read_body(s);
			break;
		case H1_TUNNEL:
			more = !s->kick_closes && read_tunnel(s);
			break;
		case H1_LINGER:
			linger(s);
			more = false;
			break;
		case H1_CLOSED:
			more = false;
			break;
		}
	}
	s->pumping = false;
	if (!s->io.polled)
		h1_update_deadline(s);
	if (more && s->state != H1_CLOSED)
		loop_defer(s->context->loop, &s->kick);
}
