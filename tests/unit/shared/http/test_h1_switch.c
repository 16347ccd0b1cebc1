/* Goal: interim responses, trailers, a protocol that is switched, and clients
 * that shut only their own side down. */
#include "h1_scene.h"

static void
shut_down(void)
{
	assert_int_equal(shutdown(scene->client, SHUT_WR), 0);
}

/* ---- half-closed clients ---- */

static void
test_half_closed_client_is_answered(void **state)
{
	(void)state;
	say(GET("/later"));
	wait_until(has_request);
	shut_down();
	turn();
	assert_non_null(scene->h1);
	reply(h1_stream(scene->h1), NULL, "late", 4);
	wait_until(has_ended);
	assert_true(received("\r\n\r\nlate"));
	wait_until(is_closed);
	assert_int_equal(scene->responses, 1);
	assert_int_equal(scene->broken_responses, 0);
}

static void
test_pipelined_requests_of_a_half_closed_client(void **state)
{
	(void)state;
	say(GET("/1") GET("/big") GET("/2"));
	shut_down();
	wait_until(is_closed);
	assert_int_equal(scene->responses, 3);
	wait_until(has_ended);
	assert_true(received("\r\n\r\n/2"));
}

/* Wherever in the pump's turns the end of the stream is met. */
static void
test_the_end_behind_many_requests(void **state)
{
	static const char one[] = GET("/x");
	char many[40 * sizeof(one)];

	(void)state;
	for (unsigned n = 28; n < 36; n++) {
		if (scene->h1 == NULL) {
			hang_up();
			assert_int_equal(open_session(), 0);
		}
		scene->responses = 0;
		for (unsigned i = 0; i < n; i++)
			memcpy(many + i * (sizeof(one) - 1), one, sizeof(one));
		say(many);
		shut_down();
		wait_until(is_closed);
		assert_int_equal(scene->responses, n);
		assert_int_equal(scene->reason, STREAM_END_PEER);
		turn();
	}
}

/* The end of the client's stream is read while the answer's tail still waits.
 */
static void
test_half_closed_client_gets_the_tail(void **state)
{
	(void)state;
	scene->paused = true;
	say(GET_CLOSE("/big"));
	shut_down();
	wait_until(has_request);
	scene->paused = false;
	on_client(NULL, 0);
	wait_until(has_ended);
	assert_false(scene->reset);
	assert_true(scene->received_len > BIG);
	assert_int_equal(scene->responses, 1);
}

static void
test_empty_lines_begin_no_request(void **state)
{
	(void)state;
	scene->limits.header_timeout_us = 1000;
	say("\r\n\r\n");
	turn();
	turn();
	assert_int_equal(scene->received_len, 0);
	say("\r\n" GET("/1") "\r\n" GET("/2"));
	expect("\r\n\r\n/2");
	shut_down();
	wait_until(is_closed);
	assert_int_equal(scene->reason, STREAM_END_PEER);
	assert_int_equal(scene->responses, 2);
}

static void
test_end_in_mid_body(void **state)
{
	(void)state;
	say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
	wait_until(has_request);
	shut_down();
	wait_until(has_ended);
	assert_true(received("HTTP/1.1 400 "));
	assert_true(received("connection closed inside a message"));
	assert_int_equal(scene->responses, 1);
}

static void
test_end_in_mid_head(void **state)
{
	(void)state;
	say("GET / HTTP/1.1\r\nHost:");
	turn();
	shut_down();
	wait_until(has_ended);
	assert_true(received("HTTP/1.1 400 "));
	assert_int_equal(scene->requests, 0);
}

/* ---- interim responses and trailers ---- */

static void
test_interim(void **state)
{
	(void)state;
	say(GET("/interim"));
	expect("HTTP/1.1 200 OK\r\n");
	assert_true(received(
	    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 "));
}

static void
test_no_interim_for_http_1_0(void **state)
{
	(void)state;
	say("GET /interim HTTP/1.0\r\n\r\n");
	expect("HTTP/1.1 200 OK\r\n");
	assert_false(received(" 103 "));
}

static void
test_trailers(void **state)
{
	(void)state;
	say(GET("/trailers"));
	expect("3\r\nall\r\n0\r\nX-Sum: 1\r\n\r\n");
	forget();
	say("GET /trailers HTTP/1.0\r\n\r\n");
	wait_until(has_ended);
	assert_true(received("\r\n\r\nall"));
	assert_false(received("X-Sum"));
}

/* ---- tunnels ---- */

#define SWITCH                                                                 \
	"GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"           \
	"Upgrade: echo\r\n\r\n"

static void
test_tunnel(void **state)
{
	(void)state;
	say(SWITCH "early");
	expect("\r\n\r\nhello,early");
	assert_true(received("HTTP/1.1 101 Switching Protocols\r\n"));
	assert_false(received("Connection:"));
	assert_false(received("Content-Length:"));
	say(GET("/not-a-request"));
	expect("/not-a-request");
	assert_int_equal(scene->requests, 1);
	assert_int_equal(scene->responses, 0);
	shut_down();
	wait_until(is_closed);
	assert_int_equal(scene->reason, STREAM_END_DONE);
	assert_int_equal(scene->responses, 1);
	wait_until(has_ended);
	assert_false(scene->reset);
}

static void
test_tunnel_half_closed_by_the_owner(void **state)
{
	(void)state;
	say(SWITCH);
	expect("hello,");
	write_piece(h1_stream(scene->h1), "bye", 3, true);
	expect("hello,bye");
	wait_until(has_ended);
	assert_non_null(scene->h1);
	say("more");
	turn();
	assert_non_null(scene->h1);
	shut_down();
	wait_until(is_closed);
	assert_int_equal(scene->reason, STREAM_END_DONE);
}

static void
test_tunnel_of_a_client_that_is_gone(void **state)
{
	(void)state;
	say(SWITCH);
	expect("hello,");
	hang_up();
	wait_until(is_closed);
	assert_int_equal(scene->broken_responses + scene->responses, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_half_closed_client_is_answered),
	    TEST(test_pipelined_requests_of_a_half_closed_client),
	    TEST(test_the_end_behind_many_requests),
	    TEST(test_half_closed_client_gets_the_tail),
	    TEST(test_empty_lines_begin_no_request),
	    TEST(test_end_in_mid_body),
	    TEST(test_end_in_mid_head),
	    TEST(test_interim),
	    TEST(test_no_interim_for_http_1_0),
	    TEST(test_trailers),
	    TEST(test_tunnel),
	    TEST(test_tunnel_half_closed_by_the_owner),
	    TEST(test_tunnel_of_a_client_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
