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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(no_part_is_told_unasked),
	    TEST(each_part_is_asked_for),
	    TEST(no_part_comes_before_the_request_leaves),
	    TEST(a_failure_is_told_once),
	    TEST(a_part_is_not_asked_for_twice),
	    TEST(after_a_101_the_request_goes_on),
	    TEST(after_a_101_a_lost_connection_stays_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
