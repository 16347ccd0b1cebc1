/* Goal: host and target of a request are read by RFC 9112 section 3.2, or
 * refused. */
#include "feed.h"

static const struct {
	const char *text, *path, *host;
} targets[] = {
    {LINE "Host: a\r\n\r\n", "/", "a"},
    {LINE "Host: [::1]:80\r\n\r\n", "/", "[::1]:80"},
    {LINE "Host: [2001:db8::192.0.2.1]\r\n\r\n", "/", "[2001:db8::192.0.2.1]"},
    {LINE "Host: 192.0.2.1:65535\r\n\r\n", "/", "192.0.2.1:65535"},
    {LINE "Host: a:\r\n\r\n", "/", "a:"},
    {LINE "Host: [::]:\r\n\r\n", "/", "[::]:"},
    {LINE "Host: a:00080\r\n\r\n", "/", "a:00080"},
    {LINE "Host:\t a \r\n\r\n", "/", "a"},
    {LINE "Host: a_b-c.d~e!$&'()*+;=%7E\r\n\r\n", "/",
	"a_b-c.d~e!$&'()*+;=%7E"},
    {"GET http://b HTTP/1.1\r\n" HOST END, "/", "b"},
    {"GET http://b/x?y HTTP/1.1\r\n" HOST END, "/x?y", "b"},
    {"GET HTTP://b:81/x HTTP/1.1\r\n" HOST END, "/x", "b:81"},
    {"GET hTTps://[::1]:81/x HTTP/1.1\r\n" HOST END, "/x", "[::1]:81"},
    {"GET http://b/http://c/ HTTP/1.1\r\n" HOST END, "/http:/c/", "b"},
    {"GET http://b/x@y HTTP/1.1\r\n" HOST END, "/x@y", "b"},
    {"GET http://b?x HTTP/1.1\r\n" HOST END, "/?x", "b"},
    {"GET http://b:1?x=/y HTTP/1.1\r\n" HOST "X: 1\r\n" END, "/?x=/y", "b:1"},
    {"GET http://b? HTTP/1.1\r\n" HOST END, "/?", "b"},
    {"GET http://b/x HTTP/1.0\r\n" END, "/x", "b"},
    {"GET //b/x HTTP/1.1\r\n" HOST END, "/b/x", "a"},
    {"GET /? HTTP/1.1\r\n" HOST END, "/?", "a"},
    {"GET /??a/b HTTP/1.1\r\n" HOST END, "/??a/b", "a"},
    {"GET /%01/..;/\"<>[]^`{|}\\~@:!$&'()*+,;= HTTP/1.1\r\n" HOST END,
	"/%01/..;/\"<>[]^`{|}\\~@:!$&'()*+,;=", "a"},
    {"GET /%7f%fF?%0a HTTP/1.1\r\n" HOST END, "/%7F%FF?%0a", "a"},
    {"GET /x/../a%41?x/../%41 HTTP/1.1\r\n" HOST END, "/aA?x/../%41", "a"},
    {"GET /./a? HTTP/1.1\r\n" HOST END, "/a?", "a"},
    {"GET /a.b/c. HTTP/1.1\r\n" HOST END, "/a.b/c.", "a"},
    {"GET /.a HTTP/1.1\r\n" HOST END, "/.a", "a"},
    {"GET http://b//x/./y/..?.. HTTP/1.1\r\n" HOST END, "/x/?..", "b"},
    {"GET http://b?//x HTTP/1.1\r\n" HOST END, "/?//x", "b"},
    {"OPTIONS http://b/. HTTP/1.1\r\n" HOST END, "/", "b"},
    {"GET /?% HTTP/1.1\r\n" HOST END, "/?%", "a"},
    {"GET /?%zz HTTP/1.1\r\n" HOST END, "/?%zz", "a"},
    {"GET /?q=20%+tax&%2=%% HTTP/1.1\r\n" HOST END, "/?q=20%+tax&%2=%%", "a"},
    {"GET http://b?100% HTTP/1.1\r\n" HOST END, "/?100%", "b"},
    {"OPTIONS * HTTP/1.1\r\n" HOST END, "*", "a"},
    {"OPTIONS http://b HTTP/1.1\r\n" HOST END, "*", "b"},
    {"OPTIONS http://b/ HTTP/1.1\r\n" HOST END, "/", "b"},
    {"OPTIONS http://b?q HTTP/1.1\r\n" HOST END, "/?q", "b"},
    {"OPTIONS /x HTTP/1.1\r\n" HOST END, "/x", "a"},
    {"GET / HTTP/1.0\r\n\r\n", "/", ""},
    {"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "/", "a"},
    {"\r\nGET / HTTP/1.1\r\n" HOST END, "/", "a"},
    {"\r\n\r\nGET / HTTP/1.1\r\n" HOST END, "/", "a"},
};

static void
test_targets_and_hosts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		size_t len = strlen(targets[i].text);

		for (size_t way = 0; way < ways(len); way++) {
			struct fed *f = feed_request(targets[i].text, len, way);

			if (!f->m.done)
				print_error("%s: %s\n", targets[i].text,
				    parser_error_str(f->m.error));
			assert_true(f->m.done);
			assert_int_equal(f->taken, len);
			assert_slice(f->m.head.path, targets[i].path);
			assert_slice(f->m.head.host, targets[i].host);
			drop(f);
		}
	}
}

/* As sent, with the slash of an empty path inserted; whatever the path is. */
static void
test_target_is_as_sent(void **state)
{
	static const char *const texts[][2] = {
	    {"GET http://b HTTP/1.1\r\n" HOST END, "http://b"},
	    {"GET HTTP://b/%41?c HTTP/1.1\r\n" HOST END, "HTTP://b/%41?c"},
	    {"GET http://b?c HTTP/1.1\r\n" HOST END, "http://b/?c"},
	    {"OPTIONS http://b HTTP/1.1\r\n" HOST END, "http://b"},
	    {"GET /x/..//%61?c HTTP/1.1\r\n" HOST END, "/x/..//%61?c"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fed *f =
		    feed_request(texts[i][0], strlen(texts[i][0]), BYTES);

		assert_true(f->m.done);
		assert_slice(f->m.head.target, texts[i][1]);
		assert_slice(head_value(&f->m.head, "host"), "a");
		drop(f);
	}
}

static const struct refusal refusals[] = {
    {PARSER_HOST, LINE END},
    {PARSER_HOST, LINE "X: 1\r\n" END},
    {PARSER_HOST, LINE HOST HOST END},
    {PARSER_HOST, LINE HOST "X: 1\r\n" HOST END},
    {PARSER_HOST, LINE HOST "hOST: b\r\n" END},
    {PARSER_HOST, LINE HOST "Host:\r\n" END},
    {PARSER_HOST, LINE "Host:\r\n" END},
    {PARSER_HOST, LINE "Host: \t\r\n" END},
    {PARSER_HOST, LINE "Host: a b\r\n" END},
    {PARSER_HOST, LINE "Host: a,b\r\n" END},
    {PARSER_HOST, LINE "Host: a/b\r\n" END},
    {PARSER_HOST, LINE "Host: user@a\r\n" END},
    {PARSER_HOST, LINE "Host: a?b\r\n" END},
    {PARSER_HOST, LINE "Host: a#b\r\n" END},
    {PARSER_HOST, LINE "Host: a\"b\r\n" END},
    {PARSER_HOST, LINE "Host: a\x80\r\n" END},
    {PARSER_HOST, LINE "Host: http://a\r\n" END},
    {PARSER_HOST, LINE "Host: a:80:80\r\n" END},
    {PARSER_HOST, LINE "Host: a:x\r\n" END},
    {PARSER_HOST, LINE "Host: a:+1\r\n" END},
    {PARSER_HOST, LINE "Host: a:8 \t0\r\n" END},
    {PARSER_HOST, LINE "Host: a:65536\r\n" END},
    {PARSER_HOST, LINE "Host: a:99999999999999999999\r\n" END},
    {PARSER_HOST, LINE "Host: :80\r\n" END},
    {PARSER_HOST, LINE "Host: ::1\r\n" END},
    {PARSER_HOST, LINE "Host: []\r\n" END},
    {PARSER_HOST, LINE "Host: [\r\n" END},
    {PARSER_HOST, LINE "Host: ]\r\n" END},
    {PARSER_HOST, LINE "Host: [::1\r\n" END},
    {PARSER_HOST, LINE "Host: [::1]80\r\n" END},
    {PARSER_HOST, LINE "Host: [::1]]:80\r\n" END},
    {PARSER_HOST, LINE "Host: [127.0.0.1]\r\n" END},
    {PARSER_HOST, LINE "Host: [fe80::1%25eth0]\r\n" END},
    {PARSER_HOST, LINE "Host: [v1.a]\r\n" END},
    {PARSER_HOST,
	LINE "Host: "
	     "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]\r\n" END},
    {PARSER_HOST, LINE "Host: a[::1]\r\n" END},
    {PARSER_HOST, LINE "Host: a%\r\n" END},
    {PARSER_HOST, LINE "Host: a%4\r\n" END},
    {PARSER_HOST, LINE "Host: a%4g\r\n" END},
    {PARSER_HOST, LINE "Host: a%00\r\n" END},
    {PARSER_HOST, LINE "Host: a%:80\r\n" END},
    {PARSER_HOST, "GET / HTTP/1.0\r\n" HOST HOST END},
    {PARSER_HOST, "GET / HTTP/1.0\r\nHost: a/b\r\n" END},
    {PARSER_HOST, "GET / HTTP/1.0\r\nHost:\r\n" END},
    {PARSER_HOST, "GET http://a/ HTTP/1.1\r\n" END},
    {PARSER_HOST, "GET http://a/ HTTP/1.1\r\nHost: a/\r\n" END},
    {PARSER_TARGET, "GET * HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "OPTIONS ** HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "OPTIONS *?a HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET /a#b HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET # HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET ?a HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET ftp://a/ HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET httpx://a/ HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET http:/a/ HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET http:a HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET http: HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET http:// HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET http:///x HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET http://?x HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET http://:80/x HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET http://user@a/ HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET http://user:x@a/ HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET http://@a/ HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET http://a:70000/ HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET http://[::x]/ HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET a/b HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET a:80 HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET /a\x01 HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET /a\x7f HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET /a\x80 HTTP/1.1\r\n" HOST END},
    {PARSER_TARGET, "GET /a\t HTTP/1.1\r\n" HOST END},
    {PARSER_PATH_ESCAPE, "GET /% HTTP/1.1\r\n" HOST END},
    {PARSER_PATH_ESCAPE, "GET /%a HTTP/1.1\r\n" HOST END},
    {PARSER_PATH_ESCAPE, "GET /%ag HTTP/1.1\r\n" HOST END},
    {PARSER_PATH_ESCAPE, "GET /%%41 HTTP/1.1\r\n" HOST END},
    {PARSER_NUL, "GET /%00 HTTP/1.1\r\n" HOST END},
    {PARSER_NUL, "GET /?a=%00 HTTP/1.1\r\n" HOST END},
    {PARSER_NUL, "GET http://a/%00 HTTP/1.1\r\n" HOST END},
    {PARSER_NUL, "GET /?%%00 HTTP/1.1\r\n" HOST END},
    {PARSER_PATH_ESCAPE, "GET http://a/%?%41 HTTP/1.1\r\n" HOST END},
    {PARSER_PATH_ESCAPE, "GET /a%4?1 HTTP/1.1\r\n" HOST END},
    {PARSER_PATH_ROOT, "GET /.. HTTP/1.1\r\n" HOST END},
    {PARSER_PATH_ROOT, "GET /a/%2E%2e/../b?c HTTP/1.1\r\n" HOST END},
    {PARSER_PATH_ROOT, "GET http://a/../b HTTP/1.1\r\n" HOST END},
};

static void
test_refused(void **state)
{
	(void)state;
	assert_refused(refusals, sizeof(refusals) / sizeof(refusals[0]), false);
}

static void
test_query(void **state)
{
	static const char text[] =
	    "GET /p?ms=30&x&empty=&offload=true&ms=9&a=b=c HTTP/1.1\r\n" HOST
	    "\r\n";
	struct fed *f = feed_request(text, sizeof(text) - 1, WHOLE);

	(void)state;
	assert_slice(head_query(&f->m.head, "ms"), "30");
	assert_slice(head_query(&f->m.head, "offload"), "true");
	assert_slice(head_query(&f->m.head, "empty"), "");
	assert_non_null(head_query(&f->m.head, "empty").at);
	assert_slice(head_query(&f->m.head, "a"), "b=c");
	assert_null(head_query(&f->m.head, "m").at);
	assert_null(head_query(&f->m.head, "s").at);
	assert_null(head_query(&f->m.head, "p").at);
	assert_null(head_query(&f->m.head, "x").at);
	drop(f);
	f = feed_request(LINE HOST END, strlen(LINE HOST END), WHOLE);
	assert_null(head_query(&f->m.head, "ms").at);
	drop(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_targets_and_hosts),
	    cmocka_unit_test(test_target_is_as_sent),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
