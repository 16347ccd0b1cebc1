#include "h1_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "log.h"
#include "machine.h"

static const struct machine_state states[] = {
    [H1_IDLE] = {"idle", MACHINE_TO(H1_HEAD) | MACHINE_TO(H1_CLOSED)},
    [H1_HEAD] = {"head",
	MACHINE_TO(H1_ACTIVE) | MACHINE_TO(H1_LINGER) | MACHINE_TO(H1_CLOSED)},
    [H1_ACTIVE] = {"active", MACHINE_TO(H1_IDLE) | MACHINE_TO(H1_TUNNEL) |
				 MACHINE_TO(H1_LINGER) | MACHINE_TO(H1_CLOSED)},
    [H1_TUNNEL] = {"tunnel", MACHINE_TO(H1_CLOSED)},
    [H1_LINGER] = {"linger", MACHINE_TO(H1_CLOSED)},
    [H1_CLOSED] = {"closed", 0},
};

const char *
h1_describe(const struct h1 *s)
{
	static char text[400];
	char owner[160] = "";
	const struct h1_request *request = s->request;

	if (s->context->ops->describe != NULL)
		s->context->ops->describe(
		    (struct h1 *)(uintptr_t)s, owner, sizeof(owner));
	if (request == NULL || !request->parser.head_done)
		snprintf(text, sizeof(text), "connection %d, %s, no request",
		    s->io.watch.fd, states[s->state].name);
	else
		snprintf(text, sizeof(text),
		    "connection %d, %s, %s%s%s with %llu bytes of body, "
		    "response "
		    "%u with %llu",
		    s->io.watch.fd, states[s->state].name,
		    head_method_str(&request->parser.head),
		    owner[0] != '\0' ? " on " : "", owner,
		    (unsigned long long)request->stream.in_bytes,
		    request->stream.status,
		    (unsigned long long)request->stream.out_bytes);
	return text;
}

void
h1_enter(struct h1 *s, enum h1_state state)
{
	if (!CONFINED(machine_allows(states, s->state, state), "%s, to be %s",
		h1_describe(s), states[state].name)) {
		h1_close_soon(s, STREAM_END_BUG);
		return;
	}
	MACHINE_STEP(states, s->state, state, "connection %d", s->io.watch.fd);
}

void
h1_refuse_out(struct h1 *s, enum stream_out out)
{
	check_confined(__FILE__, __LINE__, "machine_allows()",
	    "%s, its response %s, to be %s", h1_describe(s),
	    stream_outs[s->request->stream.out].name, stream_outs[out].name);
	h1_close_soon(s, STREAM_END_BUG);
}

_Static_assert(sizeof(struct h1_request) + PARSER_TARGET_MAX <= BUFFER_BYTES,
    "a request's block has room for a target behind the request");

int
h1_take_request(struct h1 *s, const struct stream_ops *ops)
{
	const struct h1_limits *limits = s->context->limits;
	struct buffer *block = buffer_get(s->context->buffers);
	struct h1_request *request;

	if (block == NULL)
		return -1;
	request = buffer_object(block, sizeof(*request));
	/* Field by field: a memset(3) of the whole would cost more than the
	 * rest of this function. */
	request->stream = (struct stream){.ops = ops, .peer = &s->peer};
	request->h1 = s;
	request->block = block;
	request->body = (struct slice){NULL, 0};
	request->head_pinned = false;
	request->starved = false;
	request->take_body = false;
	request->body_ended = false;
	request->body_asked_us = 0;
	request->body_waited_us = 0;
	request->head = NULL;
	request->length_left = 0;
	request->chunked = false;
	request->has_length = false;
	request->no_body = false;
	request->continue_settled = false;
	request->has_continued = false;
	parser_init_request(&request->parser, &limits->parser, &limits->path,
	    block->data + sizeof(*request));
	s->request = request;
	return 0;
}

/* Rare, and a call at the end of h1_drop_request(), which saves no registers.
 */
__attribute__((noinline, cold)) static void
drop_large_request(struct h1 *s)
{
	head_drop_fields(&s->request->parser.head);
	h1_drop_request(s);
}

void
h1_drop_request(struct h1 *s)
{
	if (s->request == NULL)
		return;
	if (s->request->parser.head.fields != s->request->parser.head.few) {
		drop_large_request(s);
		return;
	}
	buffer_put(s->context->buffers, s->request->head);
	buffer_put(s->context->buffers, s->request->block);
	s->request = NULL;
}

/* A decoded and consumed piece still lies in the buffer, not taken yet. */
static bool
holds_piece(const struct h1 *s)
{
	return s->request != NULL && !s->request->body_ended &&
	       h1_request_has_piece(s->request);
}

void
h1_drop_empty_buffer(struct h1 *s)
{
	if (s->in != NULL && buffer_len(s->in) == 0 && !holds_piece(s) &&
	    (s->request == NULL || !s->request->head_pinned)) {
		buffer_put(s->context->buffers, s->in);
		s->in = NULL;
	}
}

/* The stream is neither written nor read any more. */
static void
lose_stream(struct h1 *s)
{
	if (s->request != NULL && stream_is_answerable(&s->request->stream))
		h1_enter_out(s, STREAM_OUT_GONE);
}

void
h1_close_now(struct h1 *s, enum stream_end reason)
{
	struct loop *loop = s->context->loop;
	struct h1_request *request = s->request;
	bool was_tunnel = s->state == H1_TUNNEL;
	bool has_ended = request != NULL && h1_response_has_ended(request);
	bool unanswered = s->state == H1_ACTIVE && request != NULL &&
			  h1_response_has_begun(request) && !has_ended;

	if (s->state == H1_CLOSED)
		return;
	h1_enter(s, H1_CLOSED);
	if (request != NULL && request->stream.why == STREAM_END_DONE)
		request->stream.why = reason;
	lose_stream(s);
	if (log_is_debug())
		log_debug("connection %d: closed, %s", s->io.watch.fd,
		    stream_end_str(reason));
	/* The response has not left whole: a reset marks the cut. */
	if (s->until_close && (unanswered || io_backlog(&s->io) > 0))
		sock_reset_on_close(s->io.watch.fd);
	io_close(&s->io);
	loop_timer_clear(loop, &s->timer);
	loop_defer_cancel(loop, &s->kick);
	if ((unanswered || was_tunnel) &&
	    s->context->ops->on_response_end != NULL)
		s->context->ops->on_response_end(
		    s, was_tunnel && has_ended && request->body_ended);
	s->context->ops->on_close(s, reason);
	buffer_put(s->context->buffers, s->in);
	s->in = NULL;
	h1_drop_request(s);
	loop_bury(loop, s, free);
}

void
h1_close_soon(struct h1 *s, enum stream_end reason)
{
	if (s->kick_closes || s->state == H1_CLOSED)
		return;
	s->kick_closes = true;
	lose_stream(s);
	s->kick_close = reason;
	loop_defer(s->context->loop, &s->kick);
}

void
h1_check_tunnel(struct h1 *s)
{
	if (s->state == H1_TUNNEL && h1_response_has_ended(s->request) &&
	    s->request->body_ended && io_backlog(&s->io) == 0)
		h1_close_soon(s, STREAM_END_DONE);
}

void
h1_kick_if_needed(struct h1 *s)
{
	if (!CONFINED(s->state != H1_CLOSED, "%s", h1_describe(s)))
		return;
	if (!s->pumping &&
	    (h1_has_buffered(s) || s->io.readable ||
		(s->request != NULL && h1_request_has_piece(s->request))))
		loop_defer(s->context->loop, &s->kick);
}

bool
h1_flush(struct h1 *s)
{
	io_send_batched(&s->io, false);
	return io_backlog(&s->io) == 0;
}
