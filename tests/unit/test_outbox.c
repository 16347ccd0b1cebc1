/* Goal: what is written in an iteration leaves at its end, in order, whatever
 * comes between, and whoever wrote it hears if it could not. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io.h"
#include "outbox.h"

#define ENDS 3
#define BLOCKS 8
#define MANY 2049  /* more than is held */
#define OTHERS 300 /* more than one poll tells of */

/* An io on one end of a socket pair; the test holds the other. */
struct end {
	struct io io;
	int far;
	unsigned calls;     /* of on_ready */
	struct end *closes; /* on_ready closes that one; NULL: nobody */
	struct end *tells;  /* or writes to it, once */
};

struct scene {
	struct loop *loop;
	struct buffer_pool *buffers;
	struct outbox *box;
	struct end ends[ENDS];
	struct loop_watch others[OTHERS];
	struct loop_deferred act;
	struct loop_deferred stop;
	void (*in_iteration)(struct scene *s);
};

static void
put(struct end *end, const char *text)
{
	struct iovec iov = {(void *)(uintptr_t)text, strlen(text)};

	assert_int_equal(io_write(&end->io, &iov, 1), 0);
}

static void
on_ready(void *arg)
{
	struct end *end = arg;

	end->calls++;
	if (end->closes != NULL)
		io_close(&end->closes->io);
	if (end->tells != NULL)
		put(end->tells, "told");
	end->tells = NULL;
}

static void
on_act(void *arg)
{
	struct scene *s = arg;

	s->in_iteration(s);
	loop_defer(s->loop, &s->stop);
}

static void
on_stop(void *arg)
{
	struct scene *s = arg;

	loop_stop(s->loop);
}

/* One iteration of the loop, of which fn is a part, and the next one, which
 * begins with a poll. */
static void
iterate(struct scene *s, void (*fn)(struct scene *s))
{
	s->in_iteration = fn;
	loop_defer(s->loop, &s->act);
	assert_int_equal(loop_run(s->loop), 0);
}

static void
open_end(struct scene *s, struct end *end, int fd, bool first)
{
	io_init(&end->io, s->loop, s->buffers, on_ready, end);
	io_hold(&end->io, s->box, first);
	assert_int_equal(io_open(&end->io, fd, true), 0);
}

static void
do_nothing(struct scene *s)
{
	(void)s;
}

static int
setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->loop = loop_new();
	s->buffers = buffer_pool_new(BLOCKS);
	s->box = outbox_new(s->loop);
	loop_deferred_init(&s->act, on_act, s);
	loop_deferred_init(&s->stop, on_stop, s);
	for (size_t i = 0; i < ENDS; i++) {
		int fds[2];

		assert_int_equal(
		    socketpair(AF_UNIX,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
		    0);
		open_end(s, &s->ends[i], fds[0], false);
		s->ends[i].far = fds[1];
	}
	/* The events of opening them. */
	iterate(s, do_nothing);
	iterate(s, do_nothing);
	for (size_t i = 0; i < ENDS; i++)
		s->ends[i].calls = 0;
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct scene *s = *state;

	for (size_t i = 0; i < ENDS; i++) {
		io_close(&s->ends[i].io);
		if (s->ends[i].far != -1)
			close(s->ends[i].far);
	}
	assert_int_equal(buffer_pool_used(s->buffers), 0);
	outbox_free(s->box);
	loop_free(s->loop);
	buffer_pool_free(s->buffers);
	free(s);
	return 0;
}

static void
assert_nothing_came(const struct end *end)
{
	char byte;

	assert_int_equal(recv(end->far, &byte, 1, MSG_PEEK), -1);
	assert_int_equal(errno, EAGAIN);
}

/* That this came, and no more. */
static void
assert_came(const struct end *end, const char *text)
{
	char buf[256];
	ssize_t n = recv(end->far, buf, sizeof(buf), 0);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(buf, text, strlen(text));
	assert_nothing_came(end);
}

static void
write_to_two(struct scene *s)
{
	put(&s->ends[0], "one");
	put(&s->ends[1], "two");
	assert_nothing_came(&s->ends[0]);
	assert_int_equal(io_backlog(&s->ends[0].io), 0);
}

static void
test_it_leaves_at_the_end(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < 2; i++) {
		iterate(s, write_to_two);
		assert_came(&s->ends[0], "one");
		assert_came(&s->ends[1], "two");
	}
}

static void
write_by_turns(struct scene *s)
{
	put(&s->ends[0], "a");
	put(&s->ends[0], "b");
	put(&s->ends[1], "c");
	put(&s->ends[0], "d, which is longer than what is free behind b");
	put(&s->ends[0], "e");
	put(&s->ends[1], "f");
}

static void
test_order_of_one(void **state)
{
	struct scene *s = *state;

	iterate(s, write_by_turns);
	assert_came(
	    &s->ends[0], "abd, which is longer than what is free behind be");
	assert_came(&s->ends[1], "cf");
}

static void
write_first_last(struct scene *s)
{
	put(&s->ends[0], "answer ");
	put(&s->ends[1], "request ");
}

/* Both write to one stream, which shows who was first. */
static void
test_order_of_kinds(void **state)
{
	struct scene *s = *state;

	io_close(&s->ends[1].io);
	open_end(s, &s->ends[1],
	    fcntl(s->ends[0].io.watch.fd, F_DUPFD_CLOEXEC, 0), true);
	iterate(s, write_first_last);
	assert_came(&s->ends[0], "request answer ");
}

static void
write_little_and_much(struct scene *s)
{
	char much[MANY + 1];

	memset(much, 'x', MANY);
	much[MANY] = '\0';
	put(&s->ends[0], "little");
	put(&s->ends[0], much);
	/* Both are gone, in this order. */
	assert_int_equal(recv(s->ends[0].far, much, 6, 0), 6);
	assert_memory_equal(much, "little", 6);
	assert_int_equal(recv(s->ends[0].far, much, MANY, 0), MANY);
	put(&s->ends[0], "more");
}

static void
test_much_leaves_at_once(void **state)
{
	struct scene *s = *state;

	iterate(s, write_little_and_much);
	assert_came(&s->ends[0], "more");
}

static void
write_and_splice(struct scene *s)
{
	struct pipe_pool *pipes = pipe_pool_new(1);

	assert_int_equal(send(s->ends[1].far, "body", 4, 0), 4);
	put(&s->ends[0], "head, ");
	assert_int_equal(
	    io_splice(&s->ends[0].io, &s->ends[1].io, pipes, 1000), 4);
	assert_came(&s->ends[0], "head, body");
	pipe_pool_free(pipes);
}

static void
test_spliced_behind_it(void **state)
{
	struct scene *s = *state;

	iterate(s, write_and_splice);
	assert_nothing_came(&s->ends[0]);
}

static void
write_and_look(struct scene *s)
{
	put(&s->ends[0], "before");
	outbox_send(s->box);
	assert_came(&s->ends[0], "before");
	put(&s->ends[0], "behind");
	put(&s->ends[1], "other");
	assert_nothing_came(&s->ends[1]);
}

static void
test_sent_before_the_end(void **state)
{
	struct scene *s = *state;

	iterate(s, write_and_look);
	assert_came(&s->ends[0], "behind");
	assert_came(&s->ends[1], "other");
}

static void
write_until_full(struct scene *s)
{
	char text[1001];
	size_t held;

	memset(text, 'x', 1000);
	text[1000] = '\0';
	put(&s->ends[0], "held");
	for (held = 0; held < 1000; held += 1) {
		put(&s->ends[1], text);
		if (recv(s->ends[1].far, text, 1, MSG_PEEK) == 1)
			break;
	}
	assert_in_range(held, 10, 999);
	/* It is there still, and nobody else's order changes. */
	assert_nothing_came(&s->ends[0]);
	put(&s->ends[0], "!");
}

static void
test_a_full_outbox(void **state)
{
	struct scene *s = *state;

	iterate(s, write_until_full);
	assert_came(&s->ends[0], "held!");
}

static void
write_and_close(struct scene *s)
{
	put(&s->ends[0], "last words");
	io_close(&s->ends[0].io);
	put(&s->ends[1], "end");
	io_finish(&s->ends[1].io);
}

static void
test_closed_with_something_held(void **state)
{
	struct scene *s = *state;
	char buf[16];

	iterate(s, write_and_close);
	assert_int_equal(recv(s->ends[0].far, buf, sizeof(buf), 0), 10);
	assert_int_equal(recv(s->ends[0].far, buf, sizeof(buf), 0), 0);
	assert_int_equal(recv(s->ends[1].far, buf, sizeof(buf), 0), 3);
	assert_int_equal(recv(s->ends[1].far, buf, sizeof(buf), 0), 0);
}

static void
write_to_a_deaf_one(struct scene *s)
{
	put(&s->ends[0], "nobody");
	put(&s->ends[1], "somebody");
	close(s->ends[0].far);
	s->ends[0].far = -1;
	assert_int_equal(s->ends[0].calls, 0);
}

static void
test_it_could_not_leave(void **state)
{
	struct scene *s = *state;

	iterate(s, write_to_a_deaf_one);
	assert_true(s->ends[0].io.broken);
	assert_false(s->ends[0].io.has_sent);
	assert_true(s->ends[0].calls > 0);
	assert_came(&s->ends[1], "somebody");
	assert_true(s->ends[1].io.has_sent);
	assert_int_equal(s->ends[1].calls, 0);
}

static void
write_to_a_deaf_one_that_tells(struct scene *s)
{
	write_to_a_deaf_one(s);
	s->ends[0].tells = &s->ends[2];
}

static void
test_who_is_told_writes(void **state)
{
	struct scene *s = *state;

	iterate(s, write_to_a_deaf_one_that_tells);
	assert_came(&s->ends[1], "somebody");
	assert_came(&s->ends[2], "told");
}

static void
write_to_two_deaf_ones(struct scene *s)
{
	for (size_t i = 0; i < 2; i++) {
		put(&s->ends[i], "nobody");
		close(s->ends[i].far);
		s->ends[i].far = -1;
	}
	/* Who hears first closes the other. */
	s->ends[0].closes = &s->ends[1];
	s->ends[1].closes = &s->ends[0];
}

static void
test_who_is_told_closes_others(void **state)
{
	struct scene *s = *state;

	iterate(s, write_to_two_deaf_ones);
	assert_true((s->ends[0].calls > 0) != (s->ends[1].calls > 0));
	iterate(s, do_nothing);
}

/* Fills what the kernel takes, to some bytes. */
static void
fill_socket(struct scene *s)
{
	static char much[65536];
	int fd = s->ends[0].io.watch.fd;

	while (send(fd, much, sizeof(much), MSG_DONTWAIT) > 0)
		continue;
	while (send(fd, much, 1, MSG_DONTWAIT) > 0)
		continue;
	put(&s->ends[0], "held");
}

static void
test_the_kernel_is_full(void **state)
{
	struct scene *s = *state;
	char buf[65536];
	ssize_t n, last = 0;

	iterate(s, fill_socket);
	assert_int_equal(io_backlog(&s->ends[0].io), 4);
	assert_int_equal(s->ends[0].calls, 1);
	while ((n = recv(s->ends[0].far, buf, sizeof(buf), 0)) > 0)
		last = n;
	assert_true(last > 0);
	while (io_backlog(&s->ends[0].io) > 0)
		iterate(s, do_nothing);
	assert_came(&s->ends[0], "held");
}

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

/* What had come was read, before the poll tells of it: that tells only that it
 * can be written to. */
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

/* Who stops has no next poll. */
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_it_leaves_at_the_end),
	    TEST(test_order_of_one),
	    TEST(test_order_of_kinds),
	    TEST(test_much_leaves_at_once),
	    TEST(test_spliced_behind_it),
	    TEST(test_sent_before_the_end),
	    TEST(test_a_full_outbox),
	    TEST(test_closed_with_something_held),
	    TEST(test_it_could_not_leave),
	    TEST(test_who_is_told_writes),
	    TEST(test_who_is_told_closes_others),
	    TEST(test_the_kernel_is_full),
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
