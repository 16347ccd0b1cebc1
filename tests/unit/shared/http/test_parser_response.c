/* Goal: the end of a response is never in doubt: by its status, its length, its
 * chunks or the connection's end, or the response is refused. */
#include "feed.h"

struct answer {
	const char *text;
	bool no_body; /* to a HEAD */
	unsigned status;
	const char *body;
	bool done;       /* without the peer's closing */
	bool keep_alive; /* when done */
};

static const struct answer answers[] = {
    {OK "Content-Length: 2\r\n\r\nok", false, 200, "ok", true, true},
    {OK "Content-Length: 0\r\n\r\n", false, 200, "", true, true},
    {OK "Connection: close\r\nContent-Length: 2\r\n\r\nok", false, 200, "ok",
	true, false},
    {OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", false, 200,
	"ok", true, true},
    {OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", false, 200, "ok",
	false, false},
    {OK "\r\nuntil close", false, 200, "until close", false, false},
    {OK "Connection: keep-alive\r\n\r\nuntil close", false, 200, "until close",
	false, false},
    {"HTTP/1.0 200 OK\r\n\r\nold", false, 200, "old", false, false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false, 200, "ok", true,
	false},
    {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n"
     "ok",
	false, 200, "ok", true, true},
    /* Responses without a body, regardless of the fields. */
    {"HTTP/1.1 204 No Content\r\n\r\n", false, 204, "", true, true},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", false, 204, "",
	true, false},
    {"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", false,
	204, "", true, false},
    {"HTTP/1.1 304 Not Modified\r\n\r\n", false, 304, "", true, true},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false, 304, "",
	true, true},
    {"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n", false, 304, "",
	true, false},
    {"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", false,
	304, "", true, true},
    {OK "Content-Length: 5\r\n\r\n", true, 200, "", true, true},
    {OK "Transfer-Encoding: chunked\r\n\r\n", true, 200, "", true, true},
    {OK "\r\n", true, 200, "", true, true},
    {OK "Connection: close\r\n\r\n", true, 200, "", true, false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", true, 200, "", true,
	false},
    {"HTTP/1.1 100 Continue\r\n\r\n", false, 100, "", true, true},
    {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", false, 103, "", true, true},
    {"HTTP/1.1 500 \r\nContent-Length: 0\r\n\r\n", false, 500, "", true, true},
    {"HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n", false, 500, "", true, true},
    {"HTTP/1.1 200 a\tb \xe9(\r\nContent-Length: 0\r\n\r\n", false, 200, "",
	true, true},
    {"HTTP/1.0 100 Continue\r\n\r\n", false, 100, "", true, false},
    {"HTTP/1.0 204 No Content\r\n\r\n", false, 204, "", true, false},
    {OK "Content-Length: 9223372036854775807\r\n\r\nok", false, 200, "ok",
	false, true},
    {"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", false, 999, "", true,
	true},
    {"HTTP/1.1 799 What\r\nContent-Length: 0\r\n\r\n", false, 799, "", true,
	true},
};

static void
test_responses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		for (size_t way = 0; way < ways(strlen(answers[i].text));
		    way++) {
			const struct answer *a = &answers[i];
			struct fed *f = feed_response(a->text, a->no_body, way);

			if (f->m.done != a->done || f->m.error != PARSER_NONE)
				print_error("%s: %s\n", a->text,
				    parser_error_str(f->m.error));
			assert_int_equal(f->m.error, PARSER_NONE);
			assert_int_equal(f->m.done, a->done);
			assert_int_equal(f->m.head.status, a->status);
			assert_int_equal(
			    head_is_interim(&f->m.head), a->status < 200);
			assert_body(f, a->body);
			if (f->m.head.keep_alive != a->keep_alive && a->done)
				print_error("%s\n", a->text);
			if (a->done)
				assert_int_equal(
				    f->m.head.keep_alive, a->keep_alive);
			drop(f);
		}
}

/* The final response comes behind the interim ones, in the same bytes. */
static void
test_interim_then_final(void **state)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n"
				   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
				   "\r\nok";
	const size_t first = strlen("HTTP/1.1 100 Continue\r\n\r\n");
	struct fed *f = feed_response(text, false, WHOLE);

	(void)state;
	assert_true(f->m.done && head_is_interim(&f->m.head));
	assert_int_equal(f->taken, first);
	drop(f);
	f = feed_response(text + first, false, WHOLE);
	assert_true(f->m.done);
	assert_int_equal(f->m.head.status, 200);
	assert_slice(f->m.head.reason, "OK");
	assert_body(f, "ok");
	drop(f);
}

static const struct refusal bad_responses[] = {
    {PARSER_SYNTAX, "hello\r\n\r\n"},
    {PARSER_SYNTAX, "\x16\x03\x01"},
    {PARSER_SYNTAX, LINE HOST END},
    {PARSER_SYNTAX, "\r\n" OK END},
    {PARSER_SYNTAX, "ok\r\n" OK END},
    {PARSER_SYNTAX, "HTTP/1.1 abc OK\r\n\r\n"},
    {PARSER_SYNTAX, "HTTP/1.1 20 OK\r\n\r\n"},
    {PARSER_SYNTAX, "HTTP/1.1 2 OK\r\n\r\n"},
    {PARSER_SYNTAX, "HTTP/1.1 20x OK\r\n\r\n"},
    {PARSER_SYNTAX, "HTTP/1.1 +20 OK\r\n\r\n"},
    {PARSER_SYNTAX, "HTTP/1.1 099 OK\r\n\r\n"},
    {PARSER_SYNTAX, "HTTP/1.1 000 OK\r\n\r\n"},
    {PARSER_SYNTAX, "HTTP/1.1 2000 OK\r\n\r\n"},
    {PARSER_SYNTAX, "HTTP/1.1 200OK\r\n\r\n"},
    {PARSER_SYNTAX, "HTTP/1.1 200\tOK\r\n\r\n"},
    {PARSER_SYNTAX, "HTTP/1.1  200 OK\r\n\r\n"},
    {PARSER_SYNTAX, "HTTP/1.1\r\n\r\n"},
    {PARSER_SYNTAX, "HTTP/1.1 \r\n\r\n"},
    {PARSER_REASON, "HTTP/1.1 200 O\x01K\r\n\r\n"},
    {PARSER_SYNTAX, "http/1.1 200 OK\r\n\r\n"},
    {PARSER_SYNTAX, "HTTP/1 200 OK\r\n\r\n"},
    {PARSER_SYNTAX, "HTTP/0.9 200 OK\r\n\r\n"},
    {PARSER_SYNTAX, "ICY 200 OK\r\n\r\n"},
    {PARSER_SYNTAX, "RTSP/1.0 200 OK\r\n\r\n"},
    {PARSER_LINE_ENDS, "HTTP/1.1 200 OK\n\r\n"},
    {PARSER_SYNTAX, "HTTP/1.1 200\n\r\n"},
    {PARSER_LINE_ENDS, "HTTP/1.1 200 O\rK\r\n\r\n"},
    {PARSER_VERSION, "HTTP/2.0 200 OK\r\n\r\n"},
    {PARSER_VERSION, "HTTP/1.9 200 OK\r\n\r\n"},
    {PARSER_LENGTH, OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"},
    {PARSER_LENGTH, OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"},
    {PARSER_LENGTH, OK "Content-Length: 5, 5\r\n\r\n"},
    {PARSER_LENGTH, OK "Content-Length: 5x\r\n\r\n"},
    {PARSER_LENGTH, OK "Content-Length: -5\r\n\r\n"},
    {PARSER_LENGTH, OK "Content-Length:\r\n\r\n"},
    {PARSER_LENGTH, OK "Content-Length: 9223372036854775808\r\n\r\n"},
    {PARSER_LENGTH,
	OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {PARSER_LENGTH,
	OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"},
    {PARSER_LENGTH, "HTTP/1.1 204 No Content\r\nContent-Length: x\r\n\r\n"},
    {PARSER_CODING, OK "Transfer-Encoding: gzip\r\n\r\n"},
    {PARSER_CODING, OK "Transfer-Encoding: gzip, chunked\r\n\r\n"},
    {PARSER_CODING, OK "Transfer-Encoding: chunked, gzip\r\n\r\n"},
    {PARSER_CODING, OK "Transfer-Encoding: chunked, chunked\r\n\r\n"},
    {PARSER_CODING, OK "Transfer-Encoding: chunked\r\n"
		       "Transfer-Encoding: chunked\r\n\r\n"},
    {PARSER_CODING, OK "Transfer-Encoding: identity\r\n\r\n"},
    {PARSER_CODING, OK "Transfer-Encoding:\r\n\r\n"},
    {PARSER_CODING_UNKNOWN, OK "Transfer-Encoding: x, chunked\r\n\r\n"},
    {PARSER_CODING_UNKNOWN, OK "Transfer-Encoding: x\r\n\r\n"},
    {PARSER_CODING, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {PARSER_LINE_ENDS, OK "X: a\r\n b\r\n\r\n"},
    {PARSER_LINE_ENDS, OK " X: a\r\n\r\n"},
    {PARSER_LINE_ENDS, OK "X: a\rb\r\n\r\n"},
    {PARSER_LINE_ENDS, OK "X: a\n\r\n"},
    {PARSER_LINE_ENDS, OK "X: a\r\n\n"},
    {PARSER_FIELD_NAME, OK "X : a\r\n\r\n"},
    {PARSER_FIELD_NAME, OK "X\r\n\r\n"},
    {PARSER_FIELD_NAME, OK ": a\r\n\r\n"},
    {PARSER_FIELD_VALUE, OK "X: a\x7f\r\n\r\n"},
    {PARSER_CHUNK, OK "Transfer-Encoding: chunked\r\n\r\n5\nhello"},
    {PARSER_CHUNK, OK "Transfer-Encoding: chunked\r\n\r\n2\r\nokx"},
    /* 101 says which protocol follows. */
    {PARSER_SWITCH, "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
    {PARSER_SWITCH,
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"},
    {PARSER_SWITCH,
	"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n"},
    {PARSER_SWITCH, "HTTP/1.1 101 Switching Protocols\r\n"
		    "Connection: upgrade\r\nUpgrade:\r\n\r\n"},
    {PARSER_SWITCH, "HTTP/1.1 101 Switching Protocols\r\n"
		    "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"},
    {PARSER_SWITCH, "HTTP/1.0 101 Switching Protocols\r\n"
		    "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"},
};

static void
test_bad_responses(void **state)
{
	(void)state;
	assert_refused(bad_responses,
	    sizeof(bad_responses) / sizeof(bad_responses[0]), true);
}

/* The bytes behind a 101 are not HTTP any more. */
static void
test_switching_protocols(void **state)
{
	static const char text[] =
	    "HTTP/1.1 101 Switching Protocols\r\nConnection: Keep-Alive,UpGrade"
	    "\r\nUpgrade: , foo/2 ,bar\r\n\r\n\x81\x05hello";

	(void)state;
	for (size_t way = 0; way < ways(sizeof(text) - 1); way++) {
		struct fed *f = feed_response(text, false, way);

		assert_true(f->m.done && f->m.head.upgrades);
		assert_slice(f->m.head.upgrade, "foo/2");
		assert_int_equal(f->taken, sizeof(text) - 1 - 7);
		drop(f);
	}
}

/* A hint of the backend's: nonsense is no fault. */
static void
test_keep_alive(void **state)
{
	static const struct {
		const char *field;
		uint32_t s;
		uint32_t max;
	} cases[] = {
	    {"Keep-Alive: timeout=5", 5, UINT32_MAX},
	    {"keep-alive: max=100, Timeout=0", 0, 100},
	    {"Keep-Alive: timeout=\"7\" , max=1", 7, 1},
	    {"Keep-Alive: timeout=9\r\nKeep-Alive: timeout=3", 3, UINT32_MAX},
	    {"Keep-Alive: timeout=99999999999999", UINT32_MAX, UINT32_MAX},
	    {"Keep-Alive: timeout=, max=x, timeouts=4, 5", UINT32_MAX,
		UINT32_MAX},
	    {"Keep-Alive: ,\"", UINT32_MAX, UINT32_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[256];
		struct fed *f;

		snprintf(text, sizeof(text),
		    "HTTP/1.1 200 OK\r\n%s\r\nContent-Length: 0\r\n\r\n",
		    cases[i].field);
		f = feed_response(text, false, WHOLE);
		assert_true(f->m.done && f->m.head.has_keep_alive);
		assert_int_equal(f->m.head.keep_alive_s, cases[i].s);
		assert_int_equal(f->m.head.keep_alive_max, cases[i].max);
		drop(f);
	}
}

/* An offer in another response stays an offer. */
static void
test_upgrade_offered(void **state)
{
	struct fed *f = feed_response(
	    "HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\n"
	    "Upgrade: websocket\r\nContent-Length: 0\r\n\r\n",
	    false, WHOLE);

	(void)state;
	assert_true(f->m.done);
	assert_false(f->m.head.upgrades);
	assert_slice(f->m.head.upgrade, "websocket");
	drop(f);
	f = feed_response(
	    "HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\n"
	    "Content-Length: 0\r\n\r\n",
	    false, WHOLE);
	assert_true(f->m.done);
	assert_null(f->m.head.upgrade.at);
	assert_int_equal(f->m.head.upgrade.len, 0);
	drop(f);
}

/* Where a message may end with the connection, and where it was cut. */
static void
test_the_peer_closes(void **state)
{
	static const struct {
		const char *text;
		bool done;
	} cases[] = {
	    {"", false},
	    {"HTTP/1.1 200", false},
	    {OK, false},
	    {OK "\r\n", true},
	    {OK "\r\nuntil close", true},
	    {"HTTP/1.0 200 OK\r\n\r\nold", true},
	    {OK "Content-Length: 5\r\n\r\n", false},
	    {OK "Content-Length: 5\r\n\r\nhell", false},
	    {OK "Content-Length: 5\r\n\r\nhello", true},
	    {OK "Transfer-Encoding: chunked\r\n\r\n", false},
	    {OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", false},
	    {OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t way = 0; way < ways(strlen(cases[i].text)); way++) {
			struct fed *f =
			    feed_response(cases[i].text, false, way);

			parser_finish(&f->m);
			if (f->m.done != cases[i].done)
				print_error("%s\n", cases[i].text);
			assert_int_equal(f->m.done, cases[i].done);
			assert_int_equal(f->m.error,
			    cases[i].done ? PARSER_NONE : PARSER_EOF);
			drop(f);
		}
}

/* A request's body never lasts until the connection closes. */
static void
test_the_client_closes(void **state)
{
	static const char *const cases[] = {"GET / HT", LINE HOST,
	    POST "Content-Length: 5\r\n\r\nhell", CHUNKED "2\r\nok\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fed *f = feed_request(cases[i], strlen(cases[i]), WHOLE);

		parser_finish(&f->m);
		assert_int_equal(f->m.error, PARSER_EOF);
		assert_false(f->m.done);
		drop(f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_responses),
	    cmocka_unit_test(test_interim_then_final),
	    cmocka_unit_test(test_bad_responses),
	    cmocka_unit_test(test_switching_protocols),
	    cmocka_unit_test(test_keep_alive),
	    cmocka_unit_test(test_upgrade_offered),
	    cmocka_unit_test(test_the_peer_closes),
	    cmocka_unit_test(test_the_client_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
