#include "back_write.h"

#include <string.h>

#include "back_state.h"
#include "chunk.h"
#include "h1_head.h"
#include "runtime.h"

struct fields *
back_begin(struct stream *s, const struct stream_start *start)
{
	struct back *b = back_of(s);

	back_enter_out(b, STREAM_OUT_BEGUN);
	back_enter_part(b, BACK_PART_UNSENT);
	s->in_bytes = 0;
	s->out_bytes = 0;
	b->head = h1_head_around(start);
	b->chunked = start->length == STREAM_LENGTH_UNKNOWN && !start->no_body;
	b->to_head = start->is_head;
	b->interims = 0;
	b->splices_to = NULL;
	io_begin(&b->io, b->use == BACK_REUSED);
	parser_init_response(&b->parser, b->head_max, b->to_head);
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

/* The number of entries left free for the preface and the head. */
#define IOV_FREE 2

static void
put_before(struct iovec *iov, struct slice bytes)
{
	*iov = (struct iovec){(void *)(uintptr_t)bytes.at, bytes.len};
}

/* iov: the piece, behind IOV_FREE free entries. */
static int
send_head(struct back *b, const struct stream_piece *piece, struct iovec *iov,
    int count)
{
	back_enter_part(b, BACK_PART_HEAD);
	/* No byte is read before the head leaves. This write may meet a reset
	 * that came by then, with no event to follow. */
	if (b->io.readable)
		loop_defer(b->runtime->loop, &b->again);
	if (count != 1 || !join_head(&b->head, piece, iov)) {
		put_before(--iov, b->head);
		count++;
	}
	if (b->preface.len != 0) {
		put_before(--iov, b->preface);
		count++;
		b->preface.len = 0;
	}
	return io_write(&b->io, iov, count);
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

void
back_write(struct stream *s, const struct stream_piece *piece)
{
	struct back *b = back_of(s);
	char size_line[CHUNK_SIZE_LINE];
	struct iovec room[IOV_FREE + CHUNK_IOV], *iov = room + IOV_FREE;
	int count = frame(b, piece, size_line, iov);
	int result = 0;

	if (b->part == BACK_PART_UNSENT)
		result = send_head(b, piece, iov, count);
	else if (count > 0)
		result = io_write(&b->io, iov, count);
	s->out_bytes += piece->len;
	if (result == -1) {
		b->error = b->io.error;
		back_lose(b);
	} else if (piece->last && s->out == STREAM_OUT_BEGUN) {
		back_enter_out(b, STREAM_OUT_ENDED);
	}
	if (piece->last && b->part == BACK_PART_BYTES)
		io_finish(&b->io);
}
