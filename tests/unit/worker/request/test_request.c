/* Goal: a request is routed, answered by what its route says, counted once and
 * recorded whole, however it ends. */
#include "request_scene.h"
#include "h1.h"
#include "h1_state.h"

/* ---- where it goes ---- */

static void
a_route_says_what_answers(void **state)
{
	(void)state;
	say("GET /now/here?now=1" HOST "\r\n");
	expect("\r\n\r\nnow");
	assert_string_equal(route_path, "/now");
	assert_int_equal(scene_total(SCOREBOARD_REQUESTS), 1);
	assert_int_equal(scene_total(SCOREBOARD_RESPONSES_2XX), 1);
	assert_int_equal(atomic_load(&scene.rt.slot->in_flight), 0);
	/* And the next one on the same connection. */
	say("GET /now" HOST "\r\n");
	scene_turn();
	assert_int_equal(scene_total(SCOREBOARD_ACCEPTED), 1);
	assert_int_equal(started, 2);
}

static void
without_a_route_it_is_404(void **state)
{
	(void)state;
	say("GET /nowhere" HOST "\r\n");
	expect("HTTP/1.1 404 ");
	assert_int_equal(started, 0);
	assert_int_equal(scene_total(SCOREBOARD_RESPONSES_4XX), 1);
	assert_int_equal(observed.records[0].status, 404);
	assert_null(observed.records[0].route);
	/* Named all the same. */
	assert_non_null(observed.records[0].id);
}

static void
another_method_is_405_with_those_that_do(void **state)
{
	(void)state;
	say("DELETE /get" HOST "\r\n");
	expect("HTTP/1.1 405 ");
	assert_non_null(strstr(said, "\r\nAllow: GET, HEAD\r\n"));
	assert_int_equal(started, 0);
}

static void
what_goes_no_further_ends_here(void **state)
{
	(void)state;
	say("OPTIONS /later" HOST "Max-Forwards: 0\r\n\r\n");
	expect("HTTP/1.1 200 ");
	assert_int_equal(last_hops, 1);
	say("OPTIONS *" HOST "\r\n");
	scene_turn();
	assert_int_equal(last_hops, 2);
	say("OPTIONS /later" HOST "Max-Forwards: 1\r\n\r\n");
	WAIT_UNTIL(is_started);
	assert_int_equal(last_hops, 2);
}

/* ---- the task ---- */

static void
the_task_gets_the_body_and_answers(void **state)
{
	(void)state;
	say("POST /later" HOST "Content-Length: 6\r\n\r\nbo");
	WAIT_UNTIL(is_started);
	assert_int_equal(atomic_load(&scene.rt.slot->in_flight), 1);
	say("dily");
	scene_turn();
	scene_turn();
	assert_true(test_task.ended);
	assert_string_equal(test_task.body, "bodily");
	answer(test_task.request, 503, NULL, "");
	expect("HTTP/1.1 503 ");
	assert_int_equal(test_task.aborted, 0);
	assert_int_equal(scene_total(SCOREBOARD_RESPONSES_5XX), 1);
	assert_int_equal(observed.records[0].bytes_in, 6);
}

/* `log.fields`: the first field of a name, while its head is there, and of the
 * response nothing before a service's. */
static void
the_log_gets_the_fields(void **state)
{
	const struct record_field *fields = observed.fields[1];
	struct head response;

	(void)state;
	head_init(&response, true);
	response.fields[0] =
	    (struct head_field){.name = {"X-A", 3}, .value = {"hit", 3}};
	response.field_count = 1;
	say("GET /now" HOST "\r\n");
	expect("now");
	assert_false(observed.fields[0][0].is_there);
	assert_false(observed.fields[0][1].is_there);
	say("GET /later" HOST "x-a: one\r\nX-A: two\r\n\r\n");
	WAIT_UNTIL(is_started);
	request_note_response(test_task.request, &response);
	answer(test_task.request, 204, NULL, "");
	expect("HTTP/1.1 204 ");
	assert_true(fields[0].is_there && fields[1].is_there);
	assert_string_equal(fields[0].value, "one");
	assert_string_equal(fields[1].value, "hit");
}

/* With a mark. */
static void
a_long_field_is_cut(void **state)
{
	char value[301], text[400];

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	snprintf(text, sizeof(text), "GET /now" HOST "X-A: %s\r\n\r\n", value);
	say(text);
	expect("now");
	memcpy(value + RECORD_FIELD_MAX - 4, "...", 4);
	assert_string_equal(observed.fields[0][0].value, value);
}

static void
a_client_that_leaves_aborts_the_task(void **state)
{
	(void)state;
	say("GET /later" HOST "\r\n");
	WAIT_UNTIL(is_started);
	hang_up();
	WAIT_UNTIL(all_have_left);
	assert_int_equal(test_task.aborted, 1);
	assert_int_equal(scene_total(SCOREBOARD_CLIENT_ABORTS), 1);
	assert_int_equal(observed.count, 1);
	assert_int_equal(observed.records[0].status, 499);
	assert_int_equal(observed.records[0].bytes_out, 0);
	assert_string_equal(observed.records[0].end, "client_reset");
}

/* Half a body is no request: the connection answers, whoever may hear it. */
static void
one_that_leaves_in_mid_body_is_answered(void **state)
{
	(void)state;
	say("POST /later" HOST "Content-Length: 6\r\n\r\nbo");
	WAIT_UNTIL(is_started);
	hang_up();
	WAIT_UNTIL(all_have_left);
	assert_int_equal(test_task.aborted, 1);
	assert_int_equal(observed.count, 1);
	assert_int_equal(observed.records[0].status, 400);
	assert_int_equal(scene_total(SCOREBOARD_REQUESTS), 1);
}

/* The body is over its cap: the connection answers by itself. */
static void
a_body_too_long_takes_the_task_off(void **state)
{
	(void)state;
	say("POST /later" HOST
	    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	WAIT_UNTIL(is_started);
	say("70\r\n");
	say("0123456789012345678901234567890123456789012345678901234567890123"
	    "4567890123456789012345678901234567890123456789012345678901\r\n");
	expect("HTTP/1.1 413 ");
	assert_int_equal(test_task.aborted, 1);
	assert_int_equal(scene_total(SCOREBOARD_CLIENT_ABORTS), 0);
	assert_int_equal(scene_total(SCOREBOARD_BAD_REQUESTS), 1);
	assert_int_equal(scene_total(SCOREBOARD_REQUESTS), 1);
	assert_int_equal(observed.count, 1);
	assert_int_equal(observed.records[0].status, 413);
}

/* ---- a stage that makes it wait ---- */

/* The head's text is there as long as the request waits. */
static void
a_request_that_waits_goes_on_when_it_is_resumed(void **state)
{
	const struct head *m;

	(void)state;
	say("POST /wait/for?it=1" HOST "Content-Length: 6\r\n\r\n");
	WAIT_UNTIL(is_waiting);
	say("bodily");
	scene_turn();
	assert_int_equal(started, 0);
	m = waiting->stream->head;
	assert_true(slice_is(m->path, "/wait/for?it=1"));
	assert_int_equal(wait_ends, 0);
	request_resume(waiting);
	assert_int_equal(started, 1);
	scene_turn();
	scene_turn();
	assert_string_equal(test_task.body, "bodily");
	answer(waiting, 200, NULL, "");
	expect("HTTP/1.1 200 ");
	assert_int_equal(wait_ends, 1);
	assert_int_equal(test_task.ends, 1);
	/* And the next one on the same connection. */
	said_len = 0;
	say("GET /now" HOST "\r\n");
	expect("\r\n\r\nnow");
	assert_int_equal(buffer_pool_used(scene.rt.buffers), 0);
}

static void
a_client_that_leaves_ends_the_wait(void **state)
{
	(void)state;
	say("GET /wait" HOST "\r\n");
	WAIT_UNTIL(is_waiting);
	hang_up();
	WAIT_UNTIL(all_have_left);
	assert_int_equal(wait_ends, 1);
	assert_int_equal(started, 0);
	assert_int_equal(test_task.ends, 0);
	assert_int_equal(observed.records[0].status, 499);
}

/* A stage that waits for a reply may get the reply too late. */
static void
a_request_that_is_over_is_not_resumed(void **state)
{
	(void)state;
	say("GET /wait" HOST "\r\n");
	WAIT_UNTIL(is_waiting);
	h1_close(h1_of(waiting->stream), STREAM_END_DRAINED);
	request_resume(waiting);
	assert_int_equal(started, 0);
	assert_int_equal(wait_ends, 1);
}

/* ---- what is recorded ---- */

static void
a_record_has_all_that_is_known(void **state)
{
	const struct record *r = &observed.records[0];

	(void)state;
	say("GET /later/on?x=1" HOST "\r\n");
	WAIT_UNTIL(is_started);
	answer(test_task.request, 200, "text/plain", "hello");
	expect("hello");
	assert_int_equal(observed.count, 1);
	assert_string_equal(r->client, "10.1.2.3");
	assert_string_equal(r->request, "GET /later/on?x=1 HTTP/1.1");
	assert_string_equal(r->host, "example.org");
	assert_string_equal(r->route, "/later");
	assert_string_equal(r->service, "users");
	assert_string_equal(r->upstream, "10.0.0.2:80");
	assert_int_equal(strlen(r->id), 32);
	assert_string_equal(r->end, "done");
	assert_int_equal(r->tries, 2);
	assert_int_equal(r->status, 200);
	assert_int_equal(r->bytes_in, 0);
	assert_int_equal(r->bytes_out, 5);
	assert_true(r->total_us < SCENE_DEADLINE_US);
	assert_true(r->queue_us == RECORD_NO_TIME);
}

/* The task knows better why it ended. */
static void
the_tasks_word_for_the_end_stands(void **state)
{
	(void)state;
	say("GET /later" HOST "\r\n");
	WAIT_UNTIL(is_started);
	test_task.request->record.end = "connect_refused";
	answer(test_task.request, 502, NULL, "");
	expect("HTTP/1.1 502 ");
	assert_string_equal(observed.records[0].end, "connect_refused");
}

static void
a_long_request_line_is_cut_with_a_mark(void **state)
{
	char text[2048];
	const char *line;
	size_t len;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "GET /now/", 9);
	snprintf(text + 1500, sizeof(text) - 1500, HOST "\r\n");
	say(text);
	expect("now");
	line = observed.records[0].request;
	assert_non_null(line);
	/* The log's own copy here is shorter still: only its beginning. */
	len = strlen(line);
	assert_int_equal(len, 255);
	assert_memory_equal(line, text, len);
}

static void
a_response_cut_short_is_recorded_at_the_close(void **state)
{
	struct stream_start start = {.status = 200, .length = 100};

	(void)state;
	say("GET /later" HOST "\r\n");
	WAIT_UNTIL(is_started);
	(void)stream_begin(test_task.request->stream, &start);
	stream_write(test_task.request->stream,
	    &(struct stream_piece){.data = "half", .len = 4});
	expect("half");
	assert_int_equal(observed.count, 0);
	stream_cut(test_task.request->stream);
	WAIT_UNTIL(all_have_left);
	assert_int_equal(observed.count, 1);
	assert_int_equal(observed.records[0].status, 200);
	assert_int_equal(observed.records[0].bytes_out, 4);
	assert_string_equal(observed.records[0].end, "cut");
	assert_int_equal(scene_total(SCOREBOARD_CLIENT_ABORTS), 0);
}

static void
what_is_no_request_is_counted_and_recorded(void **state)
{
	(void)state;
	say("GET /now HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
	expect("HTTP/1.1 400 ");
	assert_int_equal(started, 0);
	assert_int_equal(scene_total(SCOREBOARD_REQUESTS), 1);
	assert_int_equal(scene_total(SCOREBOARD_BAD_REQUESTS), 1);
	assert_int_equal(scene_total(SCOREBOARD_RESPONSES_4XX), 1);
	assert_int_equal(observed.count, 1);
	assert_int_equal(observed.records[0].status, 400);
	assert_string_equal(observed.records[0].end, "bad_request");
	assert_string_equal(observed.records[0].request, "GET /now HTTP/1.1");
	assert_string_equal(
	    observed.records[0].reason, "exactly one valid Host is required");
	assert_true(observed.records[0].total_us == RECORD_NO_TIME);
}

static void
without_a_log_nothing_is_recorded(void **state)
{
	(void)state;
	requests.log = NULL;
	say("GET /later" HOST "\r\n");
	WAIT_UNTIL(is_started);
	assert_null(test_task.request->text);
	assert_null(test_task.request->record.upstream);
	assert_int_equal(test_task.request->record.tries, 2);
	hang_up();
	WAIT_UNTIL(all_have_left);
	assert_false(is_recorded());
}

/* ---- what the worker is on ---- */

static void
assert_is_on(const char *activity)
{
	struct scoreboard_slot *slot = scene.rt.slot;

	assert_int_equal(atomic_load(&slot->activity_len), strlen(activity));
	assert_memory_equal(slot->activity, activity, strlen(activity));
}

static void
the_activity_is_the_request_without_its_query(void **state)
{
	(void)state;
	say("GET /now/on?secret=1" HOST "\r\n");
	expect("now");
	assert_is_on("GET /now/on");
}

/* The blocking request keeps the blame to the iteration's end. */
static void
who_blocks_the_iteration_keeps_the_blame(void **state)
{
	(void)state;
	say("GET /now/block" HOST "\r\nGET /now/2" HOST "\r\n");
	expect("now");
	assert_int_equal(started, 2);
	assert_is_on("GET /now/block");
	say("GET /now/3" HOST "\r\n");
	started = 0;
	WAIT_UNTIL(is_started);
	assert_is_on("GET /now/3");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_request_that_waits_goes_on_when_it_is_resumed),
	    TEST(a_client_that_leaves_ends_the_wait),
	    TEST(a_request_that_is_over_is_not_resumed),
	    TEST(a_route_says_what_answers),
	    TEST(without_a_route_it_is_404),
	    TEST(another_method_is_405_with_those_that_do),
	    TEST(what_goes_no_further_ends_here),
	    TEST(the_task_gets_the_body_and_answers),
	    TEST(the_log_gets_the_fields),
	    TEST(a_long_field_is_cut),
	    TEST(a_client_that_leaves_aborts_the_task),
	    TEST(one_that_leaves_in_mid_body_is_answered),
	    TEST(a_body_too_long_takes_the_task_off),
	    TEST(a_record_has_all_that_is_known),
	    TEST(the_tasks_word_for_the_end_stands),
	    TEST(a_long_request_line_is_cut_with_a_mark),
	    TEST(a_response_cut_short_is_recorded_at_the_close),
	    TEST(what_is_no_request_is_counted_and_recorded),
	    TEST(without_a_log_nothing_is_recorded),
	    TEST(the_activity_is_the_request_without_its_query),
	    TEST(who_blocks_the_iteration_keeps_the_blame),
	};

	log_init(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
