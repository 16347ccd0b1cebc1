/* Goal: a request is read alike for any cut into pieces. */
#include "feed.h"

#include <errno.h>

static void
test_plain_request(void **state)
{
	static const char text[] =
	    "GET /a/b?x=1&y=two HTTP/1.1\r\nHost: Example.com:8080\r\n"
	    "ACCEPT:  */*  \r\nX-Empty:\r\nX-Tab:\tv\t\r\nX-Utf8: caf\xc3\xa9"
	    "\r\n\r\nGET";

	(void)state;
	for (size_t way = 0; way < ways(sizeof(text) - 1); way++) {
		struct fed *f = feed_request(text, sizeof(text) - 1, way);
		struct parser *m = &f->m;

		assert_int_equal(m->error, PARSER_NONE);
		assert_true(m->head_done && m->done && m->head.keep_alive);
		/* The next request's bytes are left alone. */
		assert_int_equal(f->taken, sizeof(text) - 1 - 3);
		assert_int_equal(m->head_bytes, sizeof(text) - 1 - 3);
		assert_string_equal(head_method_str(&m->head), "GET");
		assert_slice(m->head.target, "/a/b?x=1&y=two");
		assert_slice(m->head.path, "/a/b?x=1&y=two");
		assert_slice(m->head.host, "Example.com:8080");
		assert_int_equal(m->head.field_count, 5);
		assert_slice(head_value(&m->head, "accept"), "*/*");
		assert_slice(head_value(&m->head, "x-empty"), "");
		assert_slice(head_value(&m->head, "x-tab"), "v");
		assert_slice(head_value(&m->head, "x-utf8"), "caf\xc3\xa9");
		assert_null(head_value(&m->head, "x-none").at);
		assert_false(head_has_body(&m->head));
		drop(f);
	}
}

static void
test_methods(void **state)
{
	static const struct {
		const char *name;
		bool idempotent;
	} cases[] = {{"GET", true}, {"HEAD", true}, {"PUT", true},
	    {"DELETE", true}, {"OPTIONS", true}, {"TRACE", true},
	    {"POST", false}, {"PATCH", false}, {"PROPFIND", false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[64];
		struct fed *f;

		strcpy(text, cases[i].name);
		strcat(text, " / HTTP/1.1\r\n" HOST END);
		f = feed_request(text, strlen(text), WHOLE);
		assert_true(f->m.done);
		assert_string_equal(head_method_str(&f->m.head), cases[i].name);
		assert_int_equal(
		    head_is_idempotent(&f->m.head), cases[i].idempotent);
		drop(f);
	}
}

static void
test_keep_alive(void **state)
{
	static const struct {
		const char *text;
		bool keep_alive;
	} cases[] = {
	    {LINE HOST END, true},
	    {LINE HOST "Connection: keep-alive\r\n" END, true},
	    {LINE HOST "Connection: close\r\n" END, false},
	    {LINE HOST "Connection: Close\r\n" END, false},
	    {LINE HOST "Connection: x, close\r\n" END, false},
	    {LINE HOST "Connection: x\r\nConnection: close\r\n" END, false},
	    {LINE HOST "Connection: keep-alive, close\r\n" END, false},
	    {LINE HOST "Connection: ,,CLOSE ,\r\n" END, false},
	    {LINE HOST "Connection: closed, not-close\r\n" END, true},
	    {LINE HOST "Connection: \r\n" END, true},
	    {LINE HOST "Proxy-Connection: close\r\n" END, true},
	    {"GET / HTTP/1.0\r\n" HOST END, false},
	    {"GET / HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n" END, true},
	    {"GET / HTTP/1.0\r\n" HOST "Connection: x, Keep-Alive\r\n" END,
		true},
	    {"GET / HTTP/1.0\r\n" HOST "Connection: close\r\n" END, false},
	    {"GET / HTTP/1.0\r\n" HOST
	     "Connection: close\r\nConnection: keep-alive\r\n" END,
		false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t way = 0; way < ways(strlen(cases[i].text)); way++) {
			struct fed *f = feed_request(
			    cases[i].text, strlen(cases[i].text), way);

			assert_true(f->m.done);
			if (f->m.head.keep_alive != cases[i].keep_alive)
				print_error("%s\n", cases[i].text);
			assert_int_equal(
			    f->m.head.keep_alive, cases[i].keep_alive);
			drop(f);
		}
}

static void
test_bodies(void **state)
{
	static const struct {
		const char *text, *body;
		bool chunked;
	} cases[] = {
	    {POST "Content-Length: 5\r\n\r\nhello", "hello", false},
	    {POST "Content-Length: 05\r\n\r\nhello", "hello", false},
	    {POST "Content-Length: 0\r\n\r\n", "", false},
	    {LINE HOST "Content-Length: 2\r\n\r\nok", "ok", false},
	    {CHUNKED "0\r\n\r\n", "", true},
	    {CHUNKED "5\r\nhello\r\n0\r\n\r\n", "hello", true},
	    {CHUNKED "1\r\nh\r\n2\r\nel\r\n02\r\nlo\r\n000\r\n\r\n", "hello",
		true},
	    {CHUNKED "A\r\n0123456789\r\na\r\nabcdefghij\r\n0\r\n\r\n",
		"0123456789abcdefghij", true},
	    {CHUNKED "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", true},
	    {CHUNKED "5\r\nhello\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n", "hello",
		true},
	    {CHUNKED "5;a=\"b\";c\r\nhello\r\n0 ; last\r\n\r\n", "hello", true},
	    {"POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", "hello",
		false},
	    {POST "Transfer-Encoding:\tCHUNKED\t\r\n\r\n1\r\na\r\n0\r\n\r\n",
		"a", true},
	    {POST "Transfer-Encoding: Chunked \r\n\r\n1\r\na\r\n0\r\n\r\n", "a",
		true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t way = 0; way < ways(strlen(cases[i].text)); way++) {
			const char *text = cases[i].text;
			struct fed *f = feed_request(text, strlen(text), way);

			if (!f->m.done)
				print_error("%s: %s\n", text,
				    parser_error_str(f->m.error));
			assert_true(f->m.done);
			assert_int_equal(f->taken, strlen(text));
			assert_body(f, cases[i].body);
			assert_int_equal(f->m.head.chunked, cases[i].chunked);
			assert_int_equal(f->m.body_bytes, f->body_len);
			assert_int_equal(head_has_body(&f->m.head),
			    cases[i].chunked || f->body_len > 0);
			/* Trailers do not become headers. */
			assert_null(head_value(&f->m.head, "x-sum").at);
			drop(f);
		}
}

static void
test_the_largest_length(void **state)
{
	static const char text[] =
	    POST "Content-Length: 9223372036854775807\r\n\r\nx";
	struct fed *f = feed_request(text, sizeof(text) - 1, WHOLE);

	(void)state;
	assert_int_equal(f->m.error, PARSER_NONE);
	assert_true(f->m.head.length == INT64_MAX);
	assert_false(f->m.done);
	drop(f);
}

/* RFC 9110 section 5.6.2: all characters of a name. */
static void
test_unusual_names_and_values(void **state)
{
	static const char text[] =
	    LINE HOST "!#$%&'*+-.^_`|~0aZ: 1\r\n1: \"x\x80\xff()<>@,;:/[]?={}"
		      "\\\"\r\n-:\r\n_x_:\t a\t b \t\r\n"
		      "Connection-X: close\r\nContent-Length-X: a\r\n"
		      "Transfer-Encodin: x\r\nHos: y\r\nHostt: z\r\n\r\n";

	(void)state;
	for (size_t way = 0; way < ways(sizeof(text) - 1); way++) {
		struct fed *f = feed_request(text, sizeof(text) - 1, way);

		assert_int_equal(f->m.error, PARSER_NONE);
		assert_true(f->m.done && f->m.head.keep_alive);
		assert_int_equal(f->m.head.field_count, 10);
		assert_slice(head_value(&f->m.head, "!#$%&'*+-.^_`|~0az"), "1");
		assert_slice(head_value(&f->m.head, "1"),
		    "\"x\x80\xff()<>@,;:/[]?={}\\\"");
		assert_slice(head_value(&f->m.head, "-"), "");
		assert_non_null(head_value(&f->m.head, "-").at);
		assert_slice(head_value(&f->m.head, "_x_"), "a\t b");
		drop(f);
	}
}

/* Bytes of a single connection, message after message out of the same feed. */
static void
test_pipelined_requests(void **state)
{
	static const char text[] =
	    LINE HOST END POST "Content-Length: 3\r\n\r\nabc" CHUNKED
			       "2\r\nde\r\n0\r\n\r\n" LINE "Host: last\r\n\r\n";
	static const char *const bodies[] = {"", "abc", "de", ""};
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct fed *f =
		    feed_request(text + at, sizeof(text) - 1 - at, WHOLE);

		assert_true(f->m.done);
		assert_body(f, bodies[i]);
		at += f->taken;
		drop(f);
	}
	assert_int_equal(at, sizeof(text) - 1);
}

/* The count begins anew with each message; the memory is not cleared. */
static void
test_headers_of_the_last_message_are_gone(void **state)
{
	static char first[] = LINE HOST "X-Old: 1\r\nConnection: x-new\r\n\r\n";
	static char second[] = LINE HOST "X-New: 2\r\n\r\n";
	static char room[HEAD_MAX];
	struct parser *m = malloc(sizeof(*m));

	(void)state;
	assert_non_null(m);
	parser_init_request(m, &(struct parser_limits){HEAD_MAX, HEAD_MAX, 0},
	    &(struct path_rules){0}, room);
	assert_int_equal(
	    parser_feed(m, first, sizeof(first) - 1), sizeof(first) - 1);
	assert_true(m->done);
	parser_init_request(m, &(struct parser_limits){HEAD_MAX, HEAD_MAX, 0},
	    &(struct path_rules){0}, room);
	assert_int_equal(
	    parser_feed(m, second, sizeof(second) - 1), sizeof(second) - 1);
	assert_true(m->done);
	assert_int_equal(m->head.field_count, 2);
	assert_null(head_value(&m->head, "x-old").at);
	assert_slice(head_value(&m->head, "x-new"), "2");
	assert_false(m->head.fields[1].nominated);
	free(m);
}

static void
test_each_error_has_a_status_and_a_text(void **state)
{
	static const struct {
		enum parser_error error;
		unsigned status;
	} cases[] = {{PARSER_SYNTAX, 400}, {PARSER_LINE_ENDS, 400},
	    {PARSER_FIELD_NAME, 400}, {PARSER_FIELD_VALUE, 400},
	    {PARSER_VERSION, 505}, {PARSER_TARGET, 400}, {PARSER_HOST, 400},
	    {PARSER_LENGTH, 400}, {PARSER_CODING, 400},
	    {PARSER_CODING_UNKNOWN, 501}, {PARSER_CHUNK, 400},
	    {PARSER_PREFACE, 400}, {PARSER_METHOD, 501},
	    {PARSER_EXPECTATION, 417}, {PARSER_TARGET_TOO_LONG, 414},
	    {PARSER_HEAD_TOO_LARGE, 431}, {PARSER_BODY_TOO_LARGE, 413},
	    {PARSER_EOF, 400}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    parser_error_status(cases[i].error), cases[i].status);
		assert_true(strlen(parser_error_str(cases[i].error)) > 5);
	}
}

/* A refusal by a limit or a check of ours is not the sender's fault. */
static void
test_the_fault_of_a_response(void **state)
{
	static const struct {
		enum parser_error error;
		int result;
	} cases[] = {{PARSER_SYNTAX, EBADMSG}, {PARSER_VERSION, EBADMSG},
	    {PARSER_CHUNK, EBADMSG}, {PARSER_SWITCH, EBADMSG},
	    {PARSER_EOF, EPIPE}, {PARSER_MEMORY, ENOBUFS},
	    {PARSER_HEAD_TOO_LARGE, EPROTO}, {PARSER_FIELD_NAME, EPROTO},
	    {PARSER_FIELD_VALUE, EPROTO}, {PARSER_LINE_ENDS, EPROTO},
	    {PARSER_LENGTH, EPROTO}, {PARSER_CODING, EPROTO},
	    {PARSER_INTERIMS, EPROTO}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
		    parser_error_errno(cases[i].error), cases[i].result);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain_request),
	    cmocka_unit_test(test_methods),
	    cmocka_unit_test(test_keep_alive),
	    cmocka_unit_test(test_bodies),
	    cmocka_unit_test(test_the_largest_length),
	    cmocka_unit_test(test_unusual_names_and_values),
	    cmocka_unit_test(test_pipelined_requests),
	    cmocka_unit_test(test_headers_of_the_last_message_are_gone),
	    cmocka_unit_test(test_each_error_has_a_status_and_a_text),
	    cmocka_unit_test(test_the_fault_of_a_response),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
