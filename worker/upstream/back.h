/*
 * back - the back side of a stream (stream.h) by HTTP/1.1. A request leaves on
 * a backend's connection, and the response comes in. Worker only; part of an
 * upstream, which has the connection's life.
 *
 * The stream's calls, on a lent connection:
 *
 * - begin: renders the request's head in place, around start->fields
 *   (stream_lay_out()). The memory stays the owner's, and in place until the
 * head has left;
 * - write: frames the body. The head leaves with the first piece, in one write
 *   if the piece has room for the head. A failed write leaves the stream
 *   STREAM_OUT_GONE, with `error`; a response can still be read;
 * - take: asks for the next head or piece of the response. No byte is read
 *   unasked, nor before the request's head has left.
 *
 * After a head with status 101 and the request's end, back_switch() ends the
 * framing both ways. Pieces are bytes as received, and the last piece is the
 * end of the stream in its direction.
 *
 * The owner closes the connection or gives the connection back: there is no
 * cut.
 */
#ifndef BACK_H
#define BACK_H

#include "back_state.h"

/* Zeroed memory becomes a back side without a connection; on_ready opens io. */
void back_init(struct back *b, struct runtime *rt, io_fn *on_ready, void *arg);
/* A 101 was told, and the request has ended: both go on as bytes. */
void back_switch(struct back *b);
/* Ends the stream, if any: the connection is idle, or closes. */
void back_end(struct back *b);

/* Tells the owner of received heads and pieces, as far as asked for. */
void back_run(struct back *b);
void back_tell(struct back *b, enum back_event event);
void back_fail(struct back *b, int error);

/* May another request use the connection? Not with a rest of a response left
 * over, read or not yet, with no event to come. Nor with a rest of the request,
 * when the response came early. */
static inline bool
back_is_reusable(const struct back *b)
{
	return b->part == BACK_PART_NONE && b->parser.head.keep_alive &&
	       b->stream.out == STREAM_OUT_ENDED && !b->io.hangup &&
	       !b->io.broken && !b->io.readable && buffer_len(b->in) == 0 &&
	       io_backlog(&b->io) == 0 && !io_is_batched(&b->io);
}

/* A byte of the request has left, and may have been read. */
static inline bool
back_has_sent(const struct back *b)
{
	return b->io.has_sent;
}
/* A byte of a response has come on this stream. */
static inline bool
back_has_heard(const struct back *b)
{
	return b->interims != 0 || b->parser.head_bytes != 0;
}

#endif
