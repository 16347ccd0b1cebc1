/* Goal: CPU quotas of cgroup v1 and v2 are found, at any level, and rounded
 * down to at least one core. */
#include <sys/stat.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cores.h"

static char root[] = "/tmp/test_cores.XXXXXX";
static char self[sizeof(root) + 8];

static void
put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	/* The directories on the way; existing directories stay. */
	for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	if (mkdtemp(root) == NULL)
		return -1;
	snprintf(self, sizeof(self), "%s/self", root);
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
test_no_cgroup_no_quota(void **state)
{
	(void)state;
	assert_int_equal(cores_quota(root, self), 0);
	put("self", "");
	assert_int_equal(cores_quota(root, self), 0);
	put("self", "nonsense\n0:\n\n");
	assert_int_equal(cores_quota(root, self), 0);
}

static void
test_v2_unlimited(void **state)
{
	(void)state;
	put("self", "0::/\n");
	put("cpu.max", "max 100000\n");
	assert_int_equal(cores_quota(root, self), 0);
}

static void
test_v2_rounds_down(void **state)
{
	(void)state;
	put("self", "0::/\n");
	put("cpu.max", "350000 100000\n");
	assert_int_equal(cores_quota(root, self), 3);
	put("cpu.max", "199999 100000\n");
	assert_int_equal(cores_quota(root, self), 1);
	put("cpu.max", "10000 100000\n");
	assert_int_equal(cores_quota(root, self), 1);
	put("cpu.max", "garbage\n");
	assert_int_equal(cores_quota(root, self), 0);
}

static void
test_v2_least_on_the_way_up(void **state)
{
	(void)state;
	put("self", "0::/a/b/c\n");
	put("a/b/c/cpu.max", "800000 100000\n");
	put("a/b/cpu.max", "max 100000\n");
	put("a/cpu.max", "250000 50000\n");
	assert_int_equal(cores_quota(root, self), 5);
	put("a/b/c/cpu.max", "200000 100000\n");
	assert_int_equal(cores_quota(root, self), 2);
}

static void
test_v2_path_of_the_host(void **state)
{
	(void)state;
	put("self", "0::/docker/0123456789abcdef\n");
	put("cpu.max", "400000 100000\n");
	assert_int_equal(cores_quota(root, self), 4);
	put("self", "0::/../../elsewhere\n");
	assert_int_equal(cores_quota(root, self), 4);
}

static void
test_v1(void **state)
{
	(void)state;
	put("self",
	    "9:memory:/m\n4:cpu,cpuacct:/docker/ab\n3:cpuset:/\n1:name=x:/\n");
	put("cpu/cpu.cfs_quota_us", "-1\n");
	put("cpu/cpu.cfs_period_us", "100000\n");
	assert_int_equal(cores_quota(root, self), 0);
	put("cpu/docker/ab/cpu.cfs_quota_us", "300000\n");
	put("cpu/docker/ab/cpu.cfs_period_us", "100000\n");
	assert_int_equal(cores_quota(root, self), 3);
	put("cpu/cpu.cfs_quota_us", "200000\n");
	assert_int_equal(cores_quota(root, self), 2);
}

static void
test_v1_of_another_controller(void **state)
{
	(void)state;
	put("self", "4:cpuacct:/\n3:cpuset:/\n");
	put("cpu/cpu.cfs_quota_us", "300000\n");
	put("cpu/cpu.cfs_period_us", "100000\n");
	assert_int_equal(cores_quota(root, self), 0);
}

static void
test_usable_is_the_smaller(void **state)
{
	cpu_set_t set;
	unsigned allowed;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	allowed = (unsigned)CPU_COUNT(&set);
	assert_int_equal(cores_usable(root, self), allowed);
	put("self", "0::/\n");
	put("cpu.max", "100000 100000\n");
	assert_int_equal(cores_usable(root, self), 1);
	put("cpu.max", "99900000 100000\n");
	assert_int_equal(
	    cores_usable(root, self), allowed < 999 ? allowed : 999);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_no_cgroup_no_quota),
	    TEST(test_v2_unlimited),
	    TEST(test_v2_rounds_down),
	    TEST(test_v2_least_on_the_way_up),
	    TEST(test_v2_path_of_the_host),
	    TEST(test_v1),
	    TEST(test_v1_of_another_controller),
	    TEST(test_usable_is_the_smaller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
