/* Goal: written bytes arrive in order, for any size that the kernel takes at
 * once, and readiness is neither missed nor invented. */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <setjmp.h>
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
#include "sock.h"

#define BLOCKS 64
#define DEADLINE_US 5000000

/* An io on one end of a socket pair; the test holds the far end. */
struct ends {
	struct loop *loop;
	struct buffer_pool *buffers;
	struct io io;
	int far;
	struct timer deadline;
	unsigned calls; /* of on_ready */
	bool closes;    /* on_ready closes the io */
	bool (*until)(const struct ends *e);
};

static void
on_ready(void *arg)
{
	struct ends *e = arg;

	e->calls++;
	if (e->closes)
		io_close(&e->io);
	if (e->until == NULL || e->until(e))
		loop_stop(e->loop);
}

static void
on_deadline(void *arg)
{
	(void)arg;
	fail_msg("nothing happened in time");
}

/* Runs the loop until an event of the io makes the condition true. */
static void
wait_until(struct ends *e, bool (*until)(const struct ends *e))
{
	e->until = until;
	loop_timer_set(e->loop, &e->deadline, clock_ns() / 1000 + DEADLINE_US);
	assert_int_equal(loop_run(e->loop), 0);
	loop_timer_clear(e->loop, &e->deadline);
}

static int
setup(void **state)
{
	struct ends *e = calloc(1, sizeof(*e));
	int fds[2];

	if (e == NULL ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) == -1)
		return -1;
	e->loop = loop_new();
	e->buffers = buffer_pool_new(BLOCKS);
	e->far = fds[1];
	timer_init(&e->deadline, on_deadline, e);
	io_init(&e->io, e->loop, e->buffers, on_ready, e);
	*state = e;
	return io_open(&e->io, fds[0], true);
}

static int
teardown(void **state)
{
	struct ends *e = *state;

	io_close(&e->io);
	io_close(&e->io);
	assert_false(io_is_open(&e->io));
	assert_int_equal(buffer_pool_used(e->buffers), 0);
	if (e->far != -1)
		close(e->far);
	buffer_pool_free(e->buffers);
	loop_free(e->loop);
	free(e);
	return 0;
}

static bool
is_readable(const struct ends *e)
{
	return e->io.readable;
}

static bool
is_flushed(const struct ends *e)
{
	return io_backlog(&e->io) == 0;
}

static int
write_text(struct io *io, const char *a, const char *b)
{
	struct iovec iov[2] = {{(void *)(uintptr_t)a, strlen(a)},
	    {(void *)(uintptr_t)b, strlen(b)}};

	return io_write(io, iov, 2);
}

static void
test_small_write_goes_at_once(void **state)
{
	struct ends *e = *state;
	char buf[16];

	assert_int_equal(write_text(&e->io, "hello, ", "you"), 0);
	assert_int_equal(io_backlog(&e->io), 0);
	assert_int_equal(recv(e->far, buf, sizeof(buf), 0), 10);
	assert_memory_equal(buf, "hello, you", 10);
	assert_int_equal(buffer_pool_used(e->buffers), 0);
}

static void
test_read_and_nothing_to_read(void **state)
{
	struct ends *e = *state;
	char buf[16];

	assert_int_equal(send(e->far, "abc", 3, 0), 3);
	wait_until(e, is_readable);
	assert_int_equal(io_read(&e->io, buf, sizeof(buf)), 3);
	/* Fewer than asked for: the socket is empty. */
	assert_false(e->io.readable);
	errno = 0;
	assert_int_equal(io_read(&e->io, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(send(e->far, "defg", 4, 0), 4);
	wait_until(e, is_readable);
	assert_int_equal(io_read(&e->io, buf, 2), 2);
	/* A full read: more bytes may wait. */
	assert_true(e->io.readable);
	assert_int_equal(io_read(&e->io, buf, 2), 2);
	assert_true(e->io.readable);
	assert_int_equal(io_read(&e->io, buf, 2), -1);
	assert_false(e->io.readable);
}

/* Bytes and the end come in one event: no second event follows. */
static void
test_end_of_stream_behind_bytes(void **state)
{
	struct ends *e = *state;
	char buf[16];

	assert_int_equal(send(e->far, "abc", 3, 0), 3);
	close(e->far);
	e->far = -1;
	wait_until(e, is_readable);
	assert_true(e->io.hangup);
	assert_int_equal(io_read(&e->io, buf, sizeof(buf)), 3);
	assert_true(e->io.readable);
	assert_int_equal(io_read(&e->io, buf, sizeof(buf)), 0);
}

static void
test_far_end_stops_sending(void **state)
{
	struct ends *e = *state;
	char buf[16];

	assert_int_equal(shutdown(e->far, SHUT_WR), 0);
	wait_until(e, is_readable);
	assert_true(e->io.hangup);
	assert_int_equal(io_read(&e->io, buf, sizeof(buf)), 0);
	/* The peer still reads. */
	assert_int_equal(write_text(&e->io, "bye", ""), 0);
	assert_int_equal(recv(e->far, buf, sizeof(buf), 0), 3);
}

static size_t
fill_kernel(struct ends *e, size_t limit)
{
	unsigned char piece[4000];
	struct iovec iov = {piece, sizeof(piece)};
	size_t total = 0;

	while (io_backlog(&e->io) < limit) {
		for (size_t i = 0; i < sizeof(piece); i++)
			piece[i] = (unsigned char)((total + i) % 251);
		assert_int_equal(io_write(&e->io, &iov, 1), 0);
		total += sizeof(piece);
	}
	return total;
}

static void
test_backlog_leaves_in_order(void **state)
{
	struct ends *e = *state;
	size_t total = fill_kernel(e, 5 * BUFFER_BYTES + 1), at = 0;

	assert_false(e->io.writable);
	assert_true(buffer_pool_used(e->buffers) >= 6);
	while (at < total) {
		unsigned char buf[30000];
		ssize_t n = recv(e->far, buf, sizeof(buf), 0);

		if (n == -1) {
			assert_int_equal(errno, EAGAIN);
			wait_until(e, NULL);
			continue;
		}
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(buf[i], (at + (size_t)i) % 251);
		at += (size_t)n;
	}
	assert_true(is_flushed(e));
	assert_int_equal(buffer_pool_used(e->buffers), 0);
	assert_true(e->io.progress_us > 0);
}

/* A new write never overtakes the backlog. */
static void
test_write_behind_a_backlog(void **state)
{
	struct ends *e = *state;
	size_t total = fill_kernel(e, 1), at = 0;
	char last[4] = "";

	assert_int_equal(write_text(&e->io, "EN", "D"), 0);
	total += 3;
	while (at < total) {
		char buf[30000];
		ssize_t n = recv(e->far, buf, sizeof(buf), 0);

		if (n == -1) {
			wait_until(e, NULL);
			continue;
		}
		at += (size_t)n;
		if (at == total && n >= 3)
			memcpy(last, buf + n - 3, 3);
	}
	assert_string_equal(last, "END");
}

static void
test_backlog_has_a_cap(void **state)
{
	struct ends *e = *state;
	char piece[10000];
	struct iovec iov = {piece, sizeof(piece)};
	int result = 0;

	memset(piece, 'x', sizeof(piece));
	for (int i = 0; i < 1000 && result == 0; i++)
		result = io_write(&e->io, &iov, 1);
	assert_int_equal(result, -1);
	assert_int_equal(errno, ENOBUFS);
	assert_true(e->io.broken);
	assert_true(io_backlog(&e->io) <= (size_t)BLOCKS * BUFFER_BYTES);
	/* Broken is for good. */
	assert_int_equal(io_write(&e->io, &iov, 1), -1);
	assert_int_equal(errno, EPIPE);
}

static void
test_far_end_is_gone(void **state)
{
	struct ends *e = *state;

	close(e->far);
	e->far = -1;
	errno = 0;
	/* SIGPIPE would end the test here. */
	assert_int_equal(write_text(&e->io, "x", ""), -1);
	assert_int_equal(errno, EPIPE);
	assert_true(e->io.broken);
}

/* The break comes to light while the backlog leaves. */
static bool
is_broken(const struct ends *e)
{
	return e->io.broken;
}

static void
test_far_end_goes_with_a_backlog(void **state)
{
	struct ends *e = *state;

	fill_kernel(e, 1);
	close(e->far);
	e->far = -1;
	wait_until(e, is_broken);
	assert_true(e->io.hangup);
}

static void
test_closed_in_its_own_callback(void **state)
{
	struct ends *e = *state;

	assert_int_equal(send(e->far, "abc", 3, 0), 3);
	e->closes = true;
	wait_until(e, NULL);
	assert_false(io_is_open(&e->io));
	assert_int_equal(e->calls, 1);
}

static void
test_closing_drops_the_backlog(void **state)
{
	struct ends *e = *state;
	char buf[64];
	ssize_t n;

	fill_kernel(e, 50000);
	io_close(&e->io);
	assert_int_equal(buffer_pool_used(e->buffers), 0);
	do
		n = recv(e->far, buf, sizeof(buf), 0);
	while (n > 0);
	assert_int_equal(n, 0);
}

static bool
is_writable(const struct ends *e)
{
	return e->io.writable;
}

/* Bytes written while connecting wait for the connect's result. */
static void
test_connecting(void **state)
{
	struct ends *e = *state;
	struct sock_addr addr, peer;
	int listener, fd, server;
	char buf[16];

	assert_int_equal(sock_addr_parse(&addr, "127.0.0.1:0"), 0);
	listener = sock_listen(&addr, 0);
	assert_true(listener >= 0);
	assert_int_equal(getsockname(listener, &addr.sa, &addr.len), 0);
	fd = sock_connect(&addr);
	assert_true(fd >= 0);
	io_close(&e->io);
	assert_int_equal(io_open(&e->io, fd, false), 0);
	assert_int_equal(write_text(&e->io, "early", ""), 0);
	assert_int_equal(io_backlog(&e->io), 5);
	wait_until(e, is_writable);
	assert_int_equal(sock_error(fd), 0);
	assert_int_equal(io_backlog(&e->io), 0);
	server = sock_accept(listener, &peer);
	assert_true(server >= 0);
	assert_int_equal(recv(server, buf, sizeof(buf), 0), 5);
	close(server);
	close(listener);
}

/* An adopted io is read and written without events; bytes that came before the
 * registration give an event. */
static void
test_adopted(void **state)
{
	struct ends *e = *state;
	char buf[16];
	int fds[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	io_close(&e->io);
	close(e->far);
	e->far = fds[1];
	io_adopt(&e->io, fds[0]);
	assert_true(e->io.readable);
	assert_int_equal(send(e->far, "early", 5, 0), 5);
	assert_int_equal(io_read(&e->io, buf, sizeof(buf)), 5);
	assert_false(e->io.readable);
	assert_int_equal(write_text(&e->io, "answer", ""), 0);
	assert_int_equal(recv(e->far, buf, sizeof(buf), 0), 6);
	assert_int_equal(send(e->far, "late", 4, 0), 4);
	assert_int_equal(io_poll(&e->io), 0);
	assert_int_equal(io_poll(&e->io), 0);
	wait_until(e, is_readable);
	assert_int_equal(io_read(&e->io, buf, sizeof(buf)), 4);
	/* An io that is never polled. */
	io_close(&e->io);
	assert_int_equal(recv(e->far, buf, sizeof(buf), 0), 0);
}

static void
test_peek(void **state)
{
	struct ends *e = *state;
	char buf[16];

	assert_int_equal(io_peek(&e->io), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(send(e->far, "ab", 2, 0), 2);
	assert_true(io_peek(&e->io) > 0);
	assert_int_equal(io_read(&e->io, buf, sizeof(buf)), 2);
	assert_int_equal(shutdown(e->far, SHUT_WR), 0);
	assert_int_equal(io_peek(&e->io), 0);
}

static unsigned
packets_in(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_segs_in;
}

/* Over TCP: corked bytes and the end share a packet. */
static unsigned
packets_of_an_end(struct ends *e, bool corked)
{
	struct sock_addr addr, peer;
	int listener, fd, client;
	unsigned before, after;
	char buf[16];

	assert_int_equal(sock_addr_parse(&addr, "127.0.0.1:0"), 0);
	listener = sock_listen(&addr, 0);
	assert_true(listener >= 0);
	assert_int_equal(getsockname(listener, &addr.sa, &addr.len), 0);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, &addr.sa, addr.len), 0);
	fd = sock_accept(listener, &peer);
	assert_true(fd >= 0);
	io_close(&e->io);
	io_adopt(&e->io, fd);
	e->io.corked = corked;
	before = packets_in(client);
	assert_int_equal(write_text(&e->io, "all", " of it"), 0);
	assert_int_equal(io_backlog(&e->io), 0);
	io_finish(&e->io);
	assert_int_equal(recv(client, buf, sizeof(buf), MSG_WAITALL), 9);
	after = packets_in(client);
	close(client);
	close(listener);
	return after - before;
}

static void
test_corked(void **state)
{
	assert_int_equal(packets_of_an_end(*state, false), 2);
	assert_int_equal(packets_of_an_end(*state, true), 1);
}

static void
test_open_fails_cleanly(void **state)
{
	struct ends *e = *state;
	char path[] = "/tmp/test_io.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	io_close(&e->io);
	/* A regular file can't be polled. */
	errno = 0;
	assert_int_equal(io_open(&e->io, fd, true), -1);
	assert_int_equal(errno, EPERM);
	assert_false(io_is_open(&e->io));
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_small_write_goes_at_once),
	    TEST(test_read_and_nothing_to_read),
	    TEST(test_end_of_stream_behind_bytes),
	    TEST(test_far_end_stops_sending),
	    TEST(test_backlog_leaves_in_order),
	    TEST(test_write_behind_a_backlog),
	    TEST(test_backlog_has_a_cap),
	    TEST(test_far_end_is_gone),
	    TEST(test_far_end_goes_with_a_backlog),
	    TEST(test_closed_in_its_own_callback),
	    TEST(test_closing_drops_the_backlog),
	    TEST(test_connecting),
	    TEST(test_adopted),
	    TEST(test_peek),
	    TEST(test_corked),
	    TEST(test_open_fails_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
