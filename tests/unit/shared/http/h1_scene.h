/*
 * h1_scene - a connection, the owner that answers its requests, and the
 * client at its other end, for the tests of h1.h.
 */
#ifndef H1_SCENE_H
#define H1_SCENE_H

#include <sys/epoll.h>
#include <sys/socket.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "reply.h"
#include "h1.h"

#define BLOCKS 64
#define DEADLINE_US 5000000
#define RECEIVED_MAX (4 * 1024 * 1024)
#define BIG (2 * 1024 * 1024)
#define HIGH_WATER 65536

/* A connection, its owner, and the client at the other end, on one loop. */
struct scene {
	struct loop *loop;
	struct buffer_pool *buffers;
	struct h1_limits limits;
	struct h1_context context;
	struct h1 *h1; /* NULL after on_close */
	enum stream_end reason;
	_Atomic uint64_t bytes_in, bytes_out;
	unsigned requests, responses, broken_responses, closes;
	unsigned lefts;  /* calls of on_left */
	bool abandons;   /* then abandons the stream */
	unsigned status; /* of the last response */
	uint64_t response_bytes;
	bool closing; /* with that response */
	/* The request in hand. */
	char target[64];
	char body[4096];
	size_t body_len;
	size_t big_left;
	size_t backlog_max;
	struct loop_deferred
	    late; /* answers during the connection's own response */
	/* The client. */
	int client;
	struct loop_watch watch;
	bool paused; /* does not read */
	bool ended;  /* has seen the end of the stream */
	bool reset;
	char *received;
	size_t received_len;
	struct timer deadline, tick;
	bool (*until)(const struct scene *c);
	const char *want;
};

static struct scene *scene;

/* ---- the owner: what it does depends on the path ---- */

static inline void
write_piece(struct stream *s, const char *data, size_t len, bool last)
{
	stream_write(
	    s, &(struct stream_piece){.data = data, .len = len, .last = last});
}

static inline void
reply(struct stream *s, const char *type, const char *body, size_t len)
{
	reply_send(
	    s, &(struct reply){
		   .status = 200, .type = type, .body = body, .len = len});
}

static inline void
write_big(struct stream *s)
{
	static char piece[16384];

	memset(piece, 'b', sizeof(piece));
	while (scene->big_left > 0 && stream_backlog(s) < HIGH_WATER) {
		size_t n = scene->big_left < sizeof(piece) ? scene->big_left
							   : sizeof(piece);

		scene->big_left -= n;
		write_piece(s, piece, n, scene->big_left == 0);
		if (scene->big_left == 0)
			return;
		if (stream_backlog(s) > scene->backlog_max)
			scene->backlog_max = stream_backlog(s);
		if (!stream_is_answerable(s))
			return;
	}
}

static inline void
begin(struct stream *s, unsigned status, uint64_t length, bool no_body)
{
	struct stream_start start = {
	    .status = status, .length = length, .no_body = no_body};

	fields_add(stream_begin(s, &start), "X-Test", "yes");
}

static inline void
stream(struct stream *s, uint64_t length)
{
	bool head = s->head->method == HTTP_HEAD;

	begin(s, 200, length, head);
	write_piece(s, "one,", 4, false);
	write_piece(s, NULL, 0, false);
	write_piece(s, "two,", 4, false);
	write_piece(s, "three", 5, true);
}

static inline void
answer(struct stream *s)
{
	const char *path = scene->target;

	if (strcmp(path, "/stream") == 0) {
		stream(s, 13);
	} else if (strcmp(path, "/chunked") == 0) {
		stream(s, STREAM_LENGTH_UNKNOWN);
	} else if (strcmp(path, "/empty-last") == 0) {
		begin(s, 200, STREAM_LENGTH_UNKNOWN, false);
		write_piece(s, "all", 3, false);
		write_piece(s, NULL, 0, true);
	} else if (strcmp(path, "/204") == 0) {
		begin(s, 204, STREAM_LENGTH_UNKNOWN, false);
		write_piece(s, NULL, 0, true);
	} else if (strcmp(path, "/304") == 0) {
		begin(s, 304, 13, false);
		write_piece(s, NULL, 0, true);
	} else if (strcmp(path, "/big") == 0) {
		scene->big_left = BIG;
		begin(s, 200, BIG, false);
		write_big(s);
	} else if (strcmp(path, "/cut") == 0) {
		begin(s, 200, 100, false);
		write_piece(s, "half", 4, false);
		stream_cut(s);
	} else if (strcmp(path, "/short") == 0) {
		begin(s, 200, 100, false);
		write_piece(s, "half", 4, true);
	} else if (strcmp(path, "/long") == 0) {
		begin(s, 200, 2, false);
		write_piece(s, "four", 4, true);
	} else if (strcmp(path, "/error") == 0) {
		reply_error(s, 503, "say \"no\"");
	} else if (strcmp(path, "/extra") == 0) {
		reply_send(s, &(struct reply){.status = 503,
				  .fields = (const struct field[]){
				      {"Retry-After", "7"}, {NULL, NULL}}});
	} else if (strcmp(path, "/interim") == 0) {
		struct fields *hints = stream_begin_interim(
		    s, 103, (struct slice){"Early Hints", 11});

		if (hints != NULL) {
			fields_add(hints, "Link", "</a>");
			stream_send_interim(s);
		}
		reply(s, NULL, NULL, 0);
	} else if (strcmp(path, "/trailers") == 0) {
		begin(s, 200, STREAM_LENGTH_UNKNOWN, false);
		stream_write(s, &(struct stream_piece){.data = "all",
				    .len = 3,
				    .last = true,
				    .trailers = {"X-Sum: 1\r\n", 10}});
	} else if (strcmp(path, "/tunnel") == 0) {
		begin(s, 101, STREAM_LENGTH_UNKNOWN, false);
		write_piece(s, "hello,", 6, false);
		stream_take(s);
	} else if (strcmp(path, "/later") != 0) {
		reply(s, "text/plain", path, strlen(path));
	}
}

static inline void
on_request(struct h1 *h1)
{
	struct stream *s = h1_stream(h1);
	const struct head *m = s->head;

	scene->requests++;
	assert_ptr_equal(h1_arg(h1), scene);
	assert_true(stream_is_answerable(s));
	assert_true(s->begun_us > 0);
	assert_true(m->path.len < sizeof(scene->target));
	memcpy(scene->target, m->path.at, m->path.len);
	scene->target[m->path.len] = '\0';
	scene->body_len = 0;
	if (strcmp(scene->target, "/echo") == 0 && head_has_body(m)) {
		stream_take(s);
	} else if (strcmp(scene->target, "/race") == 0) {
		stream_take(s);
		loop_defer(scene->loop, &scene->late);
	} else if (strcmp(scene->target, "/sink") != 0) {
		answer(s); /* the sink's body is not taken */
	}
}

static inline void
on_body(struct h1 *h1, const struct stream_piece *piece)
{
	struct stream *s = h1_stream(h1);
	const char *data = piece->data;
	size_t len = piece->len;
	bool last = piece->last;

	assert_ptr_equal(h1_arg(h1), scene);
	assert_true(len > 0 || last);
	if (strcmp(scene->target, "/tunnel") == 0) {
		/* An echo, to the end. */
		write_piece(s, data, len, last);
		if (!last)
			stream_take(s);
		return;
	}
	assert_true(scene->body_len + len <= sizeof(scene->body));
	memcpy(scene->body + scene->body_len, data, len);
	scene->body_len += len;
	if (last)
		reply(s, "text/plain", scene->body, scene->body_len);
	else
		stream_take(s);
}

/* As a backend's response does, whatever has become of the client. */
static inline void
on_late(void *arg)
{
	(void)arg;
	begin(h1_stream(scene->h1), 200, 2, false);
	write_piece(h1_stream(scene->h1), "ok", 2, true);
}

static inline void
on_drained(struct h1 *s)
{
	write_big(h1_stream(s));
}

static inline void
on_left(struct h1 *s)
{
	assert_true(h1_stream(s)->has_left);
	scene->lefts++;
	if (scene->abandons)
		stream_abandon(h1_stream(s));
}

static inline void
on_response_end(struct h1 *s, bool complete)
{
	scene->status = h1_stream(s)->status;
	scene->response_bytes = h1_stream(s)->out_bytes;
	scene->closing = h1_is_closing(s);
	if (complete)
		scene->responses++;
	else
		scene->broken_responses++;
}

static inline void
on_close(struct h1 *s, enum stream_end reason)
{
	assert_ptr_equal(s, scene->h1);
	loop_defer_cancel(scene->loop, &scene->late);
	scene->h1 = NULL;
	scene->reason = reason;
	scene->closes++;
}

static const struct h1_ops ops = {
    .on_request = on_request,
    .on_body = on_body,
    .on_drained = on_drained,
    .on_left = on_left,
    .on_response_end = on_response_end,
    .on_close = on_close,
};

/* ---- the client ---- */

static inline void
on_client(void *arg, uint32_t events)
{
	ssize_t n = 0;

	(void)arg;
	(void)events;
	while (!scene->paused && !scene->ended) {
		assert_true(scene->received_len < RECEIVED_MAX);
		n = recv(scene->client, scene->received + scene->received_len,
		    RECEIVED_MAX - scene->received_len, 0);
		if (n <= 0)
			break;
		scene->received_len += (size_t)n;
		scene->received[scene->received_len] = '\0';
	}
	if (!scene->paused && n <= 0 && errno != EAGAIN)
		scene->reset = n == -1;
	scene->ended =
	    scene->ended || (!scene->paused && n == 0) || scene->reset;
}

static inline void
on_tick(void *arg)
{
	(void)arg;
	if (scene->until(scene))
		loop_stop(scene->loop);
	else
		loop_timer_after(scene->loop, &scene->tick, 200);
}

static inline void
on_deadline(void *arg)
{
	(void)arg;
	fail_msg("not in time; received so far: \"%.2000s\"", scene->received);
}

static inline void
wait_until(bool (*until)(const struct scene *c))
{
	scene->until = until;
	loop_timer_set(
	    scene->loop, &scene->deadline, clock_ns() / 1000 + DEADLINE_US);
	loop_timer_set(scene->loop, &scene->tick, 0);
	assert_int_equal(loop_run(scene->loop), 0);
	loop_timer_clear(scene->loop, &scene->deadline);
}

static inline bool
has_received(const struct scene *c)
{
	return strstr(c->received, c->want) != NULL;
}

static inline bool
has_ended(const struct scene *c)
{
	return c->ended;
}

static inline bool
is_closed(const struct scene *c)
{
	return c->h1 == NULL;
}

static inline void
expect(const char *want)
{
	scene->want = want;
	wait_until(has_received);
}

static inline bool
has_request(const struct scene *c)
{
	return c->requests > 0;
}

static inline void
forget(void)
{
	scene->received_len = 0;
	scene->received[0] = '\0';
}

/* A single round of the loop. */
static inline void
turn(void)
{
	scene->want = "";
	wait_until(has_received);
}

static inline void
say_bytes(const char *text, size_t len)
{
	assert_int_equal(
	    send(scene->client, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

static inline void
say(const char *text)
{
	say_bytes(text, strlen(text));
}

static inline bool
received(const char *text)
{
	return strstr(scene->received, text) != NULL;
}

static inline size_t
count(const char *text)
{
	size_t n = 0;

	for (const char *at = scene->received; (at = strstr(at, text)) != NULL;
	    at++)
		n++;
	return n;
}

/* ---- set up ---- */

/* A client that connects. */
static inline int
open_session(void)
{
	static const struct sock_addr peer = {.sa = {.sa_family = AF_UNIX}};
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) == -1)
		return -1;
	scene->client = fds[1];
	scene->ended = false;
	scene->reset = false;
	scene->closes = 0;
	forget();
	if (loop_watch_add(
		scene->loop, &scene->watch, fds[1], EPOLLIN | EPOLLRDHUP) == -1)
		return -1;
	scene->h1 = h1_open(&scene->context, fds[0], &peer);
	if (scene->h1 == NULL)
		return -1;
	h1_set_arg(scene->h1, scene);
	return 0;
}

static inline void
hang_up(void)
{
	loop_watch_del(scene->loop, &scene->watch);
	if (scene->client != -1)
		close(scene->client);
	scene->client = -1;
}

static inline int
setup(void **state)
{
	(void)state;
	scene = calloc(1, sizeof(*scene));
	if (scene == NULL)
		return -1;
	scene->received = calloc(1, RECEIVED_MAX + 1);
	scene->loop = loop_new();
	scene->buffers = buffer_pool_new(BLOCKS);
	scene->limits = (struct h1_limits){.parser = {4096, 2048, 1000},
	    .header_timeout_us = DEADLINE_US * 2,
	    .body_timeout_us = DEADLINE_US * 2,
	    .send_timeout_us = DEADLINE_US * 2,
	    .keep_alive_us = DEADLINE_US * 2};
	scene->context = (struct h1_context){.loop = scene->loop,
	    .buffers = scene->buffers,
	    .ops = &ops,
	    .limits = &scene->limits,
	    .bytes_in = &scene->bytes_in,
	    .bytes_out = &scene->bytes_out};
	loop_watch_init(&scene->watch, on_client, NULL);
	timer_init(&scene->deadline, on_deadline, NULL);
	timer_init(&scene->tick, on_tick, NULL);
	loop_deferred_init(&scene->late, on_late, NULL);
	return open_session();
}

static inline int
teardown(void **state)
{
	(void)state;
	hang_up();
	if (scene->h1 != NULL) {
		wait_until(is_closed);
		assert_int_equal(scene->closes, 1);
	}
	assert_int_equal(buffer_pool_used(scene->buffers), 0);
	loop_free(scene->loop);
	buffer_pool_free(scene->buffers);
	free(scene->received);
	free(scene);
	return 0;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_CLOSE(path)                                                        \
	"GET " path " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
