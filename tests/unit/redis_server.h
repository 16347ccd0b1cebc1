/*
 * redis_server - a real redis-server for one test, on a unix socket and a port,
 * in a folder of its own. A loop runs until an event has happened.
 */
#ifndef REDIS_SERVER_H
#define REDIS_SERVER_H

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "clock.h"
#include "loop.h"
#include "redis.h"

#define REDIS_SERVER_WAIT_MS 10000

struct redis_server {
	pid_t pid;
	int port;
	int log_fd;
	char dir[64];
	char path[96];
	const char *password; /* or NULL */
};

/* A port that was free a moment ago. */
static inline int
redis_server_free_port(void)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&in, len) == -1 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) == -1)
		abort();
	close(fd);
	return ntohs(in.sin_port);
}

/* The server's log reports when connections are accepted. */
static inline void
redis_server_await(struct redis_server *s)
{
	char log[16384];
	size_t len = 0;
	struct pollfd p = {.fd = s->log_fd, .events = POLLIN};

	for (;;) {
		ssize_t n;

		if (poll(&p, 1, REDIS_SERVER_WAIT_MS) != 1)
			abort();
		n = read(s->log_fd, log + len, sizeof(log) - 1 - len);
		if (n <= 0) {
			fprintf(stderr, "redis-server: %.*s\n", (int)len, log);
			abort();
		}
		len += (size_t)n;
		log[len] = '\0';
		if (strstr(log, "eady to accept connections") != NULL)
			return;
	}
}

/* Starts the server, with the same socket and port as in an earlier run. */
static inline void
redis_server_start(struct redis_server *s)
{
	int log[2];
	char port[16];

	if (s->port == 0) {
		strcpy(s->dir, "/tmp/drover-test-XXXXXX");
		if (mkdtemp(s->dir) == NULL)
			abort();
		snprintf(s->path, sizeof(s->path), "%s/redis.sock", s->dir);
		s->port = redis_server_free_port();
	}
	if (pipe(log) == -1)
		abort();
	snprintf(port, sizeof(port), "%d", s->port);
	s->pid = fork();
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(log[1], STDOUT_FILENO);
		dup2(log[1], STDERR_FILENO);
		close(log[0]);
		close(log[1]);
		execlp("redis-server", "redis-server", "--bind", "127.0.0.1",
		    "--port", port, "--unixsocket", s->path, "--dir", s->dir,
		    "--save", "", "--appendonly", "no", "--databases", "16",
		    s->password != NULL ? "--requirepass" : NULL, s->password,
		    NULL);
		_exit(127);
	}
	close(log[1]);
	s->log_fd = log[0];
	redis_server_await(s);
}

static inline void
redis_server_kill(struct redis_server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	close(s->log_fd);
	s->pid = 0;
}

static inline void
redis_server_stop(struct redis_server *s)
{
	if (s->pid != 0)
		redis_server_kill(s);
	unlink(s->path);
	rmdir(s->dir);
}

static inline struct redis_url
redis_server_url(const struct redis_server *s)
{
	struct redis_url url = {.port = (uint16_t)s->port};

	strcpy(url.host, "127.0.0.1");
	return url;
}

/* Sends a command by a separate, blocking connection. Returns the reply as a
 * number, -1 for any other reply. */
__attribute__((format(printf, 2, 3))) static inline long long
redis_server_ask(const struct redis_server *s, const char *fmt, ...)
{
	redisContext *c = redisConnectUnix(s->path);
	redisReply *reply;
	long long n = -1;
	va_list ap;

	if (c == NULL || c->err)
		abort();
	va_start(ap, fmt);
	reply = redisvCommand(c, fmt, ap);
	va_end(ap);
	if (reply != NULL && reply->type == REDIS_REPLY_INTEGER)
		n = reply->integer;
	else if (reply != NULL && reply->type == REDIS_REPLY_STRING)
		n = strtoll(reply->str, NULL, 10);
	freeReplyObject(reply);
	redisFree(c);
	return n;
}

/* Runs the loop until *done, or gives up after a while: false. */
struct redis_server_wait {
	struct loop *loop;
	struct timer timer;
	const bool *done;
	uint64_t end_us;
};

static inline void
redis_server_look(void *arg)
{
	struct redis_server_wait *w = arg;

	if (*w->done || loop_now_us(w->loop) >= w->end_us)
		loop_stop(w->loop);
	else
		loop_timer_after(w->loop, &w->timer, 1000);
}

static inline bool
redis_server_run(struct loop *loop, const bool *done)
{
	struct redis_server_wait w = {.loop = loop, .done = done};

	w.end_us = clock_ns() / 1000 + REDIS_SERVER_WAIT_MS * 1000;
	timer_init(&w.timer, redis_server_look, &w);
	loop_timer_set(loop, &w.timer, 0);
	if (loop_run(loop) == -1)
		abort();
	return *done;
}

/* The same as a test's fixture: *state is the server. */
static inline int
redis_server_setup(void **state)
{
	static struct redis_server server;

	server = (struct redis_server){0};
	redis_server_start(&server);
	*state = &server;
	return 0;
}

static inline int
redis_server_teardown(void **state)
{
	redis_server_stop(*state);
	return 0;
}

#endif
