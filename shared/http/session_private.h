/*
 * session_private - the session as its own files see it: session.c (the
 * connection), session_deadline.c (its waits), session_request.c (reading) and
 * session_response.c (answering).
 */
#ifndef SESSION_PRIVATE_H
#define SESSION_PRIVATE_H

#include "io.h"
#include "session.h"

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
	struct buffer *block; /* in which this lies */

	/* The request. */
	struct slice body;       /* decoded, waiting for a taker */
	bool head_held;          /* session_hold_head() */
	bool starved;            /* what is in `in` wants more behind it */
	bool take_body;          /* the owner wants a piece */
	bool body_ended;         /* the last piece was handed over */
	uint64_t request_us;     /* when the head was whole */
	uint64_t body_asked_us;  /* since when a piece is awaited */
	uint64_t body_waited_us; /* for the pieces before */

	/* The response. */
	struct buffer *head; /* being put together, not yet sent */
	struct text head_text;
	size_t room; /* for it, before the first piece of the body */
	unsigned status;
	uint64_t response_bytes;
	uint64_t length_left; /* of a response with a known length */
	bool begun;
	bool ended;
	bool chunked;
	bool has_length;
	bool no_body;
	bool continue_sent;

	/* Last: its headers are not cleared, see message.h. */
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
	enum session_close why : 8; /* it closed, or answered by itself */
	bool kick_closes : 1;
	bool pumping : 1;
	bool close_after : 1;
	bool until_close : 1; /* it is what ends the response's body */
	bool had_backlog : 1; /* tell the owner when it is gone */
};

/* session.c */
/* For the request that begins. -1: no memory. */
int session_take_turn(struct session *s);
void session_drop_turn(struct session *s);
void session_enter(struct session *s, enum session_state state);
/* For a bug's line in the log: the connection, its state and what is known of
 * the request in hand, whose target does not last. Valid until the next call.
 */
const char *session_describe(const struct session *s);
/* Bytes that were read, but belong to a request not begun yet. */
bool session_has_buffered(const struct session *s);
/* Goes on with what is already here, but never inside our caller. */
void session_kick_if_needed(struct session *s);
/* Closes as soon as nobody is in our caller's way. */
void session_close_soon(struct session *s, enum session_close reason);
/* Sends what is held. True: the kernel has all that was written, and closing
 * loses nothing of it. */
bool session_flush(struct session *s);
/* The response has been handed to the kernel or its queue. */
void session_response_done(struct session *s);

/* Answers by itself, and closes: why, for the books. A client that can't be
 * answered any more is closed at once, so the owner ends its part before
 * anything else is done for it. */
void session_refuse(struct session *s, enum session_close why, unsigned status,
    const char *what);
/* A tunnel whose two directions have both ended closes. */
void session_check_tunnel(struct session *s);

/* session_deadline.c: sets the timer for what the session waits for now. */
void session_set_deadline(struct session *s);
/* The same after something changed; one that has to wait for its client is
 * polled from then on. */
void session_update_deadline(struct session *s);
void session_on_timer(void *arg);

/* session_response.c: writes, and sees to what does not leave at once. -1:
 * the session closes soon. */
int session_send(struct session *s, const struct iovec *iov, int count);
/* What is left of a write has to leave in time. */
void session_note_backlog(struct session *s);

/* session_request.c: reads, until it has to wait for somebody. */
void session_pump(struct session *s);
void session_drop_empty_buffer(struct session *s);

#endif
