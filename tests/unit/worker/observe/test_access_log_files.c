/* Goal: on any kind of file each line arrives whole, lost lines are counted,
 * and a rotation loses nothing. */
#include "access_log_scene.h"

#include <sys/syscall.h>
#include <pthread.h>

#include "clock.h"

#define SETTLE_US 10000000

/* ---- a disk that hangs ---- */

#define HANG_MAX_NS UINT64_C(2000000000)

static pthread_t loop_thread;
static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;

/* In place of the C library's: a thread waits for the disk. */
ssize_t
write(int fd, const void *data, size_t len)
{
	bool waits = fd != STDERR_FILENO && pthread_self() != loop_thread;
	ssize_t n;

	if (waits)
		pthread_mutex_lock(&disk);
	n = syscall(SYS_write, fd, data, len);
	if (waits)
		pthread_mutex_unlock(&disk);
	return n;
}

/* The loop waits once, and shortly. All lines that find room arrive later, and
 * the lost are counted. */
static void
test_a_disk_that_hangs(void **state)
{
	static bool seen[4000];
	struct access_log *log = open_log(path, LOG_FORMAT_TEXT);
	char *text, request[32];
	uint64_t from_ns = clock_ns();
	size_t got;

	(void)state;
	assert_non_null(log);
	memset(seen, 0, sizeof(seen));
	atomic_store(&lost_total, 0);
	loop_thread = pthread_self();
	pthread_mutex_lock(&disk);
	for (int i = 0; i < 3000; i++) {
		snprintf(request, sizeof(request), "a%d", i);
		add(log, request);
		access_log_flush(log);
	}
	assert_in_range(clock_ns() - from_ns, 0, HANG_MAX_NS);
	assert_int_equal(count_logged("lines are being lost: the disk"), 1);
	assert_int_equal(count_logged("\n"), 1);
	assert_in_range(atomic_load(&lost_total), 1, 2999);
	pthread_mutex_unlock(&disk);
	assert_true(access_log_settle(log, SETTLE_US));
	add(log, "a3000");
	access_log_close(log);
	text = file_text(path);
	got = check_lines(text, "a", seen, 4000);
	free(text);
	assert_true(seen[0] && seen[3000]);
	assert_int_equal(atomic_load(&lost_total), 3001 - got);
	assert_int_equal(count_logged("lines lost: "), 1);
}

/* Nor does a rotation wait; it happens when the disk is back. */
static void
test_reopen_while_a_disk_hangs(void **state)
{
	struct access_log *log = open_log(path, LOG_FORMAT_TEXT);
	uint64_t from_ns = clock_ns();
	char *text;

	(void)state;
	assert_non_null(log);
	loop_thread = pthread_self();
	pthread_mutex_lock(&disk);
	add(log, "one");
	access_log_flush(log);
	assert_int_equal(rename(path, old_path), 0);
	access_log_reopen(log);
	add(log, "two");
	assert_in_range(clock_ns() - from_ns, 0, HANG_MAX_NS);
	assert_int_equal(count_logged("\n"), 0);
	pthread_mutex_unlock(&disk);
	assert_true(access_log_settle(log, SETTLE_US));
	access_log_close(log);
	text = file_text(old_path);
	assert_non_null(strstr(text, "\"one\""));
	assert_int_equal(count(text, "\n"), 1);
	free(text);
	text = file_text(path);
	assert_non_null(strstr(text, "\"two\""));
	assert_int_equal(count(text, "\n"), 1);
	free(text);
	assert_int_equal(count_logged("access log: goes on in a new"), 1);
}

/* ---- kinds of files ---- */

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
	/* More than the buffer holds: some lines were written without a
	 * flush. */
	do {
		text = file_text(path);
		early = count(text, "\n");
		free(text);
	} while (early == 0);
	assert_in_range(early, 1, 1999);
	assert_true(access_log_settle(log, SETTLE_US));
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
	/* Without a reader the open must not wait. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(open_log(path, LOG_FORMAT_TEXT));
	assert_int_equal(errno, ENXIO);
}

/* Several processes, one file or pipe: lines never mix. */
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

/* A slow reader gets whole lines, and the log reports the number of lost
 * lines. */
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
	/* The test's own writing end: no early end of file. */
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

/* Lines that a full pipe can't take wait while the buffer has room, and arrive
 * when a reader comes back. The loss is logged once, at the end. */
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
	/* The begin of the loss is in the log, once; the number comes later. */
	assert_int_equal(count_logged("lines are being lost: nobody"), 1);
	assert_int_equal(count_logged("\n"), 1);
	for (int i = 0; i < 100; i++) {
		ssize_t k = read(fd, text + len, 65536);

		len += k > 0 ? (size_t)k : 0;
		access_log_flush(log);
	}
	assert_int_equal(count_logged("\n"), 2);
	/* From now on nothing is lost, and nothing is said. */
	for (; n < 4100; n++) {
		snprintf(request, sizeof(request), "a%d", n);
		add(log, request);
	}
	access_log_close(log);
	len += (size_t)read(fd, text + len, 65536);
	close(fd);
	assert_int_equal(count_logged("\n"), 2);
	got = check_lines(text, "a", seen, 5000);
	assert_int_equal(lost("nobody read them"), 4100 - got);
	/* The first and the last line arrived, not only the newest. */
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
	atomic_store(&lost_total, 0);
	signal(SIGXFSZ, SIG_IGN);
	limit_file(10000);
	for (int i = 0; i < 2000; i++) {
		snprintf(request, sizeof(request), "a%d", i);
		add(log, request);
		access_log_flush(log);
	}
	assert_false(access_log_settle(log, SETTLE_US));
	text = file_text(path);
	assert_int_equal(strlen(text), 10000);
	assert_int_not_equal(text[9999], '\n');
	free(text);
	limit_file(RLIM_INFINITY);
	assert_true(access_log_settle(log, SETTLE_US));
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
	assert_int_equal(atomic_load(&lost_total), 2002 - got);
	assert_int_equal(count_logged("lines are being lost: File too"), 1);
	assert_int_equal(count_logged("\n"), 2);
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
	/* Before the reopen lines go to the old file; not even an error makes
	 * the log wait. */
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

/* Lines that a full disk had no room for go to the new file, but no half
 * line. */
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_a_disk_that_hangs),
	    TEST(test_reopen_while_a_disk_hangs),
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
