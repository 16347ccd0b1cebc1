/* Goal: the table of a machine holds the legal steps; the setter refuses all
 * others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine.h"

enum lamp_state { LAMP_OFF, LAMP_ON, LAMP_BROKEN };

struct lamp {
	unsigned number;
	enum lamp_state state : 8; /* as the connection has its own */
};

static const struct machine_state states[] = {
    [LAMP_OFF] = {"off", MACHINE_TO(LAMP_ON) | MACHINE_TO(LAMP_BROKEN)},
    [LAMP_ON] = {"on", MACHINE_TO(LAMP_OFF) | MACHINE_TO(LAMP_BROKEN)},
    [LAMP_BROKEN] = {"broken", 0},
};

static void
enter(struct lamp *lamp, enum lamp_state state)
{
	MACHINE_ENTER(states, lamp->state, state, "lamp %u", lamp->number);
}

static void
the_table_says_which_steps_are_legal(void **state)
{
	static const bool legal[3][3] = {
	    [LAMP_OFF] = {[LAMP_ON] = true, [LAMP_BROKEN] = true},
	    [LAMP_ON] = {[LAMP_OFF] = true, [LAMP_BROKEN] = true},
	};

	(void)state;
	for (unsigned from = LAMP_OFF; from <= LAMP_BROKEN; from++)
		for (unsigned to = LAMP_OFF; to <= LAMP_BROKEN; to++)
			assert_int_equal(
			    machine_allows(states, from, to), legal[from][to]);
}

static void
a_legal_step_is_taken(void **state)
{
	struct lamp lamp = {.number = 7};

	(void)state;
	enter(&lamp, LAMP_ON);
	assert_int_equal(lamp.state, LAMP_ON);
	enter(&lamp, LAMP_BROKEN);
	assert_int_equal(lamp.state, LAMP_BROKEN);
}

/* Runs the steps on -> broken -> last in a child process, with the level's log
 * in `said`. Returns the child's wait status. */
static int
in_child(enum log_level level, enum lamp_state last, char *said, size_t cap)
{
	struct lamp lamp = {.number = 7, .state = LAMP_ON};
	int ends[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		dup2(ends[1], STDERR_FILENO);
		log_init(level, LOG_FORMAT_TEXT);
		enter(&lamp, LAMP_OFF);
		enter(&lamp, last);
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], said + len, cap - 1 - len)) > 0)
		len += (size_t)n;
	said[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
steps_are_logged_at_debug_level(void **state)
{
	char said[2048];

	(void)state;
	assert_int_equal(
	    in_child(LOG_LEVEL_DEBUG, LAMP_BROKEN, said, sizeof(said)), 0);
	assert_non_null(strstr(said, "lamp 7: on -> off\n"));
	assert_non_null(strstr(said, "lamp 7: off -> broken\n"));
	assert_int_equal(
	    in_child(LOG_LEVEL_INFO, LAMP_BROKEN, said, sizeof(said)), 0);
	assert_string_equal(said, "");
}

static void
an_illegal_step_is_a_bug(void **state)
{
	char said[2048];
	int status;

	(void)state;
	status = in_child(LOG_LEVEL_INFO, LAMP_OFF, said, sizeof(said));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(said, "bug: "));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_table_says_which_steps_are_legal),
	    cmocka_unit_test(a_legal_step_is_taken),
	    cmocka_unit_test(steps_are_logged_at_debug_level),
	    cmocka_unit_test(an_illegal_step_is_a_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
