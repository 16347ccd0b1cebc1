#include "access_log_file.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "counter.h"
#include "log_writer.h"

/* Repeated losses are logged no more often. */
#define SAY_EVERY_NS 1000000000ULL
/* The longest waits for a disk: of a loop, once for each time that the disk
 * hangs; and of an ending worker. */
#define HANG_US 50000
#define END_US 1000000

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
	if (log->is_file && log->writer == NULL)
		log->writer = log_writer_new();
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
	memset(log, 0, offsetof(struct access_log, back));
	text_init(&log->lines, log->data, sizeof(log->data));
	log->is_json = options->format == LOG_FORMAT_JSON;
	log->worker = options->worker;
	log->fields = options->fields;
	log->field_count = options->field_count;
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
	if (log->hangs)
		return "the disk hangs";
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

/* Takes bytes off the beginning of data. The rest of a torn line comes first
 * when there is room again. */
static void
take_off(struct access_log *log, char *data, size_t *len, size_t done)
{
	if (done == 0)
		return;
	log->torn = data[done - 1] != '\n';
	*len -= done;
	memmove(data, data + done, *len);
}

/* In the loop. False: not all could be written. */
static bool
write_now(struct access_log *log, char *data, size_t *len)
{
	size_t done = 0;

	while (done < *len) {
		const char *at = data + done;
		ssize_t n = put(log, at, piece(log, at, *len - done));

		if (n <= 0) {
			log->error = n == -1 ? errno : ENOSPC;
			break;
		}
		done += (size_t)n;
	}
	take_off(log, data, len, done);
	return *len == 0;
}

/* ---- the thread ---- */

static bool
has_thread(const struct access_log *log)
{
	return log->writer != NULL && log->is_file;
}

/* The rest of a torn line is nothing to begin a file with. */
static void
drop_torn(struct access_log *log)
{
	bool in_back = log->back_len != 0;
	char *data = in_back ? log->back : log->data;
	size_t *len = in_back ? &log->back_len : &log->lines.len;
	const char *end = memchr(data, '\n', *len);

	if (!log->torn)
		return;
	take_off(log, data, len, (size_t)(end + 1 - data));
	lose(log, 1);
}

static void
change_file(struct access_log *log, int fd, int error)
{
	log->reopens = false;
	if (fd == -1) {
		log_error("access log: can't open %s anew: %s, going on in the "
			  "old file",
		    log->path, strerror(error));
		return;
	}
	drop_torn(log);
	close(log->fd);
	use(log, fd);
	log_info("access log: goes on in a new %s", log->path);
}

/* True when no job is under way, after wait_us at most. */
static bool
collect(struct access_log *log, uint64_t wait_us)
{
	struct log_writer_outcome o;
	enum access_log_job job = log->job;

	if (job == ACCESS_LOG_IDLE)
		return true;
	if (!log_writer_collect(log->writer, wait_us, &o)) {
		log->hangs |= wait_us != 0;
		return false;
	}
	log->job = ACCESS_LOG_IDLE;
	log->hangs = false;
	if (job == ACCESS_LOG_OPENS) {
		change_file(log, o.fd, o.error);
		return true;
	}
	take_off(log, log->back, &log->back_len, o.done);
	if (o.error != 0)
		log->error = o.error;
	return true;
}

/* Without a job under way: gives the thread the next. False: nothing to do. */
static bool
give_job(struct access_log *log)
{
	if (log->back_len == 0 && !log->reopens) {
		memcpy(log->back, log->data, log->lines.len);
		log->back_len = log->lines.len;
		log->lines.len = 0;
	}
	if (log->reopens) {
		log->job = ACCESS_LOG_OPENS;
		log_writer_open(log->writer, log->path);
	} else if (log->back_len != 0) {
		log->job = ACCESS_LOG_WRITES;
		log_writer_write(
		    log->writer, log->fd, log->back, log->back_len);
	}
	return log->job != ACCESS_LOG_IDLE;
}

bool
access_log_settle(struct access_log *log, uint64_t wait_us)
{
	uint64_t until_ns = clock_ns() + wait_us * 1000;

	while (has_thread(log) && collect(log, wait_us)) {
		size_t before = log->back_len + log->lines.len;
		uint64_t now_ns = clock_ns();
		bool writes;

		wait_us = now_ns < until_ns ? (until_ns - now_ns) / 1000 : 0;
		if (!give_job(log))
			break;
		writes = log->job == ACCESS_LOG_WRITES;
		/* A full disk takes nothing, however often. */
		if (!collect(log, wait_us) ||
		    (writes && log->back_len + log->lines.len == before))
			break;
	}
	return log->job == ACCESS_LOG_IDLE &&
	       log->back_len + log->lines.len == 0;
}

void
access_log_flush(struct access_log *log)
{
	bool is_empty;

	if (has_thread(log)) {
		if (collect(log, 0) && has_thread(log))
			(void)give_job(log);
		is_empty = log->back_len + log->lines.len == 0;
	} else {
		is_empty = write_now(log, log->back, &log->back_len) &&
			   write_now(log, log->data, &log->lines.len);
	}
	if (log->lost != 0 && is_empty &&
	    clock_ns() - log->said_ns >= SAY_EVERY_NS)
		say_lost(log);
}

void
access_log_reopen(struct access_log *log)
{
	int fd;

	access_log_flush(log);
	(void)access_log_settle(log, log->hangs ? 0 : HANG_US);
	if (log->path == NULL)
		return;
	if (has_thread(log)) {
		/* Also when the thread hangs: later, then. */
		log->reopens = true;
		(void)access_log_settle(log, log->hangs ? 0 : HANG_US);
		return;
	}
	fd = log_open_file(log->path);
	change_file(log, fd, errno);
}

static uint64_t
count_lines(const char *data, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += data[i] == '\n';
	return n;
}

void
access_log_close(struct access_log *log)
{
	bool ended;

	if (log == NULL)
		return;
	access_log_flush(log);
	(void)access_log_settle(log, END_US);
	lose(log, count_lines(log->back, log->back_len) +
		      count_lines(log->data, log->lines.len));
	if (log->lost != 0)
		say_lost(log);
	ended = log_writer_free(log->writer);
	/* The thread may yet write. */
	if (!ended)
		return;
	close(log->fd);
	free(log->path);
	free(log);
}

/* A busy disk may take its time; a hanging disk is awaited once. */
static void
make_room(struct access_log *log)
{
	access_log_flush(log);
	if (log->job != ACCESS_LOG_IDLE && !log->hangs && collect(log, HANG_US))
		access_log_flush(log);
}

bool
access_log_file_has_room(struct access_log *log)
{
	if (log->lines.cap - log->lines.len < ACCESS_LOG_LINE_MAX)
		make_room(log);
	if (log->lines.cap - log->lines.len >= ACCESS_LOG_LINE_MAX)
		return true;
	lose(log, 1);
	announce(log);
	return false;
}
