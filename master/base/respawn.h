/*
 * respawn - when a process that died is started again. Pure: facts in, a
 * delay out; it owns no clock and no process.
 *
 * A run of at least RESPAWN_HEALTHY_US is answered at once. Runs shorter than
 * that are a crash loop: the first is answered at once too, the second after
 * RESPAWN_FIRST_US, doubling up to RESPAWN_LAST_US, less a random part of up
 * to a half, so that the workers of many instances do not crash in step.
 * Exit status LOG_EXIT_CONFIG says "not again".
 */
#ifndef RESPAWN_H
#define RESPAWN_H

#include <stdbool.h>
#include <stdint.h>

#define RESPAWN_HEALTHY_US 1000000
#define RESPAWN_FIRST_US 100000
#define RESPAWN_LAST_US 10000000

/* The memory of one slot; zeroed is new. */
struct respawn {
	unsigned short_runs; /* in a row */
};

struct respawn_facts {
	int wait_status; /* of waitpid(2) */
	uint64_t uptime_us;
	uint32_t random; /* any number, for the jitter */
};

/* False: give up. Else *delay_us until the next start, 0 for at once. */
bool respawn_decide(
    struct respawn *r, const struct respawn_facts *facts, uint64_t *delay_us);

#endif
