/*
 * shortage - what this host lacks for a connection: local ports, descriptors,
 * memory, room in a queue of the kernel. Such an error says nothing about the
 * endpoint. Pure; worker only.
 *
 * A shortage has a log line at once, and then at most one each SHORTAGE_LINE_US
 * with the number of failures since the last line.
 */
#ifndef SHORTAGE_H
#define SHORTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "sock.h"

#define SHORTAGE_LINE_US UINT64_C(10000000)
/* How soon a connection is tried again. */
#define SHORTAGE_RETRY_US UINT64_C(100000)

/* Of a service; zeroed: none so far. */
struct shortage {
	int error;                 /* of the last failure */
	char where[SOCK_TEXT_MAX]; /* its endpoint */
	uint64_t until_us;         /* requests have waited lately */
	uint64_t line_us;          /* no line before; 0: none so far */
	unsigned count;            /* failures without a line */
};

/* Is an errno of socket(2), bind(2), connect(2) or epoll_ctl(2) the host's? */
bool shortage_is(int error);
/* Among those: may a connection to another address come up? True for local
 * ports, and for EAGAIN, the full listen queue of a unix socket. */
bool shortage_is_of_address(int error);

/* A connection to the endpoint `where` has failed so. */
void shortage_note(struct shortage *s, int error, const char *where);
/* Nor could another endpoint be had: requests wait for this host. */
static inline void
shortage_begin(struct shortage *s, uint64_t now_us)
{
	s->until_us = now_us + 2 * SHORTAGE_RETRY_US;
}

/* The number of failures for a log line; 0: no line is due. */
unsigned shortage_take_line(struct shortage *s, uint64_t now_us);
/* Does the shortage last, as far as known? */
static inline bool
shortage_lasts(const struct shortage *s, uint64_t now_us)
{
	return s->until_us > now_us;
}

#endif
