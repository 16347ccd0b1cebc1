/*
 * session_close - why a session closed, or answered by itself: one row a
 * reason.
 */
#ifndef SESSION_CLOSE_H
#define SESSION_CLOSE_H

/* Symbol, word for the access log, text. */
#define SESSION_CLOSE_REASONS(X)                                               \
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

enum session_close {
#define X(symbol, word, text) SESSION_CLOSE_##symbol,
	SESSION_CLOSE_REASONS(X)
#undef X
};

const char *session_close_str(enum session_close reason);
const char *session_close_word(enum session_close reason);

#endif
