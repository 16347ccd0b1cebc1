#include "h1_departure.h"

#include <string.h>

#include "chunk.h"

/* "GET / HTTP/1.0" and two line ends: fewer bytes are no request. */
#define REQUEST_BYTES_MIN 18

/* The bytes behind a chunked body of which `waiting` bytes are not decoded yet,
 * found by decoding a copy. Without memory, and for a body that is too long to
 * be copied, all bytes count. */
static size_t
behind_chunks(const struct h1 *s, size_t waiting)
{
	size_t buffered = s->in != NULL ? buffer_len(s->in) : 0;
	struct chunk_decoder chunks = s->request->parser.chunks;
	struct chunk_piece piece;
	size_t behind = waiting;
	struct buffer *copy;

	if (waiting > BUFFER_BYTES)
		return behind;
	copy = buffer_get(s->context->buffers);
	if (copy == NULL)
		return behind;
	if (buffered > 0)
		memcpy(copy->data, s->in->data + s->in->start, buffered);
	if (waiting == buffered ||
	    io_peek_into(&s->io, copy->data + buffered, waiting - buffered) ==
		(ssize_t)(waiting - buffered)) {
		size_t taken =
		    chunk_decode(&chunks, copy->data, waiting, &piece);

		behind = chunks.state == CHUNK_DONE ? waiting - taken : 0;
	}
	buffer_put(s->context->buffers, copy);
	return behind;
}

static size_t
behind_length(const struct parser *m, size_t waiting)
{
	uint64_t missing = m->head.length - m->body_bytes;

	return waiting > missing ? (size_t)(waiting - missing) : 0;
}

bool
h1_departure_is_final(const struct h1 *s)
{
	const struct parser *m = &s->request->parser;
	size_t waiting = io_unread(&s->io);

	if (s->in != NULL)
		waiting += buffer_len(s->in);
	if (m->done)
		return waiting < REQUEST_BYTES_MIN;
	return (m->head.chunked
		       ? behind_chunks(s, waiting)
		       : behind_length(m, waiting)) < REQUEST_BYTES_MIN;
}
