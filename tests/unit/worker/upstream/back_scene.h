/*
 * back_scene - the back side of one connection, for the tests of back.h. The
 * test owns the connection, and speaks for the backend.
 */
#ifndef BACK_SCENE_H
#define BACK_SCENE_H

#include "runtime_scene.h"

#include "back.h"

#define TOLD_MAX 16

static struct back back;
static int peer;       /* the backend's end; -1: closed */
static char got[4096]; /* by the backend */
static size_t got_len;
static struct stream_start start;
static struct fields fields;
static char fields_text[1024];

/* The events, in order, and the facts that came with them. */
static struct {
	enum back_event events[TOLD_MAX];
	unsigned count;
	unsigned status; /* of the last head */
	char body[4096];
	size_t len;
	bool ended; /* the last piece has come */
	int error;
} told;

/* Whether the owner asks for the next part in each event. */
static bool takes_on;
static bool ends_at_head; /* the owner ends the stream there */

static inline void
on_back(void *arg, struct back *b, enum back_event event)
{
	assert_ptr_equal(arg, &told);
	assert_ptr_equal(b, &back);
	assert_in_range(told.count, 0, TOLD_MAX - 1);
	told.events[told.count++] = event;
	told.error = b->error;
	if (event == BACK_HEAD)
		told.status = b->stream.head->status;
	if (event == BACK_HEAD && told.status == 101)
		back_switch(b);
	if (event == BACK_PIECE) {
		assert_true(told.len + b->piece.len <= sizeof(told.body));
		if (b->piece.len > 0)
			memcpy(
			    told.body + told.len, b->piece.data, b->piece.len);
		told.len += b->piece.len;
		told.ended = b->piece.last;
	}
	if (event == BACK_HEAD && ends_at_head) {
		back_end(b);
		return;
	}
	if (takes_on && (event == BACK_HEAD || event == BACK_PIECE) &&
	    !told.ended)
		stream_take(&b->stream);
}

static inline void
on_back_ready(void *arg)
{
	back_run(arg);
}

static inline void
forget_told(void)
{
	memset(&told, 0, sizeof(told));
}

static inline int
setup(void **state)
{
	int fds[2];

	(void)state;
	scene_open("%s", "routes:\n- { path: /, handler: health }\n");
	assert_int_equal(
	    socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
	    0);
	peer = fds[1];
	memset(&back, 0, sizeof(back));
	back_init(&back, &scene.rt, on_back_ready, &back);
	back.head_max = 16384;
	assert_int_equal(io_open(&back.io, fds[0], true), 0);
	back.on_event = on_back;
	back.arg = &told;
	got_len = 0;
	takes_on = true;
	ends_at_head = false;
	forget_told();
	return 0;
}

static inline void
backend_leaves(void)
{
	if (peer != -1)
		close(peer);
	peer = -1;
}

static inline int
teardown(void **state)
{
	(void)state;
	io_close(&back.io);
	back_end(&back);
	backend_leaves();
	scene_close();
	return 0;
}

/* ---- the request ---- */

/* length: STREAM_LENGTH_UNKNOWN for a chunked body; 0: no body. */
static inline void
begin(const char *method, uint64_t length)
{
	start = (struct stream_start){.method = {method, strlen(method)},
	    .path = {"/a", 2},
	    .is_head = strcmp(method, "HEAD") == 0,
	    .length = length,
	    .no_body = length == 0};
	stream_lay_out(&start, &fields, fields_text, sizeof(fields_text));
	fields_add(&fields, "Host", "h");
	assert_ptr_equal(stream_begin(&back.stream, &start), &fields);
}

static inline void
write_piece(const char *text, bool last)
{
	stream_write(
	    &back.stream, &(struct stream_piece){
			      .data = text, .len = strlen(text), .last = last});
}

/* A request without a body, whose response is asked for. */
static inline void
ask(void)
{
	begin("GET", 0);
	write_piece("", true);
	stream_take(&back.stream);
}

/* ---- the backend ---- */

static inline const char *
look(void)
{
	ssize_t n;

	while (
	    (n = recv(peer, got + got_len, sizeof(got) - 1 - got_len, 0)) > 0)
		got_len += (size_t)n;
	got[got_len] = '\0';
	return got;
}

static inline void
answer(const char *text)
{
	(void)look();
	assert_int_equal(send(peer, text, strlen(text), MSG_NOSIGNAL),
	    (ssize_t)strlen(text));
}

static inline unsigned
count_of(enum back_event event)
{
	unsigned n = 0;

	for (unsigned i = 0; i < told.count; i++)
		n += told.events[i] == event;
	return n;
}

static inline bool
is_failed(void)
{
	return count_of(BACK_FAILED) > 0;
}

static inline bool
has_head(void)
{
	return told.status != 0;
}

static inline bool
has_ended(void)
{
	return told.ended;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
