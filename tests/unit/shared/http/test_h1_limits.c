/* Goal: every client is limited in bytes, time and memory. */
#include "h1_scene.h"

/* ---- what is refused ---- */

static void
refused(const char *text, const char *status_line)
{
	say(text);
	wait_until(has_ended);
	if (!received(status_line))
		fail_msg("%s", scene->received);
	assert_true(received("\r\nContent-Type: application/json\r\n"));
	assert_true(received("\r\nConnection: close\r\n"));
	assert_true(received("{\"error\":\""));
	assert_int_equal(count("HTTP/1.1 "), 1);
	assert_false(scene->reset);
	assert_int_equal(scene->requests, 0);
	assert_int_equal(scene->responses, 1);
}

static void
test_not_http(void **state)
{
	(void)state;
	refused("hello\r\n", "HTTP/1.1 400 Bad Request\r\n");
}

static void
test_tls_hello(void **state)
{
	(void)state;
	refused("\x16\x03\x01\x02", "HTTP/1.1 400 Bad Request\r\n");
}

static void
test_smuggling(void **state)
{
	(void)state;
	refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET("/secret"),
	    "HTTP/1.1 400 Bad Request\r\n");
}

static void
test_head_too_large(void **state)
{
	static char text[5000];

	(void)state;
	strcpy(text, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	memset(text + strlen(text), 'x', sizeof(text) - strlen(text) - 1);
	refused(text, "HTTP/1.1 431 Request Header Fields Too Large\r\n");
}

static void
test_length_too_large(void **state)
{
	(void)state;
	refused(
	    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n",
	    "HTTP/1.1 413 Content Too Large\r\n");
}

static void
test_unknown_version(void **state)
{
	(void)state;
	refused("GET / HTTP/1.9\r\nHost: a\r\n\r\n",
	    "HTTP/1.1 505 HTTP Version Not Supported\r\n");
}

static void
test_chunked_body_too_large(void **state)
{
	char chunk[510];

	(void)state;
	memset(chunk, 'x', sizeof(chunk));
	memcpy(chunk, "1f4\r\n", 5);
	memcpy(chunk + 505, "\r\n", 3);
	say("POST /echo HTTP/1.1\r\nHost: a\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 3; i++)
		say(chunk);
	wait_until(has_ended);
	assert_true(received("HTTP/1.1 413 Content Too Large\r\n"));
	assert_true(scene->body_len <= 1000);
}

static void
test_bad_chunk_in_the_body(void **state)
{
	(void)state;
	say("POST /echo HTTP/1.1\r\nHost: a\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense\r\n");
	wait_until(has_ended);
	assert_true(received("HTTP/1.1 400 Bad Request\r\n"));
}

static void
fill_head(char *text, size_t len)
{
	size_t begun =
	    strlen(strcpy(text, "GET /x HTTP/1.1\r\nHost: a\r\nX: "));

	memset(text + begun, 'x', len - begun);
	strcpy(text + len - 4, "\r\n\r\n");
}

static uint64_t wanted_bytes;

static bool
has_read(const struct scene *c)
{
	return c->bytes_in == wanted_bytes;
}

/* The connection reads the text as a piece of its own. */
static void
say_alone(const char *text)
{
	wanted_bytes = scene->bytes_in + strlen(text);
	say(text);
	wait_until(has_read);
}

/* Whole or in two pieces: an idle connection stays idle. */
static void
test_empty_lines_are_no_part_of_the_head(void **state)
{
	static const char *const pieces[][3] = {
	    {"\r\n", "", ""}, {"\r", "\n", ""}, {"\r\n\r", "\n\r", "\n\r\n"}};
	static char text[4097];

	(void)state;
	fill_head(text, 4096);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		for (size_t j = 0; j < 3; j++) {
			say_alone(pieces[i][j]);
			assert_true(h1_is_idle(scene->h1));
			assert_int_equal(buffer_pool_used(scene->buffers), 0);
		}
		say(text);
		expect("\r\n\r\n/x");
		forget();
	}
	assert_int_equal(scene->responses, 3);
}

static void
test_half_an_empty_line_is_refused(void **state)
{
	static const char *const behind[] = {"\r", "X", GET("/")};

	(void)state;
	for (size_t i = 0; i < sizeof(behind) / sizeof(*behind); i++) {
		if (i > 0) {
			hang_up();
			wait_until(is_closed);
			assert_int_equal(open_session(), 0);
		}
		say_alone("\r");
		say(behind[i]);
		wait_until(has_ended);
		assert_true(received("HTTP/1.1 400 Bad Request\r\n"));
		assert_true(received("a line must end in CRLF"));
		assert_int_equal(count("HTTP/1.1 "), 1);
	}
}

/* RFC 9110 section 9.3.2. */
static void
test_a_refused_head_has_no_body(void **state)
{
	static const char *const texts[] = {"HEAD / HTTP/1.9\r\n",
	    "HEAD /a#b HTTP/1.1\r\n", "\r\nHEAD / HTTP/1.1\r\n\r\n",
	    "HEAD / HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (i > 0) {
			hang_up();
			wait_until(is_closed);
			assert_int_equal(open_session(), 0);
		}
		say(texts[i]);
		wait_until(has_ended);
		assert_true(received("\r\nContent-Length: "));
		assert_string_equal(
		    scene->received + scene->received_len - 4, "\r\n\r\n");
		assert_false(received("error"));
	}
}

/* ---- deadlines ---- */

static void
test_header_timeout(void **state)
{
	(void)state;
	scene->limits.header_timeout_us = 20000;
	say("GET / HTTP/1.1\r\nHo");
	wait_until(has_ended);
	assert_true(received("HTTP/1.1 408 Request Timeout\r\n"));
	assert_true(received("\r\nConnection: close\r\n"));
	assert_int_equal(scene->requests, 0);
}

/* More bytes do not buy more time. */
static void
trickle(void *arg)
{
	(void)arg;
	if (scene->ended)
		return;
	say_bytes("x", 1);
	loop_timer_after(scene->loop, &scene->deadline, 5000);
}

static void
trickle_until_refused(void)
{
	scene->deadline.fn = trickle;
	scene->until = has_ended;
	loop_timer_set(scene->loop, &scene->deadline, 0);
	loop_timer_set(scene->loop, &scene->tick, 0);
	assert_int_equal(loop_run(scene->loop), 0);
	loop_timer_clear(scene->loop, &scene->deadline);
	scene->deadline.fn = on_deadline;
	assert_true(received("HTTP/1.1 408 "));
	assert_true(scene->received_len < 1000);
}

static void
test_trickled_header_timeout(void **state)
{
	(void)state;
	scene->limits.header_timeout_us = 50000;
	say("GET / HTTP/1.1\r\nHost: a\r\nX: ");
	trickle_until_refused();
}

static void
test_body_timeout(void **state)
{
	(void)state;
	scene->limits.body_timeout_us = 20000;
	say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
	wait_until(has_ended);
	assert_true(received("HTTP/1.1 408 "));
	assert_int_equal(scene->responses, 1);
}

/* Each piece comes in time, but all pieces together are too slow: 1 ms of 5 ms
 * is allowed for a byte. */
static void
test_trickled_body(void **state)
{
	(void)state;
	scene->limits.body_timeout_us = 50000;
	scene->limits.body_rate = 1000;
	say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n");
	trickle_until_refused();
	assert_true(received("request body too slow"));
	assert_true(scene->body_len < 100);
}

static void
test_keep_alive_timeout(void **state)
{
	(void)state;
	scene->limits.keep_alive_us = 20000;
	say(GET("/hello"));
	expect("\r\n\r\n/hello");
	wait_until(is_closed);
	assert_int_equal(scene->reason, STREAM_END_IDLE);
	wait_until(has_ended);
	assert_int_equal(count("HTTP/1.1 "), 1);
}

static void
test_idle_from_the_start(void **state)
{
	(void)state;
	/* Limits are read when a deadline is set: of the next connection. */
	h1_close(scene->h1, STREAM_END_DONE);
	hang_up();
	scene->limits.keep_alive_us = 20000;
	assert_int_equal(open_session(), 0);
	wait_until(has_ended);
	assert_int_equal(scene->reason, STREAM_END_IDLE);
	assert_int_equal(scene->received_len, 0);
}

/* Said to those who ask. */
static void
test_keep_alive_is_told(void **state)
{
	static const char ask[] = "Connection: keep-alive\r\n";

	(void)state;
	scene->limits.keep_alive_text = "timeout=10";
	say("GET /1 HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n");
	expect("\r\n\r\n/1");
	assert_int_equal(count(ask), 1);
	assert_int_equal(count("\r\nKeep-Alive: timeout=10\r\n"), 1);
	say("GET /2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	expect("\r\n\r\n/2");
	assert_int_equal(count(ask), 2);
	assert_int_equal(count("\r\nKeep-Alive: timeout=10\r\n"), 2);
	say(GET("/3"));
	expect("\r\n\r\n/3");
	scene->limits.keep_alive_text = NULL;
	say("GET /4 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
	expect("\r\n\r\n/4");
	assert_int_equal(count(ask), 3);
	assert_int_equal(count("Keep-Alive: timeout"), 2);
	/* The last response says close instead. */
	say("GET /5 HTTP/1.1\r\nHost: a\r\n"
	    "Connection: keep-alive, close\r\n\r\n");
	wait_until(has_ended);
	assert_int_equal(count(ask), 3);
	assert_int_equal(count("Connection: close\r\n"), 1);
}

static void
reopen(void)
{
	h1_close(scene->h1, STREAM_END_DONE);
	hang_up();
	assert_int_equal(open_session(), 0);
}

static void
test_so_many_requests(void **state)
{
	(void)state;
	scene->limits.max_requests = 3;
	scene->limits.has_lifetime = true;
	reopen();
	say(GET("/1") GET("/2") GET("/3") GET("/4"));
	wait_until(has_ended);
	assert_int_equal(scene->requests, 3);
	assert_int_equal(count("HTTP/1.1 200 "), 3);
	assert_int_equal(count("\r\nConnection: close\r\n"), 1);
	assert_true(received("\r\n\r\n/3"));
}

static unsigned asked;

static bool
is_answered(const struct scene *c)
{
	(void)c;
	return count("HTTP/1.1 200 ") == asked;
}

/* No request is cut off: some response is the last. */
static void
test_of_some_age(void **state)
{
	(void)state;
	asked = 0;
	scene->limits.max_age_us = 20000;
	scene->limits.has_lifetime = true;
	reopen();
	do {
		say(GET("/1"));
		asked++;
		wait_until(is_answered);
	} while (count("\r\nConnection: close\r\n") == 0);
	wait_until(has_ended);
	assert_int_equal(count("HTTP/1.1 200 "), asked);
	assert_int_equal(count("\r\nConnection: close\r\n"), 1);
}

static void
test_client_does_not_read(void **state)
{
	(void)state;
	scene->limits.send_timeout_us = 20000;
	scene->paused = true;
	loop_watch_del(scene->loop, &scene->watch);
	say(GET("/big"));
	wait_until(is_closed);
	assert_int_equal(scene->reason, STREAM_END_SEND_TIMEOUT);
	assert_int_equal(scene->broken_responses, 1);
	assert_int_equal(scene->responses, 0);
	assert_true(scene->big_left > 0);
}

/* ---- memory ---- */

/* The number of blocks left. */
static void
ask_with_blocks(size_t left)
{
	struct buffer *held[BLOCKS];

	for (size_t i = left; i < BLOCKS; i++)
		held[i] = buffer_get(scene->buffers);
	say(GET("/hello"));
	wait_until(has_ended);
	assert_int_equal(scene->reason, STREAM_END_MEMORY);
	assert_int_equal(scene->received_len, 0);
	for (size_t i = left; i < BLOCKS; i++)
		buffer_put(scene->buffers, held[i]);
}

static void
test_no_buffer_left(void **state)
{
	(void)state;
	ask_with_blocks(0);
	assert_int_equal(scene->requests, 0);
}

/* A single block, for the bytes; none for the facts. */
static void
test_no_buffer_for_the_request(void **state)
{
	(void)state;
	ask_with_blocks(1);
	assert_int_equal(scene->requests, 0);
}

static void
test_no_buffer_for_the_answer(void **state)
{
	(void)state;
	ask_with_blocks(2);
	assert_int_equal(scene->requests, 1);
	assert_int_equal(scene->broken_responses, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_not_http),
	    TEST(test_tls_hello),
	    TEST(test_smuggling),
	    TEST(test_head_too_large),
	    TEST(test_empty_lines_are_no_part_of_the_head),
	    TEST(test_half_an_empty_line_is_refused),
	    TEST(test_a_refused_head_has_no_body),
	    TEST(test_length_too_large),
	    TEST(test_unknown_version),
	    TEST(test_chunked_body_too_large),
	    TEST(test_bad_chunk_in_the_body),
	    TEST(test_header_timeout),
	    TEST(test_trickled_header_timeout),
	    TEST(test_body_timeout),
	    TEST(test_trickled_body),
	    TEST(test_keep_alive_timeout),
	    TEST(test_idle_from_the_start),
	    TEST(test_keep_alive_is_told),
	    TEST(test_so_many_requests),
	    TEST(test_of_some_age),
	    TEST(test_client_does_not_read),
	    TEST(test_no_buffer_left),
	    TEST(test_no_buffer_for_the_request),
	    TEST(test_no_buffer_for_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
