/*
 * exchange_private - the exchange as its own files see it: exchange.c (from
 * admission to the verdict) and exchange_stream.c (the bytes).
 */
#ifndef EXCHANGE_PRIVATE_H
#define EXCHANGE_PRIVATE_H

#include "breakers.h"
#include "client.h"
#include "exchange.h"
#include "pool.h"
#include "service.h"

/* Of a response's head: what we add to it has to fit into a block as well. */
#define EXCHANGE_RESPONSE_HEAD_MAX (BUFFER_BYTES - 512)

enum exchange_state {
	EXCHANGE_ADMISSION,  /* the breaker is being asked */
	EXCHANGE_QUEUED,     /* waits for a connection */
	EXCHANGE_CONNECTING, /* has one, which is connecting */
	EXCHANGE_STREAMING,  /* the request has begun to leave */
	EXCHANGE_FAILED,     /* answers when the breaker has counted it */
	EXCHANGE_ENDED,
};

struct exchange {
	struct task task; /* first: it is a task */
	struct worker *worker;
	struct client *client;
	struct service *service;
	enum exchange_state state;
	struct breakers_ticket ticket;
	struct pool_wait wait;
	struct upstream *up;
	struct loop_deferred again; /* reading on, after the others' turn */
	struct buffer *head;        /* the request's, kept for another try */
	unsigned retries;           /* made so far */
	bool retried_stale;
	bool sent;        /* something of the request, on this try */
	bool head_method; /* HEAD: the response has no body */
	bool idempotent;
	bool chunked;
	bool body_begun; /* a piece has been asked for: no other try */
	bool body_asked; /* and has not come yet */
	bool request_ended;
	bool response_begun;
	bool settling;         /* the breaker is being told of a bad status */
	unsigned error_status; /* FAILED: what to answer */
	const char *error;
};

void exchange_enter(struct exchange *x, enum exchange_state state);
/* The try failed; status: 502, or 504 when it took too long; why: static, for
 * people. Tries again or ends. */
void exchange_try_failed(struct exchange *x, unsigned status, const char *why);
/* Tells the breaker of a status that is the service's failure. False: wait,
 * the response goes on by itself. */
bool exchange_settle_status(struct exchange *x, unsigned status);
/* The response has been read whole; data is its last piece. */
void exchange_complete(struct exchange *x, const char *data, size_t len);

/* The request leaves on a connection that has just become usable. */
void exchange_send(struct exchange *x);
/* Passes on what the backend has sent. */
void exchange_receive(struct exchange *x);
/* Goes on with a response that has waited in exchange_settle_status(). */
void exchange_resume(struct exchange *x);
/* Asks for more of the request's body, if the backend keeps up. */
void exchange_take_body(struct exchange *x);
void exchange_on_body(
    struct task *task, const char *data, size_t len, bool last);
void exchange_on_drained(struct task *task);

#endif
