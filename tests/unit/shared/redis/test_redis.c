/* Goal: commands, scripts, deadlines and reconnects against a real
 * server. */
#include "clock.h"
#include "redis.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "log.h"
#include "redis_server.h"

static struct redis_script twice = {
    .name = "twice",
    .body = "return 2 * tonumber(ARGV[1]) + #KEYS",
};

struct client {
	struct loop *loop;
	struct resolver *resolver;
	struct redis *redis;
	unsigned ups, downs, failures;
	bool up, down, unreachable;
	char reason[200];
	bool replied, is_null, is_error;
	long long number;
	unsigned replies, nulls;
	char message[64];
	bool heard;
};

static void
on_up(void *arg)
{
	struct client *c = arg;

	c->ups++;
	c->up = true;
	c->down = false;
}

static void
on_down(void *arg, const char *reason)
{
	struct client *c = arg;

	assert_false(redis_is_up(c->redis));
	c->downs++;
	c->down = true;
	c->up = false;
	snprintf(c->reason, sizeof(c->reason), "%s", reason);
}

static void
on_unreachable(void *arg, const char *reason)
{
	struct client *c = arg;

	c->failures++;
	c->unreachable = true;
	snprintf(c->reason, sizeof(c->reason), "%s", reason);
}

static void
on_reply(void *arg, const redisReply *reply)
{
	struct client *c = arg;

	c->replied = true;
	c->replies++;
	c->is_null = reply == NULL;
	c->nulls += c->is_null;
	c->is_error = reply != NULL && reply->type == REDIS_REPLY_ERROR;
	c->number = reply != NULL && reply->type == REDIS_REPLY_INTEGER
			? reply->integer
			: -1;
	/* A callback that learns of the loss finds the link down. */
	if (reply == NULL)
		assert_false(redis_is_up(c->redis));
}

static void
client_open(struct client *c, const struct redis_url *url)
{
	struct redis_options options = {
	    .url = *url,
	    .name = "test",
	    .scripts = {&twice},
	    .script_count = 1,
	    .on_up = on_up,
	    .on_down = on_down,
	    .on_unreachable = on_unreachable,
	    .arg = c,
	};

	memset(c, 0, sizeof(*c));
	c->loop = loop_new();
	assert_non_null(c->loop);
	c->resolver = resolver_new(c->loop);
	assert_non_null(c->resolver);
	c->redis = redis_new(c->loop, c->resolver, &options);
	assert_non_null(c->redis);
	assert_false(redis_is_up(c->redis));
}

static void
client_close(struct client *c)
{
	redis_free(c->redis);
	resolver_free(c->resolver);
	loop_free(c->loop);
}

static int
ask(struct client *c, const char *a, const char *b)
{
	const char *argv[] = {a, b};

	c->replied = false;
	return redis_command(c->redis, on_reply, c, b ? 2 : 1, argv, NULL);
}

static int
eval(struct client *c, const char *n)
{
	const char *argv[] = {"key", n};

	c->replied = false;
	return redis_eval(c->redis, &twice, on_reply, c, 1, 2, argv);
}

static void
commands_and_scripts_are_answered_later(void **state)
{
	struct redis_server *server = *state;
	struct redis_url url = redis_server_url(server);
	struct client c;

	url.db = 3;
	client_open(&c, &url);
	assert_int_equal(ask(&c, "INCR", "n"), -1);
	assert_int_equal(errno, ENOTCONN);
	assert_true(redis_server_run(c.loop, &c.up));
	assert_int_equal(ask(&c, "INCR", "n"), 0);
	assert_false(c.replied);
	assert_true(redis_server_run(c.loop, &c.replied));
	assert_int_equal(c.number, 1);
	assert_int_equal(eval(&c, "20"), 0);
	assert_true(redis_server_run(c.loop, &c.replied));
	assert_int_equal(c.number, 41);
	assert_int_equal(ask(&c, "GET", NULL), 0);
	assert_true(redis_server_run(c.loop, &c.replied));
	assert_true(c.is_error);
	client_close(&c);
	assert_int_equal(redis_server_ask(server, "GET n"), -1); /* db 0 */
}

static void
a_unix_socket_and_a_name_do_too(void **state)
{
	struct redis_server *server = *state;
	struct redis_url url = {0};
	struct client c;

	strcpy(url.path, server->path);
	client_open(&c, &url);
	assert_true(redis_server_run(c.loop, &c.up));
	client_close(&c);
	url = redis_server_url(server);
	strcpy(url.host, "localhost");
	client_open(&c, &url);
	/* ::1 may come first and be refused; the next attempt takes the second
	 * address. */
	assert_true(redis_server_run(c.loop, &c.up));
	client_close(&c);
}

static void
lost_scripts_are_loaded_again(void **state)
{
	struct redis_url url = redis_server_url(*state);
	struct client c;

	client_open(&c, &url);
	assert_true(redis_server_run(c.loop, &c.up));
	redis_server_ask(*state, "SCRIPT FLUSH");
	assert_int_equal(eval(&c, "1"), 0);
	assert_true(redis_server_run(c.loop, &c.replied));
	assert_true(c.is_error);
	assert_int_equal(eval(&c, "1"), 0);
	assert_true(redis_server_run(c.loop, &c.replied));
	assert_int_equal(c.number, 3);
	assert_int_equal(c.downs, 0);
	client_close(&c);
}

static void
comes_back_after_kill_and_restart(void **state)
{
	struct redis_server *server = *state;
	struct redis_url url = redis_server_url(server);
	struct client c;

	client_open(&c, &url);
	assert_true(redis_server_run(c.loop, &c.up));
	redis_server_kill(server);
	assert_int_equal(ask(&c, "INCR", "n"), 0);
	assert_int_equal(eval(&c, "1"), 0);
	assert_true(redis_server_run(c.loop, &c.down));
	assert_int_equal(c.nulls, 2);
	assert_int_equal(ask(&c, "INCR", "n"), -1);
	c.unreachable = false;
	assert_true(redis_server_run(c.loop, &c.unreachable));
	assert_string_equal(c.reason, "Connection refused");
	redis_server_start(server);
	assert_true(redis_server_run(c.loop, &c.up));
	assert_int_equal(c.ups, 2);
	assert_int_equal(c.downs, 1);
	assert_int_equal(eval(&c, "1"), 0);
	assert_true(redis_server_run(c.loop, &c.replied));
	assert_int_equal(c.number, 3);
	client_close(&c);
}

static void
a_wrong_password_is_not_told(void **state)
{
	struct redis_server *server = *state;
	struct redis_url url;
	struct client c;

	redis_server_kill(server);
	server->password = "open-sesame";
	redis_server_start(server);
	url = redis_server_url(server);
	strcpy(url.password, "hunter2");
	client_open(&c, &url);
	assert_true(redis_server_run(c.loop, &c.unreachable));
	assert_string_equal(c.reason, "AUTH refused: WRONGPASS");
	assert_int_equal(c.ups, 0);
	client_close(&c);
	strcpy(url.password, "open-sesame");
	strcpy(url.user, "default");
	client_open(&c, &url);
	assert_true(redis_server_run(c.loop, &c.up));
	client_close(&c);
	url.db = 99;
	client_open(&c, &url);
	assert_true(redis_server_run(c.loop, &c.unreachable));
	assert_non_null(strstr(c.reason, "out of range"));
	client_close(&c);
}

static void
a_silent_server_is_dropped(void **state)
{
	struct redis_server *server = *state;
	struct redis_url url = redis_server_url(server);
	struct client c;

	client_open(&c, &url);
	assert_true(redis_server_run(c.loop, &c.up));
	kill(server->pid, SIGSTOP);
	assert_int_equal(ask(&c, "PING", NULL), 0);
	assert_true(redis_server_run(c.loop, &c.down));
	assert_non_null(strstr(c.reason, "no reply"));
	assert_int_equal(c.nulls, 1);
	/* The kernel still connects; setting up has a deadline as well. */
	c.unreachable = false;
	assert_true(redis_server_run(c.loop, &c.unreachable));
	assert_non_null(strstr(c.reason, "set up"));
	kill(server->pid, SIGCONT);
	assert_true(redis_server_run(c.loop, &c.up));
	client_close(&c);
}

/* A listener with a full queue does not answer. */
static void
a_deaf_address_is_given_up(void **state)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);
	struct redis_url url = redis_server_url(*state);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fillers[4];
	struct client c;

	assert_int_equal(bind(listener, (struct sockaddr *)&in, len), 0);
	assert_int_equal(listen(listener, 0), 0);
	getsockname(listener, (struct sockaddr *)&in, &len);
	for (int i = 0; i < 4; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&in, len);
	}
	url.port = ntohs(in.sin_port);
	client_open(&c, &url);
	assert_true(redis_server_run(c.loop, &c.unreachable));
	assert_non_null(strstr(c.reason, "connect: no answer"));
	client_close(&c);
	for (int i = 0; i < 4; i++)
		close(fillers[i]);
	close(listener);
}

static void
spin(uint64_t ms)
{
	uint64_t end_ns = clock_ns() + ms * 1000000;

	while (clock_ns() < end_ns)
		;
}

static void
send_then_spin(void *arg)
{
	struct client *c = arg;

	assert_int_equal(ask(c, "INCR", "n"), 0);
	spin(REDIS_REPLY_MS + 200);
}

/* A handler that blocks the loop must not drop the connection. */
static void
its_own_delay_is_not_the_servers(void **state)
{
	struct redis_url url = redis_server_url(*state);
	struct timer timer;
	struct client c;

	client_open(&c, &url);
	assert_true(redis_server_run(c.loop, &c.up));
	timer_init(&timer, send_then_spin, &c);
	loop_timer_after(c.loop, &timer, 0);
	assert_true(redis_server_run(c.loop, &c.replied));
	assert_false(c.is_null);
	assert_int_equal(c.downs, 0);
	client_close(&c);
}

static void
no_more_than_the_cap_wait(void **state)
{
	struct redis_url url = redis_server_url(*state);
	struct client c;
	int n = 0;

	client_open(&c, &url);
	assert_true(redis_server_run(c.loop, &c.up));
	while (ask(&c, "INCR", "n") == 0)
		n++;
	assert_int_equal(n, REDIS_PENDING_MAX);
	assert_int_equal(errno, ENOBUFS);
	while (c.replies < (unsigned)n) {
		c.replied = false;
		assert_true(redis_server_run(c.loop, &c.replied));
	}
	assert_int_equal(c.number, n);
	assert_int_equal(c.nulls, 0);
	client_close(&c);
}

static void
on_message(void *arg, const redisReply *reply)
{
	struct client *c = arg;

	c->heard = true;
	snprintf(c->message, sizeof(c->message), "%s", reply->str);
}

static void
a_subscription_is_renewed(void **state)
{
	struct redis_server *server = *state;
	struct redis_url url = redis_server_url(server);
	struct client c;

	client_open(&c, &url);
	assert_int_equal(redis_subscribe(c.redis, "news", on_message, &c), 0);
	assert_true(redis_server_run(c.loop, &c.up));
	assert_int_equal(ask(&c, "INCR", "n"), -1);
	assert_int_equal(redis_server_ask(server, "PUBLISH news one"), 1);
	assert_true(redis_server_run(c.loop, &c.heard));
	assert_string_equal(c.message, "one");
	assert_int_equal(
	    redis_server_ask(server, "CLIENT KILL TYPE pubsub"), 1);
	assert_true(redis_server_run(c.loop, &c.down));
	assert_true(redis_server_run(c.loop, &c.up));
	c.heard = false;
	assert_int_equal(redis_server_ask(server, "PUBLISH news two"), 1);
	assert_true(redis_server_run(c.loop, &c.heard));
	assert_string_equal(c.message, "two");
	client_close(&c);
}

static void
free_in_reply(void *arg, const redisReply *reply)
{
	struct client *c = arg;

	(void)reply;
	if (c->redis != NULL)
		redis_free(c->redis);
	c->redis = NULL;
	c->replies++;
	c->replied = true;
}

static void
may_be_freed_in_its_callback(void **state)
{
	struct redis_url url = redis_server_url(*state);
	const char *ping[] = {"PING"};
	struct client c;

	client_open(&c, &url);
	assert_true(redis_server_run(c.loop, &c.up));
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    redis_command(c.redis, free_in_reply, &c, 1, ping, NULL),
		    0);
	assert_true(redis_server_run(c.loop, &c.replied));
	assert_int_equal(c.replies, 3);
	client_close(&c);
}

static void
an_unknown_name_is_said(void **state)
{
	struct redis_url url = redis_server_url(*state);
	struct client c;

	strcpy(url.host, "no-such-host.invalid");
	client_open(&c, &url);
	assert_true(redis_server_run(c.loop, &c.unreachable));
	assert_memory_equal(c.reason, "no-such-host.invalid: ", 22);
	client_close(&c);
}

int
main(void)
{
#define TEST(f)                                                                \
	cmocka_unit_test_setup_teardown(                                       \
	    f, redis_server_setup, redis_server_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(commands_and_scripts_are_answered_later),
	    TEST(a_unix_socket_and_a_name_do_too),
	    TEST(lost_scripts_are_loaded_again),
	    TEST(comes_back_after_kill_and_restart),
	    TEST(a_wrong_password_is_not_told),
	    TEST(a_silent_server_is_dropped),
	    TEST(a_deaf_address_is_given_up),
	    TEST(its_own_delay_is_not_the_servers),
	    TEST(no_more_than_the_cap_wait),
	    TEST(a_subscription_is_renewed),
	    TEST(may_be_freed_in_its_callback),
	    TEST(an_unknown_name_is_said),
	};

	signal(SIGPIPE, SIG_IGN);
	log_init(LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
