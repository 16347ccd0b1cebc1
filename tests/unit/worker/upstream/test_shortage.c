/* Goal: the host's own shortage is told from a failure of the endpoint, and has
 * a log line at once, then a line with a count at most each ten seconds. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shortage.h"

#define SECOND UINT64_C(1000000)

static void
what_this_host_lacks_is_not_the_endpoints_fault(void **state)
{
	static const int ours[] = {EADDRNOTAVAIL, EADDRINUSE, EAGAIN, EMFILE,
	    ENFILE, ENOBUFS, ENOMEM, ENOSPC};
	static const int theirs[] = {ECONNREFUSED, ECONNRESET, EHOSTUNREACH,
	    ENETUNREACH, ETIMEDOUT, EPIPE, ENOENT, EBADMSG, EMSGSIZE, 0};

	(void)state;
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		assert_true(shortage_is(ours[i]));
		assert_int_equal(shortage_is_of_address(ours[i]), i < 3);
	}
	for (size_t i = 0; i < sizeof(theirs) / sizeof(*theirs); i++)
		assert_false(shortage_is(theirs[i]));
}

static void
a_line_at_once_and_then_each_ten_seconds(void **state)
{
	struct shortage s = {0};
	uint64_t now_us = 5 * SECOND;

	(void)state;
	assert_int_equal(shortage_take_line(&s, now_us), 0);
	shortage_note(&s, EMFILE, "a:1");
	assert_int_equal(shortage_take_line(&s, now_us), 1);
	for (int i = 0; i < 7; i++) {
		shortage_note(&s, EMFILE, "a:1");
		assert_int_equal(shortage_take_line(&s, now_us + SECOND), 0);
	}
	assert_int_equal(shortage_take_line(&s, now_us + 10 * SECOND - 1), 0);
	assert_int_equal(shortage_take_line(&s, now_us + 10 * SECOND), 7);
	assert_int_equal(shortage_take_line(&s, now_us + 30 * SECOND), 0);
}

static void
it_lasts_until_the_next_try_and_some_more(void **state)
{
	struct shortage s = {0};

	(void)state;
	assert_false(shortage_lasts(&s, SECOND));
	shortage_note(&s, EMFILE, "a:1");
	assert_false(shortage_lasts(&s, SECOND));
	shortage_begin(&s, SECOND);
	assert_true(shortage_lasts(&s, SECOND + SHORTAGE_RETRY_US));
	assert_false(shortage_lasts(&s, 2 * SECOND));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_this_host_lacks_is_not_the_endpoints_fault),
	    cmocka_unit_test(a_line_at_once_and_then_each_ten_seconds),
	    cmocka_unit_test(it_lasts_until_the_next_try_and_some_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
