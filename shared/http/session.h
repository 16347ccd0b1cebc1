/*
 * session - the server side of one HTTP/1.1 client connection.
 *
 * Both processes: the worker's front and the master's admin endpoint. It
 * reads and checks requests, frames responses, keeps the connection alive and
 * holds every client-side deadline and cap. It knows nothing of routes.
 *
 * The life of a request: on_request() once its head is complete; then the
 * owner answers, in that call or later, with session_reply() or with
 * session_begin(), session_write()... ; meanwhile it may take the request's
 * body piece by piece (session_take_body()). When response and request have
 * both ended the session goes on to the next one by itself. A body nobody
 * took, a request that is not HTTP, or a response cut short closes the
 * connection after the response.
 *
 * Callbacks never fire inside session_reply/begin/write/take_body; a session
 * frees itself after on_close(), by way of the loop's graveyard.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "io.h"
#include "loop.h"
#include "message.h"
#include "sock.h"
#include "text.h"

struct session;

/* Why a session closed: symbol, word for the access log, text. */
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

struct session_ops {
	/* A request's head is complete: session_request(). */
	void (*on_request)(struct session *s);
	/* A piece of the body that session_take_body() asked for; last: the
	 * request ends with it (len may be 0 then). */
	void (*on_body)(
	    struct session *s, const char *data, size_t len, bool last);
	/* What was written has left: go on producing. May be NULL. */
	void (*on_drained)(struct session *s);
	/* For the books only, and the one callback that may come from within
	 * session_reply() or session_write(): the response has ended or, with
	 * complete false, will never. Also for what the session answers by
	 * itself (400, 408, 413, 431 ...). May be NULL. */
	void (*on_response_end)(struct session *s, bool complete);
	/* The connection is going. A request that was under way is over. */
	void (*on_close)(struct session *s, enum session_close reason);
};

struct session_limits {
	struct message_limits message;
	uint64_t header_timeout_us;
	uint64_t body_timeout_us; /* for each piece */
	/* Bytes a second. The time that pieces are awaited for may add up to
	 * body_timeout_us and what their bytes take at this rate; 0: to any. */
	uint64_t body_rate;
	uint64_t send_timeout_us;
	uint64_t keep_alive_us;
};

/* What all sessions of one listener share; outlives them. */
struct session_context {
	struct loop *loop;
	struct buffer_pool *buffers;
	struct outbox *outbox; /* for small answers; NULL: none */
	const struct session_ops *ops;
	const struct session_limits *limits;
	void *arg;     /* the owner's */
	bool draining; /* no response keeps its connection alive any more */
	/* Counters of the owner; NULL: not counted. */
	_Atomic uint64_t *bytes_in;
	_Atomic uint64_t *bytes_out;
};

/*
 * Takes over fd (accepted, non-blocking), and looks for a request at the end of
 * this iteration of the loop. NULL when memory ends; fd is closed then.
 */
struct session *session_open(const struct session_context *context, int fd,
    const struct sock_addr *peer);
/* Closes now, whatever is under way; calls on_close. */
void session_close(struct session *s, enum session_close reason);
/* Its next response is its last; while none is asked for, it closes soon. */
void session_drain(struct session *s);

const struct session_context *session_context_of(const struct session *s);
const struct sock_host *session_peer(const struct session *s);
/* The request in hand, from on_request() to the end of its response, and to
 * on_close() if it closes before. Its text is valid until on_request() returns
 * or the body is first taken; that of `upgrade` until the response begins. */
const struct message *session_request(const struct session *s);
/* Called within on_request(): the request's text stays valid until
 * session_drop_head(), until the body is first taken, or until the response
 * has ended. It costs the session a block of memory. */
void session_hold_head(struct session *s);
void session_drop_head(struct session *s);
/* The owner's pointer, for the life of the connection; NULL at first. */
void session_set_arg(struct session *s, void *arg);
void *session_arg(const struct session *s);
/* Of the same request: the status of its response, 0 before that has begun;
 * the bytes of its body so far; and when the request's head was whole. */
unsigned session_status(const struct session *s);
uint64_t session_response_bytes(const struct session *s);
uint64_t session_request_us(const struct session *s);

/* Asks for body: one on_body() follows for each call. Only for a request
 * whose message_has_body() is true, or on a tunnel. Sends 100 Continue where
 * it is awaited and was not sent yet. After the last piece the request's
 * trailers are in session_request(), until on_body() returns. */
void session_take_body(struct session *s);
/* Some of the body has come already: nobody waits for 100 Continue. */
bool session_has_body(const struct session *s);
/* A piece is there: on_body() follows session_take_body() in this iteration of
 * the loop or the next. */
bool session_has_piece(const struct session *s);
/* How many bytes before a piece that on_body() has brought may be overwritten.
 */
size_t session_room(const struct session *s, const char *data);
/* What was written and has not yet been taken by the kernel. */
size_t session_backlog(const struct session *s);
/* False once the client is known to be gone or the response has ended. */
bool session_is_answerable(const struct session *s);
/* Between two requests, or before the first: it may be closed. */
bool session_is_idle(const struct session *s);
/* It closes in this iteration of the loop or the next, and says so then by
 * on_close(); who has its answer may see the end before. */
bool session_is_closing(const struct session *s);
/* Why it closed or answered by itself; DONE when neither is so. */
enum session_close session_why(const struct session *s);

/*
 * An interim response (1xx but 101). The owner adds header lines, then sends.
 * NULL: not for this client (HTTP/1.0), or no memory; then nothing is sent.
 */
struct text *session_begin_interim(
    struct session *s, unsigned status, struct slice reason);
void session_send_interim(struct session *s);

/*
 * A whole response in one call. type: NULL for no body. extra: NULL, or
 * complete header lines, each ending in CRLF.
 */
void session_reply(struct session *s, unsigned status, const char *type,
    const char *extra, const void *body, size_t len);
/* A JSON error {"error":what,"status":status}, as every error here is. */
void session_reply_error(struct session *s, unsigned status, const char *what);

#define SESSION_LENGTH_UNKNOWN UINT64_MAX
/*
 * Begins a response that is streamed: for a request that has none yet, while
 * session_is_answerable(). The owner then adds header lines of its
 * own to the text that this returns and goes on with session_write(), which
 * sends head and body together. length: of the body, or SESSION_LENGTH_UNKNOWN
 * (chunked, or until close for HTTP/1.0). no_body: framed as told, but without
 * one (HEAD, 204, 304). Date is added unless no_date is set.
 */
struct session_response {
	unsigned status;
	const char *reason; /* NULL: the standard one */
	size_t reason_len;
	uint64_t length;
	bool no_body;
	bool no_date; /* the lines that the owner adds have a Date */
	/* So many bytes before the first piece of the body may be overwritten:
	 * a head that fits there is sent as one piece with it. */
	size_t room;
};
struct text *session_begin(
    struct session *s, const struct session_response *response);
/* The next piece; last ends the response. data may be NULL with len 0. */
void session_write(struct session *s, const void *data, size_t len, bool last);
/* The last piece, with trailers (header lines, each with its CRLF) where the
 * framing carries any: session_has_trailers(), known once it has begun. */
void session_finish(
    struct session *s, const void *data, size_t len, struct slice trailers);
bool session_has_trailers(const struct session *s);
/* Whether the next piece may be spliced: its head is sent, its length known. */
bool session_can_splice(const struct session *s);
/* The next piece, but not the last one: up to max bytes from another socket, as
 * by io_splice(), whose result it returns. There is no backlog. */
ssize_t session_splice(
    struct session *s, struct io *from, struct pipe_pool *pipes, size_t max);
/*
 * A response with status 101 switches protocols: the owner adds Connection and
 * Upgrade itself. From its first session_write() on, what is written goes out
 * as it is, and session_take_body() brings what comes in, from the bytes that
 * came with the request; `last` is the end of the stream in that direction.
 * When both have ended the session closes. on_response_end() comes then.
 */
/* The response can't be ended as promised: closes the connection, so that
 * the client sees it cut short. */
void session_cut(struct session *s);

const char *session_close_str(enum session_close reason);
const char *session_close_word(enum session_close reason);

#endif
