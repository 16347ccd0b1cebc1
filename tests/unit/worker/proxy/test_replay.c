/* Goal: a request's head and body are kept for another try in the form to be
 * sent, as long as the body is whole and fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buffer.h"
#include "config.h"
#include "h1_head.h"
#include "parser.h"
#include "replay.h"

static struct buffer_pool *pool;
static struct replay replay;
static struct parser parser;
static char text[1024], normal[1024], block[BUFFER_BYTES];
static const struct config_route route = {
    .path = (char *)(uintptr_t)"/a", .rewrite = (char *)(uintptr_t)"/b"};

static void
open_replay(const char *head)
{
	strcpy(text, head);
	parser_init_request(&parser,
	    &(struct parser_limits){sizeof(text), 0, 0},
	    &(struct path_rules){0}, normal);
	assert_true(parser_feed(&parser, text, strlen(text)) > 0);
	assert_true(parser.head_done);
	assert_non_null(replay_open(&replay, pool, &parser.head, &route));
}

static int
setup(void **state)
{
	(void)state;
	pool = buffer_pool_new(1);
	open_replay(
	    "PUT /a/x HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n");
	fields_add(&replay.fields, "X", "1");
	assert_int_equal(replay_close_head(&replay), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	replay_drop(&replay);
	assert_int_equal(buffer_pool_used(pool), 0);
	buffer_pool_free(pool);
	return 0;
}

static void
keep(const char *data, size_t len, bool last, const char *trailers)
{
	struct stream_piece piece = {.data = data,
	    .len = len,
	    .last = last,
	    .trailers = {trailers, strlen(trailers)}};

	replay_keep(&replay, &piece);
}

static void
a_head_is_ready_to_be_sent(void **state)
{
	static const char expected[] = "PUT /b/x HTTP/1.1\r\nX: 1\r\n"
				       "Content-Length: 6\r\n\r\n";
	struct slice head;

	(void)state;
	/* For each try. */
	for (int i = 0; i < 2; i++) {
		head = h1_head_around(&replay.start);
		assert_int_equal(head.len, sizeof(expected) - 1);
		assert_memory_equal(head.at, expected, head.len);
	}
	assert_ptr_equal(replay.start.fields, &replay.fields);
	assert_int_equal(replay.start.method.len, 3);
	assert_memory_equal(replay.start.method.at, "PUT", 3);
	assert_int_equal(replay.start.path.len, 4);
	assert_memory_equal(replay.start.path.at, "/b/x", 4);
	assert_int_equal(replay.start.length, 6);
	assert_int_equal(replay.body, REPLAY_UNTOUCHED);
	assert_int_equal(replay_piece(&replay).len, 0);
	assert_true(replay_piece(&replay).last);
}

static void
a_body_is_whole_with_its_last_piece(void **state)
{
	struct stream_piece whole;

	(void)state;
	replay_touch(&replay, true);
	assert_int_equal(replay.body, REPLAY_PART);
	keep("bod", 3, false, "");
	keep("ily", 3, false, "");
	replay_touch(&replay, true);
	assert_int_equal(replay.body, REPLAY_PART);
	keep(NULL, 0, true, "T: 1\r\n");
	assert_int_equal(replay.body, REPLAY_WHOLE);
	whole = replay_piece(&replay);
	assert_int_equal(whole.len, 6);
	assert_memory_equal(whole.data, "bodily", 6);
	assert_int_equal(whole.trailers.len, 6);
	assert_memory_equal(whole.trailers.at, "T: 1\r\n", 6);
	assert_true(whole.last);
	/* Nothing may lie before it: the head does. */
	assert_int_equal(whole.room, 0);
}

static void
a_body_that_may_not_be_sent_twice_is_not_kept(void **state)
{
	(void)state;
	replay_touch(&replay, false);
	assert_int_equal(replay.body, REPLAY_LOST);
	keep("bodily", 6, true, "");
	assert_int_equal(replay.body, REPLAY_LOST);
}

static void
a_body_is_kept_to_the_blocks_last_byte(void **state)
{
	size_t room = replay.fields.lines.cap - replay.fields.lines.len;

	(void)state;
	replay_touch(&replay, true);
	keep(block, room - 6, false, "");
	keep(NULL, 0, true, "T: 1\r\n");
	assert_int_equal(replay.body, REPLAY_WHOLE);
}

static void
a_body_that_does_not_fit_is_lost(void **state)
{
	size_t room = replay.fields.lines.cap - replay.fields.lines.len;

	(void)state;
	replay_touch(&replay, true);
	keep(block, room, false, "");
	assert_int_equal(replay.body, REPLAY_PART);
	keep("x", 1, false, "");
	assert_int_equal(replay.body, REPLAY_LOST);
	/* For good: half a body is none. */
	keep(NULL, 0, true, "");
	assert_int_equal(replay.body, REPLAY_LOST);
}

static void
a_head_that_does_not_fit_is_told(void **state)
{
	(void)state;
	replay_drop(&replay);
	open_replay("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
	fields_add_slice(&replay.fields, "X",
	    (struct slice){
		block, replay.fields.lines.cap - replay.fields.lines.len - 5});
	assert_int_equal(replay_close_head(&replay), 0);
	assert_true(h1_head_around(&replay.start).len < BUFFER_BYTES);
	text_add(&replay.fields.lines, "x", 1);
	assert_int_equal(replay_close_head(&replay), -1);
}

/* The framing lies between the fields and the kept body. */
static void
a_head_does_not_overwrite_the_body(void **state)
{
	(void)state;
	replay.start.length = UINT64_MAX - 1;
	replay.start.expects_continue = true;
	replay_touch(&replay, true);
	keep("bodily", 6, true, "");
	(void)h1_head_around(&replay.start);
	assert_memory_equal(replay_piece(&replay).data, "bodily", 6);
}

static void
without_a_block_there_is_none(void **state)
{
	struct replay other;

	(void)state;
	assert_null(replay_open(&other, pool, &parser.head, &route));
	replay_drop(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_head_is_ready_to_be_sent),
	    TEST(a_body_is_whole_with_its_last_piece),
	    TEST(a_body_that_may_not_be_sent_twice_is_not_kept),
	    TEST(a_body_is_kept_to_the_blocks_last_byte),
	    TEST(a_body_that_does_not_fit_is_lost),
	    TEST(a_head_that_does_not_fit_is_told),
	    TEST(a_head_does_not_overwrite_the_body),
	    TEST(without_a_block_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
