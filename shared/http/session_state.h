/*
 * session_state - a session as its own files see it: the struct, its steps, the
 * request in hand (a turn) and the close. The lowest of the session's files:
 * session_deadline.c, session_write.c, session_stream.c, session_read.c and
 * session.c stand on it in this order, and each calls only those before.
 */
#ifndef SESSION_STATE_H
#define SESSION_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "io.h"
#include "loop.h"
#include "message.h"
#include "session_close.h"
#include "session_context.h"
#include "slice.h"
#include "sock.h"
#include "stream.h"

enum session_state {
	SESSION_IDLE,   /* between requests; nothing of the next has come */
	SESSION_HEAD,   /* a request's head is coming */
	SESSION_ACTIVE, /* a request is in hand */
	SESSION_TUNNEL, /* 101 was sent: bytes both ways, without a form */
	SESSION_LINGER, /* all said; waits for the client to close */
	SESSION_CLOSED,
};

/* One request and its response, from the request's first byte on, in a block
 * from the pool. An idle session has none, which is most of what it saves. */
struct session_turn {
	struct stream stream; /* first: session_of() */
	struct session *session;
	struct buffer *block; /* in which this lies */

	/* The request. */
	struct slice body;       /* decoded, waiting for a taker */
	bool head_held;          /* stream_hold_head() */
	bool starved;            /* what is in `in` wants more behind it */
	bool take_body;          /* the owner wants a piece */
	bool body_ended;         /* the last piece was handed over */
	uint64_t body_asked_us;  /* since when a piece is awaited */
	uint64_t body_waited_us; /* for the pieces before */

	/* The response. */
	struct buffer *head;  /* being put together, not yet sent */
	struct fields fields; /* behind the status line */
	uint64_t length_left; /* of a response with a known length */
	bool chunked;
	bool has_length;
	bool no_body;
	bool continue_sent;

	/* Last: the fields of its head are not cleared, see head.h. */
	struct message message;
};

struct session {
	const struct session_context *context;
	struct io io;
	void *arg; /* the owner's */
	struct buffer *in;
	struct session_turn *turn; /* NULL: idle */
	struct timer timer;        /* the one deadline of the state it is in */
	struct loop_deferred kick; /* go on reading, outside the caller */
	struct sock_host peer;
	enum session_state state : 8;
	enum session_close kick_close : 8;
	bool kick_closes : 1;
	bool pumping : 1;
	bool close_after : 1;
	bool until_close : 1; /* it is what ends the response's body */
	bool had_backlog : 1; /* tell the owner when it is gone */
};

/* The one setter of the state. */
void session_enter(struct session *s, enum session_state state);
/* For a bug's line in the log: the connection, its state and what is known of
 * the request in hand, whose target does not last. Valid until the next call.
 */
const char *session_describe(const struct session *s);

/* For the request that begins. -1: no memory. */
int session_take_turn(struct session *s, const struct stream_ops *ops);
void session_drop_turn(struct session *s);
/* The block for reading, when nothing in it is wanted any more. */
void session_drop_empty_buffer(struct session *s);

/* session_close(): within the call. */
void session_close_now(struct session *s, enum session_close reason);
/* Closes as soon as nobody is in our caller's way. */
void session_close_soon(struct session *s, enum session_close reason);
/* A tunnel whose two directions have both ended closes. */
void session_check_tunnel(struct session *s);

/* Goes on with what is already here, but never inside our caller. */
void session_kick_if_needed(struct session *s);
/* Sends what is held. True: the kernel has all that was written, and closing
 * loses nothing of it. */
bool session_flush(struct session *s);

/* Bytes that were read, but belong to a request not begun yet. */
static inline bool
session_has_buffered(const struct session *s)
{
	return s->in != NULL && buffer_len(s->in) > 0;
}

/* A piece of the body is decoded, or its end is known. */
static inline bool
session_turn_has_piece(const struct session_turn *turn)
{
	return turn->body.len > 0 || turn->message.done;
}

static inline struct session_turn *
session_turn_of(const struct stream *stream)
{
	return (struct session_turn *)(uintptr_t)stream;
}

static inline struct session *
session_of(const struct stream *stream)
{
	return session_turn_of(stream)->session;
}

static inline bool
session_turn_has_begun(const struct session_turn *turn)
{
	return turn->stream.status != 0;
}

static inline bool
session_turn_has_ended(const struct session_turn *turn)
{
	return turn->stream.out == STREAM_OUT_ENDED;
}

/* There is no response to go on with, or none any more. */
static inline bool
session_has_ended(const struct session *s)
{
	return (s->state != SESSION_ACTIVE && s->state != SESSION_TUNNEL) ||
	       session_turn_has_ended(s->turn);
}

#endif
