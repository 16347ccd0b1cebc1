/*
 * stream_end - the reasons why a connection closed or sent a response of its
 * own: one row each.
 */
#ifndef STREAM_END_H
#define STREAM_END_H

/* Symbol, word for the access log, text. */
#define STREAM_END_REASONS(X)                                                  \
	X(DONE, "done", "response ended, not kept alive")                      \
	X(IDLE, "idle", "idle past keep_alive")                                \
	X(PEER, "client_closed", "closed by the client")                       \
	X(RESET, "client_reset", "reset by the client")                        \
	X(HEADER_TIMEOUT, "header_timeout", "no complete request in time")     \
	X(BODY_TIMEOUT, "body_timeout", "no request body in time")             \
	X(BODY_RATE, "body_rate", "request body too slow")                     \
	X(SEND_TIMEOUT, "send_timeout", "client does not read")                \
	X(BAD_REQUEST, "bad_request", "not a valid request")                   \
	X(CUT, "cut", "response cut short")                                    \
	X(EVICTED, "evicted", "idle, and a new client needed room")            \
	X(DRAINED, "drained", "draining")                                      \
	X(MEMORY, "memory", "out of memory")                                   \
	X(BUG, "bug", "a bug here, see the log")

enum stream_end {
#define X(symbol, word, text) STREAM_END_##symbol,
	STREAM_END_REASONS(X)
#undef X
};

const char *stream_end_str(enum stream_end reason);
const char *stream_end_word(enum stream_end reason);

#endif
