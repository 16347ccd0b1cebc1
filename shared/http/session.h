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
 * Answering is declared in session_write.h and session_reply.h, the callbacks
 * and limits in session_context.h; an owner includes this header alone.
 *
 * Callbacks never fire inside session_reply/begin/write/take_body; a session
 * frees itself after on_close(), by way of the loop's graveyard.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"
#include "session_close.h"
#include "session_context.h"
#include "session_reply.h"
#include "session_write.h"
#include "sock.h"

struct session;

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
const struct head *session_request(const struct session *s);
/* Of the same request: what is wrong with it, and the bytes of its body so far.
 * The lines of its trailer section stand there after the body's last piece,
 * until on_body() returns. */
enum message_error session_request_error(const struct session *s);
uint64_t session_request_bytes(const struct session *s);
struct slice session_request_trailers(const struct session *s);
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
 * whose head_has_body() is true, or on a tunnel. Sends 100 Continue where
 * it is awaited and was not sent yet. */
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
/* Between two requests, or before the first: it may be closed. */
bool session_is_idle(const struct session *s);
/* It closes in this iteration of the loop or the next, and says so then by
 * on_close(); who has its answer may see the end before. */
bool session_is_closing(const struct session *s);
/* Why it closed or answered by itself; DONE when neither is so. */
enum session_close session_why(const struct session *s);

#endif
