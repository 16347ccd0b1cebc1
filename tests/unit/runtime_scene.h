/*
 * runtime_scene - the surroundings of a worker's parts, without a process. A
 * runtime has a real loop, memory and scoreboard and a configuration from a
 * text. Backends are sockets on the loopback whose bytes come from the test.
 */
#ifndef RUNTIME_SCENE_H
#define RUNTIME_SCENE_H

#include <sys/resource.h>
#include <sys/socket.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "config_fixture.h"
#include "runtime.h"

#define SCENE_BLOCKS 256
#define SCENE_DEADLINE_US (10 * SECOND)
#define SCENE_TICK_US 200
#define SCENE_SLOTS 2
#define BACKEND_PEERS_MAX 8
#define BACKEND_TEXT_MAX 8192

struct scene {
	struct runtime rt;
	struct config *config;
	struct timer tick, deadline;
	bool (*until)(void);
	const char *what; /* is waited for */
};

static struct scene scene;

/* ---- the loop ---- */

static inline void
scene_on_tick(void *arg)
{
	(void)arg;
	if (scene.until())
		loop_stop(scene.rt.loop);
	else
		loop_timer_after(scene.rt.loop, &scene.tick, SCENE_TICK_US);
}

static inline void
scene_on_deadline(void *arg)
{
	(void)arg;
	fail_msg("not in time: %s", scene.what);
}

/* Runs the loop until the condition holds. */
static inline void
scene_wait(bool (*until)(void), const char *what)
{
	scene.until = until;
	scene.what = what;
	loop_timer_set(scene.rt.loop, &scene.deadline,
	    clock_ns() / 1000 + SCENE_DEADLINE_US);
	loop_timer_set(scene.rt.loop, &scene.tick, 0);
	assert_int_equal(loop_run(scene.rt.loop), 0);
	loop_timer_clear(scene.rt.loop, &scene.deadline);
}
#define WAIT_UNTIL(is_so) scene_wait(is_so, #is_so)

static inline bool
scene_at_once(void)
{
	return true;
}

/* One iteration: deferred work is done, buried memory is freed. */
static inline void
scene_turn(void)
{
	scene_wait(scene_at_once, "a turn of the loop");
}

static uint64_t scene_until_us;

static inline bool
scene_is_late(void)
{
	return clock_ns() / 1000 >= scene_until_us;
}

/* Runs the loop for a while, in which a forbidden event must not happen. */
static inline void
scene_pass(uint64_t us)
{
	scene_until_us = clock_ns() / 1000 + us;
	scene_wait(scene_is_late, "time to pass");
}

/* ---- from open to close ---- */

/* fmt: the configuration; without `listen`, a listener is added. */
__attribute__((format(printf, 1, 2))) static inline void
scene_open(const char *fmt, ...)
{
	char text[8192] = "workers: 2\n" LISTEN;
	size_t len = strstr(fmt, "listen:") != NULL ? strlen("workers: 2\n")
						    : strlen(text);
	size_t bytes;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text + len, sizeof(text) - len, fmt, ap);
	va_end(ap);
	assert_in_range(n, 0, sizeof(text) - len - 1);
	signal(SIGPIPE, SIG_IGN);
	memset(&scene, 0, sizeof(scene));
	scene.config = fixture_load(text);
	bytes = sizeof(struct scoreboard) +
		SCENE_SLOTS *
		    (sizeof(struct scoreboard_slot) +
			scene.config->series_count * SCOREBOARD_CODE_COUNT *
			    sizeof(struct duration_histogram));
	scene.rt.config = scene.config;
	scene.rt.scoreboard = aligned_alloc(64, (bytes + 63) / 64 * 64);
	assert_non_null(scene.rt.scoreboard);
	memset(scene.rt.scoreboard, 0, bytes);
	scene.rt.scoreboard->slot_count = SCENE_SLOTS;
	scene.rt.scoreboard->series_count =
	    (uint32_t)scene.config->series_count;
	scene.rt.slot = &scene.rt.scoreboard->slots[0];
	scene.rt.durations = scoreboard_requests(scene.rt.scoreboard, 0);
	scene.rt.loop = loop_new();
	scene.rt.buffers = buffer_pool_new(SCENE_BLOCKS);
	scene.rt.outbox = outbox_new(scene.rt.loop, OUTBOX_READY_MIN);
	scene.rt.pipes = pipe_pool_new(8);
	timer_init(&scene.tick, scene_on_tick, NULL);
	timer_init(&scene.deadline, scene_on_deadline, NULL);
}

/* When all parts are closed: nothing may be left over. */
static inline void
scene_close(void)
{
	scene_turn();
	assert_int_equal(buffer_pool_used(scene.rt.buffers), 0);
	outbox_free(scene.rt.outbox);
	loop_free(scene.rt.loop);
	buffer_pool_free(scene.rt.buffers);
	pipe_pool_free(scene.rt.pipes);
	free(scene.rt.scoreboard);
	config_load_free(scene.config);
}

/* tight: no descriptor more can be opened. */
static inline void
scene_limit_descriptors(bool tight)
{
	struct rlimit limit;
	int next = dup(0);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = tight ? (rlim_t)next : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (next != -1)
		close(next);
}

static inline uint64_t
scene_total(enum scoreboard_total total)
{
	return atomic_load(&scene.rt.slot->totals[total]);
}

/* ---- backends ---- */

/* Listens; backend_look() accepts the connections. */
struct backend {
	int fd;
	uint16_t port;
	int peers[BACKEND_PEERS_MAX];
	unsigned count; /* of the accepted connections */
	char text[BACKEND_PEERS_MAX][BACKEND_TEXT_MAX]; /* received bytes */
	size_t len[BACKEND_PEERS_MAX];
	bool ended[BACKEND_PEERS_MAX]; /* the peer has closed */
};

static inline int
scene_listen(uint16_t *port)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

static inline void
backend_open(struct backend *b)
{
	memset(b, 0, sizeof(*b));
	b->fd = scene_listen(&b->port);
}

static inline void
backend_hang_up(struct backend *b, unsigned i)
{
	if (b->peers[i] != -1)
		close(b->peers[i]);
	b->peers[i] = -1;
}

static inline void
backend_close(struct backend *b)
{
	for (unsigned i = 0; i < b->count; i++)
		backend_hang_up(b, i);
	if (b->fd != -1)
		close(b->fd);
	b->fd = -1;
}

/* Takes new connections, bytes and ends. */
static inline void
backend_look(struct backend *b)
{
	ssize_t n;
	int fd;

	while (b->fd != -1 && b->count < BACKEND_PEERS_MAX &&
	       (fd = accept4(b->fd, NULL, NULL, SOCK_NONBLOCK)) != -1)
		b->peers[b->count++] = fd;
	for (unsigned i = 0; i < b->count; i++) {
		if (b->peers[i] == -1)
			continue;
		while ((n = recv(b->peers[i], b->text[i] + b->len[i],
			    BACKEND_TEXT_MAX - 1 - b->len[i], 0)) > 0)
			b->len[i] += (size_t)n;
		if (n == 0 || (n == -1 && errno != EAGAIN))
			b->ended[i] = true;
	}
}

static inline void
backend_say(struct backend *b, unsigned i, const char *text)
{
	assert_true(i < b->count);
	assert_int_equal(send(b->peers[i], text, strlen(text), MSG_NOSIGNAL),
	    (ssize_t)strlen(text));
}

/* Forgets the received bytes of connection i. */
static inline void
backend_forget(struct backend *b, unsigned i)
{
	memset(b->text[i], 0, b->len[i]);
	b->len[i] = 0;
}

#endif
