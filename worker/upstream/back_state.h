/*
 * back_state - the steps of a back side: the tables, and one setter each.
 * Worker only.
 *
 * The lower one of the back side's two files.
 *
 * | part | next | at |
 * |---|---|---|
 * | none | unsent | begin |
 * | unsent | head | the first write: the request's head leaves |
 * | head | first | a head has come, not interim |
 * |  | bytes | a 101 has come, and the request has ended |
 * | first | body, none | the piece that came with the head is told |
 * | body | none | the last piece is told |
 * | all | none | the stream ends |
 *
 * | reading | next | at |
 * |---|---|---|
 * | quiet | asked | take |
 * | asked | telling | the part is here, or a failure |
 * | telling | asked | take, from inside |
 * |  | quiet | the owner has not asked |
 * | all | quiet | the stream ends |
 */
#ifndef BACK_STATE_H
#define BACK_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io.h"
#include "machine.h"
#include "parser.h"
#include "stream.h"

struct back;
struct runtime;

enum back_event {
	BACK_CONNECTED, /* a stream may begin */
	BACK_HEAD,      /* stream.head, of an interim response too */
	BACK_PIECE,     /* `piece`; its bytes are valid until this returns */
	BACK_DRAINED,   /* no backlog, and the request has not ended */
	BACK_WAITS,     /* no more events now */
	BACK_FAILED,    /* `error`; when idle: the end, or stray bytes */
	BACK_TIMEOUT,   /* the upstream's deadline passed */
};

/* The owner may close the connection, or give it back, from inside. */
typedef void back_fn(void *arg, struct back *b, enum back_event event);

/* The next part of the response. */
enum back_part {
	BACK_PART_NONE,   /* no stream, or the response has ended */
	BACK_PART_UNSENT, /* the request's head has not left: no part yet */
	BACK_PART_HEAD,
	BACK_PART_FIRST, /* the piece that came with the head, if any */
	BACK_PART_BODY,
	BACK_PART_BYTES, /* after back_switch() */
};

enum back_reading {
	BACK_READING_QUIET,   /* no part is asked for */
	BACK_READING_ASKED,   /* by take() */
	BACK_READING_TELLING, /* the owner is told the part, and may ask */
};

/* The state of a connection when lent. */
enum back_use {
	BACK_FRESH,
	BACK_REUSED,  /* the reuse check is made when the request leaves */
	BACK_CHECKED, /* reused; the check was made when it was lent */
};

struct back {
	struct stream stream; /* out NONE: no stream */
	struct runtime *runtime;
	struct io io;
	struct loop_deferred again; /* reads on, after the turn of other
				     * connections */
	enum back_use use;
	enum back_part part;
	enum back_reading reading;
	/* errno of a failure. EBADMSG: the backend's response is not valid;
	 * EPROTO: a limit or a check of the parser refuses the response. */
	int error;
	size_t head_max;           /* of a response's head; the owner's */
	unsigned interims;         /* interim responses of this stream */
	bool chunked;              /* the request's body is */
	bool to_head;              /* the request is a HEAD: no body comes */
	struct slice head;         /* the request's, until it has left */
	struct slice preface;      /* leaves ahead of the first head; len 0:
				    * none, or has left */
	struct stream *splices_to; /* may get long bodies unseen; or NULL */
	struct stream_piece piece;
	back_fn *on_event;
	void *arg;
	struct buffer *in;
	struct parser parser; /* the response that is being read */
};

extern const struct machine_state back_parts[], back_readings[];

/* An illegal step is a bug, and left out. The connection is shut down: the
 * owner meets a lost connection. */
__attribute__((cold)) void back_refuse(struct back *b,
    const struct machine_state *from, const struct machine_state *to);

/* The body of the setters. A message takes many steps, hence no line in the
 * log. */
#define BACK_ENTER(b, states, field, to)                                       \
	do {                                                                   \
		if (machine_allows(states, field, to))                         \
			(field) = (to);                                        \
		else                                                           \
			back_refuse(b, &(states)[field], &(states)[to]);       \
	} while (0)

static inline void
back_enter_part(struct back *b, enum back_part part)
{
	BACK_ENTER(b, back_parts, b->part, part);
}

static inline void
back_enter_reading(struct back *b, enum back_reading reading)
{
	BACK_ENTER(b, back_readings, b->reading, reading);
}

static inline void
back_enter_out(struct back *b, enum stream_out out)
{
	BACK_ENTER(b, stream_outs, b->stream.out, out);
}

/* The stream ends: legal from every state of all three. */
static inline void
back_enter_end(struct back *b)
{
	b->stream.out = STREAM_OUT_NONE;
	b->part = BACK_PART_NONE;
	b->reading = BACK_READING_QUIET;
}

/* The connection is broken: the request can't go on. */
void back_lose(struct back *b);

static inline struct back *
back_of(const struct stream *s)
{
	return (struct back *)(uintptr_t)s;
}

#endif
