/* Goal: a request that may go no further, or is about the server, is answered
 * here; all others pass. */
#include "stage_scene.h"

#include "last_hop.h"

const struct stage *const chain_stages[] = {&last_hop_stage, &pass_stage, NULL};

static int
setup(void **state)
{
	(void)state;
	scene_open("%s", "routes:\n"
			 "- { path: /a, respond: { json: '{}' } }\n");
	open_stages();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	close_stages();
	scene_close();
	return 0;
}

static void
all_others_pass(void **state)
{
	(void)state;
	ask("GET /a", "");
	ask("OPTIONS /a", "");
	ask("TRACE /a", "Max-Forwards: 1\r\n");
	/* RFC 9110 section 7.6.2: only of OPTIONS and TRACE. */
	ask("GET /a", "Max-Forwards: 0\r\n");
	assert_int_equal(passed, 4);
	assert_says("passed");
}

static void
options_of_the_server_are_told(void **state)
{
	(void)state;
	ask("OPTIONS *", "");
	assert_int_equal(passed, 0);
	assert_says("HTTP/1.1 200 OK\r\n");
	assert_says("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, "
		    "TRACE\r\n");
	assert_says("Content-Length: 0\r\n");
}

static void
the_last_hop_answers_options(void **state)
{
	(void)state;
	ask("OPTIONS /a", "Max-Forwards: 0\r\n");
	assert_int_equal(passed, 0);
	assert_says("Allow: GET, ");
}

static void
the_last_hop_echoes_a_trace(void **state)
{
	(void)state;
	ask("TRACE /a?b=c", "X-A: 1\r\nMax-Forwards: 0\r\nX-B:  2 \r\n");
	assert_int_equal(passed, 0);
	assert_says("HTTP/1.1 200 OK\r\n");
	assert_says("Content-Type: message/http\r\n");
	assert_says("\r\n\r\nTRACE /a?b=c HTTP/1.1\r\nHost: example.org\r\n"
		    "Connection: close\r\nX-A: 1\r\nMax-Forwards: 0\r\n"
		    "X-B: 2\r\n\r\n");
}

static void
a_trace_keeps_secrets(void **state)
{
	(void)state;
	ask("TRACE /a",
	    "Max-Forwards: 0\r\nCookie: secret\r\nAuthorization: secret\r\n"
	    "Proxy-Authorization: secret\r\nCookies: told\r\n");
	assert_says("Cookies: told\r\n\r\n");
	assert_says_not("secret");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(all_others_pass),
	    TEST(options_of_the_server_are_told),
	    TEST(the_last_hop_answers_options),
	    TEST(the_last_hop_echoes_a_trace),
	    TEST(a_trace_keeps_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
