/* Goal: a client gets an answer to each request, in order and with a
 * recognisable end. */
#include "h1_scene.h"

/* ---- answers ---- */

static void
test_whole_response(void **state)
{
	(void)state;
	say(GET("/hello"));
	expect("\r\n\r\n/hello");
	assert_true(received("HTTP/1.1 200 OK\r\nDate: "));
	assert_true(received(" GMT\r\n"));
	assert_true(received("\r\nServer: drover\r\n"));
	assert_true(received("\r\nContent-Type: text/plain\r\n"));
	assert_true(received("\r\nContent-Length: 6\r\n"));
	assert_false(received("Connection:"));
	assert_int_equal(scene->responses, 1);
	assert_int_equal(scene->status, 200);
	assert_int_equal(scene->response_bytes, 6);
	assert_true(scene->bytes_in == strlen(GET("/hello")));
	assert_true(scene->bytes_out == scene->received_len);
}

static void
test_json_error(void **state)
{
	(void)state;
	say(GET("/error"));
	expect("{\"error\":\"say \\\"no\\\"\",\"status\":503}");
	assert_true(received("HTTP/1.1 503 Service Unavailable\r\n"));
	assert_true(received("\r\nContent-Type: application/json\r\n"));
	forget();
	say(GET("/extra"));
	expect("\r\n\r\n");
	assert_true(received("\r\nRetry-After: 7\r\n"));
	assert_true(received("\r\nContent-Length: 0\r\n"));
	assert_false(received("Content-Type"));
}

static void
test_an_idle_session_holds_no_buffer(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		say(GET("/hello"));
		expect("\r\n\r\n/hello");
		forget();
		assert_int_equal(buffer_pool_used(scene->buffers), 0);
	}
	assert_int_equal(scene->responses, 3);
}

static void
test_streamed_with_a_length(void **state)
{
	(void)state;
	say(GET("/stream"));
	expect("\r\n\r\none,two,three");
	assert_true(received("\r\nContent-Length: 13\r\n"));
	assert_true(received("\r\nX-Test: yes\r\n"));
	assert_false(received("chunked"));
	assert_int_equal(scene->response_bytes, 13);
}

static void
test_chunked(void **state)
{
	(void)state;
	say(GET("/chunked"));
	expect("\r\n\r\n4\r\none,\r\n4\r\ntwo,\r\n5\r\nthree\r\n0\r\n\r\n");
	assert_true(received("\r\nTransfer-Encoding: chunked\r\n"));
	assert_false(received("Content-Length"));
	forget();
	say(GET("/empty-last"));
	expect("\r\n\r\n3\r\nall\r\n0\r\n\r\n");
	assert_int_equal(scene->responses, 2);
}

static void
test_http10_has_no_chunks(void **state)
{
	(void)state;
	say("GET /chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	wait_until(has_ended);
	assert_true(received("HTTP/1.1 200 OK\r\n"));
	assert_true(received("\r\n\r\none,two,three"));
	assert_true(received("\r\nConnection: close\r\n"));
	assert_false(received("chunked"));
	assert_false(scene->reset);
}

static void
test_http10_closes_or_says_that_it_does_not(void **state)
{
	(void)state;
	say("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	expect("\r\n\r\n/1");
	assert_true(received("\r\nConnection: keep-alive\r\n"));
	forget();
	say("GET /2 HTTP/1.0\r\n\r\n");
	wait_until(has_ended);
	assert_true(received("\r\n\r\n/2"));
	assert_true(received("\r\nConnection: close\r\n"));
}

static void
test_head_is_framed_without_a_body(void **state)
{
	(void)state;
	say("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("\r\n\r\n");
	assert_true(received("\r\nContent-Length: 6\r\n"));
	say("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("\r\nContent-Length: 13\r\n");
	say("HEAD /chunked HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("\r\nTransfer-Encoding: chunked\r\n");
	say(GET("/last"));
	expect("\r\n\r\n/last");
	/* Four heads and one body. */
	assert_int_equal(count("\r\n\r\n"), 4);
	assert_false(received("one,") || received("/hello"));
}

static void
test_statuses_without_a_body(void **state)
{
	(void)state;
	say(GET("/204"));
	expect("\r\n\r\n");
	assert_true(received("HTTP/1.1 204 "));
	assert_false(received("Content-Length") || received("chunked"));
	forget();
	say(GET("/304"));
	expect("\r\n\r\n");
	assert_true(received("\r\nContent-Length: 13\r\n"));
	say(GET("/after"));
	expect("\r\n\r\n/after");
	assert_int_equal(scene->responses, 3);
}

/* ---- several requests ---- */

static void
test_pipelined_in_order(void **state)
{
	char all[8192] = "";
	const char *at;

	(void)state;
	for (int i = 0; i < 100; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all),
		    "GET /%03d HTTP/1.1\r\nHost: a\r\n\r\n", i);
	say(all);
	expect("\r\n\r\n/099");
	at = scene->received;
	for (int i = 0; i < 100; i++) {
		char want[16];

		snprintf(want, sizeof(want), "\r\n\r\n/%03d", i);
		at = strstr(at, want);
		assert_non_null(at);
	}
	assert_int_equal(scene->requests, 100);
	assert_int_equal(scene->responses, 100);
}

static void
test_byte_by_byte(void **state)
{
	static const char text[] =
	    GET("/a") "POST /echo HTTP/1.1\r\nHost: a\r\n"
		      "Content-Length: 3\r\n\r\nxyz";

	(void)state;
	for (const char *at = text; *at != '\0'; at++) {
		uint64_t before = scene->bytes_in;

		say_bytes(at, 1);
		for (int i = 0; i < 1000 && scene->bytes_in == before; i++)
			turn();
	}
	expect("\r\n\r\nxyz");
	assert_int_equal(scene->responses, 2);
}

#define MANY 3000

static bool
has_all_responses(const struct scene *c)
{
	return c->responses == MANY;
}

/* A request whose head is longer than a single read. */
static void
test_pipelined_over_the_buffers_end(void **state)
{
	static char all[MANY * sizeof(GET("/x")) + 1];

	(void)state;
	for (int i = 0; i < MANY; i++)
		strcat(all + (size_t)i * strlen(GET("/x")), GET("/x"));
	for (size_t at = 0, len = strlen(all); at < len;) {
		ssize_t n =
		    send(scene->client, all + at, len - at, MSG_NOSIGNAL);

		if (n > 0) {
			at += (size_t)n;
			continue;
		}
		expect("\r\n\r\n/x");
		forget();
	}
	wait_until(has_all_responses);
	assert_int_equal(scene->requests, MANY);
}

static void
test_pipelined_behind_a_slow_one(void **state)
{
	(void)state;
	say(GET("/later") GET("/b"));
	wait_until(has_request);
	turn();
	assert_int_equal(scene->requests, 1);
	reply(h1_stream(scene->h1), NULL, "first", 5);
	/* Never inside the call that answers. */
	assert_int_equal(scene->requests, 1);
	expect("\r\n\r\n/b");
	assert_true(
	    strstr(scene->received, "first") < strstr(scene->received, "/b"));
}

static void
test_close_is_kept(void **state)
{
	(void)state;
	say(GET_CLOSE("/one") GET("/two"));
	wait_until(has_ended);
	assert_true(received("\r\nConnection: close\r\n"));
	assert_int_equal(scene->requests, 1);
	assert_false(scene->reset);
}

/* ---- bodies of requests ---- */

static void
test_body_with_a_length(void **state)
{
	(void)state;
	say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nalp");
	say("habet" GET("/next"));
	expect("\r\n\r\n/next");
	assert_true(received("\r\n\r\nalphabetHTTP/1.1 200 OK\r\n"));
	assert_int_equal(scene->responses, 2);
}

static void
test_chunked_body(void **state)
{
	(void)state;
	say("POST /echo HTTP/1.1\r\nHost: a\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n");
	say("3\r\nalp\r\n5\r\nhabet\r\n0\r\n\r\n" GET("/next"));
	expect("\r\n\r\n/next");
	assert_true(received("\r\n\r\nalphabet"));
	assert_int_equal(scene->responses, 2);
}

static void
test_expect_continue(void **state)
{
	(void)state;
	say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
	    "Expect: 100-continue\r\n\r\n");
	expect("HTTP/1.1 100 Continue\r\n\r\n");
	say("abc");
	expect("\r\n\r\nabc");
	assert_int_equal(count("HTTP/1.1 "), 2);
}

/* No taker for the body: the answer comes before the client sends the body. */
static void
test_expect_continue_refused(void **state)
{
	(void)state;
	say("POST /error HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
	    "Expect: 100-continue\r\n\r\n");
	wait_until(has_ended);
	assert_true(received("HTTP/1.1 503 "));
	assert_true(received("\r\nConnection: close\r\n"));
	assert_false(received("100 Continue"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_whole_response),
	    TEST(test_json_error),
	    TEST(test_an_idle_session_holds_no_buffer),
	    TEST(test_streamed_with_a_length),
	    TEST(test_chunked),
	    TEST(test_http10_has_no_chunks),
	    TEST(test_http10_closes_or_says_that_it_does_not),
	    TEST(test_head_is_framed_without_a_body),
	    TEST(test_statuses_without_a_body),
	    TEST(test_pipelined_in_order),
	    TEST(test_byte_by_byte),
	    TEST(test_pipelined_over_the_buffers_end),
	    TEST(test_pipelined_behind_a_slow_one),
	    TEST(test_close_is_kept),
	    TEST(test_body_with_a_length),
	    TEST(test_chunked_body),
	    TEST(test_expect_continue),
	    TEST(test_expect_continue_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
