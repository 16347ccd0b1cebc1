/*
 * Goal: a request is read alike for any cut into pieces, and accepted bytes
 * keep the promises of parser.h. Requests follow one another, as on a
 * connection. Flag 1: tight limits.
 */
#include "parse.h"

static const struct path_rules rules;
static const struct parser_limits wide = {16384, 8192, 0};
static const struct parser_limits tight = {128, 32, 16};

static void
check_limits(const struct parse *p, const struct parser_limits *limits)
{
	const struct parser *m = &p->m;

	if (m->error != PARSER_NONE)
		return;
	MUST(m->head_bytes <= limits->head_bytes);
	MUST(m->head.target.len <= limits->target_bytes);
	MUST(limits->body_bytes == 0 || p->body_len <= limits->body_bytes);
	if (!m->head_done)
		MUST(p->at - p->start <= limits->head_bytes);
}

/* The path is in normal form, and the query at the path's end. */
static void
check_path(const struct head *head)
{
	const struct slice path = head_path_only(head);
	const struct slice q = head_query(head, "q");
	char *again = malloc(path.len);
	size_t len;

	MUST(again != NULL);
	MUST(head->query.at == NULL || head->query.at + head->query.len ==
					   head->path.at + head->path.len);
	MUST(memchr(path.at, '?', path.len) == NULL);
	MUST(q.at == NULL ||
	     (q.at >= head->query.at &&
		 q.at + q.len <= head->query.at + head->query.len));
	if (path.at[0] == '/') {
		MUST(path_normalise(&rules, path, again, &len) == PARSER_NONE);
		MUST(len == path.len && memcmp(again, path.at, len) == 0);
	}
	free(again);
}

static void
check_request(const struct parse *p)
{
	const struct parser *m = &p->m;
	unsigned hosts = 0;

	parse_check(p);
	for (size_t i = 0; i < m->head.field_count; i++)
		hosts += slice_is(m->head.fields[i].name, "host");
	MUST(hosts == 1 || (hosts == 0 && m->head.minor == 0));
	MUST(m->head.path.len > 0 &&
	     (m->head.path.at[0] == '/' || m->head.path.at[0] == '*'));
	check_path(&m->head);
	MUST(!m->head.upgrades ||
	     (m->head.upgrade.len > 0 && !head_has_body(&m->head)));
	MUST(!m->head.expects_continue || m->head.minor == 1);
	MUST(parse_is_inside(p, head_cookie(&m->head, "q")));
	if (m->done && m->error == PARSER_NONE && !m->head.chunked)
		MUST(p->body_len == (m->head.has_length ? m->head.length : 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct parser_limits *limits;
	static struct parse whole, pieces;
	struct input in;

	input_init(&in, data, len);
	limits = (in.flags & 1) != 0 ? &tight : &wide;
	parse_init(&whole, &in);
	parse_init(&pieces, &in);
	do {
		head_drop_fields(&whole.m.head);
		head_drop_fields(&pieces.m.head);
		parser_init_request(&whole.m, limits, &rules, whole.room);
		parser_init_request(&pieces.m, limits, &rules, pieces.room);
		parse_message(&whole, NULL);
		parse_message(&pieces, &in);
		parser_finish(&whole.m);
		parser_finish(&pieces.m);
		parse_same(&whole, &pieces);
		check_limits(&whole, limits);
		if (whole.m.head_done) {
			check_request(&whole);
			check_request(&pieces);
		}
	} while (whole.m.error == PARSER_NONE && whole.at < whole.len);
	parse_fini(&whole);
	parse_fini(&pieces);
	return 0;
}
