/*
 * access_log_scene - a folder for the log, standard error in a file, and
 * readers of the two, for the tests of access_log.h.
 */
#ifndef ACCESS_LOG_SCENE_H
#define ACCESS_LOG_SCENE_H

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "access_log.h"

#define TIME_LEN strlen("2026-01-31T12:00:00.123Z")

static char dir[64], path[96], old_path[128];
static int saved_stderr = -1, captured = -1;

/* A folder, and standard error in a file. */
static inline int
setup(void **state)
{
	char err[96];

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_access_log.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/access.log", dir);
	snprintf(old_path, sizeof(old_path), "%s.1", path);
	snprintf(err, sizeof(err), "%s/err", dir);
	captured = open(err, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	saved_stderr = dup(STDERR_FILENO);
	if (captured == -1 || saved_stderr == -1)
		return -1;
	unlink(err);
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	return dup2(captured, STDERR_FILENO) == -1 ? -1 : 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(captured);
	unlink(path);
	unlink(old_path);
	return rmdir(dir);
}

/* ---- helpers ---- */

/* The whole content of a file, with NUL. */
static inline char *
slurp(int fd, size_t *len)
{
	struct stat st;
	char *text;

	assert_int_equal(fstat(fd, &st), 0);
	text = malloc((size_t)st.st_size + 1);
	assert_non_null(text);
	*len = (size_t)pread(fd, text, (size_t)st.st_size, 0);
	assert_int_equal(*len, st.st_size);
	text[*len] = '\0';
	return text;
}

static inline char *
file_text(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	size_t len;
	char *text;

	assert_int_not_equal(fd, -1);
	text = slurp(fd, &len);
	close(fd);
	assert_int_equal(strlen(text), len);
	return text;
}

static inline size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		n++;
	return n;
}

static inline size_t
count_logged(const char *what)
{
	size_t len, n;
	char *text = slurp(captured, &len);

	n = count(text, what);
	free(text);
	return n;
}

/* The sum of the lost lines, over all reports in the log. */
static inline unsigned long
lost(const char *why)
{
	size_t len;
	char *text = slurp(captured, &len);
	unsigned long sum = 0;

	for (char *at = text; (at = strstr(at, "access log: ")) != NULL; at++) {
		char *end;

		if (strncmp(at, "access log: goes on", 19) == 0 ||
		    strncmp(at, "access log: lines are being lost", 32) == 0)
			continue;

		sum += strtoul(at + strlen("access log: "), &end, 10);
		assert_memory_equal(end, " lines lost: ", 13);
		assert_memory_equal(end + 13, why, strlen(why));
	}
	free(text);
	return sum;
}

static _Atomic uint64_t lost_total;

static inline struct access_log *
open_log(const char *name, enum log_format format)
{
	const struct access_log_options options = {.path = name,
	    .format = format,
	    .instance = "here",
	    .worker = 2,
	    .lost = &lost_total};

	return access_log_open(&options);
}

static inline struct record
record(const char *request)
{
	struct record r;

	record_init(&r);
	r.client = "127.0.0.1";
	r.request = request;
	r.status = 200;
	r.end = "done";
	return r;
}

static inline void
add(struct access_log *log, const char *request)
{
	const struct record r = record(request);

	access_log_add(log, &r, NULL);
}

/* The line of a record, to be freed by the caller. Closes the log. */
static inline char *
line_in(struct access_log *log, const struct record *r,
    const struct record_field *fields)
{
	char *text;

	assert_non_null(log);
	access_log_add(log, r, fields);
	access_log_close(log);
	text = file_text(path);
	unlink(path);
	assert_in_range(strlen(text), 1, PIPE_BUF);
	assert_int_equal(count(text, "\n"), 1);
	assert_int_equal(text[strlen(text) - 1], '\n');
	return text;
}

static inline char *
line_of(const struct record *r, enum log_format format)
{
	return line_in(open_log(path, format), r, NULL);
}

/* Frees the text. */
static inline json_t *
json_in(char *text)
{
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	/* The parser accepts only valid UTF-8. */
	assert_non_null(json);
	assert_true(json_is_object(json));
	free(text);
	return json;
}

static inline json_t *
json_of(const struct record *r)
{
	return json_in(line_of(r, LOG_FORMAT_JSON));
}

/* Each is a whole line of the request "NAME N", each N of a name once. */
static inline size_t
check_lines(const char *text, const char *name, bool *seen, size_t max)
{
	size_t n = 0;

	while (*text != '\0') {
		const char *end = strchr(text, '\n'), *request;
		unsigned long i;
		char *after;

		assert_non_null(end);
		assert_memory_equal(text, "127.0.0.1 2", 11);
		assert_memory_equal(end - 9, " worker=2", 9);
		request = strchr(text, '"') + 1;
		if (strncmp(request, name, strlen(name)) == 0) {
			i = strtoul(request + strlen(name), &after, 10);
			assert_int_equal(*after, '"');
			assert_true(after < end && i < max);
			assert_false(seen[i]);
			seen[i] = true;
			n++;
		}
		text = end + 1;
	}
	return n;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
