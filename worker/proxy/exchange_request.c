#include "exchange_request.h"

#include <errno.h>

#include "forward.h"

/* How long a backend may delay its answer to Expect: 100-continue before the
 * body is sent anyway. A client need not wait for ever (RFC 9110 section
 * 10.1.1). */
#define CONTINUE_US 1000000

/* Makes the PROXY protocol header of the client. */
static void
name_client(struct exchange *x)
{
	struct sock_host local = stream_local(x->front);

	x->wait.preface.at = x->preface;
	x->wait.preface.len = proxy_protocol_write(x->preface,
	    x->service->config->send_proxy, x->request->client, &local);
}

int
exchange_request_build(struct exchange *x)
{
	const struct stream *s = x->front;
	char peer[SOCK_TEXT_MAX], client[SOCK_TEXT_MAX];
	struct forward_request request = {
	    .head = s->head,
	    .route = x->request->route,
	    .peer = sock_host_str(s->peer, peer),
	    .host = x->service->config->name,
	    .trace = &x->request->trace,
	};
	struct fields *fields = replay_open(
	    &x->replay, x->runtime->buffers, s->head, x->request->route);

	if (x->service->config->send_proxy != CONFIG_SEND_PROXY_OFF)
		name_client(x);
	if (request_is_proxied(x->request))
		request.client = sock_host_str(x->request->client, client);
	if (fields == NULL) {
		errno = ENOMEM;
		return -1;
	}
	affinity_of_request(&x->wait.affinity, x->service->config, request.head,
	    request.client != NULL ? request.client : request.peer);
	x->protocols = forward_request(fields, &request);
	if (replay_close_head(&x->replay) == 0)
		return 0;
	errno = EMSGSIZE;
	return -1;
}

void
exchange_request_ask(struct exchange *x)
{
	pump_ask(&x->outgoing);
	if (x->outgoing.state == PUMP_ASKED)
		replay_touch(&x->replay, head_is_idempotent(x->front->head));
}

/* The head leaves with the first piece, if the piece is here. */
static void
begin_body(struct exchange *x)
{
	enum stream_ahead ahead = stream_ahead(x->front);

	if (ahead != STREAM_AHEAD_PIECE)
		stream_write(
		    &x->up->back.stream, &(struct stream_piece){.len = 0});
	/* A client that has begun its body does not wait. */
	if (x->front->head->expects_continue && ahead == STREAM_AHEAD_NONE) {
		pump_hold(&x->outgoing);
		loop_timer_after(
		    x->runtime->loop, &x->continue_timer, CONTINUE_US);
	} else {
		pump_open(&x->outgoing);
		exchange_request_ask(x);
	}
}

/* Without a body, or with all of the body once more. */
static void
write_whole(struct exchange *x)
{
	static const struct stream_piece none = {.last = true};
	struct stream_piece whole;

	pump_end(&x->outgoing);
	if (x->replay.body == REPLAY_UNTOUCHED) {
		stream_write(&x->up->back.stream, &none);
		return;
	}
	whole = replay_piece(&x->replay);
	stream_write(&x->up->back.stream, &whole);
}

int
exchange_request_send(struct exchange *x)
{
	struct stream *back = &x->up->back.stream;

	pump_join(&x->outgoing, x->front, back);
	pump_join(&x->incoming, back, x->front);
	(void)stream_begin(back, &x->replay.start);
	x->up->back.splices_to = x->front;
	if (head_has_body(x->front->head) && x->replay.body != REPLAY_WHOLE)
		begin_body(x);
	else
		write_whole(x);
	if (back->out == STREAM_OUT_GONE)
		return -1;
	pump_open(&x->incoming);
	exchange_update_deadline(x);
	return 0;
}

void
exchange_request_go_on(struct exchange *x)
{
	loop_timer_clear(x->runtime->loop, &x->continue_timer);
	pump_open(&x->outgoing);
	exchange_request_ask(x);
}

/* The last piece of a chunked body, with the trailers that may pass. */
static void
pass_last(struct exchange *x, const struct stream_piece *piece)
{
	struct stream_piece last = *piece;
	struct buffer *b = buffer_get(x->runtime->buffers);
	struct fields f;

	fields_init(&f, NULL, 0);
	if (b != NULL) {
		fields_init(&f, b->data, BUFFER_BYTES);
		forward_trailers(&f, x->front->head, piece->trailers);
	}
	last.trailers = (struct slice){f.lines.data, f.lines.len};
	replay_keep(&x->replay, &last);
	pump_on_piece(&x->outgoing, &last);
	buffer_put(x->runtime->buffers, b);
}

void
exchange_request_on_piece(struct exchange *x, const struct stream_piece *piece)
{
	if (piece->trailers.len > 0) {
		pass_last(x, piece);
		return;
	}
	replay_keep(&x->replay, piece);
	pump_on_piece(&x->outgoing, piece);
}
