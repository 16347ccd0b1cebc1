/* Goal: a message is read no further than its caps: of the target, the head,
 * the body, and the framing of a chunked body. */
#include "feed.h"

/* A request whose head has len bytes. */
static size_t
request_of(char *text, size_t len)
{
	strcpy(text, LINE HOST "X: ");
	memset(text + strlen(text), 'x', len);
	strcpy(text + len - 4, "\r\n\r\n");
	return len;
}

static void
test_head(void **state)
{
	static const struct parser_limits limits = {1000, 1000, 0};
	static char text[4096];

	(void)state;
	for (size_t way = 0; way < ways(1010); way++)
		for (size_t len = 990; len < 1010; len++) {
			struct fed *f = feed_limited(
			    text, request_of(text, len), way, &limits);

			if (len <= 1000) {
				assert_true(f->m.done);
				assert_int_equal(f->m.head_bytes, len);
			} else {
				assert_int_equal(
				    f->m.error, PARSER_HEAD_TOO_LARGE);
			}
			drop(f);
		}
}

/* An endless head is refused at the cap, not later. */
static void
test_endless_head(void **state)
{
	static const char *const starts[] = {"G", "GET /",
	    LINE "Host: ", LINE HOST "X",
	    LINE HOST "X: ", LINE HOST "X: a\r\nY"};
	static const struct parser_limits limits = {1000, 1000, 0};
	static char text[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct fed *f;

		memset(text, 'x', sizeof(text));
		memcpy(text, starts[i], strlen(starts[i]));
		f = feed_limited(text, sizeof(text), BYTES, &limits);
		assert_int_equal(f->m.error, PARSER_HEAD_TOO_LARGE);
		assert_int_equal(f->taken, 999);
		drop(f);
	}
}

/* Empty lines before a request have a cap, too. */
static void
test_endless_empty_lines(void **state)
{
	static const struct parser_limits limits = {1000, 1000, 0};
	static char text[4096];
	struct fed *f;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "\r\n", 2);
	f = feed_limited(text, sizeof(text), SEVENS, &limits);
	assert_int_equal(f->m.error, PARSER_HEAD_TOO_LARGE);
	assert_in_range(f->taken, 990, 1000);
	drop(f);
}

/* The bytes alone limit the fields: as many as a head has room for. */
static void
test_field_count(void **state)
{
	static const size_t counts[] = {1, 2, 99, 100, 101, 199, 200, 201, 500,
	    (HEAD_MAX - sizeof(LINE HOST END) + 1) / 4};
	static char text[TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		for (size_t way = WHOLE; way <= SPLIT + 1; way++) {
			size_t len = strlen(LINE HOST);
			struct fed *f;

			strcpy(text, LINE HOST);
			for (size_t n = 1; n < counts[i]; n++, len += 4)
				memcpy(text + len, "a:\r\n", 4);
			strcpy(text + len, END);
			f = feed_request(text, len + 2, way);
			assert_true(f->m.done);
			assert_int_equal(f->m.head.field_count, counts[i]);
			assert_slice(f->m.head.fields[0].name, "Host");
			for (size_t n = 1; n < counts[i]; n++)
				assert_slice(f->m.head.fields[n].name, "a");
			drop(f);
		}
}

/* A dropped table leaves the other facts, and is dropped once. */
static void
test_dropped_fields(void **state)
{
	static char text[TEXT_MAX];
	struct fed *f;

	(void)state;
	strcpy(text, LINE HOST);
	for (int i = 0; i < 300; i++)
		strcat(text, "X: 1\r\n");
	strcat(text, END);
	f = feed_request(text, strlen(text), WHOLE);
	head_drop_fields(&f->m.head);
	assert_int_equal(f->m.head.field_count, 0);
	assert_slice(f->m.head.host, "a");
	drop(f);
}

/* Each of Connection's options is looked for among all fields. */
static void
test_connection_options(void **state)
{
	static char text[TEXT_MAX];

	(void)state;
	for (size_t count = 100; count <= 101; count++) {
		struct fed *f;

		strcpy(text, LINE HOST "Connection: a\r\nConnection: ,,,,b");
		for (size_t i = 2; i < count; i++)
			strcat(text, ",c");
		strcat(text, END END);
		f = feed_request(text, strlen(text), WHOLE);
		assert_int_equal(f->m.done, count == 100);
		if (!f->m.done)
			assert_int_equal(f->m.error, PARSER_OPTIONS);
		drop(f);
	}
}

/* The work is limited, too: many options, or many fields. */
static void
test_connection_options_of_many_fields(void **state)
{
	static char text[TEXT_MAX];

	(void)state;
	for (size_t options = 20; options <= 30; options += 10) {
		struct fed *f;

		strcpy(text, LINE HOST "Connection: a");
		for (size_t i = 1; i < options; i++)
			strcat(text, ",c");
		strcat(text, END);
		for (size_t i = 2; i < 3000; i++)
			strcat(text, "c:" END);
		strcat(text, END);
		f = feed_request(text, strlen(text), WHOLE);
		assert_int_equal(
		    f->m.error, options == 20 ? PARSER_NONE : PARSER_OPTIONS);
		drop(f);
	}
}

static void
test_target(void **state)
{
	static const struct parser_limits limits = {16384, 10, 0};
	static const struct {
		const char *text;
		bool fits;
	} cases[] = {
	    {"GET /123456789 HTTP/1.1\r\n" HOST END, true},
	    {"GET /1234567890 HTTP/1.1\r\n" HOST END, false},
	    {"GET /1234567890", false},
	    {"OPTIONS /1234567890", false},
	    {"GET /123456789012345678901234567890", false},
	    /* Errors behind the cap are not seen. */
	    {"GET /1234567890#\x01\r\n", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t way = 0; way < ways(strlen(cases[i].text)); way++) {
			struct fed *f = feed_limited(
			    cases[i].text, strlen(cases[i].text), way, &limits);

			assert_int_equal(f->m.done, cases[i].fits);
			if (!cases[i].fits)
				assert_int_equal(
				    f->m.error, PARSER_TARGET_TOO_LONG);
			drop(f);
		}
}

static void
test_body(void **state)
{
	static const struct parser_limits limits = {HEAD_MAX, HEAD_MAX, 10};
	static const struct {
		const char *text;
		bool fits;
	} cases[] = {
	    {POST "Content-Length: 10\r\n\r\n0123456789", true},
	    {POST "Content-Length: 11\r\n\r\n", false},
	    {POST "Content-Length: 11\r\nExpect: 100-continue\r\n\r\n", false},
	    {CHUNKED "a\r\n0123456789\r\n0\r\n\r\n", true},
	    {CHUNKED "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n", true},
	    {CHUNKED "b\r\n0123456789a\r\n0\r\n\r\n", false},
	    {CHUNKED "5\r\n01234\r\n5\r\n56789\r\n1\r\na\r\n0\r\n\r\n", false},
	    /* An announced chunk need not come. */
	    {CHUNKED "b\r\n", false},
	    {CHUNKED "7fffffffffffffff\r\n", false},
	    {CHUNKED "5\r\n01234\r\n6\r\n", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t way = 0; way < ways(strlen(cases[i].text)); way++) {
			struct fed *f = feed_limited(
			    cases[i].text, strlen(cases[i].text), way, &limits);

			assert_int_equal(f->m.done, cases[i].fits);
			assert_int_equal(
			    f->m.error, cases[i].fits ? PARSER_NONE
						      : PARSER_BODY_TOO_LARGE);
			assert_true(f->body_len <= 10);
			drop(f);
		}
}

/* Repeats `again` until refused, which comes soon. */
static void
assert_stops(const char *first, const char *again, bool response)
{
	static const struct path_rules rules;
	static char data[TEXT_MAX], room[1000];
	struct parser *m = malloc(sizeof(*m));
	size_t at = 0, end = strlen(first), sent = 0;

	assert_non_null(m);
	memcpy(data, first, end);
	if (response)
		parser_init_response(m, 1000, false);
	else
		parser_init_request(
		    m, &(struct parser_limits){1000, 1000, 0}, &rules, room);
	while (sent < 100000) {
		at += parser_feed(m, data + at, end - at);
		/* Like the parser's reader: the rest, and more bytes. */
		if (m->head_done) {
			memmove(data, data + at, end - at);
			end -= at;
			at = 0;
		}
		if (m->error != PARSER_NONE)
			break;
		/* A buffer of this size never gets full. */
		assert_true(end < 1000);
		memcpy(data + end, again, strlen(again));
		end += strlen(again);
		sent += strlen(again);
	}
	assert_int_equal(m->error, PARSER_HEAD_TOO_LARGE);
	assert_true(sent < 3000);
	free(m);
}

static void
test_endless_framing(void **state)
{
	static const char *const heads[] = {
	    CHUNKED, OK "Transfer-Encoding: chunked\r\n\r\n"};
	static const char *const again[][2] = {
	    {"0\r\n", "T: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"},
	    {"0\r\nT: ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
	    {"0\r\nT", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
	    {"1;a=", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
	    {"1;a=\"", "\\\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
	    {"1", "           "},
	    {"", "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\na\r\n"},
	    {"", "1;aaaaaaaaaaaaaaaaaaaaaaaaaa=\"\\a\"\r\na\r\n"},
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++)
		for (size_t r = 0; r < 2; r++) {
			strcpy(text, heads[r]);
			strcat(text, again[i][0]);
			assert_stops(text, again[i][1], r == 1);
		}
}

/* Small chunks are no attack. */
static void
test_many_small_chunks(void **state)
{
	static const struct parser_limits limits = {200, 100, 0};
	static char text[TEXT_MAX];
	size_t len;
	struct fed *f;

	(void)state;
	strcpy(text, CHUNKED);
	len = strlen(text);
	for (int i = 0; i < 5000; i++, len += 9)
		memcpy(text + len, "1;ab\r\nx\r\n", 9);
	strcpy(text + len, "0\r\n\r\n");
	len += 5;
	for (size_t way = WHOLE; way < SPLIT; way++) {
		f = feed_limited(text, len, way, &limits);
		assert_true(f->m.done);
		assert_int_equal(f->body_len, 5000);
		drop(f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_head),
	    cmocka_unit_test(test_endless_head),
	    cmocka_unit_test(test_endless_empty_lines),
	    cmocka_unit_test(test_field_count),
	    cmocka_unit_test(test_dropped_fields),
	    cmocka_unit_test(test_connection_options),
	    cmocka_unit_test(test_connection_options_of_many_fields),
	    cmocka_unit_test(test_target),
	    cmocka_unit_test(test_body),
	    cmocka_unit_test(test_endless_framing),
	    cmocka_unit_test(test_many_small_chunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
