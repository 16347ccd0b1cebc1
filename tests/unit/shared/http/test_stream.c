/* Goal: a request's memory is laid out so that its head can be rendered in
 * place; the table of the outgoing message holds the legal steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "h1_head.h"
#include "stream.h"

static char memory[256];
static struct fields fields;

static struct stream_start
start_of(const char *method, const char *path)
{
	return (struct stream_start){
	    .method = {method, strlen(method)}, .path = {path, strlen(path)}};
}

static void
assert_head(const struct stream_start *start, const char *expected)
{
	struct slice head = h1_head_around(start);

	assert_int_equal(head.len, strlen(expected));
	assert_memory_equal(head.at, expected, head.len);
}

static void
the_head_is_rendered_around_the_fields(void **state)
{
	struct stream_start start = start_of("GET", "/a");

	(void)state;
	start.no_body = true;
	stream_lay_out(&start, &fields, memory, sizeof(memory));
	assert_ptr_equal(start.fields, &fields);
	fields_add(&fields, "Host", "h");
	assert_head(&start, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
	/* The fields are as they were. */
	assert_int_equal(fields.lines.len, strlen("Host: h\r\n"));
	assert_memory_equal(fields.lines.data, "Host: h\r\n", 9);
}

static void
the_framing_follows_the_fields(void **state)
{
	struct stream_start start = start_of("POST", "/");

	(void)state;
	start.length = 7;
	stream_lay_out(&start, &fields, memory, sizeof(memory));
	assert_head(&start, "POST / HTTP/1.1\r\nContent-Length: 7\r\n\r\n");
	start.length = STREAM_LENGTH_UNKNOWN;
	start.expects_continue = true;
	assert_head(&start, "POST / HTTP/1.1\r\nExpect: 100-continue\r\n"
			    "Transfer-Encoding: chunked\r\n\r\n");
}

static void
the_longest_framing_fits_behind_full_fields(void **state)
{
	struct stream_start start = start_of("POST", "/");
	struct slice head;

	(void)state;
	start.length = STREAM_LENGTH_UNKNOWN - 1;
	start.expects_continue = true;
	stream_lay_out(&start, &fields, memory, sizeof(memory));
	while (fields.lines.len < fields.lines.cap)
		text_add(&fields.lines, "x", 1);
	assert_false(fields_are_full(&fields));
	head = h1_head_around(&start);
	assert_true(head.at >= memory);
	assert_true(head.at + head.len <= memory + sizeof(memory));
	assert_memory_equal(head.at + head.len - 7, "614\r\n\r\n", 7);
}

/* A rewritten path. */
static void
the_path_may_lie_at_the_memorys_begin(void **state)
{
	struct stream_start start = start_of("DELETE", "/abcdefghijkl");

	(void)state;
	memcpy(memory, start.path.at, start.path.len);
	start.path.at = memory;
	start.no_body = true;
	stream_lay_out(&start, &fields, memory, sizeof(memory));
	memset(memory, 'x', strlen("DELETE"));
	assert_head(&start, "DELETE /abcdefghijkl HTTP/1.1\r\n\r\n");
}

static void
without_room_the_fields_are_full(void **state)
{
	struct stream_start start = start_of("GET", "/a");
	size_t least = strlen("GET /a HTTP/1.1\r\n") + STREAM_BEHIND_FIELDS;

	(void)state;
	stream_lay_out(&start, &fields, memory, least);
	assert_false(fields_are_full(&fields));
	assert_int_equal(fields.lines.cap, 0);
	start = start_of("GET", "/a");
	stream_lay_out(&start, &fields, memory, least - 1);
	assert_true(fields_are_full(&fields));
}

static void
the_table_says_which_steps_are_legal(void **state)
{
	static const bool legal[4][4] = {
	    [STREAM_OUT_NONE] =
		{[STREAM_OUT_BEGUN] = true, [STREAM_OUT_GONE] = true},
	    [STREAM_OUT_BEGUN] = {[STREAM_OUT_ENDED] = true,
		[STREAM_OUT_GONE] = true,
		[STREAM_OUT_NONE] = true},
	    [STREAM_OUT_ENDED] = {[STREAM_OUT_BEGUN] = true,
		[STREAM_OUT_GONE] = true,
		[STREAM_OUT_NONE] = true},
	    [STREAM_OUT_GONE] = {[STREAM_OUT_NONE] = true},
	};

	(void)state;
	for (unsigned from = STREAM_OUT_NONE; from <= STREAM_OUT_GONE; from++)
		for (unsigned to = STREAM_OUT_NONE; to <= STREAM_OUT_GONE; to++)
			assert_int_equal(machine_allows(stream_outs, from, to),
			    legal[from][to]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_head_is_rendered_around_the_fields),
	    cmocka_unit_test(the_framing_follows_the_fields),
	    cmocka_unit_test(the_longest_framing_fits_behind_full_fields),
	    cmocka_unit_test(the_path_may_lie_at_the_memorys_begin),
	    cmocka_unit_test(without_room_the_fields_are_full),
	    cmocka_unit_test(the_table_says_which_steps_are_legal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
