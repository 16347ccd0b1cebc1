/* Goal: a failed check prints its place and its object. Outside the release
 * build, as here, every failed check ends the process. */
#include <sys/wait.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "check.h"

static _Atomic uint64_t bugs;

static void
check_sum(int sum)
{
	CHECK(1 + 1 == sum);
}

static void
confine_sum(int sum)
{
	(void)CONFINED(1 + 1 == sum, "the sum %d", sum);
}

/* The standard error of a process that ran run() and aborted. */
static const char *
last_words(void (*run)(int sum))
{
	static char text[1024];
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		dup2(fds[1], STDERR_FILENO);
		run(3);
		_exit(0);
	}
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	n = read(fds[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	close(fds[0]);
	return text;
}

static void
test_what_holds_passes(void **state)
{
	(void)state;
	check_sum(2);
	assert_true(CONFINED(1 + 1 == 2, "the sum"));
	assert_int_equal(bugs, 0);
}

static void
test_failed_check_aborts(void **state)
{
	const char *said = last_words(check_sum);

	(void)state;
	assert_non_null(strstr(said, "bug: "));
	assert_non_null(strstr(said, "test_check.c:"));
	assert_non_null(strstr(said, "1 + 1 == sum does not hold\n"));
}

static void
test_confined_one_says_of_what(void **state)
{
	const char *said = last_words(confine_sum);

	(void)state;
	assert_non_null(strstr(said, "test_check.c:"));
	assert_non_null(
	    strstr(said, "1 + 1 == sum does not hold: the sum 3\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_holds_passes),
	    cmocka_unit_test(test_failed_check_aborts),
	    cmocka_unit_test(test_confined_one_says_of_what),
	};

	check_count_in(&bugs);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
