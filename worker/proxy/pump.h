/*
 * pump - one direction of an exchange. The body of one message goes piece by
 * piece from the incoming stream to the outgoing stream. Worker only; no
 * socket, no policy.
 *
 * A pump asks for a piece only once the piece before has been taken. A side
 * that does not read stops the reading of the other. The message's head is the
 * exchange's. A tunnel is two pumps whose streams have no framing any more.
 *
 * | state | next | at |
 * |---|---|---|
 * | shut | held, open, asked, ended | a try's begin, by the message |
 * | held | open, asked | 100 Continue; the breaker's word |
 * | open | asked | the taker has no backlog any more |
 * | asked | open | a head or a piece has come, and the taker has a backlog |
 * |  | held | a response's head, of which the breaker is told |
 * |  | ended | the last piece has come |
 * | ended | open, asked | the protocol was switched |
 * | all | shut | the try failed |
 */
#ifndef PUMP_H
#define PUMP_H

#include <stdbool.h>

#include "stream.h"

enum pump_state {
	PUMP_SHUT,  /* no try, or its message has not begun */
	PUMP_HELD,  /* may not flow yet */
	PUMP_OPEN,  /* no piece is asked for: the taker is slow */
	PUMP_ASKED, /* a piece, or a head, is awaited */
	PUMP_ENDED, /* the last piece has gone on, or no body */
};

struct pump {
	const char *name; /* of the message, for a bug's line in the log */
	struct stream *from;
	struct stream *to;
	/* The client's side: cut when a step is not legal, which is a bug. */
	struct stream *front;
	enum pump_state state;
};

static inline void
pump_init(struct pump *p, const char *name, struct stream *front)
{
	*p = (struct pump){.name = name, .front = front, .state = PUMP_SHUT};
}

/* Sets the two streams; no piece flows yet. */
static inline void
pump_join(struct pump *p, struct stream *from, struct stream *to)
{
	p->from = from;
	p->to = to;
}

/* No piece is asked for until pump_open(). */
void pump_hold(struct pump *p);
/* Asks for the first piece, or as soon as the taker keeps up. */
void pump_open(struct pump *p);
/* The taker may keep up again: asks, where the pump is open. */
void pump_ask(struct pump *p);
/* The awaited head has come and gone on: asks for the next piece or head. */
void pump_ask_again(struct pump *p);
/* The awaited piece has come: passes the piece on and asks for the next. After
 * the last piece the streams may be gone. */
void pump_on_piece(struct pump *p, const struct stream_piece *piece);
/* No body will come. */
void pump_end(struct pump *p);
/* The try is over. */
void pump_shut(struct pump *p);

static inline bool
pump_has_ended(const struct pump *p)
{
	return p->state == PUMP_ENDED;
}

#endif
