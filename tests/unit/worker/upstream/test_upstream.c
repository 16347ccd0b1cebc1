/* Goal: a connection to a backend comes up, is lent, idle and closed, and its
 * owner is told of each event. */
#include "runtime_scene.h"

#include "service.h"
#include "upstream.h"

static struct backend backend;
static struct service *services[1];
static struct upstream *up;
static unsigned told[BACK_TIMEOUT + 1];
static enum back_event last;
static int error;
static char memory[1024];
static struct fields fields;

static void
on_event(void *arg, struct back *b, enum back_event event)
{
	assert_ptr_equal(arg, &told);
	assert_ptr_equal(upstream_of(b), up);
	told[event]++;
	last = event;
	error = b->error;
}

static int
setup(void **state)
{
	(void)state;
	backend_open(&backend);
	scene_open("services:\n"
		   "- { name: users, endpoints: ['127.0.0.1:%u'] }\n"
		   "routes:\n"
		   "- { path: /, service: users }\n",
	    backend.port);
	services[0] = service_new(&scene.rt, 0);
	assert_non_null(services[0]);
	scene.rt.services = services;
	memset(told, 0, sizeof(told));
	error = 0;
	up = upstream_open(services[0]->endpoints[0]);
	assert_non_null(up);
	upstream_set_owner(up, on_event, &told);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (up != NULL)
		upstream_close(up);
	up = NULL;
	scene_turn();
	service_free(services[0]);
	scene_close();
	backend_close(&backend);
	return 0;
}

static bool
is_told(void)
{
	backend_look(&backend);
	return told[last] > 0 && last != BACK_WAITS;
}

static bool
is_up(void)
{
	backend_look(&backend);
	return up->state == UPSTREAM_LENT && backend.count > 0;
}

static bool
has_failed(void)
{
	backend_look(&backend);
	return told[BACK_FAILED] > 0;
}

static bool
has_piece(void)
{
	return told[BACK_PIECE] > 0;
}

static void
begin(void)
{
	struct stream_start start = {
	    .method = {"GET", 3}, .path = {"/", 1}, .no_body = true};

	stream_lay_out(&start, &fields, memory, sizeof(memory));
	(void)stream_begin(&up->back.stream, &start);
	stream_write(&up->back.stream, &(struct stream_piece){.last = true});
	stream_take(&up->back.stream);
}

static bool
is_asked(void)
{
	backend_look(&backend);
	return strstr(backend.text[0], "\r\n\r\n") != NULL;
}

static bool
has_head(void)
{
	return told[BACK_HEAD] > 0;
}

/* A request, and its whole response. */
static void
exchange(void)
{
	memset(told, 0, sizeof(told));
	begin();
	WAIT_UNTIL(is_asked);
	backend_say(
	    &backend, 0, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	WAIT_UNTIL(has_head);
	stream_take(&up->back.stream);
	WAIT_UNTIL(has_piece);
}

static void
a_connection_comes_up_lent(void **state)
{
	(void)state;
	assert_int_equal(up->state, UPSTREAM_CONNECTING);
	assert_int_equal(up->back.use, BACK_FRESH);
	WAIT_UNTIL(is_told);
	assert_int_equal(told[BACK_CONNECTED], 1);
	assert_int_equal(up->state, UPSTREAM_LENT);
	assert_int_equal(up->back.stream.out, STREAM_OUT_NONE);
}

static void
a_refused_connection_fails(void **state)
{
	(void)state;
	upstream_close(up);
	backend_close(&backend);
	up = upstream_open(services[0]->endpoints[0]);
	assert_non_null(up);
	upstream_set_owner(up, on_event, &told);
	WAIT_UNTIL(has_failed);
	assert_int_equal(error, ECONNREFUSED);
	assert_int_equal(told[BACK_CONNECTED], 0);
	assert_int_equal(up->state, UPSTREAM_CONNECTING);
}

static void
a_connection_is_reused(void **state)
{
	(void)state;
	WAIT_UNTIL(is_up);
	exchange();
	assert_true(back_is_reusable(&up->back));
	assert_true(upstream_set_idle(up));
	assert_int_equal(up->back.stream.out, STREAM_OUT_NONE);
	assert_true(upstream_is_quiet(up, false));
	assert_true(upstream_is_quiet(up, true));
	assert_true(upstream_set_lent(up, false));
	assert_int_equal(up->back.use, BACK_REUSED);
	backend_forget(&backend, 0);
	exchange();
	assert_true(upstream_set_idle(up));
	assert_true(upstream_set_lent(up, true));
	assert_int_equal(up->back.use, BACK_CHECKED);
}

static void
an_idle_connection_fails_with_stray_bytes(void **state)
{
	(void)state;
	WAIT_UNTIL(is_up);
	exchange();
	assert_true(upstream_set_idle(up));
	backend_say(&backend, 0, "HTTP/1.1 408 ");
	/* The poll has not told of the bytes. */
	assert_true(upstream_is_quiet(up, false));
	assert_false(upstream_is_quiet(up, true));
	WAIT_UNTIL(has_failed);
	assert_int_equal(error, EPIPE);
}

static void
an_idle_connection_fails_with_the_end(void **state)
{
	(void)state;
	WAIT_UNTIL(is_up);
	exchange();
	assert_true(upstream_set_idle(up));
	backend_hang_up(&backend, 0);
	WAIT_UNTIL(has_failed);
	assert_int_equal(error, EPIPE);
}

/* Reused, and closed by the backend meanwhile: no byte leaves. */
static void
a_stale_connection_fails_unsent(void **state)
{
	(void)state;
	WAIT_UNTIL(is_up);
	exchange();
	assert_true(upstream_set_idle(up));
	assert_true(upstream_set_lent(up, false));
	backend_hang_up(&backend, 0);
	memset(told, 0, sizeof(told));
	begin();
	assert_int_equal(up->back.stream.out, STREAM_OUT_GONE);
	assert_int_equal(up->back.error, EPIPE);
	assert_false(back_has_sent(&up->back));
	WAIT_UNTIL(has_failed);
	assert_int_equal(told[BACK_HEAD], 0);
}

static void
a_deadline_is_told(void **state)
{
	(void)state;
	WAIT_UNTIL(is_up);
	memset(told, 0, sizeof(told));
	upstream_set_deadline(up, 1000);
	upstream_clear_deadline(up);
	scene_pass(3 * LOOP_EARLY_US);
	assert_int_equal(told[BACK_TIMEOUT], 0);
	upstream_set_deadline(up, 1000);
	WAIT_UNTIL(is_told);
	assert_int_equal(told[BACK_TIMEOUT], 1);
}

static bool
is_left(void)
{
	backend_look(&backend);
	return backend.ended[0];
}

/* No callback either. */
static void
a_closed_connection_ends(void **state)
{
	(void)state;
	WAIT_UNTIL(is_up);
	memset(told, 0, sizeof(told));
	upstream_set_deadline(up, 1000);
	upstream_close(up);
	up = NULL;
	WAIT_UNTIL(is_left);
	scene_pass(3 * LOOP_EARLY_US);
	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++)
		assert_int_equal(told[i], 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_connection_comes_up_lent),
	    TEST(a_refused_connection_fails),
	    TEST(a_connection_is_reused),
	    TEST(an_idle_connection_fails_with_stray_bytes),
	    TEST(an_idle_connection_fails_with_the_end),
	    TEST(a_stale_connection_fails_unsent),
	    TEST(a_deadline_is_told),
	    TEST(a_closed_connection_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
