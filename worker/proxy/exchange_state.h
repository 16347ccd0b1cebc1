/*
 * exchange_state - an exchange as its own files see it: the struct, its steps,
 * its end.
 *
 * The lowest of the exchange's files. exchange_request.c, exchange_response.c,
 * exchange_failure.c and exchange.c stand above in this order. Each file calls
 * only lower files. The lower files return outcomes, and exchange.c acts on the
 * outcomes.
 */
#ifndef EXCHANGE_STATE_H
#define EXCHANGE_STATE_H

#include "breakers.h"
#include "failure.h"
#include "pool.h"
#include "proxy_protocol.h"
#include "pump.h"
#include "replay.h"
#include "request.h"
#include "service.h"

enum exchange_state {
	EXCHANGE_QUEUED,     /* waits for a connection */
	EXCHANGE_CONNECTING, /* the connection is coming up */
	EXCHANGE_STREAMING,  /* the request has begun to leave */
	EXCHANGE_TUNNEL,     /* 101: bytes both ways */
	EXCHANGE_FAILED,     /* answers when the breaker has counted */
	EXCHANGE_ENDED,
};

/* The state of the last stage of a route with a service. */
struct exchange {
	struct runtime *runtime;
	struct request *request;
	struct stream *front; /* the request's */
	struct service *service;
	enum exchange_state state;
	enum failure failure; /* FAILED: which */
	struct pool_wait wait;
	struct upstream *up;         /* NULL: no connection */
	struct endpoint *counted_at; /* as in flight; NULL: nowhere */
	struct pump outgoing;        /* the request's body */
	struct pump incoming;        /* the response: heads, and the body */
	struct replay replay;
	bool has_early_switch;  /* a 101 came before the request's end */
	struct slice protocols; /* offered to the backend; in replay's head */
	struct timer continue_timer;
	uint64_t mark_us; /* when the last step for the access log was */
	unsigned retries; /* made so far */
	bool in_budget;   /* service_start_retry() has counted a retry */
	/* With send_proxy: the bytes of wait.preface. */
	char preface[PROXY_PROTOCOL_WRITE_MAX];
};

/* False: a bug; the client's connection closes and so ends the exchange. */
bool exchange_enter(struct exchange *x, enum exchange_state state);
/* Releases all resources: no callback follows. The connection is reused if the
 * response has passed whole. */
void exchange_end(struct exchange *x);
/* Gives up this try. */
void exchange_leave_try(struct exchange *x);
/* Ends the count as in flight at its endpoint. */
void exchange_leave_endpoint(struct exchange *x);

void exchange_count(struct exchange *x, enum scoreboard_service_total total);
/* The time since the last mark. The mark is now. */
uint64_t exchange_lap_us(struct exchange *x);

/* One deadline at a time, for the event awaited of the backend. */
void exchange_update_deadline(struct exchange *x);

/* 502, 503 and 504 are the service's failures. */
static inline bool
exchange_is_bad(unsigned status)
{
	return status >= 502 && status <= 504;
}

#endif
