/* Goal: text never runs over its buffer and never keeps half of a piece. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"

#define GUARD 0x5a

static void
assert_text(const struct text *t, const char *want)
{
	assert_int_equal(t->len, strlen(want));
	assert_memory_equal(t->data, want, t->len);
}

static void
test_appends(void **state)
{
	char buf[64];
	struct text t;

	(void)state;
	text_init(&t, buf, sizeof(buf));
	text_add(&t, "ab", 2);
	text_add_str(&t, "cd");
	text_add(&t, NULL, 0);
	text_add_str(&t, "");
	text_addf(&t, "-%d-%s", 42, "x");
	assert_text(&t, "abcd-42-x");
	assert_false(text_is_full(&t));
}

static void
test_numbers(void **state)
{
	char buf[128];
	struct text t;

	(void)state;
	text_init(&t, buf, sizeof(buf));
	text_add_uint(&t, 0);
	text_add(&t, " ", 1);
	text_add_uint(&t, 1009);
	text_add(&t, " ", 1);
	text_add_uint(&t, UINT64_MAX);
	text_add(&t, " ", 1);
	text_add_hex(&t, 0);
	text_add(&t, " ", 1);
	text_add_hex(&t, 0xdeadbeef0);
	text_add(&t, " ", 1);
	text_add_hex(&t, UINT64_MAX);
	assert_text(&t, "0 1009 18446744073709551615 0 deadbeef0 "
			"ffffffffffffffff");
}

static void
test_fits_exactly(void **state)
{
	char buf[9];
	struct text t;

	(void)state;
	memset(buf, GUARD, sizeof(buf));
	text_init(&t, buf, 8);
	text_add(&t, "12345678", 8);
	assert_false(text_is_full(&t));
	assert_text(&t, "12345678");
	text_add(&t, "", 0);
	assert_false(text_is_full(&t));
	text_add(&t, "9", 1);
	assert_true(text_is_full(&t));
	assert_int_equal(buf[8], GUARD);
}

/* A piece that does not fit is dropped whole, with all later pieces. */
static void
test_overflow_sticks(void **state)
{
	char buf[16];
	struct text t;

	(void)state;
	memset(buf, GUARD, sizeof(buf));
	text_init(&t, buf, 8);
	text_add_str(&t, "12345");
	text_add_str(&t, "6789");
	assert_true(text_is_full(&t));
	text_add_str(&t, "6");
	text_add_uint(&t, 6);
	text_addf(&t, "%d", 6);
	assert_true(text_is_full(&t));
	assert_text(&t, "12345");
	for (size_t i = 8; i < sizeof(buf); i++)
		assert_int_equal(buf[i], GUARD);
}

static void
test_numbers_overflow(void **state)
{
	char buf[21];
	struct text t;

	(void)state;
	memset(buf, GUARD, sizeof(buf));
	text_init(&t, buf, 19);
	text_add_uint(&t, UINT64_MAX);
	assert_true(text_is_full(&t));
	assert_int_equal(t.len, 0);
	text_init(&t, buf, 20);
	text_add_uint(&t, UINT64_MAX);
	assert_false(text_is_full(&t));
	assert_int_equal(buf[20], GUARD);
}

/* vsnprintf() needs a byte for NUL, inside the buffer too. */
static void
test_formatted_overflow(void **state)
{
	char buf[9];
	struct text t;

	(void)state;
	memset(buf, GUARD, sizeof(buf));
	text_init(&t, buf, 8);
	text_addf(&t, "%s", "1234567");
	assert_false(text_is_full(&t));
	assert_int_equal(t.len, 7);
	text_addf(&t, "%s", "89");
	assert_true(text_is_full(&t));
	assert_int_equal(t.len, 7);
	assert_int_equal(buf[8], GUARD);
}

/* The text of a head without memory. */
static void
test_no_buffer_at_all(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, NULL, 0);
	text_add_str(&t, "lost");
	text_addf(&t, "%d", 1);
	assert_true(text_is_full(&t));
	assert_int_equal(t.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_appends),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_fits_exactly),
	    cmocka_unit_test(test_overflow_sticks),
	    cmocka_unit_test(test_numbers_overflow),
	    cmocka_unit_test(test_formatted_overflow),
	    cmocka_unit_test(test_no_buffer_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
