/*
 * exchange_private - one exchange as its own files see it: exchange.c (up
 * to the connection, and the end), exchange_verdict.c (how a try ends),
 * exchange_stream.c (the bytes) and exchange_tunnel.c (after a 101).
 */
#ifndef EXCHANGE_PRIVATE_H
#define EXCHANGE_PRIVATE_H

#include "breakers.h"
#include "exchange.h"
#include "failure.h"
#include "pool.h"
#include "request.h"
#include "service.h"

enum exchange_state {
	EXCHANGE_QUEUED,     /* waits for a connection */
	EXCHANGE_CONNECTING, /* has one, which is connecting */
	EXCHANGE_STREAMING,  /* the request has begun to leave */
	EXCHANGE_TUNNEL,     /* 101: bytes both ways */
	EXCHANGE_FAILED,     /* answers when the breaker has counted it */
	EXCHANGE_ENDED,
};

/* The state of the last stage of a route with a service. */
struct exchange {
	struct runtime *runtime;
	struct request *request;
	struct stream *stream; /* the request's */
	const struct config_route *route;
	struct service *service;
	enum exchange_state state;
	struct breakers_ticket *ticket; /* the request's */
	struct pool_wait wait;
	struct upstream *up;
	struct loop_deferred again; /* reading on, after the others' turn */
	struct timer continue_timer;
	/* The request's, kept for another try; and, if that may be made once
	 * the request has gone out, the body behind it, if it fits. */
	struct buffer *head;
	uint64_t mark_us;     /* when the last step for the access log was */
	unsigned retries;     /* made so far */
	unsigned interims;    /* interim responses on this try */
	enum failure failure; /* FAILED: which */
	bool keep; /* the response is whole: the connection may be used again */
	bool at_endpoint; /* counted there as in flight */
	bool head_held;   /* leaves with the body's first piece, in one write */
	bool head_method; /* HEAD: the response has no body */
	bool idempotent;
	bool chunked;
	bool upgrades;
	bool expects_continue;
	bool awaits_continue; /* the body waits for the backend's 100 */
	bool body_begun;      /* a piece has been asked for */
	bool body_kept;       /* what went out of it is behind the head */
	bool body_asked;      /* and has not come yet */
	bool request_ended;
	bool response_begun;
	bool response_ended; /* TUNNEL: the backend has shut its side down */
	bool judged;         /* by its bad status: counted as a failure */
	bool settling;       /* the breaker is being told of a bad status */
	bool settled;        /* it has been */
};

/* exchange.c */
/* False: a bug, and the client's connection closes, which ends this. */
bool exchange_enter(struct exchange *x, enum exchange_state state);
void exchange_count(struct exchange *x, enum scoreboard_service_total total);
/* Lets go of everything: nobody calls this exchange back after it. keep: the
 * connection may be used again. */
void exchange_end(struct exchange *x, bool keep);
void exchange_let_go_of_upstream(struct exchange *x, bool keep);
/* Counted as in flight at its endpoint no more. */
void exchange_leave_endpoint(struct exchange *x);
/* There will be no other try: the request's head is not needed any more. */
void exchange_drop_head(struct exchange *x);
/* Asks the pool for a connection, for the first or another try. */
void exchange_connect(struct exchange *x);
/* The time since the last mark, which is now. */
uint64_t exchange_lap_us(struct exchange *x);
/* The response's head is there. */
void exchange_note_first_byte(struct exchange *x);

/* exchange_verdict.c */
/* The try failed: tries again, or ends with the failure's answer. */
void exchange_try_failed(struct exchange *x, enum failure failure);
/* The same, but there is no other try. */
void exchange_fail(struct exchange *x, enum failure failure);
/* Answers without a word to the breaker: not the service's fault. */
void exchange_refuse(
    struct exchange *x, enum failure failure, unsigned retry_after_s);
/* The breaker has counted the failure that it was told of. */
void exchange_on_settled(void *arg);
/* Tells the breaker of a status that is the service's failure. False: wait,
 * the response goes on by itself. */
bool exchange_settle_status(struct exchange *x, unsigned status);
/* The response has been read whole; data is its last piece. */
void exchange_complete(struct exchange *x, const char *data, size_t len);

/* exchange_stream.c */
/* The request leaves on a connection that has just become usable. */
void exchange_send(struct exchange *x);
/* Passes on what the backend has sent. */
void exchange_receive(struct exchange *x);
/* Goes on with a response that has waited in exchange_settle_status(). */
void exchange_resume(struct exchange *x);
/* Asks for more of the request's body, if the backend keeps up. */
void exchange_take_body(struct exchange *x);
void exchange_on_body(struct exchange *x, const struct stream_piece *piece);
void exchange_on_drained(struct exchange *x);
void exchange_on_continue_timer(void *arg);

/* The cookie that ties the client to this endpoint, where it has none. */
void exchange_add_sticky(struct exchange *x, struct fields *fields);

/* exchange_tunnel.c */
/* The backend has switched protocols, as was asked. */
void exchange_begin_tunnel(struct exchange *x);
/* Moves bytes both ways until each side has to wait. */
void exchange_pump_tunnel(struct exchange *x);
void exchange_on_tunnel_bytes(
    struct exchange *x, const struct stream_piece *piece);

#endif
