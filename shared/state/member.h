/*
 * member - an endpoint of a service as the whole host sees it. The facts are
 * its health checks, its ejections, and the workers that have the endpoint. In
 * shared memory: all workers write, any process reads.
 *
 * A member is claimed by the first worker that has the endpoint. Its key is a
 * hash of service and address. Each worker that joins writes the same bytes as
 * the name and then sets `named`. The death of a worker in mid-write is
 * repaired by the next worker to join.
 */
#ifndef MEMBER_H
#define MEMBER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"

#define MEMBERS_MAX 8192
#define MEMBER_NONE UINT32_MAX
#define MEMBER_WORDS (CONFIG_WORKERS_MAX / 64)

enum member_checks { CHECKS_UNKNOWN, CHECKS_UP, CHECKS_DOWN };

struct member {
	_Atomic uint64_t key;    /* hash of service and address, 0: free */
	_Atomic uint32_t checks; /* enum above */
	_Atomic uint32_t named;
	uint32_t service; /* index of the service */
	char text[SOCK_TEXT_MAX];
	/* CLOCK_MONOTONIC of the last step from DOWN to UP; 0: never. */
	_Atomic uint64_t up_since_us;
	/* When the latest ejection ends; 0: none, or the endpoint has worked
	 * since. */
	_Atomic uint64_t ejected_until_us;
	_Atomic uint64_t ejections; /* by all workers; only grows */
	/* A bit per slot whose worker has the endpoint. */
	_Atomic uint64_t workers[MEMBER_WORDS];
};

/* The source of a member's key; text as sock_addr_str() gives it. */
struct member_name {
	uint64_t key;
	uint32_t service;
	const char *text;
};

/* The slot's worker has the endpoint from now on. Returns an index into the
 * table of MEMBERS_MAX, never given back; MEMBER_NONE: the table is full. */
uint32_t member_join(
    struct member *table, const struct member_name *name, unsigned slot);
/* The slot's worker no longer has the endpoint. */
void member_leave(struct member *m, unsigned slot);
/* The slot's worker has died: no endpoint is left to the slot. */
void member_leave_all(struct member *table, unsigned slot);

void member_eject(struct member *m, uint64_t until_us);
/* An ejected endpoint has worked. */
void member_restore(struct member *m);

/* At least one worker has the endpoint, and the name is written. */
bool member_is_listed(const struct member *m);
/* Neither found down by the checks nor ejected by any worker. */
bool member_is_up(const struct member *m, uint64_t now_us);

#endif
