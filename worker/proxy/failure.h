/*
 * failure - the reasons why a try, or a request as a whole, fails at its
 * service: one row each. Worker only; constant.
 */
#ifndef FAILURE_H
#define FAILURE_H

#include <stdbool.h>

struct request_failure;

/* Symbol, status for the client, word for the access log, text. UNFIT: a limit
 * or a check of ours refuses the response, which says nothing of the service;
 * parser_error.h tells UNFIT from INVALID. */
#define FAILURES(X)                                                            \
	X(REFUSED, 502, "connect_refused", "connection refused")               \
	X(UNREACHABLE, 502, "connect_failed", "can't be reached")              \
	X(CONNECT_TIMEOUT, 504, "connect_timeout", "connect timed out")        \
	X(SEND_TIMEOUT, 504, "upstream_send_timeout",                          \
	    "it did not read the request in time")                             \
	X(READ_TIMEOUT, 504, "upstream_read_timeout",                          \
	    "it did not respond in time")                                      \
	X(LOST, 502, "upstream_lost", "connection lost")                       \
	X(INVALID, 502, "upstream_invalid", "invalid response")                \
	X(UNFIT, 502, "upstream_refused", "its response was refused")          \
	X(SWITCHED, 502, "upstream_invalid", "switched protocols unasked")     \
	X(BAD_STATUS, 502, "upstream_status", "bad status")                    \
	X(NO_ADDRESS, 502, "no_address", "its name has no address")            \
	X(DRAINED, 503, "drained", "all its endpoints are drained")            \
	X(QUEUE_FULL, 503, "queue_full", "too many requests are waiting")      \
	X(QUEUE_TIMEOUT, 503, "queue_timeout",                                 \
	    "no connection became free in time")                               \
	X(OVERLOADED, 503, "overloaded", "overloaded")                         \
	X(TUNNELS_FULL, 503, "tunnels_full", "too many tunnels are open")      \
	X(SHORTAGE, 503, "shortage",                                           \
	    "this host is out of ports, descriptors or memory")                \
	X(TUNNEL_IDLE, 504, "tunnel_idle", "silent past timeouts.tunnel")

enum failure {
#define X(symbol, status, word, text) FAILURE_##symbol,
	FAILURES(X)
#undef X
};

/* The failure's row, for request_fail(). */
const struct request_failure *failure_row(enum failure failure);

/* Did the try end before a connection was made? */
bool failure_is_unreachable(enum failure failure);

/* The failure's bit of config_service.retry_on; 0: never tried again. status:
 * of BAD_STATUS. */
unsigned failure_retry_on(enum failure failure, unsigned status);

#endif
