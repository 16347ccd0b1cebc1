/*
 * Goal: a response is read alike for any cut into pieces, and accepted bytes
 * keep the promises of parser.h. Responses follow one another, as on a
 * connection. Flag 1: a tight limit; flag 2: responses to HEAD.
 */
#include "parse.h"

static void
check_response(const struct parse *p, size_t head_max)
{
	const struct parser *m = &p->m;
	unsigned status = m->head.status;

	parse_check(p);
	MUST(status >= 100 && status <= 999);
	MUST(head_is_interim(&m->head) == (status < 200));
	/* RFC 9112 section 6.3. */
	if (status < 200 || status == 204 || status == 304) {
		MUST(m->no_body);
		MUST(m->done || m->error != PARSER_NONE);
	}
	MUST(!m->head.upgrades || (status == 101 && m->head.upgrade.len > 0));
	if (m->error == PARSER_NONE)
		MUST(m->head_bytes <= head_max);
	/* The length is known at the end only. */
	if (!m->no_body && !m->head.chunked && !m->head.has_length)
		MUST(!m->head.keep_alive);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct parse whole, pieces;
	struct input in;
	size_t head_max;
	bool no_body;

	input_init(&in, data, len);
	head_max = (in.flags & 1) != 0 ? 128 : 16384;
	no_body = (in.flags & 2) != 0;
	parse_init(&whole, &in);
	parse_init(&pieces, &in);
	do {
		head_drop_fields(&whole.m.head);
		head_drop_fields(&pieces.m.head);
		parser_init_response(&whole.m, head_max, no_body);
		parser_init_response(&pieces.m, head_max, no_body);
		parse_message(&whole, NULL);
		parse_message(&pieces, &in);
		parser_finish(&whole.m);
		parser_finish(&pieces.m);
		parse_same(&whole, &pieces);
		if (whole.m.head_done) {
			check_response(&whole, head_max);
			check_response(&pieces, head_max);
		}
	} while (whole.m.error == PARSER_NONE && whole.at < whole.len);
	parse_fini(&whole);
	parse_fini(&pieces);
	return 0;
}
