/*
 * back_write - sends the request of a back side: the head with the first piece,
 * the body in its framing. Worker only; the calls begin and write of stream.h.
 */
#ifndef BACK_WRITE_H
#define BACK_WRITE_H

#include "stream.h"

struct fields *back_begin(struct stream *s, const struct stream_start *start);
void back_write(struct stream *s, const struct stream_piece *piece);

#endif
