/*
 * deaths - the record of dead workers: the last DEATHS_KEPT of them, and the
 * count per slot. Master; pure.
 */
#ifndef DEATHS_H
#define DEATHS_H

#include <sys/types.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "scoreboard.h"

#define DEATHS_KEPT 64
#define DEATHS_CAUSE_MAX 64

struct death {
	unsigned slot;
	pid_t pid;
	int wait_status; /* of waitpid(2) */
	uint64_t uptime_us;
	uint32_t in_flight; /* requests that were lost */
	time_t when;
	char activity[SCOREBOARD_ACTIVITY_MAX]; /* "": nothing by name */
};

struct deaths {
	struct death ring[DEATHS_KEPT];
	uint64_t count;
	uint64_t by_slot[CONFIG_WORKERS_MAX];
};

/* Copies the death. */
void deaths_add(struct deaths *d, const struct death *death);
/* Index 0 is the newest; NULL past the oldest kept. */
const struct death *deaths_get(const struct deaths *d, size_t index);
/* "signal 9 (Killed)" or "exit status 1"; returns buf. */
const char *deaths_cause(int wait_status, char buf[DEATHS_CAUSE_MAX]);

#endif
