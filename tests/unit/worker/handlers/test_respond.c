/* Goal: a route with `respond` answers as configured: status, JSON, delay,
 * failures on purpose. */
#include "stage_scene.h"

#include "respond.h"

const struct stage *const chain_stages[] = {&respond_stage, &pass_stage, NULL};

static int
setup(void **state)
{
	(void)state;
	scene_open("%s",
	    "routes:\n"
	    "- { path: /plain, respond: { status: 201, json: '{\"a\":1}' } }\n"
	    "- { path: /random, respond: "
	    "{ json: '{\"a\":\"{{random}}\",\"b\":\"{{random}}\"}' } }\n"
	    "- { path: /late, respond: { json: '{}', delay: 20ms } }\n"
	    "- { path: /never, respond: { json: '{}', delay: 60s } }\n"
	    "- { path: /failing, respond: "
	    "{ json: '{}', fail_percent: 100 } }\n");
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
the_configured_answer_is_given(void **state)
{
	(void)state;
	ask("GET /plain", "");
	assert_says("HTTP/1.1 201 ");
	assert_says("Content-Type: application/json\r\n");
	assert_says("\r\n\r\n{\"a\":1}");
}

static void
each_mark_becomes_a_random_number(void **state)
{
	const char *a, *b;

	(void)state;
	ask("GET /random", "");
	a = strstr(said, "{\"a\":\"");
	assert_non_null(a);
	a += strlen("{\"a\":\"");
	assert_int_equal(strspn(a, "0123456789abcdef"), 16);
	b = a + 16 + strlen("\",\"b\":\"");
	assert_int_equal(strspn(b, "0123456789abcdef"), 16);
	assert_memory_not_equal(a, b, 16);
	assert_string_equal(b + 16, "\"}");
}

static void
a_delay_passes_first(void **state)
{
	uint64_t begin_us = clock_ns() / 1000;

	(void)state;
	ask("GET /late", "");
	assert_says("HTTP/1.1 200 OK\r\n");
	/* A timer may fire early (LOOP_EARLY_US). */
	assert_true(clock_ns() / 1000 - begin_us >= 20000 - LOOP_EARLY_US);
}

static bool
is_in_hand(void)
{
	return atomic_load(&scene.rt.slot->in_flight) == 1;
}

/* The teardown sees that no timer is left. */
static void
a_client_may_leave_during_the_delay(void **state)
{
	(void)state;
	say("GET /never HTTP/1.1\r\nHost: h\r\n\r\n");
	WAIT_UNTIL(is_in_hand);
	hang_up();
	WAIT_UNTIL(all_have_left);
	assert_int_equal(observed.count, 1);
	assert_int_equal(observed.last.status, 499);
}

static void
failures_are_as_frequent_as_configured(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		ask("GET /failing", "");
		assert_says("HTTP/1.1 503 ");
		assert_says("failing on purpose");
	}
	ask("GET /plain", "");
	assert_says("HTTP/1.1 201 ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_configured_answer_is_given),
	    TEST(each_mark_becomes_a_random_number),
	    TEST(a_delay_passes_first),
	    TEST(a_client_may_leave_during_the_delay),
	    TEST(failures_are_as_frequent_as_configured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
