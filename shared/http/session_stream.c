#include "session_stream.h"

#include "check.h"
#include "session_deadline.h"
#include "session_state.h"
#include "session_write.h"

static void
take(struct stream *stream)
{
	struct session *s = session_of(stream);
	struct session_turn *turn = s->turn;

	if (!CONFINED(!turn->body_ended, "%s", session_describe(s))) {
		session_close_soon(s, SESSION_CLOSE_BUG);
		return;
	}
	if (!turn->take_body)
		turn->body_asked_us = loop_now_us(s->context->loop);
	turn->take_body = true;
	turn->head_held = false;
	session_send_continue(s);
	session_update_deadline(s);
	session_kick_if_needed(s);
}

static enum stream_ahead
ahead(const struct stream *stream)
{
	if (session_turn_has_piece(session_turn_of(stream)))
		return STREAM_AHEAD_PIECE;
	return session_has_buffered(session_of(stream)) ? STREAM_AHEAD_BYTES
							: STREAM_AHEAD_NONE;
}

static void
hold_head(struct stream *stream, bool hold)
{
	session_turn_of(stream)->head_held = hold;
	if (!hold)
		session_drop_empty_buffer(session_of(stream));
}

static size_t
backlog(const struct stream *stream)
{
	return io_backlog(&session_of(stream)->io);
}

static void
cut(struct stream *stream)
{
	session_close_soon(session_of(stream), SESSION_CLOSE_CUT);
}

const struct stream_ops session_stream_ops = {
    .begin = session_begin,
    .begin_interim = session_begin_interim,
    .send_interim = session_send_interim,
    .write = session_write,
    .cut = cut,
    .take = take,
    .ahead = ahead,
    .hold_head = hold_head,
    .backlog = backlog,
    .can_splice = session_can_splice,
    .splice = session_splice,
};
