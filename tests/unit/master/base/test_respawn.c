/* Goal: a healthy worker that dies is restarted at once, a worker in a crash
 * loop ever later, and a worker with a wrong configuration never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <signal.h>

#include <cmocka.h>

#include "log.h"
#include "respawn.h"

#define KILLED SIGKILL
#define EXITED(code) ((code) << 8)

static uint64_t
delay_after(struct respawn *r, uint64_t uptime_us, uint32_t random)
{
	struct respawn_facts facts = {KILLED, uptime_us, random};
	uint64_t delay_us = UINT64_MAX;

	assert_true(respawn_decide(r, &facts, &delay_us));
	return delay_us;
}

static void
test_healthy_runs_are_answered_at_once(void **state)
{
	struct respawn r = {0};

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(delay_after(&r, RESPAWN_HEALTHY_US, 7), 0);
}

static void
test_crash_loop_backs_off(void **state)
{
	const uint64_t want_ms[] = {
	    0, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000};
	struct respawn r = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(want_ms) / sizeof(want_ms[0]); i++)
		assert_int_equal(delay_after(&r, 0, 0), want_ms[i] * 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(delay_after(&r, 0, 0), RESPAWN_LAST_US);
}

static void
test_jitter_takes_up_to_a_half(void **state)
{
	struct respawn whole = {.short_runs = 20}, half = whole, some = whole;

	(void)state;
	assert_int_equal(delay_after(&whole, 0, 0), 10000000);
	assert_int_equal(delay_after(&half, 0, UINT32_MAX), 5000000);
	assert_in_range(
	    delay_after(&some, 0, UINT32_MAX / 2), 7400000, 7600000);
}

static void
test_a_healthy_run_forgives(void **state)
{
	struct respawn r = {0};

	(void)state;
	for (int i = 0; i < 5; i++)
		delay_after(&r, RESPAWN_HEALTHY_US - 1, 0);
	assert_int_equal(delay_after(&r, RESPAWN_HEALTHY_US, 0), 0);
	assert_int_equal(delay_after(&r, 0, 0), 0);
	assert_int_equal(delay_after(&r, 0, 0), RESPAWN_FIRST_US);
}

static void
test_wrong_configuration_gives_up(void **state)
{
	struct respawn_facts facts = {EXITED(LOG_EXIT_CONFIG), 1, 0};
	struct respawn r = {0};
	uint64_t delay_us;

	(void)state;
	assert_false(respawn_decide(&r, &facts, &delay_us));
	facts.wait_status = EXITED(1);
	assert_true(respawn_decide(&r, &facts, &delay_us));
	/* A signal of that number is not the exit status. */
	facts.wait_status = LOG_EXIT_CONFIG;
	assert_true(respawn_decide(&r, &facts, &delay_us));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_healthy_runs_are_answered_at_once),
	    cmocka_unit_test(test_crash_loop_backs_off),
	    cmocka_unit_test(test_jitter_takes_up_to_a_half),
	    cmocka_unit_test(test_a_healthy_run_forgives),
	    cmocka_unit_test(test_wrong_configuration_gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
