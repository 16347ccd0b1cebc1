#include "chunk.h"

#include <string.h>

#include "octet.h"
#include "text.h"

/* More digits could only be zeros, or too much. */
#define SIZE_DIGITS 16

/* The result of reading an element that may be incomplete. */
enum outcome {
	WHOLE,
	PART,
	MALFORMED,
};

struct cursor {
	const char *at;
	const char *end;
};

static enum outcome
read_crlf(struct cursor *c)
{
	for (const char *want = "\r\n"; *want != '\0'; want++, c->at++) {
		if (c->at == c->end)
			return PART;
		if (*c->at != *want)
			return MALFORMED;
	}
	return WHOLE;
}

/* At least one byte of the class, and the byte after it is there. */
static enum outcome
read_run(struct cursor *c, enum octet_class class)
{
	const char *start = c->at;

	c->at = octet_skip(c->at, c->end, class);
	if (c->at == c->end)
		return PART;
	return c->at > start ? WHOLE : MALFORMED;
}

/* BWS, and the byte after it is there. */
static enum outcome
skip_blank(struct cursor *c)
{
	while (c->at < c->end && octet_is_blank(*c->at))
		c->at++;
	return c->at < c->end ? WHOLE : PART;
}

/* RFC 9110 section 5.6.4. */
static enum outcome
read_quoted(struct cursor *c)
{
	for (c->at++; c->at < c->end; c->at++) {
		if (*c->at == '"') {
			c->at++;
			return c->at < c->end ? WHOLE : PART;
		}
		if (*c->at == '\\')
			c->at++;
		if (c->at == c->end)
			return PART;
		if (!octet_is(*c->at, OCTET_TEXT))
			return MALFORMED;
	}
	return PART;
}

/* BWS "=" BWS value, if present. */
static enum outcome
read_extension_value(struct cursor *c)
{
	const char *name_end = c->at;
	enum outcome o = skip_blank(c);

	if (o != WHOLE)
		return o;
	if (*c->at != '=') {
		/* The BWS belongs to the next extension, if any. */
		c->at = name_end;
		return WHOLE;
	}
	c->at++;
	o = skip_blank(c);
	if (o != WHOLE)
		return o;
	return *c->at == '"' ? read_quoted(c) : read_run(c, OCTET_TOKEN);
}

/* Extensions, between the size and the CRLF. */
static enum outcome
read_extensions(struct cursor *c)
{
	enum outcome o = WHOLE;

	while (o == WHOLE && *c->at != '\r') {
		o = skip_blank(c);
		if (o == WHOLE && *c->at != ';')
			o = MALFORMED;
		if (o != WHOLE)
			break;
		c->at++;
		o = skip_blank(c);
		if (o == WHOLE)
			o = read_run(c, OCTET_TOKEN);
		if (o == WHOLE)
			o = read_extension_value(c);
	}
	return o;
}

static enum outcome
read_size_line(struct cursor *c, uint64_t *size)
{
	unsigned digits = 0;
	enum outcome o;
	int digit;

	*size = 0;
	for (; c->at < c->end && (digit = octet_hex(*c->at)) >= 0; c->at++) {
		if (++digits > SIZE_DIGITS)
			return MALFORMED;
		*size = *size << 4 | (unsigned)digit;
	}
	if (*size > INT64_MAX)
		return MALFORMED;
	if (c->at == c->end)
		return PART;
	if (digits == 0)
		return MALFORMED;
	o = read_extensions(c);
	return o == WHOLE ? read_crlf(c) : o;
}

/* Up to and over the empty line; *len is the length before the empty line. */
static enum outcome
read_trailers(struct cursor *c, size_t *len)
{
	const char *start = c->at;
	enum outcome o = WHOLE;

	while (o == WHOLE && c->at < c->end && *c->at != '\r') {
		o = read_run(c, OCTET_TOKEN);
		if (o == WHOLE && *c->at != ':')
			o = MALFORMED;
		if (o != WHOLE)
			break;
		c->at = octet_skip_text(c->at, c->end);
		o = read_crlf(c);
	}
	*len = (size_t)(c->at - start);
	return o == WHOLE ? read_crlf(c) : o;
}

/* ---- the decoder ---- */

/* Accounts for len bytes of framing, whole or not yet. */
static enum outcome
bear(struct chunk_decoder *d, size_t len, enum outcome o)
{
	uint64_t framing = d->framing + len;

	/* An incomplete element has at least one more byte, or a wrong byte.
	 * The boundaries of the received pieces must not make a difference. */
	if (d->framing_max != 0 &&
	    framing + (o == WHOLE ? 0 : 1) > d->framing_max) {
		d->state = CHUNK_BLOATED;
		return MALFORMED;
	}
	if (o == WHOLE)
		d->framing = framing;
	else if (o == MALFORMED)
		d->state = CHUNK_BAD;
	return o;
}

static enum outcome
decode_size(struct chunk_decoder *d, struct cursor *c)
{
	const char *start = c->at;
	uint64_t size, allowed;
	enum outcome o = read_size_line(c, &size);

	o = bear(d, (size_t)(c->at - start), o);
	if (o != WHOLE) {
		c->at = start;
		return o;
	}
	allowed = size > UINT64_MAX / CHUNK_ALLOWANCE ? UINT64_MAX
						      : size * CHUNK_ALLOWANCE;
	d->framing -= d->framing < allowed ? d->framing : allowed;
	d->left = size;
	d->state = size != 0 ? CHUNK_DATA : CHUNK_TRAILER;
	return WHOLE;
}

static enum outcome
decode_data(
    struct chunk_decoder *d, struct cursor *c, struct chunk_piece *piece)
{
	size_t available = (size_t)(c->end - c->at);
	size_t len = d->left < available ? (size_t)d->left : available;
	char *to;

	if (piece->len == 0) {
		piece->data = c->at;
	} else {
		to = (char *)(uintptr_t)piece->data + piece->len;
		memmove(to, c->at, len);
	}
	piece->len += len;
	c->at += len;
	d->left -= len;
	if (d->left != 0)
		return PART;
	d->state = CHUNK_END;
	d->left = strlen("\r\n");
	return WHOLE;
}

/* Taken by the byte: nothing else may follow. */
static enum outcome
decode_end(struct chunk_decoder *d, struct cursor *c)
{
	static const char crlf[] = "\r\n";

	for (; d->left > 0; d->left--, c->at++) {
		if (c->at == c->end)
			return PART;
		if (*c->at != crlf[sizeof(crlf) - 1 - d->left]) {
			d->state = CHUNK_BAD;
			return MALFORMED;
		}
	}
	d->state = CHUNK_SIZE;
	return WHOLE;
}

static enum outcome
decode_trailers(
    struct chunk_decoder *d, struct cursor *c, struct chunk_piece *piece)
{
	const char *start = c->at;
	size_t len;
	enum outcome o = read_trailers(c, &len);

	o = bear(d, (size_t)(c->at - start), o);
	if (o != WHOLE) {
		c->at = start;
		return o;
	}
	piece->trailers = start;
	piece->trailers_len = len;
	d->state = CHUNK_DONE;
	return WHOLE;
}

size_t
chunk_decode(
    struct chunk_decoder *d, char *data, size_t len, struct chunk_piece *piece)
{
	struct cursor c = {data, data + len};
	enum outcome o = WHOLE;

	*piece = (struct chunk_piece){NULL, 0, NULL, 0};
	while (o == WHOLE && c.at < c.end) {
		switch (d->state) {
		case CHUNK_SIZE:
			o = decode_size(d, &c);
			break;
		case CHUNK_DATA:
			o = decode_data(d, &c, piece);
			break;
		case CHUNK_END:
			o = decode_end(d, &c);
			break;
		case CHUNK_TRAILER:
			o = decode_trailers(d, &c, piece);
			break;
		case CHUNK_DONE:
		case CHUNK_BAD:
		case CHUNK_BLOATED:
			return (size_t)(c.at - data);
		}
	}
	return (size_t)(c.at - data);
}

/* ---- framing ---- */

/* The end of a chunk, and the last chunk, which has no data. */
static char ends[] = "\r\n0\r\n\r\n";

int
chunk_frame(struct iovec iov[CHUNK_IOV], char size_line[CHUNK_SIZE_LINE],
    const void *data, size_t len)
{
	struct text line;

	if (len == 0)
		return 0;
	text_init(&line, size_line, CHUNK_SIZE_LINE);
	text_add_hex(&line, len);
	text_add(&line, "\r\n", 2);
	iov[0] = (struct iovec){line.data, line.len};
	iov[1] = (struct iovec){(void *)(uintptr_t)data, len};
	iov[2] = (struct iovec){ends, 2};
	return 3;
}

int
chunk_frame_last(struct iovec iov[CHUNK_IOV], char size_line[CHUNK_SIZE_LINE],
    const void *data, size_t len, const void *trailers, size_t trailers_len)
{
	int count = chunk_frame(iov, size_line, data, len);
	char *end = count == 0 ? ends + 2 : ends;

	/* The chunk's own CRLF is where the last chunk's line begins. */
	if (count != 0)
		count--;
	if (trailers_len == 0) {
		iov[count++] = (struct iovec){end, strlen(end)};
		return count;
	}
	iov[count++] = (struct iovec){end, strlen(end) - 2};
	iov[count++] =
	    (struct iovec){(void *)(uintptr_t)trailers, trailers_len};
	iov[count++] = (struct iovec){ends, 2};
	return count;
}
