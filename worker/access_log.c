#include "access_log.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buffer.h"
#include "log.h"

/* The longest line: each byte of the path escaped, and the rest. */
#define LINE_MAX_BYTES 2048

struct access_log {
	int fd;
	struct text lines;
	char data[BUFFER_BYTES];
};

struct access_log *
access_log_open(const char *path)
{
	struct access_log *log = malloc(sizeof(*log));

	if (log == NULL)
		return NULL;
	if (strcmp(path, "stdout") == 0)
		log->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		log->fd =
		    open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (log->fd == -1) {
		free(log);
		return NULL;
	}
	log_unblock(log->fd);
	text_init(&log->lines, log->data, sizeof(log->data));
	return log;
}

void
access_log_close(struct access_log *log)
{
	if (log == NULL)
		return;
	access_log_flush(log);
	close(log->fd);
	free(log);
}

/* As many whole lines as a pipe takes at once, or not at all. */
static size_t
piece(const char *data, size_t len)
{
	const char *end;

	if (len <= PIPE_BUF)
		return len;
	end = memrchr(data, '\n', PIPE_BUF);
	return end != NULL ? (size_t)(end + 1 - data) : PIPE_BUF;
}

void
access_log_flush(struct access_log *log)
{
	struct pollfd p = {.fd = log->fd, .events = POLLOUT};
	const char *at = log->lines.data;
	size_t left = log->lines.len;

	/* A full disk or a reader that has stopped loses lines, and holds up
	 * no request. */
	while (left > 0 && poll(&p, 1, 0) > 0) {
		size_t len = piece(at, left);

		if (write(log->fd, at, len) != (ssize_t)len)
			break;
		at += len;
		left -= len;
	}
	text_init(&log->lines, log->data, sizeof(log->data));
}

/* A path may hold anything that is no control character: quotes too. */
static void
add_quoted(struct text *t, const char *s)
{
	text_add(t, "\"", 1);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\' || (unsigned char)*s < 0x20 ||
		    (unsigned char)*s >= 0x7f)
			text_addf(t, "\\x%02x", (unsigned char)*s);
		else
			text_add(t, s, 1);
	}
	text_add(t, "\"", 1);
}

void
access_log_add(struct access_log *log, const struct session *s,
    const char *line, unsigned status, bool complete)
{
	uint64_t began_us = session_request_us(s);
	uint64_t us = began_us != 0 ? loop_clock_ns() / 1000 - began_us : 0;
	char peer[SOCK_TEXT_MAX], when[32];
	time_t now = time(NULL);
	struct tm tm;

	if (log->lines.cap - log->lines.len < LINE_MAX_BYTES)
		access_log_flush(log);
	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	text_addf(
	    &log->lines, "%s %s ", sock_host_str(session_peer(s), peer), when);
	add_quoted(&log->lines, line);
	text_addf(&log->lines, " %u %llu %llu.%06llu%s\n", status,
	    (unsigned long long)session_response_bytes(s),
	    (unsigned long long)(us / 1000000),
	    (unsigned long long)(us % 1000000), complete ? "" : " cut");
}
