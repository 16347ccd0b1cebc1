/*
 * cores - how many workers this process can keep busy. Master, at start.
 *
 * The smaller of two numbers. One is the usable CPUs (sched_getaffinity), the
 * other the CPU quota of the process's cgroup, v1 or v2. The quota is rounded
 * down: two busy workers under a quota of one core freeze for half of each
 * period. The quota of every cgroup on the way up counts, as in the kernel.
 *
 * Source: kernel's Documentation/admin-guide/cgroup-v2.rst (cpu.max),
 * scheduler/sched-bwc.rst (cpu.cfs_quota_us), cgroups(7) (/proc/PID/cgroup).
 */
#ifndef CORES_H
#define CORES_H

#define CORES_CGROUP_ROOT "/sys/fs/cgroup"
#define CORES_CGROUP_SELF "/proc/self/cgroup"

/* 1 or more. */
unsigned cores_usable(const char *cgroup_root, const char *cgroup_self);
/* The quota alone, in whole cores and never below 1; 0: no quota. */
unsigned cores_quota(const char *cgroup_root, const char *cgroup_self);

#endif
