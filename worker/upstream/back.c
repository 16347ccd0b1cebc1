#include "back.h"

#include <errno.h>
#include <string.h>

#include "back_write.h"
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

/* The place for the next bytes. A head that is still coming keeps its place,
 * since the parser points into the head. Otherwise the unused bytes move to the
 * front. */
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
		m->error = PARSER_INTERIMS;
		back_fail(b, EPROTO);
		return;
	}
	back_tell(b, BACK_HEAD);
	if (b->stream.out == STREAM_OUT_NONE)
		return;
	head_drop_fields(&m->head);
	parser_init_response(m, b->head_max, b->to_head);
	buffer_compact(b->in);
	if (buffer_len(b->in) > 0)
		parse(b);
}

static void
tell_head(struct back *b)
{
	const struct head *head = &b->parser.head;

	b->stream.head = head;
	if (head_is_interim(head) && head->status != 101) {
		tell_interim(b);
		return;
	}
	/* After a 101, back_switch() is the owner's to call. */
	if (head->status != 101)
		back_enter_part(b, BACK_PART_FIRST);
	back_tell(b, BACK_HEAD);
	/* A tunnel may last long. */
	if (b->part == BACK_PART_BYTES)
		head_drop_fields(&b->parser.head);
}

static void
tell_piece(struct back *b)
{
	struct parser *m = &b->parser;

	if (m->done)
		back_enter_part(b, BACK_PART_NONE);
	else if (b->part == BACK_PART_FIRST)
		back_enter_part(b, BACK_PART_BODY);
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
		return can_splice(b) ? splice_body(b) : read_message(b);
	case BACK_PART_NONE:
	case BACK_PART_UNSENT:
		break;
	}
	return FILL_WAIT;
}

static void
tell(struct back *b, enum fill result)
{
	if (result == FILL_ERROR)
		back_tell(b, BACK_FAILED);
	else if (b->part == BACK_PART_BYTES)
		tell_bytes(b, result == FILL_END);
	else if (b->parser.error != PARSER_NONE)
		back_fail(b, parser_error_errno(b->parser.error));
	else if (b->part == BACK_PART_HEAD)
		tell_head(b);
	else
		tell_piece(b);
}

/* Reports the next head or piece asked for. False: none is here. */
static bool
step(struct back *b)
{
	enum fill result = read_some(b);

	if (result == FILL_WAIT)
		return false;
	/* A part of a head. */
	if (b->part == BACK_PART_HEAD && result != FILL_ERROR && !has_head(b))
		return true;
	back_enter_reading(b, BACK_READING_TELLING);
	tell(b, result);
	if (b->reading == BACK_READING_TELLING)
		back_enter_reading(b, BACK_READING_QUIET);
	return true;
}

/* Reports heads and pieces, as far as the owner asks. */
void
back_run(struct back *b)
{
	int left = STEPS_MAX;

	if (b->part == BACK_PART_UNSENT || b->stream.out == STREAM_OUT_NONE)
		return;
	while (b->reading == BACK_READING_ASKED && left > 0 && step(b))
		left--;
	if (b->stream.out == STREAM_OUT_NONE)
		return;
	/* More may have come, and no event will report the rest. */
	if (b->reading == BACK_READING_ASKED && left == 0)
		loop_defer(b->runtime->loop, &b->again);
	back_tell(b, BACK_WAITS);
}

static void
on_again(void *arg)
{
	back_run(arg);
}

/* ---- the stream's calls ---- */

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
	case BACK_PART_NONE:
	case BACK_PART_UNSENT:
	case BACK_PART_BODY:
		break;
	}
	return false;
}

static void
take(struct stream *s)
{
	struct back *b = back_of(s);

	/* From inside, back_run() goes on by itself. */
	if (b->reading == BACK_READING_TELLING) {
		back_enter_reading(b, BACK_READING_ASKED);
		return;
	}
	back_enter_reading(b, BACK_READING_ASKED);
	if (b->io.readable || has_more(b))
		loop_defer(b->runtime->loop, &b->again);
}

static size_t
backlog(const struct stream *s)
{
	return io_backlog(&back_of(s)->io);
}

/* The owner closes the connection or gives the connection back. */
static const struct stream_ops ops = {
    .begin = back_begin,
    .write = back_write,
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
back_switch(struct back *b)
{
	back_enter_part(b, BACK_PART_BYTES);
	b->chunked = false;
	/* The request goes on, as bytes, unless none can leave. */
	if (b->stream.out == STREAM_OUT_ENDED)
		back_enter_out(b, STREAM_OUT_BEGUN);
}

void
back_end(struct back *b)
{
	if (b->stream.out == STREAM_OUT_NONE)
		return;
	back_enter_end(b);
	loop_defer_cancel(b->runtime->loop, &b->again);
	buffer_put(b->runtime->buffers, b->in);
	b->in = NULL;
	head_drop_fields(&b->parser.head);
}
