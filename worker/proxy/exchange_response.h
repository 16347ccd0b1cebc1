/*
 * exchange_response - the response's side of an exchange: the client's part,
 * and the reports to breaker and endpoint. Part of exchange_state.h.
 */
#ifndef EXCHANGE_RESPONSE_H
#define EXCHANGE_RESPONSE_H

#include "exchange_state.h"

/* The outcome of a response's head. */
enum exchange_head {
	EXCHANGE_HEAD_PASSED,
	EXCHANGE_HEAD_BAD,      /* a 502, 503 or 504, not passed on yet */
	EXCHANGE_HEAD_CONTINUE, /* 100: the request's body may come */
	EXCHANGE_HEAD_SETTLES,  /* waits until the breaker has counted */
	EXCHANGE_HEAD_SWITCHED, /* 101: bytes both ways from here on */
	EXCHANGE_HEAD_EARLY,    /* 101 before the request's end: told anew by
				 * exchange_response_on_head() at the end */
	EXCHANGE_HEAD_UNASKED,  /* 101, without the client's request */
	EXCHANGE_HEAD_CROWDED,  /* 101, and all tunnels are open */
};

/* A head has come. */
enum exchange_head exchange_response_on_head(struct exchange *x);
/* After EXCHANGE_HEAD_BAD, without another try: tells endpoint and breaker of
 * the status. PASSED or SETTLES. */
enum exchange_head exchange_response_settle(struct exchange *x);
/* After EXCHANGE_HEAD_SETTLES: the breaker knows, the response begins. */
void exchange_response_begin(struct exchange *x);
/* A piece has come: of the body, or of a tunnel's bytes. With the last piece
 * of a body the exchange ends. */
void exchange_response_on_piece(
    struct exchange *x, const struct stream_piece *piece);

/* The head of the response has been passed on, held back or not. */
static inline bool
exchange_response_has_begun(const struct exchange *x)
{
	return x->front->status != 0;
}

#endif
