/* Goal: a field leaves as one whole line or not at all, and received fields
 * pass unchanged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fields.h"

static char room[256];
static struct fields fields;

static int
setup(void **state)
{
	(void)state;
	fields_init(&fields, room, sizeof(room) - 1);
	return 0;
}

static const char *
lines(void)
{
	room[fields.lines.len] = '\0';
	return room;
}

static void
a_field_is_a_line(void **state)
{
	static const struct field array[] = {
	    {"Allow", "GET"}, {"Vary", ""}, {NULL, NULL}};

	(void)state;
	fields_add(&fields, "A", "b c");
	fields_add_slice(&fields, "Empty", (struct slice){NULL, 0});
	fields_add_uint(&fields, "N", UINT64_MAX);
	fields_add_all(&fields, array);
	fields_add_all(&fields, NULL);
	assert_string_equal(lines(), "A: b c\r\nEmpty: \r\n"
				     "N: 18446744073709551615\r\n"
				     "Allow: GET\r\nVary: \r\n");
	assert_false(fields_are_full(&fields));
}

static void
a_value_may_come_in_parts(void **state)
{
	struct text *value;

	(void)state;
	value = fields_open(&fields, "Via");
	text_add_str(value, "1.1 a");
	text_add_str(value, ", 1.1 b");
	fields_close(&fields);
	assert_string_equal(lines(), "Via: 1.1 a, 1.1 b\r\n");
}

/* To the byte: with a byte less, the line and all later lines are left out. */
static void
what_does_not_fit_is_left_out_whole(void **state)
{
	(void)state;
	fields_init(&fields, room, strlen("A: 1\r\nB: 2\r\n"));
	fields_add(&fields, "A", "1");
	fields_add(&fields, "B", "2");
	assert_false(fields_are_full(&fields));
	assert_string_equal(lines(), "A: 1\r\nB: 2\r\n");
	fields_init(&fields, room, strlen("A: 1\r\nB: 2\r\n") - 1);
	fields_add(&fields, "A", "1");
	fields_add(&fields, "B", "2");
	fields_add(&fields, "C", "");
	assert_true(fields_are_full(&fields));
	assert_string_equal(lines(), "A: 1\r\n");
}

/* A line of text, taken apart as a parser does. */
static struct head_field
field_at(const char *text, const char *name, const char *value)
{
	const char *at = strstr(text, name);

	return (struct head_field){.name = {at, strlen(name)},
	    .value = {strstr(at, value), strlen(value)}};
}

static void
received_fields_go_on(void **state)
{
	static const char text[] = "A: 1\r\nB: 2\r\nX: 3\r\nC:4\r\nD:  5\r\n"
				   "E: 6 \r\nF: 7\r\n";
	static const char *const names[] = {"A", "B", "C", "D", "E", "F"};
	static const char *const values[] = {"1", "2", "4", "5", "6", "7"};
	struct fields_run run = {NULL, NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct head_field h = field_at(text, names[i], values[i]);

		fields_pass(&fields, &run, &h);
	}
	fields_end_run(&fields, &run);
	fields_end_run(&fields, &run);
	assert_string_equal(lines(), "A: 1\r\nB: 2\r\nC:4\r\nD: 5\r\n"
				     "E: 6\r\nF: 7\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_field_is_a_line, setup),
	    cmocka_unit_test_setup(a_value_may_come_in_parts, setup),
	    cmocka_unit_test_setup(what_does_not_fit_is_left_out_whole, setup),
	    cmocka_unit_test_setup(received_fields_go_on, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
