/* Goal: a client gets an answer to each request, in order and framed so that
 * it can tell where it ends, and no client can hold more than its share. */
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

#include "session.h"

#define BLOCKS 64
#define DEADLINE_US 5000000
#define RECEIVED_MAX (4 * 1024 * 1024)
#define BIG (2 * 1024 * 1024)
#define HIGH_WATER 65536

/* A session, its owner, and the client at the other end, on one loop. */
struct scene {
	struct loop *loop;
	struct buffer_pool *buffers;
	struct session_limits limits;
	struct session_context context;
	struct session *session; /* NULL after on_close */
	enum session_close reason;
	_Atomic uint64_t bytes_in, bytes_out;
	unsigned requests, responses, broken_responses, closes;
	/* The request in hand. */
	char target[64];
	char body[4096];
	size_t body_len;
	size_t big_left;
	size_t backlog_max;
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

static void
write_big(struct session *s)
{
	static char piece[16384];

	memset(piece, 'b', sizeof(piece));
	while (scene->big_left > 0 && session_backlog(s) < HIGH_WATER) {
		size_t n = scene->big_left < sizeof(piece) ? scene->big_left
							   : sizeof(piece);

		scene->big_left -= n;
		session_write(s, piece, n, scene->big_left == 0);
		if (session_backlog(s) > scene->backlog_max)
			scene->backlog_max = session_backlog(s);
		if (!session_is_answerable(s))
			return;
	}
}

static void
begin(struct session *s, unsigned status, uint64_t length, bool no_body)
{
	struct session_response response = {
	    .status = status, .length = length, .no_body = no_body};
	struct text *head = session_begin(s, &response);

	text_add_str(head, "X-Test: yes\r\n");
}

static void
stream(struct session *s, uint64_t length)
{
	bool head = strcmp(message_method(session_request(s)), "HEAD") == 0;

	begin(s, 200, length, head);
	session_write(s, "one,", 4, false);
	session_write(s, NULL, 0, false);
	session_write(s, "two,", 4, false);
	session_write(s, "three", 5, true);
}

static void
answer(struct session *s)
{
	const char *path = scene->target;

	if (strcmp(path, "/stream") == 0) {
		stream(s, 13);
	} else if (strcmp(path, "/chunked") == 0) {
		stream(s, SESSION_LENGTH_UNKNOWN);
	} else if (strcmp(path, "/empty-last") == 0) {
		begin(s, 200, SESSION_LENGTH_UNKNOWN, false);
		session_write(s, "all", 3, false);
		session_write(s, NULL, 0, true);
	} else if (strcmp(path, "/204") == 0) {
		begin(s, 204, SESSION_LENGTH_UNKNOWN, false);
		session_write(s, NULL, 0, true);
	} else if (strcmp(path, "/304") == 0) {
		begin(s, 304, 13, false);
		session_write(s, NULL, 0, true);
	} else if (strcmp(path, "/big") == 0) {
		scene->big_left = BIG;
		begin(s, 200, BIG, false);
		write_big(s);
	} else if (strcmp(path, "/cut") == 0) {
		begin(s, 200, 100, false);
		session_write(s, "half", 4, false);
		session_cut(s);
	} else if (strcmp(path, "/short") == 0) {
		begin(s, 200, 100, false);
		session_write(s, "half", 4, true);
	} else if (strcmp(path, "/long") == 0) {
		begin(s, 200, 2, false);
		session_write(s, "four", 4, true);
	} else if (strcmp(path, "/error") == 0) {
		session_reply_error(s, 503, "say \"no\"");
	} else if (strcmp(path, "/extra") == 0) {
		session_reply(s, 503, NULL, "Retry-After: 7\r\n", NULL, 0);
	} else if (strcmp(path, "/later") != 0) {
		session_reply(s, 200, "text/plain", NULL, path, strlen(path));
	}
}

static void
on_request(struct session *s)
{
	const struct message *m = session_request(s);

	scene->requests++;
	assert_ptr_equal(session_arg(s), scene);
	assert_true(session_is_answerable(s));
	assert_true(session_request_us(s) > 0);
	assert_true(m->path.len < sizeof(scene->target));
	memcpy(scene->target, m->path.at, m->path.len);
	scene->target[m->path.len] = '\0';
	scene->body_len = 0;
	if (strcmp(scene->target, "/echo") == 0 && message_has_body(m))
		session_take_body(s);
	else if (strcmp(scene->target, "/sink") == 0)
		; /* the body is left where it is */
	else
		answer(s);
}

static void
on_body(struct session *s, const char *data, size_t len, bool last)
{
	assert_ptr_equal(session_arg(s), scene);
	assert_true(len > 0 || last);
	assert_true(scene->body_len + len <= sizeof(scene->body));
	memcpy(scene->body + scene->body_len, data, len);
	scene->body_len += len;
	if (last)
		session_reply(
		    s, 200, "text/plain", NULL, scene->body, scene->body_len);
	else
		session_take_body(s);
}

static void
on_drained(struct session *s)
{
	write_big(s);
}

static void
on_response_end(struct session *s, bool complete)
{
	(void)s;
	if (complete)
		scene->responses++;
	else
		scene->broken_responses++;
}

static void
on_close(struct session *s, enum session_close reason)
{
	assert_ptr_equal(s, scene->session);
	scene->session = NULL;
	scene->reason = reason;
	scene->closes++;
}

static const struct session_ops ops = {
    on_request, on_body, on_drained, on_response_end, on_close};

/* ---- the client ---- */

static void
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

static void
on_tick(void *arg)
{
	(void)arg;
	if (scene->until(scene))
		loop_stop(scene->loop);
	else
		loop_timer_after(scene->loop, &scene->tick, 200);
}

static void
on_deadline(void *arg)
{
	(void)arg;
	fail_msg("not in time; received so far: \"%.2000s\"", scene->received);
}

static void
wait_until(bool (*until)(const struct scene *c))
{
	scene->until = until;
	loop_timer_set(scene->loop, &scene->deadline,
	    loop_clock_ns() / 1000 + DEADLINE_US);
	loop_timer_set(scene->loop, &scene->tick, 0);
	assert_int_equal(loop_run(scene->loop), 0);
	loop_timer_clear(scene->loop, &scene->deadline);
}

static bool
has_received(const struct scene *c)
{
	return strstr(c->received, c->want) != NULL;
}

static bool
has_ended(const struct scene *c)
{
	return c->ended;
}

static bool
is_closed(const struct scene *c)
{
	return c->session == NULL;
}

static void
expect(const char *want)
{
	scene->want = want;
	wait_until(has_received);
}

static bool
has_request(const struct scene *c)
{
	return c->requests > 0;
}

static void
forget(void)
{
	scene->received_len = 0;
	scene->received[0] = '\0';
}

/* One round of the loop. */
static void
turn(void)
{
	scene->want = "";
	wait_until(has_received);
}

static void
say_bytes(const char *text, size_t len)
{
	assert_int_equal(
	    send(scene->client, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void
say(const char *text)
{
	say_bytes(text, strlen(text));
}

static bool
received(const char *text)
{
	return strstr(scene->received, text) != NULL;
}

static size_t
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
static int
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
	scene->session = session_open(&scene->context, fds[0], &peer);
	if (scene->session == NULL)
		return -1;
	session_set_arg(scene->session, scene);
	return 0;
}

static void
hang_up(void)
{
	loop_watch_del(scene->loop, &scene->watch);
	if (scene->client != -1)
		close(scene->client);
	scene->client = -1;
}

static int
setup(void **state)
{
	(void)state;
	scene = calloc(1, sizeof(*scene));
	if (scene == NULL)
		return -1;
	scene->received = calloc(1, RECEIVED_MAX + 1);
	scene->loop = loop_new();
	scene->buffers = buffer_pool_new(BLOCKS);
	scene->limits = (struct session_limits){.header_bytes = 4096,
	    .body_bytes = 1000,
	    .header_timeout_us = DEADLINE_US * 2,
	    .body_timeout_us = DEADLINE_US * 2,
	    .send_timeout_us = DEADLINE_US * 2,
	    .keep_alive_us = DEADLINE_US * 2};
	scene->context = (struct session_context){.loop = scene->loop,
	    .buffers = scene->buffers,
	    .ops = &ops,
	    .limits = &scene->limits,
	    .bytes_in = &scene->bytes_in,
	    .bytes_out = &scene->bytes_out};
	loop_watch_init(&scene->watch, on_client, NULL);
	timer_init(&scene->deadline, on_deadline, NULL);
	timer_init(&scene->tick, on_tick, NULL);
	return open_session();
}

static int
teardown(void **state)
{
	(void)state;
	hang_up();
	if (scene->session != NULL) {
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

/* ---- answers ---- */

static void
test_whole_response(void **state)
{
	(void)state;
	say(GET("/hello"));
	expect("\r\n\r\n/hello");
	assert_true(received("HTTP/1.1 200 OK\r\nDate: "));
	assert_true(received(" GMT\r\n"));
	assert_true(received("\r\nServer: drover\r\n"));
	assert_true(received("\r\nContent-Type: text/plain\r\n"));
	assert_true(received("\r\nContent-Length: 6\r\n"));
	assert_false(received("Connection:"));
	assert_int_equal(scene->responses, 1);
	assert_int_equal(session_status(scene->session), 200);
	assert_int_equal(session_response_bytes(scene->session), 6);
	assert_true(scene->bytes_in == strlen(GET("/hello")));
	assert_true(scene->bytes_out == scene->received_len);
}

static void
test_json_error(void **state)
{
	(void)state;
	say(GET("/error"));
	expect("{\"error\":\"say \\\"no\\\"\",\"status\":503}");
	assert_true(received("HTTP/1.1 503 Service Unavailable\r\n"));
	assert_true(received("\r\nContent-Type: application/json\r\n"));
	forget();
	say(GET("/extra"));
	expect("\r\n\r\n");
	assert_true(received("\r\nRetry-After: 7\r\n"));
	assert_true(received("\r\nContent-Length: 0\r\n"));
	assert_false(received("Content-Type"));
}

static void
test_an_idle_session_holds_no_buffer(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		say(GET("/hello"));
		expect("\r\n\r\n/hello");
		forget();
		assert_int_equal(buffer_pool_used(scene->buffers), 0);
	}
	assert_int_equal(scene->responses, 3);
}

static void
test_streamed_with_a_length(void **state)
{
	(void)state;
	say(GET("/stream"));
	expect("\r\n\r\none,two,three");
	assert_true(received("\r\nContent-Length: 13\r\n"));
	assert_true(received("\r\nX-Test: yes\r\n"));
	assert_false(received("chunked"));
	assert_int_equal(session_response_bytes(scene->session), 13);
}

static void
test_chunked(void **state)
{
	(void)state;
	say(GET("/chunked"));
	expect("\r\n\r\n4\r\none,\r\n4\r\ntwo,\r\n5\r\nthree\r\n0\r\n\r\n");
	assert_true(received("\r\nTransfer-Encoding: chunked\r\n"));
	assert_false(received("Content-Length"));
	forget();
	say(GET("/empty-last"));
	expect("\r\n\r\n3\r\nall\r\n0\r\n\r\n");
	assert_int_equal(scene->responses, 2);
}

static void
test_http10_has_no_chunks(void **state)
{
	(void)state;
	say("GET /chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	wait_until(has_ended);
	assert_true(received("HTTP/1.1 200 OK\r\n"));
	assert_true(received("\r\n\r\none,two,three"));
	assert_true(received("\r\nConnection: close\r\n"));
	assert_false(received("chunked"));
	assert_false(scene->reset);
}

static void
test_http10_closes_or_says_that_it_does_not(void **state)
{
	(void)state;
	say("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	expect("\r\n\r\n/1");
	assert_true(received("\r\nConnection: keep-alive\r\n"));
	forget();
	say("GET /2 HTTP/1.0\r\n\r\n");
	wait_until(has_ended);
	assert_true(received("\r\n\r\n/2"));
	assert_true(received("\r\nConnection: close\r\n"));
}

static void
test_head_is_framed_without_a_body(void **state)
{
	(void)state;
	say("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("\r\n\r\n");
	assert_true(received("\r\nContent-Length: 6\r\n"));
	say("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("\r\nContent-Length: 13\r\n");
	say("HEAD /chunked HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("\r\nTransfer-Encoding: chunked\r\n");
	say(GET("/last"));
	expect("\r\n\r\n/last");
	/* Four heads and one body. */
	assert_int_equal(count("\r\n\r\n"), 4);
	assert_false(received("one,") || received("/hello"));
}

static void
test_statuses_without_a_body(void **state)
{
	(void)state;
	say(GET("/204"));
	expect("\r\n\r\n");
	assert_true(received("HTTP/1.1 204 "));
	assert_false(received("Content-Length") || received("chunked"));
	forget();
	say(GET("/304"));
	expect("\r\n\r\n");
	assert_true(received("\r\nContent-Length: 13\r\n"));
	say(GET("/after"));
	expect("\r\n\r\n/after");
	assert_int_equal(scene->responses, 3);
}

/* ---- several requests ---- */

static void
test_pipelined_in_order(void **state)
{
	char all[8192] = "";
	const char *at;

	(void)state;
	for (int i = 0; i < 100; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all),
		    "GET /%03d HTTP/1.1\r\nHost: a\r\n\r\n", i);
	say(all);
	expect("\r\n\r\n/099");
	at = scene->received;
	for (int i = 0; i < 100; i++) {
		char want[16];

		snprintf(want, sizeof(want), "\r\n\r\n/%03d", i);
		at = strstr(at, want);
		assert_non_null(at);
	}
	assert_int_equal(scene->requests, 100);
	assert_int_equal(scene->responses, 100);
}

static void
test_byte_by_byte(void **state)
{
	static const char text[] =
	    GET("/a") "POST /echo HTTP/1.1\r\nHost: a\r\n"
		      "Content-Length: 3\r\n\r\nxyz";

	(void)state;
	for (const char *at = text; *at != '\0'; at++) {
		uint64_t before = scene->bytes_in;

		say_bytes(at, 1);
		for (int i = 0; i < 1000 && scene->bytes_in == before; i++)
			turn();
	}
	expect("\r\n\r\nxyz");
	assert_int_equal(scene->responses, 2);
}

#define MANY 3000

static bool
has_all_responses(const struct scene *c)
{
	return c->responses == MANY;
}

/* A request whose head straddles what one read brings. */
static void
test_pipelined_over_the_buffers_end(void **state)
{
	static char all[MANY * sizeof(GET("/x")) + 1];

	(void)state;
	for (int i = 0; i < MANY; i++)
		strcat(all + (size_t)i * strlen(GET("/x")), GET("/x"));
	for (size_t at = 0, len = strlen(all); at < len;) {
		ssize_t n =
		    send(scene->client, all + at, len - at, MSG_NOSIGNAL);

		if (n > 0) {
			at += (size_t)n;
			continue;
		}
		expect("\r\n\r\n/x");
		forget();
	}
	wait_until(has_all_responses);
	assert_int_equal(scene->requests, MANY);
}

static void
test_pipelined_behind_a_slow_one(void **state)
{
	(void)state;
	say(GET("/later") GET("/b"));
	wait_until(has_request);
	turn();
	assert_int_equal(scene->requests, 1);
	session_reply(scene->session, 200, NULL, NULL, "first", 5);
	/* Never inside the call that answers. */
	assert_int_equal(scene->requests, 1);
	expect("\r\n\r\n/b");
	assert_true(
	    strstr(scene->received, "first") < strstr(scene->received, "/b"));
}

static void
test_close_is_kept(void **state)
{
	(void)state;
	say(GET_CLOSE("/one") GET("/two"));
	wait_until(has_ended);
	assert_true(received("\r\nConnection: close\r\n"));
	assert_int_equal(scene->requests, 1);
	assert_false(scene->reset);
}

/* ---- bodies of requests ---- */

static void
test_body_with_a_length(void **state)
{
	(void)state;
	say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nalp");
	say("habet" GET("/next"));
	expect("\r\n\r\n/next");
	assert_true(received("\r\n\r\nalphabetHTTP/1.1 200 OK\r\n"));
	assert_int_equal(scene->responses, 2);
}

static void
test_chunked_body(void **state)
{
	(void)state;
	say("POST /echo HTTP/1.1\r\nHost: a\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n");
	say("3\r\nalp\r\n5\r\nhabet\r\n0\r\n\r\n" GET("/next"));
	expect("\r\n\r\n/next");
	assert_true(received("\r\n\r\nalphabet"));
	assert_int_equal(scene->responses, 2);
}

static void
test_expect_continue(void **state)
{
	(void)state;
	say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
	    "Expect: 100-continue\r\n\r\n");
	expect("HTTP/1.1 100 Continue\r\n\r\n");
	say("abc");
	expect("\r\n\r\nabc");
	assert_int_equal(count("HTTP/1.1 "), 2);
}

/* Nobody wants the body: the answer comes without the client's sending it. */
static void
test_expect_continue_refused(void **state)
{
	(void)state;
	say("POST /error HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
	    "Expect: 100-continue\r\n\r\n");
	wait_until(has_ended);
	assert_true(received("HTTP/1.1 503 "));
	assert_true(received("\r\nConnection: close\r\n"));
	assert_false(received("100 Continue"));
}

/* The client goes on sending after the answer: closing at once would reset
 * the connection and could take the answer with it. */
static void
test_lingering_close(void **state)
{
	(void)state;
	say("POST /error HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n");
	expect("\"status\":503}");
	for (int i = 0; i < 3 && scene->session != NULL; i++)
		say("more of the body");
	wait_until(has_ended);
	assert_false(scene->reset);
	assert_non_null(scene->session);
	hang_up();
	wait_until(is_closed);
	assert_int_equal(scene->reason, SESSION_CLOSE_DONE);
	assert_int_equal(scene->responses, 1);
}

/* ---- what is refused ---- */

static void
refused(const char *text, const char *status_line)
{
	say(text);
	wait_until(has_ended);
	if (!received(status_line))
		fail_msg("%s", scene->received);
	assert_true(received("\r\nContent-Type: application/json\r\n"));
	assert_true(received("\r\nConnection: close\r\n"));
	assert_true(received("{\"error\":\""));
	assert_int_equal(count("HTTP/1.1 "), 1);
	assert_false(scene->reset);
	assert_int_equal(scene->requests, 0);
	assert_int_equal(scene->responses, 1);
}

static void
test_not_http(void **state)
{
	(void)state;
	refused("hello\r\n", "HTTP/1.1 400 Bad Request\r\n");
}

static void
test_tls_hello(void **state)
{
	(void)state;
	refused("\x16\x03\x01\x02", "HTTP/1.1 400 Bad Request\r\n");
}

static void
test_smuggling(void **state)
{
	(void)state;
	refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET("/secret"),
	    "HTTP/1.1 400 Bad Request\r\n");
}

static void
test_head_too_large(void **state)
{
	static char text[5000];

	(void)state;
	strcpy(text, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	memset(text + strlen(text), 'x', sizeof(text) - strlen(text) - 1);
	refused(text, "HTTP/1.1 431 Request Header Fields Too Large\r\n");
}

static void
test_length_too_large(void **state)
{
	(void)state;
	refused(
	    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n",
	    "HTTP/1.1 413 Content Too Large\r\n");
}

static void
test_unknown_version(void **state)
{
	(void)state;
	refused("GET / HTTP/1.9\r\nHost: a\r\n\r\n",
	    "HTTP/1.1 505 HTTP Version Not Supported\r\n");
}

static void
test_chunked_body_too_large(void **state)
{
	char chunk[510];

	(void)state;
	memset(chunk, 'x', sizeof(chunk));
	memcpy(chunk, "1f4\r\n", 5);
	memcpy(chunk + 505, "\r\n", 3);
	say("POST /echo HTTP/1.1\r\nHost: a\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 3; i++)
		say(chunk);
	wait_until(has_ended);
	assert_true(received("HTTP/1.1 413 Content Too Large\r\n"));
	assert_true(scene->body_len <= 1000);
}

static void
test_bad_chunk_in_the_body(void **state)
{
	(void)state;
	say("POST /echo HTTP/1.1\r\nHost: a\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense\r\n");
	wait_until(has_ended);
	assert_true(received("HTTP/1.1 400 Bad Request\r\n"));
}

/* ---- deadlines ---- */

static void
test_header_timeout(void **state)
{
	(void)state;
	scene->limits.header_timeout_us = 20000;
	say("GET / HTTP/1.1\r\nHo");
	wait_until(has_ended);
	assert_true(received("HTTP/1.1 408 Request Timeout\r\n"));
	assert_true(received("\r\nConnection: close\r\n"));
	assert_int_equal(scene->requests, 0);
}

/* More bytes do not buy more time. */
static void
trickle(void *arg)
{
	(void)arg;
	if (scene->ended)
		return;
	say_bytes("x", 1);
	loop_timer_after(scene->loop, &scene->deadline, 5000);
}

static void
test_trickled_header_timeout(void **state)
{
	(void)state;
	scene->limits.header_timeout_us = 50000;
	say("GET / HTTP/1.1\r\nHost: a\r\nX: ");
	scene->deadline.fn = trickle;
	scene->until = has_ended;
	loop_timer_set(scene->loop, &scene->deadline, 0);
	loop_timer_set(scene->loop, &scene->tick, 0);
	assert_int_equal(loop_run(scene->loop), 0);
	loop_timer_clear(scene->loop, &scene->deadline);
	scene->deadline.fn = on_deadline;
	assert_true(received("HTTP/1.1 408 "));
	assert_true(scene->received_len < 1000);
}

static void
test_keep_alive_timeout(void **state)
{
	(void)state;
	scene->limits.keep_alive_us = 20000;
	say(GET("/hello"));
	expect("\r\n\r\n/hello");
	wait_until(is_closed);
	assert_int_equal(scene->reason, SESSION_CLOSE_IDLE);
	wait_until(has_ended);
	assert_int_equal(count("HTTP/1.1 "), 1);
}

static void
test_idle_from_the_start(void **state)
{
	(void)state;
	/* Limits are read when a deadline is set: of the next session. */
	session_close(scene->session, SESSION_CLOSE_DONE);
	hang_up();
	scene->limits.keep_alive_us = 20000;
	assert_int_equal(open_session(), 0);
	wait_until(has_ended);
	assert_int_equal(scene->reason, SESSION_CLOSE_IDLE);
	assert_int_equal(scene->received_len, 0);
}

static void
test_body_timeout(void **state)
{
	(void)state;
	scene->limits.body_timeout_us = 20000;
	say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na");
	wait_until(is_closed);
	assert_int_equal(scene->reason, SESSION_CLOSE_BODY_TIMEOUT);
}

static void
test_client_does_not_read(void **state)
{
	(void)state;
	scene->limits.send_timeout_us = 20000;
	scene->paused = true;
	loop_watch_del(scene->loop, &scene->watch);
	say(GET("/big"));
	wait_until(is_closed);
	assert_int_equal(scene->reason, SESSION_CLOSE_SEND_TIMEOUT);
	assert_int_equal(scene->broken_responses, 1);
	assert_int_equal(scene->responses, 0);
	assert_true(scene->big_left > 0);
}

/* ---- backpressure ---- */

static bool
is_backed_up(const struct scene *c)
{
	return c->session != NULL && session_backlog(c->session) >= HIGH_WATER;
}

static bool
has_one_response(const struct scene *c)
{
	return c->responses == 1 && c->received_len > BIG;
}

static void
test_backpressure(void **state)
{
	(void)state;
	loop_watch_del(scene->loop, &scene->watch);
	say(GET("/big"));
	wait_until(is_backed_up);
	assert_true(scene->big_left > BIG / 2);
	assert_int_equal(loop_watch_add(scene->loop, &scene->watch,
			     scene->client, EPOLLIN | EPOLLRDHUP),
	    0);
	wait_until(has_one_response);
	assert_true(scene->backlog_max < HIGH_WATER + 20000);
	forget();
	say(GET("/next"));
	expect("\r\n\r\n/next");
}

/* What is written last need not have left when the next request comes. */
static void
test_closing_waits_for_the_backlog(void **state)
{
	(void)state;
	say(GET_CLOSE("/big"));
	wait_until(has_ended);
	assert_true(scene->received_len > BIG);
	assert_int_equal(scene->responses, 1);
	assert_false(scene->reset);
}

/* ---- ends ---- */

static void
test_response_cut_short(void **state)
{
	static const char *const paths[] = {
	    GET("/cut"), GET("/short"), GET("/long")};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		if (scene->session == NULL) {
			hang_up();
			assert_int_equal(open_session(), 0);
		}
		say(paths[i]);
		wait_until(has_ended);
		assert_null(scene->session);
		assert_int_equal(scene->reason, SESSION_CLOSE_CUT);
		assert_int_equal(scene->broken_responses, i + 1);
		assert_int_equal(scene->responses, 0);
		assert_false(received("four"));
	}
}

static void
test_client_gone_between_requests(void **state)
{
	(void)state;
	say(GET("/hello"));
	expect("\r\n\r\n/hello");
	hang_up();
	wait_until(is_closed);
	assert_int_equal(scene->reason, SESSION_CLOSE_PEER);
	assert_int_equal(scene->broken_responses, 0);
}

static void
test_client_gone_while_it_waits(void **state)
{
	(void)state;
	say(GET("/later"));
	wait_until(has_request);
	hang_up();
	wait_until(is_closed);
	assert_int_equal(scene->reason, SESSION_CLOSE_PEER);
	assert_int_equal(scene->responses, 0);
}

static void
test_client_gone_in_mid_body(void **state)
{
	(void)state;
	say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
	wait_until(has_request);
	hang_up();
	wait_until(is_closed);
	assert_int_equal(scene->responses, 0);
}

static void
test_client_gone_in_mid_response(void **state)
{
	(void)state;
	loop_watch_del(scene->loop, &scene->watch);
	say(GET("/big"));
	wait_until(is_backed_up);
	hang_up();
	wait_until(is_closed);
	assert_int_equal(scene->broken_responses, 1);
	assert_int_equal(scene->responses, 0);
}

/* ---- draining ---- */

static void
test_drain_closes_an_idle_one(void **state)
{
	(void)state;
	say(GET("/hello"));
	expect("\r\n\r\n/hello");
	scene->context.draining = true;
	session_drain(scene->session);
	wait_until(has_ended);
	assert_int_equal(scene->reason, SESSION_CLOSE_DRAINED);
}

static void
test_drain_lets_a_request_end(void **state)
{
	(void)state;
	say(GET("/later"));
	wait_until(has_request);
	scene->context.draining = true;
	session_drain(scene->session);
	assert_non_null(scene->session);
	session_reply(scene->session, 200, NULL, NULL, "done", 4);
	wait_until(has_ended);
	assert_true(received("\r\nConnection: close\r\n"));
	assert_true(received("\r\n\r\ndone"));
	assert_false(scene->reset);
}

/* A request that came just before is answered, not dropped. */
static void
test_drain_answers_what_has_come(void **state)
{
	(void)state;
	scene->context.draining = true;
	say(GET("/hello"));
	wait_until(has_ended);
	assert_true(received("\r\n\r\n/hello"));
	assert_true(received("\r\nConnection: close\r\n"));
}

/* ---- memory ---- */

static void
test_no_buffer_left(void **state)
{
	struct buffer *held[BLOCKS];

	(void)state;
	for (size_t i = 0; i < BLOCKS; i++)
		held[i] = buffer_get(scene->buffers);
	say(GET("/hello"));
	wait_until(has_ended);
	assert_int_equal(scene->reason, SESSION_CLOSE_MEMORY);
	for (size_t i = 0; i < BLOCKS; i++)
		buffer_put(scene->buffers, held[i]);
}

/* One is left, for the request; none for the answer's head. */
static void
test_no_buffer_for_the_answer(void **state)
{
	struct buffer *held[BLOCKS - 1];

	(void)state;
	for (size_t i = 0; i < BLOCKS - 1; i++)
		held[i] = buffer_get(scene->buffers);
	say(GET("/hello"));
	wait_until(has_ended);
	assert_int_equal(scene->reason, SESSION_CLOSE_MEMORY);
	assert_int_equal(scene->received_len, 0);
	assert_int_equal(scene->broken_responses, 1);
	for (size_t i = 0; i < BLOCKS - 1; i++)
		buffer_put(scene->buffers, held[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_whole_response),
	    TEST(test_json_error),
	    TEST(test_an_idle_session_holds_no_buffer),
	    TEST(test_streamed_with_a_length),
	    TEST(test_chunked),
	    TEST(test_http10_has_no_chunks),
	    TEST(test_http10_closes_or_says_that_it_does_not),
	    TEST(test_head_is_framed_without_a_body),
	    TEST(test_statuses_without_a_body),
	    TEST(test_pipelined_in_order),
	    TEST(test_byte_by_byte),
	    TEST(test_pipelined_over_the_buffers_end),
	    TEST(test_pipelined_behind_a_slow_one),
	    TEST(test_close_is_kept),
	    TEST(test_body_with_a_length),
	    TEST(test_chunked_body),
	    TEST(test_expect_continue),
	    TEST(test_expect_continue_refused),
	    TEST(test_lingering_close),
	    TEST(test_not_http),
	    TEST(test_tls_hello),
	    TEST(test_smuggling),
	    TEST(test_head_too_large),
	    TEST(test_length_too_large),
	    TEST(test_unknown_version),
	    TEST(test_chunked_body_too_large),
	    TEST(test_bad_chunk_in_the_body),
	    TEST(test_header_timeout),
	    TEST(test_trickled_header_timeout),
	    TEST(test_keep_alive_timeout),
	    TEST(test_idle_from_the_start),
	    TEST(test_body_timeout),
	    TEST(test_client_does_not_read),
	    TEST(test_backpressure),
	    TEST(test_closing_waits_for_the_backlog),
	    TEST(test_response_cut_short),
	    TEST(test_client_gone_between_requests),
	    TEST(test_client_gone_while_it_waits),
	    TEST(test_client_gone_in_mid_body),
	    TEST(test_client_gone_in_mid_response),
	    TEST(test_drain_closes_an_idle_one),
	    TEST(test_drain_lets_a_request_end),
	    TEST(test_drain_answers_what_has_come),
	    TEST(test_no_buffer_left),
	    TEST(test_no_buffer_for_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
