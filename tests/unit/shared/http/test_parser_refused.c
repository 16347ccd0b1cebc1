/* Goal: a request with two possible readings is refused, for any cut into
 * pieces. */
#include "feed.h"

static const struct refusal refusals[] = {
    /* Not HTTP, or another version. */
    {PARSER_SYNTAX, "hello\r\n\r\n"},
    {PARSER_SYNTAX, "hello world\r\n\r\n"},
    {PARSER_SYNTAX, "\x16\x03\x01\x02\x01\x01\xfc\x03\x03"},
    {PARSER_SYNTAX, " GET / HTTP/1.1\r\n" HOST END},
    {PARSER_SYNTAX, "G\x80T / HTTP/1.1\r\n" HOST END},
    {PARSER_SYNTAX, "GE(T / HTTP/1.1\r\n" HOST END},
    {PARSER_SYNTAX, "GET: / HTTP/1.1\r\n" HOST END},
    {PARSER_SYNTAX, "GET / HTTQ/1.1\r\n" HOST END},
    {PARSER_SYNTAX, "GET / http/1.1\r\n" HOST END},
    {PARSER_SYNTAX, "HTTP/1.1 200 OK\r\n\r\n"},
    {PARSER_SYNTAX, "GET /\r\n"},
    {PARSER_SYNTAX, "\r\nGET /\r\n"},
    {PARSER_SYNTAX, "GET /\r\n" HOST END},
    {PARSER_SYNTAX, "GET /\n"},
    {PARSER_SYNTAX, "GET / \r\n" HOST END},
    {PARSER_SYNTAX, "GET / HTTP/0.9\r\n" HOST END},
    {PARSER_VERSION, "GET / HTTP/1.2\r\n" HOST END},
    {PARSER_VERSION, "GET / HTTP/2.0\r\n" HOST END},
    {PARSER_VERSION, "GET / HTTP/3.0\r\n" HOST END},
    {PARSER_VERSION, "GET / HTTP/9.9\r\n" HOST END},
    {PARSER_VERSION, "BREW / HTTP/2.0\r\n" HOST END},
    {PARSER_SYNTAX, "GET / HTTP/2\r\n" HOST END},
    {PARSER_SYNTAX, "GET / HTTP/1.10\r\n" HOST END},
    {PARSER_SYNTAX, "GET / HTTP/01.1\r\n" HOST END},
    {PARSER_SYNTAX, "GET / HTTP/11\r\n" HOST END},
    {PARSER_SYNTAX, "GET / HTTP/1,1\r\n" HOST END},
    {PARSER_SYNTAX, "GET / HTTP /1.1\r\n" HOST END},
    {PARSER_SYNTAX, "GET / HTTP/1.1 \r\n" HOST END},
    {PARSER_SYNTAX, "GET / HTTP/1.1x\r\n" HOST END},
    {PARSER_PREFACE, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
    {PARSER_VERSION, "PRI / HTTP/2.0\r\n\r\nSM\r\n\r\n"},
    /* Methods. */
    {PARSER_METHOD, "get / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "Get / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "BREW / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "G / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "GETT / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "A!#$%&'*+-.^_`|~9 / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD,
	"AMETHODTHATISLONGERTHANALLTHATTHEREARE / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "BREW / HTTP/1.1\r\n" END},
    {PARSER_METHOD, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n" END},
    {PARSER_METHOD, "CONNECT / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "PRI * HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "SOURCE / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "DESCRIBE / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "ANNOUNCE / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "SETUP / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "PLAY / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "PAUSE / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "TEARDOWN / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "GET_PARAMETER / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "SET_PARAMETER / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "REDIRECT / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "RECORD / HTTP/1.1\r\n" HOST END},
    {PARSER_METHOD, "FLUSH / HTTP/1.1\r\n" HOST END},
    {PARSER_SYNTAX, "GET / RTSP/1.0\r\n" HOST END},
    {PARSER_SYNTAX, "GET / ICE/1.0\r\n" HOST END},
    {PARSER_SYNTAX, "DESCRIBE / RTSP/1.0\r\n" HOST END},
    {PARSER_SYNTAX, "SOURCE / ICE/1.0\r\n" HOST END},
    /* The request line's white space. */
    {PARSER_SYNTAX, "GET  / HTTP/1.1\r\n" HOST END},
    {PARSER_SYNTAX, "GET /  HTTP/1.1\r\n" HOST END},
    {PARSER_SYNTAX, "GET\t/ HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET /\tHTTP/1.1\r\n" HOST END},
    {PARSER_SYNTAX, "GET / HTTP/1.1\t\r\n" HOST END},
    {PARSER_TARGET, "GET \t/ HTTP/1.1\r\n" HOST END},
    {PARSER_SYNTAX, "GET / a HTTP/1.1\r\n" HOST END},
    /* How lines end. */
    {PARSER_LINE_ENDS, "\nGET / HTTP/1.1\r\n" HOST END},
    {PARSER_LINE_ENDS, "\rGET / HTTP/1.1\r\n" HOST END},
    {PARSER_SYNTAX, "GET / HTTP/1.1\n" HOST END},
    {PARSER_LINE_ENDS, LINE "Host: a\n" END},
    {PARSER_LINE_ENDS, LINE HOST "\n"},
    {PARSER_LINE_ENDS, LINE HOST "\rX"},
    {PARSER_LINE_ENDS, LINE HOST "X: 1\n\r\n"},
    {PARSER_LINE_ENDS, LINE HOST "X:\n\r\n"},
    {PARSER_LINE_ENDS, LINE HOST "X: a\rb\r\n" END},
    {PARSER_LINE_ENDS, LINE HOST "X: a\r\r\n" END},
    {PARSER_LINE_ENDS, LINE HOST "X: a\rTransfer-Encoding: chunked\r\n" END},
    {PARSER_LINE_ENDS, "GET / HTTP/1.1\r" HOST END},
    {PARSER_LINE_ENDS, "GET / HTTP/1.1\r\r\n" HOST END},
    /* Folded lines, and white space with two possible readings. */
    {PARSER_LINE_ENDS, LINE HOST "X: a\r\n b\r\n" END},
    {PARSER_LINE_ENDS, LINE HOST "X: a\r\n\tb\r\n" END},
    {PARSER_LINE_ENDS, LINE HOST "X:\r\n b\r\n" END},
    {PARSER_LINE_ENDS, LINE HOST "X: a\r\n \r\n" END},
    {PARSER_LINE_ENDS, LINE " Host: a\r\n" END},
    {PARSER_LINE_ENDS, LINE "\tHost: a\r\n" END},
    {PARSER_FIELD_NAME, LINE "Host : a\r\n" END},
    {PARSER_FIELD_NAME, LINE "Host\t: a\r\n" END},
    {PARSER_FIELD_NAME, LINE HOST "Content-Length : 5\r\n\r\nhello"},
    {PARSER_FIELD_NAME,
	LINE HOST "Transfer-Encoding : chunked\r\n" END "0\r\n" END},
    {PARSER_FIELD_NAME, LINE HOST "no colon\r\n" END},
    {PARSER_FIELD_NAME, LINE HOST "nocolon\r\n" END},
    {PARSER_FIELD_NAME, LINE HOST ": no name\r\n" END},
    {PARSER_FIELD_NAME, LINE HOST "X(: 1\r\n" END},
    {PARSER_FIELD_NAME, LINE HOST "X[]: 1\r\n" END},
    {PARSER_FIELD_NAME, LINE HOST "X/Y: 1\r\n" END},
    {PARSER_FIELD_NAME, LINE HOST "\"X\": 1\r\n" END},
    {PARSER_FIELD_NAME, LINE HOST "X\x80: 1\r\n" END},
    {PARSER_FIELD_NAME, LINE HOST "X\x7f: 1\r\n" END},
    {PARSER_FIELD_VALUE, LINE HOST "X: a\x01\r\n" END},
    {PARSER_FIELD_VALUE, LINE HOST "X: a\x0b"
				   "b\r\n" END},
    {PARSER_FIELD_VALUE, LINE HOST "X: a\x1f\r\n" END},
    {PARSER_FIELD_VALUE, LINE HOST "X: a\x7f\r\n" END},
    {PARSER_FIELD_VALUE, LINE HOST "X: 0123456789abcdef\x1b[0m\r\n" END},
    /* The length of the body. */
    {PARSER_LENGTH, POST "Content-Length: 5\r\nContent-Length: 6\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: 5\r\nContent-Length: 5\r\n" END},
    {PARSER_LENGTH,
	POST "Content-Length: 5\r\nX: 1\r\ncontent-length: 5\r\n" END},
    {PARSER_LENGTH, POST "Content-Length:\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: \t\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: x\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: -1\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: -0\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: +1\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: 1e1\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: 1.0\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: 0x5\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: 5 5\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: 5;\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: \"5\"\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: 5,\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: 5, 5\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: 5,6\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: 9223372036854775808\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: 18446744073709551615\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: 18446744073709551616\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: 18446744073709551621\r\n" END},
    {PARSER_LENGTH, POST "Content-Length: 99999999999999999999999\r\n" END},
    /* Two lengths, whichever comes first. */
    {PARSER_LENGTH, POST
	"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" END "0\r\n" END},
    {PARSER_LENGTH, POST
	"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" END "0\r\n" END},
    {PARSER_LENGTH, POST
	"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n" END "0\r\n" END},
    {PARSER_LENGTH,
	POST "Transfer-Encoding: x\r\nContent-Length: 5\r\n" END "0\r\n" END},
    {PARSER_LENGTH,
	POST "Content-Length: 5\r\nTransfer-Encoding: x\r\n" END "0\r\n" END},
    {PARSER_LENGTH,
	POST "Content-Length: 5\r\nTransfer-Encoding:\r\n" END "0\r\n" END},
    /* Codings that a server may not know, or not see. */
    {PARSER_CODING, POST "Transfer-Encoding: gzip\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: gzip, chunked\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: X-GZIP, chunked\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: deflate, chunked\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: compress, chunked\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: x-compress\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: identity\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: identity, chunked\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: chunked, gzip\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: chunked, identity\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: chunked, x\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: x, chunked, x\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: chunked, chunked\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: chunked,\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: \"chunked\"\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: chunked;a=b\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: chunked ;a=b\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: chunked x\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: x chunked\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: , chunked\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: x,, chunked\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: chunk\xc3\xa9\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding:\r\n" END},
    {PARSER_CODING, POST "Transfer-Encoding: \t\r\n" END},
    {PARSER_CODING,
	POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n" END},
    {PARSER_CODING, POST
	"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END},
    {PARSER_CODING,
	POST "Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n" END},
    {PARSER_CODING,
	POST "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n" END},
    {PARSER_CODING,
	"POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n" END},
    {PARSER_CODING, "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: x\r\n" END},
    {PARSER_CODING_UNKNOWN, POST "Transfer-Encoding: xchunked\r\n" END},
    {PARSER_CODING_UNKNOWN, POST "Transfer-Encoding: chunkedx\r\n" END},
    {PARSER_CODING_UNKNOWN, POST "Transfer-Encoding: br, chunked\r\n" END},
    {PARSER_CODING_UNKNOWN,
	POST "Transfer-Encoding: x;a=b ; c, chunked\r\n" END},
    {PARSER_CODING_UNKNOWN,
	POST "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n" END},
    /* Other facts that a proxy has to judge. */
    {PARSER_TRACE_BODY,
	"TRACE / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na"},
    {PARSER_TRACE_BODY, "TRACE / HTTP/1.1\r\n" HOST
			"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {PARSER_EXPECTATION, LINE HOST "Expect: a\r\n" END},
    {PARSER_EXPECTATION, LINE HOST "Expect: 100-continue, a\r\n" END},
    {PARSER_EXPECTATION, LINE HOST "Expect: 100-continue;a=b\r\n" END},
    {PARSER_EXPECTATION, LINE HOST "Expect: 100-continue\r\nExpect: a\r\n" END},
    {PARSER_MAX_FORWARDS,
	"OPTIONS / HTTP/1.1\r\n" HOST "Max-Forwards: a\r\n" END},
    {PARSER_MAX_FORWARDS,
	"OPTIONS / HTTP/1.1\r\n" HOST "Max-Forwards: -1\r\n" END},
    {PARSER_MAX_FORWARDS,
	"OPTIONS / HTTP/1.1\r\n" HOST "Max-Forwards: +1\r\n" END},
    {PARSER_MAX_FORWARDS,
	"OPTIONS / HTTP/1.1\r\n" HOST "Max-Forwards: 1,2\r\n" END},
    {PARSER_MAX_FORWARDS, "TRACE / HTTP/1.1\r\n" HOST "Max-Forwards:\r\n" END},
    {PARSER_MAX_FORWARDS, "TRACE / HTTP/1.1\r\n" HOST
			  "Max-Forwards: 1\r\nMax-Forwards: 1\r\n" END},
    /* Chunks; test_chunk.c has the rest. */
    {PARSER_CHUNK, CHUNKED "x\r\n"},
    {PARSER_CHUNK, CHUNKED "-1\r\n"},
    {PARSER_CHUNK, CHUNKED "+1\r\na\r\n0\r\n\r\n"},
    {PARSER_CHUNK, CHUNKED "0x1\r\na\r\n0\r\n\r\n"},
    {PARSER_CHUNK, CHUNKED "\r\n"},
    {PARSER_CHUNK, CHUNKED " 1\r\na\r\n0\r\n\r\n"},
    {PARSER_CHUNK, CHUNKED "1\na\r\n0\r\n\r\n"},
    {PARSER_CHUNK, CHUNKED "1\r\na\n0\r\n\r\n"},
    {PARSER_CHUNK, CHUNKED "1\r\nab\r\n0\r\n\r\n"},
    {PARSER_CHUNK, CHUNKED "1\r\na0\r\n\r\n"},
    {PARSER_CHUNK, CHUNKED "10000000000000000\r\na"},
    {PARSER_CHUNK, CHUNKED "ffffffffffffffff1\r\na"},
    {PARSER_CHUNK, CHUNKED "1;\r\na\r\n0\r\n\r\n"},
    {PARSER_CHUNK, CHUNKED "0\r\nX : 1\r\n\r\n"},
};

static void
test_refused_in_every_way(void **state)
{
	(void)state;
	assert_refused(refusals, sizeof(refusals) / sizeof(refusals[0]), false);
}

/* Facts known before the head's end are reported. */
static void
test_refused_at_once(void **state)
{
	static const struct refusal early[] = {
	    {PARSER_SYNTAX, "\x16"},
	    {PARSER_SYNTAX, "\x80"},
	    {PARSER_SYNTAX, "GET /\r"},
	    {PARSER_SYNTAX, "GET  "},
	    {PARSER_SYNTAX, "GET / X"},
	    {PARSER_SYNTAX, "GET / HTTP/1.1 "},
	    {PARSER_VERSION, "GET / HTTP/2.0\r"},
	    {PARSER_PREFACE, "PRI * HTTP/2.0\r"},
	    {PARSER_TARGET, "GET /#"},
	    {PARSER_LINE_ENDS, LINE " "},
	    {PARSER_FIELD_NAME, LINE "a "},
	    {PARSER_FIELD_VALUE, LINE "a:\x01"},
	    {PARSER_LINE_ENDS, LINE "a:\n"},
	    {PARSER_CHUNK, CHUNKED "g"},
	    {PARSER_CHUNK, CHUNKED "0\r\n "},
	};

	(void)state;
	assert_refused(early, sizeof(early) / sizeof(early[0]), false);
}

/* strlen() can't count these. */
static void
test_nul_is_refused_everywhere(void **state)
{
	static const char good[] = "GET /path HTTP/1.1\r\nHost: abc\r\n"
				   "X-Name: value\r\n\r\n";

	(void)state;
	for (size_t at = 0; at < sizeof(good) - 1; at++)
		for (size_t way = 0; way < ways(sizeof(good) - 1); way++) {
			char bad[sizeof(good)];
			struct fed *f;

			memcpy(bad, good, sizeof(good));
			bad[at] = '\0';
			f = feed_request(bad, sizeof(good) - 1, way);
			assert_int_not_equal(f->m.error, PARSER_NONE);
			assert_false(f->m.head_done || f->m.done);
			drop(f);
		}
}

/* Every byte in the place of every other byte: an accepted text has CRLF line
 * ends, one Host and the apparent method. */
static void
test_any_byte_anywhere(void **state)
{
	static const char good[] = "GET /p HTTP/1.1\r\nHost: ab\r\n"
				   "Content-Length: 0\r\n\r\n";
	const size_t len = sizeof(good) - 1;

	(void)state;
	for (size_t at = 0; at < len; at++)
		for (int c = 0; c < 256; c++) {
			char text[sizeof(good)];
			struct fed *whole, *bytes;

			memcpy(text, good, sizeof(good));
			text[at] = (char)c;
			whole = feed_request(text, len, WHOLE);
			bytes = feed_request(text, len, BYTES);
			/* The pieces make no difference to the outcome. */
			assert_int_equal(whole->m.error, bytes->m.error);
			assert_int_equal(whole->m.done, bytes->m.done);
			if (whole->m.done) {
				assert_int_equal(whole->taken, len);
				assert_int_equal(bytes->taken, len);
				for (size_t i = 0; i < len; i++) {
					assert_int_not_equal(text[i], '\0');
					assert_int_equal(
					    text[i] == '\n', good[i] == '\n');
					assert_int_equal(
					    text[i] == '\r', good[i] == '\r');
				}
				/* "Host:  b" and "Host:xab" are right. */
				assert_in_range(whole->m.head.host.len, 1, 3);
			}
			drop(whole);
			drop(bytes);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refused_in_every_way),
	    cmocka_unit_test(test_refused_at_once),
	    cmocka_unit_test(test_nul_is_refused_everywhere),
	    cmocka_unit_test(test_any_byte_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
