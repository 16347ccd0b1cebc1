/*
 * process - the kernel's facts about a Drover process: the master, or a worker
 * not yet reaped. Master.
 *
 * Source: proc(5), prlimit(2).
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <sys/types.h>
#include <stdint.h>

#define PROCESS_UNKNOWN UINT64_MAX

/* PROCESS_UNKNOWN: the kernel does not tell, or no longer. */
struct process {
	uint64_t cpu_us; /* user and system */
	uint64_t resident_bytes;
	uint64_t virtual_bytes;
	uint64_t open_fds;
	uint64_t max_fds;
	uint64_t started_ms; /* CLOCK_REALTIME */
};

/* pid: of the caller or of a child. */
void process_read(struct process *p, pid_t pid);

#endif
