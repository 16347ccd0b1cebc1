/* Goal: the handlers health and metrics say how the worker is. */
#include "handler_scene.h"

static void
every_answer_begins_with_the_process(void **state)
{
	char identity[64];

	(void)state;
	snprintf(identity, sizeof(identity),
	    "\r\n\r\n{\"pid\":%d,\"worker\":1,\"instance\":\"test\"",
	    (int)getpid());
	ask("GET /health", "");
	assert_says(identity);
	assert_says("Content-Type: application/json\r\n");
	assert_says("Cache-Control: no-store\r\n");
	ask("GET /metrics", "");
	assert_says(identity);
}

static void
a_serving_worker_is_healthy(void **state)
{
	(void)state;
	ask("GET /health", "");
	assert_says("HTTP/1.1 200 OK\r\n");
	assert_says("\"status\":\"ok\"");
}

static void
a_draining_worker_is_not(void **state)
{
	(void)state;
	scene.rt.draining = true;
	ask("GET /health", "");
	assert_says("HTTP/1.1 503 ");
	assert_says("\"status\":\"draining\"");
}

static void
metrics_are_of_the_worker(void **state)
{
	struct scoreboard_slot *slot = scene.rt.slot;

	(void)state;
	atomic_store(&slot->rss_bytes, UINT64_C(12) << 20);
	atomic_store(&slot->totals[SCOREBOARD_DELAY_WARNINGS], 7);
	atomic_store(&slot->totals[SCOREBOARD_LATE_WAKEUPS], 8);
	ask("GET /pass", "");
	ask("GET /metrics", "");
	assert_says("HTTP/1.1 200 OK\r\n");
	assert_says("\"rss\":\"12 MB\"");
	assert_says("\"workerRequestCount\":2,");
	assert_says("\"requestCount\":2,");
	assert_says("\"connections\":1,");
	assert_says("\"warnings\":7,");
	assert_says("\"lateWakeups\":8}");
	assert_says("\"stalled\":[]");
}

static void
metrics_name_other_workers_that_stall(void **state)
{
	struct scoreboard_slot *other = &scene.rt.scoreboard->slots[1];
	uint64_t since_ns = clock_ns() - UINT64_C(5000000000);

	(void)state;
	atomic_store(&other->pid, 4711);
	atomic_store(&other->state, SLOT_READY);
	atomic_store(&other->busy_since_ns, since_ns);
	memcpy(other->activity, "GET /slow", 9);
	atomic_store(&other->activity_len, 9);
	ask("GET /metrics", "");
	assert_says("\"stalled\":[{\"pid\":4711,\"worker\":2,\"forMs\":5");
	assert_says("\"on\":\"GET /slow\"}]");
}

static void
other_routes_have_no_handler(void **state)
{
	(void)state;
	ask("GET /pass", "");
	assert_int_equal(passed, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_answer_begins_with_the_process),
	    TEST(a_serving_worker_is_healthy),
	    TEST(a_draining_worker_is_not),
	    TEST(metrics_are_of_the_worker),
	    TEST(metrics_name_other_workers_that_stall),
	    TEST(other_routes_have_no_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
