/* Goal: a request is read for what it says, in whatever pieces it comes, and
 * no further than its caps. */
#include "feed.h"

static void
test_plain_request(void **state)
{
	static const char text[] =
	    "GET /a/b?x=1&y=two HTTP/1.1\r\nHost: Example.com:8080\r\n"
	    "ACCEPT:  */*  \r\nX-Empty:\r\nX-Tab:\tv\t\r\nX-Utf8: caf\xc3\xa9"
	    "\r\n\r\nGET";

	(void)state;
	for (size_t way = 0; way < WAYS; way++) {
		struct fed *f =
		    feed_request(text, sizeof(text) - 1, piece_sizes[way]);
		struct message *m = &f->m;

		assert_int_equal(m->error, MESSAGE_NONE);
		assert_true(m->head_done && m->done && m->keep_alive);
		/* The next request's bytes are left alone. */
		assert_int_equal(f->taken, sizeof(text) - 1 - 3);
		assert_int_equal(m->head_bytes, sizeof(text) - 1 - 3);
		assert_string_equal(message_method(m), "GET");
		assert_slice(m->target, "/a/b?x=1&y=two");
		assert_slice(m->path, "/a/b?x=1&y=two");
		assert_slice(m->host, "Example.com:8080");
		assert_int_equal(m->header_count, 5);
		assert_slice(message_header(m, "accept"), "*/*");
		assert_slice(message_header(m, "x-empty"), "");
		assert_slice(message_header(m, "x-tab"), "v");
		assert_slice(message_header(m, "x-utf8"), "caf\xc3\xa9");
		assert_null(message_header(m, "x-none").at);
		assert_false(message_has_body(m));
		drop(f);
	}
}

static void
test_targets_and_hosts(void **state)
{
	static const struct {
		const char *text, *target, *path, *host;
	} cases[] = {
	    {LINE "Host: a\r\n\r\n", "/", "/", "a"},
	    {LINE "Host: [::1]:80\r\n\r\n", "/", "/", "[::1]:80"},
	    {LINE "Host: a_b-c.d~e\r\n\r\n", "/", "/", "a_b-c.d~e"},
	    {"GET http://b HTTP/1.1\r\n" HOST END, "http://b", "/", "b"},
	    {"GET http://b/x?y HTTP/1.1\r\n" HOST END, "http://b/x?y", "/x?y",
		"b"},
	    {"GET HTTP://b:81/x HTTP/1.1\r\n" HOST END, "HTTP://b:81/x", "/x",
		"b:81"},
	    {"GET http://b/http://c/ HTTP/1.1\r\n" HOST END,
		"http://b/http://c/", "/http://c/", "b"},
	    {"GET //b/x HTTP/1.1\r\n" HOST END, "//b/x", "//b/x", "a"},
	    {"GET /%00/../\"<> HTTP/1.1\r\n" HOST END, "/%00/../\"<>",
		"/%00/../\"<>", "a"},
	    {"OPTIONS * HTTP/1.1\r\n" HOST END, "*", "*", "a"},
	    {"GET / HTTP/1.0\r\n\r\n", "/", "/", ""},
	    {"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "/", "/", "a"},
	    {"\r\nGET / HTTP/1.1\r\n" HOST END, "/", "/", "a"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t way = 0; way < WAYS; way++) {
			struct fed *f = feed_request(cases[i].text,
			    strlen(cases[i].text), piece_sizes[way]);

			if (!f->m.done)
				print_error("%s: %s\n", cases[i].text,
				    message_error_str(f->m.error));
			assert_true(f->m.done);
			assert_slice(f->m.target, cases[i].target);
			assert_slice(f->m.path, cases[i].path);
			assert_slice(f->m.host, cases[i].host);
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
		f = feed_request(text, strlen(text), TEXT_MAX);
		assert_true(f->m.done);
		assert_string_equal(message_method(&f->m), cases[i].name);
		assert_int_equal(
		    message_is_idempotent(&f->m), cases[i].idempotent);
		drop(f);
	}
}

/* Told apart from what is no HTTP at all where the line has come whole. */
static void
test_unknown_method(void **state)
{
	static const char text[] = "BREW / HTTP/1.1\r\n" HOST END;

	(void)state;
	for (size_t way = 0; way < WAYS; way++) {
		struct fed *f =
		    feed_request(text, sizeof(text) - 1, piece_sizes[way]);

		if (f->m.error != MESSAGE_SYNTAX || way == 0)
			assert_int_equal(f->m.error, MESSAGE_METHOD);
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
	    {"GET / HTTP/1.0\r\n" HOST END, false},
	    {"GET / HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n" END, true},
	    {"GET / HTTP/1.0\r\n" HOST "Connection: close\r\n" END, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t way = 0; way < WAYS; way++) {
			struct fed *f = feed_request(cases[i].text,
			    strlen(cases[i].text), piece_sizes[way]);

			assert_true(f->m.done);
			if (f->m.keep_alive != cases[i].keep_alive)
				print_error("%s\n", cases[i].text);
			assert_int_equal(f->m.keep_alive, cases[i].keep_alive);
			drop(f);
		}
}

static void
test_hop_by_hop(void **state)
{
	static const char text[] =
	    LINE HOST "Connection: X-One ,x-two,, close\r\nX-ONE: 1\r\n"
		      "Connection: x-four\r\nX-Two: 2\r\nX-Three: 3\r\n"
		      "x-four: 4\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
		      "Trailer: x\r\nProxy-Connection: x\r\nUpgrade: h2c\r\n"
		      "Proxy-Authorization: x\r\nX-Forwarded-For: 1\r\n"
		      "X-Forwarded-Proto: http\r\nX-Real-IP: 1\r\n"
		      "Date: x\r\nExpect: 100-Continue\r\n\r\n";
	static const struct {
		const char *name;
		enum message_field field;
		bool nominated;
	} want[] = {{"host", FIELD_HOST, false},
	    {"connection", FIELD_CONNECTION, false},
	    {"x-one", FIELD_OTHER, true},
	    {"connection", FIELD_CONNECTION, false},
	    {"x-two", FIELD_OTHER, true}, {"x-three", FIELD_OTHER, false},
	    {"x-four", FIELD_OTHER, true},
	    {"keep-alive", FIELD_HOP_BY_HOP, false},
	    {"te", FIELD_HOP_BY_HOP, false},
	    {"trailer", FIELD_HOP_BY_HOP, false},
	    {"proxy-connection", FIELD_HOP_BY_HOP, false},
	    {"upgrade", FIELD_UPGRADE, false},
	    {"proxy-authorization", FIELD_HOP_BY_HOP, false},
	    {"x-forwarded-for", FIELD_X_FORWARDED_FOR, false},
	    {"x-forwarded-proto", FIELD_X_FORWARDED_PROTO, false},
	    {"x-real-ip", FIELD_X_REAL_IP, false}, {"date", FIELD_DATE, false},
	    {"expect", FIELD_EXPECT, false}};

	(void)state;
	for (size_t way = 0; way < WAYS; way++) {
		struct fed *f =
		    feed_request(text, sizeof(text) - 1, piece_sizes[way]);

		assert_true(f->m.done);
		assert_true(f->m.expects_continue);
		assert_int_equal(
		    f->m.header_count, sizeof(want) / sizeof(want[0]));
		for (size_t i = 0; i < f->m.header_count; i++) {
			const struct message_header *h = &f->m.headers[i];

			assert_true(message_slice_is(h->name, want[i].name));
			assert_int_equal(h->field, want[i].field);
			assert_int_equal(h->nominated, want[i].nominated);
		}
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
	    {POST "Transfer-Encoding: Chunked \r\n\r\n1\r\na\r\n0\r\n\r\n", "a",
		true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t way = 0; way < WAYS; way++) {
			const char *text = cases[i].text;
			struct fed *f =
			    feed_request(text, strlen(text), piece_sizes[way]);

			if (!f->m.done)
				print_error("%s: %s\n", text,
				    message_error_str(f->m.error));
			assert_true(f->m.done);
			assert_int_equal(f->taken, strlen(text));
			assert_body(f, cases[i].body);
			assert_int_equal(f->m.chunked, cases[i].chunked);
			assert_int_equal(f->m.body_bytes, f->body_len);
			assert_int_equal(message_has_body(&f->m),
			    cases[i].chunked || f->body_len > 0);
			/* Trailers do not become headers. */
			assert_null(message_header(&f->m, "x-sum").at);
			drop(f);
		}
}

/* Not every llhttp takes all of them; none makes them a part of the body. */
static void
test_chunk_extensions(void **state)
{
	static const char *const cases[] = {
	    CHUNKED "5;a\r\nhello\r\n0\r\n\r\n",
	    CHUNKED "5;a=b;c\r\nhello\r\n0;last\r\n\r\n",
	    CHUNKED "5;a=\"b\"\r\nhello\r\n0\r\n\r\n",
	    CHUNKED "5 ;a\r\nhello\r\n0\r\n\r\n",
	    CHUNKED "5;\n0\r\n\r\n\r\nhello\r\n0\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t way = 0; way < WAYS; way++) {
			struct fed *f = feed_request(
			    cases[i], strlen(cases[i]), piece_sizes[way]);

			assert_true(f->m.done != (f->m.error != MESSAGE_NONE));
			if (f->m.done)
				assert_body(f, "hello");
			drop(f);
		}
}

static void
test_the_largest_length(void **state)
{
	static const char text[] =
	    POST "Content-Length: 18446744073709551615\r\n\r\nx";
	struct fed *f = feed_request(text, sizeof(text) - 1, TEXT_MAX);

	(void)state;
	assert_int_equal(f->m.error, MESSAGE_NONE);
	assert_true(f->m.length == UINT64_MAX);
	assert_false(f->m.done);
	drop(f);
}

static void
test_query(void **state)
{
	static const char text[] =
	    "GET /p?ms=30&x&empty=&offload=true&ms=9&a=b=c HTTP/1.1\r\n" HOST
	    "\r\n";
	struct fed *f = feed_request(text, sizeof(text) - 1, TEXT_MAX);

	(void)state;
	assert_slice(message_query(&f->m, "ms"), "30");
	assert_slice(message_query(&f->m, "offload"), "true");
	assert_slice(message_query(&f->m, "empty"), "");
	assert_non_null(message_query(&f->m, "empty").at);
	assert_slice(message_query(&f->m, "a"), "b=c");
	assert_null(message_query(&f->m, "m").at);
	assert_null(message_query(&f->m, "s").at);
	assert_null(message_query(&f->m, "p").at);
	assert_null(message_query(&f->m, "x").at);
	drop(f);
	f = feed_request(LINE HOST END, strlen(LINE HOST END), TEXT_MAX);
	assert_null(message_query(&f->m, "ms").at);
	drop(f);
}

/* One connection's bytes, message after message out of the same feed. */
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
		    feed_request(text + at, sizeof(text) - 1 - at, TEXT_MAX);

		assert_true(f->m.done);
		assert_body(f, bodies[i]);
		at += f->taken;
		drop(f);
	}
	assert_int_equal(at, sizeof(text) - 1);
}

/* ---- caps ---- */

static size_t
request_of(char *text, size_t head_len)
{
	strcpy(text, LINE HOST "X: ");
	memset(text + strlen(text), 'x', head_len);
	strcpy(text + head_len - 4, "\r\n\r\n");
	return head_len;
}

static void
test_head_cap(void **state)
{
	static char text[4096];

	(void)state;
	for (size_t way = 0; way < WAYS; way++) {
		for (size_t len = 900; len < 1100; len++) {
			struct fed *f = malloc(sizeof(*f));

			assert_non_null(f);
			message_init_request(
			    &f->m, &(struct message_limits){1000, 1000, 0});
			feed(f, text, request_of(text, len), piece_sizes[way]);
			if (len <= 1000) {
				assert_true(f->m.done);
				assert_int_equal(f->m.head_bytes, len);
			} else {
				assert_int_equal(
				    f->m.error, MESSAGE_HEAD_TOO_LARGE);
			}
			drop(f);
		}
	}
}

/* A head that never ends is refused at the cap, not later. */
static void
test_endless_head(void **state)
{
	static const char *const starts[] = {"GET /",
	    LINE "Host: ", LINE HOST "X",
	    LINE HOST "X: ", LINE HOST "X: a\r\nY"};
	static char text[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct fed *f = malloc(sizeof(*f));

		assert_non_null(f);
		memset(text, 'x', sizeof(text));
		memcpy(text, starts[i], strlen(starts[i]));
		message_init_request(
		    &f->m, &(struct message_limits){1000, 1000, 0});
		feed(f, text, sizeof(text), 1);
		assert_int_equal(f->m.error, MESSAGE_HEAD_TOO_LARGE);
		assert_in_range(f->taken, 990, 1000);
		drop(f);
	}
}

static void
test_header_count_cap(void **state)
{
	static char text[TEXT_MAX];

	(void)state;
	for (size_t count = MESSAGE_HEADERS_MAX - 1;
	    count <= MESSAGE_HEADERS_MAX + 1; count++) {
		struct fed *f;

		strcpy(text, LINE HOST);
		for (size_t i = 1; i < count; i++)
			strcat(text, "X: 1\r\n");
		strcat(text, END);
		f = feed_request(text, strlen(text), 7);
		if (count <= MESSAGE_HEADERS_MAX) {
			assert_true(f->m.done);
			assert_int_equal(f->m.header_count, count);
		} else {
			assert_int_equal(f->m.error, MESSAGE_HEAD_TOO_LARGE);
		}
		drop(f);
	}
}

/* The count begins anew with each message; the memory is not cleared. */
static void
test_headers_of_the_last_message_are_gone(void **state)
{
	static char first[] = LINE HOST "X-Old: 1\r\nConnection: x-new\r\n\r\n";
	static char second[] = LINE HOST "X-New: 2\r\n\r\n";
	struct message *m = malloc(sizeof(*m));

	(void)state;
	assert_non_null(m);
	message_init_request(
	    m, &(struct message_limits){HEAD_MAX, HEAD_MAX, 0});
	assert_int_equal(
	    message_feed(m, first, sizeof(first) - 1), sizeof(first) - 1);
	assert_true(m->done);
	message_init_request(
	    m, &(struct message_limits){HEAD_MAX, HEAD_MAX, 0});
	assert_int_equal(
	    message_feed(m, second, sizeof(second) - 1), sizeof(second) - 1);
	assert_true(m->done);
	assert_int_equal(m->header_count, 2);
	assert_null(message_header(m, "x-old").at);
	assert_slice(message_header(m, "x-new"), "2");
	assert_false(m->headers[1].nominated);
	free(m);
}

static void
test_body_cap(void **state)
{
	static const struct {
		const char *text;
		bool fits;
	} cases[] = {
	    {POST "Content-Length: 10\r\n\r\n0123456789", true},
	    {POST "Content-Length: 11\r\n\r\n", false},
	    {CHUNKED "a\r\n0123456789\r\n0\r\n\r\n", true},
	    {CHUNKED "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n", true},
	    {CHUNKED "b\r\n0123456789a\r\n0\r\n\r\n", false},
	    {CHUNKED "5\r\n01234\r\n5\r\n56789\r\n1\r\na\r\n0\r\n\r\n", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t way = 0; way < WAYS; way++) {
			struct fed *f = malloc(sizeof(*f));

			assert_non_null(f);
			message_init_request(&f->m,
			    &(struct message_limits){HEAD_MAX, HEAD_MAX, 10});
			feed(f, cases[i].text, strlen(cases[i].text),
			    piece_sizes[way]);
			assert_int_equal(f->m.done, cases[i].fits);
			assert_int_equal(
			    f->m.error, cases[i].fits ? MESSAGE_NONE
						      : MESSAGE_BODY_TOO_LARGE);
			assert_true(f->body_len <= 10);
			drop(f);
		}
}

static void
test_each_error_has_a_status_and_a_text(void **state)
{
	static const struct {
		enum message_error error;
		unsigned status;
	} cases[] = {{MESSAGE_SYNTAX, 400}, {MESSAGE_LINE_ENDS, 400},
	    {MESSAGE_VERSION, 505}, {MESSAGE_TARGET, 400}, {MESSAGE_HOST, 400},
	    {MESSAGE_LENGTH, 400}, {MESSAGE_CODING, 400}, {MESSAGE_METHOD, 501},
	    {MESSAGE_HEAD_TOO_LARGE, 431}, {MESSAGE_BODY_TOO_LARGE, 413},
	    {MESSAGE_EOF, 400}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    message_error_status(cases[i].error), cases[i].status);
		assert_true(strlen(message_error_str(cases[i].error)) > 5);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain_request),
	    cmocka_unit_test(test_targets_and_hosts),
	    cmocka_unit_test(test_methods),
	    cmocka_unit_test(test_unknown_method),
	    cmocka_unit_test(test_keep_alive),
	    cmocka_unit_test(test_hop_by_hop),
	    cmocka_unit_test(test_bodies),
	    cmocka_unit_test(test_chunk_extensions),
	    cmocka_unit_test(test_the_largest_length),
	    cmocka_unit_test(test_query),
	    cmocka_unit_test(test_pipelined_requests),
	    cmocka_unit_test(test_head_cap),
	    cmocka_unit_test(test_endless_head),
	    cmocka_unit_test(test_header_count_cap),
	    cmocka_unit_test(test_headers_of_the_last_message_are_gone),
	    cmocka_unit_test(test_body_cap),
	    cmocka_unit_test(test_each_error_has_a_status_and_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
