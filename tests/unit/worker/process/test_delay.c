/* Goal: every block of the loop, busy or asleep, is measured once and warned of
 * once, each kind in words of its own. A stall is visible while the stall
 * lasts. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "delay.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)

static alignas(64) struct scoreboard_slot slot;
static struct delay_meter meter;
static int real_stderr, captured;

static int
setup(void **state)
{
	char name[] = "/tmp/test_delay.XXXXXX";

	(void)state;
	memset(&slot, 0, sizeof(slot));
	delay_init(&meter, &slot, 2, 50000);
	captured = mkostemp(name, O_CLOEXEC);
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (captured == -1 || real_stderr == -1 || unlink(name) == -1)
		return -1;
	return dup2(captured, STDERR_FILENO) == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	return close(captured);
}

/* The logged text, which must have `lines` lines. */
static const char *
logged(int lines)
{
	static char text[4096];
	ssize_t len = pread(captured, text, sizeof(text) - 1, 0);
	int seen = 0;

	assert_true(len >= 0);
	text[len] = '\0';
	for (char *p = text; (p = strchr(p, '\n')) != NULL; p++)
		seen++;
	assert_int_equal(seen, lines);
	return text;
}

static void
begin(const char *activity)
{
	strcpy(slot.activity, activity);
	atomic_store(&slot.activity_len, (uint32_t)strlen(activity));
}

static uint64_t
warnings(void)
{
	return atomic_load(&slot.totals[SCOREBOARD_DELAY_WARNINGS]);
}

static uint64_t
late_wakeups(void)
{
	return atomic_load(&slot.totals[SCOREBOARD_LATE_WAKEUPS]);
}

static void
test_busy_is_visible_while_it_lasts(void **state)
{
	(void)state;
	delay_woke(&meter, 1 * S, UINT64_MAX, 2 * S);
	assert_int_equal(scoreboard_busy_ns(&slot, 2 * S + 7), 7);
	delay_asleep(&meter, 2 * S, 2 * S + MS);
	assert_int_equal(scoreboard_busy_ns(&slot, 3 * S), 0);
	logged(0);
}

static void
test_one_block_one_line(void **state)
{
	char want[128];

	(void)state;
	delay_woke(&meter, 1 * S, 1 * S + 10 * MS, 1 * S + 2 * MS);
	begin("GET /api/cpu-bound");
	delay_asleep(&meter, 1 * S + 2 * MS, 4 * S + 4 * MS);
	/* Timers that came due during the block are not late once more. */
	delay_woke(
	    &meter, 4 * S + 4 * MS, 1 * S + 10 * MS, 4 * S + 4 * MS + 1000);
	delay_asleep(&meter, 4 * S + 4 * MS + 1000, 4 * S + 5 * MS);
	snprintf(want, sizeof(want),
	    ": Event loop delay: 3002ms worker=2 pid=%d "
	    "on=\"GET /api/cpu-bound\"\n",
	    (int)getpid());
	assert_non_null(strstr(logged(1), want));
	assert_int_equal(warnings(), 1);
	assert_int_equal(histogram_max(&slot.delay), 3002 * MS);
	assert_true(histogram_max(&slot.lateness) < MS);
	assert_int_equal(
	    atomic_load(&slot.totals[SCOREBOARD_BUSY_OVER_10MS_NS]), 3002 * MS);
}

static void
test_stopped_while_asleep(void **state)
{
	(void)state;
	delay_woke(&meter, 1 * S, 1 * S + 10 * MS, 2 * S + 10 * MS);
	delay_asleep(&meter, 2 * S + 10 * MS, 2 * S + 11 * MS);
	assert_non_null(
	    strstr(logged(1), ": woken late by 1000ms: worker=2 pid="));
	assert_null(strstr(logged(1), "Event loop delay"));
	assert_int_equal(late_wakeups(), 1);
	assert_int_equal(warnings(), 0);
	assert_int_equal(histogram_max(&slot.lateness), 1 * S);
	assert_int_equal(histogram_max(&slot.delay), 1 * MS);
}

/* The loop polls with a timeout of 10 ms and wakes late_ns after the
 * timeout. */
static void
wake_late(uint64_t entered_ns, uint64_t late_ns)
{
	uint64_t due_ns = entered_ns + 10 * MS;

	delay_woke(&meter, entered_ns, due_ns, due_ns + late_ns);
	delay_asleep(&meter, due_ns + late_ns, due_ns + late_ns + 1000);
}

static void
test_starved_is_a_line_a_second(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		wake_late(i * 100 * MS, 51 * MS);
	assert_non_null(strstr(logged(1), "woken late by 51ms: "));
	assert_null(strstr(logged(1), "more since"));
	assert_int_equal(late_wakeups(), 10);
	/* A second after the first. */
	wake_late(1 * S, 78 * MS);
	assert_non_null(strstr(logged(2), "woken late by 78ms: "));
	assert_non_null(
	    strstr(logged(2), "; 9 more since the last such line\n"));
	wake_late(10 * S, 80 * MS);
	assert_null(strstr(strstr(logged(3), "woken late by 80ms: "), "more"));
	assert_int_equal(late_wakeups(), 12);
	assert_int_equal(warnings(), 0);
}

static void
test_blocks_are_logged_between_lines_of_lateness(void **state)
{
	(void)state;
	wake_late(1 * S, 60 * MS);
	delay_woke(&meter, 2 * S, UINT64_MAX, 2 * S);
	delay_asleep(&meter, 2 * S, 2 * S + 70 * MS);
	delay_woke(&meter, 2 * S, UINT64_MAX, 2 * S);
	delay_asleep(&meter, 2 * S, 2 * S + 71 * MS);
	assert_non_null(strstr(logged(3), ": Event loop delay: 70ms "));
	assert_non_null(strstr(logged(3), ": Event loop delay: 71ms "));
	assert_int_equal(warnings(), 2);
	assert_int_equal(late_wakeups(), 1);
}

static void
test_idle_is_no_delay(void **state)
{
	(void)state;
	delay_woke(&meter, 1 * S, UINT64_MAX, 60 * S);
	delay_asleep(&meter, 60 * S, 60 * S + 1000);
	delay_woke(&meter, 61 * S, 70 * S, 69 * S);
	delay_asleep(&meter, 69 * S, 69 * S + 1000);
	logged(0);
	assert_int_equal(histogram_count(&slot.lateness), 0);
	assert_int_equal(histogram_count(&slot.delay), 2);
}

static void
test_threshold_is_exceeded_not_reached(void **state)
{
	(void)state;
	delay_woke(&meter, 1 * S, UINT64_MAX, 2 * S);
	delay_asleep(&meter, 2 * S, 2 * S + 50 * MS);
	logged(0);
	delay_woke(&meter, 3 * S, UINT64_MAX, 4 * S);
	delay_asleep(&meter, 4 * S, 4 * S + 50 * MS + 1);
	logged(1);
}

static void
test_activity_ends_with_its_iteration(void **state)
{
	(void)state;
	delay_woke(&meter, 1 * S, UINT64_MAX, 2 * S);
	begin("GET /old");
	delay_asleep(&meter, 2 * S, 2 * S + MS);
	delay_woke(&meter, 2 * S + MS, UINT64_MAX, 3 * S);
	delay_asleep(&meter, 3 * S, 4 * S);
	assert_null(strstr(logged(1), "/old"));
}

static void
test_time_over_10ms_adds_up(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 4; i++) {
		delay_woke(&meter, i * S, UINT64_MAX, i * S);
		delay_asleep(&meter, i * S, i * S + i * 5 * MS);
	}
	assert_int_equal(
	    atomic_load(&slot.totals[SCOREBOARD_BUSY_OVER_10MS_NS]), 35 * MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_busy_is_visible_while_it_lasts),
	    TEST(test_one_block_one_line),
	    TEST(test_stopped_while_asleep),
	    TEST(test_starved_is_a_line_a_second),
	    TEST(test_blocks_are_logged_between_lines_of_lateness),
	    TEST(test_idle_is_no_delay),
	    TEST(test_threshold_is_exceeded_not_reached),
	    TEST(test_activity_ends_with_its_iteration),
	    TEST(test_time_over_10ms_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
