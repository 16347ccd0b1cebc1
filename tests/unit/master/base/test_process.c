/* Goal: the kernel's facts about a process are read correctly, also for a child
 * and for a process whose name looks like the rest of the line. */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "process.h"

#define TICK_US 10000 /* unit of the kernel's CPU time */

static uint64_t
own_cpu_us(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) *
		   1000000 +
	       (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static void
burn(uint64_t us)
{
	uint64_t end_us = own_cpu_us() + us;

	while (own_cpu_us() < end_us)
		continue;
}

static void
check_self(void)
{
	uint64_t before_us = own_cpu_us(), now_ms = (uint64_t)time(NULL) * 1000;
	struct rlimit limit;
	struct process p;

	process_read(&p, getpid());
	assert_true(p.cpu_us + 2 * TICK_US >= before_us);
	assert_true(p.cpu_us <= own_cpu_us() + 2 * TICK_US);
	assert_true(p.resident_bytes >= 100000);
	assert_true(p.virtual_bytes >= p.resident_bytes);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(p.max_fds, limit.rlim_cur);
	/* A test that runs for hours has another fault. */
	assert_true(p.started_ms <= now_ms + 2000);
	assert_true(p.started_ms >= now_ms - 3600000);
}

static void
test_self(void **state)
{
	(void)state;
	burn(50000);
	check_self();
}

static void
test_a_name_with_brackets(void **state)
{
	(void)state;
	assert_int_equal(prctl(PR_SET_NAME, ") R 1 (2) 3", 0, 0, 0), 0);
	check_self();
	assert_int_equal(prctl(PR_SET_NAME, "test_process", 0, 0, 0), 0);
}

static void
test_descriptors_are_counted(void **state)
{
	struct process before, after;
	int fds[2];

	(void)state;
	process_read(&before, getpid());
	assert_true(before.open_fds >= 1);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	process_read(&after, getpid());
	assert_int_equal(after.open_fds, before.open_fds + 2);
	close(fds[0]);
	close(fds[1]);
}

static void
test_a_child(void **state)
{
	struct process self, child;
	pid_t pid;

	(void)state;
	process_read(&self, getpid());
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	process_read(&child, pid);
	assert_int_equal(child.open_fds, self.open_fds);
	assert_int_equal(child.max_fds, self.max_fds);
	assert_true(child.started_ms >= self.started_ms);
	assert_true(child.cpu_us <= 1000000);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	process_read(&child, pid);
	assert_true(child.cpu_us == PROCESS_UNKNOWN);
	assert_true(child.resident_bytes == PROCESS_UNKNOWN);
	assert_true(child.virtual_bytes == PROCESS_UNKNOWN);
	assert_true(child.open_fds == PROCESS_UNKNOWN);
	assert_true(child.max_fds == PROCESS_UNKNOWN);
	assert_true(child.started_ms == PROCESS_UNKNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_self),
	    cmocka_unit_test(test_a_name_with_brackets),
	    cmocka_unit_test(test_descriptors_are_counted),
	    cmocka_unit_test(test_a_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
