#include "log.h"

#include <sys/stat.h>
#include <sys/time.h>

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#define LINE_MAX_BYTES 2048
#define IDENT_MAX 32

static struct {
	enum log_level level;
	enum log_format format;
	char ident[IDENT_MAX];
	unsigned lost; /* dropped lines */
} state = {.level = LOG_LEVEL_INFO, .ident = "drover"};

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

void
log_init(enum log_level level, enum log_format format)
{
	state.level = level;
	state.format = format;
	log_unblock(STDERR_FILENO);
}

void
log_ident(const char *ident)
{
	snprintf(state.ident, sizeof(state.ident), "%s", ident);
}

bool
log_is_debug(void)
{
	return state.level >= LOG_LEVEL_DEBUG;
}

/* "2026-01-31T12:00:00.123Z" */
static void
stamp(char *buf, size_t cap)
{
	struct timeval now;
	struct tm tm;
	size_t len;

	gettimeofday(&now, NULL);
	gmtime_r(&now.tv_sec, &tm);
	len = strftime(buf, cap, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + len, cap - len, ".%03dZ", (int)(now.tv_usec / 1000));
}

/* The message may quote a peer: keep the line printable. */
static void
make_printable(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

static size_t
format_text(char *line, size_t cap, enum log_level level, const char *message)
{
	char when[40];
	int len;

	stamp(when, sizeof(when));
	len = snprintf(line, cap, "%s %-5s %s[%d]: %s\n", when,
	    level_names[level], state.ident, (int)getpid(), message);
	return (size_t)len < cap ? (size_t)len : cap - 1;
}

static size_t
format_json(char *line, size_t cap, enum log_level level, const char *message)
{
	char when[40];
	json_t *json;
	size_t len;

	stamp(when, sizeof(when));
	json = json_pack("{s:s, s:s, s:s, s:i, s:s}", "time", when, "level",
	    level_names[level], "process", state.ident, "pid", (int)getpid(),
	    "message", message);
	/* Not UTF-8, or no memory: better as text than lost. */
	if (json == NULL)
		return format_text(line, cap, level, message);
	len = json_dumpb(json, line, cap - 1, JSON_COMPACT);
	json_decref(json);
	if (len == 0 || len > cap - 1)
		return format_text(line, cap, level, message);
	line[len++] = '\n';
	return len;
}

void
log_unblock(int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	/* Not a terminal, which is shared with programs that expect blocking
	 * writes. */
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && flags != -1)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int
log_open_file(const char *path)
{
	return open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
	    0640);
}

/* A stopped reader (a full pipe, a terminal on hold) must not stop us. Below
 * PIPE_BUF, a pipe takes a whole line or nothing. */
static bool
put(enum log_level level, const char *message)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[LINE_MAX_BYTES];
	size_t len = state.format == LOG_FORMAT_JSON
			 ? format_json(line, sizeof(line), level, message)
			 : format_text(line, sizeof(line), level, message);

	line[len - 1] = '\n';
	return poll(&p, 1, 0) == 1 && write(STDERR_FILENO, line, len) != -1;
}

static void
put_lost(void)
{
	char message[64];

	snprintf(message, sizeof(message),
	    "log: %u lines lost, nobody read them", state.lost);
	if (put(LOG_LEVEL_WARN, message))
		state.lost = 0;
}

__attribute__((format(printf, 2, 0))) static void
emit(enum log_level level, const char *fmt, va_list ap)
{
	char message[LINE_MAX_BYTES - 128];

	if (level > state.level)
		return;
	if (state.lost != 0)
		put_lost();
	vsnprintf(message, sizeof(message), fmt, ap);
	make_printable(message);
	if (!put(level, message))
		state.lost++;
}

#define EMIT(level)                                                            \
	do {                                                                   \
		va_list ap;                                                    \
                                                                               \
		va_start(ap, fmt);                                             \
		emit(level, fmt, ap);                                          \
		va_end(ap);                                                    \
	} while (0)

void
log_error(const char *fmt, ...)
{
	EMIT(LOG_LEVEL_ERROR);
}

void
log_warn(const char *fmt, ...)
{
	EMIT(LOG_LEVEL_WARN);
}

void
log_info(const char *fmt, ...)
{
	EMIT(LOG_LEVEL_INFO);
}

void
log_debug(const char *fmt, ...)
{
	EMIT(LOG_LEVEL_DEBUG);
}

void
fatal(const char *fmt, ...)
{
	EMIT(LOG_LEVEL_ERROR);
	exit(LOG_EXIT_CONFIG);
}

void
fatal_busy(const char *fmt, ...)
{
	EMIT(LOG_LEVEL_ERROR);
	exit(LOG_EXIT_BUSY);
}
