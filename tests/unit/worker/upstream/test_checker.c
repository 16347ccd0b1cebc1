/* Goal: one worker of the host checks every endpoint at its interval, and
 * shares the result once enough answers in a row agree. */
#include "runtime_scene.h"

#include "checker.h"
#include "pool.h"
#include "service.h"

static struct backend backend;
static struct service *services[1];
static struct checker *checker;
/* The backend's answer on connection i after the request; NULL: no answer, and
 * the connection stays open. */
static const char *(*answer)(unsigned i);
static unsigned answered;

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define BAD "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"

static void
open_checker(const char *health)
{
	scene_open("services:\n"
		   "- name: users\n"
		   "  endpoints: ['127.0.0.1:%u']\n"
		   "  health: { path: '/deep/up', interval: 20ms, "
		   "timeout: 500ms, %s }\n",
	    backend.port, health);
	services[0] = service_new(&scene.rt, 0);
	assert_non_null(services[0]);
	scene.rt.services = services;
	checker = checker_new(&scene.rt);
	assert_non_null(checker);
}

static int
setup(void **state)
{
	(void)state;
	backend_open(&backend);
	answered = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	checker_free(checker);
	service_free(services[0]);
	scene_close();
	backend_close(&backend);
	return 0;
}

/* Answers the requests, in the order of connections. */
static void
serve(void)
{
	backend_look(&backend);
	for (; answered < backend.count &&
	       strstr(backend.text[answered], "\r\n\r\n") != NULL;
	    answered++) {
		const char *text = answer(answered);

		if (text == NULL)
			continue;
		backend_say(&backend, answered, text);
		backend_hang_up(&backend, answered);
	}
}

static uint32_t
verdict(void)
{
	return atomic_load(&services[0]->endpoints[0]->member->checks);
}

static bool
is_found_up(void)
{
	serve();
	return verdict() == CHECKS_UP;
}

static bool
is_found_down(void)
{
	serve();
	return verdict() == CHECKS_DOWN;
}

static const char *
all_good(unsigned i)
{
	(void)i;
	return OK;
}

static const char *
all_bad(unsigned i)
{
	(void)i;
	return BAD;
}

static const char *
silence(unsigned i)
{
	(void)i;
	return NULL;
}

/* ---- the check and a good answer ---- */

static void
it_asks_for_the_path(void **state)
{
	(void)state;
	answer = all_good;
	open_checker("rise: 1, fall: 1");
	WAIT_UNTIL(is_found_up);
	assert_string_equal(backend.text[0],
	    "GET /deep/up HTTP/1.1\r\nHost: users\r\n"
	    "User-Agent: drover-check\r\nConnection: close\r\n\r\n");
}

#define HELLO "HTTP/1.1 201 Made\r\nContent-Length: 5\r\n\r\nhello"
#define PIECES                                                                 \
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"                \
	"3\r\nhhe\r\n4\r\nlloh\r\n0\r\n\r\n"

static const char *
greeting(unsigned i)
{
	(void)i;
	return HELLO;
}

static const char *
in_pieces(unsigned i)
{
	(void)i;
	return PIECES;
}

static void
it_asks_as_it_is_told(void **state)
{
	(void)state;
	answer = all_good;
	open_checker("host: 'app.test:8080', method: POST, "
		     "headers: ['X-One: 1 2', 'user-agent: me'], rise: 1");
	WAIT_UNTIL(is_found_up);
	assert_string_equal(backend.text[0],
	    "POST /deep/up HTTP/1.1\r\nHost: app.test:8080\r\n"
	    "X-One: 1 2\r\nuser-agent: me\r\nConnection: close\r\n"
	    "Content-Length: 0\r\n\r\n");
}

static const char *
head_only(unsigned i)
{
	(void)i;
	return "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n";
}

static void
a_head_has_no_body(void **state)
{
	(void)state;
	answer = head_only;
	open_checker("method: HEAD, rise: 1, fall: 1");
	WAIT_UNTIL(is_found_up);
	assert_memory_equal(backend.text[0], "HEAD /deep/up HTTP/1.1\r\n", 24);
}

static void
only_the_expected_statuses_are_good(void **state)
{
	(void)state;
	answer = greeting;
	open_checker("expect: { status: [201, 300-399] }, rise: 1, fall: 1");
	WAIT_UNTIL(is_found_up);
	answer = all_good;
	WAIT_UNTIL(is_found_down);
}

static void
the_body_has_the_expected_text(void **state)
{
	(void)state;
	answer = greeting;
	open_checker("expect: { body: hello }, rise: 1, fall: 1");
	WAIT_UNTIL(is_found_up);
	answer = all_good; /* an empty body */
	WAIT_UNTIL(is_found_down);
	answer = in_pieces;
	WAIT_UNTIL(is_found_up);
}

static void
a_body_without_the_text_is_bad(void **state)
{
	(void)state;
	answer = in_pieces;
	open_checker("expect: { body: jello }, rise: 1, fall: 1");
	WAIT_UNTIL(is_found_down);
}

static void
checks_may_go_to_another_port(void **state)
{
	struct backend other = backend;
	char more[64];

	(void)state;
	answer = all_good;
	/* The endpoint's own port has no listener. */
	backend_open(&backend);
	close(other.fd);
	snprintf(
	    more, sizeof(more), "port: %u, rise: 1, fall: 1", backend.port);
	backend.port = other.port;
	open_checker(more);
	WAIT_UNTIL(is_found_up);
}

static const char *
various(unsigned i)
{
	static const char interim[] = "HTTP/1.1 103 Early Hints\r\n\r\n" OK;
	static const char *const good[] = {OK,
	    "HTTP/1.1 204 No Content\r\n\r\n",
	    "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
	    interim};

	return good[i % 4];
}

static void
answers_of_200_to_399_are_good(void **state)
{
	(void)state;
	answer = various;
	open_checker("rise: 4, fall: 1");
	WAIT_UNTIL(is_found_up);
	assert_int_equal(answered, 4);
}

static void
any_other_status_is_bad(void **state)
{
	(void)state;
	answer = all_bad;
	open_checker("rise: 1, fall: 1");
	WAIT_UNTIL(is_found_down);
}

static const char *
nonsense(unsigned i)
{
	(void)i;
	return "220 ready\r\n";
}

static void
what_is_no_answer_is_bad(void **state)
{
	(void)state;
	answer = nonsense;
	open_checker("rise: 1, fall: 1");
	WAIT_UNTIL(is_found_down);
}

static void
silence_past_the_timeout_is_bad(void **state)
{
	uint64_t from_us;

	(void)state;
	answer = silence;
	from_us = clock_ns() / 1000;
	open_checker("rise: 1, fall: 1");
	/* One check of an endpoint at a time, for any number of due checks. */
	scene_pass(150000);
	serve();
	assert_int_equal(backend.count, 1);
	WAIT_UNTIL(is_found_down);
	assert_true(clock_ns() / 1000 - from_us >= 490000);
}

static void
one_that_can_not_be_reached_is_bad(void **state)
{
	(void)state;
	answer = all_good;
	close(backend.fd);
	backend.fd = -1;
	open_checker("rise: 1, fall: 1");
	WAIT_UNTIL(is_found_down);
}

static bool
is_short(void)
{
	return services[0]->shortage.error != 0;
}

/* A shortage of this host is no verdict. */
static void
one_that_this_host_is_too_short_for_is_left_out(void **state)
{
	(void)state;
	answer = all_good;
	open_checker("rise: 1, fall: 1");
	scene_limit_descriptors(true);
	WAIT_UNTIL(is_short);
	scene_pass(100000);
	assert_int_equal(verdict(), CHECKS_UNKNOWN);
	scene_limit_descriptors(false);
	WAIT_UNTIL(is_found_up);
}

/* ---- how many ---- */

static const char *
good_from_the_third(unsigned i)
{
	return i < 2 ? BAD : OK;
}

static void
enough_in_a_row_change_the_verdict(void **state)
{
	struct member *shared;

	(void)state;
	answer = good_from_the_third;
	open_checker("rise: 3, fall: 2");
	WAIT_UNTIL(is_found_down);
	assert_int_equal(answered, 2);
	WAIT_UNTIL(is_found_up);
	assert_int_equal(answered, 5);
	/* The time of coming up is known: the slow start begins. */
	shared = services[0]->endpoints[0]->member;
	assert_true(
	    atomic_load(&shared->up_since_us) <= loop_now_us(scene.rt.loop));
	assert_true(atomic_load(&shared->up_since_us) > 0);
}

static const char *
alternating(unsigned i)
{
	return i % 2 == 0 ? BAD : OK;
}

static bool
has_answered_six(void)
{
	serve();
	return answered == 6;
}

static void
a_different_answer_starts_over(void **state)
{
	(void)state;
	answer = alternating;
	open_checker("rise: 2, fall: 2");
	WAIT_UNTIL(has_answered_six);
	assert_int_equal(verdict(), CHECKS_UNKNOWN);
}

/* ---- the checking worker ---- */

static void
a_lower_slot_that_is_ready_checks_instead(void **state)
{
	struct scoreboard_slot *lower;

	(void)state;
	answer = all_good;
	open_checker("rise: 1, fall: 1");
	lower = &scene.rt.scoreboard->slots[0];
	scene.rt.index = 1;
	scene.rt.slot = &scene.rt.scoreboard->slots[1];
	atomic_store(&lower->state, SLOT_READY);
	atomic_store(&lower->heartbeat_ns, clock_ns() + 60 * SECOND * 1000);
	scene_pass(150000);
	backend_look(&backend);
	assert_int_equal(backend.count, 0);
	/* The lower slot's worker stands still. */
	atomic_store(&lower->heartbeat_ns, clock_ns() - 2 * SECOND * 1000);
	WAIT_UNTIL(is_found_up);
}

static void
a_lower_slot_that_drains_does_not(void **state)
{
	struct scoreboard_slot *lower;

	(void)state;
	answer = all_good;
	open_checker("rise: 1, fall: 1");
	lower = &scene.rt.scoreboard->slots[0];
	scene.rt.index = 1;
	scene.rt.slot = &scene.rt.scoreboard->slots[1];
	atomic_store(&lower->state, SLOT_DRAINING);
	atomic_store(&lower->heartbeat_ns, clock_ns() + 60 * SECOND * 1000);
	WAIT_UNTIL(is_found_up);
}

/* The checker is freed during a check: nothing leaks. */
static bool
is_asked(void)
{
	backend_look(&backend);
	return backend.len[0] > 0;
}

static void
one_that_goes_lets_go_of_its_checks(void **state)
{
	(void)state;
	answer = silence;
	open_checker("rise: 1, fall: 1");
	WAIT_UNTIL(is_asked);
	assert_int_equal(services[0]->endpoints[0]->connections, 1);
	checker_free(checker);
	checker = NULL;
	assert_int_equal(services[0]->endpoints[0]->connections, 0);
	assert_int_equal(verdict(), CHECKS_UNKNOWN);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(it_asks_for_the_path),
	    TEST(it_asks_as_it_is_told),
	    TEST(a_head_has_no_body),
	    TEST(only_the_expected_statuses_are_good),
	    TEST(the_body_has_the_expected_text),
	    TEST(a_body_without_the_text_is_bad),
	    TEST(checks_may_go_to_another_port),
	    TEST(answers_of_200_to_399_are_good),
	    TEST(any_other_status_is_bad),
	    TEST(what_is_no_answer_is_bad),
	    TEST(silence_past_the_timeout_is_bad),
	    TEST(one_that_can_not_be_reached_is_bad),
	    TEST(one_that_this_host_is_too_short_for_is_left_out),
	    TEST(enough_in_a_row_change_the_verdict),
	    TEST(a_different_answer_starts_over),
	    TEST(a_lower_slot_that_is_ready_checks_instead),
	    TEST(a_lower_slot_that_drains_does_not),
	    TEST(one_that_goes_lets_go_of_its_checks),
	};

	log_init(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
