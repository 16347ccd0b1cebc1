#include "access_log.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "config.h"
#include "counter.h"
#include "text.h"

#define LINES_BYTES 65536
#define LINE_MAX_BYTES PIPE_BUF
/* The longest values, escaped and in quotes: with names and numbers they fit
 * into a line, for any request. */
#define REQUEST_MAX 1536
#define TEXT_MAX 256 /* host, route, upstream, reason */
#define WORD_MAX 160 /* client, service, breaker, end, id, instance */
#define REST_MAX 512 /* all names, all numbers, the time */
_Static_assert(
    REQUEST_MAX + 4 * TEXT_MAX + 6 * WORD_MAX + REST_MAX <= LINE_MAX_BYTES,
    "a line has to fit");
/* Repeated losses are logged no more often. */
#define SAY_EVERY_NS 1000000000ULL

struct access_log {
	int fd;
	bool is_file; /* regular: takes everything, as far as known */
	bool is_socket;
	bool is_json;
	char *path; /* NULL: standard output */
	char instance[CONFIG_NAME_MAX + 1];
	unsigned worker;
	bool torn;      /* the first line's beginning has been written */
	int error;      /* why nothing more was taken */
	uint64_t lost;  /* since the log has last said a number */
	bool announced; /* the begin of the present loss is in the log */
	uint64_t said_ns;
	_Atomic uint64_t *lost_total; /* or NULL */
	time_t second;                /* the second of `when` */
	char when[32];
	struct text lines;
	char data[LINES_BYTES];
};

/* ---- the file ---- */

static void
use(struct access_log *log, int fd)
{
	struct stat st;

	log->fd = fd;
	if (fstat(fd, &st) == -1)
		memset(&st, 0, sizeof(st));
	log->is_file = S_ISREG(st.st_mode);
	log->is_socket = S_ISSOCK(st.st_mode);
}

static int
open_fd(const char *path)
{
	int fd;

	if (path != NULL)
		return log_open_file(path);
	fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (fd != -1)
		log_unblock(fd);
	return fd;
}

struct access_log *
access_log_open(const struct access_log_options *options)
{
	struct access_log *log = malloc(sizeof(*log));
	int fd, saved;

	if (log == NULL)
		return NULL;
	memset(log, 0, offsetof(struct access_log, data));
	text_init(&log->lines, log->data, sizeof(log->data));
	log->is_json = options->format == LOG_FORMAT_JSON;
	log->worker = options->worker;
	log->lost_total = options->lost;
	snprintf(log->instance, sizeof(log->instance), "%s", options->instance);
	if (strcmp(options->path, "stdout") != 0) {
		log->path = strdup(options->path);
		if (log->path == NULL)
			goto failed;
	}
	fd = open_fd(log->path);
	if (fd == -1)
		goto failed;
	use(log, fd);
	return log;
failed:
	saved = errno;
	free(log->path);
	free(log);
	errno = saved;
	return NULL;
}

static const char *
reason(const struct access_log *log)
{
	return log->error == EAGAIN ? "nobody read them" : strerror(log->error);
}

static void
say_lost(struct access_log *log)
{
	log_warn("access log: %llu lines lost: %s",
	    (unsigned long long)log->lost, reason(log));
	log->lost = 0;
	log->announced = false;
	log->said_ns = clock_ns();
}

/* The number follows when the loss is over. */
static void
lose(struct access_log *log, uint64_t lines)
{
	log->lost += lines;
	if (log->lost_total != NULL)
		counter_add(log->lost_total, lines);
}

static void
announce(struct access_log *log)
{
	if (log->announced || clock_ns() - log->said_ns < SAY_EVERY_NS)
		return;
	log->announced = true;
	log_warn("access log: lines are being lost: %s", reason(log));
}

void
access_log_close(struct access_log *log)
{
	if (log == NULL)
		return;
	access_log_flush(log);
	for (size_t i = 0; i < log->lines.len; i++)
		lose(log, log->data[i] == '\n');
	if (log->lost != 0)
		say_lost(log);
	close(log->fd);
	free(log->path);
	free(log);
}

/* Bytes to write at once. A pipe takes up to PIPE_BUF bytes whole or not at
 * all. A piece is as many lines as fit. */
static size_t
piece(const struct access_log *log, const char *data, size_t len)
{
	const char *end;

	if (log->is_file || len <= PIPE_BUF)
		return len;
	end = memrchr(data, '\n', PIPE_BUF);
	CHECK(end != NULL);
	return (size_t)(end + 1 - data);
}

/* Writes one piece without waiting. -1 with errno. */
static ssize_t
put(struct access_log *log, const char *data, size_t len)
{
	struct pollfd p = {.fd = log->fd, .events = POLLOUT};

	if (log->is_socket)
		return send(log->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* A terminal on hold would keep us. */
	if (!log->is_file && poll(&p, 1, 0) != 1) {
		errno = EAGAIN;
		return -1;
	}
	return write(log->fd, data, len);
}

/* Takes the first bytes off the buffer. */
static void
drop_first(struct access_log *log, size_t len)
{
	log->lines.len -= len;
	memmove(log->data, log->data + len, log->lines.len);
}

void
access_log_flush(struct access_log *log)
{
	size_t done = 0;

	while (done < log->lines.len) {
		const char *at = log->data + done;
		ssize_t n = put(log, at, piece(log, at, log->lines.len - done));

		if (n <= 0) {
			log->error = n == -1 ? errno : ENOSPC;
			break;
		}
		done += (size_t)n;
	}
	if (done > 0) {
		/* The disk has become full: the rest of the torn line comes
		 * first when there is room again. */
		log->torn = log->data[done - 1] != '\n';
		drop_first(log, done);
	}
	if (log->lost != 0 && log->lines.len == 0 &&
	    clock_ns() - log->said_ns >= SAY_EVERY_NS)
		say_lost(log);
}

void
access_log_reopen(struct access_log *log)
{
	int fd;

	access_log_flush(log);
	if (log->path == NULL)
		return;
	fd = log_open_file(log->path);
	if (fd == -1) {
		log_error("access log: can't open %s anew: %s, going on in the "
			  "old file",
		    log->path, strerror(errno));
		return;
	}
	if (log->torn) {
		/* The rest of a line is nothing to begin a file with. */
		const char *end = memchr(log->data, '\n', log->lines.len);

		drop_first(log, (size_t)(end + 1 - log->data));
		log->torn = false;
		lose(log, 1);
	}
	close(log->fd);
	use(log, fd);
	log_info("access log: goes on in a new %s", log->path);
}

/* ---- a line ---- */

/* A text line names only values behind the first; the first have fixed
 * places. */
struct name {
	const char *text;
	const char *json;
};

#define NAMED(key) ((struct name){" " key "=", ",\"" key "\":"})
#define PLACED(key) ((struct name){" ", ",\"" key "\":"})

static void
add_name(struct access_log *log, struct name name)
{
	text_add_str(&log->lines, log->is_json ? name.json : name.text);
}

/* The length of the character at s; 0: none. The Unicode Standard, table 3-7,
 * and no control character. */
static size_t
utf8_len(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	if (s[0] == 0xc2 || s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < len; i++) {
		if (s[i] < low || s[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return len;
}

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* The replacement of the character at s. */
struct escape {
	size_t from_len;
	size_t len;
	char text[8];
};

static void
escape_byte(struct escape *e, const char *prefix, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";

	e->len = strlen(prefix);
	memcpy(e->text, prefix, e->len);
	e->text[e->len++] = digits[c >> 4];
	e->text[e->len++] = digits[c & 15];
}

static struct escape
escape(const unsigned char *s, bool json)
{
	struct escape e = {.from_len = 1};
	size_t len;

	if (is_plain(*s)) {
		e.len = 1;
		e.text[0] = (char)*s;
	} else if (!json) {
		escape_byte(&e, "\\x", *s);
	} else if (*s < 0x80) {
		escape_byte(&e, "\\u00", *s);
	} else if ((len = utf8_len(s)) > 0) {
		e.from_len = e.len = len;
		memcpy(e.text, s, len);
	} else {
		e.len = 6;
		memcpy(e.text, "\\ufffd", 6);
	}
	return e;
}

/* In at most max bytes. */
static void
add_escaped(struct access_log *log, const char *string, size_t max)
{
	const unsigned char *s = (const unsigned char *)string;
	size_t room = max - strlen("...");

	while (*s != '\0') {
		size_t run = 0;

		while (run < room && is_plain(s[run]))
			run++;
		text_add(&log->lines, s, run);
		s += run;
		room -= run;
		if (*s != '\0') {
			struct escape e = escape(s, log->is_json);

			if (e.len > room) {
				text_add(&log->lines, "...", 3);
				return;
			}
			text_add(&log->lines, e.text, e.len);
			s += e.from_len;
			room -= e.len;
		}
	}
}

static void
add_quoted(
    struct access_log *log, struct name name, const char *value, size_t max)
{
	add_name(log, name);
	if (value == NULL && log->is_json) {
		text_add(&log->lines, "null", 4);
		return;
	}
	text_add(&log->lines, "\"", 1);
	add_escaped(log, value != NULL ? value : "-", max - 2);
	text_add(&log->lines, "\"", 1);
}

/* As text, quoted only when empty or with a blank. */
static void
add_string(
    struct access_log *log, struct name name, const char *value, size_t max)
{
	if (log->is_json ||
	    (value != NULL && (value[0] == '\0' || strchr(value, ' ')))) {
		add_quoted(log, name, value, max);
		return;
	}
	add_name(log, name);
	add_escaped(log, value != NULL ? value : "-", max);
}

static void
add_number(struct access_log *log, struct name name, uint64_t n)
{
	add_name(log, name);
	text_add_uint(&log->lines, n);
}

static void
add_seconds(struct access_log *log, struct name name, uint64_t us)
{
	char fraction[7] = ".000000";

	add_name(log, name);
	if (us == RECORD_NO_TIME) {
		text_add_str(&log->lines, log->is_json ? "null" : "-");
		return;
	}
	text_add_uint(&log->lines, us / 1000000);
	for (size_t i = 6, rest = us % 1000000; i > 0; i--, rest /= 10)
		fraction[i] = (char)('0' + rest % 10);
	text_add(&log->lines, fraction, sizeof(fraction));
}

/* "2026-01-31T12:00:00.123Z": all but the milliseconds once a second. */
static const char *
stamp(struct access_log *log)
{
	struct timespec now;
	struct tm tm;
	char *ms = log->when + strlen("2026-01-31T12:00:00.");
	long rest;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != log->second) {
		log->second = now.tv_sec;
		gmtime_r(&now.tv_sec, &tm);
		strftime(log->when, sizeof(log->when), "%Y-%m-%dT%H:%M:%S.000Z",
		    &tm);
	}
	rest = now.tv_nsec / 1000000;
	for (int i = 2; i >= 0; i--, rest /= 10)
		ms[i] = (char)('0' + rest % 10);
	return log->when;
}

static void
add_line(struct access_log *log, const struct record *r)
{
	add_string(log, (struct name){"", "{\"client\":"}, r->client, WORD_MAX);
	add_string(log, PLACED("time"), stamp(log), WORD_MAX);
	add_quoted(log, PLACED("request"), r->request, REQUEST_MAX);
	add_number(log, PLACED("status"), r->status);
	add_number(log, PLACED("bytes"), r->bytes_out);
	add_seconds(log, PLACED("total"), r->total_us);
	add_string(log, NAMED("host"), r->host, TEXT_MAX);
	add_string(log, NAMED("route"), r->route, TEXT_MAX);
	add_string(log, NAMED("service"), r->service, WORD_MAX);
	add_string(log, NAMED("upstream"), r->upstream, TEXT_MAX);
	add_number(log, NAMED("tries"), r->tries);
	add_number(log, NAMED("bytes_in"), r->bytes_in);
	add_seconds(log, NAMED("queue"), r->queue_us);
	add_seconds(log, NAMED("connect"), r->connect_us);
	add_seconds(log, NAMED("first"), r->first_byte_us);
	add_string(log, NAMED("breaker"), r->breaker, WORD_MAX);
	add_string(log, NAMED("end"), r->end, WORD_MAX);
	add_string(log, NAMED("reason"), r->reason, TEXT_MAX);
	add_string(log, NAMED("id"), r->id, WORD_MAX);
	add_string(log, NAMED("instance"), log->instance, WORD_MAX);
	add_number(log, NAMED("worker"), log->worker);
	text_add_str(&log->lines, log->is_json ? "}\n" : "\n");
}

void
access_log_add(struct access_log *log, const struct record *r)
{
	if (log->lines.cap - log->lines.len < LINE_MAX_BYTES)
		access_log_flush(log);
	if (log->lines.cap - log->lines.len < LINE_MAX_BYTES) {
		lose(log, 1);
		announce(log);
		return;
	}
	add_line(log, r);
}
