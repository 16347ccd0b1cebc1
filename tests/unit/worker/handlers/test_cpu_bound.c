/* Goal: the work blocks the loop, or runs in a thread when asked so; the time
 * is checked. */
#include "handler_scene.h"

static void
the_work_takes_the_time(void **state)
{
	uint64_t begin_ns = clock_ns();

	(void)state;
	ask("GET /cpu?ms=5", "");
	assert_true(clock_ns() - begin_ns >= 5000000);
	assert_says("HTTP/1.1 200 OK\r\n");
	assert_says("\"ms\":5,\"durationMs\":");
	assert_says("\"offloaded\":false,\"result\":\"");
	/* The request keeps the blame for the iteration. */
	assert_true(scene.rt.blocked_us != 0);
}

static void
a_thread_does_not_block(void **state)
{
	(void)state;
	ask("GET /cpu?ms=1&offload=true", "");
	assert_says("HTTP/1.1 200 OK\r\n");
	assert_says("\"ms\":1,\"durationMs\":");
	assert_says("\"offloaded\":true,\"result\":\"");
	assert_int_equal(scene.rt.blocked_us, 0);
}

static void
a_bad_time_is_refused(void **state)
{
	static const char *const bad[] = {
	    "", "x", "-1", "1x", "60001", "000001"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char line[64];

		snprintf(line, sizeof(line), "GET /cpu?ms=%s", bad[i]);
		ask(line, "");
		assert_says("HTTP/1.1 400 ");
		assert_says("ms must be a number from 0 to 60000");
	}
}

static void
stop(struct offload_job *job)
{
	(void)job;
}

static void
wait_to_stop(struct offload_job *job, const _Atomic bool *stopping)
{
	(void)job;
	while (!*stopping)
		;
}

static void
too_many_jobs_are_refused(void **state)
{
	static struct offload_job jobs[OFFLOAD_JOBS_MAX];

	(void)state;
	for (size_t i = 0; i < OFFLOAD_JOBS_MAX; i++) {
		jobs[i] =
		    (struct offload_job){.run = wait_to_stop, .done = stop};
		assert_true(offload_submit(scene.rt.offload, &jobs[i]));
	}
	ask("GET /cpu?ms=1&offload=true", "");
	assert_says("HTTP/1.1 503 ");
	assert_says("too many jobs are under way");
}

static bool
is_in_hand(void)
{
	return atomic_load(&scene.rt.slot->in_flight) == 1;
}

/* The thread goes on, and its result finds nobody. */
static void
a_client_may_leave_during_the_work(void **state)
{
	(void)state;
	say("GET /cpu?ms=20&offload=true HTTP/1.1\r\nHost: h\r\n\r\n");
	WAIT_UNTIL(is_in_hand);
	hang_up();
	WAIT_UNTIL(all_have_left);
	assert_int_equal(observed.count, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_work_takes_the_time),
	    TEST(a_thread_does_not_block),
	    TEST(a_bad_time_is_refused),
	    TEST(too_many_jobs_are_refused),
	    TEST(a_client_may_leave_during_the_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
