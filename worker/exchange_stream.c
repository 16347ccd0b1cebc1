#include <errno.h>

#include "chunk.h"
#include "exchange_private.h"
#include "forward.h"
#include "log.h"

/* Reads in one go before other connections' turn. */
#define READS_MAX 8

/* ---- the request ---- */

/* One deadline at a time, for whatever is awaited of the backend. */
static void
update_deadline(struct exchange *x)
{
	const struct config_service *config = x->service->config;
	bool sending = io_backlog(&x->up->io) > 0;

	/* While the client is the one who is slow, its session's deadlines
	 * hold; ours starts anew with its next piece. */
	if (x->body_asked || session_backlog(x->client->session) > 0)
		loop_timer_set(x->worker->loop, &x->up->timer, UINT64_MAX);
	else
		upstream_set_deadline(x->up, sending
						 ? config->timeouts.send_us
						 : config->timeouts.read_us);
}

void
exchange_send(struct exchange *x)
{
	struct iovec head = {
	    .iov_base = x->head->data, .iov_len = x->head->end};

	exchange_enter(x, EXCHANGE_STREAMING);
	if (io_write(&x->up->io, &head, 1) == -1) {
		exchange_try_failed(x, 502, "connection lost");
		return;
	}
	x->sent = true;
	if (!x->request_ended)
		exchange_take_body(x);
	update_deadline(x);
}

void
exchange_take_body(struct exchange *x)
{
	if (x->state != EXCHANGE_STREAMING || x->request_ended ||
	    x->body_asked || io_backlog(&x->up->io) > 0 || x->up->io.broken)
		return;
	x->body_begun = true;
	x->body_asked = true;
	session_take_body(x->client->session);
}

static int
write_piece(struct exchange *x, const char *data, size_t len, bool last)
{
	char size_line[CHUNK_SIZE_LINE];
	struct iovec iov[CHUNK_IOV] = {{(void *)(uintptr_t)data, len}};
	int count = 1;

	if (x->chunked)
		count =
		    last ? chunk_frame_last(iov, size_line, data, len, NULL, 0)
			 : chunk_frame(iov, size_line, data, len);
	return io_write(&x->up->io, iov, count);
}

void
exchange_on_body(struct task *task, const char *data, size_t len, bool last)
{
	struct exchange *x = (struct exchange *)task;

	x->body_asked = false;
	if (x->state != EXCHANGE_STREAMING)
		return;
	/* The backend may have stopped reading and answered already; its
	 * answer, or its reset, comes by exchange_receive(). */
	if (write_piece(x, data, len, last) == 0) {
		x->request_ended = last;
		exchange_take_body(x);
	}
	update_deadline(x);
}

/* ---- the response ---- */

static void
begin_response(struct exchange *x)
{
	const struct message *m = &x->up->message;
	struct session_response response = {
	    .status = message_status(m),
	    .reason = m->reason.at != NULL ? m->reason.at : "",
	    .reason_len = m->reason.len,
	    .length = m->has_length ? m->length : SESSION_LENGTH_UNKNOWN,
	    .no_body = x->head_method,
	    .no_date = forward_has_date(m),
	};
	struct text *head = session_begin(x->client->session, &response);

	x->response_begun = true;
	forward_response(head, m);
	if (x->service->config->sticky_cookie != NULL &&
	    x->wait.affinity.sticky != x->up->endpoint->number)
		affinity_add_cookie(
		    head, x->service->config, x->up->endpoint->number);
}

/* An interim (1xx) response ends here; the real one may be right behind.
 * False: it switches protocols, which nobody asked for. */
static bool
skip_interim(struct exchange *x)
{
	struct upstream *up = x->up;

	while (up->message.error == MESSAGE_NONE && up->message.head_done &&
	       message_is_interim(&up->message)) {
		if (message_status(&up->message) == 101)
			return false;
		message_init_response(
		    &up->message, EXCHANGE_RESPONSE_HEAD_MAX, x->head_method);
		if (!upstream_read_rest(up))
			break;
	}
	return true;
}

/* Passes on what one read brought. False: read no further, it is over or it
 * waits. */
static bool
pass_on(struct exchange *x)
{
	struct message *m = &x->up->message;

	if (!skip_interim(x)) {
		exchange_try_failed(x, 502, "switched protocols unasked");
		return false;
	}
	if (m->error != MESSAGE_NONE) {
		exchange_try_failed(x, 502,
		    m->error == MESSAGE_EOF ? "connection lost"
					    : "invalid response");
		return false;
	}
	if (!m->head_done)
		return true;
	if (!x->response_begun) {
		x->settling = !exchange_settle_status(x, message_status(m));
		if (x->settling) {
			/* The backend has done its part: no deadline. */
			loop_timer_set(
			    x->worker->loop, &x->up->timer, UINT64_MAX);
			return false;
		}
		begin_response(x);
	}
	if (m->done) {
		exchange_complete(x, m->body.at, m->body.len);
		return false;
	}
	session_write(x->client->session, m->body.at, m->body.len, false);
	return true;
}

void
exchange_receive(struct exchange *x)
{
	if (x->settling)
		return;
	for (int i = 0; i < READS_MAX; i++) {
		/* The client does not keep up: on_drained() goes on. */
		if (session_backlog(x->client->session) > 0)
			break;
		switch (upstream_read(x->up)) {
		case UPSTREAM_READ_WAIT:
			update_deadline(x);
			return;
		case UPSTREAM_READ_ERROR:
			exchange_try_failed(x, 502, "connection lost");
			return;
		case UPSTREAM_READ_SOME:
		case UPSTREAM_READ_END:
			if (!pass_on(x))
				return;
			break;
		}
		if (!session_is_answerable(x->client->session))
			return;
	}
	update_deadline(x);
	/* There may be more, and no event will say so again. */
	if (session_backlog(x->client->session) == 0)
		loop_defer(x->worker->loop, &x->again);
}

void
exchange_resume(struct exchange *x)
{
	x->settling = false;
	exchange_take_body(x);
	if (pass_on(x))
		exchange_receive(x);
}

void
exchange_on_drained(struct task *task)
{
	struct exchange *x = (struct exchange *)task;

	if (x->state == EXCHANGE_STREAMING)
		exchange_receive(x);
}
