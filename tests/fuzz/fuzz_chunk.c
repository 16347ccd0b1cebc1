/*
 * Goal: a chunked body is decoded alike for any cut into pieces; accepted bytes
 * follow RFC 9112 section 7.1; and our own framing decodes to the same data.
 * Flag 1: framing with trailers.
 */
#include "chunk.h"
#include "input.h"

struct decoded {
	struct chunk_decoder d;
	char *wire; /* decoded in place */
	size_t len;
	size_t at; /* what was taken */
	char *body;
	size_t body_len;
	struct chunk_piece last;
};

static void
take_piece(struct decoded *d, size_t n, size_t taken)
{
	const struct chunk_piece *p = &d->last;

	MUST(taken <= n);
	if (p->len > 0) {
		MUST(p->data >= d->wire + d->at);
		MUST(p->data + p->len <= d->wire + d->at + taken);
		MUST(d->body_len + p->len <= d->len);
		memcpy(d->body + d->body_len, p->data, p->len);
		d->body_len += p->len;
	}
	if (d->d.state == CHUNK_DONE && p->trailers_len > 0) {
		MUST(p->trailers >= d->wire + d->at);
		MUST(p->trailers + p->trailers_len <= d->wire + d->at + taken);
	}
	d->at += taken;
}

static bool
is_over(const struct decoded *d)
{
	return d->d.state == CHUNK_DONE || d->d.state == CHUNK_BAD;
}

/* pieces NULL: all at once. Only given bytes may be read. */
static void
decode(struct decoded *d, const void *wire, size_t len, struct input *pieces)
{
	size_t end = 0;

	*d = (struct decoded){.wire = input_copy(wire, len), .len = len};
	d->body = malloc(len + 1);
	MUST(d->body != NULL);
	while (!is_over(d) && end < len) {
		size_t left = len - end, taken;

		end += pieces != NULL ? input_next(pieces, left) : left;
		input_show(d->wire, len, d->at, end);
		taken =
		    chunk_decode(&d->d, d->wire + d->at, end - d->at, &d->last);
		input_show_all(d->wire, len);
		take_piece(d, end - d->at, taken);
		MUST(d->at == end || is_over(d) || d->d.state == CHUNK_SIZE ||
		     d->d.state == CHUNK_TRAILER);
	}
}

static void
drop(struct decoded *d)
{
	free(d->wire);
	free(d->body);
}

static void
must_be_same(const struct decoded *a, const struct decoded *b)
{
	MUST(a->d.state == b->d.state);
	if (a->d.state == CHUNK_BAD)
		return;
	MUST(a->at == b->at);
	MUST(a->d.state != CHUNK_DATA || a->d.left == b->d.left);
	MUST(a->body_len == b->body_len);
	MUST(memcmp(a->body, b->body, a->body_len) == 0);
	if (a->d.state != CHUNK_DONE)
		return;
	MUST(a->last.trailers_len == b->last.trailers_len);
	MUST(a->last.trailers_len == 0 ||
	     memcmp(a->last.trailers, b->last.trailers, a->last.trailers_len) ==
		 0);
}

/* Past the line at `at`, which has to be whole. */
static const char *
line_end(const char *at, const char *end)
{
	const char *crlf = memmem(at, (size_t)(end - at), "\r\n", 2);

	MUST(crlf != NULL);
	for (; at < crlf; at++)
		MUST(*at == '\t' || (unsigned char)*at >= 0x20);
	return crlf + 2;
}

/* Past the trailer section and its empty line. */
static const char *
trailers_end(const char *at, const char *end)
{
	for (;;) {
		const char *next = line_end(at, end);

		if (next - at == 2)
			return next;
		MUST(*at != ' ' && *at != '\t');
		MUST(memchr(at, ':', (size_t)(next - at)) != NULL);
		at = next;
	}
}

/* Reads accepted bytes again, by the letter. */
static void
check_grammar(const struct decoded *d, const char *at)
{
	const char *end = at + d->at;
	size_t body = 0, size;

	do {
		size_t digits = strspn(at, "0123456789abcdefABCDEF");

		MUST(digits >= 1 && digits <= 16);
		MUST(strchr("\r; \t", at[digits]) != NULL);
		size = strtoull(at, NULL, 16);
		at = line_end(at, end);
		if (size == 0)
			break;
		MUST(size < (size_t)(end - at) - 1);
		MUST(memcmp(at, d->body + body, size) == 0);
		body += size;
		at += size;
		MUST(memcmp(at, "\r\n", 2) == 0);
		at += 2;
	} while (true);
	MUST(body == d->body_len);
	MUST((size_t)(end - at) == d->last.trailers_len + 2);
	MUST(trailers_end(at, end) == end);
}

static void
decode_both_ways(struct input *in)
{
	struct decoded whole, pieces;
	char *wire = input_copy(in->data, in->len);

	decode(&whole, wire, in->len, NULL);
	decode(&pieces, wire, in->len, in);
	must_be_same(&whole, &pieces);
	if (whole.d.state == CHUNK_DONE)
		check_grammar(&whole, wire);
	drop(&whole);
	drop(&pieces);
	free(wire);
}

static size_t
gather(char *to, const struct iovec *iov, int count)
{
	size_t len = 0;

	MUST(count >= 0 && count <= CHUNK_IOV);
	for (int i = 0; i < count; i++) {
		memcpy(to + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return len;
}

/* Returns the length written to wire, which has the room. */
static size_t
frame(char *wire, struct input *in, const char *trailers)
{
	struct iovec iov[CHUNK_IOV];
	char size_line[CHUNK_SIZE_LINE];
	size_t at = 0, len = 0, n;

	for (; in->len - at > 16; at += n) {
		n = input_next(in, in->len - at);
		len += gather(wire + len, iov,
		    chunk_frame(iov, size_line, in->data + at, n));
	}
	return len + gather(wire + len, iov,
			 chunk_frame_last(iov, size_line, in->data + at,
			     in->len - at, trailers, strlen(trailers)));
}

static void
round_trip(struct input *in)
{
	const char *trailers = (in->flags & 1) != 0 ? "A: b\r\nC:\r\n" : "";
	struct decoded d;
	char *wire = malloc(in->len * 6 + 64);
	size_t len;

	MUST(wire != NULL);
	len = frame(wire, in, trailers);
	decode(&d, wire, len, in);
	MUST(d.d.state == CHUNK_DONE);
	MUST(d.at == len);
	MUST(d.body_len == in->len);
	MUST(memcmp(d.body, in->data, in->len) == 0);
	MUST(d.last.trailers_len == strlen(trailers));
	MUST(memcmp(d.last.trailers, trailers, strlen(trailers)) == 0);
	check_grammar(&d, wire);
	drop(&d);
	free(wire);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in;

	input_init(&in, data, len);
	decode_both_ways(&in);
	round_trip(&in);
	return 0;
}
