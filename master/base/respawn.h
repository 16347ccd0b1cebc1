/*
 * respawn - when a dead process is started again. Pure: facts in, a delay out;
 * no clock, no process.
 *
 * A run of at least RESPAWN_HEALTHY_US is answered at once. Shorter runs are a
 * crash loop. The first is answered at once too, the second after
 * RESPAWN_FIRST_US, doubling up to RESPAWN_LAST_US. A random part of up to a
 * half is taken off the delay. Workers of many instances shall not crash in
 * step. Exit status LOG_EXIT_CONFIG says "not again".
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
