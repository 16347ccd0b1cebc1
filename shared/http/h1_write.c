#include "h1_write.h"

#include <sys/time.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "chunk.h"
#include "check.h"
#include "counter.h"
#include "h1_head.h"
#include "log.h"
#include "h1_deadline.h"
#include "h1_state.h"

#define DATE_MAX 40
#define FLAT_MAX 2048

/* RFC 9110 section 6.6.1. Made once a second, valid until_us. */
static const char *
date_line(uint64_t now_us, size_t *len)
{
	static char line[DATE_MAX];
	static size_t line_len;
	static uint64_t until_us;
	struct timeval now;
	struct tm tm;

	if (now_us >= until_us) {
		gettimeofday(&now, NULL);
		gmtime_r(&now.tv_sec, &tm);
		line_len = strftime(line, sizeof(line),
		    "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
		until_us = now_us + 1000000 - (uint64_t)now.tv_usec;
	}
	*len = line_len;
	return line;
}

/* RFC 9112 section 6: how the end of the body will be marked. */
static void
add_framing(struct h1 *s, const struct stream_start *start)
{
	struct h1_request *request = s->request;
	bool bodiless = start->status == 204 || start->status == 304 ||
			start->status / 100 == 1;

	request->no_body = start->no_body || bodiless;
	request->has_length = start->length != STREAM_LENGTH_UNKNOWN;
	request->length_left =
	    request->has_length && !request->no_body ? start->length : 0;
	request->chunked = !request->has_length && !bodiless &&
			   request->parser.head.minor == 1;
	request->stream.sends_trailers = request->chunked && !request->no_body;
	if (request->has_length && (!bodiless || start->status == 304)) {
		h1_head_length(&request->fields, start->length);
	} else if (request->chunked) {
		h1_head_chunked(&request->fields);
	} else if (!request->no_body) {
		s->close_after = true;
		s->until_close = true;
	}
}

/* HTTP/1.0 needs the answer, and other clients that ask expect one: how long
 * the connection stays. */
static void
add_keep_alive(struct h1 *s)
{
	const char *text = s->context->limits->keep_alive_text;

	fields_add(&s->request->fields, "Connection", "keep-alive");
	if (text != NULL)
		fields_add(&s->request->fields, "Keep-Alive", text);
}

static void
add_connection(struct h1 *s)
{
	if (s->state == H1_TUNNEL)
		return; /* the owner's, with Upgrade */
	/* The next request can't be found behind an unread body. */
	if (!s->request->body_ended || s->context->draining)
		s->close_after = true;
	if (s->close_after)
		fields_add(&s->request->fields, "Connection", "close");
	else if (s->request->parser.head.asks_keep_alive)
		add_keep_alive(s);
}

static void
take_head(struct h1 *s)
{
	s->request->head = buffer_get(s->context->buffers);
	fields_init(&s->request->fields,
	    s->request->head != NULL ? s->request->head->data : NULL,
	    s->request->head != NULL ? BUFFER_BYTES : 0);
}

static void
drop_head(struct h1 *s)
{
	buffer_put(s->context->buffers, s->request->head);
	s->request->head = NULL;
}

/* From here on the request's bytes belong to the other protocol. */
static void
enter_tunnel(struct h1 *s)
{
	h1_enter(s, H1_TUNNEL);
	head_drop_fields(&s->request->parser.head);
	s->request->body_ended = false;
	s->request->take_body = false;
	h1_update_deadline(s);
}

/* -1: the connection closes soon. */
static int
send_pieces(struct h1 *s, const struct iovec *iov, int count)
{
	if (s->context->bytes_out != NULL)
		for (int i = 0; i < count; i++)
			counter_add(s->context->bytes_out, iov[i].iov_len);
	if (io_write(&s->io, iov, count) == -1) {
		h1_close_soon(s, STREAM_END_RESET);
		return -1;
	}
	h1_note_backlog(s);
	return 0;
}

struct fields *
h1_begin(struct stream *stream, const struct stream_start *start)
{
	struct h1 *s = h1_of(stream);
	struct h1_request *request = h1_request_of(stream);
	size_t len;
	const char *date;

	if (!CONFINED(s->state == H1_ACTIVE && !h1_response_has_begun(request),
		"%s", h1_describe(s))) {
		static struct fields nowhere;

		/* No more writes, and no more fields. */
		h1_close_soon(s, STREAM_END_BUG);
		fields_init(&nowhere, NULL, 0);
		return &nowhere;
	}
	if (stream->out == STREAM_OUT_NONE)
		h1_enter_out(s, STREAM_OUT_BEGUN);
	stream->status = start->status;
	take_head(s);
	if (request->head == NULL) {
		/* No memory for the head: all appends are void, and the first
		 * write fails. */
		h1_close_soon(s, STREAM_END_MEMORY);
		return &request->fields;
	}
	h1_head_status(&request->fields, start->status, start->reason);
	if (!start->no_date) {
		date = date_line(loop_now_us(s->context->loop), &len);
		text_add(&request->fields.lines, date, len);
	}
	add_framing(s, start);
	if (start->status == 101)
		enter_tunnel(s);
	return &request->fields;
}

struct fields *
h1_begin_interim(struct stream *stream, unsigned status, struct slice reason)
{
	struct h1 *s = h1_of(stream);
	struct h1_request *request = h1_request_of(stream);

	if (request->parser.head.minor == 0 || stream->out != STREAM_OUT_NONE)
		return NULL;
	/* The client goes on already. */
	if (status == 100 && request->has_continued)
		return NULL;
	take_head(s);
	if (request->head == NULL)
		return NULL;
	h1_head_status(&request->fields, status, reason);
	if (status == 100)
		request->continue_settled = request->has_continued = true;
	return &request->fields;
}

void
h1_send_interim(struct stream *stream)
{
	struct h1 *s = h1_of(stream);
	struct fields *fields = &h1_request_of(stream)->fields;
	struct iovec head;

	h1_head_end(fields);
	head.iov_base = fields->lines.data;
	head.iov_len = fields->lines.len;
	/* An interim response that does not fit is dropped: only a hint. */
	if (!fields_are_full(fields))
		(void)send_pieces(s, &head, 1);
	drop_head(s);
}

void
h1_send_continue(struct h1 *s)
{
	if (s->request->parser.head.expects_continue &&
	    !s->request->continue_settled &&
	    !h1_response_has_begun(s->request) &&
	    s->request->parser.head.minor == 1) {
		struct iovec line = {
		    .iov_base = (void *)(uintptr_t)"HTTP/1.1 100 Continue\r\n"
						   "\r\n",
		    .iov_len = 25};

		s->request->continue_settled = true;
		/* A client that has not waited has no use for 100 Continue. */
		if (h1_request_has_piece(s->request) || h1_has_buffered(s))
			return;
		s->request->has_continued = true;
		(void)send_pieces(s, &line, 1);
	}
}

/* The parts of one write: the head, and the body's. */
struct pieces {
	struct iovec iov[1 + CHUNK_IOV];
	int count;
	char size_line[CHUNK_SIZE_LINE];
};

static void
add_piece(struct pieces *p, const void *data, size_t len)
{
	p->iov[p->count].iov_base = (void *)(uintptr_t)data;
	p->iov[p->count].iov_len = len;
	p->count++;
}

static bool
add_body(struct h1 *s, struct pieces *p, const struct stream_piece *piece)
{
	if (s->request->has_length) {
		if (piece->len > s->request->length_left)
			return false;
		s->request->length_left -= piece->len;
	}
	if (piece->len > 0)
		add_piece(p, piece->data, piece->len);
	return true;
}

/* False: the owner broke its promise of a length, or memory is short. */
static bool
gather(struct h1 *s, struct pieces *p, const struct stream_piece *piece)
{
	struct h1_request *request = s->request;
	struct fields *fields = &request->fields;

	if (request->head != NULL) {
		add_connection(s);
		h1_head_end(fields);
		if (fields_are_full(fields))
			return false;
		add_piece(p, fields->lines.data, fields->lines.len);
	}
	if (s->state != H1_TUNNEL && request->no_body)
		return true;
	request->stream.out_bytes += piece->len;
	if (!request->chunked)
		return add_body(s, p, piece) &&
		       (!piece->last || request->length_left == 0);
	p->count += piece->last ? chunk_frame_last(p->iov + p->count,
				      p->size_line, piece->data, piece->len,
				      piece->trailers.at, piece->trailers.len)
				: chunk_frame(p->iov + p->count, p->size_line,
				      piece->data, piece->len);
	return true;
}

/* One buffer is cheaper to send than several. A short body is copied behind the
 * head, and a head in front of a long body. */
static void
flatten(struct h1 *s, struct pieces *p, const struct stream_piece *piece)
{
	struct text *head = &s->request->fields.lines;
	size_t len = 0;

	for (int i = 1; i < p->count; i++)
		len += p->iov[i].iov_len;
	if (len <= FLAT_MAX && len <= head->cap - head->len) {
		for (int i = 1; i < p->count; i++)
			text_add(head, p->iov[i].iov_base, p->iov[i].iov_len);
		p->iov[0].iov_len = head->len;
		p->count = 1;
	} else if (!s->request->chunked && head->len <= piece->room) {
		p->iov[0].iov_base = (char *)p->iov[1].iov_base - head->len;
		p->iov[0].iov_len = head->len + len;
		memcpy(p->iov[0].iov_base, head->data, head->len);
		p->count = 1;
	}
}

static void
start_linger(struct h1 *s)
{
	h1_enter(s, H1_LINGER);
	if (s->in != NULL)
		s->in->start = s->in->end = 0;
	h1_drop_empty_buffer(s);
	h1_drop_request(s);
	io_finish(&s->io);
	s->had_backlog = io_backlog(&s->io) > 0;
	h1_update_deadline(s);
	if (s->io.readable && !s->pumping)
		loop_defer(s->context->loop, &s->kick);
}

/* The client announced its last request, and no byte is unread: closing makes
 * no reset, which would lose the response. */
static bool
is_over(struct h1 *s)
{
	const struct parser *m = &s->request->parser;

	return m->head_done && m->done && m->error == PARSER_NONE &&
	       !m->head.keep_alive && s->request->body_ended &&
	       !s->io.readable && !s->io.broken && !h1_has_buffered(s) &&
	       h1_flush(s) && io_peek(&s->io) <= 0;
}

static void
end_response(struct h1 *s)
{
	bool over = is_over(s);

	h1_enter_out(s, STREAM_OUT_ENDED);
	s->request->head_pinned = false;
	if (over)
		h1_close_soon(s, STREAM_END_DONE);
	if (s->context->ops->on_response_end != NULL)
		s->context->ops->on_response_end(s, true);
	if (over) {
		if (log_is_debug())
			log_debug("connection %d: ended with its last answer",
			    s->io.watch.fd);
		/* The end leaves with the last piece, still batched. */
		io_close(&s->io);
		return;
	}
	if (s->close_after || s->io.broken) {
		start_linger(s);
		return;
	}
	h1_enter(s, H1_IDLE);
	h1_drop_empty_buffer(s);
	h1_drop_request(s);
	h1_update_deadline(s);
	h1_kick_if_needed(s);
}

void
h1_write(struct stream *stream, const struct stream_piece *piece)
{
	struct h1 *s = h1_of(stream);
	struct h1_request *request = h1_request_of(stream);
	struct pieces p;

	p.count = 0;
	if (!stream_is_answerable(stream))
		return;
	if (!CONFINED(h1_response_has_begun(request), "%s", h1_describe(s))) {
		h1_close_soon(s, STREAM_END_BUG);
		return;
	}
	if (!gather(s, &p, piece)) {
		h1_close_soon(s, STREAM_END_CUT);
		return;
	}
	if (request->head != NULL)
		flatten(s, &p, piece);
	/* The connection's end is next. */
	if (piece->last && s->close_after && s->state != H1_TUNNEL)
		s->io.corked = true;
	/* A request already here is answered next. */
	s->io.writer.expects_more = h1_has_buffered(s);
	if (p.count > 0 && send_pieces(s, p.iov, p.count) == -1)
		return;
	drop_head(s);
	if (!piece->last)
		return;
	if (s->state != H1_TUNNEL) {
		end_response(s);
		return;
	}
	h1_enter_out(s, STREAM_OUT_ENDED);
	io_finish(&s->io);
	h1_check_tunnel(s);
}

bool
h1_can_splice(const struct stream *stream)
{
	const struct h1_request *request = h1_request_of(stream);
	const struct h1 *s = request->h1;

	return stream->out == STREAM_OUT_BEGUN && s->state == H1_ACTIVE &&
	       request->head == NULL && request->has_length &&
	       !request->no_body && !s->io.broken;
}

ssize_t
h1_splice(
    struct stream *stream, struct io *from, struct pipe_pool *pipes, size_t max)
{
	struct h1 *s = h1_of(stream);
	ssize_t n = io_splice(&s->io, from, pipes, max);

	if (n <= 0)
		return n;
	if (!CONFINED(
		(uint64_t)n < s->request->length_left, "%s", h1_describe(s))) {
		h1_close_soon(s, STREAM_END_BUG);
		return n;
	}
	s->request->length_left -= (uint64_t)n;
	stream->out_bytes += (uint64_t)n;
	if (s->context->bytes_out != NULL)
		counter_add(s->context->bytes_out, (uint64_t)n);
	if (s->io.broken)
		h1_close_soon(s, STREAM_END_RESET);
	else
		h1_note_backlog(s);
	return n;
}
