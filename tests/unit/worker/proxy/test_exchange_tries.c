/* Goal: a failed try is made again exactly where safe, and otherwise answered
 * by its failure; breaker and endpoint are told once. */
#include "exchange_scene.h"

/* The next write to a peer with this port finds the connection reset; 0: none
 * does. */
static uint16_t broken_port;

static bool
breaks(int fd)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);

	if (broken_port == 0 ||
	    getpeername(fd, (struct sockaddr *)&peer, &len) == -1 ||
	    ntohs(peer.sin_port) != broken_port)
		return false;
	broken_port = 0;
	errno = ECONNRESET;
	return true;
}

ssize_t
send(int fd, const void *data, size_t len, int flags)
{
	return breaks(fd) ? -1 : sendto(fd, data, len, flags, NULL, 0);
}

/* No listener at the address, for now or for good. */
static void
close_listener(struct backend *b)
{
	close(b->fd);
	b->fd = -1;
}

static bool
one_is_asked(void)
{
	backend_look(&first);
	backend_look(&second);
	return first.len[0] > 0 || second.len[0] > 0;
}

static bool
one_is_asked_again(void)
{
	backend_look(&first);
	return first.len[0] > 0 || first.len[1] > 0;
}

/* ---- another try ---- */

static void
one_that_can_not_be_reached_is_tried_elsewhere(void **state)
{
	(void)state;
	open_exchange(BOTH, "");
	close_listener(&first);
	say(POST "bodily");
	expect_of(&second, 0, "\r\n\r\nbodily");
	backend_say(&second, 0, OK);
	expect("HTTP/1.1 200 OK\r\n");
	assert_int_equal(observed.last.tries, 2);
	assert_int_equal(scene_total(SCOREBOARD_UP_RETRIES), 1);
	/* Passed over from now on; the service has not failed. */
	assert_false(endpoint_is_usable(
	    services[0]->endpoints[0], loop_now_us(scene.rt.loop)));
	assert_int_equal(service_total(SCOREBOARD_SERVICE_FAILURES), 0);
}

/* The reset comes between the connection and the first byte: as if there had
 * been no connection, for the endpoint too. */
static void
one_that_breaks_before_a_byte_leaves_is_not_reached(void **state)
{
	(void)state;
	open_exchange(BOTH, "");
	broken_port = first.port;
	say("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
	expect_of(&second, 0, "\r\n\r\n");
	backend_say(&second, 0, OK);
	expect("HTTP/1.1 200 OK\r\n");
	assert_int_equal(broken_port, 0);
	assert_int_equal(observed.last.tries, 2);
	assert_false(endpoint_is_usable(
	    services[0]->endpoints[0], loop_now_us(scene.rt.loop)));
}

static void
one_that_breaks_so_alone_is_502(void **state)
{
	(void)state;
	open_exchange(ONE, "");
	broken_port = first.port;
	say(GET);
	expect("HTTP/1.1 502 ");
	assert_string_equal(observed.last.end, "connect_failed");
}

static void
a_get_that_is_lost_is_tried_elsewhere(void **state)
{
	(void)state;
	open_exchange(BOTH, "");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	backend_hang_up(&first, 0);
	expect_of(&second, 0, "\r\n\r\n");
	backend_say(&second, 0, OK);
	expect("HTTP/1.1 200 OK\r\n");
	assert_int_equal(observed.last.tries, 2);
}

/* RFC 9110 section 9.2.2: the backend may have read the request. */
static void
a_post_that_is_lost_is_not(void **state)
{
	(void)state;
	open_exchange(BOTH, "");
	say(POST "bodily");
	expect_of(&first, 0, "bodily");
	backend_hang_up(&first, 0);
	expect("HTTP/1.1 502 ");
	assert_int_equal(second.count, 0);
	assert_string_equal(observed.last.end, "upstream_lost");
	assert_int_equal(service_total(SCOREBOARD_SERVICE_FAILURES), 1);
}

/* Nor a request without a body. */
static void
an_empty_post_that_is_lost_is_not_either(void **state)
{
	(void)state;
	open_exchange(BOTH, "");
	say("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
	expect_of(&first, 0, "\r\n\r\n");
	backend_hang_up(&first, 0);
	expect("HTTP/1.1 502 ");
	assert_int_equal(second.count, 0);
}

/* The policy alone would choose the same endpoint again. */
static void
a_further_try_avoids_the_endpoint_that_failed(void **state)
{
	struct backend *one, *other;

	(void)state;
	open_exchange(BOTH, "  policy: ip_hash\n");
	say(GET);
	WAIT_UNTIL(one_is_asked);
	one = first.count > 0 ? &first : &second;
	other = first.count > 0 ? &second : &first;
	expect_of(one, 0, "\r\n\r\n");
	backend_hang_up(one, 0);
	expect_of(other, 0, "\r\n\r\n");
	backend_say(other, 0, OK);
	expect("HTTP/1.1 200 OK\r\n");
	assert_int_equal(one->count, 1);
}

/* Idempotent, and the whole body is still here. */
static void
a_put_is_sent_again_with_its_body(void **state)
{
	(void)state;
	open_exchange(BOTH, "");
	say(PUT "bod");
	expect_of(&first, 0, "bod");
	say("ily");
	expect_of(&first, 0, "bodily");
	backend_hang_up(&first, 0);
	expect_of(&second, 0, "\r\n\r\nbodily");
	backend_say(&second, 0, OK);
	expect("HTTP/1.1 200 OK\r\n");
}

/* The rest of the body would be asked for twice. */
static void
a_put_whose_body_has_not_all_come_is_not(void **state)
{
	(void)state;
	open_exchange(BOTH, "");
	say(PUT "bod");
	expect_of(&first, 0, "bod");
	backend_hang_up(&first, 0);
	expect("HTTP/1.1 502 ");
	assert_int_equal(second.count, 0);
}

static void
once_an_answer_has_begun_there_is_no_other(void **state)
{
	(void)state;
	open_exchange(BOTH, "");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	backend_say(
	    &first, 0, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
	expect("half");
	backend_hang_up(&first, 0);
	WAIT_UNTIL(has_ended);
	WAIT_UNTIL(all_have_left);
	assert_int_equal(second.count, 0);
	assert_int_equal(observed.last.status, 200);
	assert_string_equal(observed.last.end, "upstream_lost");
	assert_int_equal(service_total(SCOREBOARD_SERVICE_FAILURES), 1);
}

static void
retries_are_counted_and_end(void **state)
{
	(void)state;
	open_exchange(BOTH, "  retries: 1\n");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	backend_hang_up(&first, 0);
	expect_of(&second, 0, "\r\n\r\n");
	backend_hang_up(&second, 0);
	expect("HTTP/1.1 502 ");
	assert_int_equal(first.count, 1);
	assert_int_equal(observed.last.tries, 2);
	assert_int_equal(scene_total(SCOREBOARD_UP_RETRIES), 1);
	assert_int_equal(service_total(SCOREBOARD_SERVICE_FAILURES), 1);
}

static void
with_one_endpoint_there_is_nowhere_else(void **state)
{
	(void)state;
	open_exchange(ONE, "  retries: 5\n");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	backend_hang_up(&first, 0);
	expect("HTTP/1.1 502 ");
	assert_int_equal(first.count, 1);
}

/* A kept-alive connection that the backend closes as the request comes: one
 * more try on a new connection, for any `retries`, and only once. */
static void
a_stale_connection_gets_one_try_more(void **state)
{
	(void)state;
	open_exchange(ONE, "  retries: 0\n");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	backend_say(&first, 0, OK);
	expect("hello");
	forget();
	backend_forget(&first, 0);
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	backend_hang_up(&first, 0);
	expect_of(&first, 1, "\r\n\r\n");
	/* Not the endpoint's fault. */
	assert_int_equal(services[0]->endpoints[0]->failures, 0);
	backend_hang_up(&first, 1);
	expect("HTTP/1.1 502 ");
	assert_int_equal(first.count, 2);
	assert_int_equal(services[0]->endpoints[0]->failures, 1);
}

/* Another idle connection may be as stale. */
static void
that_try_goes_by_a_fresh_connection(void **state)
{
	int other;

	(void)state;
	open_exchange(ONE, "  retries: 0\n");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	other = client;
	connect_client();
	say(GET);
	expect_of(&first, 1, "\r\n\r\n");
	backend_say(&first, 0, OK);
	backend_say(&first, 1, OK);
	expect("hello");
	forget();
	backend_forget(&first, 0);
	backend_forget(&first, 1);
	say(GET);
	WAIT_UNTIL(one_is_asked_again);
	backend_hang_up(&first, first.len[0] > 0 ? 0 : 1);
	expect_of(&first, 2, "\r\n\r\n");
	backend_say(&first, 2, OK);
	expect("hello");
	close(other);
}

/* A backend that is late may still be at work. */
static void
a_late_one_is_not_tried_again_unless_listed(void **state)
{
	(void)state;
	open_exchange(BOTH, "  timeouts: { read: 100ms }\n");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	expect("HTTP/1.1 504 ");
	assert_int_equal(second.count, 0);
}

static void
a_late_one_is_tried_again_where_listed(void **state)
{
	(void)state;
	open_exchange(BOTH, "  retry_on: [timeout]\n"
			    "  timeouts: { read: 100ms }\n");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	expect_of(&second, 0, "\r\n\r\n");
	backend_say(&second, 0, OK);
	expect("HTTP/1.1 200 OK\r\n");
}

/* The bad response is dropped with its connection; breaker and service see the
 * last response alone. */
static void
a_listed_status_is_tried_elsewhere(void **state)
{
	(void)state;
	open_exchange(BOTH, "  retry_on: [503]\n"
			    "  breaker: { failures: 1 }\n");
	say(PUT "bodily");
	expect_of(&first, 0, "bodily");
	backend_say(
	    &first, 0, "HTTP/1.1 503 Later\r\nContent-Length: 4\r\n\r\nbusy");
	expect_of(&second, 0, "\r\n\r\nbodily");
	expect_end_of(&first, 0);
	backend_say(&second, 0, OK);
	expect("HTTP/1.1 200 OK\r\n");
	assert_int_equal(observed.last.tries, 2);
	assert_int_equal(service_total(SCOREBOARD_SERVICE_FAILURES), 0);
	assert_int_equal(services[0]->endpoints[0]->failures, 1);
	assert_int_equal(scene_total(SCOREBOARD_UP_RETRIES), 1);
}

/* With no try left, and for a method that may not be repeated, the response is
 * the backend's. */
static void
a_listed_status_is_passed_on_in_the_end(void **state)
{
	static const char bad[] =
	    "HTTP/1.1 502 No\r\nContent-Length: 4\r\n\r\nbusy";

	(void)state;
	open_exchange(BOTH, "  retry_on: ['502']\n");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	backend_say(&first, 0, bad);
	expect_of(&second, 0, "\r\n\r\n");
	backend_say(&second, 0, bad);
	expect("HTTP/1.1 502 No\r\n");
	expect("busy");
	assert_int_equal(service_total(SCOREBOARD_SERVICE_FAILURES), 1);
	forget();
	backend_forget(&second, 0);
	say(POST "bodily");
	expect_of(&second, 0, "bodily");
	backend_say(&second, 0, bad);
	expect("HTTP/1.1 502 No\r\n");
	assert_int_equal(scene_total(SCOREBOARD_UP_RETRIES), 1);
}

static void
nothing_listed_nothing_tried_again(void **state)
{
	(void)state;
	open_exchange(BOTH, "  retry_on: []\n");
	close_listener(&first);
	say(GET);
	expect("HTTP/1.1 502 ");
	assert_int_equal(second.count, 0);
}

/* ---- what it is answered with ---- */

static void
a_refused_connection_is_502(void **state)
{
	(void)state;
	open_exchange(ONE, "");
	close_listener(&first);
	say(GET);
	expect("HTTP/1.1 502 ");
	expect("{\"error\":\"service users: connection refused\","
	       "\"status\":502,\"requestId\":\"");
	assert_string_equal(observed.last.end, "connect_refused");
}

static void
silence_past_the_read_timeout_is_504(void **state)
{
	uint64_t from_us;

	(void)state;
	open_exchange(ONE, "  timeouts: { read: 100ms }\n");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	from_us = clock_ns() / 1000;
	expect("HTTP/1.1 504 ");
	assert_true(clock_ns() / 1000 - from_us >= 90000);
	expect_end_of(&first, 0);
	assert_string_equal(observed.last.end, "upstream_read_timeout");
}

static void
what_is_no_response_is_502(void **state)
{
	(void)state;
	open_exchange(ONE, "");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	backend_say(&first, 0, "220 ready\r\n\r\n");
	expect("HTTP/1.1 502 ");
	assert_string_equal(observed.last.end, "upstream_invalid");
	expect_end_of(&first, 0);
}

static void
a_full_queue_is_503_and_not_the_services_fault(void **state)
{
	int busy;

	(void)state;
	open_exchange(ONE, "  pool: { connections: 1, queue: 0 }\n");
	say(GET);
	expect_of(&first, 0, "\r\n\r\n");
	busy = client;
	connect_client();
	say(GET);
	expect("HTTP/1.1 503 ");
	expect("\r\nRetry-After: 1\r\n");
	assert_string_equal(observed.last.end, "queue_full");
	assert_int_equal(scene_total(SCOREBOARD_UP_SHED), 1);
	assert_int_equal(service_total(SCOREBOARD_SERVICE_FAILURES), 0);
	close(busy);
}

/* ---- the breaker ---- */

static void
failures_open_the_circuit(void **state)
{
	(void)state;
	open_exchange(ONE,
	    "  retries: 0\n"
	    "  eject: { failures: 0 }\n"
	    "  breaker: { failures: 3, window: 10s, open_for: 10s }\n");
	for (unsigned i = 0; i < 3; i++) {
		forget();
		say(GET);
		expect_of(&first, i, "\r\n\r\n");
		backend_hang_up(&first, i);
		expect("HTTP/1.1 502 ");
	}
	forget();
	say(GET);
	expect("HTTP/1.1 503 ");
	expect("circuit open");
	assert_non_null(strstr(said, "\r\nRetry-After: "));
	assert_string_equal(observed.last.breaker, "open");
	assert_int_equal(observed.last.tries, 0);
	assert_int_equal(first.count, 3);
	assert_int_equal(service_total(SCOREBOARD_SERVICE_REJECTED), 1);
	assert_int_equal(service_total(SCOREBOARD_SERVICE_FAILURES), 3);
}

/* Passed on unchanged, and reported once. */
static void
a_503_of_the_backend_counts_too(void **state)
{
	(void)state;
	open_exchange(
	    ONE, "  breaker: { failures: 3, window: 10s, open_for: 10s }\n");
	for (unsigned i = 0; i < 3; i++) {
		forget();
		backend_forget(&first, 0);
		say(GET);
		expect_of(&first, 0, "\r\n\r\n");
		backend_say(&first, 0,
		    "HTTP/1.1 503 Later\r\nContent-Length: 4\r\n\r\nbusy");
		expect("HTTP/1.1 503 Later\r\n");
		expect("busy");
	}
	assert_int_equal(service_total(SCOREBOARD_SERVICE_FAILURES), 3);
	assert_int_equal(services[0]->endpoints[0]->failures, 3);
	forget();
	say(GET);
	expect("circuit open");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(one_that_can_not_be_reached_is_tried_elsewhere),
	    TEST(one_that_breaks_before_a_byte_leaves_is_not_reached),
	    TEST(one_that_breaks_so_alone_is_502),
	    TEST(a_get_that_is_lost_is_tried_elsewhere),
	    TEST(a_post_that_is_lost_is_not),
	    TEST(an_empty_post_that_is_lost_is_not_either),
	    TEST(a_further_try_avoids_the_endpoint_that_failed),
	    TEST(a_put_is_sent_again_with_its_body),
	    TEST(a_put_whose_body_has_not_all_come_is_not),
	    TEST(once_an_answer_has_begun_there_is_no_other),
	    TEST(retries_are_counted_and_end),
	    TEST(with_one_endpoint_there_is_nowhere_else),
	    TEST(a_stale_connection_gets_one_try_more),
	    TEST(that_try_goes_by_a_fresh_connection),
	    TEST(a_late_one_is_not_tried_again_unless_listed),
	    TEST(a_late_one_is_tried_again_where_listed),
	    TEST(a_listed_status_is_tried_elsewhere),
	    TEST(a_listed_status_is_passed_on_in_the_end),
	    TEST(nothing_listed_nothing_tried_again),
	    TEST(a_refused_connection_is_502),
	    TEST(silence_past_the_read_timeout_is_504),
	    TEST(what_is_no_response_is_502),
	    TEST(a_full_queue_is_503_and_not_the_services_fault),
	    TEST(failures_open_the_circuit),
	    TEST(a_503_of_the_backend_counts_too),
	};

	log_init(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
