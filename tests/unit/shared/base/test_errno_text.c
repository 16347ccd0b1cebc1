/* Goal: a log line gets the name and the meaning of an error number, and an
 * unknown number as such. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "errno_text.h"

static void
test_name_and_meaning(void **state)
{
	char buf[ERRNO_TEXT_MAX];

	(void)state;
	assert_string_equal(errno_text(EADDRNOTAVAIL, buf),
	    "EADDRNOTAVAIL, Cannot assign requested address");
	assert_string_equal(
	    errno_text(ECONNREFUSED, buf), "ECONNREFUSED, Connection refused");
	assert_string_equal(errno_text(99999, buf), "error 99999");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_name_and_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
