/*
 * replay - a request as it goes to a backend, kept for another try: the
 * client's own text does not last so long. Worker only.
 *
 * One block holds the path, the head as HTTP/1.1 sends it, and the body behind,
 * decoded, as long as that may be needed and fits. Dropped once no other try
 * can follow.
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
	REPLAY_UNTOUCHED, /* nothing of the body was asked for, or none exists
			   */
	REPLAY_PART,      /* what has come is kept */
	REPLAY_WHOLE,     /* all has come and is kept */
	REPLAY_LOST,      /* some of it is gone */
};

struct replay {
	struct buffer_pool *pool;
	struct buffer *block; /* NULL: dropped */
	struct stream_start start;
	struct fields fields; /* with the request line before, and the end */
	size_t body_len;
	size_t trailers_len; /* behind the body */
	enum replay_body body;
};

/* Takes a block, and begins with the request line: the caller adds fields to
 * what this returns. NULL: no memory. */
struct fields *replay_open(struct replay *r, struct buffer_pool *pool,
    const struct head *head, const struct config_route *route);
/* All fields are there. -1: the head does not fit. */
int replay_close_head(struct replay *r);

/* Some of the body has been asked for. is_wanted: it may be sent twice. */
void replay_touch(struct replay *r, bool is_wanted);
/* Keeps a piece that goes out, if all before has been kept. */
void replay_keep(struct replay *r, const struct stream_piece *piece);
/* The whole body; empty while none is kept. */
struct stream_piece replay_piece(const struct replay *r);

/* No other try follows. */
void replay_drop(struct replay *r);

#endif
