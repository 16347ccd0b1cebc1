/*
 * feed - feeds a message to its parser, whole or in pieces, for the tests of
 * message.h.
 */
#ifndef FEED_H
#define FEED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "message.h"

#define HEAD_MAX 16384
#define TEXT_MAX 65536

/* How a message is fed: whole, byte by byte, in pieces of seven. */
static const size_t piece_sizes[] = {TEXT_MAX, 1, 7};
#define WAYS (sizeof(piece_sizes) / sizeof(piece_sizes[0]))

/* A message that was fed, and the memory that it points into. */
struct fed {
	struct message m;
	char *data;
	size_t taken;
	char body[TEXT_MAX];
	size_t body_len;
};

static inline void
feed(struct fed *f, const char *text, size_t len, size_t piece)
{
	size_t at = 0;

	f->data = malloc(len + 1);
	assert_non_null(f->data);
	memcpy(f->data, text, len);
	f->taken = 0;
	f->body_len = 0;
	while (at < len && !f->m.done && f->m.error == MESSAGE_NONE) {
		size_t n = len - at < piece ? len - at : piece;
		size_t taken = message_feed(&f->m, f->data + at, n);

		assert_true(taken <= n);
		if (taken < n)
			assert_true(f->m.done || f->m.error != MESSAGE_NONE);
		if (f->m.body.len > 0) {
			/* Decoded in place: inside the fed bytes. */
			assert_true(f->m.body.at >= f->data + at);
			assert_true(
			    f->m.body.at + f->m.body.len <= f->data + at + n);
			assert_true(f->body_len + f->m.body.len <= TEXT_MAX);
			memcpy(
			    f->body + f->body_len, f->m.body.at, f->m.body.len);
			f->body_len += f->m.body.len;
		}
		at += taken;
	}
	f->taken = at;
}

static inline struct fed *
feed_request(const char *text, size_t len, size_t piece)
{
	struct fed *f = malloc(sizeof(*f));

	assert_non_null(f);
	message_init_request(
	    &f->m, &(struct message_limits){HEAD_MAX, HEAD_MAX, 0});
	feed(f, text, len, piece);
	return f;
}

static inline struct fed *
feed_response(const char *text, bool no_body, size_t piece)
{
	struct fed *f = malloc(sizeof(*f));

	assert_non_null(f);
	message_init_response(&f->m, HEAD_MAX, no_body);
	feed(f, text, strlen(text), piece);
	return f;
}

static inline void
drop(struct fed *f)
{
	free(f->data);
	free(f);
}

static inline void
assert_slice(struct message_slice s, const char *want)
{
	assert_int_equal(s.len, strlen(want));
	if (s.len > 0)
		assert_memory_equal(s.at, want, s.len);
}

static inline void
assert_body(const struct fed *f, const char *want)
{
	assert_int_equal(f->body_len, strlen(want));
	assert_memory_equal(f->body, want, f->body_len);
}

#define LINE "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define POST "POST / HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define END "\r\n"

struct refusal {
	enum message_error error;
	const char *text;
};

static inline bool
is_general(enum message_error error)
{
	return error == MESSAGE_SYNTAX || error == MESSAGE_LINE_ENDS;
}

/* Counts, and says, where the error is not the one that is due. Which of the
 * general ones it is depends on llhttp's version. */
static inline unsigned
count_mismatch(const struct fed *f, const struct refusal *r, size_t way)
{
	if (f->m.error == r->error ||
	    (is_general(f->m.error) && is_general(r->error)) ||
	    (r->error == MESSAGE_SYNTAX && f->m.error == MESSAGE_VERSION))
		return 0;
	print_error("%s\nin pieces of %zu: \"%s\", not \"%s\"\n", r->text,
	    piece_sizes[way], message_error_str(f->m.error),
	    message_error_str(r->error));
	return 1;
}

#endif
