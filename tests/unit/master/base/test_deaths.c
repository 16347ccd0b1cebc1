/* Goal: the last deaths are kept, newest first, and counted per slot. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deaths.h"

static void
test_newest_first_and_bounded(void **state)
{
	static struct deaths d;

	(void)state;
	assert_null(deaths_get(&d, 0));
	for (int i = 1; i <= DEATHS_KEPT + 10; i++) {
		struct death death = {.slot = (unsigned)i % 2, .pid = i};

		deaths_add(&d, &death);
	}
	assert_int_equal(d.count, DEATHS_KEPT + 10);
	assert_int_equal(deaths_get(&d, 0)->pid, DEATHS_KEPT + 10);
	assert_int_equal(deaths_get(&d, DEATHS_KEPT - 1)->pid, 11);
	assert_null(deaths_get(&d, DEATHS_KEPT));
	assert_int_equal(d.by_slot[0], 37);
	assert_int_equal(d.by_slot[1], 37);
}

static void
test_causes(void **state)
{
	char buf[DEATHS_CAUSE_MAX];

	(void)state;
	assert_string_equal(deaths_cause(SIGKILL, buf), "signal 9 (Killed)");
	assert_string_equal(deaths_cause(3 << 8, buf), "exit status 3");
	assert_string_equal(deaths_cause(SIGSEGV | 0x80, buf),
	    "signal 11 (Segmentation fault)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_newest_first_and_bounded),
	    cmocka_unit_test(test_causes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
