/* Goal: a worker holds no more connections than its cap, idle connections make
 * room, and a drain ends with the last response. */
#include "request_scene.h"

static void
past_the_cap_an_idle_one_makes_room(void **state)
{
	int first = client, second;

	(void)state;
	say("GET /now" HOST "\r\n");
	expect("now");
	connect_client();
	second = client;
	assert_int_equal(clients_count(clients), 2);
	connect_client();
	assert_int_equal(clients_count(clients), 2);
	assert_int_equal(scene_total(SCOREBOARD_ACCEPTED), 3);
	assert_int_equal(scene_total(SCOREBOARD_REFUSED), 0);
	close(first);
	close(second);
}

static void
past_the_cap_with_all_busy_one_is_refused(void **state)
{
	int first = client, second;

	(void)state;
	say("GET /later" HOST "\r\n");
	WAIT_UNTIL(is_started);
	connect_client();
	second = client;
	started = 0;
	say("GET /later" HOST "\r\n");
	WAIT_UNTIL(is_started);
	connect_client();
	wanted = "nothing";
	assert_false(is_answered());
	assert_true(ended);
	assert_int_equal(clients_count(clients), 2);
	assert_int_equal(scene_total(SCOREBOARD_REFUSED), 1);
	close(first);
	close(second);
}

/* A client that saw the last response's end may connect again before the worker
 * closes: the place is free. */
static void
come_again(void)
{
	after_now = NULL;
	connect_client();
}

static void
a_connection_that_closes_has_given_up_its_place(void **state)
{
	int first = client, second;

	(void)state;
	say("GET /later" HOST "\r\n");
	WAIT_UNTIL(is_started);
	connect_client();
	second = client;
	after_now = come_again;
	started = 0;
	say("GET /now" HOST "Connection: close\r\n\r\n");
	WAIT_UNTIL(is_started);
	assert_int_equal(scene_total(SCOREBOARD_ACCEPTED), 3);
	assert_int_equal(scene_total(SCOREBOARD_REFUSED), 0);
	say("GET /now" HOST "\r\n");
	expect("now");
	assert_int_equal(clients_count(clients), 2);
	close(first);
	close(second);
}

static bool
one_is_left(void)
{
	return clients_count(clients) == 1;
}

static void
a_drain_closes_the_idle_and_lets_the_others_end(void **state)
{
	int busy = client;

	(void)state;
	say("GET /later" HOST "\r\n");
	WAIT_UNTIL(is_started);
	connect_client();
	clients_drain(clients);
	WAIT_UNTIL(one_is_left);
	hang_up();
	client = busy;
	answer(test_task.request, 200, NULL, "");
	expect("Connection: close\r\n");
	WAIT_UNTIL(all_have_left);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(past_the_cap_an_idle_one_makes_room),
	    TEST(past_the_cap_with_all_busy_one_is_refused),
	    TEST(a_connection_that_closes_has_given_up_its_place),
	    TEST(a_drain_closes_the_idle_and_lets_the_others_end),
	};

	log_init(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
