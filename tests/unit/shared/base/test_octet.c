/* Goal: each of the 256 bytes has the class of RFC 9110 and RFC 3986. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "octet.h"

static bool
is_one_of(int c, const char *set)
{
	return c != 0 && strchr(set, c) != NULL;
}

static void
test_classes(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		bool alnum = c < 128 && isalnum(c);
		bool visible = c > 0x20 && c < 0x7f;

		assert_int_equal(octet_is((char)c, OCTET_TOKEN),
		    alnum || is_one_of(c, "!#$%&'*+-.^_`|~"));
		assert_int_equal(octet_is((char)c, OCTET_TEXT),
		    c == '\t' || c == ' ' || visible || c >= 0x80);
		assert_int_equal(
		    octet_is((char)c, OCTET_TARGET), visible && c != '#');
		assert_int_equal(octet_is((char)c, OCTET_HOST),
		    alnum || is_one_of(c, "-._~!$&'()*+;="));
		assert_int_equal(
		    octet_is((char)c, OCTET_DIGIT), c >= '0' && c <= '9');
		assert_int_equal(octet_is((char)c, OCTET_SEGMENT),
		    octet_is((char)c, OCTET_TARGET) && !is_one_of(c, "%./?\\"));
		assert_int_equal(octet_is((char)c, OCTET_UNRESERVED),
		    alnum || is_one_of(c, "-._~"));
		assert_int_equal(
		    octet_hex((char)c) >= 0, c < 128 && isxdigit(c) != 0);
	}
	assert_int_equal(octet_hex('0'), 0);
	assert_int_equal(octet_hex('9'), 9);
	assert_int_equal(octet_hex('a'), 10);
	assert_int_equal(octet_hex('F'), 15);
}

/* Each byte, at each place, among bytes of each class. */
static void
test_skip_text(void **state)
{
	static const char fillers[] = {'a', '\t', '\x80', '\xff', ' ', '~'};
	char text[24];

	(void)state;
	for (size_t f = 0; f < sizeof(fillers); f++)
		for (int c = 0; c < 256; c++)
			for (size_t at = 0; at < sizeof(text); at++) {
				const char *end = text + sizeof(text);

				memset(text, fillers[f], sizeof(text));
				text[at] = (char)c;
				assert_ptr_equal(octet_skip_text(text, end),
				    octet_is((char)c, OCTET_TEXT) ? end
								  : text + at);
			}
	for (size_t len = 0; len < sizeof(text); len++) {
		memset(text, 'a', sizeof(text));
		assert_ptr_equal(octet_skip_text(text, text + len), text + len);
	}
}

static void
test_same(void **state)
{
	(void)state;
	assert_true(octet_same("ChUnKeD", "chunked", 7));
	assert_true(octet_same("a_b-1/", "a_b-1/", 6));
	assert_false(octet_same("chunkec", "chunked", 7));
	assert_false(octet_same("a\x0d", "a-", 2));
	assert_false(octet_same("\x10", "0", 1));
	assert_false(octet_same("@", "`", 1));
	assert_false(octet_same("[", "{", 1));
	assert_false(octet_same("\x7f", "_", 1));
}

static void
test_same_variable(void **state)
{
	(void)state;
	assert_true(octet_same_variable("X_Real-IP", "x-real-ip", 9));
	assert_true(octet_same_variable("x-real_ip", "x-real-ip", 9));
	assert_true(octet_same_variable("TE", "te", 2));
	assert_false(octet_same_variable("X_Real_IQ", "x-real-ip", 9));
	assert_false(octet_same_variable("X.Real.IP", "x-real-ip", 9));
	assert_false(octet_same_variable("_e", "te", 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_classes),
	    cmocka_unit_test(test_skip_text),
	    cmocka_unit_test(test_same),
	    cmocka_unit_test(test_same_variable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
