/* Goal: a number comes from Redis, or from this process when asked so; without
 * Redis the request fails at once. */
#include "handler_scene.h"

static void
memory_counts_alone(void **state)
{
	(void)state;
	ask("GET /count?state=memory", "");
	assert_says("HTTP/1.1 200 OK\r\n");
	assert_says("\"count\":1,\"state\":\"memory\"}");
	ask("GET /count?state=memory", "");
	assert_says("\"count\":2,\"state\":\"memory\"}");
}

static void
without_redis_no_number_is_given(void **state)
{
	(void)state;
	ask("GET /count", "");
	assert_says("HTTP/1.1 503 ");
	assert_says("the counter is in Redis, which is away or refuses");
	ask("GET /count?state=redis", "");
	assert_says("HTTP/1.1 503 ");
}

/* The number comes later: nothing may be written then. */
static void
a_client_may_leave_before_its_number(void **state)
{
	(void)state;
	say("GET /count HTTP/1.1\r\nHost: h\r\n\r\n");
	hang_up();
	WAIT_UNTIL(all_have_left);
	assert_int_equal(observed.count, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(memory_counts_alone),
	    TEST(without_redis_no_number_is_given),
	    TEST(a_client_may_leave_before_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
