#include "cores.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The search looks at no more levels of a cgroup path than these. */
#define LEVELS_MAX 64

/* A cgroup's quota in thousandths of a core; UINT64_MAX: no limit. */
typedef uint64_t quota_fn(const char *dir);

static bool
read_line(const char *dir, const char *name, char *line, int cap)
{
	char path[PATH_MAX];
	FILE *f;
	bool ok;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    sizeof(path))
		return false;
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	ok = fgets(line, cap, f) != NULL;
	fclose(f);
	return ok;
}

static uint64_t
millicores(long long quota_us, long long period_us)
{
	if (quota_us <= 0 || period_us <= 0)
		return UINT64_MAX;
	return (uint64_t)quota_us * 1000 / (uint64_t)period_us;
}

/* "max 100000" or "150000 100000" */
static uint64_t
quota_v2(const char *dir)
{
	long long quota_us, period_us;
	char line[128];

	if (!read_line(dir, "cpu.max", line, sizeof(line)) ||
	    sscanf(line, "%lld %lld", &quota_us, &period_us) != 2)
		return UINT64_MAX;
	return millicores(quota_us, period_us);
}

/* "-1" or "150000"; the period is in a file of its own. */
static uint64_t
quota_v1(const char *dir)
{
	long long quota_us, period_us;
	char line[128];

	if (!read_line(dir, "cpu.cfs_quota_us", line, sizeof(line)))
		return UINT64_MAX;
	quota_us = strtoll(line, NULL, 10);
	if (!read_line(dir, "cpu.cfs_period_us", line, sizeof(line)))
		return UINT64_MAX;
	period_us = strtoll(line, NULL, 10);
	return millicores(quota_us, period_us);
}

/* The smallest quota from root/path up to root. In a container the path may be
 * the host's and be missing here; root then is the container's cgroup. */
static uint64_t
walk_up(const char *root, const char *path, quota_fn *quota)
{
	uint64_t least = UINT64_MAX, here;
	size_t root_len = strlen(root);
	char dir[PATH_MAX];
	char *slash;

	if ((size_t)snprintf(dir, sizeof(dir), "%s%s", root, path) >=
	    sizeof(dir))
		return quota(root);
	for (int level = 0; level < LEVELS_MAX; level++) {
		here = quota(dir);
		if (here < least)
			least = here;
		slash = strrchr(dir, '/');
		if (slash == NULL || slash < dir + root_len)
			break;
		*slash = '\0';
	}
	return least;
}

/* Whether `cpu` is among the controllers of "cpu,cpuacct". */
static bool
has_cpu(const char *controllers)
{
	size_t len;

	for (; *controllers != '\0'; controllers += len) {
		controllers += *controllers == ',';
		len = strcspn(controllers, ",");
		if (len == 3 && memcmp(controllers, "cpu", 3) == 0)
			return true;
	}
	return false;
}

/* A line of /proc/self/cgroup, "0::/path" (v2) or "4:cpu,cpuacct:/path". */
static uint64_t
quota_of_line(const char *cgroup_root, char *line)
{
	char *controllers = strchr(line, ':'), *path;
	char root[PATH_MAX];

	line[strcspn(line, "\n")] = '\0';
	if (controllers == NULL)
		return UINT64_MAX;
	path = strchr(++controllers, ':');
	if (path == NULL)
		return UINT64_MAX;
	*path++ = '\0';
	if (controllers[0] == '\0')
		return walk_up(cgroup_root, path, quota_v2);
	if (!has_cpu(controllers) || (size_t)snprintf(root, sizeof(root),
					 "%s/cpu", cgroup_root) >= sizeof(root))
		return UINT64_MAX;
	return walk_up(root, path, quota_v1);
}

unsigned
cores_quota(const char *cgroup_root, const char *cgroup_self)
{
	uint64_t least = UINT64_MAX, here;
	char line[PATH_MAX];
	FILE *f = fopen(cgroup_self, "re");

	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL) {
		here = quota_of_line(cgroup_root, line);
		if (here < least)
			least = here;
	}
	fclose(f);
	if (least / 1000 > UINT_MAX)
		return 0;
	return least >= 1000 ? (unsigned)(least / 1000) : 1;
}

/* The set grows until the kernel's fits: more than 1024 CPUs exist. */
static unsigned
cores_allowed(void)
{
	for (int cpus = 1024; cpus <= 1 << 16; cpus *= 2) {
		cpu_set_t *set = CPU_ALLOC(cpus);
		size_t bytes = CPU_ALLOC_SIZE(cpus);
		int count = 0;

		if (set == NULL)
			return 1;
		if (sched_getaffinity(0, bytes, set) == 0)
			count = CPU_COUNT_S(bytes, set);
		CPU_FREE(set);
		if (count > 0)
			return (unsigned)count;
	}
	return 1;
}

unsigned
cores_usable(const char *cgroup_root, const char *cgroup_self)
{
	unsigned allowed = cores_allowed();
	unsigned quota = cores_quota(cgroup_root, cgroup_self);

	return quota != 0 && quota < allowed ? quota : allowed;
}
