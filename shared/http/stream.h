/*
 * stream - one request and its response on one connection, in any version of
 * HTTP.
 *
 * Both processes. Two roles have one struct and one table of calls:
 *
 * - front, on a client's connection: the incoming message is the request, the
 *   outgoing message is the response (h1.h);
 * - back, on a backend's connection: the outgoing message is the request, the
 *   incoming message is the response.
 *
 * The connection owns the stream. A front stream begins when its request's head
 * is whole, and is gone when its response has ended. No call may be made for
 * the stream from then on. A tunnel's stream, after a 101, lasts as long as its
 * connection.
 *
 * The incoming body is pushed: stream_take() asks for a piece, and one piece
 * event follows, never inside the call. The facts are plain fields; only the
 * connection writes the fields, all but the name.
 */
#ifndef STREAM_H
#define STREAM_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fields.h"
#include "head.h"
#include "machine.h"
#include "stream_end.h"
#include "slice.h"
#include "sock.h"

struct io;
struct pipe_pool;
struct stream;

/* A piece of a body on its way through, or of a tunnel's bytes. */
struct stream_piece {
	const char *data; /* NULL with len 0 */
	size_t len;
	/* The number of bytes before data that may be overwritten. A head of at
	 * most this size leaves in one write with the piece. */
	size_t room;
	bool last; /* the message ends with this piece */
	/* With last: the trailer section's lines, each with its CRLF. Sent only
	 * if sends_trailers is set. */
	struct slice trailers;
};

#define STREAM_LENGTH_UNKNOWN UINT64_MAX

/* Start line and framing of the outgoing message. */
struct stream_start {
	/* A response. 101 switches protocols: the owner adds Connection and
	 * Upgrade, and from then on pieces pass unchanged both ways. */
	unsigned status;
	struct slice reason; /* at NULL: the standard one */
	bool no_date;        /* the owner's fields have a Date */
	/* A request. */
	struct slice method;
	struct slice path;
	bool expects_continue;
	bool is_head; /* HEAD: its response has no body */
	/* By stream_lay_out(), and complete: begin() returns these fields. */
	struct fields *fields;
	/* Both. The length of the body, or STREAM_LENGTH_UNKNOWN: chunked, or
	 * until close for HTTP/1.0. */
	uint64_t length;
	bool no_body; /* framed, but without a body (HEAD, 304) */
};

/*
 * The outgoing message.
 *
 * | state | next | at |
 * |---|---|---|
 * | none | begun | begin |
 * | begun | ended | the last piece |
 * | ended | begun | a 101 came back: the request goes on, as bytes |
 * | none, begun, ended | gone | the peer or the connection is lost |
 * | begun, ended, gone | none | a back stream's connection is given back |
 */
enum stream_out {
	STREAM_OUT_NONE,
	STREAM_OUT_BEGUN,
	STREAM_OUT_ENDED,
	STREAM_OUT_GONE,
};

/* A row per state, for the one setter of each kind of connection. */
extern const struct machine_state stream_outs[];

/* How much of the incoming body is here before the owner asks. */
enum stream_ahead {
	STREAM_AHEAD_NONE,
	STREAM_AHEAD_BYTES, /* some bytes have come */
	STREAM_AHEAD_PIECE, /* a piece event follows stream_take() at once: in
			     * this iteration of the loop or the next */
};

struct stream_ops {
	struct fields *(*begin)(
	    struct stream *s, const struct stream_start *start);
	struct fields *(*begin_interim)(
	    struct stream *s, unsigned status, struct slice reason);
	void (*send_interim)(struct stream *s);
	void (*write)(struct stream *s, const struct stream_piece *piece);
	void (*cut)(struct stream *s);
	void (*abandon)(struct stream *s);
	void (*take)(struct stream *s);
	enum stream_ahead (*ahead)(const struct stream *s);
	void (*pin_head)(struct stream *s, bool pin);
	size_t (*backlog)(const struct stream *s);
	bool (*can_splice)(const struct stream *to);
	ssize_t (*splice)(struct stream *to, struct io *from,
	    struct pipe_pool *pipes, size_t max);
	struct sock_host (*local)(const struct stream *s);
	uint64_t (*head_bytes)(const struct stream *s);
};

#define STREAM_REASON_MAX 256

/* A front stream's connection has answered by itself. */
struct stream_refusal {
	/* The request line so far, as received, while no head is there; at
	 * NULL: nothing. */
	struct slice line;
	char reason[STREAM_REASON_MAX]; /* printable ASCII */
};

struct stream {
	const struct stream_ops *ops;
	/* The incoming message's head, once whole; NULL before. Its text is
	 * valid until the head's event returns or the body is first taken,
	 * unless pinned. */
	const struct head *head;
	const struct sock_host *peer;
	/* The request's name, for the response's X-Request-Id: stream_name().
	 * at NULL: none. */
	struct slice id;
	enum stream_out out;
	unsigned status;    /* of the outgoing response; 0: none has begun */
	uint64_t in_bytes;  /* of the incoming body so far */
	uint64_t out_bytes; /* of the outgoing body so far */
	uint64_t begun_us;  /* when the request's head was whole */
	bool refused;       /* the incoming message is not valid */
	bool to_head;       /* a refused request without `head` is a HEAD */
	/* The peer has ended its side, and has asked for no other answer. */
	bool has_left;
	bool sends_trailers; /* known once the outgoing message has begun */
	/* Why the connection closed, or answered by itself; else DONE. */
	enum stream_end why;
	/* NULL: the connection has not answered by itself. Valid as long as the
	 * stream, and the line until the response has ended. */
	const struct stream_refusal *refusal;
};

/* False once the peer is known to be gone or the outgoing message has ended. */
static inline bool
stream_is_answerable(const struct stream *s)
{
	return s->out < STREAM_OUT_ENDED;
}

/* The memory behind a request's fields that its stream may write. */
#define STREAM_BEHIND_FIELDS 64

/*
 * Lays out the memory of a request. The path is copied, and start->fields
 * become empty fields. method and path are set; the path may lie at the
 * memory's begin. A sender of HTTP/1 writes the start line before the fields,
 * and the framing into the STREAM_BEHIND_FIELDS bytes behind. Full fields: no
 * room.
 */
void stream_lay_out(
    struct stream_start *start, struct fields *fields, char *data, size_t len);

/* The id, with a NUL behind, stays in place until the response has ended. */
static inline void
stream_name(struct stream *s, struct slice id)
{
	s->id = id;
}

/* Begins the outgoing message of an answerable stream. The owner adds fields to
 * the result, never NULL; the first stream_write() sends the fields. */
static inline struct fields *
stream_begin(struct stream *s, const struct stream_start *start)
{
	return s->ops->begin(s, start);
}

/* An interim response (1xx but 101): the owner adds fields, then sends. NULL:
 * not for this client (HTTP/1.0, or a 100 after a 100), or no memory; then
 * nothing is sent. */
static inline struct fields *
stream_begin_interim(struct stream *s, unsigned status, struct slice reason)
{
	return s->ops->begin_interim(s, status, reason);
}

static inline void
stream_send_interim(struct stream *s)
{
	s->ops->send_interim(s);
}

/* The next piece of the outgoing body. The first piece leaves with the head;
 * the last piece ends the message. */
static inline void
stream_write(struct stream *s, const struct stream_piece *piece)
{
	s->ops->write(s, piece);
}

/* The outgoing message can't be ended as promised. Closes the connection (or
 * resets the stream), so the peer sees the cut. */
static inline void
stream_cut(struct stream *s)
{
	s->ops->cut(s);
}

/* The peer has left, and gets no answer: closes the connection, but not within
 * the call. */
static inline void
stream_abandon(struct stream *s)
{
	s->ops->abandon(s);
}

/* Asks for a piece: of the incoming body of a head with head_has_body(), or of
 * a tunnel. Sends 100 Continue to a client that awaits one. */
static inline void
stream_take(struct stream *s)
{
	s->ops->take(s);
}

static inline enum stream_ahead
stream_ahead(const struct stream *s)
{
	return s->ops->ahead(s);
}

/* pin: within the head's event. The head's text then stays valid until
 * unpinned, until the body is first taken, or until the response has ended.
 * Costs the connection a block of memory. */
static inline void
stream_pin_head(struct stream *s, bool pin)
{
	s->ops->pin_head(s, pin);
}

/* Bytes written, but not yet taken by the kernel or by the flow-control window.
 */
static inline size_t
stream_backlog(const struct stream *s)
{
	return s->ops->backlog(s);
}

/* Whether the next piece may be spliced: the head is sent, the length known. */
static inline bool
stream_can_splice(const struct stream *to)
{
	return to->ops->can_splice(to);
}

/* The next piece, but not the last: up to max bytes from another socket, by
 * io_splice(), with the result of io_splice(). Requires an empty backlog. */
static inline ssize_t
stream_splice(
    struct stream *to, struct io *from, struct pipe_pool *pipes, size_t max)
{
	return to->ops->splice(to, from, pipes, max);
}

/* Of a front stream: the address that the peer is connected to. */
static inline struct sock_host
stream_local(const struct stream *s)
{
	return s->ops->local(s);
}

/* Of a front stream: the bytes of the request's head, as far as read. */
static inline uint64_t
stream_head_bytes(const struct stream *s)
{
	return s->ops->head_bytes(s);
}

#endif
