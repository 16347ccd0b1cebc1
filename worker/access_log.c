#include "access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buffer.h"

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

void
access_log_flush(struct access_log *log)
{
	if (log->lines.len == 0)
		return;
	/* A full disk or a reader that is gone loses lines, not requests. */
	if (write(log->fd, log->lines.data, log->lines.len) == -1)
		log->lines.len = 0;
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
    const char *line, bool complete)
{
	const struct session_context *context = session_context_of(s);
	uint64_t now_us = loop_now_us(context->loop);
	uint64_t us =
	    session_request_us(s) != 0 ? now_us - session_request_us(s) : 0;
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
	text_addf(&log->lines, " %u %llu %llu.%06llu%s\n", session_status(s),
	    (unsigned long long)session_response_bytes(s),
	    (unsigned long long)(us / 1000000),
	    (unsigned long long)(us % 1000000), complete ? "" : " cut");
}
