/* Goal: every request is one whole line that its reader can take apart,
 * whatever a client sends and wherever the line goes; what could not be
 * written is counted; a rotation loses nothing. */
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
static int
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

static int
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

/* All that is in a file, with its end. */
static char *
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

static char *
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

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		n++;
	return n;
}

static size_t
count_logged(const char *what)
{
	size_t len, n;
	char *text = slurp(captured, &len);

	n = count(text, what);
	free(text);
	return n;
}

/* How many lines the log says are lost, in all its lines. */
static unsigned long
lost(const char *why)
{
	size_t len;
	char *text = slurp(captured, &len);
	unsigned long sum = 0;

	for (char *at = text; (at = strstr(at, "access log: ")) != NULL; at++) {
		char *end;

		if (strncmp(at, "access log: goes on", 19) == 0)
			continue;

		sum += strtoul(at + strlen("access log: "), &end, 10);
		assert_memory_equal(end, " lines lost: ", 13);
		assert_memory_equal(end + 13, why, strlen(why));
	}
	free(text);
	return sum;
}

static struct access_log *
open_log(const char *name, enum log_format format)
{
	const struct access_log_options options = {
	    .path = name, .format = format, .instance = "here", .worker = 2};

	return access_log_open(&options);
}

static struct access_record
record(const char *request)
{
	struct access_record r;

	access_record_init(&r);
	r.client = "127.0.0.1";
	r.request = request;
	r.status = 200;
	r.end = "done";
	return r;
}

static void
add(struct access_log *log, const char *request)
{
	const struct access_record r = record(request);

	access_log_add(log, &r);
}

/* The line that a record gives; the caller frees it. */
static char *
line_of(const struct access_record *r, enum log_format format)
{
	struct access_log *log = open_log(path, format);
	char *text;

	assert_non_null(log);
	access_log_add(log, r);
	access_log_close(log);
	text = file_text(path);
	unlink(path);
	assert_in_range(strlen(text), 1, PIPE_BUF);
	assert_int_equal(count(text, "\n"), 1);
	assert_int_equal(text[strlen(text) - 1], '\n');
	return text;
}

static json_t *
json_of(const struct access_record *r)
{
	char *text = line_of(r, LOG_FORMAT_JSON);
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	/* It takes nothing but valid UTF-8. */
	assert_non_null(json);
	assert_true(json_is_object(json));
	free(text);
	return json;
}

/* Each is a whole line of the request "NAME N", each N of a name once. */
static size_t
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

/* ---- what is in a line ---- */

static const struct access_record whole = {
    .client = "192.0.2.1",
    .request = "GET /a?b=c HTTP/1.1",
    .host = "example.org:80",
    .route = "/a",
    .service = "users",
    .upstream = "10.0.0.1:3001",
    .breaker = "closed",
    .end = "closed by the client",
    .id = "f47ac10b",
    .tries = 2,
    .status = 200,
    .bytes_in = 7,
    .bytes_out = 18446744073709551615U,
    .queue_us = 0,
    .connect_us = 1234,
    .first_byte_us = 1000000,
    .total_us = 61000001,
};

static void
test_text(void **state)
{
	char *line = line_of(&whole, LOG_FORMAT_TEXT);

	(void)state;
	assert_memory_equal(line, "192.0.2.1 ", 10);
	assert_string_equal(line + 10 + TIME_LEN,
	    " \"GET /a?b=c HTTP/1.1\" 200 18446744073709551615 61.000001"
	    " host=example.org:80 route=/a service=users"
	    " upstream=10.0.0.1:3001 tries=2 bytes_in=7 queue=0.000000"
	    " connect=0.001234 first=1.000000 breaker=closed"
	    " end=\"closed by the client\" id=f47ac10b instance=here"
	    " worker=2\n");
	free(line);
}

static void
test_json(void **state)
{
	const char *client, *when, *request, *host, *route, *service;
	const char *upstream, *breaker, *end, *id, *instance;
	double total, queue, connect_s, first;
	int status, tries, bytes_in, worker;
	struct access_record r = whole;
	json_int_t bytes;
	json_t *json;

	(void)state;
	r.bytes_out = INT64_MAX;
	json = json_of(&r);
	assert_int_equal(json_object_size(json), 20);
	assert_int_equal(
	    json_unpack(json,
		"{s:s,s:s,s:s,s:i,s:I,s:f,s:s,s:s,s:s,s:s,s:i,s:i,s:f,s:f,"
		"s:f,s:s,s:s,s:s,s:s,s:i}",
		"client", &client, "time", &when, "request", &request, "status",
		&status, "bytes", &bytes, "total", &total, "host", &host,
		"route", &route, "service", &service, "upstream", &upstream,
		"tries", &tries, "bytes_in", &bytes_in, "queue", &queue,
		"connect", &connect_s, "first", &first, "breaker", &breaker,
		"end", &end, "id", &id, "instance", &instance, "worker",
		&worker),
	    0);
	assert_string_equal(client, "192.0.2.1");
	assert_int_equal(strlen(when), TIME_LEN);
	assert_string_equal(request, "GET /a?b=c HTTP/1.1");
	assert_string_equal(host, "example.org:80");
	assert_string_equal(route, "/a");
	assert_string_equal(service, "users");
	assert_string_equal(upstream, "10.0.0.1:3001");
	assert_string_equal(breaker, "closed");
	assert_string_equal(end, "closed by the client");
	assert_string_equal(id, "f47ac10b");
	assert_string_equal(instance, "here");
	assert_int_equal(status, 200);
	assert_true(bytes == INT64_MAX);
	assert_int_equal(tries, 2);
	assert_int_equal(bytes_in, 7);
	assert_int_equal(worker, 2);
	assert_true(total == 61.000001 && queue == 0 && connect_s == 0.001234 &&
		    first == 1);
	json_decref(json);
}

static void
test_what_is_not_there(void **state)
{
	static const char *const nulls[] = {"client", "request", "host",
	    "route", "service", "upstream", "breaker", "id", "total", "queue",
	    "connect", "first"};
	struct access_record r;
	char *line;
	json_t *json;

	(void)state;
	access_record_init(&r);
	r.end = "done";
	line = line_of(&r, LOG_FORMAT_TEXT);
	assert_memory_equal(line, "- 2", 3);
	assert_string_equal(line + 2 + TIME_LEN,
	    " \"-\" 0 0 - host=- route=- service=- upstream=- tries=0"
	    " bytes_in=0 queue=- connect=- first=- breaker=- end=done id=-"
	    " instance=here worker=2\n");
	free(line);
	json = json_of(&r);
	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
		assert_true(json_is_null(json_object_get(json, nulls[i])));
	assert_int_equal(json_object_size(json), 20);
	json_decref(json);
}

/* UTC, with the milliseconds of now. */
static void
test_time(void **state)
{
	struct timespec before, after;
	int ms;
	char *line;
	struct tm tm = {0};
	long long at;

	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	clock_gettime(CLOCK_REALTIME, &before);
	line = line_of(&whole, LOG_FORMAT_TEXT);
	clock_gettime(CLOCK_REALTIME, &after);
	assert_int_equal(sscanf(line, "192.0.2.1 %d-%d-%dT%d:%d:%d.%3dZ ",
			     &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
			     &tm.tm_min, &tm.tm_sec, &ms),
	    7);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	at = (long long)timegm(&tm) * 1000 + ms;
	assert_true(
	    at >= (long long)before.tv_sec * 1000 + before.tv_nsec / 1000000);
	assert_true(
	    at <= (long long)after.tv_sec * 1000 + after.tv_nsec / 1000000);
	free(line);
	unsetenv("TZ");
	tzset();
}

/* The date is made once a second: it has to be made again after one. */
static void
test_time_goes_on(void **state)
{
	struct access_log *log = open_log(path, LOG_FORMAT_TEXT);
	char *text, *second;
	time_t began = time(NULL);

	(void)state;
	assert_non_null(log);
	add(log, "a");
	while (time(NULL) == began)
		usleep(1000);
	add(log, "a");
	access_log_close(log);
	text = file_text(path);
	second = strchr(text, '\n') + 1;
	assert_memory_not_equal(text, second, 10 + TIME_LEN - 5);
	assert_true(strncmp(text, second, 10 + TIME_LEN) < 0);
	free(text);
}

/* ---- what a client sends ---- */

static void
test_text_escapes(void **state)
{
	struct access_record r = record("GET /\"\\\x01\n\x7f\xc3\xa9 x");
	char *line;

	(void)state;
	r.id = "a\"b";
	r.host = "";
	r.route = "/a b";
	line = line_of(&r, LOG_FORMAT_TEXT);
	assert_non_null(strstr(
	    line, "Z \"GET /\\x22\\x5c\\x01\\x0a\\x7f\\xc3\\xa9 x\" 200 "));
	assert_non_null(strstr(line, " host=\"\" route=\"/a b\" "));
	assert_non_null(strstr(line, " id=a\\x22b "));
	free(line);
}

/* Every byte alone: what is no character becomes one that says so. */
static void
test_json_takes_every_byte(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		const char sent[] = {'a', (char)c, 'b', '\0'};
		struct access_record r = record(sent);
		json_t *json = json_of(&r);
		const char *got =
		    json_string_value(json_object_get(json, "request"));

		assert_string_equal(got, c < 0x80 ? sent
						  : "a\xef\xbf\xbd"
						    "b");
		json_decref(json);
	}
}

#define BAD "\xef\xbf\xbd"

static void
test_json_utf8(void **state)
{
	static const struct {
		const char *sent, *got;
	} cases[] = {
	    {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x95",
		"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x95"},
	    /* The first and the last of each length. */
	    {"\xc2\xa0\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf",
		"\xc2\xa0\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
	    {"\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
		"\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
	    /* Cut short, in the middle and at the end. */
	    {"\xc3x", BAD "x"},
	    {"\xc3", BAD},
	    {"\xe2\x82", BAD BAD},
	    {"\xf0\x9f\x90", BAD BAD BAD},
	    {"\xe2\x82\xc3\xa9", BAD BAD "\xc3\xa9"},
	    /* Too long for what they say; no ends; surrogates; too high. */
	    {"\xc0\xaf", BAD BAD},
	    {"\xc1\xbf", BAD BAD},
	    {"\xe0\x9f\xbf", BAD BAD BAD},
	    {"\xf0\x8f\xbf\xbf", BAD BAD BAD BAD},
	    {"\x80\xbf", BAD BAD},
	    {"\xed\xa0\x80", BAD BAD BAD},
	    {"\xf4\x90\x80\x80", BAD BAD BAD BAD},
	    {"\xf5\x80\x80\x80", BAD BAD BAD BAD},
	    {"\xff\xfe", BAD BAD},
	    /* A terminal would obey: C1. */
	    {"\xc2\x9b", BAD BAD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct access_record r = record(cases[i].sent);
		json_t *json = json_of(&r);

		assert_string_equal(
		    json_string_value(json_object_get(json, "request")),
		    cases[i].got);
		json_decref(json);
	}
}

/* No control character reaches a terminal that shows the file. */
static void
test_lines_are_printable(void **state)
{
	(void)state;
	for (int f = 0; f < 2; f++)
		for (int c = 1; c < 256; c++) {
			const char sent[] = {(char)c, '\0'};
			struct access_record r = record(sent);
			char *line = line_of(&r, (enum log_format)f);

			for (char *s = line; *s != '\n'; s++)
				assert_in_range(*s, 0x20, 0x7e);
			free(line);
		}
}

static void
test_long_request_is_cut(void **state)
{
	/* Of a length of its own: no character may be cut in two. */
	static const char *const units[] = {
	    "x", "\"", "\x01", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x95"};

	(void)state;
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		size_t len = strlen(units[u]);
		char *sent = calloc(20001, 1), *line;
		struct access_record r;
		const char *got;
		json_t *json;

		assert_non_null(sent);
		for (size_t i = 0; i + len <= 20000; i += len)
			memcpy(sent + i, units[u], len);
		r = record(sent);
		line = line_of(&r, LOG_FORMAT_TEXT);
		assert_non_null(strstr(line, "...\" 200 0 "));
		assert_non_null(strstr(line, " worker=2\n"));
		free(line);
		json = json_of(&r);
		got = json_string_value(json_object_get(json, "request"));
		assert_in_range(strlen(got), 200, 2000);
		assert_string_equal(got + strlen(got) - 3, "...");
		assert_null(strstr(got, BAD));
		assert_memory_equal(got, sent, strlen(got) - 3);
		json_decref(json);
		free(sent);
	}
}

/* The worst that there can be still is a line. */
static void
test_everything_is_long(void **state)
{
	static const char all[] = {'\x01', '"', ' ', '\xff'};

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++) {
		char sent[5000];
		struct access_record r;
		char *line;

		memset(sent, all[i], sizeof(sent) - 1);
		sent[sizeof(sent) - 1] = '\0';
		r = (struct access_record){
		    .client = sent,
		    .request = sent,
		    .host = sent,
		    .route = sent,
		    .service = sent,
		    .upstream = sent,
		    .breaker = sent,
		    .end = sent,
		    .id = sent,
		    .tries = UINT_MAX,
		    .status = UINT_MAX,
		    .bytes_in = UINT64_MAX,
		    .bytes_out = UINT64_MAX,
		    .queue_us = UINT64_MAX - 1,
		    .connect_us = UINT64_MAX - 1,
		    .first_byte_us = UINT64_MAX - 1,
		    .total_us = UINT64_MAX - 1,
		};
		line = line_of(&r, LOG_FORMAT_TEXT);
		assert_int_equal(count(line, "..."), 9);
		free(line);
		line = line_of(&r, LOG_FORMAT_JSON);
		assert_int_equal(count(line, "...\""), 9);
		free(line);
	}
}

/* ---- where it goes ---- */

static void
test_gathered(void **state)
{
	struct access_log *log = open_log(path, LOG_FORMAT_TEXT);
	static bool seen[2000];
	char *text, request[32];
	size_t early;

	(void)state;
	assert_non_null(log);
	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < 2000; i++) {
		snprintf(request, sizeof(request), "a%d", i);
		add(log, request);
	}
	/* More than it holds: it has written some by itself. */
	text = file_text(path);
	early = count(text, "\n");
	assert_in_range(early, 1, 1999);
	free(text);
	access_log_flush(log);
	text = file_text(path);
	assert_int_equal(check_lines(text, "a", seen, 2000), 2000);
	free(text);
	access_log_close(log);
	assert_int_equal(count_logged("\n"), 0);
}

static void
test_can_not_be_opened(void **state)
{
	char name[128];

	(void)state;
	access_log_close(NULL);
	snprintf(name, sizeof(name), "%s/none/access.log", dir);
	assert_null(open_log(name, LOG_FORMAT_TEXT));
	assert_int_equal(errno, ENOENT);
	assert_null(open_log(dir, LOG_FORMAT_TEXT));
	assert_int_equal(errno, EISDIR);
	/* Nobody reads it: that is no reason to wait. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(open_log(path, LOG_FORMAT_TEXT));
	assert_int_equal(errno, ENXIO);
}

/* Several processes, one file or pipe: no line is in another. */
static void
write_from(int children, int lines, const char *where)
{
	for (int c = 0; c < children; c++) {
		pid_t pid = fork();

		assert_int_not_equal(pid, -1);
		if (pid == 0) {
			struct access_log *log =
			    open_log(where, LOG_FORMAT_TEXT);
			char request[32];

			for (int i = 0; log != NULL && i < lines; i++) {
				snprintf(request, sizeof(request), "%c%d",
				    'a' + c, i);
				add(log, request);
				if (i % 7 == 0)
					access_log_flush(log);
			}
			access_log_close(log);
			_exit(0);
		}
	}
}

static void
wait_for_children(int children)
{
	for (int c = 0; c < children; c++) {
		int status;

		assert_int_not_equal(wait(&status), -1);
		assert_int_equal(status, 0);
	}
}

static void
test_several_writers(void **state)
{
	static bool seen[4][2000];
	char *text;

	(void)state;
	memset(seen, 0, sizeof(seen));
	write_from(4, 2000, path);
	wait_for_children(4);
	text = file_text(path);
	for (int c = 0; c < 4; c++) {
		const char name[] = {(char)('a' + c), '\0'};

		assert_int_equal(check_lines(text, name, seen[c], 2000), 2000);
	}
	free(text);
	assert_int_equal(count_logged("\n"), 0);
}

/* A reader that does not keep up gets whole lines, and the log how many it
 * did not get. */
static void
test_several_writers_of_a_pipe(void **state)
{
	enum { CAP = 16 << 20 };
	static bool seen[4][2000];
	size_t got = 0, len = 0;
	char *text = malloc(CAP);
	int fd;

	(void)state;
	assert_non_null(text);
	memset(seen, 0, sizeof(seen));
	assert_int_equal(mkfifo(path, 0600), 0);
	/* One end of our own for writing: no early end of file. */
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	assert_int_not_equal(fd, -1);
	write_from(4, 2000, path);
	wait_for_children(4);
	for (ssize_t n; (n = read(fd, text + len, CAP - 1 - len)) > 0;)
		len += (size_t)n;
	text[len] = '\0';
	close(fd);
	for (int c = 0; c < 4; c++) {
		const char name[] = {(char)('a' + c), '\0'};

		got += check_lines(text, name, seen[c], 2000);
	}
	assert_in_range(got, 1, 7999);
	assert_int_equal(lost("nobody read them"), 8000 - got);
	free(text);
}

/* What a full pipe can't take waits as long as there is room, and comes when
 * there is a reader again; the loss is said once, when it is over. */
static void
test_full_pipe(void **state)
{
	static bool seen[5000];
	struct access_log *log;
	char *text = calloc(1, 4 << 20), request[32];
	size_t len = 0, got;
	int fd, n = 0;

	(void)state;
	assert_non_null(text);
	memset(seen, 0, sizeof(seen));
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	log = open_log(path, LOG_FORMAT_TEXT);
	assert_non_null(log);
	for (; n < 4000; n++) {
		snprintf(request, sizeof(request), "a%d", n);
		add(log, request);
		access_log_flush(log);
	}
	assert_int_equal(count_logged("\n"), 0);
	for (int i = 0; i < 100; i++) {
		ssize_t k = read(fd, text + len, 65536);

		len += k > 0 ? (size_t)k : 0;
		access_log_flush(log);
	}
	assert_int_equal(count_logged("\n"), 1);
	/* From now on nothing is lost, and nothing is said. */
	for (; n < 4100; n++) {
		snprintf(request, sizeof(request), "a%d", n);
		add(log, request);
	}
	access_log_close(log);
	len += (size_t)read(fd, text + len, 65536);
	close(fd);
	assert_int_equal(count_logged("\n"), 1);
	got = check_lines(text, "a", seen, 5000);
	assert_int_equal(lost("nobody read them"), 4100 - got);
	/* The first and the last are there, not only the newest. */
	assert_true(seen[0] && seen[500] && seen[4000] && seen[4099]);
	free(text);
}

static void
limit_file(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A disk that is full in the middle of a line. */
static void
test_full_disk(void **state)
{
	static bool seen[3000];
	struct access_log *log = open_log(path, LOG_FORMAT_TEXT);
	char *text, request[32];
	size_t got;

	(void)state;
	assert_non_null(log);
	memset(seen, 0, sizeof(seen));
	signal(SIGXFSZ, SIG_IGN);
	limit_file(10000);
	for (int i = 0; i < 2000; i++) {
		snprintf(request, sizeof(request), "a%d", i);
		add(log, request);
		access_log_flush(log);
	}
	text = file_text(path);
	assert_int_equal(strlen(text), 10000);
	assert_int_not_equal(text[9999], '\n');
	free(text);
	limit_file(RLIM_INFINITY);
	add(log, "a2000");
	access_log_flush(log);
	add(log, "a2001");
	access_log_close(log);
	text = file_text(path);
	got = check_lines(text, "a", seen, 3000);
	free(text);
	assert_true(seen[0] && seen[2001]);
	assert_in_range(got, 300, 1900);
	assert_int_equal(lost(strerror(EFBIG)), 2002 - got);
	assert_int_equal(count_logged("\n"), 1);
}

/* ---- rotation ---- */

static void
test_reopen(void **state)
{
	struct access_log *log = open_log(path, LOG_FORMAT_TEXT);
	char *text;

	(void)state;
	assert_non_null(log);
	add(log, "one");
	access_log_flush(log);
	assert_int_equal(rename(path, old_path), 0);
	/* Until it is told, it goes on where it was; not even this waits. */
	add(log, "two");
	access_log_reopen(log);
	add(log, "three");
	/* Once more, with nothing rotated: the same file. */
	access_log_reopen(log);
	add(log, "four");
	access_log_close(log);
	text = file_text(old_path);
	assert_int_equal(count(text, "\n"), 2);
	assert_non_null(strstr(text, "\"one\""));
	assert_non_null(strstr(text, "\"two\""));
	free(text);
	text = file_text(path);
	assert_int_equal(count(text, "\n"), 2);
	assert_non_null(strstr(text, "\"three\""));
	assert_non_null(strstr(text, "\"four\""));
	free(text);
	assert_int_equal(count_logged("access log: goes on in a new"), 2);
	assert_int_equal(count_logged("\n"), 2);
}

static void
test_reopen_fails(void **state)
{
	struct access_log *log = open_log(path, LOG_FORMAT_TEXT);
	char *text;

	(void)state;
	assert_non_null(log);
	assert_int_equal(rename(path, old_path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	add(log, "one");
	access_log_reopen(log);
	add(log, "two");
	assert_int_equal(rmdir(path), 0);
	access_log_close(log);
	assert_int_equal(count_logged("\n"), 1);
	assert_int_equal(count_logged(path), 1);
	assert_int_equal(count_logged(strerror(EISDIR)), 1);
	text = file_text(old_path);
	assert_int_equal(count(text, "\n"), 2);
	assert_non_null(strstr(text, "\"two\""));
	free(text);
}

/* What a full disk had no room for goes to the new file, but no half line. */
static void
test_reopen_from_a_full_disk(void **state)
{
	static bool seen[200];
	struct access_log *log = open_log(path, LOG_FORMAT_TEXT);
	char *text, *last, request[32];
	size_t old;

	(void)state;
	assert_non_null(log);
	memset(seen, 0, sizeof(seen));
	signal(SIGXFSZ, SIG_IGN);
	limit_file(10000);
	for (int i = 0; i < 100; i++) {
		snprintf(request, sizeof(request), "a%d", i);
		add(log, request);
	}
	access_log_flush(log);
	assert_int_equal(rename(path, old_path), 0);
	access_log_reopen(log);
	limit_file(RLIM_INFINITY);
	access_log_close(log);
	text = file_text(old_path);
	assert_int_equal(strlen(text), 10000);
	last = strrchr(text, '\n');
	assert_int_not_equal(last - text, 9999);
	last[1] = '\0';
	old = check_lines(text, "a", seen, 200);
	free(text);
	text = file_text(path);
	assert_int_equal(check_lines(text, "a", seen, 200), 100 - old - 1);
	free(text);
	assert_int_equal(lost(strerror(EFBIG)), 1);
}

static void
test_stdout(void **state)
{
	int saved = dup(STDOUT_FILENO);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
	struct access_log *log;
	char *text;

	(void)state;
	assert_true(saved != -1 && fd != -1);
	assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	log = open_log("stdout", LOG_FORMAT_TEXT);
	add(log, "one");
	access_log_reopen(log);
	add(log, "two");
	access_log_close(log);
	assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	close(saved);
	close(fd);
	text = file_text(path);
	assert_int_equal(count(text, "\n"), 2);
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_text),
	    TEST(test_json),
	    TEST(test_what_is_not_there),
	    TEST(test_time),
	    TEST(test_time_goes_on),
	    TEST(test_text_escapes),
	    TEST(test_json_takes_every_byte),
	    TEST(test_json_utf8),
	    TEST(test_lines_are_printable),
	    TEST(test_long_request_is_cut),
	    TEST(test_everything_is_long),
	    TEST(test_gathered),
	    TEST(test_can_not_be_opened),
	    TEST(test_several_writers),
	    TEST(test_several_writers_of_a_pipe),
	    TEST(test_full_pipe),
	    TEST(test_full_disk),
	    TEST(test_reopen),
	    TEST(test_reopen_fails),
	    TEST(test_reopen_from_a_full_disk),
	    TEST(test_stdout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
