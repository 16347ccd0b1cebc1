/* Goal: each field is recognised, and the fields' demands on a proxy are
 * understood. */
#include "feed.h"

static void
test_known_fields(void **state)
{
	static const struct {
		const char *name;
		enum head_field_id field;
	} want[] = {{"Host", FIELD_HOST}, {"TE", FIELD_TE}, {"Via", FIELD_VIA},
	    {"Date", FIELD_DATE}, {"Cookie", FIELD_COOKIE},
	    {"Trailer", FIELD_TRAILER}, {"UPGRADE", FIELD_UPGRADE},
	    {"x-real-ip", FIELD_X_REAL_IP}, {"Connection", FIELD_CONNECTION},
	    {"Keep-Alive", FIELD_KEEP_ALIVE}, {"tracestate", FIELD_TRACESTATE},
	    {"TraceParent", FIELD_TRACEPARENT},
	    {"Max-Forwards", FIELD_MAX_FORWARDS},
	    {"X-Request-ID", FIELD_X_REQUEST_ID},
	    {"HTTP2-Settings", FIELD_HOP_BY_HOP},
	    {"X-Forwarded-For", FIELD_X_FORWARDED_FOR},
	    {"Proxy-Connection", FIELD_HOP_BY_HOP},
	    {"X-Forwarded-Proto", FIELD_X_FORWARDED_PROTO},
	    {"Proxy-Authenticate", FIELD_HOP_BY_HOP},
	    {"Proxy-Authorization", FIELD_HOP_BY_HOP},
	    {"Content-Length", FIELD_CONTENT_LENGTH},
	    /* Alike in length and first letter, or nearly. */
	    {"tt", FIELD_OTHER}, {"t", FIELD_OTHER}, {"vii", FIELD_OTHER},
	    {"hose", FIELD_OTHER}, {"cookiE-", FIELD_OTHER},
	    {"cookif", FIELD_OTHER}, {"x_real_ip", FIELD_SHADOW},
	    {"content_length", FIELD_SHADOW}, {"x-real-iq", FIELD_OTHER},
	    {"te-", FIELD_OTHER},
	    {"x-a-name-longer-than-all-that-are-known", FIELD_OTHER},
	    {"Proxy-Authorizatio_", FIELD_OTHER}, {"Accept", FIELD_OTHER}};
	char text[4096] = "GET / HTTP/1.1\r\n";
	struct fed *f;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		strcat(text, want[i].name);
		strcat(text, ": 0\r\n");
	}
	strcat(text, END);
	f = feed_request(text, strlen(text), WHOLE);
	assert_true(f->m.done);
	assert_int_equal(f->m.head.field_count, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < f->m.head.field_count; i++)
		assert_int_equal(f->m.head.fields[i].id, want[i].field);
	drop(f);
	f = feed_request(CHUNKED, strlen(CHUNKED), WHOLE);
	assert_int_equal(f->m.head.fields[1].id, FIELD_TRANSFER_ENCODING);
	drop(f);
	f = feed_request(LINE HOST "Expect:\r\n" END,
	    strlen(LINE HOST "Expect:\r\n" END), WHOLE);
	assert_true(f->m.done);
	assert_int_equal(f->m.head.fields[1].id, FIELD_EXPECT);
	drop(f);
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
		enum head_field_id field;
		bool nominated;
	} want[] = {{"host", FIELD_HOST, false},
	    {"connection", FIELD_CONNECTION, false},
	    {"x-one", FIELD_OTHER, true},
	    {"connection", FIELD_CONNECTION, false},
	    {"x-two", FIELD_OTHER, true}, {"x-three", FIELD_OTHER, false},
	    {"x-four", FIELD_OTHER, true},
	    {"keep-alive", FIELD_KEEP_ALIVE, false}, {"te", FIELD_TE, false},
	    {"trailer", FIELD_TRAILER, false},
	    {"proxy-connection", FIELD_HOP_BY_HOP, false},
	    {"upgrade", FIELD_UPGRADE, false},
	    {"proxy-authorization", FIELD_HOP_BY_HOP, false},
	    {"x-forwarded-for", FIELD_X_FORWARDED_FOR, false},
	    {"x-forwarded-proto", FIELD_X_FORWARDED_PROTO, false},
	    {"x-real-ip", FIELD_X_REAL_IP, false}, {"date", FIELD_DATE, false},
	    {"expect", FIELD_EXPECT, false}};

	(void)state;
	for (size_t way = 0; way < ways(sizeof(text) - 1); way++) {
		struct fed *f = feed_request(text, sizeof(text) - 1, way);

		assert_true(f->m.done);
		assert_int_equal(
		    f->m.head.field_count, sizeof(want) / sizeof(want[0]));
		for (size_t i = 0; i < f->m.head.field_count; i++) {
			const struct head_field *h = &f->m.head.fields[i];

			assert_true(slice_is(h->name, want[i].name));
			assert_int_equal(h->id, want[i].field);
			assert_int_equal(h->nominated, want[i].nominated);
		}
		drop(f);
	}
}

static void
test_expectations(void **state)
{
	static const struct {
		const char *text;
		bool expects;
	} cases[] = {
	    {POST "Content-Length: 1\r\nExpect: 100-continue\r\n\r\na", true},
	    {POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na", true},
	    {POST "Transfer-Encoding: chunked\r\nExpect: ,100-CONTINUE\r\n\r\n"
		  "0\r\n\r\n",
		true},
	    {POST "Expect: 100-continue\r\n\r\n", false},
	    {POST "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n", false},
	    {POST "Content-Length: 1\r\nExpect:\r\n\r\na", false},
	    {POST "Content-Length: 1\r\n\r\na", false},
	    /* RFC 9110 section 10.1.1: not in HTTP/1.0. */
	    {"POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue"
	     "\r\n\r\na",
		false},
	    {"POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: x\r\n\r\na",
		false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t way = 0; way < ways(strlen(cases[i].text)); way++) {
			struct fed *f = feed_request(
			    cases[i].text, strlen(cases[i].text), way);

			assert_true(f->m.done);
			assert_int_equal(
			    f->m.head.expects_continue, cases[i].expects);
			drop(f);
		}
}

static void
test_max_forwards(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
	    {"OPTIONS / HTTP/1.1\r\n" HOST END, -1},
	    {"OPTIONS / HTTP/1.1\r\n" HOST "Max-Forwards: 0\r\n" END, 0},
	    {"OPTIONS * HTTP/1.1\r\n" HOST "max-forwards: 007\r\n" END, 7},
	    {"TRACE / HTTP/1.0\r\n" HOST "Max-Forwards: 10\r\n" END, 10},
	    {"TRACE / HTTP/1.1\r\n" HOST "Max-Forwards: 2147483647\r\n" END,
		INT32_MAX},
	    {"TRACE / HTTP/1.1\r\n" HOST "Max-Forwards: 2147483648\r\n" END,
		INT32_MAX},
	    {"TRACE / HTTP/1.1\r\n" HOST
	     "Max-Forwards: 99999999999999999999999999999\r\n" END,
		INT32_MAX},
	    {"TRACE / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n" END, -1},
	    {LINE HOST "Max-Forwards: 3\r\n" END, -1},
	    {LINE HOST "Max-Forwards: x\r\nMax-Forwards: 3\r\n" END, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fed *f =
		    feed_request(cases[i].text, strlen(cases[i].text), WHOLE);

		assert_true(f->m.done);
		assert_int_equal(f->m.head.max_forwards, cases[i].want);
		drop(f);
	}
}

static void
test_te(void **state)
{
	static const struct {
		const char *text;
		bool accepts;
	} cases[] = {
	    {LINE HOST END, false},
	    {LINE HOST "TE: trailers\r\n" END, true},
	    {LINE HOST "TE: gzip;q=0.5 , Trailers\r\n" END, true},
	    {LINE HOST "TE: gzip\r\nTE: trailers\r\n" END, true},
	    {LINE HOST "TE:\r\n" END, false},
	    {LINE HOST "TE: trailersx, xtrailers\r\n" END, false},
	    {LINE HOST "Trailer: trailers\r\n" END, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fed *f =
		    feed_request(cases[i].text, strlen(cases[i].text), WHOLE);

		assert_true(f->m.done);
		assert_int_equal(f->m.head.accepts_trailers, cases[i].accepts);
		drop(f);
	}
}

#define TO_UPGRADE LINE HOST "Connection: Upgrade\r\n"

static void
test_upgrade(void **state)
{
	static const struct {
		const char *text, *protocol;
	} cases[] = {
	    {TO_UPGRADE "Upgrade: websocket\r\n" END, "websocket"},
	    {TO_UPGRADE "Upgrade: WebSocket\r\n" END, "WebSocket"},
	    {TO_UPGRADE "Upgrade: foo/2, bar\r\n" END, "foo/2"},
	    {TO_UPGRADE "Upgrade: h2c, H2 ,, foo\r\n" END, "foo"},
	    {TO_UPGRADE "Upgrade: h2c\r\nUpgrade: foo\r\n" END, "foo"},
	    {TO_UPGRADE "Upgrade: h2cx\r\n" END, "h2cx"},
	    {TO_UPGRADE "Content-Length: 0\r\nUpgrade: foo\r\n" END, "foo"},
	    {LINE HOST "Upgrade: foo\r\nConnection: x,upgrade\r\n" END, "foo"},
	    {TO_UPGRADE "Upgrade: h2c\r\nHTTP2-Settings: x\r\n" END, ""},
	    {TO_UPGRADE "Upgrade: H2C\r\n" END, ""},
	    {TO_UPGRADE "Upgrade: h2c/1, H2c-14, HTTP/2.0\r\n" END, ""},
	    {TO_UPGRADE "Upgrade: \"h2c\", h2c foo, foo/, /2\r\n" END, ""},
	    {TO_UPGRADE "Upgrade:\r\n" END, ""},
	    {TO_UPGRADE END, ""},
	    {LINE HOST "Upgrade: foo\r\n" END, ""},
	    {LINE HOST "Connection: upgrades\r\nUpgrade: foo\r\n" END, ""},
	    {TO_UPGRADE "Upgrade: foo\r\nContent-Length: 1\r\n\r\na", "foo"},
	    {TO_UPGRADE
		"Upgrade: foo\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"foo"},
	    {"GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: foo\r\n" END,
		""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t way = 0; way < ways(strlen(cases[i].text)); way++) {
			struct fed *f = feed_request(
			    cases[i].text, strlen(cases[i].text), way);

			assert_true(f->m.done);
			/* Whether one with a body may, the route says. */
			assert_int_equal(
			    f->m.head.upgrades, cases[i].protocol[0] != '\0' &&
						    !head_has_body(&f->m.head));
			assert_slice(f->m.head.upgrade, cases[i].protocol);
			drop(f);
		}
}

static void
test_cookies(void **state)
{
	static const char text[] =
	    LINE HOST "X: a=0\r\nCookie: a=1; b=2;c=3 ;\td=; e; ab=5; =6\r\n"
		      "COOKIE: a=7; f=8=9\r\nCookie:\r\n\r\n";
	struct fed *f = feed_request(text, sizeof(text) - 1, WHOLE);

	(void)state;
	assert_true(f->m.done);
	assert_slice(head_cookie(&f->m.head, "a"), "1");
	assert_slice(head_cookie(&f->m.head, "b"), "2");
	assert_slice(head_cookie(&f->m.head, "c"), "3 ");
	assert_slice(head_cookie(&f->m.head, "d"), "");
	assert_non_null(head_cookie(&f->m.head, "d").at);
	assert_null(head_cookie(&f->m.head, "e").at);
	assert_slice(head_cookie(&f->m.head, "ab"), "5");
	assert_slice(head_cookie(&f->m.head, "f"), "8=9");
	assert_null(head_cookie(&f->m.head, "A").at);
	assert_null(head_cookie(&f->m.head, "g").at);
	drop(f);
}

static void
test_trailers(void **state)
{
	static const char text[] =
	    CHUNKED "2\r\nok\r\n0;x\r\nA: \t1 2 \r\nB:\r\nc:3\r\n\r\nGET";
	static const char *const want[][2] = {
	    {"A", "1 2"}, {"B", ""}, {"c", "3"}};

	(void)state;
	for (size_t way = 0; way < ways(sizeof(text) - 1); way++) {
		struct fed *f = feed_request(text, sizeof(text) - 1, way);
		struct slice name, value;

		assert_true(f->m.done);
		assert_body(f, "ok");
		assert_int_equal(f->taken, sizeof(text) - 1 - 3);
		for (size_t i = 0; i < 3; i++) {
			assert_true(
			    head_next_field(&f->m.trailers, &name, &value));
			assert_slice(name, want[i][0]);
			assert_slice(value, want[i][1]);
		}
		assert_false(head_next_field(&f->m.trailers, &name, &value));
		drop(f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_fields),
	    cmocka_unit_test(test_hop_by_hop),
	    cmocka_unit_test(test_expectations),
	    cmocka_unit_test(test_max_forwards),
	    cmocka_unit_test(test_te),
	    cmocka_unit_test(test_upgrade),
	    cmocka_unit_test(test_cookies),
	    cmocka_unit_test(test_trailers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
