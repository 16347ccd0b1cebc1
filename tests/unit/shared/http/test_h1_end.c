/* Goal: however a connection ends, no written answer is lost, and the owner
 * gets the reason. */
#include "h1_scene.h"

/* ---- backpressure ---- */

static bool
is_backed_up(const struct scene *c)
{
	struct stream *s = c->h1 != NULL ? h1_stream(c->h1) : NULL;

	return s != NULL && stream_backlog(s) >= HIGH_WATER;
}

static bool
has_one_response(const struct scene *c)
{
	return c->responses == 1 && c->received_len > BIG;
}

static void
test_backpressure(void **state)
{
	(void)state;
	loop_watch_del(scene->loop, &scene->watch);
	say(GET("/big"));
	wait_until(is_backed_up);
	assert_true(scene->big_left > BIG / 2);
	assert_int_equal(loop_watch_add(scene->loop, &scene->watch,
			     scene->client, EPOLLIN | EPOLLRDHUP),
	    0);
	wait_until(has_one_response);
	assert_true(scene->backlog_max < HIGH_WATER + 20000);
	forget();
	say(GET("/next"));
	expect("\r\n\r\n/next");
}

/* The last written bytes may still wait when the next request comes. */
static void
test_closing_waits_for_the_backlog(void **state)
{
	(void)state;
	say(GET_CLOSE("/big"));
	wait_until(has_ended);
	assert_true(scene->received_len > BIG);
	assert_int_equal(scene->responses, 1);
	assert_false(scene->reset);
}

/* ---- ends ---- */

/* The connection answers by itself, and its client is gone: the owner, whose
 * answer comes in the same iteration, has heard of the end before. */
static void
test_a_refusal_that_nobody_hears(void **state)
{
	(void)state;
	say("POST /race HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
	hang_up();
	wait_until(is_closed);
	assert_int_equal(scene->requests, 1);
	assert_int_equal(scene->responses, 0);
	assert_int_equal(scene->broken_responses, 1);
	assert_int_equal(scene->reason, STREAM_END_RESET);
}

/* The connection ends without a reset, and lasts until the client has gone. */
static void
assert_lingers(void)
{
	wait_until(has_ended);
	assert_false(scene->reset);
	assert_false(scene->closing);
	assert_non_null(scene->h1);
	hang_up();
	wait_until(is_closed);
	assert_int_equal(scene->reason, STREAM_END_DONE);
	assert_int_equal(scene->responses, 1);
}

/* The client goes on sending after the answer: closing at once would reset the
 * connection and could lose the answer. */
static void
test_lingering_close(void **state)
{
	(void)state;
	say("POST /error HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n");
	expect("\"status\":503}");
	for (int i = 0; i < 3 && scene->h1 != NULL; i++)
		say("more of the body");
	assert_lingers();
}

/* The client has announced its last request, and sends no other. */
static void
test_last_one_closes(void **state)
{
	(void)state;
	say(GET_CLOSE("/hello"));
	wait_until(has_ended);
	assert_true(received("\r\n\r\n/hello"));
	assert_false(scene->reset);
	assert_true(scene->closing);
	assert_null(scene->h1);
	assert_int_equal(scene->reason, STREAM_END_DONE);
	assert_int_equal(scene->responses, 1);
}

/* The client has announced its last request, but sends more: a reset would lose
 * the answer. */
static void
test_last_one_with_more_behind_it(void **state)
{
	(void)state;
	say(GET_CLOSE("/later"));
	wait_until(has_request);
	say("\r\n");
	reply(h1_stream(scene->h1), "text/plain", "kept", 4);
	assert_lingers();
	assert_true(received("\r\n\r\nkept"));
}

static void
test_response_cut_short(void **state)
{
	static const char *const paths[] = {
	    GET("/cut"), GET("/short"), GET("/long")};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		if (scene->h1 == NULL) {
			hang_up();
			assert_int_equal(open_session(), 0);
		}
		say(paths[i]);
		wait_until(has_ended);
		assert_null(scene->h1);
		assert_int_equal(scene->reason, STREAM_END_CUT);
		assert_int_equal(scene->broken_responses, i + 1);
		assert_int_equal(scene->responses, 0);
		assert_false(received("four"));
	}
}

static void
test_client_gone_between_requests(void **state)
{
	(void)state;
	say(GET("/hello"));
	expect("\r\n\r\n/hello");
	hang_up();
	wait_until(is_closed);
	assert_int_equal(scene->reason, STREAM_END_PEER);
	assert_int_equal(scene->broken_responses, 0);
}

static void
test_client_gone_while_it_waits(void **state)
{
	(void)state;
	say(GET("/later"));
	wait_until(has_request);
	hang_up();
	wait_until(is_closed);
	assert_int_equal(scene->reason, STREAM_END_RESET);
	assert_int_equal(scene->responses, 0);
}

/* Request and close in a single event: no later event reports the close. */
static void
test_client_gone_with_its_request(void **state)
{
	(void)state;
	say(GET("/hello"));
	expect("\r\n\r\n/hello");
	say(GET("/later"));
	hang_up();
	wait_until(is_closed);
	assert_int_equal(scene->requests, 2);
	assert_int_equal(scene->responses, 1);
	assert_int_equal(scene->reason, STREAM_END_RESET);
}

static void
test_client_gone_in_mid_body(void **state)
{
	(void)state;
	say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
	wait_until(has_request);
	hang_up();
	wait_until(is_closed);
	assert_int_equal(scene->responses, 0);
}

static void
test_client_gone_in_mid_response(void **state)
{
	(void)state;
	loop_watch_del(scene->loop, &scene->watch);
	say(GET("/big"));
	wait_until(is_backed_up);
	hang_up();
	wait_until(is_closed);
	assert_int_equal(scene->broken_responses, 1);
	assert_int_equal(scene->responses, 0);
}

/* ---- draining ---- */

static void
test_drain_closes_an_idle_one(void **state)
{
	(void)state;
	say(GET("/hello"));
	expect("\r\n\r\n/hello");
	scene->context.draining = true;
	h1_drain(scene->h1);
	wait_until(has_ended);
	assert_int_equal(scene->reason, STREAM_END_DRAINED);
}

static void
test_drain_lets_a_request_end(void **state)
{
	(void)state;
	say(GET("/later"));
	wait_until(has_request);
	scene->context.draining = true;
	h1_drain(scene->h1);
	assert_non_null(scene->h1);
	reply(h1_stream(scene->h1), NULL, "done", 4);
	wait_until(has_ended);
	assert_true(received("\r\nConnection: close\r\n"));
	assert_true(received("\r\n\r\ndone"));
	assert_false(scene->reset);
}

/* A request that came just before is answered, not dropped. */
static void
test_drain_answers_what_has_come(void **state)
{
	(void)state;
	scene->context.draining = true;
	say(GET("/hello"));
	wait_until(has_ended);
	assert_true(received("\r\n\r\n/hello"));
	assert_true(received("\r\nConnection: close\r\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_backpressure),
	    TEST(test_closing_waits_for_the_backlog),
	    TEST(test_a_refusal_that_nobody_hears),
	    TEST(test_lingering_close),
	    TEST(test_last_one_closes),
	    TEST(test_last_one_with_more_behind_it),
	    TEST(test_response_cut_short),
	    TEST(test_client_gone_between_requests),
	    TEST(test_client_gone_while_it_waits),
	    TEST(test_client_gone_with_its_request),
	    TEST(test_client_gone_in_mid_body),
	    TEST(test_client_gone_in_mid_response),
	    TEST(test_drain_closes_an_idle_one),
	    TEST(test_drain_lets_a_request_end),
	    TEST(test_drain_answers_what_has_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
