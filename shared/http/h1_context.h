/*
 * h1_context - the owner's part in its connections: the callbacks, the limits
 * and the resources that all connections of one listener share.
 */
#ifndef H1_CONTEXT_H
#define H1_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "loop.h"
#include "parser.h"
#include "outbox.h"
#include "stream_end.h"

struct h1;
struct stream_piece;

struct h1_ops {
	/* A request's head is complete: h1_stream(). */
	void (*on_request)(struct h1 *s);
	/* The connection is about to refuse bytes that are no request: the time
	 * for a name, stream_name(). May be NULL. */
	void (*on_refusal)(struct h1 *s);
	/* A piece of the body, after stream_take(). The bytes are valid until
	 * the callback returns. */
	void (*on_body)(struct h1 *s, const struct stream_piece *piece);
	/* The written bytes have left: go on producing. May be NULL. */
	void (*on_drained)(struct h1 *s);
	/* The client has ended its side, and no further whole request has come:
	 * perhaps nobody awaits the answer to the request in hand. May come
	 * more than once. May be NULL. */
	void (*on_left)(struct h1 *s);
	/* For accounting only; the one callback that may come from within
	 * stream_write() or reply_send(). The response has ended or, with
	 * complete false, never will. Also called for the connection's own
	 * responses (400, 408, 413, 431 ...). May be NULL. */
	void (*on_response_end)(struct h1 *s, bool complete);
	/* The connection is closing. A request in hand is over. */
	void (*on_close)(struct h1 *s, enum stream_end reason);
	/* For a bug's line in the log: the owner's description of the request
	 * in hand, such as "route /api"; at most cap - 1 characters and an end.
	 * May be NULL. */
	void (*describe)(struct h1 *s, char *text, size_t cap);
};

struct h1_limits {
	struct parser_limits parser;
	struct path_rules path;
	const char *section; /* of the parser's limits in the configuration, for
			      * errors; NULL: none */
	uint64_t header_timeout_us;
	uint64_t body_timeout_us; /* for each piece */
	/* Bytes a second. The total wait for pieces is at most body_timeout_us
	 * and the time of their bytes at this rate; 0: no limit. */
	uint64_t body_rate;
	uint64_t send_timeout_us;
	uint64_t keep_alive_us;
	/* The same for a client that asks: a value of Keep-Alive; NULL: none.
	 */
	const char *keep_alive_text;
	/* Of a connection, see lifetime.h; 0: no limit. */
	uint64_t max_age_us;
	unsigned max_requests;
	bool has_lifetime; /* one of the two limits is set */
};

/* Shared by all connections of one listener; outlives the connections. */
struct h1_context {
	struct loop *loop;
	struct buffer_pool *buffers;
	struct outbox *outbox; /* for small answers; NULL: none */
	const struct h1_ops *ops;
	const struct h1_limits *limits;
	void *arg;     /* the owner's */
	bool draining; /* every response is its connection's last */
	/* Counters of the owner; NULL: not counted. */
	_Atomic uint64_t *bytes_in;
	_Atomic uint64_t *bytes_out;
};

#endif
