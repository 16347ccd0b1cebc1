/*
 * session_write - the response to the request that a session has in hand: its
 * head, the framing of its body, its end. Part of session.h, which has the
 * contract.
 */
#ifndef SESSION_WRITE_H
#define SESSION_WRITE_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io.h"
#include "slice.h"
#include "text.h"

struct session;

/* False once the client is known to be gone or the response has ended. */
bool session_is_answerable(const struct session *s);

/*
 * An interim response (1xx but 101). The owner adds header lines, then sends.
 * NULL: not for this client (HTTP/1.0), or no memory; then nothing is sent.
 */
struct text *session_begin_interim(
    struct session *s, unsigned status, struct slice reason);
void session_send_interim(struct session *s);
/* 100 Continue, where the client awaits it and it was not sent yet. Done by
 * session_take_body(). */
void session_send_continue(struct session *s);

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

#endif
