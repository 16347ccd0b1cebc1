/* Goal: a stall is reported once, while the stall lasts, and the worker is
 * killed once if configured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stall.h"

#define MS UINT64_C(1000000)

static const struct stall_limits limits = {50 * MS, 0};
static const struct stall_limits killing = {50 * MS, 500 * MS};

static enum stall_verdict
check(struct stall *s, const struct stall_limits *l, uint64_t busy_since_ms,
    uint64_t heartbeat_ms, uint64_t now_ms)
{
	struct stall_facts facts = {
	    busy_since_ms * MS, heartbeat_ms * MS, now_ms * MS};
	uint64_t for_ns;

	return stall_check(s, l, &facts, &for_ns);
}

static void
test_short_work_is_no_stall(void **state)
{
	struct stall s = {0};

	(void)state;
	assert_int_equal(check(&s, &limits, 1000, 1000, 1050), STALL_NONE);
	assert_int_equal(check(&s, &limits, 1051, 1051, 1100), STALL_NONE);
}

static void
test_each_stall_is_told_once(void **state)
{
	struct stall s = {0};

	(void)state;
	assert_int_equal(check(&s, &limits, 1000, 1000, 1051), STALL_BLOCKED);
	assert_int_equal(check(&s, &limits, 1000, 1000, 3000), STALL_NONE);
	assert_int_equal(check(&s, &limits, 0, 4000, 4001), STALL_NONE);
	assert_int_equal(check(&s, &limits, 5000, 5000, 5060), STALL_BLOCKED);
	assert_int_equal(check(&s, &limits, 5061, 5000, 5200), STALL_BLOCKED);
}

static uint64_t
due_ms(const struct stall *s, uint64_t busy_since_ms, uint64_t now_ms)
{
	struct stall_facts facts = {
	    busy_since_ms * MS, now_ms * MS, now_ms * MS};

	return stall_due_ns(s, &killing, &facts) / MS;
}

static void
test_when_to_look_again(void **state)
{
	struct stall s = {0};

	(void)state;
	assert_int_equal(due_ms(&s, 0, 1000), 1050);
	assert_int_equal(due_ms(&s, 990, 1000), 1040);
	/* At the threshold the stall has not begun. */
	assert_int_equal(check(&s, &killing, 990, 990, 1040), STALL_NONE);
	assert_true(due_ms(&s, 990, 1040) <= 1040);
	assert_int_equal(check(&s, &killing, 990, 990, 1041), STALL_BLOCKED);
	assert_int_equal(due_ms(&s, 990, 1041), 1091);
	assert_int_equal(due_ms(&s, 990, 1480), 1490);
	assert_int_equal(check(&s, &killing, 990, 990, 1491), STALL_KILL);
	assert_int_equal(due_ms(&s, 990, 1491), 1541);
}

static void
test_stamp_after_now_is_no_stall(void **state)
{
	struct stall s = {0};

	(void)state;
	assert_int_equal(check(&s, &limits, 1001, 1000, 1000), STALL_NONE);
	assert_int_equal(check(&s, &limits, 0, 1001, 1000), STALL_NONE);
}

static void
test_silence_is_told_once_and_forgotten(void **state)
{
	struct stall s = {0};

	(void)state;
	assert_int_equal(check(&s, &limits, 0, 1000, 1190), STALL_NONE);
	assert_int_equal(check(&s, &limits, 0, 1000, 1201), STALL_SILENT);
	assert_int_equal(check(&s, &limits, 0, 1000, 9000), STALL_NONE);
	assert_int_equal(check(&s, &limits, 0, 9000, 9001), STALL_NONE);
	assert_int_equal(check(&s, &limits, 0, 9000, 9300), STALL_SILENT);
}

static void
test_no_heartbeat_yet(void **state)
{
	struct stall s = {0};

	(void)state;
	assert_int_equal(check(&s, &limits, 0, 0, 100000), STALL_NONE);
}

static void
test_kill_comes_once_after_its_time(void **state)
{
	struct stall s = {0};

	(void)state;
	assert_int_equal(check(&s, &killing, 1000, 1000, 1100), STALL_BLOCKED);
	assert_int_equal(check(&s, &killing, 1000, 1000, 1500), STALL_NONE);
	assert_int_equal(check(&s, &killing, 1000, 1000, 1501), STALL_KILL);
	assert_int_equal(check(&s, &killing, 1000, 1000, 1600), STALL_NONE);
	/* A killed worker may take a while to die. */
	assert_int_equal(check(&s, &killing, 2000, 2000, 2600), STALL_KILL);
	assert_int_equal(check(&s, &killing, 2000, 2000, 2610), STALL_NONE);
}

static void
test_duration(void **state)
{
	struct stall_facts facts = {1000 * MS, 1000 * MS, 1060 * MS};
	struct stall s = {0};
	uint64_t for_ns;

	(void)state;
	stall_check(&s, &limits, &facts, &for_ns);
	assert_int_equal(for_ns, 60 * MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_short_work_is_no_stall),
	    cmocka_unit_test(test_each_stall_is_told_once),
	    cmocka_unit_test(test_when_to_look_again),
	    cmocka_unit_test(test_stamp_after_now_is_no_stall),
	    cmocka_unit_test(test_silence_is_told_once_and_forgotten),
	    cmocka_unit_test(test_no_heartbeat_yet),
	    cmocka_unit_test(test_kill_comes_once_after_its_time),
	    cmocka_unit_test(test_duration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
