#include "back.h"

#include <errno.h>
#include <string.h>

#include "chunk.h"
#include "runtime.h"

/* A shorter rest of a body is copied more quickly than spliced. The last bytes
 * are always copied: one way to end. */
#define SPLICE_MIN UINT64_C(65536)
#define SPLICE_TAIL UINT64_C(16384)
#define SPLICE_MAX UINT64_C(1048576)
/* Heads and pieces reported in one go before other connections' turn. */
#define STEPS_MAX 8
/* Interim responses before a final response. An endless series would evade the
 * deadline for a response. */
#define INTERIMS_MAX 64

/* ---- reading ---- */

enum fill {
	FILL_SOME,  /* look at the received bytes */
	FILL_WAIT,  /* no bytes now */
	FILL_END,   /* closed */
	FILL_ERROR, /* reset, or no buffer: b->error */
};

/* Feeds the buffer's bytes to the parser. */
static void
parse(struct back *b)
{
	struct buffer *in = b->in;
	size_t taken;

	taken = parser_feed(&b->parser, in->data + in->start, buffer_len(in));
	in->start += (uint32_t)taken;
}

/* The place for the next bytes: behind a head that is still coming, since the
 * parser points into the head; otherwise behind the unused bytes. */
static int
make_room(struct back *b)
{
	if (b->in == NULL)
		b->in = buffer_get_to_read(b->runtime->buffers);
	if (b->in == NULL) {
		b->error = ENOBUFS;
		return -1;
	}
	if (b->parser.head_done) {
		if (buffer_len(b->in) == 0)
			b->in->start = b->in->end = 0;
		else
			buffer_compact(b->in);
	}
	if (buffer_room(b->in) == 0) {
		b->error = EMSGSIZE;
		return -1;
	}
	return 0;
}

/* SOME: bytes were added to the buffer. */
static enum fill
fill(struct back *b)
{
	ssize_t n;

	if (!b->io.readable)
		return FILL_WAIT;
	if (make_room(b) == -1)
		return FILL_ERROR;
	n = io_read(&b->io, b->in->data + b->in->end, buffer_room(b->in));
	if (n > 0) {
		b->in->end += (uint32_t)n;
		return FILL_SOME;
	}
	if (n == 0)
		return FILL_END;
	if (errno == EAGAIN)
		return FILL_WAIT;
	b->error = errno;
	return FILL_ERROR;
}

/* One read, fed to the parser. */
static enum fill
read_message(struct back *b)
{
	enum fill result = fill(b);

	if (result == FILL_SOME)
		parse(b);
	else if (result == FILL_END)
		parser_finish(&b->parser);
	return result;
}

static bool
can_splice(const struct back *b)
{
	const struct parser *m = &b->parser;

	return b->part == BACK_PART_BODY && m->head.has_length && !m->no_body &&
	       m->head.length - m->body_bytes >= SPLICE_MIN + SPLICE_TAIL &&
	       buffer_len(b->in) == 0 && b->splices_to != NULL &&
	       stream_can_splice(b->splices_to);
}

/* Moves a part of a long body inside the kernel. */
static enum fill
splice_body(struct back *b)
{
	struct parser *m = &b->parser;
	uint64_t left = m->head.length - m->body_bytes - SPLICE_TAIL;
	ssize_t n;

	if (!b->io.readable)
		return FILL_WAIT;
	n = stream_splice(b->splices_to, &b->io, b->runtime->pipes,
	    left < SPLICE_MAX ? (size_t)left : SPLICE_MAX);
	if (n > 0) {
		m->body_bytes += (uint64_t)n;
		m->body = (struct slice){NULL, 0};
		return FILL_SOME;
	}
	if (n == -1 && errno == ENOBUFS)
		return read_message(b);
	if (n == -1 && errno == EAGAIN)
		return FILL_WAIT;
	if (n == -1) {
		b->error = errno;
		return FILL_ERROR;
	}
	parser_finish(m);
	return FILL_END;
}

/* After a 101: first the bytes read behind the response's head. */
static enum fill
read_bytes(struct back *b)
{
	enum fill result = FILL_SOME;

	if (b->in == NULL || buffer_len(b->in) == 0)
		result = fill(b);
	if (result == FILL_WAIT && b->in != NULL) {
		/* A tunnel may be silent for long. */
		buffer_put(b->runtime->buffers, b->in);
		b->in = NULL;
	}
	return result;
}

/* ---- telling ---- */

void
back_tell(struct back *b, enum back_event event)
{
	b->on_event(b->arg, b, event);
}

void
back_fail(struct back *b, int error)
{
	b->error = error;
	back_tell(b, BACK_FAILED);
}

/* An interim (1xx) response; the next one may be right behind. */
static void
tell_interim(struct back *b)
{
	struct parser *m = &b->parser;

	if (++b->interims > INTERIMS_MAX) {
		back_fail(b, EBADMSG);
		return;
	}
	back_tell(b, BACK_HEAD);
	if (b->stream.out == STREAM_OUT_NONE)
		return;
	parser_init_response(m, PARSER_HEAD_MAX, b->to_head);
	buffer_compact(b->in);
	if (buffer_len(b->in) > 0)
		parse(b);
}

static void
tell_head(struct back *b)
{
	const struct head *head = &b->parser.head;

	if (!b->parser.head_done)
		return;
	b->asked = false;
	b->stream.head = head;
	if (head->status == 101) {
		/* The request goes on, as bytes, unless none can leave. */
		b->part = BACK_PART_BYTES;
		if (b->stream.out == STREAM_OUT_ENDED)
			b->stream.out = STREAM_OUT_BEGUN;
	} else if (head_is_interim(head)) {
		tell_interim(b);
		return;
	} else {
		b->part = BACK_PART_FIRST;
	}
	back_tell(b, BACK_HEAD);
}

static void
tell_piece(struct back *b)
{
	struct parser *m = &b->parser;

	b->asked = false;
	b->part = m->done ? BACK_PART_NONE : BACK_PART_BODY;
	b->stream.in_bytes = m->body_bytes;
	b->piece = (struct stream_piece){
	    .data = m->body.at,
	    .len = m->body.len,
	    /* The head's bytes, once passed on, and the free space of a block
	     * to read into. */
	    .room = m->body.len > 0 ? (size_t)(m->body.at - b->in->data) : 0,
	    .last = m->done,
	    .trailers = m->trailers,
	};
	back_tell(b, BACK_PIECE);
}

static void
tell_bytes(struct back *b, bool last)
{
	struct buffer *in = b->in;

	b->asked = false;
	b->piece = (struct stream_piece){.last = last};
	if (!last) {
		b->piece.data = in->data + in->start;
		b->piece.len = buffer_len(in);
		in->start = in->end;
		b->stream.in_bytes += b->piece.len;
	}
	back_tell(b, BACK_PIECE);
}

/* A head, or what is wrong with one, was parsed and not told yet. */
static bool
has_head(const struct back *b)
{
	return b->parser.head_done || b->parser.error != PARSER_NONE;
}

static enum fill
read_some(struct back *b)
{
	switch (b->part) {
	case BACK_PART_HEAD:
		return has_head(b) ? FILL_SOME : read_message(b);
	case BACK_PART_FIRST:
		return FILL_SOME;
	case BACK_PART_BYTES:
		return read_bytes(b);
	case BACK_PART_BODY:
	case BACK_PART_NONE:
		break;
	}
	return can_splice(b) ? splice_body(b) : read_message(b);
}

/* Reports the next head or piece asked for. False: none is here. */
static bool
step(struct back *b)
{
	enum fill result = read_some(b);

	if (result == FILL_WAIT)
		return false;
	if (result == FILL_ERROR)
		back_tell(b, BACK_FAILED);
	else if (b->part == BACK_PART_BYTES)
		tell_bytes(b, result == FILL_END);
	else if (b->parser.error != PARSER_NONE)
		back_fail(b, b->parser.error == PARSER_EOF ? EPIPE : EBADMSG);
	else if (b->part == BACK_PART_HEAD)
		tell_head(b);
	else
		tell_piece(b);
	return true;
}

/* Reports heads and pieces, as far as the owner asks. */
void
back_run(struct back *b)
{
	int left = STEPS_MAX;

	if (b->held.at != NULL || b->stream.out == STREAM_OUT_NONE)
		return;
	b->in_turn = true;
	while (
	    b->asked && b->stream.out != STREAM_OUT_NONE && left > 0 && step(b))
		left--;
	b->in_turn = false;
	if (b->stream.out == STREAM_OUT_NONE)
		return;
	/* More may have come, and no event will report the rest. */
	if (left == 0 && b->asked)
		loop_defer(b->runtime->loop, &b->again);
	back_tell(b, BACK_WAITS);
}

static void
on_again(void *arg)
{
	back_run(arg);
}

/* ---- writing ---- */

static struct back *
back_of(const struct stream *s)
{
	return (struct back *)(uintptr_t)s;
}

static struct fields *
begin(struct stream *s, const struct stream_start *start)
{
	struct back *b = back_of(s);
	const struct text *lines = &start->fields->lines;

	s->out = STREAM_OUT_BEGUN;
	s->in_bytes = 0;
	s->out_bytes = 0;
	b->held = (struct slice){lines->data, lines->len};
	b->chunked = start->length == STREAM_LENGTH_UNKNOWN && !start->no_body;
	b->to_head = start->is_head;
	b->part = BACK_PART_HEAD;
	b->asked = false;
	b->interims = 0;
	b->splices_to = NULL;
	io_begin(&b->io, b->use == BACK_REUSED);
	parser_init_response(&b->parser, PARSER_HEAD_MAX, b->to_head);
	return start->fields;
}

/* Puts the head right before a piece of the body: one buffer is cheaper to send
 * than two. False: the piece leaves no room for the head. */
static bool
join_head(const struct slice *head, const struct stream_piece *piece,
    struct iovec *iov)
{
	if (piece->room < head->len || iov->iov_base != piece->data)
		return false;
	iov->iov_base = (char *)iov->iov_base - head->len;
	iov->iov_len += head->len;
	memcpy(iov->iov_base, head->at, head->len);
	return true;
}

/* iov[0] is left free for the head. */
static int
send_head(struct back *b, const struct stream_piece *piece, struct iovec *iov,
    int count)
{
	struct slice head = b->held;

	b->held.at = NULL;
	/* No byte is read before the head leaves. This write may meet a reset
	 * that came by then, with no event to follow. */
	if (b->io.readable)
		loop_defer(b->runtime->loop, &b->again);
	if (count == 1 && join_head(&head, piece, iov + 1))
		return io_write(&b->io, iov + 1, 1);
	iov[0] = (struct iovec){(void *)(uintptr_t)head.at, head.len};
	return io_write(&b->io, iov, count + 1);
}

static int
frame(const struct back *b, const struct stream_piece *piece, char *size_line,
    struct iovec *iov)
{
	if (b->chunked && piece->last)
		return chunk_frame_last(iov, size_line, piece->data, piece->len,
		    piece->trailers.at, piece->trailers.len);
	if (b->chunked)
		return chunk_frame(iov, size_line, piece->data, piece->len);
	*iov = (struct iovec){(void *)(uintptr_t)piece->data, piece->len};
	return piece->len > 0 ? 1 : 0;
}

static void
write_piece(struct stream *s, const struct stream_piece *piece)
{
	struct back *b = back_of(s);
	char size_line[CHUNK_SIZE_LINE];
	struct iovec iov[1 + CHUNK_IOV];
	int count = frame(b, piece, size_line, iov + 1);
	int result = 0;

	if (b->held.at != NULL)
		result = send_head(b, piece, iov, count);
	else if (count > 0)
		result = io_write(&b->io, iov + 1, count);
	s->out_bytes += piece->len;
	if (result == -1) {
		b->error = errno;
		s->out = STREAM_OUT_GONE;
	} else if (piece->last && s->out == STREAM_OUT_BEGUN) {
		s->out = STREAM_OUT_ENDED;
	}
	if (piece->last && b->part == BACK_PART_BYTES)
		io_finish(&b->io);
}

/* No read is due: received bytes are not reported yet. */
static bool
has_more(const struct back *b)
{
	switch (b->part) {
	case BACK_PART_HEAD:
		return has_head(b);
	case BACK_PART_FIRST:
		return true;
	case BACK_PART_BYTES:
		return b->in != NULL && buffer_len(b->in) > 0;
	case BACK_PART_BODY:
	case BACK_PART_NONE:
		break;
	}
	return false;
}

static void
take(struct stream *s)
{
	struct back *b = back_of(s);

	b->asked = true;
	if (!b->in_turn && (b->io.readable || has_more(b)))
		loop_defer(b->runtime->loop, &b->again);
}

static size_t
backlog(const struct stream *s)
{
	return io_backlog(&back_of(s)->io);
}

/* The owner closes the connection or gives the connection back. */
static const struct stream_ops ops = {
    .begin = begin,
    .write = write_piece,
    .take = take,
    .backlog = backlog,
};

/* ---- for the connection ---- */

void
back_init(struct back *b, struct runtime *rt, io_fn *on_ready, void *arg)
{
	b->stream.ops = &ops;
	b->runtime = rt;
	io_init(&b->io, rt->loop, rt->buffers, on_ready, arg);
	io_set_outbox(&b->io, rt->outbox, true);
	loop_deferred_init(&b->again, on_again, b);
}

void
back_end(struct back *b)
{
	b->stream.out = STREAM_OUT_NONE;
	loop_defer_cancel(b->runtime->loop, &b->again);
	buffer_put(b->runtime->buffers, b->in);
	b->in = NULL;
}
