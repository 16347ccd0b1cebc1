/* Goal: the back side of a stream sends a request and reports its response,
 * part by part, as far as asked for. */
#include <sys/wait.h>

#include "back_scene.h"

/* ---- as far as asked for ---- */

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static void
no_part_is_told_unasked(void **state)
{
	(void)state;
	begin("GET", 0);
	write_piece("", true);
	answer(OK);
	scene_turn();
	scene_turn();
	assert_int_equal(told.status, 0);
	assert_int_equal(back.reading, BACK_READING_QUIET);
	stream_take(&back.stream);
	WAIT_UNTIL(has_ended);
	assert_int_equal(told.status, 200);
}

/* The piece that came with the head waits, too. */
static void
each_part_is_asked_for(void **state)
{
	(void)state;
	takes_on = false;
	ask();
	answer(OK);
	WAIT_UNTIL(has_head);
	scene_turn();
	assert_int_equal(back.reading, BACK_READING_QUIET);
	assert_int_equal(back.part, BACK_PART_FIRST);
	assert_int_equal(told.len, 0);
	stream_take(&back.stream);
	WAIT_UNTIL(has_ended);
	assert_int_equal(told.len, 5);
	assert_int_equal(back.part, BACK_PART_NONE);
}

/* The request's head has not left: bytes of the backend answer nothing. */
static void
no_part_comes_before_the_request_leaves(void **state)
{
	(void)state;
	begin("GET", 0);
	stream_take(&back.stream);
	answer(OK);
	scene_turn();
	scene_turn();
	assert_int_equal(told.count, 0);
	assert_int_equal(back.part, BACK_PART_UNSENT);
	write_piece("", true);
	WAIT_UNTIL(has_ended);
	assert_memory_equal(told.body, "hello", 5);
}

static void
a_failure_is_told_once(void **state)
{
	(void)state;
	ask();
	answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Le");
	backend_leaves();
	WAIT_UNTIL(is_failed);
	scene_turn();
	scene_turn();
	assert_int_equal(told.error, EPIPE);
	assert_int_equal(count_of(BACK_FAILED), 1);
	assert_int_equal(back.reading, BACK_READING_QUIET);
}

/* A build that people run shuts the connection down; this one aborts. */
static void
a_part_is_not_asked_for_twice(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	assert_int_not_equal(child, -1);
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		ask();
		stream_take(&back.stream);
		_exit(io_peek(&back.io) == 0 ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) ||
		    (WIFEXITED(status) && WEXITSTATUS(status) == 1));
}

/* ---- the request ---- */

static void
a_request_leaves_in_one_write(void **state)
{
	char room[256] = "";
	char *body = room + sizeof(room) - 8;

	(void)state;
	begin("PUT", 5);
	memcpy(body, "bytes", 5);
	/* The room before the piece takes the head. */
	stream_write(&back.stream, &(struct stream_piece){.data = body,
				       .len = 5,
				       .room = (size_t)(body - room),
				       .last = true});
	assert_int_equal(back.stream.out, STREAM_OUT_ENDED);
	assert_int_equal(back.stream.out_bytes, 5);
	assert_string_equal(look(),
	    "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nbytes");
	assert_memory_equal(body - 4, "\r\n\r\n", 4);
}

static void
a_body_without_room_follows_its_head(void **state)
{
	(void)state;
	begin("PUT", 6);
	write_piece("bod", false);
	assert_int_equal(back.stream.out, STREAM_OUT_BEGUN);
	write_piece("ily", true);
	assert_string_equal(look(),
	    "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nbodily");
}

static void
a_body_of_unknown_length_is_chunked(void **state)
{
	(void)state;
	begin("POST", STREAM_LENGTH_UNKNOWN);
	write_piece("bytes", false);
	stream_write(&back.stream,
	    &(struct stream_piece){.last = true, .trailers = {"T: 1\r\n", 6}});
	assert_string_equal(look(),
	    "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "5\r\nbytes\r\n0\r\nT: 1\r\n\r\n");
	assert_int_equal(back.stream.out_bytes, 5);
}

static void
a_lost_request_has_an_error(void **state)
{
	(void)state;
	backend_leaves();
	ask();
	assert_int_equal(back.stream.out, STREAM_OUT_GONE);
	assert_int_equal(back.error, EPIPE);
	assert_false(back_has_sent(&back));
	assert_false(back_is_reusable(&back));
}

/* ---- the response ---- */

static void
interim_heads_come_before_the_response(void **state)
{
	(void)state;
	ask();
	assert_false(back_has_heard(&back));
	answer("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
	       "HTTP/1.1 102 Processing\r\n\r\n" OK);
	WAIT_UNTIL(has_ended);
	assert_int_equal(count_of(BACK_HEAD), 3);
	assert_int_equal(back.interims, 2);
	assert_int_equal(told.status, 200);
	assert_true(back_has_heard(&back));
}

static void
endless_interim_heads_are_no_response(void **state)
{
	(void)state;
	ask();
	for (int i = 0; i < 65 && !is_failed(); i++) {
		told.count = 0;
		answer("HTTP/1.1 103 Early Hints\r\n\r\n");
		scene_turn();
	}
	WAIT_UNTIL(is_failed);
	assert_int_equal(told.error, EPROTO);
}

static void
a_response_in_pieces_is_whole(void **state)
{
	(void)state;
	ask();
	answer("HTTP/1.1 200 OK\r\nTransfer-");
	scene_turn();
	assert_int_equal(told.status, 0);
	answer("Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nl");
	scene_turn();
	assert_false(told.ended);
	answer("lo\r\n0\r\n\r\n");
	WAIT_UNTIL(has_ended);
	assert_int_equal(told.len, 5);
	assert_memory_equal(told.body, "hello", 5);
	assert_int_equal(back.stream.in_bytes, 5);
	assert_true(back_is_reusable(&back));
}

static void
a_response_to_head_has_no_body(void **state)
{
	(void)state;
	begin("HEAD", 0);
	write_piece("", true);
	stream_take(&back.stream);
	answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
	WAIT_UNTIL(has_ended);
	assert_int_equal(told.len, 0);
	assert_true(back_is_reusable(&back));
}

static void
no_response_is_an_error(void **state)
{
	(void)state;
	ask();
	answer("HTTP/1.1 nonsense\r\n\r\n");
	WAIT_UNTIL(is_failed);
	assert_int_equal(told.error, EBADMSG);
	assert_false(back_is_reusable(&back));
}

/* ---- another request ---- */

static void
bytes_behind_the_response_prevent_reuse(void **state)
{
	(void)state;
	ask();
	answer(OK "HTTP/1.1 200 OK\r\n");
	WAIT_UNTIL(has_ended);
	assert_false(back_is_reusable(&back));
}

static void
an_early_response_prevents_reuse(void **state)
{
	(void)state;
	begin("PUT", 6);
	write_piece("bod", false);
	stream_take(&back.stream);
	answer(OK);
	WAIT_UNTIL(has_ended);
	assert_false(back_is_reusable(&back));
	write_piece("ily", true);
	assert_true(back_is_reusable(&back));
}

static void
a_last_response_prevents_reuse(void **state)
{
	(void)state;
	ask();
	answer("HTTP/1.1 200 OK\r\nConnection: close\r\n"
	       "Content-Length: 0\r\n\r\n");
	WAIT_UNTIL(has_ended);
	assert_false(back_is_reusable(&back));
}

static void
an_ended_stream_makes_room_for_another(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		ask();
		answer(OK);
		WAIT_UNTIL(has_ended);
		back_end(&back);
		assert_int_equal(back.stream.out, STREAM_OUT_NONE);
		assert_int_equal(back.part, BACK_PART_NONE);
		assert_null(back.in);
		forget_told();
	}
}

/* The owner may give the connection back from inside. */
static void
nothing_is_told_after_the_end(void **state)
{
	(void)state;
	ends_at_head = true;
	ask();
	answer(OK);
	WAIT_UNTIL(has_head);
	scene_turn();
	scene_turn();
	assert_int_equal(told.count, 1);
}

/* ---- a switch of protocols ---- */

#define SWITCH                                                                 \
	"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"          \
	"Upgrade: x\r\n\r\n"

static void
after_a_101_the_request_goes_on(void **state)
{
	(void)state;
	ask();
	assert_int_equal(back.stream.out, STREAM_OUT_ENDED);
	answer(SWITCH);
	WAIT_UNTIL(has_head);
	assert_int_equal(told.status, 101);
	assert_int_equal(back.stream.out, STREAM_OUT_BEGUN);
}

/* The backend has answered and left: no byte of the tunnel can go there. */
static void
after_a_101_a_lost_connection_stays_lost(void **state)
{
	(void)state;
	begin("GET", STREAM_LENGTH_UNKNOWN);
	write_piece("", false);
	answer(SWITCH);
	backend_leaves();
	write_piece("more", false);
	assert_int_equal(back.stream.out, STREAM_OUT_GONE);
	stream_take(&back.stream);
	WAIT_UNTIL(has_head);
	assert_int_equal(told.status, 101);
	assert_int_equal(back.stream.out, STREAM_OUT_GONE);
	assert_false(stream_is_answerable(&back.stream));
}

static void
a_tunnel_passes_bytes_both_ways(void **state)
{
	(void)state;
	ask();
	answer(SWITCH "raw");
	WAIT_UNTIL(has_head);
	scene_turn();
	assert_memory_equal(told.body, "raw", 3);
	got_len = 0;
	write_piece("5\r\n", false);
	assert_string_equal(look(), "5\r\n");
	write_piece("", true);
	assert_int_equal(back.stream.out, STREAM_OUT_ENDED);
	assert_int_equal(recv(peer, got, 1, 0), 0);
	backend_leaves();
	WAIT_UNTIL(has_ended);
	assert_false(back_is_reusable(&back));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(no_part_is_told_unasked),
	    TEST(each_part_is_asked_for),
	    TEST(no_part_comes_before_the_request_leaves),
	    TEST(a_failure_is_told_once),
	    TEST(a_part_is_not_asked_for_twice),
	    TEST(a_request_leaves_in_one_write),
	    TEST(a_body_without_room_follows_its_head),
	    TEST(a_body_of_unknown_length_is_chunked),
	    TEST(a_lost_request_has_an_error),
	    TEST(interim_heads_come_before_the_response),
	    TEST(endless_interim_heads_are_no_response),
	    TEST(a_response_in_pieces_is_whole),
	    TEST(a_response_to_head_has_no_body),
	    TEST(no_response_is_an_error),
	    TEST(bytes_behind_the_response_prevent_reuse),
	    TEST(an_early_response_prevents_reuse),
	    TEST(a_last_response_prevents_reuse),
	    TEST(an_ended_stream_makes_room_for_another),
	    TEST(nothing_is_told_after_the_end),
	    TEST(after_a_101_the_request_goes_on),
	    TEST(after_a_101_a_lost_connection_stays_lost),
	    TEST(a_tunnel_passes_bytes_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
