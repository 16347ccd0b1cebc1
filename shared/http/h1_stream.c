#include "h1_stream.h"

#include "check.h"
#include "h1_deadline.h"
#include "h1_state.h"
#include "h1_write.h"

static void
take(struct stream *stream)
{
	struct h1 *s = h1_of(stream);
	struct h1_request *request = s->request;

	if (!CONFINED(!request->body_ended, "%s", h1_describe(s))) {
		h1_close_soon(s, STREAM_END_BUG);
		return;
	}
	if (!request->take_body)
		request->body_asked_us = loop_now_us(s->context->loop);
	request->take_body = true;
	request->head_pinned = false;
	h1_send_continue(s);
	h1_update_deadline(s);
	h1_kick_if_needed(s);
}

static enum stream_ahead
ahead(const struct stream *stream)
{
	if (h1_request_has_piece(h1_request_of(stream)))
		return STREAM_AHEAD_PIECE;
	return h1_has_buffered(h1_of(stream)) ? STREAM_AHEAD_BYTES
					      : STREAM_AHEAD_NONE;
}

static void
pin_head(struct stream *stream, bool pin)
{
	h1_request_of(stream)->head_pinned = pin;
	if (!pin)
		h1_drop_empty_buffer(h1_of(stream));
}

static size_t
backlog(const struct stream *stream)
{
	return io_backlog(&h1_of(stream)->io);
}

static void
cut(struct stream *stream)
{
	h1_close_soon(h1_of(stream), STREAM_END_CUT);
}

static void
abandon(struct stream *stream)
{
	struct h1 *s = h1_of(stream);

	h1_close_soon(s, s->io.gone ? STREAM_END_RESET : STREAM_END_PEER);
}

/* Without an address, the host is of no family of IP. */
static struct sock_host
local(const struct stream *stream)
{
	struct sock_addr addr;
	struct sock_host host = {.family = AF_UNSPEC};

	if (sock_local(h1_of(stream)->io.watch.fd, &addr) == -1)
		return host;
	host = sock_host_of(&addr);
	(void)sock_host_unmap(&host);
	return host;
}

static uint64_t
head_bytes(const struct stream *stream)
{
	return h1_of(stream)->request->parser.head_bytes;
}

const struct stream_ops h1_stream_ops = {
    .begin = h1_begin,
    .begin_interim = h1_begin_interim,
    .send_interim = h1_send_interim,
    .write = h1_write,
    .cut = cut,
    .abandon = abandon,
    .take = take,
    .ahead = ahead,
    .pin_head = pin_head,
    .backlog = backlog,
    .can_splice = h1_can_splice,
    .splice = h1_splice,
    .local = local,
    .head_bytes = head_bytes,
};
