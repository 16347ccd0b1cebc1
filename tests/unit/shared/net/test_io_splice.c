/* Goal: bytes spliced from a socket to a socket arrive whole and in order.
 * Bytes that the receiver does not take are a backlog like any other. */
#include <sys/socket.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "io.h"

#define BLOCKS 64
#define DEADLINE_US 5000000
#define BIG (4 * 1024 * 1024)

/* far_from -> from, spliced to -> far_to. */
struct ends {
	struct loop *loop;
	struct buffer_pool *buffers;
	struct pipe_pool *pipes;
	struct io from, to;
	int far_from, far_to;
	struct timer deadline;
	bool (*until)(const struct ends *e);
};

static void
on_ready(void *arg)
{
	struct ends *e = arg;

	if (e->until != NULL && e->until(e))
		loop_stop(e->loop);
}

static void
on_deadline(void *arg)
{
	(void)arg;
	fail_msg("nothing happened in time");
}

static void
wait_until(struct ends *e, bool (*until)(const struct ends *e))
{
	if (until(e))
		return;
	e->until = until;
	loop_timer_set(e->loop, &e->deadline, clock_ns() / 1000 + DEADLINE_US);
	assert_int_equal(loop_run(e->loop), 0);
	loop_timer_clear(e->loop, &e->deadline);
}

static bool
is_readable(const struct ends *e)
{
	return e->from.readable;
}

static bool
is_flushed(const struct ends *e)
{
	return io_backlog(&e->to) == 0;
}

static int
open_end(struct ends *e, struct io *io, int *far)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) == -1)
		return -1;
	*far = fds[1];
	io_init(io, e->loop, e->buffers, on_ready, e);
	return io_open(io, fds[0], true);
}

static int
setup(void **state)
{
	struct ends *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return -1;
	e->loop = loop_new();
	e->buffers = buffer_pool_new(BLOCKS);
	e->pipes = pipe_pool_new(1);
	timer_init(&e->deadline, on_deadline, e);
	*state = e;
	return open_end(e, &e->from, &e->far_from) == 0 &&
		       open_end(e, &e->to, &e->far_to) == 0
		   ? 0
		   : -1;
}

static int
teardown(void **state)
{
	struct ends *e = *state;

	io_close(&e->from);
	io_close(&e->to);
	if (e->far_from != -1)
		close(e->far_from);
	if (e->far_to != -1)
		close(e->far_to);
	pipe_pool_free(e->pipes);
	buffer_pool_free(e->buffers);
	loop_free(e->loop);
	free(e);
	return 0;
}

static void
say(struct ends *e, const char *text)
{
	assert_int_equal(
	    send(e->far_from, text, strlen(text), 0), (ssize_t)strlen(text));
	wait_until(e, is_readable);
}

static void
expect(struct ends *e, const char *text)
{
	char buf[64];
	ssize_t n = recv(e->far_to, buf, sizeof(buf), 0);

	assert_int_equal(n, (ssize_t)strlen(text));
	assert_memory_equal(buf, text, strlen(text));
}

static ssize_t
splice_some(struct ends *e, size_t max)
{
	return io_splice(&e->to, &e->from, e->pipes, max);
}

static void
assert_nothing_there(struct ends *e)
{
	errno = 0;
	assert_int_equal(splice_some(e, 100), -1);
	assert_int_equal(errno, EAGAIN);
	assert_false(e->from.readable);
}

static void
test_bytes_go_through(void **state)
{
	struct ends *e = *state;

	say(e, "hello");
	assert_int_equal(splice_some(e, 100), 5);
	expect(e, "hello");
	assert_int_equal(io_backlog(&e->to), 0);
	assert_nothing_there(e);
	say(e, "again");
	assert_int_equal(splice_some(e, 2), 2);
	expect(e, "ag");
	assert_true(e->from.readable);
	assert_int_equal(splice_some(e, 100), 3);
	expect(e, "ain");
}

static void
test_end_of_stream(void **state)
{
	struct ends *e = *state;

	say(e, "bye");
	close(e->far_from);
	e->far_from = -1;
	assert_int_equal(splice_some(e, 100), 3);
	assert_int_equal(splice_some(e, 100), 0);
	expect(e, "bye");
}

/* Sends and splices until the receiver takes no more. Returns the number of
 * spliced bytes; each byte encodes its offset. */
static size_t
fill(struct ends *e)
{
	unsigned char piece[4096];
	size_t sent = 0, spliced = 0;

	while (is_flushed(e)) {
		ssize_t n;

		assert_true(sent < BIG);
		for (size_t i = 0; i < sizeof(piece); i++)
			piece[i] = (unsigned char)((sent + i) % 251);
		assert_int_equal(
		    send(e->far_from, piece, sizeof(piece), 0), sizeof(piece));
		sent += sizeof(piece);
		wait_until(e, is_readable);
		n = splice_some(e, BIG);
		assert_true(n > 0);
		spliced += (size_t)n;
	}
	assert_false(e->to.writable);
	return spliced;
}

static size_t
read_all(struct ends *e, size_t at)
{
	unsigned char buf[30000];
	ssize_t n;

	while ((n = recv(e->far_to, buf, sizeof(buf), 0)) > 0)
		for (ssize_t i = 0; i < n; i++, at++)
			assert_int_equal(buf[i], at % 251);
	return at;
}

static void
test_backlog_leaves_in_order(void **state)
{
	struct ends *e = *state;
	size_t total = fill(e), at = 0;

	/* The pool's only pipe. */
	assert_null(pipe_get(e->pipes));
	while (at < total) {
		at = read_all(e, at);
		wait_until(e, is_flushed);
	}
	assert_int_equal(at, total);
	say(e, "more");
	assert_true(splice_some(e, 100) > 0);
}

static void
test_write_behind_a_backlog(void **state)
{
	struct ends *e = *state;
	size_t total = fill(e), at = 0;
	unsigned char last = (unsigned char)(total % 251);
	struct iovec iov = {&last, 1};

	assert_int_equal(io_write(&e->to, &iov, 1), 0);
	while (at < total + 1) {
		at = read_all(e, at);
		wait_until(e, is_flushed);
	}
}

static void
test_a_dropped_backlog_is_gone(void **state)
{
	struct ends *e = *state;

	fill(e);
	io_close(&e->to);
	close(e->far_to);
	assert_int_equal(io_backlog(&e->to), 0);
	assert_int_equal(open_end(e, &e->to, &e->far_to), 0);
	while (e->from.readable && splice_some(e, BIG) > 0)
		read_all(e, 0);
	say(e, "new");
	assert_int_equal(splice_some(e, 100), 3);
	expect(e, "new");
}

static void
test_far_end_is_gone(void **state)
{
	struct ends *e = *state;

	close(e->far_to);
	e->far_to = -1;
	say(e, "lost");
	assert_int_equal(splice_some(e, 100), 4);
	assert_true(e->to.broken);
	assert_int_equal(io_backlog(&e->to), 0);
}

static void
test_no_pipe(void **state)
{
	struct ends *e = *state;
	struct pipe *taken = pipe_get(e->pipes);

	assert_non_null(taken);
	say(e, "hello");
	errno = 0;
	assert_int_equal(splice_some(e, 100), -1);
	assert_int_equal(errno, ENOBUFS);
	assert_true(e->from.readable);
	pipe_put(taken);
	assert_int_equal(splice_some(e, 100), 5);
	expect(e, "hello");
}

/* Whoever opens a file next gets the lowest free descriptor. */
static int
next_fd(void)
{
	int fd = dup(STDOUT_FILENO);

	close(fd);
	return fd;
}

static void
test_unused_pipes_are_closed(void **state)
{
	struct ends *e = *state;
	int before = next_fd();

	pipe_put(pipe_get(e->pipes));
	assert_int_not_equal(next_fd(), before);
	pipe_pool_trim(e->pipes);
	/* Used since the last trim, if only once. */
	assert_int_not_equal(next_fd(), before);
	pipe_put(pipe_get(e->pipes));
	pipe_pool_trim(e->pipes);
	assert_int_not_equal(next_fd(), before);
	pipe_pool_trim(e->pipes);
	assert_int_equal(next_fd(), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_bytes_go_through),
	    TEST(test_end_of_stream),
	    TEST(test_backlog_leaves_in_order),
	    TEST(test_write_behind_a_backlog),
	    TEST(test_a_dropped_backlog_is_gone),
	    TEST(test_far_end_is_gone),
	    TEST(test_no_pipe),
	    TEST(test_unused_pipes_are_closed),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
