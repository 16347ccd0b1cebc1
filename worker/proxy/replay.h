/*
 * replay - a request in the form for a backend, kept for another try. The
 * client's own text does not last as long. Worker only.
 *
 * One block holds the path, the fields, and the decoded body behind, while
 * another try may need the body and the body fits.
 * The block is dropped once no other try can follow.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdbool.h>
#include <stddef.h>

#include "fields.h"
#include "slice.h"
#include "stream.h"

struct buffer;
struct buffer_pool;
struct config_route;

enum replay_body {
	REPLAY_UNTOUCHED, /* no piece was asked for, or no body exists */
	REPLAY_PART,      /* all pieces so far are kept */
	REPLAY_WHOLE,     /* the body has come and is kept */
	REPLAY_LOST,      /* a part is gone */
};

struct replay {
	struct buffer_pool *pool;
	struct buffer *block; /* NULL: dropped */
	struct stream_start start;
	struct fields fields;
	size_t body_len;
	size_t trailers_len; /* behind the body */
	enum replay_body body;
};

/* Takes a block, for the path and the fields. The caller adds fields to the
 * result. NULL: no memory. */
struct fields *replay_open(struct replay *r, struct buffer_pool *pool,
    const struct head *head, const struct config_route *route);
/* All fields are there. -1: the head does not fit. */
int replay_close_head(struct replay *r);

/* A piece of the body was asked for. is_wanted: the body may be sent twice. */
void replay_touch(struct replay *r, bool is_wanted);
/* Keeps an outgoing piece, if all earlier pieces were kept. */
void replay_keep(struct replay *r, const struct stream_piece *piece);
/* The whole body; empty while no body is kept. */
struct stream_piece replay_piece(const struct replay *r);

/* No other try follows. */
void replay_drop(struct replay *r);

#endif
