/* Goal: each event is exactly one line, for any bytes, and only events of the
 * selected levels are logged. */
#include <sys/wait.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "log.h"

static int saved_stderr = -1;
static int captured = -1;

/* Standard error goes to a file while a test logs. */
static int
setup(void **state)
{
	char path[] = "/tmp/test_log.XXXXXX";

	(void)state;
	captured = mkstemp(path);
	saved_stderr = dup(STDERR_FILENO);
	if (captured == -1 || saved_stderr == -1 || unlink(path) == -1)
		return -1;
	log_ident("drover");
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
	return 0;
}

static const char *
logged(void)
{
	static char text[16384];
	ssize_t n = pread(captured, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static size_t
count_lines(const char *text)
{
	size_t lines = 0;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

/* "2026-01-31T12:00:00.123Z info  drover[42]: message" */
static void
test_text_line(void **state)
{
	char want[64], level[8];
	int year, ms;

	(void)state;
	log_ident("worker 1");
	log_warn("listen: %s, %d", "here", 42);
	snprintf(want, sizeof(want), " warn  worker 1[%d]: listen: here, 42\n",
	    (int)getpid());
	assert_int_equal(sscanf(logged(), "%d-%*2d-%*2dT%*2d:%*2d:%*2d.%dZ %7s",
			     &year, &ms, level),
	    3);
	assert_true(year >= 2024 && ms < 1000);
	assert_string_equal(level, "warn");
	assert_string_equal(
	    logged() + strlen("2026-01-31T12:00:00.123Z"), want);
}

static void
test_levels(void **state)
{
	(void)state;
	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
		assert_int_equal(ftruncate(captured, 0), 0);
		lseek(captured, 0, SEEK_SET);
		log_init((enum log_level)level, LOG_FORMAT_TEXT);
		log_error("e");
		log_warn("w");
		log_info("i");
		log_debug("d");
		assert_int_equal(count_lines(logged()), (size_t)level + 1);
		assert_int_equal(log_is_debug(), level == LOG_LEVEL_DEBUG);
	}
}

/* A peer's bytes can't forge a line or move a terminal's cursor. */
static void
test_one_printable_line(void **state)
{
	(void)state;
	log_info("from a peer: %s", "a\r\n2026 error b\x1b[2J\x7f\t\xc3\xa9");
	assert_int_equal(count_lines(logged()), 1);
	assert_non_null(
	    strstr(logged(), "from a peer: a??2026 error b?[2J??\xc3\xa9\n"));
}

static void
test_long_line_is_cut(void **state)
{
	char *text = malloc(100000);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 99999);
	text[99999] = '\0';
	log_info("%s", text);
	assert_int_equal(count_lines(logged()), 1);
	assert_in_range(strlen(logged()), 1000, 2048);
	assert_int_equal(logged()[strlen(logged()) - 1], '\n');
	free(text);
}

static void
test_long_ident_is_cut(void **state)
{
	(void)state;
	log_ident("0123456789012345678901234567890123456789");
	log_info("x");
	assert_non_null(strstr(logged(), " 0123456789012345678901234567890["));
}

static void
test_json_line(void **state)
{
	const char *message, *level, *process, *when;
	json_t *json;
	int pid;

	(void)state;
	log_ident("master");
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_error("quote \" backslash \\ line\nend caf\xc3\xa9");
	assert_int_equal(count_lines(logged()), 1);
	json = json_loads(logged(), 0, NULL);
	assert_non_null(json);
	assert_int_equal(json_unpack(json, "{s:s, s:s, s:s, s:i, s:s}",
			     "message", &message, "level", &level, "process",
			     &process, "pid", &pid, "time", &when),
	    0);
	assert_string_equal(
	    message, "quote \" backslash \\ line?end caf\xc3\xa9");
	assert_string_equal(level, "error");
	assert_string_equal(process, "master");
	assert_int_equal(pid, getpid());
	assert_int_equal(strlen(when), strlen("2026-01-31T12:00:00.123Z"));
	json_decref(json);
}

/* JSON can't hold the text: a text line is better than none. */
static void
test_json_falls_back_to_text(void **state)
{
	char *quotes = malloc(1901);

	(void)state;
	assert_non_null(quotes);
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_info("not UTF-8: \xff\xfe");
	assert_int_equal(count_lines(logged()), 1);
	assert_non_null(strstr(logged(), "not UTF-8: \xff\xfe\n"));
	/* Each quote takes two bytes in JSON: too long for one line. */
	memset(quotes, '"', 1900);
	quotes[1900] = '\0';
	log_info("%s", quotes);
	assert_int_equal(count_lines(logged()), 2);
	free(quotes);
}

static int
wait_for(pid_t pid)
{
	int status;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
test_fatal_says_why_and_exits(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0)
		fatal("gateway.yaml:%d: no such key", 3);
	status = wait_for(pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), LOG_EXIT_CONFIG);
	assert_non_null(strstr(logged(), ": gateway.yaml:3: no such key\n"));
	assert_int_equal(count_lines(logged()), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_text_line),
	    TEST(test_levels),
	    TEST(test_one_printable_line),
	    TEST(test_long_line_is_cut),
	    TEST(test_long_ident_is_cut),
	    TEST(test_json_line),
	    TEST(test_json_falls_back_to_text),
	    TEST(test_fatal_says_why_and_exits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
