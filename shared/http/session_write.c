#include "session_write.h"

#include <sys/time.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "chunk.h"
#include "check.h"
#include "counter.h"
#include "log.h"
#include "session_deadline.h"
#include "session_state.h"

#define DATE_MAX 40
#define FLAT_MAX 2048

/* RFC 9110 section 6.6.1. Made once a second: it is valid until_us. */
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

static const char *
standard_reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} reasons[] = {
	    {100, "Continue"},
	    {101, "Switching Protocols"},
	    {200, "OK"},
	    {204, "No Content"},
	    {400, "Bad Request"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {408, "Request Timeout"},
	    {413, "Content Too Large"},
	    {414, "URI Too Long"},
	    {417, "Expectation Failed"},
	    {431, "Request Header Fields Too Large"},
	    {500, "Internal Server Error"},
	    {501, "Not Implemented"},
	    {502, "Bad Gateway"},
	    {503, "Service Unavailable"},
	    {504, "Gateway Timeout"},
	    {505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}

static void
add_status_line(struct text *t, unsigned status, const char *reason, size_t len)
{
	if (reason == NULL) {
		reason = standard_reason(status);
		len = strlen(reason);
	}
	text_add(t, "HTTP/1.1 ", 9);
	text_add_uint(t, status);
	text_add(t, " ", 1);
	text_add(t, reason, len);
	text_add(t, "\r\n", 2);
}

/* RFC 9112 section 6: how the end of the body will be told. */
static void
add_framing(struct session *s, const struct session_response *r)
{
	struct text *t = &s->turn->head_text;
	bool bodiless =
	    r->status == 204 || r->status == 304 || r->status / 100 == 1;

	s->turn->no_body = r->no_body || bodiless;
	s->turn->has_length = r->length != SESSION_LENGTH_UNKNOWN;
	s->turn->length_left =
	    s->turn->has_length && !s->turn->no_body ? r->length : 0;
	s->turn->chunked = !s->turn->has_length && !bodiless &&
			   s->turn->message.head.minor == 1;
	if (s->turn->has_length && (!bodiless || r->status == 304)) {
		text_add(t, "Content-Length: ", 16);
		text_add_uint(t, r->length);
		text_add(t, "\r\n", 2);
	} else if (s->turn->chunked) {
		text_add(t, "Transfer-Encoding: chunked\r\n", 28);
	} else if (!s->turn->no_body) {
		s->close_after = true;
		s->until_close = true;
	}
}

static void
add_connection(struct session *s)
{
	if (s->state == SESSION_TUNNEL)
		return; /* the owner's, with Upgrade */
	/* A body that will not be read makes the next request unfindable. */
	if (!s->turn->body_ended || s->context->draining)
		s->close_after = true;
	if (s->close_after)
		text_add(&s->turn->head_text, "Connection: close\r\n", 19);
	else if (s->turn->message.head.minor == 0)
		text_add(&s->turn->head_text, "Connection: keep-alive\r\n", 24);
}

static void
take_head(struct session *s)
{
	s->turn->head = buffer_get(s->context->buffers);
	text_init(&s->turn->head_text,
	    s->turn->head != NULL ? s->turn->head->data : NULL,
	    s->turn->head != NULL ? BUFFER_BYTES : 0);
}

static void
drop_head(struct session *s)
{
	buffer_put(s->context->buffers, s->turn->head);
	s->turn->head = NULL;
}

/* From here on the request's bytes are the other protocol's. */
static void
enter_tunnel(struct session *s)
{
	session_enter(s, SESSION_TUNNEL);
	s->turn->body_ended = false;
	s->turn->take_body = false;
	session_update_deadline(s);
}

bool
session_is_answerable(const struct session *s)
{
	return !session_has_ended(s) && !s->kick_closes;
}

/* -1: the session closes soon. */
static int
send_pieces(struct session *s, const struct iovec *iov, int count)
{
	if (s->context->bytes_out != NULL)
		for (int i = 0; i < count; i++)
			counter_add(s->context->bytes_out, iov[i].iov_len);
	if (io_write(&s->io, iov, count) == -1) {
		session_close_soon(s, SESSION_CLOSE_RESET);
		return -1;
	}
	session_note_backlog(s);
	return 0;
}

struct text *
session_begin(struct session *s, const struct session_response *response)
{
	size_t len;
	const char *date;

	if (!CONFINED(s->state == SESSION_ACTIVE && !s->turn->begun, "%s",
		session_describe(s))) {
		static struct text nowhere;

		/* Nothing is written any more, nor added to this. */
		session_close_soon(s, SESSION_CLOSE_BUG);
		text_init(&nowhere, NULL, 0);
		return &nowhere;
	}
	s->turn->begun = true;
	s->turn->status = response->status;
	s->turn->response_bytes = 0;
	s->turn->room = response->room;
	take_head(s);
	if (s->turn->head == NULL) {
		/* Nothing to write it in: all appends fall flat, and the
		 * first write finds out. */
		session_close_soon(s, SESSION_CLOSE_MEMORY);
		return &s->turn->head_text;
	}
	add_status_line(&s->turn->head_text, response->status, response->reason,
	    response->reason_len);
	if (!response->no_date) {
		date = date_line(loop_now_us(s->context->loop), &len);
		text_add(&s->turn->head_text, date, len);
	}
	add_framing(s, response);
	if (response->status == 101)
		enter_tunnel(s);
	return &s->turn->head_text;
}

struct text *
session_begin_interim(struct session *s, unsigned status, struct slice reason)
{
	if (s->turn->message.head.minor == 0 || s->turn->begun ||
	    !session_is_answerable(s))
		return NULL;
	take_head(s);
	if (s->turn->head == NULL)
		return NULL;
	add_status_line(&s->turn->head_text, status, reason.at, reason.len);
	if (status == 100)
		s->turn->continue_sent = true;
	return &s->turn->head_text;
}

void
session_send_interim(struct session *s)
{
	struct iovec head;

	text_add(&s->turn->head_text, "\r\n", 2);
	head.iov_base = s->turn->head_text.data;
	head.iov_len = s->turn->head_text.len;
	/* One that does not fit was only a hint. */
	if (!text_is_full(&s->turn->head_text))
		(void)send_pieces(s, &head, 1);
	drop_head(s);
}

void
session_send_continue(struct session *s)
{
	if (s->turn->message.head.expects_continue && !s->turn->continue_sent &&
	    !s->turn->begun && s->turn->message.head.minor == 1) {
		struct iovec line = {
		    .iov_base = (void *)(uintptr_t)"HTTP/1.1 100 Continue\r\n"
						   "\r\n",
		    .iov_len = 25};

		s->turn->continue_sent = true;
		/* Who has not waited for it has no use for it. */
		if (!session_turn_has_piece(s->turn) &&
		    !session_has_buffered(s))
			(void)send_pieces(s, &line, 1);
	}
}

/* The pieces of one write: the head, and those of the body. */
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
add_body(struct session *s, struct pieces *p, const void *data, size_t len)
{
	if (s->turn->has_length) {
		if (len > s->turn->length_left)
			return false;
		s->turn->length_left -= len;
	}
	if (len > 0)
		add_piece(p, data, len);
	return true;
}

/* trailers: NULL for a piece that is not the last. False: the owner broke its
 * promise of a length, or there is no memory. */
static bool
gather(struct session *s, struct pieces *p, const void *data, size_t len,
    const struct slice *trailers)
{
	if (s->turn->head != NULL) {
		add_connection(s);
		text_add(&s->turn->head_text, "\r\n", 2);
		if (text_is_full(&s->turn->head_text))
			return false;
		add_piece(p, s->turn->head_text.data, s->turn->head_text.len);
	}
	if (s->state != SESSION_TUNNEL && s->turn->no_body)
		return true;
	s->turn->response_bytes += len;
	if (!s->turn->chunked)
		return add_body(s, p, data, len) &&
		       (trailers == NULL || s->turn->length_left == 0);
	p->count +=
	    trailers != NULL
		? chunk_frame_last(p->iov + p->count, p->size_line, data, len,
		      trailers->at, trailers->len)
		: chunk_frame(p->iov + p->count, p->size_line, data, len);
	return true;
}

/* One piece is cheaper to send than several: little is copied behind the head,
 * and a head before much. */
static void
flatten(struct session *s, struct pieces *p)
{
	struct text *head = &s->turn->head_text;
	size_t len = 0;

	for (int i = 1; i < p->count; i++)
		len += p->iov[i].iov_len;
	if (len <= FLAT_MAX && len <= head->cap - head->len) {
		for (int i = 1; i < p->count; i++)
			text_add(head, p->iov[i].iov_base, p->iov[i].iov_len);
		p->iov[0].iov_len = head->len;
		p->count = 1;
	} else if (!s->turn->chunked && head->len <= s->turn->room) {
		p->iov[0].iov_base = (char *)p->iov[1].iov_base - head->len;
		p->iov[0].iov_len = head->len + len;
		memcpy(p->iov[0].iov_base, head->data, head->len);
		p->count = 1;
	}
}

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
	       !m->head.keep_alive && s->turn->body_ended && !s->io.readable &&
	       !s->io.broken && !session_has_buffered(s) && session_flush(s) &&
	       io_peek(&s->io) <= 0;
}

static void
end_response(struct session *s)
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

static void
write_piece(struct session *s, const void *data, size_t len,
    const struct slice *trailers)
{
	struct pieces p = {.count = 0};

	if (!session_is_answerable(s))
		return;
	if (!CONFINED(s->turn->begun, "%s", session_describe(s))) {
		session_close_soon(s, SESSION_CLOSE_BUG);
		return;
	}
	if (!gather(s, &p, data, len, trailers)) {
		session_cut(s);
		return;
	}
	if (s->turn->head != NULL)
		flatten(s, &p);
	/* The connection's end is next. */
	if (trailers != NULL && s->close_after && s->state != SESSION_TUNNEL)
		s->io.corked = true;
	/* A request that is here already is answered next. */
	s->io.writer.more = session_has_buffered(s);
	if (p.count > 0 && send_pieces(s, p.iov, p.count) == -1)
		return;
	drop_head(s);
	if (trailers == NULL)
		return;
	if (s->state != SESSION_TUNNEL) {
		end_response(s);
		return;
	}
	s->turn->ended = true;
	io_finish(&s->io);
	session_check_tunnel(s);
}

void
session_write(struct session *s, const void *data, size_t len, bool last)
{
	static const struct slice none = {NULL, 0};

	write_piece(s, data, len, last ? &none : NULL);
}

void
session_finish(
    struct session *s, const void *data, size_t len, struct slice trailers)
{
	write_piece(s, data, len, &trailers);
}

bool
session_has_trailers(const struct session *s)
{
	return s->turn != NULL && s->turn->chunked && !s->turn->no_body;
}

bool
session_can_splice(const struct session *s)
{
	const struct session_turn *turn = s->turn;

	return session_is_answerable(s) && s->state == SESSION_ACTIVE &&
	       turn->begun && turn->head == NULL && turn->has_length &&
	       !turn->no_body && !s->io.broken;
}

ssize_t
session_splice(
    struct session *s, struct io *from, struct pipe_pool *pipes, size_t max)
{
	ssize_t n = io_splice(&s->io, from, pipes, max);

	if (n <= 0)
		return n;
	if (!CONFINED((uint64_t)n < s->turn->length_left, "%s",
		session_describe(s))) {
		session_close_soon(s, SESSION_CLOSE_BUG);
		return n;
	}
	s->turn->length_left -= (uint64_t)n;
	s->turn->response_bytes += (uint64_t)n;
	if (s->context->bytes_out != NULL)
		counter_add(s->context->bytes_out, (uint64_t)n);
	if (s->io.broken)
		session_close_soon(s, SESSION_CLOSE_RESET);
	else
		session_note_backlog(s);
	return n;
}

void
session_cut(struct session *s)
{
	session_close_soon(s, SESSION_CLOSE_CUT);
}
