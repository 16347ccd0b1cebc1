#include "exchange_private.h"
#include "forward.h"

/* Reads in one go before other connections' turn. */
#define READS_MAX 8

static void
update_deadline(struct exchange *x)
{
	upstream_set_deadline(x->up, x->service->config->timeouts.tunnel_us);
}

/* Asks for what the client says, if the backend keeps up. */
static void
take_bytes(struct exchange *x)
{
	if (x->request_ended || x->body_asked || io_backlog(&x->up->io) > 0)
		return;
	x->body_asked = true;
	stream_take(x->stream);
}

/* Both sides have said all that they wanted. The session closes by itself. */
static bool
is_over(struct exchange *x)
{
	if (!x->request_ended || !x->response_ended ||
	    io_backlog(&x->up->io) > 0)
		return false;
	exchange_end(x, false);
	return true;
}

void
exchange_begin_tunnel(struct exchange *x)
{
	const struct head *h = &x->up->message.head;
	struct stream *s = x->stream;
	struct stream_start start = {
	    .status = 101,
	    .reason = {h->reason.at != NULL ? h->reason.at : "", h->reason.len},
	    .length = STREAM_LENGTH_UNKNOWN,
	    .no_date = forward_has_date(h),
	};
	struct fields *fields = stream_begin(s, &start);

	x->response_begun = true;
	/* No memory for the head: the session closes, which ends this. */
	if (!stream_is_answerable(s))
		return;
	forward_switch(fields, h);
	exchange_add_sticky(x, fields);
	x->request_ended = false;
	exchange_drop_head(x);
	exchange_note_first_byte(x);
	(void)breakers_report(x->runtime->breakers, x->ticket, false, NULL);
	endpoint_worked(x->up->endpoint);
	if (!exchange_enter(x, EXCHANGE_TUNNEL))
		return;
	stream_write(s, &(struct stream_piece){.last = false});
	exchange_pump_tunnel(x);
}

void
exchange_on_tunnel_bytes(struct exchange *x, const struct stream_piece *piece)
{
	struct iovec iov = {(void *)(uintptr_t)piece->data, piece->len};

	/* One that no longer takes anything may have something to say. */
	if (piece->len > 0 && io_write(&x->up->io, &iov, 1) == -1 &&
	    x->response_ended) {
		exchange_try_failed(x, FAILURE_LOST);
		return;
	}
	if (piece->last) {
		x->request_ended = true;
		io_finish(&x->up->io);
		if (is_over(x))
			return;
	}
	take_bytes(x);
	update_deadline(x);
}

/* One read's worth. False: no more now, or the exchange is over. */
static bool
pass_bytes(struct exchange *x)
{
	struct stream *s = x->stream;
	struct slice bytes;

	switch (upstream_read_bytes(x->up, &bytes)) {
	case UPSTREAM_READ_SOME:
		stream_write(s,
		    &(struct stream_piece){.data = bytes.at, .len = bytes.len});
		return stream_is_answerable(s);
	case UPSTREAM_READ_END:
		x->response_ended = true;
		stream_write(s, &(struct stream_piece){.last = true});
		(void)is_over(x);
		return false;
	case UPSTREAM_READ_ERROR:
		exchange_try_failed(x, FAILURE_LOST);
		return false;
	case UPSTREAM_READ_WAIT:
		break;
	}
	return false;
}

void
exchange_pump_tunnel(struct exchange *x)
{
	struct stream *s = x->stream;
	bool more = !x->response_ended;

	for (int i = 0; more && i < READS_MAX && stream_backlog(s) == 0; i++)
		more = pass_bytes(x);
	if (x->state != EXCHANGE_TUNNEL || is_over(x))
		return;
	/* It has said all, and takes nothing. */
	if (x->response_ended && x->up->io.broken) {
		exchange_try_failed(x, FAILURE_LOST);
		return;
	}
	take_bytes(x);
	update_deadline(x);
	if (more && stream_backlog(s) == 0)
		loop_defer(x->runtime->loop, &x->again);
}
