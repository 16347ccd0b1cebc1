/*
 * feed - feeds a message to its parser in every way that its bytes may come
 * in, for the tests of parser.h.
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

#include "parser.h"

#define HEAD_MAX 16384
#define TEXT_MAX 65536

/* Whole, byte by byte, in pieces of seven; then in two, at each place. */
enum way {
	WHOLE,
	BYTES,
	SEVENS,
	SPLIT,
};

static inline size_t
ways(size_t len)
{
	return SPLIT + len;
}

/* A message that was fed, and the memory that it points into. */
struct fed {
	struct parser m;
	char *data;
	char room[HEAD_MAX];
	size_t taken;
	char body[TEXT_MAX];
	size_t body_len;
};

/* The number of bytes present after the next read. */
static inline size_t
next_end(size_t end, size_t len, size_t way)
{
	size_t step = way == WHOLE ? len : way == BYTES ? 1 : 7;

	if (way >= SPLIT)
		step = end == 0 && way > SPLIT ? way - SPLIT : len;
	return len - end < step ? len : end + step;
}

static inline void
take_body(struct fed *f, const char *from, const char *to)
{
	if (f->m.body.len == 0)
		return;
	/* Decoded in place: inside the fed bytes. */
	assert_int_equal(f->m.error, PARSER_NONE);
	assert_true(f->m.body.at >= from && f->m.body.at + f->m.body.len <= to);
	assert_true(f->body_len + f->m.body.len <= TEXT_MAX);
	memcpy(f->body + f->body_len, f->m.body.at, f->m.body.len);
	f->body_len += f->m.body.len;
}

static inline void
feed(struct fed *f, const char *text, size_t len, size_t way)
{
	size_t at = 0, end = 0;

	f->data = malloc(len + 1);
	assert_non_null(f->data);
	f->body_len = 0;
	while (end < len && !f->m.done && f->m.error == PARSER_NONE) {
		size_t next = next_end(end, len, way), taken;
		bool head_was_done = f->m.head_done;

		/* Bytes not received yet can't be read. */
		memcpy(f->data + end, text + end, next - end);
		end = next;
		taken = parser_feed(&f->m, f->data + at, end - at);
		assert_true(taken <= end - at);
		if (taken < end - at && !f->m.done &&
		    f->m.error == PARSER_NONE) {
			assert_true(f->m.head.chunked && f->m.head_done);
			assert_true(end - at - taken < f->m.limits.head_bytes);
		}
		if (!head_was_done && !f->m.head_done &&
		    f->m.error == PARSER_NONE)
			assert_int_equal(taken, end - at);
		take_body(f, f->data + at, f->data + end);
		at += taken;
	}
	f->taken = at;
}

static inline struct fed *
feed_limited(const char *text, size_t len, size_t way,
    const struct parser_limits *limits)
{
	struct fed *f = malloc(sizeof(*f));

	assert_non_null(f);
	parser_init_request(&f->m, limits, &(struct path_rules){0}, f->room);
	feed(f, text, len, way);
	return f;
}

static inline struct fed *
feed_request(const char *text, size_t len, size_t way)
{
	return feed_limited(
	    text, len, way, &(struct parser_limits){HEAD_MAX, HEAD_MAX, 0});
}

static inline struct fed *
feed_response(const char *text, bool no_body, size_t way)
{
	struct fed *f = malloc(sizeof(*f));

	assert_non_null(f);
	parser_init_response(&f->m, HEAD_MAX, no_body);
	feed(f, text, strlen(text), way);
	return f;
}

static inline void
drop(struct fed *f)
{
	head_drop_fields(&f->m.head);
	free(f->data);
	free(f);
}

static inline void
assert_slice(struct slice s, const char *want)
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
#define OK "HTTP/1.1 200 OK\r\n"
#define END "\r\n"

/* The error of a text, for any cut into pieces. */
struct refusal {
	enum parser_error error;
	const char *text;
};

/* Counts and reports an error other than the expected. */
static inline unsigned
count_mismatch(const struct fed *f, const struct refusal *r, size_t way)
{
	/* A body is wrong where it is wrong; a head gives nothing. */
	if (f->m.error == r->error && !f->m.done &&
	    (r->error == PARSER_CHUNK || (!f->m.head_done && f->body_len == 0)))
		return 0;
	print_error("%s\nway %zu: \"%s\", not \"%s\"\n", r->text, way,
	    parser_error_str(f->m.error), parser_error_str(r->error));
	return 1;
}

static inline void
assert_refused(const struct refusal *table, size_t count, bool responses)
{
	unsigned mismatches = 0;

	for (size_t i = 0; i < count; i++) {
		const struct refusal *r = &table[i];
		size_t len = strlen(r->text);

		for (size_t way = 0; way < ways(len); way++) {
			struct fed *f = responses
					    ? feed_response(r->text, false, way)
					    : feed_request(r->text, len, way);

			mismatches += count_mismatch(f, r, way);
			drop(f);
		}
	}
	assert_int_equal(mismatches, 0);
}

#endif
