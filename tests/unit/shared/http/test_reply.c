/* Goal: a reply begins once, has all given parts and ends, on any
 * implementation of a stream. A stream without a listener gets no reply. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reply.h"
#include "stream.h"

/* A stream without a connection: records the calls. */
static struct stream_start started;
static struct stream_piece written;
static unsigned begins, writes;
static char room[256], body[256];
static struct fields fields;

static struct fields *
begin(struct stream *s, const struct stream_start *start)
{
	begins++;
	started = *start;
	s->out = STREAM_OUT_BEGUN;
	s->status = start->status;
	fields_init(&fields, room, sizeof(room) - 1);
	return &fields;
}

static void
write_piece(struct stream *s, const struct stream_piece *piece)
{
	writes++;
	written = *piece;
	assert_true(piece->len < sizeof(body));
	if (piece->len > 0)
		memcpy(body, piece->data, piece->len);
	body[piece->len] = '\0';
	room[fields.lines.len] = '\0';
	if (piece->last)
		s->out = STREAM_OUT_ENDED;
}

static const struct stream_ops ops = {.begin = begin, .write = write_piece};

static struct stream stream;

static int
setup(void **state)
{
	(void)state;
	stream = (struct stream){.ops = &ops};
	begins = writes = 0;
	return 0;
}

static void
says_all_that_was_given(void **state)
{
	static const struct field extra[] = {{"Allow", "GET"}, {NULL, NULL}};

	(void)state;
	reply_send(&stream, &(struct reply){.status = 405,
				.type = "text/plain",
				.fields = extra,
				.body = "no",
				.len = 2});
	assert_int_equal(begins, 1);
	assert_int_equal(writes, 1);
	assert_int_equal(started.status, 405);
	assert_int_equal(started.length, 2);
	assert_null(started.reason.at);
	assert_false(started.no_body);
	assert_true(written.last);
	assert_string_equal(body, "no");
	assert_string_equal(room,
	    "Server: drover\r\nContent-Type: text/plain\r\n"
	    "Allow: GET\r\n");
	assert_false(stream_is_answerable(&stream));
}

static void
a_head_request_has_no_body(void **state)
{
	static const struct head head = {.method = HTTP_HEAD};

	(void)state;
	stream.head = &head;
	reply_send(
	    &stream, &(struct reply){.status = 200, .body = "hello", .len = 5});
	assert_true(started.no_body);
	assert_int_equal(started.length, 5);
}

static void
an_error_is_json(void **state)
{
	(void)state;
	reply_error(&stream, 503, "say \"no\"");
	assert_string_equal(
	    body, "{\"error\":\"say \\\"no\\\"\",\"status\":503}");
	assert_non_null(strstr(room, "Content-Type: application/json\r\n"));
}

static void
a_named_request_gets_its_id(void **state)
{
	static const char id[] = "id-7";

	(void)state;
	stream_name(&stream, (struct slice){id, 4});
	reply_error(&stream, 404, "no");
	assert_string_equal(
	    body, "{\"error\":\"no\",\"status\":404,\"requestId\":\"id-7\"}");
	assert_string_equal(room,
	    "Server: drover\r\nContent-Type: application/json\r\n"
	    "X-Request-Id: id-7\r\nCache-Control: no-store\r\n");
}

static void
who_is_gone_is_not_answered(void **state)
{
	(void)state;
	stream.out = STREAM_OUT_GONE;
	reply_error(&stream, 503, "late");
	stream.out = STREAM_OUT_ENDED;
	reply_send(&stream, &(struct reply){.status = 200});
	assert_int_equal(begins, 0);
	assert_int_equal(writes, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(says_all_that_was_given, setup),
	    cmocka_unit_test_setup(a_head_request_has_no_body, setup),
	    cmocka_unit_test_setup(an_error_is_json, setup),
	    cmocka_unit_test_setup(a_named_request_gets_its_id, setup),
	    cmocka_unit_test_setup(who_is_gone_is_not_answered, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
