/* Goal: the reuse check. A new request leaves on an idle connection only if
 * nothing has come there, however late it came. */
#include <sys/eventfd.h>

#include "outbox_scene.h"

static void
ask_a_quiet_one(struct scene *s)
{
	io_begin(&s->ends[0].io, true);
	put(&s->ends[0], "question");
	put(&s->ends[0], "?");
	put(&s->ends[1], "answer");
}

static void
test_question(void **state)
{
	struct scene *s = *state;

	iterate(s, ask_a_quiet_one);
	assert_came(&s->ends[0], "question?");
	assert_came(&s->ends[1], "answer");
	assert_true(s->ends[0].io.has_sent);
}

static void
ask_one_that_speaks(struct scene *s)
{
	ask_a_quiet_one(s);
	/* Too late for the poll before. */
	assert_int_equal(send(s->ends[0].far, "!", 1, 0), 1);
}

static void
test_question_to_one_that_speaks(void **state)
{
	struct scene *s = *state;

	iterate(s, ask_one_that_speaks);
	assert_nothing_came(&s->ends[0]);
	assert_came(&s->ends[1], "answer");
	assert_true(s->ends[0].io.broken);
	assert_false(s->ends[0].io.has_sent);
	assert_true(s->ends[0].calls > 0);
}

static void
ask_one_that_speaks_before_the_end(struct scene *s)
{
	ask_one_that_speaks(s);
	outbox_send(s->box);
	assert_nothing_came(&s->ends[0]);
	assert_came(&s->ends[1], "answer");
	assert_int_equal(s->ends[0].calls, 0);
}

static void
test_question_before_the_end(void **state)
{
	struct scene *s = *state;

	iterate(s, ask_one_that_speaks_before_the_end);
	assert_true(s->ends[0].io.broken);
	assert_true(s->ends[0].calls > 0);
}

static void
ask_much(struct scene *s)
{
	char much[MANY] = {0};
	struct iovec iov = {much, MANY};

	io_begin(&s->ends[1].io, true);
	assert_int_equal(io_write(&s->ends[1].io, &iov, 1), 0);
	assert_int_equal(recv(s->ends[1].far, much, MANY, 0), MANY);
	io_begin(&s->ends[0].io, true);
	assert_int_equal(send(s->ends[0].far, "!", 1, 0), 1);
	assert_int_equal(io_write(&s->ends[0].io, &iov, 1), -1);
	assert_int_equal(errno, EPIPE);
	assert_nothing_came(&s->ends[0]);
}

static void
test_long_question(void **state)
{
	iterate(*state, ask_much);
}

/* The received bytes were read before the poll, which reports the descriptor as
 * writable only. */
static void
ask_one_that_was_heard(struct scene *s)
{
	char byte;

	assert_int_equal(send(s->ends[0].far, "!", 1, 0), 1);
	assert_int_equal(io_read(&s->ends[0].io, &byte, 1), 1);
	ask_a_quiet_one(s);
}

static void
test_question_to_one_that_was_heard(void **state)
{
	struct scene *s = *state;

	iterate(s, ask_one_that_was_heard);
	assert_came(&s->ends[0], "question?");
	assert_false(s->ends[0].io.broken);
}

static void
on_other(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
}

static void
ask_one_that_speaks_after_others(struct scene *s)
{
	for (size_t i = 0; i < OTHERS; i++)
		assert_int_equal(eventfd_write(s->others[i].fd, 1), 0);
	ask_one_that_speaks(s);
}

/* One poll does not tell of all of them. */
static void
test_question_among_many(void **state)
{
	struct scene *s = *state;

	for (size_t i = 0; i < OTHERS; i++) {
		loop_watch_init(&s->others[i], on_other, NULL);
		assert_int_equal(loop_watch_add(s->loop, &s->others[i],
				     eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
				     EPOLLIN | EPOLLET),
		    0);
	}
	iterate(s, ask_one_that_speaks_after_others);
	assert_nothing_came(&s->ends[0]);
	assert_true(s->ends[0].io.broken);
	for (size_t i = 0; i < OTHERS; i++)
		loop_watch_close(s->loop, &s->others[i]);
}

/* A stopping loop has no next poll. */
static void
ask_and_stop(struct scene *s)
{
	ask_a_quiet_one(s);
	loop_stop(s->loop);
}

static void
test_question_before_a_stop(void **state)
{
	struct scene *s = *state;

	iterate(s, ask_and_stop);
	assert_came(&s->ends[0], "question?");
	assert_came(&s->ends[1], "answer");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_question),
	    TEST(test_question_to_one_that_speaks),
	    TEST(test_question_before_the_end),
	    TEST(test_long_question),
	    TEST(test_question_to_one_that_was_heard),
	    TEST(test_question_among_many),
	    TEST(test_question_before_a_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
