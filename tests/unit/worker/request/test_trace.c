/* Goal: a client's names are passed on exactly when valid (W3C Trace Context,
 * section 3.2), and otherwise replaced by valid names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trace.h"

/* The examples of section 3.2.3. */
#define IDS "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"
#define ZERO_16 "0000000000000000"

static struct trace_source source;

static void
add_header(struct head *head, enum head_field_id id, const char *value)
{
	struct head_field *h = &head->few[head->field_count++];

	head->fields = head->few;
	assert_true(head->field_count <= HEAD_FIELDS_FEW);
	*h = (struct head_field){
	    .name = {"x", 1},
	    .value = {value, strlen(value)},
	    .id = id,
	};
}

/* A request with these headers; NULL: without. */
static struct trace
trace_with(const char *id, const char *parent)
{
	static struct head head;
	struct trace trace;

	/* Earlier bytes in the struct must not matter. */
	memset(&trace, 'x', sizeof(trace));
	head.field_count = 0;
	add_header(&head, FIELD_HOST, "a");
	if (id != NULL)
		add_header(&head, FIELD_X_REQUEST_ID, id);
	add_header(&head, FIELD_OTHER, "b");
	if (parent != NULL)
		add_header(&head, FIELD_TRACEPARENT, parent);
	add_header(&head, FIELD_TRACESTATE, "rojo=00f067aa0ba902b7");
	trace_of_request(&trace, &source, &head);
	return trace;
}

static bool
is_hex(const char *s, size_t len)
{
	return strspn(s, "0123456789abcdef") >= len;
}

static void
assert_new_id(const struct trace *t)
{
	assert_true(t->id_is_new);
	assert_int_equal(strlen(t->id), 32);
	assert_true(is_hex(t->id, 32));
}

static void
assert_new_parent(const struct trace *t)
{
	assert_true(t->parent_is_new);
	assert_int_equal(strlen(t->parent), 55);
	assert_memory_equal(t->parent, "00-", 3);
	assert_true(is_hex(t->parent + 3, 32));
	assert_int_equal(t->parent[35], '-');
	assert_true(is_hex(t->parent + 36, 16));
	assert_string_equal(t->parent + 52, "-01");
	assert_int_not_equal(strspn(t->parent + 3, "0"), 32);
	assert_int_not_equal(strspn(t->parent + 36, "0"), 16);
}

/* ---- X-Request-Id ---- */

static void
test_valid_ids(void **state)
{
	static const char *const ids[] = {
	    "0",
	    "f47ac10b-58cc-4372-a567-0e02b2c3d479",
	    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
	    "YWJj+/8=",
	    "00-" IDS "-01",
	    "|7d3f1e.1_2#a:b@c~d%20!*",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct trace t = trace_with(ids[i], NULL);

		assert_false(t.id_is_new);
		assert_string_equal(t.id, ids[i]);
		assert_new_parent(&t);
	}
}

static void
test_every_byte_of_an_id(void **state)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-_.~:/+=@|#%!*";

	(void)state;
	for (int c = 1; c < 256; c++) {
		const char id[] = {'a', (char)c, 'b', '\0'};
		struct trace t = trace_with(id, NULL);

		if (strchr(good, c) != NULL)
			assert_string_equal(t.id, id);
		else
			assert_new_id(&t);
	}
}

static void
test_length_of_an_id(void **state)
{
	char id[TRACE_ID_MAX + 2];
	struct trace t;

	(void)state;
	memset(id, 'a', sizeof(id));
	id[TRACE_ID_MAX] = '\0';
	t = trace_with(id, NULL);
	assert_false(t.id_is_new);
	assert_string_equal(t.id, id);
	id[TRACE_ID_MAX] = 'a';
	id[TRACE_ID_MAX + 1] = '\0';
	t = trace_with(id, NULL);
	assert_new_id(&t);
	t = trace_with("", NULL);
	assert_new_id(&t);
	t = trace_with(NULL, NULL);
	assert_new_id(&t);
}

/* ---- traceparent ---- */

static void
test_valid_parents(void **state)
{
	static const char *const parents[] = {
	    "00-" IDS "-01",
	    "00-" IDS "-00",
	    /* Unknown flags of version 00 are no error. */
	    "00-" IDS "-ff",
	    "00-" IDS "-02",
	    "00-" ZERO_16 "0000000000000001-0000000000000001-00",
	    "00-" ZERO_16 "f000000000000000-f000000000000000-00",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
		struct trace t = trace_with("id", parents[i]);

		assert_false(t.parent_is_new);
		assert_string_equal(t.parent, parents[i]);
		assert_string_equal(t.id, "id");
	}
}

/* Section 3.2.4: later versions are passed on unchanged, by the writer of the
 * headers. */
static void
test_later_versions(void **state)
{
	static const char *const parents[] = {
	    "01-" IDS "-01",
	    "cc-" IDS "-00",
	    "fe-" IDS "-01",
	    "0f-" IDS "-01-",
	    "cc-" IDS "-01-what-the-future-will-be-like",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
		struct trace t = trace_with(NULL, parents[i]);

		assert_false(t.parent_is_new);
		assert_string_equal(t.parent, "");
	}
}

static void
test_invalid_parents(void **state)
{
	static const char *const parents[] = {
	    "",
	    "-",
	    "00",
	    "00-",
	    IDS "-01",
	    /* Too short, too long. */
	    "00-" IDS,
	    "00-" IDS "-",
	    "00-" IDS "-0",
	    "00-" IDS "-01-",
	    "00-" IDS "-01-extra",
	    "00-" IDS "-011",
	    "00-" IDS "-01 ",
	    " 00-" IDS "-01",
	    "0-" IDS "-01-",
	    "000-" IDS "-01",
	    /* Version. */
	    "ff-" IDS "-01",
	    "ff-" IDS "-01-extra",
	    "FF-" IDS "-01",
	    "0A-" IDS "-01",
	    "0g-" IDS "-01",
	    ".0-" IDS "-01",
	    "-0-" IDS "-01",
	    /* A later version has to begin like version 00. */
	    "01-" IDS "-01x",
	    "01-" IDS "-01.more",
	    "01-" IDS "-011-more",
	    "01-" IDS "-0",
	    "cc-" ZERO_16 ZERO_16 "-00f067aa0ba902b7-01-more",
	    /* Trace id. */
	    "00-" ZERO_16 ZERO_16 "-00f067aa0ba902b7-01",
	    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
	    "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
	    "00-.bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	    "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
	    "00-4bf92f3577b34da6-3ce929d0e0e4736-00f067aa0ba902b7-01",
	    "00-4bf92f3577b34da6a3ce929d0e0e47361-0f067aa0ba902b7-01",
	    /* Parent id. */
	    "00-4bf92f3577b34da6a3ce929d0e0e4736-" ZERO_16 "-01",
	    "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
	    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902bx-01",
	    "00-4bf92f3577b34da6a3ce929d0e0e4736-.0f067aa0ba902b7-01",
	    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b-701",
	    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa-ba902b7-01",
	    /* Flags. */
	    "00-" IDS "-0A",
	    "00-" IDS "-.1",
	    "00-" IDS "-1 ",
	    "00-" IDS "-0g",
	    "00-" IDS "--1",
	    /* Dashes. */
	    "00_" IDS "-01",
	    "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
	    "00-" IDS "_01",
	    "00-" IDS "001",
	    /* Two values in one header. */
	    "00-" IDS "-01,00-" IDS "-01",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
		struct trace t = trace_with("id", parents[i]);

		assert_new_parent(&t);
		assert_null(strstr(t.parent, IDS));
		assert_false(t.id_is_new);
	}
}

/* No byte behind the value is readable. */
static void
test_no_byte_beyond(void **state)
{
	static const char text[] = "00-" IDS "-01";
	static struct head head;
	struct trace t;

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		char *value = malloc(len != 0 ? len : 1);

		assert_non_null(value);
		memcpy(value, text, len);
		head.field_count = 0;
		add_header(&head, FIELD_TRACEPARENT, "");
		add_header(&head, FIELD_X_REQUEST_ID, "");
		head.fields[0].value = (struct slice){value, len};
		head.fields[1].value = (struct slice){value, len};
		trace_of_request(&t, &source, &head);
		assert_int_equal(t.parent_is_new, len != TRACE_PARENT_BYTES);
		free(value);
	}
}

static void
test_repeated(void **state)
{
	static struct head head;
	struct trace t;

	(void)state;
	for (int same = 0; same < 2; same++) {
		head.field_count = 0;
		add_header(&head, FIELD_X_REQUEST_ID, "a");
		add_header(&head, FIELD_TRACEPARENT, "00-" IDS "-01");
		add_header(&head, FIELD_X_REQUEST_ID, same ? "a" : "b");
		add_header(&head, FIELD_TRACEPARENT,
		    same ? "00-" IDS "-01" : "00-" IDS "-00");
		trace_of_request(&t, &source, &head);
		assert_new_id(&t);
		assert_new_parent(&t);
	}
}

/* ---- random numbers ---- */

/* The numbers after the state 1, 2, 3, 4 follow from the algorithm's
 * description: rotl(2 * 5, 7) * 9 and so on. */
static void
test_known_numbers(void **state)
{
	static const uint64_t want[] = {11520, 0, 1509978240,
	    1215971899390074240, 1216172134540287360, 607988272756665600};
	struct trace_source known = {{1, 2, 3, 4}};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(trace_random(&known), want[i]);
}

/* The id of a request in a foreign trace is not the trace's. */
static void
test_new_id_in_a_known_trace(void **state)
{
	struct trace t = trace_with(NULL, "00-" IDS "-01");
	struct trace u = trace_with(NULL, "00-" IDS "-01");

	(void)state;
	assert_new_id(&t);
	assert_memory_not_equal(t.id, t.parent + 3, 32);
	assert_string_not_equal(t.id, u.id);
}

static void
test_all_differ(void **state)
{
	enum { COUNT = 1000 };
	static struct trace traces[COUNT];

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		traces[i] = trace_with(NULL, NULL);
		assert_new_id(&traces[i]);
		assert_new_parent(&traces[i]);
		/* When the two names are new, the id is the trace's. */
		assert_memory_equal(traces[i].id, traces[i].parent + 3, 32);
		for (int j = 0; j < i; j++) {
			assert_string_not_equal(traces[i].id, traces[j].id);
			assert_memory_not_equal(
			    traces[i].parent + 3, traces[j].parent + 3, 32);
			assert_memory_not_equal(
			    traces[i].parent + 36, traces[j].parent + 36, 16);
		}
	}
}

/* A worker forked with its neighbour's state would make the same names. */
static void
test_sources_differ(void **state)
{
	struct trace_source other;

	(void)state;
	assert_int_equal(trace_source_init(&other), 0);
	assert_memory_not_equal(&other, &source, sizeof(other));
	assert_int_not_equal(trace_random(&other), trace_random(&source));
}

/* The state gives two zeros first: an id of zeros means "none". */
static void
test_never_all_zero(void **state)
{
	struct trace_source zeros = {{0, 0, 0, 1}};
	struct trace_source saved = source;
	struct trace t;

	(void)state;
	assert_int_equal(trace_random(&zeros), 0);
	source = (struct trace_source){{0, 0, 0, 1}};
	t = trace_with("id", NULL);
	assert_new_parent(&t);
	source = (struct trace_source){{0, 0, 0, 1}};
	t = trace_with(NULL, "00-" IDS "-01");
	assert_new_id(&t);
	assert_int_not_equal(strspn(t.id, "0"), 32);
	source = saved;
}

static int
seed(void **state)
{
	(void)state;
	return trace_source_init(&source);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_valid_ids),
	    cmocka_unit_test(test_every_byte_of_an_id),
	    cmocka_unit_test(test_length_of_an_id),
	    cmocka_unit_test(test_valid_parents),
	    cmocka_unit_test(test_later_versions),
	    cmocka_unit_test(test_invalid_parents),
	    cmocka_unit_test(test_no_byte_beyond),
	    cmocka_unit_test(test_repeated),
	    cmocka_unit_test(test_known_numbers),
	    cmocka_unit_test(test_new_id_in_a_known_trace),
	    cmocka_unit_test(test_all_differ),
	    cmocka_unit_test(test_sources_differ),
	    cmocka_unit_test(test_never_all_zero),
	};

	return cmocka_run_group_tests(tests, seed, NULL);
}
