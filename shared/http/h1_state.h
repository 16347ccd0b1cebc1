/*
 * h1_state - a connection as its own files see it: the struct, its steps, the
 * request in hand and the close.
 *
 * The lowest of the connection's files. h1_deadline.c, h1_write.c, h1_stream.c,
 * h1_read.c, h1_departure.c and h1.c stand above in this order. Each file calls
 * only lower files.
 */
#ifndef H1_STATE_H
#define H1_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "io.h"
#include "lifetime.h"
#include "loop.h"
#include "parser.h"
#include "stream_end.h"
#include "h1_context.h"
#include "slice.h"
#include "sock.h"
#include "stream.h"

enum h1_state {
	H1_IDLE,   /* between requests; no byte of the next has come */
	H1_HEAD,   /* a request's head is coming */
	H1_ACTIVE, /* a request is in hand */
	H1_TUNNEL, /* 101 was sent: bytes both ways, without framing */
	H1_LINGER, /* the last response was written; waits for the client to
		    * close */
	H1_CLOSED,
};

/* One request and its response, from the request's first byte on, in a block
 * from the pool. An idle connection has no request: the largest saving of an
 * idle connection. */
struct h1_request {
	struct stream stream; /* first: h1_of() */
	struct h1 *h1;
	struct buffer *block; /* the memory of this struct */

	/* The request. */
	struct slice body;       /* decoded, waiting for a taker */
	bool head_pinned;        /* stream_pin_head() */
	bool starved;            /* the bytes in `in` are incomplete */
	bool take_body;          /* the owner wants a piece */
	bool body_ended;         /* the last piece was handed over */
	uint64_t body_asked_us;  /* when the wait for a piece began */
	uint64_t body_waited_us; /* for the pieces before */

	/* The response. */
	struct buffer *head;  /* being put together, not yet sent */
	struct fields fields; /* behind the status line */
	uint64_t length_left; /* of a response with a known length */
	bool chunked;
	bool has_length;
	bool no_body;
	bool continue_settled; /* no 100 Continue of our own from here on */
	bool has_continued;    /* a 100 Continue has left */
	struct stream_refusal refusal; /* of stream.refusal */

	/* Last: the head's fields are not cleared, see head.h. */
	struct parser parser;
};

struct h1 {
	const struct h1_context *context;
	struct io io;
	void *arg; /* the owner's */
	struct buffer *in;
	struct h1_request *request; /* NULL: idle */
	struct timer timer;         /* the one deadline of the present state */
	struct loop_deferred kick;  /* go on reading, outside the caller */
	struct lifetime lifetime;   /* when the limits have one */
	struct sock_host peer;
	enum h1_state state : 8;
	enum stream_end kick_close : 8;
	bool kick_closes : 1;
	bool pumping : 1;
	bool close_after : 1;
	bool until_close : 1; /* the close ends the response's body */
	bool half_line : 1;   /* idle: the CR of an empty line was read */
	bool had_backlog : 1; /* the owner is told when the backlog is gone */
};

/* The one setter of the state. */
void h1_enter(struct h1 *s, enum h1_state state);
/* For a bug's line in the log: the connection, its state and the facts of the
 * request in hand, except the target, which does not last. Valid until the next
 * call. */
const char *h1_describe(const struct h1 *s);

/* For a new request. -1: no memory. */
int h1_take_request(struct h1 *s, const struct stream_ops *ops);
void h1_drop_request(struct h1 *s);
/* Gives back the block for reading, when no byte of the block is needed. */
void h1_drop_empty_buffer(struct h1 *s);

/* h1_close(): within the call. */
void h1_close_now(struct h1 *s, enum stream_end reason);
/* Closes from the loop, outside the caller. */
void h1_close_soon(struct h1 *s, enum stream_end reason);
/* Closes a tunnel with both directions ended. */
void h1_check_tunnel(struct h1 *s);

/* Goes on with the bytes already here, but never inside the caller. */
void h1_kick_if_needed(struct h1 *s);
/* Sends the batched bytes. True: the kernel has all written bytes, and closing
 * loses none. */
bool h1_flush(struct h1 *s);

/* Bytes were read that belong to the next request. */
static inline bool
h1_has_buffered(const struct h1 *s)
{
	return s->in != NULL && buffer_len(s->in) > 0;
}

/* A piece of the body is decoded, or its end is known. */
static inline bool
h1_request_has_piece(const struct h1_request *request)
{
	return request->body.len > 0 || request->parser.done;
}

static inline struct h1_request *
h1_request_of(const struct stream *stream)
{
	return (struct h1_request *)(uintptr_t)stream;
}

static inline struct h1 *
h1_of(const struct stream *stream)
{
	return h1_request_of(stream)->h1;
}

static inline bool
h1_response_has_begun(const struct h1_request *request)
{
	return request->stream.status != 0;
}

static inline bool
h1_response_has_ended(const struct h1_request *request)
{
	return request->stream.out == STREAM_OUT_ENDED;
}

/* No response is in progress. */
static inline bool
h1_has_ended(const struct h1 *s)
{
	return (s->state != H1_ACTIVE && s->state != H1_TUNNEL) ||
	       h1_response_has_ended(s->request);
}

/* An illegal step of the response: a bug, which closes the connection. */
__attribute__((cold)) void h1_refuse_out(struct h1 *s, enum stream_out out);

/* The one setter of the stream's outgoing message, the response. */
static inline void
h1_enter_out(struct h1 *s, enum stream_out out)
{
	struct stream *stream = &s->request->stream;

	if (machine_allows(stream_outs, stream->out, out))
		stream->out = out;
	else
		h1_refuse_out(s, out);
}

#endif
