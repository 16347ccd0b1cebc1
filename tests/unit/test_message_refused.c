/* Goal: a request that two servers could read in two ways is refused, however
 * its bytes come in. */
#include "feed.h"

static const struct refusal refusals[] = {
    /* Not HTTP, or another one. */
    {MESSAGE_SYNTAX, "hello\r\n\r\n"},
    {MESSAGE_SYNTAX, "\x16\x03\x01\x02\x01\x01\xfc\x03\x03"},
    {MESSAGE_SYNTAX, "get / HTTP/1.1\r\n" HOST END},
    {MESSAGE_SYNTAX, "GET / HTTQ/1.1\r\n" HOST END},
    {MESSAGE_SYNTAX, "GET / http/1.1\r\n" HOST END},
    {MESSAGE_SYNTAX, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
    {MESSAGE_SYNTAX, "HTTP/1.1 200 OK\r\n\r\n"},
    {MESSAGE_SYNTAX, "GET /\r\n"},
    {MESSAGE_SYNTAX, "\r\nGET /\r\n"},
    {MESSAGE_SYNTAX, "GET /\r\n\r\n"},
    {MESSAGE_SYNTAX, "GET /\r\n" HOST END},
    {MESSAGE_SYNTAX, "GET / \r\n" HOST END},
    {MESSAGE_SYNTAX, "GET / HTTP/0.9\r\n" HOST END},
    {MESSAGE_VERSION, "GET / HTTP/1.2\r\n" HOST END},
    {MESSAGE_VERSION, "GET / HTTP/2.0\r\n" HOST END},
    {MESSAGE_VERSION, "GET / HTTP/3.7\r\n" HOST END},
    {MESSAGE_SYNTAX, "GET / HTTP/1.10\r\n" HOST END},
    {MESSAGE_SYNTAX, "GET / HTTP/1.1 \r\n" HOST END},
    {MESSAGE_SYNTAX, "GET / HTTP/1.1x\r\n" HOST END},
    {MESSAGE_METHOD, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n" END},
    /* How lines end. */
    {MESSAGE_SYNTAX, "GET / HTTP/1.1\n" HOST END},
    {MESSAGE_SYNTAX, LINE "Host: a\n" END},
    {MESSAGE_SYNTAX, LINE HOST "\n"},
    {MESSAGE_SYNTAX, LINE HOST "X: 1\n\r\n"},
    {MESSAGE_SYNTAX, LINE HOST "X: a\rb\r\n" END},
    {MESSAGE_SYNTAX, LINE HOST "X: a\r\r\n" END},
    {MESSAGE_SYNTAX, LINE HOST "X: a\rTransfer-Encoding: chunked\r\n" END},
    {MESSAGE_SYNTAX, "GET / HTTP/1.1\r" HOST END},
    /* Folded lines, and white space where it can be read in two ways. */
    {MESSAGE_LINE_ENDS, LINE HOST "X: a\r\n b\r\n" END},
    {MESSAGE_LINE_ENDS, LINE HOST "X: a\r\n\tb\r\n" END},
    {MESSAGE_LINE_ENDS, LINE HOST "X:\r\n b\r\n" END},
    {MESSAGE_LINE_ENDS, LINE HOST "X: a\r\n \r\n" END},
    {MESSAGE_SYNTAX, LINE " Host: a\r\n" END},
    {MESSAGE_SYNTAX, LINE "\tHost: a\r\n" END},
    {MESSAGE_SYNTAX, LINE "Host : a\r\n" END},
    {MESSAGE_SYNTAX, LINE HOST "Content-Length : 5\r\n\r\nhello"},
    {MESSAGE_SYNTAX,
	LINE HOST "Transfer-Encoding : chunked\r\n" END "0\r\n" END},
    {MESSAGE_SYNTAX, LINE HOST "no colon\r\n" END},
    {MESSAGE_SYNTAX, LINE HOST ": no name\r\n" END},
    {MESSAGE_SYNTAX, LINE HOST "X(: 1\r\n" END},
    {MESSAGE_SYNTAX, LINE HOST "X\x80: 1\r\n" END},
    {MESSAGE_SYNTAX, LINE HOST "X: a\x01\r\n" END},
    {MESSAGE_SYNTAX, LINE HOST "X: a\x7f\r\n" END},
    /* The request line. */
    {MESSAGE_SYNTAX, "GET / RTSP/1.0\r\n" HOST END},
    {MESSAGE_SYNTAX, "GET / ICE/1.0\r\n" HOST END},
    {MESSAGE_SYNTAX, "DESCRIBE / RTSP/1.0\r\n" HOST END},
    {MESSAGE_SYNTAX, "SOURCE / ICE/1.0\r\n" HOST END},
    {MESSAGE_SYNTAX, "GET  / HTTP/1.1\r\n" HOST END},
    {MESSAGE_SYNTAX, "GET /  HTTP/1.1\r\n" HOST END},
    {MESSAGE_SYNTAX, "GET / HTTP/1.1 \r\n" HOST END},
    /* Host. */
    {MESSAGE_HOST, LINE END},
    {MESSAGE_HOST, LINE "X: 1\r\n" END},
    {MESSAGE_HOST, LINE HOST HOST END},
    {MESSAGE_HOST, LINE HOST "Host: b\r\n" END},
    {MESSAGE_HOST, LINE "Host:\r\n" END},
    {MESSAGE_HOST, LINE "Host: \t\r\n" END},
    {MESSAGE_HOST, LINE "Host: a b\r\n" END},
    {MESSAGE_HOST, LINE "Host: a/b\r\n" END},
    {MESSAGE_HOST, LINE "Host: user@a\r\n" END},
    {MESSAGE_HOST, LINE "Host: a?b\r\n" END},
    {MESSAGE_HOST, LINE "Host: a\"b\r\n" END},
    {MESSAGE_HOST, "GET / HTTP/1.0\r\n" HOST HOST END},
    {MESSAGE_HOST, "GET http://a/ HTTP/1.1\r\n" END},
    /* The length of the body. */
    {MESSAGE_LENGTH, POST "Content-Length: 5\r\nContent-Length: 6\r\n" END},
    {MESSAGE_LENGTH, POST "Content-Length: 5\r\nContent-Length: 5\r\n" END},
    {MESSAGE_LENGTH, POST "Content-Length:\r\n" END},
    {MESSAGE_LENGTH, POST "Content-Length: x\r\n" END},
    {MESSAGE_LENGTH, POST "Content-Length: -1\r\n" END},
    {MESSAGE_LENGTH, POST "Content-Length: +1\r\n" END},
    {MESSAGE_LENGTH, POST "Content-Length: 1e1\r\n" END},
    {MESSAGE_LENGTH, POST "Content-Length: 0x5\r\n" END},
    {MESSAGE_LENGTH, POST "Content-Length: 5 5\r\n" END},
    {MESSAGE_LENGTH, POST "Content-Length: 5, 5\r\n" END},
    {MESSAGE_LENGTH, POST "Content-Length: 5,6\r\n" END},
    {MESSAGE_LENGTH, POST "Content-Length: 18446744073709551616\r\n" END},
    {MESSAGE_LENGTH, POST "Content-Length: 99999999999999999999999\r\n" END},
    /* Two lengths, whichever comes first. */
    {MESSAGE_LENGTH, POST
	"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" END "0\r\n" END},
    {MESSAGE_LENGTH, POST
	"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" END "0\r\n" END},
    {MESSAGE_LENGTH, POST
	"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n" END "0\r\n" END},
    /* Codings that somebody may not know, or not see. */
    {MESSAGE_CODING, POST "Transfer-Encoding: gzip\r\n" END},
    {MESSAGE_CODING, POST "Transfer-Encoding: gzip, chunked\r\n" END},
    {MESSAGE_CODING, POST "Transfer-Encoding: chunked, gzip\r\n" END},
    {MESSAGE_CODING, POST "Transfer-Encoding: chunked, chunked\r\n" END},
    {MESSAGE_CODING, POST "Transfer-Encoding: identity\r\n" END},
    {MESSAGE_CODING, POST "Transfer-Encoding: xchunked\r\n" END},
    {MESSAGE_CODING, POST "Transfer-Encoding: chunkedx\r\n" END},
    {MESSAGE_CODING, POST "Transfer-Encoding: \"chunked\"\r\n" END},
    {MESSAGE_CODING, POST "Transfer-Encoding: chunked;a=b\r\n" END},
    {MESSAGE_CODING, POST "Transfer-Encoding: , chunked\r\n" END},
    {MESSAGE_CODING, POST "Transfer-Encoding:\r\n" END},
    {MESSAGE_CODING,
	POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n" END},
    {MESSAGE_CODING,
	POST "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n" END},
    {MESSAGE_CODING, POST
	"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END},
    {MESSAGE_CODING,
	"POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n" END},
    /* The target. */
    {MESSAGE_TARGET, "GET * HTTP/1.1\r\n" HOST END},
    {MESSAGE_TARGET, "GET /a#b HTTP/1.1\r\n" HOST END},
    {MESSAGE_TARGET, "GET ftp://a/ HTTP/1.1\r\n" HOST END},
    {MESSAGE_TARGET, "GET https://a/ HTTP/1.1\r\n" HOST END},
    {MESSAGE_TARGET, "GET http:///x HTTP/1.1\r\n" HOST END},
    {MESSAGE_TARGET, "GET http://user@a/ HTTP/1.1\r\n" HOST END},
    {MESSAGE_TARGET, "GET http://a?b HTTP/1.1\r\n" HOST END},
    {MESSAGE_TARGET, "GET a/b HTTP/1.1\r\n" HOST END},
    {MESSAGE_TARGET, "GET a:80 HTTP/1.1\r\n" HOST END},
    {MESSAGE_TARGET, "GET /a\x01 HTTP/1.1\r\n" HOST END},
    {MESSAGE_TARGET, "GET /a\x7f HTTP/1.1\r\n" HOST END},
    /* Chunks. */
    {MESSAGE_SYNTAX, CHUNKED "x\r\n"},
    {MESSAGE_SYNTAX, CHUNKED "-1\r\n"},
    {MESSAGE_SYNTAX, CHUNKED "+1\r\na\r\n0\r\n\r\n"},
    {MESSAGE_SYNTAX, CHUNKED "0x1\r\na\r\n0\r\n\r\n"},
    {MESSAGE_SYNTAX, CHUNKED "\r\n"},
    {MESSAGE_SYNTAX, CHUNKED " 1\r\na\r\n0\r\n\r\n"},
    {MESSAGE_SYNTAX, CHUNKED "1\na\r\n0\r\n\r\n"},
    {MESSAGE_SYNTAX, CHUNKED "1\r\na\n0\r\n\r\n"},
    {MESSAGE_SYNTAX, CHUNKED "1\r\nab\r\n0\r\n\r\n"},
    {MESSAGE_SYNTAX, CHUNKED "1\r\na0\r\n\r\n"},
    {MESSAGE_SYNTAX, CHUNKED "10000000000000000\r\na"},
    {MESSAGE_SYNTAX, CHUNKED "ffffffffffffffff1\r\na"},
};

static void
test_refused_in_every_way(void **state)
{
	unsigned mismatches = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		for (size_t way = 0; way < WAYS; way++) {
			const struct refusal *r = &refusals[i];
			struct fed *f = feed_request(
			    r->text, strlen(r->text), piece_sizes[way]);

			mismatches += count_mismatch(f, r, way);
			drop(f);
		}
	assert_int_equal(mismatches, 0);
}

/* Neither is part of a body, whose size has a cap of its own. */
static void
refuses_endless(const char *first, const char *again)
{
	static struct message m;
	static char data[TEXT_MAX];
	size_t len = strlen(first);

	memcpy(data, first, len);
	message_init_request(
	    &m, &(struct message_limits){HEAD_MAX, HEAD_MAX, 0});
	assert_int_equal(message_feed(&m, data, len), len);
	for (int i = 0; i < 100 && m.error == MESSAGE_NONE; i++) {
		memcpy(data + len, again, strlen(again));
		(void)message_feed(&m, data + len, strlen(again));
	}
	assert_int_equal(m.error, MESSAGE_HEAD_TOO_LARGE);
}

static void
test_endless_trailers_and_extensions(void **state)
{
	char line[1024];

	(void)state;
	memset(line, 'a', sizeof(line));
	memcpy(line, "T: ", 3);
	strcpy(line + sizeof(line) - 3, "\r\n");
	refuses_endless(CHUNKED "0\r\n", line);
	memset(line, 'a', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	refuses_endless(CHUNKED "1;a=", line);
}

/* strlen() can't count these. */
static void
test_nul_is_refused_everywhere(void **state)
{
	static const char good[] = "GET /path HTTP/1.1\r\nHost: abc\r\n"
				   "X-Name: value\r\n\r\n";

	(void)state;
	for (size_t at = 0; at < sizeof(good) - 1; at++)
		for (size_t way = 0; way < WAYS; way++) {
			char bad[sizeof(good)];
			struct fed *f;

			memcpy(bad, good, sizeof(good));
			bad[at] = '\0';
			f = feed_request(
			    bad, sizeof(good) - 1, piece_sizes[way]);
			/* In the last CR's place too: the head never ends. */
			assert_false(
			    f->m.head_done && f->m.error == MESSAGE_NONE);
			assert_false(f->m.done);
			if (at < sizeof(good) - 5)
				assert_int_not_equal(f->m.error, MESSAGE_NONE);
			drop(f);
		}
}

/* Every single byte put in the place of every other: what is taken has
 * CRLF line ends, one Host and the method it seems to have. */
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
			whole = feed_request(text, len, TEXT_MAX);
			bytes = feed_request(text, len, 1);
			/* The pieces make no difference to the outcome. */
			assert_int_equal(whole->m.error == MESSAGE_NONE,
			    bytes->m.error == MESSAGE_NONE);
			if (whole->m.done && whole->m.error == MESSAGE_NONE) {
				assert_int_equal(whole->taken, len);
				for (size_t i = 0; i < len; i++) {
					assert_int_not_equal(text[i], '\0');
					assert_int_equal(
					    text[i] == '\n', good[i] == '\n');
					assert_int_equal(
					    text[i] == '\r', good[i] == '\r');
				}
				/* "Host:  b" and "Host:xab" are right. */
				assert_in_range(whole->m.host.len, 1, 3);
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
	    cmocka_unit_test(test_endless_trailers_and_extensions),
	    cmocka_unit_test(test_nul_is_refused_everywhere),
	    cmocka_unit_test(test_any_byte_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
