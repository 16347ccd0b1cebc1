/*
 * parse - a message read whole and read in pieces, for the targets about
 * parser.h: both readings agree, and each keeps what parser.h promises.
 */
#ifndef PARSE_H
#define PARSE_H

#include "input.h"
#include "parser.h"

struct parse {
	struct parser m;
	char *data; /* the bytes m points into; own memory */
	size_t len;
	size_t start; /* where the message begins */
	size_t at;    /* what was taken */
	char *body;   /* decoded */
	char *room;   /* see parser_init_request() */
	size_t body_len;
};

static inline void
parse_init(struct parse *p, const struct input *in)
{
	p->data = input_copy(in->data, in->len);
	p->len = in->len;
	p->at = 0;
	p->body = malloc(in->len + 1);
	p->room = malloc(in->len + 1);
	MUST(p->body != NULL && p->room != NULL);
}

static inline void
parse_fini(struct parse *p)
{
	head_drop_fields(&p->m.head);
	free(p->data);
	free(p->body);
	free(p->room);
}

static inline bool
parse_is_over(const struct parse *p)
{
	return p->m.done || p->m.error != PARSER_NONE;
}

static inline void
parse_take_body(struct parse *p, size_t n, size_t taken)
{
	const struct slice body = p->m.body;

	MUST(taken <= n);
	if (body.len == 0)
		return;
	MUST(p->m.error == PARSER_NONE);
	MUST(body.at >= p->data + p->at);
	MUST(body.at + body.len <= p->data + p->at + taken);
	memcpy(p->body + p->body_len, body.at, body.len);
	p->body_len += body.len;
}

/* Reads a message; pieces NULL: all at once. The head may be read until done,
 * and afterwards only the fed bytes. */
static inline void
parse_message(struct parse *p, struct input *pieces)
{
	size_t end = p->at;

	p->start = p->at;
	p->body_len = 0;
	while (!parse_is_over(p) && end < p->len) {
		size_t left = p->len - end, taken;

		end += pieces != NULL ? input_next(pieces, left) : left;
		input_show(
		    p->data, p->len, p->m.head_done ? p->at : p->start, end);
		taken = parser_feed(&p->m, p->data + p->at, end - p->at);
		input_show_all(p->data, p->len);
		parse_take_body(p, end - p->at, taken);
		/* The rest is an element that chunk.h only takes whole. */
		MUST(taken == end - p->at || parse_is_over(p) ||
		     p->m.head.chunked);
		p->at += taken;
	}
}

static inline bool
parse_is_inside(const struct parse *p, struct slice s)
{
	if (s.at == NULL || s.len == 0)
		return s.len == 0;
	return s.at >= p->data + p->start && s.at + s.len <= p->data + p->len;
}

static inline bool
parse_same_slice(const struct parse *a, struct slice s, const struct parse *b,
    struct slice t)
{
	if (s.len != t.len || (s.at == NULL) != (t.at == NULL))
		return false;
	if (s.len == 0)
		return true;
	return memcmp(s.at, t.at, s.len) == 0 &&
	       (!parse_is_inside(a, s) || s.at - a->data == t.at - b->data);
}

static inline void
parse_same_headers(const struct parse *a, const struct parse *b)
{
	MUST(a->m.head.field_count == b->m.head.field_count);
	for (size_t i = 0; i < a->m.head.field_count; i++) {
		const struct head_field *h = &a->m.head.fields[i];
		const struct head_field *g = &b->m.head.fields[i];

		MUST(parse_same_slice(a, h->name, b, g->name));
		MUST(parse_same_slice(a, h->value, b, g->value));
		MUST(h->id == g->id);
		MUST(h->nominated == g->nominated);
	}
}

static inline void
parse_same_head(const struct parse *a, const struct parse *b)
{
	const struct parser *m = &a->m, *o = &b->m;

	MUST(m->no_body == o->no_body);
	MUST(m->head.chunked == o->head.chunked);
	MUST(m->head.has_length == o->head.has_length);
	MUST(!m->head.has_length || m->head.length == o->head.length);
	MUST(m->head.keep_alive == o->head.keep_alive);
	MUST(m->head.expects_continue == o->head.expects_continue);
	MUST(m->head.accepts_trailers == o->head.accepts_trailers);
	MUST(m->head.upgrades == o->head.upgrades);
	MUST(m->head.max_forwards == o->head.max_forwards);
	MUST(m->head.is_response == o->head.is_response);
	MUST(parse_same_slice(a, m->head.target, b, o->head.target));
	MUST(parse_same_slice(a, m->head.path, b, o->head.path));
	MUST(parse_same_slice(a, m->head.host, b, o->head.host));
	MUST(parse_same_slice(a, m->head.reason, b, o->head.reason));
	MUST(parse_same_slice(a, m->head.upgrade, b, o->head.upgrade));
	if (m->head.is_response)
		MUST(m->head.status == o->head.status);
	else
		MUST(strcmp(head_method_str(&m->head),
			 head_method_str(&o->head)) == 0);
	parse_same_headers(a, b);
}

/* Same verdict, same facts. */
static inline void
parse_same(const struct parse *a, const struct parse *b)
{
	MUST(a->m.error == b->m.error);
	MUST(a->m.done == b->m.done);
	MUST(a->m.head_done == b->m.head_done);
	if (a->m.head_done)
		parse_same_head(a, b);
	if (a->m.error != PARSER_NONE)
		return;
	MUST(a->at == b->at);
	MUST(a->m.head_bytes == b->m.head_bytes);
	MUST(a->m.body_bytes == b->m.body_bytes);
	MUST(a->body_len == b->body_len);
	MUST(memcmp(a->body, b->body, a->body_len) == 0);
	MUST(parse_same_slice(a, a->m.trailers, b, b->m.trailers));
}

/* The promises of parser.h about an accepted head: lines end in CRLF, are not
 * folded and hold no control byte but HTAB. */
static inline void
parse_check_lines(const char *at, const char *end)
{
	for (; at < end; at++) {
		unsigned char c = (unsigned char)*at;

		if (c == '\r') {
			MUST(end - at >= 2 && at[1] == '\n');
			MUST(end - at == 2 || (at[2] != ' ' && at[2] != '\t'));
			at++;
			continue;
		}
		MUST((c >= 0x20 && c != 0x7f) || c == '\t');
	}
}

static inline void
parse_check_head(const struct parse *p)
{
	const char *at = p->data + p->start, *end = p->data + p->len;

	/* Empty lines before the first are allowed. */
	while (end - at >= 2 && memcmp(at, "\r\n", 2) == 0)
		at += 2;
	end = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
	MUST(end != NULL);
	parse_check_lines(at, end + 4);
}

static inline void
parse_check_headers(const struct parse *p)
{
	const struct parser *m = &p->m;
	unsigned lengths = 0, codings = 0;

	/* The shortest field is "a:", and its line's end. */
	MUST(m->head.field_count <= m->limits.head_bytes / 4);
	for (size_t i = 0; i < m->head.field_count; i++) {
		const struct head_field *h = &m->head.fields[i];

		MUST(h->name.len > 0);
		MUST(parse_is_inside(p, h->name));
		MUST(parse_is_inside(p, h->value));
		lengths += slice_is(h->name, "content-length");
		codings += slice_is(h->name, "transfer-encoding");
	}
	MUST(lengths + codings <= 1);
	MUST(m->head.chunked == (codings == 1));
	MUST(m->head.has_length == (lengths == 1));
	MUST(!m->head.has_length || m->head.length <= INT64_MAX);
}

static inline void
parse_check_trailers(const struct parse *p)
{
	struct slice lines = p->m.trailers, name, value;

	MUST(parse_is_inside(p, lines));
	MUST(lines.len == 0 || p->m.head.chunked);
	if (lines.len > 0)
		parse_check_lines(lines.at, lines.at + lines.len);
	while (head_next_field(&lines, &name, &value)) {
		MUST(name.len > 0);
		MUST(parse_is_inside(p, name));
		MUST(parse_is_inside(p, value));
	}
	MUST(lines.len == 0);
}

/* A message whose head is done and right. */
static inline void
parse_check(const struct parse *p)
{
	const struct parser *m = &p->m;

	MUST(parse_is_inside(p, m->head.target));
	MUST(parse_is_inside(p, m->head.host));
	MUST(parse_is_inside(p, m->head.reason));
	MUST(parse_is_inside(p, m->head.upgrade));
	/* "GET http://a" has a path that was not sent. */
	MUST(parse_is_inside(p, m->head.path) || m->head.path.len == 1 ||
	     (m->head.path.at == p->room &&
		 m->head.path.len <= m->head.target.len));
	parse_check_headers(p);
	parse_check_head(p);
	if (m->no_body || (!m->head.is_response && !head_has_body(&m->head)))
		MUST(p->body_len == 0);
	if (m->error != PARSER_NONE)
		return;
	MUST(m->body_bytes == p->body_len);
	if (m->head.has_length && !m->no_body) {
		MUST(p->body_len <= m->head.length);
		MUST(m->done == (p->body_len == m->head.length));
	}
	if (m->done)
		parse_check_trailers(p);
}

#endif
