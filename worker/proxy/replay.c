#include "replay.h"

#include <string.h>

#include "buffer.h"
#include "forward.h"
#include "machine.h"

static const struct machine_state states[] = {
    [REPLAY_UNTOUCHED] = {"untouched",
	MACHINE_TO(REPLAY_PART) | MACHINE_TO(REPLAY_LOST)},
    [REPLAY_PART] = {"part",
	MACHINE_TO(REPLAY_WHOLE) | MACHINE_TO(REPLAY_LOST)},
    [REPLAY_WHOLE] = {"whole", MACHINE_TO(REPLAY_LOST)},
    [REPLAY_LOST] = {"lost", MACHINE_TO(REPLAY_LOST)},
};

static void
enter(struct replay *r, enum replay_body body)
{
	MACHINE_ENTER(states, r->body, body, "replay");
}

struct fields *
replay_open(struct replay *r, struct buffer_pool *pool, const struct head *head,
    const struct config_route *route)
{
	struct text room;

	r->pool = pool;
	r->block = buffer_get(pool);
	r->body = REPLAY_UNTOUCHED;
	r->body_len = 0;
	r->trailers_len = 0;
	if (r->block == NULL)
		return NULL;
	text_init(&room, r->block->data, BUFFER_BYTES);
	r->start = (struct stream_start){
	    .method = head_method(head),
	    .path = forward_path(&room, head, route),
	    .expects_continue = head->expects_continue,
	    .is_head = head->method == HTTP_HEAD,
	    .length = head->chunked ? STREAM_LENGTH_UNKNOWN : head->length,
	    .no_body = !head->chunked && !head->has_length,
	};
	stream_lay_out(&r->start, &r->fields, r->block->data, BUFFER_BYTES);
	r->fields.lines.full |= text_is_full(&room);
	return &r->fields;
}

int
replay_close_head(struct replay *r)
{
	return fields_are_full(&r->fields) ? -1 : 0;
}

void
replay_touch(struct replay *r, bool is_wanted)
{
	if (r->body == REPLAY_UNTOUCHED)
		enter(r, is_wanted ? REPLAY_PART : REPLAY_LOST);
}

/* Behind the fields, and behind the framing that their stream adds. */
static char *
body_of(const struct replay *r)
{
	const struct text *lines = &r->fields.lines;

	return lines->data + lines->len + STREAM_BEHIND_FIELDS;
}

void
replay_keep(struct replay *r, const struct stream_piece *piece)
{
	const struct text *lines = &r->fields.lines;
	char *to;

	if (r->body != REPLAY_PART)
		return;
	to = body_of(r) + r->body_len;
	if (piece->len + piece->trailers.len >
	    lines->cap - lines->len - r->body_len) {
		enter(r, REPLAY_LOST);
		return;
	}
	if (piece->len > 0)
		memcpy(to, piece->data, piece->len);
	r->body_len += piece->len;
	if (!piece->last)
		return;
	if (piece->trailers.len > 0)
		memcpy(
		    to + piece->len, piece->trailers.at, piece->trailers.len);
	r->trailers_len = piece->trailers.len;
	enter(r, REPLAY_WHOLE);
}

struct stream_piece
replay_piece(const struct replay *r)
{
	const char *body = body_of(r);

	return (struct stream_piece){
	    .data = body,
	    .len = r->body_len,
	    .last = true,
	    .trailers = {body + r->body_len, r->trailers_len},
	};
}

void
replay_drop(struct replay *r)
{
	buffer_put(r->pool, r->block);
	r->block = NULL;
	if (r->body != REPLAY_LOST)
		enter(r, REPLAY_LOST);
}
