/* Goal: a request goes to a backend and the response comes back, each at its
 * taker's pace, and every end leaves no rest behind. */
#include "exchange_scene.h"

/* An idle connection then ends for no other reason. */
#define KEEP "  pool: { idle: 60s }\n"

/* ---- there and back ---- */

static void
a_request_goes_and_its_response_comes_back(void **state)
{
	(void)state;
	open_exchange(ONE, "");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	assert_memory_equal(first.text[0], "GET /a HTTP/1.1\r\n", 17);
	assert_non_null(
	    strstr(first.text[0], "\r\nX-Forwarded-For: 10.1.2.3\r\n"));
	/* Under way: the host's load, and the service's. */
	assert_int_equal(endpoint_load(services[0]->endpoints[0]), 0);
	atomic_store(&scene.rt.slot->state, SLOT_READY);
	assert_int_equal(endpoint_load(services[0]->endpoints[0]), 1);
	assert_int_equal(atomic_load(&scene.rt.slot->service_in_flight[0]), 1);
	backend_say(&first, 0, OK);
	expect("\r\n\r\nhello");
	assert_memory_equal(said, "HTTP/1.1 200 OK\r\n", 17);
	assert_int_equal(observed.count, 1);
	assert_int_equal(observed.last.status, 200);
	assert_int_equal(observed.last.tries, 1);
	assert_int_equal(observed.last.bytes_out, 5);
	assert_true(observed.last.queue_us != RECORD_NO_TIME);
	assert_true(observed.last.connect_us != RECORD_NO_TIME);
	assert_true(observed.last.first_byte_us != RECORD_NO_TIME);
	assert_int_equal(service_total(SCOREBOARD_SERVICE_REQUESTS), 1);
	assert_int_equal(service_total(SCOREBOARD_SERVICE_FAILURES), 0);
}

static void
the_connection_is_used_again(void **state)
{
	(void)state;
	open_exchange(ONE, "");
	for (int i = 0; i < 3; i++) {
		say(GET);
		expect_of(&first, 0, "\r\n\r\n");
		backend_say(&first, 0, OK);
		expect("\r\n\r\nhello");
		forget();
		backend_forget(&first, 0);
	}
	assert_int_equal(first.count, 1);
	assert_int_equal(scene_total(SCOREBOARD_UP_REUSES), 2);
	assert_int_equal(observed.last.connect_us, 0);
}

static void
one_that_says_close_is_not(void **state)
{
	(void)state;
	open_exchange(ONE, KEEP);
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	backend_say(&first, 0,
	    "HTTP/1.1 200 OK\r\nConnection: close\r\n"
	    "Content-Length: 5\r\n\r\nhello");
	expect("\r\n\r\nhello");
	expect_end_of(&first, 0);
	/* The client's stays. */
	forget();
	say(GET);
	expect_of(&first, 1, "\r\n\r\n");
	assert_false(ended);
}

/* Nor a connection with more bytes than asked for. */
static void
one_that_says_too_much_is_not(void **state)
{
	(void)state;
	open_exchange(ONE, KEEP);
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	backend_say(&first, 0, OK OK);
	expect("\r\n\r\nhello");
	expect_end_of(&first, 0);
	assert_null(strstr(said + 1, "HTTP/1.1"));
}

static void
a_body_goes_as_it_comes(void **state)
{
	(void)state;
	open_exchange(ONE, "");
	say(POST "bo");
	expect_of(&first, 0, "\r\n\r\nbo");
	say("di");
	expect_of(&first, 0, "\r\n\r\nbodi");
	say("ly");
	expect_of(&first, 0, "\r\n\r\nbodily");
	backend_say(&first, 0, OK);
	expect("\r\n\r\nhello");
	assert_int_equal(observed.last.bytes_in, 6);
}

static void
a_chunked_body_is_framed_anew(void **state)
{
	(void)state;
	open_exchange(ONE, "");
	say("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3;ext=1\r\nbod\r\n");
	expect_of(&first, 0, "\r\n\r\n3\r\nbod\r\n");
	say("3\r\nily\r\n0\r\n\r\n");
	expect_of(&first, 0, "3\r\nily\r\n0\r\n\r\n");
	backend_say(&first, 0,
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "5\r\nhello\r\n");
	expect("\r\n\r\n5\r\nhello\r\n");
	backend_say(&first, 0, "0\r\n\r\n");
	expect("hello\r\n0\r\n\r\n");
}

static void
interim_responses_pass(void **state)
{
	(void)state;
	open_exchange(ONE, "");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	backend_say(
	    &first, 0, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
	expect("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n");
	backend_say(&first, 0, OK);
	expect("HTTP/1.1 200 OK\r\n");
}

/* ---- backpressure ---- */

#define LONG 50000000

static char piece[16384];
static uint64_t fed, come;
static uint64_t fed_last_us;

/* The backend's socket has taken nothing more for 100 ms. */
static bool
backend_is_stopped(void)
{
	ssize_t n;

	while (fed < LONG && (n = send(first.peers[0], piece, sizeof(piece),
				  MSG_DONTWAIT | MSG_NOSIGNAL)) > 0) {
		fed += (uint64_t)n;
		fed_last_us = clock_ns() / 1000;
	}
	return clock_ns() / 1000 - fed_last_us > 100000;
}

static bool
client_has_all(void)
{
	static char taken[65536];
	ssize_t n;

	while ((n = recv(client, taken, sizeof(taken), 0)) > 0)
		come += (uint64_t)n;
	return come >= fed;
}

/* No body is buffered whole, copied or spliced: a client that does not read
 * stops the backend. */
static void
assert_is_stopped_by_the_client(const char *head)
{
	open_exchange(ONE, "");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	backend_say(&first, 0, head);
	expect("\r\n\r\n");
	fed = come = 0;
	fed_last_us = clock_ns() / 1000;
	WAIT_UNTIL(backend_is_stopped);
	assert_in_range(fed, 1, LONG / 2);
	assert_in_range(
	    buffer_pool_used(scene.rt.buffers), 0, SCENE_BLOCKS / 8);
	/* The backend goes on with the client. */
	WAIT_UNTIL(client_has_all);
	assert_int_equal(observed.count, 0);
}

static void
a_client_that_does_not_read_stops_a_long_body(void **state)
{
	(void)state;
	assert_is_stopped_by_the_client(
	    "HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n");
}

static void
a_client_that_does_not_read_stops_a_chunked_body(void **state)
{
	(void)state;
	assert_is_stopped_by_the_client(
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "2faf080\r\nx");
}

/* ---- a client that leaves ---- */

static void
a_client_that_leaves_ends_the_exchange(void **state)
{
	(void)state;
	open_exchange(ONE, "");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	hang_up();
	expect_end_of(&first, 0);
	WAIT_UNTIL(all_have_left);
	assert_int_equal(observed.last.status, 499);
	/* Says nothing of the service. */
	assert_int_equal(service_total(SCOREBOARD_SERVICE_FAILURES), 0);
	assert_int_equal(services[0]->endpoints[0]->failures, 0);
}

static void
one_that_leaves_in_the_queue_leaves_it(void **state)
{
	int waiting;

	(void)state;
	open_exchange(ONE, "  pool: { connections: 1 }\n");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	waiting = client;
	connect_client();
	say(GET);
	scene_pass(5000);
	hang_up();
	client = waiting;
	scene_pass(5000);
	backend_say(&first, 0, OK);
	expect("hello");
	scene_pass(5000);
	backend_look(&first);
	assert_int_equal(first.count, 1);
	assert_null(strstr(first.text[0] + 1, "GET "));
}

/* ---- a tunnel ---- */

#define UPGRADE                                                                \
	"GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"                \
	"Upgrade: chat\r\n\r\n"
#define SWITCH(to)                                                             \
	"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"          \
	"Upgrade: " to "\r\n\r\n"

static void
after_a_101_bytes_go_both_ways(void **state)
{
	(void)state;
	open_exchange(ONE, "");
	say(UPGRADE);
	expect_of(&first, 0, "\r\n\r\n");
	backend_say(&first, 0, SWITCH("chat") "first words");
	expect("\r\n\r\nfirst words");
	backend_forget(&first, 0);
	say("GET is no request here");
	expect_of(&first, 0, "GET is no request here");
	backend_say(&first, 0, ", HTTP/1.1 500 no answer");
	expect("first words, HTTP/1.1 500 no answer");
	/* Each side ends by itself. */
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	expect_end_of(&first, 0);
	assert_false(ended);
	backend_say(&first, 0, ", the end");
	expect("answer, the end");
	backend_hang_up(&first, 0);
	WAIT_UNTIL(has_ended);
	WAIT_UNTIL(all_have_left);
	assert_int_equal(observed.last.status, 101);
}

/* A 101 has no body, so the length that some servers send is no limit of the
 * tunnel's bytes (RFC 9112 section 6.3). */
static void
a_length_of_a_101_does_not_end_the_tunnel(void **state)
{
	(void)state;
	open_exchange(ONE, "");
	say(UPGRADE);
	expect_of(&first, 0, "\r\n\r\n");
	backend_say(&first, 0,
	    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
	    "Upgrade: chat\r\nContent-Length: 0\r\n\r\nfirst words");
	expect("\r\n\r\nfirst words");
	assert_null(strstr(said, "Content-Length"));
	backend_say(&first, 0, ", and more");
	expect("first words, and more");
	assert_false(ended);
}

static void
a_switch_that_nobody_asked_for_is_502(void **state)
{
	(void)state;
	open_exchange(ONE, "");
	say(UPGRADE);
	expect_of(&first, 0, "\r\n\r\n");
	backend_say(&first, 0, SWITCH("gossip"));
	expect("HTTP/1.1 502 ");
	expect_end_of(&first, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_request_goes_and_its_response_comes_back),
	    TEST(the_connection_is_used_again),
	    TEST(one_that_says_close_is_not),
	    TEST(one_that_says_too_much_is_not),
	    TEST(a_body_goes_as_it_comes),
	    TEST(a_chunked_body_is_framed_anew),
	    TEST(interim_responses_pass),
	    TEST(a_client_that_does_not_read_stops_a_long_body),
	    TEST(a_client_that_does_not_read_stops_a_chunked_body),
	    TEST(a_client_that_leaves_ends_the_exchange),
	    TEST(one_that_leaves_in_the_queue_leaves_it),
	    TEST(after_a_101_bytes_go_both_ways),
	    TEST(a_length_of_a_101_does_not_end_the_tunnel),
	    TEST(a_switch_that_nobody_asked_for_is_502),
	};

	log_init(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
