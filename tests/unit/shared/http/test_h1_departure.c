/* Goal: the owner hears of a client that has ended its side, as soon as no
 * further request can come; whether the end or the bytes were first. */
#include "h1_scene.h"

#include "h1_state.h"

#define POST(more) "POST /sink HTTP/1.1\r\nHost: a\r\n" more "\r\n"
#define CHUNKED POST("Transfer-Encoding: chunked\r\n")
#define NEXT "GET /next HTTP/1.0\r\n\r\n"

static bool
has_left(const struct scene *c)
{
	return c->lefts > 0;
}

static bool
has_hung_up(const struct scene *c)
{
	return c->h1->io.hangup;
}

static void
end_sending(void)
{
	assert_int_equal(shutdown(scene->client, SHUT_WR), 0);
}

/* Neither request is ever answered. */
static const struct {
	const char *bytes;
	bool is_final;
} cases[] = {
    {GET("/later"), true},
    {GET("/later") NEXT, false},
    /* Empty lines, or a piece of a request, ask for nothing. */
    {GET("/later") "\r\n", true},
    {GET("/later") "GET / HTTP/1.", true},
    {POST("Content-Length: 4\r\n") "body", true},
    {POST("Content-Length: 4\r\n") "body" NEXT, false},
    {POST("Content-Length: 900\r\n") "never whole" NEXT, true},
    {POST("Content-Length: 4\r\nExpect: 100-continue\r\n"), true},
    {CHUNKED "4\r\nbody\r\n0\r\n\r\n", true},
    {CHUNKED "4\r\nbody\r\n3\r\nall\r\n0\r\nX-A: b\r\n\r\n", true},
    {CHUNKED "4\r\nbody\r\n0\r\n\r\n" NEXT, false},
    {CHUNKED "4\r\nbody\r\n0\r\nX-A: b\r\n\r\n" NEXT, false},
    {CHUNKED "4\r\nbody\r\n90\r\nnever whole" NEXT, true},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static void
judge(size_t i)
{
	if (cases[i].is_final)
		wait_until(has_left);
	else
		wait_until(has_hung_up);
	turn();
	assert_int_equal(scene->requests, 1);
	assert_int_equal(scene->lefts != 0, cases[i].is_final);
	assert_int_equal(h1_stream(scene->h1)->has_left, cases[i].is_final);
	assert_int_equal(scene->closes, 0);
}

static void
next_session(void)
{
	h1_close(scene->h1, STREAM_END_DONE);
	hang_up();
	scene->requests = scene->lefts = 0;
	assert_int_equal(open_session(), 0);
}

static void
test_the_end_comes_with_the_request(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		say(cases[i].bytes);
		end_sending();
		judge(i);
		next_session();
	}
}

static void
test_the_end_comes_later(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		say(cases[i].bytes);
		wait_until(has_request);
		turn();
		end_sending();
		judge(i);
		next_session();
	}
}

/* The bytes behind the head are still the kernel's. */
static void
test_the_rest_comes_later(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		const char *rest = strstr(cases[i].bytes, "\r\n\r\n") + 4;

		say_bytes(cases[i].bytes, (size_t)(rest - cases[i].bytes));
		wait_until(has_request);
		turn();
		say(rest);
		end_sending();
		judge(i);
		next_session();
	}
}

static void
test_nobody_left_while_the_client_stays(void **state)
{
	(void)state;
	say(GET("/later"));
	wait_until(has_request);
	turn();
	assert_int_equal(scene->lefts, 0);
	assert_false(h1_stream(scene->h1)->has_left);
}

static void
test_an_answer_is_read_all_the_same(void **state)
{
	(void)state;
	say(GET("/later"));
	end_sending();
	wait_until(has_left);
	reply(h1_stream(scene->h1), NULL, "late", 4);
	expect("\r\n\r\nlate");
}

static void
test_the_owner_may_abandon(void **state)
{
	(void)state;
	scene->abandons = true;
	say(POST("Content-Length: 4\r\n") "body");
	end_sending();
	wait_until(is_closed);
	assert_int_equal(scene->lefts, 1);
	assert_int_equal(scene->responses, 0);
	assert_int_equal(scene->reason, STREAM_END_PEER);
}

/* Without the body taken, no read meets the reset. */
static void
test_a_client_that_is_gone_has_left(void **state)
{
	(void)state;
	scene->abandons = true;
	say(POST("Content-Length: 900\r\n") "some");
	wait_until(has_request);
	turn();
	hang_up();
	wait_until(is_closed);
	assert_int_equal(scene->reason, STREAM_END_RESET);
}

/* The second request is in hand, and the last. */
static void
test_the_last_of_two(void **state)
{
	(void)state;
	say(GET("/first") GET("/later"));
	end_sending();
	wait_until(has_left);
	assert_int_equal(scene->requests, 2);
	assert_string_equal(scene->target, "/later");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_the_end_comes_with_the_request),
	    TEST(test_the_end_comes_later),
	    TEST(test_the_rest_comes_later),
	    TEST(test_nobody_left_while_the_client_stays),
	    TEST(test_an_answer_is_read_all_the_same),
	    TEST(test_the_owner_may_abandon),
	    TEST(test_a_client_that_is_gone_has_left),
	    TEST(test_the_last_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
