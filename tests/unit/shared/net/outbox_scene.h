/*
 * outbox_scene - three io on one loop that share an outbox, and the far ends of
 * their streams, for the tests of outbox.h.
 */
#ifndef OUTBOX_SCENE_H
#define OUTBOX_SCENE_H

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
#define MANY 2049  /* more than is batched */
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

static inline void
put(struct end *end, const char *text)
{
	struct iovec iov = {(void *)(uintptr_t)text, strlen(text)};

	assert_int_equal(io_write(&end->io, &iov, 1), 0);
}

static inline void
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

static inline void
on_act(void *arg)
{
	struct scene *s = arg;

	s->in_iteration(s);
	loop_defer(s->loop, &s->stop);
}

static inline void
on_stop(void *arg)
{
	struct scene *s = arg;

	loop_stop(s->loop);
}

/* One iteration of the loop, of which fn is a part, and the next one, which
 * begins with a poll. */
static inline void
iterate(struct scene *s, void (*fn)(struct scene *s))
{
	s->in_iteration = fn;
	loop_defer(s->loop, &s->act);
	assert_int_equal(loop_run(s->loop), 0);
}

static inline void
open_end(struct scene *s, struct end *end, int fd, bool urgent)
{
	io_init(&end->io, s->loop, s->buffers, on_ready, end);
	io_set_outbox(&end->io, s->box, urgent);
	assert_int_equal(io_open(&end->io, fd, true), 0);
}

static inline void
do_nothing(struct scene *s)
{
	(void)s;
}

static inline int
setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->loop = loop_new();
	s->buffers = buffer_pool_new(BLOCKS);
	s->box = outbox_new(s->loop, 0);
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

static inline int
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

static inline void
assert_nothing_came(const struct end *end)
{
	char byte;

	assert_int_equal(recv(end->far, &byte, 1, MSG_PEEK), -1);
	assert_int_equal(errno, EAGAIN);
}

/* Expects these bytes, and no more. */
static inline void
assert_came(const struct end *end, const char *text)
{
	char buf[256];
	ssize_t n = recv(end->far, buf, sizeof(buf), 0);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(buf, text, strlen(text));
	assert_nothing_came(end);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
