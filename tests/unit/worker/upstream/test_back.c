/* Goal: the back side of a stream sends a request and reports its response,
 * part by part, as far as asked for. */
#include "back_scene.h"

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
	begin(GET, STREAM_LENGTH_UNKNOWN);
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
	    TEST(after_a_101_the_request_goes_on),
	    TEST(after_a_101_a_lost_connection_stays_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
