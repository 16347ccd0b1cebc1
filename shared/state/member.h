/*
 * member - an endpoint of a service as the whole host sees it: what the
 * health checks say of it, whether a worker has ejected it, and in which
 * workers it is. In shared memory: all workers write, anybody reads.
 *
 * A member is claimed by the first worker that has the endpoint, and is known
 * by a hash of service and address. Its name is written by each worker that
 * joins, always with the same bytes, and is there once `named` is set: so the
 * death of one in the middle of it leaves nothing half done for long.
 */
#ifndef MEMBER_H
#define MEMBER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"

#define MEMBERS_MAX 2048
#define MEMBER_NONE UINT32_MAX
#define MEMBER_WORDS (CONFIG_WORKERS_MAX / 64)

enum member_checks { CHECKS_UNKNOWN, CHECKS_UP, CHECKS_DOWN };

struct member {
	_Atomic uint64_t key;    /* a hash of which, 0: free */
	_Atomic uint32_t checks; /* enum above */
	_Atomic uint32_t named;
	uint32_t service; /* its index */
	char text[SOCK_TEXT_MAX];
	/* CLOCK_MONOTONIC when it went from DOWN to UP; 0: it did not. */
	_Atomic uint64_t up_since_us;
	/* Until when the worker that ejected it last passes it over; 0: none,
	 * or it has worked since. */
	_Atomic uint64_t ejected_until_us;
	_Atomic uint64_t ejections; /* by all workers; only grows */
	/* A bit per slot whose worker has the endpoint. */
	_Atomic uint64_t workers[MEMBER_WORDS];
};

/* What makes a member; text as sock_addr_str() gives it. */
struct member_name {
	uint64_t key;
	uint32_t service;
	const char *text;
};

/* The slot's worker has this endpoint from now on. Returns its index in the
 * table of MEMBERS_MAX, which is never given back; MEMBER_NONE: it is full. */
uint32_t member_join(
    struct member *table, const struct member_name *name, unsigned slot);
/* And has it no more. */
void member_leave(struct member *m, unsigned slot);
/* The slot's worker has died: it has none. */
void member_leave_all(struct member *table, unsigned slot);

void member_eject(struct member *m, uint64_t until_us);
/* An ejected one has worked. */
void member_restore(struct member *m);

/* Some worker has it, and its name is there. */
bool member_is_listed(const struct member *m);
/* Neither found down by the checks nor ejected by any worker. */
bool member_is_up(const struct member *m, uint64_t now_us);

#endif
